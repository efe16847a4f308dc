// SPDX-License-Identifier: Apache-2.0
//
// What the comparers share. Private to diff*.c.

#ifndef NIP_LIB_DIFF_PARTS_H
#define NIP_LIB_DIFF_PARTS_H

#include "nip/diff.h"

// GREW when b is more than a, SHRANK when it is less.
enum nip_change_kind diff_kind_of(uint64_t a, uint64_t b);
// The first 16 digits of a key's fingerprint, of an id, of any digest.
void diff_key_text(const uint8_t key[NIP_PUBLIC_KEY_BYTES], char out[20]);
void diff_id_text(const uint8_t id[NIP_DIGEST_SIZE], char out[20]);
// "812 B", "64 KiB" where it is a whole number of them, else "1.2 KiB".
void diff_size_text(uint64_t size, char out[32]);
// A number that is better small, or only different, in words: "NAME: A -> B".
void diff_number(struct nip_changes *changes, enum nip_change_area area, const char *subject,
                 const char *what, uint64_t a, uint64_t b);
void diff_size(struct nip_changes *changes, enum nip_change_area area, const char *subject,
               const char *what, uint64_t a, uint64_t b);

#endif
