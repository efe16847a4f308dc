// SPDX-License-Identifier: Apache-2.0
//
// Goal: what the firmware's tables say is taken as ACPI says it, and whatever is broken in a table
// that the kernel asks is refused without a byte read outside the given memory. Method: the tables
// of QEMU's q35 in a heap block of exactly their size (the sanitizer watches its ends), and one
// change per case. Flips of every single bit are tried both with the old sums and with right ones.
#include <kernel/acpi.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acpi_sample.h"

#define BASE UINT64_C(0xF59E0)

static uint8_t *bytes;
static struct acpi_memory memory;
static struct acpi_tables tables;

static void make(uint32_t revision)
{
    acpi_sample_make(bytes, BASE, revision);
}

static bool reads(void)
{
    return acpi_read(&memory, BASE, &tables);
}

static int begin(void **state)
{
    (void)state;
    bytes = malloc(ACPI_SAMPLE_SIZE);
    memory = (struct acpi_memory){bytes, BASE, ACPI_SAMPLE_SIZE};
    make(0);
    return bytes == NULL;
}

static int end(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static void assert_q35(uint32_t ecams)
{
    assert_int_equal(tables.ioapic_count, 1);
    assert_int_equal(tables.ioapics[0].base, 0xFEC00000);
    assert_int_equal(tables.ioapics[0].line_first, 0);
    assert_int_equal(tables.isa_lines[0].line, 2);
    assert_int_equal(tables.isa_lines[4].line, 4);
    assert_false(tables.isa_lines[4].is_level || tables.isa_lines[4].is_low);
    assert_true(tables.isa_lines[5].is_level && !tables.isa_lines[5].is_low);
    assert_true(tables.isa_lines[9].is_level && tables.isa_lines[9].is_low);
    assert_int_equal(tables.hpet, 0xFED00000);
    assert_int_equal(tables.pm1a_control, 0x604);
    assert_int_equal(tables.pm1b_control, 0);
    assert_int_equal(tables.smi_command, 0xB2);
    assert_int_equal(tables.acpi_enable, 2);
    assert_int_equal(tables.ecam_count, ecams);
}

static void test_good(void **state)
{
    (void)state;
    assert_true(reads());
    assert_q35(1);
    assert_int_equal(tables.ecams[0].base, 0xB0000000);
    assert_int_equal(tables.ecams[0].segment, 0);
    assert_int_equal(tables.ecams[0].bus_first, 0);
    assert_int_equal(tables.ecams[0].bus_last, 255);
}

// The XSDT counts where there is one.
static void test_revision_2(void **state)
{
    (void)state;
    make(2);
    assert_true(reads());
    assert_q35(0);
    acpi_put(bytes, 24, 0, 8); // none after all
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_q35(1);
}

static void test_rsdp(void **state)
{
    static const struct {
        uint32_t offset;
        uint64_t value;
        uint32_t size;
    } bad[] = {
        {0, 'r', 1},
        {20, 35, 4},
        {20, 4097, 4},
        {20, UINT32_MAX, 4},
        {24, BASE + SAMPLE_RSDT, 8}, // an RSDT where an XSDT should be
        {24, UINT64_MAX, 8},
        {24, BASE + ACPI_SAMPLE_SIZE - 35, 8},
        {24, BASE - 1, 8},
    };

    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(bad); index++) {
        make(2);
        acpi_put(bytes, bad[index].offset, bad[index].value, bad[index].size);
        acpi_sample_seal(bytes);
        assert_false(reads());
    }
    make(2);
    bytes[33]++; // only the second sum holds it
    assert_false(reads());
    make(2);
    memory.size = 35;
    assert_false(reads());
    make(0);
    memory.size = 19;
    assert_false(reads());
    assert_false(acpi_read(&memory, BASE - 1, &tables));
    assert_false(acpi_read(&memory, UINT64_MAX - 4, &tables));
}

static void test_rsdp_find(void **state)
{
    (void)state;
    assert_int_equal(acpi_rsdp_find(&memory, BASE, ACPI_SAMPLE_SIZE), BASE);
    assert_int_equal(acpi_rsdp_find(&memory, BASE - 0x1F, ACPI_SAMPLE_SIZE), BASE);
    assert_int_equal(acpi_rsdp_find(&memory, BASE + 1, ACPI_SAMPLE_SIZE), 0);
    assert_int_equal(acpi_rsdp_find(&memory, BASE, 19), 0);
    assert_int_equal(acpi_rsdp_find(&memory, UINT64_MAX - 3, 3), 0);
    assert_int_equal(acpi_rsdp_find(&memory, UINT64_MAX - 63, 63), 0);
    memmove(bytes + 0x3C0, bytes, 20); // not at the first step
    bytes[1] = 'X';
    assert_int_equal(acpi_rsdp_find(&memory, BASE, ACPI_SAMPLE_SIZE), BASE + 0x3C0);
    bytes[0x3C0 + 17]++;
    assert_int_equal(acpi_rsdp_find(&memory, BASE, ACPI_SAMPLE_SIZE), 0);
}

