// SPDX-License-Identifier: Apache-2.0
//
// pagetable.c: building and reading page tables. The picture is in pagetable.h.
//
// Tables are reached by VA = PA: the pool lies in the kernel zone, which every root maps. Whether a
// table is shared is not stored anywhere: it is shared exactly when the parent's entry on the same
// path points to it too.
#include <kernel/pagetable.h>

#define ENTRIES   512u
#define TOP_LEVEL (ARCH_PT_LEVELS - 1u)

#define POOL_RANGES_MAX 2u

static struct boot_region pool[POOL_RANGES_MAX]; // what is left of each range
static uint32_t pool_count;

static uint64_t *table_at(uint64_t pa)
{
    return (uint64_t *)(uintptr_t)pa;
}

static unsigned index_of(uint64_t va, unsigned level)
{
    return (unsigned)(va >> (12u + 9u * level)) & (ENTRIES - 1u);
}

void pagetable_pool_add(uint64_t base, uint64_t size)
{
    KERNEL_ASSERT(pool_count < POOL_RANGES_MAX);
    pool[pool_count++] = (struct boot_region){.base = base, .size = size};
}

uint64_t pagetable_pool_free(void)
{
    uint64_t pages = 0;

    for (uint32_t index = 0; index < pool_count; index++)
        pages += pool[index].size / PAGE_SIZE;
    return pages;
}

// One page from the pool; its content is whatever it was. 0: empty.
static uint64_t pool_take(void)
{
    for (uint32_t index = 0; index < pool_count; index++) {
        uint64_t page = pool[index].base;

        if (pool[index].size == 0)
            continue;
        pool[index].base += PAGE_SIZE;
        pool[index].size -= PAGE_SIZE;
        return page;
    }
    return 0;
}

bool pagetable_new(struct pagetable *table, const struct pagetable *parent)
{
    uint64_t page = pool_take();

    if (page == 0)
        return false;
    if (parent == NULL)
        memset(table_at(page), 0, PAGE_SIZE);
    else
        memcpy(table_at(page), table_at(parent->root), PAGE_SIZE);
    table->root = page;
    table->parent = parent == NULL ? 0 : parent->root;
    return true;
}

// The lowest-level table for `va`, owned by this root alone: missing tables are made, shared ones
// copied. Null: the pool is empty. Never called for a range that a block leaf maps, because nothing
// makes blocks.
static uint64_t *table_own(const struct pagetable *table, uint64_t va)
{
    uint64_t *entries = table_at(table->root);
    uint64_t shared = table->parent; // the parent's table on the same path, or 0

    for (unsigned level = TOP_LEVEL; level > 0; level--) {
        uint64_t *entry = &entries[index_of(va, level)];
        uint64_t theirs = shared == 0 ? 0 : table_at(shared)[index_of(va, level)];

        shared = arch_pte_present(theirs) ? arch_pte_address(theirs) : 0;
        if (!arch_pte_present(*entry) || arch_pte_address(*entry) == shared) {
            uint64_t page = pool_take();

            if (page == 0)
                return NULL;
            if (arch_pte_present(*entry))
                memcpy(table_at(page), table_at(shared), PAGE_SIZE);
            else
                memset(table_at(page), 0, PAGE_SIZE);
            *entry = arch_pte_table(page);
        }
        entries = table_at(arch_pte_address(*entry));
    }
    return entries;
}

static bool range_is_mappable(uint64_t base, uint64_t size)
{
    return (base & PAGE_MASK) == 0 && (size & PAGE_MASK) == 0 &&
           range_contains(0, ARCH_ADDRESS_LIMIT, base, size);
}

bool pagetable_map(struct pagetable *table, uint64_t va, uint64_t pa, uint64_t size, uint32_t prot)
{
    uint64_t *leaves = NULL;

    if (!range_is_mappable(va, size) || !range_is_mappable(pa, size))
        return false;
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        if (leaves == NULL || index_of(va + done, 0) == 0)
            leaves = table_own(table, va + done);
        if (leaves == NULL)
            return false;
        leaves[index_of(va + done, 0)] = arch_pte_leaf(pa + done, prot, 0);
    }
    return true;
}

bool pagetable_prepare(struct pagetable *table, uint64_t va, uint64_t size)
{
    uint64_t first = align_down(va, UNIT_SIZE);

    if (!range_is_mappable(va, size))
        return false;
    for (uint64_t unit = first; unit < va + size; unit += UNIT_SIZE) {
        if (table_own(table, unit) == NULL)
            return false;
    }
    return true;
}

// The entry that ends the walk: a leaf of any level, or one that is not present. Stores its level.
static uint64_t *entry_find(const struct pagetable *table, uint64_t va, unsigned *level_out)
{
    uint64_t *entries = table_at(table->root);
    unsigned level = TOP_LEVEL;

    for (;;) {
        uint64_t *entry = &entries[index_of(va, level)];

        if (level == 0 || !arch_pte_present(*entry) || arch_pte_is_leaf(*entry, level)) {
            *level_out = level;
            return entry;
        }
        entries = table_at(arch_pte_address(*entry));
        level--;
    }
}

void pagetable_unmap(struct pagetable *table, uint64_t va, uint64_t size)
{
    KERNEL_ASSERT(range_is_mappable(va, size));
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        unsigned level;
        uint64_t *entry = entry_find(table, va + done, &level);

        if (level == 0)
            *entry = 0;
    }
}

bool pagetable_walk(const struct pagetable *table, uint64_t va, uint64_t *pa, uint32_t *prot)
{
    unsigned level;
    uint64_t *entry;

    if (va >= ARCH_ADDRESS_LIMIT)
        return false;
    entry = entry_find(table, va, &level);
    if (!arch_pte_present(*entry))
        return false;
    *pa = arch_pte_address(*entry) + (va & ((PAGE_SIZE << (9u * level)) - 1));
    *prot = arch_pte_prot(*entry);
    return true;
}
