// SPDX-License-Identifier: Apache-2.0
//
// base.h: the small words of the kernel: pages, checked arithmetic, half-open ranges, assertion.
//
// Every sum or product of numbers that come from outside goes through the checked helpers; every
// comparison of ranges goes through range_contains and range_overlaps. KERNEL_ASSERT states what
// the code itself guarantees: nothing that a driver, a package, a device or the firmware sends may
// reach one.
#ifndef KERNEL_BASE_H
#define KERNEL_BASE_H

#include <rumpk/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE UINT64_C(4096)
#define PAGE_MASK (PAGE_SIZE - 1)
#define UNIT_SIZE UINT64_C(0x200000) // what one lowest-level table maps: the grain of the two zones

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

// False when the exact result does not fit: then *out is not to be used.
[[nodiscard]] static inline bool checked_add(uint64_t left, uint64_t right, uint64_t *out)
{
    return !__builtin_add_overflow(left, right, out);
}

[[nodiscard]] static inline bool checked_mul(uint64_t left, uint64_t right, uint64_t *out)
{
    return !__builtin_mul_overflow(left, right, out);
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

// Rounds up; false when that would overflow.
[[nodiscard]] static inline bool align_up(uint64_t value, uint64_t alignment, uint64_t *out)
{
    uint64_t sum;

    if (!checked_add(value, alignment - 1, &sum))
        return false;
    *out = align_down(sum, alignment);
    return true;
}

// For numbers that the kernel made itself and that are far from overflow.
static inline uint64_t page_up(uint64_t value)
{
    return (value + PAGE_MASK) & ~PAGE_MASK;
}

// Does [base, base + size) lie inside [outer, outer + outer_size)? An empty range lies nowhere.
[[nodiscard]] static inline bool range_contains(uint64_t outer, uint64_t outer_size, uint64_t base,
                                                uint64_t size)
{
    return size != 0 && base >= outer && size <= outer_size && base - outer <= outer_size - size;
}

// Both ranges must not wrap; an empty range overlaps nothing.
static inline bool range_overlaps(uint64_t left, uint64_t left_size, uint64_t right,
                                  uint64_t right_size)
{
    return left_size != 0 && right_size != 0 && left < right + right_size &&
           right < left + left_size;
}

// Ends the machine with boot cause TRAP: defined in record.c.
[[noreturn]] void kernel_assert_failed(void);

#define KERNEL_ASSERT(condition)    \
    do {                            \
        if (!(condition))           \
            kernel_assert_failed(); \
    } while (0)

// The four mem functions that the compiler may call, and nothing else of a libc.
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

// True when all `size` bytes are zero.
bool bytes_are_zero(const void *bytes, uint64_t size);
// Length of a NUL-terminated text in a field of `size` bytes; `size` when there is no NUL.
uint64_t text_length(const char *text, uint64_t size);
// Are two NUL-padded fields of at most `size` bytes the same text?
bool text_equal(const char *left, const char *right, uint64_t size);

#endif
