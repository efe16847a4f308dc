// SPDX-License-Identifier: Apache-2.0
//
// Changing a folder registry: publishing a version, and rebuilding a lost index.
//
// Order of a publish, all of it under the package's lock: blob of the .npl, blob of the config,
// blob of the manifest (each complete or absent, never replaced), then index.json by rename. A
// crash before the rename leaves blobs that nothing refers to; the version can be published again,
// or found by repair.

#include <stdlib.h>
#include <string.h>

#include "folder_parts.h"

// ---- repair ----

// Reads the blob `file_name` as a manifest of this package whose layer is there. *is_one says if.
static enum nip_code look_at_blob(const struct nip_folder *folder, const char *name,
                                  const char *file_name, struct nip_oci_entry *entry, bool *is_one,
                                  struct nip_error *err)
{
    struct nip_oci_manifest manifest;
    struct nip_buffer text = {0};
    *is_one = false;
    *entry = (struct nip_oci_entry){0};
    if (!nip_hex_decode(file_name, strlen(file_name), entry->manifest.sha256, NIP_DIGEST_SIZE))
        return NIP_OK;
    char *path = folder_blob_path(folder, name, entry->manifest.sha256);
    if (path == NULL)
        return folder_fail_memory(err);
    // A large or damaged blob is none; that is no error of the repair.
    bool is_read = nip_fs_read(path, NIP_OCI_MANIFEST_SIZE_MAX, &text, NULL) == NIP_OK;
    free(path);
    entry->manifest.size = text.size;
    nip_buffer_clear(&text);
    if (is_read && folder_read_blob(folder, name, &entry->manifest, &text, NULL) == NIP_OK &&
        nip_oci_manifest_parse(nip_buffer_text(&text), text.size, file_name, &manifest, NULL) ==
            NIP_OK &&
        strcmp(manifest.name, name) == 0) {
        char *layer = folder_blob_path(folder, name, manifest.layer.sha256);
        *is_one = layer != NULL && nip_fs_kind(layer) == NIP_FS_FILE;
        free(layer);
        memcpy(entry->version, manifest.version, sizeof entry->version);
    }
    nip_buffer_free(&text);
    return NIP_OK;
}

// Adds a manifest that was found. Where two claim one version, the old index decides.
static enum nip_code add_found(struct nip_oci_index *index, const struct nip_oci_index *old,
                               const char *name, const struct nip_oci_entry *entry,
                               struct nip_error *err)
{
    const struct nip_oci_entry *known = nip_oci_index_find(old, entry->version);
    if (known != NULL &&
        memcmp(known->manifest.sha256, entry->manifest.sha256, NIP_DIGEST_SIZE) != 0)
        return NIP_OK;
    enum nip_code code = nip_oci_index_add(index, entry, err);
    if (code == NIP_ERROR_EXISTS) {
        char digest[NIP_DIGEST_TEXT_SIZE];
        nip_digest_text(entry->manifest.sha256, digest);
        code = nip_error_set(err, NIP_ERROR_CONFLICT,
                             "two manifests claim %s %s, and no index says which one counts", name,
                             entry->version);
        nip_error_hint(err,
                       "look at both packages, then delete the manifest of the wrong one "
                       "(one of them is blobs/sha256/%s)",
                       digest);
    }
    return code;
}

// Makes the index that the manifests among the blobs give.
static enum nip_code rebuild_index(const struct nip_folder *folder, const char *name,
                                   struct nip_oci_index *index, struct nip_error *err)
{
    struct nip_oci_index old;
    struct nip_fs_names names = {0};
    bool is_there;
    *index = (struct nip_oci_index){0};
    if (folder_read_index(folder, name, &old, &is_there, NULL) != NIP_OK)
        old = (struct nip_oci_index){0}; // unreadable: as if there were none
    char *path = folder_package_path(folder, name, "blobs/sha256");
    enum nip_code code = path == NULL ? folder_fail_memory(err) : nip_fs_list(path, &names, err);
    for (size_t i = 0; i < names.count && code == NIP_OK; i++) {
        struct nip_oci_entry entry;
        bool is_one;
        code = look_at_blob(folder, name, names.names[i], &entry, &is_one, err);
        if (code == NIP_OK && is_one)
            code = add_found(index, &old, name, &entry, err);
    }
    if (code == NIP_OK)
        code = folder_rebuild_attached(folder, name, &names, index, err);
    nip_fs_names_free(&names);
    nip_oci_index_free(&old);
    free(path);
    if (code != NIP_OK)
        nip_oci_index_free(index);
    return code;
}

