// SPDX-License-Identifier: Apache-2.0
//
// trap.c: where every trap arrives in portable code.
#include <arch/arch.h>
#include <kernel/record.h>

struct arch_frame *arch_current_frame;
static bool trapping;

void trap_from_user(const struct trap_info *info)
{
    record_fail_trap(info->pc, info->address, info->cause);
}

void trap_from_kernel(const struct trap_info *info)
{
    // A trap while the one before is still being handled: nothing below can be relied on.
    if (trapping)
        arch_power_off();
    trapping = true;
    record_fail_trap(info->pc, info->address, info->cause);
}
