// SPDX-License-Identifier: Apache-2.0
//
// grant.c: what the package asked for, what the owner gave, and the capabilities that come of it. A
// grant answers the request of its name; it may give less, never more or something else.
#include <kernel/init.h>
#include <kernel/interrupt.h>
#include <kernel/memory.h>
#include <kernel/ring.h>
#include <kernel/virtio.h>

static const struct bkdl_boot_package *pinned_of(const struct package *package)
{
    return &init_archive.boot.packages[package->number];
}

const struct rumpk_bkdl_request *grant_request(const struct package *package,
                                               const struct rumpk_bkdl_grant *grant)
{
    const struct bkdl_list *requests = &package->manifest.requests;

    for (uint32_t index = 0; index < requests->count; index++) {
        const struct rumpk_bkdl_request *request = bkdl_request(requests, index);

        if (text_equal(request->name, grant->name, RUMPK_LABEL_SIZE))
            return request;
    }
    return NULL;
}

static bool grant_is_asked(const struct rumpk_bkdl_request *request,
                           const struct rumpk_bkdl_grant *grant)
{
    return request != NULL && request->type == grant->type &&
           (grant->rights & ~request->rights) == 0 && request->bus == grant->bus &&
           request->device_id == grant->device_id && request->vendor_id == grant->vendor_id &&
           request->class_code == grant->class_code && request->bar == grant->bar &&
           grant->size <= request->size &&
           text_equal(request->compatible, grant->compatible, RUMPK_COMPATIBLE_SIZE);
}

static const struct rumpk_bkdl_grant *grant_of_name(const struct bkdl_list *grants,
                                                    const char *name, uint32_t before)
{
    for (uint32_t index = 0; index < before; index++) {
        const struct rumpk_bkdl_grant *grant = bkdl_grant(grants, index);

        if (text_equal(grant->name, name, RUMPK_LABEL_SIZE))
            return grant;
    }
    return NULL;
}

static struct device *grant_device(const struct rumpk_bkdl_grant *grant)
{
    const struct device_name name = {
        .bus = grant->bus,
        .device_id = grant->device_id,
        .vendor_id = grant->vendor_id,
        .class_code = grant->class_code,
        .bar = grant->bar,
        .compatible = grant->compatible,
    };

    return device_find(&name, grant->index);
}

static bool grant_is_device(const struct rumpk_bkdl_grant *grant)
{
    return grant->type == RUMPK_CAP_DEVICE || grant->type == RUMPK_CAP_WINDOW;
}

// The first reason against one grant. A device that is not there is no reason when the driver can
// do without.
static enum rumpk_refusal grant_judge(const struct package *package, uint32_t index)
{
    const struct bkdl_boot_package *pinned = pinned_of(package);
    const struct rumpk_bkdl_grant *grant = bkdl_grant(&pinned->grants, index);
    const struct rumpk_bkdl_request *request = grant_request(package, grant);
    struct device *device;

    if (!grant_is_asked(request, grant) ||
        grant_of_name(&pinned->grants, grant->name, index) != NULL)
        return RUMPK_REFUSE_GRANT_UNASKED;
    if ((grant->type == RUMPK_CAP_DMA || (grant->rights & RUMPK_RIGHT_DMA) != 0) &&
        (pinned->package->flags & RUMPK_PACKAGE_DMA) == 0)
        return RUMPK_REFUSE_GRANT_DMA;
    if (!grant_is_device(grant))
        return RUMPK_REFUSE_NONE;
    device = grant_device(grant);
    if (device == NULL)
        return request->optional != 0 ? RUMPK_REFUSE_NONE : RUMPK_REFUSE_GRANT_DEVICE;
    if (!device_is_free(device, package->number))
        return RUMPK_REFUSE_GRANT_BUSY;
    device->holder = package->number;
    return RUMPK_REFUSE_NONE;
}

void grant_check(struct package *package)
{
    const struct bkdl_list *grants = &pinned_of(package)->grants;
    const struct bkdl_list *requests = &package->manifest.requests;

    for (uint32_t index = 0; index < grants->count; index++) {
        enum rumpk_refusal refusal = grant_judge(package, index);

        if (refusal != RUMPK_REFUSE_NONE) {
            init_refuse(package, refusal, index);
            return;
        }
    }
    for (uint32_t index = 0; index < requests->count; index++) {
        const struct rumpk_bkdl_request *request = bkdl_request(requests, index);

        if (request->optional == 0 && grant_of_name(grants, request->name, grants->count) == NULL) {
            init_refuse(package, RUMPK_REFUSE_REQUEST_MISSING, index);
            return;
        }
    }
}

void grant_release(const struct package *package)
{
    for (uint32_t index = 0; index < DEVICES_MAX; index++) {
        if (devices[index].holder != package->number)
            continue;
        devices[index].holder = DEVICE_FREE;
        device_switch_off(&devices[index]);
    }
}

// ---- capabilities ----

