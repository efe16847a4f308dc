// SPDX-License-Identifier: Apache-2.0
//
// Finding what was published, and comparing architecture by architecture.

#include "interface.h"

#include <stdlib.h>
#include <string.h>

#include "keystore.h"
#include "project.h"

enum nip_code interface_predecessor(struct registry *registry, const struct nip_manifest *manifest,
                                    char version[NIP_VERSION_MAX + 1], struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &manifest->identity;
    struct nip_folder_versions list = {0};
    struct nip_error cause = {0};
    struct nip_version now, then;
    version[0] = '\0';
    enum nip_code code = nip_version_check(identity->version, &now, err);
    if (code != NIP_OK)
        return code;
    code = registry_versions(registry, identity->name, &list, &cause);
    if (code == NIP_ERROR_MISSING)
        code = NIP_OK; // the first of its name
    else if (code != NIP_OK)
        *err = cause;
    for (size_t i = 0; code == NIP_OK && i < list.count; i++)
        if (nip_version_parse(list.items[i].text, strlen(list.items[i].text), &then) &&
            then.prerelease[0] == '\0' && nip_version_is_same_class(&then, &now) &&
            nip_version_compare(&then, &now) < 0)
            memcpy(version, list.items[i].text, NIP_VERSION_MAX + 1);
    nip_folder_versions_free(&list);
    return code;
}

// Signed by one of the user's own keys, else by whom the project accepts. Nobody is accepted here.
static enum nip_code open_published(const struct cli *cli, struct decisions *decisions,
                                    struct registry *registry, const char *alias, const char *name,
                                    const char *version, struct checked_package *package,
                                    struct nip_error *err)
{
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    struct nip_public_key keys[KEYSTORE_KEYS_MAX];
    struct nip_error cause = {0};
    size_t count = 0;
    memset(package, 0, sizeof *package);
    if (keystore_list(entries, &count, &cause) != NIP_OK)
        count = 0;
    for (size_t i = 0; i < count; i++)
        keys[i] = entries[i].key;
    struct key_list list = {keys, count};
    enum nip_code code = registry_fetch(registry, name, version, &package->npl, err);
    if (code != NIP_OK)
        return code;
    if (count != 0 && checked_package_open(package, &list, version, &cause) == NIP_OK)
        return NIP_OK;
    nip_buffer_free(&package->npl);
    struct resolve_request request = {
        .name = name, .version = version, .alias = alias, .registry = registry};
    code = resolve_package(cli, decisions, &request, package, err);
    if (code != NIP_OK)
        nip_error_prefix(err, "the interface of %s %s cannot be compared: ", name, version);
    return code;
}

static enum nip_code compare(const struct cli *cli, const struct sdk *sdk, size_t arch_index,
                             const struct checked_package *published, const char *version,
                             const struct nip_manifest *manifest, struct check_report *report,
                             struct nip_error *err)
{
    char path[96], archive[CLI_PATH_SIZE];
    const uint8_t *data = NULL;
    size_t size = 0;
    struct nip_buffer words = {0};
    bool is_same = false;
    snprintf(path, sizeof path, "%s/lib%s.a", nip_arch_name(arch_all[arch_index]),
             project_short_name(manifest->identity.name));
    // Made for one architecture more than before.
    if (!nip_package_file(published->package, path, &data, &size))
        return NIP_OK;
    snprintf(archive, sizeof archive, "build/%s", path);
    enum nip_code code = NIP_OK;
    bool is_gone = (manifest->identity.arch_mask & RUMPK_ARCH_BIT(arch_all[arch_index])) == 0;
    if (!is_gone)
        code = checking_abi(sdk, data, size, archive, &is_same, &words, err);
    if (code == NIP_OK && report->count < CHECK_RESULTS_MAX) {
        struct check_result *result = &report->results[report->count++];
        *result = (struct check_result){
            .check = "interface", .arch = nip_arch_name(arch_all[arch_index]), .passed = is_same};
        snprintf(result->words, sizeof result->words, "%s %s%s",
                 is_same   ? "nothing has changed that"
                 : is_gone ? "it was made for this architecture in"
                           : "it differs from",
                 version,
                 is_same   ? " has"
                 : is_gone ? ""
                           : ", of the same class of versions");
        snprintf(result->hint, sizeof result->hint,
                 "undo the change, or begin a new class of versions (the first number, below 1.0 "
                 "the second)");
        report->failed_count += !is_same;
        if (!is_same && !is_gone)
            cli_relay(cli, nip_buffer_text(&words));
    }
    nip_buffer_free(&words);
    return code;
}

enum nip_code interface_check(const struct cli *cli, struct decisions *decisions,
                              struct registry *registry, const char *alias,
                              const struct nip_manifest *manifest, struct check_report *report,
                              struct nip_error *err)
{
    const char *name = manifest->identity.name;
    char version[NIP_VERSION_MAX + 1];
    struct checked_package published = {0};
    if (manifest->identity.kind != RUMPK_KIND_LIBRARY)
        return NIP_OK;
    enum nip_code code = interface_predecessor(registry, manifest, version, err);
    if (code != NIP_OK || version[0] == '\0')
        return code;
    code = open_published(cli, decisions, registry, alias, name, version, &published, err);
    if (code != NIP_OK)
        return code;
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        code = compare(cli, &decisions->sdk, a, &published, version, manifest, report, err);
    checked_package_free(&published);
    return code;
}

enum nip_code interface_require(const struct cli *cli, struct decisions *decisions,
                                struct registry *registry, const char *alias,
                                const struct nip_manifest *manifest, struct nip_error *err)
{
    struct check_report *report = calloc(1, sizeof *report);
    if (report == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = interface_check(cli, decisions, registry, alias, manifest, report, err);
    if (code == NIP_ERROR_TOOL)
        nip_error_prefix(err, "the interface is compared with what is published: ");
    for (size_t i = 0; code == NIP_OK && i < report->count; i++) {
        const struct check_result *result = &report->results[i];
        if (result->passed)
            continue;
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s, %s: %s", result->check, result->arch,
                             result->words);
        nip_error_hint(err, "%s", result->hint);
    }
    free(report);
    return code;
}
