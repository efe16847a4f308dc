// SPDX-License-Identifier: Apache-2.0
//
// Changing a KDL text in one place and leaving every other byte as its author wrote it. The caller
// parses the result again before it trusts it.

#ifndef NIP_KDL_EDIT_H
#define NIP_KDL_EDIT_H

#include <stddef.h>

#include "nip/buffer.h"
#include "nip/kdl.h"

#ifdef __cplusplus
extern "C" {
#endif

// Appends to `out` the text of the document with `child` (a node, without newline) put into the
// block of the top-level node `parent`: in place of the node `old` if that is not NULL, else as the
// last one. A missing parent, or a missing block, is made.
void nip_kdl_put_child(const struct nip_kdl_document *document, const char *parent,
                       const struct nip_kdl_node *old, const char *child, struct nip_buffer *out);

// Appends the text without these nodes, which stand in the order of the text and not within each
// other; lines that held nothing else go too.
void nip_kdl_remove_nodes(const struct nip_kdl_document *document,
                          const struct nip_kdl_node *const *nodes, size_t count,
                          struct nip_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
