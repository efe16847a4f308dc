// SPDX-License-Identifier: Apache-2.0
//
// Writing SPDX 2.3. Everything in the document follows from its inputs; there is no clock in it and
// no random id.

#include "sbom.h"

#include <stdio.h>
#include <string.h>

#include "nip/crypto.h"
#include "nip/json.h"
#include "nip/source.h"

static struct nip_json *checksum(const char *algorithm, const uint8_t digest[NIP_DIGEST_SIZE])
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(digest, text);
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "algorithm", algorithm);
    nip_json_put_text(object, "checksumValue", text);
    return object;
}

static struct nip_json *checksums_of(const void *data, size_t size)
{
    uint8_t digest[NIP_DIGEST_SIZE];
    struct nip_json *array = nip_json_make_array();
    nip_sha256_bytes(data, size, digest);
    nip_json_append(array, checksum("SHA256", digest));
    nip_hash_bytes(data, size, digest);
    nip_json_append(array, checksum("BLAKE2b-256", digest));
    return array;
}

static struct nip_json *relation(const char *from, const char *kind, const char *to)
{
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "spdxElementId", from);
    nip_json_put_text(object, "relationshipType", kind);
    nip_json_put_text(object, "relatedSpdxElement", to);
    return object;
}

static void put_package(struct nip_json *object, const char *id, const char *name,
                        const char *version, const char *license)
{
    nip_json_put_text(object, "SPDXID", id);
    nip_json_put_text(object, "name", name);
    nip_json_put_text(object, "versionInfo", version);
    nip_json_put_text(object, "downloadLocation", "NOASSERTION");
    nip_json_put_bool(object, "filesAnalyzed", false);
    nip_json_put_text(object, "licenseConcluded", "NOASSERTION");
    nip_json_put_text(object, "licenseDeclared", license);
    nip_json_put_text(object, "copyrightText", "NOASSERTION");
}

static void add_file(const char *id, const char *name, const void *data, size_t size,
                     struct nip_json *files)
{
    struct nip_json *file = nip_json_make_object();
    nip_json_put_text(file, "SPDXID", id);
    nip_json_put_text(file, "fileName", name);
    nip_json_put(file, "checksums", checksums_of(data, size));
    nip_json_put_text(file, "licenseConcluded", "NOASSERTION");
    nip_json_put_text(file, "copyrightText", "NOASSERTION");
    nip_json_append(files, file);
}

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
        add_file(id, name, source.files[i].data, source.files[i].size, files);
        nip_json_append(relations, relation(archive_id, "CONTAINS", id));
    }
    nip_source_free(&source);
    return NIP_OK;
}

static enum nip_code add_files(const struct nip_pack *pack, struct nip_json *files,
                               struct nip_json *relations, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < pack->file_count; i++) {
        const struct nip_pack_file *file = &pack->files[i];
        char id[48], name[NIP_PATH_MAX + 3];
        snprintf(id, sizeof id, "SPDXRef-File-%zu", i);
        snprintf(name, sizeof name, "./%s", file->path);
        add_file(id, name, file->data, file->size, files);
        nip_json_append(relations, relation("SPDXRef-Package", "CONTAINS", id));
        if (file->is_beside && strcmp(file->path, NIP_SOURCE_FILE) == 0)
            code = add_source_files(file, id, files, relations, err);
    }
    return code;
}

static void add_components(const struct nip_pack *pack, const char *toolchain,
                           struct nip_json *packages, struct nip_json *relations)
{
    for (size_t i = 0; i < pack->component_count; i++) {
        const struct nip_pack_component *component = &pack->components[i];
        char id[48];
        snprintf(id, sizeof id, "SPDXRef-Component-%zu", i);
        struct nip_json *object = nip_json_make_object();
        put_package(object, id, component->name, component->version, component->license);
        struct nip_json *array = nip_json_make_array();
        nip_json_append(array, checksum("BLAKE2b-256", component->digest));
        nip_json_put(object, "checksums", array);
        nip_json_append(packages, object);
        nip_json_append(relations, relation("SPDXRef-Package", "STATIC_LINK", id));
    }
    struct nip_json *object = nip_json_make_object();
    put_package(object, "SPDXRef-Toolchain", "rumpk-toolchain", toolchain,
                "Apache-2.0 WITH LLVM-exception");
    nip_json_append(packages, object);
    nip_json_append(relations, relation("SPDXRef-Toolchain", "BUILD_TOOL_OF", "SPDXRef-Package"));
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
    char title[160], space[320], creator[96];
    snprintf(title, sizeof title, "%s %s", manifest->identity.name, manifest->identity.version);
    snprintf(creator, sizeof creator, "Tool: %s", tool);
    namespace_of(pack, manifest, space, sizeof space);
    struct nip_json *root = nip_json_make_object();
    nip_json_put_text(root, "spdxVersion", "SPDX-2.3");
    nip_json_put_text(root, "dataLicense", "CC0-1.0");
    nip_json_put_text(root, "SPDXID", "SPDXRef-DOCUMENT");
    nip_json_put_text(root, "name", title);
    nip_json_put_text(root, "documentNamespace", space);
    struct nip_json *creation = nip_json_make_object();
    struct nip_json *creators = nip_json_make_array();
    nip_json_append(creators, nip_json_make_text(creator));
    nip_json_put_text(creation, "created", date);
    nip_json_put(creation, "creators", creators);
    nip_json_put(root, "creationInfo", creation);

    struct nip_json *packages = nip_json_make_array(), *files = nip_json_make_array();
    struct nip_json *relations = nip_json_make_array(), *object = nip_json_make_object();
    nip_json_append(relations, relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package"));
    put_package(object, "SPDXRef-Package", manifest->identity.name, manifest->identity.version,
                manifest->license);
    if (manifest->description[0] != '\0')
        nip_json_put_text(object, "summary", manifest->description);
    nip_json_append(packages, object);
    enum nip_code code = add_files(pack, files, relations, err);
    add_components(pack, toolchain, packages, relations);
    nip_json_put(root, "packages", packages);
    nip_json_put(root, "files", files);
    nip_json_put(root, "relationships", relations);
    if (code == NIP_OK)
        code = nip_json_print(root, true, out, err);
    if (code == NIP_OK)
        nip_buffer_append_byte(out, '\n');
    nip_json_free(root);
    return code;
}
