// SPDX-License-Identifier: Apache-2.0
//
// nip rebuild: is this package what its source gives? Its source archive is built again, by this
// SDK, with an empty home, without cache and network, and the two lists of digests are compared.
//
//   equal            every digest is the same: same package id
//   differs          what differs, line by line
//   not rebuildable  no source archive is recorded, or it was built with another SDK
//
// Signatures play no part: equal packages may be signed by different people.

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "commands.h"
#include "mode.h"
#include "nip/fs.h"
#include "nip/json.h"
#include "nip/source.h"
#include "packing.h"
#include "project.h"
#include "report.h"
#include "resolve.h"
#include "settings.h"
#include "vouched.h"

struct rebuild {
    struct cli *cli;
    const char *file;
    struct checked_package package;
    const struct nip_digests *listed;
    const struct nip_digests_file *source;
    struct nip_json *differences; // texts
    bool is_network_cut;
};

// ---- what is needed ----

static enum nip_code require_rebuildable(struct rebuild *rebuild, struct sdk *sdk,
                                         struct nip_error *err)
{
    enum nip_code code = nip_source_listed(rebuild->listed, &rebuild->source, err);
    if (code != NIP_OK)
        return code;
    if (rebuild->source == NULL) {
        nip_error_set(err, NIP_ERROR_UNSUPPORTED,
                      "not rebuildable: %s records no source archive (source %s)", rebuild->file,
                      rebuild->listed->source);
        nip_error_hint(err, "packages of kind \"driver\" made by 'nip pack' or 'nip publish' do");
        return NIP_ERROR_UNSUPPORTED;
    }
    code = sdk_open(sdk, err);
    if (code == NIP_OK)
        code = sdk_find_tools(sdk, err);
    if (code == NIP_OK && strcmp(sdk->toolchain, rebuild->listed->toolchain) != 0) {
        nip_error_set(err, NIP_ERROR_UNSUPPORTED,
                      "not rebuildable here: %s was built with %s, and this is %s", rebuild->file,
                      rebuild->listed->toolchain, sdk->toolchain);
        nip_error_hint(err, "use the nip of that SDK");
        return NIP_ERROR_UNSUPPORTED;
    }
    return code;
}

// --source, else NAME-VERSION.source.tar beside the package, else pack/source.tar (of 'nip pack').
static void find_source(const struct rebuild *rebuild, char out[CLI_PATH_SIZE])
{
    const char *chosen = cli_option(rebuild->cli, "source"), *file = rebuild->file;
    const char *slash = strrchr(file, '/');
    int size = (int)strlen(file);
    if (size > 4 && strcmp(file + size - 4, ".npl") == 0)
        size -= 4;
    snprintf(out, CLI_PATH_SIZE, "%.*s." NIP_SOURCE_FILE, size, file);
    if (chosen != NULL)
        snprintf(out, CLI_PATH_SIZE, "%s", chosen);
    else if (nip_fs_kind(out) == NIP_FS_NOTHING)
        snprintf(out, CLI_PATH_SIZE, "%.*spack/" NIP_SOURCE_FILE,
                 slash != NULL ? (int)(slash + 1 - file) : 0, file);
}

// The archive, hashed before anything in it is looked at.
static enum nip_code read_source(const struct rebuild *rebuild, struct nip_buffer *tar,
                                 struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    uint8_t digest[NIP_DIGEST_SIZE];
    find_source(rebuild, path);
    enum nip_code code = nip_fs_read(path, NIP_SOURCE_SIZE_MAX, tar, err);
    if (code == NIP_ERROR_MISSING)
        nip_error_hint(err, "name the source archive of the package: --source FILE");
    if (code != NIP_OK)
        return code;
    nip_hash_bytes(nip_buffer_text(tar), tar->size, digest);
    if (tar->size == rebuild->source->size &&
        memcmp(digest, rebuild->source->digest, sizeof digest) == 0)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_DIGEST, "%s is not the source archive that %s names", path,
                  rebuild->file);
    nip_error_hint(err, "it must have the digest in the line 'source' of 'nip inspect'; name "
                        "another file with --source");
    return NIP_ERROR_DIGEST;
}

