// SPDX-License-Identifier: Apache-2.0
//
// The workspace that a project belongs to: its file, and the folders of its members.

#ifndef NIP_CLI_MEMBERS_H
#define NIP_CLI_MEMBERS_H

#include "cli.h"
#include "nip/error.h"
#include "nip/workspace.h"
#include "project.h"

enum { MEMBERS_MAX = 256 };

struct members {
    char root[CLI_PATH_SIZE]; // absolute; "" when there is no workspace
    struct nip_workspace workspace;
    char *folders[MEMBERS_MAX]; // absolute, sorted, each with an npl.kdl or image.kdl
    size_t count;
};

// Looks for nip.workspace.kdl in `folder` and above it. A file above counts only if `folder` is one
// of its members and if it belongs to this user or to root. NULL-safe to free; the caller frees
// *members, also after a failure.
enum nip_code members_find(const char *folder, struct members **members,
                           struct nip_error *err) NIP_MUST_CHECK;
void members_free(struct members *members);

// The folder that stands for a library: an override, or a member of that name. false: none does.
enum nip_code members_library(const struct members *members, const char *name, bool *found,
                              char *folder, struct nip_error *err) NIP_MUST_CHECK;

#endif
