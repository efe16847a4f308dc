// SPDX-License-Identifier: Apache-2.0
//
// Changing several decision files of a project at once: all of them or none, whatever ends nip in
// between.
//
//   1. .nip.pending appears (by one rename) and holds the new content of every file that changes
//   2. each file is replaced
//   3. .nip.pending goes away
//
// All of it in the home of the decisions (home.h): in a workspace, beside nip.workspace.kdl. A nip
// that finds .nip.pending, in the home or in a member, does steps 2 and 3 before anything else
// (commit_recover()): so the old decisions hold before step 1, and the new ones after it.

#ifndef NIP_CLI_COMMIT_H
#define NIP_CLI_COMMIT_H

#include "nip/buffer.h"
#include "nip/error.h"

#define COMMIT_FILE ".nip.pending"
enum { COMMIT_CHANGES_MAX = 4 };

struct commit_change {
    const char *file; // NIP_LOCK_FILE, NIP_TRUST_FILE, NIP_MANIFEST_FILE, NIP_IMAGEDEF_FILE
    struct nip_buffer content; // what it is to hold; the caller frees it
};

// Puts the changes into the project in the current folder, which the caller has locked
// (project_lock()). Files that hold that content already are left alone.
enum nip_code commit_files(const struct commit_change *changes, size_t count,
                           struct nip_error *err) NIP_MUST_CHECK;
// Completes what a nip that died has begun, if anything.
enum nip_code commit_recover(struct nip_error *err) NIP_MUST_CHECK;

#endif
