// SPDX-License-Identifier: Apache-2.0
//
// archive.h: the boot archive and the image header, by which `nip image` and the kernel meet.
//
// The archive is one page-aligned read-only segment of the kernel's ELF file. All offsets count from its
// start. Everything not covered by a field below is zero, and readers check it.
//
//   struct rumpk_archive_header            one page, rest zero
//   struct rumpk_archive_entry[count]      from the second page on, padded to a page
//   per entry, in order:  digests | npl.bkdl   each padded to 16 bytes, the pair padded to a page
//                         ELF                  page-aligned, padded to a page
//   boot.bkdl                              page-aligned, padded to a page
//   end = header.size
//
// The owner's signature in the header is over boot.bkdl (minisign "ED": Ed25519 of BLAKE2b-512). It lies outside
// what it signs; header and entries are located, not trusted: every use is checked against boot.bkdl and digests.
#ifndef RUMPK_ARCHIVE_H
#define RUMPK_ARCHIVE_H

#include <rumpk/base.h>

#define RUMPK_ARCHIVE_MAGIC "RUMPKBA0"  // 8 bytes, no NUL
#define RUMPK_ARCHIVE_SIZE_MAX 67108864u
#define RUMPK_DIGESTS_SIZE_MAX 65536u
#define RUMPK_ELF_SIZE_MAX 4194304u

struct rumpk_archive_header {
    char magic[8];
    uint64_t size;           // bytes of the archive, multiple of the page size
    uint32_t entry_count;    // 0..RUMPK_PACKAGES_MAX; same order as the PACKAGE records of boot.bkdl
    uint32_t arch;           // RUMPK_ARCH_*
    uint64_t manifest_offset;  // boot.bkdl
    uint64_t manifest_size;
    uint8_t manifest_signature[RUMPK_SIGNATURE_SIZE];
    uint8_t reserved[24];
};
RUMPK_ASSERT_SIZE(rumpk_archive_header, 128);
RUMPK_ASSERT_OFFSET(rumpk_archive_header, manifest_signature, 40);

struct rumpk_archive_entry {
    uint64_t digests_offset;
    uint64_t digests_size;
    uint64_t bkdl_offset;
    uint64_t bkdl_size;
    uint64_t elf_offset;  // multiple of the page size
    uint64_t elf_size;
    uint8_t publisher_key[RUMPK_KEY_SIZE];
    uint8_t signature[RUMPK_SIGNATURE_SIZE];  // over digests
    uint8_t reserved[48];
};
RUMPK_ASSERT_SIZE(rumpk_archive_entry, 192);
RUMPK_ASSERT_OFFSET(rumpk_archive_entry, publisher_key, 48);

// Section .rumpk.image of the kernel, symbol rumpk_image_header: all zero as built, filled by `nip image`. A zero
// owner key starts no driver. archive_base is the physical address of the archive segment.
#define RUMPK_IMAGE_SECTION ".rumpk.image"

struct rumpk_image_header {
    uint8_t owner_key[RUMPK_KEY_SIZE];
    uint64_t archive_base;
    uint64_t archive_size;
    uint64_t reserved[2];
};
RUMPK_ASSERT_SIZE(rumpk_image_header, 64);

#endif
