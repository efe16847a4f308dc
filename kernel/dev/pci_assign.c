// SPDX-License-Identifier: Apache-2.0
//
// pci_assign.c: how much each function decodes, and where.
//
//   host windows    [ BAR | bridge window | BAR |      free       ]
//                          [ BAR | bridge window ]           each level inside the one above
//
// What firmware has set stays where it is valid: aligned, inside what the level above hands on,
// nobody else's. All else is given the first free place, the largest first: every size is a power
// of two and every place a multiple of it, so little is lost. A place is never smaller than a page,
// so that two functions share none.
#include "pci_config.h"

#define TAKEN_MAX     256u
#define BRIDGE_MIN    UINT64_C(0x100000)  // windows of bridges are counted in MiB
#define BUS_LIMIT_LOW (UINT64_C(1) << 32) // what 32 bits reach
#define REQUESTS_MAX  (PCI_FUNCTIONS_MAX * (PCI_BARS + 1))

// Ranges that are somebody's, on the level of a bus: behind bridge `parent`, or PCI_NONE.
static struct taken {
    uint64_t base;
    uint64_t size;
    uint16_t parent;
} taken[TAKEN_MAX];
static uint32_t taken_count;

// Something that wants a place: registers of a function, or what a bridge hands on (bar ==
// PCI_BARS).
struct request {
    uint32_t function;
    uint32_t bar;
    uint64_t size;
};

// ---- measuring ----------------------------------------------------------------------------------

// Which bits of the register can be set.
static uint32_t bits_measure(const struct pci_function *function, uint32_t offset)
{
    uint32_t old = pci_read(function, offset, 4);
    uint32_t bits;

    pci_write(function, offset, 4, UINT32_MAX);
    bits = pci_read(function, offset, 4);
    pci_write(function, offset, 4, old);
    return bits;
}

// PCI Local Bus specification 3.0, 6.2.5.1. The function is switched off. A register that
// contradicts itself makes the whole function unusable: what it would decode is not known.
void pci_bars_measure(struct pci_function *function)
{
    uint32_t count = function->is_bridge ? PCI_BRIDGE_BARS : PCI_BARS;

    function->is_usable = true;
    for (uint32_t bar = 0; bar < count; bar++) {
        uint32_t offset = PCI_BAR0 + bar * 4;
        uint32_t low = bits_measure(function, offset);
        bool is_wide = (low & PCI_BAR_TYPE) == PCI_BAR_WIDE;
        uint32_t high = UINT32_MAX;
        uint64_t bits;

        if (low == 0 || (low & PCI_BAR_PORTS) != 0)
            continue;
        if ((low & PCI_BAR_TYPE) != 0 && (!is_wide || bar + 1 == count)) {
            function->is_usable = false;
            continue;
        }
        if (is_wide)
            high = bits_measure(function, offset + 4);
        bits = (uint64_t)high << 32 | (low & ~PCI_BAR_FLAGS);
        function->bars[bar] = (struct pci_bar){
            .size = bits & -bits, // its lowest bit
            .is_wide = is_wide,
            .is_prefetchable = (low & PCI_BAR_PREFETCHABLE) != 0,
        };
        // All bits above the lowest can be set, or it is no address.
        if (bits != -(bits & -bits) || (!is_wide && bits >> 32 != UINT32_MAX)) {
            function->bars[bar] = (struct pci_bar){0};
            function->is_usable = false;
        }
        bar += is_wide ? 1 : 0;
    }
}

// ---- places -------------------------------------------------------------------------------------

static bool take(uint64_t base, uint64_t size, uint16_t parent)
{
    if (taken_count == TAKEN_MAX)
        return false;
    taken[taken_count++] = (struct taken){.base = base, .size = size, .parent = parent};
    return true;
}

void pci_begin(void)
{
    pci_function_count = 0;
    taken_count = 0;
}

void pci_take(uint64_t base, uint64_t size)
{
    uint64_t first = align_down(base, PAGE_SIZE);
    uint64_t end;

    if (checked_add(base, size, &end) && align_up(end, PAGE_SIZE, &end))
        (void)take(first, end - first, PCI_NONE); // full: nobody gets anything any more
}

static const struct taken *taken_find(uint64_t base, uint64_t size, uint16_t parent)
{
    for (uint32_t index = 0; index < taken_count; index++) {
        if (taken[index].parent == parent &&
            range_overlaps(taken[index].base, taken[index].size, base, size))
            return &taken[index];
    }
    return NULL;
}

static const struct pci_window *windows_of(const struct pci_host *host, uint16_t parent,
                                           uint32_t *count)
{
    if (parent == PCI_NONE) {
        *count = host->window_count;
        return host->windows;
    }
    *count = COUNT_OF(pci_functions[parent].below);
    return pci_functions[parent].below;
}

