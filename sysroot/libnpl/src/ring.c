// SPDX-License-Identifier: Apache-2.0
//
// ring.c: one end of an ION ring. The order of memory accesses is the whole point:
//
//   publish  slot stores | store own index (release) | full fence | load peer's `waiting` -> send
//   look     load peer's index (acquire) | slot loads
//   sleep    store own `waiting` = 1 | full fence | look once more | recv | store `waiting` = 0
//
// One of the two full fences always comes second, so either the sleeper (or recv, which looks at
// the ring in one step with going to sleep) sees the new index, or the publisher sees the sleeper:
// no wake-up is lost. tests/unit/npl/handshake.pml has these steps for spin, which visits every
// state; ring_order.py beside it finds these instructions in linked drivers.
#include <npl/call.h>
#include <npl/ring.h>
#include <string.h>

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

int64_t npl_ring_attach(struct npl_ring *ring, void *header_memory, uint32_t slot, bool is_producer)
{
    const struct rumpk_ring_header *header = header_memory;
    uint8_t *memory = header_memory;
    struct rumpk_ring_consumer *consumer = (void *)(memory + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *producer = (void *)(memory + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t count = header->slot_count;

    if (header->magic != RUMPK_RING_MAGIC || header->version != 0)
        return RUMPK_E_PEER;
    if (header->slot_size != RUMPK_RING_SLOT_SIZE || count < RUMPK_RING_SLOTS_MIN ||
        count > RUMPK_RING_SLOTS_MAX || (count & (count - 1)) != 0)
        return RUMPK_E_PEER;

    *ring = (struct npl_ring){
        .header = header,
        .slots = memory + RUMPK_RING_PRODUCER_OFFSET + RUMPK_RING_SLOTS_OFFSET,
        .slot_count = count,
        .slot = slot,
        .is_producer = is_producer,
        .own_index = is_producer ? &producer->head : &consumer->tail,
        .own_waiting = is_producer ? &producer->waiting : &consumer->waiting,
        .peer_index = is_producer ? &consumer->tail : &producer->head,
        .peer_waiting = is_producer ? &consumer->waiting : &producer->waiting,
    };
    npl_ring_resync(ring);
    return RUMPK_OK;
}

int64_t npl_ring_open(struct npl_ring *ring, uint32_t slot, bool is_producer)
{
    int64_t address = npl_map(slot);

    if (address < 0)
        return address;
    return npl_ring_attach(ring, (void *)(uintptr_t)address, slot, is_producer);
}

void npl_ring_resync(struct npl_ring *ring)
{
    ring->epoch = __atomic_load_n(&ring->header->epoch, __ATOMIC_ACQUIRE);
    ring->own = load(ring->own_index);
    ring->published = ring->own;
    // "Full" and "empty" in turn: the first look reads the peer's index.
    ring->peer = ring->is_producer ? ring->own - ring->slot_count : ring->own;
    ring->is_broken = false;
    store(ring->own_waiting, 0);
}

// Slots that the believed peer index allows.
static uint32_t usable(const struct npl_ring *ring)
{
    uint32_t distance = ring->is_producer ? ring->own - ring->peer : ring->peer - ring->own;

    return ring->is_producer ? ring->slot_count - distance : distance;
}

// Reads the peer's index. A hostile one breaks the ring.
static void look(struct npl_ring *ring)
{
    uint32_t peer = __atomic_load_n(ring->peer_index, __ATOMIC_ACQUIRE);
    uint32_t distance = ring->is_producer ? ring->own - peer : peer - ring->own;

    if (distance > ring->slot_count)
        ring->is_broken = true;
    else
        ring->peer = peer;
}

static bool peer_is_gone(const struct npl_ring *ring)
{
    uint32_t closed = __atomic_load_n(&ring->header->closed, __ATOMIC_ACQUIRE);

    return closed & (ring->is_producer ? RUMPK_RING_CONSUMER_GONE : RUMPK_RING_PRODUCER_GONE);
}

int64_t npl_ring_ready(struct npl_ring *ring)
{
    if (ring->is_broken)
        return RUMPK_E_PEER;
    if (__atomic_load_n(&ring->header->epoch, __ATOMIC_ACQUIRE) != ring->epoch)
        return RUMPK_E_EPOCH;

    // "Gone" is read before the index: what a consumer finds afterwards is all that will ever come.
    bool is_gone = peer_is_gone(ring);
    if (is_gone && ring->is_producer)
        return RUMPK_E_PEER;
    if (usable(ring) == 0 || is_gone)
        look(ring);
    if (ring->is_broken || (is_gone && usable(ring) == 0))
        return RUMPK_E_PEER;
    return usable(ring);
}

int64_t npl_ring_refresh(struct npl_ring *ring)
{
    int64_t ready = npl_ring_ready(ring);

    if (ready <= 0)
        return ready;
    look(ring);
    if (ring->is_broken)
        return RUMPK_E_PEER;
    return usable(ring);
}

static uint8_t *slot_at(const struct npl_ring *ring)
{
    return ring->slots + (size_t)(ring->own & (ring->slot_count - 1)) * RUMPK_RING_SLOT_SIZE;
}

// The fast path of both ends: no header, no call, and the peer's cache line only when the cache is
// used up.
static uint8_t *next_slot(struct npl_ring *ring)
{
    if (usable(ring) == 0 && !ring->is_broken)
        look(ring);
    return ring->is_broken || usable(ring) == 0 ? NULL : slot_at(ring);
}

void *npl_ring_slot(struct npl_ring *ring)
{
    return next_slot(ring);
}

void npl_ring_commit(struct npl_ring *ring)
{
    ring->own++;
}

const void *npl_ring_peek(struct npl_ring *ring)
{
    return next_slot(ring);
}

void npl_ring_drop(struct npl_ring *ring)
{
    ring->own++;
}

int64_t npl_ring_publish(struct npl_ring *ring)
{
    if (ring->own == ring->published)
        return RUMPK_OK;
    __atomic_store_n(ring->own_index, ring->own, __ATOMIC_RELEASE);
    ring->published = ring->own;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (load(ring->peer_waiting) == 0)
        return RUMPK_OK;
    int64_t result = npl_send_wake(ring->slot);
    return result == RUMPK_E_PEER ? result : RUMPK_OK;
}

int64_t npl_ring_push(struct npl_ring *ring, const void *slot)
{
    int64_t ready = npl_ring_ready(ring);

    if (ready <= 0)
        return ready == 0 ? RUMPK_E_FULL : ready;
    memcpy(slot_at(ring), slot, RUMPK_RING_SLOT_SIZE);
    npl_ring_commit(ring);
    return npl_ring_publish(ring);
}

int64_t npl_ring_pull(struct npl_ring *ring, void *slot)
{
    int64_t ready = npl_ring_ready(ring);

    if (ready <= 0)
        return ready;
    memcpy(slot, slot_at(ring), RUMPK_RING_SLOT_SIZE);
    npl_ring_drop(ring);
    (void)npl_ring_publish(ring); // a producer that is gone takes nothing away from what it sent
    return 1;
}

void npl_ring_announce(struct npl_ring *ring)
{
    store(ring->own_waiting, 1);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void npl_ring_withdraw(struct npl_ring *ring)
{
    store(ring->own_waiting, 0);
}

int64_t npl_ring_sleep(struct npl_ring *ring, uint64_t deadline)
{
    int64_t ready;

    for (;;) {
        npl_ring_announce(ring);
        ready = npl_ring_ready(ring);
        if (ready != 0)
            break;
        int64_t result = npl_recv_ring(ring->slot, deadline);
        if (result == RUMPK_E_STALE) {
            // Taken back while this end slept: its pages are gone, nothing here is touched again.
            ring->is_broken = true;
            return result;
        }
        ready = npl_ring_ready(ring);
        if (ready != 0)
            break;
        if (result < 0) {
            ready = result;
            break;
        }
    }
    npl_ring_withdraw(ring);
    return ready;
}
