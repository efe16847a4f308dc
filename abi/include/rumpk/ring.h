// SPDX-License-Identifier: Apache-2.0
//
// ring.h: the ION ring: one producer, one consumer, no lock.
//
// Ring memory belongs to the kernel and outlives both ends. Three parts lie in separate pages so that
// each end can write only its own and nobody but the kernel the header:
//
//   page 0              struct rumpk_ring_header    kernel writes, both read
//   page 1              struct rumpk_ring_consumer  consumer writes, producer reads
//   page 2 ..           struct rumpk_ring_producer  producer writes, consumer reads
//                       then slot_count slots of slot_size bytes at RUMPK_RING_SLOTS_OFFSET
//
// `head` and `tail` run freely; slot n lies at index n & (slot_count - 1). Whoever reads a foreign index
// clamps it: a distance above slot_count is treated as "the peer is broken", never as an offset.
// Producer: write slots, store head with release. Consumer: load head with acquire, read, store tail with
// release. Sleep: set `waiting` to 1, full fence, look again, call recv, which looks once more itself, in one
// step with going to sleep. Wake: store index with release, full fence, read the peer's `waiting`, call send if
// it is 1.
#ifndef RUMPK_RING_H
#define RUMPK_RING_H

#include <rumpk/base.h>

#define RUMPK_RING_MAGIC 0x474E4952u  // "RING"
#define RUMPK_RING_SLOT_SIZE 64u
#define RUMPK_RING_SLOTS_MIN 2u
#define RUMPK_RING_SLOTS_MAX 1024u
#define RUMPK_RING_CONSUMER_OFFSET 4096u
#define RUMPK_RING_PRODUCER_OFFSET 8192u
#define RUMPK_RING_SLOTS_OFFSET 128u  // from the start of the producer part

struct rumpk_ring_header {
    uint32_t magic;       // RUMPK_RING_MAGIC
    uint32_t version;     // 0
    uint32_t slot_size;   // RUMPK_RING_SLOT_SIZE
    uint32_t slot_count;  // power of two
    uint32_t epoch;       // counts restarts of either end
    uint32_t closed;      // bit 0: producer gone for good; bit 1: consumer gone for good
    uint64_t size;        // bytes of the whole ring, a multiple of the page size
    uint64_t reserved[4];
};
RUMPK_ASSERT_SIZE(rumpk_ring_header, 64);

#define RUMPK_RING_PRODUCER_GONE 0x1u
#define RUMPK_RING_CONSUMER_GONE 0x2u

struct rumpk_ring_consumer {
    uint32_t tail;     // next slot to take
    uint32_t waiting;  // 1: asleep or about to sleep; the producer calls send after publishing
    uint32_t reserved[14];
};
RUMPK_ASSERT_SIZE(rumpk_ring_consumer, 64);

struct rumpk_ring_producer {
    uint32_t head;     // next slot to fill
    uint32_t waiting;  // 1: asleep or about to sleep for room; the consumer calls send after taking
    uint32_t reserved[14];
};
RUMPK_ASSERT_SIZE(rumpk_ring_producer, 64);

// Slot of a RUMPK_STYLE_STREAM channel.
struct rumpk_stream_slot {
    uint8_t length;     // valid bytes of `bytes`, 1..62; above 62 is read as 62
    uint8_t flags;      // zero
    uint8_t bytes[62];
};
RUMPK_ASSERT_SIZE(rumpk_stream_slot, 64);

// Slot of the ring that comes with an INTERRUPT capability; the kernel is the producer. The line stays masked
// after each message until the driver has quieted its device and says mask(IRQ_UNMASK). A ring that is full
// loses the message, not the count.
struct rumpk_interrupt_slot {
    uint64_t count;  // times that the line has fired since boot, this one included
    uint64_t ticks;  // when
    uint64_t reserved[6];
};
RUMPK_ASSERT_SIZE(rumpk_interrupt_slot, 64);

// Slot of a RUMPK_STYLE_SERVICE channel, both directions: one 9P message in one arena buffer.
struct rumpk_message_slot {
    uint64_t sequence;  // counts requests of this client from 1; a reply repeats that of its request
    uint32_t buffer;    // arena buffer index; a reply uses that of its request
    uint32_t length;    // bytes of the message, its own size field included
    uint64_t reserved[6];
};
RUMPK_ASSERT_SIZE(rumpk_message_slot, 64);

#endif
