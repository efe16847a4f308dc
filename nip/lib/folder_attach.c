// SPDX-License-Identifier: Apache-2.0
//
// Further signatures in a folder registry: objects that refer to a version's manifest, listed by an
// index of their own, which index.json names. Nothing here is trusted by whoever reads it: a
// signature counts by the key that made it.
//
// Order of attaching, under the package's lock: signature, its manifest, the new list, index.json.

#include <stdlib.h>
#include <string.h>

#include "folder_parts.h"
#include "nip/minisign.h"

enum nip_code folder_read_referrers(const struct nip_folder *folder, const char *name,
                                    const struct nip_oci_index *index,
                                    const uint8_t subject[NIP_DIGEST_SIZE],
                                    struct nip_oci_referrer attached[NIP_OCI_REFERRERS_MAX],
                                    size_t *count, struct nip_error *err)
{
    struct nip_buffer text = {0};
    const struct nip_oci_referrers *referrers = nip_oci_index_referrers(index, subject);
    *count = 0;
    if (referrers == NULL)
        return NIP_OK;
    if (referrers->index.size > NIP_OCI_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "the list of what is attached to %s is too large", name);
    enum nip_code code = folder_read_blob(folder, name, &referrers->index, &text, err);
    if (code == NIP_OK)
        code = nip_oci_referrers_parse(nip_buffer_text(&text), text.size,
                                       "the list of what is attached", attached, count, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code folder_put_attached(const struct nip_folder *folder, const char *name,
                                  struct nip_oci_index *index,
                                  const uint8_t subject[NIP_DIGEST_SIZE],
                                  const struct nip_oci_referrer *referrer, struct nip_error *err)
{
    struct nip_oci_referrer attached[NIP_OCI_REFERRERS_MAX + 1];
    size_t count = 0;
    struct nip_buffer text = {0};
    struct nip_oci_referrers referrers = {0};
    enum nip_code code = folder_read_referrers(folder, name, index, subject, attached, &count, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = 0; i < count; i++)
        if (memcmp(attached[i].manifest.sha256, referrer->manifest.sha256, NIP_DIGEST_SIZE) == 0)
            return NIP_OK;
    memcpy(referrers.subject, subject, sizeof referrers.subject);
    attached[count++] = *referrer;
    code = nip_oci_referrers_print(attached, count, &text, err);
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, text.data, text.size, &referrers.index, err);
    if (code == NIP_OK)
        code = nip_oci_index_put_referrers(index, &referrers, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code folder_find_version(const struct nip_folder *folder, const char *name,
                                  const char *version, struct nip_oci_index *index,
                                  const struct nip_oci_entry **entry, struct nip_error *err)
{
    bool is_there;
    enum nip_code code = folder_read_index(folder, name, index, &is_there, err);
    *entry = nip_oci_index_find(index, version);
    if (code == NIP_OK && *entry == NULL)
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s has no version %s in %s", name, version,
                             folder->root);
    return code;
}

// Under the lock.
static enum nip_code attach_locked(const struct nip_folder *folder, const char *name,
                                   const char *version, const void *signature, size_t size,
                                   struct nip_error *err)
{
    struct nip_oci_index index = {0};
    const struct nip_oci_entry *entry = NULL;
    struct nip_oci_attachment attachment = {0};
    struct nip_oci_blob config;
    struct nip_oci_referrer referrer = {0};
    struct nip_buffer text = {0};
    bool changed;
    enum nip_code code = folder_find_version(folder, name, version, &index, &entry, err);
    if (code == NIP_OK) {
        attachment.subject = entry->manifest;
        code = folder_write_blob(folder, name, signature, size, &attachment.layer, err);
    }
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, NIP_OCI_EMPTY_CONFIG, strlen(NIP_OCI_EMPTY_CONFIG),
                                 &config, err);
    if (code == NIP_OK)
        code = nip_oci_attachment_print(&attachment, &text, err);
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, text.data, text.size, &referrer.manifest, err);
    if (code == NIP_OK)
        code = folder_put_attached(folder, name, &index, attachment.subject.sha256, &referrer, err);
    if (code == NIP_OK)
        code = folder_write_index(folder, name, &index, &changed, err);
    nip_buffer_free(&text);
    nip_oci_index_free(&index);
    return code;
}

enum nip_code nip_folder_attach(struct nip_folder *folder, const char *name, const char *version,
                                const void *signature, size_t size, struct nip_error *err)
{
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    enum nip_code code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK && size > NIP_SIGNATURE_FILE_SIZE_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "a signature has at most %d bytes",
                             NIP_SIGNATURE_FILE_SIZE_MAX);
    if (code == NIP_OK)
        code = folder_lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = attach_locked(folder, name, version, signature, size, err);
    nip_fs_unlock(&lock);
    return code;
}

