// SPDX-License-Identifier: Apache-2.0
//
// nip outdated and nip audit: what the registries know by now about the packages of nip.lock.

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "members.h"
#include "nip/json.h"
#include "project.h"
#include "report.h"
#include "resolve.h"

// What a registry has of one package.
struct known {
    struct nip_folder_versions versions;
    const struct nip_folder_version *own;        // the locked version, or NULL
    const struct nip_folder_version *compatible; // the highest of its class that is higher, or NULL
    const struct nip_folder_version *newest;     // the highest of all that is higher, or NULL
};

static enum nip_code look_up(struct decisions *decisions, const struct nip_lock_package *package,
                             struct known *known, struct nip_error *err)
{
    struct registry *registry = NULL;
    struct nip_version own, found;
    char alias[NIP_TRUST_ALIAS_SIZE];
    memset(known, 0, sizeof *known);
    enum nip_code code = nip_version_check(package->version, &own, err);
    if (code == NIP_OK)
        code = resolve_registry(decisions, package->registry, package->name, false, &registry, NULL,
                                alias, err);
    if (code == NIP_OK)
        code = registry_versions(registry, package->name, &known->versions, err);
    registry_close(registry);
    for (size_t i = 0; code == NIP_OK && i < known->versions.count; i++) {
        const struct nip_folder_version *item = &known->versions.items[i];
        if (strcmp(item->text, package->version) == 0)
            known->own = item;
        if (item->is_yanked || !nip_version_parse(item->text, strlen(item->text), &found) ||
            found.prerelease[0] != '\0' || nip_version_compare(&found, &own) <= 0)
            continue;
        known->newest = item;
        if (nip_version_is_same_class(&found, &own))
            known->compatible = item;
    }
    return code;
}

typedef enum nip_code (*look_fn)(struct cli *cli, struct decisions *decisions,
                                 const struct nip_lock_package *package, const struct known *known,
                                 struct nip_json *list, size_t *count, struct nip_error *err);

// Calls `look` for every package of the lock that came from a registry.
static enum nip_code look_at_all(struct cli *cli, look_fn look, struct nip_json *list,
                                 size_t *count, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_lock *lock = NULL;
    bool found = false;
    enum nip_code code = NIP_OK;
    // The lock of a workspace is that of all its members.
    if (project_kind(".") == PROJECT_NONE && !members_is_root())
        code = project_require(PROJECT_NONE, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, &found, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    for (size_t i = 0; code == NIP_OK && i < lock->package_count; i++) {
        struct known known = {0};
        if (lock->packages[i].path[0] != '\0')
            continue;
        code = look_up(&decisions, &lock->packages[i], &known, err);
        if (code == NIP_ERROR_MISSING && err->code == NIP_ERROR_MISSING &&
            known.versions.count == 0) {
            // The package is gone from its registry: for audit a finding, else nothing newer.
            code = NIP_OK;
        }
        if (code == NIP_OK)
            code = look(cli, &decisions, &lock->packages[i], &known, list, count, err);
        nip_folder_versions_free(&known.versions);
    }
    decisions_free(&decisions);
    free(lock);
    return code;
}

// ---- outdated ----

static enum nip_code look_outdated(struct cli *cli, struct decisions *decisions,
                                   const struct nip_lock_package *package,
                                   const struct known *known, struct nip_json *list, size_t *count,
                                   struct nip_error *err)
{
    (void)decisions;
    (void)err;
    if (known->newest == NULL)
        return NIP_OK;
    ++*count;
    if (!cli->is_json) {
        if (*count == 1)
            cli_print(cli, "%-34s %-12s %-12s %s", "package", "locked", "same class", "newest");
        cli_print(cli, "%-34s %-12s %-12s %s", package->name, package->version,
                  known->compatible != NULL ? known->compatible->text : "-", known->newest->text);
        return NIP_OK;
    }
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "name", package->name);
    nip_json_put_text(object, "locked", package->version);
    if (known->compatible != NULL)
        nip_json_put_text(object, "compatible", known->compatible->text);
    nip_json_put_text(object, "newest", known->newest->text);
    nip_json_append(list, object);
    return NIP_OK;
}

enum nip_code command_outdated(struct cli *cli, struct nip_error *err)
{
    struct nip_json *list = nip_json_make_array();
    size_t count = 0;
    enum nip_code code = look_at_all(cli, look_outdated, list, &count, err);
    if (code == NIP_OK && cli->is_json)
        return report_json("nip-outdated-1", "packages", list, err);
    nip_json_free(list);
    if (code == NIP_OK && count == 0)
        cli_print(cli, "nothing newer is known");
    else if (code == NIP_OK)
        cli_next(cli, "nip update   (within the same class)");
    return code;
}

