// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a PVH loader and fw_cfg hand over, boot.c of x86_64 takes it as the formats say or
// refuses it with the right cause, and never reads outside it; without a tree it finds the ACPI
// tables and makes of them what the kernel asks. Method: the real boot.c; the start info lies in a
// page below 4 GiB, the BIOS area where it always is, the ports are a few lines here. Every broken
// input differs from the good one in one place.
#define _GNU_SOURCE
#include <arch/arch.h>
#include <kernel/acpi.h>
#include <kernel/pci.h>
#include <rumpk/ledger.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "acpi_sample.h"
#include <x86_64/machine.h>

uint32_t boot_start_info; // entry.S has it in the kernel

// ---- the machine ----

#define AREA_SIZE      0x20000u
#define MEMMAP_AT      0x1000u
#define MODULES_AT     0x4000u
#define TEXT_AT        0x8000u
#define TREE_FILE_SIZE 65536u
#define TABLES_AT      0x10000u
#define BIOS_FIRST     0x9F000u // extended data area, and the BIOS area
#define BIOS_SIZE      0x61000u
#define EBDA           0x9FC00u
#define BIOS_AREA      0xE0000u

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memmap;
    uint32_t memmap_entries, reserved;
};

struct entry {
    uint64_t base, size;
    uint32_t type, reserved;
};

struct module {
    uint64_t base, size, command_line, reserved;
};

static uint8_t *area;
static uint8_t *bios; // at BIOS_FIRST
static struct boot_info info;

static struct {
    bool present, has_tree, has_serial;
    uint32_t files; // what the directory claims
    uint16_t selected;
    uint32_t at;
    uint8_t tree[TREE_FILE_SIZE];
    uint32_t tree_size;
    uint8_t scratch;
    uint32_t bridge;    // device and vendor of 00:00.0
    uint32_t config_at; // address port of PCI configuration space
    uint16_t ebda;      // its segment
} machine;

