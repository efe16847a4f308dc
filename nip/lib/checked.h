// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic on numbers that came from outside.
//
// Every sum, product and range of such numbers goes through these helpers. Each returns false when
// the true result does not fit, and then leaves *result alone.

#ifndef NIP_LIB_CHECKED_H
#define NIP_LIB_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NIP_CHECKED_MUST __attribute__((warn_unused_result))

NIP_CHECKED_MUST static inline bool nip_size_add(size_t a, size_t b, size_t *result)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

NIP_CHECKED_MUST static inline bool nip_size_multiply(size_t a, size_t b, size_t *result)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *result = product;
    return true;
}

NIP_CHECKED_MUST static inline bool nip_u64_add(uint64_t a, uint64_t b, uint64_t *result)
{
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

NIP_CHECKED_MUST static inline bool nip_u64_multiply(uint64_t a, uint64_t b, uint64_t *result)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *result = product;
    return true;
}

// Rounds up to a multiple of `unit`, which must be a power of two.
NIP_CHECKED_MUST static inline bool nip_u64_round_up(uint64_t value, uint64_t unit,
                                                     uint64_t *result)
{
    uint64_t sum;
    if (__builtin_add_overflow(value, unit - 1, &sum))
        return false;
    *result = sum & ~(unit - 1);
    return true;
}

// Whether the half-open range [offset, offset + size) lies within [0, total). Never forms the sum.
NIP_CHECKED_MUST static inline bool nip_range_is_within(uint64_t offset, uint64_t size,
                                                        uint64_t total)
{
    return offset <= total && size <= total - offset;
}

#endif
