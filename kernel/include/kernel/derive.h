// SPDX-License-Identifier: Apache-2.0
//
// derive.h: who was given what by whom: the derivation tree over all capability slots.
//
//   boot manifest --> node, depth 0, epoch 5
//                       +-- node, depth 1, parent_epoch 5: live
//                       |     +-- node, depth 2 ... RUMPK_DERIVATION_DEPTH_MAX
//                       +-- node, depth 1, parent_epoch 4: was taken back, stale for ever
//
// A node is live when every step up finds the epoch that was noted when it was derived. So raising
// one epoch takes back a whole subtree at once, whatever its shape; the lists of children are only
// there to find what must also be undone (mappings, sleepers). Nothing here knows what a capability
// names.
#ifndef KERNEL_DERIVE_H
#define KERNEL_DERIVE_H

#include <kernel/cap.h>

// Is this filled slot live? At most RUMPK_DERIVATION_DEPTH_MAX steps.
bool derive_is_live(const struct cap *cap);

// Is it derived, and has nobody undone it yet? A stale node stays so until its turn comes.
bool derive_is_linked(const struct cap *cap);

// `child`, an empty slot just filled, becomes derived from `parent`, whose depth is below the
// limit.
void derive_link(struct cap *parent, struct cap *child);

// Takes back all that was derived from `cap`, at once: every node below is stale from here on.
void derive_stale(struct cap *cap);
// A node below `cap` that nothing is derived from, or null: the next one to undo. When that is done
// it leaves the tree.
struct cap *derive_leaf(const struct cap *cap);
// Out of the list of its parent's children; harmless when it is in none. It has no children. Every
// node above counts that in `taken`, so whoever takes back learns the number even when a holder
// empties its slot meanwhile.
void derive_unlink(struct cap *cap);

// A node without children leaves the tree; its slot is empty afterwards and its epoch has gone up.
void derive_clear(struct cap *cap);
// Empties a slot that is in no tree: before its first use.
void derive_init(struct cap *cap);

#endif
