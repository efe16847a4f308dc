// SPDX-License-Identifier: Apache-2.0
//
// call_meta.c: the slot by which the ABI is asked about itself; on a test kernel, also the
// operations by which a test makes the kernel fault while it serves the caller.
#include <kernel/budget.h>
#include <kernel/call.h>
#include <kernel/ledger.h>
#include <kernel/lend.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/statistics.h>
#include <kernel/systable.h>
#include <kernel/user.h>

#if RUMPK_TEST_KERNEL
#define META_TEST_NULL_WRITE     0x1000u
#define META_TEST_STACK_OVERFLOW 0x1001u
#define META_TEST_ILLEGAL        0x1002u

// Uses a little more stack than the caller, for ever: each frame is written, so the guard page is
// met.
[[gnu::noinline]] static uint64_t overflow(volatile uint64_t *above)
{
    volatile uint64_t frame[64];

    frame[0] = *above + 1;
    return frame[0] == UINT64_MAX ? 0 : overflow(frame) + frame[0];
}

static int64_t test_operation(uint64_t operation)
{
    volatile uint64_t zero = 0;

    switch (operation) {
    case META_TEST_NULL_WRITE:
        *(volatile uint64_t *)(uintptr_t)zero = 1; // NOLINT(clang-analyzer-core.*): the test
        return RUMPK_OK;
    case META_TEST_STACK_OVERFLOW:
        return (int64_t)overflow(&zero);
    case META_TEST_ILLEGAL:
        __builtin_trap();
    default:
        return RUMPK_E_ARGUMENT;
    }
}
#endif

// Copies an answer of exactly `size` bytes to the caller, who must have said that size.
static int64_t answer(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS],
                      const void *from, uint64_t size)
{
    struct user_ptr out = {arguments[1]};

    if (arguments[2] != size)
        return RUMPK_E_ARGUMENT;
    if (!user_write(fiber, out, from, size, _Alignof(uint64_t)))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, out.address);
    return RUMPK_OK;
}

static int64_t self_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct rumpk_meta_self self = {
        .fiber = fiber->number,
        .spectrum = fiber->spectrum,
        .calls = fiber->calls,
        .switches = fiber->switches,
        .pledge = fiber->pledge,
    };

    return answer(fiber, arguments, &self, sizeof(self));
}

// The caller's own end of the ring that `cap` came through.
static uint32_t through_slot(const struct fiber *fiber, const struct cap *cap)
{
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT && cap->via != CAP_VIA_NONE; slot++) {
        const struct cap *ring = &fiber->caps[slot];

        if (ring->type == RUMPK_CAP_RING && ring->object == cap->via && ring != cap)
            return slot;
    }
    return RUMPK_SLOT_NONE;
}

static uint32_t derived_count(const struct cap *cap)
{
    uint32_t count = 0;

    for (uint16_t node = cap->child; node != CAP_NODE_NONE && count < CAP_NODES;
         node = cap_nodes[node].next)
        count++;
    return count;
}

static bool may_observe(const struct fiber *fiber)
{
    return (fiber->package_flags & RUMPK_PACKAGE_OBSERVE) != 0;
}

// Fiber `number`, if the caller may ask about it.
static int64_t subject_find(struct fiber *fiber, uint64_t number, struct fiber **out)
{
    if (number != fiber->number && !may_observe(fiber))
        return RUMPK_E_RIGHTS;
    if (number >= FIBER_COUNT || fiber_table[number].state == FIBER_FREE)
        return RUMPK_E_BOUNDS;
    *out = &fiber_table[number];
    return RUMPK_OK;
}

static int64_t cap_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    uint64_t other = arguments[3] >> 32;
    struct fiber *subject = fiber;
    struct rumpk_meta_cap info;
    struct cap *cap;
    int64_t result = other == 0 ? RUMPK_OK : subject_find(fiber, other - 1, &subject);

    if (result == RUMPK_OK)
        result = cap_find(subject, (uint32_t)arguments[3], &cap);
    if (result != RUMPK_OK && result != RUMPK_E_STALE)
        return result;
    info = (struct rumpk_meta_cap){
        .type = cap->type,
        .rights = cap->rights,
        .state = (result == RUMPK_OK ? RUMPK_CAP_STATE_LIVE : 0) |
                 (cap->is_mapped != 0 ? RUMPK_CAP_STATE_MAPPED : 0),
        .depth = cap->depth,
        .through = through_slot(subject, cap),
        .derived = derived_count(cap),
        .size = cap_memory_size(cap),
    };
    return answer(fiber, arguments, &info, sizeof(info));
}

