// SPDX-License-Identifier: Apache-2.0
//
// sched.c: the scheduler of the one core, and the end of a run.
//
// Nothing here runs in the middle of something else: interrupts stay off, and a fiber leaves the
// processor only by a call or a fault. Devices and deadlines are looked at whenever the next fiber
// is chosen.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/ledger.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>

struct queue {
    struct fiber *first;
    struct fiber *last;
};

static struct queue queues[RUMPK_SPECTRUM_COUNT];
static struct fiber *fp_owner; // whose floating point state is in the registers
static struct fiber *running;
static bool stay_on_idle;

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
    arch_user_return(&fiber->frame);
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
    sched_ready(fiber);
    sched_run();
}

void sched_block(struct fiber *fiber)
{
    kernel_phase = PHASE_COMMIT;
    fiber->state = FIBER_WAITING;
    sched_run();
}

void sched_wake(struct fiber *fiber)
{
    int64_t result;

    if (fiber->state != FIBER_WAITING || !wait_try(fiber, &result))
        return;
    arch_frame_set_result(&fiber->frame, result);
    sched_ready(fiber);
}

// Looks at everything that can become ready without a call: deadlines and devices; with `all`,
// rings too. True: some fiber waits for what can still happen.
static bool poll(bool all)
{
    bool pending = false;

    for (uint32_t index = 0; index < FIBER_COUNT; index++) {
        struct fiber *fiber = &fiber_table[index];

        if (fiber->state != FIBER_WAITING)
            continue;
        if (wait_is_pending(fiber)) {
            memory_use_kernel_root();
            pending = true;
            sched_wake(fiber);
        } else if (all) {
            memory_use_kernel_root();
            sched_wake(fiber);
        }
    }
    return pending;
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
    arch_halt();
}

void sched_run(void)
{
    kernel_phase = PHASE_COMMIT;
    running = NULL;
    for (;;) {
        bool pending = poll(false);
        struct fiber *fiber = ready_take();

        if (fiber != NULL)
            enter(fiber);
        // Nobody is ready. Before the end is declared, every ring is looked at once more.
        pending |= poll(true);
        fiber = ready_take();
        if (fiber != NULL)
            enter(fiber);
        if (!pending)
            end();
        arch_relax();
    }
}
