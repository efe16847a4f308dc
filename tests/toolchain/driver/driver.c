// SPDX-License-Identifier: Apache-2.0
//
// A driver that uses a bit of everything the sysroot offers, so that the linked file has every kind
// of section: relocated constants, data, bss, floating point, 128-bit division, libc and libsodium.
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <npl/npl.h>
#include <rumpk/abi.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right)
{
    return *(const int *)left - *(const int *)right;
}

static int (*const compare_table[])(const void *, const void *) = {compare};
static int numbers[] = {3, 1, 2};
static char text[128];
static uint8_t digest[32];

int npl_main(void)
{
    char *end = NULL;
    long parsed = strtol("42 rest", &end, 0);
    unsigned __int128 wide = (unsigned __int128)parsed * (uint64_t)numbers[0];

    assert(end != NULL);
    qsort(numbers, 3, sizeof(numbers[0]), compare_table[0]);
    if (crypto_generichash(digest, sizeof(digest), (const uint8_t *)text, sizeof(text), NULL, 0) !=
        0)
        return 1;
    snprintf(text, sizeof(text), "%" PRIu64 " %s %d", (uint64_t)(wide / (unsigned)numbers[1]), end,
             toupper('a') + errno);
    return (int)strlen(text) + (int)(0.5 * (double)parsed) +
           (int)stdc_count_ones((unsigned)digest[0]);
}
