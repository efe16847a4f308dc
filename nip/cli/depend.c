// SPDX-License-Identifier: Apache-2.0
//
// The dependencies of a package project. npl.kdl is edited as text; it, nip.trust.kdl, nip.lock and
// nip.workspace.kdl are written only after everything has been chosen, fetched and checked: the
// manifest last.

#include "depend.h"

#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "libraries.h"
#include "members.h"
#include "mode.h"
#include "nip/fs.h"
#include "nip/kdl_edit.h"
#include "project.h"

struct change {
    struct cli *cli;
    struct decisions decisions;
    struct nip_lock *lock;
    bool has_lock; // nip.lock was there
    struct libraries libraries;
    struct nip_buffer text;        // npl.kdl, changed
    struct nip_manifest *manifest; // as npl.kdl says now
    struct nip_buffer workspace;   // nip.workspace.kdl, changed; empty: as it is
    struct nip_buffer workspace_before;
    char workspace_path[CLI_PATH_SIZE];
};

static enum nip_code read_text(const char *path, size_t size_max, struct nip_buffer *text,
                               struct nip_kdl_document **document, struct nip_error *err)
{
    nip_buffer_clear(text);
    enum nip_code code = nip_fs_read(path, size_max, text, err);
    return code == NIP_OK
               ? nip_kdl_parse(nip_buffer_text(text), text->size, path, NULL, document, err)
               : code;
}

// The line `library "NAME" ...` of npl.kdl, or NULL.
static const struct nip_kdl_node *find_line(const struct nip_kdl_document *document,
                                            const char *name)
{
    const struct nip_kdl_node *node =
        nip_kdl_find(nip_kdl_document_nodes(document), "dependencies");
    for (node = node != NULL ? node->children : NULL; node != NULL; node = node->next) {
        const struct nip_kdl_value *value = nip_kdl_argument(node, 0);
        if (nip_kdl_string_equals(node->name, "library") && value != NULL &&
            value->kind == NIP_KDL_STRING && nip_kdl_string_equals(value->text, name))
            return node;
    }
    return NULL;
}

