// SPDX-License-Identifier: Apache-2.0
//
// The password of a secret key: from the variable NIP_PASSWORD, which is read once at the very
// start and removed from the environment before any other program is started, or from the terminal.

#ifndef NIP_CLI_PASSWORD_H
#define NIP_CLI_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/error.h"

enum { PASSWORD_SIZE = 1024 };

// Moves NIP_PASSWORD from the environment into private memory.
enum nip_code password_take(struct nip_error *err) NIP_MUST_CHECK;
// Overwrites it.
void password_forget(void);
bool password_is_given(void);

// Writes the password for the key named `name` to `out`: the given one, or asked on the terminal
// (twice for a new key). PASSWORD when there is no terminal to ask on.
enum nip_code password_get(const char *name, bool is_new, char out[PASSWORD_SIZE],
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