static enum nip_code hand_out(const struct nip_folder *folder, const char *name,
                              const struct nip_oci_blob *manifest, nip_folder_each_fn each,
                              void *context, struct nip_error *err)
{
    struct nip_oci_attachment attachment;
    struct nip_buffer text = {0};
    if (manifest->size > NIP_OCI_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the manifest of a signature is too large");
    enum nip_code code = folder_read_blob(folder, name, manifest, &text, err);
    if (code == NIP_OK)
        code = nip_oci_attachment_parse(nip_buffer_text(&text), text.size,
                                        "the manifest of a signature", &attachment, err);
    nip_buffer_clear(&text);
    if (code == NIP_OK && attachment.layer.size > NIP_SIGNATURE_FILE_SIZE_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "a signature of %s is too large", name);
    if (code == NIP_OK)
        code = folder_read_blob(folder, name, &attachment.layer, &text, err);
    if (code == NIP_OK)
        code = each(context, text.data, text.size, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code nip_folder_attached(struct nip_folder *folder, const char *name, const char *version,
                                  nip_folder_each_fn each, void *context, struct nip_error *err)
{
    struct nip_oci_index index = {0};
    const struct nip_oci_entry *entry = NULL;
    struct nip_oci_referrer attached[NIP_OCI_REFERRERS_MAX];
    size_t count = 0;
    enum nip_code code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = folder_find_version(folder, name, version, &index, &entry, err);
    if (code == NIP_OK)
        code = folder_read_referrers(folder, name, &index, entry->manifest.sha256, attached, &count,
                                     err);
    for (size_t i = 0; code == NIP_OK && i < count; i++)
        if (!attached[i].is_beside)
            code = hand_out(folder, name, &attached[i].manifest, each, context, err);
    nip_oci_index_free(&index);
    return code;
}

// ---- repair ----

static bool has_blob(const struct nip_folder *folder, const char *name,
                     const struct nip_oci_blob *blob)
{
    char *path = folder_blob_path(folder, name, blob->sha256);
    bool has = path != NULL && nip_fs_kind(path) == NIP_FS_FILE;
    free(path);
    return has;
}

// Whether it is the manifest of files beside a package, all of which are there.
static bool is_beside(const struct nip_folder *folder, const char *name,
                      const struct nip_buffer *text, uint8_t subject[NIP_DIGEST_SIZE])
{
    struct nip_oci_beside *beside = calloc(1, sizeof *beside);
    bool is_one = beside != NULL && nip_oci_beside_parse(nip_buffer_text(text), text->size, name,
                                                         beside, NULL) == NIP_OK;
    for (size_t i = 0; is_one && i < beside->count; i++)
        is_one = has_blob(folder, name, &beside->files[i].layer);
    if (is_one)
        memcpy(subject, beside->subject.sha256, NIP_DIGEST_SIZE);
    free(beside);
    return is_one;
}

static bool is_signature(const struct nip_folder *folder, const char *name,
                         const struct nip_buffer *text, uint8_t subject[NIP_DIGEST_SIZE])
{
    struct nip_oci_attachment attachment;
    if (nip_oci_attachment_parse(nip_buffer_text(text), text->size, name, &attachment, NULL) !=
            NIP_OK ||
        !has_blob(folder, name, &attachment.layer))
        return false;
    memcpy(subject, attachment.subject.sha256, NIP_DIGEST_SIZE);
    return true;
}

// Whether the blob `file_name` is the manifest of something attached that is there; then reads it.
static bool look_at_blob(const struct nip_folder *folder, const char *name, const char *file_name,
                         struct nip_oci_referrer *referrer, uint8_t subject[NIP_DIGEST_SIZE])
{
    struct nip_buffer text = {0};
    struct nip_oci_blob *manifest = &referrer->manifest;
    *referrer = (struct nip_oci_referrer){0};
    if (!nip_hex_decode(file_name, strlen(file_name), manifest->sha256, NIP_DIGEST_SIZE))
        return false;
    char *path = folder_blob_path(folder, name, manifest->sha256);
    bool is_one =
        path != NULL && nip_fs_read(path, NIP_OCI_MANIFEST_SIZE_MAX, &text, NULL) == NIP_OK;
    manifest->size = text.size;
    free(path);
    nip_buffer_clear(&text);
    is_one = is_one && folder_read_blob(folder, name, manifest, &text, NULL) == NIP_OK;
    referrer->is_beside = is_one && is_beside(folder, name, &text, subject);
    is_one = is_one && (referrer->is_beside || is_signature(folder, name, &text, subject));
    nip_buffer_free(&text);
    return is_one;
}

enum nip_code folder_rebuild_attached(const struct nip_folder *folder, const char *name,
                                      const struct nip_fs_names *blobs, struct nip_oci_index *index,
                                      struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; i < blobs->count && code == NIP_OK; i++) {
        struct nip_oci_referrer referrer;
        uint8_t subject[NIP_DIGEST_SIZE];
        if (!look_at_blob(folder, name, blobs->names[i], &referrer, subject))
            continue;
        bool is_of_version = false;
        for (size_t e = 0; e < index->count; e++)
            is_of_version = is_of_version || memcmp(index->entries[e].manifest.sha256, subject,
                                                    NIP_DIGEST_SIZE) == 0;
        if (is_of_version)
            code = folder_put_attached(folder, name, index, subject, &referrer, err);
    }
    return code;
}
