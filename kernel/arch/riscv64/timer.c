// SPDX-License-Identifier: Apache-2.0
//
// timer.c (riscv64): the `time` counter, whose rate is in the tree, and the firmware's one-shot
// timer on it. Setting the timer also takes back its pending interrupt (SBI, "Timer Extension").
#include "machine.h"

#include <arch/arch.h>
#include <kernel/tree.h>

static bool has_time; // else the call of SBI 0.1, which every firmware has

uint64_t arch_timer_init(const void *fdt)
{
    uint32_t hz = 0;

    has_time = sbi_call(SBI_EXTENSION_BASE, SBI_BASE_PROBE, SBI_EXTENSION_TIME, 0).value != 0;
    return tree_u32(fdt, "/cpus", "timebase-frequency", &hz) ? hz : 0;
}

uint64_t arch_timer_now(void)
{
    uint64_t now;

    __asm__ volatile("rdtime %0" : "=r"(now));
    return now;
}

void arch_timer_arm(uint64_t raw)
{
    sbi_call(has_time ? SBI_EXTENSION_TIME : SBI_LEGACY_SET_TIMER, 0, raw, 0);
}

void arch_timer_disarm(void)
{
    arch_timer_arm(UINT64_MAX);
}
