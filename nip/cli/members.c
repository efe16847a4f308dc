// SPDX-License-Identifier: Apache-2.0
//
// Finding the workspace of a project and its members.

#include "members.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "imaging.h"
#include "nip/fs.h"

static int compare_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_known(const struct members *members, const char *folder)
{
    for (size_t i = 0; i < members->count; i++)
        if (strcmp(members->folders[i], folder) == 0)
            return true;
    return false;
}

static enum nip_code add_pattern(struct members *members, const char *pattern,
                                 struct nip_error *err)
{
    char full[CLI_PATH_SIZE];
    if (snprintf(full, sizeof full, "%s/%s", members->root, pattern) >= (int)sizeof full)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the path of member %s is too long", pattern);
    glob_t found = {0};
    int result = glob(full, 0, NULL, &found);
    enum nip_code code = NIP_OK;
    size_t added = 0;
    for (size_t i = 0; result == 0 && code == NIP_OK && i < found.gl_pathc; i++) {
        if (project_kind(found.gl_pathv[i]) == PROJECT_NONE)
            continue;
        char *real = realpath(found.gl_pathv[i], NULL);
        added++;
        if (real == NULL || members->count == MEMBERS_MAX)
            code = nip_error_set(err, NIP_ERROR_LIMIT, "more than %d members in the workspace",
                                 MEMBERS_MAX);
        else if (!is_known(members, real))
            members->folders[members->count++] = strdup(real);
        free(real);
    }
    globfree(&found);
    if (code == NIP_OK && added == 0) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "no project fits member \"%s\" of %s/%s",
                             pattern, members->root, NIP_WORKSPACE_FILE);
        nip_error_hint(err, "a member is a folder with an %s or %s", NIP_MANIFEST_FILE,
                       NIP_IMAGEDEF_FILE);
    }
    return code;
}

static enum nip_code read_file(struct members *members, const char *path, struct nip_error *err)
{
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(path, NIP_WORKSPACE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code =
            nip_workspace_parse(nip_buffer_text(&text), text.size, path, &members->workspace, err);
    nip_buffer_free(&text);
    return code;
}

// The folders of the members; the folder of the file too, when it is a project itself.
static enum nip_code find_folders(struct members *members, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    uint32_t count = members->workspace.member_count;
    if (strpbrk(members->root, "*?[\\") != NULL)
        return nip_error_set(err, NIP_ERROR_NAME,
                             "the path of the workspace, %s, has one of the characters * ? [ \\ in "
                             "it",
                             members->root);
    if (count != 0 && project_kind(members->root) != PROJECT_NONE)
        code = add_pattern(members, ".", err);
    for (uint32_t i = 0; code == NIP_OK && i < count; i++)
        code = add_pattern(members, members->workspace.members[i].path, err);
    qsort((void *)members->folders, members->count, sizeof members->folders[0], compare_text);
    return code;
}

// A file above the project that somebody else put there must not decide what is linked.
static bool is_own_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_uid == geteuid() || status.st_uid == 0);
}

enum nip_code members_find_file(const char *real, struct members *members, struct nip_error *err)
{
    char above[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
    snprintf(above, sizeof above, "%s", real);
    for (;;) {
        project_path(path, above, NIP_WORKSPACE_FILE);
        bool is_here = strcmp(above, real) == 0;
        if (path[0] != '\0' && (is_here ? nip_fs_kind(path) == NIP_FS_FILE : is_own_file(path))) {
            snprintf(members->root, sizeof members->root, "%s", above);
            return read_file(members, path, err);
        }
        char *slash = strrchr(above, '/');
        if (slash == NULL || slash == above)
            return NIP_OK;
        *slash = '\0';
    }
}

enum nip_code members_find(const char *folder, struct members **members, struct nip_error *err)
{
    char *real = realpath(folder, NULL);
    struct members *found = *members = calloc(1, sizeof **members);
    if (real == NULL || found == NULL) {
        free(real);
        return nip_error_set_errno(err, errno, "cannot find the project in %s", folder);
    }
    enum nip_code code = members_find_file(real, found, err);
    if (code == NIP_OK && found->root[0] != '\0')
        code = find_folders(found, err);
    if (code == NIP_OK && strcmp(found->root, real) != 0 && !is_known(found, real)) {
        members_free(found);
        *members = calloc(1, sizeof **members);
        if (*members == NULL)
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    }
    free(real);
    return code;
}

const char *members_inside(const struct members *members, size_t index)
{
    const char *folder = members->folders[index];
    size_t size = strcmp(members->root, "/") == 0 ? 0 : strlen(members->root);
    if (strcmp(folder, members->root) == 0)
        return ".";
    // A link may lead to a member that lies elsewhere.
    return strncmp(folder, members->root, size) == 0 && folder[size] == '/' ? folder + size + 1
                                                                            : folder;
}

bool members_has(const struct members *members, const char *real)
{
    return is_known(members, real);
}

void members_free(struct members *members)
{
    if (members == NULL)
        return;
    for (size_t i = 0; i < members->count; i++)
        free(members->folders[i]);
    free(members);
}

enum nip_code members_library(const struct members *members, const char *name, bool *found,
                              char *folder, struct nip_error *err)
{
    *found = false;
    if (members->root[0] == '\0')
        return NIP_OK;
    const struct nip_workspace_override *override =
        nip_workspace_override(&members->workspace, name);
    if (override != NULL) {
        *found = true;
        if (override->path[0] == '/')
            snprintf(folder, CLI_PATH_SIZE, "%s", override->path);
        else
            project_path(folder, members->root, override->path);
        if (project_kind(folder) == PROJECT_PACKAGE)
            return NIP_OK;
        nip_error_set(err, NIP_ERROR_MISSING, "there is no project in %s, which overrides %s",
                      folder, name);
        nip_error_hint(err, "correct `override` in %s/%s, or remove it", members->root,
                       NIP_WORKSPACE_FILE);
        return NIP_ERROR_MISSING;
    }
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && !*found && i < members->count; i++) {
        if (project_kind(members->folders[i]) != PROJECT_PACKAGE)
            continue;
        code = project_read_manifest(members->folders[i], manifest, err);
        if (code == NIP_OK && manifest->identity.kind == RUMPK_KIND_LIBRARY &&
            strcmp(manifest->identity.name, name) == 0) {
            *found = true;
            snprintf(folder, CLI_PATH_SIZE, "%s", members->folders[i]);
        }
    }
    free(manifest);
    return code;
}

