// SPDX-License-Identifier: Apache-2.0
//
// relocate.c: the only relocation that a driver may carry is "add the load address", and only in
// memory that is writable while it is loaded. So code and constants are the same bytes in every
// instance, at every address.
#include <arch/formats.h>
#include <kernel/load.h>

#include "elf_format.h"

static const uint32_t relative_types[RUMPK_ARCH_COUNT] = {
#define RELATIVE_TYPE(name, number, machine, relative) [(number) - 1] = relative,
    ARCH_FORMATS(RELATIVE_TYPE)
#undef RELATIVE_TYPE
};

static const struct elf_rela *table_of(const struct elf_image *image)
{
    return (const void *)(image->bytes + image->relocations);
}

enum rumpk_refusal elf_relocations_check(const struct elf_image *image, uint64_t *detail)
{
    const struct elf_rela *table = table_of(image);

    for (uint32_t index = 0; index < image->relocation_count; index++) {
        const struct elf_rela *rela = &table[index];
        bool writable = false;

        for (uint32_t number = 0; number < image->segment_count; number++) {
            const struct elf_segment *segment = &image->segments[number];

            writable |= (segment->flags & ELF_WRITE) != 0 &&
                        range_contains(segment->offset, segment->memory_size, rela->offset,
                                       sizeof(uint64_t));
        }
        if (rela->info != relative_types[image->arch - 1] || (rela->offset & 7) != 0 || !writable) {
            *detail = index;
            return RUMPK_REFUSE_ELF_RELOCATION;
        }
    }
    return RUMPK_REFUSE_NONE;
}

void elf_place(const struct elf_image *image, uint8_t *to, uint64_t base)
{
    const struct elf_rela *table = table_of(image);

    for (uint32_t index = 0; index < image->segment_count; index++) {
        const struct elf_segment *segment = &image->segments[index];

        memcpy(to + segment->offset, image->bytes + segment->offset, segment->file_size);
    }
    for (uint32_t index = 0; index < image->relocation_count; index++)
        *(uint64_t *)(void *)(to + table[index].offset) = base + table[index].addend;
}

bool elf_is_placed(const struct elf_image *image, const uint8_t *placed, uint64_t offset,
                   uint64_t size)
{
    for (uint32_t index = 0; index < image->segment_count; index++) {
        const struct elf_segment *segment = &image->segments[index];
        uint64_t from = segment->offset > offset ? segment->offset : offset;
        uint64_t end = segment->offset + segment->file_size;

        end = end < offset + size ? end : offset + size;
        if ((segment->flags & ELF_WRITE) != 0 || from >= end)
            continue;
        if (memcmp(placed + from, image->bytes + from, end - from) != 0)
            return false;
    }
    return true;
}
