// SPDX-License-Identifier: Apache-2.0
//
// What building and verifying an image share: the check of one package, the check of packages
// against the boot manifest, and the way from a kernel file to an image and back.

#ifndef NIP_LIB_IMAGE_PARTS_H
#define NIP_LIB_IMAGE_PARTS_H

#include "nip/elf.h"
#include "nip/image.h"

// A verdict in the kernel's words. Every refusing function sets both.
struct image_verdict {
    enum rumpk_refusal refusal;
    struct nip_error *err;
};
enum nip_code image_refuse(struct image_verdict *verdict, enum nip_code code,
                           enum rumpk_refusal refusal, const char *format, ...) NIP_PRINTF(4, 5);

// Everything that can be said about one package from its own signed bytes: signature under its key,
// digests, both files, manifest, ELF. Fills `package`.
enum nip_code image_check_package(const struct nip_archive_part *part, uint32_t arch,
                                  struct nip_image_report_package *package,
                                  struct image_verdict *verdict) NIP_MUST_CHECK;

// What the boot manifest says about package `number`, against the package: name, id, key, floor,
// limits, grants.
enum nip_code image_check_grants(const struct nip_boot *boot, uint32_t number,
                                 const struct nip_image_report_package *package,
                                 struct image_verdict *verdict) NIP_MUST_CHECK;

// The wires, against what the packages need and provide; `*number` is the package that it costs.
enum nip_code image_check_wires(const struct nip_boot *boot,
                                const struct nip_image_report_package *packages, uint32_t *number,
                                struct image_verdict *verdict) NIP_MUST_CHECK;

// Turns image.kdl and the packages into a boot manifest (all but the kernel's digest). `order` has
// the numbers of the packages that are present, as in input->packages, and is rearranged so that
// providers stand before those who need them; boot->packages[k] is number order[k].
enum nip_code image_bind(const struct nip_image_input *input,
                         const struct nip_image_report_package *packages, uint32_t *order,
                         uint32_t count, struct nip_boot *boot, struct nip_error *err)
    NIP_MUST_CHECK;

// ---- the file ----

// The physical address where the archive of this kernel goes.
// Digest of what the kernel file loads and never writes, up to the image header: loaded_digest of
// rumpk_bkdl_image.
enum nip_code image_loaded_digest(const uint8_t *kernel, size_t size, const char *name,
                                  uint8_t digest[RUMPK_DIGEST_SIZE],
                                  struct nip_error *err) NIP_MUST_CHECK;
enum nip_code image_archive_base(const uint8_t *kernel, size_t size, const char *name,
                                 uint64_t *base, struct nip_error *err) NIP_MUST_CHECK;
// Kernel as built, its digest taken, plus archive: the image, appended to the empty `out`.
enum nip_code image_join(const uint8_t *kernel, size_t kernel_size,
                         const uint8_t owner_key[RUMPK_KEY_SIZE], const uint8_t *archive,
                         size_t archive_size, struct nip_buffer *out, struct nip_error *err)
    NIP_MUST_CHECK;
// The way back: finds the archive, and the kernel as built, appended to the empty `kernel`.
// Everything between them is checked to be as image_join() makes it.
enum nip_code image_split(const uint8_t *data, size_t size, const char *name,
                          struct rumpk_image_header *header, const uint8_t **archive,
                          struct nip_buffer *kernel, struct nip_error *err) NIP_MUST_CHECK;

#endif
