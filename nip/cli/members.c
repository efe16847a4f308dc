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

static enum nip_code load(struct members *members, const char *path, struct nip_error *err)
{
    struct nip_buffer text = {0};
    if (strpbrk(members->root, "*?[\\") != NULL)
        return nip_error_set(err, NIP_ERROR_NAME,
                             "the path of the workspace, %s, has one of the characters * ? [ \\ in "
                             "it",
                             members->root);
    enum nip_code code = nip_fs_read(path, NIP_WORKSPACE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code =
            nip_workspace_parse(nip_buffer_text(&text), text.size, path, &members->workspace, err);
    nip_buffer_free(&text);
    for (uint32_t i = 0; code == NIP_OK && i < members->workspace.member_count; i++)
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

enum nip_code members_find(const char *folder, struct members **members, struct nip_error *err)
{
    char *real = realpath(folder, NULL);
    *members = calloc(1, sizeof **members);
    if (real == NULL || *members == NULL) {
        free(real);
        return nip_error_set_errno(err, errno, "cannot find the project in %s", folder);
    }
    enum nip_code code = NIP_OK;
    char above[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
    snprintf(above, sizeof above, "%s", real);
    for (;;) {
        project_path(path, above, NIP_WORKSPACE_FILE);
        bool is_here = strcmp(above, real) == 0;
        if (path[0] != '\0' && (is_here ? nip_fs_kind(path) == NIP_FS_FILE : is_own_file(path))) {
            snprintf((*members)->root, sizeof(*members)->root, "%s", above);
            code = load(*members, path, err);
            if (code != NIP_OK || is_here || is_known(*members, real))
                break;
            members_free(*members);
            *members = calloc(1, sizeof **members);
            if (*members == NULL)
                code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
            break;
        }
        char *slash = strrchr(above, '/');
        if (slash == NULL || slash == above)
            break;
        *slash = '\0';
    }
    free(real);
    return code;
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
