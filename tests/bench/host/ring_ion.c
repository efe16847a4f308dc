// SPDX-License-Identifier: Apache-2.0
//
// ring_ion.c: the ION ring: libnpl's own code on memory laid out as the kernel lays it out. What it
// has beyond the other rings stays in: clamped foreign indices, and the full fence of every
// publication that lets either end sleep. Nobody sleeps here, so no call is made.
#include "rings.h"

#include <npl/ring.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    struct npl_ring producer;
    uint32_t producer_pending;
    uint32_t batch;
    _Alignas(128) struct npl_ring consumer;
    uint32_t consumer_pending;
    void *memory;
};

static void *ion_create(uint32_t batch)
{
    const size_t size = RUMPK_RING_PRODUCER_OFFSET + 4096 * 5; // 128 + 256 * 64 bytes in pages
    struct ring *ring = aligned_alloc(128, sizeof *ring);
    void *memory = aligned_alloc(4096, size);
    if (ring == NULL || memory == NULL)
        goto failed;
    memset(ring, 0, sizeof *ring);
    memset(memory, 0, size);
    *(struct rumpk_ring_header *)memory =
        (struct rumpk_ring_header){.magic = RUMPK_RING_MAGIC,
                                   .slot_size = RUMPK_RING_SLOT_SIZE,
                                   .slot_count = SLOT_COUNT,
                                   .size = size};
    ring->memory = memory;
    ring->batch = batch;
    if (npl_ring_attach(&ring->producer, memory, 0, true) == 0 &&
        npl_ring_attach(&ring->consumer, memory, 0, false) == 0)
        return ring;
failed:
    free(memory);
    free(ring);
    return NULL;
}

static void ion_flush(void *memory)
{
    struct ring *ring = memory;
    (void)npl_ring_publish(&ring->producer);
    ring->producer_pending = 0;
}

static void ion_give_back(void *memory)
{
    struct ring *ring = memory;
    (void)npl_ring_publish(&ring->consumer);
    ring->consumer_pending = 0;
}

static bool ion_push(void *memory, const uint64_t *words)
{
    struct ring *ring = memory;
    void *slot = npl_ring_slot(&ring->producer);
    if (slot == NULL) {
        ion_flush(ring);
        return false;
    }
    memcpy(slot, words, RUMPK_RING_SLOT_SIZE);
    npl_ring_commit(&ring->producer);
    if (++ring->producer_pending == ring->batch)
        ion_flush(ring);
    return true;
}

static bool ion_pull(void *memory, uint64_t *words)
{
    struct ring *ring = memory;
    const void *slot = npl_ring_peek(&ring->consumer);
    if (slot == NULL) {
        ion_give_back(ring);
        return false;
    }
    memcpy(words, slot, RUMPK_RING_SLOT_SIZE);
    npl_ring_drop(&ring->consumer);
    if (++ring->consumer_pending == ring->batch)
        ion_give_back(ring);
    return true;
}

static void ion_destroy(void *memory)
{
    struct ring *ring = memory;
    free(ring->memory);
    free(ring);
}

const struct ring_kind ring_ion = {
    .create = ion_create,
    .push = ion_push,
    .pull = ion_pull,
    .flush = ion_flush,
    .destroy = ion_destroy,
};
