// SPDX-License-Identifier: Apache-2.0
//
// nip doctor: whether this computer has what nip needs, and what to do where it has not. Each check
// is one line; what only some commands need is a warning, not a failure.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "commands.h"
#include "keystore.h"
#include "nip/fs.h"
#include "process.h"
#include "project.h"
#include "registry.h"
#include "report.h"
#include "resolve.h"
#include "sdk.h"
#include "settings.h"
#include "store.h"
#include "version.h"

enum finding { FINDING_GOOD, FINDING_WARNING, FINDING_BAD };

struct doctor {
    struct cli *cli;
    struct nip_json *list;
    size_t warnings, failures;
};

static void report(struct doctor *doctor, enum finding finding, const char *what,
                   const char *detail, const char *repair)
{
    static const char *const names[] = {"good", "warning", "bad"};
    doctor->warnings += finding == FINDING_WARNING;
    doctor->failures += finding == FINDING_BAD;
    if (doctor->cli->is_json) {
        struct nip_json *item = nip_json_make_object();
        nip_json_put_text(item, "finding", names[finding]);
        nip_json_put_text(item, "what", what);
        nip_json_put(item, "detail", report_text(detail));
        nip_json_put(item, "repair", report_text(repair));
        nip_json_append(doctor->list, item);
        return;
    }
    cli_print_verdict(doctor->cli, finding == FINDING_GOOD,
                      finding == FINDING_GOOD      ? "good     "
                      : finding == FINDING_WARNING ? "warning  "
                                                   : "bad      ",
                      "%-12s %s", what, detail);
    if (repair[0] != '\0')
        cli_print(doctor->cli, "         %-12s -> %s", "", repair);
}

// What an error says, as a finding.
static void report_error(struct doctor *doctor, enum finding finding, const char *what,
                         const struct nip_error *err)
{
    report(doctor, finding, what, err->message, err->hint);
}

// ---- tools ----

static void check_tool(struct doctor *doctor, const char *name, const char *package,
                       enum finding missing, const char *purpose)
{
    char path[CLI_PATH_SIZE], detail[CLI_PATH_SIZE + 160];
    struct nip_error err = {0};
    if (process_find(name, package, path, sizeof path, &err) == NIP_OK) {
        snprintf(detail, sizeof detail, "%s", path);
        report(doctor, FINDING_GOOD, name, detail, "");
        return;
    }
    snprintf(detail, sizeof detail, "not on PATH; needed to %s", purpose);
    report(doctor, missing, name, detail, err.hint);
}

static void check_machines(struct doctor *doctor, const struct sdk *sdk)
{
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        struct nip_machine machine = {0};
        struct nip_error err = {0};
        char purpose[64];
        if (sdk_machine(sdk, arch_all[a], NULL, &machine, &err) != NIP_OK) {
            report_error(doctor, FINDING_BAD, nip_arch_name(arch_all[a]), &err);
            continue;
        }
        snprintf(purpose, sizeof purpose, "run images for %s", nip_arch_name(arch_all[a]));
        check_tool(doctor, machine.qemu,
                   arch_all[a] == RUMPK_ARCH_AARCH64   ? "qemu-system-arm"
                   : arch_all[a] == RUMPK_ARCH_RISCV64 ? "qemu-system-misc"
                                                       : "qemu-system-x86",
                   FINDING_WARNING, purpose);
        nip_machine_free(&machine);
    }
}

static void check_sdk(struct doctor *doctor)
{
    struct sdk sdk;
    struct nip_error err = {0};
    char detail[2 * CLI_PATH_SIZE];
    report(doctor, FINDING_GOOD, "nip", NIP_VERSION, "");
    if (sdk_open(&sdk, &err) != NIP_OK) {
        report_error(doctor, FINDING_BAD, "SDK", &err);
        return;
    }
    snprintf(detail, sizeof detail, "%s in %s", sdk.id, sdk.share);
    report(doctor, FINDING_GOOD, "SDK", detail, "");
    if (!sdk.has_key)
        report(doctor, FINDING_BAD, "SDK key",
               "the SDK has no public key: none of its packages count", "install the SDK again");
    if (sdk_find_tools(&sdk, &err) == NIP_OK) {
        snprintf(detail, sizeof detail, "%s (%s)", sdk.toolchain, sdk.clang);
        report(doctor, FINDING_GOOD, "toolchain", detail, "");
    } else {
        report_error(doctor, FINDING_BAD, "toolchain", &err);
    }
    check_machines(doctor, &sdk);
    check_tool(doctor, "llvm-symbolizer-19", "llvm-19", FINDING_WARNING,
               "name the source lines of faults");
}

