// SPDX-License-Identifier: Apache-2.0
//
// pci.c: finds the functions behind each host, numbering the buses where no firmware did, and
// switches them on and off.
//
// Whatever stands in configuration space comes from a device: a bus number is believed only if it
// lies where this scan is, lists are followed a bounded number of steps, and a function that does
// not fit the table is switched off and forgotten.
#include "pci_config.h"

#include <kernel/memory.h>

#define BUS_NONE        0xFFFFu // vendor id of nobody
#define PCI_CLASS_BYTES 3u
#define PCI_CLASS_MASK  0xFFFFFFu

struct pci_function pci_functions[PCI_FUNCTIONS_MAX];
uint32_t pci_function_count;

// ---- capabilities -------------------------------------------------------------------------------

uint32_t pci_capability_next(const struct pci_function *function, uint32_t id, uint32_t *at)
{
    uint32_t offset = *at;

    if (offset == 0) {
        if ((pci_read(function, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) == 0)
            return 0;
        offset = pci_read(function, PCI_CAPABILITIES, 1) & ~3u;
    }
    // Each step is four bytes at least: a list longer than this goes in a circle.
    for (uint32_t step = 0; step < (PCI_CONFIG_SIZE - PCI_CAPABILITY_FIRST) / 4; step++) {
        uint32_t found = offset;
        uint32_t header;

        if (offset < PCI_CAPABILITY_FIRST || offset > PCI_CONFIG_SIZE - 4)
            return 0;
        header = pci_read(function, offset, 4);
        offset = header >> 8 & 0xFC;
        if ((header & 0xFF) == id) {
            *at = offset == 0 ? PCI_CONFIG_SIZE : offset; // never 0 again: that is the start
            return found;
        }
    }
    return 0;
}

// ---- scan ---------------------------------------------------------------------------------------

struct scan {
    struct pci_host *host;
    uint32_t bus_highest; // given out or found so far
};

static void bus_scan(struct scan *scan, uint32_t bus, uint32_t limit, uint16_t parent,
                     uint32_t depth);

// A root port or a downstream port has one device below it; others may answer for the rest too.
static bool has_one_slot(uint16_t parent)
{
    uint32_t at = 0;
    uint32_t capability;
    uint32_t kind;

    if (parent == PCI_NONE)
        return false;
    capability = pci_capability_next(&pci_functions[parent], PCI_CAPABILITY_EXPRESS, &at);
    if (capability == 0 || capability > PCI_CONFIG_SIZE - 4)
        return false;
    kind = pci_read(&pci_functions[parent], capability + PCI_EXPRESS_FLAGS, 2) & PCI_EXPRESS_KIND;
    return kind == PCI_EXPRESS_ROOT_PORT || kind == PCI_EXPRESS_DOWN_PORT;
}

static void buses_write(const struct pci_function *bridge, uint32_t bus, uint32_t below,
                        uint32_t last)
{
    uint32_t timer = pci_read(bridge, PCI_BUSES, 4) & 0xFF000000;

    pci_write(bridge, PCI_BUSES, 4, timer | last << 16 | below << 8 | bus);
}

// Firmware's numbers stay where they follow those of the bridges before it on this bus (`*seen`);
// all others are taken away before any bus below is looked at, so that no two bridges answer.
static void bridge_keep(struct pci_function *bridge, uint32_t limit, uint32_t *seen)
{
    uint32_t buses = pci_read(bridge, PCI_BUSES, 4);
    uint32_t below = buses >> 8 & 0xFF;
    uint32_t last = buses >> 16 & 0xFF;

    if ((buses & 0xFF) == (uint32_t)bridge->id >> 8 && below > *seen && last >= below &&
        last <= limit) {
        bridge->bus_below = (uint8_t)below;
        bridge->bus_last = (uint8_t)last;
        *seen = last;
    } else {
        buses_write(bridge, 0, 0, 0);
    }
}

// The buses below one bridge. What has no numbers gets the next ones.
static void bridge_scan(struct scan *scan, uint16_t number, uint32_t limit, uint32_t depth)
{
    const struct pci_function *bridge = &pci_functions[number];
    uint32_t below = bridge->bus_below;
    uint32_t bus = bridge->id >> 8;

    if (depth == PCI_DEPTH_MAX || (below == 0 && scan->bus_highest >= limit)) {
        buses_write(bridge, 0, 0, 0); // reaches nothing
        return;
    }
    if (below != 0) {
        scan->bus_highest = below;
        bus_scan(scan, below, bridge->bus_last, number, depth + 1);
        scan->bus_highest = bridge->bus_last;
        return;
    }
    below = ++scan->bus_highest;
    buses_write(bridge, bus, below, limit); // all that may turn out to be behind it
    bus_scan(scan, below, limit, number, depth + 1);
    buses_write(bridge, bus, below, scan->bus_highest);
}

// Off: decodes nothing, reaches nothing, asks for nothing. A bridge still hands on configuration.
static void function_quiet(const struct pci_function *function)
{
    uint32_t command = pci_read(function, PCI_COMMAND, 2);

    command &= ~(PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_write(function, PCI_COMMAND, 2, command | PCI_COMMAND_PIN_OFF);
    pci_write(function, function->is_bridge ? PCI_BRIDGE_ROM : PCI_ROM, 4, 0);
}

// False: none that the kernel has to do with.
static bool function_add(const struct scan *scan, uint32_t id, uint16_t parent, uint32_t kind)
{
    static struct pci_function forgotten;
    bool is_full = pci_function_count == PCI_FUNCTIONS_MAX;
    struct pci_function *function = is_full ? &forgotten : &pci_functions[pci_function_count];
    uint32_t ids = pci_config_read(scan->host, id, PCI_VENDOR_ID, 4);

    *function = (struct pci_function){
        .host = scan->host,
        .id = (uint16_t)id,
        .parent = parent,
        .vendor_id = (uint16_t)ids,
        .device_id = (uint16_t)(ids >> 16),
        .class_code = pci_config_read(scan->host, id, PCI_CLASS, 4) >> 8,
        .is_bridge = kind == PCI_HEADER_BRIDGE,
        .line = ARCH_LINE_NONE,
    };
    if (kind > PCI_HEADER_BRIDGE ||
        (!function->is_bridge && function->class_code >> 16 == PCI_CLASS_BRIDGES))
        return false;
    function_quiet(function);
    if (is_full && function->is_bridge)
        buses_write(function, 0, 0, 0);
    if (is_full)
        return false;
    pci_bars_measure(function);
    pci_function_count++;
    return true;
}

static bool is_present(const struct pci_host *host, uint32_t id)
{
    uint32_t vendor = pci_config_read(host, id, PCI_VENDOR_ID, 2);

    return vendor != BUS_NONE && vendor != 0;
}

static void slot_scan(const struct scan *scan, uint32_t id, uint32_t limit, uint16_t parent,
                      uint32_t *seen)
{
    uint32_t header = pci_config_read(scan->host, id, PCI_HEADER_TYPE, 1);
    uint32_t functions = (header & PCI_HEADER_MULTIPLE) != 0 ? 8 : 1;

    for (uint32_t number = 0; number < functions; number++) {
        struct pci_function *added = &pci_functions[pci_function_count];
        uint32_t kind;

        if (!is_present(scan->host, id + number))
            continue;
        kind = pci_config_read(scan->host, id + number, PCI_HEADER_TYPE, 1) & PCI_HEADER_KIND;
        if (function_add(scan, id + number, parent, kind) && added->is_bridge)
            bridge_keep(added, limit, seen);
    }
}

// The functions of a bus, then what is behind its bridges: first behind those that have numbers, so
// that all others get higher ones. At most PCI_DEPTH_MAX deep, and each bus once: its number is
// above all that came before.
static void bus_scan(struct scan *scan, uint32_t bus, uint32_t limit, uint16_t parent,
                     uint32_t depth)
{
    uint32_t slots = has_one_slot(parent) ? 1 : PCI_SLOTS;
    uint32_t seen = scan->bus_highest;
    uint32_t first = pci_function_count;
    uint32_t end;

    if (!memory_map_device(scan->host->config + (bus - scan->host->bus_first) * PCI_BUS_SIZE,
                           PCI_BUS_SIZE))
        return;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (is_present(scan->host, bus << 8 | slot << 3))
            slot_scan(scan, bus << 8 | slot << 3, limit, parent, &seen);
    }
    end = pci_function_count;
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t number = first; number < end; number++) {
            const struct pci_function *function = &pci_functions[number];

            if (function->is_bridge && (function->bus_below == 0) == (pass == 1))
                bridge_scan(scan, (uint16_t)number, limit, depth);
        }
    }
}

