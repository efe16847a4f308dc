// SPDX-License-Identifier: Apache-2.0
//
// The canonical ustar header. A package's tar has exactly one spelling, so reading is: make the
// header that must stand here, and compare 512 bytes. There is no tar parser that could be fooled.

#ifndef NIP_LIB_TAR_H
#define NIP_LIB_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"

enum {
    NIP_TAR_BLOCK_SIZE = 512,
    NIP_TAR_END_SIZE = 2 * NIP_TAR_BLOCK_SIZE, // two zero blocks
};

// Writes the header of a regular file. `path` must be valid for a package (or one of the two names
// at the front) and `size` at most NIP_FILE_SIZE_MAX.
void nip_tar_header(const char *path, uint64_t size, uint8_t block[NIP_TAR_BLOCK_SIZE]);
// Whether `block` is exactly the header of `path` with some size of at most `size_max`; finds the
// size.
bool nip_tar_header_matches(const uint8_t block[NIP_TAR_BLOCK_SIZE], const char *path,
                            uint64_t size_max, uint64_t *size);
// Whether `block` is a ustar header of a regular file at all, whatever else is in it.
bool nip_tar_header_is_regular(const uint8_t block[NIP_TAR_BLOCK_SIZE]);
// Why it is not the header of `path` with this size (or, unless `is_exact`, at most this size):
// fills `err` with the first reason, for people. Always FORMAT.
enum nip_code nip_tar_header_explain(const uint8_t block[NIP_TAR_BLOCK_SIZE], const char *path,
                                     uint64_t size, bool is_exact, struct nip_error *err);
// Bytes of zero behind content of this size.
size_t nip_tar_padding(uint64_t size);

#endif
