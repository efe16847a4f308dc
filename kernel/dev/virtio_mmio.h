// SPDX-License-Identifier: Apache-2.0
//
// virtio_mmio.h: registers of a virtio-mmio transport (virtio 1.2, section 4.2.2).
#ifndef KERNEL_DEV_VIRTIO_MMIO_H
#define KERNEL_DEV_VIRTIO_MMIO_H

#include "virtio_transport.h"

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

// The registers of a granted device, which virtio_mmio_probe has found.
void virtio_mmio_open(const struct device *device, struct virtio_registers *registers);

#endif
