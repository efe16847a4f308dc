// SPDX-License-Identifier: Apache-2.0
//
// pci_tree.c: PCI hosts as the device tree tells of them (PCI bus binding to IEEE 1275, 2.1;
// devicetree specification 0.4, 2.4.3 for interrupt-map).
//
//   ranges         [space, bus address: 3 cells][address of the processor][size: 2 cells]
//   interrupt-map  [slot and function: 3 cells][pin][controller][its address cells][its specifier]
//
// Every length is taken from the cell counts that the tree names, and bounded.
#include <kernel/pci.h>
#include <kernel/tree.h>

#define CHILD_CELLS 3u // of an address behind the host
#define SIZE_CELLS  2u
#define CELLS_MAX   512u

#define SPACE_KIND         0x03000000u
#define SPACE_MEMORY       0x02000000u
#define SPACE_WIDE         0x03000000u
#define SPACE_PREFETCHABLE 0x40000000u

static uint32_t cells[CELLS_MAX];

static uint64_t number_of(const uint32_t *at, uint32_t count)
{
    return count == 1 ? at[0] : (uint64_t)at[0] << 32 | at[1];
}

static uint32_t cell_count(const void *fdt, int32_t node, const char *property, uint32_t otherwise)
{
    uint32_t value;

    return tree_cells(fdt, node, property, &value, 1) == 1 ? value : otherwise;
}

static uint32_t cells_read(const void *fdt, int32_t node, const char *property)
{
    uint32_t count = tree_cells(fdt, node, property, cells, CELLS_MAX);

    return count > CELLS_MAX ? CELLS_MAX : count;
}

static void windows_read(const void *fdt, struct pci_host *host)
{
    int32_t parent = tree_parent(fdt, host->node);
    uint32_t address_cells = parent < 0 ? 0 : cell_count(fdt, parent, "#address-cells", 2);
    uint32_t entry = CHILD_CELLS + address_cells + SIZE_CELLS;
    uint32_t count = cells_read(fdt, host->node, "ranges");

    if (address_cells < 1 || address_cells > 2)
        return;
    for (uint32_t at = 0; at + entry <= count && host->window_count < PCI_WINDOWS_MAX;
         at += entry) {
        uint32_t space = cells[at] & SPACE_KIND;

        if (space != SPACE_MEMORY && space != SPACE_WIDE)
            continue;
        host->windows[host->window_count++] = (struct pci_window){
            .address = number_of(&cells[at + CHILD_CELLS], address_cells),
            .bus_address = number_of(&cells[at + 1], 2),
            .size = number_of(&cells[at + CHILD_CELLS + address_cells], SIZE_CELLS),
            .is_prefetchable = (cells[at] & SPACE_PREFETCHABLE) != 0,
        };
    }
}

bool pci_tree_host(const void *fdt, uint32_t index, struct pci_host *host)
{
    struct tree_device found[PCI_HOSTS_MAX];
    uint32_t count = tree_find_all(fdt, "pci-host-ecam-generic", found, PCI_HOSTS_MAX);
    uint32_t buses[2];

    if (index >= count || index >= PCI_HOSTS_MAX ||
        cell_count(fdt, found[index].node, "#address-cells", 0) != CHILD_CELLS ||
        cell_count(fdt, found[index].node, "#size-cells", 0) != SIZE_CELLS)
        return false;
    *host = (struct pci_host){
        .config = found[index].base,
        .config_size = found[index].size,
        .bus_last = 255,
        .node = found[index].node,
    };
    if (tree_cells(fdt, host->node, "bus-range", buses, 2) == 2) {
        host->bus_first = buses[0];
        host->bus_last = buses[1];
    }
    windows_read(fdt, host);
    return true;
}

uint32_t pci_tree_line(const void *fdt, int32_t node, uint32_t slot, uint32_t pin)
{
    uint32_t mask[CHILD_CELLS + 1];
    uint32_t wanted[CHILD_CELLS + 1] = {slot << 11, 0, 0, pin};
    uint32_t known = 0; // the last controller that was looked up: nearly always the same
    int32_t controller = -1;
    uint32_t address_cells = 0;
    uint32_t specifier_cells = 0;
    uint32_t count = cells_read(fdt, node, "interrupt-map");

    if (tree_cells(fdt, node, "interrupt-map-mask", mask, COUNT_OF(mask)) != COUNT_OF(mask))
        return ARCH_LINE_NONE;
    for (uint32_t at = 0; at + COUNT_OF(wanted) < count;) {
        const uint32_t *entry = &cells[at];
        uint32_t line;
        bool is_same = true;

        at += COUNT_OF(wanted) + 1;
        if (controller < 0 || cells[at - 1] != known) {
            known = cells[at - 1];
            controller = tree_referenced(fdt, known);
            if (controller < 0)
                return ARCH_LINE_NONE;
            address_cells = cell_count(fdt, controller, "#address-cells", 0);
            specifier_cells = cell_count(fdt, controller, "#interrupt-cells", 0);
        }
        if (address_cells > 2 || specifier_cells == 0 || specifier_cells > TREE_SPECIFIER_MAX ||
            count - at < address_cells + specifier_cells)
            return ARCH_LINE_NONE;
        at += address_cells;
        for (uint32_t cell = 0; cell < COUNT_OF(wanted); cell++)
            is_same = is_same && (wanted[cell] & mask[cell]) == (entry[cell] & mask[cell]);
        if (is_same)
            return arch_interrupt_decode(controller, &cells[at], specifier_cells, &line)
                       ? line
                       : ARCH_LINE_NONE;
        at += specifier_cells;
    }
    return ARCH_LINE_NONE;
}
