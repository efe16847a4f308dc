// SPDX-License-Identifier: Apache-2.0
//
// Finding the home of decisions, and the ways between it and the project.

#include "home.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "members.h"
#include "nip/fs.h"
#include "project.h"

// Decisions of its own that a member has from the time before it was one. None of them is used, so
// none of them is silently forgotten.
static enum nip_code refuse_own(const char *folder, const char *home, struct nip_error *err)
{
    static const char *const files[] = {NIP_LOCK_FILE, NIP_TRUST_FILE};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[CLI_PATH_SIZE], shared[CLI_PATH_SIZE];
        project_path(path, folder, files[i]);
        project_path(shared, home, files[i]);
        if (nip_fs_kind(path) == NIP_FS_NOTHING)
            continue;
        nip_error_set(err, NIP_ERROR_CONFLICT,
                      "%s is of the time before this project was a member of the workspace in %s",
                      path, home);
        if (i == 0)
            nip_error_hint(err,
                           "members share %s: remove %s, and the versions are chosen again for all "
                           "of them (nip update raises what was higher)",
                           shared, path);
        else
            nip_error_hint(
                err,
                "members share %s: move the lines that are still wanted there (a path in "
                "`url` goes from that folder), then remove %s",
                shared, path);
        return NIP_ERROR_CONFLICT;
    }
    return NIP_OK;
}

// "../.." for as many components as `inside` has.
static void climb(const char *folder, const char *inside, char *out)
{
    size_t used = 0;
    bool is_here = strcmp(folder, ".") == 0;
    out[0] = '\0';
    if (strcmp(folder, inside) == 0) {
        snprintf(out, CLI_PATH_SIZE, ".");
        return;
    }
    if (!is_here)
        used = (size_t)snprintf(out, CLI_PATH_SIZE, "%s/", folder);
    for (const char *at = inside; at != NULL && used < CLI_PATH_SIZE; at = strchr(at, '/')) {
        at += *at == '/';
        used += (size_t)snprintf(out + used, CLI_PATH_SIZE - used, "%s..", at == inside ? "" : "/");
    }
    if (used >= CLI_PATH_SIZE)
        out[0] = '\0'; // a path that is cut names nothing
}

static enum nip_code find_inside(const char *folder, char *inside, struct nip_error *err)
{
    struct members *members = NULL;
    inside[0] = '\0';
    char *real = realpath(folder, NULL);
    if (real == NULL)
        return nip_error_set_errno(err, errno, "cannot find the project in %s", folder);
    enum nip_code code = members_find(folder, &members, err);
    if (code == NIP_OK && members->root[0] != '\0' && strcmp(members->root, real) != 0) {
        size_t root_size = strcmp(members->root, "/") == 0 ? 0 : strlen(members->root);
        snprintf(inside, CLI_PATH_SIZE, "%s", real + root_size + 1);
    }
    members_free(members);
    free(real);
    return code;
}

enum nip_code home_find(const char *folder, char *home, struct nip_error *err)
{
    char inside[CLI_PATH_SIZE];
    snprintf(home, CLI_PATH_SIZE, "%s", folder);
    enum nip_code code = find_inside(folder, inside, err);
    if (code != NIP_OK || inside[0] == '\0')
        return code;
    climb(folder, inside, home);
    return refuse_own(folder, home, err);
}

enum nip_code home_path(const char *folder, const char *name, char *out, struct nip_error *err)
{
    char home[CLI_PATH_SIZE];
    enum nip_code code = home_find(folder, home, err);
    if (code == NIP_OK)
        project_path(out, home, name);
    return code;
}

enum nip_code home_inside(const char *folder, char *out, struct nip_error *err)
{
    return find_inside(folder, out, err);
}

