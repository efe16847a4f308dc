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

#include "checked.h"

enum { DOCUMENT_ALIGNMENT = 16 };

// Where everything lies. Filled by lay_out() from sizes that have been checked.
struct layout {
    uint64_t table_end;
    struct {
        uint64_t digests, digests_end, bkdl, bkdl_end, elf, elf_end;
    } parts[RUMPK_PACKAGES_MAX];
    uint64_t manifest, manifest_end, size;
};

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

static bool size_is_valid(uint64_t size, uint64_t size_max)
{
    return size != 0 && size <= size_max;
}

// Sizes are bounded, so no sum here can overflow.
static void lay_out(const struct nip_archive *archive, struct layout *layout)
{
    layout->table_end =
        RUMPK_PAGE_SIZE + archive->part_count * sizeof(struct rumpk_archive_entry);
    uint64_t at = round_up(layout->table_end, RUMPK_PAGE_SIZE);
    for (uint32_t i = 0; i < archive->part_count; i++) {
        layout->parts[i].digests = at;
        layout->parts[i].digests_end = at + archive->parts[i].digests_size;
        layout->parts[i].bkdl = round_up(layout->parts[i].digests_end, DOCUMENT_ALIGNMENT);
        layout->parts[i].bkdl_end = layout->parts[i].bkdl + archive->parts[i].bkdl_size;
        layout->parts[i].elf = round_up(layout->parts[i].bkdl_end, RUMPK_PAGE_SIZE);
        layout->parts[i].elf_end = layout->parts[i].elf + archive->parts[i].elf_size;
        at = round_up(layout->parts[i].elf_end, RUMPK_PAGE_SIZE);
    }
    layout->manifest = at;
    layout->manifest_end = at + archive->manifest_size;
    layout->size = round_up(layout->manifest_end, RUMPK_PAGE_SIZE);
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
    struct layout layout;
    lay_out(archive, &layout);
    if (layout.size > RUMPK_ARCHIVE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "the boot archive would have %" PRIu64 " bytes; at most %u are "
                             "possible", layout.size, RUMPK_ARCHIVE_SIZE_MAX);
    uint8_t *base = nip_buffer_extend(out, (size_t)layout.size);
    if (!base)
        return nip_buffer_check(out, "the boot archive", err);
    struct rumpk_archive_header header = {
        .size = layout.size,
        .entry_count = archive->part_count,
        .arch = archive->arch,
        .manifest_offset = layout.manifest,
        .manifest_size = archive->manifest_size,
    };
    memcpy(header.magic, RUMPK_ARCHIVE_MAGIC, sizeof header.magic);
    memcpy(header.manifest_signature, archive->manifest_signature, RUMPK_SIGNATURE_SIZE);
    memcpy(base, &header, sizeof header);
    for (uint32_t i = 0; i < archive->part_count; i++) {
        const struct nip_archive_part *part = &archive->parts[i];
        struct rumpk_archive_entry entry = {
            .digests_offset = layout.parts[i].digests,
            .digests_size = part->digests_size,
            .bkdl_offset = layout.parts[i].bkdl,
            .bkdl_size = part->bkdl_size,
            .elf_offset = layout.parts[i].elf,
            .elf_size = part->elf_size,
        };
        memcpy(entry.publisher_key, part->publisher_key, RUMPK_KEY_SIZE);
        memcpy(entry.signature, part->signature, RUMPK_SIGNATURE_SIZE);
        memcpy(base + RUMPK_PAGE_SIZE + i * sizeof entry, &entry, sizeof entry);
        memcpy(base + layout.parts[i].digests, part->digests, part->digests_size);
        memcpy(base + layout.parts[i].bkdl, part->bkdl, part->bkdl_size);
        memcpy(base + layout.parts[i].elf, part->elf, part->elf_size);
    }
    memcpy(base + layout.manifest, archive->manifest, archive->manifest_size);
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

// Header and entry table: copies the sizes, checks what needs no layout.
static enum nip_code read_tables(struct reading *reading, struct rumpk_archive_header *header,
                                 struct rumpk_archive_entry entries[RUMPK_PACKAGES_MAX],
                                 struct nip_archive *archive)
{
    if (reading->size < 2 * RUMPK_PAGE_SIZE || reading->size > RUMPK_ARCHIVE_SIZE_MAX ||
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
    uint64_t table_end = RUMPK_PAGE_SIZE + header->entry_count * sizeof entries[0];
    if (round_up(table_end, RUMPK_PAGE_SIZE) >= reading->size)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS, "the entry table fills it");
    archive->arch = header->arch;
    archive->part_count = header->entry_count;
    archive->manifest_size = (size_t)header->manifest_size;
    memcpy(archive->manifest_signature, header->manifest_signature, RUMPK_SIGNATURE_SIZE);
    if (!size_is_valid(header->manifest_size, RUMPK_BKDL_BOOT_SIZE_MAX))
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                      "impossible size %" PRIu64 " of the boot manifest", header->manifest_size);
    for (uint32_t i = 0; i < header->entry_count; i++) {
        memcpy(&entries[i], reading->data + RUMPK_PAGE_SIZE + i * sizeof entries[0],
               sizeof entries[0]);
        const struct rumpk_archive_entry *entry = &entries[i];
        if (!is_zero(entry->reserved, sizeof entry->reserved))
            return refuse(reading, RUMPK_REFUSE_ARCHIVE_HEADER,
                          "reserved bytes of entry %" PRIu32 " are not zero", i);
        if (!size_is_valid(entry->digests_size, RUMPK_DIGESTS_SIZE_MAX) ||
            !size_is_valid(entry->bkdl_size, RUMPK_BKDL_PACKAGE_SIZE_MAX) ||
            !size_is_valid(entry->elf_size, RUMPK_ELF_SIZE_MAX))
            return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                          "impossible size in entry %" PRIu32, i);
        struct nip_archive_part *part = &archive->parts[i];
        part->digests_size = (size_t)entry->digests_size;
        part->bkdl_size = (size_t)entry->bkdl_size;
        part->elf_size = (size_t)entry->elf_size;
        memcpy(part->publisher_key, entry->publisher_key, RUMPK_KEY_SIZE);
        memcpy(part->signature, entry->signature, RUMPK_SIGNATURE_SIZE);
    }
    return NIP_OK;
}

