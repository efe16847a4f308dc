// SPDX-License-Identifier: Apache-2.0
//
// nip check: what publishing asks of a package, and how big it is. nip size: only the latter.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "checking.h"
#include "commands.h"
#include "interface.h"
#include "nip/elf.h"
#include "nip/json.h"
#include "project.h"
#include "report.h"
#include "resolve.h"

// The interface of a library against what is published. Without abidiff, a warning: publishing
// refuses.
static enum nip_code compare_interface(const struct cli *cli, struct decisions *decisions,
                                       struct registry *registry, const char *alias,
                                       const struct nip_manifest *manifest,
                                       struct check_report *report, struct nip_error *err)
{
    struct nip_error cause = {0};
    enum nip_code code = interface_check(cli, decisions, registry, alias, manifest, report, &cause);
    if (code == NIP_ERROR_TOOL) {
        cli_warn(cli, "interfaces are not compared: %s (%s)", cause.message, cause.hint);
        return NIP_OK;
    }
    if (code != NIP_OK)
        *err = cause;
    return code;
}

// What the last published version has, for the table of sizes.
static enum nip_code read_published(const struct cli *cli, struct decisions *decisions,
                                    const struct nip_manifest *manifest,
                                    struct check_report *report, bool compares,
                                    struct check_size *sizes, char *version, struct nip_error *err)
{
    struct registry *registry = NULL;
    struct checked_package package = {0};
    char alias[NIP_TRUST_ALIAS_SIZE];
    bool is_new = false, is_library = manifest->identity.kind == RUMPK_KIND_LIBRARY;
    enum nip_code code =
        resolve_registry(decisions, cli_option(cli, "registry"), manifest->identity.name, false,
                         &registry, &is_new, alias, err);
    struct resolve_request request = {
        .name = manifest->identity.name, .alias = alias, .registry = registry, .may_decide = true};
    if (code == NIP_OK)
        code = resolve_package(cli, decisions, &request, &package, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        char path[96];
        const uint8_t *data = NULL;
        size_t size = 0;
        struct nip_elf_driver driver = {0};
        struct nip_error cause = {0};
        snprintf(path, sizeof path, is_library ? "%s/lib%s.a" : "%s/driver.elf",
                 nip_arch_name(arch_all[a]), project_short_name(manifest->identity.name));
        if (!nip_package_file(package.package, path, &data, &size))
            continue;
        if (!is_library && nip_elf_check_driver(data, size, path, arch_all[a],
                                                package.manifest.identity.abi_version, &driver,
                                                NULL, &cause) != NIP_OK)
            driver.memory_size = 0;
        sizes[a] = (struct check_size){size, driver.memory_size};
    }
    if (code == NIP_OK && compares)
        code = compare_interface(cli, decisions, registry, alias, manifest, report, err);
    if (code == NIP_OK)
        snprintf(version, NIP_VERSION_MAX + 1, "%.*s", NIP_VERSION_MAX,
                 package.manifest.identity.version);
    checked_package_free(&package);
    registry_close(registry);
    return code;
}

static void print_sizes(const struct cli *cli, const struct check_report *report,
                        const struct check_size *published, const char *version)
{
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        char file[32], memory[32], change[64] = "";
        if (report->sizes[a].file == 0)
            continue;
        if (version[0] != '\0')
            snprintf(change, sizeof change, "  %+" PRId64 " and %+" PRId64 " bytes",
                     (int64_t)(report->sizes[a].file - published[a].file),
                     (int64_t)(report->sizes[a].memory - published[a].memory));
        cli_print(cli, "size       %-8s %s, %s in memory%s%s%s", nip_arch_name(arch_all[a]),
                  cli_size_text(report->sizes[a].file, file),
                  cli_size_text(report->sizes[a].memory, memory), change,
                  change[0] != '\0' ? " against " : "", version);
    }
}

