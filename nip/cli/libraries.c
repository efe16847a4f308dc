// SPDX-License-Identifier: Apache-2.0
//
// Choosing the libraries of a project, and laying them out for a build.

#include "libraries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "imaging.h"
#include "library_search.h"
#include "members.h"
#include "mode.h"
#include "nip/fs.h"
#include "project.h"

enum { NESTED_MAX = 16 };

void libraries_free(struct libraries *libraries)
{
    for (size_t i = 0; i < libraries->count; i++)
        checked_package_free(&libraries->items[i].package);
    free(libraries->items);
    nip_mvs_free(libraries->mvs);
    library_search_free(libraries->search);
    memset(libraries, 0, sizeof *libraries);
}

// ---- choosing ----

static enum nip_code solve(const struct cli *cli, struct decisions *decisions,
                           const struct libraries_request *request, const struct nip_lock *lock,
                           const struct members *members, bool only_locked,
                           struct libraries *libraries, struct nip_error *err)
{
    size_t count = 0;
    enum nip_code code = library_search_new(cli, decisions, request, lock, members, only_locked,
                                            &libraries->search, err);
    if (code != NIP_OK)
        return code;
    const struct nip_mvs_requirement *roots = library_search_roots(libraries->search, &count);
    code =
        nip_mvs_solve(library_search_source(libraries->search), roots, count, &libraries->mvs, err);
    library_search_end(libraries->search);
    // Members are not linked with one another.
    return code == NIP_OK && !request->is_workspace ? nip_mvs_check_link(libraries->mvs, err)
                                                    : code;
}

static enum nip_code take_choices(struct libraries *libraries, struct nip_error *err)
{
    size_t count = 0;
    const struct nip_mvs_choice *choices = nip_mvs_choices(libraries->mvs, &count);
    enum nip_code code = NIP_OK;
    libraries->items = calloc(count + 1, sizeof *libraries->items);
    if (libraries->items == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the libraries");
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        code = library_search_take(libraries->search, &choices[i], &libraries->items[i], err);
        libraries->count = i + (code == NIP_OK);
    }
    return code;
}

static enum nip_code lock_entry(const struct library *library, const char *folder,
                                struct nip_lock_package *entry, struct nip_error *err)
{
    if (library->path[0] == '\0') {
        imaging_lock_entry(&library->package, library->alias, entry);
        return NIP_OK;
    }
    memset(entry, 0, sizeof *entry);
    memcpy(entry->name, library->name, sizeof entry->name);
    memcpy(entry->version, library->version, sizeof entry->version);
    return home_relative(folder, library->path, entry->path, sizeof entry->path, err);
}

// A version with a known hole is not taken back.
static enum nip_code check_floor(const struct nip_lock *lock, const struct library *library,
                                 uint32_t *floor, struct nip_error *err)
{
    uint32_t offered = library->package.manifest.identity.security_version;
    *floor = offered;
    for (size_t i = 0; i < lock->package_count; i++) {
        const struct nip_lock_package *locked = &lock->packages[i];
        if (strcmp(locked->name, library->name) != 0 || locked->security_floor <= offered)
            continue;
        nip_error_set(err, NIP_ERROR_UNTRUSTED,
                      "%s %s has security-version %u; this project has accepted %u already",
                      library->name, library->version, (unsigned)offered,
                      (unsigned)locked->security_floor);
        nip_error_hint(err,
                       "ask for %s or later in %s; or, if it is meant, remove its lines from %s",
                       locked->version, NIP_MANIFEST_FILE, NIP_LOCK_FILE);
        return NIP_ERROR_UNTRUSTED;
    }
    return NIP_OK;
}

