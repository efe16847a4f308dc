// SPDX-License-Identifier: Apache-2.0
//
// The list of withdrawn versions of one package in a registry folder.
//
//   rumpk-yanked 1
//   1.2.0 loses requests when the ring is full
//   1.2.1
//
// Lowest version first, each once; an optional reason after one space, at most 200 bytes of UTF-8
// without control characters. A yank is a hint, as everything that a registry says: it keeps a
// version from being newly selected and never makes one acceptable.

#ifndef NIP_YANKED_H
#define NIP_YANKED_H

#include <stddef.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_YANKED_MAX = 4096,
    NIP_YANKED_REASON_SIZE = 201,
    NIP_YANKED_SIZE_MAX = NIP_YANKED_MAX * (NIP_VERSION_MAX + NIP_YANKED_REASON_SIZE + 2),
};

struct nip_yanked_entry {
    char version[NIP_VERSION_MAX + 1];
    char reason[NIP_YANKED_REASON_SIZE]; // "" if none was given
};
struct nip_yanked {
    struct nip_yanked_entry *entries;
    size_t count;
};

// `file` is what errors call it. On failure there is nothing to free.
enum nip_code nip_yanked_parse(const char *text, size_t size, const char *file,
                               struct nip_yanked *yanked, struct nip_error *err) NIP_MUST_CHECK;
void nip_yanked_print(const struct nip_yanked *yanked, struct nip_buffer *out);
void nip_yanked_free(struct nip_yanked *yanked);

const struct nip_yanked_entry *nip_yanked_find(const struct nip_yanked *yanked,
                                               const char *version);
// Adds in order, or replaces the reason. SCHEMA for a reason that the file cannot hold.
enum nip_code nip_yanked_put(struct nip_yanked *yanked, const char *version, const char *reason,
                             struct nip_error *err) NIP_MUST_CHECK;
void nip_yanked_remove(struct nip_yanked *yanked, const char *version);

#ifdef __cplusplus
}
#endif

#endif
