// SPDX-License-Identifier: Apache-2.0
//
// nip verify and nip inspect: a file is a package, an image or a statement about keys, told apart
// by its first bytes.

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "nip/fs.h"
#include "project.h"
#include "report.h"
#include "sdk.h"
#include "statements.h"
#include "version.h"
#include "vouched.h"

// A file that has been opened, whichever kind it is.
struct opened {
    struct nip_buffer content;
    struct checked_package package;
    struct nip_image_report *report;
    struct vouched *vouched;
    const char *whose;
    bool is_image;
};

static void say_image_key(struct cli *cli, const struct opened *opened)
{
    if (cli_option(cli, "key") != NULL) {
        cli_print(cli, "signed by the key that was asked for");
        return;
    }
    const char *whose = vouched_owner(opened->vouched, opened->report->owner_key);
    if (whose != NULL)
        cli_print(cli, "signed by %s", whose);
    else
        cli_print(cli, "integrity only: the image carries a key that nothing here vouches for; "
                       "name the owner's with --key");
}

static void say_votes(const struct cli *cli, const struct opened *opened)
{
    const struct vouched *vouched = opened->vouched;
    if (vouched->has_ballot && (vouched->votes.count > 1 || vouched->ballot.threshold > 1))
        votes_print(cli, &vouched->ballot, &vouched->votes);
    else if (vouched->votes.count > 1)
        cli_print(cli,
                  "  %zu further signature(s) beside it were not judged: %s here says nothing "
                  "about %s",
                  vouched->votes.count - 1, NIP_TRUST_FILE, opened->package.manifest.identity.name);
}

// Whose packages they are, and how many of their keys had to sign.
static void say_publishers(const struct cli *cli, const struct nip_image_report *report)
{
    for (uint32_t i = 0; i < report->package_count; i++) {
        const struct nip_boot_package *boot = &report->boot->packages[i];
        const struct rumpk_bkdl_identity *identity = &report->packages[i].manifest.identity;
        struct nip_buffer keys = {0};
        for (uint32_t k = 0; k < boot->key_count; k++) {
            char fingerprint[NIP_DIGEST_TEXT_SIZE];
            struct nip_public_key key = {.id = {0}};
            memcpy(key.key, boot->keys[k].key, sizeof key.key);
            nip_public_key_fingerprint(&key, fingerprint);
            nip_buffer_append_format(&keys, " %.16s", fingerprint);
        }
        cli_print(cli, "  %s %s  %u of the keys%s", identity->name, identity->version,
                  (unsigned)boot->package.threshold, nip_buffer_text(&keys));
        nip_buffer_free(&keys);
    }
}