static enum nip_code keep(const struct nip_lock *lock, const char *name, const char *version,
                          struct nip_lock *kept, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < lock->package_count; i++) {
        const struct nip_lock_package *entry = &lock->packages[i];
        if (strcmp(entry->name, name) == 0 &&
            (version == NULL || strcmp(entry->version, version) == 0))
            code = nip_lock_put(kept, entry, err);
    }
    return code;
}

enum nip_code members_locked_by_images(const struct members *members, const char *except,
                                       const struct nip_lock *lock, struct nip_lock *kept,
                                       struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < members->count; i++) {
        const char *folder = members->folders[i];
        struct nip_imagedef *imagedef = NULL;
        if (project_kind(folder) != PROJECT_IMAGE ||
            (except != NULL && strcmp(folder, except) == 0))
            continue;
        code = project_read_image(folder, &imagedef, err);
        for (uint32_t p = 0; code == NIP_OK && p < imagedef->package_count; p++)
            code = keep(lock, imagedef->packages[p].name, imagedef->packages[p].version, kept, err);
        if (code == NIP_OK)
            code = keep(lock, IMAGING_KERNEL_NAME, NULL, kept, err);
        memcpy(kept->sdk, lock->sdk, sizeof kept->sdk);
        nip_imagedef_free(imagedef);
    }
    return code;
}

// ---- work on all ----

bool members_is_root(void)
{
    return project_kind(".") == PROJECT_NONE && nip_fs_kind(NIP_WORKSPACE_FILE) == NIP_FS_FILE;
}

// Whether the project in the current folder asks for a package by name.
static enum nip_code asks_for(const char *name, bool *asks, struct nip_error *err)
{
    *asks = false;
    if (project_kind(".") == PROJECT_IMAGE) {
        struct nip_imagedef *imagedef = NULL;
        enum nip_code code = project_read_image(".", &imagedef, err);
        for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++)
            *asks = *asks || strcmp(imagedef->packages[i].name, name) == 0;
        nip_imagedef_free(imagedef);
        return code;
    }
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    enum nip_code code = manifest != NULL
                             ? project_read_manifest(".", manifest, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (uint32_t i = 0; code == NIP_OK && i < manifest->dependency_count; i++)
        *asks = *asks || strcmp(manifest->dependencies[i].name, name) == 0;
    free(manifest);
    return code;
}

static enum nip_code work_in(struct cli *cli, const char *folder, const char *inside,
                             const char *name, members_work_fn work, size_t *count,
                             struct nip_error *err)
{
    bool asks = true;
    if (chdir(folder) != 0)
        return nip_error_set_errno(err, errno, "cannot work in folder %s", folder);
    enum nip_code code = name != NULL ? asks_for(name, &asks, err) : NIP_OK;
    if (code == NIP_OK && asks) {
        cli_say(cli, "member     %s", inside);
        code = work(cli, err);
        ++*count;
    }
    if (code != NIP_OK)
        nip_error_prefix(err, "member %s: ", inside);
    return code;
}

enum nip_code members_each(struct cli *cli, const char *name, members_work_fn work,
                           struct nip_error *err)
{
    struct members *members = NULL;
    size_t count = 0;
    enum nip_code code = members_find(".", &members, err);
    for (size_t i = 0; code == NIP_OK && i < members->count; i++)
        code =
            work_in(cli, members->folders[i], members_inside(members, i), name, work, &count, err);
    if (members->root[0] != '\0' && chdir(members->root) != 0 && code == NIP_OK)
        code = nip_error_set_errno(err, errno, "cannot work in folder %s", members->root);
    if (code == NIP_OK && count == 0) {
        code = name == NULL ? nip_error_set(err, NIP_ERROR_MISSING, "the workspace has no members")
                            : nip_error_set(err, NIP_ERROR_MISSING,
                                            "no member of the workspace asks for %s", name);
        nip_error_hint(err, name == NULL ? "name folders with `member` in " NIP_WORKSPACE_FILE
                                         : "'nip tree' shows what each of them asks for");
    }
    members_free(members);
    return code;
}
