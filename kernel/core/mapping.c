// SPDX-License-Identifier: Apache-2.0
//
// mapping.c: leaves and ports of capabilities. All tables were made before (mapping_prepare_step),
// so only leaves are stored. The promise is in mapping.h.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/device.h>
#include <kernel/mapping.h>
#include <kernel/ring.h>
#include <kernel/virtio.h>

#define PARTS_MAX 3u
_Static_assert(PROT_READ + PROT_WRITE + PROT_EXECUTE + PROT_USER + PROT_DEVICE <= UINT8_MAX,
               "a page's protection fits a byte");

struct part {
    uint64_t base;
    uint64_t size;
    uint32_t prot;
};

// The pages of one capability, with what its rights allow there. Returns how many parts.
static uint32_t parts_of(const struct cap *cap, struct part parts[PARTS_MAX])
{
    uint32_t prot = PROT_USER | PROT_READ;
    struct ring_part ring[PARTS_MAX];
    const struct device *device = &devices[cap->object];

    if ((cap->rights & RUMPK_RIGHT_WRITE) != 0)
        prot |= PROT_WRITE;
    switch (cap->type) {
    case RUMPK_CAP_RING:
        ring_parts(&rings[cap->object], cap->part, ring);
        for (uint32_t index = 0; index < PARTS_MAX; index++)
            parts[index] = (struct part){
                .base = ring[index].base,
                .size = ring[index].size,
                .prot = PROT_USER | PROT_READ | (ring[index].writable ? PROT_WRITE : 0),
            };
        return PARTS_MAX;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        parts[0] = (struct part){cap_memory_base(cap), cap_memory_size(cap), prot};
        return 1;
    case RUMPK_CAP_DEVICE:
        parts[0] = (struct part){virtio_view(cap->object), PAGE_SIZE, PROT_USER | PROT_READ};
        return 1;
    case RUMPK_CAP_WINDOW:
        parts[0].base = align_down(device->base, PAGE_SIZE);
        parts[0].size = page_up(device->base + device->size) - parts[0].base;
        parts[0].prot = prot | PROT_DEVICE;
        return 1;
    default:
        return 0;
    }
}

int64_t mapping_prepare_step(struct fiber *fiber, const struct cap *cap, uint64_t *unit)
{
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts); // neighbours, in the order of addresses
    uint64_t at;

    if (count == 0)
        return RUMPK_OK;
    at = align_down(parts[0].base, UNIT_SIZE) + (*unit)++ * UNIT_SIZE;
    if (!pagetable_prepare(&fiber->table, at, PAGE_SIZE))
        return RUMPK_E_MEMORY;
    return at + UNIT_SIZE < parts[count - 1].base + parts[count - 1].size ? MAPPING_MORE : RUMPK_OK;
}

int64_t mapping_address(const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return (int64_t)rings[cap->object].base;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        return (int64_t)cap_memory_base(cap);
    case RUMPK_CAP_DEVICE:
        return (int64_t)virtio_view(cap->object);
    default:
        return (int64_t)devices[cap->object].base;
    }
}

// A run of pages of one part, and what the leaves there are to allow (0: nothing).
struct run {
    uint64_t base;
    uint32_t count;
    uint8_t prot[WORK_STEP_PAGES];
};

// What `part` allows, added to the pages that it shares with the run; both are whole pages.
static void run_add(struct run *run, const struct part *part)
{
    uint64_t end = part->base + part->size;
    uint64_t first = part->base > run->base ? (part->base - run->base) / PAGE_SIZE : 0;
    uint64_t last = end > run->base ? (end - run->base) / PAGE_SIZE : 0;

    for (uint64_t index = first; index < last && index < run->count; index++)
        run->prot[index] |= (uint8_t)part->prot;
}

// Only capabilities of one object have pages in common.
static uint32_t sharers_find(const struct fiber *fiber, const struct cap *like,
                             const struct cap *sharers[RUMPK_SLOT_COUNT])
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        const struct cap *cap = &fiber->caps[slot];

        if (cap->is_mapped == CAP_MAPPED && cap->type == like->type &&
            cap->object == like->object && derive_is_live(cap))
            sharers[count++] = cap;
    }
    return count;
}

