// SPDX-License-Identifier: Apache-2.0
//
// What --locked, --offline and --frozen forbid, for the whole of one invocation.
//
//   --locked   nip.lock must be complete as it is: a command that would change it fails
//   --offline  nothing is taken from a registry: the cache and the SDK must have everything
//   --frozen   both
//
// Set once by main() before a command runs, and asked where a registry is opened and where the lock
// is written, so that no command can forget it.

#ifndef NIP_CLI_MODE_H
#define NIP_CLI_MODE_H

#include <stdbool.h>

void mode_set(bool is_locked, bool is_offline);
bool mode_is_locked(void);
bool mode_is_offline(void);

#endif
