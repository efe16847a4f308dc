// SPDX-License-Identifier: Apache-2.0
//
// ring.h: one end of an ION ring (rumpk/ring.h): single producer, single consumer, no lock.
//
//            own (not yet published)          published = header word `head` or `tail`
//   producer: npl_ring_slot + npl_ring_commit ... npl_ring_publish  -> consumer sees all at once
//   consumer: npl_ring_peek + npl_ring_drop   ... npl_ring_publish  -> producer gets the room back
//
// The peer's index is cached and read again only when the cache says "full" or "empty"; a call to
// the kernel is made only when the peer sleeps. Every index that the peer wrote is clamped: a
// distance above the slot count marks the ring broken for good (RUMPK_E_PEER), never becomes an
// offset.
#ifndef NPL_RING_H
#define NPL_RING_H

#include <rumpk/ring.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npl_ring {
    const struct rumpk_ring_header *header;
    uint32_t *own_index; // word of this end that the peer reads
    uint32_t *own_waiting;
    const uint32_t *peer_index; // word that the peer writes: hostile
    const uint32_t *peer_waiting;
    uint8_t *slots;
    uint32_t slot_count;
    uint32_t own;       // next slot of this end
    uint32_t published; // value of own_index
    uint32_t peer;      // peer's index as last read and believed
    uint32_t epoch;
    uint32_t slot; // capability
    bool is_producer;
    bool is_broken;
};

// Maps the capability and takes up this end where the ring's memory says it stands. 0 or the code
// of `map`; RUMPK_E_PEER when the kernel's header is not one that this library understands.
int64_t npl_ring_open(struct npl_ring *ring, uint32_t slot, bool is_producer);

// The same on memory that is already mapped at `header` (tests, and rings by other ways).
int64_t npl_ring_attach(struct npl_ring *ring, void *header, uint32_t slot, bool is_producer);

// Slots that this end may use now: free ones for a producer, filled ones for a consumer. Also
// RUMPK_E_PEER (peer gone and nothing left to take, or broken), RUMPK_E_EPOCH (npl_ring_resync).
int64_t npl_ring_ready(struct npl_ring *ring);

// The same with the peer's index read again: npl_ring_ready() does that only at 0, and so may tell
// less than there is.
int64_t npl_ring_refresh(struct npl_ring *ring);

// Producer: the next free slot to fill, or null; it is handed on by npl_ring_commit.
void *npl_ring_slot(struct npl_ring *ring);
void npl_ring_commit(struct npl_ring *ring);

// Consumer: the next filled slot, or null. The producer can still change it: copy, then judge.
const void *npl_ring_peek(struct npl_ring *ring);
void npl_ring_drop(struct npl_ring *ring);

// Makes everything committed or dropped visible to the peer, and wakes it if it sleeps. 0, or
// RUMPK_E_PEER when the peer is gone for good.
int64_t npl_ring_publish(struct npl_ring *ring);

// Copies one slot in and publishes. 0, RUMPK_E_FULL, RUMPK_E_PEER, RUMPK_E_EPOCH.
int64_t npl_ring_push(struct npl_ring *ring, const void *slot);

// Copies one slot out and publishes. 1, 0 when there is none, RUMPK_E_PEER, RUMPK_E_EPOCH.
int64_t npl_ring_pull(struct npl_ring *ring, void *slot);

// Sleeps until npl_ring_ready() would not be 0: its result, RUMPK_E_TIMEOUT, or RUMPK_E_STALE when
// this end was granted and has been taken back: its memory is no longer there.
int64_t npl_ring_sleep(struct npl_ring *ring, uint64_t deadline);

// For npl_wait over several rings: announce on each, look at each once more with npl_ring_ready,
// wait, then withdraw on each.
void npl_ring_announce(struct npl_ring *ring);
void npl_ring_withdraw(struct npl_ring *ring);

// After RUMPK_E_EPOCH: takes up the ring where its memory stands now. What was in flight is the
// caller's to send again.
void npl_ring_resync(struct npl_ring *ring);

#ifdef __cplusplus
}
#endif

#endif
