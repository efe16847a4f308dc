// SPDX-License-Identifier: Apache-2.0
//
// From a kernel file to an image, and back.
//
//   0                 ELF header: e_phoff and e_phnum changed
//   64                program headers as built: kept, and unused
//   ...               kernel as built; .rumpk.image filled
//   kernel_size       zero to a page
//   archive_offset    boot archive
//   end of archive    program headers as built, then one PT_LOAD, R, for the archive
//
// The program headers move to the end because nothing promises room behind the old ones. What was
// changed can be computed back, so the kernel's digest can be checked in the finished image.

#include "image_parts.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"
#include "elf_file.h"
#include "nip/crypto.h"
#include "nip/elf.h"

// Symbol behind everything that the kernel occupies, stack included; where it has one.
#define KERNEL_END_SYMBOL "__kernel_end"

enum nip_code image_archive_base(const uint8_t *kernel, size_t size, const char *name,
                                 uint64_t *base, struct nip_error *err)
{
    struct nip_elf_kernel info;
    enum nip_code code = nip_elf_check_kernel(kernel, size, name, &info, err);
    if (code != NIP_OK)
        return code;
    uint64_t end = info.memory_end, symbol = 0;
    if (nip_elf_find_symbol(kernel, size, name, KERNEL_END_SYMBOL, &symbol, NULL, NULL) == NIP_OK &&
        symbol > end)
        end = symbol;
    if (!nip_u64_round_up(end, RUMPK_PAGE_SIZE, base))
        return nip_error_set(err, NIP_ERROR_FORMAT, "%s: the kernel ends beyond the address space",
                             name);
    return NIP_OK;
}

enum nip_code image_loaded_digest(const uint8_t *kernel, size_t size, const char *name,
                                  uint8_t digest[RUMPK_DIGEST_SIZE], struct nip_error *err)
{
    struct nip_elf_kernel info;
    struct elf_file elf;
    struct nip_hash hash;
    uint64_t next = 0;
    bool is_complete = false;
    enum nip_code code = nip_elf_check_kernel(kernel, size, name, &info, err);
    if (code == NIP_OK)
        code = elf_file_open(&elf, kernel, size, name, err);
    if (code != NIP_OK)
        return code;
    nip_hash_begin(&hash);
    for (uint32_t i = 0; i < elf.header.e_phnum && !is_complete; i++) {
        Elf64_Phdr segment = elf_file_segment(&elf, i);
        if (segment.p_type != PT_LOAD)
            continue;
        is_complete = nip_range_is_within(segment.p_offset, segment.p_filesz, size) &&
                      info.header_offset >= segment.p_offset &&
                      info.header_offset - segment.p_offset < segment.p_filesz;
        uint64_t part = is_complete ? info.header_offset - segment.p_offset : segment.p_filesz;
        // One stretch of memory, nothing of it writable, all of it from the file.
        if ((segment.p_flags & PF_W) || (next != 0 && segment.p_vaddr != next) ||
            !nip_range_is_within(segment.p_offset, part, size))
            break;
        nip_hash_update(&hash, kernel + segment.p_offset, (size_t)part);
        next = segment.p_vaddr + part;
    }
    nip_hash_end(&hash, digest);
    if (!is_complete)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: expected code, constants and the image header one behind the "
                             "other, ahead of everything writable", name);
    return NIP_OK;
}

// The rules by which splitting can find the kernel's size again.
static enum nip_code check_shape(const struct elf_file *elf, uint64_t segments_offset,
                                 uint64_t file_size, struct nip_error *err)
{
    uint64_t sections_end =
        elf->header.e_shoff + (uint64_t)elf->header.e_shnum * sizeof(Elf64_Shdr);
    if (segments_offset != sizeof(Elf64_Ehdr) || elf->header.e_shnum == 0 ||
        sections_end != file_size)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: expected program headers right behind the ELF header and "
                             "section headers at the end, as ld.lld writes them", elf->name);
    return NIP_OK;
}

static Elf64_Phdr archive_segment(uint64_t offset, uint64_t base, uint64_t size)
{
    return (Elf64_Phdr){
        .p_type = PT_LOAD, .p_flags = PF_R, .p_offset = offset, .p_vaddr = base, .p_paddr = base,
        .p_filesz = size, .p_memsz = size, .p_align = RUMPK_PAGE_SIZE,
    };
}

