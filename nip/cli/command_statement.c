// SPDX-License-Identifier: Apache-2.0
//
// nip key rotate and revoke: statements by which publishers say what their keys mean.
//
// A publisher writes a statement and everybody who must sign it does; a project follows it when its
// own nip.trust.kdl says that the signatures are enough (statements.c). Whoever cannot sign any
// more is replaced by a person's decision alone (nip key trust --replace, nip key revoke --reason).

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "keystore.h"
#include "members.h"
#include "nip/fs.h"
#include "project.h"
#include "statements.h"
#include "votes.h"

// ---- making ----

// A statement that is being made, and who of this user's keys signs it at once.
struct making {
    struct cli *cli;
    struct nip_statement statement;
    const char *signers[2 * NIP_TRUST_KEYS_MAX];
    size_t signer_count;
};

static enum nip_code read_number(const struct cli *cli, const char *option, uint32_t fallback,
                                 uint32_t *number, struct nip_error *err)
{
    const char *text = cli_option(cli, option);
    char *end = NULL;
    *number = fallback;
    if (text == NULL)
        return NIP_OK;
    unsigned long value = strtoul(text, &end, 10);
    if (*end != '\0' || text[0] < '1' || text[0] > '9' || value > UINT32_MAX) {
        nip_error_set(err, NIP_ERROR_USAGE, "--%s does not take '%s'", option, text);
        nip_error_hint(err, "a whole number from 1 on");
        return NIP_ERROR_USAGE;
    }
    *number = (uint32_t)value;
    return NIP_OK;
}

static enum nip_code add_key(struct making *making, const char *text, struct nip_public_key *keys,
                             size_t key_max, size_t *count, struct nip_error *err)
{
    if (*count >= key_max)
        return nip_error_set(err, NIP_ERROR_LIMIT, "one name has at most %d keys",
                             NIP_TRUST_KEYS_MAX);
    enum nip_code code = keystore_public(text, &keys[*count], err);
    if (code != NIP_OK)
        return code;
    for (size_t i = 0; i < *count; i++)
        if (nip_public_key_equals(&keys[i], &keys[*count])) {
            nip_error_set(err, NIP_ERROR_USAGE, "the key '%s' is named twice", text);
            nip_error_hint(err, "name each key once; one key is one key under every name");
            return NIP_ERROR_USAGE;
        }
    ++*count;
    bool is_named = false;
    for (size_t i = 0; i < making->signer_count; i++)
        is_named = is_named || strcmp(making->signers[i], text) == 0;
    if (!is_named && keystore_has_secret(text))
        making->signers[making->signer_count++] = text;
    return NIP_OK;
}

