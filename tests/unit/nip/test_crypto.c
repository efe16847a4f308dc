// SPDX-License-Identifier: Apache-2.0
//
// Goal: hashes and signatures are the standard ones; weak keys and lenient encodings are refused.
// Method: published vectors; every malleated form of one good signature, key and base64 text; our
// BLAKE2b beside libsodium's for every length of some blocks and every way to cut a message.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "nip/crypto.h"

static void check_digest(const uint8_t digest[NIP_DIGEST_SIZE], const char *expected)
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(digest, text);
    assert_string_equal(text, expected);
}

static void hashes_match_vectors(void **state)
{
    (void)state;
    uint8_t digest[NIP_DIGEST_SIZE], prehash[NIP_PREHASH_SIZE];
    char text[2 * NIP_PREHASH_SIZE + 1];
    nip_hash_bytes("", 0, digest);
    check_digest(digest, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    nip_sha256_bytes("abc", 3, digest);
    check_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    nip_hash_prehash("abc", 3, prehash);
    nip_hex_encode(prehash, sizeof prehash, text);
    assert_string_equal(text, "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                              "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
    // Streaming gives the same, however the bytes are cut.
    uint8_t data[1000], streamed[NIP_DIGEST_SIZE];
    memset(data, 7, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut += 37) {
        struct nip_hash hash;
        struct nip_sha256 sha;
        nip_hash_begin(&hash);
        nip_hash_update(&hash, data, cut);
        nip_hash_update(&hash, data + cut, sizeof data - cut);
        nip_hash_end(&hash, streamed);
        nip_hash_bytes(data, sizeof data, digest);
        assert_memory_equal(streamed, digest, sizeof digest);
        nip_sha256_begin(&sha);
        nip_sha256_update(&sha, data, cut);
        nip_sha256_update(&sha, data + cut, sizeof data - cut);
        nip_sha256_end(&sha, streamed);
        nip_sha256_bytes(data, sizeof data, digest);
        assert_memory_equal(streamed, digest, sizeof digest);
    }
}

static void fill(uint8_t *data, size_t size)
{
    uint32_t value = 1;
    for (size_t i = 0; i < size; i++) {
        value = value * 1664525 + 1013904223;
        data[i] = (uint8_t)(value >> 24);
    }
}

// What libsodium says, in one piece.
static void check_against_library(const uint8_t *data, size_t size)
{
    uint8_t digest[NIP_DIGEST_SIZE], prehash[NIP_PREHASH_SIZE], expected[NIP_PREHASH_SIZE];
    nip_hash_bytes(data, size, digest);
    crypto_generichash_blake2b(expected, sizeof digest, data, size, NULL, 0);
    assert_memory_equal(digest, expected, sizeof digest);
    nip_hash_prehash(data, size, prehash);
    crypto_generichash_blake2b(expected, sizeof prehash, data, size, NULL, 0);
    assert_memory_equal(prehash, expected, sizeof prehash);
}

static void every_length_hashes_as_in_libsodium(void **state)
{
    enum { SIZE_MAX_TRIED = 1100, LARGE_SIZE = (1 << 20) + 77 };
    (void)state;
    uint8_t *data = malloc(LARGE_SIZE + 1);
    assert_non_null(data);
    fill(data, LARGE_SIZE + 1);
    // At every alignment of the first byte, too: the sizes go through all of them.
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++)
        check_against_library(data + size % 9, size);
    check_against_library(data, LARGE_SIZE);
    check_against_library(data + 1, LARGE_SIZE);
    memset(data, 0xff, LARGE_SIZE); // every addition carries
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size += 127)
        check_against_library(data, size);
    free(data);
}

// Three pieces: every end of the first two within four blocks and a bit.
static void every_cut_hashes_alike(void **state)
{
    enum { SIZE = 4 * 128 + 5 };
    (void)state;
    uint8_t data[SIZE], digest[NIP_DIGEST_SIZE], expected[NIP_DIGEST_SIZE];
    fill(data, sizeof data);
    nip_hash_bytes(data, sizeof data, expected);
    for (size_t first = 0; first <= SIZE; first++) {
        struct nip_hash start;
        nip_hash_begin(&start);
        nip_hash_update(&start, data, first);
        for (size_t second = first; second <= SIZE; second++) {
            struct nip_hash hash = start; // a copy goes on by itself
            nip_hash_update(&hash, data + first, second - first);
            nip_hash_update(&hash, NULL, 0);
            nip_hash_update(&hash, data + second, SIZE - second);
            nip_hash_end(&hash, digest);
            assert_memory_equal(digest, expected, sizeof digest);
        }
    }
}

