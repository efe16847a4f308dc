// SPDX-License-Identifier: Apache-2.0
//
// Goal: capabilities, virtio structures, message tables, what a host's tree says and how pins are
// routed: used where they can be right, refused where they cannot. Method: as pci_test.c.
#include "pci_config.h"
#include "pci_model.h"

#include <kernel/virtio.h>
#include <libfdt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDE PCI_BAR_WIDE
#define MIB  UINT64_C(0x100000)

static int begin(void **state)
{
    (void)state;
    model_begin();
    return 0;
}

static uint32_t command_of(const struct model_function *function)
{
    return (uint32_t)model_get(function, PCI_COMMAND, 2);
}

// ---- capabilities -------------------------------------------------------------------------------

static void test_capabilities(void **state)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1234, 1);
    const struct pci_function *found;
    uint32_t at = 0;

    (void)state;
    model_capability(function, 0x40, 0x05, 0x80);
    model_capability(function, 0x80, 0x09, 0xFC);
    model_capability(function, 0xFC, 0x09, 0);
    model_scan();
    found = model_found(function);
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0x80);
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0xFC);
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0);
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0);
    at = 0;
    assert_int_equal(pci_capability_next(found, 0x11, &at), 0);
    function->config[PCI_STATUS] = 0;
    at = 0;
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0);
}

static void test_capability_loops(void **state)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1234, 1);
    const struct pci_function *found;
    uint32_t at = 0;

    (void)state;
    model_capability(function, 0x40, 0x05, 0x60);
    model_capability(function, 0x60, 0x09, 0x40);
    model_scan();
    found = model_found(function);
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0x60);
    at = 0;
    assert_int_equal(pci_capability_next(found, 0x11, &at), 0);
    // Into the header, and to itself.
    function->config[PCI_CAPABILITIES] = 0x10;
    at = 0;
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0);
    function->config[PCI_CAPABILITIES] = 0x43; // its low bits mean nothing
    function->config[0x41] = 0x40;
    at = 0;
    assert_int_equal(pci_capability_next(found, 0x09, &at), 0);
    assert_true(model_accesses < 1000);
}

// ---- virtio and messages ------------------------------------------------------------------------

static struct model_function *virtio_add(uint32_t device)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1AF4, device);

    model_bar(function, 4, 0x4000, WIDE);
    model_virtio(function, 0x40, 0x54, 1, 4, 0, 0x38);
    model_virtio(function, 0x54, 0x68, 3, 4, 0x1000, 1);
    model_virtio(function, 0x68, 0x7C, 4, 4, 0x2000, 0x100);
    model_virtio(function, 0x7C, 0, 2, 4, 0x3000, 0x1000);
    return function;
}

static void test_virtio_kind(void **state)
{
    struct model_function *function = virtio_add(0x1042);

    (void)state;
    model_scan();
    assert_int_equal(virtio_pci_probe(model_found(function)), 2);
    model_begin();
    function = virtio_add(0x1001); // transitional
    model_put(function, PCI_SUBSYSTEM_ID, 2, 2);
    model_scan();
    assert_int_equal(virtio_pci_probe(model_found(function)), 2);
    model_begin();
    function = virtio_add(0x0FFF);
    model_scan();
    assert_int_equal(virtio_pci_probe(model_found(function)), 0);
    model_begin();
    function = virtio_add(0x1080);
    model_scan();
    assert_int_equal(virtio_pci_probe(model_found(function)), 0);
}

static void test_virtio_structures(void **state)
{
    static const struct {
        uint32_t at;
        uint32_t size;
        uint32_t value;
    } wrong[] = {
        {0x40 + 4, 1, 6},          // no such register range
        {0x40 + 4, 1, 0},          // one that the function does not have
        {0x40 + 8, 4, 0x3FD0},     // begins inside, ends outside
        {0x40 + 8, 4, 0xFFFFFFF0}, // wraps in 32 bits
        {0x40 + 8, 4, 2},          // not aligned
        {0x40 + 12, 4, 0x37},      // too short
        {0x40 + 2, 1, 15},         // the capability itself is too short
        {0x7C + 2, 1, 16},         // without its multiplier
        {0x54 + 3, 1, 5},          // no interrupt status
    };

    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(wrong); index++) {
        struct model_function *function;

        model_begin();
        function = virtio_add(0x1042);
        model_put(function, wrong[index].at, wrong[index].size, wrong[index].value);
        model_scan();
        assert_int_equal(virtio_pci_probe(model_found(function)), 0);
    }
}

