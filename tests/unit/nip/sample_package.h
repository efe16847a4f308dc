// SPDX-License-Identifier: Apache-2.0
//
// A small signed package in memory, and keys to check it with, for the tests that need one.

#ifndef TESTS_UNIT_NIP_SAMPLE_PACKAGE_H
#define TESTS_UNIT_NIP_SAMPLE_PACKAGE_H

#include <stdlib.h>
#include <string.h>

#include "nip/package.h"

struct sample {
    struct nip_secret_key secret;
    struct nip_public_key key;
    struct nip_buffer digests, signature, tar, npl;
};

static const struct nip_package_input sample_files[] = {
    {"LICENSES/Apache-2.0.txt", "licence\n", 8},
    {"empty", "", 0},
    {"npl.kdl", "package \"acme/x\" {\n}\n", 21},
};
enum { SAMPLE_FILE_COUNT = sizeof sample_files / sizeof sample_files[0] };

static inline void sample_require(enum nip_code code, const struct nip_error *err)
{
    if (code != NIP_OK) {
        print_error("%s\n", err->message);
        abort();
    }
}

static inline void sample_make(struct sample *sample, const char *name, const char *version)
{
    struct nip_error err = {0};
    uint8_t seed[NIP_SEED_BYTES] = {9}, public_key[NIP_PUBLIC_KEY_BYTES];
    struct nip_digests digests = {.kind = NIP_KIND_DRIVER,
                                  .security_version = 1,
                                  .archs = {[NIP_ARCH_RISCV64] = true},
                                  .toolchain = "t",
                                  .source = "none"};
    *sample = (struct sample){.secret.id = {1, 2, 3, 4, 5, 6, 7, 8}};
    nip_key_from_seed(seed, sample->secret.secret, public_key);
    nip_secret_key_public(&sample->secret, &sample->key);
    memcpy(digests.name, name, strlen(name));
    memcpy(digests.version, version, strlen(version));
    for (size_t i = 0; i < SAMPLE_FILE_COUNT; i++)
        sample_require(nip_digests_add(&digests, false, sample_files[i].path, sample_files[i].data,
                                       sample_files[i].size, &err),
                       &err);
    sample_require(nip_digests_print(&digests, &sample->digests, &err), &err);
    nip_digests_free(&digests);
    struct nip_signature signature;
    sample_require(nip_signature_make(&sample->secret, sample->digests.data, sample->digests.size,
                                      name, version, &signature, &err),
                   &err);
    nip_signature_print(&signature, &sample->signature);
    const char *signature_text = nip_buffer_text(&sample->signature);
    const char *digests_text = nip_buffer_text(&sample->digests);
    sample_require(nip_package_write_tar(signature_text, sample->signature.size, digests_text,
                                         sample->digests.size, sample_files, SAMPLE_FILE_COUNT,
                                         &sample->tar, &err),
                   &err);
    sample_require(nip_package_write(signature_text, sample->signature.size, digests_text,
                                     sample->digests.size, sample_files, SAMPLE_FILE_COUNT,
                                     &sample->npl, &err),
                   &err);
}

static inline void sample_free(struct sample *sample)
{
    nip_buffer_free(&sample->digests);
    nip_buffer_free(&sample->signature);
    nip_buffer_free(&sample->tar);
    nip_buffer_free(&sample->npl);
}

// Trusts exactly the key that `context` points at (none if NULL), for any name.
static inline enum nip_code sample_keys_for(void *context, const char *name,
                                            const struct nip_public_key **keys, size_t *key_count,
                                            struct nip_error *err)
{
    (void)name;
    (void)err;
    *keys = context;
    *key_count = context != NULL;
    return NIP_OK;
}

#endif
