// SPDX-License-Identifier: Apache-2.0
//
// virtio_mmio.c: a virtio device whose registers lie in memory at an address that the tree names.
#include "virtio_mmio.h"

#include <arch/arch.h>

#define INTERRUPT_READS_MAX 8u

static uint32_t mmio_read(uint64_t base, uint32_t offset)
{
    return *(const volatile uint32_t *)(uintptr_t)(base + offset);
}

static void mmio_write(uint64_t base, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(base + offset) = value;
}

static void address_write(uint64_t base, uint32_t offset, uint64_t address)
{
    mmio_write(base, offset, (uint32_t)address);
    mmio_write(base, offset + 4, (uint32_t)(address >> 32));
}

uint32_t virtio_mmio_probe(uint64_t base)
{
    if (mmio_read(base, VIRTIO_MAGIC_VALUE) != VIRTIO_MAGIC ||
        mmio_read(base, VIRTIO_VERSION) != VIRTIO_VERSION_MODERN)
        return 0;
    return mmio_read(base, VIRTIO_DEVICE_ID) & 0xFFFFu;
}

static uint32_t status_read(const struct virtio_registers *registers)
{
    return mmio_read(registers->common, VIRTIO_STATUS);
}

static void status_write(const struct virtio_registers *registers, uint32_t status)
{
    mmio_write(registers->common, VIRTIO_STATUS, status);
}

static uint64_t features_read(const struct virtio_registers *registers)
{
    uint64_t features;

    mmio_write(registers->common, VIRTIO_DEVICE_FEATURES_SELECT, 0);
    features = mmio_read(registers->common, VIRTIO_DEVICE_FEATURES);
    mmio_write(registers->common, VIRTIO_DEVICE_FEATURES_SELECT, 1);
    return features | (uint64_t)mmio_read(registers->common, VIRTIO_DEVICE_FEATURES) << 32;
}

static void features_write(const struct virtio_registers *registers, uint64_t features)
{
    mmio_write(registers->common, VIRTIO_DRIVER_FEATURES_SELECT, 0);
    mmio_write(registers->common, VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    mmio_write(registers->common, VIRTIO_DRIVER_FEATURES_SELECT, 1);
    mmio_write(registers->common, VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t generation_read(const struct virtio_registers *registers)
{
    return mmio_read(registers->common, VIRTIO_CONFIG_GENERATION);
}

static uint32_t queue_limit(const struct virtio_registers *registers, uint32_t queue)
{
    mmio_write(registers->common, VIRTIO_QUEUE_SELECT, queue);
    return mmio_read(registers->common, VIRTIO_QUEUE_NUMBER_MAX);
}

static bool queue_enable(struct virtio_registers *registers, uint32_t number,
                         const struct virtio_queue *queue)
{
    uint64_t base = registers->common;

    mmio_write(base, VIRTIO_QUEUE_SELECT, number);
    mmio_write(base, VIRTIO_QUEUE_NUMBER, queue->entries);
    address_write(base, VIRTIO_QUEUE_DESCRIPTORS, queue->page);
    address_write(base, VIRTIO_QUEUE_DRIVER, queue->page + QUEUE_AVAILABLE_OFFSET);
    address_write(base, VIRTIO_QUEUE_DEVICE, queue->page + QUEUE_USED_OFFSET);
    arch_device_fence();
    mmio_write(base, VIRTIO_QUEUE_READY, 1);
    return true;
}

static void notify(const struct virtio_registers *registers, uint32_t queue)
{
    mmio_write(registers->common, VIRTIO_QUEUE_NOTIFY, queue);
}

// Section 4.2.3.3. What was read is acknowledged, until nothing is left: on an edge-triggered line
// a bit that the device sets in between would hold the line up, and no edge would ever come again.
// A device that does not stop asking is held back like its line.
static bool interrupt_take(const struct virtio_registers *registers)
{
    bool has_asked = false;

    for (uint32_t reads = 0; reads < INTERRUPT_READS_MAX; reads++) {
        uint32_t status = mmio_read(registers->common, VIRTIO_INTERRUPT_STATUS);

        if (status == 0)
            break;
        has_asked = true;
        mmio_write(registers->common, VIRTIO_INTERRUPT_ACK, status);
    }
    return has_asked;
}

// The transport has no switch for either: status 0 keeps the device from memory, the controller
// holds its line.
static void ignore(const struct virtio_registers *registers, bool flag)
{
    (void)registers;
    (void)flag;
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
    .use = ignore,
    .interrupt_hold = ignore,
};

void virtio_mmio_open(const struct device *device, struct virtio_registers *registers)
{
    *registers = (struct virtio_registers){
        .transport = &transport,
        .common = device->base,
        .config = device->base + VIRTIO_CONFIG,
        .config_size = device->size > VIRTIO_CONFIG ? device->size - VIRTIO_CONFIG : 0,
        .device_id = mmio_read(device->base, VIRTIO_DEVICE_ID),
        .vendor_id = mmio_read(device->base, VIRTIO_VENDOR_ID),
        .line = device->line,
    };
}
