// SPDX-License-Identifier: Apache-2.0
//
// Names, versions and requirements of libraries, fetched as version selection asks for them.

#include "library_search.h"

#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "project.h"

enum {
    NAMES_MAX = 1024,
    PACKAGES_MAX = 4096,
    ROOTS_MAX = MEMBERS_MAX,
};
_Static_assert((int)ROOTS_MAX >= (int)NIP_MANIFEST_DEPENDENCIES_MAX, "roots of one project");

// A name that somebody asks for, and where it belongs.
struct search_name {
    char text[NIP_NAME_MAX + 1];
    char alias[NIP_TRUST_ALIAS_SIZE];
    bool is_alias_certain;            // written in the project, or in its lock
    char path[CLI_PATH_SIZE];         // local work
    bool is_member;                   // of the workspace that is chosen for as a whole
    bool is_library;                  // of such a member
    uint8_t key[RUMPK_KEY_SIZE];      // what the first asker built against; zero: not said
    struct nip_mvs_version *versions; // NULL until asked for
    size_t version_count;
};

// A version whose requirements were asked for.
struct search_package {
    struct search_name *name;
    struct nip_version version;
    struct checked_package package; // without bytes for local work
    struct nip_mvs_requirement *requirements;
    size_t requirement_count;
    bool is_taken;
};

struct library_search {
    const struct cli *cli;
    struct decisions *decisions;
    struct libraries_request request;
    char request_folder[CLI_PATH_SIZE]; // of the request, absolute
    const struct nip_lock *lock;
    const struct members *members;
    bool only_locked;
    struct search_name *names[NAMES_MAX];
    size_t name_count;
    struct search_package *packages[PACKAGES_MAX];
    size_t package_count;
    struct nip_mvs_requirement roots[ROOTS_MAX];
    size_t root_count;
    struct nip_mvs_source source;
    struct progress progress;
};

static enum nip_code fail_memory(struct nip_error *err)
{
    return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the libraries");
}

// ---- names ----

static struct search_name *find_name(const struct library_search *search, const char *text)
{
    for (size_t i = 0; i < search->name_count; i++)
        if (strcmp(search->names[i]->text, text) == 0)
            return search->names[i];
    return NULL;
}

static const struct nip_lock_package *locked_of(const struct library_search *search,
                                                const char *name)
{
    for (size_t i = 0; i < search->lock->package_count; i++)
        if (strcmp(search->lock->packages[i].name, name) == 0)
            return &search->lock->packages[i];
    return NULL;
}

// The place of a name that is new. `asker_alias` is "" when the project asks.
static enum nip_code place_name(struct library_search *search, struct search_name *name,
                                const char *asker_alias, const char *written_alias,
                                struct nip_error *err)
{
    bool found = false;
    enum nip_code code = members_library(search->members, name->text, &found, name->path, err);
    if (code != NIP_OK || found)
        return code;
    const struct nip_lock_package *locked = locked_of(search, name->text);
    if (written_alias[0] != '\0') {
        snprintf(name->alias, sizeof name->alias, "%s", written_alias);
        name->is_alias_certain = true;
    } else if (locked != NULL && locked->registry[0] != '\0') {
        snprintf(name->alias, sizeof name->alias, "%s", locked->registry);
        name->is_alias_certain = true;
    } else {
        snprintf(name->alias, sizeof name->alias, "%s", asker_alias);
    }
    return NIP_OK;
}

static enum nip_code new_name(struct library_search *search, const char *text,
                              struct search_name **name, struct nip_error *err)
{
    if (search->name_count == NAMES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d libraries", NAMES_MAX);
    *name = calloc(1, sizeof **name);
    if (*name == NULL)
        return fail_memory(err);
    search->names[search->name_count++] = *name;
    snprintf((*name)->text, sizeof(*name)->text, "%.*s", NIP_NAME_MAX, text);
    return NIP_OK;
}

static enum nip_code refuse_kind(const char *name, const char *kind, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_SCHEMA, "%s is a %s and cannot be linked", name, kind);
    nip_error_hint(err, "`dependencies` names libraries; what a driver needs at run time stands in "
                        "`needs`");
    return NIP_ERROR_SCHEMA;
}

