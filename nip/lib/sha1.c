// SPDX-License-Identifier: Apache-2.0
//
// SHA-1 by libmd.

#include "nip/sha1.h"

#include <sys/types.h>

#include <sha1.h>
#include <stdint.h>

_Static_assert(NIP_SHA1_TEXT_SIZE == SHA1_DIGEST_STRING_LENGTH, "hexadecimal digits and NUL");

void nip_sha1_text(const void *data, size_t size, char text[NIP_SHA1_TEXT_SIZE])
{
    SHA1_CTX context;
    SHA1Init(&context);
    SHA1Update(&context, size != 0 ? (const uint8_t *)data : (const uint8_t *)"", size);
    SHA1End(&context, text);
}