// ---- folders ----

enum { SPACE_LOW_MIB = 512, SPACE_NONE_MIB = 16 };

// The nearest folder of `path` that exists.
static void existing_folder(const char *path, char out[CLI_PATH_SIZE])
{
    snprintf(out, CLI_PATH_SIZE, "%s", path);
    for (char *slash = strrchr(out, '/'); nip_fs_kind(out) != NIP_FS_FOLDER && slash != NULL;
         slash = strrchr(out, '/'))
        slash[slash == out ? 1 : 0] = '\0';
}

static void check_folder(struct doctor *doctor, const char *what, const char *path)
{
    char folder[CLI_PATH_SIZE], detail[CLI_PATH_SIZE + 64];
    struct statvfs space;
    existing_folder(path, folder);
    if (access(folder, W_OK) != 0) {
        snprintf(detail, sizeof detail, "%s cannot be written: %s", folder, strerror(errno));
        report(doctor, FINDING_WARNING, what, detail,
               "correct its owner or permissions, or name another folder (XDG_*, TMPDIR)");
        return;
    }
    if (statvfs(folder, &space) != 0) {
        snprintf(detail, sizeof detail, "%s: %s", folder, strerror(errno));
        report(doctor, FINDING_WARNING, what, detail, "");
        return;
    }
    unsigned long long free_mib =
        (unsigned long long)space.f_bavail * space.f_frsize / (1024ull * 1024);
    snprintf(detail, sizeof detail, "%s, %llu MiB free", folder, free_mib);
    if (free_mib < SPACE_NONE_MIB)
        report(doctor, FINDING_BAD, what, detail, "free some space");
    else if (free_mib < SPACE_LOW_MIB)
        report(doctor, FINDING_WARNING, what, detail, "free some space");
    else
        report(doctor, FINDING_GOOD, what, detail, "");
}

static void check_folders(struct doctor *doctor)
{
    char cache[CLI_PATH_SIZE];
    const char *temporary = getenv("TMPDIR");
    check_folder(doctor, "this folder", ".");
    check_folder(doctor, "temporary",
                 temporary != NULL && temporary[0] == '/' ? temporary : "/tmp");
    if (store_folder(cache))
        check_folder(doctor, "cache", cache);
    else
        report(doctor, FINDING_WARNING, "cache", "neither XDG_CACHE_HOME nor HOME is set",
               "set HOME; without it everything is fetched each time");
}

// ---- settings ----

static void check_registry(struct doctor *doctor, const char *alias, const char *url);

// The file that was read at the start, read again: so that what is wrong with it is shown here too.
static void check_settings(struct doctor *doctor)
{
    static const char *const when[] = {"", "auto", "always", "never"};
    const struct nip_config *config = settings();
    struct nip_buffer words = {0};
    struct nip_error err = {0};
    if (settings_load(&err) != NIP_OK) {
        char detail[NIP_ERROR_MESSAGE_MAX + NIP_ERROR_FILE_MAX + 32];
        snprintf(detail, sizeof detail, "%s:%u: %s", settings_file(), (unsigned)err.line,
                 err.message);
        report(doctor, FINDING_BAD, "settings", detail, err.hint);
        return;
    }
    if (settings_file()[0] == '\0') {
        report(doctor, FINDING_GOOD, "settings", "none: HOME is not set", "");
        return;
    }
    if (nip_fs_kind(settings_file()) != NIP_FS_FILE) {
        nip_buffer_append_format(&words, "none: there is no %s", settings_file());
    } else {
        nip_buffer_append_text(&words, settings_file());
        if (config->key[0] != '\0')
            nip_buffer_append_format(&words, "; key %s", config->key);
        if (config->color != NIP_CONFIG_UNSAID)
            nip_buffer_append_format(&words, "; color %s", when[config->color]);
        if (config->progress != NIP_CONFIG_UNSAID)
            nip_buffer_append_format(&words, "; progress %s", when[config->progress]);
        if (config->jobs != 0)
            nip_buffer_append_format(&words, "; jobs %u", (unsigned)config->jobs);
        if (config->cache[0] != '\0')
            nip_buffer_append_format(&words, "; cache %s", config->cache);
    }
    report(doctor, FINDING_GOOD, "settings", nip_buffer_text(&words), "");
    nip_buffer_free(&words);
    if (config->key[0] != '\0' && keystore_check(config->key, &err) != NIP_OK)
        report_error(doctor, err.code == NIP_ERROR_MISSING ? FINDING_WARNING : FINDING_BAD,
                     "settings", &err);
    for (uint32_t i = 0; i < config->registry_count; i++)
        check_registry(doctor, config->registries[i].alias, config->registries[i].url);
}

