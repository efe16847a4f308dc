// SPDX-License-Identifier: Apache-2.0
//
// A bootable image: a kernel file with the boot archive as one more loadable segment.
//
//   kernel ELF as built, with .rumpk.image filled (owner key, address and size of the archive)
//     and e_phoff, e_phnum changed
//   zero padding to a page
//   boot archive            loaded at the first page boundary after the kernel's memory
//   program headers         those of the kernel, then one for the archive
//
// So the kernel can be taken out of an image again, byte for byte, and its digest compared with the
// one that the owner signed. The same inputs give the same image, bit for bit.
//
// Building binds: every need of every package to one provider, every request to a grant of
// image.kdl. Nothing is granted that was not requested; nothing that is required stays open;
// whatever is ambiguous is an error that lists the candidates. Both functions check all that the
// kernel checks.

#ifndef NIP_IMAGE_H
#define NIP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/archive.h>
#include <rumpk/ledger.h>

#include "nip/archive.h"
#include "nip/bkdl.h"
#include "nip/buffer.h"
#include "nip/elf.h"
#include "nip/error.h"
#include "nip/imagedef.h"
#include "nip/manifest.h"

#ifdef __cplusplus
extern "C" {
#endif

// Signs `data` with the image owner's key: Ed25519 of BLAKE2b-512, as minisign's "ED".
typedef enum nip_code (*nip_image_sign_fn)(void *context, const void *data, size_t size,
                                           uint8_t signature[RUMPK_SIGNATURE_SIZE],
                                           struct nip_error *err);

// A resolved package: its bytes, borrowed. nip_image_build() verifies all of them again.
struct nip_image_package {
    bool is_present; // false: not part of the image for this architecture; nothing else is read
    struct nip_archive_part part;
    uint32_t security_floor; // from nip.lock; 0: the package's own security-version
    // Who has signed it and how many had to, as the project's trust file judges: that cannot be
    // verified again from the part, which has one signature. 0 signers: the one inside, and 1.
    uint32_t signer_count, threshold;
    struct rumpk_bkdl_key signers[RUMPK_KEYS_MAX];
};

struct nip_image_input {
    uint32_t arch;
    const uint8_t *kernel; // the kernel file as built
    size_t kernel_size;
    const struct nip_imagedef *imagedef;
    // As many as imagedef->package_count, in its order. One that is not for `arch` by its arch_mask
    // must not be present; one without an arch_mask is present if the package has this
    // architecture.
    const struct nip_image_package *packages;
    uint8_t owner_key[RUMPK_KEY_SIZE];
    bool is_development; // signed with a development key; owner and publisher key may be the same
    nip_image_sign_fn sign;
    void *sign_context;
};

struct nip_image_report_package {
    struct nip_manifest manifest; // as decoded from npl.bkdl
    uint8_t package_id[RUMPK_DIGEST_SIZE];
    uint8_t publisher_key[RUMPK_KEY_SIZE];
    uint64_t elf_size, memory_size;
    uint8_t build_id[NIP_ELF_BUILD_ID_MAX]; // of the driver file
    size_t build_id_size;                   // 0: it says none
};

// What is in an image: the boot manifest and, in the same order, the packages.
struct nip_image_report {
    uint32_t arch;
    uint8_t owner_key[RUMPK_KEY_SIZE];
    uint8_t kernel_digest[RUMPK_DIGEST_SIZE]; // of the kernel file as built
    uint8_t loaded_digest[RUMPK_DIGEST_SIZE]; // of its part that the kernel checks itself
    uint64_t kernel_size;                     // bytes of the kernel file as built
    uint64_t kernel_loaded;                   // bytes of it that are loaded
    uint64_t archive_base, archive_size;
    uint64_t image_size;
    struct nip_boot *boot;
    uint32_t package_count;
    struct nip_image_report_package *packages;
    // When verification failed: what the kernel would say, and about which package (or
    // RUMPK_LEDGER_NO_PACKAGE). NONE when only a tool can see it (a kernel file that differs from
    // the signed one in what is not loaded, or in data).
    enum rumpk_refusal refusal;
    uint32_t refused_package;
};

void nip_image_report_free(struct nip_image_report *report); // NULL is fine

// Makes the image and appends it to `out`, which must be empty. `report` may be NULL; otherwise the
// caller frees *report (NULL on failure). Errors point at the line of image.kdl where there is one:
// CONSENT (a request not granted, DMA not permitted), CONFLICT (no provider or several, one device
// for two packages), SCHEMA (grants or wires nobody asked for), and all of nip_image_verify().
enum nip_code nip_image_build(const struct nip_image_input *input, struct nip_buffer *out,
                              struct nip_image_report **report,
                              struct nip_error *err) NIP_MUST_CHECK;

// Checks a finished image as the kernel will, and that the kernel in it is the one that the owner
// signed. `owner_key` NULL means: whatever key the image itself carries, which proves integrity
// only, not who made it. *report (may be NULL) is given on failure too, as far as reading came, or
// NULL.
enum nip_code nip_image_verify(const void *data, size_t size, const char *file,
                               const uint8_t owner_key[RUMPK_KEY_SIZE],
                               struct nip_image_report **report,
                               struct nip_error *err) NIP_MUST_CHECK;

// The report as lines of text, for `nip image --report` and `nip inspect`: kernel, packages with
// id, key, grants in words and DMA, wires.
void nip_image_report_print(const struct nip_image_report *report, struct nip_buffer *out);

// The architecture of an image or kernel file, RUMPK_ARCH_*; 0 when it is neither.
uint32_t nip_image_arch(const void *data, size_t size);

#ifdef __cplusplus
}
#endif

#endif
