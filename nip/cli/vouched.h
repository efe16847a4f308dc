// SPDX-License-Identifier: Apache-2.0
//
// Which keys something on this computer vouches for: the project's trust file for this name, the
// user's own keys, the SDK's key, the development key. For nip verify, inspect, sign and diff,
// which look at a file without a registry.

#ifndef NIP_CLI_VOUCHED_H
#define NIP_CLI_VOUCHED_H

#include "check.h"
#include "cli.h"
#include "keystore.h"
#include "nip/image.h"
#include "nip/trust.h"
#include "votes.h"

enum {
    VOUCHED_KEYS_MAX =
        KEYSTORE_KEYS_MAX + NIP_TRUST_KEYS_MAX + NIP_TRUST_REVOKED_MAX + REGISTRY_KEYS_MAX + 3
};

struct vouched_key {
    struct nip_public_key key;
    char whose[160];
};

// A package that has been read from a file, and what its signatures are worth here.
struct vouched {
    struct vouched_key items[VOUCHED_KEYS_MAX];
    struct nip_public_key keys[VOUCHED_KEYS_MAX];
    size_t count;
    struct nip_trust trust;
    struct votes votes;       // of the package: inside and beside
    struct nip_ballot ballot; // by nip.trust.kdl
    bool has_ballot;          // nip.trust.kdl says something about the name
    bool is_published;        // set before opening: it is not a file, so nothing lies beside it
    // Set before opening, or nothing: keys that a registry names. They prove integrity, vouch for
    // nothing, and come last; is_hint says that one of them has signed.
    struct nip_public_key hints[REGISTRY_KEYS_MAX];
    size_t hint_count;
    bool is_hint;
};

// Allocates; NULL without memory.
struct vouched *vouched_new(void);
void vouched_free(struct vouched *vouched); // NULL is fine

// Opens the package in `content` (which it takes) as read from `file`; `key_name` is the key that
// must have signed, or NULL. *whose says who vouches for its key. Signatures that lie beside the
// file are read and judged, but a threshold that is not met is no error here.
enum nip_code vouched_open_package(struct vouched *vouched, const char *file, const char *key_name,
                                   struct nip_buffer *content, struct checked_package *package,
                                   const char **whose, struct nip_error *err) NIP_MUST_CHECK;
// Opens the image in `content`.
enum nip_code vouched_open_image(const char *file, const char *key_name,
                                 const struct nip_buffer *content, struct nip_image_report **report,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Who vouches for an image owner's key, or NULL.
const char *vouched_owner(struct vouched *vouched, const uint8_t key[NIP_PUBLIC_KEY_BYTES]);

// Reads a file that is a package or an image; *is_image says which.
enum nip_code vouched_read_file(const char *file, struct nip_buffer *content, bool *is_image,
                                struct nip_error *err) NIP_MUST_CHECK;

#endif
