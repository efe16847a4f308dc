// SPDX-License-Identifier: Apache-2.0
//
// {name}: asks the virtio entropy device (virtio 1.2, section 5.4) for a few bytes and prints them.
//
// The driver never sees an address of the device: a request names memory by capability and offset,
// and the kernel checks and writes what the device reads.
#include <npl/npl.h>

#define QUEUE 0u
#define COUNT 8u

static int64_t open_device(struct npl_virtio *device, struct npl_memory *buffer)
{
    int64_t result = npl_virtio_open(device, "device");

    if (result >= 0)
        result = npl_dma_open(buffer, "buffer");
    if (result >= 0)
        result = npl_virtio_negotiate(device, 0, 0);
    return result;
}

// How many bytes the device wrote, or a negative code.
static int64_t fill(struct npl_virtio *device, const struct npl_memory *buffer)
{
    const struct rumpk_queue_request request = {
        .memory_slot = buffer->slot,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .length = COUNT,
    };
    struct rumpk_queue_completion done;
    int64_t result = npl_virtio_submit(device, QUEUE, &request, 1);

    if (result == 1)
        result = npl_virtio_complete(device, QUEUE, &done, 1, RUMPK_FOREVER);
    if (result < 0)
        return result;
    // What a device says is believed only within what it was given.
    return done.written <= COUNT ? done.written : RUMPK_E_DEVICE;
}

int npl_main(void)
{
    struct npl_virtio device;
    struct npl_memory buffer;
    int64_t result = open_device(&device, &buffer);

    if (result >= 0)
        result = fill(&device, &buffer);
    if (result < 0) {
        npl_printf("{short}: cannot use the device: %s\n", npl_result_text(result));
        return 1;
    }
    npl_print("{short}:");
    for (int64_t at = 0; at < result; at++)
        npl_printf(" %u", buffer.base[at]);
    npl_print("\n");
    return 0;
}
