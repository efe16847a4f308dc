// SPDX-License-Identifier: Apache-2.0
//
// Following what publishers say about their keys, and what becomes of the keys that count no
// longer: packages that nip.lock holds stay valid, because they were accepted under these keys.

#include "statements.h"

#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "nip/fs.h"
#include "project.h"
#include "votes.h"

bool statement_is_one(const struct nip_buffer *content)
{
    const char *text = nip_buffer_text(content);
    return strncmp(text, "rumpk-rotation ", 15) == 0 || strncmp(text, "rumpk-revocation ", 17) == 0;
}

enum nip_code statement_write_trust(const struct nip_buffer *text, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_trust *again = calloc(1, sizeof *again);
    enum nip_code code = again == NULL ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                                       : nip_buffer_check(text, NIP_TRUST_FILE, err);
    // What is written can be read again, or is not written.
    if (code == NIP_OK)
        code = nip_trust_parse(nip_buffer_text(text), text->size, NIP_TRUST_FILE, again, err);
    if (code == NIP_OK)
        code = home_path(".", NIP_TRUST_FILE, path, err);
    if (code == NIP_OK)
        code = project_write_file(path, text->data, text->size, 0644, err);
    free(again);
    return code;
}

// ---- keys that count no longer ----

// Every package of the lock was accepted under the keys of its time, whichever of them has signed
// inside: a further signature may have been what met the threshold.
enum nip_code statement_locked_ids(const char *pattern, struct nip_buffer *ids,
                                   struct nip_error *err)
{
    struct nip_lock *lock = NULL;
    enum nip_code code = project_read_lock(".", &lock, NULL, err);
    for (size_t i = 0; code == NIP_OK && i < lock->package_count; i++) {
        const struct nip_lock_package *package = &lock->packages[i];
        if (package->path[0] == '\0' && nip_trust_pattern_covers(pattern, package->name))
            nip_buffer_append(ids, package->id, sizeof package->id);
    }
    free(lock);
    return code == NIP_OK ? nip_buffer_check(ids, "the list of packages", err) : code;
}

// Replaces `text` by itself with one revocation more.
enum nip_code statement_put_revoked(const struct nip_trust_revoked *revoked,
                                    const struct nip_buffer *ids, struct nip_buffer *text,
                                    struct nip_error *err)
{
    struct nip_trust *trust = calloc(1, sizeof *trust);
    struct nip_buffer out = {0};
    if (trust == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code =
        nip_trust_parse(nip_buffer_text(text), text->size, NIP_TRUST_FILE, trust, err);
    if (code == NIP_OK) {
        nip_trust_put_revoked(trust, nip_buffer_text(text), text->size, revoked, ids->data, &out);
        code = nip_buffer_check(&out, NIP_TRUST_FILE, err);
    }
    if (code == NIP_OK) {
        nip_buffer_free(text);
        *text = out;
    } else {
        nip_buffer_free(&out);
    }
    free(trust);
    return code;
}

enum nip_code statement_retire(const struct nip_trust *trust, const struct nip_trust_publisher *old,
                               const struct nip_trust_publisher *line, const char *reason,
                               struct nip_buffer *text, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < old->key_count; i++) {
        struct nip_trust_revoked revoked = {.key = old->keys[i]};
        struct nip_buffer ids = {0};
        bool stays = false;
        for (size_t k = 0; k < line->key_count; k++)
            stays = stays || nip_public_key_equals(&line->keys[k], &old->keys[i]);
        // A key that is revoked already keeps what was said then.
        if (stays ||
            nip_trust_standing(trust, old->pattern, old->keys[i].key, NULL) == NIP_TRUST_REVOKED)
            continue;
        snprintf(revoked.pattern, sizeof revoked.pattern, "%s", old->pattern);
        snprintf(revoked.reason, sizeof revoked.reason, "%s", reason != NULL ? reason : "");
        code = statement_locked_ids(old->pattern, &ids, err);
        revoked.keep_count = ids.size / NIP_DIGEST_SIZE;
        if (code == NIP_OK)
            code = statement_put_revoked(&revoked, &ids, text, err);
        nip_buffer_free(&ids);
    }
    return code;
}

// ---- following ----

struct following {
    struct nip_trust trust;
    struct nip_buffer trust_text, text;
    struct nip_statement statement;
    struct votes votes;
};