enum nip_code home_will_share(const char *folder, bool *shares, struct nip_error *err)
{
    *shares = false;
    char *real = realpath(".", NULL);
    struct members *members = calloc(1, sizeof *members);
    enum nip_code code = real != NULL && members != NULL
                             ? members_find_file(real, members, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK && members->root[0] != '\0') {
        char full[CLI_PATH_SIZE + NIP_NAME_MAX + 2];
        snprintf(full, sizeof full, "%s/%s", real, folder);
        const char *inside = full + strlen(members->root) + 1;
        for (uint32_t i = 0; i < members->workspace.member_count; i++)
            *shares = *shares || fnmatch(members->workspace.members[i].path, inside,
                                         FNM_PATHNAME | FNM_PERIOD | FNM_NOESCAPE) == 0;
    }
    members_free(members);
    free(real);
    return code;
}

static bool join_relative(const char *from, const char *to, char *out, size_t out_size)
{
    size_t common = 0, at = 0, used = 0;
    while (from[at] != '\0' && from[at] == to[at]) {
        at++;
        if ((from[at] == '/' || from[at] == '\0') && (to[at] == '/' || to[at] == '\0'))
            common = at;
    }
    out[0] = '\0';
    for (const char *rest = from + common; *rest != '\0' && used < out_size; rest++)
        if (*rest == '/' && rest[1] != '\0')
            used += (size_t)snprintf(out + used, out_size - used, "../");
    const char *rest = to + common + (to[common] == '/');
    if (used < out_size)
        used += (size_t)snprintf(out + used, out_size - used, "%s", rest[0] != '\0' ? rest : ".");
    return used < out_size;
}

enum nip_code home_relative(const char *from, const char *to, char *out, size_t out_size,
                            struct nip_error *err)
{
    char *real_from = realpath(from, NULL), *real_to = realpath(to, NULL);
    enum nip_code code = NIP_OK;
    if (real_from == NULL || real_to == NULL)
        code = nip_error_set_errno(err, errno, "cannot find the way from %s to %s", from, to);
    else if (!join_relative(real_from, real_to, out, out_size))
        code = nip_error_set(err, NIP_ERROR_LIMIT, "the path of %s is too long for %s", to,
                             NIP_LOCK_FILE);
    free(real_from);
    free(real_to);
    return code;
}

enum nip_code home_is_shared(const char *folder, bool *is_shared, struct nip_error *err)
{
    struct members *members = NULL;
    enum nip_code code = members_find(folder, &members, err);
    char *real = realpath(folder, NULL);
    *is_shared = code == NIP_OK && real != NULL && members_has(members, real);
    free(real);
    members_free(members);
    return code;
}

enum nip_code home_lock_path(const char *folder, const char *path, char *out, size_t out_size,
                             struct nip_error *err)
{
    char home[CLI_PATH_SIZE], from[CLI_PATH_SIZE];
    bool is_shared = false;
    snprintf(out, out_size, "%s", path);
    enum nip_code code = home_is_shared(folder, &is_shared, err);
    if (code != NIP_OK || !is_shared)
        return code;
    code = home_find(folder, home, err);
    if (path[0] == '/')
        snprintf(from, sizeof from, "%s", path);
    else
        project_path(from, folder, path);
    return code == NIP_OK ? home_relative(home, from, out, out_size, err) : code;
}

enum nip_code home_registry_url(const char *folder, const char *url, char *out,
                                struct nip_error *err)
{
    char inside[CLI_PATH_SIZE];
    const char *path = url + 5;
    snprintf(out, CLI_PATH_SIZE, "%s", url);
    if (strncmp(url, "file:", 5) != 0 || path[0] == '/' || path[0] == '\0')
        return strlen(url) < CLI_PATH_SIZE
                   ? NIP_OK
                   : nip_error_set(err, NIP_ERROR_LIMIT, "the address of the registry is too long");
    enum nip_code code = find_inside(folder, inside, err);
    if (code != NIP_OK || inside[0] == '\0')
        return code;
    // The way from home is one of real folders, so ".." takes back its last part.
    while (strncmp(path, "../", 3) == 0 && inside[0] != '\0') {
        char *slash = strrchr(inside, '/');
        *(slash != NULL ? slash : inside) = '\0';
        path += 3;
    }
    if (snprintf(out, CLI_PATH_SIZE, "file:%s%s%s", inside, inside[0] != '\0' ? "/" : "", path) >=
        CLI_PATH_SIZE)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the address of the registry is too long");
    return NIP_OK;
}
