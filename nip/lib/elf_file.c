// SPDX-License-Identifier: Apache-2.0
//
// ELF files as tools need them: headers, sections, symbols, build id, and the rules for a kernel.

#include "elf_file.h"

#include <inttypes.h>
#include <string.h>

#include <rumpk/archive.h>

#include "checked.h"
#include "nip/elf.h"

static const struct {
    uint32_t arch, machine;
} machines[] = {
    {RUMPK_ARCH_RISCV64, EM_RISCV},
    {RUMPK_ARCH_AARCH64, EM_AARCH64},
    {RUMPK_ARCH_X86_64, EM_X86_64},
};

uint32_t elf_arch_of_machine(uint32_t machine)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].machine == machine)
            return machines[i].arch;
    return 0;
}

uint32_t elf_machine_of_arch(uint32_t arch)
{
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++)
        if (machines[i].arch == arch)
            return machines[i].machine;
    return EM_NONE;
}

// Whether a table of `count` entries lies in the file. Both factors come from 16-bit fields.
static bool table_is_inside(const struct elf_file *file, uint64_t offset, uint64_t entry_size,
                            uint64_t count)
{
    return nip_range_is_within(offset, entry_size * count, file->size);
}

enum nip_code elf_file_open(struct elf_file *file, const void *data, size_t size, const char *name,
                            struct nip_error *err)
{
    *file = (struct elf_file){.data = data, .size = size, .name = name};
    if (size < sizeof file->header || memcmp(data, ELFMAG, SELFMAG) != 0)
        return nip_error_set(err, NIP_ERROR_FORMAT, "%s is no ELF file", name);
    memcpy(&file->header, data, sizeof file->header);
    const Elf64_Ehdr *header = &file->header;
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT ||
        header->e_ehsize != sizeof *header)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s is no little-endian 64-bit ELF file of version 1", name);
    if ((header->e_phnum && header->e_phentsize != sizeof(Elf64_Phdr)) ||
        header->e_phnum > ELF_SEGMENT_COUNT_MAX ||
        !table_is_inside(file, header->e_phoff, sizeof(Elf64_Phdr), header->e_phnum))
        return nip_error_set(err, NIP_ERROR_FORMAT, "%s: the program headers are not in the file",
                             name);
    if ((header->e_shnum && header->e_shentsize != sizeof(Elf64_Shdr)) ||
        header->e_shnum > ELF_SECTION_COUNT_MAX ||
        !table_is_inside(file, header->e_shoff, sizeof(Elf64_Shdr), header->e_shnum))
        return nip_error_set(err, NIP_ERROR_FORMAT, "%s: the section headers are not in the file",
                             name);
    return NIP_OK;
}

Elf64_Phdr elf_file_segment(const struct elf_file *file, uint32_t index)
{
    Elf64_Phdr segment;
    memcpy(&segment, file->data + file->header.e_phoff + index * sizeof segment, sizeof segment);
    return segment;
}

Elf64_Shdr elf_file_section(const struct elf_file *file, uint32_t index)
{
    Elf64_Shdr section;
    memcpy(&section, file->data + file->header.e_shoff + index * sizeof section, sizeof section);
    return section;
}

// Whether string number `offset` of a string table section equals `text`.
static bool string_is(const struct elf_file *file, const Elf64_Shdr *table, uint64_t offset,
                      const char *text)
{
    size_t size = strlen(text) + 1;
    return table->sh_type == SHT_STRTAB &&
           nip_range_is_within(table->sh_offset, table->sh_size, file->size) &&
           nip_range_is_within(offset, size, table->sh_size) &&
           memcmp(file->data + table->sh_offset + offset, text, size) == 0;
}

// The table of section names. A file without one keeps SHT_NULL; one whose table is not in the file
// was cut, and nobody can say which sections it had.
static enum nip_code section_names(const struct elf_file *file, Elf64_Shdr *names,
                                   struct nip_error *err)
{
    uint32_t index = file->header.e_shstrndx;
    if (file->header.e_shnum == 0 || index == SHN_UNDEF)
        return NIP_OK;
    if (index < file->header.e_shnum)
        *names = elf_file_section(file, index);
    if (names->sh_type == SHT_STRTAB &&
        nip_range_is_within(names->sh_offset, names->sh_size, file->size))
        return NIP_OK;
    *names = (Elf64_Shdr){.sh_type = SHT_NULL};
    return nip_error_set(err, NIP_ERROR_FORMAT, "%s: the names of the sections are not in the file",
                         file->name);
}

