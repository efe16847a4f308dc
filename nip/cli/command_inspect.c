// SPDX-License-Identifier: Apache-2.0
//
// nip verify and nip inspect: a file is a package or an image, told apart by its first bytes.

#include <string.h>

#include "commands.h"
#include "keystore.h"
#include "nip/fs.h"
#include "project.h"
#include "report.h"
#include "resolve.h"
#include "version.h"

enum { KEYS_MAX = KEYSTORE_KEYS_MAX + NIP_TRUST_PUBLISHERS_MAX + 1, IMAGE_SIZE_MAX = 256 << 20 };

struct vouched_key {
    struct nip_public_key key;
    char whose[160];
};

// Every key that something on this computer vouches for, and what that is.
struct vouched {
    struct vouched_key items[KEYS_MAX];
    struct nip_public_key keys[KEYS_MAX];
    size_t count;
};

static void vouch(struct vouched *vouched, const struct nip_public_key *key, const char *words,
                  const char *name)
{
    if (vouched->count == KEYS_MAX)
        return;
    struct vouched_key *item = &vouched->items[vouched->count];
    item->key = *key;
    vouched->keys[vouched->count++] = *key;
    snprintf(item->whose, sizeof item->whose, "%.64s%.80s", words, name);
}

static const char *whose_key(const struct vouched *vouched, const uint8_t key[32])
{
    for (size_t i = 0; i < vouched->count; i++)
        if (memcmp(vouched->items[i].key.key, key, NIP_PUBLIC_KEY_BYTES) == 0)
            return vouched->items[i].whose;
    return NULL;
}

// `name`: the package that is to be verified; a key that is accepted for one name says nothing
// about another. NULL: an image, for which publishers' keys do not count.
static enum nip_code collect_vouched(struct vouched *vouched, const char *name,
                                     struct nip_error *err)
{
    struct sdk sdk;
    struct nip_trust trust;
    struct nip_public_key accepted[NIP_TRUST_PUBLISHERS_MAX];
    struct keystore_entry own[KEYSTORE_KEYS_MAX];
    struct nip_error cause = {0};
    size_t own_count = 0;
    enum nip_code code = project_read_trust(".", &trust, NULL, err);
    size_t count = code == NIP_OK && name != NULL
                       ? nip_trust_keys(&trust, name, accepted, NIP_TRUST_PUBLISHERS_MAX)
                       : 0;
    for (size_t i = 0; i < count; i++)
        vouch(vouched, &accepted[i], "a key that nip.trust.kdl accepts for ", name);
    if (code == NIP_OK)
        code = keystore_list(own, &own_count, err);
    for (size_t i = 0; code == NIP_OK && i < own_count; i++)
        vouch(vouched, &own[i].key, "your own key ", own[i].name);
    struct nip_secret_key development;
    // Without an SDK or a development key there is just nothing more to compare with.
    if (code == NIP_OK && name != NULL && strncmp(name, "rumpk/", 6) == 0 &&
        sdk_open(&sdk, &cause) == NIP_OK && sdk.has_key)
        vouch(vouched, &sdk.key, "the key of this SDK", "");
    if (code == NIP_OK && keystore_development(&development, &cause) == NIP_OK) {
        struct nip_public_key key;
        nip_secret_key_public(&development, &key);
        nip_wipe(&development, sizeof development);
        vouch(vouched, &key, "your development key (not for release)", "");
    }
    return code;
}

static enum nip_code explain_unknown(const char *file, struct nip_error *err)
{
    nip_error_hint(err,
                   "nothing here vouches for the key that signed %s; name the key that must "
                   "have signed: nip verify %s --key FILE.pub",
                   file, file);
    return err->code;
}

static enum nip_code open_package(struct cli *cli, const char *file, struct nip_buffer *content,
                                  struct checked_package *package, struct vouched *vouched,
                                  const char **whose, struct nip_error *err)
{
    const char *key_name = cli_option(cli, "key");
    enum nip_code code = NIP_OK;
    if (key_name != NULL) {
        struct nip_public_key key;
        code = keystore_public(key_name, &key, err);
        if (code == NIP_OK)
            vouch(vouched, &key, "the key that was asked for", "");
    } else {
        struct nip_package_source source = {content->data, content->size, -1};
        struct nip_package_claim claim;
        code = nip_package_peek(&source, &claim, err);
        if (code == NIP_OK)
            code = collect_vouched(vouched, claim.name, err);
        else
            nip_error_prefix(err, "%s: ", file);
    }
    if (code != NIP_OK)
        return code;
    struct key_list list = {vouched->keys, vouched->count};
    package->npl = *content;
    memset(content, 0, sizeof *content);
    code = checked_package_open(package, &list, file, err);
    if (code == NIP_OK)
        *whose = whose_key(vouched, nip_package_key(package->package)->key);
    else if ((code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE) && key_name == NULL)
        explain_unknown(file, err);
    return code;
}

