// SPDX-License-Identifier: Apache-2.0
//
// What the two files of `digests` share. Private to digests*.c.

#ifndef NIP_LIB_DIGESTS_PARTS_H
#define NIP_LIB_DIGESTS_PARTS_H

#include "nip/digests.h"

bool digests_text_equals(const char *text, size_t size, const char *expected);
enum nip_code digests_append_file(struct nip_digests_file **files, size_t *count,
                                  const struct nip_digests_file *file,
                                  struct nip_error *err) NIP_MUST_CHECK;
// The path (of a file, a beside file or one of the two front entries) with which `path` cannot
// share a folder, or NULL.
const char *digests_find_collision(const struct nip_digests *digests, const char *path);
// Prints without checking.
void digests_print_text(const struct nip_digests *digests, struct nip_buffer *out);

#endif
