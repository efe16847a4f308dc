// SPDX-License-Identifier: Apache-2.0
//
// pci.h: PCI Express hosts with memory-mapped configuration space (ECAM; PCI Express base
// specification 3.0, 7.2.2), and what the kernel makes of the functions behind them.
//
// A host comes from the device tree ("pci-host-ecam-generic") or from the arch code, which knows
// it from the firmware's tables (arch_pci_host). Both fill the same struct; nothing in it has been
// believed before pci_host_validate has seen it.
//
// No driver ever reaches configuration space, an MSI-X table or a queue address: PCI functions are
// found, given addresses, switched on and interrupted by kernel code alone.
#ifndef KERNEL_PCI_H
#define KERNEL_PCI_H

#include <arch/arch.h>
#include <kernel/base.h>

#define PCI_WINDOWS_MAX 4u                 // of a host; more are ignored
#define PCI_SLOTS       32u                // devices on a bus
#define PCI_PINS        4u                 // INTA to INTD
#define PCI_BUS_SIZE    UINT64_C(0x100000) // configuration space of one bus

// Addresses that functions behind a host can be given. [address, address + size) as the processor
// sees it appears as [bus_address, ...) to functions.
struct pci_window {
    uint64_t address;
    uint64_t bus_address;
    uint64_t size;
    bool is_prefetchable;
};

struct pci_host {
    uint64_t config; // configuration space of `bus_first`
    uint64_t config_size;
    uint32_t bus_first;
    uint32_t bus_last;
    struct pci_window windows[PCI_WINDOWS_MAX]; // memory only: ports are never used
    uint32_t window_count;
    int32_t node; // in the tree, whose interrupt-map routes the pins; -1: `lines` does
    // The line of each pin of each slot of the first bus, or ARCH_LINE_NONE. arch_interrupt_unmask
    // takes it as it stands: its trigger (level, low) is known to the arch code.
    uint32_t lines[PCI_SLOTS][PCI_PINS];
};

#endif
