// SPDX-License-Identifier: Apache-2.0
//
// The driver file, checked by the rules of the kernel's loader.
//
//   1 header      ELF64, little-endian, ET_DYN, right machine, program headers right behind it
//   2 segments    PT_LOAD in order, page-aligned, offset = address, the first at 0 with headers;
//                 R, RX or RW only; bytes beyond the file only if writable; others of known type
//   3 note        exactly one ABI note, for this architecture, ABI version and profile
//   4 entry       in the file part of an executable segment
//   5 dynamic     known tags only: nothing to look up, nothing to load
//   6 relocation  relative, aligned, within writable segments (RELRO included)
//
// So a driver can be mapped in place, page by page, from the signed bytes.

#include "nip/elf.h"

#include <inttypes.h>
#include <string.h>

#include <rumpk/archive.h>
#include <rumpk/systable.h>

#include "checked.h"
#include "elf_file.h"
#include "nip/manifest.h"

enum {
    DRIVER_HEADER_COUNT_MAX = 16, // program headers
    DRIVER_LOAD_COUNT_MAX = 8,    // PT_LOAD among them
    DRIVER_MEMORY_SIZE_MAX = 16 * 1024 * 1024,
    DRIVER_DYNAMIC_COUNT_MAX = 64,
    DRIVER_RELOCATION_COUNT_MAX = 65536,
};

struct driver_check {
    struct elf_file elf;
    uint32_t arch, abi_version;
    struct nip_elf_driver found;
    Elf64_Phdr loads[DRIVER_LOAD_COUNT_MAX];
    uint32_t load_count;
    Elf64_Phdr dynamic, relro; // p_type PT_NULL: there is none
    enum rumpk_refusal refusal;
    struct nip_error *err;
};

static enum nip_code refuse(struct driver_check *check, enum rumpk_refusal refusal,
                            const char *format, ...) NIP_PRINTF(3, 4);

static enum nip_code refuse(struct driver_check *check, enum rumpk_refusal refusal,
                            const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(check->err, NIP_ERROR_FORMAT, format, list);
    va_end(list);
    nip_error_prefix(check->err, "%s: ", check->elf.name);
    nip_error_hint(check->err, "Link it with the linker script of the SDK, as `nip build` does.");
    check->refusal = refusal;
    return NIP_ERROR_FORMAT;
}

static enum nip_code check_header(struct driver_check *check, const void *data, size_t size,
                                  const char *file)
{
    check->elf = (struct elf_file){.data = data, .size = size, .name = file};
    Elf64_Ehdr *header = &check->elf.header;
    if (size > RUMPK_ELF_SIZE_MAX)
        return refuse(check, RUMPK_REFUSE_ELF_SIZE, "%zu bytes; at most %u are possible", size,
                      RUMPK_ELF_SIZE_MAX);
    if (size < sizeof *header)
        return refuse(check, RUMPK_REFUSE_ELF_HEADER, "too short for an ELF file");
    memcpy(header, data, sizeof *header);
    static const unsigned char ident[EI_NIDENT] = {
        ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT,
    };
    if (memcmp(header->e_ident, ident, sizeof ident) != 0 || header->e_type != ET_DYN ||
        header->e_version != EV_CURRENT || header->e_ehsize != sizeof *header ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return refuse(check, RUMPK_REFUSE_ELF_HEADER,
                      "no static-pie of 64 bits, little-endian, version 1");
    if (header->e_machine != elf_machine_of_arch(check->arch))
        return refuse(check, RUMPK_REFUSE_ELF_MACHINE, "it is for ELF machine %u, expected %s",
                      header->e_machine, nip_arch_name(check->arch));
    if (header->e_phoff != sizeof *header || header->e_phnum == 0 ||
        header->e_phnum > DRIVER_HEADER_COUNT_MAX ||
        !nip_range_is_within(header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), size))
        return refuse(check, RUMPK_REFUSE_ELF_BOUNDS,
                      "expected 1 to %d program headers right behind the ELF header",
                      DRIVER_HEADER_COUNT_MAX);
    return NIP_OK;
}

