// SPDX-License-Identifier: Apache-2.0
//
// Collecting, staging and signing.

#include "packing.h"

#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "cleanup.h"
#include "nip/fs.h"
#include "nip/source.h"
#include "nip/spdx.h"
#include "progress.h"
#include "project.h"
#include "sourcing.h"
#include "store.h"
#include "version.h"

enum { PACK_FILE_SIZE_MAX = 256 << 20 };
#define LICENSES_FOLDER "LICENSES"

static enum nip_code add_file(struct nip_pack *pack, const char *folder, const char *from,
                              const char *path, bool is_beside, struct nip_error *err)
{
    char full[CLI_PATH_SIZE];
    struct nip_buffer content = {0};
    project_path(full, folder, from);
    enum nip_code code = nip_fs_read(full, PACK_FILE_SIZE_MAX, &content, err);
    if (code == NIP_OK)
        code = nip_pack_add(pack, path, is_beside, nip_buffer_text(&content), content.size, err);
    nip_buffer_free(&content);
    return code;
}

struct license_search {
    const char *folder;
    const struct sdk *sdk;
};
struct licenses {
    struct license_search search;
    struct nip_pack *pack;
};

static enum nip_code require_license(void *context, const char *identifier, struct nip_error *err)
{
    const struct license_search *search = context;
    char path[CLI_PATH_SIZE], name[160], known[CLI_PATH_SIZE];
    snprintf(name, sizeof name, LICENSES_FOLDER "/%s.txt", identifier);
    project_path(path, search->folder, name);
    if (nip_fs_kind(path) == NIP_FS_FILE)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_MISSING, "the licence text %s is missing", path);
    sdk_path(search->sdk, known, "licenses/%s.txt", identifier);
    if (nip_fs_kind(known) == NIP_FS_FILE)
        nip_error_hint(err, "add it: cp '%s' %s", known, path);
    else
        nip_error_hint(err, "add the full text of the licence as %s, or correct 'license' in %s",
                       path, NIP_MANIFEST_FILE);
    return NIP_ERROR_MISSING;
}

// What npl.kdl says is compiled in.
static enum nip_code add_components(const struct nip_manifest *manifest, struct nip_pack *pack,
                                    struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (uint32_t i = 0; code == NIP_OK && i < manifest->component_count; i++) {
        const struct nip_manifest_component *from = &manifest->components[i];
        struct nip_pack_component component = {.is_source = true};
        snprintf(component.name, sizeof component.name, "%s", from->name);
        snprintf(component.version, sizeof component.version, "%.*s",
                 (int)sizeof component.version - 1, from->version);
        snprintf(component.license, sizeof component.license, "%s", from->license);
        snprintf(component.origin, sizeof component.origin, "%s", from->origin);
        if (!nip_hex_decode(from->sha256, strlen(from->sha256), component.digest, NIP_DIGEST_SIZE))
            return nip_error_set(err, NIP_ERROR_INTERNAL, "component without a digest");
        code = nip_pack_add_component(pack, &component, err);
    }
    return code;
}

// The text of a licence of something that is linked in, where the package does not bring it itself.
static enum nip_code bring_license(void *context, const char *identifier, struct nip_error *err)
{
    struct licenses *licenses = context;
    char path[CLI_PATH_SIZE], name[160];
    snprintf(name, sizeof name, LICENSES_FOLDER "/%s.txt", identifier);
    for (size_t i = 0; i < licenses->pack->file_count; i++)
        if (strcmp(licenses->pack->files[i].path, name) == 0)
            return NIP_OK;
    sdk_path(licenses->search.sdk, path, "licenses/%s.txt", identifier);
    if (nip_fs_kind(path) != NIP_FS_FILE)
        return require_license(&licenses->search, identifier, err);
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(path, PACK_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_pack_add(licenses->pack, name, false, nip_buffer_text(&text), text.size, err);
    nip_buffer_free(&text);
    return code;
}

// Every licence that the bill of materials names has its text in the package.
static enum nip_code complete_licenses(const struct sdk *sdk, const char *folder,
                                       struct nip_pack *pack, struct nip_error *err)
{
    struct licenses licenses = {{folder, sdk}, pack};
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < pack->component_count; i++)
        code = nip_spdx_each(pack->components[i].license, bring_license, &licenses, err);
    if (code == NIP_OK)
        code = nip_spdx_each(NIP_PACK_TOOLCHAIN_LICENSE, bring_license, &licenses, err);
    return code;
}

