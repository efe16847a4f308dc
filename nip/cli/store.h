// SPDX-License-Identifier: Apache-2.0
//
// The user's cache of packages: what has been fetched once is not fetched again.
//
//   XDG_CACHE_HOME/nip/npl/<sha256 of the .npl>
//
// A file is named by its content and made under that name in one step, so any number of nips may
// read and add at once without a lock, and removing the folder at any time costs only time. Nothing
// here is trusted: the digest is computed again at each reading, and the package is then verified
// as if it came from a registry. Without HOME and XDG_CACHE_HOME there is no cache, which is no
// error.

#ifndef NIP_CLI_STORE_H
#define NIP_CLI_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"

// XDG_CACHE_HOME/nip or ~/.cache/nip; false: there is none. `out` has CLI_PATH_SIZE bytes.
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

#endif
