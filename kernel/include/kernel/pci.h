// SPDX-License-Identifier: Apache-2.0
//
// pci.h: PCI Express hosts with memory-mapped configuration space (ECAM; PCI Express base
// specification 3.0, 7.2.2), and what the kernel makes of the functions behind them.
//
// A host comes from the device tree ("pci-host-ecam-generic") or from the arch code, which knows
// it from the firmware's tables (arch_pci_host). Both fill the same struct; nothing in it has been
// believed before pci_host_validate has seen it.
//
//   find hosts -> number buses, list functions -> measure registers -> give addresses
//                                                  (what firmware gave stays where it fits)
//
// No driver ever reaches configuration space, an MSI-X table or a queue address: PCI functions are
// found, given addresses, switched on and interrupted by kernel code alone. A function that nobody
// uses decodes nothing, reaches no memory and raises no interrupt.
#ifndef KERNEL_PCI_H
#define KERNEL_PCI_H

#include <arch/arch.h>
#include <kernel/base.h>

#define PCI_HOSTS_MAX     2u
#define PCI_FUNCTIONS_MAX 32u // more are ignored
#define PCI_DEPTH_MAX     8u  // bridges on the way to a function
#define PCI_WINDOWS_MAX   4u  // of a host; more are ignored
#define PCI_SLOTS         32u // devices on a bus
#define PCI_PINS          4u  // INTA to INTD
#define PCI_BARS          6u
#define PCI_BUS_SIZE      UINT64_C(0x100000) // configuration space of one bus

#define PCI_NONE 0xFFFFu // no function

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

// The registers behind one base address register. Size 0: none there.
struct pci_bar {
    uint64_t base; // as the processor sees it; 0: no address yet
    uint64_t size; // a power of two
    bool is_wide;  // 64-bit: takes this base address register and the next
    bool is_prefetchable;
};

struct pci_function {
    struct pci_host *host;
    uint16_t id;     // bus << 8 | slot << 3 | function
    uint16_t parent; // the bridge it is behind, in pci_functions; PCI_NONE: on the first bus
    uint16_t vendor_id;
    uint16_t device_id;
    uint32_t class_code; // class << 16 | subclass << 8 | programming interface
    bool is_bridge;
    bool is_usable;         // every register that it would decode has an address
    bool is_master;         // reaches memory now
    uint8_t users;          // functions behind this bridge that do
    uint32_t line;          // of its pin, or ARCH_LINE_NONE
    uint64_t message_table; // MSI-X, once started
    struct pci_bar bars[PCI_BARS];
    // Bridge: firmware's numbers of the buses behind it, 0: none; and what it hands on (ordinary,
    // prefetchable).
    uint8_t bus_below;
    uint8_t bus_last;
    struct pci_window below[2];
};

extern struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
extern uint32_t pci_function_count;

// Finds the hosts of the tree and of the arch code, and does all of the picture above. What is
// somebody else's has been told to pci_take. On the kernel root.
void pci_init(const void *fdt);

// Cuts a host to what can be used: aligned configuration space and windows below
// ARCH_ADDRESS_LIMIT that are neither RAM nor each other. False: nothing is left.
[[nodiscard]] bool pci_host_validate(struct pci_host *host);
// Lists the functions of a validated host and gives addresses.
void pci_host_scan(struct pci_host *host);
// Finds the line of each function's pin.
void pci_lines_find(const void *fdt);
// No function is known, no address is taken. Before everything else.
void pci_begin(void);
// [base, base + size) is somebody's: no function gets it. Before pci_host_scan.
void pci_take(uint64_t base, uint64_t size);

// The hosts that the tree names: fills the index-th. False: there is none, or it is not understood.
bool pci_tree_host(const void *fdt, uint32_t index, struct pci_host *host);
// The line of a pin (1..4) of a slot of the first bus, by the tree's interrupt-map.
uint32_t pci_tree_line(const void *fdt, int32_t node, uint32_t slot, uint32_t pin);

// Configuration offset of the first capability `id` at or after the list's place `*at` (0: its
// start), moved behind it; 0: none. Bounded however the list is tied.
uint32_t pci_capability_next(const struct pci_function *function, uint32_t id, uint32_t *at);

// Registers decoded or not; memory and message interrupts reached or not; pin interrupts or not.
void pci_decode(struct pci_function *function, bool is_on);
void pci_master(struct pci_function *function, bool is_on);
void pci_pin(struct pci_function *function, bool is_on);

// Entry 0 of the function's MSI-X table becomes a line of its own, masked; all other entries stay
// masked. False: no MSI-X, or this machine has no lines for it: the pin remains.
[[nodiscard]] bool pci_msix_start(struct pci_function *function, uint32_t *line);
void pci_msix_mask(const struct pci_function *function, bool is_masked);
// Does the BAR hold an MSI-X table or its pending bits?
bool pci_msix_is_in(const struct pci_function *function, uint32_t bar);

// Is it the function that a manifest means (rumpk/bkdl.h): vendor and device when `vendor_id` is
// not 0, and as much of the class as RUMPK_PCI_CLASS says?
bool pci_is(const struct pci_function *function, uint32_t vendor_id, uint32_t device_id,
            uint32_t class_code);

#endif