enum nip_code nip_elf_find_section(const void *data, size_t size, const char *file,
                                   const char *name, uint64_t *address, uint64_t *offset,
                                   uint64_t *section_size, struct nip_error *err)
{
    struct elf_file elf;
    enum nip_code code = elf_file_open(&elf, data, size, file, err);
    if (code != NIP_OK)
        return code;
    Elf64_Shdr names = {.sh_type = SHT_NULL};
    code = section_names(&elf, &names, err);
    for (uint32_t i = 0; names.sh_type == SHT_STRTAB && i < elf.header.e_shnum; i++) {
        Elf64_Shdr section = elf_file_section(&elf, i);
        if (!string_is(&elf, &names, section.sh_name, name))
            continue;
        bool has_bytes = section.sh_type != SHT_NOBITS;
        if (has_bytes && !nip_range_is_within(section.sh_offset, section.sh_size, size))
            return nip_error_set(err, NIP_ERROR_FORMAT, "%s: section %s lies outside the file",
                                 file, name);
        if (address)
            *address = section.sh_addr;
        if (offset)
            *offset = has_bytes ? section.sh_offset : 0;
        if (section_size)
            *section_size = has_bytes ? section.sh_size : 0;
        return NIP_OK;
    }
    if (code == NIP_OK)
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s has no section %s", file, name);
    return code;
}

enum nip_code nip_elf_find_symbol(const void *data, size_t size, const char *file,
                                  const char *name, uint64_t *address, uint64_t *symbol_size,
                                  struct nip_error *err)
{
    struct elf_file elf;
    enum nip_code code = elf_file_open(&elf, data, size, file, err);
    if (code != NIP_OK)
        return code;
    for (uint32_t i = 0; i < elf.header.e_shnum; i++) {
        Elf64_Shdr table = elf_file_section(&elf, i);
        if (table.sh_type != SHT_SYMTAB || table.sh_link >= elf.header.e_shnum ||
            !nip_range_is_within(table.sh_offset, table.sh_size, size))
            continue;
        Elf64_Shdr names = elf_file_section(&elf, table.sh_link);
        for (uint64_t k = 0; k < table.sh_size / sizeof(Elf64_Sym); k++) {
            Elf64_Sym symbol;
            memcpy(&symbol, elf.data + table.sh_offset + k * sizeof symbol, sizeof symbol);
            if (symbol.st_shndx == SHN_UNDEF || !string_is(&elf, &names, symbol.st_name, name))
                continue;
            if (address)
                *address = symbol.st_value;
            if (symbol_size)
                *symbol_size = symbol.st_size;
            return NIP_OK;
        }
    }
    return nip_error_set(err, NIP_ERROR_MISSING, "%s has no symbol %s", file, name);
}

// One note of a note segment: name and content lie within `size` bytes. Advances *offset.
static bool next_note(const uint8_t *notes, size_t size, size_t *offset, Elf64_Nhdr *note,
                      const uint8_t **owner, const uint8_t **content)
{
    if (!nip_range_is_within(*offset, sizeof *note, size))
        return false;
    memcpy(note, notes + *offset, sizeof *note);
    uint64_t owner_size, content_size;
    size_t at = *offset + sizeof *note;
    if (!nip_u64_round_up(note->n_namesz, 4, &owner_size) ||
        !nip_u64_round_up(note->n_descsz, 4, &content_size) ||
        !nip_range_is_within(at, owner_size, size) ||
        !nip_range_is_within(at + owner_size, content_size, size))
        return false;
    *owner = notes + at;
    *content = notes + at + owner_size;
    *offset = at + (size_t)(owner_size + content_size);
    return true;
}