// {table, offset, value, size of the field, does it stay readable?}
static const struct change {
    uint32_t table;
    uint32_t offset;
    uint64_t value;
    uint32_t size;
    bool is_good;
} changes[] = {
    {SAMPLE_RSDT, 4, 35, 4, false},
    {SAMPLE_RSDT, 4, 58, 4, false}, // half an entry
    {SAMPLE_RSDT, 4, 36, 4, true},  // a machine that says nothing
    {SAMPLE_RSDT, 4, UINT32_MAX, 4, false},
    {SAMPLE_RSDT, 36, 0, 4, true}, // a gap
    {SAMPLE_RSDT, 36, BASE - 36, 4, false},
    {SAMPLE_RSDT, 36, BASE + ACPI_SAMPLE_SIZE - 20, 4, false},
    {SAMPLE_RSDT, 36, UINT32_MAX, 4, false},
    {SAMPLE_WAET, 4, 35, 4, false}, // not asked, but how long it is counts
    {SAMPLE_WAET, 4, ACPI_SAMPLE_SIZE - SAMPLE_WAET + 1, 4, false},
    {SAMPLE_MADT, 4, 43, 4, false},
    {SAMPLE_MADT, 4, 45, 4, false}, // an entry of one byte
    {SAMPLE_MADT, 4, 44, 4, false}, // no I/O APIC
    {SAMPLE_MADT, 4, 60, 4, false}, // the first I/O APIC is cut off
    {SAMPLE_MADT, 4, 64, 4, true},
    {SAMPLE_MADT, 45, 0, 1, false}, // an entry that never ends
    {SAMPLE_MADT, 45, 1, 1, false},
    {SAMPLE_MADT, 45, 255, 1, false},       // beyond the table
    {SAMPLE_MADT, 53, 11, 1, false},        // an I/O APIC that is too short
    {SAMPLE_MADT, 56, 0, 4, false},         // at address 0
    {SAMPLE_MADT, 60, 24, 4, true},         // its lines begin elsewhere
    {SAMPLE_MADT, 65, 9, 1, false},         // an override that is too short
    {SAMPLE_MADT, 66, 1, 1, false},         // another bus than ISA
    {SAMPLE_MADT, 67, 16, 1, false},        // no ISA line
    {SAMPLE_MADT, 72, 2, 2, false},         // reserved polarity
    {SAMPLE_MADT, 72, 8, 2, false},         // reserved trigger
    {SAMPLE_MADT, 68, UINT32_MAX, 4, true}, // such a line does not exist: who looks sees it
    {SAMPLE_MCFG, 4, 43, 4, false},
    {SAMPLE_MCFG, 4, 44, 4, true}, // none
    {SAMPLE_MCFG, 4, 59, 4, false},
    {SAMPLE_MCFG, 44, 0, 8, false},
    {SAMPLE_MCFG, 44, 0xB0001000, 8, false},
    {SAMPLE_MCFG, 44, 0xFFFFFFFFFFF00000, 8, false}, // wraps around
    {SAMPLE_MCFG, 54, 1, 1, true},
    {SAMPLE_MCFG, 54, 0xFF01, 2, true},
    {SAMPLE_MCFG, 54, 0x0001, 2, false}, // ends before it begins
    {SAMPLE_HPET, 4, 55, 4, false},
    {SAMPLE_HPET, 40, 1, 1, false}, // ports
    {SAMPLE_HPET, 44, 0, 8, false},
    {SAMPLE_HPET, 44, 0xFED00004, 8, false},
    {SAMPLE_FADT, 4, 115, 4, false},
    {SAMPLE_FADT, 4, 116, 4, true},
};

static void test_changes(void **state)
{
    (void)state;
    for (uint32_t index = 0; index < COUNT_OF(changes); index++) {
        const struct change *change = &changes[index];

        make(0);
        acpi_put(bytes + change->table, change->offset, change->value, change->size);
        assert_true(change->table == SAMPLE_WAET || !reads()); // the sum is wrong now
        acpi_sample_seal(bytes);
        if (reads() != change->is_good)
            fail_msg("change %u of table %#x at %u", index, change->table, change->offset);
    }
}

static void test_power(void **state)
{
    uint8_t *fadt;

    (void)state;
    fadt = bytes + SAMPLE_FADT;
    acpi_put(fadt, 64, 0xB004, 4); // the extended field counts
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0x604);
    acpi_put(fadt, 176, 0, 8); // unless it is empty
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0xB004);
    acpi_put(fadt, 64, 0xFFFF, 4); // two ports do not fit there
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0);
    acpi_put(fadt, 176, 0x10604, 8);
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0);
    acpi_put(fadt, 176, 0x604, 8);
    fadt[172] = 0; // in memory
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0);
    make(0);
    acpi_put(fadt, 48, 0x100B2, 4);
    acpi_put(fadt, 68, 0x608, 4);
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.smi_command, 0);
    assert_int_equal(tables.pm1b_control, 0x608);
    make(0);
    acpi_put(fadt, 112, 1u << 20, 4); // hardware-reduced
    acpi_sample_seal(bytes);
    assert_true(reads());
    assert_int_equal(tables.pm1a_control, 0);
}