static enum nip_code unpack(const struct nip_buffer *tar, const char *folder, struct nip_error *err)
{
    struct nip_source source;
    enum nip_code code = nip_source_read(tar->data, tar->size, &source, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = 0; code == NIP_OK && i < source.count; i++) {
        char path[CLI_PATH_SIZE];
        project_path(path, folder, source.files[i].path);
        code = project_write_file(path, source.files[i].data, source.files[i].size, 0644, err);
    }
    nip_source_free(&source);
    return code;
}

// ---- the surroundings of the second build ----

// The date of the documents as the package has it: whoever built it may have set it.
static enum nip_code set_date(const struct rebuild *rebuild, struct nip_error *err)
{
    const uint8_t *text;
    size_t size;
    struct nip_json *json = NULL;
    struct tm moment = {0};
    char seconds[32];
    enum nip_code code = NIP_OK;
    if (!nip_package_file(rebuild->package.package, NIP_PACK_SBOM_PATH, &text, &size))
        return nip_error_set(err, NIP_ERROR_SCHEMA, "the package has no file %s",
                             NIP_PACK_SBOM_PATH);
    code = nip_json_parse((const char *)text, size, NIP_PACK_SBOM_PATH, &json, err);
    const char *created = nip_json_get_text(nip_json_get(json, "creationInfo"), "created");
    const char *end = created != NULL ? strptime(created, "%Y-%m-%dT%H:%M:%SZ", &moment) : NULL;
    if (code == NIP_OK && (end == NULL || *end != '\0'))
        code = nip_error_set(err, NIP_ERROR_SCHEMA, "%s does not say when it was created",
                             NIP_PACK_SBOM_PATH);
    snprintf(seconds, sizeof seconds, "%lld", (long long)timegm(&moment));
    if (code == NIP_OK && setenv("SOURCE_DATE_EPOCH", seconds, 1) != 0)
        code = nip_error_set_errno(err, errno, "cannot set the date");
    nip_json_free(json);
    return code;
}

// An empty home, no cache, no network.
static enum nip_code isolate(struct rebuild *rebuild, const char *work, struct nip_error *err)
{
    static const char *const others[] = {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
                                         "XDG_STATE_HOME"};
    char home[CLI_PATH_SIZE];
    project_path(home, work, "home");
    enum nip_code code = nip_fs_make_folders(home, NULL, err);
    if (code == NIP_OK && setenv("HOME", home, 1) != 0)
        code = nip_error_set_errno(err, errno, "cannot set HOME");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        unsetenv(others[i]);
    settings_forget_places();
    mode_set(false, true);
    // Only root may, outside of a user namespace; children inherit it.
    rebuild->is_network_cut = unshare(CLONE_NEWNET) == 0;
    return code == NIP_OK ? set_date(rebuild, err) : code;
}

// ---- comparing ----

static void differ(struct rebuild *rebuild, const char *what, const char *package,
                   const char *rebuilt)
{
    char text[1024];
    snprintf(text, sizeof text, "%s: %s in the package, %s rebuilt", what, package, rebuilt);
    nip_json_append(rebuild->differences, nip_json_make_text(text));
}

