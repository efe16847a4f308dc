// SPDX-License-Identifier: Apache-2.0
//
// The project in a folder: a driver (npl.kdl) or an image (image.kdl), and its files.

#ifndef NIP_CLI_PROJECT_H
#define NIP_CLI_PROJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/error.h"
#include "nip/fs.h"
#include "nip/imagedef.h"
#include "nip/lock.h"
#include "nip/manifest.h"
#include "nip/trust.h"

enum project_kind { PROJECT_NONE, PROJECT_PACKAGE, PROJECT_IMAGE };

enum project_kind project_kind(const char *folder);
// MISSING, saying where one is or which command makes one. NONE: any kind will do.
enum nip_code project_require(enum project_kind kind, struct nip_error *err) NIP_MUST_CHECK;

// "folder/name", or "name" for the current folder; `out` has CLI_PATH_SIZE bytes.
void project_path(char *out, const char *folder, const char *name);

enum nip_code project_read_manifest(const char *folder, struct nip_manifest *manifest,
                                    struct nip_error *err) NIP_MUST_CHECK;
enum nip_code project_read_image(const char *folder, struct nip_imagedef **imagedef,
                                 struct nip_error *err) NIP_MUST_CHECK;
// The decisions of the project; those of its workspace, for a member (home.h). A missing file is an
// empty list. `text` (may be NULL) gets the file as it is.
enum nip_code project_read_trust(const char *folder, struct nip_trust *trust,
                                 struct nip_buffer *text, struct nip_error *err) NIP_MUST_CHECK;
// A missing file is an empty lock; the caller frees it with free(). *found may be NULL.
enum nip_code project_read_lock(const char *folder, struct nip_lock **lock, bool *found,
                                struct nip_error *err) NIP_MUST_CHECK;
// MISMATCH when --locked is given and the lock file would change. To be asked before anything else
// is written.
enum nip_code project_check_lock(const char *folder, const struct nip_lock *lock,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Writes the lock file if it says something else than before. Checks as above.
enum nip_code project_write_lock(const char *folder, const struct nip_lock *lock,
                                 struct nip_error *err) NIP_MUST_CHECK;

// Keeps other nips from changing the decisions of the project in this folder (those of its whole
// workspace, for a member); ends with project_unlock() or with the process. This process may hold
// it several times. BUSY after a while.
enum { PROJECT_LOCKS_MAX = 20 };
struct project_lock {
    struct held_lock *held; // NULL: not held
};
#define PROJECT_LOCK_NONE ((struct project_lock){NULL})
enum nip_code project_lock(struct project_lock *lock, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code project_lock_in(const char *folder, struct project_lock *lock,
                              struct nip_error *err) NIP_MUST_CHECK;
void project_unlock(struct project_lock *lock); // nothing when it is not held

// nip_fs_write() that a signal does not cut in two; makes the folder of `path` if need be.
enum nip_code project_write_file(const char *path, const void *data, size_t size, unsigned mode,
                                 struct nip_error *err) NIP_MUST_CHECK;

// "hello" of "local/hello".
const char *project_short_name(const char *name);
// The date for documents: SOURCE_DATE_EPOCH, else 1980-01-01. `out` has 32 bytes.
enum nip_code project_date(char *out, struct nip_error *err) NIP_MUST_CHECK;

#endif
