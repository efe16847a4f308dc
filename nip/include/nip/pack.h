// SPDX-License-Identifier: Apache-2.0
//
// Collecting the files of a package: from a manifest and contents to `digests` and `.npl`.
//
// The collection adds what is derived from the rest by itself: npl.bkdl from the manifest, and the
// bill of materials sbom.spdx.json from everything. Equal contents give equal bytes, in whatever
// order they were added.

#ifndef NIP_PACK_H
#define NIP_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/digests.h"
#include "nip/error.h"
#include "nip/manifest.h"
#include "nip/minisign.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_PACK_SBOM_PATH         "sbom.spdx.json"
#define NIP_PACK_TOOLCHAIN_LICENSE "Apache-2.0 WITH LLVM-exception"

enum { NIP_PACK_FILES_MAX = 512, NIP_PACK_COMPONENTS_MAX = 80 };

struct nip_pack_file {
    char path[NIP_PATH_MAX + 1];
    bool is_beside;
    uint8_t *data;
    size_t size;
};

// Something that was linked into the drivers: named in the bill of materials.
struct nip_pack_component {
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    char license[NIP_MANIFEST_TEXT_SIZE]; // an SPDX expression
    // Over what was linked, of all architectures: BLAKE2b-256; or of the archive that its source
    // came in: SHA-256.
    uint8_t digest[NIP_DIGEST_SIZE];
    bool is_source;
    char origin[NIP_MANIFEST_TEXT_SIZE]; // where it comes from, for people; may be empty
};

// Zero is an empty collection.
struct nip_pack {
    struct nip_pack_file *files;
    size_t file_count;
    struct nip_pack_component components[NIP_PACK_COMPONENTS_MAX];
    size_t component_count;
};

void nip_pack_free(struct nip_pack *pack);
// Copies the content. NAME for a path that no package may have, EXISTS for one that is there.
enum nip_code nip_pack_add(struct nip_pack *pack, const char *path, bool is_beside,
                           const void *data, size_t size, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_pack_add_component(struct nip_pack *pack,
                                     const struct nip_pack_component *component,
                                     struct nip_error *err) NIP_MUST_CHECK;

// Adds npl.bkdl and the bill of materials and appends the text of `digests`. `toolchain` is the
// toolchain's id; `date` is what the bill of materials says ("1980-01-01T00:00:00Z").
enum nip_code nip_pack_finish(struct nip_pack *pack, const struct nip_manifest *manifest,
                              const char *toolchain, const char *tool, const char *date,
                              struct nip_buffer *digests_text,
                              struct nip_error *err) NIP_MUST_CHECK;

// Puts the package together from `digests`, its signature and the collected files.
enum nip_code nip_pack_write(const struct nip_pack *pack, const void *digests_text,
                             size_t digests_size, const struct nip_signature *signature,
                             struct nip_buffer *npl, struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
