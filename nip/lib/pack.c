// SPDX-License-Identifier: Apache-2.0
//
// Collecting the files of a package.

#include "nip/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/bkdl.h"
#include "nip/package.h"
#include "nip/source.h"
#include "sbom.h"

void nip_pack_free(struct nip_pack *pack)
{
    for (size_t i = 0; i < pack->file_count; i++)
        free(pack->files[i].data);
    free(pack->files);
    memset(pack, 0, sizeof *pack);
}

enum nip_code nip_pack_add(struct nip_pack *pack, const char *path, bool is_beside,
                           const void *data, size_t size, struct nip_error *err)
{
    if (!nip_path_is_valid(path, strlen(path))) {
        nip_error_set(err, NIP_ERROR_NAME, "no file of a package may be called '%s'", path);
        nip_error_hint(err,
                       "use letters, digits, '.', '_' and '-', at most %d bytes, and no part "
                       "that starts with a dot",
                       NIP_PATH_MAX);
        return NIP_ERROR_NAME;
    }
    size_t at = 0;
    for (; at < pack->file_count && strcmp(pack->files[at].path, path) < 0; at++)
        ;
    for (size_t i = 0; i < pack->file_count; i++)
        if (nip_paths_collide(pack->files[i].path, path))
            return nip_error_set(err, NIP_ERROR_EXISTS,
                                 "the files '%s' and '%s' cannot both be in one package",
                                 pack->files[i].path, path);
    if (pack->file_count == NIP_PACK_FILES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d files in one package",
                             NIP_PACK_FILES_MAX);
    if (pack->files == NULL)
        pack->files = calloc(NIP_PACK_FILES_MAX, sizeof *pack->files);
    uint8_t *copy = malloc(size != 0 ? size : 1);
    if (pack->files == NULL || copy == NULL) {
        free(copy);
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the package");
    }
    if (size != 0)
        memcpy(copy, data, size);
    memmove(&pack->files[at + 1], &pack->files[at],
            (pack->file_count - at) * sizeof pack->files[0]);
    struct nip_pack_file *file = &pack->files[at];
    *file = (struct nip_pack_file){.is_beside = is_beside, .data = copy, .size = size};
    memcpy(file->path, path, strlen(path) + 1);
    pack->file_count++;
    return NIP_OK;
}

enum nip_code nip_pack_add_component(struct nip_pack *pack,
                                     const struct nip_pack_component *component,
                                     struct nip_error *err)
{
    if (pack->component_count == NIP_PACK_COMPONENTS_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d components in one package",
                             NIP_PACK_COMPONENTS_MAX);
    pack->components[pack->component_count++] = *component;
    return NIP_OK;
}

static enum nip_code fill_header(const struct nip_manifest *manifest, const char *toolchain,
                                 struct nip_digests *digests, struct nip_error *err)
{
    const char *kind = nip_kind_name(manifest->identity.kind);
    if (!nip_kind_from_text(kind, strlen(kind), &digests->kind))
        return nip_error_set(err, NIP_ERROR_INTERNAL, "unknown kind of package");
    memcpy(digests->name, manifest->identity.name,
           strnlen(manifest->identity.name, sizeof digests->name - 1));
    memcpy(digests->version, manifest->identity.version,
           strnlen(manifest->identity.version, sizeof digests->version - 1));
    digests->security_version = manifest->identity.security_version;
    digests->abi = manifest->identity.abi_version;
    for (unsigned arch = 0; arch < NIP_ARCH_COUNT; arch++)
        digests->archs[arch] = (manifest->identity.arch_mask &
                                RUMPK_ARCH_BIT(nip_arch_number((enum nip_arch)arch))) != 0;
    if (strlen(toolchain) >= sizeof digests->toolchain)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the toolchain's id is too long");
    memcpy(digests->toolchain, toolchain, strlen(toolchain) + 1);
    memcpy(digests->source, "none", 5);
    return NIP_OK;
}

// With a source archive among the beside files, the line `source` names it.
static void name_source(struct nip_digests *digests)
{
    char text[NIP_DIGEST_TEXT_SIZE];
    const struct nip_digests_file *source = nip_digests_beside(digests, NIP_SOURCE_FILE);
    if (source == NULL)
        return;
    nip_digest_text(source->digest, text);
    snprintf(digests->source, sizeof digests->source, NIP_SOURCE_SCHEME ":%s", text);
}

static enum nip_code add_derived(struct nip_pack *pack, const struct nip_manifest *manifest,
                                 const char *toolchain, const char *tool, const char *date,
                                 struct nip_error *err)
{
    struct nip_buffer bkdl = {0}, sbom = {0};
    enum nip_code code = nip_bkdl_encode_package(manifest, &bkdl, err);
    if (code == NIP_OK)
        code = nip_pack_add(pack, NIP_BKDL_FILE, false, bkdl.data, bkdl.size, err);
    if (code == NIP_OK)
        code = sbom_write(pack, manifest, toolchain, tool, date, &sbom, err);
    if (code == NIP_OK)
        code = nip_pack_add(pack, NIP_PACK_SBOM_PATH, false, sbom.data, sbom.size, err);
    nip_buffer_free(&bkdl);
    nip_buffer_free(&sbom);
    return code;
}

enum nip_code nip_pack_finish(struct nip_pack *pack, const struct nip_manifest *manifest,
                              const char *toolchain, const char *tool, const char *date,
                              struct nip_buffer *digests_text, struct nip_error *err)
{
    struct nip_digests digests = {0};
    enum nip_code code = fill_header(manifest, toolchain, &digests, err);
    if (code == NIP_OK)
        code = add_derived(pack, manifest, toolchain, tool, date, err);
    for (size_t i = 0; code == NIP_OK && i < pack->file_count; i++)
        code = nip_digests_add(&digests, pack->files[i].is_beside, pack->files[i].path,
                               pack->files[i].data, pack->files[i].size, err);
    if (code == NIP_OK) {
        name_source(&digests);
        code = nip_digests_print(&digests, digests_text, err);
    }
    nip_digests_free(&digests);
    return code;
}

enum nip_code nip_pack_write(const struct nip_pack *pack, const void *digests_text,
                             size_t digests_size, const struct nip_signature *signature,
                             struct nip_buffer *npl, struct nip_error *err)
{
    struct nip_buffer signature_text = {0};
    nip_signature_print(signature, &signature_text);
    struct nip_package_input inputs[NIP_PACK_FILES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < pack->file_count; i++)
        if (!pack->files[i].is_beside)
            inputs[count++] = (struct nip_package_input){pack->files[i].path, pack->files[i].data,
                                                         pack->files[i].size};
    enum nip_code code = nip_buffer_check(&signature_text, "the signature", err);
    if (code == NIP_OK)
        code = nip_package_write(nip_buffer_text(&signature_text), signature_text.size,
                                 digests_text, digests_size, inputs, count, npl, err);
    nip_buffer_free(&signature_text);
    return code;
}
