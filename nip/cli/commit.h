// SPDX-License-Identifier: Apache-2.0
//
// Changing several decision files of a project at once: all of them or none, whatever ends nip in
// between.
//
//   1. .nip.pending appears (by one rename) and holds the new content of every file that changes
//   2. each file is replaced
//   3. .nip.pending goes away
//
// A nip that finds .nip.pending does steps 2 and 3 before anything else (commit_recover()): so the
// old decisions hold before step 1, and the new ones after it.

#ifndef NIP_CLI_COMMIT_H
#define NIP_CLI_COMMIT_H

#include "nip/buffer.h"
#include "nip/error.h"

#define COMMIT_FILE ".nip.pending"
enum { COMMIT_CHANGES_MAX = 4 };

struct commit_change {
    const char *file;          // one of the names in commit.c
    struct nip_buffer content; // what it is to hold; the caller frees it
};

// Puts the changes into the project in the current folder, which the caller has locked
// (project_lock()). Files that hold that content already are left alone.
enum nip_code commit_files(const struct commit_change *changes, size_t count,
                           struct nip_error *err) NIP_MUST_CHECK;
// Completes what a nip that died has begun, if anything.
enum nip_code commit_recover(struct nip_error *err) NIP_MUST_CHECK;

#endif
