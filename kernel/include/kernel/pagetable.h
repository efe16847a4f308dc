// SPDX-License-Identifier: Apache-2.0
//
// pagetable.h: page tables of every architecture, through the entry codec of arch_types.h.
//
//   template root ---- kernel zone, device windows of the kernel         (unchanged after boot)
//        |  top level copied, lower tables shared
//        +-- kernel root ---- + pages of the user zone, tree, archive    (kernel rights only)
//        +-- driver root ---- + the driver's own pages                   (user rights)
//
// A root made from another shares all tables with it. Where a page is mapped under a shared table,
// that table is copied first, so no root ever changes another. Leaves are always 4 KiB pages.
// Tables come from one pool that is filled at boot; nothing is given back in this release.
#ifndef KERNEL_PAGETABLE_H
#define KERNEL_PAGETABLE_H

#include <arch/arch.h>
#include <kernel/base.h>

struct pagetable {
    uint64_t root;   // physical address of the top table
    uint64_t parent; // root that this one was made from and shares with, or 0
};

// Gives [base, base + size) to the pool of tables, at most twice; pages are cleared when they are
// used.
void pagetable_pool_add(uint64_t base, uint64_t size);
uint64_t pagetable_pool_free(void); // pages left

// An empty root (parent null) or one that shares everything with `parent`. False: the pool is
// empty.
[[nodiscard]] bool pagetable_new(struct pagetable *table, const struct pagetable *parent);

// Maps size bytes at va to pa. All three are multiples of the page size. An existing leaf is
// replaced. False: the pool is empty, or the range lies outside what the tables can map; then a
// part may be mapped.
[[nodiscard]] bool pagetable_map(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size,
                                 uint32_t prot);

// Makes (and unshares) the tables for a range so that a later pagetable_map of it cannot fail.
[[nodiscard]] bool pagetable_prepare(struct pagetable *table, uint64_t va, uint64_t size);

// Removes the leaves of a range. The tables must not be shared there.
void pagetable_unmap(struct pagetable *table, uint64_t va, uint64_t size);

// The leaf that maps `va`: its physical address and PROT_*. False: nothing is mapped there.
[[nodiscard]] bool pagetable_walk(const struct pagetable *table, uint64_t va, uint64_t *pa,
                                  uint32_t *prot);

#endif
