// SPDX-License-Identifier: Apache-2.0
//
// crypto.c: the one file that includes libsodium. sodium_init is never called: nothing here draws
// random numbers or chooses between implementations.
#include <kernel/crypto.h>

#include <sodium.h>

_Static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == RUMPK_KEY_SIZE, "key size");
_Static_assert(crypto_sign_ed25519_BYTES == RUMPK_SIGNATURE_SIZE, "signature size");

_Static_assert(sizeof(struct crypto_hash) == sizeof(crypto_generichash_blake2b_state) &&
                   _Alignof(struct crypto_hash) >= _Alignof(crypto_generichash_blake2b_state),
               "room for a hash under way");

#define PREHASH_SIZE 64u

void crypto_digest(const void *bytes, uint64_t size, uint8_t digest[RUMPK_DIGEST_SIZE])
{
    crypto_generichash_blake2b(digest, RUMPK_DIGEST_SIZE, bytes, size, NULL, 0);
}

void crypto_hash_begin(struct crypto_hash *hash)
{
    crypto_generichash_blake2b_init((void *)hash, NULL, 0, RUMPK_DIGEST_SIZE);
}

void crypto_hash_add(struct crypto_hash *hash, const void *bytes, uint64_t size)
{
    crypto_generichash_blake2b_update((void *)hash, bytes, size);
}

void crypto_hash_end(struct crypto_hash *hash, uint8_t digest[RUMPK_DIGEST_SIZE])
{
    crypto_generichash_blake2b_final((void *)hash, digest, RUMPK_DIGEST_SIZE);
}

bool crypto_digest_fits(const void *bytes, uint64_t size, const uint8_t digest[RUMPK_DIGEST_SIZE])
{
    uint8_t actual[RUMPK_DIGEST_SIZE];

    crypto_digest(bytes, size, actual);
    return memcmp(actual, digest, sizeof(actual)) == 0;
}

bool crypto_signature_fits(const void *bytes, uint64_t size, const uint8_t key[RUMPK_KEY_SIZE],
                           const uint8_t signature[RUMPK_SIGNATURE_SIZE])
{
    uint8_t prehash[PREHASH_SIZE];

    crypto_generichash_blake2b(prehash, sizeof(prehash), bytes, size, NULL, 0);
    return crypto_sign_ed25519_verify_detached(signature, prehash, sizeof(prehash), key) == 0;
}
