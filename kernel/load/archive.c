// SPDX-License-Identifier: Apache-2.0
//
// archive.c: from bytes that anybody may have changed to packages that can be started. The order of
// the checks is the order of the refusals: what a later check needs, an earlier one has settled.
//
// The layout leaves no freedom: every part begins where the one before it ends (rumpk/archive.h),
// and what no field covers is zero. A part that is elsewhere costs its own package only: the next
// one is looked for where its own entry says.
#include <arch/formats.h>
#include <kernel/crypto.h>
#include <kernel/load.h>

#define ENTRIES_OFFSET     PAGE_SIZE
#define DOCUMENT_ALIGNMENT 16u

static enum rumpk_refusal refuse(enum rumpk_refusal reason, uint64_t detail, uint64_t *out)
{
    *out = detail;
    return reason;
}

// Is [from, to) of the archive zero? Both have been checked against its size.
static bool gap_is_zero(const struct archive *archive, uint64_t from, uint64_t to)
{
    return from <= to && bytes_are_zero(archive->bytes + from, to - from);
}

static bool size_is_valid(uint64_t size, uint64_t max)
{
    return size != 0 && size <= max;
}

// One entry, which begins at `start`: NONE and *end (a page boundary), or the reason against it.
// Sizes are small and `start` lies in the archive, so no sum here can overflow.
static enum rumpk_refusal entry_check(const struct archive *archive,
                                      const struct rumpk_archive_entry *entry, uint64_t start,
                                      uint64_t *end, uint64_t *detail)
{
    uint64_t limit = archive->header->size;
    uint64_t digests_end;
    uint64_t bkdl_end;
    uint64_t elf_end;

    if (!bytes_are_zero(entry->reserved, sizeof(entry->reserved)))
        return refuse(RUMPK_REFUSE_ARCHIVE_HEADER, start, detail);
    if (!size_is_valid(entry->digests_size, RUMPK_DIGESTS_SIZE_MAX) ||
        !size_is_valid(entry->bkdl_size, RUMPK_BKDL_PACKAGE_SIZE_MAX) ||
        !size_is_valid(entry->elf_size, RUMPK_ELF_SIZE_MAX) || entry->digests_offset != start)
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, start, detail);
    digests_end = start + entry->digests_size;
    if (entry->bkdl_offset !=
        ((digests_end + DOCUMENT_ALIGNMENT - 1) & ~(uint64_t)(DOCUMENT_ALIGNMENT - 1)))
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, start, detail);
    bkdl_end = entry->bkdl_offset + entry->bkdl_size;
    if (entry->elf_offset != page_up(bkdl_end))
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, start, detail);
    elf_end = entry->elf_offset + entry->elf_size;
    if (page_up(elf_end) > limit)
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, start, detail);
    if (!gap_is_zero(archive, digests_end, entry->bkdl_offset))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, digests_end, detail);
    if (!gap_is_zero(archive, bkdl_end, entry->elf_offset))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, bkdl_end, detail);
    if (!gap_is_zero(archive, elf_end, page_up(elf_end)))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, elf_end, detail);
    *end = page_up(elf_end);
    return RUMPK_REFUSE_NONE;
}

// Every entry in turn. *end: where the last one ends; when an entry was refused, where the next
// begins is what the next entry (or the header, for the manifest) says, as long as that is further
// on and a page.
static void entries_check(struct archive *archive, uint64_t *end)
{
    const struct rumpk_archive_header *header = archive->header;
    const struct rumpk_archive_entry *table = (const void *)(archive->bytes + ENTRIES_OFFSET);
    uint64_t cursor = page_up(ENTRIES_OFFSET + header->entry_count * sizeof(*table));

    for (uint32_t index = 0; index < header->entry_count; index++) {
        struct archive_entry *entry = &archive->entries[index];
        uint64_t next = index + 1 < header->entry_count ? table[index + 1].digests_offset
                                                        : header->manifest_offset;

        entry->entry = &table[index];
        entry->refusal = entry_check(archive, &table[index], cursor, &cursor, &entry->detail);
        if (entry->refusal == RUMPK_REFUSE_NONE)
            continue;
        if (next > cursor && next < header->size && (next & PAGE_MASK) == 0)
            cursor = next;
    }
    *end = cursor;
}