static void describe_file(const struct nip_digests_file *file, char out[128])
{
    char digest[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(file->digest, digest);
    snprintf(out, 128, "%llu bytes %.16s...", (unsigned long long)file->size, digest);
}

static void compare_files(struct rebuild *rebuild, const struct nip_digests *rebuilt,
                          bool is_beside)
{
    const struct nip_digests *listed = rebuild->listed;
    const struct nip_digests_file *a = is_beside ? listed->besides : listed->files;
    const struct nip_digests_file *b = is_beside ? rebuilt->besides : rebuilt->files;
    size_t a_count = is_beside ? listed->beside_count : listed->file_count;
    size_t b_count = is_beside ? rebuilt->beside_count : rebuilt->file_count;
    // Both are sorted: one walk through both.
    for (size_t i = 0, j = 0; i < a_count || j < b_count;) {
        int order = i == a_count ? 1 : j == b_count ? -1 : strcmp(a[i].path, b[j].path);
        char ours[128] = "nothing", theirs[128] = "nothing";
        const char *path = order <= 0 ? a[i].path : b[j].path;
        if (order <= 0)
            describe_file(&a[i++], ours);
        if (order >= 0)
            describe_file(&b[j++], theirs);
        if (strcmp(ours, theirs) != 0)
            differ(rebuild, path, ours, theirs);
    }
}

static void compare_headers(struct rebuild *rebuild, const struct nip_digests *rebuilt)
{
    const struct nip_digests *listed = rebuild->listed;
    const char *const fields[][3] = {
        {"kind", nip_kind_text(listed->kind), nip_kind_text(rebuilt->kind)},
        {"name", listed->name, rebuilt->name},
        {"version", listed->version, rebuilt->version},
        {"toolchain", listed->toolchain, rebuilt->toolchain},
        {"source", listed->source, rebuilt->source},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (strcmp(fields[i][1], fields[i][2]) != 0)
            differ(rebuild, fields[i][0], fields[i][1], fields[i][2]);
}

static enum nip_code compare(struct rebuild *rebuild, const struct nip_buffer *digests,
                             struct nip_error *err)
{
    struct nip_digests rebuilt;
    size_t size;
    const char *text = nip_package_digests_text(rebuild->package.package, &size);
    if (nip_buffer_equals(digests, text, size))
        return NIP_OK;
    enum nip_code code = nip_digests_parse(nip_buffer_text(digests), digests->size, &rebuilt, err);
    if (code != NIP_OK)
        return code;
    compare_headers(rebuild, &rebuilt);
    compare_files(rebuild, &rebuilt, false);
    compare_files(rebuild, &rebuilt, true);
    // Numbers and architectures follow from the manifest, which is a file.
    if (nip_json_count(rebuild->differences) == 0)
        differ(rebuild, "digests", "one text", "another");
    nip_digests_free(&rebuilt);
    return NIP_OK;
}

// ---- the report ----

static enum nip_code say(struct rebuild *rebuild, struct nip_error *err)
{
    char name[NIP_NAME_MAX + NIP_VERSION_MAX + 2], id[NIP_DIGEST_TEXT_SIZE];
    size_t count = nip_json_count(rebuild->differences);
    checked_package_name(&rebuild->package, name, sizeof name);
    nip_digest_text(nip_package_id(rebuild->package.package), id);
    enum nip_code code = NIP_OK;
    if (rebuild->cli->is_json) {
        struct nip_json *json = nip_json_make_object();
        nip_json_put_text(json, "name", rebuild->listed->name);
        nip_json_put_text(json, "version", rebuild->listed->version);
        nip_json_put_text(json, "id", id);
        nip_json_put_bool(json, "equal", count == 0);
        nip_json_put_bool(json, "network_cut", rebuild->is_network_cut);
        nip_json_put(json, "differences", nip_json_copy(rebuild->differences));
        code = report_json("nip-rebuild-1", "rebuild", json, err);
    } else {
        for (size_t i = 0; i < count; i++)
            cli_print(rebuild->cli, "  %s", nip_json_text(nip_json_at(rebuild->differences, i)));
        if (count == 0)
            cli_print_verdict(rebuild->cli, true, "equal: ", "%s, package id %s", name, id);
    }
    if (code != NIP_OK || count == 0)
        return code;
    nip_error_set(err, NIP_ERROR_MISMATCH, "%s is not what its source gives: %zu difference(s)",
                  rebuild->file, count);
    nip_error_hint(err, "do not use it before its publisher can say why");
    return NIP_ERROR_MISMATCH;
}

static enum nip_code build_again(struct rebuild *rebuild, struct sdk *sdk,
                                 const struct nip_buffer *tar, struct nip_error *err)
{
    char work[CLI_PATH_SIZE], folder[CLI_PATH_SIZE];
    struct nip_manifest manifest;
    struct nip_pack pack = {0};
    struct nip_buffer digests = {0};
    enum nip_code code = cleanup_make_folder(work, sizeof work, err);
    if (code != NIP_OK)
        return code;
    project_path(folder, work, "source");
    code = unpack(tar, folder, err);
    if (code == NIP_OK)
        code = isolate(rebuild, work, err);
    if (code == NIP_OK && !rebuild->is_network_cut)
        cli_warn(rebuild->cli,
                 "the network could not be cut; for that, run: unshare -rn nip "
                 "rebuild %s",
                 rebuild->file);
    if (code == NIP_OK)
        code = project_read_manifest(folder, &manifest, err);
    if (code == NIP_OK)
        code = packing_collect(rebuild->cli, sdk, folder, &manifest, true, &pack, &digests, err);
    if (code == NIP_OK)
        code = compare(rebuild, &digests, err);
    nip_pack_free(&pack);
    nip_buffer_free(&digests);
    cleanup_remove_path(work);
    return code;
}

// ---- where package and source come from ----

static enum nip_code open_file(struct rebuild *rebuild, struct vouched *vouched,
                               struct nip_buffer *content, struct sdk *sdk, struct nip_buffer *tar,
                               struct nip_error *err)
{
    const char *whose;
    bool is_image = false;
    enum nip_code code = vouched_read_file(rebuild->file, content, &is_image, err);
    if (code == NIP_OK && is_image) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "%s is an image, not a package", rebuild->file);
        nip_error_hint(err, "rebuild the packages in it, one by one");
    }
    if (code == NIP_OK)
        code = vouched_open_package(vouched, rebuild->file, cli_option(rebuild->cli, "key"),
                                    content, &rebuild->package, &whose, err);
    if (code != NIP_OK)
        return code;
    rebuild->listed = nip_package_digests(rebuild->package.package);
    code = require_rebuildable(rebuild, sdk, err);
    return code == NIP_OK ? read_source(rebuild, tar, err) : code;
}