// ---- lines --------------------------------------------------------------------------------------

// Behind bridges the pins of a slot are those of the bridge, turned by the slot's number
// (PCI-to-PCI bridge architecture specification 1.2, 9.1).
static uint32_t line_find(const void *fdt, const struct pci_function *function)
{
    const struct pci_host *host = function->host;
    uint32_t pin = pci_read(function, PCI_PIN, 1);

    if (pin == 0 || pin > PCI_PINS)
        return ARCH_LINE_NONE;
    while (function->parent != PCI_NONE) { // ends: a parent stands before its children
        pin = (pin - 1 + (function->id >> 3 & 31)) % PCI_PINS + 1;
        function = &pci_functions[function->parent];
    }
    if (host->node >= 0)
        return pci_tree_line(fdt, host->node, function->id >> 3 & 31, pin);
    return host->lines[function->id >> 3 & 31][pin - 1];
}

void pci_lines_find(const void *fdt)
{
    for (uint32_t number = 0; number < pci_function_count; number++)
        pci_functions[number].line = line_find(fdt, &pci_functions[number]);
}

// ---- hosts --------------------------------------------------------------------------------------

// Cuts to whole pages inside what the tables map. False: nothing is left.
static bool window_validate(struct pci_window *window)
{
    uint64_t skipped = -window->address & PAGE_MASK;
    uint64_t end;

    if (window->size <= skipped || !checked_add(window->address, window->size, &end))
        return false;
    if (end > ARCH_ADDRESS_LIMIT)
        end = ARCH_ADDRESS_LIMIT;
    end = align_down(end, PAGE_SIZE);
    window->address += skipped;
    window->bus_address += skipped;
    if (window->address == 0 || window->address >= end || (window->bus_address & PAGE_MASK) != 0 ||
        !checked_add(window->bus_address, end - window->address, &(uint64_t){0}))
        return false;
    window->size = end - window->address;
    return !memory_is_ram(window->address, window->size);
}

