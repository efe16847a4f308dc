// SPDX-License-Identifier: Apache-2.0
//
// timer.c (aarch64): the counter of the generic timer, and its virtual timer, which compares with
// it.
//
// The virtual counter: EL1 may always read it, and it equals the physical one here (entry.S clears
// the offset when it comes from EL2). The frequency register only repeats what the firmware wrote
// there; where it wrote nothing, the tree may know.
#include <arch/arch.h>
#include <kernel/tree.h>

uint64_t arch_timer_init(const void *fdt)
{
    uint64_t frequency;
    uint32_t from_tree;

    __asm__("mrs %0, cntfrq_el0" : "=r"(frequency));
    frequency &= UINT32_MAX;
    if (frequency == 0 && tree_u32(fdt, "/timer", "clock-frequency", &from_tree))
        frequency = from_tree;
    return frequency;
}

uint64_t arch_timer_now(void)
{
    uint64_t ticks;

    // Without the barrier the counter may be read long before the instruction's place in the
    // program.
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(ticks)::"memory");
    return ticks;
}

// CNTV_CTL_EL0: enabled, its interrupt not masked.
#define TIMER_ON UINT64_C(1)

void arch_timer_arm(uint64_t raw)
{
    __asm__ volatile("msr cntv_cval_el0, %[raw]\n\t"
                     "msr cntv_ctl_el0, %[on]\n\t"
                     "isb"
                     :
                     : [raw] "r"(raw), [on] "r"(TIMER_ON)
                     : "memory");
}

// The interrupt is level-triggered: a timer that is off asks for nothing.
void arch_timer_disarm(void)
{
    __asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb" ::: "memory");
}