static enum nip_code open_published(struct rebuild *rebuild, struct decisions *decisions,
                                    const char *name, const char *version, struct sdk *sdk,
                                    struct nip_buffer *tar, struct nip_error *err)
{
    char alias[NIP_TRUST_ALIAS_SIZE];
    struct registry *registry = NULL;
    enum nip_code code = decisions_load(decisions, err);
    if (code == NIP_OK)
        code = resolve_registry(decisions, cli_option(rebuild->cli, "registry"), name, false,
                                &registry, NULL, alias, err);
    struct resolve_request request = {.name = name,
                                      .version = version[0] != '\0' ? version : NULL,
                                      .alias = alias,
                                      .registry = registry,
                                      .fingerprint = cli_option(rebuild->cli, "trust"),
                                      .may_decide = true};
    if (code == NIP_OK)
        code = resolve_package(rebuild->cli, decisions, &request, &rebuild->package, err);
    if (code == NIP_OK) {
        rebuild->listed = nip_package_digests(rebuild->package.package);
        code = require_rebuildable(rebuild, sdk, err);
    }
    if (code == NIP_OK && cli_option(rebuild->cli, "source") != NULL)
        code = read_source(rebuild, tar, err);
    else if (code == NIP_OK)
        code = registry_fetch_beside(registry, name, rebuild->listed->version, rebuild->source, tar,
                                     err);
    if (code == NIP_ERROR_MISSING && rebuild->source != NULL)
        nip_error_hint(err, "name the source archive of the package: --source FILE");
    registry_close(registry);
    return code;
}

enum nip_code command_rebuild(struct cli *cli, struct nip_error *err)
{
    struct rebuild rebuild = {.cli = cli, .file = cli_operand(cli, 0)};
    struct vouched *vouched = vouched_new();
    struct decisions *decisions = calloc(1, sizeof *decisions);
    struct nip_buffer content = {0}, tar = {0};
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    struct nip_error cause = {0};
    struct sdk sdk;
    rebuild.differences = nip_json_make_array();
    enum nip_code code = NIP_OK;
    bool is_published = nip_fs_kind(rebuild.file) == NIP_FS_NOTHING &&
                        resolve_split(rebuild.file, name, version, &cause) == NIP_OK;
    if (vouched == NULL || decisions == NULL)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    else if (is_published)
        code = open_published(&rebuild, decisions, name, version, &sdk, &tar, err);
    else
        code = open_file(&rebuild, vouched, &content, &sdk, &tar, err);
    if (code == NIP_OK)
        code = build_again(&rebuild, &sdk, &tar, err);
    if (code == NIP_OK)
        code = say(&rebuild, err);
    nip_json_free(rebuild.differences);
    nip_buffer_free(&tar);
    checked_package_free(&rebuild.package);
    nip_buffer_free(&content);
    if (decisions != NULL)
        decisions_free(decisions);
    free(decisions);
    vouched_free(vouched);
    return code;
}
