// SPDX-License-Identifier: Apache-2.0
//
// ring.c: making and closing rings, and reading their indices. An index comes from a driver: the
// distance of the two is clamped to the number of slots, so a forged one can neither hide nor
// invent more than the ring holds.
#include <kernel/memory.h>
#include <kernel/ring.h>

struct ring rings[RINGS_MAX];
static uint32_t ring_count;

static struct rumpk_ring_header *header_of(const struct ring *ring)
{
    return (struct rumpk_ring_header *)(uintptr_t)ring->base;
}

int64_t ring_new(uint32_t slots, uint32_t *index)
{
    uint64_t bytes = RUMPK_RING_SLOTS_OFFSET + (uint64_t)slots * RUMPK_RING_SLOT_SIZE;
    uint64_t size = RUMPK_RING_PRODUCER_OFFSET + page_up(bytes);
    struct ring *ring;

    if (ring_count == RINGS_MAX)
        return RUMPK_E_LIMIT;
    ring = &rings[ring_count];
    if (!memory_take_high(size / PAGE_SIZE, &ring->base))
        return RUMPK_E_MEMORY;
    ring->size = size;
    ring->slots = slots;
    ring->lender = RING_LENDS_NOT;
    ring->interrupt = RING_OF_FIBERS;
    ring->wire = RING_NO_WIRE;
    *header_of(ring) = (struct rumpk_ring_header){
        .magic = RUMPK_RING_MAGIC,
        .slot_size = RUMPK_RING_SLOT_SIZE,
        .slot_count = slots,
        .size = size,
    };
    *index = ring_count++;
    return RUMPK_OK;
}

void ring_parts(const struct ring *ring, uint32_t end, struct ring_part parts[3])
{
    parts[0] = (struct ring_part){.base = ring->base, .size = PAGE_SIZE};
    parts[1] = (struct ring_part){
        .base = ring->base + RUMPK_RING_CONSUMER_OFFSET,
        .size = PAGE_SIZE,
        .writable = end == RING_CONSUMER,
    };
    parts[2] = (struct ring_part){
        .base = ring->base + RUMPK_RING_PRODUCER_OFFSET,
        .size = ring->size - RUMPK_RING_PRODUCER_OFFSET,
        .writable = end == RING_PRODUCER,
    };
}

uint32_t ring_filled(const struct ring *ring)
{
    const struct rumpk_ring_consumer *consumer =
        (const void *)(uintptr_t)(ring->base + RUMPK_RING_CONSUMER_OFFSET);
    const struct rumpk_ring_producer *producer =
        (const void *)(uintptr_t)(ring->base + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t tail = __atomic_load_n(&consumer->tail, __ATOMIC_ACQUIRE);
    uint32_t head = __atomic_load_n(&producer->head, __ATOMIC_ACQUIRE);
    uint32_t filled = head - tail;

    return filled > ring->slots ? ring->slots : filled;
}

int64_t ring_ready(const struct ring *ring, uint32_t end)
{
    uint32_t closed = header_of(ring)->closed;
    uint32_t filled = ring_filled(ring);

    if (end == RING_PRODUCER)
        return (closed & RUMPK_RING_CONSUMER_GONE) != 0 ? RUMPK_E_PEER
                                                        : (int64_t)(ring->slots - filled);
    return filled == 0 && (closed & RUMPK_RING_PRODUCER_GONE) != 0 ? RUMPK_E_PEER : (int64_t)filled;
}

// The producer's part of such a ring is writable for nobody else, so its index is the kernel's own.
void ring_publish(struct ring *ring, const void *slot)
{
    struct rumpk_ring_producer *producer =
        (void *)(uintptr_t)(ring->base + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t head = producer->head;
    uint8_t *slots = (uint8_t *)producer + RUMPK_RING_SLOTS_OFFSET;

    if (ring_ready(ring, RING_PRODUCER) <= 0)
        return;
    memcpy(slots + (head & (ring->slots - 1)) * RUMPK_RING_SLOT_SIZE, slot, RUMPK_RING_SLOT_SIZE);
    __atomic_store_n(&producer->head, head + 1, __ATOMIC_RELEASE);
}

void ring_close(struct ring *ring, uint32_t end)
{
    uint32_t bit = end == RING_PRODUCER ? RUMPK_RING_PRODUCER_GONE : RUMPK_RING_CONSUMER_GONE;

    __atomic_store_n(&header_of(ring)->closed, header_of(ring)->closed | bit, __ATOMIC_RELEASE);
    ring->ends[end] = NULL;
}
