// SPDX-License-Identifier: Apache-2.0
//
// nip info: all that is known about one package, wherever it is found: in nip.lock, in a registry,
// in a file, or as local work. What the package says of itself has been verified, and under which
// key stands there; what only a registry says is called so.

#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "commands.h"
#include "project.h"
#include "report.h"
#include "store.h"
#include "vouched.h"

struct info {
    struct cli *cli;
    struct catalog *catalog;
    struct nip_lock *lock; // of this project; empty without one
    const struct nip_lock_package *locked;
    const struct catalog_registry *from; // NULL: a file, or out of the cache alone
    const char *source;                  // "registry", "lock", "file", "local"
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    struct nip_folder_versions versions;
    struct vouched *vouched;
    struct checked_package package;
    const char *whose;
};

// ---- finding it ----

static bool is_file_name(const char *text)
{
    size_t size = strlen(text);
    return text[0] == '/' || text[0] == '.' || (size > 4 && strcmp(text + size - 4, ".npl") == 0);
}

static enum nip_code open_file(struct info *info, const char *file, struct nip_error *err)
{
    struct nip_buffer content = {0};
    bool is_image = false;
    info->source = "file";
    enum nip_code code = vouched_read_file(file, &content, &is_image, err);
    if (code == NIP_OK && is_image) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is an image, no package", file);
        nip_error_hint(err, "nip inspect %s", file);
    }
    if (code == NIP_OK)
        code = vouched_open_package(info->vouched, file, cli_option(info->cli, "key"), &content,
                                    &info->package, &info->whose, err);
    if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
        nip_error_hint(err,
                       "nothing here vouches for the key that signed it; name the key that must "
                       "have signed: nip info %s --key FILE.pub",
                       file);
    nip_buffer_free(&content);
    return code;
}

// Which registry and version are meant. *from_lock: the bytes that nip.lock names.
static enum nip_code choose(struct info *info, bool *from_lock, struct nip_error *err)
{
    const char *where = cli_option(info->cli, "registry");
    const struct nip_lock_package *locked = info->locked;
    struct nip_error cause = {0};
    *from_lock = locked != NULL && where == NULL &&
                 (info->version[0] == '\0' || strcmp(info->version, locked->version) == 0);
    if (*from_lock)
        memcpy(info->version, locked->version, sizeof info->version);
    info->source = *from_lock ? "lock" : "registry";
    if (*from_lock)
        where = locked->registry;
    enum nip_code code = catalog_open(info->cli, where, info->catalog, &cause);
    if (code == NIP_OK)
        code = catalog_find(info->catalog, info->name, &info->from, &cause);
    // The cache may have what nip.lock names, without its registry.
    if (code != NIP_OK && *from_lock) {
        cli_warn(info->cli, "what the registry says is not shown: %s", cause.message);
        return NIP_OK;
    }
    if (code == NIP_OK)
        code = registry_versions(info->from->registry, info->name, &info->versions, &cause);
    if (code == NIP_OK && info->version[0] == '\0')
        code = registry_newest(info->from->registry, info->name, info->version, &cause);
    if (code != NIP_OK)
        *err = cause;
    return code;
}

static enum nip_code get_bytes(struct info *info, bool from_lock, struct nip_buffer *npl,
                               struct nip_error *err)
{
    if (from_lock && store_get(info->locked->sha256, info->locked->size, npl))
        return NIP_OK;
    if (info->from == NULL) {
        nip_error_set(err, NIP_ERROR_MISSING, "%s %s is neither in the cache nor in a registry",
                      info->name, info->version);
        nip_error_hint(err, "nip fetch   (gets everything that %s names)", NIP_LOCK_FILE);
        return NIP_ERROR_MISSING;
    }
    enum nip_code code = registry_has(info->from->registry, info->name, info->version, err);
    return code == NIP_OK
               ? registry_fetch(info->from->registry, info->name, info->version, npl, err)
               : code;
}

// Signatures that others have attached count for the threshold too.
static enum nip_code count_attached(struct info *info, struct nip_error *err)
{
    struct vouched *vouched = info->vouched;
    if (info->from == NULL || !vouched->has_ballot)
        return NIP_OK;
    enum nip_code code =
        votes_read_registry(info->from->registry, info->name, info->version, &vouched->votes, err);
    return code == NIP_OK ? votes_count(&vouched->trust, &info->package, &vouched->votes,
                                        &vouched->ballot, err)
                          : code;
}

