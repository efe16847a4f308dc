// SPDX-License-Identifier: Apache-2.0
//
// Elements of SPDX 2.3 that the bill of a package and that of an image have in common. "Clause" is
// one of the SPDX specification 2.3.

#ifndef NIP_LIB_SBOM_PARTS_H
#define NIP_LIB_SBOM_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "nip/crypto.h"
#include "nip/json.h"
#include "nip/sha1.h"

#define SBOM_EXTRACTED   "hasExtractedLicensingInfos"
#define SBOM_LICENSE_REF "LicenseRef-"

// The SHA-1 of every file of one package, for its verification code.
struct sbom_code {
    char (*items)[NIP_SHA1_TEXT_SIZE];
    size_t count, max;
};

struct nip_json *sbom_checksum(const char *algorithm, const char *value);
struct nip_json *sbom_digest(const char *algorithm, const uint8_t digest[NIP_DIGEST_SIZE]);
struct nip_json *sbom_relation(const char *from, const char *kind, const char *to);

// A file (clause 8) with SHA-1, SHA-256 and BLAKE2b-256 of its content. `code` may be NULL.
struct nip_json *sbom_file(const char *id, const char *name, const void *data, size_t size,
                           struct sbom_code *code);

// The opening of a document (clause 6): everything but packages, files and relationships.
struct nip_json *sbom_document(const char *name, const char *space, const char *tool,
                               const char *date);

// What every package has (clause 7). Without a `code` its files were not looked at; with one, it
// gets the verification code over them (7.9), and `excluded`, which ends with NULL, names the files
// that cannot be part of it.
struct nip_json *sbom_package(const char *id, const char *name, const char *version,
                              const char *license, struct sbom_code *code,
                              const char *const *excluded);

#endif
