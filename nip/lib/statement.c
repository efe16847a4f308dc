// SPDX-License-Identifier: Apache-2.0
//
// Rotation and revocation statements: one strict reader, one printer, and the rules by which a
// project may follow one. The reader prints what it understood and compares: one content has one
// spelling.

#include "nip/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const titles[] = {"rumpk-rotation 1", "rumpk-revocation 1"};

// ---- printing ----

static int compare_keys(const void *a, const void *b)
{
    return memcmp(((const struct nip_public_key *)a)->key, ((const struct nip_public_key *)b)->key,
                  NIP_PUBLIC_KEY_BYTES);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, NIP_DIGEST_SIZE);
}

static void print_keys(const char *word, const struct nip_public_key *keys, size_t count,
                       struct nip_buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        char text[NIP_KEY_TEXT_SIZE];
        nip_public_key_text(&keys[i], text);
        nip_buffer_append_format(out, "%s %s\n", word, text);
    }
}

static void print_sorted(const struct nip_statement *statement, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%s\nname %s\n", titles[statement->kind], statement->pattern);
    if (statement->kind == NIP_STATEMENT_ROTATION) {
        nip_buffer_append_format(out, "serial %u\nthreshold %u\n", (unsigned)statement->serial,
                                 (unsigned)statement->threshold);
        print_keys("old", statement->old_keys, statement->old_count, out);
        print_keys("new", statement->new_keys, statement->new_count, out);
        return;
    }
    print_keys("key", &statement->key, 1, out);
    for (size_t i = 0; i < statement->keep_count; i++) {
        char id[NIP_DIGEST_TEXT_SIZE];
        nip_digest_text(statement->keeps[i], id);
        nip_buffer_append_format(out, "keep %s\n", id);
    }
}

enum nip_code nip_statement_print(const struct nip_statement *statement, struct nip_buffer *out,
                                  struct nip_error *err)
{
    struct nip_statement sorted = *statement, again;
    size_t start = out->size;
    qsort(sorted.old_keys, sorted.old_count, sizeof sorted.old_keys[0], compare_keys);
    qsort(sorted.new_keys, sorted.new_count, sizeof sorted.new_keys[0], compare_keys);
    qsort(sorted.keeps, sorted.keep_count, sizeof sorted.keeps[0], compare_ids);
    print_sorted(&sorted, out);
    enum nip_code code = nip_buffer_check(out, "the statement", err);
    if (code == NIP_OK)
        code = nip_statement_parse(nip_buffer_text(out) + start, out->size - start,
                                   "the new statement", &again, err);
    return code;
}

// ---- reading ----

struct reader {
    const char *text, *file;
    size_t size, at, line_start;
    char word[80]; // the value of the line that was taken last
    struct nip_error *err;
};

static enum nip_code fail(const struct reader *reader, const char *expected)
{
    nip_error_set(reader->err, NIP_ERROR_SYNTAX, "this is not the statement that is expected: %s",
                  expected);
    nip_error_at_text(reader->err, reader->file, reader->text, reader->size, reader->line_start, 0);
    return NIP_ERROR_SYNTAX;
}

// Takes a line "WORD value". false, and nothing is taken, when the next line is another one.
static bool take(struct reader *reader, const char *word)
{
    size_t word_size = strlen(word);
    const char *line = reader->text + reader->at;
    size_t left = reader->size - reader->at;
    const char *end = left > 0 ? memchr(line, '\n', left) : NULL;
    reader->line_start = reader->at;
    if (end == NULL || (size_t)(end - line) <= word_size + 1 ||
        memcmp(line, word, word_size) != 0 || line[word_size] != ' ')
        return false;
    size_t size = (size_t)(end - line) - word_size - 1;
    if (size >= sizeof reader->word || memchr(line, '\0', (size_t)(end - line)) != NULL)
        return false;
    memcpy(reader->word, line + word_size + 1, size);
    reader->word[size] = '\0';
    reader->at += (size_t)(end - line) + 1;
    return true;
}

