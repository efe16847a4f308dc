// SPDX-License-Identifier: Apache-2.0
//
// sched.c: the scheduler of the one core, and the end of a run.
//
// Between spectrums the order is strict: whenever a stricter fiber is ready it runs, in the middle
// of a looser one if need be. Inside a spectrum fibers take turns: a turn ends when the fiber waits
// or yields, or when the slice of its spectrum is used up (budget.c). The kernel itself is never
// interrupted: it takes interrupts between two instructions of a driver, between two steps of its
// own work (work.h), and while it idles.
#include <kernel/audit.h>
#include <kernel/budget.h>
#include <kernel/call.h>
#include <kernel/init.h>
#include <kernel/interrupt.h>
#include <kernel/ledger.h>
#include <kernel/lend.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/statistics.h>
#include <kernel/timer.h>

struct queue {
    struct fiber *first;
    struct fiber *last;
};

// Fibers woken or given a new window by one look at the time: each may wait for RUMPK_WAIT_MAX
// sources. Who is left is looked at right after, with the interrupts between.
#define LOOK_MAX 1u

static struct queue queues[RUMPK_SPECTRUM_COUNT];
static struct fiber *fp_owner; // whose floating point state is in the registers
static struct fiber *running;
static uint64_t told; // a bit for each fiber that is to be looked at before anybody runs on
static bool stay_on_idle;
[[gnu::used]] struct rumpk_meta_core core_statistics;
static uint64_t quiet_since; // when the kernel was entered: interrupts wait from then on

struct rumpk_meta_wake wake_statistics[FIBER_COUNT];

// Buckets of a histogram: four for each power of two, so that a reading is at most a quarter too
// high.
//
//   ticks   0 1 2 3 | 4 5 6 7 | 8-9 10-11 12-13 14-15 | 16-19 ...
//   bucket  0 1 2 3 | 4 5 6 7 | 8   9     10    11    | 12 ...
static uint32_t wake_bucket(uint64_t ticks)
{
    uint32_t power = ticks < 4 ? 1 : 63 - (uint32_t)__builtin_clzll(ticks);
    uint64_t bucket = ticks < 4 ? ticks : 4 * (power - 1) + ((ticks >> (power - 2)) & 3);

    return bucket < RUMPK_WAKE_BUCKETS ? (uint32_t)bucket : RUMPK_WAKE_BUCKETS - 1;
}

// From when it was due until now that it runs.
static void wake_note(struct fiber *fiber)
{
    struct rumpk_meta_wake *wake = &wake_statistics[fiber->number];
    uint64_t due = fiber->woken - 1;
    uint64_t ticks = fiber->entered > due ? fiber->entered - due : 0;

    fiber->woken = 0;
    wake->count++;
    wake->longest = ticks > wake->longest ? ticks : wake->longest;
    wake->buckets[wake_bucket(ticks)]++;
}

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
    uint32_t rank = lend_rank(fiber);
    struct queue *queue = &queues[rank];

    fiber->state = FIBER_READY;
    fiber->queued = rank;
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
    uint32_t rank = lend_rank(fiber);
    struct queue *queue = &queues[rank];

    fiber->state = FIBER_READY;
    fiber->queued = rank;
    fiber->next = queue->first;
    if (queue->first == NULL)
        queue->last = fiber;
    queue->first = fiber;
}

static void unqueue(struct fiber *fiber)
{
    struct queue *queue = &queues[fiber->queued];
    struct fiber **at = &queue->first;
    struct fiber *before = NULL;

    while (*at != fiber) { // a ready fiber is in its queue
        before = *at;
        at = &before->next;
    }
    *at = fiber->next;
    if (queue->last == fiber)
        queue->last = before;
}

void sched_requeue(struct fiber *fiber)
{
    if (fiber->state != FIBER_READY || fiber->queued == lend_rank(fiber))
        return;
    unqueue(fiber);
    sched_ready(fiber);
}

