// SPDX-License-Identifier: Apache-2.0
//
// nip sign FILE: one more signature beside a package or a statement, in the next free
// FILE.N.minisig. Adding one changes neither the package nor its id. (Signing what pack has
// collected is command_package.c.)

#include "command_sign.h"

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "keystore.h"
#include "nip/fs.h"
#include "resolve.h"
#include "settings.h"
#include "statements.h"
#include "votes.h"
#include "vouched.h"

// What is signed, and with which words.
struct subject {
    const char *text;
    size_t size;
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
};

static enum nip_code make_signature(const struct cli *cli, const struct subject *subject,
                                    struct nip_signature *signature, struct nip_public_key *public,
                                    struct nip_error *err)
{
    struct nip_secret_key key;
    enum nip_code code = keystore_unlock(settings_key(cli), &key, err);
    if (code != NIP_OK)
        return code;
    nip_secret_key_public(&key, public);
    code = nip_signature_make_over(&key, subject->text, subject->size, subject->comment, signature,
                                   err);
    nip_wipe(&key, sizeof key);
    return code;
}

// A signature that minisign made: it must be one over the same bytes, with the right words, by the
// key that is named.
static enum nip_code import_signature(const struct cli *cli, const struct subject *subject,
                                      struct nip_signature *signature,
                                      struct nip_public_key *public, struct nip_error *err)
{
    const char *file = cli_option(cli, "import"), *key = cli_option(cli, "key");
    struct nip_buffer text = {0};
    if (key == NULL) {
        nip_error_set(err, NIP_ERROR_USAGE, "which key made %s?", file);
        nip_error_hint(err, "name its public key: --key KEY.pub");
        return NIP_ERROR_USAGE;
    }
    enum nip_code code = keystore_public(key, public, err);
    if (code == NIP_OK)
        code = nip_fs_read(file, NIP_SIGNATURE_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_signature_parse_foreign(nip_buffer_text(&text), text.size, signature, err);
    if (code == NIP_OK)
        code = nip_signature_verify_over(signature, public->key, subject->text, subject->size,
                                         subject->comment, err);
    if (code == NIP_OK && memcmp(public->id, signature->key_id, sizeof public->id) != 0)
        code = nip_error_set(err, NIP_ERROR_SIGNATURE, "%s names another key id than its key has",
                             file);
    if (code != NIP_OK) {
        nip_error_prefix(err, "%s: ", file);
        nip_error_hint(err, "make it with: minisign -S -t \"%s\" -m FILE, over the same bytes",
                       subject->comment);
    }
    nip_buffer_free(&text);
    return code;
}

static enum nip_code refuse_repeated(const struct subject *subject, const struct votes *votes,
                                     const struct nip_public_key *key, struct nip_error *err)
{
    for (size_t i = 0; i < votes->count; i++) {
        struct nip_signature other;
        if (nip_signature_parse(nip_buffer_text(&votes->texts[i]), votes->texts[i].size, &other,
                                NULL) != NIP_OK ||
            nip_signature_verify_over(&other, key->key, subject->text, subject->size,
                                      subject->comment, NULL) != NIP_OK)
            continue;
        nip_error_set(err, NIP_ERROR_EXISTS, "this key has signed already: signature %s",
                      votes->numbers[i] == 0 ? "inside the package" : "beside it");
        nip_error_hint(err, "one key counts once; sign with another one: --key NAME");
        return NIP_ERROR_EXISTS;
    }
    return NIP_OK;
}

static enum nip_code write_beside(const char *file, const struct nip_buffer *text,
                                  char path[CLI_PATH_SIZE], struct nip_error *err)
{
    for (unsigned number = 1; number < NIP_BALLOT_VOTES_MAX; number++) {
        struct nip_error cause = {0};
        votes_path(path, file, number);
        cleanup_hold();
        enum nip_code code = nip_fs_create(path, text->data, text->size, 0644, &cause);
        cleanup_release();
        if (code == NIP_ERROR_EXISTS)
            continue;
        if (code != NIP_OK)
            *err = cause;
        return code;
    }
    return nip_error_set(err, NIP_ERROR_LIMIT, "%s has %d signatures beside it already", file,
                         NIP_BALLOT_VOTES_MAX - 1);
}

// Makes or imports the signature and prints it to `out`.
static enum nip_code get_signature(const struct cli *cli, const struct subject *subject,
                                   const struct votes *votes, struct nip_buffer *out,
                                   struct nip_error *err)
{
    struct nip_signature signature;
    struct nip_public_key public;
    enum nip_code code = cli_option(cli, "import") != NULL
                             ? import_signature(cli, subject, &signature, &public, err)
                             : make_signature(cli, subject, &signature, &public, err);
    if (code == NIP_OK)
        code = refuse_repeated(subject, votes, &public, err);
    if (code == NIP_OK)
        nip_signature_print(&signature, out);
    return code == NIP_OK ? nip_buffer_check(out, "the signature", err) : code;
}

static enum nip_code subject_of_package(const struct checked_package *package,
                                        struct subject *subject, struct nip_error *err)
{
    const struct rumpk_bkdl_identity *identity = &package->manifest.identity;
    subject->text = nip_package_digests_text(package->package, &subject->size);
    if (nip_signature_comment(subject->comment, identity->name, identity->version))
        return NIP_OK;
    return nip_error_set(err, NIP_ERROR_NAME, "name or version is too long to be signed");
}

static enum nip_code sign_beside(struct cli *cli, const char *file, struct nip_error *err)
{
    struct vouched *vouched = vouched_new();
    struct nip_buffer content = {0}, text = {0};
    struct checked_package package = {0};
    struct nip_statement statement;
    struct votes beside = {0};
    struct subject subject = {0};
    const char *whose = NULL;
    bool is_image = false;
    char path[CLI_PATH_SIZE];
    enum nip_code code = vouched == NULL ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                                         : vouched_read_file(file, &content, &is_image, err);
    bool is_statement = code == NIP_OK && statement_is_one(&content);
    if (code == NIP_OK && is_image) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is an image", file);
        nip_error_hint(err, "images are signed as they are made: nip image --key NAME");
    } else if (is_statement) {
        code = nip_statement_parse(nip_buffer_text(&content), content.size, file, &statement, err);
        if (code == NIP_OK)
            code = votes_read_beside(file, &beside, err);
        subject = (struct subject){.text = nip_buffer_text(&content), .size = content.size};
        if (code == NIP_OK)
            nip_statement_comment(&statement, subject.comment);
    } else if (code == NIP_OK) {
        // Nobody signs what has not been checked.
        code = vouched_open_package(vouched, file, cli_option(cli, "by"), &content, &package,
                                    &whose, err);
        if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
            nip_error_hint(err, "name the key of its publisher: nip sign %s --by FILE.pub", file);
        if (code == NIP_OK)
            code = subject_of_package(&package, &subject, err);
    }
    if (code == NIP_OK)
        code = get_signature(cli, &subject, is_statement ? &beside : &vouched->votes, &text, err);
    if (code == NIP_OK)
        code = write_beside(file, &text, path, err);
    if (code == NIP_OK) {
        cli_say(cli, "signed %s: %s", file, path);
        cli_next(cli, "nip verify %s", file);
    }
    votes_free(&beside);
    checked_package_free(&package);
    nip_buffer_free(&content);
    nip_buffer_free(&text);
    vouched_free(vouched);
    return code;
}

