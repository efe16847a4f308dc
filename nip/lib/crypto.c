// SPDX-License-Identifier: Apache-2.0
//
// The only file of libnip that includes libsodium; BLAKE2b is our own (blake2b.c says why).

#include "nip/crypto.h"

#include <sodium.h>
#include <string.h>

#include "blake2b.h"

_Static_assert(sizeof(struct nip_hash) >= sizeof(struct blake2b),
               "struct nip_hash must hold the state of BLAKE2b");
_Static_assert(sizeof(struct nip_sha256) >= sizeof(crypto_hash_sha256_state),
               "struct nip_sha256 must hold libsodium's state");
_Static_assert(NIP_SECRET_KEY_BYTES == crypto_sign_ed25519_SECRETKEYBYTES &&
                   NIP_PUBLIC_KEY_BYTES == crypto_sign_ed25519_PUBLICKEYBYTES &&
                   NIP_SIGNATURE_BYTES == crypto_sign_ed25519_BYTES &&
                   NIP_SEED_BYTES == crypto_sign_ed25519_SEEDBYTES,
               "sizes of Ed25519");

// Selects the fastest code for this processor, once; safe to call from any thread.
static bool crypto_start(void)
{
    return sodium_init() >= 0;
}

// ---- hashes: libsodium documents its calls as unable to fail with these sizes ----

static struct blake2b *hash_state(struct nip_hash *hash)
{
    void *state = hash->opaque;
    return state;
}

static crypto_hash_sha256_state *sha256_state(struct nip_sha256 *hash)
{
    void *state = hash->opaque;
    return state;
}

void nip_hash_begin(struct nip_hash *hash)
{
    blake2b_begin(hash_state(hash), NIP_DIGEST_SIZE);
}

void nip_hash_update(struct nip_hash *hash, const void *data, size_t size)
{
    blake2b_update(hash_state(hash), data, size);
}

void nip_hash_end(struct nip_hash *hash, uint8_t digest[NIP_DIGEST_SIZE])
{
    blake2b_end(hash_state(hash), digest);
}

static void hash_once(const void *data, size_t size, uint8_t *digest, size_t digest_size)
{
    struct blake2b hash;
    blake2b_begin(&hash, digest_size);
    blake2b_update(&hash, data, size);
    blake2b_end(&hash, digest);
}

void nip_hash_bytes(const void *data, size_t size, uint8_t digest[NIP_DIGEST_SIZE])
{
    hash_once(data, size, digest, NIP_DIGEST_SIZE);
}

void nip_hash_prehash(const void *data, size_t size, uint8_t prehash[NIP_PREHASH_SIZE])
{
    hash_once(data, size, prehash, NIP_PREHASH_SIZE);
}

void nip_sha256_begin(struct nip_sha256 *hash)
{
    crypto_hash_sha256_init(sha256_state(hash));
}

void nip_sha256_update(struct nip_sha256 *hash, const void *data, size_t size)
{
    crypto_hash_sha256_update(sha256_state(hash), data, size);
}

void nip_sha256_end(struct nip_sha256 *hash, uint8_t digest[NIP_DIGEST_SIZE])
{
    crypto_hash_sha256_final(sha256_state(hash), digest);
}

void nip_sha256_bytes(const void *data, size_t size, uint8_t digest[NIP_DIGEST_SIZE])
{
    crypto_hash_sha256(digest, data, size);
}

// ---- signatures ----

void nip_sign_bytes(const uint8_t secret[NIP_SECRET_KEY_BYTES], const void *data, size_t size,
                    uint8_t signature[NIP_SIGNATURE_BYTES])
{
    crypto_start();
    crypto_sign_ed25519_detached(signature, NULL, data, size, secret);
}

bool nip_key_is_valid(const uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    crypto_start();
    return crypto_core_ed25519_is_valid_point(key) == 1;
}

bool nip_verify_bytes(const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data, size_t size,
                      const uint8_t signature[NIP_SIGNATURE_BYTES])
{
    // The library accepts keys of mixed order here, hence the check of its own.
    return nip_key_is_valid(key) &&
           crypto_sign_ed25519_verify_detached(signature, data, size, key) == 0;
}

void nip_sign_prehashed(const uint8_t secret[NIP_SECRET_KEY_BYTES], const void *data, size_t size,
                        uint8_t signature[NIP_SIGNATURE_BYTES])
{
    uint8_t prehash[NIP_PREHASH_SIZE];
    nip_hash_prehash(data, size, prehash);
    nip_sign_bytes(secret, prehash, sizeof prehash, signature);
}

