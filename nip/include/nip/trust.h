// SPDX-License-Identifier: Apache-2.0
//
// nip.trust.kdl: where packages come from, and whose signatures count for which names.
//
//   registry "reg" url="file:../reg" root="<64 hex>"  // SHA-256 of its root metadata, if it has
//   any publisher "acme/*" key="RWQ..."                   // one key for every package of the
//   namespace publisher "acme/clock" {                          // the name's own lines replace
//   those
//       key "RWQ..."
//       key "RWQ..."
//       threshold 2                                   // so many different keys must have signed
//       rotation 4                                    // serial of the last statement that was
//       taken reason "key read over the phone"              // why a person changed the keys
//   }
//   revoked "acme/*" key="RWQ..." reason="stolen" {   // counts for these package ids only
//       keep "<64 hex>"
//   }
//
// The file is committed with the project and is the only list of accepted publisher keys, so that a
// reviewer sees each decision. The alias "sdk" is always there, means the SDK's own registry, and
// accepts the SDK's key only; it cannot be written here.
//
// Keys are compared as 32 decoded bytes; a key id selects nothing. No date decides anything.

#ifndef NIP_TRUST_H
#define NIP_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/kdl.h"
#include "nip/minisign.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_TRUST_FILE      "nip.trust.kdl"
#define NIP_TRUST_SDK_ALIAS "sdk"

enum {
    NIP_TRUST_REGISTRIES_MAX = 32,
    NIP_TRUST_PUBLISHERS_MAX = 256,
    NIP_TRUST_KEYS_MAX = 8, // of one publisher line
    NIP_TRUST_REVOKED_MAX = 64,
    NIP_TRUST_KEEPS_MAX = 1024, // package ids that stay valid, all lines together
    NIP_TRUST_ALIAS_SIZE = 64,
    NIP_TRUST_URL_SIZE = 512,
    NIP_TRUST_REASON_SIZE = 256,
    NIP_TRUST_SIZE_MAX = 262144,
};

struct nip_trust_registry {
    char alias[NIP_TRUST_ALIAS_SIZE];
    char url[NIP_TRUST_URL_SIZE];
    bool has_root;
    uint8_t root[NIP_DIGEST_SIZE];
};

struct nip_trust_publisher {
    char pattern[NIP_NAME_MAX + 1]; // "namespace/name" or "namespace/*"
    uint32_t threshold;             // 1 to key_count
    uint32_t rotation;              // 0: no statement was taken yet
    size_t key_count;               // all different
    struct nip_public_key keys[NIP_TRUST_KEYS_MAX];
    char reason[NIP_TRUST_REASON_SIZE]; // "" when there is none
    struct nip_kdl_span span;           // in the text that was parsed
};

struct nip_trust_revoked {
    char pattern[NIP_NAME_MAX + 1];
    struct nip_public_key key;
    char reason[NIP_TRUST_REASON_SIZE];
    size_t keep_first, keep_count; // in nip_trust.keeps
    struct nip_kdl_span span;
};

// Owns no memory. About 260 KiB.
struct nip_trust {
    size_t registry_count, publisher_count, revoked_count, keep_count;
    struct nip_trust_registry registries[NIP_TRUST_REGISTRIES_MAX];
    struct nip_trust_publisher publishers[NIP_TRUST_PUBLISHERS_MAX];
    struct nip_trust_revoked revoked[NIP_TRUST_REVOKED_MAX];
    uint8_t keeps[NIP_TRUST_KEEPS_MAX][NIP_DIGEST_SIZE];
};

// `file` is what errors call it. An empty text is an empty list.
enum nip_code nip_trust_parse(const char *text, size_t size, const char *file,
                              struct nip_trust *trust, struct nip_error *err) NIP_MUST_CHECK;

// The address of an alias, or NULL.
const char *nip_trust_url(const struct nip_trust *trust, const char *alias);
// The alias of an address, or NULL.
const char *nip_trust_alias(const struct nip_trust *trust, const char *url);
bool nip_trust_alias_is_valid(const char *alias);

