// SPDX-License-Identifier: Apache-2.0
//
// The pieces that a folder registry is made of: paths, blobs, the index and the lock of one
// package.

#include "folder_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCK_WAIT_MS_MAX = 120000 };

// ---- paths ----

// "ROOT/NAME/rest"; NULL without memory.
char *folder_package_path(const struct nip_folder *folder, const char *name, const char *rest)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s%s%s", folder->root, name, *rest != '\0' ? "/" : "", rest) < 0
               ? NULL
               : path;
}

char *folder_blob_path(const struct nip_folder *folder, const char *name,
                       const uint8_t sha256[NIP_DIGEST_SIZE])
{
    char digest[NIP_DIGEST_TEXT_SIZE], rest[16 + NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(sha256, digest);
    snprintf(rest, sizeof rest, "blobs/sha256/%s", digest);
    return folder_package_path(folder, name, rest);
}

enum nip_code folder_fail_memory(struct nip_error *err)
{
    return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the registry");
}

// ---- blobs ----

// Reads a blob of exactly this size and digest.
enum nip_code folder_read_blob(const struct nip_folder *folder, const char *name,
                               const struct nip_oci_blob *blob, struct nip_buffer *out,
                               struct nip_error *err)
{
    uint8_t sha256[NIP_DIGEST_SIZE];
    size_t start = out->size;
    char *path = folder_blob_path(folder, name, blob->sha256);
    if (path == NULL)
        return folder_fail_memory(err);
    enum nip_code code = nip_fs_read(path, (size_t)blob->size, out, err);
    if (code == NIP_OK) {
        size_t size = out->size - start;
        const uint8_t *data = (const uint8_t *)nip_buffer_text(out) + start;
        nip_sha256_bytes(data, size, sha256);
        if (size != blob->size || memcmp(sha256, blob->sha256, sizeof sha256) != 0)
            code = nip_error_set(err, NIP_ERROR_DIGEST,
                                 "%s is damaged: its content does not have "
                                 "the digest that is its name",
                                 path);
    }
    if (code != NIP_OK && out->size > start)
        out->size = start;
    free(path);
    return code;
}

enum nip_code folder_write_blob(const struct nip_folder *folder, const char *name, const void *data,
                                size_t size, struct nip_oci_blob *blob, struct nip_error *err)
{
    nip_sha256_bytes(data, size, blob->sha256);
    blob->size = size;
    char *path = folder_blob_path(folder, name, blob->sha256);
    if (path == NULL)
        return folder_fail_memory(err);
    struct nip_error reason = {0};
    enum nip_code code = nip_fs_create(path, data, size, 0644, &reason);
    if (code == NIP_ERROR_EXISTS) {
        // The name is the digest, so it is the same content, unless the disk has damaged it.
        struct nip_buffer old = {0};
        code = folder_read_blob(folder, name, blob, &old, &reason);
        if (code != NIP_OK)
            code = nip_fs_write(path, data, size, 0644, &reason);
        nip_buffer_free(&old);
    }
    if (code != NIP_OK && err != NULL)
        *err = reason;
    free(path);
    return code;
}

// ---- the index of one package ----

// Reads index.json; an empty index if the file is missing.
enum nip_code folder_read_index(const struct nip_folder *folder, const char *name,
                                struct nip_oci_index *index, bool *is_there, struct nip_error *err)
{
    struct nip_buffer text = {0};
    *index = (struct nip_oci_index){0};
    *is_there = false;
    char *path = folder_package_path(folder, name, "index.json");
    if (path == NULL)
        return folder_fail_memory(err);
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(path) != NIP_FS_NOTHING) {
        *is_there = true;
        code = nip_fs_read(path, NIP_OCI_INDEX_SIZE_MAX, &text, err);
        if (code == NIP_OK)
            code = nip_oci_index_parse(nip_buffer_text(&text), text.size, path, index, err);
        if (code != NIP_OK)
            nip_error_hint(err, "the index is only a cache: rebuild it with 'nip registry repair'");
    }
    nip_buffer_free(&text);
    free(path);
    return code;
}

// Writes index.json if that changes it.
enum nip_code folder_write_index(const struct nip_folder *folder, const char *name,
                                 const struct nip_oci_index *index, bool *changed,
                                 struct nip_error *err)
{
    struct nip_buffer text = {0}, old = {0};
    *changed = false;
    char *path = folder_package_path(folder, name, "index.json");
    enum nip_code code =
        path == NULL ? folder_fail_memory(err) : nip_oci_index_print(index, &text, err);
    if (code == NIP_OK && (nip_fs_read(path, NIP_OCI_INDEX_SIZE_MAX, &old, NULL) != NIP_OK ||
                           !nip_buffer_equals(&old, text.data, text.size))) {
        code = nip_fs_write(path, text.data, text.size, 0644, err);
        *changed = code == NIP_OK;
    }
    nip_buffer_free(&text);
    nip_buffer_free(&old);
    free(path);
    return code;
}

enum nip_code folder_write_layout(const struct nip_folder *folder, const char *name,
                                  struct nip_error *err)
{
    char *path = folder_package_path(folder, name, "oci-layout");
    if (path == NULL)
        return folder_fail_memory(err);
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        code = nip_fs_write(path, NIP_OCI_LAYOUT, strlen(NIP_OCI_LAYOUT), 0644, err);
    free(path);
    return code;
}

enum nip_code folder_lock_package(const struct nip_folder *folder, const char *name,
                                  struct nip_fs_lock *lock, struct nip_error *err)
{
    char *blobs = folder_package_path(folder, name, "blobs/sha256");
    char *path = folder_package_path(folder, name, "lock");
    enum nip_code code = NIP_OK;
    if (blobs == NULL || path == NULL)
        code = folder_fail_memory(err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(blobs, NULL, err);
    if (code == NIP_OK)
        code = nip_fs_lock(path, LOCK_WAIT_MS_MAX, lock, err);
    free(blobs);
    free(path);
    return code;
}

enum nip_code folder_check_package_exists(const struct nip_folder *folder, const char *name,
                                          struct nip_error *err)
{
    enum nip_code code = nip_name_check(name, err);
    if (code != NIP_OK)
        return code;
    char *path = folder_package_path(folder, name, "blobs");
    if (path == NULL)
        return folder_fail_memory(err);
    if (nip_fs_kind(path) != NIP_FS_FOLDER) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s is not in the registry %s", name,
                             folder->root);
        nip_error_hint(err, "check the name; publish it there with 'nip publish'");
    }
    free(path);
    return code;
}
