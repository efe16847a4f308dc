// SPDX-License-Identifier: Apache-2.0
//
// timer.h: the one timer of the core, tickless: armed only while something waits for a time, and
// for the earliest such time. All times are ticks since kernel entry.
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include <kernel/base.h>

// At boot: does the counter go forward? Looked at a bounded number of times.
[[nodiscard]] bool timer_runs(void);

#define TIMER_NEVER UINT64_MAX

// A timer interrupt comes at `when` or earlier. An earlier one that is armed already stays: setting
// the timer is dear, and who is woken too early looks and asks again.
void timer_need(uint64_t when);
// Exactly at `when`: before the machine idles, so that no interrupt comes for what is over.
void timer_exact(uint64_t when);
// The hardware says that the timer has expired, or may have: has the armed time passed? Then
// nothing is armed any more, and the interrupt is counted.
[[nodiscard]] bool timer_expired(void);

#endif
