// SPDX-License-Identifier: Apache-2.0
//
// hand_device.c: a virtio device with two queues, played: it does what its registers and queues
// tell it, and takes its time to stop.
#include "hand_device.h"

#include <kernel/device.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "virtio_mmio.h"
#include "virtio_pci.h"

void arch_device_fence(void) {}

struct hand_model model;
static uint32_t look; // of the machine's, when the device was last asked
static uint64_t pages[QUEUES];
static uint16_t done[QUEUES]; // since the last reset

static uint32_t status_read(const struct virtio_registers *registers)
{
    (void)registers;
    model.polls++;
    model.piece = look == machine_looks ? model.piece + 1 : 1;
    look = machine_looks;
    model.longest = model.piece > model.longest ? model.piece : model.longest;
    if (model.slow > 0 && model.status == 0) {
        model.slow--;
        return 1;
    }
    return model.status;
}

static void status_write(const struct virtio_registers *registers, uint32_t value)
{
    (void)registers;
    model.resets += value == 0;
    model.status = value;
    if (value == 0)
        done[0] = done[1] = 0;
}

static uint64_t features_read(const struct virtio_registers *registers)
{
    (void)registers;
    return FEATURES;
}

static void features_write(const struct virtio_registers *registers, uint64_t features)
{
    (void)registers;
    CHECK(features == FEATURES);
}

static uint32_t generation_read(const struct virtio_registers *registers)
{
    (void)registers;
    return 0;
}

static uint32_t queue_limit(const struct virtio_registers *registers, uint32_t queue)
{
    (void)registers;
    return queue < QUEUES ? 8 : 0;
}

static bool queue_enable(struct virtio_registers *registers, uint32_t number,
                         const struct virtio_queue *queue)
{
    (void)registers;
    pages[number] = queue->page;
    return true;
}

static void notify(const struct virtio_registers *registers, uint32_t queue)
{
    (void)registers;
    CHECK(queue < QUEUES);
}

static bool interrupt_take(const struct virtio_registers *registers)
{
    (void)registers;
    return true;
}

static void nothing(const struct virtio_registers *registers, bool is)
{
    (void)registers;
    (void)is;
}

static const struct virtio_transport transport = {
    .status_read = status_read,
    .status_write = status_write,
    .features_read = features_read,
    .features_write = features_write,
    .generation_read = generation_read,
    .queue_limit = queue_limit,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupt_take = interrupt_take,
    .use = nothing,
    .interrupt_hold = nothing,
};

void virtio_mmio_open(const struct device *device, struct virtio_registers *registers)
{
    *registers = (struct virtio_registers){
        .transport = &transport, .device_id = 4, .line = device->line, .config = own[0]};
}

bool virtio_pci_open(struct pci_function *function, struct virtio_registers *registers)
{
    (void)function;
    (void)registers;
    CHECK(false);
    return false;
}

// The device has done the oldest request of a queue (virtio 1.2, section 2.7).
void model_complete(uint32_t queue, uint32_t bad_id)
{
    const uint16_t *available = (const void *)(uintptr_t)(pages[queue] + QUEUE_AVAILABLE_OFFSET);
    uint16_t *used = (void *)(uintptr_t)(pages[queue] + QUEUE_USED_OFFSET);
    uint32_t *element = (uint32_t *)(void *)(used + 2) + done[queue] % 8u * 2;

    element[0] = available[2 + done[queue] % 8] + bad_id;
    element[1] = 16;
    used[1] = ++done[queue];
}
