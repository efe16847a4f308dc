// SPDX-License-Identifier: Apache-2.0
//
// Goal: functions behind a PCI host are found through bridges, given addresses that are aligned,
// inside the windows and nobody else's, and switched on only when they are used; nothing that
// configuration space says can lead the walk astray. Method: kernel/dev/pci*.c over a model of
// configuration space.
#include "pci_config.h"
#include "pci_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDE     PCI_BAR_WIDE
#define MASTER   PCI_COMMAND_MASTER
#define MEMORY   PCI_COMMAND_MEMORY
#define MIB      UINT64_C(0x100000)
#define RUNS_MAX 200000u // configuration accesses of the largest scan: bounded, whatever is there

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

static uint64_t bar_written(const struct model_function *function, uint32_t bar, uint32_t size)
{
    return model_get(function, PCI_BAR0 + bar * 4, size) & ~UINT64_C(0xF);
}

// ---- without firmware ---------------------------------------------------------------------------

static void test_nobody(void **state)
{
    (void)state;
    model_scan();
    assert_int_equal(pci_function_count, 0);
    assert_int_equal(model_accesses, PCI_SLOTS);
}

static void test_places(void **state)
{
    struct model_function *first = model_add(MODEL_ROOT, 1, 0x1234, 1);
    struct model_function *second = model_add(MODEL_ROOT, 31, 0x1234, 2);
    const struct pci_function *found;

    (void)state;
    model_put(first, PCI_COMMAND, 2, MASTER | MEMORY | PCI_COMMAND_PORTS);
    model_bar(first, 0, 16, 0);
    model_bar(first, 1, 0x4000, WIDE | PCI_BAR_PREFETCHABLE);
    model_bar(first, 3, 32, PCI_BAR_PORTS);
    model_bar(second, 5, MIB, 0);
    model_scan();
    assert_int_equal(pci_function_count, 2);
    found = model_found(first);
    assert_true(found->is_usable);
    assert_int_equal(found->bars[0].size, 16);
    assert_int_equal(found->bars[1].size, 0x4000);
    assert_int_equal(found->bars[3].size, 0);
    // The largest first, each in pages of its own.
    assert_int_equal(model_found(second)->bars[5].base, MODEL_WINDOW);
    assert_int_equal(found->bars[1].base, MODEL_WINDOW + MIB);
    assert_int_equal(found->bars[0].base, MODEL_WINDOW + MIB + 0x4000);
    assert_int_equal(bar_written(first, 0, 4), found->bars[0].base);
    assert_int_equal(bar_written(first, 1, 8), found->bars[1].base);
    // Off until somebody uses it; its ROM too.
    assert_int_equal(command_of(first), PCI_COMMAND_PIN_OFF);
    assert_int_equal(model_get(first, PCI_ROM, 4) & 1, 0);
}

static void test_taken(void **state)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1234, 1);

    (void)state;
    model_bar(function, 0, 0x2000, 0);
    pci_take(MODEL_WINDOW - 16, 17);
    pci_take(MODEL_WINDOW + 0x2FFF, 1);
    pci_take(UINT64_MAX - 4, 100); // no range at all
    model_scan();
    assert_int_equal(model_found(function)->bars[0].base, MODEL_WINDOW + 0x4000);
}

static void test_window_full(void **state)
{
    struct model_function *large = model_add(MODEL_ROOT, 1, 0x1234, 1);
    struct model_function *small = model_add(MODEL_ROOT, 2, 0x1234, 2);

    (void)state;
    model_bar(large, 0, MODEL_WINDOW_SIZE * 2, 0);
    model_bar(small, 0, MODEL_WINDOW_SIZE / 2, 0);
    model_bar(small, 2, 0x1000, 0);
    model_scan();
    assert_false(model_found(large)->is_usable);
    assert_true(model_found(small)->is_usable);
    pci_decode(model_found(large), true);
    assert_int_equal(command_of(large) & MEMORY, 0);
    pci_decode(model_found(small), true);
    assert_int_equal(command_of(small) & MEMORY, MEMORY);
}

// Registers of 32 bits stay below 4 GiB on the bus, whatever the processor calls the place.
static void test_reach(void **state)
{
    struct model_function *narrow = model_add(MODEL_ROOT, 1, 0x1234, 1);
    struct model_function *wide = model_add(MODEL_ROOT, 2, 0x1234, 2);

    (void)state;
    model_host.windows[0].bus_address = UINT64_C(0x100000000);
    model_bar(narrow, 0, 0x1000, 0);
    model_bar(wide, 0, 0x1000, WIDE);
    model_scan();
    assert_false(model_found(narrow)->is_usable);
    assert_int_equal(bar_written(wide, 0, 8), UINT64_C(0x100000000));
    assert_int_equal(model_found(wide)->bars[0].base, MODEL_WINDOW);
}

