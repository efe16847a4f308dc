// SPDX-License-Identifier: Apache-2.0
//
// Packages as OCI artifacts: the texts of manifests and indexes, made and read. No files, no
// network.
//
// A package is one manifest with artifactType application/vnd.rumpk.npl.v1, the empty config, and
// one layer: the .npl file. Everything that the annotations say is a hint for people and tools;
// name, version and package id count only as the signed `digests` inside the layer states them.

#ifndef NIP_OCI_H
#define NIP_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_OCI_ARTIFACT_TYPE  "application/vnd.rumpk.npl.v1"
#define NIP_OCI_LAYER_TYPE     "application/vnd.rumpk.npl.v1.tar+zstd"
#define NIP_OCI_SIGNATURE_TYPE "application/vnd.rumpk.signature.v1"
#define NIP_OCI_BESIDE_TYPE    "application/vnd.rumpk.beside.v1"
#define NIP_OCI_FILE_TYPE      "application/vnd.rumpk.beside.v1.file"
#define NIP_OCI_MANIFEST_TYPE  "application/vnd.oci.image.manifest.v1+json"
#define NIP_OCI_INDEX_TYPE     "application/vnd.oci.image.index.v1+json"
#define NIP_OCI_EMPTY_TYPE     "application/vnd.oci.empty.v1+json"
#define NIP_OCI_EMPTY_CONFIG   "{}"
#define NIP_OCI_LAYOUT         "{\"imageLayoutVersion\":\"1.0.0\"}"

enum {
    NIP_OCI_MANIFEST_SIZE_MAX = 65536,
    NIP_OCI_INDEX_SIZE_MAX = 16 << 20,
    NIP_OCI_DIGEST_TEXT_SIZE = 7 + NIP_DIGEST_TEXT_SIZE, // "sha256:" and 64 digits and NUL
};

// A blob as a descriptor names it.
struct nip_oci_blob {
    uint8_t sha256[NIP_DIGEST_SIZE];
    uint64_t size;
};

struct nip_oci_manifest {
    char name[NIP_NAME_MAX + 1];
    char version[NIP_VERSION_MAX + 1];
    uint8_t id[NIP_DIGEST_SIZE]; // the package id, a hint
    struct nip_oci_blob layer;
};

// Same input, same bytes.
enum nip_code nip_oci_manifest_print(const struct nip_oci_manifest *manifest,
                                     struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;
// `what` names the text in errors. FORMAT when it is no manifest of a package.
enum nip_code nip_oci_manifest_parse(const char *text, size_t size, const char *what,
                                     struct nip_oci_manifest *manifest,
                                     struct nip_error *err) NIP_MUST_CHECK;

struct nip_oci_entry {
    char version[NIP_VERSION_MAX + 1]; // the ref name
    struct nip_oci_blob manifest;
};
// The index of what is attached to one manifest; its ref name is "sha256-" and that manifest's
// digest, as the OCI distribution specification 1.1 names the fallback of the referrers API.
struct nip_oci_referrers {
    uint8_t subject[NIP_DIGEST_SIZE]; // SHA-256 of the manifest
    struct nip_oci_blob index;
};
struct nip_oci_index {
    struct nip_oci_entry *entries; // lowest version first, each version once
    size_t count;
    struct nip_oci_referrers *referrers; // sorted by subject, each subject once
    size_t referrers_count;
};

enum nip_code nip_oci_index_print(const struct nip_oci_index *index, struct nip_buffer *out,
                                  struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_oci_index_parse(const char *text, size_t size, const char *what,
                                  struct nip_oci_index *index,
                                  struct nip_error *err) NIP_MUST_CHECK;
void nip_oci_index_free(struct nip_oci_index *index);
const struct nip_oci_entry *nip_oci_index_find(const struct nip_oci_index *index,
                                               const char *version);
// Keeps the order. EXISTS if the version is there.
enum nip_code nip_oci_index_add(struct nip_oci_index *index, const struct nip_oci_entry *entry,
                                struct nip_error *err) NIP_MUST_CHECK;

// Adds or replaces the referrers of a subject.
enum nip_code nip_oci_index_put_referrers(struct nip_oci_index *index,
                                          const struct nip_oci_referrers *referrers,
                                          struct nip_error *err) NIP_MUST_CHECK;
const struct nip_oci_referrers *nip_oci_index_referrers(const struct nip_oci_index *index,
                                                        const uint8_t subject[NIP_DIGEST_SIZE]);

// A further signature over the package of `subject`: a manifest with the signature as its layer.
struct nip_oci_attachment {
    struct nip_oci_blob subject; // the manifest of the package
    struct nip_oci_blob layer;   // the signature file
};
enum nip_code nip_oci_attachment_print(const struct nip_oci_attachment *attachment,
                                       struct nip_buffer *out,
                                       struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_oci_attachment_parse(const char *text, size_t size, const char *what,
                                       struct nip_oci_attachment *attachment,
                                       struct nip_error *err) NIP_MUST_CHECK;

// The files that a package's list names `beside` it (source archive, debug files): a manifest with
// one layer for each, whose title is the path in the list. What is in them is said by that list.
enum { NIP_OCI_BESIDE_MAX = 16 };
struct nip_oci_beside_file {
    char path[NIP_PATH_MAX + 1];
    struct nip_oci_blob layer;
};
struct nip_oci_beside {
    struct nip_oci_blob subject;                          // the manifest of the package
    struct nip_oci_beside_file files[NIP_OCI_BESIDE_MAX]; // sorted by path, each path once
    size_t count;
};
enum nip_code nip_oci_beside_print(const struct nip_oci_beside *beside, struct nip_buffer *out,
                                   struct nip_error *err) NIP_MUST_CHECK;
// FORMAT when it is none: also for paths that no package may have, and for one that stands twice.
enum nip_code nip_oci_beside_parse(const char *text, size_t size, const char *what,
                                   struct nip_oci_beside *beside,
                                   struct nip_error *err) NIP_MUST_CHECK;

// The manifests that are attached to one subject, at most NIP_OCI_REFERRERS_MAX, sorted by digest.
enum { NIP_OCI_REFERRERS_MAX = 64 };
struct nip_oci_referrer {
    struct nip_oci_blob manifest;
    bool is_beside; // of files beside the package; else of a signature
};
enum nip_code nip_oci_referrers_print(const struct nip_oci_referrer *referrers, size_t count,
                                      struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_oci_referrers_parse(const char *text, size_t size, const char *what,
                                      struct nip_oci_referrer referrers[NIP_OCI_REFERRERS_MAX],
                                      size_t *count, struct nip_error *err) NIP_MUST_CHECK;

void nip_oci_digest_text(const uint8_t sha256[NIP_DIGEST_SIZE], char out[NIP_OCI_DIGEST_TEXT_SIZE]);
bool nip_oci_digest_parse(const char *text, uint8_t sha256[NIP_DIGEST_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