// Without --old: what this project accepts for the name, and its last serial.
static enum nip_code take_old_from_project(struct making *making, uint32_t *last,
                                           struct nip_error *err)
{
    struct nip_trust *trust = calloc(1, sizeof *trust);
    if (trust == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_read_trust(".", trust, NULL, err);
    for (size_t i = 0; code == NIP_OK && i < trust->publisher_count; i++) {
        const struct nip_trust_publisher *line = &trust->publishers[i];
        if (strcmp(line->pattern, making->statement.pattern) != 0)
            continue;
        *last = line->rotation;
        if (making->statement.old_count == 0) {
            making->statement.old_count = line->key_count;
            memcpy(making->statement.old_keys, line->keys, sizeof line->keys);
        }
    }
    free(trust);
    return code;
}

static enum nip_code require_pattern(struct making *making, struct nip_error *err)
{
    const char *pattern = cli_operand(making->cli, 0);
    if (!nip_trust_pattern_is_valid(pattern)) {
        nip_error_set(err, NIP_ERROR_NAME, "'%s' is no package name", pattern);
        nip_error_hint(err, "write namespace/name, or namespace/* for all of a namespace");
        return NIP_ERROR_NAME;
    }
    snprintf(making->statement.pattern, sizeof making->statement.pattern, "%s", pattern);
    return NIP_OK;
}

// acme-clock.rotation-4, acme-all.revocation
static void default_file(const struct nip_statement *statement, char out[CLI_PATH_SIZE])
{
    char name[NIP_NAME_MAX + 8];
    size_t used = 0;
    for (const char *c = statement->pattern; *c != '\0' && *c != '*'; c++)
        name[used++] = *c;
    name[used] = '\0';
    if (used > 0 && name[used - 1] == '/')
        memcpy(name + used, "all", 4);
    name[strcspn(name, "/")] = '-';
    if (statement->kind == NIP_STATEMENT_ROTATION)
        snprintf(out, CLI_PATH_SIZE, "%s.rotation-%u", name, (unsigned)statement->serial);
    else
        snprintf(out, CLI_PATH_SIZE, "%s.revocation", name);
}

static enum nip_code sign_one(const struct making *making, const struct nip_buffer *text,
                              const char *signer, struct nip_buffer *out, struct nip_error *err)
{
    struct nip_secret_key key;
    struct nip_signature signature;
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
    nip_statement_comment(&making->statement, comment);
    enum nip_code code = keystore_unlock(signer, &key, err);
    if (code != NIP_OK)
        return code;
    code = nip_signature_make_over(&key, text->data, text->size, comment, &signature, err);
    nip_wipe(&key, sizeof key);
    if (code == NIP_OK)
        nip_signature_print(&signature, out);
    return code == NIP_OK ? nip_buffer_check(out, "a signature", err) : code;
}

// Everything is made before the first file appears.
static enum nip_code write_statement(struct making *making, struct nip_error *err)
{
    struct nip_buffer text = {0}, signatures[2 * NIP_TRUST_KEYS_MAX] = {{0}};
    char file[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
    const char *out = cli_option(making->cli, "out");
    enum nip_code code = nip_statement_print(&making->statement, &text, err);
    if (out == NULL)
        default_file(&making->statement, file);
    else
        snprintf(file, sizeof file, "%s", out);
    for (size_t i = 0; code == NIP_OK && i < making->signer_count; i++)
        code = sign_one(making, &text, making->signers[i], &signatures[i], err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_create(file, text.data, text.size, 0644, err);
    if (code == NIP_ERROR_EXISTS)
        nip_error_hint(err, "name another file: --out FILE");
    for (size_t i = 0; code == NIP_OK && i < making->signer_count; i++) {
        votes_path(path, file, (unsigned)i + 1);
        code = nip_fs_write(path, signatures[i].data, signatures[i].size, 0644, err);
    }
    cleanup_release();
    if (code == NIP_OK) {
        cli_say(making->cli, "wrote %s, signed with %zu key(s) of yours", file,
                making->signer_count);
        cli_next(making->cli,
                 "nip sign %s --key NAME   (each further owner; then everybody: nip "
                 "key trust --statement %s)",
                 file, file);
    }
    nip_buffer_free(&text);
    for (size_t i = 0; i < making->signer_count; i++)
        nip_buffer_free(&signatures[i]);
    return code;
}

enum nip_code command_key_rotate(struct cli *cli, struct nip_error *err)
{
    struct making *making = calloc(1, sizeof *making);
    if (making == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    struct nip_statement *statement = &making->statement;
    uint32_t last = 0;
    making->cli = cli;
    statement->kind = NIP_STATEMENT_ROTATION;
    enum nip_code code = require_pattern(making, err);
    for (size_t i = 0; code == NIP_OK && cli_option_at(cli, "old", i) != NULL; i++)
        code = add_key(making, cli_option_at(cli, "old", i), statement->old_keys,
                       NIP_TRUST_KEYS_MAX, &statement->old_count, err);
    if (code == NIP_OK)
        code = take_old_from_project(making, &last, err);
    for (size_t i = 0; code == NIP_OK && cli_option_at(cli, "new", i) != NULL; i++)
        code = add_key(making, cli_option_at(cli, "new", i), statement->new_keys,
                       NIP_TRUST_KEYS_MAX, &statement->new_count, err);
    if (code == NIP_OK && (statement->old_count == 0 || statement->new_count == 0)) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "which keys before, and which keys after?");
        nip_error_hint(err, "nip key rotate %s --old KEY --new KEY   (each may be repeated)",
                       statement->pattern);
    }
    if (code == NIP_OK)
        code = read_number(cli, "serial", last + 1, &statement->serial, err);
    if (code == NIP_OK)
        code = read_number(cli, "threshold", 1, &statement->threshold, err);
    if (code == NIP_OK && statement->threshold > statement->new_count) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "%u of %zu new keys cannot sign",
                             (unsigned)statement->threshold, statement->new_count);
        nip_error_hint(err, "name more keys with --new, or a lower --threshold");
    }
    if (code == NIP_OK)
        code = write_statement(making, err);
    free(making);
    return code;
}

// ---- revoking ----