static int64_t memory_apply(struct fiber *fiber, const struct rumpk_bkdl_grant *grant)
{
    struct cap cap = {
        .type = (uint8_t)grant->type, .rights = (uint8_t)grant->rights, .name = grant->name};
    const struct memory_object *object;
    int64_t result = memory_object_new(grant->size, &cap.object);

    if (result != RUMPK_OK)
        return result;
    object = &memory_objects[cap.object];
    if (!place_prepare(fiber, object->base, object->size))
        return RUMPK_E_MEMORY;
    if (fiber->scrub_count == FIBER_SCRUB_MAX)
        return RUMPK_E_LIMIT;
    fiber->scrub[fiber->scrub_count++] =
        (struct boot_region){.base = object->base, .size = object->size};
    return cap_add(fiber, cap);
}

// The interrupt of a device whose registers were granted, and the ring of its messages.
static int64_t interrupt_apply(struct fiber *fiber, const struct rumpk_bkdl_grant *grant,
                               const struct device *device)
{
    struct cap line = {
        .type = RUMPK_CAP_INTERRUPT, .rights = RUMPK_RIGHT_CONTROL, .name = grant->name};
    struct cap ring = {.type = RUMPK_CAP_RING,
                       .rights = RUMPK_RIGHT_READ,
                       .part = RING_CONSUMER,
                       .name = grant->name};
    int64_t result = interrupt_attach(device->line, &line.object, &ring.object);

    if (result != RUMPK_OK)
        return result;
    if (!place_prepare(fiber, rings[ring.object].base, rings[ring.object].size))
        return RUMPK_E_MEMORY;
    result = cap_add(fiber, line);
    if (result >= 0)
        result = cap_add(fiber, ring);
    if (result >= 0)
        device_pin_on(device); // nobody else has this line
    return result;
}

// Registers: a window of memory, or ports where the machine has them there.
static int64_t window_apply(struct fiber *fiber, const struct rumpk_bkdl_grant *grant,
                            const struct device *device, bool with_interrupt)
{
    int64_t result;
    uint64_t first = align_down(device->base, PAGE_SIZE);
    struct cap cap = {
        .type = device->is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW,
        .rights = (uint8_t)grant->rights,
        .object = (uint32_t)(device - devices),
        .name = grant->name,
    };

    if (device->is_ports && !arch_has_ports())
        return RUMPK_E_UNSUPPORTED;
    if (!device->is_ports && !device_shares_page(device) &&
        !place_prepare(fiber, first, page_up(device->base + device->size) - first))
        return RUMPK_E_MEMORY;
    device_switch_on(device);
    result = cap_add(fiber, cap);
    if (result < 0 || !with_interrupt || device->line == ARCH_LINE_NONE)
        return result;
    return interrupt_apply(fiber, grant, device);
}

// The device, then one slot for each queue.
static int64_t device_apply(struct fiber *fiber, const struct rumpk_bkdl_grant *grant,
                            struct device *device, uint32_t queues)
{
    struct cap cap = {
        .type = RUMPK_CAP_DEVICE, .rights = (uint8_t)grant->rights, .name = grant->name};
    int64_t result = virtio_grant(device, queues, &cap.object);

    if (result != RUMPK_OK)
        return result;
    if (!place_prepare(fiber, virtio_view(cap.object), PAGE_SIZE))
        return RUMPK_E_MEMORY;
    result = cap_add(fiber, cap);
    for (uint32_t queue = 0; queue < queues && result >= 0; queue++) {
        cap.type = RUMPK_CAP_QUEUE;
        cap.rights = grant->rights & (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE);
        cap.part = (uint8_t)queue;
        result = cap_add(fiber, cap);
    }
    return result;
}

static int64_t grant_apply_one(const struct package *package, struct fiber *fiber,
                               const struct rumpk_bkdl_grant *grant)
{
    struct device *device = NULL;

    if (!grant_is_device(grant))
        return memory_apply(fiber, grant);
    device = grant_device(grant);
    if (device == NULL)
        return RUMPK_OK; // optional and not there
    if (grant->type == RUMPK_CAP_WINDOW)
        return window_apply(fiber, grant, device, grant_request(package, grant)->queues != 0);
    return device_apply(fiber, grant, device, grant_request(package, grant)->queues);
}

static enum rumpk_refusal refusal_of(int64_t result)
{
    switch (result) {
    case RUMPK_E_LIMIT:
        return RUMPK_REFUSE_LIMIT;
    case RUMPK_E_MEMORY:
        return RUMPK_REFUSE_MEMORY;
    default:
        return RUMPK_REFUSE_GRANT_DEVICE;
    }
}

void grant_apply(struct package *package, struct fiber *fiber)
{
    const struct bkdl_list *grants = &pinned_of(package)->grants;

    for (uint32_t index = 0; index < grants->count; index++) {
        int64_t result = grant_apply_one(package, fiber, bkdl_grant(grants, index));

        if (result < 0) {
            init_refuse(package, refusal_of(result), index);
            return;
        }
    }
}
