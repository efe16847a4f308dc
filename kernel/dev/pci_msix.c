// SPDX-License-Identifier: Apache-2.0
//
// pci_msix.c: message-signalled interrupts (PCI Local Bus specification 3.0, 6.8.2): one message
// per function, entry 0 of its table. The table lies in the function's registers; only the kernel
// ever maps it.
//
//   entry  +0 address  +4 address, upper half  +8 data  +12 control: bit 0 masks
#include "pci_config.h"

#include <kernel/memory.h>

#define MSIX_CONTROL 2u
#define MSIX_TABLE   4u
#define MSIX_PENDING 8u
#define MSIX_LAST    12u // first byte behind the capability

#define MSIX_CONTROL_ENABLE   0x8000u
#define MSIX_CONTROL_MASK_ALL 0x4000u
#define MSIX_CONTROL_ENTRIES  0x07FFu // less one
#define MSIX_BAR              0x7u

#define ENTRY_SIZE       16u
#define ENTRY_ADDRESS    0u
#define ENTRY_ADDRESS_UP 4u
#define ENTRY_DATA       8u
#define ENTRY_CONTROL    12u
#define ENTRY_MASKED     1u

static uint32_t capability_of(const struct pci_function *function)
{
    uint32_t at = 0;
    uint32_t capability = pci_capability_next(function, PCI_CAPABILITY_MSIX, &at);

    return capability > PCI_CONFIG_SIZE - MSIX_LAST ? 0 : capability;
}

static void entry_write(uint64_t table, uint32_t entry, uint32_t field, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(table + entry * ENTRY_SIZE + field) = value;
}

// Where the table is, mapped. 0: not where it could be.
static uint64_t table_find(const struct pci_function *function, uint32_t capability,
                           uint32_t entries)
{
    uint32_t place = pci_read(function, capability + MSIX_TABLE, 4);
    uint64_t offset = place & ~MSIX_BAR;
    const struct pci_bar *bar;

    if ((place & MSIX_BAR) >= PCI_BARS)
        return 0;
    bar = &function->bars[place & MSIX_BAR];
    if (bar->base == 0 || !range_contains(0, bar->size, offset, (uint64_t)entries * ENTRY_SIZE) ||
        !memory_map_device(bar->base + offset, (uint64_t)entries * ENTRY_SIZE))
        return 0;
    return bar->base + offset;
}

bool pci_msix_start(struct pci_function *function, uint32_t *line)
{
    uint32_t capability = capability_of(function);
    uint32_t control = capability == 0 ? 0 : pci_read(function, capability + MSIX_CONTROL, 2);
    uint32_t entries = (control & MSIX_CONTROL_ENTRIES) + 1;
    uint64_t table = capability == 0 ? 0 : table_find(function, capability, entries);
    uint64_t address;
    uint32_t data;

    if (table == 0 || !arch_msi_allocate(line, &address, &data))
        return false;
    pci_write(function, capability + MSIX_CONTROL, 2,
              control | MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASK_ALL);
    for (uint32_t entry = 0; entry < entries; entry++)
        entry_write(table, entry, ENTRY_CONTROL, ENTRY_MASKED);
    entry_write(table, 0, ENTRY_ADDRESS, (uint32_t)address);
    entry_write(table, 0, ENTRY_ADDRESS_UP, (uint32_t)(address >> 32));
    entry_write(table, 0, ENTRY_DATA, data);
    arch_device_fence();
    pci_write(function, capability + MSIX_CONTROL, 2,
              (control & ~MSIX_CONTROL_MASK_ALL) | MSIX_CONTROL_ENABLE);
    function->message_table = table;
    return true;
}

void pci_msix_mask(const struct pci_function *function, bool is_masked)
{
    entry_write(function->message_table, 0, ENTRY_CONTROL, is_masked ? ENTRY_MASKED : 0);
    arch_device_fence();
}

bool pci_msix_is_in(const struct pci_function *function, uint32_t bar)
{
    uint32_t capability = capability_of(function);

    return capability != 0 &&
           ((pci_read(function, capability + MSIX_TABLE, 4) & MSIX_BAR) == bar ||
            (pci_read(function, capability + MSIX_PENDING, 4) & MSIX_BAR) == bar);
}
