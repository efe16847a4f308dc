// SPDX-License-Identifier: Apache-2.0
//
// Keys for a name: what the project accepts, first use, thresholds.

#include "consent.h"

#include <string.h>

#include "mode.h"
#include "store.h"
#include "votes.h"

static bool is_sdk(const struct resolve_request *request)
{
    return strcmp(request->alias, NIP_TRUST_SDK_ALIAS) == 0;
}

static enum nip_code refuse_silence(const struct resolve_request *request, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_UNTRUSTED, "%s accepts no key for %s", NIP_TRUST_FILE,
                  request->name);
    nip_error_hint(err, "decide it: nip add %s --registry %s", request->name, request->alias);
    return NIP_ERROR_UNTRUSTED;
}

// Candidates for first use: the user's own keys for local/*, and what the registry hands out to be
// shown to a person.
static enum nip_code collect_first_use(struct decisions *decisions,
                                       const struct resolve_request *request,
                                       struct registry **opened, struct consent *consent,
                                       struct nip_error *err)
{
    consent->is_first_use = true;
    enum nip_code code = NIP_OK;
    if (strncmp(request->name, "local/", 6) == 0) {
        struct keystore_entry entries[KEYSTORE_KEYS_MAX];
        code = keystore_list(entries, &consent->own_count, err);
        for (size_t i = 0; code == NIP_OK && i < consent->own_count; i++)
            consent->keys[i] = entries[i].key;
        consent->count = consent->own_count;
    }
    struct nip_public_key others[REGISTRY_KEYS_MAX];
    size_t other_count = 0;
    struct registry *registry = NULL;
    if (code == NIP_OK)
        code = resolve_need_registry(decisions, request, opened, &registry, err);
    if (code == NIP_OK)
        code = registry_keys(registry, request->name, others, &other_count, err);
    for (size_t i = 0; code == NIP_OK && i < other_count; i++)
        consent->keys[consent->count++] = others[i];
    return code;
}

enum nip_code consent_begin(struct decisions *decisions, const struct resolve_request *request,
                            struct registry **opened, const struct nip_buffer *npl,
                            struct consent *consent, struct nip_error *err)
{
    memset(consent, 0, sizeof *consent);
    if (is_sdk(request)) {
        consent->keys[0] = decisions->sdk.key;
        consent->count = decisions->sdk.has_key;
        return NIP_OK;
    }
    if (nip_trust_find(&decisions->trust, request->name) == NULL)
        return request->may_decide ? collect_first_use(decisions, request, opened, consent, err)
                                   : refuse_silence(request, err);
    struct nip_package_source source = {npl->data, npl->size, -1};
    struct nip_package_claim claim;
    enum nip_code code = nip_package_peek(&source, &claim, err);
    if (code == NIP_OK)
        consent->count = nip_trust_keys(&decisions->trust, request->name, claim.id, consent->keys,
                                        CONSENT_KEYS_MAX);
    else
        nip_error_prefix(err, "%s: ", request->name);
    return code;
}

static bool is_own(const struct consent *consent, const struct nip_public_key *key)
{
    for (size_t i = 0; i < consent->own_count; i++)
        if (nip_public_key_equals(&consent->keys[i], key))
            return true;
    return false;
}

static enum nip_code refuse_other_fingerprint(const struct resolve_request *request,
                                              const char *fingerprint, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_UNTRUSTED,
                  "%s is signed by the key with the fingerprint %s, not by the one that --trust "
                  "names",
                  request->name, fingerprint);
    nip_error_hint(err, "ask the publisher which is right before you trust either");
    return NIP_ERROR_UNTRUSTED;
}

static enum nip_code refuse_unexpected(const struct resolve_request *request, const char *text,
                                       const char *fingerprint, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_UNTRUSTED,
                  "%s is signed by the key with the fingerprint %s, and the package that asks for "
                  "it was built against another key",
                  request->name, fingerprint);
    nip_error_hint(err, "ask the publishers which is right; if it is meant: nip key trust %s %s",
                   request->name, text);
    return NIP_ERROR_UNTRUSTED;
}

