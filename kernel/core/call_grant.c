// SPDX-License-Identifier: Apache-2.0
//
// call_grant.c: grant and revoke. The tree itself is derive.c; what taking back undoes is cap.c;
// what moves instead of being shared, hand.c.
//
// Both go in steps (work.h). A grant needs page tables at the receiver, one unit of 2 MiB a step;
// as anybody may run in between, each step checks everything again from the call's arguments, and
// the one that finds no table missing commits.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/hand.h>
#include <kernel/mapping.h>
#include <kernel/memory.h>
#include <kernel/ring.h>

// What the arguments of `grant` ask for, and the receiver's slot for it.
struct grant {
    struct cap *from;
    const struct cap *through;
    struct fiber *receiver;
    struct cap *slot;
    uint64_t rights;
    uint64_t offset;
    uint64_t length;
};

// The fiber at the other end of the ring.
static int64_t receiver_find(struct grant *grant)
{
    const struct ring *ring;

    if (grant->through->type != RUMPK_CAP_RING)
        return RUMPK_E_TYPE;
    if ((grant->through->rights & (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)) == 0)
        return RUMPK_E_RIGHTS;
    ring = &rings[grant->through->object];
    grant->receiver =
        ring->ends[grant->through->part == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER];
    return grant->receiver == NULL || !fiber_is_alive(grant->receiver) ? RUMPK_E_PEER : RUMPK_OK;
}

static struct cap derived_of(const struct grant *grant)
{
    struct cap cap = *grant->from;

    cap.rights = (uint8_t)grant->rights;
    cap.is_mapped = CAP_UNMAPPED;
    cap.name = NULL;
    cap.left = 0;
    cap.via = (uint16_t)grant->through->object;
    cap.page += (uint32_t)(grant->offset / PAGE_SIZE);
    cap.pages = (uint32_t)(grant->length / PAGE_SIZE);
    return cap;
}

// May this capability be derived from, with these rights?
static int64_t rights_check(const struct grant *grant)
{
    if (grant->rights == 0 || (grant->rights & ~(uint64_t)RUMPK_RIGHTS_ALL) != 0)
        return RUMPK_E_ARGUMENT;
    if ((grant->from->rights & RUMPK_RIGHT_GRANT) == 0 ||
        (grant->rights & ~(uint64_t)grant->from->rights) != 0)
        return RUMPK_E_RIGHTS;
    return hand_is_free(grant->from, grant->rights) ? RUMPK_OK : RUMPK_E_STATE;
}

// Whole pages of memory; nothing else has parts.
static int64_t bounds_check(struct grant *grant)
{
    bool is_memory = grant->from->type == RUMPK_CAP_MEMORY || grant->from->type == RUMPK_CAP_DMA;
    uint64_t size = cap_memory_size(grant->from);

    if (!is_memory)
        return grant->offset == 0 && grant->length == 0 ? RUMPK_OK : RUMPK_E_ARGUMENT;
    if (((grant->offset | grant->length) & PAGE_MASK) != 0)
        return RUMPK_E_ARGUMENT;
    if (grant->offset >= size)
        return RUMPK_E_BOUNDS;
    if (grant->length == 0)
        grant->length = size - grant->offset;
    return range_contains(0, size, grant->offset, grant->length) ? RUMPK_OK : RUMPK_E_BOUNDS;
}

static int64_t room_check(struct grant *grant)
{
    grant->slot = cap_free(grant->receiver);
    return grant->slot == NULL || grant->from->depth == RUMPK_DERIVATION_DEPTH_MAX ||
                   cap_count_via(grant->receiver, (uint16_t)grant->through->object) ==
                       RUMPK_GRANTS_PER_RING_MAX
               ? RUMPK_E_LIMIT
               : RUMPK_OK;
}

static int64_t grant_check(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS],
                           struct grant *grant)
{
    struct cap *through;
    int64_t result = cap_find(fiber, arguments[0], &grant->from);

    if (result == RUMPK_OK)
        result = cap_find(fiber, arguments[1], &through);
    if (result != RUMPK_OK)
        return result;
    grant->through = through;
    grant->rights = arguments[2];
    grant->offset = arguments[3];
    grant->length = arguments[4];
    result = rights_check(grant);
    if (result == RUMPK_OK)
        result = bounds_check(grant);
    if (result == RUMPK_OK)
        result = receiver_find(grant);
    return result == RUMPK_OK ? room_check(grant) : result;
}

static int64_t grant_commit(const struct grant *grant, struct cap cap)
{
    struct cap *slot = grant->slot;

    cap.epoch = slot->epoch;
    *slot = cap;
    derive_link(grant->from, slot);
    if (hand_moves(slot, slot->rights))
        hand_over(slot);
    return slot - grant->receiver->caps;
}

// Tables that are made and then not used stay the receiver's: nothing is mapped by them.
static bool grant_step(struct fiber *fiber)
{
    struct work *work = &fiber->work;
    uint64_t arguments[CALL_ARGUMENTS];
    struct grant grant;
    struct cap cap;

    for (uint32_t index = 0; index < CALL_ARGUMENTS; index++)
        arguments[index] = arch_frame_argument(&fiber->frame, index);
    work->result = grant_check(fiber, arguments, &grant);
    if (work->result != RUMPK_OK)
        return true;
    if (work->part != grant.receiver->number) { // meanwhile the ring's end has moved
        work->part = grant.receiver->number;
        work->done = 0;
    }
    cap = derived_of(&grant);
    work->result = mapping_prepare_step(grant.receiver, &cap, &work->done);
    if (work->result == MAPPING_MORE)
        return false;
    if (work->result == RUMPK_OK)
        work->result = grant_commit(&grant, cap);
    return true;
}

int64_t call_grant(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct grant grant;
    int64_t result = grant_check(fiber, arguments, &grant);

    if (result != RUMPK_OK)
        return result;
    fiber->work.part = grant.receiver->number;
    fiber->work.done = 0;
    work_begin(fiber, grant_step);
}

static bool revoke_step(struct fiber *fiber)
{
    struct work *work = &fiber->work;

    // The last step takes nothing back any more: it finds that there is nothing, and may empty the
    // slot.
    work->result = work->cap->taken;
    if (work->itself ? !cap_drop_step(work->cap) : !cap_revoke_step(work->cap))
        return false;
    audit_step(AUDIT_STEP_REVOKE);
    return true;
}

int64_t call_revoke(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    bool itself = arguments[1] == RUMPK_REVOKE_SELF;
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    // A stale slot can still be emptied: there is no other way to get it back.
    if (result != RUMPK_OK && !(result == RUMPK_E_STALE && itself))
        return result;
    if (arguments[1] != 0 && !itself)
        return RUMPK_E_ARGUMENT;
    kernel_phase = PHASE_COMMIT;
    derive_stale(cap); // at once, for everything below; what it had done goes step by step
    fiber->work.cap = cap;
    fiber->work.itself = itself;
    work_begin(fiber, revoke_step);
}
