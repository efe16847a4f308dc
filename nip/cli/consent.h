// SPDX-License-Identifier: Apache-2.0
//
// Whose signature counts for a package that comes from a registry. Separate from resolve.c, which
// chooses registry and version, because here a person may have to decide.
//
//   begin ──> keys that the inside signature may be under
//   (the package is opened and checked under these)
//   end ────> threshold met?   or, for a name that the project says nothing about: accepted now?

#ifndef NIP_CLI_CONSENT_H
#define NIP_CLI_CONSENT_H

#include "keystore.h"
#include "resolve.h"

enum { CONSENT_KEYS_MAX = KEYSTORE_KEYS_MAX + REGISTRY_KEYS_MAX };

struct consent {
    struct nip_public_key keys[CONSENT_KEYS_MAX];
    size_t count, own_count; // the first `own_count` are the user's own
    bool is_first_use;       // none of them is accepted yet
};

// `opened` as in resolve_need_registry(). `npl`: the package as it was fetched; its id decides
// which revoked keys still count for it.
enum nip_code consent_begin(struct decisions *decisions, const struct resolve_request *request,
                            struct registry **opened, const struct nip_buffer *npl,
                            struct consent *consent, struct nip_error *err) NIP_MUST_CHECK;
// The package was refused under these keys: says what to do.
void consent_explain(const struct decisions *decisions, const struct resolve_request *request,
                     const struct consent *consent, const char *version, struct nip_error *err);
// The package is whole: counts the signatures, or asks about a key that is new here. Then
// package->signers holds the keys that met the threshold: those that the lock names for these
// bytes, as long as they do (MISMATCH when one of them has not signed).
enum nip_code consent_end(const struct cli *cli, struct decisions *decisions,
                          const struct resolve_request *request, struct registry **opened,
                          const struct consent *consent, struct checked_package *package,
                          struct nip_error *err) NIP_MUST_CHECK;

#endif
