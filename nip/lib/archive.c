// SPDX-License-Identifier: Apache-2.0
//
// Writing and reading the boot archive (rumpk/archive.h).
//
//   page 0      header
//   page 1 ...  entry table
//   per entry   digests | npl.bkdl     to 16 bytes each, the pair to a page
//               ELF                    to a page
//   last        boot.bkdl              to a page
//
// The sizes alone fix every offset, so the reader computes the layout as the writer does and
// compares.

#include "nip/archive.h"

#include <inttypes.h>
#include <string.h>

enum { DOCUMENT_ALIGNMENT = 16 };

// Where the parts of one package lie.
struct part_layout {
    uint64_t digests, digests_end, bkdl, bkdl_end, elf, elf_end, end;
};

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static bool size_is_valid(uint64_t size, uint64_t size_max)
{
    return size != 0 && size <= size_max;
}

// `at` lies within an archive and the sizes are bounded, so no sum here can overflow.
static void lay_out_part(uint64_t at, uint64_t digests_size, uint64_t bkdl_size, uint64_t elf_size,
                         struct part_layout *layout)
{
    layout->digests = at;
    layout->digests_end = at + digests_size;
    layout->bkdl = round_up(layout->digests_end, DOCUMENT_ALIGNMENT);
    layout->bkdl_end = layout->bkdl + bkdl_size;
    layout->elf = round_up(layout->bkdl_end, RUMPK_PAGE_SIZE);
    layout->elf_end = layout->elf + elf_size;
    layout->end = round_up(layout->elf_end, RUMPK_PAGE_SIZE);
}

enum nip_code nip_archive_write(const struct nip_archive *archive, struct nip_buffer *out,
                                struct nip_error *err)
{
    if (archive->part_count > RUMPK_PACKAGES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "an image holds at most %u packages",
                             RUMPK_PACKAGES_MAX);
    for (uint32_t i = 0; i < archive->part_count; i++) {
        const struct nip_archive_part *part = &archive->parts[i];
        if (!size_is_valid(part->digests_size, RUMPK_DIGESTS_SIZE_MAX) ||
            !size_is_valid(part->bkdl_size, RUMPK_BKDL_PACKAGE_SIZE_MAX) ||
            !size_is_valid(part->elf_size, RUMPK_ELF_SIZE_MAX))
            return nip_error_set(err, NIP_ERROR_LIMIT,
                                 "package %" PRIu32 " has an empty or too large part: digests %zu, "
                                 "npl.bkdl %zu, driver %zu bytes", i, part->digests_size,
                                 part->bkdl_size, part->elf_size);
    }
    if (!size_is_valid(archive->manifest_size, RUMPK_BKDL_BOOT_SIZE_MAX))
        return nip_error_set(err, NIP_ERROR_LIMIT, "the boot manifest has %zu bytes",
                             archive->manifest_size);
    struct part_layout parts[RUMPK_PACKAGES_MAX];
    uint64_t at = round_up(RUMPK_PAGE_SIZE +
                               archive->part_count * sizeof(struct rumpk_archive_entry),
                           RUMPK_PAGE_SIZE);
    for (uint32_t i = 0; i < archive->part_count; i++) {
        lay_out_part(at, archive->parts[i].digests_size, archive->parts[i].bkdl_size,
                     archive->parts[i].elf_size, &parts[i]);
        at = parts[i].end;
    }
    uint64_t size = round_up(at + archive->manifest_size, RUMPK_PAGE_SIZE);
    if (size > RUMPK_ARCHIVE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "the boot archive would have %" PRIu64 " bytes; at most %u are "
                             "possible", size, RUMPK_ARCHIVE_SIZE_MAX);
    uint8_t *base = nip_buffer_extend(out, (size_t)size);
    if (!base)
        return nip_buffer_check(out, "the boot archive", err);
    struct rumpk_archive_header header = {
        .size = size,
        .entry_count = archive->part_count,
        .arch = archive->arch,
        .manifest_offset = at,
        .manifest_size = archive->manifest_size,
    };
    memcpy(header.magic, RUMPK_ARCHIVE_MAGIC, sizeof header.magic);
    memcpy(header.manifest_signature, archive->manifest_signature, RUMPK_SIGNATURE_SIZE);
    memcpy(base, &header, sizeof header);
    for (uint32_t i = 0; i < archive->part_count; i++) {
        const struct nip_archive_part *part = &archive->parts[i];
        struct rumpk_archive_entry entry = {
            .digests_offset = parts[i].digests,
            .digests_size = part->digests_size,
            .bkdl_offset = parts[i].bkdl,
            .bkdl_size = part->bkdl_size,
            .elf_offset = parts[i].elf,
            .elf_size = part->elf_size,
        };
        memcpy(entry.publisher_key, part->publisher_key, RUMPK_KEY_SIZE);
        memcpy(entry.signature, part->signature, RUMPK_SIGNATURE_SIZE);
        memcpy(base + RUMPK_PAGE_SIZE + i * sizeof entry, &entry, sizeof entry);
        memcpy(base + parts[i].digests, part->digests, part->digests_size);
        memcpy(base + parts[i].bkdl, part->bkdl, part->bkdl_size);
        memcpy(base + parts[i].elf, part->elf, part->elf_size);
    }
    memcpy(base + at, archive->manifest, archive->manifest_size);
    return NIP_OK;
}