// 1 to 4294967295, no leading zero; another spelling is found by the comparison at the end.
static bool take_number(struct reader *reader, const char *word, uint32_t *number)
{
    uint64_t value = 0;
    if (!take(reader, word))
        return false;
    for (const char *c = reader->word; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || value > UINT32_MAX)
            return false;
        value = value * 10 + (uint64_t)(*c - '0');
    }
    *number = (uint32_t)value;
    return value != 0 && value <= UINT32_MAX;
}

// The lines "WORD RW...": at least one, ascending by their bytes, so each key once.
static enum nip_code take_keys(struct reader *reader, const char *word, struct nip_public_key *keys,
                               size_t key_max, size_t *count)
{
    while (take(reader, word)) {
        if (*count == key_max)
            return fail(reader, "not so many keys");
        if (nip_public_key_parse(reader->word, strlen(reader->word), "this", &keys[*count],
                                 reader->err) != NIP_OK) {
            nip_error_at_text(reader->err, reader->file, reader->text, reader->size,
                              reader->line_start, 0);
            return NIP_ERROR_KEY;
        }
        if (*count > 0 && compare_keys(&keys[*count - 1], &keys[*count]) >= 0)
            return fail(reader, "keys sorted by their bytes, each once");
        ++*count;
    }
    return *count != 0 ? NIP_OK : fail(reader, "a line with a public key");
}

static enum nip_code read_rotation(struct reader *reader, struct nip_statement *statement)
{
    if (!take_number(reader, "serial", &statement->serial))
        return fail(reader, "serial N");
    if (!take_number(reader, "threshold", &statement->threshold))
        return fail(reader, "threshold N");
    enum nip_code code =
        take_keys(reader, "old", statement->old_keys, NIP_TRUST_KEYS_MAX, &statement->old_count);
    if (code == NIP_OK)
        code = take_keys(reader, "new", statement->new_keys, NIP_TRUST_KEYS_MAX,
                         &statement->new_count);
    if (code == NIP_OK && statement->threshold > statement->new_count)
        code = fail(reader, "a threshold that the new keys can reach");
    return code;
}

static enum nip_code read_revocation(struct reader *reader, struct nip_statement *statement)
{
    size_t count = 0;
    enum nip_code code = take_keys(reader, "key", &statement->key, 1, &count);
    while (code == NIP_OK && take(reader, "keep")) {
        size_t at = statement->keep_count;
        if (at == NIP_STATEMENT_KEEPS_MAX)
            return fail(reader, "not so many packages that stay valid");
        if (!nip_hex_decode(reader->word, strlen(reader->word), statement->keeps[at],
                            NIP_DIGEST_SIZE))
            return fail(reader, "keep and the 64 digits of a package id");
        if (at > 0 && compare_ids(statement->keeps[at - 1], statement->keeps[at]) >= 0)
            return fail(reader, "package ids in order, each once");
        statement->keep_count++;
    }
    return code;
}

static enum nip_code read_all(struct reader *reader, struct nip_statement *statement)
{
    if (take(reader, "rumpk-rotation"))
        statement->kind = NIP_STATEMENT_ROTATION;
    else if (take(reader, "rumpk-revocation"))
        statement->kind = NIP_STATEMENT_REVOCATION;
    else
        return fail(reader, "rumpk-rotation 1 or rumpk-revocation 1");
    if (strcmp(reader->word, "1") != 0) {
        nip_error_set(reader->err, NIP_ERROR_UNSUPPORTED,
                      "%s is a statement of version %s; this nip knows version 1", reader->file,
                      reader->word);
        nip_error_hint(reader->err, "use the release of nip that made it, or a newer one");
        return NIP_ERROR_UNSUPPORTED;
    }
    if (!take(reader, "name") || strlen(reader->word) >= sizeof statement->pattern ||
        !nip_trust_pattern_is_valid(reader->word))
        return fail(reader, "name namespace/name or namespace/*");
    memcpy(statement->pattern, reader->word, strlen(reader->word) + 1);
    enum nip_code code = statement->kind == NIP_STATEMENT_ROTATION
                             ? read_rotation(reader, statement)
                             : read_revocation(reader, statement);
    reader->line_start = reader->at;
    if (code == NIP_OK && reader->at != reader->size)
        code = fail(reader, "its end");
    return code;
}

