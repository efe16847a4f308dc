// SPDX-License-Identifier: Apache-2.0
//
// pci_model.c: see pci_model.h. Configuration cycles are routed as hardware does: to the first bus,
// or through the bridge whose numbers, as they stand in its registers, hold the bus.
#include "pci_model.h"

#include "pci_config.h"

#include <kernel/memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct model_function model_functions[MODEL_FUNCTIONS_MAX];
uint32_t model_count;
struct pci_host model_host;
uint64_t model_accesses;
const uint8_t *model_lies;
uint32_t model_lies_size;
uint32_t model_messages_left;

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

// ---- configuration space ------------------------------------------------------------------------

void model_put(struct model_function *function, uint32_t offset, uint32_t size, uint64_t value)
{
    for (uint32_t index = 0; index < size; index++)
        function->config[offset + index] = (uint8_t)(value >> index * 8);
}

uint64_t model_get(const struct model_function *function, uint32_t offset, uint32_t size)
{
    uint64_t value = 0;

    for (uint32_t index = size; index > 0; index--)
        value = value << 8 | function->config[offset + index - 1];
    return value;
}

// The bridge that a bus is behind, MODEL_ROOT for the first bus, or -2: nobody.
static int bridge_of(uint32_t bus)
{
    uint32_t at = model_host.bus_first;
    int parent = MODEL_ROOT;

    for (uint32_t step = 0; step <= MODEL_FUNCTIONS_MAX; step++) {
        int next = -2;

        if (at == bus)
            return parent;
        for (uint32_t index = 0; index < model_count; index++) {
            const struct model_function *bridge = &model_functions[index];

            if (bridge->parent == parent && (bridge->config[PCI_HEADER_TYPE] & 0x7F) == 1 &&
                bridge->config[PCI_BUSES + 1] <= bus && bus <= bridge->config[PCI_BUSES + 2] &&
                bridge->config[PCI_BUSES + 1] != 0)
                next = (int)index;
        }
        if (next < 0)
            return -2;
        parent = next;
        at = model_functions[next].config[PCI_BUSES + 1];
    }
    return -2;
}

static struct model_function *function_of(uint32_t id)
{
    int parent = bridge_of(id >> 8);

    for (uint32_t index = 0; index < model_count && parent != -2; index++) {
        struct model_function *function = &model_functions[index];

        if (function->parent == parent && function->slot == (id >> 3 & 31) &&
            function->number == (id & 7))
            return function;
    }
    return NULL;
}

static uint32_t ones(uint32_t size)
{
    return size == 4 ? UINT32_MAX : (UINT32_C(1) << size * 8) - 1;
}

uint32_t pci_config_read(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size)
{
    const struct model_function *function = function_of(id);
    uint32_t value;

    CHECK(host == &model_host && offset % size == 0 && offset + size <= PCI_CONFIG_SIZE);
    CHECK(id >> 8 >= host->bus_first && id >> 8 <= host->bus_last);
    model_accesses++;
    if (function == NULL)
        return ones(size);
    value = (uint32_t)model_get(function, offset, size);
    if (function->is_liar && model_lies_size != 0)
        value ^= model_lies[model_accesses % model_lies_size] * 0x01010101u & ones(size);
    return value;
}

void pci_config_write(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size,
                      uint32_t value)
{
    struct model_function *function = function_of(id);

    CHECK(host == &model_host && offset % size == 0 && offset + size <= PCI_CONFIG_SIZE);
    model_accesses++;
    for (uint32_t index = 0; index < size && function != NULL; index++) {
        uint8_t mask = function->writable[offset + index];
        uint8_t *byte = &function->config[offset + index];

        *byte = (uint8_t)((*byte & ~mask) | (value >> index * 8 & mask));
    }
}

// ---- what else pci*.c asks for ------------------------------------------------------------------

_Noreturn void kernel_assert_failed(void)
{
    abort();
}

void arch_device_fence(void) {}