static enum nip_code add_name(struct library_search *search,
                              const struct nip_manifest_dependency *dependency,
                              const char *asker_alias, const char *asker, const char **text,
                              struct nip_error *err)
{
    bool is_project = asker == NULL;
    struct search_name *name = find_name(search, dependency->name);
    if (name != NULL) {
        *text = name->text;
        if (name->is_member && !name->is_library)
            return refuse_kind(name->text, "driver", err);
        // Local work asks from nowhere in particular.
        if (name->path[0] != '\0' || name->is_alias_certain || asker_alias[0] == '\0' ||
            strcmp(name->alias, asker_alias) == 0)
            return NIP_OK;
        nip_error_set(err, NIP_ERROR_CONFLICT,
                      "%s asks for %s from the registry '%s', and another package for the one from "
                      "'%s'",
                      asker, name->text, asker_alias, name->alias);
        nip_error_hint(err,
                       "a name belongs to one registry: say which in %s, with\n"
                       "library \"%s\" \"%s\" registry=\"%s\"",
                       NIP_MANIFEST_FILE, name->text, dependency->requirement, name->alias);
        return NIP_ERROR_CONFLICT;
    }
    enum nip_code code = new_name(search, dependency->name, &name, err);
    if (code != NIP_OK)
        return code;
    *text = name->text;
    memcpy(name->key, dependency->key, sizeof name->key);
    // Whoever publishes a package cannot say where its reader's registries are.
    return place_name(search, name, asker_alias, is_project ? dependency->registry : "", err);
}

// Turns the dependencies of a manifest into requirements.
static enum nip_code read_dependencies(struct library_search *search,
                                       const struct nip_manifest *manifest, const char *alias,
                                       const char *asker, struct nip_mvs_requirement *requirements,
                                       struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (uint32_t i = 0; code == NIP_OK && i < manifest->dependency_count; i++) {
        const struct nip_manifest_dependency *dependency = &manifest->dependencies[i];
        code = nip_requirement_check(dependency->requirement, &requirements[i].at_least, err);
        if (code == NIP_OK)
            code = add_name(search, dependency, alias, asker, &requirements[i].name, err);
    }
    return code;
}

// ---- versions ----

static enum nip_code versions_from_lock(const struct library_search *search,
                                        struct search_name *name)
{
    for (size_t i = 0; i < search->lock->package_count; i++) {
        const struct nip_lock_package *locked = &search->lock->packages[i];
        struct nip_mvs_version *version = &name->versions[name->version_count];
        if (strcmp(locked->name, name->text) != 0 || locked->registry[0] == '\0' ||
            !nip_version_parse(locked->version, strlen(locked->version), &version->version))
            continue;
        version->is_locked = true;
        name->version_count++;
    }
    return NIP_OK;
}

static enum nip_code version_of_path(struct library_search *search, struct search_name *name,
                                     struct nip_error *err)
{
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    if (manifest == NULL)
        return fail_memory(err);
    enum nip_code code = project_read_manifest(name->path, manifest, err);
    const char *version = manifest->identity.version;
    if (code == NIP_OK && strcmp(manifest->identity.name, name->text) != 0) {
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s is %s, not %s", name->path,
                             manifest->identity.name, name->text);
        nip_error_hint(err, "correct `override` in %s/%s", search->members->root,
                       NIP_WORKSPACE_FILE);
    }
    if (code == NIP_OK && nip_version_parse(version, strlen(version), &name->versions[0].version))
        name->version_count = 1;
    free(manifest);
    return code;
}

static int compare_versions(const void *a, const void *b)
{
    return nip_version_compare(&((const struct nip_mvs_version *)a)->version,
                               &((const struct nip_mvs_version *)b)->version);
}

