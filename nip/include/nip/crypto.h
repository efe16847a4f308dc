// SPDX-License-Identifier: Apache-2.0
//
// Hashes, signatures, randomness, text forms of bytes; the only door to libsodium.
//
// What the formats say "digest" to is unkeyed BLAKE2b-256 (`b2sum -l 256`); SHA-256 exists for OCI
// only. Signatures are Ed25519 over the BLAKE2b-512 of the message, minisign's "ED".

#ifndef NIP_CRYPTO_H
#define NIP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_DIGEST_SIZE = 32,      // BLAKE2b-256, and SHA-256
    NIP_DIGEST_TEXT_SIZE = 65, // 64 lower-case hexadecimal digits and NUL
    NIP_PREHASH_SIZE = 64,     // BLAKE2b-512
    NIP_PUBLIC_KEY_BYTES = 32,
    NIP_SECRET_KEY_BYTES = 64, // seed, then public key
    NIP_SIGNATURE_BYTES = 64,
    NIP_SEED_BYTES = 32,
};

// Streaming state. May be copied and dropped at any time; owns no memory.
struct nip_hash {
    uint8_t opaque[256] __attribute__((aligned(16)));
};
struct nip_sha256 {
    uint8_t opaque[128] __attribute__((aligned(16)));
};

void nip_hash_begin(struct nip_hash *hash);
void nip_hash_update(struct nip_hash *hash, const void *data, size_t size);
void nip_hash_end(struct nip_hash *hash, uint8_t digest[NIP_DIGEST_SIZE]);
void nip_hash_bytes(const void *data, size_t size, uint8_t digest[NIP_DIGEST_SIZE]);
void nip_hash_prehash(const void *data, size_t size, uint8_t prehash[NIP_PREHASH_SIZE]);

void nip_sha256_begin(struct nip_sha256 *hash);
void nip_sha256_update(struct nip_sha256 *hash, const void *data, size_t size);
void nip_sha256_end(struct nip_sha256 *hash, uint8_t digest[NIP_DIGEST_SIZE]);
void nip_sha256_bytes(const void *data, size_t size, uint8_t digest[NIP_DIGEST_SIZE]);

// Deterministic Ed25519 of exactly these bytes.
void nip_sign_bytes(const uint8_t secret[NIP_SECRET_KEY_BYTES], const void *data, size_t size,
                    uint8_t signature[NIP_SIGNATURE_BYTES]);
// Refuses malleable signatures, small-order, mixed-order and non-canonical keys.
bool nip_verify_bytes(const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data, size_t size,
                      const uint8_t signature[NIP_SIGNATURE_BYTES]) NIP_MUST_CHECK;
// The same over the BLAKE2b-512 of the bytes: what the kernel and minisign "ED" check.
void nip_sign_prehashed(const uint8_t secret[NIP_SECRET_KEY_BYTES], const void *data, size_t size,
                        uint8_t signature[NIP_SIGNATURE_BYTES]);
bool nip_verify_prehashed(const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data, size_t size,
                          const uint8_t signature[NIP_SIGNATURE_BYTES]) NIP_MUST_CHECK;

// Whether these bytes are the canonical encoding of a point of the prime-order group.
bool nip_key_is_valid(const uint8_t key[NIP_PUBLIC_KEY_BYTES]) NIP_MUST_CHECK;
enum nip_code nip_key_make(uint8_t secret[NIP_SECRET_KEY_BYTES], uint8_t key[NIP_PUBLIC_KEY_BYTES],
                           struct nip_error *err) NIP_MUST_CHECK;
void nip_key_from_seed(const uint8_t seed[NIP_SEED_BYTES], uint8_t secret[NIP_SECRET_KEY_BYTES],
                       uint8_t key[NIP_PUBLIC_KEY_BYTES]);
// Whether the public half stored in `secret` belongs to its seed (else signing would leak the
// seed).
bool nip_secret_is_consistent(const uint8_t secret[NIP_SECRET_KEY_BYTES]) NIP_MUST_CHECK;

// scrypt as minisign uses it. false: not enough memory, or limits out of range.
bool nip_scrypt(uint8_t *out, size_t out_size, const char *password, size_t password_size,
                const uint8_t salt[32], uint64_t operations, uint64_t memory_bytes) NIP_MUST_CHECK;

enum nip_code nip_random(void *out, size_t size, struct nip_error *err) NIP_MUST_CHECK;
bool nip_equals(const void *a, const void *b, size_t size) NIP_MUST_CHECK; // in constant time
void nip_wipe(void *data, size_t size);

// 2 * size lower-case digits and NUL.
void nip_hex_encode(const void *data, size_t size, char *out);
// Exactly 2 * size lower-case digits, nothing else.
bool nip_hex_decode(const char *text, size_t text_size, void *out, size_t size) NIP_MUST_CHECK;
void nip_digest_text(const uint8_t digest[NIP_DIGEST_SIZE], char out[NIP_DIGEST_TEXT_SIZE]);

// Standard alphabet with padding.
void nip_base64_encode(const void *data, size_t size, struct nip_buffer *out);
// Strict: the text must decode to exactly `size` bytes and be what encoding them gives.
bool nip_base64_decode(const char *text, size_t text_size, void *out, size_t size) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