static enum nip_code open_published(struct info *info, struct nip_error *err)
{
    struct nip_buffer npl = {0};
    char what[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    bool from_lock = false;
    enum nip_code code = choose(info, &from_lock, err);
    if (code == NIP_OK)
        code = get_bytes(info, from_lock, &npl, err);
    if (code == NIP_OK && info->from != NULL)
        code = registry_keys(info->from->registry, info->name, info->vouched->hints,
                             &info->vouched->hint_count, err);
    snprintf(what, sizeof what, "%s %s", info->name, info->version);
    info->vouched->is_published = true;
    if (code == NIP_OK)
        code = vouched_open_package(info->vouched, what, cli_option(info->cli, "key"), &npl,
                                    &info->package, &info->whose, err);
    if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
        nip_error_hint(err, "neither keys known here nor those that its registry names fit; name "
                            "the publisher's with --key, and ask the registry's operator");
    if (code == NIP_OK && (strcmp(info->package.manifest.identity.name, info->name) != 0 ||
                           strcmp(info->package.manifest.identity.version, info->version) != 0))
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s: the registry gave %s %s instead", what,
                             info->package.manifest.identity.name,
                             info->package.manifest.identity.version);
    if (code == NIP_OK)
        code = count_attached(info, err);
    nip_buffer_free(&npl);
    return code;
}

// ---- telling ----

static void put_list(const struct cli *cli, const char *label, const struct nip_buffer *words)
{
    if (words->size != 0)
        cli_print(cli, "  %-17s %s", label, nip_buffer_text(words));
}

static void print_runtime(const struct cli *cli, const struct nip_manifest *manifest)
{
    const struct rumpk_bkdl_runtime *runtime = &manifest->runtime;
    struct nip_buffer pledge = {0};
    char stack[32], heap[32];
    if (manifest->identity.kind != RUMPK_KIND_DRIVER)
        return;
    nip_pledge_words(runtime->pledge, &pledge);
    cli_print(cli, "  %-17s %s, stack %s, heap %s", "runs", nip_spectrum_name(runtime->spectrum),
              cli_size_text(runtime->stack_size, stack), cli_size_text(runtime->heap_size, heap));
    cli_print(cli, "  %-17s %s", "calls", nip_buffer_text(&pledge));
    if (runtime->budget_us != 0)
        cli_print(cli, "  %-17s %u us in each 100 ms", "budget", (unsigned)runtime->budget_us);
    cli_print(cli, "  %-17s %s, at most %u in %u s", "restart", nip_restart_name(runtime->restart),
              (unsigned)runtime->restart_limit, (unsigned)runtime->restart_window_s);
    nip_buffer_free(&pledge);
}

// What nip inspect does not show: whom it is for, what it runs with, what it was made of.
static void print_more(const struct cli *cli, const struct nip_manifest *manifest)
{
    const struct {
        const char *label, *text;
    } links[] = {{"homepage", manifest->homepage},
                 {"repository", manifest->repository},
                 {"documentation", manifest->documentation},
                 {"issues", manifest->issues}};
    for (uint32_t i = 0; i < manifest->author_count; i++)
        cli_print(cli, "  %-17s %s", "author", manifest->authors[i]);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].text[0] != '\0')
            cli_print(cli, "  %-17s %s", links[i].label, links[i].text);
    print_runtime(cli, manifest);
    for (uint32_t i = 0; i < manifest->match_count; i++) {
        struct nip_buffer words = {0};
        nip_manifest_match_words(&manifest->matches[i], &words);
        put_list(cli, "matches", &words);
        nip_buffer_free(&words);
    }
    for (uint32_t i = 0; i < manifest->dependency_count; i++)
        cli_print(cli, "  %-17s %s %s or higher of its class", "links",
                  manifest->dependencies[i].name, manifest->dependencies[i].requirement);
}