// The first table of a name counts; a second one is not even summed up.
static void test_twice(void **state)
{
    (void)state;
    memcpy(bytes + SAMPLE_WAET, bytes + SAMPLE_HPET, 56);
    acpi_put(bytes + SAMPLE_WAET, 44, 0x1000, 8);
    assert_true(reads());
    assert_int_equal(tables.hpet, 0xFED00000);
}

static void test_limits(void **state)
{
    uint8_t *madt;

    (void)state;
    for (uint32_t count = ACPI_IOAPICS_MAX; count <= ACPI_IOAPICS_MAX + 1; count++) {
        make(0);
        madt = bytes + SAMPLE_MADT;
        acpi_put(madt, 4, 44 + 12 * count, 4);
        for (uint32_t index = 0; index < count; index++) {
            acpi_put(madt, 44 + 12 * index, 0x0C01, 4);
            acpi_put(madt, 48 + 12 * index, 0xFEC00000 + 0x1000 * index, 4);
            acpi_put(madt, 52 + 12 * index, 24 * index, 4);
        }
        acpi_sample_seal(bytes);
        assert_int_equal(reads(), count == ACPI_IOAPICS_MAX);
    }
    make(0);
    acpi_put(bytes + SAMPLE_MCFG, 4, 44 + 16 * (ACPI_ECAMS_MAX + 1), 4);
    for (uint32_t index = 0; index <= ACPI_ECAMS_MAX; index++)
        memcpy(bytes + SAMPLE_MCFG + 44 + 16 * index, "\0\0\0\xB0\0\0\0\0\0\0\0\xFF\0\0\0\0", 16);
    acpi_put(bytes + SAMPLE_RSDT, 36 + 16, 0, 4); // the last table is written over
    acpi_table_seal(bytes + SAMPLE_RSDT, 56);
    acpi_table_seal(bytes + SAMPLE_MCFG, 200);
    assert_true(reads());
    assert_int_equal(tables.ecam_count, ACPI_ECAMS_MAX);
}

// A table of tables with more than fits.
static void test_many_tables(void **state)
{
    enum { COUNT = 129 };
    uint8_t *large = calloc(1, ACPI_SAMPLE_SIZE + 36 + 4 * COUNT);

    (void)state;
    assert_non_null(large);
    memory = (struct acpi_memory){large, BASE, ACPI_SAMPLE_SIZE + 36 + 4 * COUNT};
    for (uint32_t count = COUNT - 1; count <= COUNT; count++) {
        uint8_t *root = large + ACPI_SAMPLE_SIZE;

        acpi_sample_make(large, BASE, 0);
        acpi_put(large, 16, BASE + ACPI_SAMPLE_SIZE, 4);
        acpi_sample_seal(large);
        memcpy(root, "RSDT", 4);
        acpi_put(root, 4, 36 + 4 * count, 4);
        acpi_table_seal(root, 36 + 4 * COUNT);
        assert_int_equal(acpi_read(&memory, BASE, &tables), count < COUNT);
    }
    free(large);
}

// Nothing but the sanitizer judges these: whatever a bit says, no byte outside is read.
static void test_every_bit(void **state)
{
    (void)state;
    for (uint32_t revision = 0; revision <= 2; revision += 2) {
        for (uint32_t bit = 0; bit < ACPI_SAMPLE_SIZE * 8; bit++) {
            make(revision);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            (void)reads();
            acpi_sample_seal(bytes);
            (void)reads();
        }
    }
    for (uint64_t size = 0; size < ACPI_SAMPLE_SIZE; size++) {
        uint8_t *part = malloc(size == 0 ? 1 : size);

        assert_non_null(part);
        make(0);
        memcpy(part, bytes, size);
        memory = (struct acpi_memory){part, BASE, size};
        assert_int_equal(acpi_read(&memory, BASE, &tables), size >= SAMPLE_WAET + 40);
        free(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, begin, end),
        cmocka_unit_test_setup_teardown(test_revision_2, begin, end),
        cmocka_unit_test_setup_teardown(test_rsdp, begin, end),
        cmocka_unit_test_setup_teardown(test_rsdp_find, begin, end),
        cmocka_unit_test_setup_teardown(test_changes, begin, end),
        cmocka_unit_test_setup_teardown(test_power, begin, end),
        cmocka_unit_test_setup_teardown(test_twice, begin, end),
        cmocka_unit_test_setup_teardown(test_limits, begin, end),
        cmocka_unit_test_setup_teardown(test_many_tables, begin, end),
        cmocka_unit_test_setup_teardown(test_every_bit, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
