// SPDX-License-Identifier: Apache-2.0
//
// virtio.c: the states of a virtio device, whatever its transport: granting, negotiating,
// resetting, notifying, and the view that its driver has of it.
//
//            virtio_grant          virtio_negotiate            virtio_submit / collect
//   (none) ---------------> RESET -------------------> READY <------------------------+
//                             ^  ^                       |  |                          |
//                             |  +-----------------------+  +--- protocol broken ---> BROKEN
//                             +---------------- virtio_negotiate, virtio_reset -----------+
#include <arch/arch.h>
#include <kernel/interrupt.h>
#include <kernel/memory.h>
#include <kernel/virtio.h>

#include "virtio_mmio.h"
#include "virtio_pci.h"

enum state {
    STATE_RESET,
    STATE_READY,
    STATE_BROKEN,
};

struct virtio {
    struct virtio_registers registers;
    uint64_t view;
    uint64_t accepted;
    uint32_t queue_count;
    uint32_t state;                           // enum state
    uint32_t reset_steps;                     // left for a device that is not yet reset
    bool has_broken;                          // and nobody has asked yet
    uint16_t user;                            // node, or CAP_NODE_NONE
    uint16_t users[RUMPK_DEVICE_QUEUE_MAX];   // of each queue
    bool has_dropped[RUMPK_DEVICE_QUEUE_MAX]; // requests that its user has not been told about
    struct virtio_queue *queues[RUMPK_DEVICE_QUEUE_MAX];
};

static struct virtio virtios[VIRTIO_DEVICES_MAX];
static struct virtio_queue queue_pool[VIRTIO_QUEUES_MAX];
static uint32_t virtio_count;
static uint32_t queue_count;

// What this kernel's queues can do: no indirect descriptors (bit 28), no event index (29), split
// rings only (34 clear), and none of the transport features it does not implement. Bits 0..23
// and 50.. are the device type's own.
#define FEATURE_VERSION_1    (UINT64_C(1) << 32)
#define FEATURES_DEVICE_TYPE ((UINT64_C(1) << 24) - 1)
#define FEATURES_KNOWN       (FEATURES_DEVICE_TYPE | FEATURE_VERSION_1)

// A device is waited for this many times altogether: at boot in one piece, later in steps between
// which interrupts are served. Each is a register read, so a real device has some hundred
// milliseconds; those of the emulator are reset when the write returns.
#define RESET_POLLS_MAX  1000000u
#define RESET_POLLS_STEP 400u
#define RESET_STEPS_MAX  (RESET_POLLS_MAX / RESET_POLLS_STEP)

static bool reset_poll(const struct virtio *virtio, uint32_t polls)
{
    const struct virtio_registers *registers = &virtio->registers;
    bool is_reset = false;

    for (; polls > 0 && !is_reset; polls--)
        is_reset = registers->transport->status_read(registers) == 0;
    return is_reset;
}

// Status 0 and wait until the device says so (sections 4.1.4.3.2 and 4.2.3.1); only then can it no
// longer reach memory. False: it has not said so.
static bool device_reset(const struct virtio *virtio, uint32_t polls)
{
    const struct virtio_registers *registers = &virtio->registers;
    bool is_reset;

    registers->transport->status_write(registers, 0);
    is_reset = reset_poll(virtio, polls);
    registers->transport->use(registers, false);
    arch_device_fence();
    return is_reset;
}

static uint64_t features_offered(const struct virtio *virtio)
{
    return virtio->registers.transport->features_read(&virtio->registers) & FEATURES_KNOWN;
}

// Largest power of two that the device, the ABI and one page allow.
static uint32_t queue_size(const struct virtio *virtio, uint32_t queue)
{
    uint32_t max = virtio->registers.transport->queue_limit(&virtio->registers, queue);
    uint32_t size = RUMPK_QUEUE_ENTRIES_MAX;

    while (size > max)
        size /= 2;
    return size;
}

static bool registers_open(const struct device *device, struct virtio_registers *registers)
{
    bool is_open = true;

    if (device->function != NULL)
        is_open = virtio_pci_open(device->function, registers);
    else
        virtio_mmio_open(device, registers);
    if (registers->config_size > RUMPK_DEVICE_CONFIG_MAX)
        registers->config_size = RUMPK_DEVICE_CONFIG_MAX;
    return is_open;
}

