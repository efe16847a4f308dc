// SPDX-License-Identifier: Apache-2.0
//
// text.c: helpers for fixed-size fields of foreign documents. Apart from string.c because the
// host's tests bring their own mem functions.
#include <kernel/base.h>

bool bytes_are_zero(const void *bytes, uint64_t size)
{
    const uint8_t *cursor = bytes;
    uint8_t seen = 0;

    for (uint64_t index = 0; index < size; index++)
        seen |= cursor[index];
    return seen == 0;
}

uint64_t text_length(const char *text, uint64_t size)
{
    uint64_t length = 0;

    while (length < size && text[length] != '\0')
        length++;
    return length;
}

bool text_equal(const char *left, const char *right, uint64_t size)
{
    for (uint64_t index = 0; index < size; index++) {
        if (left[index] != right[index])
            return false;
        if (left[index] == '\0')
            return true;
    }
    return true;
}
