// SPDX-License-Identifier: Apache-2.0
//
// Withdrawing versions: the file `yanked` of a package, replaced as a whole under the package's
// lock.

#include <stdlib.h>
#include <string.h>

#include "folder_parts.h"

enum nip_code folder_read_yanked(const struct nip_folder *folder, const char *name,
                                 struct nip_yanked *yanked, struct nip_error *err)
{
    struct nip_buffer text = {0};
    *yanked = (struct nip_yanked){0};
    char *path = folder_package_path(folder, name, "yanked");
    enum nip_code code = path == NULL ? folder_fail_memory(err) : NIP_OK;
    if (code == NIP_OK && nip_fs_kind(path) != NIP_FS_NOTHING) {
        code = nip_fs_read(path, NIP_YANKED_SIZE_MAX, &text, err);
        if (code == NIP_OK)
            code = nip_yanked_parse(nip_buffer_text(&text), text.size, path, yanked, err);
    }
    nip_buffer_free(&text);
    free(path);
    return code;
}

static enum nip_code write_yanked(const struct nip_folder *folder, const char *name,
                                  const struct nip_yanked *yanked, struct nip_error *err)
{
    struct nip_buffer text = {0};
    char *path = folder_package_path(folder, name, "yanked");
    nip_yanked_print(yanked, &text);
    enum nip_code code = path == NULL ? folder_fail_memory(err)
                                      : nip_buffer_check(&text, "the list of yanked versions", err);
    if (code == NIP_OK)
        code = nip_fs_write(path, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    free(path);
    return code;
}

static enum nip_code yank_locked(const struct nip_folder *folder, const char *name,
                                 const char *version, const char *reason, bool is_undone,
                                 bool *changed, struct nip_error *err)
{
    struct nip_oci_index index;
    struct nip_yanked yanked = {0};
    bool is_there;
    enum nip_code code = folder_read_index(folder, name, &index, &is_there, err);
    if (code != NIP_OK)
        return code;
    if (nip_oci_index_find(&index, version) == NULL) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s has no version %s in %s", name, version,
                             folder->root);
        nip_error_hint(err, "only a version that is published can be yanked");
    }
    if (code == NIP_OK)
        code = folder_read_yanked(folder, name, &yanked, err);
    const struct nip_yanked_entry *known = nip_yanked_find(&yanked, version);
    *changed = is_undone ? known != NULL : known == NULL || strcmp(known->reason, reason) != 0;
    if (code == NIP_OK && is_undone)
        nip_yanked_remove(&yanked, version);
    else if (code == NIP_OK)
        code = nip_yanked_put(&yanked, version, reason, err);
    if (code == NIP_OK && *changed)
        code = write_yanked(folder, name, &yanked, err);
    nip_yanked_free(&yanked);
    nip_oci_index_free(&index);
    return code;
}

enum nip_code nip_folder_yank(struct nip_folder *folder, const char *name, const char *version,
                              const char *reason, bool is_undone, bool *changed,
                              struct nip_error *err)
{
    struct nip_version parsed;
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    *changed = false;
    enum nip_code code = nip_name_check(name, err);
    if (code == NIP_OK)
        code = nip_version_check(version, &parsed, err);
    if (code == NIP_OK)
        code = folder_check_package_exists(folder, name, err);
    if (code == NIP_OK)
        code = folder_lock_package(folder, name, &lock, err);
    if (code == NIP_OK)
        code = yank_locked(folder, name, version, reason, is_undone, changed, err);
    nip_fs_unlock(&lock);
    return code;
}
