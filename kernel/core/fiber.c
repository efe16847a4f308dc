// SPDX-License-Identifier: Apache-2.0
//
// fiber.c: the end of a fiber, wanted or not. Everything that others share with it is told: what it
// had granted is taken back, rings are closed and their other ends woken, devices are reset before
// the memory they might write is cleared, and its root is used no more.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/ledger.h>
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

[[noreturn]] static void finish(struct fiber *fiber, struct rumpk_ledger_record *record)
{
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    fiber->state = FIBER_ENDED;
    audit_root_end(fiber->number);
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if (fiber->caps[slot].type != RUMPK_CAP_NONE)
            cap_drop(&fiber->caps[slot]);
    }
    for (uint32_t index = 0; index < fiber->scrub_count; index++)
        memset((void *)(uintptr_t)fiber->scrub[index].base, 0, fiber->scrub[index].size);
    ledger_append(record);
    arch_stack_reset(sched_run);
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
