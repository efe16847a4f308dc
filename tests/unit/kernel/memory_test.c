// SPDX-License-Identifier: Apache-2.0
//
// Goal: no page that the firmware, the kernel, its archive, its tables or nobody owns is ever given
// to a driver; stacks keep their distance; the SysTable page is reserved first where it is RAM.
// Method: memory.c on a machine in one process (host_machine.h). Each case runs in a child, because
// a kernel boots once. Random memory maps with a fixed seed.
#include "host_machine.h"

#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GIVEN_MAX 4096u
#define CHECK(condition)                                            \
    do {                                                            \
        if (!(condition)) {                                         \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                               \
        }                                                           \
    } while (0)

static struct boot_info info;
extern struct rumpk_image_header machine_image_header __asm__("rumpk_image_header");

// 0: as it should be.
static int in_child(void (*body)(void))
{
    pid_t child;
    int status = 0;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL); // not the test library's: the child ends
        alarm(60);
        body();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void ram_add(uint64_t base, uint64_t size)
{
    info.ram[info.ram_count++] = (struct boot_region){.base = base, .size = size};
}

static void reserved_add(uint64_t base, uint64_t size)
{
    info.reserved[info.reserved_count++] = (struct boot_region){.base = base, .size = size};
}

static void boot(void)
{
    memory_init(&info);
    memory_mmu_on(&info);
    CHECK(false); // must not come so far
}

static void boot_and_return(void)
{
    memory_init(&info);
    memory_mmu_on(&info);
    arch_user_return(NULL);
}

static bool boot_ok(void)
{
    return machine_run(boot_and_return) == MACHINE_RUNNING;
}

static bool is_forbidden(uint64_t page)
{
    uint64_t kernel = link_address(__kernel_start);

    if (range_overlaps(page, PAGE_SIZE, kernel, link_address(__kernel_end) - kernel) || page == 0)
        return true;
    if (range_overlaps(page, PAGE_SIZE, machine_image_header.archive_base,
                       machine_image_header.archive_size))
        return true;
    for (uint32_t index = 0; index < info.reserved_count; index++) {
        if (range_overlaps(page, PAGE_SIZE, info.reserved[index].base, info.reserved[index].size))
            return true;
    }
    return false;
}

static bool is_in_ram(uint64_t page)
{
    for (uint64_t at = page; at < page + PAGE_SIZE; at += 512) {
        bool found = false;

        for (uint32_t index = 0; index < info.ram_count; index++)
            found |= range_contains(info.ram[index].base, info.ram[index].size, at, 512);
        if (!found)
            return false;
    }
    return true;
}

static uint64_t given[GIVEN_MAX];
static uint32_t given_count;

static void given_add(uint64_t base, uint64_t pages)
{
    for (uint64_t page = base; page < base + pages * PAGE_SIZE; page += PAGE_SIZE) {
        uint64_t pa;
        uint32_t prot;

        CHECK(!is_forbidden(page));
        CHECK(is_in_ram(page));
        CHECK(page != memory_systable_page());
        CHECK(bytes_are_zero((const void *)(uintptr_t)page, PAGE_SIZE));
        CHECK(pagetable_walk(&memory_kernel_table, page, &pa, &prot) && pa == page);
        CHECK(prot == (PROT_READ | PROT_WRITE));
        CHECK(!pagetable_walk(&memory_template_table, page, &pa, &prot));
        for (uint32_t index = 0; index < given_count; index++)
            CHECK(given[index] != page);
        if (given_count < GIVEN_MAX)
            given[given_count++] = page;
        *(uint64_t *)(uintptr_t)page = page; // dirty: a second owner would see it
    }
}

// Takes everything there is, from both ends, in pieces.
static void take_all(void)
{
    uint64_t base;
    bool low = true;

    for (uint32_t round = 0; round < 3000; round++) {
        uint64_t pages = 1 + round * 7 % 23;

        if (low && memory_take_low(pages, &base))
            given_add(base, pages);
        else if (memory_take_high(pages, &base))
            given_add(base, pages);
        low = !low;
    }
    while (memory_take_high(1, &base))
        given_add(base, 1);
    CHECK(memory_pages_free() == 0 || !memory_take_high(1, &base));
}

static void usual(void)
{
    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    reserved_add(MACHINE_RAM, MACHINE_FIRMWARE);
    reserved_add(MACHINE_RAM + 0x800123, 0x1001); // not on page boundaries: whole pages are taken
    machine_image_header.archive_base = MACHINE_ARCHIVE;
    machine_image_header.archive_size = 0x20000;
    CHECK(boot_ok());
    CHECK(memory_systable_page() != RUMPK_SYSTABLE_ADDRESS);
    CHECK(rumpk_boot_record.memory_size == MACHINE_RAM_SIZE);
    take_all();
    CHECK(given_count > 1000);
}

static void systable_in_ram(void)
{
    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    ram_add(RUMPK_SYSTABLE_ADDRESS, PAGE_SIZE);
    CHECK(boot_ok());
    CHECK(memory_systable_page() == RUMPK_SYSTABLE_ADDRESS);
    take_all();
}

static void systable_taken(void)
{
    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    ram_add(RUMPK_SYSTABLE_ADDRESS, PAGE_SIZE);
    reserved_add(RUMPK_SYSTABLE_ADDRESS + 100, 1);
    CHECK(boot_ok());
    CHECK(memory_systable_page() != RUMPK_SYSTABLE_ADDRESS);
}