// `kept`: what the lock holds for images of the same workspace.
static enum nip_code change_lock(const struct libraries *libraries, const char *home,
                                 const struct nip_lock *kept, struct nip_lock *lock,
                                 struct nip_error *err)
{
    struct nip_lock *made = malloc(sizeof *made);
    if (made == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the lock file");
    enum nip_code code = NIP_OK;
    *made = *kept;
    for (size_t i = 0; code == NIP_OK && i < libraries->count; i++) {
        const struct library *library = &libraries->items[i];
        struct nip_lock_package entry;
        uint32_t floor = 0;
        code = lock_entry(library, home, &entry, err);
        if (code == NIP_OK && library->path[0] == '\0')
            code = check_floor(lock, library, &floor, err);
        if (code == NIP_OK)
            code = nip_lock_put(made, &entry, err);
    }
    if (code == NIP_OK)
        *lock = *made;
    free(made);
    return code;
}

// Says aloud what is yanked. That the registry cannot be asked now is no error.
static void warn_yanked(const struct cli *cli, struct decisions *decisions,
                        const struct library *library)
{
    struct nip_error cause = {0};
    struct registry *registry = NULL;
    struct nip_folder_versions list = {0};
    char alias[NIP_TRUST_ALIAS_SIZE];
    if (mode_is_offline() || library->path[0] != '\0' ||
        resolve_registry(decisions, library->alias, library->name, false, &registry, NULL, alias,
                         &cause) != NIP_OK)
        return;
    if (registry_versions(registry, library->name, &list, &cause) == NIP_OK)
        for (size_t i = 0; i < list.count; i++)
            if (list.items[i].is_yanked && strcmp(list.items[i].text, library->version) == 0)
                cli_warn(cli, "%s %s is yanked%s%s; %s keeps it (nip update %s takes a later one)",
                         library->name, library->version,
                         list.items[i].reason[0] != '\0' ? ": " : "", list.items[i].reason,
                         NIP_LOCK_FILE, library->name);
    nip_folder_versions_free(&list);
    registry_close(registry);
}

static void say_choices(const struct cli *cli, const struct libraries *libraries,
                        const struct nip_lock *before)
{
    size_t count = 0;
    const struct nip_mvs_choice *choices = nip_mvs_choices(libraries->mvs, &count);
    for (size_t i = 0; i < libraries->count; i++) {
        const struct library *library = &libraries->items[i];
        char skipped[NIP_VERSION_MAX + 1];
        bool is_known = false;
        for (size_t k = 0; k < before->package_count; k++)
            is_known = is_known || (strcmp(before->packages[k].name, library->name) == 0 &&
                                    strcmp(before->packages[k].version, library->version) == 0);
        if (is_known)
            continue;
        cli_say(cli, "chosen     %s %s%s%s", library->name, library->version,
                library->path[0] != '\0' ? " in " : "", library->path);
        if (choices[i].skipped != NULL) {
            nip_version_text(choices[i].skipped, skipped);
            cli_warn(cli, "%s %s is yanked; %s is taken instead", library->name, skipped,
                     library->version);
        }
    }
}

// Whether the lock names exactly what was chosen (and `kept`): nothing more, in the same places,
// signed by those.
static bool is_complete(const struct libraries *libraries, const struct nip_lock *kept,
                        const struct nip_lock *lock)
{
    size_t known = 0;
    for (size_t i = 0; i < libraries->count; i++)
        for (size_t k = 0; k < lock->package_count; k++)
            known += strcmp(lock->packages[k].name, libraries->items[i].name) == 0 &&
                     strcmp(lock->packages[k].version, libraries->items[i].version) == 0 &&
                     (lock->packages[k].path[0] != '\0') == (libraries->items[i].path[0] != '\0') &&
                     (libraries->items[i].path[0] != '\0' ||
                      nip_lock_keys_include(&lock->packages[k].keys,
                                            &libraries->items[i].package.signers));
    return known + kept->package_count == lock->package_count && known == libraries->count;
}

static enum nip_code build_local(const struct cli *cli, struct decisions *decisions,
                                 struct libraries *libraries, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < libraries->count; i++)
        if (libraries->items[i].path[0] != '\0')
            code = imaging_local_package(cli, &decisions->sdk, libraries->items[i].path,
                                         &libraries->items[i].package, err);
    return code;
}

