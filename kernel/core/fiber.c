// SPDX-License-Identifier: Apache-2.0
//
// fiber.c: the end of a fiber, wanted or not. Everything that others share with it is told: what it
// had granted is taken back, rings are closed and their other ends woken, devices are reset before
// the memory they might write is cleared, and its root is used no more.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/lend.h>
#include <kernel/memory.h>
#include <kernel/sched.h>
#include <kernel/user.h>

struct fiber fiber_table[FIBER_COUNT];

struct rumpk_ledger_record fiber_record(const struct fiber *fiber, enum rumpk_ledger_kind kind,
                                        uint32_t code)
{
    struct rumpk_ledger_record record = ledger_record(kind, code);

    record.package = fiber->number;
    record.fiber = fiber->number;
    record.image_base = fiber->image_base;
    memcpy(record.package_id, fiber->package_id, sizeof(record.package_id));
    memcpy(record.name, fiber->name, sizeof(record.name));
    return record;
}

// What is left of the capabilities. True: nothing.
static bool caps_drop_step(struct fiber *fiber)
{
    struct work *work = &fiber->work;

    while (work->part < RUMPK_SLOT_COUNT && fiber->caps[work->part].type == RUMPK_CAP_NONE)
        work->part++;
    if (work->part == RUMPK_SLOT_COUNT)
        return true;
    if (cap_drop_step(&fiber->caps[work->part]))
        work->part++;
    return false;
}

static bool scrub_step(struct fiber *fiber)
{
    struct work *work = &fiber->work;
    const struct boot_region *region = &fiber->scrub[work->part];
    uint64_t size;

    if (work->part == fiber->scrub_count)
        return true;
    size = region->size - work->done;
    size = size < WORK_STEP_CLEAR ? size : WORK_STEP_CLEAR;
    memset((void *)(uintptr_t)(region->base + work->done), 0, size);
    work->done += size;
    if (work->done == region->size) {
        work->done = 0;
        work->part++;
    }
    return false;
}

static bool end_scrub_step(struct fiber *fiber)
{
    if (!scrub_step(fiber))
        return false;
    fiber->work.step = NULL;
    fiber->state = FIBER_ENDED;
    arch_stack_reset(sched_run);
}

static bool end_caps_step(struct fiber *fiber)
{
    if (!caps_drop_step(fiber))
        return false;
    fiber->work = (struct work){.step = end_scrub_step};
    return false;
}

static void end_begin(struct fiber *fiber, struct rumpk_ledger_record *record)
{
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    fiber->is_ending = true;
    fiber->work = (struct work){.step = end_caps_step};
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        derive_stale(&fiber->caps[slot]); // nothing that it granted is good any more
    audit_root_end(fiber->number);
    ledger_append(record);
    start_ended(fiber->number);
}

// Hand-over: the fiber goes on as its own end, on a fresh kernel stack.
[[noreturn]] static void finish(struct fiber *fiber, struct rumpk_ledger_record *record)
{
    end_begin(fiber, record);
    arch_stack_reset(work_go_on);
}

void fiber_condemn(struct fiber *fiber, enum rumpk_fault fault)
{
    struct rumpk_ledger_record record = fiber_record(fiber, RUMPK_LEDGER_FAULT, fault);
    bool was_waiting = fiber->state == FIBER_WAITING;

    if (fiber->is_ending || (!was_waiting && fiber->state != FIBER_READY))
        return;
    record.pc = arch_frame_pc(&fiber->frame);
    end_begin(fiber, &record);
    if (was_waiting)
        sched_ready(fiber);
}

void fiber_end_fault(struct fiber *fiber, const struct fiber_fault *fault)
{
    struct rumpk_ledger_record record = fiber_record(fiber, RUMPK_LEDGER_FAULT, fault->fault);

    record.pc = fault->pc;
    record.address = fault->address;
    record.detail = fault->cause;
    finish(fiber, &record);
}

void fiber_end_exit(struct fiber *fiber, uint64_t code)
{
    struct rumpk_ledger_record record = fiber_record(fiber, RUMPK_LEDGER_EXIT, 0);

    record.detail = code;
    finish(fiber, &record);
}

void fiber_abandon(struct fiber *fiber, struct rumpk_ledger_record *record)
{
    end_begin(fiber, record);
    sched_ready(fiber);
}

// The place of the call in the driver, which says more than the gate page: inside the instruction
// that called the stub.
static uint64_t call_site(const struct fiber *fiber)
{
    struct user_ptr top = {arch_frame_sp(&fiber->frame)};
    uint64_t address;

    if (arch_frame_caller(&fiber->frame, &address) ||
        user_read(fiber, &address, top, sizeof(address), 1))
        return address - 1;
    return arch_frame_pc(&fiber->frame);
}

void fiber_fault_call(struct fiber *fiber, enum rumpk_fault fault, uint64_t address)
{
    struct fiber_fault reason = {
        .fault = fault,
        .pc = call_site(fiber),
        .address = address,
    };

    fiber_end_fault(fiber, &reason);
}
