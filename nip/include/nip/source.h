// SPDX-License-Identifier: Apache-2.0
//
// The source archive of a package: source.tar, a beside file.
//
// A tar with exactly one spelling for given paths and contents: headers as in the package's own
// archive (nip/package.h), entries sorted by the bytes of their paths, two zero blocks at the end,
// not compressed. It is not in the package; `digests` lists it as a beside file and repeats its
// digest: `source tar:<64 hex>`. Whoever needs it hashes it first and then reads it here.

#ifndef NIP_SOURCE_H
#define NIP_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/digests.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_SOURCE_FILE   "source.tar"
#define NIP_SOURCE_SCHEME "tar"
enum { NIP_SOURCE_FILES_MAX = 4096, NIP_SOURCE_SIZE_MAX = 64 << 20 };

struct nip_source_file {
    char path[NIP_PATH_MAX + 1];
    const uint8_t *data;
    size_t size;
};

struct nip_source {
    struct nip_source_file *files; // sorted by path
    size_t count;
};

// Appends the archive of `files`, which are sorted here. NAME or EXISTS for a path that no archive
// may have, LIMIT above the two limits.
enum nip_code nip_source_write(struct nip_source_file *files, size_t count, struct nip_buffer *tar,
                               struct nip_error *err) NIP_MUST_CHECK;

// Checks a whole archive, then lists its files; their data points into `tar`. Free with
// nip_source_free(). Accepts exactly what nip_source_write() can make.
enum nip_code nip_source_read(const void *tar, size_t size, struct nip_source *source,
                              struct nip_error *err) NIP_MUST_CHECK;
void nip_source_free(struct nip_source *source);

// The archive that a package's list names: NULL if it has `source none` or another scheme.
// MISMATCH if the `source` line and the beside line contradict each other.
enum nip_code nip_source_listed(const struct nip_digests *digests,
                                const struct nip_digests_file **file,
                                struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
