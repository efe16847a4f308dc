// SPDX-License-Identifier: Apache-2.0
//
// Keys and signatures in minisign's formats; see the layouts in nip/minisign.h.
//
// Key files may come from minisign or from a person's editor, so their comment line is free and
// their last newline optional. The signature file is ours alone and has one spelling.

#include "nip/minisign.h"

#include <stdio.h>
#include <string.h>

// The two letters that name an algorithm.
static const uint8_t ed25519[2] = {'E', 'd'}, ed25519_prehashed[2] = {'E', 'D'};
static const uint8_t scrypt[2] = {'S', 'c'}, blake2b[2] = {'B', '2'};

static const char untrusted_prefix[] = "untrusted comment: ";
static const char trusted_prefix[] = "trusted comment: ";
static const char signature_comment[] = "untrusted comment: npl signature";

enum {
    PUBLIC_BLOB_SIZE = 2 + NIP_KEY_ID_SIZE + NIP_PUBLIC_KEY_BYTES,
    // The part that the password hides: id, secret, check.
    HIDDEN_SIZE = NIP_KEY_ID_SIZE + NIP_SECRET_KEY_BYTES + NIP_DIGEST_SIZE,
    SALT_SIZE = 32,
    SECRET_BLOB_SIZE = 2 + 2 + 2 + SALT_SIZE + 8 + 8 + HIDDEN_SIZE,
    SIGNATURE_BLOB_SIZE = 2 + NIP_KEY_ID_SIZE + NIP_SIGNATURE_BYTES,
    // Offsets in the secret key blob.
    KDF_AT = 2,
    CHECK_ALGORITHM_AT = 4,
    SALT_AT = 6,
    OPERATIONS_AT = SALT_AT + SALT_SIZE,
    MEMORY_AT = OPERATIONS_AT + 8,
    HIDDEN_AT = MEMORY_AT + 8,
};

// ---- key files: a comment line, then one line of base64 ----

struct line {
    const char *text;
    size_t size;
};

// Takes one line; the LF may be missing at the end of the text, and a CR before it is dropped.
static bool take_line(const char **text, size_t *size, struct line *line)
{
    if (*size == 0)
        return false;
    const char *end = memchr(*text, '\n', *size);
    size_t taken = end != NULL ? (size_t)(end - *text) : *size;
    *line = (struct line){*text, taken};
    if (line->size > 0 && line->text[line->size - 1] == '\r')
        line->size--;
    taken += end != NULL;
    *text += taken;
    *size -= taken;
    return true;
}

static bool starts_with(struct line line, const char *prefix)
{
    size_t size = strlen(prefix);
    return line.size >= size && memcmp(line.text, prefix, size) == 0;
}

// The base64 line of a key file (with or without its comment line) as `blob_size` bytes.
static enum nip_code parse_key_file(const char *text, size_t size, const char *what,
                                    const char *kind, uint8_t *blob, size_t blob_size,
                                    struct nip_error *err)
{
    struct line line = {0}, rest;
    if (size > NIP_KEY_FILE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_KEY, "%s is too large to be a key file", what);
    bool has_line = take_line(&text, &size, &line);
    if (has_line && starts_with(line, untrusted_prefix))
        has_line = take_line(&text, &size, &line);
    if (!has_line || !nip_base64_decode(line.text, line.size, blob, blob_size) ||
        take_line(&text, &size, &rest)) {
        enum nip_code code = nip_error_set(err, NIP_ERROR_KEY,
                                           "%s is not a %s key in minisign's format", what, kind);
        nip_error_hint(err,
                       "expected a line \"untrusted comment: ...\" and one line of %zu base64 "
                       "characters",
                       (blob_size + 2) / 3 * 4);
        return code;
    }
    return NIP_OK;
}

