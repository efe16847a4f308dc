// SPDX-License-Identifier: Apache-2.0
//
// nip publish, fetch, registry repair.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checking.h"
#include "cleanup.h"
#include "commands.h"
#include "depend.h"
#include "imaging.h"
#include "interface.h"
#include "keystore.h"
#include "libraries.h"
#include "members.h"
#include "nip/fs.h"
#include "nip/oci.h"
#include "nip/source.h"
#include "nip/workspace.h"
#include "packing.h"
#include "progress.h"
#include "project.h"
#include "report.h"
#include "resolve.h"
#include "settings.h"
#include "store.h"
#include "votes.h"

static enum nip_code refuse_existing(struct registry *registry, const struct nip_manifest *manifest,
                                     struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    struct nip_error cause = {0};
    enum nip_code code = registry_has(registry, identity->name, identity->version, &cause);
    if (code == NIP_ERROR_MISSING)
        return NIP_OK;
    if (code != NIP_OK) {
        *err = cause;
        return code;
    }
    nip_error_set(err, NIP_ERROR_EXISTS, "%s %s is in %s already, and a version is never replaced",
                  identity->name, identity->version, registry_url(registry));
    nip_error_hint(err, "raise version in %s and publish again", NIP_MANIFEST_FILE);
    return NIP_ERROR_EXISTS;
}

// security-version is a ratchet: a publisher who skips values could never use them again. Compared
// with the highest version that is there, if one of the user's own keys signed it.
static enum nip_code check_security_step(struct registry *registry,
                                         const struct nip_manifest *manifest, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    struct nip_error cause = {0};
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    struct nip_public_key keys[KEYSTORE_KEYS_MAX];
    struct checked_package newest = {0};
    char version[NIP_VERSION_MAX + 1];
    size_t count = 0;
    if (keystore_list(entries, &count, &cause) != NIP_OK ||
        registry_newest(registry, identity->name, version, &cause) != NIP_OK ||
        registry_fetch(registry, identity->name, version, &newest.npl, &cause) != NIP_OK) {
        nip_buffer_free(&newest.npl);
        return NIP_OK;
    }
    for (size_t i = 0; i < count; i++)
        keys[i] = entries[i].key;
    struct key_list list = {keys, count};
    if (checked_package_open(&newest, &list, version, &cause) != NIP_OK)
        return NIP_OK;
    uint32_t before = newest.manifest.identity.security_version;
    checked_package_free(&newest);
    if (identity->security_version <= before + 1)
        return NIP_OK;
    nip_error_set(
        err, NIP_ERROR_SCHEMA,
        "security-version goes from %u (in %s) to %u; one publication raises it by one at "
        "most",
        (unsigned)before, version, (unsigned)identity->security_version);
    nip_error_hint(err, "write security-version %u in %s", (unsigned)(before + 1),
                   NIP_MANIFEST_FILE);
    return NIP_ERROR_SCHEMA;
}

// A package that 'nip sign' has written, if it is exactly what would be signed now.
static bool find_signed(const char *file, const char *key_name, const struct nip_buffer *digests,
                        struct checked_package *package)
{
    struct nip_error cause = {0};
    struct nip_public_key keys[KEYSTORE_KEYS_MAX];
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    size_t count = 0;
    memset(package, 0, sizeof *package);
    if (nip_fs_kind(file) != NIP_FS_FILE)
        return false;
    if (key_name != NULL) {
        if (keystore_public(key_name, &keys[0], &cause) != NIP_OK)
            return false;
        count = 1;
    } else if (keystore_list(entries, &count, &cause) == NIP_OK) {
        for (size_t i = 0; i < count; i++)
            keys[i] = entries[i].key;
    }
    struct key_list list = {keys, count};
    if (nip_fs_read(file, NIP_BUFFER_SIZE_MAX, &package->npl, &cause) != NIP_OK ||
        checked_package_open(package, &list, file, &cause) != NIP_OK) {
        nip_buffer_free(&package->npl);
        return false;
    }
    size_t size = 0;
    const char *text = nip_package_digests_text(package->package, &size);
    if (nip_buffer_equals(digests, text, size))
        return true;
    checked_package_free(package);
    return false;
}

