// SPDX-License-Identifier: Apache-2.0
//
// elf_format.h: the part of the ELF-64 format that drivers use (System V ABI, chapters 4 and 5; the
// processor supplements for machine and relocation numbers). Own declarations: the kernel has no
// libc to take them from.
#ifndef KERNEL_LOAD_ELF_FORMAT_H
#define KERNEL_LOAD_ELF_FORMAT_H

#include <stdint.h>

struct elf_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_offset;
    uint64_t section_offset; // sections mean nothing to the kernel
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_size;
    uint16_t program_count;
    uint16_t section_size;
    uint16_t section_count;
    uint16_t section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF header");

struct elf_program {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};
_Static_assert(sizeof(struct elf_program) == 56, "ELF program header");

struct elf_dynamic {
    uint64_t tag;
    uint64_t value;
};

struct elf_rela {
    uint64_t offset;
    uint64_t info; // symbol << 32 | type
    uint64_t addend;
};

struct elf_note {
    uint32_t name_size;
    uint32_t description_size;
    uint32_t type;
};

#define ELF_CLASS_64      2
#define ELF_LITTLE_ENDIAN 1
#define ELF_VERSION_1     1
#define ELF_PROGRAMS_MAX  16u
#define ELF_DYNAMIC_MAX   64u

#define ET_DYN 3u

#define PT_LOAD      1u
#define PT_DYNAMIC   2u
#define PT_NOTE      4u
#define PT_PHDR      6u
#define PT_GNU_STACK 0x6474E551u
#define PT_GNU_RELRO 0x6474E552u

#define DT_NULL         0u
#define DT_HASH         4u
#define DT_STRTAB       5u
#define DT_SYMTAB       6u
#define DT_RELA         7u
#define DT_RELASZ       8u
#define DT_RELAENT      9u
#define DT_STRSZ        10u
#define DT_SYMENT       11u
#define DT_DEBUG        21u
#define DT_BIND_NOW     24u
#define DT_INIT_ARRAY   25u
#define DT_FINI_ARRAY   26u
#define DT_INIT_ARRAYSZ 27u
#define DT_FINI_ARRAYSZ 28u
#define DT_FLAGS        30u
#define DT_GNU_HASH     0x6FFFFEF5u
#define DT_RELACOUNT    0x6FFFFFF9u
#define DT_FLAGS_1      0x6FFFFFFBu

#define DF_SYMBOLIC 0x2u
#define DF_BIND_NOW 0x8u
#define DF_1_NOW    0x1u
#define DF_1_PIE    0x08000000u

#endif
