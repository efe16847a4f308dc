// SPDX-License-Identifier: Apache-2.0
//
// cap.c: slots, the memory objects that some of them name, and what taking one back undoes.
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/fiber.h>
#include <kernel/hand.h>
#include <kernel/mapping.h>
#include <kernel/memory.h>
#include <kernel/sched.h>

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

int64_t cap_add(struct fiber *fiber, struct cap cap)
{
    struct cap *slot = cap_free(fiber);

    if (slot == NULL)
        return RUMPK_E_LIMIT;
    if ((fiber->package_flags & RUMPK_PACKAGE_DELEGATE) != 0)
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
    hand_over(slot);
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

// What a capability had done is undone: devices first, then mappings, then who uses it. True: all.
static bool leave_step(struct cap *cap)
{
    if (cap->is_mapped != CAP_LEAVING && !hand_stop_step(cap))
        return false;
    if (!mapping_leave_step(cap_holder(cap), cap))
        return false;
    hand_back(cap);
    return true;
}

bool cap_revoke_step(struct cap *cap)
{
    struct cap *leaf = derive_leaf(cap);

    if (leaf == NULL)
        return true;
    if (leave_step(leaf)) {
        sched_wake_stale(cap_holder(leaf), cap_node(leaf) % RUMPK_SLOT_COUNT);
        derive_unlink(leaf);
    }
    return false;
}

bool cap_drop_step(struct cap *cap)
{
    if (!cap_revoke_step(cap))
        return false;
    // A stale one may be undone already, or wait for it in a revoke that this call has overtaken.
    if ((cap->parent == CAP_NODE_NONE || derive_is_linked(cap)) && !leave_step(cap))
        return false;
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