// The development key has no password and is made silently: it vouches for nobody.
static enum nip_code refuse_development(const struct nip_public_key *key, const char *name,
                                        struct nip_error *err)
{
    if (!keystore_is_development(key->key) || strncmp(name, "local/", 6) == 0)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_KEY, "the development key is not for publishing %s", name);
    nip_error_hint(err, "make a key of your own: nip key new");
    return NIP_ERROR_KEY;
}

// What others have signed beside the file goes to the registry with it.
static enum nip_code attach_beside(const struct cli *cli, const char *file,
                                   struct registry *registry,
                                   const struct rumpk_bkdl_identity *identity,
                                   const struct checked_package *package, struct nip_error *err)
{
    struct votes votes = {0};
    enum nip_code code = votes_read_beside(file, &votes, err);
    for (size_t i = 0; code == NIP_OK && i < votes.count; i++) {
        if (!votes_is_over(package, &votes.texts[i])) {
            cli_warn(cli, "%s.%u.minisig is over another package; it was not attached", file,
                     votes.numbers[i]);
            continue;
        }
        cleanup_hold();
        code = registry_attach(registry, identity->name, identity->version, votes.texts[i].data,
                               votes.texts[i].size, err);
        cleanup_release();
        if (code == NIP_OK)
            cli_say(cli, "attached   %s.%u.minisig", file, votes.numbers[i]);
    }
    votes_free(&votes);
    return code;
}

static enum nip_code sign_now(const struct cli *cli, const struct nip_manifest *manifest,
                              const struct nip_pack *pack, const struct nip_buffer *digests,
                              struct checked_package *package, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    struct nip_secret_key key;
    struct nip_public_key public;
    enum nip_code code = keystore_unlock(settings_key(cli), &key, err);
    if (code != NIP_OK)
        return code;
    nip_secret_key_public(&key, &public);
    code = refuse_development(&public, identity->name, err);
    if (code == NIP_OK)
        code = packing_sign(pack, digests, identity->name, identity->version, &key, package, err);
    nip_wipe(&key, sizeof key);
    if (code == NIP_OK) {
        char file[CLI_PATH_SIZE];
        packing_file(file, ".", identity->name, identity->version);
        code = project_write_file(file, package->npl.data, package->npl.size, 0644, err);
        if (code == NIP_OK)
            cli_say(cli, "signed     %s", file);
    }
    return code;
}

// The key is looked for before the long work begins.
static enum nip_code require_key(const char *name, const struct nip_manifest *manifest,
                                 struct nip_error *err)
{
    char file[CLI_PATH_SIZE];
    struct nip_public_key key;
    struct nip_error cause = {0};
    packing_file(file, ".", manifest->identity.name, manifest->identity.version);
    if (nip_fs_kind(file) == NIP_FS_FILE || strchr(name, '/') != NULL ||
        keystore_public(name, &key, &cause) == NIP_OK)
        return NIP_OK;
    return keystore_refuse_missing(name, NULL, err);
}