static enum nip_code check_load(struct driver_check *check, const Elf64_Phdr *segment,
                                uint32_t index)
{
    uint64_t end;
    if (check->load_count == DRIVER_LOAD_COUNT_MAX)
        return refuse(check, RUMPK_REFUSE_ELF_SEGMENT, "more than %d loaded segments",
                      DRIVER_LOAD_COUNT_MAX);
    if (segment->p_memsz == 0 || segment->p_filesz > segment->p_memsz ||
        !nip_range_is_within(segment->p_offset, segment->p_filesz, check->elf.size) ||
        !nip_u64_add(segment->p_vaddr, segment->p_memsz, &end) ||
        !nip_u64_round_up(end, RUMPK_PAGE_SIZE, &end))
        return refuse(check, RUMPK_REFUSE_ELF_BOUNDS,
                      "segment %" PRIu32 " does not lie in the file", index);
    if (end > DRIVER_MEMORY_SIZE_MAX)
        return refuse(check, RUMPK_REFUSE_ELF_SIZE,
                      "segment %" PRIu32 " ends above %d bytes of memory", index,
                      DRIVER_MEMORY_SIZE_MAX);
    if (segment->p_offset != segment->p_vaddr || segment->p_vaddr % RUMPK_PAGE_SIZE != 0 ||
        segment->p_align != RUMPK_PAGE_SIZE)
        return refuse(check, RUMPK_REFUSE_ELF_ALIGNMENT,
                      "segment %" PRIu32 ": file offset and address must be equal, aligned to and "
                      "by %u", index, RUMPK_PAGE_SIZE);
    if (segment->p_vaddr < check->found.memory_size ||
        (check->load_count == 0 && segment->p_vaddr != 0))
        return refuse(check, RUMPK_REFUSE_ELF_OVERLAP,
                      "segment %" PRIu32 " overlaps the one before it, is out of order, or is the "
                      "first and does not begin at 0", index);
    if ((segment->p_flags & PF_W) && (segment->p_flags & PF_X))
        return refuse(check, RUMPK_REFUSE_ELF_WX,
                      "segment %" PRIu32 " is writable and executable", index);
    if ((segment->p_flags & ~(uint32_t)(PF_R | PF_W | PF_X)) || !(segment->p_flags & PF_R))
        return refuse(check, RUMPK_REFUSE_ELF_SEGMENT,
                      "segment %" PRIu32 " has flags %#" PRIx32, index, segment->p_flags);
    if (segment->p_memsz != segment->p_filesz && !(segment->p_flags & PF_W))
        return refuse(check, RUMPK_REFUSE_ELF_BOUNDS,
                      "segment %" PRIu32 " is read-only and larger than its file part", index);
    check->found.memory_size = end;
    check->loads[check->load_count++] = *segment;
    return NIP_OK;
}

// A range of the file that is loaded as it is; offset and address are the same there.
static const Elf64_Phdr *find_load(const struct driver_check *check, uint64_t offset,
                                   uint64_t size)
{
    for (uint32_t i = 0; i < check->load_count; i++) {
        const Elf64_Phdr *load = &check->loads[i];
        if (offset >= load->p_vaddr &&
            nip_range_is_within(offset - load->p_vaddr, size, load->p_filesz))
            return load;
    }
    return NULL;
}

static enum nip_code check_relro(struct driver_check *check, const Elf64_Phdr *segment)
{
    bool is_inside = false;
    for (uint32_t i = 0; i < check->load_count; i++)
        is_inside |= (check->loads[i].p_flags & PF_W) &&
                     segment->p_vaddr >= check->loads[i].p_vaddr &&
                     nip_range_is_within(segment->p_vaddr - check->loads[i].p_vaddr,
                                         segment->p_memsz, check->loads[i].p_memsz);
    if (!is_inside || segment->p_vaddr % RUMPK_PAGE_SIZE != 0 || segment->p_memsz == 0 ||
        check->relro.p_type != PT_NULL)
        return refuse(check, RUMPK_REFUSE_ELF_SEGMENT,
                      "the RELRO range is there twice, not aligned, or in no writable segment");
    check->relro = *segment;
    return NIP_OK;
}

