// SPDX-License-Identifier: Apache-2.0
//
// Collecting signatures and showing how they were judged.

#include "votes.h"

#include <string.h>

#include "nip/fs.h"
#include "report.h"

void votes_path(char *out, const char *file, unsigned number)
{
    int length = snprintf(out, CLI_PATH_SIZE, "%s.%u.minisig", file, number);
    // A path that is cut names nothing: the file system will say so.
    if (length < 0 || length >= CLI_PATH_SIZE)
        out[0] = '\0';
}

enum nip_code votes_add(struct votes *votes, const void *text, size_t size, unsigned number,
                        struct nip_error *err)
{
    if (votes->count == NIP_BALLOT_VOTES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d signatures", NIP_BALLOT_VOTES_MAX);
    struct nip_buffer *to = &votes->texts[votes->count];
    nip_buffer_append(to, text, size);
    votes->numbers[votes->count++] = number;
    return nip_buffer_check(to, "a signature", err);
}

enum nip_code votes_read_beside(const char *file, struct votes *votes, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (unsigned number = 1; code == NIP_OK && number < NIP_BALLOT_VOTES_MAX; number++) {
        char path[CLI_PATH_SIZE];
        struct nip_buffer text = {0};
        votes_path(path, file, number);
        if (nip_fs_kind(path) == NIP_FS_NOTHING)
            continue;
        code = nip_fs_read(path, NIP_SIGNATURE_FILE_SIZE_MAX, &text, err);
        if (code == NIP_OK)
            code = votes_add(votes, text.data, text.size, number, err);
        nip_buffer_free(&text);
    }
    return code;
}

enum nip_code votes_add_joined(struct votes *votes, const struct nip_buffer *texts,
                               struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    unsigned line = 0;
    size_t start = 0;
    for (size_t i = 0; code == NIP_OK && i < texts->size; i++) {
        if (texts->data[i] != '\n' || ++line % 4 != 0)
            continue;
        code = votes_add(votes, texts->data + start, i + 1 - start, line / 4, err);
        start = i + 1;
    }
    return code;
}

static enum nip_code add_attached(void *context, const void *text, size_t size,
                                  struct nip_error *err)
{
    struct votes *votes = context;
    unsigned last = votes->count != 0 ? votes->numbers[votes->count - 1] : 0;
    return votes_add(votes, text, size, last + 1, err);
}

enum nip_code votes_read_registry(struct registry *registry, const char *name, const char *version,
                                  struct votes *votes, struct nip_error *err)
{
    return registry_attached(registry, name, version, add_attached, votes, err);
}

enum nip_code votes_add_inside(const struct checked_package *package, struct votes *votes,
                               struct nip_error *err)
{
    size_t size = 0;
    const char *text = nip_package_signature_text(package->package, &size);
    return votes_add(votes, text, size, 0, err);
}

void votes_free(struct votes *votes)
{
    for (size_t i = 0; i < votes->count; i++)
        nip_buffer_free(&votes->texts[i]);
    votes->count = 0;
}

void votes_texts(const struct votes *votes, struct nip_signature_text *texts)
{
    for (size_t i = 0; i < votes->count; i++)
        texts[i] =
            (struct nip_signature_text){nip_buffer_text(&votes->texts[i]), votes->texts[i].size};
}

bool votes_is_over(const struct checked_package *package, const struct nip_buffer *text)
{
    const struct nip_digests *digests = nip_package_digests(package->package);
    struct nip_signature signature;
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
    return nip_signature_parse(nip_buffer_text(text), text->size, &signature, NULL) == NIP_OK &&
           nip_signature_comment(comment, digests->name, digests->version) &&
           strcmp(signature.trusted_comment, comment) == 0;
}

enum nip_code votes_count(const struct nip_trust *trust, const struct checked_package *package,
                          const struct votes *votes, struct nip_ballot *ballot,
                          struct nip_error *err)
{
    struct nip_signature_text texts[NIP_BALLOT_VOTES_MAX];
    const struct nip_digests *digests = nip_package_digests(package->package);
    struct nip_ballot_subject subject = {.name = digests->name, .version = digests->version};
    subject.digests = nip_package_digests_text(package->package, &subject.digests_size);
    votes_texts(votes, texts);
    return nip_trust_count(trust, &subject, texts, votes->count, ballot, err);
}

// "inside", or "beside, number 2".
static void where_text(const struct votes *votes, size_t index, char out[32])
{
    if (votes->numbers[index] == 0)
        snprintf(out, 32, "inside");
    else
        snprintf(out, 32, "beside (%u)", votes->numbers[index]);
}

static bool knows_key(const struct nip_vote *vote)
{
    return vote->verdict != NIP_VOTE_UNKNOWN && vote->verdict != NIP_VOTE_MALFORMED;
}

enum nip_code votes_require(const struct nip_ballot *ballot, const struct votes *votes,
                            const char *what, struct nip_error *err)
{
    if (ballot->is_met)
        return NIP_OK;
    struct nip_buffer list = {0};
    for (size_t i = 0; i < ballot->vote_count && i < 8; i++) {
        char where[32];
        where_text(votes, i, where);
        nip_buffer_append_format(&list, "%ssignature %s %s", i != 0 ? "\n" : "", where,
                                 nip_vote_words(ballot->votes[i].verdict));
    }
    nip_error_set(err, NIP_ERROR_UNTRUSTED,
                  "%s: %u of the accepted keys have signed, and %s asks for %u", what,
                  (unsigned)ballot->counted, NIP_TRUST_FILE, (unsigned)ballot->threshold);
    nip_error_hint(err, "%s\nthe others sign with: nip sign FILE --key NAME",
                   nip_buffer_text(&list));
    nip_buffer_free(&list);
    return NIP_ERROR_UNTRUSTED;
}

void votes_print(const struct cli *cli, const struct nip_ballot *ballot, const struct votes *votes)
{
    for (size_t i = 0; i < ballot->vote_count; i++) {
        const struct nip_vote *vote = &ballot->votes[i];
        char where[32], fingerprint[NIP_DIGEST_TEXT_SIZE] = "(unknown key)";
        where_text(votes, i, where);
        if (knows_key(vote))
            nip_public_key_fingerprint(&vote->key, fingerprint);
        cli_print(cli, "  signature %-11s %.16s  %s", where, fingerprint,
                  nip_vote_words(vote->verdict));
    }
    cli_print(cli, "  %u of the keys that %s accepts have signed; it asks for %u",
              (unsigned)ballot->counted, NIP_TRUST_FILE, (unsigned)ballot->threshold);
}

struct nip_json *votes_json(const struct nip_ballot *ballot, const struct votes *votes)
{
    static const char *const names[] = {"counts",  "kept",    "repeated",
                                        "revoked", "unknown", "malformed"};
    struct nip_json *root = nip_json_make_object(), *list = nip_json_make_array();
    for (size_t i = 0; i < ballot->vote_count; i++) {
        const struct nip_vote *vote = &ballot->votes[i];
        struct nip_json *item = nip_json_make_object();
        nip_json_put_u64(item, "beside", votes->numbers[i]);
        nip_json_put_text(item, "verdict", names[vote->verdict]);
        if (knows_key(vote)) {
            char fingerprint[NIP_DIGEST_TEXT_SIZE];
            nip_public_key_fingerprint(&vote->key, fingerprint);
            nip_json_put_text(item, "key_fingerprint", fingerprint);
        }
        nip_json_append(list, item);
    }
    nip_json_put(root, "signatures", list);
    nip_json_put_u64(root, "counted", ballot->counted);
    nip_json_put_u64(root, "threshold", ballot->threshold);
    nip_json_put_bool(root, "met", ballot->is_met);
    return root;
}
