// SPDX-License-Identifier: Apache-2.0
//
// cap.h: the capability slots of a fiber. Zero means denied: an empty slot has type NONE and no
// rights.
//
// Every slot is a node of the derivation tree (derive.h). All slots of all fibers lie in one table,
// so a node is named by one number: fiber * RUMPK_SLOT_COUNT + slot. There are as many nodes as
// slots: whoever finds a free slot has a node.
#ifndef KERNEL_CAP_H
#define KERNEL_CAP_H

#include <kernel/base.h>

#define RING_PRODUCER 0u
#define RING_CONSUMER 1u

#define CAP_NODES     (RUMPK_PACKAGES_MAX * RUMPK_SLOT_COUNT)
#define CAP_NODE_NONE 0xFFFFu
#define CAP_VIA_NONE  0xFFFFu

enum cap_mapping {
    CAP_UNMAPPED,
    CAP_MAPPED,
    CAP_LEAVING, // taken back; its pages go step by step
};

struct cap {
    uint8_t type;      // enum rumpk_cap_type
    uint8_t rights;    // RUMPK_RIGHT_*
    uint8_t part;      // RING: which end; QUEUE: which queue
    uint8_t is_mapped; // enum cap_mapping
    uint32_t object;   // index in the table of its type: ring, memory object, device
    // Derivation. The epoch goes up when what was derived from this node is taken back, and is
    // kept when the slot is emptied and filled again.
    uint64_t epoch;
    uint64_t parent_epoch; // the parent's epoch when this was derived from it
    uint16_t parent;       // CAP_NODE_NONE: from the boot manifest
    uint16_t child;        // first of the derived ones, or CAP_NODE_NONE
    uint16_t next;         // siblings, CAP_NODE_NONE at both ends
    uint16_t previous;
    uint32_t page;    // MEMORY, DMA: first page of the object that this covers,
    uint32_t pages;   // and how many
    uint32_t taken;   // nodes that left the subtree since derive_stale
    uint32_t left;    // LEAVING: pages that are gone already; before that, queues looked at
    uint16_t via;     // ring that it was granted through, or CAP_VIA_NONE
    uint8_t depth;    // 0: from the boot manifest
    const char *name; // of the request or service, in the archive; null: granted by a peer
};
_Static_assert(CAP_NODES < CAP_NODE_NONE, "a node number fits 16 bits");

extern struct cap cap_nodes[CAP_NODES];

struct fiber;

// The capability in `slot` (any 64-bit number). E_SLOT when there is none, E_STALE when it or one
// that it was derived from was revoked.
[[nodiscard]] int64_t cap_find(struct fiber *fiber, uint64_t slot, struct cap **out);

// Number of a node, and whose it is.
static inline uint16_t cap_node(const struct cap *cap)
{
    return (uint16_t)(cap - cap_nodes);
}
struct fiber *cap_holder(const struct cap *cap);
// Number of the fiber whose node it is; of CAP_NODE_NONE, one that no fiber has.
static inline uint32_t cap_node_fiber(uint16_t node)
{
    return node / RUMPK_SLOT_COUNT;
}
_Static_assert(CAP_NODE_NONE / RUMPK_SLOT_COUNT >= RUMPK_PACKAGES_MAX, "no fiber has this number");

// Memory that capabilities name: MEMORY, DMA.
struct memory_object {
    uint64_t base; // physical = virtual
    uint64_t size;
};
#define MEMORY_OBJECTS_MAX 256u
extern struct memory_object memory_objects[MEMORY_OBJECTS_MAX];
// Takes pages for a new object. E_LIMIT or E_MEMORY.
[[nodiscard]] int64_t memory_object_new(uint64_t size, uint32_t *index);
// The part of a memory object that a capability of type MEMORY or DMA covers.
static inline uint64_t cap_memory_base(const struct cap *cap)
{
    return memory_objects[cap->object].base + cap->page * PAGE_SIZE;
}
static inline uint64_t cap_memory_size(const struct cap *cap)
{
    return cap->pages * PAGE_SIZE;
}

// At boot: fills the next slot of `fiber` with a node that nothing was derived from, and returns
// its number, or E_LIMIT. It carries GRANT where the owner permits that. A MEMORY or DMA capability
// covers its whole object; what only one can use (hand.h) is in its hands.
[[nodiscard]] int64_t cap_add(struct fiber *fiber, struct cap cap);

// An empty slot of `fiber`, or null. It keeps its epoch.
struct cap *cap_free(struct fiber *fiber);
// Capabilities of `fiber` that came through `ring` and still fill a slot, stale ones included.
uint32_t cap_count_via(const struct fiber *fiber, uint16_t ring);

// All below: on the kernel root, in a commit part.
// One step of taking back everything derived from `cap`, which derive_stale has made stale: a
// mapping goes, or who waits on one is released. cap->taken says how many are done. True:
// nothing is left below. At most CAP_NODES steps, and one for every WORK_STEP_PAGES pages mapped.
[[nodiscard]] bool cap_revoke_step(struct cap *cap);
// The same, and then the slot itself becomes empty (true). A live end of a ring goes back to whom
// it was derived from, or closes; a device is reset.
[[nodiscard]] bool cap_drop_step(struct cap *cap);

#endif