static void print_key_file(const char *comment, const uint8_t *blob, size_t blob_size,
                           struct nip_buffer *out)
{
    nip_buffer_append_text(out, untrusted_prefix);
    for (const char *c = comment; *c != '\0'; c++) // one line, whatever the comment says
        nip_buffer_append_byte(out, (uint8_t)*c < 0x20 || *c == 0x7f ? ' ' : (uint8_t)*c);
    nip_buffer_append_byte(out, '\n');
    nip_base64_encode(blob, blob_size, out);
    nip_buffer_append_byte(out, '\n');
}

// minisign shows a key id as a number, most significant byte first.
static void key_id_text(const uint8_t id[NIP_KEY_ID_SIZE], char out[2 * NIP_KEY_ID_SIZE + 1])
{
    for (size_t i = 0; i < NIP_KEY_ID_SIZE; i++)
        snprintf(out + 2 * i, 3, "%02X", id[NIP_KEY_ID_SIZE - 1 - i]);
}

// ---- public keys ----

enum nip_code nip_public_key_parse(const char *text, size_t size, const char *what,
                                   struct nip_public_key *key, struct nip_error *err)
{
    uint8_t blob[PUBLIC_BLOB_SIZE];
    enum nip_code code = parse_key_file(text, size, what, "public", blob, sizeof blob, err);
    if (code != NIP_OK)
        return code;
    if (memcmp(blob, ed25519, sizeof ed25519) != 0)
        return nip_error_set(err, NIP_ERROR_KEY, "%s is not an Ed25519 key", what);
    if (!nip_key_is_valid(blob + 2 + NIP_KEY_ID_SIZE))
        return nip_error_set(err, NIP_ERROR_KEY,
                             "%s is a weak or malformed key: its point is not in the prime-order "
                             "group or not canonically encoded",
                             what);
    memcpy(key->id, blob + 2, NIP_KEY_ID_SIZE);
    memcpy(key->key, blob + 2 + NIP_KEY_ID_SIZE, NIP_PUBLIC_KEY_BYTES);
    return NIP_OK;
}

static void fill_public_blob(const struct nip_public_key *key, uint8_t blob[PUBLIC_BLOB_SIZE])
{
    memcpy(blob, ed25519, sizeof ed25519);
    memcpy(blob + 2, key->id, NIP_KEY_ID_SIZE);
    memcpy(blob + 2 + NIP_KEY_ID_SIZE, key->key, NIP_PUBLIC_KEY_BYTES);
}

void nip_public_key_print(const struct nip_public_key *key, const char *comment,
                          struct nip_buffer *out)
{
    uint8_t blob[PUBLIC_BLOB_SIZE];
    char id[2 * NIP_KEY_ID_SIZE + 1], own[64];
    fill_public_blob(key, blob);
    key_id_text(key->id, id);
    snprintf(own, sizeof own, "minisign public key %s", id);
    print_key_file(comment != NULL ? comment : own, blob, sizeof blob, out);
}

void nip_public_key_text(const struct nip_public_key *key, char out[NIP_KEY_TEXT_SIZE])
{
    uint8_t blob[PUBLIC_BLOB_SIZE];
    struct nip_buffer text = {0};
    fill_public_blob(key, blob);
    nip_base64_encode(blob, sizeof blob, &text);
    snprintf(out, NIP_KEY_TEXT_SIZE, "%s", nip_buffer_text(&text));
    nip_buffer_free(&text);
}

void nip_public_key_fingerprint(const struct nip_public_key *key, char out[NIP_DIGEST_TEXT_SIZE])
{
    uint8_t digest[NIP_DIGEST_SIZE];
    nip_hash_bytes(key->key, sizeof key->key, digest);
    nip_digest_text(digest, out);
}

bool nip_public_key_equals(const struct nip_public_key *a, const struct nip_public_key *b)
{
    return memcmp(a->key, b->key, sizeof a->key) == 0;
}

// ---- secret keys ----

enum nip_code nip_secret_key_make(struct nip_secret_key *key, struct nip_error *err)
{
    uint8_t public_key[NIP_PUBLIC_KEY_BYTES];
    enum nip_code code = nip_random(key->id, sizeof key->id, err);
    return code != NIP_OK ? code : nip_key_make(key->secret, public_key, err);
}

