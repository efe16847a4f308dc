// SPDX-License-Identifier: Apache-2.0
//
// string.c: the memory functions that the compiler may call, written for size; copies and clears of
// pages go by words. Compiled with -fno-builtin so that a loop is not turned into a call of itself.
#include <kernel/base.h>

#define WORD sizeof(uint64_t)

static bool all_aligned(const void *left, const void *right, size_t size)
{
    return (((uintptr_t)left | (uintptr_t)right | size) & (WORD - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    if (all_aligned(to, from, size)) {
        uint64_t *word_to = to;
        const uint64_t *word_from = from;

        for (size_t index = 0; index < size / WORD; index++)
            word_to[index] = word_from[index];
        return to;
    }

    uint8_t *byte_to = to;
    const uint8_t *byte_from = from;

    for (size_t index = 0; index < size; index++)
        byte_to[index] = byte_from[index];
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    uint8_t *byte_to = to;
    const uint8_t *byte_from = from;

    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t index = 0; index < size; index++)
            byte_to[index] = byte_from[index];
    } else {
        for (size_t index = size; index > 0; index--)
            byte_to[index - 1] = byte_from[index - 1];
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    if (value == 0 && all_aligned(to, to, size)) {
        uint64_t *word_to = to;

        size_t index = 0;

        // Pages are cleared by four words at a time: that is most of what ends a fiber.
        for (; index + 4 <= size / WORD; index += 4) {
            word_to[index] = 0;
            word_to[index + 1] = 0;
            word_to[index + 2] = 0;
            word_to[index + 3] = 0;
        }
        for (; index < size / WORD; index++)
            word_to[index] = 0;
        return to;
    }

    uint8_t *byte_to = to;

    for (size_t index = 0; index < size; index++)
        byte_to[index] = (uint8_t)value;
    return to;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *byte_left = left;
    const uint8_t *byte_right = right;
    size_t equal = 0;

    // Pages are compared by words, up to the first difference.
    if (all_aligned(left, right, 0)) {
        while (equal < size / WORD &&
               ((const uint64_t *)left)[equal] == ((const uint64_t *)right)[equal])
            equal++;
        byte_left += equal * WORD;
        byte_right += equal * WORD;
        size -= equal * WORD;
    }
    for (size_t index = 0; index < size; index++) {
        if (byte_left[index] != byte_right[index])
            return byte_left[index] < byte_right[index] ? -1 : 1;
    }
    return 0;
}