// A published package, opened under the keys that are known here; the threshold need not be met
// yet, for this is how it comes to be.
static enum nip_code open_published(const struct cli *cli, struct registry *registry,
                                    const char *name, char version[NIP_VERSION_MAX + 1],
                                    struct vouched *vouched, struct checked_package *package,
                                    struct nip_error *err)
{
    struct nip_buffer content = {0};
    const char *whose = NULL;
    char what[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    enum nip_code code = version[0] != '\0' ? registry_has(registry, name, version, err)
                                            : registry_newest(registry, name, version, err);
    if (code == NIP_OK)
        code = registry_fetch(registry, name, version, &content, err);
    snprintf(what, sizeof what, "%s %s", name, version);
    vouched->is_published = true;
    if (code == NIP_OK)
        code = vouched_open_package(vouched, what, cli_option(cli, "by"), &content, package, &whose,
                                    err);
    if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
        nip_error_hint(err, "name the key of its publisher: nip sign %s@%s --by FILE.pub", name,
                       version);
    nip_buffer_free(&content);
    return code;
}

// The package is in a registry: the signature is attached to it there.
static enum nip_code attach(struct cli *cli, struct registry *registry, const char *name,
                            char version[NIP_VERSION_MAX + 1], struct vouched *vouched,
                            struct checked_package *package, struct nip_error *err)
{
    struct subject subject;
    struct nip_buffer text = {0};
    enum nip_code code = open_published(cli, registry, name, version, vouched, package, err);
    if (code == NIP_OK)
        code = subject_of_package(package, &subject, err);
    if (code == NIP_OK)
        code = votes_read_registry(registry, name, version, &vouched->votes, err);
    if (code == NIP_OK)
        code = get_signature(cli, &subject, &vouched->votes, &text, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = registry_attach(registry, name, version, text.data, text.size, err);
    cleanup_release();
    nip_buffer_free(&text);
    return code;
}

static enum nip_code sign_published(struct cli *cli, const char *what, struct nip_error *err)
{
    struct vouched *vouched = vouched_new();
    struct decisions decisions = {0};
    struct registry *registry = NULL;
    struct checked_package package = {0};
    char name[NIP_NAME_MAX + 1] = "", version[NIP_VERSION_MAX + 1] = "";
    char alias[NIP_TRUST_ALIAS_SIZE];
    enum nip_code code = vouched == NULL ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                                         : resolve_split(what, name, version, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = resolve_registry(&decisions, cli_option(cli, "registry"), name, false, &registry,
                                NULL, alias, err);
    if (code == NIP_OK)
        code = attach(cli, registry, name, version, vouched, &package, err);
    if (code == NIP_OK) {
        cli_say(cli, "signed %s %s in %s", name, version, registry_url(registry));
        cli_next(cli, "nip add %s --registry %s   (in an image project)", name,
                 registry_url(registry));
    }
    checked_package_free(&package);
    registry_close(registry);
    decisions_free(&decisions);
    vouched_free(vouched);
    return code;
}

enum nip_code sign_file(struct cli *cli, struct nip_error *err)
{
    const char *what = cli_operand(cli, 0);
    return cli_option(cli, "registry") != NULL ? sign_published(cli, what, err)
                                               : sign_beside(cli, what, err);
}