// The lock's answer, if it is one; else a new one.
static enum nip_code solve_best(const struct cli *cli, struct decisions *decisions,
                                const struct libraries_request *request,
                                const struct nip_lock *lock, const struct members *members,
                                struct libraries *libraries, struct nip_error *err)
{
    struct nip_error cause = {0};
    enum nip_code code = NIP_OK;
    if (!request->ignores_lock) {
        code = solve(cli, decisions, request, lock, members, true, libraries, &cause);
        if (code == NIP_OK)
            return NIP_OK;
        if (code != NIP_ERROR_MISSING && code != NIP_ERROR_CONFLICT) {
            *err = cause;
            return code;
        }
        if (mode_is_locked()) {
            // The lock is all there is, and it is no answer.
            code =
                nip_error_set(err, NIP_ERROR_MISMATCH,
                              "%s is no answer to what %s asks for, and --locked forbids changing "
                              "it: %s",
                              NIP_LOCK_FILE, NIP_MANIFEST_FILE, cause.message);
            nip_error_hint(err,
                           "run the command without --locked (or --frozen), look at the change, "
                           "and commit it");
            return code;
        }
        libraries_free(libraries);
    }
    libraries->is_chosen_anew = true;
    return solve(cli, decisions, request, lock, members, false, libraries, err);
}

// Chosen, fetched and built, for one project.
static enum nip_code choose(const struct cli *cli, struct decisions *decisions,
                            const struct libraries_request *request, const struct nip_lock *lock,
                            const struct members *members, struct libraries *libraries,
                            struct nip_error *err)
{
    enum nip_code code = solve_best(cli, decisions, request, lock, members, libraries, err);
    if (code == NIP_OK)
        code = take_choices(libraries, err);
    if (code == NIP_OK && request->builds)
        code = build_local(cli, decisions, libraries, err);
    for (size_t i = 0; code == NIP_OK && !libraries->is_chosen_anew && i < libraries->count; i++)
        warn_yanked(cli, decisions, &libraries->items[i]);
    return code;
}

// ---- a workspace ----

static bool is_asked_for(const struct libraries *all, const struct library *library)
{
    struct nip_version own, bound;
    if (!nip_version_parse(library->version, strlen(library->version), &own))
        return false;
    for (size_t i = 0; i < all->count; i++) {
        const struct nip_manifest *manifest = &all->items[i].package.manifest;
        for (uint32_t k = 0; k < manifest->dependency_count; k++) {
            const struct nip_manifest_dependency *dependency = &manifest->dependencies[k];
            if (strcmp(dependency->name, library->name) == 0 &&
                nip_requirement_check(dependency->requirement, &bound, NULL) == NIP_OK &&
                nip_version_is_same_class(&bound, &own))
                return true;
        }
    }
    return false;
}

// A member that no other one links stands in no lock.
static void drop_roots(struct libraries *all)
{
    bool *is_needed = calloc(all->count + 1, sizeof *is_needed);
    size_t count = 0;
    for (size_t i = 0; is_needed != NULL && i < all->count; i++)
        is_needed[i] = all->items[i].path[0] == '\0' || is_asked_for(all, &all->items[i]);
    for (size_t i = 0; is_needed != NULL && i < all->count; i++) {
        if (is_needed[i])
            all->items[count++] = all->items[i];
        else
            checked_package_free(&all->items[i].package);
    }
    if (is_needed != NULL)
        all->count = count;
    free(is_needed);
}