_Static_assert(FIBER_NEW == (int)RUMPK_FIBER_STATE_NEW &&
                   FIBER_READY == (int)RUMPK_FIBER_STATE_READY &&
                   FIBER_RUNNING == (int)RUMPK_FIBER_STATE_RUNNING &&
                   FIBER_WAITING == (int)RUMPK_FIBER_STATE_WAITING &&
                   FIBER_ENDED == (int)RUMPK_FIBER_STATE_ENDED,
               "meta tells fiber states by the numbers of the ABI");

static int64_t fiber_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct rumpk_meta_fiber info;
    struct fiber *subject;
    int64_t result = subject_find(fiber, arguments[3], &subject);

    if (result != RUMPK_OK)
        return result;
    info = (struct rumpk_meta_fiber){
        .fiber = subject->number,
        .state = subject->state,
        .spectrum = subject->spectrum,
        .calls = subject->calls,
        .switches = subject->switches,
        .pledge = subject->pledge,
        .checkpoint = subject->checkpoint.sequence,
        .checkpoint_size = subject->checkpoint.size,
    };
    memcpy(info.name, subject->name, sizeof(info.name));
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if (subject->caps[slot].type == RUMPK_CAP_NONE)
            continue;
        info.slots_used++;
        info.granted += derived_count(&subject->caps[slot]);
    }
    return answer(fiber, arguments, &info, sizeof(info));
}

static int64_t ring_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    const struct rumpk_ring_header *header;
    struct rumpk_meta_ring info;
    const struct ring *ring;
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[3], &cap);

    if (result != RUMPK_OK)
        return result;
    if (cap->type != RUMPK_CAP_RING)
        return RUMPK_E_TYPE;
    ring = &rings[cap->object];
    header = (const void *)(uintptr_t)ring->base;
    memory_use_kernel_root();
    info = (struct rumpk_meta_ring){
        .slots = ring->slots,
        .filled = ring_filled(ring),
        .epoch = header->epoch,
        .closed = header->closed,
        .wakes = ring->wakes[RING_PRODUCER],
        .returns = ring->wakes[RING_CONSUMER],
    };
    return answer(fiber, arguments, &info, sizeof(info));
}

static int64_t ledger_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    const struct rumpk_ledger_record *record;

    // Whoever may not observe learns no more than that a record is not about itself.
    if (arguments[3] >= rumpk_ledger.count)
        return RUMPK_E_BOUNDS;
    record = &rumpk_ledger.records[arguments[3]];
    if (record->fiber != fiber->number && !may_observe(fiber))
        return RUMPK_E_RIGHTS;
    return answer(fiber, arguments, record, sizeof(*record));
}

static int64_t run_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct rumpk_meta_run run = {
        .strikes = fiber->strikes,
        .slices = fiber->slices,
        .budget = fiber->budget,
        .throttled = fiber->throttled,
        .lent = lend_borrows(fiber) ? lend_rank(fiber) + 1 : 0,
    };

    budget_charge(fiber);
    run.run_ticks = fiber->run_ticks;
    return answer(fiber, arguments, &run, sizeof(run));
}

static int64_t wake_store(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct fiber *subject;
    int64_t result = subject_find(fiber, arguments[3], &subject);

    if (result != RUMPK_OK)
        return result;
    return answer(fiber, arguments, &wake_statistics[subject->number], sizeof(wake_statistics[0]));
}

int64_t call_meta(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    switch (arguments[0]) {
    case RUMPK_META_VERSION:
        return RUMPK_ABI_VERSION;
    case RUMPK_META_FEATURES:
        return (int64_t)systable_features();
    case RUMPK_META_START:
        return (int64_t)fiber->start_block;
    case RUMPK_META_SELF:
        return self_store(fiber, arguments);
    case RUMPK_META_CAP:
        return cap_store(fiber, arguments);
    case RUMPK_META_FIBER:
        return fiber_store(fiber, arguments);
    case RUMPK_META_RING:
        return ring_store(fiber, arguments);
    case RUMPK_META_BOOT:
        return may_observe(fiber)
                   ? answer(fiber, arguments, &rumpk_boot_record, sizeof(rumpk_boot_record))
                   : RUMPK_E_RIGHTS;
    case RUMPK_META_LEDGER:
        return ledger_store(fiber, arguments);
    case RUMPK_META_RUN:
        return run_store(fiber, arguments);
    case RUMPK_META_WAKE:
        return wake_store(fiber, arguments);
    case RUMPK_META_CORE:
        return may_observe(fiber)
                   ? answer(fiber, arguments, &core_statistics, sizeof(core_statistics))
                   : RUMPK_E_RIGHTS;
    default:
#if RUMPK_TEST_KERNEL
        return test_operation(arguments[0]);
#else
        return RUMPK_E_ARGUMENT;
#endif
    }
}