static enum nip_code read_keeps(struct making *making, struct nip_buffer *ids,
                                struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && cli_option_at(making->cli, "keep", i) != NULL; i++) {
        const char *text = cli_option_at(making->cli, "keep", i);
        uint8_t id[NIP_DIGEST_SIZE];
        if (nip_hex_decode(text, strlen(text), id, sizeof id)) {
            nip_buffer_append(ids, id, sizeof id);
            continue;
        }
        code = nip_error_set(err, NIP_ERROR_USAGE, "--keep does not take '%s'", text);
        nip_error_hint(err, "the 64 digits of a package id, as nip inspect shows it");
    }
    if (code == NIP_OK && cli_flag(making->cli, "keep-locked"))
        code = statement_locked_ids(making->statement.pattern, ids, err);
    return code == NIP_OK ? nip_buffer_check(ids, "the list of packages", err) : code;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, NIP_DIGEST_SIZE);
}

// Sorted, each once.
static enum nip_code store_keeps(struct making *making, struct nip_buffer *ids,
                                 struct nip_error *err)
{
    size_t count = ids->size / NIP_DIGEST_SIZE, kept = 0;
    if (count != 0)
        qsort(ids->data, count, NIP_DIGEST_SIZE, compare_ids);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *id = ids->data + i * NIP_DIGEST_SIZE;
        if (kept > 0 && compare_ids(making->statement.keeps[kept - 1], id) == 0)
            continue;
        if (kept == NIP_STATEMENT_KEEPS_MAX)
            return nip_error_set(err, NIP_ERROR_LIMIT, "at most %d packages can stay valid",
                                 NIP_STATEMENT_KEEPS_MAX);
        memcpy(making->statement.keeps[kept++], id, NIP_DIGEST_SIZE);
    }
    making->statement.keep_count = kept;
    return NIP_OK;
}

// The decision of a person about this project; nobody needs to sign it.
static enum nip_code revoke_here(struct making *making, struct nip_error *err)
{
    const char *reason = cli_option(making->cli, "reason");
    struct nip_trust_revoked revoked = {.key = making->statement.key,
                                        .keep_count = making->statement.keep_count};
    if (reason == NULL || strlen(reason) >= sizeof revoked.reason) {
        nip_error_set(err, NIP_ERROR_USAGE, "say why, in at most %d bytes: --reason TEXT",
                      NIP_TRUST_REASON_SIZE - 1);
        nip_error_hint(err, "it is kept in %s; for a statement to others instead: --out FILE",
                       NIP_TRUST_FILE);
        return NIP_ERROR_USAGE;
    }
    if (project_kind(".") == PROJECT_NONE && !members_is_root())
        return project_require(PROJECT_NONE, err);
    snprintf(revoked.pattern, sizeof revoked.pattern, "%s", making->statement.pattern);
    snprintf(revoked.reason, sizeof revoked.reason, "%s", reason);
    struct nip_trust *trust = calloc(1, sizeof *trust);
    struct nip_buffer text = {0}, ids = {0};
    struct project_lock lock = PROJECT_LOCK_NONE;
    if (trust == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    nip_buffer_append(&ids, making->statement.keeps[0],
                      making->statement.keep_count * NIP_DIGEST_SIZE);
    enum nip_code code = project_lock(&lock, err);
    if (code == NIP_OK)
        code = project_read_trust(".", trust, &text, err);
    if (code == NIP_OK)
        code = statement_put_revoked(&revoked, &ids, &text, err);
    if (code == NIP_OK)
        code = statement_write_trust(&text, err);
    project_unlock(&lock);
    if (code == NIP_OK) {
        cli_say(making->cli, "%s: one key revoked, %zu package(s) stay valid", revoked.pattern,
                revoked.keep_count);
        cli_next(making->cli, "nip image   (says which packages are refused now)");
    }
    nip_buffer_free(&ids);
    nip_buffer_free(&text);
    free(trust);
    return code;
}

enum nip_code command_key_revoke(struct cli *cli, struct nip_error *err)
{
    struct making *making = calloc(1, sizeof *making);
    struct nip_buffer ids = {0};
    size_t count = 0;
    if (making == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    making->cli = cli;
    making->statement.kind = NIP_STATEMENT_REVOCATION;
    enum nip_code code = require_pattern(making, err);
    if (code == NIP_OK)
        code = add_key(making, cli_operand(cli, 1), &making->statement.key, 1, &count, err);
    if (code == NIP_OK)
        code = read_keeps(making, &ids, err);
    if (code == NIP_OK)
        code = store_keeps(making, &ids, err);
    if (code == NIP_OK)
        code = cli_option(cli, "out") != NULL ? write_statement(making, err)
                                              : revoke_here(making, err);
    nip_buffer_free(&ids);
    free(making);
    return code;
}