// The same RAM named twice, in pieces, in any order, with odd edges.
static void ram_overlaps(void)
{
    ram_add(MACHINE_RAM + 0x900000, MACHINE_RAM_SIZE - 0x900000);
    ram_add(MACHINE_RAM, 0x500000);
    ram_add(MACHINE_RAM + 0x400001, 0x600000);
    ram_add(MACHINE_RAM + 0x400001, 0x600000);
    CHECK(boot_ok());
    CHECK(rumpk_boot_record.memory_size == MACHINE_RAM_SIZE);
    take_all();
}

static void ram_absurd(void)
{
    ram_add(UINT64_MAX - 10, 100);
    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    ram_add(0, 0);
    ram_add(ARCH_ADDRESS_LIMIT, UINT64_C(1) << 40);
    reserved_add(UINT64_MAX - 5, 100);
    CHECK(boot_ok());
    CHECK(rumpk_boot_record.memory_size == MACHINE_RAM_SIZE);
}

static void no_ram(void)
{
    CHECK(machine_run(boot) == MACHINE_POWER_OFF);
    CHECK(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_MEMORY_MAP);
}

static void kernel_not_in_ram(void)
{
    ram_add(MACHINE_RAM + 0x400000, 0x400000);
    CHECK(machine_run(boot) == MACHINE_POWER_OFF);
    CHECK(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_MEMORY_MAP);
}

static void too_little(void)
{
    ram_add(MACHINE_KERNEL, link_address(__kernel_end) - MACHINE_KERNEL);
    CHECK(machine_run(boot) == MACHINE_POWER_OFF);
    CHECK(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_MEMORY_SHORT);
}

// An archive that the image header puts where none can be is no archive.
static void archive_elsewhere(void)
{
    uint64_t size;

    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    machine_image_header.archive_base = MACHINE_RAM + MACHINE_RAM_SIZE - 0x1000;
    machine_image_header.archive_size = 0x2000;
    CHECK(boot_ok());
    memory_archive(&size);
    CHECK(size == 0);
}

// What lies below a block is another block, or 64 KiB of nobody.
static void stack_guard(void)
{
    uint64_t base, last_end = 0;

    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    reserved_add(MACHINE_RAM + 0x600000, 0x1000);
    CHECK(boot_ok());
    for (uint32_t round = 0; round < 200 && memory_take_low(9, &base); round++) {
        uint64_t pa;
        uint32_t prot;

        if (base != last_end) {
            for (uint64_t page = base - MEMORY_GUARD_SIZE; page < base; page += PAGE_SIZE)
                CHECK(!pagetable_walk(&memory_kernel_table, page, &pa, &prot));
        }
        last_end = base + 9 * PAGE_SIZE;
        given_add(base, 9);
    }
    take_all();
    for (uint32_t index = 0; index < given_count; index++)
        CHECK(!is_forbidden(given[index]));
}

static void sealed(void)
{
    uint64_t base, pa;
    uint32_t prot;

    ram_add(MACHINE_RAM, MACHINE_RAM_SIZE);
    CHECK(boot_ok());
    CHECK(memory_take_low(3, &base));
    memory_seal(base + PAGE_SIZE, PAGE_SIZE);
    CHECK(pagetable_walk(&memory_kernel_table, base, &pa, &prot) && (prot & PROT_WRITE) != 0);
    CHECK(pagetable_walk(&memory_kernel_table, base + PAGE_SIZE, &pa, &prot) && prot == PROT_READ);
    CHECK(memory_is_ram(base, 1) && !memory_is_ram(0x9000000, 0x1000));
    CHECK(!memory_map_device(base, 16) && memory_map_device(0x9000100, 16));
}

static uint32_t random_value;

static uint64_t random_below(uint64_t limit)
{
    random_value = random_value * 1664525u + 1013904223u;
    return (random_value >> 4) % limit;
}

static void random_map(void)
{
    uint32_t rams = 1 + (uint32_t)random_below(6), reserveds = (uint32_t)random_below(12);

    ram_add(MACHINE_KERNEL, 0x100000);
    for (uint32_t index = 0; index < rams; index++) {
        uint64_t base = random_below(MACHINE_RAM_SIZE);

        ram_add(MACHINE_RAM + base, random_below(MACHINE_RAM_SIZE - base));
    }
    for (uint32_t index = 0; index < reserveds; index++)
        reserved_add(MACHINE_RAM + random_below(MACHINE_RAM_SIZE), random_below(0x40000));
    if (random_below(2) == 0) {
        machine_image_header.archive_base = MACHINE_ARCHIVE;
        machine_image_header.archive_size = (1 + random_below(32)) * PAGE_SIZE;
    }
    if (boot_ok())
        take_all();
    else
        CHECK(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_MEMORY_SHORT ||
              rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_MEMORY_MAP);
}

static void random_maps(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        random_value = seed * 2654435761u;
        if (in_child(random_map) != 0)
            fail_msg("memory map of seed %u", seed);
    }
}

typedef void body(void);

// A pointer to a pointer: an object pointer cannot carry a function's address.
static void run_case(void **state)
{
    assert_int_equal(in_child(**(body ***)state), 0);
}

#define BODIES(X)        \
    X(usual)             \
    X(systable_in_ram)   \
    X(systable_taken)    \
    X(ram_overlaps)      \
    X(ram_absurd)        \
    X(no_ram)            \
    X(too_little)        \
    X(kernel_not_in_ram) \
    X(stack_guard)       \
    X(archive_elsewhere) \
    X(sealed)

#define BODY(name) static body *name##_body = name;
BODIES(BODY)
#define TEST(name) {#name, run_case, NULL, NULL, &name##_body},

int main(void)
{
    const struct CMUnitTest tests[] = {BODIES(TEST) cmocka_unit_test(random_maps)};

    machine_begin();
    return cmocka_run_group_tests_name("kernel.memory", tests, NULL, NULL);
}