// What each member links must fit together; what another one links need not fit to that.
static enum nip_code check_links(const struct cli *cli, struct decisions *decisions,
                                 const struct libraries_request *all, const struct nip_lock *lock,
                                 const struct members *members, struct nip_error *err)
{
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    char *own = realpath(all->folder, NULL);
    enum nip_code code = manifest != NULL && own != NULL
                             ? NIP_OK
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (size_t i = 0; code == NIP_OK && i < members->count; i++) {
        struct libraries linked = {0};
        struct libraries_request request = *all;
        if (project_kind(members->folders[i]) != PROJECT_PACKAGE)
            continue;
        request.folder = members->folders[i];
        request.is_workspace = false;
        if (strcmp(members->folders[i], own) != 0) {
            request.manifest = manifest;
            code = project_read_manifest(members->folders[i], manifest, err);
        }
        if (code == NIP_OK && request.manifest->dependency_count != 0)
            code = solve(cli, decisions, &request, lock, members, true, &linked, err);
        if (code != NIP_OK)
            nip_error_prefix(err, "member %s: ", members_inside(members, i));
        libraries_free(&linked);
    }
    free(own);
    free(manifest);
    return code;
}

// Makes the lock an answer for all members.
static enum nip_code choose_for_all(const struct cli *cli, struct decisions *decisions,
                                    const struct libraries_request *own,
                                    const struct members *members, const char *home,
                                    struct nip_lock *lock, bool *is_anew, struct nip_error *err)
{
    struct libraries all = {0};
    struct libraries_request request = *own;
    struct nip_lock *kept = calloc(1, sizeof *kept);
    request.is_workspace = true;
    request.builds = false;
    enum nip_code code = kept != NULL ? members_locked_by_images(members, NULL, lock, kept, err)
                                      : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK)
        code = solve_best(cli, decisions, &request, lock, members, &all, err);
    *is_anew = all.is_chosen_anew;
    if (code == NIP_OK)
        code = take_choices(&all, err);
    if (code == NIP_OK)
        drop_roots(&all);
    if (code == NIP_OK && *is_anew)
        say_choices(cli, &all, lock);
    if (code == NIP_OK && (*is_anew || !is_complete(&all, kept, lock)))
        code = change_lock(&all, home, kept, lock, err);
    if (code == NIP_OK && *is_anew)
        code = check_links(cli, decisions, &request, lock, members, err);
    libraries_free(&all);
    free(kept);
    return code;
}

static bool is_member(const struct members *members, const char *folder)
{
    char *real = realpath(folder, NULL);
    bool has = real != NULL && members_has(members, real);
    free(real);
    return has;
}

enum nip_code libraries_choose(const struct cli *cli, struct decisions *decisions,
                               const struct libraries_request *request, struct nip_lock *lock,
                               struct libraries *libraries, struct nip_error *err)
{
    static const struct nip_lock none;
    struct members *members = NULL;
    char home[CLI_PATH_SIZE];
    bool is_anew = false;
    struct libraries_request own = *request;
    enum nip_code code = members_find(request->folder, &members, err);
    if (code == NIP_OK)
        code = home_find(request->folder, home, err);
    bool shares = code == NIP_OK && is_member(members, request->folder);
    if (shares) {
        code = choose_for_all(cli, decisions, request, members, home, lock, &is_anew, err);
        own.ignores_lock = false;
    }
    if (code == NIP_OK)
        code = choose(cli, decisions, &own, lock, members, libraries, err);
    if (code == NIP_OK && !shares) {
        if (libraries->is_chosen_anew)
            say_choices(cli, libraries, lock);
        if (libraries->is_chosen_anew || !is_complete(libraries, &none, lock))
            code = change_lock(libraries, home, &none, lock, err);
    }
    libraries->is_chosen_anew = libraries->is_chosen_anew || is_anew;
    members_free(members);
    return code;
}

// ---- laying out ----

static enum nip_code write_if_new(const char *path, const uint8_t *data, size_t size,
                                  struct nip_error *err)
{
    struct nip_buffer before = {0};
    struct nip_error cause = {0};
    bool same = nip_fs_kind(path) == NIP_FS_FILE &&
                nip_fs_read(path, size, &before, &cause) == NIP_OK &&
                nip_buffer_equals(&before, data, size);
    nip_buffer_free(&before);
    return same ? NIP_OK : project_write_file(path, data, size, 0644, err);
}

