// SPDX-License-Identifier: Apache-2.0
//
// wait.c: is what a fiber waits for there? The same function answers at the call itself, when a
// peer wakes the fiber, and in the idle loop, so a wake that gets lost costs time and never the
// result.
#include <kernel/derive.h>
#include <kernel/hand.h>
#include <kernel/interrupt.h>
#include <kernel/record.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/user.h>
#include <kernel/virtio.h>

static bool cap_is_ready(const struct cap *cap)
{
    if (cap->type == RUMPK_CAP_RING)
        return ring_ready(&rings[cap->object], cap->part) != 0;
    return virtio_is_ready(cap->object, cap->part);
}

static bool queue_try(struct fiber *fiber, const struct cap *cap, int64_t *result)
{
    struct rumpk_queue_completion completions[RUMPK_QUEUE_BATCH_MAX];
    const struct fiber_wait *wait = &fiber->wait;
    struct user_ptr out = {wait->out};
    int64_t taken;

    // It was writable when the call was made; its memory may have been revoked since.
    if (!user_is_writable(fiber, out, wait->out_count * sizeof(completions[0]),
                          _Alignof(struct rumpk_queue_completion))) {
        *result = RUMPK_E_STALE;
        return true;
    }
    taken = virtio_collect(cap->object, cap->part, completions, wait->out_count);
    if (taken == RUMPK_E_DEVICE && virtio_has_broken(cap->object))
        hand_tell(cap->object, fiber);
    if (taken == 0)
        return false;
    *result = taken;
    if (taken > 0)
        KERNEL_ASSERT(user_write(fiber, out, completions, (uint64_t)taken * sizeof(completions[0]),
                                 _Alignof(struct rumpk_queue_completion)));
    return true;
}

// What was taken back while the fiber sleeps is told by whoever takes it back (sched_wake_stale);
// here only what would be a result is looked at once more.
static bool sources_try(struct fiber *fiber, int64_t *result)
{
    const struct fiber_wait *wait = &fiber->wait;
    const struct cap *first = &fiber->caps[wait->slots[0]];

    switch (wait->kind) {
    case WAIT_RING:
        *result = ring_ready(&rings[first->object], first->part);
        if (*result != 0 && !derive_is_live(first))
            *result = RUMPK_E_STALE;
        return *result != 0;
    case WAIT_QUEUE:
        if (!derive_is_live(first)) {
            *result = RUMPK_E_STALE;
            return true;
        }
        return queue_try(fiber, first, result);
    case WAIT_MANY:
        for (uint32_t index = 0; index < wait->count; index++) {
            const struct cap *cap = &fiber->caps[wait->slots[index]];

            if (cap_is_ready(cap)) {
                *result = derive_is_live(cap) ? (int64_t)index : RUMPK_E_STALE;
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

bool wait_try(struct fiber *fiber, int64_t *result)
{
    uint64_t deadline = fiber->wait.deadline;

    if (sources_try(fiber, result))
        return true;
    if (deadline == RUMPK_FOREVER || (deadline != RUMPK_NOW && record_ticks() < deadline))
        return false;
    *result = RUMPK_E_TIMEOUT;
    return true;
}

bool wait_names(const struct fiber *fiber, uint32_t slot)
{
    for (uint32_t index = 0; index < fiber->wait.count; index++) {
        if (fiber->wait.slots[index] == slot)
            return true;
    }
    return false;
}

bool wait_is_pending(const struct fiber *fiber)
{
    const struct fiber_wait *wait = &fiber->wait;

    if (wait->deadline != RUMPK_FOREVER)
        return true;
    for (uint32_t index = 0; index < wait->count; index++) {
        const struct cap *cap = &fiber->caps[wait->slots[index]];

        if (cap->type == RUMPK_CAP_RING && rings[cap->object].interrupt != RING_OF_FIBERS &&
            interrupt_is_armed(rings[cap->object].interrupt))
            return true;
        if (cap->type == RUMPK_CAP_QUEUE && virtio_is_busy(cap->object, cap->part))
            return true;
    }
    return false;
}
