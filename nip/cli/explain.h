// SPDX-License-Identifier: Apache-2.0
//
// What each error means, with an example and the way out: nip help errors [CODE].

#ifndef NIP_CLI_EXPLAIN_H
#define NIP_CLI_EXPLAIN_H

#include "cli.h"

// Every error, one line each.
void explain_all(void);
// One of them, by its name in any case. USAGE names the nearest one.
enum nip_code explain_one(const char *name, struct nip_error *err) NIP_MUST_CHECK;

// The first thing to do about an error of this code, for an error that brings no hint of its own.
const char *explain_repair(enum nip_code code);

#endif
