// SPDX-License-Identifier: Apache-2.0
//
// place.c: a verified package becomes a fiber: memory, image, page tables, start block.
//
//   low addresses   64 KiB or more that are not this driver's
//                   stack      RW
//                   image      R | R X | R (relocated) | RW
//                   heap       RW
//   elsewhere       start block R, SysTable R, gate page X, and what `map` adds
//
// Code and constants are copied from the archive once and never written again.
#include <kernel/audit.h>
#include <kernel/budget.h>
#include <kernel/derive.h>
#include <kernel/init.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/ring.h>
#include <kernel/virtio.h>

#define CHANNELS_MAX RUMPK_SLOT_COUNT

static bool map_user(struct fiber *fiber, uint64_t va, uint64_t pa, uint64_t size, uint32_t prot)
{
    if (size == 0)
        return true;
    audit_region_add(fiber->number, va, pa, size, prot | PROT_USER, RUMPK_CAP_NONE);
    return pagetable_map(&fiber->table, va, pa, size, prot | PROT_USER);
}

bool place_prepare(struct fiber *fiber, uint64_t base, uint64_t size)
{
    return pagetable_prepare(&fiber->table, base, size);
}

static void scrub_add(struct fiber *fiber, uint64_t base, uint64_t size)
{
    KERNEL_ASSERT(fiber->scrub_count < FIBER_SCRUB_MAX);
    if (size != 0)
        fiber->scrub[fiber->scrub_count++] = (struct boot_region){.base = base, .size = size};
}

// What the driver may do in one page-aligned piece of its image. Read-only and executable pieces
// are sealed first, so no page is ever writable in one root and executable in another.
static bool map_piece(struct fiber *fiber, uint64_t offset, uint64_t size, uint32_t prot)
{
    uint64_t base = fiber->image_base + offset;

    if (size == 0)
        return true;
    if ((prot & PROT_WRITE) == 0)
        memory_seal(base, size);
    if ((prot & PROT_EXECUTE) != 0)
        arch_code_sync(base, size);
    return map_user(fiber, base, base, size, prot);
}

static bool map_segment(struct fiber *fiber, const struct elf_image *image,
                        const struct elf_segment *segment)
{
    uint64_t start = segment->offset;
    uint64_t end = page_up(segment->offset + segment->memory_size);
    uint64_t relro = image->relro;
    uint64_t relro_end = image->relro + image->relro_size;

    if ((segment->flags & ELF_EXECUTE) != 0)
        return map_piece(fiber, start, end - start, PROT_READ | PROT_EXECUTE);
    if ((segment->flags & ELF_WRITE) == 0)
        return map_piece(fiber, start, end - start, PROT_READ);
    if (image->relro_size == 0 || relro < start || relro >= end) {
        scrub_add(fiber, fiber->image_base + start, end - start);
        return map_piece(fiber, start, end - start, PROT_READ | PROT_WRITE);
    }
    // Relocated constants in the middle: writable before and behind them only.
    scrub_add(fiber, fiber->image_base + start, relro - start);
    scrub_add(fiber, fiber->image_base + relro_end, end - relro_end);
    return map_piece(fiber, start, relro - start, PROT_READ | PROT_WRITE) &&
           map_piece(fiber, relro, image->relro_size, PROT_READ) &&
           map_piece(fiber, relro_end, end - relro_end, PROT_READ | PROT_WRITE);
}

static bool map_image(struct fiber *fiber, const struct elf_image *image)
{
    for (uint32_t index = 0; index < image->segment_count; index++) {
        if (!map_segment(fiber, image, &image->segments[index]))
            return false;
    }
    return true;
}

// What every driver has.
static bool map_common(struct fiber *fiber)
{
    return map_user(fiber, fiber->stack_base, fiber->stack_base, fiber->stack_size,
                    PROT_READ | PROT_WRITE) &&
           map_user(fiber, fiber->heap_base, fiber->heap_base, fiber->heap_size,
                    PROT_READ | PROT_WRITE) &&
           map_user(fiber, link_address(__gate_start), link_address(__gate_start), PAGE_SIZE,
                    PROT_EXECUTE) &&
           map_user(fiber, RUMPK_SYSTABLE_ADDRESS, memory_systable_page(), PAGE_SIZE, PROT_READ);
}