int64_t virtio_grant(struct device *device, uint32_t queues, uint32_t *index)
{
    struct virtio *virtio;
    uint64_t pages;

    if (virtio_count == VIRTIO_DEVICES_MAX || queues > RUMPK_DEVICE_QUEUE_MAX ||
        queues > VIRTIO_QUEUES_MAX - queue_count)
        return RUMPK_E_LIMIT;
    virtio = &virtios[virtio_count];
    *virtio = (struct virtio){.queue_count = queues, .user = CAP_NODE_NONE};
    for (uint32_t queue = 0; queue < queues; queue++)
        virtio->users[queue] = CAP_NODE_NONE;
    if (!registers_open(device, &virtio->registers) || !device_reset(virtio, RESET_POLLS_MAX))
        return RUMPK_E_DEVICE;
    for (uint32_t queue = 0; queue < queues; queue++) {
        if (queue_size(virtio, queue) == 0)
            return RUMPK_E_DEVICE;
    }
    if (!memory_take_high(1 + queues, &pages))
        return RUMPK_E_MEMORY;
    virtio->view = pages;
    for (uint32_t queue = 0; queue < queues; queue++) {
        virtio->queues[queue] = &queue_pool[queue_count++];
        virtio->queues[queue]->page = pages + (1 + queue) * PAGE_SIZE;
        virtio->queues[queue]->entries = queue_size(virtio, queue);
        virtio_queue_reset(virtio->queues[queue]);
    }
    if (interrupt_attach_virtio(virtio->registers.line, virtio_count, device->holder) != RUMPK_OK)
        return RUMPK_E_DEVICE;
    *index = virtio_count++;
    virtio_view_refresh(*index);
    return RUMPK_OK;
}

uint32_t virtio_queues(uint32_t index)
{
    return index < virtio_count ? virtios[index].queue_count : 0;
}

uint16_t virtio_user(uint32_t index, uint32_t queue)
{
    return queue == VIRTIO_CONTROL ? virtios[index].user : virtios[index].users[queue];
}

void virtio_user_set(uint32_t index, uint32_t queue, uint16_t node)
{
    if (queue == VIRTIO_CONTROL) {
        virtios[index].user = node;
        return;
    }
    virtios[index].users[queue] = node;
    virtios[index].has_dropped[queue] = false;
}

uint64_t virtio_view(uint32_t index)
{
    return virtios[index].view;
}

uint32_t virtio_queue_entries(uint32_t index, uint32_t queue)
{
    return virtios[index].queues[queue]->entries;
}

// A configuration field may be torn while the device changes it: read until the generation stands
// still (section 4.2.2.1), a bounded number of times.
static void config_read(const struct virtio *virtio, struct rumpk_device_view *view)
{
    const struct virtio_registers *registers = &virtio->registers;

    for (uint32_t tries = 0; tries < 8; tries++) {
        uint32_t generation = registers->transport->generation_read(registers);

        for (uint64_t offset = 0; offset < registers->config_size; offset++)
            view->config[offset] =
                *(const volatile uint8_t *)(uintptr_t)(registers->config + offset);
        view->generation = generation;
        if (registers->transport->generation_read(registers) == generation)
            return;
    }
}

void virtio_view_refresh(uint32_t index)
{
    const struct virtio *virtio = &virtios[index];
    struct rumpk_device_view *view = (struct rumpk_device_view *)(uintptr_t)virtio->view;

    view->device_id = virtio->registers.device_id;
    view->vendor_id = virtio->registers.vendor_id;
    view->status = virtio->registers.transport->status_read(&virtio->registers);
    view->features_offered = features_offered(virtio);
    view->features_accepted = virtio->accepted;
    view->queue_count = virtio->queue_count;
    view->config_size = (uint32_t)virtio->registers.config_size;
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++)
        view->queue_entries[queue] = virtio->queues[queue]->entries;
    config_read(virtio, view);
}

void virtio_reset(uint32_t index)
{
    struct virtio *virtio = &virtios[index];
    bool is_reset = device_reset(virtio, RESET_POLLS_STEP);

    virtio->state = is_reset ? STATE_RESET : STATE_BROKEN;
    virtio->reset_steps = is_reset ? 0 : RESET_STEPS_MAX;
    virtio->accepted = 0;
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++) {
        virtio->has_dropped[queue] |= virtio->queues[queue]->outstanding != 0;
        virtio_queue_reset(virtio->queues[queue]);
    }
}

bool virtio_reset_step(uint32_t index)
{
    struct virtio *virtio = &virtios[index];

    if (virtio->reset_steps == 0)
        return true;
    virtio->reset_steps = reset_poll(virtio, RESET_POLLS_STEP) ? 0 : virtio->reset_steps - 1;
    arch_device_fence();
    return virtio->reset_steps == 0;
}

void virtio_dropped_forget(uint32_t index, uint32_t queue)
{
    virtios[index].has_dropped[queue] = false;
}