static enum nip_code ask_person(const struct cli *cli, const struct resolve_request *request,
                                const char *text, const char *fingerprint, struct nip_error *err)
{
    bool accepted = false;
    if (!cli_has_terminal()) {
        nip_error_set(err, NIP_ERROR_CONSENT,
                      "%s is signed by a key that this project does not know, and there is no "
                      "terminal to ask on",
                      request->name);
        nip_error_hint(err,
                       "compare the fingerprint with the one the publisher tells you, then: "
                       "--trust %s",
                       fingerprint);
        return NIP_ERROR_CONSENT;
    }
    cli_say(cli, "first use of %s. It is signed by the key\n  %s\n  fingerprint %s", request->name,
            text, fingerprint);
    enum nip_code code = cli_ask_yes(
        cli, "Is this the fingerprint that the publisher told you? Accept it?", &accepted, err);
    if (code == NIP_OK && !accepted)
        code =
            nip_error_set(err, NIP_ERROR_CONSENT, "the key was not accepted; nothing was changed");
    return code;
}

// A person decides about a key that this project has never seen.
static enum nip_code decide_first_use(const struct cli *cli, struct decisions *decisions,
                                      const struct resolve_request *request,
                                      const struct consent *consent,
                                      const struct nip_public_key *key, struct nip_error *err)
{
    char fingerprint[NIP_DIGEST_TEXT_SIZE], text[NIP_KEY_TEXT_SIZE];
    enum nip_code code = NIP_OK;
    nip_public_key_fingerprint(key, fingerprint);
    nip_public_key_text(key, text);
    if (nip_trust_standing(&decisions->trust, request->name, key->key, NULL) == NIP_TRUST_REVOKED) {
        nip_error_set(err, NIP_ERROR_UNTRUSTED, "%s is signed by a key that %s says is revoked: %s",
                      request->name, NIP_TRUST_FILE, text);
        nip_error_hint(err, "ask the publisher for a package signed with the present key");
        return NIP_ERROR_UNTRUSTED;
    }
    if (request->expected_key != NULL &&
        memcmp(request->expected_key, key->key, sizeof key->key) != 0)
        return refuse_unexpected(request, text, fingerprint, err);
    if (is_own(consent, key))
        cli_say(cli, "%s is signed with your own key; accepted for this project", request->name);
    else if (request->fingerprint == NULL)
        code = ask_person(cli, request, text, fingerprint, err);
    else if (strcmp(request->fingerprint, fingerprint) != 0 &&
             strcmp(request->fingerprint, text) != 0)
        code = refuse_other_fingerprint(request, fingerprint, err);
    if (code != NIP_OK)
        return code;
    nip_trust_append_publisher(&decisions->trust_text, request->name, key);
    return decisions_reread(decisions, err);
}

void consent_explain(const struct decisions *decisions, const struct resolve_request *request,
                     const struct consent *consent, const char *version, struct nip_error *err)
{
    bool has_revoked = false;
    for (size_t i = 0; i < decisions->trust.revoked_count; i++)
        has_revoked = has_revoked ||
                      nip_trust_pattern_covers(decisions->trust.revoked[i].pattern, request->name);
    if (is_sdk(request))
        nip_error_hint(err, "packages of the SDK must be signed with the SDK's key; install the "
                            "SDK again");
    else if (consent->is_first_use)
        nip_error_hint(err,
                       "the registry hands out no key that made this signature; get the "
                       "publisher's .pub file and run: nip key trust %s FILE.pub",
                       request->name);
    else if (has_revoked)
        nip_error_hint(err,
                       "a key of %s is revoked in %s, and %s is not among the packages that stay "
                       "valid; take a version that is signed with the present key",
                       request->name, NIP_TRUST_FILE, version);
    else
        nip_error_hint(err,
                       "%s accepts other keys for %s. If the publisher has a rotation statement: "
                       "nip key trust --statement FILE\n"
                       "if the old key is lost, and you know the new one from the publisher: nip "
                       "key trust %s FILE.pub --replace --reason TEXT",
                       NIP_TRUST_FILE, request->name, request->name);
}