// The line that decides about `name`: its own, else that of its namespace, else NULL (the project
// says nothing about this name).
const struct nip_trust_publisher *nip_trust_find(const struct nip_trust *trust, const char *name);

// What the project says about one key for one name.
enum nip_trust_standing {
    NIP_TRUST_UNKNOWN,  // nothing
    NIP_TRUST_ACCEPTED, // it counts
    NIP_TRUST_REVOKED,  // it is revoked, and this package is not among those that stay valid
    NIP_TRUST_KEPT,     // it is revoked, and this package stays valid
};
// `id` is the package id; NULL means a package that no list names.
enum nip_trust_standing nip_trust_standing(const struct nip_trust *trust, const char *name,
                                           const uint8_t key[NIP_PUBLIC_KEY_BYTES],
                                           const uint8_t *id);

// The keys under which the signature inside a package of this name and id may be: those that count,
// and revoked ones for packages that stay valid. At most `key_max`; returns how many there are.
size_t nip_trust_keys(const struct nip_trust *trust, const char *name, const uint8_t *id,
                      struct nip_public_key *keys, size_t key_max);

// "namespace/name" or "namespace/*".
bool nip_trust_pattern_is_valid(const char *pattern);
// Whether a line for `pattern` speaks about `name` (a name, or itself a pattern).
bool nip_trust_pattern_covers(const char *pattern, const char *name);

// ---- counting signatures ----

enum {
    NIP_BALLOT_VOTES_MAX = 33, // the signature inside and 32 beside
};

enum nip_vote_verdict {
    NIP_VOTE_COUNTS,    // an accepted key, for the first time
    NIP_VOTE_KEPT,      // a revoked key, and the package is one of those that stay valid
    NIP_VOTE_REPEATED,  // an accepted key that has been counted already
    NIP_VOTE_REVOKED,   // a revoked key
    NIP_VOTE_UNKNOWN,   // none of the keys that the project knows for this name
    NIP_VOTE_MALFORMED, // no signature, or one over other bytes under a key that it names
};
const char *nip_vote_words(enum nip_vote_verdict verdict);

struct nip_vote {
    enum nip_vote_verdict verdict;
    struct nip_public_key key; // when the verdict says that one is known
};

struct nip_ballot {
    size_t vote_count;
    struct nip_vote votes[NIP_BALLOT_VOTES_MAX]; // in the order of the texts
    uint32_t counted, threshold;                 // threshold 0: nothing is accepted for the name
    bool is_met;
};

struct nip_signature_text {
    const char *text;
    size_t size;
};

// What a package is counted by.
struct nip_ballot_subject {
    const char *name, *version;
    const void *digests;
    size_t digests_size;
};

// Judges every signature over `digests`; which of them comes first decides nothing but who counts
// as repeated. Different decoded keys are counted; a package that stays valid under a revoked key
// is met by that alone, for its id was accepted before. LIMIT with too many texts.
enum nip_code nip_trust_count(const struct nip_trust *trust,
                              const struct nip_ballot_subject *subject,
                              const struct nip_signature_text *texts, size_t text_count,
                              struct nip_ballot *ballot, struct nip_error *err) NIP_MUST_CHECK;

// ---- changing the file ----

// Appends one line to the text of the file; the rest stays as it is.
void nip_trust_append_registry(struct nip_buffer *text, const char *alias, const char *url);
void nip_trust_append_publisher(struct nip_buffer *text, const char *pattern,
                                const struct nip_public_key *key);

// Writes `text`, of which `trust` was parsed, to `out`, with the line of publisher->pattern
// replaced or appended. `trust` is not changed.
void nip_trust_put_publisher(const struct nip_trust *trust, const char *text, size_t size,
                             const struct nip_trust_publisher *publisher, struct nip_buffer *out);
// The same for a revocation: keys are compared, so a second one replaces the first. `keeps`:
// revoked->keep_count package ids, one behind the other.
void nip_trust_put_revoked(const struct nip_trust *trust, const char *text, size_t size,
                           const struct nip_trust_revoked *revoked, const uint8_t *keeps,
                           struct nip_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
