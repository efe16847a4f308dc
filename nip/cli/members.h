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
// Only the file, in `real` (an absolute path) or above it, and nothing of the folders: root and
// workspace of *members, which is all zero before.
enum nip_code members_find_file(const char *real, struct members *members,
                                struct nip_error *err) NIP_MUST_CHECK;
// A member's folder as the workspace sees it: "drivers/ring", "." for its own folder.
const char *members_inside(const struct members *members, size_t index);
// Whether this absolute path is the folder of a member.
bool members_has(const struct members *members, const char *real);

// Adds to `kept` what `lock` holds for the images of the workspace, but for the one in `except` (an
// absolute path, or NULL): their packages, the kernel, the SDK.
enum nip_code members_locked_by_images(const struct members *members, const char *except,
                                       const struct nip_lock *lock, struct nip_lock *kept,
                                       struct nip_error *err) NIP_MUST_CHECK;

// The folder that stands for a library: an override, or a member of that name. false: none does.
enum nip_code members_library(const struct members *members, const char *name, bool *found,
                              char *folder, struct nip_error *err) NIP_MUST_CHECK;

// Whether the current folder is that of a workspace and no project itself: commands that can work
// on all members do so there.
bool members_is_root(void);
// Runs `work` in the folder of every member, one after the other, saying which; ends with the first
// that fails. `name` (may be NULL): only in those that ask for it, and MISSING when none does.
typedef enum nip_code (*members_work_fn)(struct cli *cli, struct nip_error *err);
enum nip_code members_each(struct cli *cli, const char *name, members_work_fn work,
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