void place_fiber(struct package *package, struct fiber *fiber)
{
    const struct rumpk_bkdl_runtime *runtime = package->manifest.runtime;
    const struct rumpk_bkdl_package *owner = init_archive.boot.packages[package->number].package;
    const struct elf_image *image = &package->elf;
    uint64_t size = runtime->stack_size + image->image_size + runtime->heap_size;
    uint64_t base;

    memset(fiber, 0, sizeof(*fiber));
    fiber->number = package->number;
    fiber->caps = &cap_nodes[package->number * RUMPK_SLOT_COUNT];
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        derive_init(&fiber->caps[slot]);
    fiber->spectrum = owner->spectrum;
    fiber->spectrum_given = fiber->spectrum;
    fiber->package_flags = owner->flags;
    fiber->pledge = (runtime->pledge & owner->pledge) | RUMPK_PLEDGE_SPECTRUM(fiber->spectrum);
    fiber->budget_us = budget_said(runtime->budget_us, owner->budget_us);
    memcpy(fiber->package_id, package->id, sizeof(fiber->package_id));
    memcpy(fiber->name, package->digests.name, sizeof(fiber->name));
    if (!memory_take_low(size / PAGE_SIZE, &base) ||
        !pagetable_new(&fiber->table, &memory_template_table)) {
        init_refuse(package, RUMPK_REFUSE_MEMORY, size);
        return;
    }
    fiber->stack_base = base;
    fiber->stack_size = runtime->stack_size;
    fiber->image_base = base + runtime->stack_size;
    fiber->image_size = image->image_size;
    fiber->heap_base = fiber->image_base + image->image_size;
    fiber->heap_size = runtime->heap_size;
    scrub_add(fiber, fiber->stack_base, fiber->stack_size);
    scrub_add(fiber, fiber->heap_base, fiber->heap_size);

    elf_place(image, (uint8_t *)(uintptr_t)fiber->image_base, fiber->image_base);
    audit_root_add(fiber->table.root, fiber->number);
    if (!map_image(fiber, image) || !map_common(fiber)) {
        init_refuse(package, RUMPK_REFUSE_MEMORY, size);
        return;
    }
    fiber->state = FIBER_NEW;
}

// ---- start block ----

static void cap_describe(const struct fiber *fiber, uint32_t slot, struct rumpk_cap_info *info)
{
    const struct cap *cap = &fiber->caps[slot];

    *info = (struct rumpk_cap_info){.slot = slot, .type = cap->type, .rights = cap->rights};
    memcpy(info->name, cap->name, sizeof(info->name));
    switch (cap->type) {
    case RUMPK_CAP_RING:
        info->size = rings[cap->object].size;
        break;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        info->size = memory_objects[cap->object].size;
        break;
    case RUMPK_CAP_QUEUE:
        info->detail = cap->part;
        info->size = virtio_queue_entries(cap->object, cap->part);
        break;
    case RUMPK_CAP_WINDOW:
    case RUMPK_CAP_PORTS:
        info->detail = devices[cap->object].shift;
        info->base = devices[cap->object].base;
        info->size = devices[cap->object].size;
        break;
    case RUMPK_CAP_SPAWN: // a package's name is longer than a label
        info->name[RUMPK_LABEL_SIZE - 1] = '\0';
        break;
    default:
        break;
    }
}

void place_start_block(struct package *package, struct fiber *fiber)
{
    const struct bkdl_boot_package *pinned = &init_archive.boot.packages[package->number];
    uint64_t caps_offset = sizeof(struct rumpk_start);
    uint64_t channels_offset = caps_offset + fiber->cap_count * sizeof(struct rumpk_cap_info);
    uint64_t size_max =
        channels_offset + CHANNELS_MAX * sizeof(struct rumpk_channel) + pinned->config_size;
    struct rumpk_start *start;
    uint8_t *block;
    uint64_t base;

    if (!memory_take_high(page_up(size_max) / PAGE_SIZE, &base)) {
        init_refuse(package, RUMPK_REFUSE_MEMORY, size_max);
        return;
    }
    block = (uint8_t *)(uintptr_t)base;
    start = (struct rumpk_start *)(void *)block;
    *start = (struct rumpk_start){
        .magic = RUMPK_START_MAGIC,
        .systable = RUMPK_SYSTABLE_ADDRESS,
        .abi_version = RUMPK_ABI_VERSION,
        .fiber = fiber->number,
        .spectrum = fiber->spectrum,
        .image_base = fiber->image_base,
        .image_size = fiber->image_size,
        .stack_base = fiber->stack_base,
        .stack_size = fiber->stack_size,
        .heap_base = fiber->heap_base,
        .heap_size = fiber->heap_size,
        .cap_count = fiber->cap_count,
        .caps_offset = (uint32_t)caps_offset,
        .channels_offset = (uint32_t)channels_offset,
        .config_size = pinned->config_size,
    };
    memcpy(start->name, package->digests.name, sizeof(start->name));
    memcpy(start->version, package->digests.version, sizeof(start->version));
    for (uint32_t slot = 0; slot < fiber->cap_count; slot++)
        cap_describe(fiber, slot, (struct rumpk_cap_info *)(void *)(block + caps_offset) + slot);
    start->channel_count = wire_channels(
        package, (struct rumpk_channel *)(void *)(block + channels_offset), CHANNELS_MAX);
    start->config_offset =
        (uint32_t)(channels_offset + start->channel_count * sizeof(struct rumpk_channel));
    if (pinned->config_size != 0)
        memcpy(block + start->config_offset, pinned->config, pinned->config_size);
    start->size = start->config_offset + pinned->config_size;

    memory_seal(base, page_up(size_max));
    if (!map_user(fiber, base, base, page_up(size_max), PROT_READ)) {
        init_refuse(package, RUMPK_REFUSE_MEMORY, size_max);
        return;
    }
    fiber->start_block = base;
    arch_fp_clear(&fiber->fp);
    arch_frame_init(&fiber->frame, fiber->image_base + package->elf.entry,
                    fiber->stack_base + fiber->stack_size, base);
}
