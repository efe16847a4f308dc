// SPDX-License-Identifier: Apache-2.0
//
// Who has signed, and is it enough? Separate from reading the trust file, because here foreign
// signatures are judged: every text is hostile until a key has verified it.
//
//   text ─> four lines? ─> under an accepted key ─> not counted yet ─> counts
//                      └─> under a revoked key ──> stays valid? ────> kept, or revoked
//                      └─> under none ────────────────────────────> unknown

#include <string.h>

#include "nip/digests.h"
#include "nip/trust.h"

const char *nip_vote_words(enum nip_vote_verdict verdict)
{
    switch (verdict) {
    case NIP_VOTE_COUNTS:
        return "counts";
    case NIP_VOTE_KEPT:
        return "revoked key, but this package stays valid";
    case NIP_VOTE_REPEATED:
        return "does not count: the same key has signed already";
    case NIP_VOTE_REVOKED:
        return "does not count: the key is revoked";
    case NIP_VOTE_UNKNOWN:
        return "does not count: made by no key that is accepted for this name";
    case NIP_VOTE_MALFORMED:
        return "does not count: not a signature over this package";
    }
    return "?";
}

// Whether `key` made the signature over the subject, under the id that it names.
static bool has_signed(const struct nip_ballot_subject *subject,
                       const struct nip_signature *signature, const struct nip_public_key *key)
{
    return nip_signature_verify(signature, key->key, subject->digests, subject->digests_size,
                                subject->name, subject->version, NULL) == NIP_OK &&
           memcmp(key->id, signature->key_id, NIP_KEY_ID_SIZE) == 0;
}

// The key among those that the project knows for the name that made the signature, or NULL.
static const struct nip_public_key *find_signer(const struct nip_trust *trust,
                                                const struct nip_ballot_subject *subject,
                                                const struct nip_signature *signature)
{
    const struct nip_trust_publisher *publisher = nip_trust_find(trust, subject->name);
    for (size_t i = 0; publisher != NULL && i < publisher->key_count; i++)
        if (has_signed(subject, signature, &publisher->keys[i]))
            return &publisher->keys[i];
    for (size_t i = 0; i < trust->revoked_count; i++)
        if (nip_trust_pattern_covers(trust->revoked[i].pattern, subject->name) &&
            has_signed(subject, signature, &trust->revoked[i].key))
            return &trust->revoked[i].key;
    return NULL;
}

static bool has_counted(const struct nip_ballot *ballot, const struct nip_public_key *key)
{
    for (size_t i = 0; i < ballot->vote_count; i++)
        if (ballot->votes[i].verdict == NIP_VOTE_COUNTS &&
            nip_public_key_equals(&ballot->votes[i].key, key))
            return true;
    return false;
}

static enum nip_vote_verdict judge(const struct nip_trust *trust,
                                   const struct nip_ballot_subject *subject, const uint8_t *id,
                                   const struct nip_signature_text *text,
                                   const struct nip_ballot *ballot, struct nip_public_key *key)
{
    struct nip_signature signature;
    char comment[NIP_TRUSTED_COMMENT_MAX + 1];
    if (nip_signature_parse(text->text, text->size, &signature, NULL) != NIP_OK ||
        !nip_signature_comment(comment, subject->name, subject->version) ||
        strcmp(signature.trusted_comment, comment) != 0)
        return NIP_VOTE_MALFORMED;
    const struct nip_public_key *signer = find_signer(trust, subject, &signature);
    if (signer == NULL)
        return NIP_VOTE_UNKNOWN;
    *key = *signer;
    switch (nip_trust_standing(trust, subject->name, signer->key, id)) {
    case NIP_TRUST_ACCEPTED:
        return has_counted(ballot, signer) ? NIP_VOTE_REPEATED : NIP_VOTE_COUNTS;
    case NIP_TRUST_KEPT:
        return NIP_VOTE_KEPT;
    case NIP_TRUST_REVOKED:
        return NIP_VOTE_REVOKED;
    case NIP_TRUST_UNKNOWN:
        break;
    }
    return NIP_VOTE_UNKNOWN;
}

enum nip_code nip_trust_count(const struct nip_trust *trust,
                              const struct nip_ballot_subject *subject,
                              const struct nip_signature_text *texts, size_t text_count,
                              struct nip_ballot *ballot, struct nip_error *err)
{
    uint8_t id[NIP_DIGEST_SIZE];
    *ballot = (struct nip_ballot){0};
    if (text_count > NIP_BALLOT_VOTES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "%s %s has %zu signatures; at most %d are looked at", subject->name,
                             subject->version, text_count, NIP_BALLOT_VOTES_MAX);
    const struct nip_trust_publisher *publisher = nip_trust_find(trust, subject->name);
    ballot->threshold = publisher != NULL ? publisher->threshold : 0;
    nip_digests_id(subject->digests, subject->digests_size, id);
    for (size_t i = 0; i < text_count; i++) {
        struct nip_vote vote = {0};
        vote.verdict = judge(trust, subject, id, &texts[i], ballot, &vote.key);
        ballot->votes[ballot->vote_count++] = vote;
        ballot->counted += vote.verdict == NIP_VOTE_COUNTS;
        ballot->is_met = ballot->is_met || vote.verdict == NIP_VOTE_KEPT;
    }
    ballot->is_met =
        ballot->is_met || (ballot->threshold != 0 && ballot->counted >= ballot->threshold);
    return NIP_OK;
}
