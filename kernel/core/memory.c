// SPDX-License-Identifier: Apache-2.0
//
// memory.c: the memory map, the two zones, and the roots. The picture is in memory.h.
//
// Free RAM is one sorted list of ranges. Taking from it is all that ever happens: whatever the
// firmware, the tree, the kernel, its archive and its tables occupy is cut out before the first
// page is given away, and pages are given away at boot only, so no bitmap and no way back is
// needed.
#include <kernel/audit.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/tree.h>

#define FREE_RANGES_MAX    64u
#define WINDOWS_MAX        8u
#define TABLES_MIN         24u // fewer pages for tables cannot even start one driver
#define TABLES_BASE        48u // kernel's own and some air
#define TABLES_PER_PACKAGE 14u // top, middle, lowest tables of its pages, kernel's side of them

struct pagetable memory_template_table;
struct pagetable memory_kernel_table;

static struct boot_region free_ranges[FREE_RANGES_MAX];
static uint32_t free_count;
static struct boot_region ram_ranges[FREE_RANGES_MAX];
static uint32_t ram_count;
static struct boot_region pool_ranges[2];
static uint32_t pool_range_count;
static uint64_t archive_base;
static uint64_t archive_size;
static uint64_t systable_page;
static uint64_t low_end; // end of the last block that memory_take_low gave out
static uint64_t active_root;

// ---- the list of free ranges ----

static void free_remove(uint32_t index)
{
    for (uint32_t next = index + 1; next < free_count; next++)
        free_ranges[next - 1] = free_ranges[next];
    free_count--;
}

// Inserts at its sorted place. A list that is full keeps what it has: less memory, never wrong
// memory.
static void free_insert(uint64_t base, uint64_t size)
{
    uint32_t index = free_count;

    if (free_count == FREE_RANGES_MAX || size == 0)
        return;
    for (; index > 0 && free_ranges[index - 1].base > base; index--)
        free_ranges[index] = free_ranges[index - 1];
    free_ranges[index] = (struct boot_region){.base = base, .size = size};
    free_count++;
}

// Cuts [base, base + size), rounded outward to pages, out of the list.
static void free_cut(uint64_t base, uint64_t size)
{
    uint64_t end;

    if (size == 0)
        return;
    if (!checked_add(base, size, &end) || !align_up(end, PAGE_SIZE, &end))
        end = align_down(UINT64_MAX, PAGE_SIZE);
    base = align_down(base, PAGE_SIZE);
    for (uint32_t index = 0; index < free_count;) {
        struct boot_region old = free_ranges[index];
        uint64_t old_end = old.base + old.size;

        if (!range_overlaps(old.base, old.size, base, end - base)) {
            index++;
            continue;
        }
        free_remove(index);
        // The part below first: when the list is full, memory above is what gets lost.
        if (old.base < base)
            free_insert(old.base, base - old.base);
        if (end < old_end)
            free_insert(end, old_end - end);
        index = 0;
    }
}

static bool free_has(uint64_t base, uint64_t size)
{
    for (uint32_t index = 0; index < free_count; index++) {
        if (range_contains(free_ranges[index].base, free_ranges[index].size, base, size))
            return true;
    }
    return false;
}

// Adds RAM, rounded inward to pages and cut to what the tables can map.
static void free_add(uint64_t base, uint64_t size)
{
    uint64_t end;

    if (!checked_add(base, size, &end) || end > ARCH_ADDRESS_LIMIT)
        end = ARCH_ADDRESS_LIMIT;
    if (!align_up(base, PAGE_SIZE, &base))
        return;
    end = align_down(end, PAGE_SIZE);
    if (base >= end)
        return;
    free_cut(base, end - base); // a range that the firmware names twice counts once
    free_insert(base, end - base);
}

// Makes neighbours one range, so that a block may span two banks.
static void free_merge(void)
{
    for (uint32_t index = 0; index + 1 < free_count;) {
        struct boot_region *low = &free_ranges[index];

        if (low->base + low->size == free_ranges[index + 1].base) {
            low->size += free_ranges[index + 1].size;
            free_remove(index + 1);
        } else {
            index++;
        }
    }
}

// ---- stage: memory map ----

// The archive's place is read from the image header. It is believed only if it is RAM behind the
// kernel; what is in it is the loader's business.
static void archive_locate(void)
{
    uint64_t base = rumpk_image_header.archive_base;
    uint64_t size = rumpk_image_header.archive_size;

    if ((base & PAGE_MASK) != 0 || (size & PAGE_MASK) != 0 || size > RUMPK_ARCHIVE_SIZE_MAX ||
        base < link_address(__kernel_end) || !free_has(base, size))
        return;
    archive_base = base;
    archive_size = size;
}

// How many pages for tables the packages of this archive may need. The header is not verified yet:
// clamped.
static uint64_t tables_wanted(void)
{
    uint32_t packages = 0;

    if (archive_size != 0) {
        const struct rumpk_archive_header *header = (const void *)(uintptr_t)archive_base;

        packages = header->entry_count;
    }
    if (packages > RUMPK_PACKAGES_MAX)
        packages = RUMPK_PACKAGES_MAX;
    return TABLES_BASE + TABLES_PER_PACKAGE * packages;
}

