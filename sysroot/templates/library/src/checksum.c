// SPDX-License-Identifier: Apache-2.0
#include <checksum.h>

uint16_t checksum_of(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint32_t first = 0, second = 0;

    for (size_t index = 0; index < size; index++) {
        first = (first + at[index]) % 255;
        second = (second + first) % 255;
    }
    return (uint16_t)(second << 8 | first);
}