static enum nip_code lay_out(const struct library *library, const char *folder,
                             struct nip_error *err)
{
    const struct nip_digests *digests = nip_package_digests(library->package.package);
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < digests->file_count; i++) {
        char name[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
        const uint8_t *data = NULL;
        size_t size = 0;
        const char *file = digests->files[i].path;
        snprintf(name, sizeof name, LIBRARIES_FOLDER "/%s/%s", library->name, file);
        project_path(path, folder, name);
        if (nip_package_file(library->package.package, file, &data, &size))
            code = write_if_new(path, data, size, err);
    }
    return code;
}

// Whether a file below build/deps/NAME belongs to the library that is laid out there now.
static bool is_listed(const struct libraries *libraries, const char *space, const char *name)
{
    for (size_t i = 0; i < libraries->count; i++) {
        const char *text = libraries->items[i].name;
        size_t size = strlen(space);
        if (strncmp(text, space, size) == 0 && text[size] == '/' &&
            strcmp(text + size + 1, name) == 0)
            return true;
    }
    return false;
}

// A header that a newer version has no more must not be found.
static enum nip_code remove_strays(const struct library *library, const char *folder,
                                   const char *inside, struct nip_error *err)
{
    char where[CLI_PATH_SIZE], root[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    snprintf(where, sizeof where, LIBRARIES_FOLDER "/%s%s%s", library->name,
             inside[0] != '\0' ? "/" : "", inside);
    project_path(root, folder, where);
    enum nip_code code = nip_fs_list(root, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char path[CLI_PATH_SIZE], below[CLI_PATH_SIZE];
        if (snprintf(path, sizeof path, "%s/%s", root, names.names[i]) >= (int)sizeof path ||
            snprintf(below, sizeof below, "%s%s%s", inside, inside[0] != '\0' ? "/" : "",
                     names.names[i]) >= (int)sizeof below)
            code = nip_error_set(err, NIP_ERROR_LIMIT, "a path below %s is too long", root);
        else if (nip_fs_kind(path) == NIP_FS_FOLDER)
            code = remove_strays(library, folder, below, err);
        else if (nip_digests_file(nip_package_digests(library->package.package), below) == NULL)
            code = nip_fs_remove_tree(path, err);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code remove_unused(const struct libraries *libraries, const char *folder,
                                   struct nip_error *err)
{
    char root[CLI_PATH_SIZE];
    struct nip_fs_names spaces = {0};
    project_path(root, folder, LIBRARIES_FOLDER);
    enum nip_code code =
        nip_fs_kind(root) == NIP_FS_FOLDER ? nip_fs_list(root, &spaces, err) : NIP_OK;
    for (size_t s = 0; code == NIP_OK && s < spaces.count; s++) {
        struct nip_fs_names names = {0};
        char *space = nip_fs_join(root, spaces.names[s]);
        code = space != NULL ? nip_fs_list(space, &names, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
        for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
            char *path = nip_fs_join(space, names.names[i]);
            if (path != NULL && !is_listed(libraries, spaces.names[s], names.names[i]))
                code = nip_fs_remove_tree(path, err);
            free(path);
        }
        nip_fs_names_free(&names);
        free(space);
    }
    nip_fs_names_free(&spaces);
    return code;
}

static enum nip_code lay_out_all(const struct libraries *libraries, const char *folder,
                                 struct nip_error *err)
{
    enum nip_code code = remove_unused(libraries, folder, err);
    for (size_t i = 0; code == NIP_OK && i < libraries->count; i++) {
        code = lay_out(&libraries->items[i], folder, err);
        if (code == NIP_OK)
            code = remove_strays(&libraries->items[i], folder, "", err);
    }
    return code;
}

// ---- all of it ----

// The projects that are being prepared, each for the sake of the one before.
static struct {
    char *folders[NESTED_MAX];
    size_t count;
} nested;

static enum nip_code enter(const char *folder, struct nip_error *err)
{
    char *real = realpath(folder, NULL);
    if (real == NULL)
        return nip_error_set_errno(err, errno, "cannot find the project in %s", folder);
    for (size_t i = 0; i < nested.count; i++)
        if (strcmp(nested.folders[i], real) == 0) {
            nip_error_set(err, NIP_ERROR_CONFLICT, "the library in %s needs itself", real);
            nip_error_hint(err,
                           "libraries that are worked on together must not depend on each other "
                           "in a circle");
            free(real);
            return NIP_ERROR_CONFLICT;
        }
    if (nested.count == NESTED_MAX) {
        free(real);
        return nip_error_set(err, NIP_ERROR_LIMIT, "local libraries are nested more than %d deep",
                             NESTED_MAX);
    }
    nested.folders[nested.count++] = real;
    return NIP_OK;
}

static void leave(void)
{
    free(nested.folders[--nested.count]);
}

static enum nip_code prepare(const struct cli *cli, const char *folder,
                             const struct nip_manifest *manifest, struct libraries *libraries,
                             struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_lock *lock = NULL;
    struct libraries_request request = {.folder = folder, .manifest = manifest, .builds = true};
    struct project_lock held = PROJECT_LOCK_NONE;
    enum nip_code code = project_lock_in(folder, &held, err);
    if (code == NIP_OK)
        code = project_read_lock(folder, &lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load_in(&decisions, folder, err);
    if (code == NIP_OK)
        code = libraries_choose(cli, &decisions, &request, lock, libraries, err);
    if (code == NIP_OK)
        code = project_write_lock(folder, lock, err);
    if (code == NIP_OK)
        code = lay_out_all(libraries, folder, err);
    project_unlock(&held);
    decisions_free(&decisions);
    free(lock);
    return code;
}

enum nip_code libraries_prepare(const struct cli *cli, const char *folder,
                                const struct nip_manifest *manifest, struct libraries *libraries,
                                struct nip_error *err)
{
    if (manifest->dependency_count == 0)
        return NIP_OK;
    enum nip_code code = enter(folder, err);
    if (code != NIP_OK)
        return code;
    code = prepare(cli, folder, manifest, libraries, err);
    leave();
    return code;
}

// ---- in the package that links them ----

static enum nip_code pack_licenses(const struct library *library, struct nip_pack *pack,
                                   struct nip_error *err)
{
    const struct nip_digests *digests = nip_package_digests(library->package.package);
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < digests->file_count; i++) {
        const uint8_t *data = NULL;
        size_t size = 0;
        const char *path = digests->files[i].path;
        if (strncmp(path, "LICENSES/", 9) != 0 ||
            !nip_package_file(library->package.package, path, &data, &size))
            continue;
        code = nip_pack_add(pack, path, false, data, size, err);
        // The project brings the same licence along.
        if (code == NIP_ERROR_EXISTS)
            code = NIP_OK;
    }
    return code;
}

enum nip_code libraries_pack(const struct libraries *libraries, struct nip_pack *pack,
                             struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < libraries->count; i++) {
        const struct library *library = &libraries->items[i];
        struct nip_pack_component component = {0};
        snprintf(component.name, sizeof component.name, "%.*s", (int)sizeof component.name - 1,
                 library->name);
        snprintf(component.version, sizeof component.version, "%.*s",
                 (int)sizeof component.version - 1, library->version);
        snprintf(component.license, sizeof component.license, "%.*s",
                 (int)sizeof component.license - 1, library->package.manifest.license);
        memcpy(component.digest, nip_package_id(library->package.package), sizeof component.digest);
        code = nip_pack_add_component(pack, &component, err);
        if (code == NIP_OK)
            code = pack_licenses(library, pack, err);
    }
    return code;
}