static void say_verdict(struct cli *cli, const char *file, const struct opened *opened)
{
    char name[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    const struct nip_image_report *report = opened->report;
    if (opened->is_image) {
        cli_print_verdict(cli, true, "valid: ", "%s, image %s %s for %s, %u packages", file,
                          report->boot->image.name, report->boot->image.version,
                          nip_arch_name(report->arch), (unsigned)report->package_count);
        say_image_key(cli, opened);
        say_publishers(cli, report);
        return;
    }
    cli_print_verdict(cli, true, "valid: ", "%s, package %s", file,
                      checked_package_name(&opened->package, name, sizeof name));
    cli_print(cli, "signed by %s", opened->whose);
    say_votes(cli, opened);
}

static enum nip_code print_json(const struct opened *opened, struct nip_error *err)
{
    struct nip_json *json = opened->is_image ? report_image_json(opened->report)
                                             : report_package_json(&opened->package, opened->whose);
    nip_json_put_bool(json, "valid", true);
    if (!opened->is_image && opened->vouched->has_ballot)
        nip_json_put(json, "trust", votes_json(&opened->vouched->ballot, &opened->vouched->votes));
    return report_json("nip-inspect-1", opened->is_image ? "image" : "package", json, err);
}

static void print_text(struct cli *cli, bool wants_verdict, const char *file,
                       const struct opened *opened)
{
    if (wants_verdict) {
        say_verdict(cli, file, opened);
        cli_next(cli, "nip inspect %s", file);
    } else if (opened->is_image) {
        report_image(cli, opened->report);
        cli_next(cli, "nip run %s", file);
    } else {
        report_package(cli, &opened->package, opened->whose);
        say_votes(cli, opened);
        cli_next(cli, "nip add %s --registry WHERE   (in an image project)",
                 opened->package.manifest.identity.name);
    }
}

static void put_keys(struct nip_json *object, const char *name, const struct nip_public_key *keys,
                     size_t count)
{
    struct nip_json *list = nip_json_make_array();
    for (size_t i = 0; i < count; i++) {
        char fingerprint[NIP_DIGEST_TEXT_SIZE];
        nip_public_key_fingerprint(&keys[i], fingerprint);
        nip_json_append(list, nip_json_make_text(fingerprint));
    }
    nip_json_put(object, name, list);
}

// `is_followed`: it was checked that this project may follow it.
static enum nip_code statement_json(const struct nip_statement *statement, bool is_followed,
                                    struct nip_error *err)
{
    struct nip_json *json = nip_json_make_object(), *keeps = nip_json_make_array();
    bool is_rotation = statement->kind == NIP_STATEMENT_ROTATION;
    nip_json_put_text(json, "kind", is_rotation ? "rotation" : "revocation");
    nip_json_put(json, "pattern", report_text(statement->pattern));
    put_keys(json, "old_keys", statement->old_keys, statement->old_count);
    put_keys(json, "new_keys", statement->new_keys, statement->new_count);
    put_keys(json, "revoked_keys", &statement->key, is_rotation ? 0 : 1);
    nip_json_put_u64(json, "serial", statement->serial);
    nip_json_put_u64(json, "threshold", statement->threshold);
    for (size_t i = 0; i < statement->keep_count; i++) {
        char id[NIP_DIGEST_TEXT_SIZE];
        nip_digest_text(statement->keeps[i], id);
        nip_json_append(keeps, nip_json_make_text(id));
    }
    nip_json_put(json, "keeps", keeps);
    nip_json_put_bool(json, "may_be_followed", is_followed);
    return report_json("nip-statement-1", "statement", json, err);
}

// A statement is shown with who of the project's keys has signed it, and whether it may be
// followed.
static enum nip_code show_statement(struct cli *cli, const char *file,
                                    const struct nip_buffer *content, bool wants_verdict,
                                    struct nip_error *err)
{
    struct nip_statement statement;
    struct nip_signature_text texts[NIP_BALLOT_VOTES_MAX];
    struct votes votes = {0};
    struct nip_trust *trust = calloc(1, sizeof *trust);
    enum nip_code code = trust == NULL ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                                       : nip_statement_parse(nip_buffer_text(content),
                                                             content->size, file, &statement, err);
    if (code == NIP_OK && !wants_verdict && !cli->is_json)
        cli_print(cli, "%s", nip_buffer_text(content));
    if (code == NIP_OK && wants_verdict)
        code = project_read_trust(".", trust, NULL, err);
    if (code == NIP_OK && wants_verdict)
        code = votes_read_beside(file, &votes, err);
    if (code == NIP_OK && wants_verdict) {
        votes_texts(&votes, texts);
        code = nip_statement_check(&statement, nip_buffer_text(content), content->size, texts,
                                   votes.count, trust, err);
    }
    if (code == NIP_OK && cli->is_json)
        code = statement_json(&statement, wants_verdict, err);
    else if (code == NIP_OK && wants_verdict) {
        cli_print_verdict(cli, true, "valid: ", "%s, a statement about %s", file,
                          statement.pattern);
        cli_next(cli, "nip key trust --statement %s", file);
    }
    votes_free(&votes);
    free(trust);
    return code;
}

static enum nip_code open_file(struct cli *cli, bool wants_verdict, struct nip_error *err)
{
    struct opened opened = {.vouched = vouched_new()};
    const char *file = cli_operand(cli, 0), *key = cli_option(cli, "key");
    if (opened.vouched == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = vouched_read_file(file, &opened.content, &opened.is_image, err);
    bool is_statement = code == NIP_OK && statement_is_one(&opened.content);
    if (is_statement)
        code = show_statement(cli, file, &opened.content, wants_verdict, err);
    else if (code == NIP_OK && opened.is_image)
        code = vouched_open_image(file, key, &opened.content, &opened.report, err);
    else if (code == NIP_OK)
        code = vouched_open_package(opened.vouched, file, key, &opened.content, &opened.package,
                                    &opened.whose, err);
    // What is not enough is shown by inspect and refused by verify.
    if (code == NIP_OK && wants_verdict && opened.vouched->has_ballot)
        code = votes_require(&opened.vouched->ballot, &opened.vouched->votes, file, err);
    if (code == NIP_OK && !is_statement && cli->is_json)
        code = print_json(&opened, err);
    else if (code == NIP_OK && !is_statement)
        print_text(cli, wants_verdict, file, &opened);
    nip_image_report_free(opened.report);
    checked_package_free(&opened.package);
    nip_buffer_free(&opened.content);
    vouched_free(opened.vouched);
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

static enum nip_code version_json(struct sdk *sdk, struct nip_error *err)
{
    struct nip_json *json = nip_json_make_object();
    nip_json_put_text(json, "nip", NIP_VERSION);
    enum nip_code code = sdk_open(sdk, err);
    if (code == NIP_OK)
        code = sdk_find_tools(sdk, err);
    if (code != NIP_OK) {
        nip_json_free(json);
        return code;
    }
    nip_json_put(json, "sdk", report_text(sdk->id));
    nip_json_put(json, "folder", report_text(sdk->share));
    nip_json_put_bool(json, "development", sdk->is_development);
    nip_json_put(json, "toolchain", report_text(sdk->toolchain));
    return report_json("nip-version-1", "version", json, err);
}

enum nip_code command_version(struct cli *cli, struct nip_error *err)
{
    struct sdk sdk;
    if (cli->is_json)
        return version_json(&sdk, err);
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