// Signature inside and those that the cache keeps: what an offline run counts.
static enum nip_code count_cached(const struct decisions *decisions,
                                  const struct checked_package *package, struct votes *votes,
                                  struct nip_ballot *ballot, struct nip_error *err)
{
    struct nip_buffer texts = {0};
    enum nip_code code = votes_add_inside(package, votes, err);
    if (code == NIP_OK && store_get_signatures(package->sha256, &texts))
        code = votes_add_joined(votes, &texts, err);
    nip_buffer_free(&texts);
    return code == NIP_OK ? votes_count(&decisions->trust, package, votes, ballot, err) : code;
}

static enum nip_code count_registry(struct decisions *decisions,
                                    const struct resolve_request *request, struct registry **opened,
                                    const struct checked_package *package, struct votes *votes,
                                    struct nip_ballot *ballot, struct nip_error *err)
{
    struct registry *registry = NULL;
    struct nip_buffer texts = {0};
    votes_free(votes);
    enum nip_code code = votes_add_inside(package, votes, err);
    if (code == NIP_OK)
        code = resolve_need_registry(decisions, request, opened, &registry, err);
    if (code == NIP_OK)
        code = votes_read_registry(registry, request->name, package->manifest.identity.version,
                                   votes, err);
    if (code == NIP_OK)
        code = votes_count(&decisions->trust, package, votes, ballot, err);
    if (code == NIP_OK && ballot->is_met) {
        for (size_t i = 1; i < votes->count; i++)
            nip_buffer_append(&texts, votes->texts[i].data, votes->texts[i].size);
        store_put_signatures(package->sha256, &texts);
    }
    nip_buffer_free(&texts);
    return code;
}

// ---- who met the threshold ----

// What the lock says about exactly these bytes, or NULL.
static const struct nip_lock_package *locked_as(const struct resolve_request *request,
                                                const struct checked_package *package)
{
    const struct nip_lock_package *locked = request->locked;
    return locked != NULL && locked->path[0] == '\0' &&
                   memcmp(locked->id, nip_package_id(package->package), sizeof locked->id) == 0
               ? locked
               : NULL;
}

static const struct nip_vote *find_vote(const struct nip_ballot *ballot,
                                        const struct nip_public_key *key)
{
    for (size_t i = 0; i < ballot->vote_count; i++) {
        enum nip_vote_verdict verdict = ballot->votes[i].verdict;
        if ((verdict == NIP_VOTE_COUNTS || verdict == NIP_VOTE_KEPT) &&
            nip_public_key_equals(&ballot->votes[i].key, key))
            return &ballot->votes[i];
    }
    return NULL;
}

// The first key of the lock that has not signed, or NULL.
static const struct nip_public_key *find_absent(const struct nip_lock_package *locked,
                                                const struct nip_ballot *ballot)
{
    for (size_t i = 0; locked != NULL && i < locked->keys.count; i++)
        if (find_vote(ballot, &locked->keys.items[i]) == NULL)
            return &locked->keys.items[i];
    return NULL;
}

// Whether the keys of the lock, which have all signed, are enough today.
static bool is_enough(const struct nip_lock_package *locked, const struct nip_ballot *ballot)
{
    uint32_t counted = 0;
    for (size_t i = 0; i < locked->keys.count; i++) {
        const struct nip_vote *vote = find_vote(ballot, &locked->keys.items[i]);
        if (vote->verdict == NIP_VOTE_KEPT)
            return true;
        counted++;
    }
    return counted >= ballot->threshold;
}

