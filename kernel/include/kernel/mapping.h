// SPDX-License-Identifier: Apache-2.0
//
// mapping.h: what `map` makes accessible, and how it goes away again.
//
// VA = PA, so two capabilities of one fiber that cover the same page meet in one leaf: the leaf
// allows what any of them allows. When one goes, the leaf is made anew from those that are left.
#ifndef KERNEL_MAPPING_H
#define KERNEL_MAPPING_H

#include <kernel/fiber.h>

// One step of making the tables for everything that this capability could map, so that mapping
// cannot fail: those of its unit number *unit, which then goes up. MAPPING_MORE, OK when these were
// the last, or E_MEMORY.
#define MAPPING_MORE 1
[[nodiscard]] int64_t mapping_prepare_step(struct fiber *fiber, const struct cap *cap,
                                           uint64_t *unit);

// What `map` returns for it.
int64_t mapping_address(const struct cap *cap);

// All below: on the kernel root, in a commit part. The fiber's root is not the active one, so no
// stale translation is left when it becomes active.

// `cap` is mapped, or no longer, from now on; its ports too. The leaves follow by mapping_step.
void mapping_add(struct fiber *fiber, struct cap *cap);
void mapping_remove(struct fiber *fiber, struct cap *cap);
// Brings the next leaves of `cap`, from page number *page on, to what the fiber's mapped live
// capabilities allow now. True: those were the last.
[[nodiscard]] bool mapping_step(struct fiber *fiber, const struct cap *cap, uint64_t *page);
// One step of mapping_remove and its leaves, for a capability that is no longer live or about to
// go. True: nothing of it is mapped.
[[nodiscard]] bool mapping_leave_step(struct fiber *fiber, struct cap *cap);

#endif