void nip_secret_key_public(const struct nip_secret_key *secret, struct nip_public_key *key)
{
    memcpy(key->id, secret->id, sizeof key->id);
    memcpy(key->key, secret->secret + NIP_SEED_BYTES, sizeof key->key);
}

static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void store_u64(uint8_t *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

// The checksum by which minisign knows a wrong password.
static void secret_check(const uint8_t *hidden, uint8_t check[NIP_DIGEST_SIZE])
{
    struct nip_hash hash;
    nip_hash_begin(&hash);
    nip_hash_update(&hash, ed25519, sizeof ed25519);
    nip_hash_update(&hash, hidden, NIP_KEY_ID_SIZE + NIP_SECRET_KEY_BYTES);
    nip_hash_end(&hash, check);
    nip_wipe(&hash, sizeof hash);
}

static enum nip_code parse_secret_blob(const char *text, size_t size, const char *what,
                                       uint8_t blob[SECRET_BLOB_SIZE],
                                       struct nip_secret_key_form *form, struct nip_error *err)
{
    enum nip_code code = parse_key_file(text, size, what, "secret", blob, SECRET_BLOB_SIZE, err);
    if (code != NIP_OK)
        return code;
    bool is_encrypted = memcmp(blob + KDF_AT, scrypt, sizeof scrypt) == 0;
    bool is_plain = memcmp(blob + KDF_AT, "\0\0", 2) == 0;
    if (memcmp(blob, ed25519, sizeof ed25519) != 0 ||
        memcmp(blob + CHECK_ALGORITHM_AT, blake2b, sizeof blake2b) != 0 ||
        (!is_encrypted && !is_plain))
        return nip_error_set(err, NIP_ERROR_KEY, "%s uses an algorithm that is not known", what);
    form->is_encrypted = is_encrypted;
    form->operations = load_u64(blob + OPERATIONS_AT);
    form->memory_bytes = load_u64(blob + MEMORY_AT);
    return NIP_OK;
}

enum nip_code nip_secret_key_inspect(const char *text, size_t size, const char *what,
                                     struct nip_secret_key_form *form, struct nip_error *err)
{
    uint8_t blob[SECRET_BLOB_SIZE];
    enum nip_code code = parse_secret_blob(text, size, what, blob, form, err);
    nip_wipe(blob, sizeof blob);
    return code;
}

// Xors the hidden part with what the password gives.
static enum nip_code apply_password(uint8_t blob[SECRET_BLOB_SIZE], const char *what,
                                    const struct nip_secret_key_form *form, const char *password,
                                    size_t password_size, struct nip_error *err)
{
    uint8_t stream[HIDDEN_SIZE];
    if (!nip_scrypt(stream, sizeof stream, password, password_size, blob + SALT_AT,
                    form->operations, form->memory_bytes)) {
        enum nip_code code = nip_error_set(err, NIP_ERROR_MEMORY,
                                           "%s needs %llu MiB of memory to be unlocked, which the "
                                           "system did not give",
                                           what, (unsigned long long)(form->memory_bytes >> 20));
        nip_error_hint(err, "free some memory, or raise the limit (ulimit -v, container limit)");
        return code;
    }
    for (size_t i = 0; i < HIDDEN_SIZE; i++)
        blob[HIDDEN_AT + i] ^= stream[i];
    nip_wipe(stream, sizeof stream);
    return NIP_OK;
}

static enum nip_code unlock(uint8_t blob[SECRET_BLOB_SIZE], const char *what,
                            const struct nip_secret_key_form *form, const char *password,
                            size_t password_size, uint64_t memory_bytes_max, struct nip_error *err)
{
    if (password == NULL)
        return nip_error_set(err, NIP_ERROR_PASSWORD, "%s is protected by a password", what);
    if (form->memory_bytes > memory_bytes_max) {
        enum nip_code code = nip_error_set(
            err, NIP_ERROR_LIMIT,
            "%s needs %llu MiB of memory to be unlocked; at most %llu MiB are allowed", what,
            (unsigned long long)(form->memory_bytes >> 20),
            (unsigned long long)(memory_bytes_max >> 20));
        nip_error_hint(err, "run nip on a machine with more memory");
        return code;
    }
    return apply_password(blob, what, form, password, password_size, err);
}

enum nip_code nip_secret_key_parse(const char *text, size_t size, const char *what,
                                   const char *password, size_t password_size,
                                   uint64_t memory_bytes_max, struct nip_secret_key *key,
                                   struct nip_error *err)
{
    static const uint8_t zero[NIP_DIGEST_SIZE];
    uint8_t blob[SECRET_BLOB_SIZE], check[NIP_DIGEST_SIZE];
    struct nip_secret_key_form form;
    enum nip_code code = parse_secret_blob(text, size, what, blob, &form, err);
    if (code == NIP_OK && form.is_encrypted)
        code = unlock(blob, what, &form, password, password_size, memory_bytes_max, err);
    if (code != NIP_OK)
        goto wipe;

    const uint8_t *id = blob + HIDDEN_AT;
    const uint8_t *secret = id + NIP_KEY_ID_SIZE, *stored = secret + NIP_SECRET_KEY_BYTES;
    secret_check(id, check);
    // minisign leaves the check of an unencrypted key zero.
    bool is_right = nip_equals(check, stored, sizeof check) ||
                    (!form.is_encrypted && nip_equals(zero, stored, sizeof zero));
    if (!is_right && form.is_encrypted) {
        code = nip_error_set(err, NIP_ERROR_PASSWORD, "the password does not unlock %s", what);
    } else if (!is_right || !nip_secret_is_consistent(secret)) {
        code = nip_error_set(err, NIP_ERROR_KEY, "%s is damaged: its halves do not belong together",
                             what);
    } else {
        memcpy(key->id, id, sizeof key->id);
        memcpy(key->secret, secret, sizeof key->secret);
    }
wipe:
    nip_wipe(blob, sizeof blob);
    return code;
}

enum nip_code nip_secret_key_print(const struct nip_secret_key *key, const char *comment,
                                   const char *password, size_t password_size, uint64_t operations,
                                   uint64_t memory_bytes, struct nip_buffer *out,
                                   struct nip_error *err)
{
    uint8_t blob[SECRET_BLOB_SIZE] = {0};
    struct nip_secret_key_form form = {password != NULL, operations, memory_bytes};
    enum nip_code code = NIP_OK;
    memcpy(blob, ed25519, sizeof ed25519);
    memcpy(blob + CHECK_ALGORITHM_AT, blake2b, sizeof blake2b);
    memcpy(blob + HIDDEN_AT, key->id, sizeof key->id);
    memcpy(blob + HIDDEN_AT + NIP_KEY_ID_SIZE, key->secret, sizeof key->secret);
    if (password != NULL) {
        memcpy(blob + KDF_AT, scrypt, sizeof scrypt);
        store_u64(blob + OPERATIONS_AT, operations);
        store_u64(blob + MEMORY_AT, memory_bytes);
        secret_check(blob + HIDDEN_AT, blob + HIDDEN_AT + NIP_KEY_ID_SIZE + NIP_SECRET_KEY_BYTES);
        code = nip_random(blob + SALT_AT, SALT_SIZE, err);
        if (code == NIP_OK)
            code = apply_password(blob, "the new key", &form, password, password_size, err);
    }
    if (code == NIP_OK) {
        print_key_file(comment, blob, sizeof blob, out);
        code = nip_buffer_check(out, "a key file", err);
    }
    nip_wipe(blob, sizeof blob);
    return code;
}

// ---- signatures ----

static enum nip_code signature_fail(struct nip_error *err, uint32_t line, const char *reason)
{
    nip_error_set(err, NIP_ERROR_SIGNATURE, "%s", reason);
    nip_error_at(err, "digests.minisig", line, 0);
    return NIP_ERROR_SIGNATURE;
}

static bool is_printable(struct line line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.text[i] < 0x20 || line.text[i] > 0x7e)
            return false;
    }
    return true;
}