// The first free place of a window. False: none.
static bool window_place(const struct pci_window *window, uint64_t size, bool is_wide,
                         uint16_t parent, uint64_t *place)
{
    uint64_t bus = window->bus_address;

    for (uint32_t tries = 0; tries <= taken_count; tries++) {
        const struct taken *other;
        uint64_t end;

        if (!align_up(bus, size, &bus) || !checked_add(bus, size, &end) ||
            !range_contains(window->bus_address, window->size, bus, size) ||
            (!is_wide && end > BUS_LIMIT_LOW))
            return false;
        *place = window->address + (bus - window->bus_address);
        other = taken_find(*place, size, parent);
        if (other == NULL)
            return true;
        // Behind it; a range that reaches beyond the window ends the search above.
        end = other->base + other->size;
        if (end >= window->address + window->size)
            return false;
        bus = window->bus_address + (end - window->address);
    }
    return false;
}

static uint64_t place_size(uint64_t size)
{
    return size < PAGE_SIZE ? PAGE_SIZE : size;
}

// The window that an address on the bus lies in. Null: in none.
static const struct pci_window *window_of_bus(const struct pci_host *host, uint16_t parent,
                                              uint64_t bus, uint64_t size)
{
    uint32_t count;
    const struct pci_window *windows = windows_of(host, parent, &count);

    for (uint32_t index = 0; index < count; index++) {
        if (range_contains(windows[index].bus_address, windows[index].size, bus, size))
            return &windows[index];
    }
    return NULL;
}

// ---- what firmware has set ----------------------------------------------------------------------

static void bar_keep(struct pci_function *function, uint32_t number)
{
    struct pci_bar *bar = &function->bars[number];
    uint32_t offset = PCI_BAR0 + number * 4;
    uint64_t bus = pci_read(function, offset, 4) & ~PCI_BAR_FLAGS;
    const struct pci_window *window;
    uint64_t base;

    if (bar->is_wide)
        bus |= (uint64_t)pci_read(function, offset + 4, 4) << 32;
    window = window_of_bus(function->host, function->parent, bus, bar->size);
    if (window == NULL || bus % bar->size != 0)
        return;
    base = window->address + (bus - window->bus_address);
    if (taken_find(base, bar->size, function->parent) == NULL &&
        take(base, bar->size, function->parent))
        bar->base = base;
}

// `offset`: of one pair of 16-bit registers, first and last MiB; `up`: above their 32 bits.
static void below_keep(struct pci_function *bridge, uint32_t index, uint32_t offset,
                       uint64_t base_up, uint64_t limit_up)
{
    uint32_t pair = pci_read(bridge, offset, 4);
    uint64_t bus = base_up << 32 | (uint64_t)(pair & 0xFFF0) << 16;
    uint64_t last = limit_up << 32 | (pair & 0xFFF00000) | 0xFFFFF;
    const struct pci_window *window;
    uint64_t base;

    if (last <= bus)
        return;
    window = window_of_bus(bridge->host, bridge->parent, bus, last - bus + 1);
    if (window == NULL)
        return;
    base = window->address + (bus - window->bus_address);
    if (taken_find(base, last - bus + 1, bridge->parent) == NULL &&
        take(base, last - bus + 1, bridge->parent))
        bridge->below[index] = (struct pci_window){base, bus, last - bus + 1, index == 1};
}

static void function_keep(struct pci_function *function)
{
    for (uint32_t bar = 0; bar < PCI_BARS; bar++) {
        if (function->bars[bar].size != 0)
            bar_keep(function, bar);
    }
    if (!function->is_bridge)
        return;
    below_keep(function, 0, PCI_BRIDGE_MEMORY, 0, 0);
    below_keep(function, 1, PCI_BRIDGE_PREFETCH, pci_read(function, PCI_BRIDGE_PREFETCH_UP, 4),
               pci_read(function, PCI_BRIDGE_LIMIT_UP, 4));
}

// ---- what is left -------------------------------------------------------------------------------

static uint64_t power_up(uint64_t size)
{
    uint64_t power = BRIDGE_MIN;

    while (power < size && power < BUS_LIMIT_LOW)
        power *= 2;
    return power;
}

static uint64_t request_size(const struct pci_function *function, uint32_t bar,
                             const uint64_t needs[PCI_FUNCTIONS_MAX])
{
    uint64_t need = needs[function - pci_functions];

    if (bar < PCI_BARS) {
        const struct pci_bar *registers = &function->bars[bar];

        return registers->size == 0 || registers->base != 0 ? 0 : place_size(registers->size);
    }
    // A bridge that firmware has set up is left so.
    return need == 0 || function->below[0].size != 0 || function->below[1].size != 0
               ? 0
               : power_up(need);
}