size_t nip_elf_build_id(const void *data, size_t size, uint8_t build_id[NIP_ELF_BUILD_ID_MAX])
{
    struct elf_file elf;
    if (elf_file_open(&elf, data, size, "", NULL) != NIP_OK)
        return 0;
    for (uint32_t i = 0; i < elf.header.e_phnum; i++) {
        Elf64_Phdr segment = elf_file_segment(&elf, i);
        if (segment.p_type != PT_NOTE ||
            !nip_range_is_within(segment.p_offset, segment.p_filesz, size))
            continue;
        Elf64_Nhdr note;
        const uint8_t *owner, *content;
        for (size_t offset = 0; next_note(elf.data + segment.p_offset, segment.p_filesz, &offset,
                                          &note, &owner, &content);)
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                memcmp(owner, "GNU", 4) == 0 && note.n_descsz <= NIP_ELF_BUILD_ID_MAX) {
                memcpy(build_id, content, note.n_descsz);
                return note.n_descsz;
            }
    }
    return 0;
}

static enum nip_code check_kernel_segments(const struct elf_file *elf,
                                           struct nip_elf_kernel *kernel, struct nip_error *err)
{
    bool has_any = false;
    for (uint32_t i = 0; i < elf->header.e_phnum; i++) {
        Elf64_Phdr segment = elf_file_segment(elf, i);
        if (segment.p_type != PT_LOAD || segment.p_memsz == 0)
            continue;
        uint64_t end;
        if (segment.p_filesz > segment.p_memsz ||
            !nip_range_is_within(segment.p_offset, segment.p_filesz, elf->size) ||
            !nip_u64_add(segment.p_paddr, segment.p_memsz, &end))
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: segment %" PRIu32 " lies outside the file", elf->name, i);
        if (segment.p_paddr != segment.p_vaddr)
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: segment %" PRIu32 " has different physical and virtual "
                                 "addresses", elf->name, i);
        if ((segment.p_flags & PF_W) && (segment.p_flags & PF_X))
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: segment %" PRIu32 " is writable and executable", elf->name,
                                 i);
        if (has_any && segment.p_paddr < kernel->memory_end)
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: segment %" PRIu32 " is out of order or overlaps", elf->name,
                                 i);
        if (!has_any)
            kernel->memory_start = segment.p_paddr;
        has_any = true;
        kernel->memory_end = end;
        kernel->file_size += segment.p_filesz; // each is within the file
    }
    return has_any ? NIP_OK
                   : nip_error_set(err, NIP_ERROR_FORMAT, "%s: nothing in it is loaded", elf->name);
}

enum nip_code nip_elf_check_kernel(const void *data, size_t size, const char *file,
                                   struct nip_elf_kernel *kernel, struct nip_error *err)
{
    memset(kernel, 0, sizeof *kernel);
    struct elf_file elf;
    enum nip_code code = elf_file_open(&elf, data, size, file, err);
    if (code != NIP_OK)
        return code;
    kernel->arch = elf_arch_of_machine(elf.header.e_machine);
    kernel->entry = elf.header.e_entry;
    kernel->segment_count = elf.header.e_phnum;
    if (elf.header.e_type != ET_EXEC || kernel->arch == 0)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s is no executable for riscv64, aarch64 or x86_64", file);
    code = check_kernel_segments(&elf, kernel, err);
    if (code != NIP_OK)
        return code;
    uint64_t address, offset, section_size;
    code = nip_elf_find_section(data, size, file, RUMPK_IMAGE_SECTION, &address, &offset,
                                &section_size, err);
    if (code != NIP_OK) {
        nip_error_hint(err, "This is not a Rumpk kernel, or one that was stripped.");
        return code;
    }
    if (section_size != sizeof(struct rumpk_image_header))
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: section %s has %" PRIu64 " bytes, expected %zu", file,
                             RUMPK_IMAGE_SECTION, section_size, sizeof(struct rumpk_image_header));
    for (uint32_t i = 0; i < elf.header.e_phnum; i++) {
        Elf64_Phdr segment = elf_file_segment(&elf, i);
        if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            nip_range_is_within(address - segment.p_vaddr, section_size, segment.p_filesz) &&
            segment.p_offset + (address - segment.p_vaddr) == offset) {
            kernel->header_offset = offset;
            return NIP_OK;
        }
    }
    return nip_error_set(err, NIP_ERROR_FORMAT, "%s: section %s is not loaded", file,
                         RUMPK_IMAGE_SECTION);
}
