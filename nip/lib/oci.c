// SPDX-License-Identifier: Apache-2.0
//
// OCI manifests and indexes of packages. Texts are printed in one fixed order, so that the same
// package gives the same manifest digest everywhere.

#include "nip/oci.h"

#include <stdlib.h>
#include <string.h>

#include "nip/json.h"
#include "oci_parts.h"

static const char title_key[] = "org.opencontainers.image.title";
static const char digest_prefix[] = "sha256:";
static const char version_key[] = "org.opencontainers.image.version";
static const char ref_key[] = "org.opencontainers.image.ref.name";
static const char id_key[] = "org.rumpk.package.id";

// ---- descriptors ----

void nip_oci_digest_text(const uint8_t sha256[NIP_DIGEST_SIZE], char out[NIP_OCI_DIGEST_TEXT_SIZE])
{
    memcpy(out, digest_prefix, sizeof digest_prefix); // its end is overwritten next
    nip_digest_text(sha256, out + sizeof digest_prefix - 1);
}

bool nip_oci_digest_parse(const char *text, uint8_t sha256[NIP_DIGEST_SIZE])
{
    size_t prefix = sizeof digest_prefix - 1;
    return text != NULL && strncmp(text, digest_prefix, prefix) == 0 &&
           nip_hex_decode(text + prefix, strlen(text + prefix), sha256, NIP_DIGEST_SIZE);
}

struct nip_json *oci_make_descriptor(const char *media_type, const struct nip_oci_blob *blob)
{
    char digest[NIP_OCI_DIGEST_TEXT_SIZE];
    struct nip_json *json = nip_json_make_object();
    nip_oci_digest_text(blob->sha256, digest);
    nip_json_put_text(json, "mediaType", media_type);
    nip_json_put_text(json, "digest", digest);
    nip_json_put_u64(json, "size", blob->size);
    return json;
}

bool oci_read_descriptor(const struct nip_json *json, const char *media_type,
                         struct nip_oci_blob *blob)
{
    const char *type = nip_json_get_text(json, "mediaType");
    return type != NULL && strcmp(type, media_type) == 0 &&
           nip_oci_digest_parse(nip_json_get_text(json, "digest"), blob->sha256) &&
           nip_json_get_u64(json, "size", &blob->size);
}

// ---- manifests ----

enum nip_code nip_oci_manifest_print(const struct nip_oci_manifest *manifest,
                                     struct nip_buffer *out, struct nip_error *err)
{
    struct nip_oci_blob config = {.size = sizeof NIP_OCI_EMPTY_CONFIG - 1};
    char id[NIP_DIGEST_TEXT_SIZE];
    nip_sha256_bytes(NIP_OCI_EMPTY_CONFIG, (size_t)config.size, config.sha256);
    nip_digest_text(manifest->id, id);

    struct nip_json *annotations = nip_json_make_object();
    nip_json_put_text(annotations, title_key, manifest->name);
    nip_json_put_text(annotations, version_key, manifest->version);
    nip_json_put_text(annotations, id_key, id);
    struct nip_json *layers = nip_json_make_array();
    nip_json_append(layers, oci_make_descriptor(NIP_OCI_LAYER_TYPE, &manifest->layer));
    struct nip_json *json = nip_json_make_object();
    nip_json_put_u64(json, "schemaVersion", 2);
    nip_json_put_text(json, "mediaType", NIP_OCI_MANIFEST_TYPE);
    nip_json_put_text(json, "artifactType", NIP_OCI_ARTIFACT_TYPE);
    nip_json_put(json, "config", oci_make_descriptor(NIP_OCI_EMPTY_TYPE, &config));
    nip_json_put(json, "layers", layers);
    nip_json_put(json, "annotations", annotations);
    enum nip_code code = nip_json_print(json, false, out, err);
    nip_json_free(json);
    return code;
}