static enum rumpk_refusal header_check(const struct archive *archive, uint64_t size, uint32_t arch,
                                       uint64_t *detail)
{
    const struct rumpk_archive_header *header = archive->header;
    uint64_t table_end;

    if (size < 2 * PAGE_SIZE || size > RUMPK_ARCHIVE_SIZE_MAX || (size & PAGE_MASK) != 0)
        return refuse(RUMPK_REFUSE_ARCHIVE_HEADER, 0, detail);
    if (memcmp(header->magic, RUMPK_ARCHIVE_MAGIC, sizeof(header->magic)) != 0 ||
        header->size != size || header->entry_count > RUMPK_PACKAGES_MAX || header->arch != arch ||
        !bytes_are_zero(header->reserved, sizeof(header->reserved)))
        return refuse(RUMPK_REFUSE_ARCHIVE_HEADER, 0, detail);
    table_end = ENTRIES_OFFSET + header->entry_count * sizeof(struct rumpk_archive_entry);
    if (page_up(table_end) >= size)
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, ENTRIES_OFFSET, detail);
    if (!gap_is_zero(archive, sizeof(*header), ENTRIES_OFFSET))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, sizeof(*header), detail);
    if (!gap_is_zero(archive, table_end, page_up(table_end)))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, table_end, detail);
    return RUMPK_REFUSE_NONE;
}

// The manifest is the last part: it begins where the entries end and its padding ends the archive.
static enum rumpk_refusal manifest_locate(const struct archive *archive, uint64_t start,
                                          uint64_t *detail)
{
    const struct rumpk_archive_header *header = archive->header;
    uint64_t end;

    if (header->manifest_offset != start ||
        !size_is_valid(header->manifest_size, RUMPK_BKDL_BOOT_SIZE_MAX) ||
        page_up(start + header->manifest_size) != header->size)
        return refuse(RUMPK_REFUSE_ARCHIVE_BOUNDS, start, detail);
    end = start + header->manifest_size;
    if (!gap_is_zero(archive, end, header->size))
        return refuse(RUMPK_REFUSE_ARCHIVE_PADDING, end, detail);
    return RUMPK_REFUSE_NONE;
}

enum rumpk_refusal archive_validate(const void *bytes, uint64_t size, uint32_t arch,
                                    const uint8_t owner_key[RUMPK_KEY_SIZE], struct archive *out,
                                    uint64_t *detail)
{
    const struct rumpk_archive_header *header = bytes;
    enum rumpk_refusal refusal;
    uint64_t manifest_start = 0;

    *detail = 0;
    memset(out, 0, sizeof(*out));
    out->bytes = bytes;
    out->header = header;
    memcpy(out->owner_key, owner_key, RUMPK_KEY_SIZE);

    // Whose image is it? A zero key is nobody's.
    if (bytes_are_zero(owner_key, RUMPK_KEY_SIZE))
        return RUMPK_REFUSE_OWNER_KEY;
    // Is it an archive, of this size, for this processor?
    refusal = header_check(out, size, arch, detail);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    // Where does each part lie?
    entries_check(out, &manifest_start);
    refusal = manifest_locate(out, manifest_start, detail);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    // Did the owner sign the manifest?
    if (!crypto_signature_fits(out->bytes + header->manifest_offset, header->manifest_size,
                               owner_key, header->manifest_signature))
        return RUMPK_REFUSE_MANIFEST_SIGNATURE;
    // What does it say?
    refusal =
        bkdl_boot_validate(out->bytes + header->manifest_offset, header->manifest_size, &out->boot);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    if (out->boot.image->arch != arch)
        return RUMPK_REFUSE_MANIFEST_ARCH;
    if (out->boot.image->package_count != header->entry_count)
        return refuse(RUMPK_REFUSE_ARCHIVE_HEADER, out->boot.image->package_count, detail);
    return RUMPK_REFUSE_NONE;
}

// Where the driver for `arch` stands in a package.
static const char *elf_path(uint32_t arch)
{
    static const char *const paths[RUMPK_ARCH_COUNT] = {
#define ELF_PATH(name, number, machine, relative) [(number) - 1] = name "/driver.elf",
        ARCH_FORMATS(ELF_PATH)
#undef ELF_PATH
    };

    return paths[arch - 1];
}

// One of the publisher's keys? None of those may be the owner's own, except in a development image:
// who makes packages and who permits them are two.
static bool key_is_pinned(const struct archive *archive, const struct bkdl_boot_package *pinned,
                          const uint8_t key[RUMPK_KEY_SIZE])
{
    bool development = (archive->boot.image->flags & RUMPK_IMAGE_DEVELOPMENT) != 0;
    bool found = false;

    for (uint32_t index = 0; index < pinned->keys.count; index++) {
        const uint8_t *listed = bkdl_key(&pinned->keys, index)->key;

        if (!development && memcmp(listed, archive->owner_key, RUMPK_KEY_SIZE) == 0)
            return false;
        found = found || memcmp(listed, key, RUMPK_KEY_SIZE) == 0;
    }
    return found;
}

// Is this file the one that the digests list under `path`? Then *digest is its digest.
static bool file_is_signed(const struct digests *digests, const char *path, const void *bytes,
                           uint64_t size, uint8_t digest[RUMPK_DIGEST_SIZE])
{
    struct digests_file file;

    if (!digests_find(digests, path, &file) || file.size != size ||
        !crypto_digest_fits(bytes, size, file.digest))
        return false;
    memcpy(digest, file.digest, sizeof(file.digest));
    return true;
}

