// SPDX-License-Identifier: Apache-2.0
//
// virtio_pci.h: the virtio transport over PCI (virtio 1.2, section 4.1): where its structures are.
#ifndef KERNEL_DEV_VIRTIO_PCI_H
#define KERNEL_DEV_VIRTIO_PCI_H

#include "virtio_transport.h"

#include <kernel/pci.h>

// Ids (section 4.1.2). A transitional device tells its kind by its subsystem id.
#define VIRTIO_PCI_VENDOR             0x1AF4u
#define VIRTIO_PCI_TRANSITIONAL_FIRST 0x1000u
#define VIRTIO_PCI_MODERN_FIRST       0x1040u
#define VIRTIO_PCI_LAST               0x107Fu

// A vendor-specific capability that says where a structure is (section 4.1.4).
#define VIRTIO_PCI_CAP_LENGTH     2u
#define VIRTIO_PCI_CAP_KIND       3u
#define VIRTIO_PCI_CAP_BAR        4u
#define VIRTIO_PCI_CAP_OFFSET     8u
#define VIRTIO_PCI_CAP_SIZE       12u
#define VIRTIO_PCI_CAP_END        16u
#define VIRTIO_PCI_CAP_MULTIPLIER 16u // of the notification structure alone
#define VIRTIO_PCI_CAP_NOTIFY_END 20u

#define VIRTIO_PCI_KIND_COMMON 1u
#define VIRTIO_PCI_KIND_NOTIFY 2u
#define VIRTIO_PCI_KIND_STATUS 3u
#define VIRTIO_PCI_KIND_DEVICE 4u

// The common configuration (section 4.1.4.3).
#define VIRTIO_PCI_FEATURES_SELECT        0x00u
#define VIRTIO_PCI_FEATURES               0x04u
#define VIRTIO_PCI_DRIVER_FEATURES_SELECT 0x08u
#define VIRTIO_PCI_DRIVER_FEATURES        0x0Cu
#define VIRTIO_PCI_CONFIG_VECTOR          0x10u // 16 bits
#define VIRTIO_PCI_QUEUE_COUNT            0x12u // 16 bits
#define VIRTIO_PCI_STATUS                 0x14u // 8 bits
#define VIRTIO_PCI_GENERATION             0x15u // 8 bits
#define VIRTIO_PCI_QUEUE_SELECT           0x16u // 16 bits, like all below up to the addresses
#define VIRTIO_PCI_QUEUE_SIZE             0x18u
#define VIRTIO_PCI_QUEUE_VECTOR           0x1Au
#define VIRTIO_PCI_QUEUE_ENABLE           0x1Cu
#define VIRTIO_PCI_QUEUE_NOTIFY           0x1Eu
#define VIRTIO_PCI_QUEUE_DESCRIPTORS      0x20u // 64 bits, written as two halves
#define VIRTIO_PCI_QUEUE_DRIVER           0x28u
#define VIRTIO_PCI_QUEUE_DEVICE           0x30u
#define VIRTIO_PCI_COMMON_SIZE            0x38u

// The registers of a granted function, and its interrupt, switched on. False: they lie where they
// cannot.
[[nodiscard]] bool virtio_pci_open(struct pci_function *function,
                                   struct virtio_registers *registers);

#endif