static enum nip_code check_other(struct driver_check *check, const Elf64_Phdr *segment,
                                 uint32_t index)
{
    bool is_loaded = segment->p_offset == segment->p_vaddr &&
                     find_load(check, segment->p_offset, segment->p_filesz) != NULL;
    switch (segment->p_type) {
    case PT_LOAD:
        return NIP_OK;
    case PT_GNU_STACK:
        if (segment->p_flags & PF_X)
            return refuse(check, RUMPK_REFUSE_ELF_WX, "the stack is executable");
        return NIP_OK;
    case PT_PHDR:
    case PT_NOTE:
        if (!is_loaded)
            return refuse(check, RUMPK_REFUSE_ELF_BOUNDS, "segment %" PRIu32 " is not loaded",
                          index);
        return NIP_OK;
    case PT_DYNAMIC:
        if (!is_loaded || segment->p_offset % 8 != 0 || check->dynamic.p_type != PT_NULL)
            return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC,
                          "the dynamic section is there twice, not loaded, or not aligned");
        check->dynamic = *segment;
        return NIP_OK;
    case PT_GNU_RELRO:
        return check_relro(check, segment);
    default:
        return refuse(check, RUMPK_REFUSE_ELF_SEGMENT,
                      "segment %" PRIu32 " is of type %#" PRIx32 ", which is not allowed", index,
                      segment->p_type);
    }
}

// First those that are loaded, then those that speak about them.
static enum nip_code check_segments(struct driver_check *check)
{
    const Elf64_Ehdr *header = &check->elf.header;
    enum nip_code code = NIP_OK;
    for (uint32_t i = 0; i < header->e_phnum && code == NIP_OK; i++) {
        Elf64_Phdr segment = elf_file_segment(&check->elf, i);
        if (segment.p_type == PT_LOAD)
            code = check_load(check, &segment, i);
    }
    uint64_t headers_end = header->e_phoff + header->e_phnum * sizeof(Elf64_Phdr);
    if (code == NIP_OK && !find_load(check, 0, headers_end))
        code = refuse(check, RUMPK_REFUSE_ELF_BOUNDS,
                      "the first segment does not hold the headers");
    for (uint32_t i = 0; i < header->e_phnum && code == NIP_OK; i++) {
        Elf64_Phdr segment = elf_file_segment(&check->elf, i);
        code = check_other(check, &segment, i);
    }
    return code;
}

static enum nip_code check_entry(struct driver_check *check)
{
    uint64_t entry = check->elf.header.e_entry;
    uint64_t alignment = check->arch == RUMPK_ARCH_AARCH64   ? 4
                         : check->arch == RUMPK_ARCH_RISCV64 ? 2
                                                             : 1;
    const Elf64_Phdr *load = find_load(check, entry, 4);
    if (!load || !(load->p_flags & PF_X) || entry % alignment != 0)
        return refuse(check, RUMPK_REFUSE_ELF_ENTRY,
                      "the entry point %#" PRIx64 " is not in executable code", entry);
    check->found.entry = entry;
    return NIP_OK;
}

