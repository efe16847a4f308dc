// SPDX-License-Identifier: Apache-2.0
//
// What the readers of ELF files share. Structures are copied out of the file, whose bytes are
// hostile and of any alignment.

#ifndef NIP_LIB_ELF_FILE_H
#define NIP_LIB_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"

struct elf_file {
    const uint8_t *data;
    size_t size;
    const char *name; // what errors call it
    Elf64_Ehdr header;
};

enum { ELF_SEGMENT_COUNT_MAX = 32, ELF_SECTION_COUNT_MAX = 4096 };

// RUMPK_ARCH_* of a machine number, 0 for an unknown one; and back.
uint32_t elf_arch_of_machine(uint32_t machine);
uint32_t elf_machine_of_arch(uint32_t arch);

// Checks that it is a little-endian 64-bit file of the current version and that both header tables
// lie in it (they may be absent).
enum nip_code elf_file_open(struct elf_file *file, const void *data, size_t size, const char *name,
                            struct nip_error *err) NIP_MUST_CHECK;
Elf64_Phdr elf_file_segment(const struct elf_file *file, uint32_t index); // index < e_phnum
Elf64_Shdr elf_file_section(const struct elf_file *file, uint32_t index); // index < e_shnum

#endif