static enum nip_code versions_from_registry(struct library_search *search, struct search_name *name,
                                            struct nip_error *err)
{
    struct registry *registry = NULL;
    struct nip_folder_versions list = {0};
    char alias[NIP_TRUST_ALIAS_SIZE];
    const char *where = name->alias[0] != '\0' ? name->alias : NULL;
    enum nip_code code =
        resolve_registry(search->decisions, where, name->text, false, &registry, NULL, alias, err);
    if (code == NIP_OK) {
        snprintf(name->alias, sizeof name->alias, "%s", alias);
        code = registry_versions(registry, name->text, &list, err);
    }
    registry_close(registry);
    free(name->versions);
    name->versions = calloc(list.count + 1, sizeof *name->versions);
    if (name->versions == NULL) {
        nip_folder_versions_free(&list);
        return fail_memory(err);
    }
    for (size_t i = 0; code == NIP_OK && i < list.count; i++) {
        struct nip_mvs_version *version = &name->versions[name->version_count];
        if (!nip_version_parse(list.items[i].text, strlen(list.items[i].text), &version->version))
            continue;
        version->is_yanked = list.items[i].is_yanked;
        for (size_t k = 0; k < search->lock->package_count; k++)
            version->is_locked =
                version->is_locked ||
                (strcmp(search->lock->packages[k].name, name->text) == 0 &&
                 strcmp(search->lock->packages[k].version, list.items[i].text) == 0);
        name->version_count++;
    }
    nip_folder_versions_free(&list);
    if (code == NIP_OK)
        qsort(name->versions, name->version_count, sizeof *name->versions, compare_versions);
    return code;
}

static enum nip_code give_versions(void *context, const char *text,
                                   const struct nip_mvs_version **versions, size_t *count,
                                   struct nip_error *err)
{
    struct library_search *search = context;
    struct search_name *name = find_name(search, text);
    enum nip_code code = NIP_OK;
    if (name == NULL)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "%s was not asked for", text);
    if (name->versions == NULL) {
        name->versions = calloc(NIP_LOCK_PACKAGES_MAX + 1, sizeof *name->versions);
        if (name->versions == NULL)
            return fail_memory(err);
        if (name->path[0] != '\0')
            code = version_of_path(search, name, err);
        else if (search->only_locked)
            code = versions_from_lock(search, name);
        else
            code = versions_from_registry(search, name, err);
    }
    *versions = name->versions;
    *count = name->version_count;
    return code;
}

// ---- requirements ----

static enum nip_code check_kind(const struct nip_manifest *manifest, struct nip_error *err)
{
    if (manifest->identity.kind == RUMPK_KIND_LIBRARY)
        return NIP_OK;
    return refuse_kind(manifest->identity.name, nip_kind_name(manifest->identity.kind), err);
}

// As it will be, for the member whose npl.kdl is being changed.
static enum nip_code read_local(const struct library_search *search, const struct search_name *name,
                                struct nip_manifest *manifest, struct nip_error *err)
{
    if (!name->is_member || strcmp(name->path, search->request_folder) != 0)
        return project_read_manifest(name->path, manifest, err);
    *manifest = *search->request.manifest;
    return NIP_OK;
}

static enum nip_code load_package(struct library_search *search, struct search_package *package,
                                  struct nip_error *err)
{
    struct search_name *name = package->name;
    char version[NIP_VERSION_MAX + 1];
    nip_version_text(&package->version, version);
    if (name->path[0] != '\0')
        return read_local(search, name, &package->package.manifest, err);
    static const uint8_t no_key[RUMPK_KEY_SIZE];
    const struct nip_lock_package *locked = NULL;
    for (size_t i = 0; i < search->lock->package_count; i++) {
        const struct nip_lock_package *entry = &search->lock->packages[i];
        if (strcmp(entry->name, name->text) == 0 && strcmp(entry->version, version) == 0 &&
            strcmp(entry->registry, name->alias) == 0)
            locked = entry;
    }
    struct resolve_request request = {
        .name = name->text,
        .version = version,
        .alias = name->alias,
        .locked = locked,
        .expected_key = memcmp(name->key, no_key, sizeof no_key) != 0 ? name->key : NULL,
        .fingerprint = search->request.fingerprint,
        .may_decide = search->request.may_decide};
    progress_step(&search->progress, name->text);
    enum nip_code code =
        resolve_package(search->cli, search->decisions, &request, &package->package, err);
    if (code == NIP_OK && locked != NULL &&
        memcmp(locked->id, nip_package_id(package->package.package), NIP_DIGEST_SIZE) != 0) {
        code = nip_error_set(err, NIP_ERROR_MISMATCH,
                             "%s %s: the registry '%s' has another package id than %s names",
                             name->text, version, name->alias, NIP_LOCK_FILE);
        nip_error_hint(err,
                       "one version must always be the same bytes: treat this as an attack, and "
                       "ask the publisher");
    }
    return code;
}

