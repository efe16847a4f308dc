// SPDX-License-Identifier: Apache-2.0
//
// The packed manifests, BKDL: npl.bkdl (of a package) and boot.bkdl (of an image). The layout is
// rumpk/bkdl.h; the kernel reads nothing else.
//
// One value has exactly one encoding: encoding what was decoded gives the same bytes, and every
// other byte sequence is refused by decoding. A decoder reads hostile bytes; it is as strict as the
// kernel's, and stricter where tools can afford it (names are well-formed, request names unique).

#ifndef NIP_BKDL_H
#define NIP_BKDL_H

#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/manifest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_BKDL_FILE "npl.bkdl"

// Appends npl.bkdl. The manifest must be one that nip_manifest_parse() or nip_bkdl_decode_package()
// made.
enum nip_code nip_bkdl_encode_package(const struct nip_manifest *manifest, struct nip_buffer *out,
                                      struct nip_error *err) NIP_MUST_CHECK;

// Reads npl.bkdl; `file` is what errors call it. The fields for builds and people stay zero.
// FORMAT, TRUNCATED or LIMIT, with the offset of the record in the message.
enum nip_code nip_bkdl_decode_package(const void *data, size_t size, const char *file,
                                      struct nip_manifest *manifest, struct nip_error *err)
    NIP_MUST_CHECK;

// Whether npl.kdl and npl.bkdl say the same: field by field. MISMATCH names the first field that
// differs, with what the manifest says and what the kernel would do.
enum nip_code nip_bkdl_compare(const struct nip_manifest *text, const struct nip_manifest *packed,
                               struct nip_error *err) NIP_MUST_CHECK;

// One package of a boot manifest. `package_count` and `wire_count` of the image record are derived.
struct nip_boot_package {
    struct rumpk_bkdl_package package;
    uint32_t key_count, grant_count;
    struct rumpk_bkdl_key keys[RUMPK_KEYS_MAX];
    struct rumpk_bkdl_grant grants[RUMPK_REQUESTS_MAX];
    uint32_t config_size; // 0: no CONFIG record
    uint8_t config[RUMPK_CONFIG_MAX];
};

// A boot manifest. Large: allocate with nip_boot_new(), which gives an empty one, or NULL.
struct nip_boot {
    struct rumpk_bkdl_image image; // package_count and wire_count count the arrays below
    struct nip_boot_package packages[RUMPK_PACKAGES_MAX];
    struct rumpk_bkdl_wire wires[RUMPK_WIRES_MAX];
};

struct nip_boot *nip_boot_new(void);
void nip_boot_free(struct nip_boot *boot); // NULL is fine

enum nip_code nip_bkdl_encode_boot(const struct nip_boot *boot, struct nip_buffer *out,
                                   struct nip_error *err) NIP_MUST_CHECK;
// On success the caller frees *boot; on failure it is NULL.
enum nip_code nip_bkdl_decode_boot(const void *data, size_t size, const char *file,
                                   struct nip_boot **boot, struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