static enum nip_code print_json(const struct cli *cli, const struct nip_manifest *manifest,
                                const struct check_report *report,
                                const struct check_size *published, const char *version,
                                bool only_sizes, struct nip_error *err)
{
    struct nip_json *root = nip_json_make_object(), *results = nip_json_make_array();
    struct nip_json *sizes = nip_json_make_array();
    struct nip_buffer text = {0};
    nip_json_put_text(root, "schema", only_sizes ? "nip-size-1" : "nip-check-1");
    nip_json_put_text(root, "name", manifest->identity.name);
    nip_json_put_text(root, "version", manifest->identity.version);
    for (size_t i = 0; i < report->count; i++) {
        struct nip_json *item = nip_json_make_object();
        nip_json_put_text(item, "check", report->results[i].check);
        nip_json_put_text(item, "arch", report->results[i].arch);
        nip_json_put_bool(item, "passed", report->results[i].passed);
        nip_json_put(item, "words", report_text(report->results[i].words));
        nip_json_append(results, item);
    }
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        if (report->sizes[a].file == 0)
            continue;
        struct nip_json *item = nip_json_make_object();
        nip_json_put_text(item, "arch", nip_arch_name(arch_all[a]));
        nip_json_put_u64(item, "file", report->sizes[a].file);
        nip_json_put_u64(item, "memory", report->sizes[a].memory);
        if (version[0] != '\0') {
            nip_json_put_u64(item, "published_file", published[a].file);
            nip_json_put_u64(item, "published_memory", published[a].memory);
        }
        nip_json_append(sizes, item);
    }
    if (only_sizes)
        nip_json_free(results);
    else
        nip_json_put(root, "results", results);
    nip_json_put(root, "sizes", sizes);
    nip_json_put_text(root, "published", version);
    enum nip_code code = nip_json_print(root, true, &text, err);
    if (code == NIP_OK)
        cli_print(cli, "%s", nip_buffer_text(&text));
    nip_buffer_free(&text);
    nip_json_free(root);
    return code;
}

static void print_results(const struct cli *cli, const struct check_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct check_result *result = &report->results[i];
        cli_print_verdict(cli, result->passed, result->passed ? "passed     " : "failed     ",
                          "%-12s %-8s %s", result->check, result->arch, result->words);
        if (!result->passed)
            cli_print(cli, "           %s", result->hint);
    }
}

static enum nip_code check_or_measure(struct cli *cli, bool only_sizes, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_manifest manifest;
    struct libraries libraries = {0};
    struct check_size published[RUMPK_ARCH_COUNT] = {{0}};
    char version[NIP_VERSION_MAX + 1] = "";
    struct check_report *report = calloc(1, sizeof *report);
    enum nip_code code = report != NULL ? project_require(PROJECT_PACKAGE, err)
                                        : nip_error_set(err, NIP_ERROR_MEMORY, "no memory");
    if (code == NIP_OK)
        code = project_read_manifest(".", &manifest, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK && !cli_flag(cli, "no-build") &&
        manifest.identity.kind != RUMPK_KIND_KERNEL) {
        struct cli quiet = *cli;
        quiet.is_quiet = true;
        code = build_driver(&quiet, &decisions.sdk, ".", &manifest, manifest.identity.arch_mask,
                            false, &libraries, err);
    }
    libraries_free(&libraries);
    if (code == NIP_OK)
        code = checking_run(&decisions.sdk, ".", &manifest, report, err);
    if (code == NIP_OK && cli_option(cli, "registry") != NULL && cli_flag(cli, "no-build"))
        code = sdk_find_tools(&decisions.sdk, err);
    if (code == NIP_OK && cli_option(cli, "registry") != NULL)
        code = read_published(cli, &decisions, &manifest, report, !only_sizes, published, version,
                              err);
    if (code == NIP_OK && cli->is_json) {
        code = print_json(cli, &manifest, report, published, version, only_sizes, err);
    } else if (code == NIP_OK) {
        if (!only_sizes)
            print_results(cli, report);
        print_sizes(cli, report, published, version);
        if (manifest.identity.kind == RUMPK_KIND_DRIVER && !only_sizes)
            cli_say(cli, "calls made by hand leave no record: the kernel judges every call when it "
                         "happens");
    }
    if (code == NIP_OK && report->failed_count != 0 && !only_sizes) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "%zu of %zu checks failed",
                             report->failed_count, report->count);
        nip_error_hint(err, "what to do stands below each of them");
    } else if (code == NIP_OK && !only_sizes) {
        cli_next(cli, "nip publish --registry file:../reg");
    }
    free(report);
    decisions_free(&decisions);
    return code;
}

enum nip_code command_check(struct cli *cli, struct nip_error *err)
{
    return check_or_measure(cli, false, err);
}

enum nip_code command_size(struct cli *cli, struct nip_error *err)
{
    return check_or_measure(cli, true, err);
}