enum nip_code nip_statement_parse(const char *text, size_t size, const char *file,
                                  struct nip_statement *statement, struct nip_error *err)
{
    struct nip_error ignored;
    struct reader reader = {
        .text = text, .file = file, .size = size, .err = err != NULL ? err : &ignored};
    *statement = (struct nip_statement){0};
    if (size > NIP_STATEMENT_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "%s is larger than a statement can be (%d bytes)", file,
                             NIP_STATEMENT_SIZE_MAX);
    enum nip_code code = read_all(&reader, statement);
    if (code != NIP_OK)
        return code;
    struct nip_buffer again = {0};
    print_sorted(statement, &again);
    if (!nip_buffer_equals(&again, text, size)) {
        code = nip_error_set(err, NIP_ERROR_SYNTAX,
                             "%s is not written in the one way that a statement is written", file);
        nip_error_hint(err, "statements are written by nip key rotate and nip key revoke");
    }
    nip_buffer_free(&again);
    return code;
}

// ---- following ----

void nip_statement_comment(const struct nip_statement *statement,
                           char out[NIP_TRUSTED_COMMENT_MAX + 1])
{
    char key[NIP_KEY_TEXT_SIZE];
    if (statement->kind == NIP_STATEMENT_ROTATION) {
        snprintf(out, NIP_TRUSTED_COMMENT_MAX + 1, "npl rotation 1 %s %u", statement->pattern,
                 (unsigned)statement->serial);
        return;
    }
    nip_public_key_text(&statement->key, key);
    snprintf(out, NIP_TRUSTED_COMMENT_MAX + 1, "npl revocation 1 %s %s", statement->pattern, key);
}

bool nip_statement_is_signed_by(const struct nip_statement *statement, const char *text,
                                size_t size, const struct nip_signature_text *signature,
                                const struct nip_public_key *key)
{
    struct nip_signature parsed;
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
    nip_statement_comment(statement, comment);
    return nip_signature_parse(signature->text, signature->size, &parsed, NULL) == NIP_OK &&
           nip_signature_verify_over(&parsed, key->key, text, size, comment, NULL) == NIP_OK &&
           memcmp(parsed.key_id, key->id, NIP_KEY_ID_SIZE) == 0;
}

// What is checked, handed down together.
struct follow {
    const struct nip_statement *statement;
    const char *text;
    size_t size;
    const struct nip_signature_text *signatures;
    size_t signature_count;
    const struct nip_trust *trust;
    const struct nip_trust_publisher *publisher;
};

static bool has_signed(const struct follow *follow, const struct nip_public_key *key)
{
    for (size_t i = 0; i < follow->signature_count; i++)
        if (nip_statement_is_signed_by(follow->statement, follow->text, follow->size,
                                       &follow->signatures[i], key))
            return true;
    return false;
}

// Counts keys, never signatures: each accepted key once.
static uint32_t count_accepted(const struct follow *follow)
{
    uint32_t count = 0;
    for (size_t i = 0; i < follow->publisher->key_count; i++) {
        const struct nip_public_key *key = &follow->publisher->keys[i];
        count += nip_trust_standing(follow->trust, follow->publisher->pattern, key->key, NULL) ==
                     NIP_TRUST_ACCEPTED &&
                 has_signed(follow, key);
    }
    return count;
}

static bool is_listed(const struct nip_public_key *keys, size_t count,
                      const struct nip_public_key *key)
{
    for (size_t i = 0; i < count; i++)
        if (nip_public_key_equals(&keys[i], key))
            return true;
    return false;
}

