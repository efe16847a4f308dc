// SPDX-License-Identifier: Apache-2.0
//
// call_map.c: map and mask. All tables that a mapping needs were made when the package was loaded,
// so the commit part only stores leaves.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/device.h>
#include <kernel/memory.h>
#include <kernel/ring.h>
#include <kernel/virtio.h>

static void map_range(struct fiber *fiber, const struct cap *cap, uint64_t base, uint64_t size,
                      uint32_t prot)
{
    KERNEL_ASSERT(pagetable_map(&fiber->table, base, base, size, prot | PROT_USER));
    audit_region_add(fiber->number, base, base, size, prot | PROT_USER, cap->type);
}

static void unmap_range(struct fiber *fiber, uint64_t base, uint64_t size)
{
    pagetable_unmap(&fiber->table, base, size);
    audit_region_drop(fiber->number, base);
}

static uint32_t prot_of(const struct cap *cap)
{
    return (cap->rights & RUMPK_RIGHT_WRITE) != 0 ? PROT_READ | PROT_WRITE : PROT_READ;
}

static int64_t map_ring(struct fiber *fiber, const struct cap *cap)
{
    const struct ring *ring = &rings[cap->object];
    struct ring_part parts[3];

    ring_parts(ring, cap->part, parts);
    for (uint32_t index = 0; index < COUNT_OF(parts); index++)
        map_range(fiber, cap, parts[index].base, parts[index].size,
                  parts[index].writable ? PROT_READ | PROT_WRITE : PROT_READ);
    return (int64_t)ring->base;
}

static int64_t map_memory(struct fiber *fiber, const struct cap *cap)
{
    const struct memory_object *object = &memory_objects[cap->object];

    map_range(fiber, cap, object->base, object->size, prot_of(cap));
    return (int64_t)object->base;
}

static int64_t map_window(struct fiber *fiber, const struct cap *cap)
{
    const struct device *device = &devices[cap->object];
    uint64_t first = align_down(device->base, PAGE_SIZE);

    map_range(fiber, cap, first, page_up(device->base + device->size) - first,
              prot_of(cap) | PROT_DEVICE);
    return (int64_t)device->base;
}

static int64_t map_ports(struct fiber *fiber, const struct cap *cap)
{
    const struct device *device = &devices[cap->object];

    fiber->ports[fiber->port_count++] =
        (struct boot_region){.base = device->base, .size = device->size};
    arch_ports_set(fiber->ports, fiber->port_count);
    return (int64_t)device->base;
}

static void ports_close(struct fiber *fiber, const struct device *device)
{
    for (uint32_t index = 0; index < fiber->port_count; index++) {
        if (fiber->ports[index].base != device->base)
            continue;
        fiber->ports[index] = fiber->ports[--fiber->port_count];
        break;
    }
    arch_ports_set(fiber->ports, fiber->port_count);
}

static int64_t map_device(struct fiber *fiber, const struct cap *cap)
{
    uint64_t view = virtio_view(cap->object);

    map_range(fiber, cap, view, PAGE_SIZE, PROT_READ);
    return (int64_t)view;
}

// What `map` returned the first time.
static int64_t mapped_address(const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return (int64_t)rings[cap->object].base;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
        return (int64_t)memory_objects[cap->object].base;
    case RUMPK_CAP_DEVICE:
        return (int64_t)virtio_view(cap->object);
    default:
        return (int64_t)devices[cap->object].base;
    }
}

