// SPDX-License-Identifier: Apache-2.0
//
// The boot archive: the packages of an image and its boot manifest, as one page-aligned block. The
// layout is rumpk/archive.h.
//
// Equal input gives equal bytes, and every byte of an archive is either covered by a field or zero:
// nip_archive_read() finds the layout again from the sizes alone and refuses any other. It looks at
// form only; nip_image_verify() checks signatures and digests.

#ifndef NIP_ARCHIVE_H
#define NIP_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include <rumpk/archive.h>
#include <rumpk/bkdl.h>
#include <rumpk/ledger.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

// One package. The pointers are borrowed: of the caller for writing, into the archive after
// reading.
struct nip_archive_part {
    const uint8_t *digests, *bkdl, *elf;
    size_t digests_size, bkdl_size, elf_size;
    uint8_t publisher_key[RUMPK_KEY_SIZE];
    uint8_t signature[RUMPK_SIGNATURE_SIZE]; // over digests
};

struct nip_archive {
    uint32_t arch;
    uint32_t part_count;
    struct nip_archive_part parts[RUMPK_PACKAGES_MAX];
    const uint8_t *manifest; // boot.bkdl
    size_t manifest_size;
    uint8_t manifest_signature[RUMPK_SIGNATURE_SIZE];
};

// Appends the archive to `out`, which must be page-aligned in size. LIMIT when a part or the whole
// is too large.
enum nip_code nip_archive_write(const struct nip_archive *archive, struct nip_buffer *out,
                                struct nip_error *err) NIP_MUST_CHECK;

// Reads an archive of exactly `size` bytes. `*refusal` (may be NULL): the kernel's reason.
enum nip_code nip_archive_read(const void *data, size_t size, const char *file,
                               struct nip_archive *archive, enum rumpk_refusal *refusal,
                               struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