// ---- keys ----

static void check_keys(struct doctor *doctor)
{
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    struct nip_error err = {0};
    size_t count = 0;
    char detail[160];
    if (keystore_list(entries, &count, &err) != NIP_OK) {
        report_error(doctor, FINDING_WARNING, "keys", &err);
        return;
    }
    if (count == 0) {
        report(doctor, FINDING_GOOD, "keys", "none yet", "to publish: nip key new");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        err = (struct nip_error){0};
        if (keystore_check(entries[i].name, &err) == NIP_OK)
            continue;
        report_error(doctor, err.code == NIP_ERROR_MISSING ? FINDING_WARNING : FINDING_BAD,
                     entries[i].name, &err);
    }
    snprintf(detail, sizeof detail, "%zu key(s)", count);
    report(doctor, FINDING_GOOD, "keys", detail, "");
}

// ---- the project ----

static void check_registry(struct doctor *doctor, const char *alias, const char *url)
{
    struct registry *registry = NULL;
    struct nip_folder_names names = {0};
    struct nip_error err = {0};
    char what[NIP_TRUST_ALIAS_SIZE + 16], detail[NIP_TRUST_URL_SIZE + 64];
    snprintf(what, sizeof what, "registry %s", alias);
    if (registry_open(url, ".", false, &registry, NULL, &err) == NIP_OK &&
        registry_names(registry, &names, &err) == NIP_OK) {
        snprintf(detail, sizeof detail, "%s, %zu package(s)", url, names.count);
        report(doctor, FINDING_GOOD, what, detail, "");
    } else {
        report_error(doctor, FINDING_WARNING, what, &err);
    }
    nip_folder_names_free(&names);
    registry_close(registry);
}

static void check_project(struct doctor *doctor)
{
    static struct nip_trust trust;
    static struct nip_manifest manifest;
    struct nip_imagedef *imagedef = NULL;
    struct nip_lock *lock = NULL;
    struct nip_error err = {0};
    enum project_kind kind = project_kind(".");
    if (kind == PROJECT_NONE) {
        report(doctor, FINDING_GOOD, "project", "none in this folder", "");
        return;
    }
    enum nip_code code = kind == PROJECT_PACKAGE ? project_read_manifest(".", &manifest, &err)
                                                 : project_read_image(".", &imagedef, &err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, &err);
    if (code == NIP_OK)
        code = project_read_trust(".", &trust, NULL, &err);
    if (code != NIP_OK)
        report_error(doctor, FINDING_BAD, "project", &err);
    else
        report(doctor, FINDING_GOOD, "project",
               kind == PROJECT_PACKAGE ? "a package; its files can be read"
                                       : "an image; its files can be read",
               "");
    for (size_t i = 0; code == NIP_OK && i < trust.registry_count; i++)
        check_registry(doctor, trust.registries[i].alias, trust.registries[i].url);
    nip_imagedef_free(imagedef);
    free(lock);
}

enum nip_code command_doctor(struct cli *cli, struct nip_error *err)
{
    struct doctor doctor = {.cli = cli};
    if (cli->is_json)
        doctor.list = nip_json_make_array();
    check_sdk(&doctor);
    check_settings(&doctor);
    check_folders(&doctor);
    check_keys(&doctor);
    check_project(&doctor);
    enum nip_code code = NIP_OK;
    if (cli->is_json)
        code = report_json("nip-doctor-1", "findings", doctor.list, err);
    if (code == NIP_OK && doctor.failures != 0) {
        code = nip_error_set(err, NIP_ERROR_TOOL, "%zu of the findings must be repaired",
                             doctor.failures);
        nip_error_hint(err, "each line above marked bad says what to do");
    } else if (code == NIP_OK && !cli->is_json) {
        cli_say(cli, "%s", doctor.warnings != 0 ? "usable; see the warnings" : "all is well");
        cli_next(cli, "nip new hello");
    }
    return code;
}
