// SPDX-License-Identifier: Apache-2.0
//
// virtio_mmio.h: registers of a virtio-mmio transport (virtio 1.2, section 4.2.2) and the device
// status (section 2.1).
#ifndef KERNEL_DEV_VIRTIO_MMIO_H
#define KERNEL_DEV_VIRTIO_MMIO_H

#include <stdint.h>

#define VIRTIO_MAGIC_VALUE            0x000u
#define VIRTIO_VERSION                0x004u
#define VIRTIO_DEVICE_ID              0x008u
#define VIRTIO_VENDOR_ID              0x00Cu
#define VIRTIO_DEVICE_FEATURES        0x010u
#define VIRTIO_DEVICE_FEATURES_SELECT 0x014u
#define VIRTIO_DRIVER_FEATURES        0x020u
#define VIRTIO_DRIVER_FEATURES_SELECT 0x024u
#define VIRTIO_QUEUE_SELECT           0x030u
#define VIRTIO_QUEUE_NUMBER_MAX       0x034u
#define VIRTIO_QUEUE_NUMBER           0x038u
#define VIRTIO_QUEUE_READY            0x044u
#define VIRTIO_QUEUE_NOTIFY           0x050u
#define VIRTIO_INTERRUPT_STATUS       0x060u
#define VIRTIO_INTERRUPT_ACK          0x064u
#define VIRTIO_STATUS                 0x070u
#define VIRTIO_QUEUE_DESCRIPTORS      0x080u
#define VIRTIO_QUEUE_DRIVER           0x090u
#define VIRTIO_QUEUE_DEVICE           0x0A0u
#define VIRTIO_CONFIG_GENERATION      0x0FCu
#define VIRTIO_CONFIG                 0x100u

#define VIRTIO_MAGIC          0x74726976u // "virt"
#define VIRTIO_VERSION_MODERN 2u

#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u

static inline uint32_t virtio_read(uint64_t base, uint32_t offset)
{
    return *(const volatile uint32_t *)(uintptr_t)(base + offset);
}

static inline void virtio_write(uint64_t base, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(base + offset) = value;
}

static inline void virtio_write_address(uint64_t base, uint32_t offset, uint64_t address)
{
    virtio_write(base, offset, (uint32_t)address);
    virtio_write(base, offset + 4, (uint32_t)(address >> 32));
}

#endif
