// SPDX-License-Identifier: Apache-2.0
//
// crypto.h: hashing and signature checks. Its source file is the one door to libsodium.
#ifndef KERNEL_CRYPTO_H
#define KERNEL_CRYPTO_H

#include <kernel/base.h>

// A hash that is fed piece by piece.
struct crypto_hash {
    _Alignas(64) uint8_t state[384];
};

void crypto_hash_begin(struct crypto_hash *hash);
void crypto_hash_add(struct crypto_hash *hash, const void *bytes, uint64_t size);
void crypto_hash_end(struct crypto_hash *hash, uint8_t digest[RUMPK_DIGEST_SIZE]);

// Unkeyed BLAKE2b-256.
void crypto_digest(const void *bytes, uint64_t size, uint8_t digest[RUMPK_DIGEST_SIZE]);
// Is the BLAKE2b-256 of `bytes` this one?
[[nodiscard]] bool crypto_digest_fits(const void *bytes, uint64_t size,
                                      const uint8_t digest[RUMPK_DIGEST_SIZE]);
// Ed25519 over BLAKE2b-512 of `bytes` (minisign "ED"). A key of small order or not canonical never
// fits.
[[nodiscard]] bool crypto_signature_fits(const void *bytes, uint64_t size,
                                         const uint8_t key[RUMPK_KEY_SIZE],
                                         const uint8_t signature[RUMPK_SIGNATURE_SIZE]);

#endif