static uint64_t pool_add(uint64_t base, uint64_t size)
{
    pool_ranges[pool_range_count++] = (struct boot_region){.base = base, .size = size};
    pagetable_pool_add(base, size);
    return size / PAGE_SIZE;
}

// Kernel zone: whole units around kernel and archive. Their free rest becomes the pool of tables;
// if that is too little, one more unit joins the zone.
static void zones_divide(void)
{
    uint64_t zone = align_down(link_address(__kernel_start), UNIT_SIZE);
    uint64_t last = archive_size != 0 ? archive_base + archive_size : link_address(__kernel_end);
    uint64_t zone_end = align_down(last + UNIT_SIZE - 1, UNIT_SIZE);
    uint64_t best_base = 0;
    uint64_t best_size = 0;
    uint64_t pages = 0;

    for (uint32_t index = 0; index < free_count; index++) {
        uint64_t base = free_ranges[index].base;
        uint64_t end = base + free_ranges[index].size;

        base = base < zone ? zone : base;
        end = end > zone_end ? zone_end : end;
        if (base < end && end - base > best_size) {
            best_base = base;
            best_size = end - base;
        }
    }
    if (best_size != 0)
        pages += pool_add(best_base, best_size);
    free_cut(zone, zone_end - zone);

    for (uint32_t index = 0; index < free_count && pages < tables_wanted(); index++) {
        uint64_t unit = align_down(free_ranges[index].base + UNIT_SIZE - 1, UNIT_SIZE);

        if (!free_has(unit, UNIT_SIZE) ||
            range_overlaps(unit, UNIT_SIZE, RUMPK_SYSTABLE_ADDRESS, PAGE_SIZE))
            continue;
        pages += pool_add(unit, UNIT_SIZE);
        free_cut(unit, UNIT_SIZE);
        break;
    }
    if (pages < TABLES_MIN)
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_SHORT);
}

void memory_init(const struct boot_info *info)
{
    uint64_t kernel = link_address(__kernel_start);
    uint64_t kernel_size = link_address(__kernel_end) - kernel;

    for (uint32_t index = 0; index < info->ram_count; index++)
        free_add(info->ram[index].base, info->ram[index].size);
    free_merge();
    if (free_count == 0 || !free_has(kernel, kernel_size))
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_MAP);
    for (uint32_t index = 0; index < free_count; index++) {
        ram_ranges[index] = free_ranges[index];
        rumpk_boot_record.memory_size += free_ranges[index].size;
    }
    ram_count = free_count;
    archive_locate();

    // Everything that is somebody's is cut out before anything is given away.
    free_cut(0, PAGE_SIZE);
    for (uint32_t index = 0; index < info->reserved_count; index++)
        free_cut(info->reserved[index].base, info->reserved[index].size);
    if (info->fdt != NULL)
        free_cut((uint64_t)(uintptr_t)info->fdt, info->fdt_size);
    free_cut(kernel, kernel_size);
    free_cut(archive_base, archive_size);

    zones_divide();
    if (free_has(RUMPK_SYSTABLE_ADDRESS, PAGE_SIZE)) {
        systable_page = RUMPK_SYSTABLE_ADDRESS;
        free_cut(systable_page, PAGE_SIZE);
    }
    rumpk_boot_record.pages_total = memory_pages_free();
    rumpk_boot_record.pages_free = rumpk_boot_record.pages_total;
}

// ---- stage: own page tables ----

static void map_or_fail(struct pagetable *table, uint64_t base, uint64_t end, uint32_t prot)
{
    if (base != end && !pagetable_map(table, base, base, end - base, prot))
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_SHORT);
}

// What every root maps for the kernel: its image without the guard pages, its tables, its own
// device registers.
static void template_build(void)
{
    struct pagetable *table = &memory_template_table;
    struct boot_region windows[WINDOWS_MAX];
    uint32_t window_count = arch_kernel_windows(windows, WINDOWS_MAX);

    if (!pagetable_new(table, NULL))
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_SHORT);
    map_or_fail(table, link_address(__text_start), link_address(__text_end),
                PROT_READ | PROT_EXECUTE);
    map_or_fail(table, link_address(__rodata_start), link_address(__rodata_end), PROT_READ);
    map_or_fail(table, link_address(__data_start), link_address(__emergency_guard),
                PROT_READ | PROT_WRITE);
    map_or_fail(table, link_address(__emergency_base), link_address(__stack_guard),
                PROT_READ | PROT_WRITE);
    map_or_fail(table, link_address(__stack_base), link_address(__kernel_end),
                PROT_READ | PROT_WRITE);
    for (uint32_t index = 0; index < pool_range_count; index++)
        map_or_fail(table, pool_ranges[index].base,
                    pool_ranges[index].base + pool_ranges[index].size, PROT_READ | PROT_WRITE);
    for (uint32_t index = 0; index < window_count; index++)
        map_or_fail(table, align_down(windows[index].base, PAGE_SIZE),
                    page_up(windows[index].base + windows[index].size),
                    PROT_READ | PROT_WRITE | PROT_DEVICE);
}