static enum nip_code begin(struct change *change, struct cli *cli, struct nip_error *err)
{
    change->cli = cli;
    change->manifest = calloc(1, sizeof *change->manifest);
    if (change->manifest == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_read_manifest(".", change->manifest, err);
    if (code == NIP_OK)
        code = nip_fs_read(NIP_MANIFEST_FILE, NIP_MANIFEST_SIZE_MAX, &change->text, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &change->lock, &change->has_lock, err);
    if (code == NIP_OK)
        code = decisions_load(&change->decisions, err);
    return code;
}

static void end(struct change *change)
{
    libraries_free(&change->libraries);
    decisions_free(&change->decisions);
    nip_buffer_free(&change->text);
    nip_buffer_free(&change->workspace);
    nip_buffer_free(&change->workspace_before);
    free(change->manifest);
    free(change->lock);
}

// Puts a line into the changed text, in place of the one for the same library.
static enum nip_code put_line(struct change *change, const char *name, const char *line,
                              struct nip_error *err)
{
    struct nip_kdl_document *document = NULL;
    struct nip_buffer changed = {0};
    enum nip_code code = nip_kdl_parse(nip_buffer_text(&change->text), change->text.size,
                                       NIP_MANIFEST_FILE, NULL, &document, err);
    if (code != NIP_OK)
        return code;
    nip_kdl_put_child(document, "dependencies", find_line(document, name), line, &changed);
    nip_kdl_document_free(document);
    nip_buffer_free(&change->text);
    change->text = changed;
    return nip_manifest_parse(nip_buffer_text(&changed), changed.size, NIP_MANIFEST_FILE,
                              change->manifest, err);
}

static void print_line(const char *name, const char *version, const char *alias,
                       const struct nip_public_key *key, struct nip_buffer *line)
{
    nip_buffer_append_format(line, "library \"%s\" \"%s\"", name, version);
    if (alias[0] != '\0')
        nip_buffer_append_format(line, " registry=\"%s\"", alias);
    if (key != NULL) {
        char text[NIP_KEY_TEXT_SIZE];
        nip_public_key_text(key, text);
        nip_buffer_append_format(line, " key=\"%s\"", text);
    }
}

// The files that belong together. One that says the same already is left alone.
static enum nip_code save_all(struct change *change, bool has_lock, struct nip_error *err)
{
    struct commit_change changes[3] = {{.file = NIP_MANIFEST_FILE}};
    size_t count = 1;
    nip_buffer_append(&changes[0].content, change->text.data, change->text.size);
    if (has_lock) {
        changes[count].file = NIP_LOCK_FILE;
        nip_lock_print(change->lock, &changes[count++].content);
    }
    if (change->decisions.is_trust_changed) {
        changes[count].file = NIP_TRUST_FILE;
        nip_buffer_append(&changes[count++].content, change->decisions.trust_text.data,
                          change->decisions.trust_text.size);
    }
    enum nip_code code = commit_files(changes, count, err);
    for (size_t i = 0; i < count; i++)
        nip_buffer_free(&changes[i].content);
    return code;
}

// The choice sees the workspace as it will be; if it fails, the file is as before. (An override of
// something that nothing asks for changes nothing.)
static enum nip_code write_workspace(const struct change *change, const struct nip_buffer *text,
                                     struct nip_error *err)
{
    if (change->workspace.size == 0)
        return NIP_OK;
    if (text->size == 0)
        return nip_fs_remove_tree(change->workspace_path, err);
    return project_write_file(change->workspace_path, text->data, text->size, 0644, err);
}

// Chooses for the changed manifest and writes what changed.
static enum nip_code choose_and_write(struct change *change, struct nip_error *err)
{
    struct libraries_request request = {.folder = ".",
                                        .manifest = change->manifest,
                                        .fingerprint = cli_option(change->cli, "trust"),
                                        .may_decide = true,
                                        .ignores_lock = !mode_is_offline()};
    enum nip_code code = nip_buffer_check(&change->text, NIP_MANIFEST_FILE, err);
    if (code == NIP_OK)
        code = write_workspace(change, &change->workspace, err);
    if (code != NIP_OK)
        return code;
    code = libraries_choose(change->cli, &change->decisions, &request, change->lock,
                            &change->libraries, err);
    bool has_lock = change->has_lock || change->lock->package_count != 0;
    if (code == NIP_OK && has_lock)
        code = project_check_lock(".", change->lock, err);
    if (code == NIP_OK)
        code = save_all(change, has_lock, err);
    if (code != NIP_OK) {
        struct nip_error cause = {0};
        enum nip_code ignored = write_workspace(change, &change->workspace_before, &cause);
        (void)ignored; // the first error is the one to report
    }
    return code;
}

// ---- add ----

static enum nip_code check_library(const struct nip_manifest *manifest, struct nip_error *err)
{
    if (manifest->identity.kind == RUMPK_KIND_LIBRARY)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_SCHEMA, "%s is a %s; a package links libraries",
                  manifest->identity.name, nip_kind_name(manifest->identity.kind));
    nip_error_hint(err,
                   "drivers are put together in an image: nip new --image box, then in it: nip "
                   "add %s",
                   manifest->identity.name);
    return NIP_ERROR_SCHEMA;
}