// Splits into exactly four LF-ended lines.
static bool split_lines(const char *text, size_t size, struct line lines[4])
{
    for (size_t i = 0; i < 4; i++) {
        const char *end = size > 0 ? memchr(text, '\n', size) : NULL;
        if (end == NULL)
            return false;
        lines[i] = (struct line){text, (size_t)(end - text)};
        size -= lines[i].size + 1;
        text = end + 1;
    }
    return size == 0;
}

static enum nip_code parse_signature(const char *text, size_t size, bool is_foreign,
                                     struct nip_signature *signature, struct nip_error *err)
{
    struct line lines[4];
    uint8_t blob[SIGNATURE_BLOB_SIZE];
    *signature = (struct nip_signature){0};
    if (size > NIP_SIGNATURE_FILE_SIZE_MAX)
        return signature_fail(err, 0, "the signature file is too large");
    if (!split_lines(text, size, lines))
        return signature_fail(err, 0, "a signature file has exactly four lines, each ended by LF");
    if (is_foreign ? !starts_with(lines[0], untrusted_prefix)
                   : lines[0].size != strlen(signature_comment) ||
                         !starts_with(lines[0], signature_comment))
        return signature_fail(err, 1, "expected \"untrusted comment: npl signature\"");
    if (!nip_base64_decode(lines[1].text, lines[1].size, blob, sizeof blob))
        return signature_fail(err, 2, "this is not the strict base64 of a signature");
    if (memcmp(blob, ed25519, sizeof ed25519) == 0)
        return signature_fail(err, 2,
                              "legacy signatures (\"Ed\") are refused; sign with "
                              "prehashing (\"ED\")");
    if (memcmp(blob, ed25519_prehashed, sizeof ed25519_prehashed) != 0)
        return signature_fail(err, 2, "the signature algorithm is not \"ED\"");
    if (!starts_with(lines[2], trusted_prefix) || !is_printable(lines[2]) ||
        lines[2].size - strlen(trusted_prefix) > NIP_TRUSTED_COMMENT_MAX)
        return signature_fail(err, 3, "expected \"trusted comment: npl 1 NAME VERSION\"");
    if (!nip_base64_decode(lines[3].text, lines[3].size, signature->global,
                           sizeof signature->global))
        return signature_fail(err, 4, "this is not the strict base64 of a global signature");
    memcpy(signature->key_id, blob + 2, NIP_KEY_ID_SIZE);
    memcpy(signature->signature, blob + 2 + NIP_KEY_ID_SIZE, NIP_SIGNATURE_BYTES);
    size_t comment_size = lines[2].size - strlen(trusted_prefix);
    memcpy(signature->trusted_comment, lines[2].text + strlen(trusted_prefix), comment_size);
    signature->trusted_comment[comment_size] = '\0';
    return NIP_OK;
}