enum nip_code image_join(const uint8_t *kernel, size_t kernel_size,
                         const uint8_t owner_key[RUMPK_KEY_SIZE], const uint8_t *archive,
                         size_t archive_size, struct nip_buffer *out, struct nip_error *err)
{
    static const char name[] = "the kernel";
    struct nip_elf_kernel info;
    struct elf_file elf;
    uint64_t base;
    enum nip_code code = nip_elf_check_kernel(kernel, kernel_size, name, &info, err);
    if (code == NIP_OK)
        code = elf_file_open(&elf, kernel, kernel_size, name, err);
    if (code == NIP_OK)
        code = check_shape(&elf, elf.header.e_phoff, kernel_size, err);
    if (code == NIP_OK)
        code = image_archive_base(kernel, kernel_size, name, &base, err);
    if (code != NIP_OK)
        return code;
    struct rumpk_image_header header = {.archive_base = base, .archive_size = archive_size};
    static const struct rumpk_image_header empty;
    if (memcmp(kernel + info.header_offset, &empty, sizeof empty) != 0) {
        nip_error_set(err, NIP_ERROR_FORMAT, "the kernel file already carries an owner's key");
        nip_error_hint(err, "It is an image. Give the kernel as built.");
        return NIP_ERROR_FORMAT;
    }
    if (elf.header.e_phnum + 1 > ELF_SEGMENT_COUNT_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the kernel has %u program headers",
                             elf.header.e_phnum);
    memcpy(header.owner_key, owner_key, RUMPK_KEY_SIZE);

    nip_buffer_append(out, kernel, kernel_size);
    nip_buffer_append_fill(out, 0, -kernel_size % RUMPK_PAGE_SIZE);
    Elf64_Phdr segment = archive_segment(out->size, base, archive_size);
    nip_buffer_append(out, archive, archive_size);
    Elf64_Ehdr changed = elf.header;
    changed.e_phoff = out->size;
    changed.e_phnum++;
    nip_buffer_append(out, kernel + elf.header.e_phoff,
                      elf.header.e_phnum * sizeof(Elf64_Phdr));
    nip_buffer_append(out, &segment, sizeof segment);
    code = nip_buffer_check(out, "the image", err);
    if (code != NIP_OK)
        return code;
    memcpy(out->data, &changed, sizeof changed);
    memcpy(out->data + info.header_offset, &header, sizeof header);
    return NIP_OK;
}

enum nip_code image_split(const uint8_t *data, size_t size, const char *name,
                          struct rumpk_image_header *header, const uint8_t **archive,
                          struct nip_buffer *kernel, struct nip_error *err)
{
    struct nip_elf_kernel info;
    struct elf_file elf;
    enum nip_code code = nip_elf_check_kernel(data, size, name, &info, err);
    if (code == NIP_OK)
        code = elf_file_open(&elf, data, size, name, err);
    if (code != NIP_OK)
        return code;
    memcpy(header, data + info.header_offset, sizeof *header);
    if (header->archive_size == 0) {
        nip_error_set(err, NIP_ERROR_FORMAT, "%s is a kernel without a boot archive", name);
        nip_error_hint(err, "`nip image` makes an image of it.");
        return NIP_ERROR_FORMAT;
    }

    // Where does the kernel end, and is the rest made of padding, archive and program headers?
    uint64_t kernel_size =
        elf.header.e_shoff + (uint64_t)elf.header.e_shnum * sizeof(Elf64_Shdr);
    uint32_t built_count = elf.header.e_phnum - 1u;
    uint64_t table_size = (uint64_t)elf.header.e_phnum * sizeof(Elf64_Phdr);
    uint64_t offset, segments_offset, end;
    if (elf.header.e_phnum < 2 || !nip_u64_round_up(kernel_size, RUMPK_PAGE_SIZE, &offset) ||
        !nip_u64_add(offset, header->archive_size, &segments_offset) ||
        !nip_u64_add(segments_offset, table_size, &end) || end != size ||
        elf.header.e_phoff != segments_offset || kernel_size < sizeof(Elf64_Ehdr) + table_size ||
        !nip_range_is_within(info.header_offset, sizeof *header, kernel_size) ||
        memcmp(data + sizeof(Elf64_Ehdr), data + segments_offset,
               built_count * sizeof(Elf64_Phdr)) != 0)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s is not made of a kernel, a boot archive and program headers as "
                             "`nip image` writes them", name);
    for (uint64_t i = kernel_size; i < offset; i++)
        if (data[i] != 0)
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: byte %" PRIu64 " before the boot archive is not zero", name,
                                 i);

    // The kernel as built: the header emptied, the program headers back in their place.
    Elf64_Ehdr built = elf.header;
    built.e_phoff = sizeof built;
    built.e_phnum = (Elf64_Half)built_count;
    nip_buffer_append(kernel, data, (size_t)kernel_size);
    code = nip_buffer_check(kernel, "the kernel", err);
    if (code != NIP_OK)
        return code;
    memcpy(kernel->data, &built, sizeof built);
    memset(kernel->data + info.header_offset, 0, sizeof *header);

    // Does the last segment load exactly the archive, where this kernel wants it?
    uint64_t base;
    code = image_archive_base(kernel->data, kernel->size, name, &base, err);
    if (code != NIP_OK)
        return code;
    Elf64_Phdr expected = archive_segment(offset, base, header->archive_size);
    Elf64_Phdr found = elf_file_segment(&elf, built_count);
    if (memcmp(&expected, &found, sizeof found) != 0 || header->archive_base != base ||
        header->reserved[0] != 0 || header->reserved[1] != 0)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: image header and last segment do not place the boot archive at "
                             "%#" PRIx64, name, base);
    *archive = data + offset;
    return NIP_OK;
}