static uint64_t address_of(uint32_t offset)
{
    return (uint64_t)(uintptr_t)(area + offset);
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint8_t directory_byte(uint32_t at)
{
    uint8_t bytes[4 + 2 * 64] = {0};

    put32(bytes, machine.files);
    memcpy(bytes + 4 + 8, "etc/fdt.not", 12);
    if (machine.has_tree) {
        put32(bytes + 4 + 64, machine.tree_size);
        bytes[4 + 64 + 5] = 0x33;
        memcpy(bytes + 4 + 64 + 8, "etc/fdt", 8);
    }
    return at < sizeof(bytes) ? bytes[at] : 0;
}

void cpu_out16(uint16_t port, uint16_t value)
{
    assert_int_equal(port, 0x510);
    machine.selected = value;
    machine.at = 0;
}

void cpu_out8(uint16_t port, uint8_t value)
{
    assert_int_equal(port, 0x3FF);
    machine.scratch = value;
}

void cpu_out32(uint16_t port, uint32_t value)
{
    assert_int_equal(port, 0xCF8);
    machine.config_at = value;
}

uint32_t cpu_in32(uint16_t port)
{
    assert_int_equal(port, 0xCFC);
    return machine.config_at == 0x80000000 ? machine.bridge : UINT32_MAX;
}

uint16_t cpu_bios_word(uint64_t address)
{
    assert_int_equal(address, 0x40E);
    return machine.ebda;
}

uint8_t cpu_in8(uint16_t port)
{
    uint32_t at = machine.at;

    if (port == 0x3FF)
        return machine.has_serial ? machine.scratch : 0xFF;
    assert_int_equal(port, 0x511);
    machine.at++;
    if (!machine.present)
        return 0xFF;
    switch (machine.selected) {
    case 0:
        return (uint8_t)"QEMU"[at % 4];
    case 0x19:
        return directory_byte(at);
    case 0x33:
        return at < machine.tree_size ? machine.tree[at] : 0;
    default:
        fail();
        return 0;
    }
}

// ---- the good input ----

static struct start_info *start_info(void)
{
    return (struct start_info *)area;
}

static struct entry *memmap(void)
{
    return (struct entry *)(area + MEMMAP_AT);
}

static int good(void **state)
{
    (void)state;
    memset(area, 0, AREA_SIZE);
    memset(bios, 0, BIOS_SIZE);
    memset(&machine, 0, sizeof(machine));
    boot_start_info = (uint32_t)address_of(0);
    *start_info() = (struct start_info){
        .magic = 0x336EC578,
        .version = 1,
        .module_count = 1,
        .modules = address_of(MODULES_AT),
        .command_line = address_of(TEXT_AT),
        .memmap = address_of(MEMMAP_AT),
        .memmap_entries = 4,
    };
    memmap()[0] = (struct entry){0, 0x9FC00, 1, 0};
    memmap()[1] = (struct entry){0xF0000, 0x10000, 2, 0};
    memmap()[2] = (struct entry){0x100000, 0x700000, 1, 0};
    memmap()[3] = (struct entry){0x7E0000, 0x20000, 3, 0};
    *(struct module *)(area + MODULES_AT) = (struct module){0x300000, 0x1234, 0, 0};
    memcpy(area + TEXT_AT, "quiet", 6);

    machine.bridge = 0x29C08086;
    machine.ebda = EBDA >> 4;
    machine.present = machine.has_tree = machine.has_serial = true;
    machine.files = 2;
    machine.tree_size = TREE_FILE_SIZE;
    put32(machine.tree, 0xD00DFEED);
    put32(machine.tree + 4, TREE_FILE_SIZE);
    put32(machine.tree + 8, 56);    // structure
    put32(machine.tree + 12, 1000); // strings
    put32(machine.tree + 16, 40);   // reservations
    put32(machine.tree + 20, 17);
    put32(machine.tree + 24, 16);
    put32(machine.tree + 32, 100);
    put32(machine.tree + 36, 944);
    memcpy(machine.tree + 100, "linux,microvm", 14);
    return 0;
}

static bool reserves(uint64_t base, uint64_t size)
{
    for (uint32_t i = 0; i < info.reserved_count; i++) {
        if (info.reserved[i].base == base && info.reserved[i].size == size)
            return true;
    }
    return false;
}

static void test_good(void **state)
{
    (void)state;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_int_equal(info.ram_count, 2);
    assert_int_equal(info.ram[1].base, 0x100000);
    assert_int_equal(info.ram[1].size, 0x700000);
    assert_true(reserves(0, 4096));
    assert_true(reserves(0x7E0000, 0x20000));
    assert_false(reserves(0xF0000, 0x10000)); // lies in no RAM
    assert_true(reserves(address_of(0), sizeof(struct start_info)));
    assert_true(reserves(address_of(MEMMAP_AT), 4 * sizeof(struct entry)));
    assert_true(reserves(address_of(MODULES_AT), sizeof(struct module)));
    assert_true(reserves(0x300000, 0x1234));
    assert_true(reserves(address_of(TEXT_AT), 6));
    assert_int_equal(info.reserved_count, 7);
    // The copy holds the used part alone, and says so.
    assert_int_equal(info.fdt_size, 1100);
    assert_memory_equal((const uint8_t *)info.fdt + 8, machine.tree + 8, 1100 - 8);
    assert_memory_equal((const uint8_t *)info.fdt + 4, "\0\0\x04\x4C", 4);
    assert_true(boot_is_microvm());
}

static void test_start_info(void **state)
{
    (void)state;
    start_info()->magic++;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_FIRMWARE);
    good(NULL);
    start_info()->version = 0; // without a memory map
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_FIRMWARE);
    good(NULL);
    boot_start_info = 0;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_FIRMWARE);
    boot_start_info = 0xFFFFFFF0; // runs past what is mapped
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_FIRMWARE);
}

static void test_memmap(void **state)
{
    static const uint64_t bad[] = {0, UINT64_C(0x100000000), UINT64_MAX - 8, 0xFFFFFFF0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        good(NULL);
        start_info()->memmap = bad[i];
        assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    }
    good(NULL);
    start_info()->memmap_entries = 0;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    start_info()->memmap_entries = UINT32_MAX;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    memmap()[0].type = memmap()[2].type = 2; // nothing is RAM
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    memmap()[2].size = UINT64_MAX; // RAM that wraps around
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    memmap()[3].size = UINT64_MAX; // a hole that wraps around is no hole in RAM
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_int_equal(info.reserved_count, 6);
    good(NULL);
    memmap()[3].size = 0;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
}

// One more region than fits: refused, because what is left out could be the one that matters.
static void test_too_many(void **state)
{
    (void)state;
    start_info()->memmap_entries = BOOT_REGIONS_MAX + 1;
    for (uint32_t i = 0; i <= BOOT_REGIONS_MAX; i++)
        memmap()[i] = (struct entry){0x100000 + 0x2000 * i, 0x1000, 1, 0};
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    memmap()[0] = (struct entry){0x100000, 0x1000000, 1, 0};
    for (uint32_t i = 1; i <= BOOT_REGIONS_MAX; i++)
        memmap()[i].type = 2;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
}