static enum nip_code add_licenses(const struct sdk *sdk, const char *folder,
                                  const struct nip_manifest *manifest, struct nip_pack *pack,
                                  struct nip_error *err)
{
    struct license_search search = {folder, sdk};
    enum nip_code code = nip_spdx_each(manifest->license, require_license, &search, err);
    char path[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    project_path(path, folder, LICENSES_FOLDER);
    if (code == NIP_OK)
        code = nip_fs_list(path, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char name[CLI_PATH_SIZE];
        if (names.names[i][0] == '.')
            continue;
        snprintf(name, sizeof name, LICENSES_FOLDER "/%.4000s", names.names[i]);
        code = add_file(pack, folder, name, name, false, err);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code add_binaries(const char *folder, const struct nip_manifest *manifest,
                                  struct nip_pack *pack, struct nip_error *err)
{
    bool is_kernel = manifest->identity.kind == RUMPK_KIND_KERNEL;
    enum nip_code code = NIP_OK;
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        if ((manifest->identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        char from[96], path[64];
        const char *arch = nip_arch_name(arch_all[a]);
        snprintf(path, sizeof path, "%s/%s.elf", arch, is_kernel ? "kernel" : "driver");
        snprintf(from, sizeof from, "%s%s", is_kernel ? "" : "build/", path);
        code = add_file(pack, folder, from, path, false, err);
        if (code != NIP_OK || is_kernel)
            continue;
        snprintf(path, sizeof path, "%s/driver.debug", arch);
        snprintf(from, sizeof from, "build/%s", path);
        code = add_file(pack, folder, from, path, true, err);
    }
    return code;
}

// Every file below include/, in the folders that it is in.
static enum nip_code add_headers(const char *folder, const char *inside, int depth,
                                 struct nip_pack *pack, struct nip_error *err)
{
    enum { DEPTH_MAX = 16 };
    char where[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    if (depth > DEPTH_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the folder %s is nested too deep", inside);
    project_path(where, folder, inside);
    enum nip_code code = nip_fs_list(where, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char path[CLI_PATH_SIZE], full[CLI_PATH_SIZE];
        if (names.names[i][0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", inside, names.names[i]) >= (int)sizeof path)
            return nip_error_set(err, NIP_ERROR_LIMIT, "a path below %s is too long", inside);
        project_path(full, folder, path);
        code = nip_fs_kind(full) == NIP_FS_FOLDER ? add_headers(folder, path, depth + 1, pack, err)
                                                  : add_file(pack, folder, path, path, false, err);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code add_library(const char *folder, const struct nip_manifest *manifest,
                                 struct nip_pack *pack, struct nip_error *err)
{
    char include[CLI_PATH_SIZE];
    const char *name = project_short_name(manifest->identity.name);
    project_path(include, folder, "include");
    if (nip_fs_kind(include) != NIP_FS_FOLDER) {
        nip_error_set(err, NIP_ERROR_MISSING, "the library has no folder %s", include);
        nip_error_hint(err, "the headers that users of the library include lie there");
        return NIP_ERROR_MISSING;
    }
    enum nip_code code = add_headers(folder, "include", 0, pack, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        if ((manifest->identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        char from[96], path[80];
        snprintf(path, sizeof path, "%s/lib%.32s.a", nip_arch_name(arch_all[a]), name);
        snprintf(from, sizeof from, "build/%s", path);
        code = add_file(pack, folder, from, path, false, err);
    }
    return code;
}

static enum nip_code add_source(const char *folder, struct nip_pack *pack, struct nip_error *err)
{
    struct nip_buffer tar = {0};
    enum nip_code code = sourcing_collect(folder, &tar, err);
    if (code == NIP_OK)
        code = nip_pack_add(pack, NIP_SOURCE_FILE, true, tar.data, tar.size, err);
    nip_buffer_free(&tar);
    return code;
}

enum nip_code packing_collect(const struct cli *cli, struct sdk *sdk, const char *folder,
                              const struct nip_manifest *manifest, bool with_source,
                              struct nip_pack *pack, struct nip_buffer *digests,
                              struct nip_error *err)
{
    char date[32];
    enum nip_code code = project_date(date, err);
    if (code != NIP_OK)
        return code;
    uint32_t kind = manifest->identity.kind;
    // A kernel package holds files that another build has made: there is no source here.
    if (with_source && kind != RUMPK_KIND_KERNEL)
        code = add_source(folder, pack, err);
    if (code != NIP_OK)
        return code;
    struct libraries libraries = {0};
    if (kind == RUMPK_KIND_KERNEL)
        code = sdk_find_tools(sdk, err);
    else
        code = build_driver(cli, sdk, folder, manifest, manifest->identity.arch_mask, with_source,
                            &libraries, err);
    if (code == NIP_OK && kind == RUMPK_KIND_DRIVER)
        code = sdk_components(sdk, manifest->identity.arch_mask, pack, err);
    if (code == NIP_OK)
        code = add_file(pack, folder, NIP_MANIFEST_FILE, NIP_MANIFEST_FILE, false, err);
    if (code == NIP_OK)
        code = add_licenses(sdk, folder, manifest, pack, err);
    // A library names what it needs in npl.kdl; what is linked is chosen by whoever links it.
    if (code == NIP_OK && kind == RUMPK_KIND_DRIVER)
        code = libraries_pack(&libraries, pack, err);
    libraries_free(&libraries);
    if (code == NIP_OK)
        code = add_components(manifest, pack, err);
    if (code == NIP_OK)
        code = complete_licenses(sdk, folder, pack, err);
    if (code == NIP_OK)
        code = kind == RUMPK_KIND_LIBRARY ? add_library(folder, manifest, pack, err)
                                          : add_binaries(folder, manifest, pack, err);
    for (size_t i = 0; code == NIP_OK && with_source && i < pack->file_count; i++) {
        const char *slash = strrchr(pack->files[i].path, '/');
        if (slash != NULL && strcmp(slash, "/driver.debug") == 0)
            store_put_debug(pack->files[i].data, pack->files[i].size);
    }
    if (code == NIP_OK)
        code =
            nip_pack_finish(pack, manifest, sdk->toolchain, "nip-" NIP_VERSION, date, digests, err);
    return code;
}

static enum nip_code write_staged(const struct cli *cli, const char *folder,
                                  const struct nip_pack *pack, const struct nip_buffer *digests,
                                  struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct progress progress;
    project_path(path, folder, NIP_PACKAGE_DIGESTS_PATH);
    enum nip_code code = project_write_file(path, digests->data, digests->size, 0644, err);
    progress_begin(&progress, cli, "packing", pack->file_count);
    for (size_t i = 0; code == NIP_OK && i < pack->file_count; i++) {
        progress_step(&progress, pack->files[i].path);
        project_path(path, folder, pack->files[i].path);
        code = project_write_file(path, pack->files[i].data, pack->files[i].size, 0644, err);
    }
    progress_end(&progress);
    return code;
}

enum nip_code packing_stage(const struct cli *cli, const char *folder, const struct nip_pack *pack,
                            const struct nip_buffer *digests, struct nip_error *err)
{
    char final[CLI_PATH_SIZE];
    struct nip_buffer temporary = {0};
    struct nip_fs_lock held = NIP_FS_LOCK_NONE;
    project_path(final, folder, "build");
    enum nip_code code = nip_fs_make_folders(final, NULL, err);
    project_path(final, folder, "build/pack");
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_make_temporary_folder(final, &temporary, &held, err);
    if (code == NIP_OK)
        cleanup_add_path(nip_buffer_text(&temporary));
    cleanup_release();
    if (code != NIP_OK)
        return code;
    code = write_staged(cli, nip_buffer_text(&temporary), pack, digests, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_replace_folder(nip_buffer_text(&temporary), final, err);
    cleanup_release();
    cleanup_remove_path(nip_buffer_text(&temporary));
    nip_fs_unlock(&held);
    nip_buffer_free(&temporary);
    return code;
}

static enum nip_code load_listed(const char *folder, const struct nip_digests_file *files,
                                 size_t count, bool is_beside, struct nip_pack *pack,
                                 struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        uint8_t digest[NIP_DIGEST_SIZE];
        code = add_file(pack, folder, files[i].path, files[i].path, is_beside, err);
        for (size_t f = 0; code == NIP_OK && f < pack->file_count; f++) {
            if (strcmp(pack->files[f].path, files[i].path) != 0)
                continue;
            nip_hash_bytes(pack->files[f].data, pack->files[f].size, digest);
            if (memcmp(digest, files[i].digest, sizeof digest) != 0) {
                code = nip_error_set(err, NIP_ERROR_DIGEST,
                                     "%s/%s has changed since 'nip pack' listed it", folder,
                                     files[i].path);
                nip_error_hint(err, "run 'nip pack' again");
            }
        }
    }
    return code;
}

enum nip_code packing_load(const char *folder, struct nip_pack *pack, struct nip_buffer *digests,
                           struct nip_digests *parsed, struct nip_error *err)
{
    char path[CLI_PATH_SIZE], staged[CLI_PATH_SIZE];
    project_path(staged, folder, "build/pack");
    project_path(path, folder, "build/pack/digests");
    if (nip_fs_kind(path) == NIP_FS_NOTHING) {
        nip_error_set(err, NIP_ERROR_MISSING, "nothing has been packed: %s is missing", path);
        nip_error_hint(err, "run 'nip pack' first");
        return NIP_ERROR_MISSING;
    }
    enum nip_code code = nip_fs_read(path, NIP_DIGESTS_SIZE_MAX, digests, err);
    if (code == NIP_OK)
        code = nip_digests_parse(nip_buffer_text(digests), digests->size, parsed, err);
    if (code == NIP_OK)
        code = load_listed(staged, parsed->files, parsed->file_count, false, pack, err);
    if (code == NIP_OK)
        code = load_listed(staged, parsed->besides, parsed->beside_count, true, pack, err);
    return code;
}

enum nip_code packing_put_signature(const struct nip_pack *pack, const struct nip_buffer *digests,
                                    const struct nip_signature *signature,
                                    const struct key_list *keys, struct checked_package *package,
                                    struct nip_error *err)
{
    memset(package, 0, sizeof *package);
    enum nip_code code =
        nip_pack_write(pack, digests->data, digests->size, signature, &package->npl, err);
    if (code != NIP_OK) {
        nip_buffer_free(&package->npl);
        return code;
    }
    return checked_package_open(package, keys, "the new package", err);
}

enum nip_code packing_sign(const struct nip_pack *pack, const struct nip_buffer *digests,
                           const char *name, const char *version, const struct nip_secret_key *key,
                           struct checked_package *package, struct nip_error *err)
{
    struct nip_signature signature;
    struct nip_public_key public;
    nip_secret_key_public(key, &public);
    struct key_list keys = {&public, 1};
    memset(package, 0, sizeof *package);
    enum nip_code code =
        nip_signature_make(key, digests->data, digests->size, name, version, &signature, err);
    return code == NIP_OK ? packing_put_signature(pack, digests, &signature, &keys, package, err)
                          : code;
}

void packing_file(char *out, const char *folder, const char *name, const char *version)
{
    char file[NIP_NAME_MAX + NIP_VERSION_MAX + 16];
    snprintf(file, sizeof file, "build/%s-%s.npl", project_short_name(name), version);
    project_path(out, folder, file);
}
