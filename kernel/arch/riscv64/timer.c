// SPDX-License-Identifier: Apache-2.0
//
// timer.c (riscv64): the `time` counter; its rate is in the tree.
#include <arch/arch.h>
#include <kernel/tree.h>

uint64_t arch_timer_init(const void *fdt)
{
    uint32_t hz = 0;

    return tree_u32(fdt, "/cpus", "timebase-frequency", &hz) ? hz : 0;
}

uint64_t arch_timer_now(void)
{
    uint64_t now;

    __asm__ volatile("rdtime %0" : "=r"(now));
    return now;
}
