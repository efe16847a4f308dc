// SPDX-License-Identifier: Apache-2.0
//
// nip.workspace.kdl: several projects that are worked on together, and local work that stands for a
// published library.
//
//   workspace {
//       member "drivers/*"                       // folders with an npl.kdl or image.kdl
//   }
//   override "acme/ring" path="../ring"          // this folder stands for that library
//
// The file lies in the folder above its members, or beside the npl.kdl of the only one; nip.lock and
// nip.trust.kdl of all members lie beside it. It never
// becomes part of a package. A library among the members stands for the package of its name by
// itself. Paths count from the folder of the file; `*` stands for the folders of one level.

#ifndef NIP_WORKSPACE_H
#define NIP_WORKSPACE_H

#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/error.h"
#include "nip/kdl.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_WORKSPACE_FILE "nip.workspace.kdl"

enum {
    NIP_WORKSPACE_SIZE_MAX = 65536,
    NIP_WORKSPACE_PATH_SIZE = 512,
    NIP_WORKSPACE_MEMBERS_MAX = 64, // lines
    NIP_WORKSPACE_OVERRIDES_MAX = 64,
};

struct nip_workspace_member {
    char path[NIP_WORKSPACE_PATH_SIZE];
};
struct nip_workspace_override {
    char name[RUMPK_NAME_SIZE];
    char path[NIP_WORKSPACE_PATH_SIZE];
    struct nip_kdl_span span; // the whole node, for whoever edits the text
};

// Owns no memory. About 70 KiB: not for small stacks.
struct nip_workspace {
    uint32_t member_count, override_count;
    struct nip_workspace_member members[NIP_WORKSPACE_MEMBERS_MAX];
    struct nip_workspace_override overrides[NIP_WORKSPACE_OVERRIDES_MAX];
};

// `file` is what errors call it. A text without nodes is an empty workspace.
enum nip_code nip_workspace_parse(const char *text, size_t size, const char *file,
                                  struct nip_workspace *workspace,
                                  struct nip_error *err) NIP_MUST_CHECK;
// NULL when the library is not overridden.
const struct nip_workspace_override *nip_workspace_override(const struct nip_workspace *workspace,
                                                            const char *name);

#ifdef __cplusplus
}
#endif

#endif
