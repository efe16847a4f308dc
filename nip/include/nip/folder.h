// SPDX-License-Identifier: Apache-2.0
//
// A registry that is a folder: no server, one OCI image layout per package.
//
//   ROOT/rumpk-registry                        says that this is a registry, and "freshness none"
//   ROOT/<namespace>/<name>/oci-layout
//   ROOT/<namespace>/<name>/index.json         a cache: one manifest per version, ref name =
//   version ROOT/<namespace>/<name>/blobs/sha256/...   manifests, the empty config, the .npl files,
//   and what belongs beside them
//   ROOT/<namespace>/<name>/yanked             versions that are not to be newly selected
//   ROOT/<namespace>/<name>/lock               held while anything is added
//
// Nothing here is trusted by whoever fetches: the digests protect against accidents, the signature
// in the package against everything else.

#ifndef NIP_FOLDER_H
#define NIP_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/digests.h"
#include "nip/error.h"
#include "nip/name.h"
#include "nip/yanked.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_folder;

// Opens the registry at `root`. A missing or empty folder becomes one if `may_create`, and then
// *is_new is true (tell the user once: freshness none). A folder with other things in it is
// refused.
enum nip_code nip_folder_open(const char *root, bool may_create, struct nip_folder **folder,
                              bool *is_new, struct nip_error *err) NIP_MUST_CHECK;
void nip_folder_close(struct nip_folder *folder);

// A file that the package's list names `beside` it.
struct nip_folder_file {
    const char *path;
    const void *data;
    size_t size;
};

// Adds one version, with `file_count` files beside it. EXISTS if the version is there (also with
// the same bytes). The caller has verified the package; `id` is its package id, stored as a hint.
enum nip_code nip_folder_publish(struct nip_folder *folder, const char *name, const char *version,
                                 const uint8_t id[NIP_DIGEST_SIZE], const void *npl,
                                 size_t npl_size, const struct nip_folder_file *files,
                                 size_t file_count, struct nip_error *err) NIP_MUST_CHECK;

// The versions of a package, lowest first. MISSING if there is no such package.
struct nip_folder_version {
    char text[NIP_VERSION_MAX + 1];
    uint64_t size;                   // of the .npl
    uint8_t sha256[NIP_DIGEST_SIZE]; // of the .npl
    bool is_yanked;
    char reason[NIP_YANKED_REASON_SIZE]; // of the yank; ""
};
struct nip_folder_versions {
    struct nip_folder_version *items;
    size_t count;
};
enum nip_code nip_folder_list(struct nip_folder *folder, const char *name,
                              struct nip_folder_versions *versions,
                              struct nip_error *err) NIP_MUST_CHECK;
void nip_folder_versions_free(struct nip_folder_versions *versions);

// Withdraws a version, or takes that back. It stays where it is for those who have it in their
// lock. MISSING if there is no such version. *changed: whether anything is different now.
enum nip_code nip_folder_yank(struct nip_folder *folder, const char *name, const char *version,
                              const char *reason, bool is_undone, bool *changed,
                              struct nip_error *err) NIP_MUST_CHECK;

// All package names, sorted. Free with nip_folder_names_free().
struct nip_folder_names {
    char (*items)[NIP_NAME_MAX + 1];
    size_t count;
};
enum nip_code nip_folder_names(struct nip_folder *folder, struct nip_folder_names *names,
                               struct nip_error *err) NIP_MUST_CHECK;
void nip_folder_names_free(struct nip_folder_names *names);

// Appends the .npl of one version to `out`; size and digest as the manifest says, at most
// `size_max`.
enum nip_code nip_folder_fetch(struct nip_folder *folder, const char *name, const char *version,
                               uint64_t size_max, struct nip_buffer *out,
                               struct nip_error *err) NIP_MUST_CHECK;

// Appends a file beside a version to `out`, exactly as `wanted` (of the package's verified list)
// says: path, size, digest. MISSING if the registry has none, DIGEST if what it has is another.
enum nip_code nip_folder_fetch_beside(struct nip_folder *folder, const char *name,
                                      const char *version, const struct nip_digests_file *wanted,
                                      struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;

// Attaches a further signature to a version; one that is attached already changes nothing. The
// caller has checked it. MISSING if there is no such version.
enum nip_code nip_folder_attach(struct nip_folder *folder, const char *name, const char *version,
                                const void *signature, size_t size,
                                struct nip_error *err) NIP_MUST_CHECK;
// Hands every attached signature to `each`, in the order of the registry; stops at its first error.
typedef enum nip_code (*nip_folder_each_fn)(void *context, const void *signature, size_t size,
                                            struct nip_error *err);
enum nip_code nip_folder_attached(struct nip_folder *folder, const char *name, const char *version,
                                  nip_folder_each_fn each, void *context,
                                  struct nip_error *err) NIP_MUST_CHECK;

// Rebuilds index.json of one package from the manifests among its blobs, attached ones included.
// *repaired: whether anything changed. CONFLICT if two manifests claim one version and the old
// index does not say which counts.
enum nip_code nip_folder_repair(struct nip_folder *folder, const char *name, bool *repaired,
                                struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
