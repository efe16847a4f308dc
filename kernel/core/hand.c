// SPDX-License-Identifier: Apache-2.0
//
// hand.c: possession of what cannot be shared. The table of types is in hand.h.
#include <kernel/fiber.h>
#include <kernel/hand.h>
#include <kernel/interrupt.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/virtio.h>

bool hand_moves(const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
    case RUMPK_CAP_INTERRUPT:
    case RUMPK_CAP_QUEUE:
        return true;
    case RUMPK_CAP_DEVICE:
        return (cap->rights & RUMPK_RIGHT_CONTROL) != 0; // else it is only a view
    default:
        return false;
    }
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

bool hand_is_free(const struct cap *cap)
{
    return hand_has(cap) &&
           (cap->type != RUMPK_CAP_QUEUE || !virtio_is_busy(cap->object, cap->part));
}

// `node` may be CAP_NODE_NONE.
static void possession_set(const struct cap *cap, uint16_t node)
{
    switch (cap->type) {
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
    if (cap->type == RUMPK_CAP_RING)
        rings[cap->object].ends[cap->part] = cap_holder(cap);
    else
        possession_set(cap, cap_node(cap));
}

// ---- leaving ----

static bool is_user(uint32_t virtio, uint32_t queue, const struct fiber *fiber)
{
    uint16_t node = virtio_user(virtio, queue);

    return node != CAP_NODE_NONE && cap_holder(&cap_nodes[node]) == fiber;
}

void hand_tell(uint32_t virtio, const struct fiber *by)
{
    for (uint32_t queue = 0; queue < virtio_queues(virtio); queue++) {
        uint16_t node = virtio_user(virtio, queue);

        if (node == CAP_NODE_NONE || is_user(virtio, queue, by))
            virtio_dropped_forget(virtio, queue);
        else
            sched_wake(cap_holder(&cap_nodes[node]));
    }
}

static void device_reset(uint32_t virtio, const struct fiber *by)
{
    virtio_reset(virtio);
    hand_tell(virtio, by);
}

// Devices that still read or write this memory for its holder, who asked for it on a queue in its
// hands. One queue with requests is searched in a step; cap->left counts all queues there can be.
static bool memory_stop_step(struct cap *cap)
{
    const struct fiber *fiber = cap_holder(cap);

    while (cap->left < VIRTIO_DEVICES_MAX * RUMPK_DEVICE_QUEUE_MAX) {
        uint32_t virtio = cap->left / RUMPK_DEVICE_QUEUE_MAX;
        uint32_t queue = cap->left % RUMPK_DEVICE_QUEUE_MAX;

        cap->left++;
        if (queue >= virtio_queues(virtio) || !is_user(virtio, queue, fiber) ||
            !virtio_is_busy(virtio, queue))
            continue;
        if (virtio_uses(virtio, queue, cap_memory_base(cap), cap_memory_size(cap)))
            device_reset(virtio, fiber);
        return false;
    }
    cap->left = 0;
    return true;
}

bool hand_stop_step(struct cap *cap)
{
    const struct fiber *fiber = cap_holder(cap);

    switch (cap->type) {
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        return memory_stop_step(cap); // whatever its rights are now: they were more when it asked
    case RUMPK_CAP_DEVICE:
        if (hand_has(cap))
            device_reset(cap->object, fiber);
        return true;
    case RUMPK_CAP_QUEUE:
        if (hand_has(cap) && virtio_is_busy(cap->object, cap->part))
            device_reset(cap->object, fiber);
        return true;
    default:
        return true;
    }
}

static void ring_leave(const struct cap *cap)
{
    struct ring *ring = &rings[cap->object];
    struct fiber *peer = ring->ends[cap->part == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER];

    if (cap->parent != CAP_NODE_NONE) {
        ring->ends[cap->part] = cap_holder(&cap_nodes[cap->parent]);
        return;
    }
    ring_close(ring, cap->part);
    if (peer != NULL)
        sched_wake(peer);
}

void hand_back(const struct cap *cap)
{
    if (cap->type == RUMPK_CAP_RING)
        ring_leave(cap);
    else if ((cap->type == RUMPK_CAP_INTERRUPT || cap->type == RUMPK_CAP_QUEUE ||
              cap->type == RUMPK_CAP_DEVICE) &&
             hand_has(cap))
        possession_set(cap, cap->parent);
}

// ---- negotiating ----

int64_t hand_negotiate(const struct cap *cap, uint64_t features)
{
    int64_t result = virtio_negotiate(cap->object, features);

    hand_tell(cap->object, cap_holder(cap));
    return result;
}