static void test_functions_of_a_slot(void **state)
{
    struct model_function *first = model_add(MODEL_ROOT, 4, 0x1234, 1);
    struct model_function *third = model_add(MODEL_ROOT, 4, 0x1234, 3);
    struct model_function *alias = model_add(MODEL_ROOT, 5, 0x1234, 1);
    struct model_function *hidden = model_add(MODEL_ROOT, 5, 0x1234, 2);

    (void)state;
    first->config[PCI_HEADER_TYPE] = PCI_HEADER_MULTIPLE;
    third->number = 2;
    hidden->number = 1; // its slot has one function only
    model_scan();
    assert_non_null(model_found(third));
    assert_non_null(model_found(alias));
    assert_null(model_found(hidden));
}

static void test_left_alone(void **state)
{
    struct model_function *isa = model_add(MODEL_ROOT, 31, 0x8086, 0x2918);
    struct model_function *odd = model_add(MODEL_ROOT, 3, 0x1234, 1);

    (void)state;
    model_put(isa, PCI_CLASS + 1, 3, 0x060100);
    model_put(isa, PCI_COMMAND, 2, MASTER | MEMORY);
    odd->config[PCI_HEADER_TYPE] = 2;
    model_scan();
    assert_int_equal(pci_function_count, 0);
    assert_int_equal(command_of(isa), MASTER | MEMORY);
}

// ---- firmware's places --------------------------------------------------------------------------

static void test_kept(void **state)
{
    struct model_function *function[5];

    (void)state;
    for (uint32_t index = 0; index < 5; index++) {
        function[index] = model_add(MODEL_ROOT, index, 0x1234, index);
        model_bar(function[index], 0, 0x4000, WIDE);
    }
    model_put(function[0], PCI_BAR0, 4, MODEL_WINDOW + 0x8000 + WIDE);
    model_put(function[1], PCI_BAR0, 4, MODEL_WINDOW + 0x8000 + WIDE);            // taken
    model_put(function[2], PCI_BAR0, 4, MODEL_WINDOW + MODEL_WINDOW_SIZE + WIDE); // behind it
    model_put(function[3], PCI_BAR0, 4, MODEL_WINDOW - 0x4000 + WIDE);            // outside
    model_put(function[4], PCI_BAR0, 8, (UINT64_C(1) << 60) + WIDE);              // far outside
    model_scan();
    assert_int_equal(model_found(function[0])->bars[0].base, MODEL_WINDOW + 0x8000);
    assert_int_equal(model_found(function[1])->bars[0].base, MODEL_WINDOW);
    assert_int_equal(model_found(function[2])->bars[0].base, MODEL_WINDOW + 0x4000);
    assert_int_equal(model_found(function[3])->bars[0].base, MODEL_WINDOW + 0xC000);
    assert_int_equal(model_found(function[4])->bars[0].base, MODEL_WINDOW + 0x10000);
    assert_int_equal(bar_written(function[4], 0, 8), MODEL_WINDOW + 0x10000);
}

static void bridge_set(struct model_function *bridge, uint32_t below, uint32_t last, uint64_t base,
                       uint64_t size)
{
    model_put(bridge, PCI_BUSES, 4, last << 16 | below << 8);
    model_put(bridge, PCI_BRIDGE_MEMORY, 2, base >> 16);
    model_put(bridge, PCI_BRIDGE_MEMORY + 2, 2, (base + size - MIB) >> 16);
    model_put(bridge, PCI_BRIDGE_PREFETCH, 4, 0x0000FFF0);
}

static void test_bridge_kept(void **state)
{
    struct model_function *bridge = model_bridge_add(MODEL_ROOT, 2);
    struct model_function *function = model_add(model_index(bridge), 0, 0x1234, 1);
    struct model_function *fresh = model_add(model_index(bridge), 1, 0x1234, 2);

    (void)state;
    bridge_set(bridge, 7, 9, MODEL_WINDOW + 2 * MIB, MIB);
    model_bar(function, 0, 0x1000, 0);
    model_put(function, PCI_BAR0, 4, MODEL_WINDOW + 2 * MIB + 0x5000);
    model_bar(fresh, 0, 0x1000, 0);
    model_scan();
    assert_int_equal(model_get(bridge, PCI_BUSES, 4), 9 << 16 | 7 << 8);
    assert_int_equal(model_found(function)->id, 7 << 8);
    assert_int_equal(model_found(function)->bars[0].base, MODEL_WINDOW + 2 * MIB + 0x5000);
    assert_int_equal(model_found(fresh)->bars[0].base, MODEL_WINDOW + 2 * MIB);
}

// ---- bridges ------------------------------------------------------------------------------------

