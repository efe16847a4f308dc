// SPDX-License-Identifier: Apache-2.0
//
// nip.trust.kdl: where packages come from, and whose signatures count for which names.
//
//   registry "reg" url="file:../reg"
//   publisher "acme/*" key="RWQ..."        // every package of the namespace
//   publisher "acme/clock" key="RWQ..."    // a line for one name replaces those for its namespace
//
// The file is committed with the project and is the only list of accepted publisher keys; each line
// is one decision, so that two branches merge and a reviewer sees it. The alias "sdk" is always
// there, means the SDK's own registry, and accepts the SDK's key only; it cannot be written here.

#ifndef NIP_TRUST_H
#define NIP_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/buffer.h"
#include "nip/error.h"
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
    NIP_TRUST_ALIAS_SIZE = 64,
    NIP_TRUST_URL_SIZE = 512,
    NIP_TRUST_SIZE_MAX = 262144,
};

struct nip_trust_registry {
    char alias[NIP_TRUST_ALIAS_SIZE];
    char url[NIP_TRUST_URL_SIZE];
};

struct nip_trust_publisher {
    char pattern[NIP_NAME_MAX + 1]; // "namespace/name" or "namespace/*"
    struct nip_public_key key;
};

// Owns no memory. About 40 KiB.
struct nip_trust {
    size_t registry_count, publisher_count;
    struct nip_trust_registry registries[NIP_TRUST_REGISTRIES_MAX];
    struct nip_trust_publisher publishers[NIP_TRUST_PUBLISHERS_MAX];
};

// `file` is what errors call it. An empty text is an empty list.
enum nip_code nip_trust_parse(const char *text, size_t size, const char *file,
                              struct nip_trust *trust, struct nip_error *err) NIP_MUST_CHECK;

// The address of an alias, or NULL.
const char *nip_trust_url(const struct nip_trust *trust, const char *alias);
// The alias of an address, or NULL.
const char *nip_trust_alias(const struct nip_trust *trust, const char *url);
bool nip_trust_alias_is_valid(const char *alias);

// Copies the keys accepted for `name` to `keys` (at most `key_max`) and returns how many there are.
// 0 means that the project says nothing about this name.
size_t nip_trust_keys(const struct nip_trust *trust, const char *name, struct nip_public_key *keys,
                      size_t key_max);

// "namespace/name" or "namespace/*".
bool nip_trust_pattern_is_valid(const char *pattern);

// Append one line to the text of the file; the rest stays as it is.
void nip_trust_append_registry(struct nip_buffer *text, const char *alias, const char *url);
void nip_trust_append_publisher(struct nip_buffer *text, const char *pattern,
                                const struct nip_public_key *key);

#ifdef __cplusplus
}
#endif

#endif
