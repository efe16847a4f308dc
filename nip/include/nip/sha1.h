// SPDX-License-Identifier: Apache-2.0
//
// SHA-1, for bills of materials only: SPDX 2.3 asks for it beside better digests (clauses 7.9 and
// 8.4). Nothing is ever trusted because of it. The only door to libmd.

#ifndef NIP_SHA1_H
#define NIP_SHA1_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { NIP_SHA1_TEXT_SIZE = 41 }; // 40 lower-case hexadecimal digits and NUL

void nip_sha1_text(const void *data, size_t size, char text[NIP_SHA1_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