static void test_bridges(void **state)
{
    struct model_function *outer = model_bridge_add(MODEL_ROOT, 1);
    struct model_function *inner = model_bridge_add(model_index(outer), 3);
    struct model_function *other = model_bridge_add(MODEL_ROOT, 2);
    struct model_function *leaf = model_add(model_index(inner), 5, 0x1234, 1);
    struct model_function *beside = model_add(model_index(outer), 4, 0x1234, 2);
    const struct pci_function *found;

    (void)state;
    model_bar(leaf, 0, 3 * MIB + MIB, WIDE);
    model_bar(beside, 0, 0x1000, 0);
    model_bar(inner, 0, 0x1000, 0); // registers of the bridge itself
    model_scan();
    assert_int_equal(model_get(outer, PCI_BUSES, 3), 2 << 16 | 1 << 8);
    assert_int_equal(model_get(inner, PCI_BUSES, 3), 2 << 16 | 2 << 8 | 1);
    assert_int_equal(model_get(other, PCI_BUSES, 3), 3 << 16 | 3 << 8);
    found = model_found(leaf);
    assert_true(found->is_usable);
    assert_int_equal(found->id, 2 << 8 | 5 << 3);
    assert_int_equal(model_found(outer)->below[0].size, 8 * MIB);
    assert_int_equal(model_found(inner)->below[0].size, 4 * MIB);
    assert_true(model_found(inner)->bars[0].base != 0);
    // Nothing behind it: it hands nothing on.
    assert_int_equal(model_found(other)->below[0].size, 0);
    assert_int_equal(model_get(other, PCI_BRIDGE_MEMORY, 4), 0x0000FFF0);
    assert_int_equal(model_get(outer, PCI_BRIDGE_MEMORY, 2), MODEL_WINDOW >> 16);
    assert_int_equal(model_get(outer, PCI_BRIDGE_MEMORY + 2, 2), (MODEL_WINDOW + 7 * MIB) >> 16);
    assert_int_equal(command_of(outer) & (MEMORY | MASTER), MEMORY);
    // Masters on the way only while somebody behind them is one.
    pci_master(model_found(leaf), true);
    pci_master(model_found(leaf), true);
    pci_master(model_found(beside), true);
    assert_int_equal(command_of(leaf) & command_of(inner) & command_of(outer) & MASTER, MASTER);
    pci_master(model_found(leaf), false);
    assert_int_equal((command_of(leaf) | command_of(inner)) & MASTER, 0);
    assert_int_equal(command_of(outer) & MASTER, MASTER);
    pci_master(model_found(beside), false);
    pci_master(model_found(beside), false);
    assert_int_equal(command_of(outer) & MASTER, 0);
}

// A downstream port has one slot, however many answer.
static void test_port(void **state)
{
    struct model_function *port = model_bridge_add(MODEL_ROOT, 1);
    struct model_function *real = model_add(model_index(port), 0, 0x1234, 1);
    struct model_function *ghost = model_add(model_index(port), 1, 0x1234, 1);

    (void)state;
    model_capability(port, 0x40, PCI_CAPABILITY_EXPRESS, 0);
    model_put(port, 0x42, 2, PCI_EXPRESS_ROOT_PORT | 2);
    model_scan();
    assert_non_null(model_found(real));
    assert_null(model_found(ghost));
}

// Numbers that firmware never gives: each bridge gets its own, and each bus is seen once.
static void test_bridges_lie(void **state)
{
    struct model_function *bridge[4];
    struct model_function *leaf[4];

    (void)state;
    for (uint32_t index = 0; index < 4; index++) {
        bridge[index] = model_bridge_add(MODEL_ROOT, index);
        leaf[index] = model_add(model_index(bridge[index]), 0, 0x1234, index);
        model_bar(leaf[index], 0, 0x1000, 0);
    }
    bridge_set(bridge[0], 1, 0, MODEL_WINDOW, MIB);                 // ends before it begins
    bridge_set(bridge[1], 0, 255, MODEL_WINDOW, MIB);               // the bus that it is on
    bridge_set(bridge[2], 4, 6, MODEL_WINDOW - MIB, 2 * MIB);       // half outside
    bridge_set(bridge[3], 5, 255, MODEL_WINDOW, MODEL_WINDOW_SIZE); // another's numbers
    model_scan();
    for (uint32_t index = 0; index < 4; index++) {
        static const uint32_t buses[] = {7, 8, 4, 9};

        assert_non_null(model_found(leaf[index]));
        assert_int_equal(model_found(leaf[index])->id >> 8, buses[index]);
    }
    assert_true(model_found(leaf[3])->is_usable);
    assert_int_equal(pci_function_count, 8);
}