static enum nip_code check_notes_of(struct driver_check *check, const Elf64_Phdr *segment,
                                    uint32_t *count)
{
    if (segment->p_offset % 4 != 0)
        return refuse(check, RUMPK_REFUSE_NOTE_MISSING, "the notes are not aligned");
    const uint8_t *notes = check->elf.data + segment->p_offset;
    uint64_t offset = 0, size = segment->p_filesz;
    while (offset < size) {
        Elf64_Nhdr note;
        uint64_t owner_size, content_size;
        if (!nip_range_is_within(offset, sizeof note, size))
            return refuse(check, RUMPK_REFUSE_NOTE_MISSING, "a note is cut off");
        memcpy(&note, notes + offset, sizeof note);
        offset += sizeof note;
        if (!nip_u64_round_up(note.n_namesz, 4, &owner_size) ||
            !nip_u64_round_up(note.n_descsz, 4, &content_size) ||
            !nip_range_is_within(offset, owner_size + content_size, size))
            return refuse(check, RUMPK_REFUSE_NOTE_MISSING, "a note is cut off");
        const uint8_t *owner = notes + offset;
        bool is_ours = note.n_namesz == RUMPK_NOTE_OWNER_SIZE &&
                       memcmp(owner, RUMPK_NOTE_OWNER, RUMPK_NOTE_OWNER_SIZE) == 0 &&
                       note.n_type == RUMPK_NOTE_TYPE_ABI;
        if (is_ours) {
            if (note.n_descsz != sizeof check->found.note || ++*count > 1)
                return refuse(check, RUMPK_REFUSE_NOTE_MISSING,
                              "the ABI note is of another size, or there twice");
            memcpy(&check->found.note, owner + owner_size, sizeof check->found.note);
        }
        offset += owner_size + content_size;
    }
    return NIP_OK;
}

static enum nip_code check_note(struct driver_check *check)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < check->elf.header.e_phnum; i++) {
        Elf64_Phdr segment = elf_file_segment(&check->elf, i);
        enum nip_code code =
            segment.p_type == PT_NOTE ? check_notes_of(check, &segment, &count) : NIP_OK;
        if (code != NIP_OK)
            return code;
    }
    const struct rumpk_abi_note *note = &check->found.note;
    if (count == 0)
        return refuse(check, RUMPK_REFUSE_NOTE_MISSING, "the ABI note is missing");
    if (note->abi_version != check->abi_version || note->systable_size != RUMPK_SYSTABLE_SIZE)
        return refuse(check, RUMPK_REFUSE_NOTE_ABI,
                      "it was built for ABI version %" PRIu32 ", the package says %" PRIu32,
                      note->abi_version, check->abi_version);
    if (note->arch != check->arch)
        return refuse(check, RUMPK_REFUSE_NOTE_ARCH, "the ABI note is for %s, expected %s",
                      nip_arch_name(note->arch), nip_arch_name(check->arch));
    if (note->profile != RUMPK_PROFILE_HARD_FLOAT)
        return refuse(check, RUMPK_REFUSE_NOTE_PROFILE,
                      "the ABI note names profile %" PRIu32 ", which is unknown", note->profile);
    return NIP_OK;
}

// The tags that a static-pie has anyway. Everything else would ask the loader to do more.
static bool dynamic_tag_is_allowed(int64_t tag, uint64_t value)
{
    switch (tag) {
    case DT_SYMTAB:
    case DT_SYMENT:
    case DT_STRTAB:
    case DT_STRSZ:
    case DT_HASH:
    case DT_GNU_HASH:
    case DT_DEBUG:
    case DT_BIND_NOW:
    case DT_INIT_ARRAY:
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAY:
    case DT_FINI_ARRAYSZ:
    case DT_RELA:
    case DT_RELASZ:
    case DT_RELAENT:
    case DT_RELACOUNT:
        return true;
    case DT_FLAGS:
        return (value & ~(uint64_t)(DF_BIND_NOW | DF_SYMBOLIC)) == 0;
    case DT_FLAGS_1:
        return (value & ~(uint64_t)(DF_1_NOW | DF_1_PIE)) == 0;
    default:
        return false;
    }
}

