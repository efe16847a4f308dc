// SPDX-License-Identifier: Apache-2.0
//
// The folder registry: files around the texts of oci.c. See the layout in nip/folder.h.
//
// Order of a publish, all of it under the package's lock: blob of the .npl, blob of the config,
// blob of the manifest (each complete or absent, never replaced), then index.json by rename. A
// crash before the rename leaves blobs that nothing refers to; the version can be published again,
// or found by repair. Reading takes no lock: it sees the index before or after.

#include "nip/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nip/fs.h"
#include "nip/oci.h"

static const char marker_name[] = "rumpk-registry";
static const char marker_text[] = "rumpk-registry 1\nfreshness none\n";
enum { LOCK_WAIT_MS_MAX = 120000, MARKER_SIZE_MAX = 4096 };

struct nip_folder {
    char *root;
};

// ---- paths ----

// "ROOT/NAME/rest"; NULL without memory.
static char *package_path(const struct nip_folder *folder, const char *name, const char *rest)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s%s%s", folder->root, name, *rest != '\0' ? "/" : "", rest) < 0
               ? NULL
               : path;
}

static char *blob_path(const struct nip_folder *folder, const char *name,
                       const uint8_t sha256[NIP_DIGEST_SIZE])
{
    char digest[NIP_DIGEST_TEXT_SIZE], rest[16 + NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(sha256, digest);
    snprintf(rest, sizeof rest, "blobs/sha256/%s", digest);
    return package_path(folder, name, rest);
}

static enum nip_code fail_memory(struct nip_error *err)
{
    return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the registry");
}

// ---- the registry itself ----

static bool is_registry(const char *marker)
{
    struct nip_buffer text = {0};
    bool is_ours = nip_fs_read(marker, MARKER_SIZE_MAX, &text, NULL) == NIP_OK &&
                   strncmp(nip_buffer_text(&text), "rumpk-registry 1\n", 17) == 0;
    nip_buffer_free(&text);
    return is_ours;
}

// Whether nothing but the beginnings of another process's marker is there.
static enum nip_code check_empty(const char *root, bool *is_empty, struct nip_error *err)
{
    struct nip_fs_names names;
    enum nip_code code = nip_fs_list(root, &names, err);
    if (code != NIP_OK)
        return code;
    *is_empty = true;
    for (size_t i = 0; i < names.count; i++)
        *is_empty = *is_empty && names.names[i][0] == '.' &&
                    strncmp(names.names[i] + 1, marker_name, strlen(marker_name)) == 0;
    nip_fs_names_free(&names);
    return NIP_OK;
}

static enum nip_code make_registry(const char *root, const char *marker, bool *is_new,
                                   struct nip_error *err)
{
    bool is_empty = false;
    enum nip_code code = nip_fs_make_folders(root, NULL, err);
    if (code == NIP_OK)
        code = check_empty(root, &is_empty, err);
    if (code != NIP_OK || is_registry(marker)) // somebody else may have been faster
        return code;
    if (!is_empty) {
        code =
            nip_error_set(err, NIP_ERROR_CONFLICT,
                          "%s is not empty and is not a registry: nothing was written there", root);
        nip_error_hint(err, "name an empty folder, one that does not exist yet, or a registry that "
                            "nip has made");
        return code;
    }
    code = nip_fs_create(marker, marker_text, strlen(marker_text), 0644, err);
    *is_new = code == NIP_OK;
    return code == NIP_ERROR_EXISTS ? NIP_OK : code;
}

static enum nip_code open_registry(const char *root, bool may_create, bool *is_new,
                                   struct nip_error *err)
{
    char *marker = nip_fs_join(root, marker_name);
    if (marker == NULL)
        return fail_memory(err);
    enum nip_code code = NIP_OK;
    if (!is_registry(marker)) {
        if (may_create) {
            code = make_registry(root, marker, is_new, err);
        } else if (nip_fs_kind(root) == NIP_FS_NOTHING) {
            code = nip_error_set(err, NIP_ERROR_MISSING, "there is no registry at %s", root);
            nip_error_hint(err, "check the path; 'nip publish --registry file:%s' makes one", root);
        } else {
            code = nip_error_set(err, NIP_ERROR_MISSING, "%s is not a registry", root);
            nip_error_hint(err, "expected the file %s in it, which nip writes when it makes one",
                           marker_name);
        }
    }
    free(marker);
    return code;
}

enum nip_code nip_folder_open(const char *root, bool may_create, struct nip_folder **folder,
                              bool *is_new, struct nip_error *err)
{
    bool ignored;
    *folder = NULL;
    if (is_new == NULL)
        is_new = &ignored;
    *is_new = false;
    enum nip_code code = open_registry(root, may_create, is_new, err);
    if (code != NIP_OK)
        return code;
    struct nip_folder *made = calloc(1, sizeof *made);
    if (made == NULL || (made->root = strdup(root)) == NULL) {
        free(made);
        return fail_memory(err);
    }
    *folder = made;
    return NIP_OK;
}

void nip_folder_close(struct nip_folder *folder)
{
    if (folder == NULL)
        return;
    free(folder->root);
    free(folder);
}

// ---- blobs ----

// Reads a blob of exactly this size and digest.
static enum nip_code read_blob(const struct nip_folder *folder, const char *name,
                               const struct nip_oci_blob *blob, struct nip_buffer *out,
                               struct nip_error *err)
{
    uint8_t sha256[NIP_DIGEST_SIZE];
    size_t start = out->size;
    char *path = blob_path(folder, name, blob->sha256);
    if (path == NULL)
        return fail_memory(err);
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

static enum nip_code write_blob(const struct nip_folder *folder, const char *name, const void *data,
                                size_t size, struct nip_oci_blob *blob, struct nip_error *err)
{
    nip_sha256_bytes(data, size, blob->sha256);
    blob->size = size;
    char *path = blob_path(folder, name, blob->sha256);
    if (path == NULL)
        return fail_memory(err);
    struct nip_error reason = {0};
    enum nip_code code = nip_fs_create(path, data, size, 0644, &reason);
    if (code == NIP_ERROR_EXISTS) {
        // The name is the digest, so it is the same content, unless the disk has damaged it.
        struct nip_buffer old = {0};
        code = read_blob(folder, name, blob, &old, &reason);
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
static enum nip_code read_index(const struct nip_folder *folder, const char *name,
                                struct nip_oci_index *index, bool *is_there, struct nip_error *err)
{
    struct nip_buffer text = {0};
    *index = (struct nip_oci_index){0};
    *is_there = false;
    char *path = package_path(folder, name, "index.json");
    if (path == NULL)
        return fail_memory(err);
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
static enum nip_code write_index(const struct nip_folder *folder, const char *name,
                                 const struct nip_oci_index *index, bool *changed,
                                 struct nip_error *err)
{
    struct nip_buffer text = {0}, old = {0};
    *changed = false;
    char *path = package_path(folder, name, "index.json");
    enum nip_code code = path == NULL ? fail_memory(err) : nip_oci_index_print(index, &text, err);
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

static enum nip_code write_layout(const struct nip_folder *folder, const char *name,
                                  struct nip_error *err)
{
    char *path = package_path(folder, name, "oci-layout");
    if (path == NULL)
        return fail_memory(err);
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        code = nip_fs_write(path, NIP_OCI_LAYOUT, strlen(NIP_OCI_LAYOUT), 0644, err);
    free(path);
    return code;
}

static enum nip_code lock_package(const struct nip_folder *folder, const char *name,
                                  struct nip_fs_lock *lock, struct nip_error *err)
{
    char *blobs = package_path(folder, name, "blobs/sha256");
    char *path = package_path(folder, name, "lock");
    enum nip_code code = NIP_OK;
    if (blobs == NULL || path == NULL)
        code = fail_memory(err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(blobs, NULL, err);
    if (code == NIP_OK)
        code = nip_fs_lock(path, LOCK_WAIT_MS_MAX, lock, err);
    free(blobs);
    free(path);
    return code;
}

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
    char *path = blob_path(folder, name, entry->manifest.sha256);
    if (path == NULL)
        return fail_memory(err);
    // A large or damaged blob is none; that is no error of the repair.
    bool is_read = nip_fs_read(path, NIP_OCI_MANIFEST_SIZE_MAX, &text, NULL) == NIP_OK;
    free(path);
    entry->manifest.size = text.size;
    nip_buffer_clear(&text);
    if (is_read && read_blob(folder, name, &entry->manifest, &text, NULL) == NIP_OK &&
        nip_oci_manifest_parse(nip_buffer_text(&text), text.size, file_name, &manifest, NULL) ==
            NIP_OK &&
        strcmp(manifest.name, name) == 0) {
        char *layer = blob_path(folder, name, manifest.layer.sha256);
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
    if (read_index(folder, name, &old, &is_there, NULL) != NIP_OK)
        old = (struct nip_oci_index){0}; // unreadable: as if there were none
    char *path = package_path(folder, name, "blobs/sha256");
    enum nip_code code = path == NULL ? fail_memory(err) : nip_fs_list(path, &names, err);
    for (size_t i = 0; i < names.count && code == NIP_OK; i++) {
        struct nip_oci_entry entry;
        bool is_one;
        code = look_at_blob(folder, name, names.names[i], &entry, &is_one, err);
        if (code == NIP_OK && is_one)
            code = add_found(index, &old, name, &entry, err);
    }
    nip_fs_names_free(&names);
    nip_oci_index_free(&old);
    free(path);
    if (code != NIP_OK)
        nip_oci_index_free(index);
    return code;
}

static enum nip_code check_package_exists(const struct nip_folder *folder, const char *name,
                                          struct nip_error *err)
{
    enum nip_code code = nip_name_check(name, err);
    if (code != NIP_OK)
        return code;
    char *path = package_path(folder, name, "blobs");
    if (path == NULL)
        return fail_memory(err);
    if (nip_fs_kind(path) != NIP_FS_FOLDER) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s is not in the registry %s", name,
                             folder->root);
        nip_error_hint(err, "check the name; publish it there with 'nip publish'");
    }
    free(path);
    return code;
}

enum nip_code nip_folder_repair(struct nip_folder *folder, const char *name, bool *repaired,
                                struct nip_error *err)
{
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    struct nip_oci_index index = {0};
    *repaired = false;
    enum nip_code code = check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = rebuild_index(folder, name, &index, err);
    if (code == NIP_OK)
        code = write_layout(folder, name, err);
    if (code == NIP_OK)
        code = write_index(folder, name, &index, repaired, err);
    nip_oci_index_free(&index);
    nip_fs_unlock(&lock);
    return code;
}

// ---- publishing ----

// Writes the three blobs of a version and adds it to `index`.
static enum nip_code add_version(const struct nip_folder *folder, const char *name,
                                 const char *version, const uint8_t id[NIP_DIGEST_SIZE],
                                 const void *npl, size_t npl_size, struct nip_oci_index *index,
                                 struct nip_error *err)
{
    struct nip_oci_manifest manifest = {0};
    struct nip_oci_entry entry = {0};
    struct nip_oci_blob config;
    struct nip_buffer text = {0};
    memcpy(manifest.name, name, strlen(name));
    memcpy(manifest.version, version, strlen(version));
    memcpy(manifest.id, id, sizeof manifest.id);
    memcpy(entry.version, version, strlen(version));
    enum nip_code code = write_blob(folder, name, npl, npl_size, &manifest.layer, err);
    if (code == NIP_OK)
        code = write_blob(folder, name, NIP_OCI_EMPTY_CONFIG, strlen(NIP_OCI_EMPTY_CONFIG), &config,
                          err);
    if (code == NIP_OK)
        code = nip_oci_manifest_print(&manifest, &text, err);
    if (code == NIP_OK)
        code = write_blob(folder, name, text.data, text.size, &entry.manifest, err);
    if (code == NIP_OK)
        code = nip_oci_index_add(index, &entry, err);
    nip_buffer_free(&text);
    return code;
}

// Under the lock.
static enum nip_code publish_locked(const struct nip_folder *folder, const char *name,
                                    const char *version, const uint8_t id[NIP_DIGEST_SIZE],
                                    const void *npl, size_t npl_size, struct nip_error *err)
{
    struct nip_oci_index index;
    bool is_there, changed;
    enum nip_code code = read_index(folder, name, &index, &is_there, err);
    if (code == NIP_OK && !is_there) // new, or the cache was lost
        code = rebuild_index(folder, name, &index, err);
    if (code == NIP_OK && nip_oci_index_find(&index, version) != NULL) {
        code = nip_error_set(err, NIP_ERROR_EXISTS, "%s %s is published already in %s", name,
                             version, folder->root);
        nip_error_hint(err, "a published version never changes: raise the version in npl.kdl");
    }
    if (code == NIP_OK)
        code = write_layout(folder, name, err);
    if (code == NIP_OK)
        code = add_version(folder, name, version, id, npl, npl_size, &index, err);
    if (code == NIP_OK)
        code = write_index(folder, name, &index, &changed, err);
    nip_oci_index_free(&index);
    return code;
}

enum nip_code nip_folder_publish(struct nip_folder *folder, const char *name, const char *version,
                                 const uint8_t id[NIP_DIGEST_SIZE], const void *npl,
                                 size_t npl_size, struct nip_error *err)
{
    struct nip_version parsed;
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    enum nip_code code = nip_name_check(name, err);
    if (code == NIP_OK)
        code = nip_version_check(version, &parsed, err);
    if (code == NIP_OK)
        code = lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = publish_locked(folder, name, version, id, npl, npl_size, err);
    nip_fs_unlock(&lock);
    return code;
}

// ---- reading ----

static enum nip_code read_manifest(const struct nip_folder *folder, const char *name,
                                   const struct nip_oci_entry *entry,
                                   struct nip_oci_manifest *manifest, struct nip_error *err)
{
    struct nip_buffer text = {0};
    if (entry->manifest.size > NIP_OCI_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the manifest of %s %s is too large", name,
                             entry->version);
    enum nip_code code = read_blob(folder, name, &entry->manifest, &text, err);
    if (code == NIP_OK)
        code = nip_oci_manifest_parse(nip_buffer_text(&text), text.size, "the manifest", manifest,
                                      err);
    if (code == NIP_OK &&
        (strcmp(manifest->name, name) != 0 || strcmp(manifest->version, entry->version) != 0))
        code = nip_error_set(err, NIP_ERROR_MISMATCH,
                             "the registry's index says %s %s, the manifest %s %s", name,
                             entry->version, manifest->name, manifest->version);
    nip_buffer_free(&text);
    return code;
}

enum nip_code nip_folder_list(struct nip_folder *folder, const char *name,
                              struct nip_folder_versions *versions, struct nip_error *err)
{
    struct nip_oci_index index = {0};
    bool is_there;
    *versions = (struct nip_folder_versions){0};
    enum nip_code code = check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = read_index(folder, name, &index, &is_there, err);
    if (code == NIP_OK) {
        versions->items = calloc(index.count + 1, sizeof *versions->items);
        if (versions->items == NULL)
            code = fail_memory(err);
    }
    for (size_t i = 0; i < index.count && code == NIP_OK; i++) {
        struct nip_oci_manifest manifest;
        code = read_manifest(folder, name, &index.entries[i], &manifest, err);
        if (code != NIP_OK)
            break;
        struct nip_folder_version *item = &versions->items[versions->count++];
        memcpy(item->text, manifest.version, sizeof item->text);
        memcpy(item->sha256, manifest.layer.sha256, sizeof item->sha256);
        item->size = manifest.layer.size;
    }
    nip_oci_index_free(&index);
    if (code != NIP_OK)
        nip_folder_versions_free(versions);
    return code;
}

void nip_folder_versions_free(struct nip_folder_versions *versions)
{
    free(versions->items);
    *versions = (struct nip_folder_versions){0};
}

enum nip_code nip_folder_fetch(struct nip_folder *folder, const char *name, const char *version,
                               uint64_t size_max, struct nip_buffer *out, struct nip_error *err)
{
    struct nip_oci_index index = {0};
    struct nip_oci_manifest manifest;
    bool is_there;
    enum nip_code code = check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = read_index(folder, name, &index, &is_there, err);
    const struct nip_oci_entry *entry = nip_oci_index_find(&index, version);
    if (code == NIP_OK && entry == NULL) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s has no version %s in %s", name, version,
                             folder->root);
        if (index.count > 0)
            nip_error_hint(err, "the highest version there is %s",
                           index.entries[index.count - 1].version);
    }
    if (code == NIP_OK)
        code = read_manifest(folder, name, entry, &manifest, err);
    if (code == NIP_OK && manifest.layer.size > size_max)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "%s %s has %llu bytes; at most %llu are allowed",
                             name, version, (unsigned long long)manifest.layer.size,
                             (unsigned long long)size_max);
    if (code == NIP_OK)
        code = read_blob(folder, name, &manifest.layer, out, err);
    nip_oci_index_free(&index);
    return code;
}

// ---- names ----

static enum nip_code add_names_of(const struct nip_folder *folder, const char *space,
                                  struct nip_folder_names *names, struct nip_error *err)
{
    struct nip_fs_names found = {0};
    char *path = nip_fs_join(folder->root, space);
    enum nip_code code = path == NULL ? fail_memory(err) : nip_fs_list(path, &found, err);
    for (size_t i = 0; i < found.count && code == NIP_OK; i++) {
        char name[NIP_NAME_MAX + 1];
        if (!nip_name_part_is_valid(found.names[i], strlen(found.names[i])))
            continue;
        snprintf(name, sizeof name, "%s/%s", space, found.names[i]);
        if (check_package_exists(folder, name, NULL) != NIP_OK)
            continue;
        void *grown = reallocarray(names->items, names->count + 1, sizeof *names->items);
        if (grown == NULL) {
            code = fail_memory(err);
            break;
        }
        names->items = grown;
        memcpy(names->items[names->count++], name, sizeof name);
    }
    nip_fs_names_free(&found);
    free(path);
    return code;
}

enum nip_code nip_folder_names(struct nip_folder *folder, struct nip_folder_names *names,
                               struct nip_error *err)
{
    struct nip_fs_names spaces;
    *names = (struct nip_folder_names){0};
    enum nip_code code = nip_fs_list(folder->root, &spaces, err);
    for (size_t i = 0; code == NIP_OK && i < spaces.count; i++) {
        char *path = nip_fs_join(folder->root, spaces.names[i]);
        bool is_space = path != NULL && nip_fs_kind(path) == NIP_FS_FOLDER &&
                        nip_name_part_is_valid(spaces.names[i], strlen(spaces.names[i]));
        free(path);
        if (is_space)
            code = add_names_of(folder, spaces.names[i], names, err);
    }
    nip_fs_names_free(&spaces);
    if (code != NIP_OK)
        nip_folder_names_free(names);
    return code;
}

void nip_folder_names_free(struct nip_folder_names *names)
{
    free(names->items);
    *names = (struct nip_folder_names){0};
}
