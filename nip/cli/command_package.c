// SPDX-License-Identifier: Apache-2.0
//
// nip build, pack, sign: from a project to a signed package.

#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "command_sign.h"
#include "commands.h"
#include "keystore.h"
#include "members.h"
#include "nip/fs.h"
#include "packing.h"
#include "project.h"
#include "report.h"
#include "settings.h"

// A member of a workspace is built for those of the architectures asked for that it is made for.
static enum nip_code build_one(struct cli *cli, struct sdk *sdk, const char *folder, uint32_t mask,
                               bool is_member, struct nip_error *err)
{
    struct nip_manifest *manifest = malloc(sizeof *manifest);
    struct libraries libraries = {0};
    enum nip_code code = manifest != NULL
                             ? project_read_manifest(folder, manifest, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK && manifest->identity.kind == RUMPK_KIND_KERNEL)
        code = nip_error_set(err, NIP_ERROR_UNSUPPORTED,
                             "a kernel is made by its own build, not by nip build");
    uint32_t own = manifest != NULL ? manifest->identity.arch_mask : 0;
    uint32_t wanted = mask == 0 ? own : (is_member ? mask & own : mask);
    if (code == NIP_OK && wanted == 0)
        cli_say(cli, "not made for this");
    else if (code == NIP_OK)
        code = build_driver(cli, sdk, folder, manifest, wanted, false, &libraries, err);
    if (code == NIP_OK && !is_member)
        cli_next(cli, manifest->identity.kind == RUMPK_KIND_DRIVER
                          ? "nip run"
                          : "nip publish --registry file:../reg");
    libraries_free(&libraries);
    free(manifest);
    return code;
}

// Every package of the workspace, for the architectures of `mask` that it has.
static enum nip_code build_members(struct cli *cli, struct sdk *sdk, uint32_t mask,
                                   const struct members *members, struct nip_error *err)
{
    size_t count = 0;
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < members->count; i++) {
        if (project_kind(members->folders[i]) != PROJECT_PACKAGE)
            continue;
        const char *inside = members_inside(members, i);
        cli_say(cli, "member     %s", inside);
        code = build_one(cli, sdk, inside, mask, true, err);
        if (code != NIP_OK)
            nip_error_prefix(err, "member %s: ", inside);
        count++;
    }
    if (code == NIP_OK)
        cli_say(cli, "built %zu member%s of the workspace", count, count == 1 ? "" : "s");
    return code;
}

enum nip_code command_build(struct cli *cli, struct nip_error *err)
{
    struct sdk sdk;
    struct members *members = NULL;
    uint32_t mask = 0;
    enum nip_code code = arch_mask_parse(cli, &mask, err);
    bool is_workspace = members_is_root();
    if (code == NIP_OK && !is_workspace)
        code = project_require(PROJECT_PACKAGE, err);
    if (code == NIP_OK)
        code = sdk_open(&sdk, err);
    if (code == NIP_OK && is_workspace)
        code = members_find(".", &members, err);
    if (code == NIP_OK)
        code = is_workspace ? build_members(cli, &sdk, mask, members, err)
                            : build_one(cli, &sdk, ".", mask, false, err);
    members_free(members);
    return code;
}

static enum nip_code pack_json(const struct nip_manifest *manifest, const char *id, size_t files,
                               struct nip_error *err)
{
    struct nip_json *json = nip_json_make_object();
    nip_json_put(json, "name", report_text(manifest->identity.name));
    nip_json_put(json, "version", report_text(manifest->identity.version));
    nip_json_put_text(json, "id", id);
    nip_json_put_u64(json, "files", files);
    return report_json("nip-pack-1", "pack", json, err);
}

