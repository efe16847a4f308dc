// SPDX-License-Identifier: Apache-2.0
//
// bridge-9p: the services of the system as 9P2000.L on port 0 of a virtio console (virtio 1.2,
// section 5.3).
//
// One buffer waits for input at a time, so that its bytes come in their order; what came is copied
// into the frame before it is looked at. An answer is one buffer. No input is taken while no job is
// free.
//
// Layout of the DMA memory: one answer of BRIDGE_MSIZE_MAX bytes per job, then the input.
#include "bridge.h"
#include "frame.h"
#include <stdlib.h>
#include <string.h>

#define QUEUE_IN  0u
#define QUEUE_OUT 1u

#define INPUT_OFFSET ((size_t)BRIDGE_JOBS_MAX * BRIDGE_MSIZE_MAX)
#define INPUT_SIZE   8192u

#define EXIT_NO_PORT     1
#define EXIT_NO_SERVICES 2
#define EXIT_PORT_FAILED 3

struct port {
    struct npl_virtio device;
    struct npl_memory memory;
    struct frame frame;
    bool is_asked;    // the input is at the device
    uint32_t size;    // bytes of input that came
    uint32_t taken;   // of them in the frame
    uint32_t sending; // answers at the device
    struct bridge bridge;
};

static int64_t port_open(struct port *port)
{
    int64_t result = npl_virtio_open(&port->device, "port");

    if (result >= 0)
        result = npl_dma_open(&port->memory, "buffers");
    if (result >= 0 && port->memory.size < INPUT_OFFSET + INPUT_SIZE)
        result = RUMPK_E_BOUNDS;
    if (result >= 0)
        result = npl_virtio_negotiate(&port->device, 0, 0);
    return result;
}

// Asks for input, or takes what came. 1 when anything happened, 0, or a negative code.
static int64_t receive(struct port *port)
{
    struct rumpk_queue_completion completion;
    struct rumpk_queue_request request = {
        .memory_slot = port->memory.slot,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .offset = INPUT_OFFSET,
        .length = INPUT_SIZE,
    };

    if (port->taken < port->size)
        return 0;
    if (!port->is_asked) {
        int64_t result = npl_virtio_submit(&port->device, QUEUE_IN, &request, 1);

        port->is_asked = result >= 0;
        return result < 0 ? result : 1;
    }
    int64_t result = npl_virtio_complete(&port->device, QUEUE_IN, &completion, 1, RUMPK_NOW);
    if (result < 0)
        return result == RUMPK_E_TIMEOUT ? 0 : result;
    port->is_asked = false;
    port->taken = 0;
    port->size = completion.written < INPUT_SIZE ? completion.written : INPUT_SIZE;
    return 1;
}

// Handles the messages that came. True when anything happened.
static bool take(struct port *port)
{
    const uint8_t *input = port->memory.base + INPUT_OFFSET;
    struct bridge_job *job;
    uint32_t size;
    bool is_any = false;

    while ((job = bridge_job_free(&port->bridge))) {
        uint32_t added = frame_add(&port->frame, input + port->taken, port->size - port->taken,
                                   port->taken == 0);

        port->taken += added;
        size = frame_ready(&port->frame);
        if (size > 0) {
            bridge_take(&port->bridge, job, port->frame.bytes, size);
            frame_drop(&port->frame);
            port->frame.limit = port->bridge.msize ? port->bridge.msize : FRAME_CAPACITY;
        } else if (added == 0) {
            break;
        }
        is_any = true;
    }
    return is_any;
}

// Sends answers and takes their buffers back. 1 when anything happened, 0, or a negative code.
static int64_t send(struct port *port)
{
    struct rumpk_queue_completion completion;
    bool is_any = false;

    for (uint32_t index = 0; index < BRIDGE_JOBS_MAX; index++) {
        struct bridge_job *job = &port->bridge.jobs[index];
        struct rumpk_queue_request request = {
            .memory_slot = port->memory.slot,
            .offset = (uint64_t)index * BRIDGE_MSIZE_MAX,
            .length = job->answer,
            .cookie = index,
        };

        if (job->state != JOB_ANSWERED)
            continue;
        int64_t result = npl_virtio_submit(&port->device, QUEUE_OUT, &request, 1);
        if (result == RUMPK_E_FULL)
            break;
        if (result < 0)
            return result;
        job->state = JOB_SENT;
        port->sending++;
        is_any = true;
    }
    while (port->sending > 0) {
        int64_t result = npl_virtio_complete(&port->device, QUEUE_OUT, &completion, 1, RUMPK_NOW);

        if (result == RUMPK_E_TIMEOUT)
            break;
        if (result < 0)
            return result;
        port->bridge.jobs[completion.cookie].state = JOB_FREE;
        port->sending--;
        is_any = true;
    }
    return is_any;
}

// Sleeps until the port or a service that was asked has something.
static void sleep_until_any(struct port *port)
{
    uint32_t slots[2 + BRIDGE_SERVICES_MAX];
    uint32_t count = 0;
    bool is_ready = false;

    if (port->is_asked)
        slots[count++] = port->device.queue_slots[QUEUE_IN];
    if (port->sending > 0)
        slots[count++] = port->device.queue_slots[QUEUE_OUT];
    for (uint32_t index = 0; index < port->bridge.service_count; index++) {
        struct bridge_service *service = &port->bridge.services[index];

        if (service->under_way == 0)
            continue;
        npl_ring_announce(&service->client.replies);
        is_ready |= npl_ring_ready(&service->client.replies) != 0;
        slots[count++] = service->client.replies.slot;
    }
    if (!is_ready)
        (void)npl_wait(slots, count, RUMPK_FOREVER);
    for (uint32_t index = 0; index < port->bridge.service_count; index++)
        npl_ring_withdraw(&port->bridge.services[index].client.replies);
}

int npl_main(void)
{
    struct port *port = calloc(1, sizeof(*port));
    int64_t result = port ? port_open(port) : RUMPK_E_MEMORY;

    if (result < 0) {
        (void)npl_printf("bridge-9p: cannot use the port: %s\n", npl_result_text(result));
        return EXIT_NO_PORT;
    }
    if (bridge_open(&port->bridge, port->memory.base) == 0) {
        (void)npl_printf("bridge-9p: there is no service to show\n");
        return EXIT_NO_SERVICES;
    }
    frame_init(&port->frame);

    for (;;) {
        int64_t received = receive(port);
        bool is_moving = take(port);

        is_moving |= bridge_collect(&port->bridge);
        int64_t sent = send(port);
        if (received < 0 || sent < 0) {
            result = received < 0 ? received : sent;
            (void)npl_printf("bridge-9p: the port failed: %s\n", npl_result_text(result));
            return EXIT_PORT_FAILED;
        }
        if (!is_moving && received == 0 && sent == 0)
            sleep_until_any(port);
    }
}