enum nip_code nip_signature_parse(const char *text, size_t size, struct nip_signature *signature,
                                  struct nip_error *err)
{
    return parse_signature(text, size, false, signature, err);
}

enum nip_code nip_signature_parse_foreign(const char *text, size_t size,
                                          struct nip_signature *signature, struct nip_error *err)
{
    return parse_signature(text, size, true, signature, err);
}

void nip_signature_print(const struct nip_signature *signature, struct nip_buffer *out)
{
    uint8_t blob[SIGNATURE_BLOB_SIZE];
    memcpy(blob, ed25519_prehashed, sizeof ed25519_prehashed);
    memcpy(blob + 2, signature->key_id, NIP_KEY_ID_SIZE);
    memcpy(blob + 2 + NIP_KEY_ID_SIZE, signature->signature, NIP_SIGNATURE_BYTES);
    nip_buffer_append_format(out, "%s\n", signature_comment);
    nip_base64_encode(blob, sizeof blob, out);
    nip_buffer_append_format(out, "\n%s%s\n", trusted_prefix, signature->trusted_comment);
    nip_base64_encode(signature->global, sizeof signature->global, out);
    nip_buffer_append_byte(out, '\n');
}

// What the global signature is over: the 64 bytes of the signature, then the trusted comment.
static size_t fill_global_message(const struct nip_signature *signature,
                                  uint8_t message[NIP_SIGNATURE_BYTES + NIP_TRUSTED_COMMENT_MAX])
{
    size_t comment_size = strlen(signature->trusted_comment);
    memcpy(message, signature->signature, NIP_SIGNATURE_BYTES);
    memcpy(message + NIP_SIGNATURE_BYTES, signature->trusted_comment, comment_size);
    return NIP_SIGNATURE_BYTES + comment_size;
}

