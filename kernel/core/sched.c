// SPDX-License-Identifier: Apache-2.0
//
// sched.c: the scheduler of the one core, and the end of a run.
//
// Between spectrums the order is strict: whenever a stricter fiber is ready it runs, in the middle
// of a looser one if need be. Inside a spectrum fibers take turns: a turn ends when the fiber waits
// or yields, or when the slice of its spectrum is used up (budget.c). The kernel itself is never
// interrupted: it takes interrupts between two instructions of a driver, and while it idles.
#include <kernel/audit.h>
#include <kernel/budget.h>
#include <kernel/call.h>
#include <kernel/interrupt.h>
#include <kernel/ledger.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/statistics.h>
#include <kernel/timer.h>

struct queue {
    struct fiber *first;
    struct fiber *last;
};

static struct queue queues[RUMPK_SPECTRUM_COUNT];
static struct fiber *fp_owner; // whose floating point state is in the registers
static struct fiber *running;
static bool stay_on_idle;
[[gnu::used]] struct rumpk_meta_core core_statistics;
static uint64_t quiet_since; // when the kernel was entered: interrupts wait from then on

void quiet_begin(void)
{
    quiet_since = arch_timer_now();
}

static void quiet_end(void)
{
    uint64_t quiet = arch_timer_now() - quiet_since;

    if (quiet > core_statistics.quiet_longest && quiet_since != 0)
        core_statistics.quiet_longest = quiet;
}

struct fiber *fiber_current(void)
{
    return running;
}

void sched_stay_on_idle(bool stay)
{
    stay_on_idle = stay;
}

void sched_ready(struct fiber *fiber)
{
    struct queue *queue = &queues[fiber->spectrum];

    fiber->state = FIBER_READY;
    fiber->next = NULL;
    if (queue->first == NULL)
        queue->first = fiber;
    else
        queue->last->next = fiber;
    queue->last = fiber;
}

// To the head of its queue: whoever is interrupted by a stricter fiber has not used up its turn.
static void ready_again(struct fiber *fiber)
{
    struct queue *queue = &queues[fiber->spectrum];

    fiber->state = FIBER_READY;
    fiber->next = queue->first;
    if (queue->first == NULL)
        queue->last = fiber;
    queue->first = fiber;
}

static struct fiber *ready_take(void)
{
    for (uint32_t spectrum = 0; spectrum < RUMPK_SPECTRUM_COUNT; spectrum++) {
        struct fiber *fiber = queues[spectrum].first;

        if (fiber != NULL) {
            queues[spectrum].first = fiber->next;
            return fiber;
        }
    }
    return NULL;
}

// Is a fiber of a spectrum below `spectrum` (that is: stricter) ready?
static bool stricter_is_ready(uint32_t spectrum)
{
    for (uint32_t index = 0; index < spectrum; index++) {
        if (queues[index].first != NULL)
            return true;
    }
    return false;
}

// Hand-over: from the kernel to user mode of `fiber`, on its own root, its floating point state
// loaded.
[[noreturn]] static void enter(struct fiber *fiber)
{
    running = fiber;
    fiber->state = FIBER_RUNNING;
    if (fp_owner != fiber) {
        if (fp_owner != NULL && fiber_is_alive(fp_owner))
            arch_fp_save(&fp_owner->fp);
        arch_fp_restore(&fiber->fp);
        arch_ports_set(fiber->ports, fiber->port_count);
        fp_owner = fiber;
        fiber->switches++;
    }
    memory_use_root(fiber->table.root);
    arch_current_frame = &fiber->frame;
    quiet_end();
    arch_user_return(&fiber->frame);
}

// A fiber gets the processor that did not have it just now.
[[noreturn]] static void enter_anew(struct fiber *fiber)
{
    budget_begin(fiber);
    enter(fiber);
}

void sched_return(struct fiber *fiber, int64_t result)
{
    arch_frame_set_result(&fiber->frame, result);
    if (stricter_is_ready(fiber->spectrum)) {
        kernel_phase = PHASE_COMMIT;
        ready_again(fiber);
        sched_run();
    }
    enter(fiber);
}

