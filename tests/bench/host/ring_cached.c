// SPDX-License-Identifier: Apache-2.0
//
// ring_cached.c: the design of the best public single-producer single-consumer queues, written
// afresh from its description: indices in cache lines of their own, each end keeps a copy of the
// other's index beside its own and reads the real one only when the copy says full or empty;
// acquire and release, no fence, and nobody to wake.
#include "rings.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    _Alignas(128) _Atomic uint32_t head; // written by the producer
    uint32_t tail_copy;
    _Alignas(128) _Atomic uint32_t tail; // written by the consumer
    uint32_t head_copy;
    _Alignas(128) uint64_t slots[SLOT_COUNT][SLOT_WORDS];
};

static void *cached_create(uint32_t batch)
{
    (void)batch;
    struct ring *ring = aligned_alloc(128, sizeof *ring);
    if (ring != NULL)
        memset(ring, 0, sizeof *ring);
    return ring;
}

static bool cached_push(void *memory, const uint64_t *words)
{
    struct ring *ring = memory;
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - ring->tail_copy == SLOT_COUNT) {
        ring->tail_copy = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head - ring->tail_copy == SLOT_COUNT)
            return false;
    }
    memcpy(ring->slots[head % SLOT_COUNT], words, sizeof ring->slots[0]);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

static bool cached_pull(void *memory, uint64_t *words)
{
    struct ring *ring = memory;
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (ring->head_copy == tail) {
        ring->head_copy = atomic_load_explicit(&ring->head, memory_order_acquire);
        if (ring->head_copy == tail)
            return false;
    }
    memcpy(words, ring->slots[tail % SLOT_COUNT], sizeof ring->slots[0]);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

static void cached_flush(void *memory)
{
    (void)memory; // each message is published as it is pushed
}

const struct ring_kind ring_cached = {
    .create = cached_create,
    .push = cached_push,
    .pull = cached_pull,
    .flush = cached_flush,
    .destroy = free,
};
