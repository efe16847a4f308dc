// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a PVH loader and fw_cfg hand over, boot.c of x86_64 takes it as the formats say or
// refuses it with the right cause, and never reads outside it. Method: the real boot.c; the start
// info lies in a page below 4 GiB, the fw_cfg device is a few lines here. Every broken input
// differs from the good one in one place.
#define _GNU_SOURCE
#include <arch/arch.h>
#include <rumpk/ledger.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

uint32_t boot_start_info; // entry.S has it in the kernel

// ---- the machine ----

#define AREA_SIZE      0x20000u
#define MEMMAP_AT      0x1000u
#define MODULES_AT     0x4000u
#define TEXT_AT        0x8000u
#define TREE_FILE_SIZE 65536u

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
static struct boot_info info;

static struct {
    bool present, has_tree, has_serial;
    uint32_t files; // what the directory claims
    uint16_t selected;
    uint32_t at;
    uint8_t tree[TREE_FILE_SIZE];
    uint32_t tree_size;
    uint8_t scratch;
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
    };

    area = mmap(NULL, AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                -1, 0);
    if (area == MAP_FAILED) {
        perror("test_boot_x86_64: no memory below 4 GiB");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
