// SPDX-License-Identifier: Apache-2.0
//
// A device for fuzz_kernel_calls: takes every request and completes it at once. Devices themselves
// are fuzzed by kernel_pci.
#include <kernel/derive.h>
#include <kernel/init.h>
#include <kernel/virtio.h>
#include <stdlib.h>

#include "calls_device.h"

struct device devices[DEVICES_MAX];
struct package init_packages[RUMPK_PACKAGES_MAX];

bool device_shares_page(const struct device *device)
{
    (void)device;
    return true;
}

uint64_t virtio_view(uint32_t index)
{
    return index;
}

void virtio_view_refresh(uint32_t index)
{
    (void)index;
}

int64_t virtio_negotiate(uint32_t index, uint64_t features)
{
    (void)index;
    return features == 0 ? RUMPK_E_ARGUMENT : RUMPK_OK;
}

void virtio_reset(uint32_t index)
{
    (void)index;
}

bool virtio_reset_step(uint32_t index)
{
    (void)index;
    return true;
}

int64_t virtio_can_submit(uint32_t index, uint32_t queue, uint32_t count)
{
    (void)index;
    (void)queue;
    return count > RUMPK_QUEUE_BATCH_MAX / 2 ? RUMPK_E_FULL : RUMPK_OK;
}

uint32_t device_completions;

// Each part must lie in one of the kernel's memory objects: what a real device would be given.
void virtio_submit(uint32_t index, uint32_t queue, const struct virtio_part *parts, uint32_t count)
{
    (void)index;
    (void)queue;
    if (count == 0 || count > RUMPK_QUEUE_BATCH_MAX)
        abort();
    for (uint32_t part = 0; part < count; part++) {
        if (parts[part].length == 0)
            abort();
    }
    device_completions += count;
}

int64_t virtio_collect(uint32_t index, uint32_t queue, struct rumpk_queue_completion *out,
                       uint32_t max)
{
    (void)index;
    (void)queue;
    if (device_completions == 0 || max == 0)
        return 0;
    device_completions--;
    out[0] = (struct rumpk_queue_completion){.cookie = 77, .written = 5};
    return 1;
}

enum init_verdict init_verify_step(struct package *package, struct work *work)
{
    (void)package;
    (void)work;
    abort(); // no package of this machine is kept for later, so nothing is ever spawned
}

void init_package_start(struct package *package)
{
    (void)package;
    abort();
}

bool virtio_interrupt(uint32_t index)
{
    (void)index;
    return true;
}

void virtio_interrupt_hold(uint32_t index, bool is_held)
{
    (void)index;
    (void)is_held;
}

bool virtio_uses(uint32_t index, uint32_t queue, uint64_t base, uint64_t size)
{
    (void)index;
    (void)queue;
    (void)base;
    (void)size;
    return false;
}

uint32_t virtio_queues(uint32_t index)
{
    return index == 0 ? 1 : 0;
}

uint16_t device_user;

uint16_t virtio_user(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return device_user;
}

void virtio_user_set(uint32_t index, uint32_t queue, uint16_t node)
{
    (void)index;
    (void)queue;
    device_user = node;
}

void virtio_dropped_forget(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
}

bool virtio_has_broken(uint32_t index)
{
    (void)index;
    return false;
}

bool virtio_is_ready(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return device_completions != 0;
}

bool virtio_is_busy(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return device_completions != 0;
}
