// SPDX-License-Identifier: Apache-2.0
//
// The verb of nip-tamper that puts whole parts into a boot archive and signs everything anew, apart
// from the verbs that change an image behind its signatures.

#ifndef NIP_TAMPER_BOOT_H
#define NIP_TAMPER_BOOT_H

#include "nip/archive.h"
#include "nip/error.h"
#include "nip/minisign.h"

// Replaces every part of `archive` for which `folder` has a file: N.digests, N.bkdl and N.elf of
// package N (its number in the boot manifest), and boot.bkdl. The bytes are taken as they are. Then
// `publisher` signs every replaced digests, and `owner` the boot manifest. The new parts live to
// the end of the process.
enum nip_code tamper_parts(struct nip_archive *archive, const char *folder,
                           const struct nip_secret_key *publisher,
                           const struct nip_secret_key *owner,
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
