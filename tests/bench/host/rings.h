// SPDX-License-Identifier: Apache-2.0
//
// rings.h: the rings under comparison behind one set of functions. Every ring has SLOT_COUNT slots
// of 64 bytes and is reached through pointers into another translation unit, so that none is
// inlined where the others are not.
#ifndef BENCH_RINGS_H
#define BENCH_RINGS_H

#include <stdbool.h>
#include <stdint.h>

#define SLOT_WORDS 8u   // 64 bytes
#define SLOT_COUNT 256u // power of two

struct ring_kind {
    // `batch`: messages for which one publication is made. Rings that publish each take no notice.
    void *(*create)(uint32_t batch);
    bool (*push)(void *ring, const uint64_t *words); // false: no room
    bool (*pull)(void *ring, uint64_t *words);       // false: nothing there
    void (*flush)(void *ring);                       // producer: nothing stays unpublished
    void (*destroy)(void *ring);
};

extern const struct ring_kind ring_textbook, ring_cached, ring_ion;

#endif
