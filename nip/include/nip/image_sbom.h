// SPDX-License-Identifier: Apache-2.0
//
// The bill of materials of an image: SPDX 2.3, merged from those of the kernel and of every package
// in it. Nothing in it comes from a clock or a random number; the document's name space is derived
// from the digest of the image.

#ifndef NIP_IMAGE_SBOM_H
#define NIP_IMAGE_SBOM_H

#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct nip_image_sbom_package {
    const char *name, *version;
    const uint8_t *id; // package id, NIP_DIGEST_SIZE bytes
    const void *sbom;  // its sbom.spdx.json
    size_t sbom_size;
};
struct nip_image_sbom_input {
    const char *name, *version; // of the image
    const char *file;           // name of the image file
    const void *image;
    size_t image_size;
    const char *tool, *date;                       // "nip-0.1.0", "1980-01-01T00:00:00Z"
    const struct nip_image_sbom_package *packages; // the kernel among them
    size_t package_count;
};

// FORMAT, naming the package, for a bill of materials that cannot be merged: not JSON, not
// SPDX 2.3, without a package that it describes, or with identifiers that are not well formed or
// not there.
enum nip_code nip_image_sbom_write(const struct nip_image_sbom_input *input, struct nip_buffer *out,
                                   struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