static struct fiber *ready_take(void)
{
    for (uint32_t spectrum = 0; spectrum < RUMPK_SPECTRUM_COUNT; spectrum++) {
        struct fiber *fiber = queues[spectrum].first;

        if (fiber != NULL) {
            queues[spectrum].first = fiber->next;
            fiber->state = FIBER_RUNNING; // no longer in a queue
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

bool sched_is_wanted(void)
{
    return stricter_is_ready(RUMPK_SPECTRUM_COUNT);
}

// Hand-over: from the kernel to user mode of `fiber`, on its own root, its floating point state
// loaded; or to the kernel's work in its name.
[[noreturn]] static void enter(struct fiber *fiber)
{
    running = fiber;
    if (fiber->work.step != NULL)
        arch_stack_reset(work_go_on);
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

static uint64_t least(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

// Wakes the fibers whose time has come and ends windows that are over, of a bounded number of
// fibers: who is left comes with the next timer interrupt, which is then due at once. Returns when
// the next such time is.
static uint64_t times_look(void)
{
    uint64_t next = TIMER_NEVER;
    uint64_t now = record_ticks();
    uint32_t served = 0;

    for (uint32_t index = 0; index < FIBER_COUNT; index++) {
        struct fiber *fiber = &fiber_table[index];

        if (fiber->is_throttled && fiber->window_end <= now && served < LOOK_MAX) {
            budget_renew(fiber, now);
            served++;
        }
        // Who sleeps gets a new window when it runs again.
        if (fiber->is_throttled && (fiber->state == FIBER_READY || fiber->state == FIBER_RUNNING))
            next = least(next, fiber->window_end);
        if (fiber->state == FIBER_WAITING && fiber->wait.deadline <= now && served < LOOK_MAX) {
            sched_wake(fiber);
            served++;
        }
        if (fiber->state == FIBER_WAITING)
            next = least(next, fiber->wait.deadline);
    }
    return next;
}

// Everything that time alone brings about.
static void times_serve(void)
{
    if (timer_expired()) {
        uint64_t released = interrupt_release();

        timer_need(times_look());
        timer_need(released);
    }
}

// The kernel looks up from what it does: what is pending is served.
static void look_up(void)
{
    arch_interrupt_poll();
    quiet_end();
    quiet_begin();
    interrupt_serve();
    times_serve();
}

void sched_relieve(void)
{
    look_up();
}

void sched_tell(const struct fiber *fiber)
{
    told |= UINT64_C(1) << fiber->number;
}

// Wakes who was told, the interrupts between any two: each may wait for RUMPK_WAIT_MAX sources.
// Ends: a device that breaks meanwhile tells at most its own users, and only a fiber that runs can
// make it work again.
static void told_serve(void)
{
    if (told == 0)
        return;
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    while (told != 0) {
        struct fiber *fiber = &fiber_table[__builtin_ctzll(told)];

        told &= told - 1;
        look_up();
        sched_wake(fiber);
    }
    look_up();
}

// A fiber gets the processor that did not have it just now.
[[noreturn]] static void enter_anew(struct fiber *fiber)
{
    budget_begin(fiber);
    if (fiber->woken != 0)
        wake_note(fiber);
    enter(fiber);
}

void sched_return(struct fiber *fiber, int64_t result)
{
    arch_frame_set_result(&fiber->frame, result);
    told_serve();
    if (stricter_is_ready(lend_rank(fiber))) {
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
    lend_begin(fiber);
    sched_run();
}

static void wake_with(struct fiber *fiber, int64_t result)
{
    uint64_t now = record_ticks();

    fiber->woken = (result == RUMPK_E_TIMEOUT ? fiber->wait.deadline : now) + 1;
    arch_frame_set_result(&fiber->frame, result);
    budget_rest(fiber);
    sched_ready(fiber);
}

void sched_wake(struct fiber *fiber)
{
    int64_t result;

    if (fiber->state == FIBER_WAITING && wait_try(fiber, &result))
        wake_with(fiber, result);
}

void sched_wake_stale(struct fiber *fiber, uint32_t slot)
{
    if (fiber->state == FIBER_WAITING && wait_names(fiber, slot))
        wake_with(fiber, RUMPK_E_STALE);
    else // its device may be stopped, or where its completions were to go is gone
        sched_wake(fiber);
}

// Nobody runs, nobody can be woken. Hand-over: the machine is switched off, or stays as it is.
[[noreturn]] static void end(void)
{
    struct rumpk_ledger_record record = ledger_record(RUMPK_LEDGER_END, 0);

    start_end();
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
// peer that forgot to wake it costs time, never the result. False: somebody is ready now. Else
// *next is the nearest deadline, and *is_pending whether anything could still happen without a
// fiber's doing.
static bool last_look(uint64_t *next, bool *is_pending)
{
    *next = TIMER_NEVER;
    *is_pending = false;
    for (uint32_t index = 0; index < FIBER_COUNT; index++) {
        struct fiber *fiber = &fiber_table[index];

        if (fiber->state != FIBER_WAITING)
            continue;
        sched_wake(fiber);
        if (fiber->state == FIBER_WAITING) {
            *next = least(*next, fiber->wait.deadline);
            *is_pending |= wait_is_pending(fiber);
        }
        look_up();
        if (sched_is_wanted())
            return false;
    }
    return true;
}

static void idle(void)
{
    bool is_pending;
    uint64_t next;

    memory_use_kernel_root();
    if (!last_look(&next, &is_pending) || start_is_due())
        return;
    if (!is_pending)
        end();
    timer_exact(least(interrupt_release(), next));
    core_statistics.waits++;
    quiet_end();
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
        struct fiber *fiber;

        if (start_is_due())
            look_up(); // a start is long enough by itself
        told_serve();
        start_next();
        fiber = ready_take();
        if (fiber == NULL) {
            idle();
        } else if (lend_rank(fiber) == fiber->queued) {
            enter_anew(fiber);
        } else { // what it was lent is over
            sched_ready(fiber);
            look_up();
        }
    }
}

// `fiber` has been charged and was interrupted: to the end of its queue when its turn is over, to
// the head when somebody stricter comes first.
[[noreturn]] static void give_way(struct fiber *fiber, bool is_over)
{
    if (is_over) {
        core_statistics.slices++;
        sched_ready(fiber);
    } else {
        core_statistics.preemptions += stricter_is_ready(lend_rank(fiber));
        ready_again(fiber);
    }
    running = NULL;
    sched_run();
}

void sched_look(struct fiber *fiber)
{
    look_up();
    told_serve();
    budget_charge(fiber);
    if (stricter_is_ready(lend_rank(fiber)))
        give_way(fiber, false);
    budget_begin(fiber); // the look may have used up the timer that ends its turn
}

void sched_point(struct fiber *fiber)
{
    uint32_t rank = lend_rank(fiber);
    bool is_over;

    look_up();
    told_serve();
    budget_charge(fiber);
    is_over = budget_is_used(fiber) || lend_rank(fiber) != rank;
    if (!is_over && !stricter_is_ready(rank)) {
        budget_begin(fiber); // the look may have used up the timer that ends its turn
        return;
    }
    if (is_over)
        fiber->turn_used = 0;
    core_statistics.points++;
    give_way(fiber, is_over);
}

// An interrupt or the timer, between two instructions of `fiber`.
void sched_interrupt(struct fiber *fiber, bool is_timer)
{
    uint32_t rank = lend_rank(fiber);
    bool is_over;

    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (is_timer)
        times_serve();
    else
        interrupt_serve();
    budget_charge(fiber);
    is_over = budget_is_used(fiber) || lend_rank(fiber) != rank;
    if (is_over)
        budget_overrun(fiber); // does not return when it was one too many
    give_way(fiber, is_over);
}
