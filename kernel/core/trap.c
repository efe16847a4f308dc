// SPDX-License-Identifier: Apache-2.0
//
// trap.c: where every trap arrives in portable code, and who pays for it.
//
//   from user mode, in the gate   -> the call
//   from user mode, an interrupt  -> the fibers that it wakes, then on
//   from user mode, otherwise     -> the fiber ends, with the reason
//   from the kernel, check part   -> the fiber that was being served ends (KERNEL)
//   from the kernel, elsewhere    -> the boot record says so and the machine ends
#include <kernel/call.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>

struct arch_frame *arch_current_frame;
volatile enum kernel_phase kernel_phase;

static struct fiber_fault kernel_fault; // survives the change of stacks
static bool trapping;

// An access just below the stack is what a stack overflow looks like.
static enum rumpk_fault fault_refine(const struct fiber *fiber, const struct trap_info *info)
{
    bool is_access = info->fault == RUMPK_FAULT_READ || info->fault == RUMPK_FAULT_WRITE;

    if (is_access &&
        range_contains(fiber->stack_base - MEMORY_GUARD_SIZE, MEMORY_GUARD_SIZE, info->address, 1))
        return RUMPK_FAULT_STACK;
    return (enum rumpk_fault)info->fault;
}

SYSCALL_CORE void trap_from_user(const struct trap_info *info)
{
    struct fiber *fiber = fiber_current();
    struct fiber_fault fault;

    kernel_phase = PHASE_CHECK;
    quiet_begin();
    // The address after the trapping instruction lies in the gate page, and not at its start.
    if (info->kind == TRAP_CALL && info->pc - link_address(__gate_start) - 1 < PAGE_SIZE)
        call_dispatch(fiber);
    if (info->kind == TRAP_INTERRUPT || info->kind == TRAP_TIMER)
        sched_interrupt(fiber, info->kind == TRAP_TIMER);
    fault = (struct fiber_fault){
        .fault = info->kind == TRAP_CALL ? RUMPK_FAULT_TRAP : fault_refine(fiber, info),
        .pc = info->pc,
        .address = info->address,
        .cause = info->cause,
    };
    fiber_end_fault(fiber, &fault);
}

[[noreturn]] static void kernel_fault_pay(void)
{
    trapping = false;
    fiber_end_fault(fiber_current(), &kernel_fault);
}

void trap_from_kernel(const struct trap_info *info)
{
    // A trap while the one before is still being handled: nothing below can be relied on.
    if (trapping)
        arch_power_off();
    trapping = true;
    if (kernel_phase != PHASE_CHECK || fiber_current() == NULL)
        record_fail_trap(info->pc, info->address, info->cause);
    kernel_fault = (struct fiber_fault){
        .fault = RUMPK_FAULT_KERNEL,
        .pc = info->pc,
        .address = info->address,
        .cause = info->cause,
    };
    arch_stack_reset(kernel_fault_pay);
}