static struct model_function *message_add(uint32_t table, uint32_t entries)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1AF4, 0x1042);

    model_bar(function, 1, 0x1000, 0);
    model_capability(function, 0x40, PCI_CAPABILITY_MSIX, 0);
    model_put(function, 0x42, 2, entries - 1);
    memset(&function->writable[0x42], 0xC0, 2);
    model_put(function, 0x44, 4, table);
    model_put(function, 0x48, 4, 0x801);
    return function;
}

static void test_messages(void **state)
{
    struct model_function *function = message_add(0x101, 3);
    const volatile uint32_t *table;
    uint32_t line = 0;

    (void)state;
    model_scan();
    assert_false(pci_msix_start(model_found(function), &line)); // none left
    assert_int_equal(model_get(function, 0x42, 2) & 0x8000, 0);
    model_messages_left = 1;
    assert_true(pci_msix_start(model_found(function), &line));
    assert_int_equal(line, 101);
    assert_int_equal(model_get(function, 0x42, 2) & 0xC000, 0x8000);
    table = (const volatile uint32_t *)(uintptr_t)(model_found(function)->bars[1].base + 0x100);
    assert_int_equal(table[0], 0xFEE00000);
    assert_int_equal(table[1], 0);
    assert_int_equal(table[2], 1101);
    assert_int_equal(table[3], 1);
    assert_int_equal(table[7] & table[11], 1);
    pci_msix_mask(model_found(function), false);
    assert_int_equal(table[3], 0);
    pci_msix_mask(model_found(function), true);
    assert_int_equal(table[3], 1);
    assert_true(pci_msix_is_in(model_found(function), 1));
    assert_false(pci_msix_is_in(model_found(function), 0));
}

static void test_messages_refused(void **state)
{
    static const struct {
        uint32_t table;
        uint32_t entries;
    } wrong[] = {{0x107, 1}, {0x100, 1}, {0x1001, 1}, {0xFF9, 1}, {0xF01, 17}, {1, 2048}};

    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(wrong); index++) {
        struct model_function *function;
        uint32_t line;

        model_begin();
        model_messages_left = 1;
        function = message_add(wrong[index].table, wrong[index].entries);
        model_scan();
        assert_false(pci_msix_start(model_found(function), &line));
        assert_int_equal(model_messages_left, 1);
    }
}

// ---- hosts, names, pins -------------------------------------------------------------------------

static void test_host_refused(void **state)
{
    static const struct {
        uint64_t config;
        uint64_t size;
        uint32_t first;
        uint32_t last;
    } wrong[] = {
        {MODEL_ECAM, MIB - 1, 0, 255},             // not one bus
        {MODEL_ECAM + 0x1000, MIB, 0, 0},          // not aligned
        {MODEL_ECAM, MIB, 1, 0},                   // no bus
        {MODEL_ECAM, 300 * MIB, 0, 256},           // too many
        {MODEL_RAM, MIB, 0, 0},                    // RAM
        {ARCH_ADDRESS_LIMIT, MIB, 0, 0},           // beyond what can be mapped
        {UINT64_C(0xFFFFFFFFFFF00000), MIB, 0, 0}, // wraps
    };

    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(wrong); index++) {
        model_begin();
        model_host.config = wrong[index].config;
        model_host.config_size = wrong[index].size;
        model_host.bus_first = wrong[index].first;
        model_host.bus_last = wrong[index].last;
        assert_false(pci_host_validate(&model_host));
    }
}

static void test_host_cut(void **state)
{
    (void)state;
    model_host.config_size = 3 * MIB + 1;
    model_host.bus_first = 8;
    model_host.windows[0] = (struct pci_window){MODEL_RAM - 0x1000, MODEL_RAM - 0x1000, 0x2000, 0};
    model_host.windows[1] = (struct pci_window){0x40000010, 0x10, 0x3000, false};
    model_host.windows[2] = (struct pci_window){0x40001000, 0x10000, 0x1000, false}; // in the last
    model_host.windows[3] =
        (struct pci_window){ARCH_ADDRESS_LIMIT - 0x1000, UINT64_MAX - 0x1FFF, 0x9000, true};
    model_host.window_count = 4;
    assert_true(pci_host_validate(&model_host));
    assert_int_equal(model_host.bus_last, 10);
    assert_int_equal(model_host.config_size, 3 * MIB);
    assert_int_equal(model_host.window_count, 2);
    assert_int_equal(model_host.windows[0].address, 0x40001000);
    assert_int_equal(model_host.windows[0].bus_address, 0x1000);
    assert_int_equal(model_host.windows[0].size, 0x2000);
    assert_int_equal(model_host.windows[1].size, 0x1000);
}

