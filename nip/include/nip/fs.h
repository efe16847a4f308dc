// SPDX-License-Identifier: Apache-2.0
//
// Files, such that nothing half-written is ever visible.
//
// A file appears under its name complete and synced, or not at all: content goes into a temporary
// file in the same folder (".NAME.nip-XXXXXX", removed on failure), is synced, and is renamed or
// linked into place; then the folder is synced. A process that is killed leaves one behind, which
// nothing ever reads and which the next one that writes in that folder removes.

#ifndef NIP_FS_H
#define NIP_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum nip_fs_kind { NIP_FS_NOTHING, NIP_FS_FILE, NIP_FS_FOLDER, NIP_FS_OTHER };

// What `path` is, symbolic links followed. NOTHING also where a folder of the path is missing;
// OTHER where it cannot be told.
enum nip_fs_kind nip_fs_kind(const char *path);

// Appends the content of a regular file of at most `size_max` bytes to `out`.
enum nip_code nip_fs_read(const char *path, size_t size_max, struct nip_buffer *out,
                          struct nip_error *err) NIP_MUST_CHECK;

// Replaces or makes `path`. `mode` is what the file gets (0644, or 0600 for secrets), whatever the
// umask says beyond that.
enum nip_code nip_fs_write(const char *path, const void *data, size_t size, unsigned mode,
                           struct nip_error *err) NIP_MUST_CHECK;

// Makes `path`; EXISTS when something of that name is there, which then stays untouched. Of several
// processes at once exactly one succeeds.
enum nip_code nip_fs_create(const char *path, const void *data, size_t size, unsigned mode,
                            struct nip_error *err) NIP_MUST_CHECK;

// mkdir -p. `made` (may be NULL): whether the last folder was not there before.
enum nip_code nip_fs_make_folders(const char *path, bool *made,
                                  struct nip_error *err) NIP_MUST_CHECK;

// A name that does not exist yet beside `path`, made as an empty folder; for building something
// that one nip_fs_publish_folder() then puts into place. Appends the path to `out`. Until `lock`
// ends (nip_fs_unlock() after the folder has its place or is gone) nobody sweeps it up.
struct nip_fs_lock;
enum nip_code nip_fs_make_temporary_folder(const char *path, struct nip_buffer *out,
                                           struct nip_fs_lock *lock,
                                           struct nip_error *err) NIP_MUST_CHECK;
// Removes the temporaries in a folder (not below it) whose processes are dead. Every function here
// that makes one does so first.
void nip_fs_sweep(const char *folder);
// Renames folder `from` to `path`; EXISTS when `path` exists (even as an empty folder).
enum nip_code nip_fs_publish_folder(const char *from, const char *path,
                                    struct nip_error *err) NIP_MUST_CHECK;
// As nip_fs_publish_folder(), but a folder that is there gives way, as a whole: at every moment
// `path` is the old folder or the new one.
enum nip_code nip_fs_replace_folder(const char *from, const char *path,
                                    struct nip_error *err) NIP_MUST_CHECK;
// Removes a file or a folder with everything in it; symbolic links are removed, never followed. It
// is no error when nothing is there.
enum nip_code nip_fs_remove_tree(const char *path, struct nip_error *err) NIP_MUST_CHECK;

// The names in a folder, sorted by bytes, without "." and ".."; at most NIP_FS_NAMES_MAX.
#define NIP_FS_NAMES_MAX 1000000u
struct nip_fs_names {
    char **names;
    size_t count;
};
enum nip_code nip_fs_list(const char *path, struct nip_fs_names *names,
                          struct nip_error *err) NIP_MUST_CHECK;
void nip_fs_names_free(struct nip_fs_names *names);

// An exclusive lock on a file that is made when missing and never removed. Waits at most about
// `wait_ms_max`, then says BUSY. The lock ends with nip_fs_unlock() or with the process.
struct nip_fs_lock {
    int descriptor; // -1: not held
};
#define NIP_FS_LOCK_NONE ((struct nip_fs_lock){-1})
enum nip_code nip_fs_lock(const char *path, unsigned wait_ms_max, struct nip_fs_lock *lock,
                          struct nip_error *err) NIP_MUST_CHECK;
void nip_fs_unlock(struct nip_fs_lock *lock);

// "a/b" from "a" and "b"; malloc'ed, NULL without memory.
char *nip_fs_join(const char *folder, const char *name) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