// ---- reading ----

struct reading {
    const uint8_t *data;
    uint64_t size;
    const char *file;
    enum rumpk_refusal refusal;
    struct nip_error *err;
};

static enum nip_code refuse(struct reading *reading, enum rumpk_refusal refusal,
                            const char *format, ...) NIP_PRINTF(3, 4);

static enum nip_code refuse(struct reading *reading, enum rumpk_refusal refusal,
                            const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(reading->err, NIP_ERROR_FORMAT, format, list);
    va_end(list);
    nip_error_prefix(reading->err, "%s: boot archive: ", reading->file);
    reading->refusal = refusal;
    return NIP_ERROR_FORMAT;
}

static bool is_zero(const uint8_t *data, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        if (data[i] != 0)
            return false;
    return true;
}

static enum nip_code check_gap(struct reading *reading, uint64_t from, uint64_t to)
{
    if (is_zero(reading->data + from, to - from))
        return NIP_OK;
    return refuse(reading, RUMPK_REFUSE_ARCHIVE_PADDING,
                  "bytes %" PRIu64 " to %" PRIu64 " must be zero and are not", from, to);
}

// Reads the header; what it says is bounded afterwards, and it and the table are followed by zeros.
static enum nip_code read_header(struct reading *reading, struct rumpk_archive_header *header)
{
    if (reading->size < 2 * (uint64_t)RUMPK_PAGE_SIZE || reading->size > RUMPK_ARCHIVE_SIZE_MAX ||
        reading->size % RUMPK_PAGE_SIZE != 0)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_HEADER, "impossible size %" PRIu64,
                      reading->size);
    memcpy(header, reading->data, sizeof *header);
    if (memcmp(header->magic, RUMPK_ARCHIVE_MAGIC, sizeof header->magic) != 0 ||
        header->size != reading->size || header->entry_count > RUMPK_PACKAGES_MAX ||
        header->arch < 1 || header->arch > RUMPK_ARCH_COUNT ||
        !is_zero(header->reserved, sizeof header->reserved))
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_HEADER,
                      "magic, size, count, architecture or reserved bytes of the header are wrong");
    uint64_t table_end =
        RUMPK_PAGE_SIZE + header->entry_count * sizeof(struct rumpk_archive_entry);
    if (round_up(table_end, RUMPK_PAGE_SIZE) >= reading->size)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS, "the entry table fills it");
    enum nip_code code = check_gap(reading, sizeof *header, RUMPK_PAGE_SIZE);
    if (code == NIP_OK)
        code = check_gap(reading, table_end, round_up(table_end, RUMPK_PAGE_SIZE));
    return code;
}