bool nip_signature_comment(char out[NIP_TRUSTED_COMMENT_MAX + 1], const char *name,
                           const char *version)
{
    int size = snprintf(out, NIP_TRUSTED_COMMENT_MAX + 1, "npl 1 %s %s", name, version);
    return size > 0 && size <= NIP_TRUSTED_COMMENT_MAX;
}

enum nip_code nip_signature_make_over(const struct nip_secret_key *key, const void *data,
                                      size_t size, const char *comment,
                                      struct nip_signature *signature, struct nip_error *err)
{
    uint8_t message[NIP_SIGNATURE_BYTES + NIP_TRUSTED_COMMENT_MAX];
    size_t comment_size = strlen(comment);
    *signature = (struct nip_signature){0};
    if (comment_size > NIP_TRUSTED_COMMENT_MAX)
        return nip_error_set(err, NIP_ERROR_NAME, "the trusted comment is too long to be signed");
    memcpy(signature->trusted_comment, comment, comment_size);
    memcpy(signature->key_id, key->id, sizeof signature->key_id);
    nip_sign_prehashed(key->secret, data, size, signature->signature);
    size_t message_size = fill_global_message(signature, message);
    nip_sign_bytes(key->secret, message, message_size, signature->global);
    return NIP_OK;
}

enum nip_code nip_signature_make(const struct nip_secret_key *key, const void *digests, size_t size,
                                 const char *name, const char *version,
                                 struct nip_signature *signature, struct nip_error *err)
{
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
    if (!nip_signature_comment(comment, name, version))
        return nip_error_set(err, NIP_ERROR_NAME, "name or version is too long to be signed");
    return nip_signature_make_over(key, digests, size, comment, signature, err);
}

enum nip_code nip_signature_verify_over(const struct nip_signature *signature,
                                        const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data,
                                        size_t size, const char *comment, struct nip_error *err)
{
    uint8_t message[NIP_SIGNATURE_BYTES + NIP_TRUSTED_COMMENT_MAX];
    if (strcmp(signature->trusted_comment, comment) != 0)
        return signature_fail(err, 3, "the trusted comment does not name what is signed here");
    if (!nip_verify_prehashed(key, data, size, signature->signature))
        return signature_fail(err, 2, "the signature is not this key's over these bytes");
    size_t message_size = fill_global_message(signature, message);
    if (!nip_verify_bytes(key, message, message_size, signature->global))
        return signature_fail(err, 4, "the global signature is not this key's");
    return NIP_OK;
}

enum nip_code nip_signature_verify(const struct nip_signature *signature,
                                   const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *digests,
                                   size_t size, const char *name, const char *version,
                                   struct nip_error *err)
{
    char expected[NIP_TRUSTED_COMMENT_MAX + 1];
    if (!nip_signature_comment(expected, name, version))
        return signature_fail(err, 3, "the trusted comment does not name this package and version");
    return nip_signature_verify_over(signature, key, digests, size, expected, err);
}
