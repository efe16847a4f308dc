// SPDX-License-Identifier: Apache-2.0
//
// virtio_mmio.c: finding, negotiating, resetting and notifying virtio-mmio devices.
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
#include "virtio_queue.h"

enum state {
    STATE_RESET,
    STATE_READY,
    STATE_BROKEN,
};

struct virtio {
    uint64_t base;
    uint64_t config_size;
    uint64_t view;
    uint64_t accepted;
    uint32_t queue_count;
    uint32_t state; // enum state
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

#define RESET_POLLS_MAX     1000000u
#define INTERRUPT_READS_MAX 8u

uint32_t virtio_mmio_probe(uint64_t base)
{
    if (virtio_read(base, VIRTIO_MAGIC_VALUE) != VIRTIO_MAGIC ||
        virtio_read(base, VIRTIO_VERSION) != VIRTIO_VERSION_MODERN)
        return 0;
    return virtio_read(base, VIRTIO_DEVICE_ID) & 0xFFFFu;
}

// Status 0 and wait until the device says so (section 4.2.3.1). False: it never does.
static bool device_reset(const struct virtio *virtio)
{
    virtio_write(virtio->base, VIRTIO_STATUS, 0);
    for (uint32_t polls = 0; polls < RESET_POLLS_MAX; polls++) {
        if (virtio_read(virtio->base, VIRTIO_STATUS) == 0) {
            arch_device_fence();
            return true;
        }
    }
    return false;
}

static uint64_t features_offered(const struct virtio *virtio)
{
    uint64_t features;

    virtio_write(virtio->base, VIRTIO_DEVICE_FEATURES_SELECT, 0);
    features = virtio_read(virtio->base, VIRTIO_DEVICE_FEATURES);
    virtio_write(virtio->base, VIRTIO_DEVICE_FEATURES_SELECT, 1);
    features |= (uint64_t)virtio_read(virtio->base, VIRTIO_DEVICE_FEATURES) << 32;
    return features & FEATURES_KNOWN;
}

// Largest power of two that the device, the ABI and one page allow.
static uint32_t queue_size(const struct virtio *virtio, uint32_t queue)
{
    uint32_t max;
    uint32_t size = RUMPK_QUEUE_ENTRIES_MAX;

    virtio_write(virtio->base, VIRTIO_QUEUE_SELECT, queue);
    max = virtio_read(virtio->base, VIRTIO_QUEUE_NUMBER_MAX);
    while (size > max)
        size /= 2;
    return size;
}

int64_t virtio_grant(struct device *device, uint32_t queues, uint32_t *index)
{
    struct virtio *virtio;
    uint64_t pages;

    if (virtio_count == VIRTIO_DEVICES_MAX || queues > RUMPK_DEVICE_QUEUE_MAX ||
        queues > VIRTIO_QUEUES_MAX - queue_count)
        return RUMPK_E_LIMIT;
    virtio = &virtios[virtio_count];
    *virtio = (struct virtio){.base = device->base, .queue_count = queues};
    virtio->config_size = device->size > VIRTIO_CONFIG ? device->size - VIRTIO_CONFIG : 0;
    if (virtio->config_size > RUMPK_DEVICE_CONFIG_MAX)
        virtio->config_size = RUMPK_DEVICE_CONFIG_MAX;
    if (!device_reset(virtio))
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
    if (interrupt_attach_virtio(device->line, virtio_count, device->holder) != RUMPK_OK)
        return RUMPK_E_DEVICE;
    *index = virtio_count++;
    virtio_view_refresh(*index);
    return RUMPK_OK;
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
    for (uint32_t tries = 0; tries < 8; tries++) {
        uint32_t generation = virtio_read(virtio->base, VIRTIO_CONFIG_GENERATION);

        for (uint64_t offset = 0; offset < virtio->config_size; offset++)
            view->config[offset] =
                *(const volatile uint8_t *)(uintptr_t)(virtio->base + VIRTIO_CONFIG + offset);
        view->generation = generation;
        if (virtio_read(virtio->base, VIRTIO_CONFIG_GENERATION) == generation)
            return;
    }
}

void virtio_view_refresh(uint32_t index)
{
    const struct virtio *virtio = &virtios[index];
    struct rumpk_device_view *view = (struct rumpk_device_view *)(uintptr_t)virtio->view;

    view->device_id = virtio_read(virtio->base, VIRTIO_DEVICE_ID);
    view->vendor_id = virtio_read(virtio->base, VIRTIO_VENDOR_ID);
    view->status = virtio_read(virtio->base, VIRTIO_STATUS);
    view->features_offered = features_offered(virtio);
    view->features_accepted = virtio->accepted;
    view->queue_count = virtio->queue_count;
    view->config_size = (uint32_t)virtio->config_size;
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++)
        view->queue_entries[queue] = virtio->queues[queue]->entries;
    config_read(virtio, view);
}

