// SPDX-License-Identifier: Apache-2.0
//
// frame.c: collecting messages, and finding the way back after bytes that are none.
#include "frame.h"
#include "ninep_l.h"
#include <string.h>

#define VERSION_FIXED 13u // size, type, tag, msize, length of the version
#define VERSION_MAX   64u // bytes of a Tversion that is looked for

void frame_init(struct frame *frame)
{
    *frame = (struct frame){.limit = FRAME_CAPACITY};
}

static uint32_t size_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

// Do these bytes begin with Tversion, as far as it can be told from `size` bytes?
static bool is_version(const uint8_t *bytes, uint32_t size)
{
    static const uint8_t type_and_tag[3] = {L_TVERSION, 0xFF, 0xFF};

    if (size < VERSION_FIXED + 2)
        return false;
    uint32_t stated = size_at(bytes);
    uint32_t text = (uint32_t)bytes[11] | (uint32_t)bytes[12] << 8;
    return stated <= VERSION_MAX && stated == VERSION_FIXED + text &&
           memcmp(bytes + 4, type_and_tag, sizeof(type_and_tag)) == 0 && bytes[13] == '9' &&
           bytes[14] == 'P';
}

static void drop_front(struct frame *frame, uint32_t count)
{
    frame->size -= count;
    memmove(frame->bytes, frame->bytes + count, frame->size);
}

// Looks for Tversion in what was collected; its beginning may be the end of that.
static void find_version(struct frame *frame)
{
    uint32_t at = 0;

    while (at + VERSION_FIXED + 2 <= frame->size &&
           !is_version(frame->bytes + at, frame->size - at))
        at++;
    frame->is_lost = at + VERSION_FIXED + 2 > frame->size;
    drop_front(frame, at);
}

uint32_t frame_add(struct frame *frame, const uint8_t *piece, uint32_t size, bool is_first)
{
    if (is_first && is_version(piece, size)) {
        frame->size = 0;
        frame->is_lost = false;
    } else if (frame_ready(frame) > 0) {
        return 0;
    }
    uint32_t room = FRAME_CAPACITY - frame->size;
    uint32_t taken = size < room ? size : room;

    memcpy(frame->bytes + frame->size, piece, taken);
    frame->size += taken;
    return taken;
}

uint32_t frame_ready(struct frame *frame)
{
    for (;;) {
        if (frame->is_lost)
            find_version(frame);
        if (frame->is_lost || frame->size < 4)
            return 0;
        uint32_t size = size_at(frame->bytes);
        if (size >= L_HEADER && size <= frame->limit)
            return size <= frame->size ? size : 0;
        frame->is_lost = true;
        drop_front(frame, 1); // else the same bytes would be found again
    }
}

void frame_drop(struct frame *frame)
{
    drop_front(frame, frame_ready(frame));
}
