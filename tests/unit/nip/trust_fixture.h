// SPDX-License-Identifier: Apache-2.0
//
// Keys that are the same in every run, and trust files made of them, for tests of trust.

#ifndef TRUST_FIXTURE_H
#define TRUST_FIXTURE_H

#include <string.h>

#include "nip/trust.h"

static inline struct nip_secret_key secret_of(uint8_t number)
{
    uint8_t seed[NIP_SEED_BYTES] = {number}, key[NIP_PUBLIC_KEY_BYTES];
    struct nip_secret_key secret = {.id = {number}};
    nip_key_from_seed(seed, secret.secret, key);
    return secret;
}

static inline struct nip_public_key key_of(uint8_t number)
{
    struct nip_secret_key secret = secret_of(number);
    struct nip_public_key key;
    nip_secret_key_public(&secret, &key);
    return key;
}

// The 56 characters of a key; four at a time.
static inline const char *text_of(uint8_t number)
{
    static char texts[8][NIP_KEY_TEXT_SIZE];
    static unsigned next;
    struct nip_public_key key = key_of(number);
    char *out = texts[next++ % 8];
    nip_public_key_text(&key, out);
    return out;
}

#endif
