// SPDX-License-Identifier: Apache-2.0
//
// What the files that read packages share. Private to package*.c.

#ifndef NIP_LIB_PACKAGE_PARTS_H
#define NIP_LIB_PACKAGE_PARTS_H

#include "nip/package.h"
#include "zstd_frame.h"

struct nip_package {
    struct nip_zstd_reader *reader;
    struct nip_buffer signature_text, digests_text;
    uint8_t **contents; // of a loaded package, one per file
    struct nip_signature signature;
    struct nip_digests digests;
    struct nip_public_key key;
    uint8_t id[NIP_DIGEST_SIZE];
    bool has_been_read;
};

bool package_is_zero(const uint8_t *bytes, size_t size);

#endif
