// SPDX-License-Identifier: Apache-2.0
//
// queues.c: a real virtio entropy device under a driver that asks for what it may not: each bad
// request is a refused call with its own code, nothing reaches the device, and a good request
// afterwards still works.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

static const struct rumpk_cap_info *cap_of(uint32_t type)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);
    for (uint32_t i = 0; i < start->cap_count; i++)
        if (caps[i].type == type)
            return &caps[i];
    return NULL;
}

#define VERSION_1 (UINT64_C(1) << 32)

// The case has: device "entropy" (virtio 4, one queue), dma "buffers" of 8 KiB, memory "scratch".
int probe_queue(const char *word)
{
    (void)word;
    const struct rumpk_cap_info *device = cap_of(RUMPK_CAP_DEVICE),
                                *queue = cap_of(RUMPK_CAP_QUEUE);
    const struct rumpk_cap_info *dma = cap_of(RUMPK_CAP_DMA), *memory = cap_of(RUMPK_CAP_MEMORY);
    if (device == NULL || queue == NULL || dma == NULL || memory == NULL)
        return 97;
    uint64_t buffer = (uint64_t)probe_call(RUMPK_CALL_MAP, dma->slot, 0, 0, 0);
    const struct rumpk_device_view *view = (const struct rumpk_device_view *)(uint64_t)probe_call(
        RUMPK_CALL_MAP, device->slot, 0, 0, 0);
    if ((int64_t)buffer <= 0 || (int64_t)(uint64_t)view <= 0)
        return 96;
    if (view->device_id != 4 || !(view->features_offered & VERSION_1) ||
        view->features_accepted != 0)
        return 95;

    static struct rumpk_queue_request r[RUMPK_QUEUE_BATCH_MAX + 1];
    struct rumpk_queue_completion done[4];
    const struct rumpk_queue_request good = {dma->slot, RUMPK_QUEUE_DEVICE_WRITES, 64, 32, 0,
                                             0x1234};
    r[0] = good;
    if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 1, 0) != RUMPK_E_STATE)
        return 1;
    if (probe_call(RUMPK_CALL_MASK, device->slot, RUMPK_MASK_FEATURES, 0, 0) != RUMPK_E_ARGUMENT)
        return 2;
    if (probe_call(RUMPK_CALL_MASK, device->slot, RUMPK_MASK_FEATURES,
                   VERSION_1 | ~view->features_offered, 0) != RUMPK_E_ARGUMENT)
        return 3;
    if (probe_call(RUMPK_CALL_MASK, device->slot, RUMPK_MASK_FEATURES, VERSION_1, 0) != RUMPK_OK)
        return 4;
    if (probe_call(RUMPK_CALL_MAP, device->slot, 0, 0, 0) != (int64_t)(uint64_t)view)
        return 5;
    if (view->features_accepted != VERSION_1)
        return 6;

    const struct {
        struct rumpk_queue_request request;
        int64_t expected;
    } bad[] = {
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, dma->size, 1, 0, 1}, RUMPK_E_BOUNDS},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, dma->size - 1, 2, 0, 1}, RUMPK_E_BOUNDS},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, UINT64_MAX, 1, 0, 1}, RUMPK_E_BOUNDS},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, UINT64_MAX - 15, 32, 0, 1}, RUMPK_E_BOUNDS},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, UINT32_MAX, 0, 1}, RUMPK_E_ARGUMENT},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, 0, 0, 1}, RUMPK_E_ARGUMENT},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, (uint32_t)dma->size + 1, 0, 1}, RUMPK_E_BOUNDS},
        {{dma->slot, 0x80, 0, 32, 0, 1}, RUMPK_E_ARGUMENT},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, 32, 1, 1}, RUMPK_E_ARGUMENT},
        {{dma->slot, RUMPK_QUEUE_DEVICE_WRITES | RUMPK_QUEUE_CHAINED, 0, 32, 0, 1},
         RUMPK_E_ARGUMENT},
        {{memory->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, 32, 0, 1}, RUMPK_E_RIGHTS},
        {{device->slot, RUMPK_QUEUE_DEVICE_WRITES, 0, 32, 0, 1}, RUMPK_E_TYPE},
        {{63, RUMPK_QUEUE_DEVICE_WRITES, 0, 32, 0, 1}, RUMPK_E_SLOT},
        {{64, RUMPK_QUEUE_DEVICE_WRITES, 0, 32, 0, 1}, RUMPK_E_SLOT},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        r[0] = bad[i].request;
        if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 1, 0) != bad[i].expected)
            return (int)(100 + i);
        r[0] = good; // a good request does not carry a bad one through
        r[1] = bad[i].request;
        if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 2, 0) != bad[i].expected)
            return (int)(120 + i);
    }
    for (unsigned i = 0; i <= RUMPK_QUEUE_BATCH_MAX; i++)
        r[i] = good;
    if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 0, 0) != RUMPK_E_ARGUMENT)
        return 10;
    if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, RUMPK_QUEUE_BATCH_MAX + 1, 0) !=
        RUMPK_E_ARGUMENT)
        return 11;
    if (probe_call(RUMPK_CALL_RECV, queue->slot, (uint64_t)done, 0, RUMPK_NOW) != RUMPK_E_ARGUMENT)
        return 12;
    if (probe_call(RUMPK_CALL_RECV, queue->slot, (uint64_t)done, 4, RUMPK_NOW) != RUMPK_E_TIMEOUT)
        return 13;

    // Nothing of the above reached the device: the buffer is as it was.
    volatile uint8_t *bytes = (volatile uint8_t *)buffer;
    for (unsigned i = 0; i < 8192; i++)
        if (bytes[i] != 0)
            return 14;
    r[0] = good;
    if (probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 1, 0) != 1)
        return 15;
    if (probe_call(RUMPK_CALL_RECV, queue->slot, (uint64_t)done, 4, RUMPK_FOREVER) != 1)
        return 16;
    if (done[0].cookie != 0x1234 || done[0].written == 0 || done[0].written > 32)
        return 17;
    unsigned changed = 0;
    for (unsigned i = 0; i < 8192; i++) {
        if (i >= 64 && i < 96)
            changed += bytes[i] != 0;
        else if (bytes[i] != 0)
            return 18;
    }
    if (changed == 0)
        return 19;

    // The queue holds what it says, then says full, then gives everything back.
    unsigned sent = 0, got = 0;
    r[0] = good;
    while (sent < 2 * RUMPK_QUEUE_ENTRIES_MAX) {
        int64_t result = probe_call(RUMPK_CALL_SEND, queue->slot, (uint64_t)r, 1, 0);
        if (result == RUMPK_E_FULL)
            break;
        if (result != 1)
            return 20;
        sent++;
    }
    if (sent == 0 || sent > RUMPK_QUEUE_ENTRIES_MAX)
        return 21;
    while (got < sent) {
        int64_t result = probe_call(RUMPK_CALL_RECV, queue->slot, (uint64_t)done, 4, RUMPK_FOREVER);
        if (result <= 0 || result > 4)
            return 22;
        got += (unsigned)result;
    }
    return SURVIVED;
}