static bool queues_enable(struct virtio *virtio)
{
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++) {
        if (!virtio->registers.transport->queue_enable(&virtio->registers, queue,
                                                       virtio->queues[queue]))
            return false;
    }
    return true;
}

// Section 3.1.1, steps 1 to 8.
int64_t virtio_negotiate(uint32_t index, uint64_t features)
{
    struct virtio *virtio = &virtios[index];
    const struct virtio_registers *registers = &virtio->registers;
    const struct virtio_transport *transport = registers->transport;
    uint32_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

    if ((features & FEATURE_VERSION_1) == 0 || (features & ~features_offered(virtio)) != 0)
        return RUMPK_E_ARGUMENT;
    virtio_reset(index);
    if (virtio->state != STATE_RESET)
        return RUMPK_E_DEVICE;
    transport->status_write(registers, VIRTIO_STATUS_ACKNOWLEDGE);
    transport->status_write(registers, status);
    transport->features_write(registers, features);
    status |= VIRTIO_STATUS_FEATURES_OK;
    transport->status_write(registers, status);
    transport->use(registers, true); // a device may look at its queues when it is told of them
    if ((transport->status_read(registers) & VIRTIO_STATUS_FEATURES_OK) == 0 ||
        !queues_enable(virtio)) {
        virtio_reset(index);
        return RUMPK_E_DEVICE;
    }
    transport->status_write(registers, status | VIRTIO_STATUS_DRIVER_OK);
    virtio->accepted = features;
    virtio->state = STATE_READY;
    return RUMPK_OK;
}

static int64_t state_result(const struct virtio *virtio)
{
    switch (virtio->state) {
    case STATE_READY:
        return RUMPK_OK;
    case STATE_BROKEN:
        return RUMPK_E_DEVICE;
    default:
        return RUMPK_E_STATE;
    }
}

bool virtio_interrupt(uint32_t index)
{
    const struct virtio_registers *registers = &virtios[index].registers;
    bool has_asked = registers->transport->interrupt_take(registers);

    arch_device_fence();
    return has_asked;
}

void virtio_interrupt_hold(uint32_t index, bool is_held)
{
    const struct virtio_registers *registers = &virtios[index].registers;

    registers->transport->interrupt_hold(registers, is_held);
}

int64_t virtio_can_submit(uint32_t index, uint32_t queue, uint32_t count)
{
    const struct virtio *virtio = &virtios[index];
    int64_t result = state_result(virtio);

    if (result == RUMPK_OK && virtio->queues[queue]->free_count < count)
        result = RUMPK_E_FULL;
    return result;
}

void virtio_submit(uint32_t index, uint32_t queue, const struct virtio_part *parts, uint32_t count)
{
    const struct virtio *virtio = &virtios[index];

    memory_use_kernel_root();
    virtio_queue_publish(virtio->queues[queue], parts, count);
    arch_device_fence();
    virtio->registers.transport->notify(&virtio->registers, queue);
}

int64_t virtio_collect(uint32_t index, uint32_t queue, struct rumpk_queue_completion *out,
                       uint32_t max)
{
    struct virtio *virtio = &virtios[index];
    int64_t result = state_result(virtio);
    uint32_t count;

    if (result == RUMPK_OK && virtio->has_dropped[queue])
        result = RUMPK_E_STATE;
    virtio->has_dropped[queue] = false;
    if (result != RUMPK_OK)
        return result;
    count = virtio_queue_take(virtio->queues[queue], out, max);
    if (count == 0 && virtio->queues[queue]->is_broken) {
        virtio_reset(index);
        virtio->state = STATE_BROKEN;
        virtio->has_broken = true;
        return RUMPK_E_DEVICE;
    }
    return count;
}

bool virtio_has_broken(uint32_t index)
{
    bool has_broken = virtios[index].has_broken;

    virtios[index].has_broken = false;
    return has_broken;
}

bool virtio_is_ready(uint32_t index, uint32_t queue)
{
    const struct virtio *virtio = &virtios[index];

    return virtio->state != STATE_READY || virtio->has_dropped[queue] ||
           virtio_queue_has_used(virtio->queues[queue]);
}

bool virtio_is_busy(uint32_t index, uint32_t queue)
{
    return virtios[index].state == STATE_READY && virtios[index].queues[queue]->outstanding != 0;
}

bool virtio_uses(uint32_t index, uint32_t queue, uint64_t base, uint64_t size)
{
    return virtio_is_busy(index, queue) &&
           virtio_queue_uses(virtios[index].queues[queue], base, size);
}
