// SPDX-License-Identifier: Apache-2.0
//
// mapping.c: leaves and ports of capabilities. All tables were made before (mapping_prepare), so
// only leaves are stored. The promise is in mapping.h.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/device.h>
#include <kernel/mapping.h>
#include <kernel/ring.h>
#include <kernel/virtio.h>

#define PARTS_MAX 3u

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

int64_t mapping_prepare(struct fiber *fiber, const struct cap *cap)
{
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts);

    for (uint32_t index = 0; index < count; index++) {
        if (!pagetable_prepare(&fiber->table, parts[index].base, parts[index].size))
            return RUMPK_E_MEMORY;
    }
    return RUMPK_OK;
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

// Maps the pages that `wanted` and `part` have in common.
static void common_map(struct fiber *fiber, const struct part *wanted, const struct part *part)
{
    uint64_t base = wanted->base > part->base ? wanted->base : part->base;
    uint64_t wanted_end = wanted->base + wanted->size;
    uint64_t end = part->base + part->size;

    end = wanted_end < end ? wanted_end : end;
    if (base < end)
        KERNEL_ASSERT(pagetable_map(&fiber->table, base, base, end - base, part->prot));
}

// The pages of `wanted`, a part of `changed`, as the mapped, live capabilities of the fiber allow
// them now: first those that only read, then those that write as well. Only capabilities of one
// object have pages in common.
static void refresh(struct fiber *fiber, const struct cap *changed, const struct part *wanted)
{
    pagetable_unmap(&fiber->table, wanted->base, wanted->size);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
            const struct cap *cap = &fiber->caps[slot];
            struct part parts[PARTS_MAX];
            uint32_t count;

            if (cap->type != changed->type || cap->object != changed->object ||
                cap->is_mapped == 0 || !derive_is_live(cap))
                continue;
            count = parts_of(cap, parts);
            for (uint32_t index = 0; index < count; index++) {
                if ((parts[index].prot & PROT_WRITE) == (pass == 0 ? 0 : PROT_WRITE))
                    common_map(fiber, wanted, &parts[index]);
            }
        }
    }
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

    cap->is_mapped = 1;
    if (cap->type == RUMPK_CAP_PORTS) {
        fiber->ports[fiber->port_count++] =
            (struct boot_region){.base = device->base, .size = device->size};
        arch_ports_set(fiber->ports, fiber->port_count);
    }
    for (uint32_t index = 0; index < count; index++) {
        audit_region_add(fiber->number, parts[index].base, parts[index].base, parts[index].size,
                         parts[index].prot, cap->type);
        refresh(fiber, cap, &parts[index]);
    }
}

void mapping_remove(struct fiber *fiber, struct cap *cap)
{
    struct part parts[PARTS_MAX];
    uint32_t count = parts_of(cap, parts);

    if (cap->is_mapped == 0)
        return;
    cap->is_mapped = 0;
    if (cap->type == RUMPK_CAP_PORTS)
        ports_remove(fiber, &devices[cap->object]);
    for (uint32_t index = 0; index < count; index++) {
        audit_region_remove(fiber->number, parts[index].base, parts[index].size, parts[index].prot,
                            cap->type);
        refresh(fiber, cap, &parts[index]);
    }
}
