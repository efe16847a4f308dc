// SPDX-License-Identifier: Apache-2.0
//
// load.h: the boot archive and the formats in it. Everything here reads bytes that nobody has
// vouched for yet; each format has one validator that either refuses with the reason or gives out a
// description whose every offset, size and text has been checked. Nothing here allocates, so the
// host's tests and fuzzers run the same code.
//
//   archive -> boot manifest (owner's signature)
//           -> per package: digests (pinned id, publisher's signature)
//                           -> npl.bkdl and ELF (digests) -> ELF rules, note, relocations
//
// Descriptions point into the archive, which is mapped read-only and never changes.
#ifndef KERNEL_LOAD_H
#define KERNEL_LOAD_H

#include <kernel/base.h>

// ---- digests.c ----

struct digests {
    uint32_t kind; // RUMPK_KIND_*
    uint32_t security_version;
    uint32_t abi_version;
    uint32_t arch_mask;
    char name[RUMPK_NAME_SIZE];
    char version[RUMPK_VERSION_SIZE];
    const uint8_t *files; // the file and beside lines
    uint64_t files_size;
};

struct digests_file {
    uint8_t digest[RUMPK_DIGEST_SIZE];
    uint64_t size;
};

// NONE or DIGESTS_FORM.
[[nodiscard]] enum rumpk_refusal digests_validate(const void *bytes, uint64_t size,
                                                  struct digests *out);
// The `file` line of `path`, after digests_validate.
[[nodiscard]] bool digests_find(const struct digests *digests, const char *path,
                                struct digests_file *out);

// ---- bkdl.c ----

// Records of one tag stand one behind the other at a fixed distance: a list is the first and a
// count.
struct bkdl_list {
    const uint8_t *first;
    uint32_t count;
};

struct bkdl_manifest {
    const struct rumpk_bkdl_identity *identity;
    const struct rumpk_bkdl_runtime *runtime;
    struct bkdl_list matches;
    struct bkdl_list requests;
    struct bkdl_list provides;
    struct bkdl_list needs;
};

struct bkdl_boot_package {
    const struct rumpk_bkdl_package *package;
    struct bkdl_list keys;
    struct bkdl_list grants;
    const uint8_t *config; // null: none
    uint32_t config_size;
};

struct bkdl_boot {
    const struct rumpk_bkdl_image *image;
    struct bkdl_boot_package packages[RUMPK_PACKAGES_MAX];
    struct bkdl_list wires;
};

// NONE or PACKAGE_FORM. `bytes` is 8-byte aligned.
[[nodiscard]] enum rumpk_refusal bkdl_manifest_validate(const void *bytes, uint64_t size,
                                                        struct bkdl_manifest *out);
// NONE or MANIFEST_FORM. `bytes` is 8-byte aligned.
[[nodiscard]] enum rumpk_refusal bkdl_boot_validate(const void *bytes, uint64_t size,
                                                    struct bkdl_boot *out);

const struct rumpk_bkdl_request *bkdl_request(const struct bkdl_list *list, uint32_t index);
const struct rumpk_bkdl_service *bkdl_service(const struct bkdl_list *list, uint32_t index);
const struct rumpk_bkdl_key *bkdl_key(const struct bkdl_list *list, uint32_t index);
const struct rumpk_bkdl_grant *bkdl_grant(const struct bkdl_list *list, uint32_t index);
const struct rumpk_bkdl_wire *bkdl_wire(const struct bkdl_list *list, uint32_t index);

// ---- elf.c, relocate.c ----

#define ELF_SEGMENTS_MAX    8u
#define ELF_IMAGE_SIZE_MAX  UINT64_C(16777216) // memory of a driver's image
#define ELF_RELOCATIONS_MAX 65536u

struct elf_segment {
    uint64_t offset; // in the file and from the load address
    uint64_t file_size;
    uint64_t memory_size;
    uint32_t flags; // ELF_READ | ELF_WRITE | ELF_EXECUTE
};

#define ELF_EXECUTE 1u
#define ELF_WRITE   2u
#define ELF_READ    4u

struct elf_image {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t entry;
    uint64_t image_size; // multiple of the page size
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    uint32_t segment_count;
    uint32_t arch;
    uint64_t relro; // range that is read-only after relocation; size 0: none; whole pages
    uint64_t relro_size;
    uint64_t relocations; // offset of the table in the file
    uint32_t relocation_count;
    struct rumpk_abi_note note;
};

// The first reason against the file (detail: the byte offset or index that shows the place), or
// NONE. Checked for `arch`. `bytes` is 16-byte aligned.
[[nodiscard]] enum rumpk_refusal elf_validate(const void *bytes, uint64_t size, uint32_t arch,
                                              struct elf_image *out, uint64_t *detail);
// Checks every relocation without writing anything: part of elf_validate, apart for its length.
[[nodiscard]] enum rumpk_refusal elf_relocations_check(const struct elf_image *image,
                                                       uint64_t *detail);
// Copies the segments to `to` (image_size cleared bytes, reachable) and relocates for load address
// `base`. Cannot fail.
void elf_place(const struct elf_image *image, uint8_t *to, uint64_t base);
// Are the bytes [offset, offset + size) of the file, as far as they are code and constants, still
// the same in the image that elf_place made at `placed`?
[[nodiscard]] bool elf_is_placed(const struct elf_image *image, const uint8_t *placed,
                                 uint64_t offset, uint64_t size);

// ---- archive.c ----

struct archive_entry {
    const struct rumpk_archive_entry *entry; // null when the table itself is unusable
    enum rumpk_refusal refusal; // NONE: layout and padding of this entry are as they must be
    uint64_t detail;            // offset in the archive that shows the place
};

struct archive {
    const uint8_t *bytes;
    const struct rumpk_archive_header *header;
    uint8_t owner_key[RUMPK_KEY_SIZE];
    struct archive_entry entries[RUMPK_PACKAGES_MAX];
    struct bkdl_boot boot;
};

// One package of the archive as far as it was accepted.
struct package {
    uint32_t number;
    enum rumpk_refusal refusal;
    uint64_t detail;
    uint8_t id[RUMPK_DIGEST_SIZE];
    struct digests digests;
    struct bkdl_manifest manifest;
    struct elf_image elf;
    uint8_t elf_digest[RUMPK_DIGEST_SIZE]; // as the publisher signed it
};

// Header, layout, owner's signature, boot manifest, in this order. NONE: `out` describes the
// archive, and out->entries[n] says for each package whether its part is well formed. `bytes` is
// page-aligned.
[[nodiscard]] enum rumpk_refusal archive_validate(const void *bytes, uint64_t size, uint32_t arch,
                                                  const uint8_t owner_key[RUMPK_KEY_SIZE],
                                                  struct archive *out, uint64_t *detail);
// Everything that can be said about one package from its signed bytes, the boot manifest and this
// kernel's limits.
void archive_package_validate(const struct archive *archive, uint32_t number, struct package *out);

#endif