// A signature that comes later changes no lock: who met the threshold first stays noted.
static void choose_signers(const struct nip_lock_package *locked, const struct nip_ballot *ballot,
                           struct checked_package *package)
{
    bool is_kept = ballot->counted < ballot->threshold || ballot->threshold == 0;
    package->threshold = is_kept ? 1 : ballot->threshold;
    if (locked != NULL && is_enough(locked, ballot)) {
        package->signers = locked->keys;
        if (locked->keys.count < package->threshold)
            package->threshold = 1; // one that stays valid is enough
        return;
    }
    package->signers.count = 0;
    for (size_t i = 0; i < ballot->vote_count; i++) {
        const struct nip_vote *vote = &ballot->votes[i];
        // Accepted keys always fit; of revoked ones for bytes that stay valid, one is enough.
        if (vote->verdict == NIP_VOTE_COUNTS || (is_kept && vote->verdict == NIP_VOTE_KEPT))
            (void)nip_lock_keys_add(&package->signers, &vote->key);
    }
}

static enum nip_code refuse_absent(const struct nip_public_key *key, const char *what,
                                   struct nip_error *err)
{
    char text[NIP_KEY_TEXT_SIZE];
    nip_public_key_text(key, text);
    nip_error_set(err, NIP_ERROR_MISMATCH,
                  "%s: %s says that the key %s signed it, and no such signature is there that %s "
                  "accepts",
                  what, NIP_LOCK_FILE, text, NIP_TRUST_FILE);
    if (mode_is_offline())
        nip_error_hint(err, "the registry may have it: run 'nip fetch' once without --offline");
    else
        nip_error_hint(err,
                       "a signature does not go away by itself: ask who runs the registry, and who "
                       "changed %s or %s\nif it is meant, remove the package's lines from %s and "
                       "decide again: nip add, or nip fetch",
                       NIP_LOCK_FILE, NIP_TRUST_FILE, NIP_LOCK_FILE);
    return NIP_ERROR_MISMATCH;
}

static enum nip_code require_threshold(struct decisions *decisions,
                                       const struct resolve_request *request,
                                       struct registry **opened, struct checked_package *package,
                                       struct nip_error *err)
{
    const struct nip_lock_package *locked = locked_as(request, package);
    struct votes votes = {0};
    struct nip_ballot ballot;
    char what[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    enum nip_code code = count_cached(decisions, package, &votes, &ballot, err);
    if (code == NIP_OK && (!ballot.is_met || find_absent(locked, &ballot) != NULL) &&
        !mode_is_offline())
        code = count_registry(decisions, request, opened, package, &votes, &ballot, err);
    if (code == NIP_OK)
        code =
            votes_require(&ballot, &votes, checked_package_name(package, what, sizeof what), err);
    const struct nip_public_key *absent = code == NIP_OK ? find_absent(locked, &ballot) : NULL;
    if (absent != NULL)
        code = refuse_absent(absent, what, err);
    else if (code == NIP_OK)
        choose_signers(locked, &ballot, package);
    votes_free(&votes);
    return code;
}

enum nip_code consent_end(const struct cli *cli, struct decisions *decisions,
                          const struct resolve_request *request, struct registry **opened,
                          const struct consent *consent, struct checked_package *package,
                          struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    if (is_sdk(request))
        return NIP_OK;
    if (consent->is_first_use)
        code = decide_first_use(cli, decisions, request, consent, nip_package_key(package->package),
                                err);
    if (code != NIP_OK)
        return code;
    const struct nip_trust_publisher *publisher = nip_trust_find(&decisions->trust, request->name);
    const struct nip_lock_package *locked = locked_as(request, package);
    bool is_locked_so =
        locked == NULL || (nip_lock_keys_include(&locked->keys, &package->signers) &&
                           nip_lock_keys_include(&package->signers, &locked->keys));
    // The signature inside is under an accepted key, or the package stays valid under a revoked
    // one; that is all there is to know.
    if ((publisher == NULL || publisher->threshold == 1) && is_locked_so)
        return NIP_OK;
    return require_threshold(decisions, request, opened, package, err);
}