static enum nip_code add_published(struct change *change, struct nip_error *err)
{
    struct cli *cli = change->cli;
    char name[NIP_NAME_MAX + 1] = "", version[NIP_VERSION_MAX + 1] = "";
    char alias[NIP_TRUST_ALIAS_SIZE];
    struct registry *registry = NULL;
    struct checked_package *package = calloc(1, sizeof *package);
    if (package == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = resolve_split(cli_operand(cli, 0), name, version, err);
    const char *where = cli_option(cli, "registry");
    for (uint32_t i = 0; code == NIP_OK && where == NULL && i < change->manifest->dependency_count;
         i++)
        if (strcmp(change->manifest->dependencies[i].name, name) == 0 &&
            change->manifest->dependencies[i].registry[0] != '\0')
            where = change->manifest->dependencies[i].registry;
    if (code == NIP_OK)
        code =
            resolve_registry(&change->decisions, where, name, false, &registry, NULL, alias, err);
    struct resolve_request request = {.name = name,
                                      .version = version[0] != '\0' ? version : NULL,
                                      .alias = alias,
                                      .registry = registry,
                                      .fingerprint = cli_option(cli, "trust"),
                                      .may_decide = true};
    if (code == NIP_OK)
        code = resolve_package(cli, &change->decisions, &request, package, err);
    if (code == NIP_OK)
        code = check_library(&package->manifest, err);
    struct nip_buffer line = {0};
    if (code == NIP_OK) {
        print_line(name, package->manifest.identity.version, alias,
                   nip_package_key(package->package), &line);
        code = put_line(change, name, nip_buffer_text(&line), err);
    }
    if (code == NIP_OK)
        code = choose_and_write(change, err);
    if (code == NIP_OK) {
        cli_say(cli, "added %s %s to %s", name, package->manifest.identity.version,
                NIP_MANIFEST_FILE);
        cli_next(cli, "nip build");
    }
    nip_buffer_free(&line);
    checked_package_free(package);
    free(package);
    registry_close(registry);
    return code;
}

// A line in nip.workspace.kdl, unless a member of the workspace is meant.
static enum nip_code override(struct change *change, const char *name, const char *path,
                              struct nip_error *err)
{
    struct members *members = NULL;
    struct nip_kdl_document *document = NULL;
    bool found = false;
    char folder[CLI_PATH_SIZE];
    enum nip_code code = members_find(".", &members, err);
    if (code == NIP_OK)
        code = members_library(members, name, &found, folder, err);
    char *wanted = realpath(path, NULL), *known = found ? realpath(folder, NULL) : NULL;
    bool is_same = wanted != NULL && known != NULL && strcmp(wanted, known) == 0;
    if (code == NIP_OK && found && !is_same) {
        code = nip_error_set(err, NIP_ERROR_CONFLICT, "%s stands for %s already", folder, name);
        nip_error_hint(err, "change or remove that in %s/%s", members->root, NIP_WORKSPACE_FILE);
    }
    if (code == NIP_OK && !found) {
        bool has_root = members->root[0] != '\0';
        if (has_root)
            project_path(change->workspace_path, members->root, NIP_WORKSPACE_FILE);
        else
            snprintf(change->workspace_path, sizeof change->workspace_path, NIP_WORKSPACE_FILE);
        if (has_root)
            code = nip_fs_read(change->workspace_path, NIP_WORKSPACE_SIZE_MAX, &change->workspace,
                               err);
        nip_buffer_append(&change->workspace_before, change->workspace.data,
                          change->workspace.size);
        bool is_above = has_root && strcmp(change->workspace_path, NIP_WORKSPACE_FILE) != 0;
        nip_buffer_append_format(&change->workspace, "override \"%s\" path=", name);
        const char *written = is_above && path[0] != '/' ? wanted : path;
        nip_kdl_print_quoted(written != NULL ? written : path,
                             strlen(written != NULL ? written : path), &change->workspace);
        nip_buffer_append_byte(&change->workspace, '\n');
    }
    free(wanted);
    free(known);
    nip_kdl_document_free(document);
    members_free(members);
    return code;
}

static enum nip_code add_local(struct change *change, const char *path, struct nip_error *err)
{
    struct cli *cli = change->cli;
    if (cli_operand(cli, 0) != NULL || cli_option(cli, "registry") != NULL) {
        nip_error_set(err, NIP_ERROR_USAGE,
                      "--path takes the library from a folder: no name and no --registry with it");
        nip_error_hint(err, "nip add --path %s", path);
        return NIP_ERROR_USAGE;
    }
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    if (manifest == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_read_manifest(path, manifest, err);
    if (code == NIP_OK)
        code = check_library(manifest, err);
    struct nip_buffer line = {0};
    if (code == NIP_OK) {
        print_line(manifest->identity.name, manifest->identity.version, "", NULL, &line);
        code = put_line(change, manifest->identity.name, nip_buffer_text(&line), err);
    }
    if (code == NIP_OK)
        code = override(change, manifest->identity.name, path, err);
    if (code == NIP_OK)
        code = choose_and_write(change, err);
    if (code == NIP_OK) {
        cli_say(cli, "added %s %s to %s, from %s", manifest->identity.name,
                manifest->identity.version, NIP_MANIFEST_FILE, path);
        cli_next(cli, "nip build");
    }
    nip_buffer_free(&line);
    free(manifest);
    return code;
}

static enum nip_code run(struct cli *cli,
                         enum nip_code (*work)(struct change *change, struct nip_error *err),
                         struct nip_error *err)
{
    struct change *change = calloc(1, sizeof *change);
    struct project_lock held = PROJECT_LOCK_NONE;
    if (change == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_lock(&held, err);
    if (code == NIP_OK)
        code = begin(change, cli, err);
    if (code == NIP_OK)
        code = work(change, err);
    project_unlock(&held);
    end(change);
    free(change);
    return code;
}

static enum nip_code work_add(struct change *change, struct nip_error *err)
{
    const char *path = cli_option(change->cli, "path");
    if (path != NULL)
        return add_local(change, path, err);
    if (cli_operand(change->cli, 0) != NULL)
        return add_published(change, err);
    nip_error_set(err, NIP_ERROR_USAGE, "add what?");
    nip_error_hint(err, "nip add acme/ring --registry file:../reg, or: nip add --path ../ring");
    return NIP_ERROR_USAGE;
}

enum nip_code depend_add(struct cli *cli, struct nip_error *err)
{
    return run(cli, work_add, err);
}

// ---- remove ----

static enum nip_code work_remove(struct change *change, struct nip_error *err)
{
    struct nip_kdl_document *document = NULL;
    struct nip_buffer changed = {0};
    const char *name = cli_operand(change->cli, 0);
    enum nip_code code =
        read_text(NIP_MANIFEST_FILE, NIP_MANIFEST_SIZE_MAX, &change->text, &document, err);
    if (code != NIP_OK)
        return code;
    const struct nip_kdl_node *line = find_line(document, name);
    if (line == NULL) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s names no library %s", NIP_MANIFEST_FILE,
                             name);
        nip_error_hint(err, "'nip tree' shows what is linked, 'nip why %s' who asks for it", name);
    } else {
        // A block that would be empty goes as a whole.
        const struct nip_kdl_node *parent =
            nip_kdl_find(nip_kdl_document_nodes(document), "dependencies");
        bool is_only = parent->children == line && line->next == NULL;
        const struct nip_kdl_node *gone = is_only ? parent : line;
        nip_kdl_remove_nodes(document, &gone, 1, &changed);
        nip_buffer_free(&change->text);
        change->text = changed;
        code = nip_manifest_parse(nip_buffer_text(&changed), changed.size, NIP_MANIFEST_FILE,
                                  change->manifest, err);
    }
    nip_kdl_document_free(document);
    if (code == NIP_OK)
        code = choose_and_write(change, err);
    if (code == NIP_OK) {
        cli_say(change->cli, "removed %s from %s", name, NIP_MANIFEST_FILE);
        cli_next(change->cli, "nip build");
    }
    return code;
}

enum nip_code depend_remove(struct cli *cli, struct nip_error *err)
{
    return run(cli, work_remove, err);
}

// ---- update ----

// The highest version that may replace what is asked for: same class, not yanked, no pre-release.
static enum nip_code find_newest(struct change *change,
                                 const struct nip_manifest_dependency *dependency,
                                 char version[NIP_VERSION_MAX + 1], struct nip_error *err)
{
    struct registry *registry = NULL;
    struct nip_folder_versions list = {0};
    struct nip_version bound;
    char alias[NIP_TRUST_ALIAS_SIZE];
    const char *where = dependency->registry[0] != '\0' ? dependency->registry : NULL;
    const struct nip_lock_package *locked = nip_lock_find(change->lock, dependency->name, NULL);
    if (where == NULL && locked != NULL)
        where = locked->registry;
    version[0] = '\0';
    enum nip_code code = nip_requirement_check(dependency->requirement, &bound, err);
    if (code == NIP_OK)
        code = resolve_registry(&change->decisions, where, dependency->name, false, &registry, NULL,
                                alias, err);
    if (code == NIP_OK)
        code = registry_versions(registry, dependency->name, &list, err);
    for (size_t i = 0; code == NIP_OK && i < list.count; i++) {
        struct nip_version found;
        if (!list.items[i].is_yanked &&
            nip_version_parse(list.items[i].text, strlen(list.items[i].text), &found) &&
            found.prerelease[0] == '\0' && nip_version_is_same_class(&found, &bound) &&
            nip_version_compare(&found, &bound) > 0)
            memcpy(version, list.items[i].text, NIP_VERSION_MAX + 1);
    }
    nip_folder_versions_free(&list);
    registry_close(registry);
    return code;
}

static bool is_overridden(const struct change *change, const char *name)
{
    for (size_t i = 0; i < change->lock->package_count; i++)
        if (strcmp(change->lock->packages[i].name, name) == 0 &&
            change->lock->packages[i].path[0] != '\0')
            return true;
    return false;
}

static enum nip_code update_one(struct change *change, uint32_t index, size_t *updated,
                                struct nip_error *err)
{
    struct nip_manifest_dependency dependency = change->manifest->dependencies[index];
    char newest[NIP_VERSION_MAX + 1];
    static const uint8_t no_key[RUMPK_KEY_SIZE];
    if (is_overridden(change, dependency.name))
        return NIP_OK;
    enum nip_code code = find_newest(change, &dependency, newest, err);
    if (code != NIP_OK || newest[0] == '\0')
        return code;
    struct nip_kdl_document *document = NULL;
    struct nip_buffer line = {0};
    code = nip_kdl_parse(nip_buffer_text(&change->text), change->text.size, NIP_MANIFEST_FILE, NULL,
                         &document, err);
    const struct nip_kdl_node *old = code == NIP_OK ? find_line(document, dependency.name) : NULL;
    const struct nip_kdl_value *key = old != NULL ? nip_kdl_property(old, "key") : NULL;
    nip_buffer_append_format(&line, "library \"%s\" \"%s\"", dependency.name, newest);
    if (dependency.registry[0] != '\0')
        nip_buffer_append_format(&line, " registry=\"%s\"", dependency.registry);
    if (key != NULL && memcmp(dependency.key, no_key, sizeof no_key) != 0)
        nip_buffer_append_format(&line, " key=\"%.*s\"", (int)key->text.size, key->text.text);
    nip_kdl_document_free(document);
    if (code == NIP_OK)
        code = put_line(change, dependency.name, nip_buffer_text(&line), err);
    if (code == NIP_OK) {
        cli_say(change->cli, "%s %s -> %s", dependency.name, dependency.requirement, newest);
        ++*updated;
    }
    nip_buffer_free(&line);
    return code;
}

static enum nip_code work_update(struct change *change, struct nip_error *err)
{
    const char *name = cli_operand(change->cli, 0);
    size_t updated = 0, looked_at = 0;
    enum nip_code code = NIP_OK;
    for (uint32_t i = 0; code == NIP_OK && i < change->manifest->dependency_count; i++) {
        if (name != NULL && strcmp(change->manifest->dependencies[i].name, name) != 0)
            continue;
        looked_at++;
        code = update_one(change, i, &updated, err);
    }
    if (code == NIP_OK && name != NULL && looked_at == 0) {
        nip_error_set(err, NIP_ERROR_MISSING, "%s names no library %s", NIP_MANIFEST_FILE, name);
        nip_error_hint(err,
                       "a library that only others ask for gets the version that they need; to "
                       "raise it, ask for it too: nip add %s",
                       name);
        return NIP_ERROR_MISSING;
    }
    // Also when nothing is newer: what was yanked since is left behind, if it can be.
    if (code == NIP_OK)
        code = choose_and_write(change, err);
    if (code == NIP_OK) {
        if (updated == 0)
            cli_say(change->cli, "nothing newer of the same class");
        cli_next(change->cli, "nip build");
    }
    return code;
}

enum nip_code depend_update(struct cli *cli, struct nip_error *err)
{
    return run(cli, work_update, err);
}

// ---- fetch ----

static enum nip_code work_fetch(struct change *change, struct nip_error *err)
{
    struct libraries_request request = {.folder = ".",
                                        .manifest = change->manifest,
                                        .fingerprint = cli_option(change->cli, "trust"),
                                        .may_decide = true};
    enum nip_code code = NIP_OK;
    if (change->manifest->dependency_count != 0)
        code = libraries_choose(change->cli, &change->decisions, &request, change->lock,
                                &change->libraries, err);
    if (code == NIP_OK && change->libraries.count != 0)
        code = project_check_lock(".", change->lock, err);
    if (code == NIP_OK)
        code = save_all(change, change->libraries.count != 0, err);
    if (code == NIP_OK) {
        cli_say(change->cli, "%zu librar%s in the cache, checked", change->libraries.count,
                change->libraries.count == 1 ? "y" : "ies");
        cli_next(change->cli, "nip build --offline");
    }
    return code;
}

enum nip_code depend_fetch(struct cli *cli, struct nip_error *err)
{
    return run(cli, work_fetch, err);
}