// What is behind each bridge and has no place, together. Children stand behind their parents.
static void needs_sum(const struct pci_host *host, uint64_t needs[PCI_FUNCTIONS_MAX])
{
    for (uint32_t number = pci_function_count; number > 0; number--) {
        const struct pci_function *function = &pci_functions[number - 1];

        if (function->host != host || function->parent == PCI_NONE)
            continue;
        for (uint32_t bar = 0; bar <= PCI_BARS; bar++) {
            if (!checked_add(needs[function->parent], request_size(function, bar, needs),
                             &needs[function->parent]))
                needs[function->parent] = UINT64_MAX; // fits nowhere
        }
    }
}

static void request_write(struct pci_function *function, uint32_t bar, uint64_t place,
                          const struct pci_window *window, uint64_t size)
{
    uint64_t bus = window->bus_address + (place - window->address);
    uint32_t offset = PCI_BAR0 + bar * 4;

    if (bar == PCI_BARS) {
        function->below[0] = (struct pci_window){place, bus, size, false};
        return;
    }
    function->bars[bar].base = place;
    pci_write(function, offset, 4, (uint32_t)bus);
    if (function->bars[bar].is_wide)
        pci_write(function, offset + 4, 4, (uint32_t)(bus >> 32));
}

static void request_place(const struct pci_host *host, const struct request *request)
{
    struct pci_function *function = &pci_functions[request->function];
    bool is_wide = request->bar < PCI_BARS && function->bars[request->bar].is_wide;
    uint32_t count;
    const struct pci_window *windows = windows_of(host, function->parent, &count);

    for (uint32_t index = 0; index < count; index++) {
        bool is_fit = !windows[index].is_prefetchable ||
                      (request->bar < PCI_BARS && function->bars[request->bar].is_prefetchable);
        uint64_t place;

        if (!is_fit || windows[index].size == 0 ||
            !window_place(&windows[index], request->size, is_wide, function->parent, &place) ||
            !take(place, request->size, function->parent))
            continue;
        request_write(function, request->bar, place, &windows[index], request->size);
        return;
    }
}

// All requests of one bus, the largest first.
static void bus_place(const struct pci_host *host, uint16_t parent,
                      const uint64_t needs[PCI_FUNCTIONS_MAX])
{
    static struct request requests[REQUESTS_MAX];
    uint32_t count = 0;

    for (uint32_t number = 0; number < pci_function_count; number++) {
        const struct pci_function *function = &pci_functions[number];

        for (uint32_t bar = 0; bar <= PCI_BARS; bar++) {
            struct request request = {number, bar, request_size(function, bar, needs)};
            uint32_t at = count;

            if (function->host != host || function->parent != parent || request.size == 0)
                continue;
            for (; at > 0 && requests[at - 1].size < request.size; at--)
                requests[at] = requests[at - 1];
            requests[at] = request;
            count++;
        }
    }
    for (uint32_t index = 0; index < count; index++)
        request_place(host, &requests[index]);
}

// ---- the whole host -----------------------------------------------------------------------------

// Bridges hand on what they have got, and nothing else.
static void bridge_open(struct pci_function *bridge)
{
    const struct pci_window *below = &bridge->below[0];
    uint32_t last = (uint32_t)(below->bus_address + below->size - 1);

    pci_write(bridge, PCI_BRIDGE_PORTS, 2, 0x00F0); // first above last: none
    pci_write(bridge, PCI_BRIDGE_MEMORY, 4,
              below->size == 0
                  ? 0x0000FFF0
                  : (last & 0xFFF00000) | ((uint32_t)below->bus_address >> 16 & 0xFFF0));
    if (bridge->below[1].size == 0) {
        pci_write(bridge, PCI_BRIDGE_PREFETCH, 4, 0x0000FFF0);
        pci_write(bridge, PCI_BRIDGE_PREFETCH_UP, 4, 0);
        pci_write(bridge, PCI_BRIDGE_LIMIT_UP, 4, 0);
    }
    pci_decode(bridge, true);
}

static bool is_placed(const struct pci_function *function)
{
    for (uint32_t bar = 0; bar < PCI_BARS; bar++) {
        if (function->bars[bar].size != 0 && function->bars[bar].base == 0)
            return false;
    }
    return true;
}

void pci_assign(const struct pci_host *host)
{
    static uint64_t needs[PCI_FUNCTIONS_MAX];

    for (uint32_t number = 0; number < pci_function_count; number++) {
        needs[number] = 0;
        if (pci_functions[number].host == host)
            function_keep(&pci_functions[number]);
    }
    needs_sum(host, needs);
    bus_place(host, PCI_NONE, needs);
    for (uint32_t number = 0; number < pci_function_count; number++) {
        struct pci_function *function = &pci_functions[number];

        if (function->host != host)
            continue;
        function->is_usable = function->is_usable && is_placed(function);
        if (!function->is_bridge)
            continue;
        bridge_open(function);
        bus_place(host, (uint16_t)number, needs);
    }
}