static void print_versions(const struct info *info)
{
    for (size_t i = info->versions.count; i-- > 0;) {
        const struct nip_folder_version *item = &info->versions.items[i];
        char size[32];
        cli_print(info->cli, "  %-17s %s (%s)%s%s", "version", item->text,
                  cli_size_text(item->size, size),
                  !item->is_yanked          ? ""
                  : item->reason[0] == '\0' ? ", yanked"
                                            : ", yanked: ",
                  item->reason);
    }
    if (info->from != NULL)
        cli_print(info->cli, "  (versions and yanks are the word of the registry %s, %s)",
                  info->from->alias, registry_url(info->from->registry));
}

static void print_text(const struct info *info)
{
    const struct nip_manifest *manifest = &info->package.manifest;
    char size[32];
    report_package(info->cli, &info->package, info->whose);
    cli_print(info->cli, "  %-17s %s", "package file", cli_size_text(info->package.npl.size, size));
    print_more(info->cli, manifest);
    if (info->vouched->has_ballot)
        votes_print(info->cli, &info->vouched->ballot, &info->vouched->votes);
    if (info->locked != NULL)
        cli_print(info->cli, "  %-17s %s", "in nip.lock", info->locked->version);
    print_versions(info);
    if (info->vouched->is_hint)
        cli_next(info->cli,
                 "nip key trust %s KEY   (after comparing the fingerprint with the "
                 "publisher's)",
                 manifest->identity.name);
    else
        cli_next(info->cli, "nip add %s", manifest->identity.name);
}

// ---- JSON ----

static struct nip_json *facts_json(const struct nip_manifest *manifest)
{
    const struct rumpk_bkdl_runtime *runtime = &manifest->runtime;
    struct nip_json *root = nip_json_make_object(), *authors = nip_json_make_array();
    struct nip_json *links = nip_json_make_object(), *matches = nip_json_make_array();
    struct nip_json *depends = nip_json_make_array();
    const struct {
        const char *label, *text;
    } addresses[] = {{"homepage", manifest->homepage},
                     {"repository", manifest->repository},
                     {"documentation", manifest->documentation},
                     {"issues", manifest->issues}};
    for (uint32_t i = 0; i < manifest->author_count; i++)
        nip_json_append(authors, report_text(manifest->authors[i]));
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        if (addresses[i].text[0] != '\0')
            nip_json_put(links, addresses[i].label, report_text(addresses[i].text));
    for (uint32_t i = 0; i < manifest->match_count; i++) {
        struct nip_buffer words = {0};
        nip_manifest_match_words(&manifest->matches[i], &words);
        nip_json_append(matches, report_text(nip_buffer_text(&words)));
        nip_buffer_free(&words);
    }
    for (uint32_t i = 0; i < manifest->dependency_count; i++) {
        struct nip_json *item = nip_json_make_object();
        nip_json_put(item, "name", report_text(manifest->dependencies[i].name));
        nip_json_put(item, "requirement", report_text(manifest->dependencies[i].requirement));
        nip_json_append(depends, item);
    }
    nip_json_put(root, "authors", authors);
    nip_json_put(root, "links", links);
    nip_json_put(root, "matches", matches);
    nip_json_put(root, "dependencies", depends);
    if (manifest->identity.kind == RUMPK_KIND_DRIVER) {
        struct nip_json *object = nip_json_make_object();
        struct nip_buffer pledge = {0};
        nip_pledge_words(runtime->pledge, &pledge);
        nip_json_put_text(object, "spectrum", nip_spectrum_name(runtime->spectrum));
        nip_json_put_u64(object, "stack_size", runtime->stack_size);
        nip_json_put_u64(object, "heap_size", runtime->heap_size);
        nip_json_put(object, "calls", report_text(nip_buffer_text(&pledge)));
        nip_json_put_u64(object, "budget_us", runtime->budget_us);
        nip_json_put_text(object, "restart", nip_restart_name(runtime->restart));
        nip_json_put_u64(object, "restart_limit", runtime->restart_limit);
        nip_json_put_u64(object, "restart_window_s", runtime->restart_window_s);
        nip_json_put(root, "runtime", object);
        nip_buffer_free(&pledge);
    }
    return root;
}

