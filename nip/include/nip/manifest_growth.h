// SPDX-License-Identifier: Apache-2.0
//
// What a newer version of a package asks for beyond an older one, in words.

#ifndef NIP_MANIFEST_GROWTH_H
#define NIP_MANIFEST_GROWTH_H

#include <stddef.h>

#include "nip/manifest.h"

#ifdef __cplusplus
extern "C" {
#endif

// Calls `each` with one line ("asks for 128 KiB of memory as "scratch", before: 64 KiB") for
// everything that grew: requests that are new or larger or of another kind, services newly needed,
// classes of calls, stack, heap, budget, a stricter spectrum, and devices newly matched. Returns
// how many. What became less is no growth.
size_t nip_manifest_growth(const struct nip_manifest *before, const struct nip_manifest *now,
                           void (*each)(void *context, const char *line), void *context);

#ifdef __cplusplus
}
#endif

#endif
