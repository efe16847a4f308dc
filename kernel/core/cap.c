// SPDX-License-Identifier: Apache-2.0
//
// cap.c: slots, the memory objects that some of them name, and what taking one back undoes.
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/fiber.h>
#include <kernel/interrupt.h>
#include <kernel/mapping.h>
#include <kernel/memory.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/virtio.h>

struct memory_object memory_objects[MEMORY_OBJECTS_MAX];
static uint32_t memory_object_count;

SYSCALL_CORE int64_t cap_find(struct fiber *fiber, uint64_t slot, struct cap **out)
{
    const struct cap *node;

    if (slot >= RUMPK_SLOT_COUNT || fiber->caps[slot].type == RUMPK_CAP_NONE)
        return RUMPK_E_SLOT;
    *out = &fiber->caps[slot];
    // derive_is_live, here because every call passes by. The depth falls with each step.
    for (node = *out; node->parent != CAP_NODE_NONE;) {
        const struct cap *parent = &cap_nodes[node->parent];

        if (parent->epoch != node->parent_epoch)
            return RUMPK_E_STALE;
        node = parent;
    }
    return RUMPK_OK;
}

struct fiber *cap_holder(const struct cap *cap)
{
    return &fiber_table[cap_node(cap) / RUMPK_SLOT_COUNT];
}

bool cap_is_grantable(const struct cap *cap)
{
    return cap->type == RUMPK_CAP_MEMORY || cap->type == RUMPK_CAP_DMA ||
           cap->type == RUMPK_CAP_WINDOW || cap->type == RUMPK_CAP_PORTS ||
           cap->type == RUMPK_CAP_RING;
}

int64_t cap_add(struct fiber *fiber, struct cap cap)
{
    struct cap *slot = cap_free(fiber);

    if (slot == NULL)
        return RUMPK_E_LIMIT;
    if (cap_is_grantable(&cap) && (fiber->package_flags & RUMPK_PACKAGE_DELEGATE) != 0)
        cap.rights |= RUMPK_RIGHT_GRANT;
    cap.epoch = slot->epoch;
    cap.parent = slot->parent;
    cap.child = slot->child;
    cap.next = slot->next;
    cap.previous = slot->previous;
    cap.via = slot->via;
    if (cap.type == RUMPK_CAP_MEMORY || cap.type == RUMPK_CAP_DMA)
        cap.pages = (uint32_t)(memory_objects[cap.object].size / PAGE_SIZE);
    *slot = cap;
    fiber->cap_count++;
    return slot - fiber->caps;
}

struct cap *cap_free(struct fiber *fiber)
{
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if (fiber->caps[slot].type == RUMPK_CAP_NONE)
            return &fiber->caps[slot];
    }
    return NULL;
}

uint32_t cap_count_via(const struct fiber *fiber, uint16_t ring)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        count += fiber->caps[slot].type != RUMPK_CAP_NONE && fiber->caps[slot].via == ring;
    return count;
}

// ---- taking back ----

// Devices of `fiber` that still read or write the memory of `cap` are stopped: their driver is told
// E_STATE and negotiates again.
static void devices_stop(const struct fiber *fiber, const struct cap *cap)
{
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        const struct cap *device = &fiber->caps[slot];

        if (device->type == RUMPK_CAP_DEVICE &&
            virtio_uses(device->object, cap_memory_base(cap), cap_memory_size(cap)))
            virtio_reset(device->object);
    }
}

// What a capability that is no longer live had done: devices first, then mappings, then sleepers.
// True: all of it is undone.
static bool undo_step(struct cap *cap)
{
    struct fiber *fiber = cap_holder(cap);

    if ((cap->type == RUMPK_CAP_MEMORY || cap->type == RUMPK_CAP_DMA) &&
        (cap->rights & RUMPK_RIGHT_DMA) != 0 && cap->is_mapped != CAP_LEAVING)
        devices_stop(fiber, cap);
    if (!mapping_leave_step(fiber, cap))
        return false;
    if (cap->type == RUMPK_CAP_RING)
        rings[cap->object].ends[cap->part] = cap_holder(&cap_nodes[cap->parent]);
    sched_wake(fiber);
    return true;
}

bool cap_revoke_step(struct cap *cap)
{
    struct cap *leaf = derive_leaf(cap);

    if (leaf == NULL)
        return true;
    if (undo_step(leaf))
        derive_unlink(leaf);
    return false;
}

// The own end of a ring: who was given it gives it back; whom the boot manifest gave it closes it.
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

// Before the own mapping goes: who could still use it without the driver.
static void object_stop(const struct fiber *fiber, const struct cap *cap)
{
    if (cap->type == RUMPK_CAP_DEVICE ||
        (cap->type == RUMPK_CAP_QUEUE && virtio_is_busy(cap->object, cap->part)))
        virtio_reset(cap->object);
    else if (cap->type == RUMPK_CAP_MEMORY || cap->type == RUMPK_CAP_DMA)
        devices_stop(fiber, cap);
    else if (cap->type == RUMPK_CAP_INTERRUPT)
        interrupt_mask(cap->object);
}

bool cap_drop_step(struct cap *cap)
{
    struct fiber *fiber = cap_holder(cap);

    if (!cap_revoke_step(cap))
        return false;
    // One that is stale already was stopped by whoever took it back.
    if (cap->is_mapped != CAP_LEAVING && derive_is_live(cap))
        object_stop(fiber, cap);
    if (!mapping_leave_step(fiber, cap))
        return false;
    if (cap->type == RUMPK_CAP_RING && derive_is_live(cap))
        ring_leave(cap);
    derive_clear(cap);
    return true;
}

int64_t memory_object_new(uint64_t size, uint32_t *index)
{
    uint64_t base;

    if (memory_object_count == MEMORY_OBJECTS_MAX)
        return RUMPK_E_LIMIT;
    if (!memory_take_high(size / PAGE_SIZE, &base))
        return RUMPK_E_MEMORY;
    memory_objects[memory_object_count] = (struct memory_object){.base = base, .size = size};
    *index = memory_object_count++;
    return RUMPK_OK;
}
