// SPDX-License-Identifier: Apache-2.0
//
// budget.h: how long a fiber may keep the processor.
//
// A slice is what a spectrum gives at a time: Photon 2 ms, Matter 10 ms, Gravity 50 ms; Void 50 ms,
// which only makes fibers of Void take turns. A fiber whose slice is used up goes to the end of its
// queue. A fiber that uses up BUDGET_SLICES slices in a row without once calling recv or wait has
// overrun its budget and gets a strike; Void never gets one. The slices of a fiber are those of the
// spectrum that the boot manifest gave it.
//
//   first strike    a record in the ledger
//   second strike   and it falls to the next looser spectrum
//   third strike    fault BUDGET
//
// Strikes are forgotten, and the fall with them, when BUDGET_FORGET_S have passed since the last
// one. What counts is how often the timer found the fiber running, not how far the clock got: a
// machine that stands still (an emulator on a busy host) costs nobody more than one slice.
#ifndef KERNEL_BUDGET_H
#define KERNEL_BUDGET_H

#include <kernel/fiber.h>

#define BUDGET_SLICES   4u
#define BUDGET_STRIKES  3u
#define BUDGET_FORGET_S 10u

void budget_begin(struct fiber *fiber);  // it gets the processor
void budget_charge(struct fiber *fiber); // it loses it, or its use so far is wanted
void budget_rest(struct fiber *fiber);   // it has waited or yielded: a new slice, a clean count
static inline void budget_mark(struct fiber *fiber) // it has called recv or wait
{
    fiber->slices = 0;
}
bool budget_is_used(const struct fiber *fiber); // the slice, by what was charged
// A slice is used up. Returns unless that was the last strike.
void budget_overrun(struct fiber *fiber);

#endif