// RFC 8032, section 7.1, test 2.
static void signature_matches_vector(void **state)
{
    (void)state;
    uint8_t seed[32], secret[64], key[32], signature[64], expected[64];
    assert_true(nip_hex_decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                               64, seed, 32));
    assert_true(nip_hex_decode("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
                               128, expected, 64));
    nip_key_from_seed(seed, secret, key);
    assert_true(nip_secret_is_consistent(secret));
    nip_sign_bytes(secret, "\x72", 1, signature);
    assert_memory_equal(signature, expected, 64);
    assert_true(nip_verify_bytes(key, "\x72", 1, signature));
    for (unsigned bit = 0; bit < 512; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nip_verify_bytes(key, "\x72", 1, signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 256; bit++) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nip_verify_bytes(key, "\x72", 1, signature));
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    // S + L: the same signature in another spelling.
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;
    for (unsigned i = 0; i < 32; i++) {
        carry += (unsigned)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_false(nip_verify_bytes(key, "\x72", 1, signature));
    secret[40] ^= 1;
    assert_false(nip_secret_is_consistent(secret));
}

static void weak_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_valid;
    } table[] = {
        {"cecc1507dc1ddd7295951c290888f095adb9044d1b73d696e6df065d683bd4fc", true},
        // The same plus a point of order 8: accepted by a plain Ed25519 verifier.
        {"992de2a337c4035c5d6aec1d8b0d75efbcd2ab37bdd794be3b3222ebe4aff751", false},
        // All points of small order.
        {"0000000000000000000000000000000000000000000000000000000000000000", false},
        {"0000000000000000000000000000000000000000000000000000000000000080", false},
        {"0100000000000000000000000000000000000000000000000000000000000000", false},
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", false},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", false},
        {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", false},
        {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", false},
        // Not canonical: p, p + 1, and all ones.
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
        // Not on the curve.
        {"0200000000000000000000000000000000000000000000000000000000000000", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t key[32];
        assert_true(nip_hex_decode(table[i].text, 64, key, 32));
        assert_int_equal(nip_key_is_valid(key), table[i].is_valid);
    }
}

static void text_forms_are_strict(void **state)
{
    (void)state;
    uint8_t out[8];
    assert_true(nip_base64_decode("AAECAw==", 8, out, 4));
    assert_memory_equal(out, "\0\1\2\3", 4);
    static const char *const bad[] = {
        "AAECAx==",  "AAECAw=",  "AAECAw", "AAECAw===", "AAEC Aw=",
        "AAECAw=\n", "AAE-Aw==", "",       "AAECA===",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(nip_base64_decode(bad[i], strlen(bad[i]), out, 4));
    struct nip_buffer text = {0};
    nip_base64_encode("\xff\xfe\xfd", 3, &text);
    assert_string_equal(nip_buffer_text(&text), "//79");
    assert_int_equal(text.size, 4);
    nip_buffer_free(&text);
    assert_true(nip_hex_decode("00ff", 4, out, 2));
    assert_false(nip_hex_decode("00FF", 4, out, 2));
    assert_false(nip_hex_decode("00f", 3, out, 2));
    assert_false(nip_hex_decode("00fg", 4, out, 2));
    assert_false(nip_hex_decode("00ff00", 6, out, 2));
    assert_true(nip_equals("ab", "ab", 2));
    assert_false(nip_equals("ab", "ac", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_vectors),
        cmocka_unit_test(every_length_hashes_as_in_libsodium),
        cmocka_unit_test(every_cut_hashes_alike),
        cmocka_unit_test(signature_matches_vector),
        cmocka_unit_test(weak_keys_are_refused),
        cmocka_unit_test(text_forms_are_strict),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
