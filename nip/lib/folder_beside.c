// SPDX-License-Identifier: Apache-2.0
//
// Files beside a package in a folder registry: the source archive and the debug files that the
// signed list names and the package does not carry. They come with the version, in one change of
// the index. Whoever wants one brings size and digest along from the list: nothing else is handed
// out, and no more than that size is ever read.

#include <stdlib.h>
#include <string.h>

#include "folder_parts.h"

enum nip_code folder_put_beside(const struct nip_folder *folder, const char *name,
                                struct nip_oci_index *index, const struct nip_oci_blob *subject,
                                const struct nip_folder_file *files, size_t count,
                                struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct nip_oci_referrer referrer = {.is_beside = true};
    if (count == 0)
        return NIP_OK;
    if (count > NIP_OCI_BESIDE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d files beside one package",
                             NIP_OCI_BESIDE_MAX);
    struct nip_oci_beside *beside = calloc(1, sizeof *beside);
    if (beside == NULL)
        return folder_fail_memory(err);
    beside->subject = *subject;
    beside->count = count;
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        if (!nip_path_is_valid(files[i].path, strlen(files[i].path))) {
            code =
                nip_error_set(err, NIP_ERROR_NAME, "'%s' is no path of a package", files[i].path);
            break;
        }
        memcpy(beside->files[i].path, files[i].path, strlen(files[i].path) + 1);
        code = folder_write_blob(folder, name, files[i].data, files[i].size,
                                 &beside->files[i].layer, err);
    }
    if (code == NIP_OK)
        code = nip_oci_beside_print(beside, &text, err);
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, text.data, text.size, &referrer.manifest, err);
    if (code == NIP_OK)
        code = folder_put_attached(folder, name, index, subject->sha256, &referrer, err);
    nip_buffer_free(&text);
    free(beside);
    return code;
}

// ---- reading ----

// The file that a manifest names by this path, if it is the one that is wanted.
static enum nip_code read_file(const struct nip_folder *folder, const char *name,
                               const struct nip_oci_beside *beside,
                               const struct nip_digests_file *wanted, bool *found,
                               struct nip_buffer *out, struct nip_error *err)
{
    uint8_t digest[NIP_DIGEST_SIZE];
    size_t start = out->size;
    for (size_t i = 0; i < beside->count; i++) {
        const struct nip_oci_blob *layer = &beside->files[i].layer;
        if (strcmp(beside->files[i].path, wanted->path) != 0)
            continue;
        if (layer->size != wanted->size)
            return nip_error_set(err, NIP_ERROR_DIGEST,
                                 "the registry has %llu bytes as %s of %s; the publisher signed "
                                 "%llu",
                                 (unsigned long long)layer->size, wanted->path, name,
                                 (unsigned long long)wanted->size);
        enum nip_code code = folder_read_blob(folder, name, layer, out, err);
        if (code != NIP_OK)
            return code;
        nip_hash_bytes(nip_buffer_text(out) + start, out->size - start, digest);
        *found = memcmp(digest, wanted->digest, sizeof digest) == 0;
        if (*found)
            return NIP_OK;
        out->size = start;
        return nip_error_set(err, NIP_ERROR_DIGEST,
                             "what the registry has as %s of %s is not what the publisher signed",
                             wanted->path, name);
    }
    return NIP_OK;
}

static enum nip_code look_into(const struct nip_folder *folder, const char *name,
                               const struct nip_oci_blob *manifest,
                               const struct nip_digests_file *wanted, bool *found,
                               struct nip_buffer *out, struct nip_error *err)
{
    struct nip_buffer text = {0};
    if (manifest->size > NIP_OCI_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "a list of files beside %s is too large", name);
    struct nip_oci_beside *beside = calloc(1, sizeof *beside);
    enum nip_code code = beside == NULL ? folder_fail_memory(err)
                                        : folder_read_blob(folder, name, manifest, &text, err);
    if (code == NIP_OK)
        code = nip_oci_beside_parse(nip_buffer_text(&text), text.size,
                                    "the list of files beside the package", beside, err);
    if (code == NIP_OK)
        code = read_file(folder, name, beside, wanted, found, out, err);
    nip_buffer_free(&text);
    free(beside);
    return code;
}

enum nip_code nip_folder_fetch_beside(struct nip_folder *folder, const char *name,
                                      const char *version, const struct nip_digests_file *wanted,
                                      struct nip_buffer *out, struct nip_error *err)
{
    struct nip_oci_index index = {0};
    const struct nip_oci_entry *entry = NULL;
    struct nip_oci_referrer attached[NIP_OCI_REFERRERS_MAX];
    struct nip_error cause = {0};
    size_t count = 0;
    bool found = false;
    enum nip_code code = folder_check_package_exists(folder, name, err), worst = NIP_OK;
    if (code == NIP_OK)
        code = folder_find_version(folder, name, version, &index, &entry, err);
    if (code == NIP_OK)
        code = folder_read_referrers(folder, name, &index, entry->manifest.sha256, attached, &count,
                                     err);
    nip_oci_index_free(&index);
    // Of several that claim the path, the one that fits; what is wrong with the others is said only
    // when none does.
    for (size_t i = 0; code == NIP_OK && !found && i < count; i++) {
        struct nip_error one = {0};
        if (!attached[i].is_beside)
            continue;
        enum nip_code result =
            look_into(folder, name, &attached[i].manifest, wanted, &found, out, &one);
        if (result != NIP_OK && worst == NIP_OK) {
            worst = result;
            cause = one;
        }
    }
    if (code != NIP_OK || found)
        return code;
    if (worst != NIP_OK) {
        if (err != NULL)
            *err = cause;
        nip_error_hint(err, "get the file from the publisher, or from another registry");
        return worst;
    }
    nip_error_set(err, NIP_ERROR_MISSING, "%s has no %s of %s %s", folder->root, wanted->path, name,
                  version);
    nip_error_hint(err, "it was published without; ask the publisher for the file");
    return NIP_ERROR_MISSING;
}