static enum nip_code give_requirements(void *context, const char *text,
                                       const struct nip_version *version,
                                       const struct nip_mvs_requirement **requirements,
                                       size_t *count, struct nip_error *err)
{
    struct library_search *search = context;
    for (size_t i = 0; i < search->package_count; i++) {
        const struct search_package *known = search->packages[i];
        if (strcmp(known->name->text, text) == 0 &&
            nip_version_compare(&known->version, version) == 0) {
            *requirements = known->requirements;
            *count = known->requirement_count;
            return NIP_OK;
        }
    }
    if (search->package_count == PACKAGES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d versions of libraries",
                             PACKAGES_MAX);
    struct search_package *package = calloc(1, sizeof *package);
    if (package == NULL)
        return fail_memory(err);
    package->name = find_name(search, text);
    package->version = *version;
    enum nip_code code = load_package(search, package, err);
    const struct nip_manifest *manifest = &package->package.manifest;
    if (code == NIP_OK && !package->name->is_member)
        code = check_kind(manifest, err);
    if (code == NIP_OK) {
        package->requirements =
            calloc(manifest->dependency_count + 1, sizeof *package->requirements);
        code = package->requirements != NULL ? NIP_OK : fail_memory(err);
    }
    // Local work asks for names as the project does: its own registries are not this project's.
    if (code == NIP_OK)
        code = read_dependencies(search, manifest, package->name->alias, text,
                                 package->requirements, err);
    if (code != NIP_OK) {
        checked_package_free(&package->package);
        free(package->requirements);
        free(package);
        return code;
    }
    package->requirement_count = manifest->dependency_count;
    search->packages[search->package_count++] = package;
    *requirements = package->requirements;
    *count = package->requirement_count;
    return NIP_OK;
}

// ---- a workspace as a whole ----

static enum nip_code add_member(struct library_search *search, const char *folder,
                                const struct nip_manifest *manifest, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    struct nip_mvs_requirement *root = &search->roots[search->root_count];
    struct search_name *name = find_name(search, identity->name);
    if (name != NULL || nip_workspace_override(&search->members->workspace, identity->name)) {
        nip_error_set(err, NIP_ERROR_CONFLICT, "%s is in two places of the workspace: %s and %s",
                      identity->name, folder, name != NULL ? name->path : "an `override`");
        nip_error_hint(err, "name one of them in %s/%s only", search->members->root,
                       NIP_WORKSPACE_FILE);
        return NIP_ERROR_CONFLICT;
    }
    enum nip_code code = new_name(search, identity->name, &name, err);
    if (code == NIP_OK)
        code = nip_version_check(identity->version, &root->at_least, err);
    if (code != NIP_OK)
        return code;
    snprintf(name->path, sizeof name->path, "%s", folder);
    name->is_member = true;
    name->is_library = identity->kind == RUMPK_KIND_LIBRARY;
    root->name = name->text;
    search->root_count++;
    return NIP_OK;
}

// The registries that a member writes down count for all members, whoever is asked first.
static enum nip_code add_written(struct library_search *search, const char *folder,
                                 const struct nip_manifest *manifest, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (uint32_t i = 0; code == NIP_OK && i < manifest->dependency_count; i++) {
        const struct nip_manifest_dependency *dependency = &manifest->dependencies[i];
        const char *text = NULL;
        if (dependency->registry[0] == '\0')
            continue;
        const struct search_name *known = find_name(search, dependency->name);
        if (known == NULL) {
            code = add_name(search, dependency, "", NULL, &text, err);
        } else if (known->path[0] == '\0' && strcmp(known->alias, dependency->registry) != 0) {
            code =
                nip_error_set(err, NIP_ERROR_CONFLICT,
                              "member %s takes %s from the registry '%s', and another member from "
                              "'%s'",
                              folder, dependency->name, dependency->registry, known->alias);
            nip_error_hint(err,
                           "a name belongs to one registry: write the same one in all members");
        }
    }
    return code;
}