static enum nip_code follow_rotation(struct cli *cli, struct following *following,
                                     struct nip_buffer *out, struct nip_error *err)
{
    const struct nip_statement *statement = &following->statement;
    struct nip_trust_publisher line = {.threshold = statement->threshold,
                                       .rotation = statement->serial,
                                       .key_count = statement->new_count};
    const struct nip_trust_publisher *old = NULL;
    char reason[64];
    for (size_t i = 0; i < following->trust.publisher_count; i++)
        if (strcmp(following->trust.publishers[i].pattern, statement->pattern) == 0)
            old = &following->trust.publishers[i];
    if (old == NULL)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "a checked statement has no line");
    snprintf(line.pattern, sizeof line.pattern, "%s", statement->pattern);
    memcpy(line.keys, statement->new_keys, sizeof line.keys);
    snprintf(reason, sizeof reason, "rotation %u", (unsigned)statement->serial);
    nip_trust_put_publisher(&following->trust, nip_buffer_text(&following->trust_text),
                            following->trust_text.size, &line, out);
    cli_say(cli, "%s: rotation %u, %zu key(s), %u must sign", statement->pattern,
            (unsigned)statement->serial, statement->new_count, (unsigned)statement->threshold);
    return statement_retire(&following->trust, old, &line, reason, out, err);
}

// Of several revocations of one key, what stays valid is what all of them keep.
static enum nip_code follow_revocation(struct cli *cli, struct following *following,
                                       struct nip_buffer *out, struct nip_error *err)
{
    const struct nip_statement *statement = &following->statement;
    struct nip_trust_revoked revoked = {.key = statement->key};
    struct nip_buffer ids = {0};
    snprintf(revoked.pattern, sizeof revoked.pattern, "%s", statement->pattern);
    snprintf(revoked.reason, sizeof revoked.reason, "revocation statement");
    for (size_t i = 0; i < statement->keep_count; i++)
        if (nip_trust_standing(&following->trust, statement->pattern, statement->key.key,
                               statement->keeps[i]) != NIP_TRUST_REVOKED)
            nip_buffer_append(&ids, statement->keeps[i], NIP_DIGEST_SIZE);
    revoked.keep_count = ids.size / NIP_DIGEST_SIZE;
    enum nip_code code = nip_buffer_check(&ids, "the list of packages", err);
    if (code == NIP_OK)
        nip_trust_put_revoked(&following->trust, nip_buffer_text(&following->trust_text),
                              following->trust_text.size, &revoked, ids.data, out);
    nip_buffer_free(&ids);
    cli_say(cli, "%s: one key revoked, %zu package(s) stay valid", statement->pattern,
            revoked.keep_count);
    return code;
}

static enum nip_code read_statement(const char *file, struct following *following,
                                    struct nip_error *err)
{
    enum nip_code code = nip_fs_read(file, NIP_STATEMENT_SIZE_MAX, &following->text, err);
    if (code == NIP_OK)
        code = nip_statement_parse(nip_buffer_text(&following->text), following->text.size, file,
                                   &following->statement, err);
    return code == NIP_OK ? votes_read_beside(file, &following->votes, err) : code;
}

enum nip_code statement_follow(struct cli *cli, const char *file, struct nip_error *err)
{
    struct following *following = calloc(1, sizeof *following);
    struct nip_signature_text texts[NIP_BALLOT_VOTES_MAX];
    struct nip_buffer out = {0};
    if (following == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = read_statement(file, following, err);
    if (code == NIP_OK)
        code = project_read_trust(".", &following->trust, &following->trust_text, err);
    if (code == NIP_OK) {
        votes_texts(&following->votes, texts);
        code = nip_statement_check(&following->statement, nip_buffer_text(&following->text),
                                   following->text.size, texts, following->votes.count,
                                   &following->trust, err);
    }
    if (code == NIP_OK)
        code = following->statement.kind == NIP_STATEMENT_ROTATION
                   ? follow_rotation(cli, following, &out, err)
                   : follow_revocation(cli, following, &out, err);
    if (code == NIP_OK)
        code = statement_write_trust(&out, err);
    if (code == NIP_OK)
        cli_next(cli, "git diff %s   (commit it: whoever reviews the change sees the keys)",
                 NIP_TRUST_FILE);
    nip_buffer_free(&out);
    nip_buffer_free(&following->text);
    nip_buffer_free(&following->trust_text);
    votes_free(&following->votes);
    free(following);
    return code;
}
