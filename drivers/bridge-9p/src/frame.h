// SPDX-License-Identifier: Apache-2.0
//
// frame.h: cuts a stream of bytes that nobody vouches for into 9P messages.
//
//              size field in [7, limit]              all bytes there
//   collecting ------------------------> collecting -----------------> message, then collecting
//       |  any other size                    |  a piece begins with Tversion
//       v                                    v
//     lost ---------- Tversion found ----> collecting from that Tversion
//
// The stream does not tell when one peer leaves and the next one comes; Tversion, which begins
// every session, does.
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_CAPACITY 8192u // bytes of the longest message

struct frame {
    uint32_t size;  // bytes collected
    uint32_t limit; // bytes of the longest message agreed on
    bool is_lost;
    uint8_t bytes[FRAME_CAPACITY];
};

void frame_init(struct frame *frame);

// Takes from one piece as it came in; `is_first`: these are its first bytes. How many were taken; 0
// when a whole message is waiting.
uint32_t frame_add(struct frame *frame, const uint8_t *piece, uint32_t size, bool is_first);

// Bytes of the message that is whole, at frame->bytes, or 0.
uint32_t frame_ready(struct frame *frame);

// The message has been handled.
void frame_drop(struct frame *frame);

#endif