static enum nip_code read_file(const char *file, struct nip_buffer *content, struct nip_error *err)
{
    enum nip_code code = nip_fs_read(file, IMAGE_SIZE_MAX, content, err);
    if (code == NIP_OK && content->size < 4) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is neither a package nor an image", file);
        nip_error_hint(err, "packages end in .npl, images in .elf");
    }
    return code;
}

static enum nip_code open_image(struct cli *cli, const char *file, const struct nip_buffer *content,
                                struct nip_image_report **report, struct nip_error *err)
{
    const char *key_name = cli_option(cli, "key");
    struct nip_public_key key;
    enum nip_code code = NIP_OK;
    if (key_name != NULL)
        code = keystore_public(key_name, &key, err);
    if (code == NIP_OK)
        code = nip_image_verify(content->data, content->size, file,
                                key_name != NULL ? key.key : NULL, report, err);
    return code;
}

static void say_image_key(struct cli *cli, const struct nip_image_report *report)
{
    static struct vouched vouched;
    struct nip_error cause = {0};
    if (cli_option(cli, "key") != NULL) {
        cli_print(cli, "signed by the key that was asked for");
        return;
    }
    const char *whose = collect_vouched(&vouched, NULL, &cause) == NIP_OK
                            ? whose_key(&vouched, report->owner_key)
                            : NULL;
    if (whose != NULL)
        cli_print(cli, "signed by %s", whose);
    else
        cli_print(cli, "integrity only: the image carries a key that nothing here vouches for; "
                       "name the owner's with --key");
}

static enum nip_code open_file(struct cli *cli, bool wants_verdict, struct nip_error *err)
{
    static struct vouched vouched;
    const char *file = cli_operand(cli, 0), *whose = NULL;
    struct nip_buffer content = {0};
    struct checked_package package = {0};
    struct nip_image_report *report = NULL;
    enum nip_code code = read_file(file, &content, err);
    bool is_image = code == NIP_OK && memcmp(content.data,
                                             "\x7f"
                                             "ELF",
                                             4) == 0;
    if (code == NIP_OK && is_image)
        code = open_image(cli, file, &content, &report, err);
    else if (code == NIP_OK)
        code = open_package(cli, file, &content, &package, &vouched, &whose, err);
    if (code == NIP_OK && cli->is_json) {
        struct nip_json *json =
            is_image ? report_image_json(report) : report_package_json(&package, whose);
        nip_json_put_bool(json, "valid", true);
        code = report_json("nip-inspect-0", is_image ? "image" : "package", json, err);
    } else if (code == NIP_OK && !wants_verdict) {
        if (is_image)
            report_image(cli, report);
        else
            report_package(cli, &package, whose);
    } else if (code == NIP_OK) {
        char name[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
        if (is_image) {
            cli_print_verdict(cli, true, "valid: ", "%s, image %s %s for %s, %u packages", file,
                              report->boot->image.name, report->boot->image.version,
                              nip_arch_name(report->arch), (unsigned)report->package_count);
            say_image_key(cli, report);
        } else {
            cli_print_verdict(cli, true, "valid: ", "%s, package %s", file,
                              checked_package_name(&package, name, sizeof name));
            cli_print(cli, "signed by %s", whose);
        }
    }
    if (code == NIP_OK && wants_verdict)
        cli_next(cli, "nip inspect %s", file);
    else if (code == NIP_OK && is_image)
        cli_next(cli, "nip run %s", file);
    else if (code == NIP_OK)
        cli_next(cli, "nip add %s --registry WHERE   (in an image project)",
                 package.manifest.identity.name);
    nip_image_report_free(report);
    checked_package_free(&package);
    nip_buffer_free(&content);
    return code;
}

enum nip_code command_verify(struct cli *cli, struct nip_error *err)
{
    return open_file(cli, true, err);
}

enum nip_code command_inspect(struct cli *cli, struct nip_error *err)
{
    return open_file(cli, false, err);
}

enum nip_code command_version(struct cli *cli, struct nip_error *err)
{
    struct sdk sdk;
    cli_print(cli, "nip %s", NIP_VERSION);
    enum nip_code code = sdk_open(&sdk, err);
    if (code == NIP_OK)
        cli_print(cli, "SDK %s%s in %s", sdk.id, sdk.is_development ? " (development)" : "",
                  sdk.share);
    if (code == NIP_OK)
        code = sdk_find_tools(&sdk, err);
    if (code == NIP_OK) {
        cli_print(cli, "toolchain %s (%s)", sdk.toolchain, sdk.clang);
        cli_next(cli, "nip help");
    }
    return code;
}
