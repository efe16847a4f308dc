// SPDX-License-Identifier: Apache-2.0
//
// What changed between two packages, locks, trust files or images, in words for whoever reviews the
// change. Nothing here decides anything; whatever lets somebody do more than before is said to have
// grown, also where it only becomes easier (a lower threshold, a lower security floor).

#ifndef NIP_DIFF_H
#define NIP_DIFF_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/buffer.h"
#include "nip/digests.h"
#include "nip/error.h"
#include "nip/image.h"
#include "nip/lock.h"
#include "nip/manifest.h"
#include "nip/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

// Scripts may rely on the names; X(NAME, name).
#define NIP_CHANGE_AREAS(X)         \
    X(IDENTITY, "identity")         \
    X(KEYS, "keys")                 \
    X(CAPABILITIES, "capabilities") \
    X(MATCHES, "matches")           \
    X(SIZES, "sizes")               \
    X(SERVICES, "services")         \
    X(SOURCES, "sources")           \
    X(FILES, "files")               \
    X(PACKAGES, "packages")         \
    X(WIRES, "wires")               \
    X(REGISTRIES, "registries")

enum nip_change_area {
#define NIP_CHANGE_AREA_ENUM(name, text) NIP_CHANGE_##name,
    NIP_CHANGE_AREAS(NIP_CHANGE_AREA_ENUM)
#undef NIP_CHANGE_AREA_ENUM
};
const char *nip_change_area_name(enum nip_change_area area);

enum nip_change_kind {
    NIP_CHANGE_GREW,   // somebody may do more than before
    NIP_CHANGE_SHRANK, // less
    NIP_CHANGE_OTHER,
};
const char *nip_change_kind_name(enum nip_change_kind kind); // "grew", "shrank", "other"

struct nip_change {
    enum nip_change_kind kind;
    enum nip_change_area area;
    char subject[NIP_NAME_MAX + 1]; // a package or pattern; "" for the whole
    char *words;
};

// `struct nip_changes c = {0};` is an empty list. Running out of memory is sticky.
struct nip_changes {
    struct nip_change *items;
    size_t count;
    size_t grown; // how many grew
    bool has_failed;
};
void nip_changes_free(struct nip_changes *changes);
// NIP_OK, or MEMORY.
enum nip_code nip_changes_check(const struct nip_changes *changes,
                                struct nip_error *err) NIP_MUST_CHECK;
void nip_changes_add(struct nip_changes *changes, enum nip_change_kind kind,
                     enum nip_change_area area, const char *subject, const char *format, ...)
    NIP_PRINTF(5, 6);

// From `a` to `b`, in this order always.
void nip_diff_manifests(const struct nip_manifest *a, const struct nip_manifest *b,
                        struct nip_changes *changes);
// Files and sizes.
void nip_diff_digests(const struct nip_digests *a, const struct nip_digests *b,
                      struct nip_changes *changes);
// The source files that two bills of materials list. FORMAT when one of them is none.
enum nip_code nip_diff_sources(const char *name, const void *a, size_t a_size, const void *b,
                               size_t b_size, struct nip_changes *changes,
                               struct nip_error *err) NIP_MUST_CHECK;
void nip_diff_keys(const char *name, const struct nip_public_key *a, const struct nip_public_key *b,
                   struct nip_changes *changes);
void nip_diff_locks(const struct nip_lock *a, const struct nip_lock *b,
                    struct nip_changes *changes);
void nip_diff_trust(const struct nip_trust *a, const struct nip_trust *b,
                    struct nip_changes *changes);
void nip_diff_images(const struct nip_image_report *a, const struct nip_image_report *b,
                     struct nip_changes *changes);

#ifdef __cplusplus
}
#endif

#endif
