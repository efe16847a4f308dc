// SPDX-License-Identifier: Apache-2.0
//
// npl.kdl: reading by the tables (manifest_build.c, manifest_kernel.c), and what spans several of
// them.

#include "nip/manifest.h"

#include <string.h>

#include "manifest_schema.h"
#include "nip/crypto.h"
#include "nip/kdl.h"

enum nip_code manifest_check_whole(const struct nip_manifest *manifest, struct nip_error *err)
{
    if (manifest->identity.kind == RUMPK_KIND_DRIVER)
        return NIP_OK;
    if (manifest->match_count || manifest->request_count || manifest->provides_count ||
        manifest->needs_count) {
        nip_error_set(err, NIP_ERROR_SCHEMA,
                      "a package of kind \"%s\" runs nothing of its own: it cannot match devices, "
                      "request capabilities, provide or need services",
                      nip_kind_name(manifest->identity.kind));
        nip_error_hint(err, "Remove `match`, `request`, `provides` and `needs`, or make it a "
                            "\"driver\".");
        return NIP_ERROR_SCHEMA;
    }
    return NIP_OK;
}

enum nip_code nip_manifest_parse(const char *text, size_t size, const char *file,
                                 struct nip_manifest *manifest, struct nip_error *err)
{
    static const struct nip_kdl_limits limits = {
        .size_max = NIP_MANIFEST_SIZE_MAX, .depth_max = 8, .item_count_max = 2000};
    memset(manifest, 0, sizeof *manifest);
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code != NIP_OK)
        return code;
    code = schema_read(document, manifest_schema, MANIFEST_PART_COUNT, manifest, err);
    if (code == NIP_OK) {
        code = manifest_check_whole(manifest, err);
        if (code != NIP_OK)
            nip_error_at(err, file, 0, 0);
    }
    for (uint32_t i = 0; code == NIP_OK && i < manifest->arch_build_count; i++)
        if ((manifest->arch_builds[i].arch_mask & ~manifest->identity.arch_mask) != 0) {
            code = nip_error_set(err, NIP_ERROR_SCHEMA,
                                 "an `arch` block of `build` is for an "
                                 "architecture that the package is not made "
                                 "for");
            nip_error_hint(err, "Add it to `arch` of `package`, or remove the block.");
            nip_error_at(err, file, 0, 0);
        }
    if (code == NIP_OK && manifest->source_count == 0) {
        memcpy(manifest->sources[0], "src/*.c", sizeof "src/*.c");
        manifest->source_count = 1;
    }
    nip_kdl_document_free(document);
    return code;
}

void nip_manifest_capability_digest(const struct nip_manifest *manifest,
                                    uint8_t digest[RUMPK_DIGEST_SIZE])
{
    struct nip_hash hash;
    nip_hash_begin(&hash);
    nip_hash_update(&hash, &manifest->runtime, sizeof manifest->runtime);
    const uint32_t counts[4] = {manifest->request_count, manifest->provides_count,
                                manifest->needs_count, 0};
    nip_hash_update(&hash, counts, sizeof counts);
    nip_hash_update(&hash, manifest->requests,
                    manifest->request_count * sizeof manifest->requests[0]);
    nip_hash_update(&hash, manifest->provides,
                    manifest->provides_count * sizeof manifest->provides[0]);
    nip_hash_update(&hash, manifest->needs, manifest->needs_count * sizeof manifest->needs[0]);
    nip_hash_end(&hash, digest);
}
