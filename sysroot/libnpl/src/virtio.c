// SPDX-License-Identifier: Apache-2.0
//
// virtio.c: a device over queue capabilities (virtio 1.2; the transport is the kernel's).
#include <npl/call.h>
#include <npl/start.h>
#include <npl/virtio.h>
#include <rumpk/cap.h>

int64_t npl_virtio_open(struct npl_virtio *device, const char *name)
{
    const struct rumpk_cap_info *cap = npl_cap_find(name, RUMPK_CAP_DEVICE);

    if (!cap)
        return RUMPK_E_SLOT;
    *device = (struct npl_virtio){.device_slot = cap->slot};
    for (uint32_t queue = 0; queue < RUMPK_DEVICE_QUEUE_MAX; queue++)
        device->queue_slots[queue] = RUMPK_SLOT_NONE;
    for (uint32_t index = 0; index < RUMPK_DEVICE_QUEUE_MAX; index++) {
        const struct rumpk_cap_info *queue = npl_cap_find_nth(name, RUMPK_CAP_QUEUE, index);

        if (!queue)
            break;
        if (queue->detail >= RUMPK_DEVICE_QUEUE_MAX)
            continue;
        device->queue_slots[queue->detail] = queue->slot;
        device->queue_count++;
    }
    return npl_virtio_refresh(device);
}

int64_t npl_virtio_refresh(struct npl_virtio *device)
{
    int64_t address = npl_map(device->device_slot);

    if (address < 0)
        return address;
    device->view = (const struct rumpk_device_view *)(uintptr_t)address;
    return RUMPK_OK;
}

int64_t npl_virtio_negotiate(struct npl_virtio *device, uint64_t required, uint64_t wanted)
{
    uint64_t offered = device->view->features_offered;

    required |= NPL_VIRTIO_F_VERSION_1;
    if ((offered & required) != required)
        return RUMPK_E_UNSUPPORTED;
    uint64_t features = required | (wanted & offered);
    int64_t result = npl_mask_features(device->device_slot, features);
    if (result < 0)
        return result;
    device->features = features;
    return npl_virtio_refresh(device);
}

// `width` bytes, little-endian, or zero when they are not all there.
static uint64_t config(const struct npl_virtio *device, uint32_t offset, uint32_t width)
{
    uint32_t size = device->view->config_size;
    uint64_t value = 0;

    if (size > RUMPK_DEVICE_CONFIG_MAX)
        size = RUMPK_DEVICE_CONFIG_MAX;
    if (width > size || offset > size - width)
        return 0;
    for (uint32_t at = 0; at < width; at++)
        value |= (uint64_t)device->view->config[offset + at] << (8 * at);
    return value;
}

uint8_t npl_virtio_config8(const struct npl_virtio *device, uint32_t offset)
{
    return (uint8_t)config(device, offset, 1);
}

uint16_t npl_virtio_config16(const struct npl_virtio *device, uint32_t offset)
{
    return (uint16_t)config(device, offset, 2);
}

uint32_t npl_virtio_config32(const struct npl_virtio *device, uint32_t offset)
{
    return (uint32_t)config(device, offset, 4);
}

uint64_t npl_virtio_config64(const struct npl_virtio *device, uint32_t offset)
{
    return config(device, offset, 8);
}

int64_t npl_virtio_submit(const struct npl_virtio *device, uint32_t queue,
                          const struct rumpk_queue_request *requests, uint32_t count)
{
    if (queue >= RUMPK_DEVICE_QUEUE_MAX)
        return RUMPK_E_SLOT;
    return npl_send_requests(device->queue_slots[queue], requests, count);
}

int64_t npl_virtio_complete(const struct npl_virtio *device, uint32_t queue,
                            struct rumpk_queue_completion *out, uint32_t count, uint64_t deadline)
{
    if (queue >= RUMPK_DEVICE_QUEUE_MAX)
        return RUMPK_E_SLOT;
    return npl_recv_completions(device->queue_slots[queue], out, count, deadline);
}