bool pci_host_validate(struct pci_host *host)
{
    uint64_t buses = host->config_size / PCI_BUS_SIZE;
    uint32_t kept = 0;

    if (host->bus_first > host->bus_last || host->bus_last > 255 || buses == 0 ||
        host->config % PCI_BUS_SIZE != 0)
        return false;
    if (host->bus_last - host->bus_first >= buses)
        host->bus_last = host->bus_first + (uint32_t)buses - 1;
    host->config_size = (host->bus_last - host->bus_first + 1) * PCI_BUS_SIZE;
    if (!range_contains(0, ARCH_ADDRESS_LIMIT, host->config, host->config_size) ||
        memory_is_ram(host->config, host->config_size))
        return false;
    for (uint32_t index = 0; index < host->window_count && index < PCI_WINDOWS_MAX; index++) {
        struct pci_window window = host->windows[index];
        bool is_free = window_validate(&window) && !range_overlaps(window.address, window.size,
                                                                   host->config, host->config_size);

        for (uint32_t other = 0; other < kept && is_free; other++)
            is_free = !range_overlaps(window.address, window.size, host->windows[other].address,
                                      host->windows[other].size);
        if (is_free)
            host->windows[kept++] = window;
    }
    host->window_count = kept;
    return true;
}

void pci_host_scan(struct pci_host *host)
{
    struct scan scan = {.host = host, .bus_highest = host->bus_first};

    bus_scan(&scan, host->bus_first, host->bus_last, PCI_NONE, 0);
    pci_assign(host);
}

void pci_init(const void *fdt)
{
    static struct pci_host hosts[PCI_HOSTS_MAX];
    uint32_t count = 0;

    for (uint32_t index = 0; index < PCI_HOSTS_MAX; index++) {
        if (pci_tree_host(fdt, index, &hosts[count]) && pci_host_validate(&hosts[count]))
            pci_host_scan(&hosts[count++]);
    }
    if (count == 0) {
        hosts[0] = (struct pci_host){.node = -1};
        if (arch_pci_host(&hosts[0]) && pci_host_validate(&hosts[0])) {
            pci_take(hosts[0].config, hosts[0].config_size);
            pci_host_scan(&hosts[0]);
        }
    }
    pci_lines_find(fdt);
}

// ---- switches -----------------------------------------------------------------------------------

static void command_set(const struct pci_function *function, uint32_t bit, bool is_on)
{
    uint32_t command = pci_read(function, PCI_COMMAND, 2);

    pci_write(function, PCI_COMMAND, 2, is_on ? command | bit : command & ~bit);
}

void pci_decode(struct pci_function *function, bool is_on)
{
    command_set(function, PCI_COMMAND_MEMORY, is_on && function->is_usable);
}

// Whatever a function writes or reads passes the bridges above it, if they are masters themselves.
void pci_master(struct pci_function *function, bool is_on)
{
    if (function->is_master == is_on)
        return;
    function->is_master = is_on;
    command_set(function, PCI_COMMAND_MASTER, is_on);
    for (uint16_t parent = function->parent; parent != PCI_NONE;
         parent = pci_functions[parent].parent) {
        struct pci_function *bridge = &pci_functions[parent];

        bridge->users = (uint8_t)(is_on ? bridge->users + 1 : bridge->users - 1);
        command_set(bridge, PCI_COMMAND_MASTER, bridge->users != 0);
    }
}

void pci_pin(struct pci_function *function, bool is_on)
{
    command_set(function, PCI_COMMAND_PIN_OFF, !is_on);
}

// ---- names --------------------------------------------------------------------------------------

bool pci_is(const struct pci_function *function, uint32_t vendor_id, uint32_t device_id,
            uint32_t class_code)
{
    uint32_t unused = 8 * (PCI_CLASS_BYTES - RUMPK_PCI_CLASS_COUNT(class_code));

    if (vendor_id != 0 && (function->vendor_id != vendor_id || function->device_id != device_id))
        return false;
    return RUMPK_PCI_CLASS_COUNT(class_code) == 0 ||
           function->class_code >> unused == (class_code & PCI_CLASS_MASK) >> unused;
}
