// SPDX-License-Identifier: Apache-2.0
//
// Known answers for the libsodium subset that the kernel links: run on the host against the x86_64
// build of the very library, which needs no operating system. RFC 8032 section 7.1 (TEST 3 and its
// forgeries), FIPS 180-4 (SHA-512 of "abc"), RFC 7693 appendix A cut to 256 bits, the SipHash
// paper's appendix A, and the point of CVE-2025-69277.
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int failures;

static void expect(int holds, const char *what)
{
    if (!holds) {
        printf("wrong: %s\n", what);
        failures++;
    }
}

static void from_hex(const char *hex, uint8_t *bytes)
{
    for (size_t index = 0; hex[2 * index] != '\0'; index++) {
        unsigned value = 0;

        sscanf(hex + 2 * index, "%2x", &value);
        bytes[index] = (uint8_t)value;
    }
}

static void check_hash(const uint8_t *bytes, const char *hex, const char *what)
{
    uint8_t wanted[64];

    from_hex(hex, wanted);
    expect(memcmp(bytes, wanted, strlen(hex) / 2) == 0, what);
}

static void check_ed25519(void)
{
    static const uint8_t message[] = {0xaf, 0x82};
    uint8_t key[32];
    uint8_t signature[64];
    uint8_t forged[64];

    from_hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", key);
    from_hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
             "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
             signature);
    expect(crypto_sign_verify_detached(signature, message, 2, key) == 0,
           "RFC 8032 TEST 3 accepted");
    expect(crypto_sign_verify_detached(signature, message, 1, key) != 0, "shorter message refused");
    for (size_t bit = 0; bit < 512; bit++) {
        memcpy(forged, signature, sizeof(forged));
        forged[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        expect(crypto_sign_verify_detached(forged, message, 2, key) != 0, "flipped bit refused");
    }
    // S + L is the same scalar: accepting it would make signatures malleable.
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;

    memcpy(forged, signature, sizeof(forged));
    for (size_t index = 0; index < 32; index++) {
        carry += (unsigned)forged[32 + index] + order[index];
        forged[32 + index] = (uint8_t)carry;
        carry >>= 8;
    }
    expect(crypto_sign_verify_detached(forged, message, 2, key) != 0, "S + L refused");
    expect(crypto_core_ed25519_is_valid_point(key) == 1, "public key is a valid point");
    memset(key, 0, sizeof(key));
    expect(crypto_core_ed25519_is_valid_point(key) == 0, "small-order point refused");
    expect(crypto_sign_verify_detached(signature, message, 2, key) != 0, "small-order key refused");
    memset(key, 0x99, sizeof(key));
    key[0] = 0x95;
    expect(crypto_core_ed25519_is_valid_point(key) == 0, "CVE-2025-69277 point refused");
}

int main(void)
{
    uint8_t hash[64];
    uint8_t key[16];
    uint8_t input[15];

    check_ed25519();
    crypto_hash_sha512(hash, (const uint8_t *)"abc", 3);
    check_hash(hash,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
               "SHA-512 of abc");
    crypto_generichash(hash, 64, (const uint8_t *)"abc", 3, NULL, 0);
    check_hash(hash,
               "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
               "BLAKE2b-512 of abc");
    crypto_generichash(hash, 32, (const uint8_t *)"abc", 3, NULL, 0);
    check_hash(hash, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
               "BLAKE2b-256 of abc");
    for (uint8_t index = 0; index < 16; index++)
        key[index] = index;
    for (uint8_t index = 0; index < 15; index++)
        input[index] = index;
    crypto_shorthash(hash, input, sizeof(input), key);
    check_hash(hash, "e545be4961ca29a1", "SipHash-2-4 of the paper");
    return failures != 0;
}
