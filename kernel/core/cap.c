// SPDX-License-Identifier: Apache-2.0
//
// cap.c: slots, and the memory objects that some of them name.
#include <kernel/call.h>
#include <kernel/fiber.h>
#include <kernel/memory.h>

struct memory_object memory_objects[MEMORY_OBJECTS_MAX];
static uint32_t memory_object_count;

SYSCALL_CORE int64_t cap_find(struct fiber *fiber, uint64_t slot, struct cap **out)
{
    if (slot >= RUMPK_SLOT_COUNT || fiber->caps[slot].type == RUMPK_CAP_NONE)
        return RUMPK_E_SLOT;
    *out = &fiber->caps[slot];
    return RUMPK_OK;
}

int64_t cap_add(struct fiber *fiber, struct cap cap)
{
    if (fiber->cap_count == RUMPK_SLOT_COUNT)
        return RUMPK_E_LIMIT;
    fiber->caps[fiber->cap_count] = cap;
    return fiber->cap_count++;
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
