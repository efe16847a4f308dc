// SPDX-License-Identifier: Apache-2.0
//
// The user's cache of packages: what has been fetched once is not fetched again.
//
//   XDG_CACHE_HOME/nip/npl/<sha256 of the .npl>
//
// (NIP_CACHE or the user's settings may name another folder than XDG_CACHE_HOME/nip.)
//
// A file is named by its content and made under that name in one step, so any number of nips may
// read and add at once without a lock, and removing the folder at any time costs only time. Nothing
// here is trusted: the digest is computed again at each reading, and the package is then verified
// as if it came from a registry. Without HOME and XDG_CACHE_HOME there is no cache, which is no
// error.

#ifndef NIP_CLI_STORE_H
#define NIP_CLI_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"

// Where it is; false: there is none. `out` has CLI_PATH_SIZE bytes.
bool store_folder(char *out);

// Whether the store has the bytes of this digest and size; then they are in `npl`. What is there
// and damaged is removed.
bool store_get(const uint8_t sha256[NIP_DIGEST_SIZE], uint64_t size, struct nip_buffer *npl);
// Keeps a copy. That it cannot be kept (no space, no folder) is no error.
void store_put(const uint8_t sha256[NIP_DIGEST_SIZE], const struct nip_buffer *npl);

// Further signatures over a package, as they were attached to it in its registry: one file behind
// the other, in XDG_CACHE_HOME/nip/signatures/<sha256 of the .npl>. false: none are kept.
bool store_get_signatures(const uint8_t sha256[NIP_DIGEST_SIZE], struct nip_buffer *texts);
void store_put_signatures(const uint8_t sha256[NIP_DIGEST_SIZE], const struct nip_buffer *texts);

// ---- debug files of what was packed ----

enum { STORE_DEBUG_MAX = 256 }; // the oldest beyond that go

// Where they are, for debuggers too (its folder .build-id); false: there is no cache.
bool store_debug_folder(char *out);
// Keeps the debug file under its build id. That it cannot be kept is no error.
void store_put_debug(const void *data, size_t size);

// ---- looking after it (nip cache) ----

struct store_entry {
    uint8_t sha256[NIP_DIGEST_SIZE]; // its name: what the package must have
    uint64_t size;                   // of the package; 0: only signatures are there
    uint64_t signatures_size;        // of the file with further signatures; 0: none
    int64_t used;                    // when it was last read or added, seconds since 1970
};
struct store_list {
    struct store_entry *items; // sorted by digest
    size_t count;
    size_t foreign; // names that are not nip's: never touched
};
// What is there at this moment; other nips may add and remove. MISSING when there is no folder for
// a cache at all; a folder that is not there yet is an empty list.
enum nip_code store_read_list(struct store_list *list, struct nip_error *err) NIP_MUST_CHECK;
void store_list_free(struct store_list *list);

enum store_state { STORE_WHOLE, STORE_DAMAGED, STORE_GONE };
// Reads the whole file and compares its digest with its name. GONE: somebody removed it meanwhile.
enum nip_code store_verify(const struct store_entry *entry, enum store_state *result,
                           struct nip_error *err) NIP_MUST_CHECK;
// Removes the package and its signatures; that they are gone already is no error.
enum nip_code store_remove(const struct store_entry *entry, struct nip_error *err) NIP_MUST_CHECK;
// The path of the package; false: there is no cache.
bool store_path(const struct store_entry *entry, char *out);

#endif
