// SPDX-License-Identifier: Apache-2.0
//
// ring_textbook.c: the ring of the textbook: one head, one tail, side by side in one cache line,
// both read on every operation, every access sequentially consistent.
#include "rings.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    _Atomic uint32_t head;
    _Atomic uint32_t tail;
    _Alignas(64) uint64_t slots[SLOT_COUNT][SLOT_WORDS];
};

static void *textbook_create(uint32_t batch)
{
    (void)batch;
    struct ring *ring = aligned_alloc(64, sizeof *ring);
    if (ring != NULL)
        memset(ring, 0, sizeof *ring);
    return ring;
}

static bool textbook_push(void *memory, const uint64_t *words)
{
    struct ring *ring = memory;
    uint32_t head = atomic_load(&ring->head);
    if (head - atomic_load(&ring->tail) == SLOT_COUNT)
        return false;
    memcpy(ring->slots[head % SLOT_COUNT], words, sizeof ring->slots[0]);
    atomic_store(&ring->head, head + 1);
    return true;
}

static bool textbook_pull(void *memory, uint64_t *words)
{
    struct ring *ring = memory;
    uint32_t tail = atomic_load(&ring->tail);
    if (atomic_load(&ring->head) == tail)
        return false;
    memcpy(words, ring->slots[tail % SLOT_COUNT], sizeof ring->slots[0]);
    atomic_store(&ring->tail, tail + 1);
    return true;
}

static void textbook_flush(void *memory)
{
    (void)memory; // each message is published as it is pushed
}

const struct ring_kind ring_textbook = {
    .create = textbook_create,
    .push = textbook_push,
    .pull = textbook_pull,
    .flush = textbook_flush,
    .destroy = free,
};