static enum nip_code check_layout(struct reading *reading,
                                  const struct rumpk_archive_header *header,
                                  const struct rumpk_archive_entry *entries,
                                  struct nip_archive *archive)
{
    struct layout layout;
    lay_out(archive, &layout);
    for (uint32_t i = 0; i < archive->part_count; i++)
        if (entries[i].digests_offset != layout.parts[i].digests ||
            entries[i].bkdl_offset != layout.parts[i].bkdl ||
            entries[i].elf_offset != layout.parts[i].elf)
            return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                          "entry %" PRIu32 " is not where it must be", i);
    if (header->manifest_offset != layout.manifest || layout.size != reading->size)
        return refuse(reading, RUMPK_REFUSE_ARCHIVE_BOUNDS,
                      "the boot manifest is not where it must be");
    enum nip_code code = check_gap(reading, sizeof *header, RUMPK_PAGE_SIZE);
    if (code == NIP_OK)
        code = check_gap(reading, layout.table_end,
                         round_up(layout.table_end, RUMPK_PAGE_SIZE));
    for (uint32_t i = 0; i < archive->part_count && code == NIP_OK; i++) {
        struct nip_archive_part *part = &archive->parts[i];
        part->digests = reading->data + layout.parts[i].digests;
        part->bkdl = reading->data + layout.parts[i].bkdl;
        part->elf = reading->data + layout.parts[i].elf;
        code = check_gap(reading, layout.parts[i].digests_end, layout.parts[i].bkdl);
        if (code == NIP_OK)
            code = check_gap(reading, layout.parts[i].bkdl_end, layout.parts[i].elf);
        if (code == NIP_OK)
            code = check_gap(reading, layout.parts[i].elf_end,
                             round_up(layout.parts[i].elf_end, RUMPK_PAGE_SIZE));
    }
    archive->manifest = reading->data + layout.manifest;
    if (code == NIP_OK)
        code = check_gap(reading, layout.manifest_end, layout.size);
    return code;
}

enum nip_code nip_archive_read(const void *data, size_t size, const char *file,
                               struct nip_archive *archive, enum rumpk_refusal *refusal,
                               struct nip_error *err)
{
    struct reading reading = {.data = data, .size = size, .file = file, .err = err};
    struct rumpk_archive_header header;
    struct rumpk_archive_entry entries[RUMPK_PACKAGES_MAX];
    memset(archive, 0, sizeof *archive);
    enum nip_code code = read_tables(&reading, &header, entries, archive);
    if (code == NIP_OK)
        code = check_layout(&reading, &header, entries, archive);
    if (refusal)
        *refusal = reading.refusal;
    return code;
}
