// SPDX-License-Identifier: Apache-2.0
//
// Licence expressions as in SPDX 2.3, annex D: identifiers joined by AND, OR and WITH, with
// parentheses and "+".
//
// An identifier that looks like a slip of a well-known one ("Apache2.0", "GPL-2.0") is refused with
// the right one; one that nobody here knows passes, for the list of SPDX grows: its text must be in
// LICENSES all the same. Texts of one's own are called LicenseRef-NAME.

#ifndef NIP_SPDX_H
#define NIP_SPDX_H

#include <stddef.h>

#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NIP_SPDX_IDENTIFIER_MAX = 80, NIP_SPDX_DEPTH_MAX = 16 };

// NIP_OK, or SCHEMA with what is wrong and what was meant.
enum nip_code nip_spdx_check(const char *expression, struct nip_error *err) NIP_MUST_CHECK;

// Calls `each` for every identifier of licences and exceptions, without "+", in the order of the
// text, also when one stands there twice. Ends with the first failure.
enum nip_code nip_spdx_each(const char *expression,
                            enum nip_code (*each)(void *context, const char *identifier,
                                                  struct nip_error *err),
                            void *context, struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