static enum nip_code check_rotation(const struct follow *follow, struct nip_error *err)
{
    const struct nip_statement *statement = follow->statement;
    const struct nip_trust_publisher *publisher = follow->publisher;
    if (statement->serial <= publisher->rotation) {
        nip_error_set(err, NIP_ERROR_MISMATCH,
                      "rotation %u of %s is not newer than rotation %u, which this project has "
                      "followed already",
                      (unsigned)statement->serial, statement->pattern,
                      (unsigned)publisher->rotation);
        nip_error_hint(err, "nothing is to be done, unless the publisher says otherwise");
        return NIP_ERROR_MISMATCH;
    }
    bool is_same = statement->old_count == publisher->key_count;
    for (size_t i = 0; is_same && i < publisher->key_count; i++)
        is_same = is_listed(statement->old_keys, statement->old_count, &publisher->keys[i]);
    if (!is_same) {
        nip_error_set(err, NIP_ERROR_MISMATCH,
                      "rotation %u of %s starts from other keys than %s accepts",
                      (unsigned)statement->serial, statement->pattern, NIP_TRUST_FILE);
        nip_error_hint(err,
                       "follow the statements in between first: this project is at rotation %u",
                       (unsigned)publisher->rotation);
        return NIP_ERROR_MISMATCH;
    }
    for (size_t i = 0; i < statement->new_count; i++) {
        char text[NIP_KEY_TEXT_SIZE];
        nip_public_key_text(&statement->new_keys[i], text);
        if (nip_trust_standing(follow->trust, statement->pattern, statement->new_keys[i].key,
                               NULL) == NIP_TRUST_REVOKED) {
            nip_error_set(err, NIP_ERROR_UNTRUSTED,
                          "the rotation brings back a key that is revoked here: %s", text);
            nip_error_hint(err, "ask the publisher for a statement with another key");
            return NIP_ERROR_UNTRUSTED;
        }
        if (!has_signed(follow, &statement->new_keys[i])) {
            nip_error_set(err, NIP_ERROR_UNTRUSTED, "the rotation is not signed by the new key %s",
                          text);
            nip_error_hint(err, "every new key signs, to show that its owner has it: nip sign FILE "
                                "--key NAME");
            return NIP_ERROR_UNTRUSTED;
        }
    }
    return NIP_OK;
}

enum nip_code nip_statement_check(const struct nip_statement *statement, const char *text,
                                  size_t size, const struct nip_signature_text *signatures,
                                  size_t signature_count, const struct nip_trust *trust,
                                  struct nip_error *err)
{
    struct follow follow = {.statement = statement,
                            .text = text,
                            .size = size,
                            .signatures = signatures,
                            .signature_count = signature_count,
                            .trust = trust};
    for (size_t i = 0; i < trust->publisher_count; i++)
        if (strcmp(trust->publishers[i].pattern, statement->pattern) == 0)
            follow.publisher = &trust->publishers[i];
    if (follow.publisher == NULL) {
        nip_error_set(err, NIP_ERROR_MISSING,
                      "%s has no line for %s, so there is nothing to change", NIP_TRUST_FILE,
                      statement->pattern);
        nip_error_hint(err, "accept the publisher's key first: nip key trust '%s' KEY",
                       statement->pattern);
        return NIP_ERROR_MISSING;
    }
    if (signature_count > NIP_BALLOT_VOTES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d signatures beside a statement",
                             NIP_BALLOT_VOTES_MAX);
    enum nip_code code =
        statement->kind == NIP_STATEMENT_ROTATION ? check_rotation(&follow, err) : NIP_OK;
    if (code != NIP_OK)
        return code;
    uint32_t count = count_accepted(&follow);
    if (count >= follow.publisher->threshold)
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_UNTRUSTED,
                  "the statement about %s is signed by %u of the keys that count now; %u must sign",
                  statement->pattern, (unsigned)count, (unsigned)follow.publisher->threshold);
    nip_error_hint(err,
                   "its signatures lie beside it as FILE.1.minisig and so on; each owner makes "
                   "one with: nip sign FILE --key NAME");
    return NIP_ERROR_UNTRUSTED;
}
