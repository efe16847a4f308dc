// SPDX-License-Identifier: Apache-2.0
//
// hand.c: possession of what cannot be shared. The table of types is in hand.h.
#include <kernel/fiber.h>
#include <kernel/hand.h>
#include <kernel/interrupt.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/virtio.h>

bool hand_moves(const struct cap *cap, uint64_t rights)
{
    return cap->type == RUMPK_CAP_RING || cap->type == RUMPK_CAP_INTERRUPT ||
           cap->type == RUMPK_CAP_QUEUE ||
           (cap->type == RUMPK_CAP_DEVICE && (rights & RUMPK_RIGHT_CONTROL) != 0); // else a view
}

bool hand_has(const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return cap->child == CAP_NODE_NONE;
    case RUMPK_CAP_INTERRUPT:
        return interrupt_user(cap->object) == cap_node(cap);
    case RUMPK_CAP_QUEUE:
        return virtio_user(cap->object, cap->part) == cap_node(cap);
    default:
        return virtio_user(cap->object, VIRTIO_CONTROL) == cap_node(cap);
    }
}

bool hand_is_free(const struct cap *cap, uint64_t rights)
{
    return !hand_moves(cap, rights) || (hand_has(cap) && (cap->type != RUMPK_CAP_QUEUE ||
                                                          !virtio_is_busy(cap->object, cap->part)));
}

// `node` may be CAP_NODE_NONE, but for a ring.
static void possession_set(const struct cap *cap, uint16_t node)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        rings[cap->object].ends[cap->part] = &fiber_table[cap_node_fiber(node)];
        break;
    case RUMPK_CAP_INTERRUPT:
        interrupt_hand(cap->object, node);
        break;
    case RUMPK_CAP_QUEUE:
        virtio_user_set(cap->object, cap->part, node);
        break;
    case RUMPK_CAP_DEVICE:
        virtio_user_set(cap->object, VIRTIO_CONTROL, node);
        break;
    default:
        break;
    }
}

void hand_over(const struct cap *cap)
{
    possession_set(cap, cap_node(cap));
}

// ---- leaving ----

static bool is_user(uint32_t virtio, uint32_t queue, const struct fiber *fiber)
{
    return cap_node_fiber(virtio_user(virtio, queue)) == fiber->number;
}

void hand_tell(uint32_t virtio, const struct fiber *by)
{
    for (uint32_t queue = 0; queue < virtio_queues(virtio); queue++) {
        uint32_t user = cap_node_fiber(virtio_user(virtio, queue));

        if (user == by->number || user >= FIBER_COUNT)
            virtio_dropped_forget(virtio, queue);
        else
            sched_tell(&fiber_table[user]);
    }
}

static void device_reset(uint32_t virtio, const struct fiber *by)
{
    virtio_reset(virtio);
    hand_tell(virtio, by);
}

// Devices that still read or write this memory for its holder, who asked for it on a queue in its
// hands. One queue with requests is searched in a step; cap->left counts all queues there can be. A
// device that needs its time to stop gets it, in steps of its own.
static bool memory_stop_step(struct cap *cap)
{
    const struct fiber *fiber = cap_holder(cap);

    while (cap->left < VIRTIO_DEVICES_MAX * RUMPK_DEVICE_QUEUE_MAX) {
        uint32_t virtio = cap->left / RUMPK_DEVICE_QUEUE_MAX;
        uint32_t queue = cap->left % RUMPK_DEVICE_QUEUE_MAX;

        if (queue >= virtio_queues(virtio)) {
            cap->left = (virtio + 1) * RUMPK_DEVICE_QUEUE_MAX;
            continue;
        }
        if (is_user(virtio, queue, fiber)) {
            if (!virtio_reset_step(virtio))
                return false;
            if (virtio_is_busy(virtio, queue)) {
                if (virtio_uses(virtio, queue, cap_memory_base(cap), cap_memory_size(cap)))
                    device_reset(virtio, fiber); // and no longer busy when it is looked at again
                else
                    cap->left++;
                return false;
            }
        }
        cap->left++;
    }
    cap->left = 0;
    return true;
}

// cap->left: the device was told to stop.
static bool device_stop_step(struct cap *cap)
{
    if (cap->left == 0) {
        if (!hand_has(cap))
            return true;
        if (!virtio_reset_step(cap->object)) // of what was taken back before
            return false;
        if (cap->type == RUMPK_CAP_QUEUE && !virtio_is_busy(cap->object, cap->part))
            return true;
        device_reset(cap->object, cap_holder(cap));
        cap->left = 1;
        return false;
    }
    if (!virtio_reset_step(cap->object))
        return false;
    cap->left = 0;
    return true;
}

bool hand_stop_step(struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        return memory_stop_step(cap); // whatever its rights are now: they were more when it asked
    case RUMPK_CAP_DEVICE:
    case RUMPK_CAP_QUEUE:
        return device_stop_step(cap);
    default:
        return true;
    }
}

static void ring_leave(struct ring *ring, uint32_t end)
{
    struct fiber *peer = ring->ends[end == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER];

    ring_close(ring, end);
    if (peer != NULL)
        sched_wake(peer);
}

void hand_back(const struct cap *cap)
{
    if (cap->type == RUMPK_CAP_RING && cap->parent == CAP_NODE_NONE)
        ring_leave(&rings[cap->object], cap->part);
    else if (hand_moves(cap, RUMPK_RIGHTS_ALL) && hand_has(cap))
        possession_set(cap, cap->parent);
}

// ---- negotiating ----

int64_t hand_negotiate(const struct cap *cap, uint64_t features)
{
    int64_t result = virtio_negotiate(cap->object, features);

    hand_tell(cap->object, cap_holder(cap));
    return result;
}
