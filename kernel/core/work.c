// SPDX-License-Identifier: Apache-2.0
//
// work.c: step, look at the interrupts, step again. The picture is in work.h.
#include <kernel/budget.h>
#include <kernel/call.h>
#include <kernel/memory.h>
#include <kernel/sched.h>

// Ends: each step is a part of a bounded whole.
[[noreturn]] static void steps(struct fiber *fiber)
{
    while (!fiber->work.step(fiber))
        sched_point(fiber);
    fiber->work.step = NULL;
    sched_return(fiber, fiber->work.result);
}

void work_begin(struct fiber *fiber, work_step *step)
{
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    budget_charge(fiber); // what it used until here was its own
    fiber->work.step = step;
    steps(fiber);
}

void work_go_on(void)
{
    struct fiber *fiber = fiber_current();

    memory_use_kernel_root();
    sched_look(fiber); // whoever came here did something already
    steps(fiber);
}