static void test_depth(void **state)
{
    int parent = MODEL_ROOT;

    (void)state;
    for (uint32_t depth = 0; depth < 20; depth++)
        parent = model_index(model_bridge_add(parent, 0));
    model_scan();
    assert_int_equal(pci_function_count, PCI_DEPTH_MAX + 1);
    assert_true(model_accesses < RUNS_MAX);
}

static void test_buses_run_out(void **state)
{
    struct model_function *first = model_bridge_add(MODEL_ROOT, 1);
    struct model_function *second = model_bridge_add(MODEL_ROOT, 2);

    (void)state;
    model_host.bus_first = 4;
    model_host.bus_last = 5;
    model_add(model_index(first), 0, 0x1234, 1);
    model_add(model_index(second), 0, 0x1234, 2);
    model_scan();
    assert_int_equal(pci_function_count, 3);
    assert_int_equal(model_get(second, PCI_BUSES, 3), 0);
}

static void test_table_full(void **state)
{
    (void)state;
    for (uint32_t index = 0; index < PCI_FUNCTIONS_MAX + 10; index++) {
        struct model_function *function = model_add(MODEL_ROOT, index / 8, 0x1234, index);

        function->number = index % 8;
        function->config[PCI_HEADER_TYPE] = PCI_HEADER_MULTIPLE;
        model_put(function, PCI_COMMAND, 2, MASTER | MEMORY);
        for (uint32_t bar = 0; bar < PCI_BARS; bar++)
            model_bar(function, bar, 0x1000, 0);
    }
    model_scan();
    assert_int_equal(pci_function_count, PCI_FUNCTIONS_MAX);
    for (uint32_t index = 0; index < model_count; index++)
        assert_int_equal(command_of(&model_functions[index]), PCI_COMMAND_PIN_OFF);
    assert_true(model_accesses < RUNS_MAX);
}

// ---- registers that contradict themselves -------------------------------------------------------

static void test_measure_lies(void **state)
{
    static const struct {
        uint32_t bar;
        uint32_t flags;
        uint64_t writable;
    } cases[] = {
        {0, 0, 0xFFF0F000},                      // a hole
        {0, 0, 0x0FFFF000},                      // the top cannot be set
        {0, WIDE, UINT64_C(0x00000000FFFFF000)}, // nor this one
        {0, WIDE, UINT64_C(0xFFFF0000FFFFF000)}, // a hole in the upper half
        {5, WIDE, UINT64_C(0xFFFFF000)},         // wide, but it is the last
        {1, 0x2, 0xFFFFF000},                    // below 1 MiB: gone since 1998
        {1, 0x6, 0xFFFFF000},                    // reserved
    };

    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(cases); index++) {
        struct model_function *liar;
        struct model_function *honest;
        uint32_t offset = PCI_BAR0 + cases[index].bar * 4;

        model_begin();
        liar = model_add(MODEL_ROOT, 1, 0x1234, 1);
        honest = model_add(MODEL_ROOT, 2, 0x1234, 2);
        model_bar(honest, 0, 0x1000, 0);
        liar->config[offset] = (uint8_t)cases[index].flags;
        for (uint32_t byte = 0; byte < 8 && offset + byte < PCI_BAR0 + 24; byte++)
            liar->writable[offset + byte] = (uint8_t)(cases[index].writable >> byte * 8);
        model_scan();
        assert_false(model_found(liar)->is_usable);
        assert_true(model_found(honest)->is_usable);
        pci_decode(model_found(liar), true);
        assert_int_equal(command_of(liar) & MEMORY, 0);
    }
}

static void test_measure_huge(void **state)
{
    struct model_function *function = model_add(MODEL_ROOT, 1, 0x1234, 1);

    (void)state;
    model_bar(function, 0, UINT64_C(1) << 63, WIDE);
    model_scan();
    assert_int_equal(model_found(function)->bars[0].size, UINT64_C(1) << 63);
    assert_false(model_found(function)->is_usable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nobody, begin),
        cmocka_unit_test_setup(test_places, begin),
        cmocka_unit_test_setup(test_taken, begin),
        cmocka_unit_test_setup(test_window_full, begin),
        cmocka_unit_test_setup(test_reach, begin),
        cmocka_unit_test_setup(test_functions_of_a_slot, begin),
        cmocka_unit_test_setup(test_left_alone, begin),
        cmocka_unit_test_setup(test_kept, begin),
        cmocka_unit_test_setup(test_bridge_kept, begin),
        cmocka_unit_test_setup(test_bridges, begin),
        cmocka_unit_test_setup(test_port, begin),
        cmocka_unit_test_setup(test_bridges_lie, begin),
        cmocka_unit_test_setup(test_depth, begin),
        cmocka_unit_test_setup(test_buses_run_out, begin),
        cmocka_unit_test_setup(test_table_full, begin),
        cmocka_unit_test_setup(test_measure_lies, begin),
        cmocka_unit_test_setup(test_measure_huge, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