static void test_modules(void **state)
{
    struct module *module = (struct module *)(area + MODULES_AT);

    (void)state;
    module->command_line = address_of(TEXT_AT + 2);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_true(reserves(address_of(TEXT_AT + 2), 4));
    module->command_line = UINT64_C(1) << 40;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    module->base = UINT64_MAX; // wraps around
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    start_info()->module_count = 1000;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    start_info()->modules = UINT64_C(0x100000000);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_MEMORY_MAP);
    good(NULL);
    start_info()->module_count = 0; // then nobody looks at the pointer
    start_info()->modules = UINT64_MAX;
    start_info()->command_line = 0;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
}

static void test_tree_absent(void **state)
{
    (void)state;
    machine.has_tree = false;
    machine.files = UINT32_MAX; // a directory without end is not read without end
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_null(info.fdt);
    machine.present = false;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_null(info.fdt);
}

// The other fields of the header: {offset, value} that makes it senseless.
static void test_tree_broken(void **state)
{
    static const uint32_t bad[][2] = {
        {0, 0xD00DFEEE}, {4, TREE_FILE_SIZE + 1}, {4, 1000},      {8, UINT32_MAX},
        {8, 65000},      {12, UINT32_MAX},        {32, 65000},    {32, UINT32_MAX},
        {36, 20000},     {36, UINT32_MAX},        {16, 0x100000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        good(NULL);
        put32(machine.tree + bad[i][0], bad[i][1]);
        assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_DEVICE_TREE);
    }
    good(NULL);
    put32(machine.tree + 8, 0); // an empty tree whose blocks end inside the header
    put32(machine.tree + 36, 0);
    put32(machine.tree + 12, 0);
    put32(machine.tree + 32, 8);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_DEVICE_TREE);
    good(NULL);
    machine.tree_size = 39;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_DEVICE_TREE);
}

static void test_other_machine(void **state)
{
    (void)state;
    machine.tree[100] = 'L';
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_non_null(info.fdt);
    assert_false(boot_is_microvm());
}

static uint32_t serial_count;

static void serial_add(const struct fixed_device *device)
{
    serial_count++;
    assert_string_equal(device->compatible, "ns16550a");
    assert_int_equal(device->base, 0x3F8);
    assert_int_equal(device->size, 8);
    assert_true(device->is_ports);
}

static void test_serial(void **state)
{
    (void)state;
    serial_count = 0;
    arch_fixed_devices(serial_add);
    assert_int_equal(serial_count, 1);
    machine.has_serial = false;
    arch_fixed_devices(serial_add);
    assert_int_equal(serial_count, 1);
}

// ---- ACPI ----

static struct pci_host host;

static void tables_make(uint8_t *at)
{
    acpi_sample_make(at, (uint64_t)(uintptr_t)at, 0);
}

static void serial_line_is_5(const struct fixed_device *device)
{
    assert_int_equal(device->line, 5);
    serial_count++;
}

static void test_tables(void **state)
{
    uint8_t *tables = area + TABLES_AT;

    (void)state;
    machine.has_tree = false;
    tables_make(tables);
    start_info()->rsdp = address_of(TABLES_AT);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_non_null(boot_acpi());
    assert_int_equal(boot_acpi()->pm1a_control, 0x604);
    assert_true(boot_is_q35());
    // The serial line goes where the tables say.
    acpi_put(tables, SAMPLE_MADT + 77, 4, 1);
    acpi_sample_seal(tables);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    serial_count = 0;
    arch_fixed_devices(serial_line_is_5);
    assert_int_equal(serial_count, 1);
    tables[SAMPLE_MADT + 20]++;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_TABLES);
    assert_null(boot_acpi());
    assert_true(boot_is_q35()); // or nobody could power it off
    start_info()->rsdp = UINT64_C(0x100000000) - 16;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_TABLES);
    start_info()->rsdp = UINT64_MAX;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_TABLES);
}

