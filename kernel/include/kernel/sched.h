// SPDX-License-Identifier: Apache-2.0
//
// sched.h: who runs next. Four queues by spectrum, strictly ordered; inside one, in turns.
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include <kernel/fiber.h>

// Whether the machine stays when nothing can happen any more (boot manifest).
void sched_stay_on_idle(bool stay);

void sched_ready(struct fiber *fiber); // to the end of its queue
// Back to the running fiber with this result, unless a stricter fiber has become ready.
[[noreturn]] void sched_return(struct fiber *fiber, int64_t result);
[[noreturn]] void sched_yield(struct fiber *fiber); // result 0
// The running fiber waits for fiber->wait.
[[noreturn]] void sched_block(struct fiber *fiber);
// Runs the next fiber, idles until there is one, or ends the machine when nothing can make one
// ready.
[[noreturn]] void sched_run(void);
// Its rank (lend.h) has changed: a ready fiber moves to the end of the queue where it belongs now.
void sched_requeue(struct fiber *fiber);
// Is anybody ready who does not run?
bool sched_is_wanted(void);
// Between two steps of kernel work of the running fiber: serves what is pending. Returns unless
// another fiber is due; then work_go_on takes up the work later.
void sched_point(struct fiber *fiber);
// The same before the first step of a turn, which is done in any case unless somebody stricter is
// ready: so work goes on however slow the machine is.
void sched_look(struct fiber *fiber);
// If `fiber` waits and what it waits for is there, it becomes ready with its result.
void sched_wake(struct fiber *fiber);
// What this slot of `fiber` held was taken back: if it waits for that it becomes ready with
// E_STALE, and if for something that has changed with it, with that.
void sched_wake_stale(struct fiber *fiber, uint32_t slot);
// Notes that what `fiber` waits for may be there. It is woken before anybody runs on, not in the
// middle of what the caller does.
void sched_tell(const struct fiber *fiber);
// In the middle of a call that has much to do: what is pending is served, nobody else runs.
void sched_relieve(void);
// An interrupt took the processor from `fiber`: whoever it made ready runs, then `fiber` goes on.
[[noreturn]] void sched_interrupt(struct fiber *fiber, bool is_timer);

// The stretch from here to the next entry of a fiber is one in which interrupts wait.
void quiet_begin(void);

// wait.c: does fiber->wait name this slot?
[[nodiscard]] bool wait_names(const struct fiber *fiber, uint32_t slot);
// Is what fiber->wait describes there (or its deadline past)? Then *result is the result of
// the call. May end the fiber's life with POINTER only while it is the one being served. On the
// kernel root.
[[nodiscard]] bool wait_try(struct fiber *fiber, int64_t *result);
// Could waiting longer change anything without another fiber's doing: a deadline, a request at a
// device, an interrupt line that its holder has unmasked?
bool wait_is_pending(const struct fiber *fiber);

#endif