// Do manifest, digests and boot manifest speak of the same thing?
static enum rumpk_refusal identity_check(const struct package *package,
                                         const struct rumpk_bkdl_package *pinned)
{
    const struct rumpk_bkdl_identity *identity = package->manifest.identity;
    const struct digests *digests = &package->digests;

    if (!text_equal(identity->name, digests->name, RUMPK_NAME_SIZE) ||
        !text_equal(identity->version, digests->version, RUMPK_VERSION_SIZE) ||
        !text_equal(pinned->name, digests->name, RUMPK_NAME_SIZE))
        return RUMPK_REFUSE_PACKAGE_NAME;
    if (identity->kind != digests->kind || identity->arch_mask != digests->arch_mask ||
        identity->abi_version != digests->abi_version ||
        identity->security_version != digests->security_version ||
        digests->kind != RUMPK_KIND_DRIVER)
        return RUMPK_REFUSE_PACKAGE_FORM;
    return RUMPK_REFUSE_NONE;
}

static enum rumpk_refusal package_check(const struct archive *archive, uint32_t number,
                                        struct package *out)
{
    const struct archive_entry *place = &archive->entries[number];
    const struct rumpk_archive_entry *entry = place->entry;
    const struct bkdl_boot_package *pinned = &archive->boot.packages[number];
    uint32_t arch = archive->header->arch;
    const uint8_t *digests;
    const uint8_t *bkdl;
    const uint8_t *elf;
    uint8_t digest[RUMPK_DIGEST_SIZE];
    enum rumpk_refusal refusal;

    // Is everything of it where it must be?
    if (place->refusal != RUMPK_REFUSE_NONE)
        return refuse(place->refusal, place->detail, &out->detail);
    digests = archive->bytes + entry->digests_offset;
    bkdl = archive->bytes + entry->bkdl_offset;
    elf = archive->bytes + entry->elf_offset;

    // Is it the very package that the owner pinned, from a publisher the owner pinned?
    crypto_digest(digests, entry->digests_size, out->id);
    if (memcmp(out->id, pinned->package->package_id, RUMPK_DIGEST_SIZE) != 0)
        return RUMPK_REFUSE_PACKAGE_ID;
    if (!key_is_pinned(archive, pinned, entry->publisher_key))
        return RUMPK_REFUSE_PACKAGE_KEY;
    if (!crypto_signature_fits(digests, entry->digests_size, entry->publisher_key,
                               entry->signature))
        return RUMPK_REFUSE_SIGNATURE;

    // What does the signed list say, and may that run here?
    refusal = digests_validate(digests, entry->digests_size, &out->digests);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    if (!text_equal(pinned->package->name, out->digests.name, RUMPK_NAME_SIZE))
        return RUMPK_REFUSE_PACKAGE_NAME;
    if (out->digests.security_version < pinned->package->security_floor)
        return RUMPK_REFUSE_SECURITY_FLOOR;
    if (out->digests.abi_version > RUMPK_ABI_VERSION)
        return RUMPK_REFUSE_ABI_VERSION;
    if ((out->digests.arch_mask & RUMPK_ARCH_BIT(arch)) == 0)
        return RUMPK_REFUSE_ARCH;

    // Are the files the signed ones?
    if (!file_is_signed(&out->digests, "npl.bkdl", bkdl, entry->bkdl_size, digest))
        return RUMPK_REFUSE_MANIFEST_DIGEST;
    if (!file_is_signed(&out->digests, elf_path(arch), elf, entry->elf_size, out->elf_digest))
        return RUMPK_REFUSE_ELF_DIGEST;

    // Are they well formed?
    refusal = bkdl_manifest_validate(bkdl, entry->bkdl_size, &out->manifest);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    refusal = identity_check(out, pinned->package);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    refusal = elf_validate(elf, entry->elf_size, arch, &out->elf, &out->detail);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    if (out->elf.note.abi_version != out->digests.abi_version)
        return RUMPK_REFUSE_NOTE_ABI;

    // Does it ask for no more than the owner allows?
    if (out->manifest.runtime->stack_size > pinned->package->stack_max ||
        out->manifest.runtime->heap_size > pinned->package->heap_max ||
        pinned->package->spectrum < out->manifest.runtime->spectrum)
        return RUMPK_REFUSE_LIMIT;
    return RUMPK_REFUSE_NONE;
}

void archive_package_validate(const struct archive *archive, uint32_t number, struct package *out)
{
    memset(out, 0, sizeof(*out));
    out->number = number;
    out->refusal = package_check(archive, number, out);
}