// A loader that says nothing: extended data area first, then the BIOS area, and no further.
static void test_tables_search(void **state)
{
    uint8_t *ebda = bios + (EBDA - BIOS_FIRST);
    uint8_t *high = bios + (BIOS_AREA - BIOS_FIRST);

    (void)state;
    machine.has_tree = false;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_null(boot_acpi());
    tables_make(high + 0x1F000);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_non_null(boot_acpi());
    assert_int_equal(boot_acpi()->hpet, 0xFED00000);
    tables_make(ebda);
    acpi_put(ebda, SAMPLE_HPET + 44, 0xFED01000, 8);
    acpi_sample_seal(ebda);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_int_equal(boot_acpi()->hpet, 0xFED01000);
    machine.ebda = 0; // none
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_int_equal(boot_acpi()->hpet, 0xFED00000);
    machine.ebda = 0xFFFF; // reaches beyond the first MiB
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_int_equal(boot_acpi()->hpet, 0xFED00000);
    high[0x1F000 + 16]++; // a sum that is wrong: not found, as if it were none
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_null(boot_acpi());
}

// A tree says everything: nobody looks at tables beside it.
static void test_tables_beside_tree(void **state)
{
    (void)state;
    start_info()->rsdp = 1;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
}

static void test_pci_host(void **state)
{
    uint8_t *tables = area + TABLES_AT;

    (void)state;
    machine.has_tree = false;
    tables_make(tables);
    start_info()->rsdp = address_of(TABLES_AT);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_true(arch_pci_host(&host));
    assert_int_equal(host.config, 0xB0000000);
    assert_int_equal(host.config_size, 0x10000000);
    assert_int_equal(host.bus_first, 0);
    assert_int_equal(host.bus_last, 255);
    assert_int_equal(host.node, -1);
    assert_int_equal(host.window_count, 1);
    assert_int_equal(host.windows[0].address, 0xC0000000);
    assert_int_equal(host.windows[0].bus_address, 0xC0000000);
    assert_int_equal(host.windows[0].size, 0x3EC00000);
    assert_int_equal(host.lines[0][0], 20);
    assert_int_equal(host.lines[1][0], 21);
    assert_int_equal(host.lines[3][1], 20);
    assert_int_equal(host.lines[24][3], 23);
    assert_int_equal(host.lines[25][0], 16);
    assert_int_equal(host.lines[31][3], 19);
    assert_int_equal(host.lines[30][0], 20);

    // Not all buses: configuration space begins at the first one, and nobody knows the pins.
    tables[SAMPLE_MCFG + 54] = 2;
    acpi_sample_seal(tables);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_true(arch_pci_host(&host));
    assert_int_equal(host.config, 0xB0200000);
    assert_int_equal(host.config_size, 0xFE00000);
    assert_int_equal(host.bus_first, 2);
    assert_int_equal(host.lines[1][0], ARCH_LINE_NONE);

    tables[SAMPLE_MCFG + 52] = 1; // another segment alone
    acpi_sample_seal(tables);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_false(arch_pci_host(&host));
}

// What only q35's bytecode says is believed of q35 alone.
static void test_pci_host_unknown(void **state)
{
    (void)state;
    machine.has_tree = false;
    machine.bridge = 0x12378086;
    tables_make(area + TABLES_AT);
    start_info()->rsdp = address_of(TABLES_AT);
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_false(boot_is_q35());
    assert_true(arch_pci_host(&host));
    assert_int_equal(host.window_count, 0);
    assert_int_equal(host.lines[1][0], ARCH_LINE_NONE);
    machine.bridge = 0x29C08086;
    machine.present = false; // the chipset, but no emulator
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_false(boot_is_q35());
    start_info()->rsdp = 0;
    assert_int_equal(arch_boot_info(&info), RUMPK_BOOT_CAUSE_NONE);
    assert_false(arch_pci_host(&host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, good),
        cmocka_unit_test_setup(test_start_info, good),
        cmocka_unit_test_setup(test_memmap, good),
        cmocka_unit_test_setup(test_too_many, good),
        cmocka_unit_test_setup(test_modules, good),
        cmocka_unit_test_setup(test_tree_absent, good),
        cmocka_unit_test_setup(test_tree_broken, good),
        cmocka_unit_test_setup(test_other_machine, good),
        cmocka_unit_test_setup(test_serial, good),
        cmocka_unit_test_setup(test_tables, good),
        cmocka_unit_test_setup(test_tables_search, good),
        cmocka_unit_test_setup(test_tables_beside_tree, good),
        cmocka_unit_test_setup(test_pci_host, good),
        cmocka_unit_test_setup(test_pci_host_unknown, good),
    };

    area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                -1, 0);
    bios = mmap((void *)(uintptr_t)BIOS_FIRST, BIOS_SIZE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (area == MAP_FAILED || bios == MAP_FAILED) {
        perror("test_boot_x86_64: no memory below 4 GiB");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
