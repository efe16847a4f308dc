// SPDX-License-Identifier: Apache-2.0
//
// timer.c: the one timer of the core. `armed` is what the hardware was told.
#include <arch/arch.h>
#include <kernel/record.h>
#include <kernel/statistics.h>
#include <kernel/timer.h>

// A timer that says so often in a row that it is done while the counter stands still is believed,
// so that a broken clock does not take the processor from everybody for ever.
#define EARLY_MAX          64u
#define TIMER_READINGS_MAX 1000000u

static uint64_t armed = TIMER_NEVER;
static uint32_t early_count;

bool timer_runs(void)
{
    uint64_t first = arch_timer_now();

    for (uint32_t reading = 0; reading < TIMER_READINGS_MAX; reading++) {
        if (arch_timer_now() > first)
            return true;
    }
    return false;
}

void timer_exact(uint64_t when)
{
    uint64_t raw;

    if (when == TIMER_NEVER && armed == TIMER_NEVER)
        return;
    armed = when;
    if (when == TIMER_NEVER || !checked_add(record_boot_ticks(), when, &raw))
        arch_timer_disarm();
    else
        arch_timer_arm(raw);
}

void timer_need(uint64_t when)
{
    if (when < armed)
        timer_exact(when);
}

bool timer_expired(void)
{
    if (armed == TIMER_NEVER)
        return false;
    if (record_ticks() < armed && early_count < EARLY_MAX) {
        early_count++;
        timer_exact(armed); // the hardware is done, the time is not: its clock runs a little fast
        return false;
    }
    early_count = 0;
    armed = TIMER_NEVER;
    core_statistics.timer_interrupts++;
    arch_timer_disarm();
    return true;
}