static enum nip_code add_members(struct library_search *search, struct nip_error *err)
{
    const struct members *members = search->members;
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    char *real = realpath(search->request.folder, NULL);
    enum nip_code code = manifest != NULL && real != NULL ? NIP_OK : fail_memory(err);
    snprintf(search->request_folder, sizeof search->request_folder, "%s", real != NULL ? real : "");
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; code == NIP_OK && i < members->count; i++) {
            const char *folder = members->folders[i];
            if (project_kind(folder) != PROJECT_PACKAGE)
                continue;
            if (strcmp(folder, search->request_folder) == 0)
                *manifest = *search->request.manifest;
            else
                code = project_read_manifest(folder, manifest, err);
            if (code == NIP_OK)
                code = pass == 0 ? add_member(search, folder, manifest, err)
                                 : add_written(search, folder, manifest, err);
        }
    free(real);
    free(manifest);
    return code;
}

// ---- the whole ----

enum nip_code library_search_new(const struct cli *cli, struct decisions *decisions,
                                 const struct libraries_request *request,
                                 const struct nip_lock *lock, const struct members *members,
                                 bool only_locked, struct library_search **search,
                                 struct nip_error *err)
{
    struct library_search *made = calloc(1, sizeof *made);
    *search = made;
    if (made == NULL)
        return fail_memory(err);
    made->cli = cli;
    made->decisions = decisions;
    made->request = *request;
    made->lock = lock;
    made->members = members;
    made->only_locked = only_locked;
    made->source = (struct nip_mvs_source){.context = made,
                                           .versions = give_versions,
                                           .requirements = give_requirements,
                                           .root = request->is_workspace ? "the workspace" : NULL};
    if (request->is_workspace)
        return add_members(made, err);
    made->root_count = request->manifest->dependency_count;
    progress_begin(&made->progress, cli, "libraries", 0);
    return read_dependencies(made, request->manifest, "", NULL, made->roots, err);
}

void library_search_free(struct library_search *search)
{
    if (search == NULL)
        return;
    progress_end(&search->progress);
    for (size_t i = 0; i < search->package_count; i++) {
        if (!search->packages[i]->is_taken)
            checked_package_free(&search->packages[i]->package);
        free(search->packages[i]->requirements);
        free(search->packages[i]);
    }
    for (size_t i = 0; i < search->name_count; i++) {
        free(search->names[i]->versions);
        free(search->names[i]);
    }
    free(search);
}

void library_search_end(struct library_search *search)
{
    progress_end(&search->progress);
}

const struct nip_mvs_source *library_search_source(const struct library_search *search)
{
    return &search->source;
}

const struct nip_mvs_requirement *library_search_roots(const struct library_search *search,
                                                       size_t *count)
{
    *count = search->root_count;
    return search->roots;
}

enum nip_code library_search_take(struct library_search *search,
                                  const struct nip_mvs_choice *choice, struct library *library,
                                  struct nip_error *err)
{
    for (size_t i = 0; i < search->package_count; i++) {
        struct search_package *package = search->packages[i];
        if (strcmp(package->name->text, choice->name) != 0 ||
            nip_version_compare(&package->version, choice->version) != 0)
            continue;
        memcpy(library->name, package->name->text, sizeof library->name);
        nip_version_text(choice->version, library->version);
        nip_version_text(choice->at_least, library->at_least);
        snprintf(library->alias, sizeof library->alias, "%s", package->name->alias);
        snprintf(library->path, sizeof library->path, "%s", package->name->path);
        library->asker = choice->asker;
        library->is_yanked = choice->is_yanked;
        library->package = package->package;
        package->is_taken = true;
        return NIP_OK;
    }
    return nip_error_set(err, NIP_ERROR_INTERNAL, "%s was chosen and never looked at",
                         choice->name);
}
