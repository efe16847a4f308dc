// SPDX-License-Identifier: Apache-2.0
//
// What the files of the folder registry share. Private to folder*.c.

#ifndef NIP_LIB_FOLDER_PARTS_H
#define NIP_LIB_FOLDER_PARTS_H

#include "nip/folder.h"
#include "nip/fs.h"
#include "nip/oci.h"

struct nip_folder {
    char *root;
};

// "ROOT/NAME/rest", and the path of a blob; NULL without memory.
char *folder_package_path(const struct nip_folder *folder, const char *name, const char *rest);
char *folder_blob_path(const struct nip_folder *folder, const char *name,
                       const uint8_t sha256[NIP_DIGEST_SIZE]);
enum nip_code folder_fail_memory(struct nip_error *err);

// Whether there is a package of that (checked) name.
enum nip_code folder_check_package_exists(const struct nip_folder *folder, const char *name,
                                          struct nip_error *err) NIP_MUST_CHECK;
// Makes the package's folders when missing.
enum nip_code folder_lock_package(const struct nip_folder *folder, const char *name,
                                  struct nip_fs_lock *lock, struct nip_error *err) NIP_MUST_CHECK;

// Reads a blob of exactly this size and digest; `out` is as before on failure.
enum nip_code folder_read_blob(const struct nip_folder *folder, const char *name,
                               const struct nip_oci_blob *blob, struct nip_buffer *out,
                               struct nip_error *err) NIP_MUST_CHECK;
enum nip_code folder_write_blob(const struct nip_folder *folder, const char *name, const void *data,
                                size_t size, struct nip_oci_blob *blob,
                                struct nip_error *err) NIP_MUST_CHECK;

// Reads index.json; an empty index if the file is missing.
enum nip_code folder_read_index(const struct nip_folder *folder, const char *name,
                                struct nip_oci_index *index, bool *is_there,
                                struct nip_error *err) NIP_MUST_CHECK;
// Writes index.json if that changes it.
enum nip_code folder_write_index(const struct nip_folder *folder, const char *name,
                                 const struct nip_oci_index *index, bool *changed,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Reads the list of yanked versions; an empty one if the file is missing.
enum nip_code folder_read_yanked(const struct nip_folder *folder, const char *name,
                                 struct nip_yanked *yanked, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code folder_write_layout(const struct nip_folder *folder, const char *name,
                                  struct nip_error *err) NIP_MUST_CHECK;

// The entry of a version in the index, which is read; MISSING.
enum nip_code folder_find_version(const struct nip_folder *folder, const char *name,
                                  const char *version, struct nip_oci_index *index,
                                  const struct nip_oci_entry **entry,
                                  struct nip_error *err) NIP_MUST_CHECK;
// What is attached to a manifest: none when the index names nothing.
enum nip_code folder_read_referrers(const struct nip_folder *folder, const char *name,
                                    const struct nip_oci_index *index,
                                    const uint8_t subject[NIP_DIGEST_SIZE],
                                    struct nip_oci_referrer attached[NIP_OCI_REFERRERS_MAX],
                                    size_t *count, struct nip_error *err) NIP_MUST_CHECK;
// Lists a manifest among what is attached to `subject`, in `index`.
enum nip_code folder_put_attached(const struct nip_folder *folder, const char *name,
                                  struct nip_oci_index *index,
                                  const uint8_t subject[NIP_DIGEST_SIZE],
                                  const struct nip_oci_referrer *referrer,
                                  struct nip_error *err) NIP_MUST_CHECK;
// Writes the files beside a package and attaches them to the manifest of its version.
enum nip_code folder_put_beside(const struct nip_folder *folder, const char *name,
                                struct nip_oci_index *index, const struct nip_oci_blob *subject,
                                const struct nip_folder_file *files, size_t count,
                                struct nip_error *err) NIP_MUST_CHECK;
// Finds what is attached to the versions of `index` among the names of blobs.
enum nip_code folder_rebuild_attached(const struct nip_folder *folder, const char *name,
                                      const struct nip_fs_names *blobs, struct nip_oci_index *index,
                                      struct nip_error *err) NIP_MUST_CHECK;

#endif
