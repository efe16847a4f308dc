// SPDX-License-Identifier: Apache-2.0
//
// Goal: a fiber's budget is what the manifests say, never above its part of its spectrum's share,
// never "no limit" by rounding; used up, it throttles until the window ends. Method:
// kernel/core/budget.c with a clock that the test sets; fibers are states only.
#include <kernel/budget.h>
#include <kernel/ledger.h>
#include <kernel/lend.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/timer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HZ UINT64_C(10000000)

// ---- what budget.c stands on ----

struct fiber fiber_table[FIBER_COUNT];
struct rumpk_boot_record rumpk_boot_record;
static uint64_t clock_now, timer_at;

uint64_t record_ticks(void)
{
    return clock_now;
}

void timer_need(uint64_t when)
{
    timer_at = when;
}

uint32_t lend_rank(struct fiber *fiber)
{
    return fiber->is_throttled ? RUMPK_SPECTRUM_VOID : fiber->spectrum;
}

void sched_requeue(struct fiber *fiber)
{
    (void)fiber;
}

bool sched_is_wanted(void)
{
    return false;
}

void lend_again(struct fiber *fiber)
{
    (void)fiber;
}

struct fiber *lend_payer(struct fiber *fiber)
{
    return fiber;
}

struct fiber *fiber_current(void)
{
    return NULL;
}

struct rumpk_ledger_record fiber_record(const struct fiber *fiber, enum rumpk_ledger_kind kind,
                                        uint32_t code)
{
    (void)fiber;
    return (struct rumpk_ledger_record){.kind = (uint16_t)kind, .code = (uint16_t)code};
}

uint64_t arch_frame_pc(const struct arch_frame *frame)
{
    (void)frame;
    return 0;
}

// Nobody here earns a strike.
void ledger_append(struct rumpk_ledger_record *record)
{
    (void)record;
    abort();
}

void fiber_condemn(struct fiber *fiber, enum rumpk_fault fault)
{
    (void)fiber;
    (void)fault;
    abort();
}

void fiber_fault_call(struct fiber *fiber, enum rumpk_fault fault, uint64_t address)
{
    (void)fiber;
    (void)fault;
    (void)address;
    abort();
}

// ---- cases ----

static void fiber_make(uint32_t number, uint32_t spectrum, uint32_t budget_us)
{
    fiber_table[number] = (struct fiber){.number = number,
                                         .state = FIBER_NEW,
                                         .spectrum = spectrum,
                                         .spectrum_given = spectrum,
                                         .budget_us = budget_us};
}

static void machine_make(uint64_t hz)
{
    memset(fiber_table, 0, sizeof fiber_table);
    rumpk_boot_record.timer_hz = hz;
    clock_now = 0;
}

static void both_manifests_are_heard(void **state)
{
    (void)state;
    static const struct {
        uint32_t asked, given, said;
    } rows[] = {{0, 0, 0},
                {500, 0, 500},
                {0, 300, 300},
                {500, 300, 300},
                {300, 500, 300}, // an owner who gives more than asked for gives what was asked for
                {1, RUMPK_BUDGET_US_MAX, 1},
                {RUMPK_BUDGET_US_MAX, RUMPK_BUDGET_US_MAX, RUMPK_BUDGET_US_MAX}};

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
        assert_int_equal(budget_said(rows[row].asked, rows[row].given), rows[row].said);
}

static void nothing_exceeds_the_share(void **state)
{
    (void)state;
    static const struct {
        uint64_t hz;
        uint32_t spectrum, budget_us, others;
        uint64_t budget;
    } rows[] = {
        {HZ, RUMPK_SPECTRUM_PHOTON, 0, 0, 500000},
        {HZ, RUMPK_SPECTRUM_MATTER, 0, 0, 250000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 0, 0, 150000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 0, 2, 50000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 500, 0, 5000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 15000, 0, 150000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 15001, 0, 150000},
        {HZ, RUMPK_SPECTRUM_GRAVITY, 5001, 2, 50000},
        {HZ, RUMPK_SPECTRUM_PHOTON, RUMPK_BUDGET_US_MAX, 0, 500000},
        {HZ, RUMPK_SPECTRUM_VOID, 0, 0, 0},
        {HZ, RUMPK_SPECTRUM_VOID, 1, 0, 0},
        // A slow clock: less than a tick is one, for 0 would be no limit.
        {32768, RUMPK_SPECTRUM_PHOTON, 1, 0, 1},
        {UINT64_C(10000000000), RUMPK_SPECTRUM_PHOTON, RUMPK_BUDGET_US_MAX, 0, 500000000},
    };

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        machine_make(rows[row].hz);
        fiber_make(0, rows[row].spectrum, rows[row].budget_us);
        for (uint32_t other = 1; other <= rows[row].others; other++)
            fiber_make(other, rows[row].spectrum, 0);
        budget_share();
        assert_int_equal(fiber_table[0].budget, rows[row].budget);
        assert_int_equal(fiber_table[rows[row].others + 1].budget, 0); // a free one
    }
}

static void used_up_it_throttles_until_the_window_ends(void **state)
{
    (void)state;
    struct fiber *fiber = &fiber_table[0];

    machine_make(HZ);
    fiber_make(0, RUMPK_SPECTRUM_GRAVITY, 1000);
    budget_share();
    clock_now = 7;
    budget_begin(fiber);
    assert_int_equal(timer_at, 7 + HZ / 1000);
    clock_now += HZ / 1000 - 1;
    budget_charge(fiber);
    assert_false(fiber->is_throttled);
    clock_now += 1;
    budget_charge(fiber);
    assert_true(fiber->is_throttled);
    assert_int_equal(fiber->throttled, 1);
    assert_int_equal(fiber->window_end, 7 + HZ / 10);
    clock_now = 7 + HZ / 10 - 1;
    budget_begin(fiber); // not over yet
    assert_true(fiber->is_throttled);
    clock_now = 7 + HZ / 10;
    budget_renew(fiber, clock_now);
    assert_false(fiber->is_throttled);
    budget_rest(fiber);
    budget_begin(fiber);
    assert_int_equal(timer_at, clock_now + HZ / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_manifests_are_heard),
        cmocka_unit_test(nothing_exceeds_the_share),
        cmocka_unit_test(used_up_it_throttles_until_the_window_ends),
    };
    return cmocka_run_group_tests_name("kernel.budget", tests, NULL, NULL);
}