void memory_mmu_on(const struct boot_info *info)
{
    struct pagetable *table = &memory_kernel_table;
    uint64_t fdt = (uint64_t)(uintptr_t)info->fdt;

    template_build();
    if (!pagetable_new(table, &memory_template_table))
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_SHORT);
    map_or_fail(table, archive_base, archive_base + archive_size, PROT_READ);
    // A tree that the arch code copied into the kernel's own data is mapped already.
    if (fdt != 0 && (fdt < link_address(__kernel_start) || fdt >= link_address(__kernel_end)))
        map_or_fail(table, align_down(fdt, PAGE_SIZE), page_up(fdt + info->fdt_size), PROT_READ);
    if (systable_page != 0)
        map_or_fail(table, systable_page, systable_page + PAGE_SIZE, PROT_READ | PROT_WRITE);
    audit_root_add(memory_template_table.root, AUDIT_FIBER_TEMPLATE);
    audit_root_add(table->root, AUDIT_FIBER_KERNEL);
    active_root = table->root;
    arch_mmu_on(active_root);
    if (systable_page == 0 && !memory_take_high(1, &systable_page))
        record_fail(RUMPK_BOOT_CAUSE_MEMORY_SHORT);
    rumpk_boot_record.systable_physical = systable_page;
}

uint64_t memory_systable_page(void)
{
    return systable_page;
}

const void *memory_archive(uint64_t *size)
{
    *size = archive_size;
    return (const void *)(uintptr_t)archive_base;
}

// ---- giving out pages ----

uint64_t memory_pages_free(void)
{
    uint64_t pages = 0;

    for (uint32_t index = 0; index < free_count; index++)
        pages += free_ranges[index].size / PAGE_SIZE;
    return pages;
}

static bool pages_give(uint64_t base, uint64_t size, uint64_t *out)
{
    if (!pagetable_map(&memory_kernel_table, base, base, size, PROT_READ | PROT_WRITE))
        return false;
    free_cut(base, size);
    arch_tlb_flush();
    memset((void *)(uintptr_t)base, 0, size);
    rumpk_boot_record.pages_free = memory_pages_free();
    *out = base;
    return true;
}

bool memory_take_low(uint64_t pages, uint64_t *base)
{
    uint64_t size;

    if (pages == 0 || !checked_mul(pages, PAGE_SIZE, &size))
        return false;
    for (uint32_t index = 0; index < free_count; index++) {
        uint64_t start = free_ranges[index].base;
        uint64_t left = free_ranges[index].size;

        // Right behind the block of another driver no further guard is needed.
        if (start != low_end) {
            if (left <= MEMORY_GUARD_SIZE)
                continue;
            start += MEMORY_GUARD_SIZE;
            left -= MEMORY_GUARD_SIZE;
        }
        if (left < size)
            continue;
        if (!pages_give(start, size, base))
            return false;
        // What was left out below is no longer anybody's.
        if (start != low_end)
            free_cut(start - MEMORY_GUARD_SIZE, MEMORY_GUARD_SIZE);
        low_end = start + size;
        return true;
    }
    return false;
}

bool memory_take_high(uint64_t pages, uint64_t *base)
{
    uint64_t size;

    if (pages == 0 || !checked_mul(pages, PAGE_SIZE, &size))
        return false;
    for (uint32_t index = free_count; index > 0; index--) {
        const struct boot_region *range = &free_ranges[index - 1];

        if (range->size >= size)
            return pages_give(range->base + range->size - size, size, base);
    }
    return false;
}

void memory_seal(uint64_t base, uint64_t size)
{
    // The tables exist since the pages were given out, so this cannot fail.
    KERNEL_ASSERT(pagetable_map(&memory_kernel_table, base, base, size, PROT_READ));
    arch_tlb_flush();
}

bool memory_map_device(uint64_t base, uint64_t size)
{
    uint64_t first = align_down(base, PAGE_SIZE);
    uint64_t end;

    if (!checked_add(base, size, &end) || !align_up(end, PAGE_SIZE, &end) ||
        memory_is_ram(base, size))
        return false;
    if (!pagetable_map(&memory_kernel_table, first, first, end - first,
                       PROT_READ | PROT_WRITE | PROT_DEVICE))
        return false;
    arch_tlb_flush();
    return true;
}

bool memory_is_ram(uint64_t base, uint64_t size)
{
    for (uint32_t index = 0; index < ram_count; index++) {
        if (range_overlaps(ram_ranges[index].base, ram_ranges[index].size, base, size))
            return true;
    }
    return false;
}

// ---- roots ----

void memory_use_root(uint64_t root)
{
    if (active_root == root)
        return;
    active_root = root;
    arch_root_switch(root);
}

void memory_use_kernel_root(void)
{
    memory_use_root(memory_kernel_table.root);
}
