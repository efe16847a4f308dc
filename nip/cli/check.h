// SPDX-License-Identifier: Apache-2.0
//
// A package that has been read and checked completely: bytes, signature, and that everything in it
// that names the package says the same.

#ifndef NIP_CLI_CHECK_H
#define NIP_CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/archive.h"
#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/lock.h"
#include "nip/manifest.h"
#include "nip/minisign.h"
#include "nip/package.h"

struct checked_package {
    struct nip_buffer npl;
    struct nip_package *package;     // loaded
    struct nip_manifest manifest;    // as npl.kdl says; equal to npl.bkdl
    uint8_t sha256[NIP_DIGEST_SIZE]; // of the .npl
    struct nip_lock_keys signers;    // the one inside; from a registry, those that counted
    uint32_t threshold;              // so many of them had to; 1 where nobody asks for more
};

// Keys for one opening, in the form that nip_package_open() wants.
struct key_list {
    const struct nip_public_key *keys;
    size_t count;
};
enum nip_code key_list_keys_for(void *context, const char *name, const struct nip_public_key **keys,
                                size_t *key_count, struct nip_error *err);

// Takes the bytes in package->npl, verifies them under one of `keys` and checks everything: form,
// digests, manifests against each other and against `digests`, drivers as the kernel does. `what`
// names the package in errors. On failure the package is freed.
enum nip_code checked_package_open(struct checked_package *package, const struct key_list *keys,
                                   const char *what, struct nip_error *err) NIP_MUST_CHECK;
void checked_package_free(struct checked_package *package);

// The part of the package that goes into a boot archive; points into the package. false when it has
// nothing for this architecture.
bool checked_package_part(const struct checked_package *package, uint32_t arch,
                          struct nip_archive_part *part);

// "namespace/name version" for messages.
const char *checked_package_name(const struct checked_package *package, char *out, size_t out_size);

#endif
