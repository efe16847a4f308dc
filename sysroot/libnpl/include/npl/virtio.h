// SPDX-License-Identifier: Apache-2.0
//
// virtio.h: a virtio device whose transport the kernel drives: negotiate, read its configuration,
// submit batches, take completions.
//
//   npl_virtio_open -> npl_virtio_negotiate -> { npl_virtio_submit, npl_virtio_complete }*
//
// The device's configuration is copied by the kernel at each map; npl_virtio_refresh takes a new
// copy.
#ifndef NPL_VIRTIO_H
#define NPL_VIRTIO_H

#include <rumpk/call.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NPL_VIRTIO_F_VERSION_1 (UINT64_C(1) << 32) // virtio 1.2, section 6

struct npl_virtio {
    const struct rumpk_device_view *view;
    uint32_t device_slot;
    uint32_t queue_count;
    uint32_t queue_slots[RUMPK_DEVICE_QUEUE_MAX];
    uint64_t features; // accepted
};

// Finds the device request by name, with its queues, and maps its view. 0, RUMPK_E_SLOT, `map`'s
// code.
int64_t npl_virtio_open(struct npl_virtio *device, const char *name);

// Accepts VERSION_1, all of `required`, and what is offered of `wanted`; starts the device. 0,
// RUMPK_E_UNSUPPORTED when something required is not offered, RUMPK_E_DEVICE when the device
// refuses.
int64_t npl_virtio_negotiate(struct npl_virtio *device, uint64_t required, uint64_t wanted);

// Little-endian fields of the device-specific configuration; zero outside its valid bytes.
uint8_t npl_virtio_config8(const struct npl_virtio *device, uint32_t offset);
uint16_t npl_virtio_config16(const struct npl_virtio *device, uint32_t offset);
uint32_t npl_virtio_config32(const struct npl_virtio *device, uint32_t offset);
uint64_t npl_virtio_config64(const struct npl_virtio *device, uint32_t offset);
int64_t npl_virtio_refresh(struct npl_virtio *device);

// As `send` and `recv` on the queue with this index; RUMPK_E_SLOT when it was not granted.
int64_t npl_virtio_submit(const struct npl_virtio *device, uint32_t queue,
                          const struct rumpk_queue_request *requests, uint32_t count);
int64_t npl_virtio_complete(const struct npl_virtio *device, uint32_t queue,
                            struct rumpk_queue_completion *out, uint32_t count, uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
