// SPDX-License-Identifier: Apache-2.0
//
// Offers one key for every name; libnip_fuzz accepts every signature under it.

#ifndef TESTS_FUZZ_NIP_ANY_KEY_H
#define TESTS_FUZZ_NIP_ANY_KEY_H

#include "nip/package.h"

static enum nip_code any_key(void *context, const char *name, const struct nip_public_key **keys,
                             size_t *key_count, struct nip_error *err)
{
    static const struct nip_public_key key = {{0}, {0}};
    (void)context;
    (void)name;
    (void)err;
    *keys = &key;
    *key_count = 1;
    return NIP_OK;
}

#endif