bool arch_pci_host(struct pci_host *host)
{
    (void)host;
    return false;
}

bool arch_msi_allocate(uint32_t *line, uint64_t *address, uint32_t *data)
{
    if (model_messages_left == 0)
        return false;
    *line = 100 + model_messages_left--;
    *address = UINT64_C(0xFEE00000);
    *data = *line + 1000;
    return true;
}

bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line)
{
    (void)controller;
    if (count == 0 || cells[count - 1] >= ARCH_LINES_MAX)
        return false;
    *line = cells[count - 1];
    return true;
}

bool memory_is_ram(uint64_t base, uint64_t size)
{
    return range_overlaps(MODEL_RAM, MODEL_RAM_SIZE, base, size);
}

// Only configuration space, and registers that have an address, are ever mapped.
bool memory_map_device(uint64_t base, uint64_t size)
{
    bool is_known = range_contains(model_host.config, model_host.config_size, base, size);

    for (uint32_t index = 0; index < pci_function_count && !is_known; index++) {
        for (uint32_t bar = 0; bar < PCI_BARS && !is_known; bar++) {
            const struct pci_bar *registers = &pci_functions[index].bars[bar];

            is_known = registers->base != 0 &&
                       range_contains(registers->base, registers->size, base, size);
        }
    }
    CHECK(is_known);
    return true;
}

// ---- making functions ---------------------------------------------------------------------------

