// SPDX-License-Identifier: Apache-2.0
//
// Writing SPDX 2.3. Everything in the document follows from its inputs; there is no clock in it and
// no random id.

#include "sbom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/crypto.h"
#include "nip/json.h"
#include "nip/source.h"
#include "nip/spdx.h"
#include "sbom_parts.h"

// The archive's own list and its signature, and this document, can stand in no list of themselves.
static const char *const excluded[] = {"./" NIP_PACK_SBOM_PATH, "./digests", "./digests.minisig",
                                       NULL};

// Every file of the source archive, as ./source.tar/PATH.
static enum nip_code add_source_files(const struct nip_pack_file *archive, const char *archive_id,
                                      struct nip_json *files, struct nip_json *relations,
                                      struct nip_error *err)
{
    struct nip_source source;
    enum nip_code code = nip_source_read(archive->data, archive->size, &source, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = 0; i < source.count; i++) {
        char id[48], name[2 * NIP_PATH_MAX];
        snprintf(id, sizeof id, "SPDXRef-Source-%zu", i);
        snprintf(name, sizeof name, "./" NIP_SOURCE_FILE "/%s", source.files[i].path);
        nip_json_append(files,
                        sbom_file(id, name, source.files[i].data, source.files[i].size, NULL));
        nip_json_append(relations, sbom_relation(archive_id, "CONTAINS", id));
    }
    nip_source_free(&source);
    return NIP_OK;
}

static enum nip_code add_files(const struct nip_pack *pack, struct nip_json *files,
                               struct nip_json *relations, struct sbom_code *verification,
                               struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < pack->file_count; i++) {
        const struct nip_pack_file *file = &pack->files[i];
        char id[48], name[NIP_PATH_MAX + 3];
        snprintf(id, sizeof id, "SPDXRef-File-%zu", i);
        snprintf(name, sizeof name, "./%s", file->path);
        nip_json_append(files, sbom_file(id, name, file->data, file->size, verification));
        nip_json_append(relations, sbom_relation("SPDXRef-Package", "CONTAINS", id));
        if (file->is_beside && strcmp(file->path, NIP_SOURCE_FILE) == 0)
            code = add_source_files(file, id, files, relations, err);
    }
    return code;
}

// What it is known by (clause 7.21): a package URL. Names and versions need no escapes in one.
static void put_locator(struct nip_json *object, const struct nip_pack_component *component)
{
    char locator[NIP_NAME_MAX + NIP_VERSION_MAX + 160], digest[NIP_DIGEST_TEXT_SIZE];
    struct nip_json *reference = nip_json_make_object(), *references = nip_json_make_array();
    nip_digest_text(component->digest, digest);
    snprintf(locator, sizeof locator, "pkg:generic/%s@%s%s%s", component->name, component->version,
             component->is_source ? "?checksum=sha256:" : "", component->is_source ? digest : "");
    nip_json_put_text(reference, "referenceCategory", "PACKAGE-MANAGER");
    nip_json_put_text(reference, "referenceType", "purl");
    nip_json_put_text(reference, "referenceLocator", locator);
    nip_json_append(references, reference);
    nip_json_put(object, "externalRefs", references);
}

static void add_components(const struct nip_pack *pack, const char *toolchain,
                           struct nip_json *packages, struct nip_json *relations)
{
    for (size_t i = 0; i < pack->component_count; i++) {
        const struct nip_pack_component *component = &pack->components[i];
        char id[48];
        snprintf(id, sizeof id, "SPDXRef-Component-%zu", i);
        struct nip_json *checksums = nip_json_make_array();
        struct nip_json *object =
            sbom_package(id, component->name, component->version, component->license, NULL, NULL);
        nip_json_append(checksums, sbom_digest(component->is_source ? "SHA256" : "BLAKE2b-256",
                                               component->digest));
        nip_json_put(object, "checksums", checksums);
        if (component->origin[0] != '\0')
            nip_json_put_text(object, "sourceInfo", component->origin);
        put_locator(object, component);
        nip_json_append(packages, object);
        nip_json_append(relations, sbom_relation("SPDXRef-Package", "STATIC_LINK", id));
    }
    nip_json_append(packages, sbom_package("SPDXRef-Toolchain", "rumpk-toolchain", toolchain,
                                           NIP_PACK_TOOLCHAIN_LICENSE, NULL, NULL));
    nip_json_append(relations,
                    sbom_relation("SPDXRef-Toolchain", "BUILD_TOOL_OF", "SPDXRef-Package"));
}

// ---- licences of the publisher's own ----

struct extracted {
    const struct nip_pack *pack;
    struct nip_json *list;
};

static const struct nip_pack_file *find_file(const struct nip_pack *pack, const char *path)
{
    for (size_t i = 0; i < pack->file_count; i++)
        if (strcmp(pack->files[i].path, path) == 0)
            return &pack->files[i];
    return NULL;
}

