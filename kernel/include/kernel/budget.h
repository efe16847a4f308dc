// SPDX-License-Identifier: Apache-2.0
//
// budget.h: how long a fiber may keep the processor: three measures, each against another misuse.
//
// Slice: whose turn it is. Photon 2 ms, Matter 10 ms, Gravity 50 ms, Void 50 ms. A fiber whose turn
// has lasted a slice of the spectrum that it runs in goes to the end of its queue.
//
// Budget per window: what looser ones are sure of. A window is BUDGET_WINDOW_MS long and begins
// when the fiber runs for the first time after the last one. In it the fiber may use its budget in
// its own spectrum. When that is used up it is throttled: it runs in Void until the window ends, so
// it loses nothing when nobody else wants the processor. The budget of a fiber is its spectrum's
// share divided among the fibers of that spectrum, whatever their number, or what the manifests of
// package and image say (`budget`), whichever is less; so in each window
//
//   Photon  Matter  Gravity  Void           a fiber that floods and keeps calling recv or wait
//     50      25      15      10 percent    cannot take away more than its part of its share
//
// A fiber that is throttled while others want to run BUDGET_WINDOWS windows in a row gets a strike,
// but is never ended for that: it waits, it is only too busy.
//
// Overrun: a fiber that uses up BUDGET_SLICES slices of the spectrum it was given without once
// calling recv or wait gets a strike; Void never gets one. So does the holder of an interrupt line
// that is held back INTERRUPT_STORMS windows in a row (interrupt.h).
//
//   first strike    a record in the ledger
//   second strike   and it falls to the next looser spectrum
//   third strike    fault BUDGET
//
// Strikes are forgotten, and the fall with them, when BUDGET_FORGET_S have passed since the last
// one. What counts is how often the timer found the fiber running, not how far the clock got: a
// machine that stands still (an emulator on a busy host) costs nobody more than one slice. Kernel
// work in a fiber's name (work.h) is charged to slice and window, but is no overrun.
//
// A fiber that runs on a loan (lend.h) is charged to the client's window.
#ifndef KERNEL_BUDGET_H
#define KERNEL_BUDGET_H

#include <kernel/fiber.h>

#define BUDGET_WINDOW_MS 100u
#define BUDGET_WINDOWS   10u
#define BUDGET_SLICES    4u
#define BUDGET_STRIKES   3u
#define BUDGET_FORGET_S  10u

// What the manifests of package and image say together, in microseconds, each of which may say
// nothing: 0. An owner's word can only narrow what the package asks for.
uint32_t budget_said(uint32_t asked_us, uint32_t given_us);
// Before the first fiber runs: gives every loaded fiber its budget.
void budget_share(void);

void budget_begin(struct fiber *fiber);  // it gets the processor
void budget_charge(struct fiber *fiber); // it loses it, or its use so far is wanted
void budget_rest(struct fiber *fiber);   // it has waited or yielded: a new slice, a clean count
static inline void budget_mark(struct fiber *fiber) // it has called recv or wait
{
    fiber->slices = 0;
}
bool budget_is_used(struct fiber *fiber); // a turn or a slice, by what was charged
// A slice is used up. Returns unless that was the last strike.
void budget_overrun(struct fiber *fiber);
// A line of its device was held back for long. Returns unless `fiber` runs and that was the last
// strike.
void budget_storm(struct fiber *fiber);
// The fiber is throttled and its window is over: it gets a new one.
void budget_renew(struct fiber *fiber, uint64_t now);

#endif
