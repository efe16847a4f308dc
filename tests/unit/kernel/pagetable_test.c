// SPDX-License-Identifier: Apache-2.0
//
// Goal: roots share what they must share and nothing else, and what a mapping allows is what was
// asked for. Method: the kernel's page-table code with the real entry codec of each architecture
// (this file is built once per architecture), tables in ordinary memory; addresses that are mapped
// are numbers only and never touched.
#include <kernel/pagetable.h>

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

_Noreturn void kernel_assert_failed(void)
{
    abort();
}

#ifdef KERNEL_TEST_AARCH64
uint64_t arch_pte_guarded; // aarch64: the processor has no landing pads
#endif

#define POOL_PAGES 64u
#define RAM        UINT64_C(0x40000000)

static alignas(4096) uint8_t pool_memory[POOL_PAGES * 4096];

static int begin(void **state)
{
    (void)state;
    memset(pool_memory, 0xEE, sizeof(pool_memory)); // what the pool hands out is not clean
    pagetable_pool_add((uint64_t)(uintptr_t)pool_memory, sizeof(pool_memory));
    return 0;
}

static void rights(void **state)
{
    struct pagetable table;

    (void)state;
    assert_true(pagetable_new(&table, NULL));
    for (uint32_t prot = 1; prot < 32; prot++) {
        uint64_t va = RAM + prot * PAGE_SIZE, pa = 0;
        uint32_t got = 0, asked = prot & ~PROT_DEVICE;

        if ((prot & 7) == 0 || ((prot & PROT_WRITE) != 0 && (prot & PROT_EXECUTE) != 0))
            continue; // nothing, and W^X: never asked for
        if ((prot & PROT_DEVICE) != 0 && (prot & PROT_EXECUTE) != 0)
            continue; // code in registers: never asked for either
        assert_true(pagetable_map(&table, va, va + 0x1000000, PAGE_SIZE, prot));
        assert_true(pagetable_walk(&table, va + 5, &pa, &got));
        assert_int_equal(pa, va + 0x1000000 + 5);
        if ((asked & PROT_WRITE) != 0)
            asked |= PROT_READ;
        // A processor may not be able to leave out READ; it must never add WRITE, EXECUTE or USER.
        assert_int_equal(got & (PROT_WRITE | PROT_EXECUTE | PROT_USER),
                         asked & (PROT_WRITE | PROT_EXECUTE | PROT_USER));
        if ((asked & PROT_READ) != 0)
            assert_true((got & PROT_READ) != 0);
    }
}

static void sharing(void **state)
{
    struct pagetable template, driver, other;
    uint64_t pa = 0;
    uint32_t prot = 0;

    (void)state;
    assert_true(pagetable_new(&template, NULL));
    assert_true(pagetable_map(&template, RAM, RAM, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE));
    assert_true(pagetable_new(&driver, &template));
    assert_true(pagetable_new(&other, &template));
    // What the template maps is seen by both.
    assert_true(pagetable_walk(&driver, RAM + PAGE_SIZE, &pa, &prot));
    assert_int_equal(prot & PROT_USER, 0);
    // A page of the driver's own, in the very table that all share: nobody else sees it.
    assert_true(pagetable_map(&driver, RAM + 8 * PAGE_SIZE, RAM + 8 * PAGE_SIZE, PAGE_SIZE,
                              PROT_READ | PROT_USER));
    assert_true(pagetable_walk(&driver, RAM + 8 * PAGE_SIZE, &pa, &prot));
    assert_true((prot & PROT_USER) != 0);
    assert_false(pagetable_walk(&template, RAM + 8 * PAGE_SIZE, &pa, &prot));
    assert_false(pagetable_walk(&other, RAM + 8 * PAGE_SIZE, &pa, &prot));
    // And the driver still sees the kernel's pages there.
    assert_true(pagetable_walk(&driver, RAM, &pa, &prot));
    assert_int_equal(prot & (PROT_READ | PROT_WRITE | PROT_USER), PROT_READ | PROT_WRITE);
    pagetable_unmap(&driver, RAM + 8 * PAGE_SIZE, PAGE_SIZE);
    assert_false(pagetable_walk(&driver, RAM + 8 * PAGE_SIZE, &pa, &prot));
    assert_true(pagetable_walk(&template, RAM, &pa, &prot));
}

static void bad_ranges(void **state)
{
    struct pagetable table;
    uint64_t pa;
    uint32_t prot;
    const uint64_t bad[][3] = {
        {RAM + 1, RAM, PAGE_SIZE},
        {RAM, RAM + 8, PAGE_SIZE},
        {RAM, RAM, 100},
        {RAM, RAM, 0},
        {ARCH_ADDRESS_LIMIT, RAM, PAGE_SIZE},
        {RAM, ARCH_ADDRESS_LIMIT, PAGE_SIZE},
        {ARCH_ADDRESS_LIMIT - PAGE_SIZE, RAM, 2 * PAGE_SIZE},
        {~PAGE_MASK, RAM, PAGE_SIZE},
        {~PAGE_MASK, RAM, 2 * PAGE_SIZE},
        {RAM, RAM, ~PAGE_MASK},
    };

    (void)state;
    assert_true(pagetable_new(&table, NULL));
    for (unsigned i = 0; i < COUNT_OF(bad); i++)
        assert_false(pagetable_map(&table, bad[i][0], bad[i][1], bad[i][2], PROT_READ));
    assert_false(pagetable_walk(&table, ARCH_ADDRESS_LIMIT, &pa, &prot));
    assert_false(pagetable_walk(&table, UINT64_MAX, &pa, &prot));
    assert_false(pagetable_walk(&table, 0, &pa, &prot));
}

// Prepared tables need no pool; an empty pool is an answer, not a crash.
static void empty_pool(void **state)
{
    struct pagetable table, late;
    uint64_t unit = RAM, pa;
    uint32_t prot;

    (void)state;
    assert_true(pagetable_new(&table, NULL));
    assert_true(pagetable_prepare(&table, RAM, UNIT_SIZE));
    while (pagetable_map(&table, unit + UNIT_SIZE, RAM, PAGE_SIZE, PROT_READ))
        unit += UNIT_SIZE;
    assert_int_equal(pagetable_pool_free(), 0);
    assert_false(pagetable_new(&late, &table));
    assert_true(pagetable_map(&table, RAM + 7 * PAGE_SIZE, RAM, PAGE_SIZE, PROT_READ));
    assert_true(pagetable_walk(&table, RAM + 7 * PAGE_SIZE, &pa, &prot));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights),
        cmocka_unit_test(sharing),
        cmocka_unit_test(bad_ranges),
        cmocka_unit_test(empty_pool),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
