// SPDX-License-Identifier: Apache-2.0
//
// From a name to a checked package: which registry, which version, whose key.
//
// Whose key counts for a name, in this order; the first that says something decides:
//   alias sdk                     the SDK's key, nothing else
//   nip.trust.kdl                 the keys that stand there
//   local/*, made by this user    a key of the user's own key store; noted in nip.trust.kdl
//   anything else                 first use: fingerprint shown, asked on a terminal, or --trust

#ifndef NIP_CLI_RESOLVE_H
#define NIP_CLI_RESOLVE_H

#include "check.h"
#include "cli.h"
#include "nip/lock.h"
#include "nip/trust.h"
#include "registry.h"
#include "sdk.h"

// What a project says about registries and keys.
struct decisions {
    char folder[CLI_PATH_SIZE]; // of the project
    char home[CLI_PATH_SIZE];   // of these decisions; addresses in them go from there
    struct sdk sdk;
    struct nip_trust trust;
    struct nip_buffer trust_text; // nip.trust.kdl, with what was decided since
    bool is_trust_changed;
};

// Of the project in the current folder, or in another.
enum nip_code decisions_load(struct decisions *decisions, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code decisions_load_in(struct decisions *decisions, const char *folder,
                                struct nip_error *err) NIP_MUST_CHECK;
// After a change of trust_text: parses it again, so that text and lists say the same.
enum nip_code decisions_reread(struct decisions *decisions, struct nip_error *err) NIP_MUST_CHECK;
void decisions_free(struct decisions *decisions);

// Opens the registry `where`: an alias, an address, or NULL (the only one there is; the SDK's for
// rumpk/*). `alias` (NIP_TRUST_ALIAS_SIZE bytes) gets its alias; an address without one gets a new
// one, noted in nip.trust.kdl when it is saved. `name` may be NULL.
enum nip_code resolve_registry(struct decisions *decisions, const char *where, const char *name,
                               bool may_create, struct registry **registry, bool *is_new,
                               char *alias, struct nip_error *err) NIP_MUST_CHECK;

struct resolve_request {
    const char *name;
    const char *version; // NULL: the highest
    const char *alias;
    struct registry *registry;             // NULL: opened by its alias, if the cache is not enough
    const struct nip_lock_package *locked; // or NULL; its bytes are looked for in the cache first
    const uint8_t *expected_key;           // or NULL; what another author built against (32 bytes)
    const char *fingerprint;               // answers first use; NULL: ask
    bool may_decide; // first use and own keys are allowed to extend nip.trust.kdl
};

// The registry of a request, opened when it is first needed; *opened is to be closed.
enum nip_code resolve_need_registry(struct decisions *decisions,
                                    const struct resolve_request *request, struct registry **opened,
                                    struct registry **registry,
                                    struct nip_error *err) NIP_MUST_CHECK;

// Fetches, checks and returns a package; the caller ends with checked_package_free().
enum nip_code resolve_package(const struct cli *cli, struct decisions *decisions,
                              const struct resolve_request *request,
                              struct checked_package *package,
                              struct nip_error *err) NIP_MUST_CHECK;

// "name@version" into its parts; *version stays "" without one.
enum nip_code resolve_split(const char *text, char name[NIP_NAME_MAX + 1],
                            char version[NIP_VERSION_MAX + 1],
                            struct nip_error *err) NIP_MUST_CHECK;

#endif