void sched_yield(struct fiber *fiber)
{
    kernel_phase = PHASE_COMMIT;
    arch_frame_set_result(&fiber->frame, RUMPK_OK);
    budget_rest(fiber);
    sched_ready(fiber);
    sched_run();
}

void sched_block(struct fiber *fiber)
{
    kernel_phase = PHASE_COMMIT;
    fiber->state = FIBER_WAITING;
    timer_need(fiber->wait.deadline); // RUMPK_FOREVER is TIMER_NEVER
    sched_run();
}

void sched_wake(struct fiber *fiber)
{
    int64_t result;

    if (fiber->state != FIBER_WAITING || !wait_try(fiber, &result))
        return;
    arch_frame_set_result(&fiber->frame, result);
    budget_rest(fiber);
    sched_ready(fiber);
}

// Looks at the waiting fibers: all of them, or only those whose time has come. Returns when the
// next deadline is.
static uint64_t look(bool all)
{
    uint64_t next = TIMER_NEVER;
    uint64_t now = record_ticks();

    for (uint32_t index = 0; index < FIBER_COUNT; index++) {
        struct fiber *fiber = &fiber_table[index];

        if (fiber->state != FIBER_WAITING)
            continue;
        if (all || fiber->wait.deadline <= now)
            sched_wake(fiber);
        if (fiber->state == FIBER_WAITING && fiber->wait.deadline < next)
            next = fiber->wait.deadline;
    }
    return next;
}

// Everything that time alone brings about.
static void times_serve(void)
{
    if (timer_expired()) {
        uint64_t released = interrupt_release();

        timer_need(look(false));
        timer_need(released);
    }
}

// Could anything still happen without a fiber's doing?
static bool is_pending(void)
{
    for (uint32_t index = 0; index < FIBER_COUNT; index++) {
        if (fiber_table[index].state == FIBER_WAITING && wait_is_pending(&fiber_table[index]))
            return true;
    }
    return false;
}

// Nobody runs, nobody can be woken. Hand-over: the machine is switched off, or stays as it is.
[[noreturn]] static void end(void)
{
    struct rumpk_ledger_record record = ledger_record(RUMPK_LEDGER_END, 0);

    ledger_append(&record);
    record_stage(RUMPK_BOOT_ENDED);
    audit_step(AUDIT_STEP_END);
    if (!stay_on_idle)
        arch_power_off();
    timer_exact(TIMER_NEVER); // else a slice that was armed would wake the processor for ever
    for (;;) {
        core_statistics.waits++;
        arch_wait();
        interrupt_serve(); // a line that fires for nobody is masked
    }
}

// Nobody is ready. Before the machine sleeps or ends, every waiting fiber is looked at once more: a
// peer that forgot to wake it costs time, never the result.
static void idle(void)
{
    uint64_t next;
    uint64_t released = interrupt_release();

    memory_use_kernel_root();
    next = look(true);
    if (stricter_is_ready(RUMPK_SPECTRUM_COUNT))
        return;
    if (!is_pending())
        end();
    timer_exact(released < next ? released : next);
    core_statistics.waits++;
    arch_wait();
    quiet_begin();
    interrupt_serve();
    times_serve();
}

void sched_run(void)
{
    kernel_phase = PHASE_COMMIT;
    if (running != NULL)
        budget_charge(running);
    running = NULL;
    for (;;) {
        struct fiber *fiber = ready_take();

        if (fiber != NULL)
            enter_anew(fiber);
        idle();
    }
}

// An interrupt or the timer, between two instructions of `fiber`.
void sched_interrupt(struct fiber *fiber, bool is_timer)
{
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (is_timer)
        times_serve();
    else
        interrupt_serve();
    budget_charge(fiber);
    if (budget_is_used(fiber)) {
        core_statistics.slices++;
        budget_overrun(fiber); // does not return when it was one too many
        sched_ready(fiber);
    } else {
        core_statistics.preemptions += stricter_is_ready(fiber->spectrum);
        ready_again(fiber);
    }
    running = NULL;
    sched_run();
}
