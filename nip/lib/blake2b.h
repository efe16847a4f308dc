// SPDX-License-Identifier: Apache-2.0
//
// BLAKE2b without a key: what nip/crypto.h calls hash and prehash. Private to crypto.c.

#ifndef NIP_LIB_BLAKE2B_H
#define NIP_LIB_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE2B_BLOCK_SIZE = 128, BLAKE2B_DIGEST_SIZE_MAX = 64 };

// Owns no memory; may be copied and dropped at any time.
struct blake2b {
    uint64_t chain[8];
    uint64_t count; // bytes that are in `chain`
    size_t digest_size, block_used;
    uint8_t block[BLAKE2B_BLOCK_SIZE];
};

// `digest_size`: 1 to BLAKE2B_DIGEST_SIZE_MAX; digests of different sizes are unrelated.
void blake2b_begin(struct blake2b *hash, size_t digest_size);
// `data` may be NULL if `size` is 0.
void blake2b_update(struct blake2b *hash, const void *data, size_t size);
// Writes digest_size bytes; afterwards only blake2b_begin() may be called.
void blake2b_end(struct blake2b *hash, uint8_t *digest);

#endif