// What is published can be built by others: from nothing that lies on this computer only.
static enum nip_code refuse_local_work(const struct cli *cli, struct decisions *decisions,
                                       const struct nip_manifest *manifest, struct nip_error *err)
{
    struct nip_lock *lock = NULL;
    struct project_lock held = PROJECT_LOCK_NONE;
    struct libraries libraries = {0};
    struct libraries_request request = {.folder = ".", .manifest = manifest};
    if (manifest->dependency_count == 0)
        return NIP_OK;
    enum nip_code code = project_lock(&held, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = libraries_choose(cli, decisions, &request, lock, &libraries, err);
    project_unlock(&held);
    for (size_t i = 0; code == NIP_OK && i < libraries.count; i++) {
        if (libraries.items[i].path[0] == '\0')
            continue;
        code = nip_error_set(err, NIP_ERROR_UNTRUSTED,
                             "%s comes from %s: a package that is published links published "
                             "libraries only",
                             libraries.items[i].name, libraries.items[i].path);
        nip_error_hint(err, "publish %s first, then remove its override or its membership in %s",
                       libraries.items[i].name, NIP_WORKSPACE_FILE);
    }
    libraries_free(&libraries);
    free(lock);
    return code;
}

// The version, and beside it what its list names so.
static enum nip_code put_into_registry(struct registry *registry, const struct nip_pack *pack,
                                       const struct rumpk_bkdl_identity *identity,
                                       const struct checked_package *package, struct nip_error *err)
{
    struct nip_folder_file *files = calloc(pack->file_count + 1, sizeof *files);
    size_t count = 0;
    if (files == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (size_t i = 0; i < pack->file_count; i++)
        if (pack->files[i].is_beside)
            files[count++] = (struct nip_folder_file){pack->files[i].path, pack->files[i].data,
                                                      pack->files[i].size};
    cleanup_hold();
    enum nip_code code = registry_publish(
        registry, identity->name, identity->version, nip_package_id(package->package),
        package->npl.data, package->npl.size, files, count, nip_package_key(package->package), err);
    cleanup_release();
    if (code == NIP_ERROR_EXISTS)
        nip_error_hint(err, "raise version in %s and publish again", NIP_MANIFEST_FILE);
    free(files);
    return code;
}

static enum nip_code publish_package(struct cli *cli, struct decisions *decisions,
                                     struct registry *registry, const char *alias,
                                     const struct nip_manifest *manifest, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    const char *key_name = settings_key_said(cli);
    struct nip_pack pack = {0};
    struct nip_buffer digests = {0};
    struct checked_package package = {0};
    char file[CLI_PATH_SIZE];
    enum nip_code code = refuse_existing(registry, manifest, err);
    if (code == NIP_OK)
        code = check_security_step(registry, manifest, err);
    if (code == NIP_OK)
        code = packing_collect(cli, &decisions->sdk, ".", manifest, true, &pack, &digests, err);
    if (code == NIP_OK && manifest->identity.kind != RUMPK_KIND_KERNEL)
        code = checking_require(&decisions->sdk, ".", manifest, err);
    if (code == NIP_OK)
        code = interface_require(cli, decisions, registry, alias, manifest, err);
    if (code == NIP_OK)
        code = refuse_local_work(cli, decisions, manifest, err);
    if (code == NIP_OK)
        code = packing_stage(cli, ".", &pack, &digests, err);
    packing_file(file, ".", identity->name, identity->version);
    if (code == NIP_OK && !find_signed(file, key_name, &digests, &package))
        code = sign_now(cli, manifest, &pack, &digests, &package, err);
    if (code == NIP_OK)
        code = refuse_development(nip_package_key(package.package), identity->name, err);
    if (code == NIP_OK)
        code = put_into_registry(registry, &pack, identity, &package, err);
    if (code == NIP_OK)
        code = attach_beside(cli, file, registry, identity, &package, err);
    if (code == NIP_OK) {
        char id[NIP_DIGEST_TEXT_SIZE], size[32];
        nip_digest_text(nip_package_id(package.package), id);
        cli_say(cli, "published  %s %s to %s (%s)\npackage id %s", identity->name,
                identity->version, registry_url(registry), cli_size_text(package.npl.size, size),
                id);
    }
    checked_package_free(&package);
    nip_buffer_free(&digests);
    nip_pack_free(&pack);
    return code;
}

enum nip_code command_publish(struct cli *cli, struct nip_error *err)
{
    struct decisions decisions;
    struct nip_manifest manifest;
    struct registry *registry = NULL;
    char alias[NIP_TRUST_ALIAS_SIZE];
    bool is_new = false;
    enum nip_code code = project_require(PROJECT_PACKAGE, err);
    if (code == NIP_OK)
        code = project_read_manifest(".", &manifest, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    else
        memset(&decisions, 0, sizeof decisions);
    if (code == NIP_OK)
        code = require_key(settings_key(cli), &manifest, err);
    if (code == NIP_OK)
        code = resolve_registry(&decisions, cli_option(cli, "registry"), NULL, true, &registry,
                                &is_new, alias, err);
    if (code == NIP_OK && is_new)
        cli_say(cli, "created    registry %s (freshness none: nothing there says what is current)",
                registry_url(registry));
    if (code == NIP_OK)
        code = publish_package(cli, &decisions, registry, alias, &manifest, err);
    if (code == NIP_OK)
        cli_next(cli, "cd .. && nip new --image box   (in it: nip add %s --registry %s)",
                 manifest.identity.name, registry_url(registry));
    registry_close(registry);
    decisions_free(&decisions);
    return code;
}

static enum nip_code fetch_libraries(struct cli *cli, struct nip_error *err)
{
    enum nip_code code = project_require(PROJECT_PACKAGE, err);
    return code == NIP_OK ? depend_fetch(cli, err) : code;
}

// Everything that image.kdl names, as the lock has it.
static enum nip_code fetch_image(struct cli *cli, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_imagedef *imagedef = NULL;
    struct nip_lock *lock = NULL;
    struct project_lock held = PROJECT_LOCK_NONE;
    struct imaging *imaging = calloc(1, sizeof *imaging);
    enum nip_code code = imaging != NULL ? project_lock(&held, err)
                                         : nip_error_set(err, NIP_ERROR_MEMORY, "no memory");
    if (code == NIP_OK)
        code = project_read_image(".", &imagedef, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = imaging_resolve(cli, &decisions, imagedef, lock, false, imaging, err);
    if (code == NIP_OK)
        code = project_write_lock(".", lock, err);
    if (code == NIP_OK) {
        cli_say(cli, "%u packages in the cache or the SDK, checked",
                (unsigned)imagedef->package_count + 1);
        cli_next(cli, "nip image --offline");
    }
    project_unlock(&held);
    imaging_free(imaging);
    decisions_free(&decisions);
    nip_imagedef_free(imagedef);
    free(lock);
    return code;
}

// ---- one package as files ----

// What is to be written: the package, and what was asked for of the files beside it.
struct fetched {
    char path[CLI_PATH_SIZE];
    struct nip_buffer content;
};
enum { FETCHED_MAX = 1 + NIP_OCI_BESIDE_MAX };

// "hello-0.1.0.source.tar", "hello-0.1.0.riscv64-driver.debug": where 'nip rebuild' looks for it.
static void name_beside(const char *npl, const char *path, char out[CLI_PATH_SIZE])
{
    int size = (int)strlen(npl);
    if (size > 4 && strcmp(npl + size - 4, ".npl") == 0)
        size -= 4;
    int stem = snprintf(out, CLI_PATH_SIZE, "%.*s.", size, npl);
    if (stem < 0 || stem + (int)strlen(path) >= CLI_PATH_SIZE) {
        out[0] = '\0'; // a path that is cut names nothing
        return;
    }
    for (size_t i = 0; i <= strlen(path); i++)
        out[(size_t)stem + i] = (char)(path[i] == '/' ? '-' : path[i]);
}

static enum nip_code fetch_beside(const struct cli *cli, struct registry *registry,
                                  const struct checked_package *package, const char *npl,
                                  struct fetched *fetched, size_t *count, struct nip_error *err)
{
    const struct nip_digests *digests = nip_package_digests(package->package);
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < digests->beside_count; i++) {
        const struct nip_digests_file *file = &digests->besides[i];
        bool is_source = strcmp(file->path, NIP_SOURCE_FILE) == 0;
        if (!cli_flag(cli, is_source ? "source" : "debug"))
            continue;
        if (*count == FETCHED_MAX)
            return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d files beside one package",
                                 NIP_OCI_BESIDE_MAX);
        struct fetched *one = &fetched[(*count)++];
        name_beside(npl, file->path, one->path);
        code = registry_fetch_beside(registry, digests->name, digests->version, file, &one->content,
                                     err);
        // What the publisher has signed, `nip crash` may find without being told where.
        if (code == NIP_OK && !is_source)
            store_put_debug(one->content.data, one->content.size);
    }
    if (code == NIP_OK && cli_flag(cli, "source") &&
        nip_digests_beside(digests, NIP_SOURCE_FILE) == NULL) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s %s records no source archive",
                             digests->name, digests->version);
        nip_error_hint(err, "leave out --source");
    }
    return code;
}