bool nip_verify_prehashed(const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data, size_t size,
                          const uint8_t signature[NIP_SIGNATURE_BYTES])
{
    uint8_t prehash[NIP_PREHASH_SIZE];
    nip_hash_prehash(data, size, prehash);
    return nip_verify_bytes(key, prehash, sizeof prehash, signature);
}

void nip_key_from_seed(const uint8_t seed[NIP_SEED_BYTES], uint8_t secret[NIP_SECRET_KEY_BYTES],
                       uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    crypto_start();
    crypto_sign_ed25519_seed_keypair(key, secret, seed);
}

enum nip_code nip_key_make(uint8_t secret[NIP_SECRET_KEY_BYTES], uint8_t key[NIP_PUBLIC_KEY_BYTES],
                           struct nip_error *err)
{
    uint8_t seed[NIP_SEED_BYTES];
    enum nip_code code = nip_random(seed, sizeof seed, err);
    if (code != NIP_OK)
        return code;
    nip_key_from_seed(seed, secret, key);
    nip_wipe(seed, sizeof seed);
    return NIP_OK;
}

bool nip_secret_is_consistent(const uint8_t secret[NIP_SECRET_KEY_BYTES])
{
    uint8_t again[NIP_SECRET_KEY_BYTES], key[NIP_PUBLIC_KEY_BYTES];
    nip_key_from_seed(secret, again, key);
    bool is_equal = nip_equals(again, secret, sizeof again);
    nip_wipe(again, sizeof again);
    return is_equal;
}

bool nip_scrypt(uint8_t *out, size_t out_size, const char *password, size_t password_size,
                const uint8_t salt[32], uint64_t operations, uint64_t memory_bytes)
{
    if (operations < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN ||
        operations > crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MAX ||
        memory_bytes < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN ||
        memory_bytes > crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MAX)
        return false;
    return crypto_start() &&
           crypto_pwhash_scryptsalsa208sha256(out, out_size, password, password_size, salt,
                                              operations, memory_bytes) == 0;
}

// ---- bytes ----

enum nip_code nip_random(void *out, size_t size, struct nip_error *err)
{
    if (!crypto_start())
        return nip_error_set(err, NIP_ERROR_IO, "the system gives no random numbers");
    randombytes_buf(out, size);
    return NIP_OK;
}

bool nip_equals(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void nip_wipe(void *data, size_t size)
{
    sodium_memzero(data, size);
}

void nip_hex_encode(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    out[2 * size] = '\0';
}

bool nip_hex_decode(const char *text, size_t text_size, void *out, size_t size)
{
    uint8_t *bytes = out;
    if (text_size / 2 != size || text_size % 2 != 0)
        return false;
    for (size_t i = 0; i < text_size; i++) {
        char c = text[i];
        unsigned value;
        if (c >= '0' && c <= '9')
            value = (unsigned)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = (unsigned)(c - 'a') + 10;
        else
            return false;
        bytes[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : bytes[i / 2] | value);
    }
    return true;
}

void nip_digest_text(const uint8_t digest[NIP_DIGEST_SIZE], char out[NIP_DIGEST_TEXT_SIZE])
{
    nip_hex_encode(digest, NIP_DIGEST_SIZE, out);
}

void nip_base64_encode(const void *data, size_t size, struct nip_buffer *out)
{
    size_t text_size = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *start = nip_buffer_extend(out, text_size); // counts the NUL
    if (start == NULL)
        return;
    sodium_bin2base64((char *)start, text_size, data, size, sodium_base64_VARIANT_ORIGINAL);
    out->size--;
}

bool nip_base64_decode(const char *text, size_t text_size, void *out, size_t size)
{
    size_t decoded_size = 0;
    const char *end = NULL;
    if (text_size != sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL) - 1)
        return false;
    if (sodium_base642bin(out, size, text, text_size, NULL, &decoded_size, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        decoded_size != size || end != text + text_size)
        return false;
    // Unused bits in the last character can be anything for a lenient decoder: encode again.
    struct nip_buffer again = {0};
    nip_base64_encode(out, size, &again);
    bool is_equal = nip_buffer_equals(&again, text, text_size);
    nip_buffer_wipe(&again);
    return is_equal;
}