void model_map_window(void)
{
    void *window = mmap((void *)(uintptr_t)MODEL_WINDOW, MODEL_WINDOW_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

    CHECK(window == (void *)(uintptr_t)MODEL_WINDOW);
}

void model_begin(void)
{
    model_count = 0;
    model_accesses = 0;
    model_lies_size = 0;
    model_messages_left = 0;
    model_host = (struct pci_host){
        .config = MODEL_ECAM,
        .config_size = 256 * PCI_BUS_SIZE,
        .bus_last = 255,
        .windows = {{MODEL_WINDOW, MODEL_WINDOW, MODEL_WINDOW_SIZE, false}},
        .window_count = 1,
        .node = -1,
    };
    for (uint32_t slot = 0; slot < PCI_SLOTS; slot++) {
        for (uint32_t pin = 0; pin < PCI_PINS; pin++)
            model_host.lines[slot][pin] = 32 + (slot + pin) % 4;
    }
    pci_begin();
}

int model_index(const struct model_function *function)
{
    return (int)(function - model_functions);
}

struct model_function *model_add(int parent, uint32_t slot, uint32_t vendor, uint32_t device)
{
    struct model_function *function = &model_functions[model_count++];

    CHECK(model_count <= MODEL_FUNCTIONS_MAX);
    *function = (struct model_function){.parent = parent, .slot = (uint8_t)slot};
    model_put(function, PCI_VENDOR_ID, 2, vendor);
    model_put(function, PCI_DEVICE_ID, 2, device);
    model_put(function, PCI_CLASS + 1, 3, 0x00FF00);
    memset(&function->writable[PCI_COMMAND], 0xFF, 2);
    model_put(function, PCI_ROM, 4, 0xFFFE0001);
    memset(&function->writable[PCI_ROM], 0xFF, 4);
    return function;
}

struct model_function *model_bridge_add(int parent, uint32_t slot)
{
    struct model_function *bridge = model_add(parent, slot, 0x1B36, 0x000C);

    model_put(bridge, PCI_CLASS + 1, 3, 0x060400);
    bridge->config[PCI_HEADER_TYPE] = PCI_HEADER_BRIDGE;
    memset(&bridge->config[PCI_BUSES], 0, 0x40 - PCI_BUSES);
    memset(&bridge->writable[PCI_BUSES], 0xFF, 0x34 - PCI_BUSES);
    memset(&bridge->writable[PCI_BRIDGE_ROM], 0xFF, 4);
    return bridge;
}

void model_bar(struct model_function *function, uint32_t bar, uint64_t size, uint32_t flags)
{
    uint32_t offset = PCI_BAR0 + bar * 4;
    uint64_t mask = -size & ~UINT64_C(0xF);
    uint32_t width = (flags & PCI_BAR_TYPE) == PCI_BAR_WIDE ? 8 : 4;

    function->config[offset] = (uint8_t)flags;
    for (uint32_t index = 0; index < width; index++)
        function->writable[offset + index] = (uint8_t)(mask >> index * 8);
}

void model_capability(struct model_function *function, uint32_t at, uint32_t id, uint32_t next)
{
    function->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    if (function->config[PCI_CAPABILITIES] == 0)
        function->config[PCI_CAPABILITIES] = (uint8_t)at;
    function->config[at] = (uint8_t)id;
    function->config[at + 1] = (uint8_t)next;
}

void model_virtio(struct model_function *function, uint32_t at, uint32_t next, uint32_t kind,
                  uint32_t bar, uint32_t offset, uint32_t size)
{
    model_capability(function, at, PCI_CAPABILITY_VENDOR, next);
    function->config[at + 2] = 20;
    function->config[at + 3] = (uint8_t)kind;
    function->config[at + 4] = (uint8_t)bar;
    model_put(function, at + 8, 4, offset);
    model_put(function, at + 12, 4, size);
    model_put(function, at + 16, 4, 4);
}

// ---- judging ------------------------------------------------------------------------------------

void model_scan(void)
{
    CHECK(pci_host_validate(&model_host));
    pci_host_scan(&model_host);
    model_check();
}

struct pci_function *model_found(const struct model_function *function)
{
    for (uint32_t index = 0; index < pci_function_count; index++) {
        if (function_of(pci_functions[index].id) == function)
            return &pci_functions[index];
    }
    return NULL;
}

static bool is_inside(const struct pci_window *windows, uint32_t count, uint64_t base,
                      uint64_t size)
{
    for (uint32_t index = 0; index < count; index++) {
        if (range_contains(windows[index].address, windows[index].size, base, size))
            return true;
    }
    return false;
}

static bool is_placed_well(const struct pci_function *function, uint64_t base, uint64_t size)
{
    if (function->parent == PCI_NONE)
        return is_inside(model_host.windows, model_host.window_count, base, size);
    return is_inside(pci_functions[function->parent].below, 2, base, size);
}

// Everything on the level of a bus, as ranges: no two overlap.
static void levels_check(void)
{
    static struct {
        uint64_t base;
        uint64_t size;
        uint16_t parent;
    } ranges[PCI_FUNCTIONS_MAX * (PCI_BARS + 2)];
    uint32_t count = 0;

    for (uint32_t index = 0; index < pci_function_count; index++) {
        const struct pci_function *function = &pci_functions[index];

        CHECK(function->parent == PCI_NONE || function->parent < index);
        for (uint32_t part = 0; part < PCI_BARS + 2; part++) {
            uint64_t base = part < PCI_BARS ? function->bars[part].base
                                            : function->below[part - PCI_BARS].address;
            uint64_t size =
                part < PCI_BARS ? function->bars[part].size : function->below[part - PCI_BARS].size;

            if (base == 0 || size == 0)
                continue;
            CHECK(is_placed_well(function, base, size));
            CHECK(part >= PCI_BARS || base % (size < 4096 ? size : 4096) == 0);
            for (uint32_t other = 0; other < count; other++)
                CHECK(ranges[other].parent != function->parent ||
                      !range_overlaps(ranges[other].base, ranges[other].size, base, size));
            ranges[count].base = base;
            ranges[count].size = size;
            ranges[count++].parent = function->parent;
        }
    }
}

void model_check(void)
{
    levels_check();
    for (uint32_t index = 0; index < pci_function_count; index++) {
        const struct pci_function *function = &pci_functions[index];

        for (uint32_t bar = 0; bar < PCI_BARS && function->is_usable; bar++)
            CHECK(function->bars[bar].size == 0 || function->bars[bar].base != 0);
    }
}