static enum nip_code print_json(const struct info *info, struct nip_error *err)
{
    struct nip_json *root = nip_json_make_object();
    nip_json_put_text(root, "source", info->source);
    nip_json_put_bool(root, "known_key", !info->vouched->is_hint);
    nip_json_put(root, "package", report_package_json(&info->package, info->whose));
    nip_json_put(root, "facts", facts_json(&info->package.manifest));
    if (info->vouched->has_ballot)
        nip_json_put(root, "trust", votes_json(&info->vouched->ballot, &info->vouched->votes));
    if (info->locked != NULL)
        nip_json_put(root, "locked", report_text(info->locked->version));
    if (info->from != NULL) {
        struct nip_json *hints = nip_json_make_object(), *list = nip_json_make_array();
        nip_json_put_text(hints, "registry", info->from->alias);
        nip_json_put(hints, "url", report_text(registry_url(info->from->registry)));
        for (size_t i = 0; i < info->versions.count; i++) {
            const struct nip_folder_version *version = &info->versions.items[i];
            struct nip_json *item = nip_json_make_object();
            nip_json_put(item, "version", report_text(version->text));
            nip_json_put_u64(item, "size", version->size);
            nip_json_put_bool(item, "yanked", version->is_yanked);
            if (version->reason[0] != '\0')
                nip_json_put(item, "reason", report_text(version->reason));
            nip_json_append(list, item);
        }
        nip_json_put(hints, "versions", list);
        nip_json_put(root, "hints", hints);
    }
    return report_json("nip-info-1", "info", root, err);
}

// ---- local work ----

// A project in a folder is signed by nobody: its manifest is all there is.
static enum nip_code show_local(struct info *info, struct nip_error *err)
{
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    enum nip_code code = manifest == NULL
                             ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                             : project_read_manifest(info->locked->path, manifest, err);
    if (code == NIP_OK && info->cli->is_json) {
        struct nip_json *root = nip_json_make_object();
        nip_json_put_text(root, "source", "local");
        nip_json_put_bool(root, "known_key", false);
        nip_json_put(root, "path", report_text(info->locked->path));
        nip_json_put(root, "facts", facts_json(manifest));
        code = report_json("nip-info-1", "info", root, err);
    } else if (code == NIP_OK) {
        cli_print(info->cli, "%s %s (%s)", manifest->identity.name, manifest->identity.version,
                  nip_kind_name(manifest->identity.kind));
        cli_print(info->cli, "  %-17s nobody: local work in %s, built each time", "signed by",
                  info->locked->path);
        for (uint32_t i = 0; i < manifest->request_count; i++) {
            struct nip_buffer words = {0};
            nip_manifest_request_words(&manifest->requests[i], &words);
            cli_print(info->cli, "  asks to %s", nip_buffer_text(&words));
            nip_buffer_free(&words);
        }
        print_more(info->cli, manifest);
        cli_next(info->cli, "nip -C %s check", info->locked->path);
    }
    free(manifest);
    return code;
}

static enum nip_code show_named(struct info *info, struct nip_error *err)
{
    enum nip_code code = resolve_split(cli_operand(info->cli, 0), info->name, info->version, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &info->lock, NULL, err);
    if (code == NIP_OK)
        info->locked = nip_lock_find(info->lock, info->name, NULL);
    if (code == NIP_OK && info->locked != NULL && info->locked->path[0] != '\0') {
        if (info->version[0] == '\0' && cli_option(info->cli, "registry") == NULL)
            return show_local(info, err);
        info->locked = NULL; // another one is asked for
    }
    if (code == NIP_OK)
        code = open_published(info, err);
    if (code == NIP_OK && info->cli->is_json)
        code = print_json(info, err);
    else if (code == NIP_OK)
        print_text(info);
    return code;
}

enum nip_code command_info(struct cli *cli, struct nip_error *err)
{
    struct info info = {
        .cli = cli, .vouched = vouched_new(), .catalog = calloc(1, sizeof *info.catalog)};
    enum nip_code code = NIP_OK;
    if (info.vouched == NULL || info.catalog == NULL) {
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    } else if (is_file_name(cli_operand(cli, 0))) {
        code = open_file(&info, cli_operand(cli, 0), err);
        if (code == NIP_OK && cli->is_json)
            code = print_json(&info, err);
        else if (code == NIP_OK)
            print_text(&info);
    } else {
        code = show_named(&info, err);
    }
    checked_package_free(&info.package);
    nip_folder_versions_free(&info.versions);
    if (info.catalog != NULL)
        catalog_close(info.catalog);
    vouched_free(info.vouched);
    free(info.catalog);
    free(info.lock);
    return code;
}