// Pages of one step: each is asked about at every sharer.
static uint64_t step_pages(uint32_t sharers)
{
    if (sharers < 8)
        return WORK_STEP_PAGES;
    return sharers < 16 ? WORK_STEP_PAGES / 2 : WORK_STEP_PAGES / 4;
}

static void run_judge(struct run *run, const struct cap *const *sharers, uint32_t count)
{
    for (uint32_t sharer = 0; sharer < count; sharer++) {
        struct part parts[PARTS_MAX];
        uint32_t part_count = parts_of(sharers[sharer], parts);

        for (uint32_t index = 0; index < part_count; index++)
            run_add(run, &parts[index]);
    }
}

// Neighbours that allow the same go in one piece.
static void run_store(struct fiber *fiber, const struct run *run)
{
    uint32_t end;

    for (uint32_t first = 0; first < run->count; first = end) {
        uint64_t base = run->base + first * PAGE_SIZE;

        for (end = first + 1; end < run->count && run->prot[end] == run->prot[first];)
            end++;
        if (run->prot[first] == 0)
            pagetable_unmap(&fiber->table, base, (end - first) * PAGE_SIZE);
        else
            KERNEL_ASSERT(pagetable_map(&fiber->table, base, base, (end - first) * PAGE_SIZE,
                                        run->prot[first]));
    }
}

bool mapping_step(struct fiber *fiber, const struct cap *cap, uint64_t *page)
{
    const struct cap *sharers[RUMPK_SLOT_COUNT];
    uint32_t sharer_count = sharers_find(fiber, cap, sharers);
    uint64_t pages = step_pages(sharer_count);
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts);
    uint64_t first = 0; // page number of the part

    for (uint32_t index = 0; index < count; index++) {
        uint64_t end = first + parts[index].size / PAGE_SIZE;
        struct run run = {0};

        if (*page < end) {
            run.base = parts[index].base + (*page - first) * PAGE_SIZE;
            run.count = (uint32_t)(end - *page < pages ? end - *page : pages);
            run_judge(&run, sharers, sharer_count);
            run_store(fiber, &run);
            *page += run.count;
            return *page == end && index + 1 == count;
        }
        first = end;
    }
    return true;
}

static void ports_remove(struct fiber *fiber, const struct device *device)
{
    for (uint32_t index = 0; index < fiber->port_count; index++) {
        if (fiber->ports[index].base != device->base)
            continue;
        fiber->ports[index] = fiber->ports[--fiber->port_count];
        break;
    }
    // Another fiber's ports are opened when it is entered.
    if (fiber == fiber_current())
        arch_ports_set(fiber->ports, fiber->port_count);
}

void mapping_add(struct fiber *fiber, struct cap *cap)
{
    const struct device *device = &devices[cap->object];
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts);

    cap->is_mapped = CAP_MAPPED;
    if (cap->type == RUMPK_CAP_PORTS) {
        fiber->ports[fiber->port_count++] =
            (struct boot_region){.base = device->base, .size = device->size};
        arch_ports_set(fiber->ports, fiber->port_count);
    }
    for (uint32_t index = 0; index < count; index++)
        audit_region_add(fiber->number, parts[index].base, parts[index].base, parts[index].size,
                         parts[index].prot, cap->type);
}

void mapping_remove(struct fiber *fiber, struct cap *cap)
{
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts);

    cap->is_mapped = CAP_UNMAPPED;
    if (cap->type == RUMPK_CAP_PORTS)
        ports_remove(fiber, &devices[cap->object]);
    for (uint32_t index = 0; index < count; index++)
        audit_region_remove(fiber->number, parts[index].base, parts[index].size, parts[index].prot,
                            cap->type);
}

bool mapping_leave_step(struct fiber *fiber, struct cap *cap)
{
    uint64_t page = cap->left;

    if (cap->is_mapped == CAP_UNMAPPED)
        return true;
    if (cap->is_mapped == CAP_MAPPED) {
        mapping_remove(fiber, cap);
        cap->is_mapped = CAP_LEAVING;
        page = 0;
    }
    // Nobody will use the root of a fiber that ends.
    if (!fiber->is_ending && !mapping_step(fiber, cap, &page)) {
        cap->left = (uint32_t)page;
        return false;
    }
    cap->is_mapped = CAP_UNMAPPED;
    cap->left = 0;
    return true;
}
