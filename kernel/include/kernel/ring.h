// SPDX-License-Identifier: Apache-2.0
//
// ring.h: ION rings as the kernel sees them (layout: rumpk/ring.h). The kernel owns the memory,
// writes only the header, and reads the two indices, which it never believes.
#ifndef KERNEL_RING_H
#define KERNEL_RING_H

#include <kernel/cap.h>

#define RING_OF_FIBERS UINT32_MAX
#define RING_LENDS_NOT UINT32_MAX
#define RING_NO_WIRE   UINT32_MAX
#define RINGS_MAX      (2u * RUMPK_WIRES_MAX)

struct ring {
    uint64_t base;
    uint64_t size;
    uint32_t slots;
    uint32_t lender;       // the end whose holder waits for the other's service (lend.h)
    uint32_t wire;         // whose requests it carries until its server has announced itself
    uint32_t interrupt;    // RING_OF_FIBERS, or the interrupt whose messages the kernel puts here
    struct fiber *ends[2]; // RING_PRODUCER, RING_CONSUMER
    uint64_t wakes[2];     // send calls of each end
};

extern struct ring rings[RINGS_MAX];

// A ring of `slots` slots in new pages. E_LIMIT or E_MEMORY.
[[nodiscard]] int64_t ring_new(uint32_t slots, uint32_t *index);
// The parts of a ring that one end maps: header, then the page(s) of each side. Three of them.
struct ring_part {
    uint64_t base;
    uint64_t size;
    bool writable;
};
void ring_parts(const struct ring *ring, uint32_t end, struct ring_part parts[3]);

// All below: on the kernel root.
// What the end can take or fill: 0..slots, or E_PEER when the other end is gone (and the ring
// drained).
int64_t ring_ready(const struct ring *ring, uint32_t end);
// Slots published and not taken, clamped.
uint32_t ring_filled(const struct ring *ring);
// The kernel as the producer: one slot, or nothing when there is no room.
void ring_publish(struct ring *ring, const void *slot);
// This end is gone for good.
void ring_close(struct ring *ring, uint32_t end);

#endif
