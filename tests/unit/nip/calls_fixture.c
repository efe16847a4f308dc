// SPDX-License-Identifier: Apache-2.0
//
// The header, three section headers, their names, the records.

#include "calls_fixture.h"

#include <string.h>

void fixture_calls(const struct rumpk_call_note *calls, size_t count, struct nip_buffer *out)
{
    static const char names[CALLS_NAMES_SIZE] = "\0.note.rumpk.calls\0.shstrtab";
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_shoff = CALLS_SECTIONS,
        .e_ehsize = sizeof header,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = CALLS_SECTION_COUNT,
        .e_shstrndx = 2,
    };
    const Elf64_Shdr sections[CALLS_SECTION_COUNT] = {
        [1] = {.sh_name = 1,
               .sh_type = SHT_NOTE,
               .sh_offset = CALLS_RECORDS,
               .sh_size = count * CALLS_RECORD_SIZE},
        [2] = {.sh_name = 19,
               .sh_type = SHT_STRTAB,
               .sh_offset = CALLS_NAMES,
               .sh_size = sizeof names},
    };
    nip_buffer_append(out, &header, sizeof header);
    nip_buffer_append(out, sections, sizeof sections);
    nip_buffer_append(out, names, sizeof names);
    for (size_t i = 0; i < count; i++) {
        const uint32_t sizes[3] = {RUMPK_NOTE_OWNER_SIZE, sizeof calls[i], RUMPK_NOTE_TYPE_CALL};
        static const char owner[8] = RUMPK_NOTE_OWNER;
        nip_buffer_append(out, sizes, sizeof sizes);
        nip_buffer_append(out, owner, sizeof owner);
        nip_buffer_append(out, &calls[i], sizeof calls[i]);
    }
}