// A licence that SPDX does not list stands in the document itself (clause 10), with its text.
static enum nip_code add_extracted(void *context, const char *identifier, struct nip_error *err)
{
    struct extracted *extracted = context;
    char path[NIP_SPDX_IDENTIFIER_MAX + 16];
    if (strncmp(identifier, SBOM_LICENSE_REF, sizeof SBOM_LICENSE_REF - 1) != 0)
        return NIP_OK;
    for (size_t i = 0; i < nip_json_count(extracted->list); i++)
        if (strcmp(nip_json_get_text(nip_json_at(extracted->list, i), "licenseId"), identifier) ==
            0)
            return NIP_OK;
    snprintf(path, sizeof path, "LICENSES/%s.txt", identifier);
    const struct nip_pack_file *file = find_file(extracted->pack, path);
    if (file == NULL)
        return nip_error_set(err, NIP_ERROR_MISSING, "the licence text %s is missing", path);
    struct nip_buffer copy = {0};
    nip_buffer_append(&copy, file->data, file->size);
    struct nip_json *text = nip_json_make_text(nip_buffer_text(&copy));
    nip_buffer_free(&copy);
    if (text == NULL || file->size == 0 || memchr(file->data, '\0', file->size) != NULL) {
        nip_json_free(text);
        nip_error_set(err, NIP_ERROR_FORMAT, "%s holds no text", path);
        nip_error_hint(err, "the text of a licence is UTF-8: iconv -t UTF-8");
        return NIP_ERROR_FORMAT;
    }
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "licenseId", identifier);
    nip_json_put(object, "extractedText", text);
    nip_json_append(extracted->list, object);
    return NIP_OK;
}

static enum nip_code put_extracted(const struct nip_pack *pack, const char *license,
                                   struct nip_json *root, struct nip_error *err)
{
    struct extracted extracted = {pack, nip_json_make_array()};
    enum nip_code code = nip_spdx_each(license, add_extracted, &extracted, err);
    for (size_t i = 0; code == NIP_OK && i < pack->component_count; i++)
        code = nip_spdx_each(pack->components[i].license, add_extracted, &extracted, err);
    if (code == NIP_OK && nip_json_count(extracted.list) != 0)
        nip_json_put(root, SBOM_EXTRACTED, extracted.list);
    else
        nip_json_free(extracted.list);
    return code;
}

static void namespace_of(const struct nip_pack *pack, const struct nip_manifest *manifest,
                         char *out, size_t out_size)
{
    struct nip_hash hash;
    uint8_t digest[NIP_DIGEST_SIZE];
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_hash_begin(&hash);
    for (size_t i = 0; i < pack->file_count; i++) {
        nip_hash_bytes(pack->files[i].data, pack->files[i].size, digest);
        nip_hash_update(&hash, pack->files[i].path, strlen(pack->files[i].path) + 1);
        nip_hash_update(&hash, digest, sizeof digest);
    }
    for (size_t i = 0; i < pack->component_count; i++)
        nip_hash_update(&hash, pack->components[i].digest, NIP_DIGEST_SIZE);
    nip_hash_end(&hash, digest);
    nip_digest_text(digest, text);
    snprintf(out, out_size, "urn:rumpk:sbom:%s:%s:%s", manifest->identity.name,
             manifest->identity.version, text);
}

enum nip_code sbom_write(const struct nip_pack *pack, const struct nip_manifest *manifest,
                         const char *toolchain, const char *tool, const char *date,
                         struct nip_buffer *out, struct nip_error *err)
{
    char title[160], space[320];
    struct sbom_code verification = {.max = pack->file_count};
    verification.items = calloc(pack->file_count + 1, sizeof verification.items[0]);
    if (verification.items == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    snprintf(title, sizeof title, "%s %s", manifest->identity.name, manifest->identity.version);
    namespace_of(pack, manifest, space, sizeof space);
    struct nip_json *root = sbom_document(title, space, tool, date);
    struct nip_json *packages = nip_json_make_array(), *files = nip_json_make_array();
    struct nip_json *relations = nip_json_make_array();
    nip_json_append(relations, sbom_relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package"));
    enum nip_code code = add_files(pack, files, relations, &verification, err);
    if (code == NIP_OK)
        code = put_extracted(pack, manifest->license, root, err);
    struct nip_json *object =
        sbom_package("SPDXRef-Package", manifest->identity.name, manifest->identity.version,
                     manifest->license, &verification, excluded);
    if (manifest->description[0] != '\0')
        nip_json_put_text(object, "summary", manifest->description);
    nip_json_append(packages, object);
    add_components(pack, toolchain, packages, relations);
    nip_json_put(root, "packages", packages);
    nip_json_put(root, "files", files);
    nip_json_put(root, "relationships", relations);
    if (code == NIP_OK)
        code = nip_json_print(root, true, out, err);
    if (code == NIP_OK)
        nip_buffer_append_byte(out, '\n');
    nip_json_free(root);
    free(verification.items);
    return code;
}
