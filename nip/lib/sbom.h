// SPDX-License-Identifier: Apache-2.0
//
// The bill of materials of a package, as SPDX 2.3 JSON.

#ifndef NIP_LIB_SBOM_H
#define NIP_LIB_SBOM_H

#include "nip/pack.h"

// Appends the document: the package, its files and beside files with their digests, the toolchain,
// and the components linked in. Its namespace is derived from the digests of all of these, so that
// different contents never share one.
enum nip_code sbom_write(const struct nip_pack *pack, const struct nip_manifest *manifest,
                         const char *toolchain, const char *tool, const char *date,
                         struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;

#endif
