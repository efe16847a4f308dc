// SPDX-License-Identifier: Apache-2.0
//
// BLAKE2b, RFC 7693, in plain C: sixteen words in registers and sixteen in memory.
//
//   chain 0..7 ─┐                       12 rounds of 8 mixings, each over one column
//   IV    0..7 ─┴─> v0 .. v15 (4 x 4) ──or diagonal, with two message words ──> chain ^= v ^ v+8
//
// Why not libsodium's, which nip links anyway: every byte of a package goes through this function,
// and the vector code of libsodium, libgcrypt and libb2 waits for one instruction after the other
// within one message. Where vector instructions are the slower ones this file needs half the time;
// `script/bench package` shows it beside libsodium's. The unit tests compare it with libsodium for
// every length up to several blocks and every way to cut a message.

#include "blake2b.h"

#include <endian.h>
#include <string.h>

enum { WORD_SIZE = 8 };

// RFC 7693, section 2.6.
static const uint64_t iv[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static inline uint64_t word(const uint8_t *block, size_t index)
{
    uint64_t value;
    memcpy(&value, block + WORD_SIZE * index, sizeof value);
    return le64toh(value);
}

static inline uint64_t rotate_right(uint64_t value, unsigned count)
{
    return value >> count | value << (64 - count);
}

// Section 3.1: mixes message words `x` and `y` into four of the sixteen.
#define MIX(a, b, c, d, x, y)              \
    do {                                   \
        (a) += (b) + word(block, x);       \
        (d) = rotate_right((d) ^ (a), 32); \
        (c) += (d);                        \
        (b) = rotate_right((b) ^ (c), 24); \
        (a) += (b) + word(block, y);       \
        (d) = rotate_right((d) ^ (a), 16); \
        (c) += (d);                        \
        (b) = rotate_right((b) ^ (c), 63); \
    } while (0)

// One round: the columns, then the diagonals. The arguments are a line of the table SIGMA of
// section 2.7; written out, because each word must be found without a look-up at run time.
#define ROUND(m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15) \
    do {                                                                            \
        MIX(v0, v4, v8, v12, m0, m1);                                               \
        MIX(v1, v5, v9, v13, m2, m3);                                               \
        MIX(v2, v6, v10, v14, m4, m5);                                              \
        MIX(v3, v7, v11, v15, m6, m7);                                              \
        MIX(v0, v5, v10, v15, m8, m9);                                              \
        MIX(v1, v6, v11, v12, m10, m11);                                            \
        MIX(v2, v7, v8, v13, m12, m13);                                             \
        MIX(v3, v4, v9, v14, m14, m15);                                             \
    } while (0)

// Section 3.2. `last` is 0, or all ones for the last block. The upper half of the byte counter is
// always 0: no message has 2^64 bytes.
static void compress(struct blake2b *hash, const uint8_t *block, uint64_t last)
{
    uint64_t *h = hash->chain;
    uint64_t v0 = h[0], v1 = h[1], v2 = h[2], v3 = h[3];
    uint64_t v4 = h[4], v5 = h[5], v6 = h[6], v7 = h[7];
    uint64_t v8 = iv[0], v9 = iv[1], v10 = iv[2], v11 = iv[3];
    uint64_t v12 = iv[4] ^ hash->count, v13 = iv[5], v14 = iv[6] ^ last, v15 = iv[7];
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    h[0] ^= v0 ^ v8;
    h[1] ^= v1 ^ v9;
    h[2] ^= v2 ^ v10;
    h[3] ^= v3 ^ v11;
    h[4] ^= v4 ^ v12;
    h[5] ^= v5 ^ v13;
    h[6] ^= v6 ^ v14;
    h[7] ^= v7 ^ v15;
}

void blake2b_begin(struct blake2b *hash, size_t digest_size)
{
    *hash = (struct blake2b){.digest_size = digest_size};
    memcpy(hash->chain, iv, sizeof hash->chain);
    // Section 2.5: fan-out and depth 1, no key, the size of the digest.
    hash->chain[0] ^= UINT64_C(0x01010000) | digest_size;
}

void blake2b_update(struct blake2b *hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    // A full block waits for the next byte: the last one is compressed in its own way.
    while (size != 0) {
        if (hash->block_used == 0 && size > BLAKE2B_BLOCK_SIZE) {
            hash->count += BLAKE2B_BLOCK_SIZE;
            compress(hash, bytes, 0);
            bytes += BLAKE2B_BLOCK_SIZE;
            size -= BLAKE2B_BLOCK_SIZE;
            continue;
        }
        if (hash->block_used == BLAKE2B_BLOCK_SIZE) {
            hash->count += BLAKE2B_BLOCK_SIZE;
            compress(hash, hash->block, 0);
            hash->block_used = 0;
            continue;
        }
        size_t room = BLAKE2B_BLOCK_SIZE - hash->block_used, taken = size < room ? size : room;
        memcpy(hash->block + hash->block_used, bytes, taken);
        hash->block_used += taken;
        bytes += taken;
        size -= taken;
    }
}

void blake2b_end(struct blake2b *hash, uint8_t *digest)
{
    uint64_t words[8];
    memset(hash->block + hash->block_used, 0, BLAKE2B_BLOCK_SIZE - hash->block_used);
    hash->count += hash->block_used;
    compress(hash, hash->block, UINT64_MAX);
    for (unsigned i = 0; i < 8; i++)
        words[i] = htole64(hash->chain[i]);
    memcpy(digest, words, hash->digest_size);
}