void virtio_reset(uint32_t index)
{
    struct virtio *virtio = &virtios[index];

    virtio->state = device_reset(virtio) ? STATE_RESET : STATE_BROKEN;
    virtio->accepted = 0;
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++)
        virtio_queue_reset(virtio->queues[queue]);
}

static void queue_enable(const struct virtio *virtio, uint32_t number)
{
    const struct virtio_queue *queue = virtio->queues[number];

    virtio_write(virtio->base, VIRTIO_QUEUE_SELECT, number);
    virtio_write(virtio->base, VIRTIO_QUEUE_NUMBER, queue->entries);
    virtio_write_address(virtio->base, VIRTIO_QUEUE_DESCRIPTORS, queue->page);
    virtio_write_address(virtio->base, VIRTIO_QUEUE_DRIVER, queue->page + QUEUE_AVAILABLE_OFFSET);
    virtio_write_address(virtio->base, VIRTIO_QUEUE_DEVICE, queue->page + QUEUE_USED_OFFSET);
    arch_device_fence();
    virtio_write(virtio->base, VIRTIO_QUEUE_READY, 1);
}

// Section 3.1.1, steps 1 to 8.
int64_t virtio_negotiate(uint32_t index, uint64_t features)
{
    struct virtio *virtio = &virtios[index];
    uint32_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

    if ((features & FEATURE_VERSION_1) == 0 || (features & ~features_offered(virtio)) != 0)
        return RUMPK_E_ARGUMENT;
    virtio_reset(index);
    if (virtio->state != STATE_RESET)
        return RUMPK_E_DEVICE;
    virtio_write(virtio->base, VIRTIO_STATUS, VIRTIO_STATUS_ACKNOWLEDGE);
    virtio_write(virtio->base, VIRTIO_STATUS, status);
    virtio_write(virtio->base, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    virtio_write(virtio->base, VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    virtio_write(virtio->base, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    virtio_write(virtio->base, VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
    status |= VIRTIO_STATUS_FEATURES_OK;
    virtio_write(virtio->base, VIRTIO_STATUS, status);
    if ((virtio_read(virtio->base, VIRTIO_STATUS) & VIRTIO_STATUS_FEATURES_OK) == 0) {
        virtio_reset(index);
        return RUMPK_E_DEVICE;
    }
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++)
        queue_enable(virtio, queue);
    virtio_write(virtio->base, VIRTIO_STATUS, status | VIRTIO_STATUS_DRIVER_OK);
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

// Section 4.2.3.3. What was read is acknowledged, until nothing is left: on an edge-triggered line
// a bit that the device sets in between would hold the line up, and no edge would ever come again.
// A device that does not stop asking is held back like its line.
void virtio_interrupt(uint32_t index)
{
    const struct virtio *virtio = &virtios[index];

    for (uint32_t reads = 0; reads < INTERRUPT_READS_MAX; reads++) {
        uint32_t status = virtio_read(virtio->base, VIRTIO_INTERRUPT_STATUS);

        if (status == 0)
            break;
        virtio_write(virtio->base, VIRTIO_INTERRUPT_ACK, status);
    }
    arch_device_fence();
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
    virtio_write(virtio->base, VIRTIO_QUEUE_NOTIFY, queue);
}

int64_t virtio_collect(uint32_t index, uint32_t queue, struct rumpk_queue_completion *out,
                       uint32_t max)
{
    struct virtio *virtio = &virtios[index];
    int64_t result = state_result(virtio);
    uint32_t count;

    if (result != RUMPK_OK)
        return result;
    count = virtio_queue_take(virtio->queues[queue], out, max);
    if (count == 0 && virtio->queues[queue]->is_broken) {
        virtio_reset(index);
        virtio->state = STATE_BROKEN;
        return RUMPK_E_DEVICE;
    }
    return count;
}

bool virtio_is_ready(uint32_t index, uint32_t queue)
{
    const struct virtio *virtio = &virtios[index];

    return virtio->state != STATE_READY || virtio_queue_has_used(virtio->queues[queue]);
}

bool virtio_is_busy(uint32_t index, uint32_t queue)
{
    return virtios[index].state == STATE_READY && virtios[index].queues[queue]->outstanding != 0;
}

bool virtio_uses(uint32_t index, uint64_t base, uint64_t size)
{
    const struct virtio *virtio = &virtios[index];

    if (virtio->state != STATE_READY)
        return false;
    for (uint32_t queue = 0; queue < virtio->queue_count; queue++) {
        if (virtio_queue_uses(virtio->queues[queue], base, size))
            return true;
    }
    return false;
}