// ---- audit ----

static void find(struct cli *cli, const struct nip_lock_package *package, const char *kind,
                 const char *text, struct nip_json *list, size_t *count)
{
    ++*count;
    if (!cli->is_json) {
        cli_print_verdict(cli, false, kind, "%s %s: %s", package->name, package->version, text);
        return;
    }
    struct nip_json *object = nip_json_make_object();
    nip_json_put_text(object, "name", package->name);
    nip_json_put_text(object, "version", package->version);
    nip_json_put_text(object, "kind", kind);
    nip_json_put(object, "text", report_text(text));
    nip_json_append(list, object);
}

// The locked package itself, checked as for a build: is its signature still accepted?
static void look_at_keys(struct cli *cli, struct decisions *decisions,
                         const struct nip_lock_package *package, struct nip_json *list,
                         size_t *count)
{
    struct nip_error cause = {0};
    struct checked_package *checked = calloc(1, sizeof *checked);
    struct resolve_request request = {.name = package->name,
                                      .version = package->version,
                                      .alias = package->registry,
                                      .locked = package};
    if (checked == NULL)
        return;
    enum nip_code code = resolve_package(cli, decisions, &request, checked, &cause);
    if (code == NIP_OK)
        checked_package_free(checked);
    else if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
        find(cli, package, "revoked", cause.message, list, count);
    else
        find(cli, package, "unusable", cause.message, list, count);
    free(checked);
}

// A later version that closes a hole says so by its security-version.
static void look_at_holes(struct cli *cli, struct decisions *decisions,
                          const struct nip_lock_package *package, const struct known *known,
                          struct nip_json *list, size_t *count)
{
    const struct nip_folder_version *later =
        known->compatible != NULL ? known->compatible : known->newest;
    struct nip_error cause = {0};
    struct checked_package *checked = later != NULL ? calloc(1, sizeof *checked) : NULL;
    struct resolve_request request = {.name = package->name, .alias = package->registry};
    if (checked == NULL)
        return;
    request.version = later->text;
    if (resolve_package(cli, decisions, &request, checked, &cause) == NIP_OK) {
        uint32_t offered = checked->manifest.identity.security_version;
        char text[NIP_VERSION_MAX + 96];
        snprintf(text, sizeof text, "%s has security-version %u, this one %u: it has a known hole",
                 later->text, (unsigned)offered, (unsigned)package->security_floor);
        if (offered > package->security_floor)
            find(cli, package, "hole", text, list, count);
        checked_package_free(checked);
    }
    free(checked);
}

static enum nip_code look_audit(struct cli *cli, struct decisions *decisions,
                                const struct nip_lock_package *package, const struct known *known,
                                struct nip_json *list, size_t *count, struct nip_error *err)
{
    (void)err;
    if (known->own == NULL)
        find(cli, package, "gone", "its registry does not have it any more", list, count);
    else if (memcmp(known->own->sha256, package->sha256, NIP_DIGEST_SIZE) != 0)
        find(cli, package, "replaced",
             "its registry has other bytes under this version: treat this as an attack", list,
             count);
    else if (known->own->is_yanked)
        find(cli, package, "yanked",
             known->own->reason[0] != '\0' ? known->own->reason : "without a reason given", list,
             count);
    look_at_keys(cli, decisions, package, list, count);
    look_at_holes(cli, decisions, package, known, list, count);
    return NIP_OK;
}

enum nip_code command_audit(struct cli *cli, struct nip_error *err)
{
    struct nip_json *list = nip_json_make_array();
    size_t count = 0;
    enum nip_code code = look_at_all(cli, look_audit, list, &count, err);
    if (code == NIP_OK && cli->is_json)
        code = report_json("nip-audit-1", "findings", list, err);
    else
        nip_json_free(list);
    if (code == NIP_OK && count == 0 && !cli->is_json)
        cli_print(cli, "nothing is known against any package of %s", NIP_LOCK_FILE);
    if (code == NIP_OK && count != 0) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "%zu finding%s", count, count == 1 ? "" : "s");
        nip_error_hint(err,
                       "'nip update' takes what is newer of the same class; 'nip why NAME' says "
                       "who asks for a package");
    }
    return code;
}
