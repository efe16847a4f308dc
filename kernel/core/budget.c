// SPDX-License-Identifier: Apache-2.0
//
// budget.c: slices, windows and strikes. The rules stand in budget.h.
#include <kernel/budget.h>
#include <kernel/ledger.h>
#include <kernel/lend.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/timer.h>

#define US_PER_S 1000000u

static const struct {
    uint8_t slice_ms;
    uint8_t share; // percent of a window; Void has what is left
} rules[RUMPK_SPECTRUM_COUNT] = {
    [RUMPK_SPECTRUM_PHOTON] = {2, 50},
    [RUMPK_SPECTRUM_MATTER] = {10, 25},
    [RUMPK_SPECTRUM_GRAVITY] = {50, 15},
    [RUMPK_SPECTRUM_VOID] = {50, 0},
};

static uint64_t ticks_of_ms(uint32_t ms)
{
    return rumpk_boot_record.timer_hz * ms / 1000;
}

static uint64_t slice_of(uint32_t spectrum)
{
    return ticks_of_ms(rules[spectrum].slice_ms);
}

static uint64_t least(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

// What the manifests leave it, not above its part of its spectrum's share. Void has no budget to
// lose: it gets what nobody else wants.
static uint64_t budget_of(const struct fiber *fiber, uint64_t part)
{
    uint64_t asked = rumpk_boot_record.timer_hz * fiber->budget_us / US_PER_S;

    if (fiber->budget_us == 0 || part == 0)
        return part;
    asked = asked == 0 ? 1 : asked; // no limit is what 0 would mean
    return least(asked, part);
}

uint32_t budget_said(uint32_t asked_us, uint32_t given_us)
{
    if (asked_us == 0 || given_us == 0)
        return asked_us + given_us;
    return asked_us < given_us ? asked_us : given_us;
}

void budget_share(void)
{
    uint32_t counts[RUMPK_SPECTRUM_COUNT] = {0};

    for (uint32_t number = 0; number < FIBER_COUNT; number++) {
        if (fiber_table[number].state != FIBER_FREE)
            counts[fiber_table[number].spectrum_given]++;
    }
    for (uint32_t number = 0; number < FIBER_COUNT; number++) {
        struct fiber *fiber = &fiber_table[number];

        if (fiber->state != FIBER_FREE)
            fiber->budget = budget_of(fiber, ticks_of_ms(BUDGET_WINDOW_MS) *
                                                 rules[fiber->spectrum_given].share / 100 /
                                                 counts[fiber->spectrum_given]);
    }
}

// ---- strikes ----

// `may_end`: the last strike ends the fiber. A fiber that runs does not return from that.
static void strike(struct fiber *fiber, bool may_end)
{
    struct rumpk_ledger_record record = fiber_record(fiber, RUMPK_LEDGER_STRIKE, 0);
    uint64_t now = record_ticks();

    if (fiber->strikes != 0 &&
        now - fiber->strike_last > rumpk_boot_record.timer_hz * BUDGET_FORGET_S) {
        fiber->strikes = 0;
        fiber->spectrum = fiber->spectrum_given;
    }
    fiber->strike_last = now;
    if (!may_end && fiber->strikes == BUDGET_STRIKES - 1)
        return;
    fiber->strikes++;
    if (fiber->strikes >= BUDGET_STRIKES) {
        if (fiber == fiber_current())
            fiber_fault_call(fiber, RUMPK_FAULT_BUDGET, 0);
        fiber_condemn(fiber, RUMPK_FAULT_BUDGET);
        return;
    }
    if (fiber->strikes == BUDGET_STRIKES - 1 && fiber->spectrum < RUMPK_SPECTRUM_VOID) {
        fiber->spectrum++;
        sched_requeue(fiber);
        lend_again(fiber);
    }
    record.code = (uint16_t)fiber->strikes;
    record.pc = arch_frame_pc(&fiber->frame);
    record.detail = fiber->run_ticks;
    ledger_append(&record);
}

void budget_overrun(struct fiber *fiber)
{
    bool is_slice = fiber->slice_used >= slice_of(fiber->spectrum_given);

    fiber->turn_used = 0;
    if (!is_slice)
        return;
    fiber->slice_used = 0;
    if (fiber->spectrum_given == RUMPK_SPECTRUM_VOID || ++fiber->slices < BUDGET_SLICES)
        return;
    fiber->slices = 0;
    strike(fiber, true);
}

void budget_storm(struct fiber *fiber)
{
    if (fiber_is_alive(fiber))
        strike(fiber, true);
}

// ---- windows ----

static void window_begin(struct fiber *fiber, uint64_t now)
{
    if (!fiber->is_throttled)
        fiber->exhausted = 0;
    fiber->window_end = now + ticks_of_ms(BUDGET_WINDOW_MS);
    fiber->window_used = 0;
    fiber->is_throttled = false;
}

void budget_renew(struct fiber *fiber, uint64_t now)
{
    window_begin(fiber, now);
    sched_requeue(fiber);
    lend_again(fiber);
}

static void throttle(struct fiber *fiber)
{
    bool is_wanted = sched_is_wanted();

    fiber->is_throttled = true;
    fiber->throttled++;
    timer_need(fiber->window_end);
    sched_requeue(fiber);
    lend_again(fiber);
    // On a processor that nobody else wants it may be as busy as it likes.
    fiber->exhausted = is_wanted ? fiber->exhausted + 1 : 0;
    if (fiber->exhausted < BUDGET_WINDOWS)
        return;
    fiber->exhausted = 0;
    strike(fiber, false);
}

static bool is_limited(const struct fiber *fiber)
{
    return fiber->budget != 0 && !fiber->is_throttled &&
           fiber->spectrum_given != RUMPK_SPECTRUM_VOID;
}

static uint64_t left_of(uint64_t whole, uint64_t used)
{
    return used < whole ? whole - used : 0;
}

// Until its turn is over. Whether it overruns is asked when it runs itself, not the kernel in its
// name.
static uint64_t turn_left(struct fiber *fiber)
{
    uint64_t turn = left_of(slice_of(lend_rank(fiber)), fiber->turn_used);

    if (fiber->work.step != NULL)
        return turn;
    return least(turn, left_of(slice_of(fiber->spectrum_given), fiber->slice_used));
}

void budget_begin(struct fiber *fiber)
{
    struct fiber *payer = lend_payer(fiber);
    uint64_t now = record_ticks();
    uint64_t left;

    if (now >= payer->window_end) {
        if (payer->is_throttled)
            budget_renew(payer, now);
        else
            window_begin(payer, now);
    }
    fiber->entered = now;
    left = turn_left(fiber);
    if (is_limited(payer))
        left = least(left, left_of(payer->budget, payer->window_used));
    timer_need(now + left);
}

void budget_charge(struct fiber *fiber)
{
    struct fiber *payer = lend_payer(fiber);
    uint64_t now = record_ticks();
    uint64_t used = now > fiber->entered ? now - fiber->entered : 0;

    fiber->entered = now;
    fiber->run_ticks += used;
    fiber->turn_used += used;
    if (fiber->work.step == NULL)
        fiber->slice_used += used;
    // A machine that stood still costs no more than a slice.
    payer->window_used += least(used, slice_of(RUMPK_SPECTRUM_VOID));
    if (is_limited(payer) && now < payer->window_end && payer->window_used >= payer->budget)
        throttle(payer);
}

void budget_rest(struct fiber *fiber)
{
    fiber->turn_used = 0;
    fiber->slice_used = 0;
    budget_mark(fiber);
}

bool budget_is_used(struct fiber *fiber)
{
    return turn_left(fiber) == 0;
}