// All of them or none; a file that is there is never replaced.
static enum nip_code write_fetched(const struct fetched *fetched, size_t count,
                                   struct nip_error *err)
{
    size_t written = 0;
    enum nip_code code = NIP_OK;
    cleanup_hold();
    for (; code == NIP_OK && written < count; written++)
        code = nip_fs_create(fetched[written].path, fetched[written].content.data,
                             fetched[written].content.size, 0644, err);
    for (size_t i = 0; code != NIP_OK && i + 1 < written; i++)
        unlink(fetched[i].path);
    cleanup_release();
    if (code == NIP_ERROR_EXISTS)
        nip_error_hint(err, "name another file: --out FILE");
    else if (code != NIP_OK)
        nip_error_hint(err, "name a file in a folder that is there and yours: --out FILE");
    return code;
}

static enum nip_code fetch_files(struct cli *cli, struct decisions *decisions,
                                 struct fetched *fetched, struct nip_error *err)
{
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1], alias[NIP_TRUST_ALIAS_SIZE];
    struct registry *registry = NULL;
    struct checked_package package = {0};
    char path[CLI_PATH_SIZE];
    size_t count = 0;
    enum nip_code code = resolve_split(cli_operand(cli, 0), name, version, err);
    if (code == NIP_OK)
        code = decisions_load(decisions, err);
    if (code == NIP_OK)
        code = resolve_registry(decisions, cli_option(cli, "registry"), name, false, &registry,
                                NULL, alias, err);
    struct resolve_request request = {
        .name = name,
        .version = version[0] != '\0' ? version : NULL,
        .alias = alias,
        .registry = registry,
        .fingerprint = cli_option(cli, "trust"),
        .may_decide = true,
    };
    struct progress progress;
    progress_begin(&progress, cli, "fetching", 1);
    progress_step(&progress, cli_operand(cli, 0));
    if (code == NIP_OK)
        code = resolve_package(cli, decisions, &request, &package, err);
    progress_end(&progress);
    const char *out = cli_option(cli, "out");
    if (code == NIP_OK) {
        struct fetched *npl = &fetched[count++];
        if (out != NULL)
            snprintf(path, sizeof path, "%s", out);
        else
            snprintf(path, sizeof path, "%s-%s.npl", project_short_name(name),
                     package.manifest.identity.version);
        memcpy(npl->path, path, sizeof path);
        nip_buffer_append(&npl->content, package.npl.data, package.npl.size);
        code = nip_buffer_check(&npl->content, npl->path, err);
    }
    if (code == NIP_OK)
        code = fetch_beside(cli, registry, &package, path, fetched, &count, err);
    if (code == NIP_OK)
        code = write_fetched(fetched, count, err);
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        char size[32];
        cli_say(cli, "fetched %s %s, checked: %s (%s)", name, package.manifest.identity.version,
                fetched[i].path, cli_size_text(fetched[i].content.size, size));
    }
    if (code == NIP_OK)
        cli_next(cli, "nip inspect %s", fetched[0].path);
    checked_package_free(&package);
    registry_close(registry);
    return code;
}