static enum nip_code check_relocations(struct driver_check *check, uint64_t table, uint64_t size)
{
    static const uint32_t relative[] = {
        [RUMPK_ARCH_RISCV64] = 3, // R_RISCV_RELATIVE
        [RUMPK_ARCH_AARCH64] = R_AARCH64_RELATIVE,
        [RUMPK_ARCH_X86_64] = R_X86_64_RELATIVE,
    };
    for (uint64_t at = 0; at < size; at += sizeof(Elf64_Rela)) {
        Elf64_Rela relocation;
        memcpy(&relocation, check->elf.data + table + at, sizeof relocation);
        bool is_inside = false;
        for (uint32_t i = 0; i < check->load_count; i++) {
            const Elf64_Phdr *load = &check->loads[i];
            is_inside |= (load->p_flags & PF_W) && relocation.r_offset >= load->p_vaddr &&
                         nip_range_is_within(relocation.r_offset - load->p_vaddr, 8,
                                             load->p_memsz);
        }
        if (relocation.r_info != relative[check->arch] || relocation.r_offset % 8 != 0 ||
            !is_inside)
            return refuse(check, RUMPK_REFUSE_ELF_RELOCATION,
                          "relocation %" PRIu64 " (type %" PRIu64 ", at %#" PRIx64 ") is not an "
                          "aligned relative one in writable data",
                          at / sizeof relocation, (uint64_t)ELF64_R_TYPE(relocation.r_info),
                          relocation.r_offset);
        check->found.relocation_count++;
    }
    return NIP_OK;
}

static enum nip_code check_dynamic(struct driver_check *check)
{
    const Elf64_Phdr *dynamic = &check->dynamic;
    if (dynamic->p_type == PT_NULL)
        return NIP_OK;
    if (dynamic->p_filesz % sizeof(Elf64_Dyn) != 0 ||
        dynamic->p_filesz / sizeof(Elf64_Dyn) > DRIVER_DYNAMIC_COUNT_MAX)
        return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC, "the dynamic section has %" PRIu64 " bytes",
                      dynamic->p_filesz);
    uint64_t table = 0, size = 0, entry_size = 0;
    bool has_end = false;
    for (uint64_t at = 0; at < dynamic->p_filesz && !has_end; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        memcpy(&entry, check->elf.data + dynamic->p_offset + at, sizeof entry);
        uint64_t *target = entry.d_tag == DT_RELA      ? &table
                           : entry.d_tag == DT_RELASZ  ? &size
                           : entry.d_tag == DT_RELAENT ? &entry_size
                                                       : NULL;
        has_end = entry.d_tag == DT_NULL;
        if (!has_end && !dynamic_tag_is_allowed(entry.d_tag, entry.d_un.d_val))
            return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC,
                          "dynamic entry %#" PRIx64 " is not allowed", (uint64_t)entry.d_tag);
        if (target && *target != 0)
            return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC,
                          "dynamic entry %#" PRIx64 " is there twice", (uint64_t)entry.d_tag);
        if (target)
            *target = entry.d_un.d_val;
    }
    if (!has_end)
        return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC, "the dynamic section has no end");
    if (size == 0)
        return NIP_OK;
    if (entry_size != sizeof(Elf64_Rela) || size % sizeof(Elf64_Rela) != 0 ||
        size / sizeof(Elf64_Rela) > DRIVER_RELOCATION_COUNT_MAX || table % 8 != 0 ||
        !find_load(check, table, size))
        return refuse(check, RUMPK_REFUSE_ELF_DYNAMIC, "the relocation table is malformed");
    return check_relocations(check, table, size);
}

enum nip_code nip_elf_check_driver(const void *data, size_t size, const char *file, uint32_t arch,
                                   uint32_t abi_version, struct nip_elf_driver *driver,
                                   enum rumpk_refusal *refusal, struct nip_error *err)
{
    struct driver_check check = {.arch = arch, .abi_version = abi_version, .err = err};
    enum nip_code code = NIP_OK;
    if (elf_machine_of_arch(arch) == EM_NONE)
        code = refuse(&check, RUMPK_REFUSE_ARCH, "architecture %" PRIu32 " is unknown", arch);
    if (code == NIP_OK)
        code = check_header(&check, data, size, file);
    if (code == NIP_OK)
        code = check_segments(&check);
    if (code == NIP_OK)
        code = check_note(&check);
    if (code == NIP_OK)
        code = check_entry(&check);
    if (code == NIP_OK)
        code = check_dynamic(&check);
    if (driver)
        *driver = check.found;
    if (refusal)
        *refusal = check.refusal;
    return code;
}
