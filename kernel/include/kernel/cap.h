// SPDX-License-Identifier: Apache-2.0
//
// cap.h: the capability slots of a fiber. Zero means denied: an empty slot has type NONE and no
// rights.
#ifndef KERNEL_CAP_H
#define KERNEL_CAP_H

#include <kernel/base.h>

#define RING_PRODUCER 0u
#define RING_CONSUMER 1u

struct cap {
    uint8_t type;   // enum rumpk_cap_type
    uint8_t rights; // RUMPK_RIGHT_*
    uint8_t part;   // RING: which end; QUEUE: which queue
    uint8_t is_mapped;
    uint32_t object;  // index in the table of its type: ring, memory object, device
    const char *name; // of the request or service, in the archive
};

struct fiber;

// The capability in `slot` (any 64-bit number). E_SLOT when there is none.
[[nodiscard]] int64_t cap_find(struct fiber *fiber, uint64_t slot, struct cap **out);

// Memory that capabilities name: MEMORY, DMA.
struct memory_object {
    uint64_t base; // physical = virtual
    uint64_t size;
};
#define MEMORY_OBJECTS_MAX 256u
extern struct memory_object memory_objects[MEMORY_OBJECTS_MAX];
// Takes pages for a new object. E_LIMIT or E_MEMORY.
[[nodiscard]] int64_t memory_object_new(uint64_t size, uint32_t *index);

// Fills the next slot of `fiber` and returns its number, or E_LIMIT.
[[nodiscard]] int64_t cap_add(struct fiber *fiber, struct cap cap);

#endif
