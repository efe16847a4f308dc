// SPDX-License-Identifier: Apache-2.0
//
// Elements of SPDX 2.3.

#include "sbom_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/buffer.h"

struct nip_json *sbom_checksum(const char *algorithm, const char *value)
{
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "algorithm", algorithm);
    nip_json_put_text(object, "checksumValue", value);
    return object;
}

struct nip_json *sbom_digest(const char *algorithm, const uint8_t digest[NIP_DIGEST_SIZE])
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(digest, text);
    return sbom_checksum(algorithm, text);
}

struct nip_json *sbom_relation(const char *from, const char *kind, const char *to)
{
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "spdxElementId", from);
    nip_json_put_text(object, "relationshipType", kind);
    nip_json_put_text(object, "relatedSpdxElement", to);
    return object;
}

struct nip_json *sbom_file(const char *id, const char *name, const void *data, size_t size,
                           struct sbom_code *code)
{
    uint8_t digest[NIP_DIGEST_SIZE];
    char sha1[NIP_SHA1_TEXT_SIZE];
    struct nip_json *file = nip_json_make_object(), *checksums = nip_json_make_array();
    nip_sha1_text(data, size, sha1);
    if (code != NULL && code->count < code->max)
        memcpy(code->items[code->count++], sha1, sizeof sha1);
    nip_json_append(checksums, sbom_checksum("SHA1", sha1));
    nip_sha256_bytes(data, size, digest);
    nip_json_append(checksums, sbom_digest("SHA256", digest));
    nip_hash_bytes(data, size, digest);
    nip_json_append(checksums, sbom_digest("BLAKE2b-256", digest));
    nip_json_put_text(file, "SPDXID", id);
    nip_json_put_text(file, "fileName", name);
    nip_json_put(file, "checksums", checksums);
    nip_json_put_text(file, "licenseConcluded", "NOASSERTION");
    nip_json_put_text(file, "copyrightText", "NOASSERTION");
    return file;
}

struct nip_json *sbom_document(const char *name, const char *space, const char *tool,
                               const char *date)
{
    char creator[96];
    struct nip_json *root = nip_json_make_object(), *creation = nip_json_make_object();
    struct nip_json *creators = nip_json_make_array();
    snprintf(creator, sizeof creator, "Tool: %.80s", tool);
    nip_json_put_text(root, "spdxVersion", "SPDX-2.3");
    nip_json_put_text(root, "dataLicense", "CC0-1.0");
    nip_json_put_text(root, "SPDXID", "SPDXRef-DOCUMENT");
    nip_json_put_text(root, "name", name);
    nip_json_put_text(root, "documentNamespace", space);
    nip_json_append(creators, nip_json_make_text(creator));
    nip_json_put_text(creation, "created", date);
    nip_json_put(creation, "creators", creators);
    nip_json_put(root, "creationInfo", creation);
    return root;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(a, b);
}

// Clause 7.9: the SHA-1 of all SHA-1s, as text, sorted and joined.
static struct nip_json *verification_code(struct sbom_code *code, const char *const *excluded)
{
    char text[NIP_SHA1_TEXT_SIZE];
    struct nip_buffer joined = {0};
    struct nip_json *object = nip_json_make_object();
    if (code->count != 0)
        qsort(code->items, code->count, sizeof code->items[0], compare_texts);
    for (size_t i = 0; i < code->count; i++)
        nip_buffer_append_text(&joined, code->items[i]);
    nip_sha1_text(nip_buffer_text(&joined), joined.size, text);
    nip_buffer_free(&joined);
    nip_json_put_text(object, "packageVerificationCodeValue", text);
    if (excluded != NULL && *excluded != NULL) {
        struct nip_json *names = nip_json_make_array();
        for (; *excluded != NULL; excluded++)
            nip_json_append(names, nip_json_make_text(*excluded));
        nip_json_put(object, "packageVerificationCodeExcludedFiles", names);
    }
    return object;
}

struct nip_json *sbom_package(const char *id, const char *name, const char *version,
                              const char *license, struct sbom_code *code,
                              const char *const *excluded)
{
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "SPDXID", id);
    nip_json_put_text(object, "name", name);
    nip_json_put_text(object, "versionInfo", version);
    nip_json_put_text(object, "downloadLocation", "NOASSERTION");
    nip_json_put_bool(object, "filesAnalyzed", code != NULL);
    if (code != NULL)
        nip_json_put(object, "packageVerificationCode", verification_code(code, excluded));
    nip_json_put_text(object, "licenseConcluded", "NOASSERTION");
    nip_json_put_text(object, "licenseDeclared", license);
    nip_json_put_text(object, "copyrightText", "NOASSERTION");
    return object;
}