static void test_names(void **state)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1234, 0x11E8);
    const struct pci_function *found;

    (void)state;
    model_put(function, PCI_CLASS + 1, 3, 0x020185);
    model_scan();
    found = model_found(function);
    assert_true(pci_is(found, 0x1234, 0x11E8, 0));
    assert_false(pci_is(found, 0x1234, 0x11E9, 0));
    assert_false(pci_is(found, 0x1235, 0x11E8, 0));
    assert_true(pci_is(found, 0, 0, RUMPK_PCI_CLASS(1, 0x020000)));
    assert_true(pci_is(found, 0, 0, RUMPK_PCI_CLASS(2, 0x020100)));
    assert_true(pci_is(found, 0, 0, RUMPK_PCI_CLASS(3, 0x020185)));
    assert_false(pci_is(found, 0, 0, RUMPK_PCI_CLASS(1, 0x010000)));
    assert_false(pci_is(found, 0, 0, RUMPK_PCI_CLASS(2, 0x020000)));
    assert_false(pci_is(found, 0, 0, RUMPK_PCI_CLASS(3, 0x020184)));
    assert_true(pci_is(found, 0x1234, 0x11E8, RUMPK_PCI_CLASS(1, 0x020000)));
    assert_false(pci_is(found, 0x1234, 0x11E8, RUMPK_PCI_CLASS(1, 0x030000)));
}

// ---- the tree -----------------------------------------------------------------------------------

static uint8_t tree[4096];

static void cells_put(const char *name, const uint32_t *values, uint32_t count)
{
    fdt32_t list[64];

    for (uint32_t index = 0; index < count; index++)
        list[index] = cpu_to_fdt32(values[index]);
    assert_int_equal(fdt_property(tree, name, list, (int)(count * sizeof(list[0]))), 0);
}

#define CELLS(name, ...) \
    cells_put(name, (const uint32_t[]){__VA_ARGS__}, COUNT_OF(((const uint32_t[]){__VA_ARGS__})))

// Cells of the host's own addresses, and of its parent's; the map's mask; may cut the map short.
static void tree_make(uint32_t own_cells, uint32_t parent_cells, uint32_t map_cells)
{
    static const uint32_t map[] = {0,     0, 0, 1, 1, 0,  0, 40, 4, // controller with addresses
                                   0x800, 0, 0, 1, 2, 41,           // one without
                                   0x800, 0, 0, 2, 9, 42};          // one that is not there

    fdt_create(tree, sizeof(tree));
    fdt_finish_reservemap(tree);
    fdt_begin_node(tree, "");
    fdt_property_u32(tree, "#address-cells", parent_cells);
    fdt_property_u32(tree, "#size-cells", 2);
    fdt_begin_node(tree, "first");
    fdt_property_u32(tree, "phandle", 1);
    fdt_property_u32(tree, "#address-cells", 2);
    fdt_property_u32(tree, "#interrupt-cells", 2);
    fdt_end_node(tree);
    fdt_begin_node(tree, "second");
    fdt_property_u32(tree, "phandle", 2);
    fdt_property_u32(tree, "#interrupt-cells", 1);
    fdt_end_node(tree);
    fdt_begin_node(tree, "pci");
    fdt_property_string(tree, "compatible", "pci-host-ecam-generic");
    fdt_property_u32(tree, "#address-cells", own_cells);
    fdt_property_u32(tree, "#size-cells", 2);
    if (parent_cells == 2) {
        CELLS("reg", 0x40, 0x10000000, 0, 0x400000);
        CELLS("ranges", 0x1000000, 0, 0, 0, 0x3000000, 0, 0x10000, // ports: not used
              0x2000000, 0, 0x1000, 0, 0x40000000, 0, 0x10000000,  //
              0x43000000, 1, 0, 4, 0, 2, 0);
    } else {
        CELLS("reg", 0x10000000, 0, 0x400000);
        CELLS("ranges", 0x2000000, 0, 0x1000, 0x40000000, 0, 0x10000000, 0x2000000); // cut off
    }
    CELLS("bus-range", 2, 5);
    CELLS("interrupt-map-mask", 0x1800, 0, 0, 7);
    cells_put("interrupt-map", map, map_cells);
    fdt_end_node(tree);
    fdt_end_node(tree);
    assert_int_equal(fdt_finish(tree), 0);
}

