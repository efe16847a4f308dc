// SPDX-License-Identifier: Apache-2.0
//
// pci_config.h: configuration space: its registers (PCI Local Bus specification 3.0, chapter 6;
// PCI-to-PCI bridge architecture specification 1.2, chapter 3) and access to them. The kernel
// alone has it mapped.
#ifndef KERNEL_DEV_PCI_CONFIG_H
#define KERNEL_DEV_PCI_CONFIG_H

#include <kernel/pci.h>

#define PCI_VENDOR_ID    0x00u
#define PCI_DEVICE_ID    0x02u
#define PCI_COMMAND      0x04u
#define PCI_STATUS       0x06u
#define PCI_CLASS        0x08u // with the revision below it
#define PCI_HEADER_TYPE  0x0Eu
#define PCI_BAR0         0x10u
#define PCI_SUBVENDOR_ID 0x2Cu
#define PCI_SUBSYSTEM_ID 0x2Eu
#define PCI_ROM          0x30u
#define PCI_CAPABILITIES 0x34u
#define PCI_PIN          0x3Du
#define PCI_CONFIG_SIZE  0x100u // without the extended part, which is not used

#define PCI_COMMAND_PORTS   0x001u
#define PCI_COMMAND_MEMORY  0x002u
#define PCI_COMMAND_MASTER  0x004u
#define PCI_COMMAND_PIN_OFF 0x400u

#define PCI_STATUS_CAPABILITIES 0x10u

#define PCI_HEADER_MULTIPLE 0x80u
#define PCI_HEADER_KIND     0x7Fu // 0: a device, 1: a bridge
#define PCI_HEADER_BRIDGE   1u

#define PCI_BAR_PORTS        0x1u
#define PCI_BAR_TYPE         0x6u
#define PCI_BAR_WIDE         0x4u
#define PCI_BAR_PREFETCHABLE 0x8u
#define PCI_BAR_FLAGS        0xFu

// Bridges.
#define PCI_BRIDGE_BARS        2u
#define PCI_BUSES              0x18u // primary, secondary, subordinate: a byte each
#define PCI_BRIDGE_PORTS       0x1Cu
#define PCI_BRIDGE_MEMORY      0x20u // first and last MiB, 16 bits each
#define PCI_BRIDGE_PREFETCH    0x24u
#define PCI_BRIDGE_PREFETCH_UP 0x28u // upper halves of first and last
#define PCI_BRIDGE_LIMIT_UP    0x2Cu
#define PCI_BRIDGE_ROM         0x38u

#define PCI_CAPABILITY_FIRST   0x40u
#define PCI_CAPABILITY_VENDOR  0x09u
#define PCI_CAPABILITY_EXPRESS 0x10u
#define PCI_CAPABILITY_MSIX    0x11u

#define PCI_EXPRESS_FLAGS     2u
#define PCI_EXPRESS_KIND      0xF0u
#define PCI_EXPRESS_ROOT_PORT 0x40u
#define PCI_EXPRESS_DOWN_PORT 0x60u

#define PCI_CLASS_BRIDGES 0x06u // hosts, buses: firmware's, left as they are

// A register of the function with this id; its offset is a multiple of its size.
uint32_t pci_config_read(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size);
void pci_config_write(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size,
                      uint32_t value);

static inline uint32_t pci_read(const struct pci_function *function, uint32_t offset, uint32_t size)
{
    return pci_config_read(function->host, function->id, offset, size);
}

static inline void pci_write(const struct pci_function *function, uint32_t offset, uint32_t size,
                             uint32_t value)
{
    pci_config_write(function->host, function->id, offset, size, value);
}

// pci_assign.c: measures the registers of a function; gives addresses on a whole host.
void pci_bars_measure(struct pci_function *function);
void pci_assign(const struct pci_host *host);

#endif