// E_RIGHTS, E_TYPE and whatever the object itself has against being mapped.
static int64_t map_check(const struct fiber *fiber, const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return (cap->rights & (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)) == 0 ? RUMPK_E_RIGHTS
                                                                           : RUMPK_OK;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
    case RUMPK_CAP_DEVICE:
        return (cap->rights & RUMPK_RIGHT_READ) == 0 ? RUMPK_E_RIGHTS : RUMPK_OK;
    case RUMPK_CAP_WINDOW:
        if ((cap->rights & RUMPK_RIGHT_READ) == 0)
            return RUMPK_E_RIGHTS;
        return device_shares_page(&devices[cap->object]) ? RUMPK_E_SHARED_PAGE : RUMPK_OK;
    case RUMPK_CAP_PORTS:
        // The processor opens a port for reading and writing alike.
        if ((cap->rights & RUMPK_RIGHT_READ) == 0 || (cap->rights & RUMPK_RIGHT_WRITE) == 0)
            return RUMPK_E_RIGHTS;
        return !cap->is_mapped && fiber->port_count == FIBER_PORTS_MAX ? RUMPK_E_LIMIT : RUMPK_OK;
    default:
        return RUMPK_E_TYPE;
    }
}

static int64_t map_commit(struct fiber *fiber, struct cap *cap)
{
    cap->is_mapped = 1;
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return map_ring(fiber, cap);
    case RUMPK_CAP_WINDOW:
        return map_window(fiber, cap);
    case RUMPK_CAP_PORTS:
        return map_ports(fiber, cap);
    case RUMPK_CAP_DEVICE:
        return map_device(fiber, cap);
    default:
        return map_memory(fiber, cap);
    }
}

int64_t call_map(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    if (arguments[1] != 0)
        return RUMPK_E_ARGUMENT;
    result = map_check(fiber, cap);
    if (result != RUMPK_OK)
        return result;
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (cap->type == RUMPK_CAP_DEVICE)
        virtio_view_refresh(cap->object);
    if (cap->is_mapped)
        return mapped_address(cap);
    result = map_commit(fiber, cap);
    audit_step(AUDIT_STEP_MAP);
    return result;
}

static void map_undo(struct fiber *fiber, const struct cap *cap)
{
    const struct memory_object *object;
    const struct device *device;
    struct ring_part parts[3];
    uint64_t first;

    switch (cap->type) {
    case RUMPK_CAP_RING:
        ring_parts(&rings[cap->object], cap->part, parts);
        for (uint32_t index = 0; index < COUNT_OF(parts); index++)
            unmap_range(fiber, parts[index].base, parts[index].size);
        break;
    case RUMPK_CAP_PORTS:
        ports_close(fiber, &devices[cap->object]);
        break;
    case RUMPK_CAP_WINDOW:
        device = &devices[cap->object];
        first = align_down(device->base, PAGE_SIZE);
        unmap_range(fiber, first, page_up(device->base + device->size) - first);
        break;
    case RUMPK_CAP_DEVICE:
        unmap_range(fiber, virtio_view(cap->object), PAGE_SIZE);
        break;
    default:
        object = &memory_objects[cap->object];
        unmap_range(fiber, object->base, object->size);
        break;
    }
}

// Rights that a capability has lost are lost to what it maps too.
static void map_narrow(struct fiber *fiber, struct cap *cap)
{
    if (!cap->is_mapped)
        return;
    if (map_check(fiber, cap) != RUMPK_OK) {
        cap->is_mapped = 0;
        map_undo(fiber, cap);
    } else if (cap->type != RUMPK_CAP_PORTS) {
        map_commit(fiber, cap);
    }
}

int64_t call_mask(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    switch (arguments[1]) {
    case RUMPK_MASK_RIGHTS:
        kernel_phase = PHASE_COMMIT;
        memory_use_kernel_root();
        cap->rights &= (uint8_t)(arguments[2] & RUMPK_RIGHTS_ALL);
        map_narrow(fiber, cap);
        return RUMPK_OK;
    case RUMPK_MASK_FEATURES:
        if (cap->type != RUMPK_CAP_DEVICE)
            return RUMPK_E_TYPE;
        if ((cap->rights & RUMPK_RIGHT_CONTROL) == 0)
            return RUMPK_E_RIGHTS;
        kernel_phase = PHASE_COMMIT;
        memory_use_kernel_root();
        return virtio_negotiate(cap->object, arguments[2]);
    default:
        return RUMPK_E_ARGUMENT;
    }
}
