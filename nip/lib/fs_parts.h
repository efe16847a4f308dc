// SPDX-License-Identifier: Apache-2.0
//
// What the files of nip/fs.h share. Private to fs*.c.

#ifndef NIP_LIB_FS_PARTS_H
#define NIP_LIB_FS_PARTS_H

#include "nip/fs.h"

// Makes a file ".NAME.nip-XXXXXX" beside `path`, opened for writing and held by this process, and
// removes those that dead processes have left in that folder. *name is malloc'ed; both are the
// caller's. The descriptor must stay open until the file has its final name or is gone.
enum nip_code fs_make_temporary_file(const char *path, char **name, int *descriptor,
                                     struct nip_error *err) NIP_MUST_CHECK;
enum nip_code fs_sync_folder_of(const char *path, struct nip_error *err) NIP_MUST_CHECK;

#endif