static bool copy_text(char *out, size_t out_size, const char *text)
{
    if (text == NULL || strlen(text) >= out_size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool read_manifest(const struct nip_json *json, struct nip_oci_manifest *manifest)
{
    struct nip_version version;
    const char *type = nip_json_get_text(json, "artifactType");
    const struct nip_json *layers = nip_json_get(json, "layers");
    const struct nip_json *annotations = nip_json_get(json, "annotations");
    const char *id = nip_json_get_text(annotations, id_key);
    if (type == NULL || strcmp(type, NIP_OCI_ARTIFACT_TYPE) != 0 || nip_json_count(layers) != 1 ||
        !oci_read_descriptor(nip_json_at(layers, 0), NIP_OCI_LAYER_TYPE, &manifest->layer))
        return false;
    return copy_text(manifest->name, sizeof manifest->name,
                     nip_json_get_text(annotations, title_key)) &&
           copy_text(manifest->version, sizeof manifest->version,
                     nip_json_get_text(annotations, version_key)) &&
           nip_name_is_valid(manifest->name, strlen(manifest->name)) &&
           nip_version_parse(manifest->version, strlen(manifest->version), &version) &&
           id != NULL && nip_hex_decode(id, strlen(id), manifest->id, sizeof manifest->id);
}

enum nip_code nip_oci_manifest_parse(const char *text, size_t size, const char *what,
                                     struct nip_oci_manifest *manifest, struct nip_error *err)
{
    struct nip_json *json;
    *manifest = (struct nip_oci_manifest){0};
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    if (code != NIP_OK)
        return code;
    if (!read_manifest(json, manifest))
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is not the manifest of a package", what);
    nip_json_free(json);
    return code;
}

// ---- indexes ----

void nip_oci_index_free(struct nip_oci_index *index)
{
    free(index->entries);
    free(index->referrers);
    *index = (struct nip_oci_index){0};
}

// Where `version` stands or belongs: the first entry that is not lower.
static size_t index_position(const struct nip_oci_index *index, const char *version)
{
    struct nip_version wanted = {0}, other = {0};
    size_t position = 0;
    nip_version_parse(version, strlen(version), &wanted);
    while (position < index->count) {
        const char *text = index->entries[position].version;
        nip_version_parse(text, strlen(text), &other);
        if (nip_version_compare(&other, &wanted) >= 0)
            break;
        position++;
    }
    return position;
}

const struct nip_oci_entry *nip_oci_index_find(const struct nip_oci_index *index,
                                               const char *version)
{
    for (size_t i = 0; i < index->count; i++) {
        if (strcmp(index->entries[i].version, version) == 0)
            return &index->entries[i];
    }
    return NULL;
}

enum nip_code nip_oci_index_add(struct nip_oci_index *index, const struct nip_oci_entry *entry,
                                struct nip_error *err)
{
    struct nip_version version;
    if (!nip_version_parse(entry->version, strlen(entry->version), &version))
        return nip_error_set(err, NIP_ERROR_NAME, "'%s' is not a version", entry->version);
    if (nip_oci_index_find(index, entry->version) != NULL)
        return nip_error_set(err, NIP_ERROR_EXISTS, "version %s exists already", entry->version);
    struct nip_oci_entry *grown =
        reallocarray(index->entries, index->count + 1, sizeof *index->entries);
    if (grown == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for an index");
    index->entries = grown;
    size_t position = index_position(index, entry->version);
    memmove(grown + position + 1, grown + position, (index->count - position) * sizeof *grown);
    grown[position] = *entry;
    index->count++;
    return NIP_OK;
}

// ---- what is attached ----

const struct nip_oci_referrers *nip_oci_index_referrers(const struct nip_oci_index *index,
                                                        const uint8_t subject[NIP_DIGEST_SIZE])
{
    for (size_t i = 0; i < index->referrers_count; i++)
        if (memcmp(index->referrers[i].subject, subject, NIP_DIGEST_SIZE) == 0)
            return &index->referrers[i];
    return NULL;
}

enum nip_code nip_oci_index_put_referrers(struct nip_oci_index *index,
                                          const struct nip_oci_referrers *referrers,
                                          struct nip_error *err)
{
    size_t at = 0;
    while (at < index->referrers_count &&
           memcmp(index->referrers[at].subject, referrers->subject, NIP_DIGEST_SIZE) < 0)
        at++;
    if (at < index->referrers_count &&
        memcmp(index->referrers[at].subject, referrers->subject, NIP_DIGEST_SIZE) == 0) {
        index->referrers[at] = *referrers;
        return NIP_OK;
    }
    struct nip_oci_referrers *grown =
        reallocarray(index->referrers, index->referrers_count + 1, sizeof *index->referrers);
    if (grown == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for an index");
    index->referrers = grown;
    memmove(grown + at + 1, grown + at, (index->referrers_count - at) * sizeof *grown);
    grown[at] = *referrers;
    index->referrers_count++;
    return NIP_OK;
}

static struct nip_json *make_referrers_entry(const struct nip_oci_referrers *referrers)
{
    char name[7 + NIP_DIGEST_TEXT_SIZE] = "sha256-";
    struct nip_json *annotations = nip_json_make_object();
    nip_digest_text(referrers->subject, name + 7);
    nip_json_put_text(annotations, ref_key, name);
    struct nip_json *descriptor = oci_make_descriptor(NIP_OCI_INDEX_TYPE, &referrers->index);
    nip_json_put(descriptor, "annotations", annotations);
    return descriptor;
}

// Whether the entry of an index is one of referrers; then reads it.
static bool read_referrers_entry(const struct nip_json *descriptor,
                                 struct nip_oci_referrers *referrers)
{
    const char *name = nip_json_get_text(nip_json_get(descriptor, "annotations"), ref_key);
    return name != NULL && strncmp(name, "sha256-", 7) == 0 &&
           nip_hex_decode(name + 7, strlen(name + 7), referrers->subject, NIP_DIGEST_SIZE) &&
           oci_read_descriptor(descriptor, NIP_OCI_INDEX_TYPE, &referrers->index);
}

// ---- printing and reading ----

enum nip_code nip_oci_index_print(const struct nip_oci_index *index, struct nip_buffer *out,
                                  struct nip_error *err)
{
    struct nip_json *manifests = nip_json_make_array();
    for (size_t i = 0; i < index->count; i++) {
        struct nip_json *annotations = nip_json_make_object();
        nip_json_put_text(annotations, ref_key, index->entries[i].version);
        struct nip_json *descriptor =
            oci_make_descriptor(NIP_OCI_MANIFEST_TYPE, &index->entries[i].manifest);
        nip_json_put_text(descriptor, "artifactType", NIP_OCI_ARTIFACT_TYPE);
        nip_json_put(descriptor, "annotations", annotations);
        nip_json_append(manifests, descriptor);
    }
    for (size_t i = 0; i < index->referrers_count; i++)
        nip_json_append(manifests, make_referrers_entry(&index->referrers[i]));
    struct nip_json *json = nip_json_make_object();
    nip_json_put_u64(json, "schemaVersion", 2);
    nip_json_put_text(json, "mediaType", NIP_OCI_INDEX_TYPE);
    nip_json_put(json, "manifests", manifests);
    enum nip_code code = nip_json_print(json, false, out, err);
    nip_json_free(json);
    return code;
}

enum nip_code nip_oci_index_parse(const char *text, size_t size, const char *what,
                                  struct nip_oci_index *index, struct nip_error *err)
{
    struct nip_json *json;
    *index = (struct nip_oci_index){0};
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    if (code != NIP_OK)
        return code;
    const struct nip_json *manifests = nip_json_get(json, "manifests");
    if (!nip_json_is_array(manifests))
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is not an index", what);
    for (size_t i = 0; code == NIP_OK && i < nip_json_count(manifests); i++) {
        const struct nip_json *descriptor = nip_json_at(manifests, i);
        struct nip_oci_entry entry = {0};
        struct nip_oci_referrers referrers = {0};
        if (read_referrers_entry(descriptor, &referrers))
            code = nip_oci_index_referrers(index, referrers.subject) == NULL
                       ? nip_oci_index_put_referrers(index, &referrers, err)
                       : nip_error_set(err, NIP_ERROR_FORMAT, "entry %zu of %s stands there twice",
                                       i + 1, what);
        else if (!oci_read_descriptor(descriptor, NIP_OCI_MANIFEST_TYPE, &entry.manifest) ||
                 !copy_text(entry.version, sizeof entry.version,
                            nip_json_get_text(nip_json_get(descriptor, "annotations"), ref_key)))
            code = nip_error_set(err, NIP_ERROR_FORMAT, "entry %zu of %s is not a version", i + 1,
                                 what);
        else
            code = nip_oci_index_add(index, &entry, err);
    }
    nip_json_free(json);
    if (code != NIP_OK)
        nip_oci_index_free(index);
    return code;
}
