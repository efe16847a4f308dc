// SPDX-License-Identifier: Apache-2.0
//
// The four functions of libsodium's utils.c that the verify-only subset calls. The original file
// also locks pages, allocates guarded memory and installs handlers, none of which exists in a
// kernel or a driver, so it is not built.
#include <sodium.h>
#include <stddef.h>
#include <stdint.h>

// Overwrites `size` bytes in a way that the optimiser may not leave out.
void sodium_memzero(void *const bytes, const size_t size)
{
    volatile uint8_t *volatile const cursor = (volatile uint8_t *volatile)bytes;

    for (size_t index = 0; index < size; index++)
        cursor[index] = 0;
}

// 0 if both ranges are equal, -1 otherwise; takes the same time either way.
int sodium_memcmp(const void *const left, const void *const right, size_t size)
{
    const volatile uint8_t *volatile const a = (const volatile uint8_t *volatile)left;
    const volatile uint8_t *volatile const b = (const volatile uint8_t *volatile)right;
    volatile uint8_t difference = 0;

    for (size_t index = 0; index < size; index++)
        difference |= (uint8_t)(a[index] ^ b[index]);
    return (1 & ((difference - 1) >> 8)) - 1;
}

// 1 if every byte is zero, 0 otherwise; takes the same time either way.
int sodium_is_zero(const unsigned char *bytes, const size_t size)
{
    volatile uint8_t seen = 0;

    for (size_t index = 0; index < size; index++)
        seen |= bytes[index];
    return 1 & ((seen - 1) >> 8);
}

// Reached only when a caller breaks a documented precondition (a digest size of 0 or above 64, a
// key above 64 bytes); every caller in this project passes constants.
void sodium_misuse(void)
{
    __builtin_trap();
}
