// SPDX-License-Identifier: Apache-2.0
//
// Files beside a package as an OCI artifact that refers to the package's manifest (image
// specification 1.1, "subject"). Each is one layer, as it is, with its path as the title, so that
// tools of others can take it out by name. The digests here only find the bytes: what they must be
// is said by the list that the publisher has signed.

#include <stdlib.h>
#include <string.h>

#include "oci_parts.h"

static const char title_key[] = "org.opencontainers.image.title";

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct nip_oci_beside_file *)a)->path,
                  ((const struct nip_oci_beside_file *)b)->path);
}

enum nip_code nip_oci_beside_print(const struct nip_oci_beside *beside, struct nip_buffer *out,
                                   struct nip_error *err)
{
    struct nip_oci_beside sorted = *beside;
    struct nip_oci_blob config = {.size = sizeof NIP_OCI_EMPTY_CONFIG - 1};
    nip_sha256_bytes(NIP_OCI_EMPTY_CONFIG, (size_t)config.size, config.sha256);
    qsort(sorted.files, sorted.count, sizeof sorted.files[0], compare_files);
    struct nip_json *layers = nip_json_make_array();
    for (size_t i = 0; i < sorted.count; i++) {
        struct nip_json *annotations = nip_json_make_object();
        struct nip_json *layer = oci_make_descriptor(NIP_OCI_FILE_TYPE, &sorted.files[i].layer);
        nip_json_put_text(annotations, title_key, sorted.files[i].path);
        nip_json_put(layer, "annotations", annotations);
        nip_json_append(layers, layer);
    }
    struct nip_json *json = nip_json_make_object();
    nip_json_put_u64(json, "schemaVersion", 2);
    nip_json_put_text(json, "mediaType", NIP_OCI_MANIFEST_TYPE);
    nip_json_put_text(json, "artifactType", NIP_OCI_BESIDE_TYPE);
    nip_json_put(json, "config", oci_make_descriptor(NIP_OCI_EMPTY_TYPE, &config));
    nip_json_put(json, "layers", layers);
    nip_json_put(json, "subject", oci_make_descriptor(NIP_OCI_MANIFEST_TYPE, &sorted.subject));
    enum nip_code code = nip_json_print(json, false, out, err);
    nip_json_free(json);
    return code;
}

static bool read_file(const struct nip_json *layer, struct nip_oci_beside *beside)
{
    struct nip_oci_beside_file *file = &beside->files[beside->count];
    const char *path = nip_json_get_text(nip_json_get(layer, "annotations"), title_key);
    if (path == NULL || !nip_path_is_valid(path, strlen(path)) ||
        !oci_read_descriptor(layer, NIP_OCI_FILE_TYPE, &file->layer) ||
        // Sorted, so each path is there once.
        (beside->count != 0 && strcmp(beside->files[beside->count - 1].path, path) >= 0))
        return false;
    memcpy(file->path, path, strlen(path) + 1);
    beside->count++;
    return true;
}

enum nip_code nip_oci_beside_parse(const char *text, size_t size, const char *what,
                                   struct nip_oci_beside *beside, struct nip_error *err)
{
    struct nip_json *json;
    *beside = (struct nip_oci_beside){0};
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    if (code != NIP_OK)
        return code;
    const char *type = nip_json_get_text(json, "artifactType");
    const struct nip_json *layers = nip_json_get(json, "layers");
    size_t count = nip_json_is_array(layers) ? nip_json_count(layers) : 0;
    bool is_one =
        type != NULL && strcmp(type, NIP_OCI_BESIDE_TYPE) == 0 && count != 0 &&
        count <= NIP_OCI_BESIDE_MAX &&
        oci_read_descriptor(nip_json_get(json, "subject"), NIP_OCI_MANIFEST_TYPE, &beside->subject);
    for (size_t i = 0; is_one && i < count; i++)
        is_one = read_file(nip_json_at(layers, i), beside);
    if (!is_one)
        code = nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s is not the manifest of files beside a package", what);
    nip_json_free(json);
    return code;
}
