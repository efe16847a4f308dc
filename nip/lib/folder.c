// SPDX-License-Identifier: Apache-2.0
//
// The folder registry: opening and reading it. See the layout in nip/folder.h. Reading takes no
// lock: it sees the index as it was before or after a change.

#include "nip/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder_parts.h"

static const char marker_name[] = "rumpk-registry";
static const char marker_text[] = "rumpk-registry 1\nfreshness none\n";
enum { MARKER_SIZE_MAX = 4096 };

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
        return folder_fail_memory(err);
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
        return folder_fail_memory(err);
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

// ---- reading ----

static enum nip_code read_manifest(const struct nip_folder *folder, const char *name,
                                   const struct nip_oci_entry *entry,
                                   struct nip_oci_manifest *manifest, struct nip_error *err)
{
    struct nip_buffer text = {0};
    if (entry->manifest.size > NIP_OCI_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the manifest of %s %s is too large", name,
                             entry->version);
    enum nip_code code = folder_read_blob(folder, name, &entry->manifest, &text, err);
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
    struct nip_yanked yanked = {0};
    bool is_there;
    *versions = (struct nip_folder_versions){0};
    enum nip_code code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = folder_read_index(folder, name, &index, &is_there, err);
    if (code == NIP_OK)
        code = folder_read_yanked(folder, name, &yanked, err);
    if (code == NIP_OK) {
        versions->items = calloc(index.count + 1, sizeof *versions->items);
        if (versions->items == NULL) {
            folder_fail_memory(err);
            code = NIP_ERROR_MEMORY;
        }
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
        const struct nip_yanked_entry *entry = nip_yanked_find(&yanked, item->text);
        item->is_yanked = entry != NULL;
        if (entry != NULL)
            memcpy(item->reason, entry->reason, sizeof item->reason);
    }
    nip_yanked_free(&yanked);
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
    enum nip_code code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = folder_read_index(folder, name, &index, &is_there, err);
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
        code = folder_read_blob(folder, name, &manifest.layer, out, err);
    nip_oci_index_free(&index);
    return code;
}

// ---- names ----

static enum nip_code add_names_of(const struct nip_folder *folder, const char *space,
                                  struct nip_folder_names *names, struct nip_error *err)
{
    struct nip_fs_names found = {0};
    char *path = nip_fs_join(folder->root, space);
    enum nip_code code = path == NULL ? folder_fail_memory(err) : nip_fs_list(path, &found, err);
    for (size_t i = 0; i < found.count && code == NIP_OK; i++) {
        char name[NIP_NAME_MAX + 1];
        if (!nip_name_part_is_valid(found.names[i], strlen(found.names[i])))
            continue;
        snprintf(name, sizeof name, "%s/%s", space, found.names[i]);
        if (folder_check_package_exists(folder, name, NULL) != NIP_OK)
            continue;
        void *grown = reallocarray(names->items, names->count + 1, sizeof *names->items);
        if (grown == NULL) {
            code = folder_fail_memory(err);
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