enum nip_code nip_folder_repair(struct nip_folder *folder, const char *name, bool *repaired,
                                struct nip_error *err)
{
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    struct nip_oci_index index = {0};
    *repaired = false;
    enum nip_code code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = folder_lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = rebuild_index(folder, name, &index, err);
    if (code == NIP_OK)
        code = folder_write_layout(folder, name, err);
    if (code == NIP_OK)
        code = folder_write_index(folder, name, &index, repaired, err);
    nip_oci_index_free(&index);
    nip_fs_unlock(&lock);
    return code;
}

// ---- publishing ----

// Writes the blobs of a version, what belongs beside it included, and adds it to `index`.
static enum nip_code add_version(const struct nip_folder *folder, const char *name,
                                 const char *version, const uint8_t id[NIP_DIGEST_SIZE],
                                 const void *npl, size_t npl_size,
                                 const struct nip_folder_file *files, size_t file_count,
                                 struct nip_oci_index *index, struct nip_error *err)
{
    struct nip_oci_manifest manifest = {0};
    struct nip_oci_entry entry = {0};
    struct nip_oci_blob config;
    struct nip_buffer text = {0};
    memcpy(manifest.name, name, strlen(name));
    memcpy(manifest.version, version, strlen(version));
    memcpy(manifest.id, id, sizeof manifest.id);
    memcpy(entry.version, version, strlen(version));
    enum nip_code code = folder_write_blob(folder, name, npl, npl_size, &manifest.layer, err);
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, NIP_OCI_EMPTY_CONFIG, strlen(NIP_OCI_EMPTY_CONFIG),
                                 &config, err);
    if (code == NIP_OK)
        code = nip_oci_manifest_print(&manifest, &text, err);
    if (code == NIP_OK) {
        nip_sha256_bytes(text.data, text.size, entry.manifest.sha256);
        entry.manifest.size = text.size;
        code = nip_oci_index_add(index, &entry, err);
    }
    // The manifest last: it makes the version, also for whoever rebuilds the index.
    if (code == NIP_OK)
        code = folder_put_beside(folder, name, index, &entry.manifest, files, file_count, err);
    if (code == NIP_OK)
        code = folder_write_blob(folder, name, text.data, text.size, &entry.manifest, err);
    nip_buffer_free(&text);
    return code;
}

// Under the lock.
static enum nip_code publish_locked(const struct nip_folder *folder, const char *name,
                                    const char *version, const uint8_t id[NIP_DIGEST_SIZE],
                                    const void *npl, size_t npl_size,
                                    const struct nip_folder_file *files, size_t file_count,
                                    struct nip_error *err)
{
    struct nip_oci_index index;
    bool is_there, changed;
    enum nip_code code = folder_read_index(folder, name, &index, &is_there, err);
    if (code == NIP_OK && !is_there) { // new, or the cache was lost, or never written
        code = rebuild_index(folder, name, &index, err);
        if (code == NIP_OK && index.count != 0)
            code = folder_write_index(folder, name, &index, &changed, err);
    }
    if (code == NIP_OK && nip_oci_index_find(&index, version) != NULL) {
        code = nip_error_set(err, NIP_ERROR_EXISTS, "%s %s is published already in %s", name,
                             version, folder->root);
        nip_error_hint(err, "a published version never changes: raise the version in npl.kdl");
    }
    if (code == NIP_OK)
        code = folder_write_layout(folder, name, err);
    if (code == NIP_OK)
        code =
            add_version(folder, name, version, id, npl, npl_size, files, file_count, &index, err);
    if (code == NIP_OK)
        code = folder_write_index(folder, name, &index, &changed, err);
    nip_oci_index_free(&index);
    return code;
}

enum nip_code nip_folder_publish(struct nip_folder *folder, const char *name, const char *version,
                                 const uint8_t id[NIP_DIGEST_SIZE], const void *npl,
                                 size_t npl_size, const struct nip_folder_file *files,
                                 size_t file_count, struct nip_error *err)
{
    struct nip_version parsed;
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    enum nip_code code = nip_name_check(name, err);
    if (code == NIP_OK)
        code = nip_version_check(version, &parsed, err);
    if (code == NIP_OK)
        code = folder_lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = publish_locked(folder, name, version, id, npl, npl_size, files, file_count, err);
    nip_fs_unlock(&lock);
    return code;
}
