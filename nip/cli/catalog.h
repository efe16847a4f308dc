// SPDX-License-Identifier: Apache-2.0
//
// What the registries that are known here offer, for people who look around (nip search, info,
// owner). Nothing of it decides anything.
//
// A registry's word (which names and versions there are, what is yanked, whose key it hands out) is
// a hint. What a package says of itself (description, licence) is shown only when the signature
// inside is valid, together with the key it is valid under and whether anybody here vouches for it.

#ifndef NIP_CLI_CATALOG_H
#define NIP_CLI_CATALOG_H

#include "cli.h"
#include "keystore.h"
#include "nip/config.h"
#include "registry.h"
#include "resolve.h"

enum { CATALOG_REGISTRIES_MAX = 1 + NIP_TRUST_REGISTRIES_MAX + NIP_CONFIG_REGISTRIES_MAX };

struct catalog_registry {
    char alias[NIP_TRUST_ALIAS_SIZE];
    struct registry *registry;
};

struct catalog {
    struct decisions decisions;
    struct keystore_entry own[KEYSTORE_KEYS_MAX];
    size_t own_count;
    size_t count;
    struct catalog_registry items[CATALOG_REGISTRIES_MAX];
};

// Opens `where` (an alias or address), or all that are known here: the SDK's, the project's, the
// user's. Of several, those that cannot be opened are warned about and left out.
enum nip_code catalog_open(const struct cli *cli, const char *where, struct catalog *catalog,
                           struct nip_error *err) NIP_MUST_CHECK;
void catalog_close(struct catalog *catalog);

// The one registry that has `name`. MISSING: none; CONFLICT: several (the hint names them).
enum nip_code catalog_find(const struct catalog *catalog, const char *name,
                           const struct catalog_registry **found,
                           struct nip_error *err) NIP_MUST_CHECK;

enum catalog_standing {
    CATALOG_UNVERIFIED, // `trouble` says why: nothing that the package says is known
    CATALOG_KNOWN,      // `whose` says who vouches for the key here
    CATALOG_UNKNOWN,    // valid under a key that only the registry names
    CATALOG_REVOKED,    // valid under a key that is revoked here
};

// One package of one registry.
struct catalog_card {
    const struct catalog_registry *from;
    char name[NIP_NAME_MAX + 1];
    char version[NIP_VERSION_MAX + 1]; // the highest that is not yanked, else the highest; or ""
    struct nip_folder_versions versions;
    size_t yanked_count;
    enum catalog_standing standing;
    struct nip_public_key key;
    char whose[160];
    char kind[16], description[NIP_MANIFEST_TEXT_SIZE], license[NIP_MANIFEST_TEXT_SIZE];
    char trouble[256];
};
// Reads it. What is wrong with one package is said in its card; the error is for what is wrong
// here.
enum nip_code catalog_read(struct catalog *catalog, const struct catalog_registry *from,
                           const char *name, struct catalog_card *card,
                           struct nip_error *err) NIP_MUST_CHECK;
void catalog_card_free(struct catalog_card *card);

// Whose key this is here, for this name and package: words, or NULL when nobody vouches for it.
// `id` may be NULL: a package that no list names. `is_sdk`: it comes from the SDK's registry.
const char *catalog_whose(const struct catalog *catalog, const char *name, bool is_sdk,
                          const struct nip_public_key *key, const uint8_t *id, char out[160]);

#endif