#define MAP_CELLS 21u

static void test_tree_host(void **state)
{
    struct pci_host host;

    (void)state;
    tree_make(3, 2, MAP_CELLS);
    assert_false(pci_tree_host(NULL, 0, &host));
    assert_false(pci_tree_host(tree, 1, &host));
    assert_true(pci_tree_host(tree, 0, &host));
    assert_int_equal(host.config, UINT64_C(0x4010000000));
    assert_int_equal(host.config_size, 0x400000);
    assert_int_equal(host.bus_first, 2);
    assert_int_equal(host.bus_last, 5);
    assert_int_equal(host.window_count, 2);
    assert_int_equal(host.windows[0].address, 0x40000000);
    assert_int_equal(host.windows[0].bus_address, 0x1000);
    assert_int_equal(host.windows[0].size, 0x10000000);
    assert_false(host.windows[0].is_prefetchable);
    assert_int_equal(host.windows[1].address, UINT64_C(0x400000000));
    assert_int_equal(host.windows[1].bus_address, UINT64_C(0x100000000));
    assert_true(host.windows[1].is_prefetchable);
    tree_make(3, 1, MAP_CELLS);
    assert_true(pci_tree_host(tree, 0, &host));
    assert_int_equal(host.window_count, 1);
    assert_int_equal(host.windows[0].size, 0x10000000);
    tree_make(2, 2, MAP_CELLS);
    assert_false(pci_tree_host(tree, 0, &host));
}

static void test_tree_lines(void **state)
{
    struct pci_host host;

    (void)state;
    tree_make(3, 2, MAP_CELLS);
    assert_true(pci_tree_host(tree, 0, &host));
    assert_int_equal(pci_tree_line(tree, host.node, 0, 1), 4);
    assert_int_equal(pci_tree_line(tree, host.node, 4, 1),
                     4); // the mask keeps two bits of the slot
    assert_int_equal(pci_tree_line(tree, host.node, 1, 1), 41);
    assert_int_equal(pci_tree_line(tree, host.node, 1, 2), ARCH_LINE_NONE);
    assert_int_equal(pci_tree_line(tree, host.node, 2, 1), ARCH_LINE_NONE);
    for (uint32_t count = 0; count < 15; count++) { // cut off before the second is whole
        tree_make(3, 2, count);
        assert_int_equal(pci_tree_line(tree, host.node, 1, 1), ARCH_LINE_NONE);
    }
}

// Behind bridges the slot turns the pin.
static void test_pins(void **state)
{
    struct model_function *bridge = model_bridge_add(MODEL_ROOT, 3);
    struct model_function *behind = model_add(model_index(bridge), 5, 0x1234, 1);
    struct model_function *first = model_add(MODEL_ROOT, 6, 0x1234, 2);
    struct model_function *none = model_add(MODEL_ROOT, 7, 0x1234, 3);

    (void)state;
    behind->config[PCI_PIN] = 4;
    first->config[PCI_PIN] = 2;
    none->config[PCI_PIN] = 5;
    model_scan();
    pci_lines_find(NULL);
    // Pin D of slot 5 is pin A of the bridge in slot 3.
    assert_int_equal(model_found(behind)->line, model_host.lines[3][0]);
    assert_int_equal(model_found(first)->line, model_host.lines[6][1]);
    assert_int_equal(model_found(none)->line, ARCH_LINE_NONE);
    assert_int_equal(model_found(bridge)->line, ARCH_LINE_NONE);
    pci_pin(model_found(first), true);
    assert_int_equal(command_of(first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_capabilities, begin),
        cmocka_unit_test_setup(test_capability_loops, begin),
        cmocka_unit_test_setup(test_virtio_kind, begin),
        cmocka_unit_test_setup(test_virtio_structures, begin),
        cmocka_unit_test_setup(test_messages, begin),
        cmocka_unit_test_setup(test_messages_refused, begin),
        cmocka_unit_test_setup(test_host_refused, begin),
        cmocka_unit_test_setup(test_host_cut, begin),
        cmocka_unit_test_setup(test_names, begin),
        cmocka_unit_test_setup(test_tree_host, begin),
        cmocka_unit_test_setup(test_tree_lines, begin),
        cmocka_unit_test_setup(test_pins, begin),
    };

    model_map_window();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
