// SPDX-License-Identifier: Apache-2.0
//
// The keys of this user.
//
//   $XDG_DATA_HOME/rumpk/keys/NAME.key     secret, 0600, encrypted unless --no-password
//   $XDG_DATA_HOME/rumpk/keys/NAME.pub     public
//   $XDG_DATA_HOME/rumpk/development.key   made silently, 0600, not encrypted; for `nip run` and
//                                          images marked development only
//
// (XDG_DATA_HOME is ~/.local/share when it is not set.) A key is named by its NAME or, with a slash
// in it, by the path of its file.

#ifndef NIP_CLI_KEYSTORE_H
#define NIP_CLI_KEYSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "nip/error.h"
#include "nip/minisign.h"

#define KEYSTORE_DEFAULT_NAME "default"
enum { KEYSTORE_KEYS_MAX = 64, KEYSTORE_NAME_SIZE = 64 };

struct keystore_entry {
    char name[KEYSTORE_NAME_SIZE];
    struct nip_public_key key;
};

// All public keys of the user, by name. A missing folder is an empty list.
enum nip_code keystore_list(struct keystore_entry entries[KEYSTORE_KEYS_MAX], size_t *count,
                            struct nip_error *err) NIP_MUST_CHECK;

// Makes NAME.key and NAME.pub. EXISTS if there is one.
enum nip_code keystore_make(const char *name, bool has_password, struct nip_public_key *key,
                            struct nip_error *err) NIP_MUST_CHECK;

// The secret key NAME, unlocked (once per process, however often it is asked for). The caller wipes
// its copy. MISSING names the command that makes one.
enum nip_code keystore_unlock(const char *name, struct nip_secret_key *key,
                              struct nip_error *err) NIP_MUST_CHECK;

// MISSING: the message says that there is no such key, the hint which command makes one, and which
// of the user's keys could be named instead. `file` is where it was looked for, or NULL.
enum nip_code keystore_refuse_missing(const char *name, const char *file, struct nip_error *err);
// Whether the secret key NAME is there and private; it is not unlocked.
enum nip_code keystore_check(const char *name, struct nip_error *err) NIP_MUST_CHECK;
// Whether `name` is that of a secret key of this user, or the path of a .key file.
bool keystore_has_secret(const char *name);

// The public key of `text`: RW..., a NAME of this user, or a .pub file.
enum nip_code keystore_public(const char *text, struct nip_public_key *key,
                              struct nip_error *err) NIP_MUST_CHECK;

// The development key, made if it is not there.
enum nip_code keystore_development(struct nip_secret_key *key,
                                   struct nip_error *err) NIP_MUST_CHECK;
// Whether `key` is this user's development key.
bool keystore_is_development(const uint8_t key[NIP_PUBLIC_KEY_BYTES]);

#endif
