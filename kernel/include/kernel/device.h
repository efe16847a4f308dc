// SPDX-License-Identifier: Apache-2.0
//
// device.h: what devices the machine has, and who holds which.
//
// The table lists every register range that the device tree, the arch code or a PCI function names,
// sorted by address, including those that no package ever asks for: only so can a window be refused
// because something else lies in its pages.
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include <arch/arch.h>
#include <kernel/base.h>

struct pci_function;

#define DEVICES_MAX 192u
#define DEVICE_FREE 0xFFFFFFFFu

// The largest registers of a PCI function that a driver can be given.
#define DEVICE_WINDOW_MAX UINT64_C(0x1000000)

struct device {
    uint64_t base; // first register, or first port
    uint64_t size;
    bool is_ports;
    uint8_t shift;                 // registers are 1 << shift bytes apart
    uint8_t bar;                   // PCI: which of the function's
    bool is_window;                // PCI: can be given to a driver
    bool has_messages;             // PCI: a message table lies there, which is the kernel's alone
    uint16_t virtio_id;            // virtio transport with a device behind it; else 0
    int32_t node;                  // in the tree; -1: fixed device, or PCI
    const char *compatible;        // fixed device
    uint32_t holder;               // package number, or DEVICE_FREE
    uint32_t line;                 // its first interrupt, or ARCH_LINE_NONE
    uint32_t virtio;               // index of its virtio state once granted
    struct pci_function *function; // PCI: whose registers these are; else null
};

extern struct device devices[DEVICES_MAX];

// The first register, or port, of the machine's console; 0: none is named. Nothing is written to
// it.
uint64_t device_console(const void *fdt);

void device_init(const void *fdt);

// How a request or a grant names a device: fields as in rumpk/bkdl.h.
struct device_name {
    uint32_t bus; // RUMPK_BUS_*
    uint32_t device_id;
    uint32_t vendor_id;
    uint32_t class_code;
    uint32_t bar;
    const char *compatible;
};

// The index-th device of a name, in the order of addresses. Null: there is none.
struct device *device_find(const struct device_name *name, uint32_t index);

// Does nobody hold it, nor another package other registers of the same PCI function?
bool device_is_free(const struct device *device, uint32_t package);

// What has switches (PCI): its registers are given to a driver; its line too, which is that
// driver's alone; neither any more, because its package was refused.
void device_switch_on(const struct device *device);
void device_pin_on(const struct device *device);
void device_switch_off(const struct device *device);

// Does any other device, RAM or kernel-owned register lie in the pages of this window?
bool device_shares_page(const struct device *device);

#endif
