// SPDX-License-Identifier: Apache-2.0
//
// budget.c: slices and strikes. The rules stand in budget.h.
#include <kernel/budget.h>
#include <kernel/ledger.h>
#include <kernel/record.h>
#include <kernel/timer.h>

static const uint8_t slice_ms[RUMPK_SPECTRUM_COUNT] = {
    [RUMPK_SPECTRUM_PHOTON] = 2,
    [RUMPK_SPECTRUM_MATTER] = 10,
    [RUMPK_SPECTRUM_GRAVITY] = 50,
    [RUMPK_SPECTRUM_VOID] = 50,
};

static uint64_t slice_of(const struct fiber *fiber)
{
    return rumpk_boot_record.timer_hz * slice_ms[fiber->spectrum_given] / 1000;
}

void budget_begin(struct fiber *fiber)
{
    uint64_t slice = slice_of(fiber);

    fiber->entered = record_ticks();
    timer_need(fiber->entered + (fiber->slice_used < slice ? slice - fiber->slice_used : 0));
}

void budget_charge(struct fiber *fiber)
{
    uint64_t now = record_ticks();
    uint64_t used = now > fiber->entered ? now - fiber->entered : 0;

    fiber->entered = now;
    fiber->slice_used += used;
    fiber->run_ticks += used;
}

void budget_rest(struct fiber *fiber)
{
    fiber->slice_used = 0;
    budget_mark(fiber);
}

bool budget_is_used(const struct fiber *fiber)
{
    return fiber->slice_used >= slice_of(fiber);
}

static void strike(struct fiber *fiber)
{
    struct rumpk_ledger_record record = fiber_record(fiber, RUMPK_LEDGER_STRIKE, 0);
    uint64_t now = record_ticks();

    if (fiber->strikes != 0 &&
        now - fiber->strike_last > rumpk_boot_record.timer_hz * BUDGET_FORGET_S) {
        fiber->strikes = 0;
        fiber->spectrum = fiber->spectrum_given;
    }
    fiber->strike_last = now;
    fiber->strikes++;
    if (fiber->strikes >= BUDGET_STRIKES)
        fiber_fault_call(fiber, RUMPK_FAULT_BUDGET, 0);
    if (fiber->strikes == BUDGET_STRIKES - 1 && fiber->spectrum < RUMPK_SPECTRUM_VOID)
        fiber->spectrum++;
    record.code = (uint16_t)fiber->strikes;
    record.pc = arch_frame_pc(&fiber->frame);
    record.detail = fiber->run_ticks;
    ledger_append(&record);
}

void budget_overrun(struct fiber *fiber)
{
    fiber->slice_used = 0;
    if (fiber->spectrum_given == RUMPK_SPECTRUM_VOID || ++fiber->slices < BUDGET_SLICES)
        return;
    fiber->slices = 0;
    strike(fiber);
}
