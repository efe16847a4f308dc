// SPDX-License-Identifier: Apache-2.0
//
// virtio_transport.h: what differs between a virtio device in memory (virtio_mmio.c) and one
// behind PCI (virtio_pci.c): where its registers are. virtio.c knows the protocol, queues and
// states, and asks for everything else here.
#ifndef KERNEL_DEV_VIRTIO_TRANSPORT_H
#define KERNEL_DEV_VIRTIO_TRANSPORT_H

#include "virtio_queue.h"

// Device status (virtio 1.2, section 2.1).
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u

struct virtio_transport;
struct pci_function;

// One device's registers, mapped for the kernel.
struct virtio_registers {
    const struct virtio_transport *transport;
    uint64_t common;      // MMIO: its registers; PCI: the common configuration
    uint64_t config;      // device-specific configuration
    uint64_t config_size; // 0: none
    uint32_t device_id;
    uint32_t vendor_id;
    uint32_t line; // its interrupt, or ARCH_LINE_NONE
    // PCI only.
    struct pci_function *function;
    uint64_t interrupt_status;
    uint64_t notify;
    uint32_t notify_size;
    uint32_t notify_multiplier;
    bool has_message; // the line is its own: MSI-X
    uint64_t notify_queue[RUMPK_DEVICE_QUEUE_MAX];
};

struct virtio_transport {
    uint32_t (*status_read)(const struct virtio_registers *registers);
    void (*status_write)(const struct virtio_registers *registers, uint32_t status);
    uint64_t (*features_read)(const struct virtio_registers *registers);
    void (*features_write)(const struct virtio_registers *registers, uint64_t features);
    uint32_t (*generation_read)(const struct virtio_registers *registers);
    // Entries that the queue can have. 0: there is no such queue.
    uint32_t (*queue_limit)(const struct virtio_registers *registers, uint32_t queue);
    // Tells the device where the queue is. False: the device does not play along.
    bool (*queue_enable)(struct virtio_registers *registers, uint32_t number,
                         const struct virtio_queue *queue);
    void (*notify)(const struct virtio_registers *registers, uint32_t queue);
    // Takes the interrupt back. Had the device asked for one?
    bool (*interrupt_take)(const struct virtio_registers *registers);
    // May the device reach memory, and its line?
    void (*use)(const struct virtio_registers *registers, bool is_used);
    // Holds the device's interrupts back, where the controller cannot do it for a line of its own.
    void (*interrupt_hold)(const struct virtio_registers *registers, bool is_held);
};

#endif