// One entry, which must begin at *at; *at becomes where it ends. Sizes are bounded before they are
// added.
static enum nip_code read_entry(struct reading *reading, uint32_t index, uint64_t *at,
                                struct nip_archive_part *part)
{
    struct rumpk_archive_entry entry;
    memcpy(&entry, reading->data + RUMPK_PAGE_SIZE + index * sizeof entry, sizeof entry);
    if (!is_zero(entry.reserved, sizeof entry.reserved))
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_HEADER,
                      "reserved bytes of entry %" PRIu32 " are not zero", index);
    if (!size_is_valid(entry.digests_size, RUMPK_DIGESTS_SIZE_MAX) ||
        !size_is_valid(entry.bkdl_size, RUMPK_BKDL_PACKAGE_SIZE_MAX) ||
        !size_is_valid(entry.elf_size, RUMPK_ELF_SIZE_MAX))
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS, "impossible size in entry %" PRIu32,
                      index);
    struct part_layout layout;
    lay_out_part(*at, entry.digests_size, entry.bkdl_size, entry.elf_size, &layout);
    if (entry.digests_offset != layout.digests || entry.bkdl_offset != layout.bkdl ||
        entry.elf_offset != layout.elf || layout.end > reading->size)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                      "entry %" PRIu32 " is not where it must be", index);
    part->digests = reading->data + layout.digests;
    part->bkdl = reading->data + layout.bkdl;
    part->elf = reading->data + layout.elf;
    part->digests_size = (size_t)entry.digests_size;
    part->bkdl_size = (size_t)entry.bkdl_size;
    part->elf_size = (size_t)entry.elf_size;
    memcpy(part->publisher_key, entry.publisher_key, RUMPK_KEY_SIZE);
    memcpy(part->signature, entry.signature, RUMPK_SIGNATURE_SIZE);
    *at = layout.end;
    enum nip_code code = check_gap(reading, layout.digests_end, layout.bkdl);
    if (code == NIP_OK)
        code = check_gap(reading, layout.bkdl_end, layout.elf);
    if (code == NIP_OK)
        code = check_gap(reading, layout.elf_end, layout.end);
    return code;
}

static enum nip_code read_all(struct reading *reading, struct nip_archive *archive)
{
    struct rumpk_archive_header header = {0};
    enum nip_code code = read_header(reading, &header);
    if (code != NIP_OK)
        return code;
    uint64_t at = round_up(RUMPK_PAGE_SIZE +
                               header.entry_count * sizeof(struct rumpk_archive_entry),
                           RUMPK_PAGE_SIZE);
    for (uint32_t i = 0; i < header.entry_count && code == NIP_OK; i++)
        code = read_entry(reading, i, &at, &archive->parts[i]);
    if (code != NIP_OK)
        return code;
    if (header.manifest_offset != at ||
        !size_is_valid(header.manifest_size, RUMPK_BKDL_BOOT_SIZE_MAX) ||
        round_up(at + header.manifest_size, RUMPK_PAGE_SIZE) != reading->size)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                      "the boot manifest is not where it must be");
    archive->arch = header.arch;
    archive->part_count = header.entry_count;
    archive->manifest = reading->data + at;
    archive->manifest_size = (size_t)header.manifest_size;
    memcpy(archive->manifest_signature, header.manifest_signature, RUMPK_SIGNATURE_SIZE);
    return check_gap(reading, at + header.manifest_size, reading->size);
}

enum nip_code nip_archive_read(const void *data, size_t size, const char *file,
                               struct nip_archive *archive, enum rumpk_refusal *refusal,
                               struct nip_error *err)
{
    struct reading reading = {.data = data, .size = size, .file = file, .err = err};
    memset(archive, 0, sizeof *archive);
    enum nip_code code = read_all(&reading, archive);
    if (refusal)
        *refusal = reading.refusal;
    return code;
}