enum nip_code command_fetch(struct cli *cli, struct nip_error *err)
{
    if (cli_operand(cli, 0) == NULL && (cli_flag(cli, "source") || cli_flag(cli, "debug"))) {
        nip_error_set(err, NIP_ERROR_USAGE, "--source and --debug are of one package: which?");
        nip_error_hint(err, "nip fetch NAME@VERSION --source");
        return NIP_ERROR_USAGE;
    }
    if (cli_operand(cli, 0) == NULL && members_is_root())
        return members_each(cli, NULL, command_fetch, err);
    if (cli_operand(cli, 0) == NULL)
        return project_kind(".") == PROJECT_IMAGE ? fetch_image(cli, err)
                                                  : fetch_libraries(cli, err);
    struct decisions decisions = {0};
    struct fetched *fetched = calloc(FETCHED_MAX, sizeof *fetched);
    enum nip_code code = fetched != NULL
                             ? fetch_files(cli, &decisions, fetched, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (size_t i = 0; fetched != NULL && i < FETCHED_MAX; i++)
        nip_buffer_free(&fetched[i].content);
    free(fetched);
    decisions_free(&decisions);
    return code;
}

enum nip_code command_registry_repair(struct cli *cli, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct registry *registry = NULL;
    char alias[NIP_TRUST_ALIAS_SIZE];
    size_t repaired = 0, total = 0;
    enum nip_code code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = resolve_registry(&decisions, cli_operand(cli, 0), NULL, false, &registry, NULL,
                                alias, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = registry_repair(registry, &repaired, &total, err);
    cleanup_release();
    if (code == NIP_OK && cli->is_json) {
        struct nip_json *json = nip_json_make_object();
        nip_json_put(json, "url", report_text(registry_url(registry)));
        nip_json_put_u64(json, "packages", total);
        nip_json_put_u64(json, "repaired", repaired);
        code = report_json("nip-repair-1", "repair", json, err);
    } else if (code == NIP_OK) {
        cli_print(cli, "%zu packages looked at, %zu repaired", total, repaired);
        cli_next(cli, "nip fetch NAME --registry %s", cli_operand(cli, 0));
    }
    registry_close(registry);
    decisions_free(&decisions);
    return code;
}
