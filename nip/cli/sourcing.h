// SPDX-License-Identifier: Apache-2.0
//
// From the folder of a project to its source archive (nip/source.h).
//
// Everything in the project is source, except what nip and editors put there: names that begin with
// a dot, `build` beside a manifest, *.npl and *.minisig files, files ending in '~', folders that
// are registries. A secret key is refused.

#ifndef NIP_CLI_SOURCING_H
#define NIP_CLI_SOURCING_H

#include "nip/buffer.h"
#include "nip/error.h"

// Appends the source archive of the project in `folder`. A symbolic link or anything else that is
// neither file nor folder is refused by its name.
enum nip_code sourcing_collect(const char *folder, struct nip_buffer *tar,
                               struct nip_error *err) NIP_MUST_CHECK;

#endif
