// SPDX-License-Identifier: Apache-2.0
//
// nip.lock: which bytes exactly an image project was built from, for every architecture at once.
//
//   lock 0
//   sdk "rumpk-0.1.0-1f2e..."
//   package "local/hello" version="0.1.0" {
//       registry "reg"
//       id "<64 hex>"               package id
//       size 12345                  of the .npl
//       sha256 "<64 hex>"           of the .npl
//       key "RWQ..."                publisher key that met the threshold; with a threshold above
//       key "RWR..."                one, each of them: by their bytes in ascending order
//       security-floor 1
//       capabilities "<64 hex>"     what it asked for when it was accepted
//   }
//   package "local/draft" version="0.1.0" {
//       path "../draft"             local work: built each time, not pinned
//   }
//
// Sorted by name and version, one statement per line, no dates, no addresses: it merges, and it is
// the same on every computer. Printing what was parsed gives the same bytes.

#ifndef NIP_LOCK_H
#define NIP_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"
#include "nip/imagedef.h"
#include "nip/minisign.h"
#include "nip/name.h"
#include "nip/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_LOCK_FILE "nip.lock"

enum {
    NIP_LOCK_PACKAGES_MAX = RUMPK_PACKAGES_MAX + 1, // those of the image, and the kernel
    NIP_LOCK_KEYS_MAX = NIP_TRUST_KEYS_MAX,         // of one package
    NIP_LOCK_SDK_SIZE = 129,
    NIP_LOCK_SIZE_MAX = 262144,
};

// Different keys, in ascending order of their bytes.
struct nip_lock_keys {
    size_t count;
    struct nip_public_key items[NIP_LOCK_KEYS_MAX];
};

struct nip_lock_package {
    char name[NIP_NAME_MAX + 1];
    char version[NIP_VERSION_MAX + 1];
    char registry[NIP_IMAGEDEF_ALIAS_SIZE]; // "" for local work
    char path[NIP_IMAGEDEF_PATH_SIZE];      // "" unless local work; then the rest is zero
    uint8_t id[NIP_DIGEST_SIZE];
    uint64_t size;
    uint8_t sha256[NIP_DIGEST_SIZE];
    struct nip_lock_keys keys; // those that met the threshold; at least one
    uint32_t security_floor;
    uint8_t capabilities[NIP_DIGEST_SIZE];
};

// About 100 KiB; allocate it.
struct nip_lock {
    char sdk[NIP_LOCK_SDK_SIZE];
    size_t package_count;
    struct nip_lock_package packages[NIP_LOCK_PACKAGES_MAX];
};

// Puts a key in its place. false when there is no room; a key that is there already changes
// nothing.
bool nip_lock_keys_add(struct nip_lock_keys *keys, const struct nip_public_key *key);
bool nip_lock_keys_has(const struct nip_lock_keys *keys, const struct nip_public_key *key);
// Whether every key of `some` is one of `all`.
bool nip_lock_keys_include(const struct nip_lock_keys *all, const struct nip_lock_keys *some);

enum nip_code nip_lock_parse(const char *text, size_t size, const char *file, struct nip_lock *lock,
                             struct nip_error *err) NIP_MUST_CHECK;
void nip_lock_print(const struct nip_lock *lock, struct nip_buffer *out);

// The entry of a name and version, or NULL. `version` NULL: any of that name.
struct nip_lock_package *nip_lock_find(struct nip_lock *lock, const char *name,
                                       const char *version);
// Puts an entry in its place, replacing one of the same name and version. LIMIT when it is full.
enum nip_code nip_lock_put(struct nip_lock *lock, const struct nip_lock_package *package,
                           struct nip_error *err) NIP_MUST_CHECK;
void nip_lock_remove(struct nip_lock *lock, const char *name, const char *version);

#ifdef __cplusplus
}
#endif

#endif