enum nip_code command_pack(struct cli *cli, struct nip_error *err)
{
    struct sdk sdk;
    struct nip_manifest manifest;
    struct nip_pack pack = {0};
    struct nip_buffer digests = {0};
    enum nip_code code = project_require(PROJECT_PACKAGE, err);
    if (code == NIP_OK)
        code = project_read_manifest(".", &manifest, err);
    if (code == NIP_OK)
        code = sdk_open(&sdk, err);
    if (code == NIP_OK)
        code = packing_collect(cli, &sdk, ".", &manifest, true, &pack, &digests, err);
    if (code == NIP_OK)
        code = packing_stage(cli, ".", &pack, &digests, err);
    if (code == NIP_OK) {
        uint8_t id[NIP_DIGEST_SIZE];
        char text[NIP_DIGEST_TEXT_SIZE];
        nip_digests_id(digests.data, digests.size, id);
        nip_digest_text(id, text);
        cli_say(cli, "packed %s %s: %zu files, listed in build/pack/digests",
                manifest.identity.name, manifest.identity.version, pack.file_count);
        if (!cli->is_json)
            cli_print(cli, "package id %s", text);
        cli_next(cli, "nip sign");
        if (cli->is_json)
            code = pack_json(&manifest, text, pack.file_count, err);
    }
    nip_pack_free(&pack);
    nip_buffer_free(&digests);
    return code;
}

// All keys that this user can vouch for.
static enum nip_code own_keys(struct nip_public_key keys[KEYSTORE_KEYS_MAX], size_t *count,
                              struct nip_error *err)
{
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    enum nip_code code = keystore_list(entries, count, err);
    for (size_t i = 0; code == NIP_OK && i < *count; i++)
        keys[i] = entries[i].key;
    return code;
}

static enum nip_code import_signature(const char *file, const char *key_name,
                                      const struct nip_pack *pack, const struct nip_buffer *digests,
                                      struct checked_package *package, struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct nip_signature signature;
    struct nip_public_key keys[KEYSTORE_KEYS_MAX];
    size_t count = 0;
    enum nip_code code = nip_fs_read(file, NIP_SIGNATURE_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_signature_parse_foreign(nip_buffer_text(&text), text.size, &signature, err);
    if (code == NIP_OK && key_name != NULL) {
        code = keystore_public(key_name, &keys[0], err);
        count = 1;
    } else if (code == NIP_OK) {
        code = own_keys(keys, &count, err);
    }
    if (code == NIP_OK && count == 0) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "none of your keys could have made %s", file);
        nip_error_hint(err, "name the public key: nip sign --import %s --key KEY.pub", file);
    }
    struct key_list list = {keys, count};
    if (code == NIP_OK)
        code = packing_put_signature(pack, digests, &signature, &list, package, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code command_sign(struct cli *cli, struct nip_error *err)
{
    struct nip_pack pack = {0};
    struct nip_buffer digests = {0};
    struct nip_digests parsed = {0};
    struct checked_package package = {0};
    const char *import = cli_option(cli, "import"), *key_name = cli_option(cli, "key");
    if (cli_operand(cli, 0) != NULL)
        return sign_file(cli, err);
    enum nip_code code = project_require(PROJECT_PACKAGE, err);
    if (code == NIP_OK)
        code = packing_load(".", &pack, &digests, &parsed, err);
    if (code == NIP_OK && import != NULL) {
        code = import_signature(import, key_name, &pack, &digests, &package, err);
    } else if (code == NIP_OK) {
        struct nip_secret_key key;
        code = keystore_unlock(settings_key(cli), &key, err);
        if (code == NIP_OK)
            code = packing_sign(&pack, &digests, parsed.name, parsed.version, &key, &package, err);
        nip_wipe(&key, sizeof key);
    }
    char file[CLI_PATH_SIZE];
    packing_file(file, ".", parsed.name, parsed.version);
    if (code == NIP_OK)
        code = project_write_file(file, package.npl.data, package.npl.size, 0644, err);
    if (code == NIP_OK) {
        char size[32];
        cli_say(cli, "signed %s %s: %s (%s)", parsed.name, parsed.version, file,
                cli_size_text(package.npl.size, size));
        cli_next(cli, "nip publish --registry file:../reg");
    }
    checked_package_free(&package);
    nip_digests_free(&parsed);
    nip_buffer_free(&digests);
    nip_pack_free(&pack);
    return code;
}
