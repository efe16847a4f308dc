// SPDX-License-Identifier: Apache-2.0
//
// Goal: an interrupt specifier of a device tree means the line and trigger that its binding says,
// and what is no line of the controller is refused. Method: the decoders of aarch64 (GIC) and
// x86_64 (I/O APIC), called with what QEMU 7.2 writes and with everything just beside it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <aarch64/machine.h>
#include <x86_64/machine.h>

static bool gic_accepts(uint32_t type, uint32_t number, uint32_t flags, uint32_t line, bool is_edge)
{
    const uint32_t cells[] = {type, number, flags};
    struct gic_specifier out = {0};

    return gic_specifier_decode(cells, 3, &out) && out.line == line && out.is_edge == is_edge;
}

static bool gic_refuses(uint32_t type, uint32_t number, uint32_t flags)
{
    const uint32_t cells[] = {type, number, flags};
    struct gic_specifier out;

    return !gic_specifier_decode(cells, 3, &out);
}

static void gic_lines_are_interrupt_ids(void **state)
{
    (void)state;
    assert_true(gic_accepts(0, 0x10, 1, 48, true));     // virtio_mmio@a000000
    assert_true(gic_accepts(0, 1, 4, 33, false));       // pl011@9000000
    assert_true(gic_accepts(0, 987, 4, 1019, false));   // the last one
    assert_true(gic_accepts(1, 0xB, 0x104, 27, false)); // virtual timer; bits 15:8 name cores
    assert_true(gic_accepts(1, 15, 8, 31, false));      // low: the maker knows
    assert_true(gic_accepts(1, 0, 2, 16, true));
}

static void gic_refuses_what_is_no_line(void **state)
{
    const uint32_t short_cells[] = {0, 1};
    const uint32_t subset[] = {1, 7, 4, 0x8001};
    const uint32_t all_cores[] = {1, 7, 4, 0};
    struct gic_specifier out;

    (void)state;
    assert_true(gic_refuses(0, 988, 4));
    assert_true(gic_refuses(0, UINT32_MAX, 4));
    assert_true(gic_refuses(1, 16, 4));
    assert_true(gic_refuses(2, 0, 4)); // an extended SPI
    assert_true(gic_refuses(0, 1, 0)); // no trigger
    assert_true(gic_refuses(0, 1, 2)); // SPIs do not fall
    assert_true(gic_refuses(0, 1, 8));
    assert_true(gic_refuses(0, 1, 5));
    assert_true(gic_refuses(1, 1, 0));
    assert_false(gic_specifier_decode(short_cells, 2, &out));
    assert_false(gic_specifier_decode(short_cells, 0, &out));
    assert_false(gic_specifier_decode(subset, 4, &out));
    assert_true(gic_specifier_decode(all_cores, 4, &out));
    assert_int_equal(out.line, 23);
}

static bool ioapic_accepts(uint32_t first, bool is_microvm, uint32_t pin, uint32_t trigger,
                           uint32_t line, uint32_t entry)
{
    const uint32_t cells[] = {pin, trigger};
    struct ioapic_specifier out = {0};

    return ioapic_specifier_decode(first, is_microvm, cells, 2, &out) && out.line == line &&
           out.entry == entry;
}

static void ioapic_lines_count_on_from_one_controller_to_the_next(void **state)
{
    const uint32_t low = UINT32_C(1) << 13;
    const uint32_t level = UINT32_C(1) << 15;

    (void)state;
    assert_true(ioapic_accepts(0, true, 4, 0, 4, 0));          // serial@3f8: ISA, edge
    assert_true(ioapic_accepts(24, true, 0x17, 0, 47, level)); // virtio_mmio@feb02e00
    assert_true(ioapic_accepts(0, true, 16, 0, 16, level));    // the same without a second one
    assert_true(ioapic_accepts(0, true, 15, 0, 15, 0));
    assert_true(ioapic_accepts(0, false, 16, 0, 16, 0)); // another machine means what it says
    assert_true(ioapic_accepts(24, false, 3, 1, 27, level | low));
    assert_true(ioapic_accepts(24, false, 3, 2, 27, level));
    assert_true(ioapic_accepts(24, true, 3, 3, 27, low));
}

static void ioapic_refuses_what_is_no_pin(void **state)
{
    const uint32_t pin[] = {24, 0};
    const uint32_t far[] = {UINT32_MAX, 0};
    const uint32_t trigger[] = {1, 4};
    const uint32_t good[] = {1, 0, 0};
    struct ioapic_specifier out;

    (void)state;
    assert_false(ioapic_specifier_decode(0, false, pin, 2, &out));
    assert_false(ioapic_specifier_decode(24, false, far, 2, &out));
    assert_false(ioapic_specifier_decode(0, false, trigger, 2, &out));
    assert_false(ioapic_specifier_decode(0, false, good, 1, &out));
    assert_false(ioapic_specifier_decode(0, false, good, 3, &out));
    assert_false(ioapic_specifier_decode(0, false, good, 0, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gic_lines_are_interrupt_ids),
        cmocka_unit_test(gic_refuses_what_is_no_line),
        cmocka_unit_test(ioapic_lines_count_on_from_one_controller_to_the_next),
        cmocka_unit_test(ioapic_refuses_what_is_no_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
