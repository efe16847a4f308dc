// SPDX-License-Identifier: Apache-2.0
//
// elf.c: is this file a driver as the linker script of the SDK makes them, and nothing else? The
// checks are numbered by the refusal codes; each answers one question. No field is used before its
// range is known.
//
// What the kernel relies on afterwards: segments are page-aligned, in order, without overlap,
// inside the file, never writable and executable; file offset = address; the first begins at 0 with
// the headers; only writable memory is relocated, by base alone.
#include <arch/formats.h>
#include <kernel/load.h>

#include "elf_format.h"

static enum rumpk_refusal refuse(enum rumpk_refusal reason, uint64_t place, uint64_t *detail)
{
    *detail = place;
    return reason;
}

static const uint16_t machines[RUMPK_ARCH_COUNT] = {
#define ELF_MACHINE(name, number, machine, relative) [(number) - 1] = machine,
    ARCH_FORMATS(ELF_MACHINE)
#undef ELF_MACHINE
};

static const struct elf_program *program_at(const struct elf_image *image,
                                            const struct elf_header *header, uint32_t index)
{
    return (const struct elf_program *)(const void *)(image->bytes + header->program_offset) +
           index;
}

static enum rumpk_refusal header_check(const struct elf_image *image, uint32_t arch,
                                       uint64_t *detail)
{
    const struct elf_header *header = (const void *)image->bytes;
    static const uint8_t magic[] = {0x7F,         'E', 'L', 'F', ELF_CLASS_64, ELF_LITTLE_ENDIAN,
                                    ELF_VERSION_1};

    if (memcmp(header->ident, magic, sizeof(magic)) != 0 || header->version != ELF_VERSION_1)
        return refuse(RUMPK_REFUSE_ELF_HEADER, 0, detail);
    if (!bytes_are_zero(header->ident + sizeof(magic), sizeof(header->ident) - sizeof(magic)))
        return refuse(RUMPK_REFUSE_ELF_HEADER, sizeof(magic), detail);
    if (header->type != ET_DYN || header->header_size != sizeof(*header) ||
        header->program_size != sizeof(struct elf_program))
        return refuse(RUMPK_REFUSE_ELF_HEADER, 16, detail);
    if (header->machine != machines[arch - 1])
        return refuse(RUMPK_REFUSE_ELF_MACHINE, header->machine, detail);
    // The program headers follow the header at once: so they are aligned and lie in the first
    // segment.
    if (header->program_offset != sizeof(*header) || header->program_count == 0 ||
        header->program_count > ELF_PROGRAMS_MAX ||
        !range_contains(0, image->size, header->program_offset,
                        header->program_count * sizeof(struct elf_program)))
        return refuse(RUMPK_REFUSE_ELF_BOUNDS, header->program_offset, detail);
    return RUMPK_REFUSE_NONE;
}

// One PT_LOAD, given the ones before it.
static enum rumpk_refusal load_check(struct elf_image *image, const struct elf_program *program,
                                     uint64_t *detail)
{
    struct elf_segment *segment = &image->segments[image->segment_count];
    uint64_t end;

    if (image->segment_count == ELF_SEGMENTS_MAX)
        return refuse(RUMPK_REFUSE_ELF_SEGMENT, program->offset, detail);
    if (program->file_size > program->memory_size || program->memory_size == 0 ||
        !checked_add(program->offset, program->file_size, &end) || end > image->size)
        return refuse(RUMPK_REFUSE_ELF_BOUNDS, program->offset, detail);
    if (!checked_add(program->address, program->memory_size, &end) ||
        !align_up(end, PAGE_SIZE, &end))
        return refuse(RUMPK_REFUSE_ELF_BOUNDS, program->address, detail);
    if (end > ELF_IMAGE_SIZE_MAX)
        return refuse(RUMPK_REFUSE_ELF_SIZE, program->address, detail);
    if ((program->address & PAGE_MASK) != 0 || program->offset != program->address ||
        program->alignment != PAGE_SIZE)
        return refuse(RUMPK_REFUSE_ELF_ALIGNMENT, program->address, detail);
    if (program->address < image->image_size ||
        (image->segment_count == 0 && program->address != 0))
        return refuse(RUMPK_REFUSE_ELF_OVERLAP, program->address, detail);
    if ((program->flags & (ELF_WRITE | ELF_EXECUTE)) == (ELF_WRITE | ELF_EXECUTE))
        return refuse(RUMPK_REFUSE_ELF_WX, program->address, detail);
    if ((program->flags & ~(ELF_READ | ELF_WRITE | ELF_EXECUTE)) != 0 ||
        (program->flags & ELF_READ) == 0)
        return refuse(RUMPK_REFUSE_ELF_SEGMENT, program->address, detail);
    // Only writable memory may be longer than its part of the file: the rest is cleared, never
    // executed.
    if (program->file_size != program->memory_size && (program->flags & ELF_WRITE) == 0)
        return refuse(RUMPK_REFUSE_ELF_BOUNDS, program->address, detail);
    *segment = (struct elf_segment){
        .offset = program->offset,
        .file_size = program->file_size,
        .memory_size = program->memory_size,
        .flags = program->flags,
    };
    image->segment_count++;
    image->image_size = end;
    return RUMPK_REFUSE_NONE;
}

// The segment that holds [address, address + size) in memory, or null.
static const struct elf_segment *segment_of(const struct elf_image *image, uint64_t address,
                                            uint64_t size)
{
    for (uint32_t index = 0; index < image->segment_count; index++) {
        const struct elf_segment *segment = &image->segments[index];

        if (range_contains(segment->offset, segment->memory_size, address, size))
            return segment;
    }
    return NULL;
}

// Does the range lie in the file's part of one loaded segment?
static bool is_loaded(const struct elf_image *image, uint64_t address, uint64_t size)
{
    const struct elf_segment *segment = segment_of(image, address, size);

    return segment != NULL && range_contains(segment->offset, segment->file_size, address, size);
}

static enum rumpk_refusal relro_check(struct elf_image *image, const struct elf_program *program,
                                      uint64_t *detail)
{
    const struct elf_segment *segment;
    uint64_t end;

    if (image->relro_size != 0 || (program->address & PAGE_MASK) != 0 ||
        program->memory_size == 0 || !checked_add(program->address, program->memory_size, &end) ||
        !align_up(end, PAGE_SIZE, &end))
        return refuse(RUMPK_REFUSE_ELF_SEGMENT, program->address, detail);
    segment = segment_of(image, program->address, program->memory_size);
    if (segment == NULL || (segment->flags & ELF_WRITE) == 0)
        return refuse(RUMPK_REFUSE_ELF_SEGMENT, program->address, detail);
    image->relro = program->address;
    image->relro_size = end - program->address;
    return RUMPK_REFUSE_NONE;
}

// All program headers: first those that are loaded, then those that speak about them.
static enum rumpk_refusal programs_check(struct elf_image *image,
                                         const struct elf_program **dynamic, uint64_t *detail)
{
    const struct elf_header *header = (const void *)image->bytes;
    enum rumpk_refusal refusal;

    for (uint32_t index = 0; index < header->program_count; index++) {
        const struct elf_program *program = program_at(image, header, index);

        if (program->type != PT_LOAD)
            continue;
        refusal = load_check(image, program, detail);
        if (refusal != RUMPK_REFUSE_NONE)
            return refusal;
    }
    if (image->segment_count == 0 ||
        !is_loaded(image, 0,
                   header->program_offset + header->program_count * sizeof(struct elf_program)))
        return refuse(RUMPK_REFUSE_ELF_BOUNDS, 0, detail);
    for (uint32_t index = 0; index < header->program_count; index++) {
        const struct elf_program *program = program_at(image, header, index);

        switch (program->type) {
        case PT_LOAD:
        case PT_GNU_STACK:
            if (program->type == PT_GNU_STACK && (program->flags & ELF_EXECUTE) != 0)
                return refuse(RUMPK_REFUSE_ELF_WX, index, detail);
            break;
        case PT_PHDR:
        case PT_NOTE:
            if (program->offset != program->address ||
                !is_loaded(image, program->address, program->file_size))
                return refuse(RUMPK_REFUSE_ELF_BOUNDS, program->offset, detail);
            break;
        case PT_DYNAMIC:
            if (*dynamic != NULL || program->offset != program->address ||
                (program->offset & 7) != 0 ||
                !is_loaded(image, program->address, program->file_size))
                return refuse(RUMPK_REFUSE_ELF_DYNAMIC, program->offset, detail);
            *dynamic = program;
            break;
        case PT_GNU_RELRO:
            refusal = relro_check(image, program, detail);
            if (refusal != RUMPK_REFUSE_NONE)
                return refusal;
            break;
        default:
            return refuse(RUMPK_REFUSE_ELF_SEGMENT, program->type, detail);
        }
    }
    return RUMPK_REFUSE_NONE;
}

// One note of a PT_NOTE segment. False: malformed, or a second ABI note.
static bool note_take(struct elf_image *image, uint64_t offset, uint64_t limit, uint64_t *next,
                      bool *found)
{
    const struct elf_note *note = (const void *)(image->bytes + offset);
    uint64_t name = offset + sizeof(*note);
    uint64_t description;

    if (limit - offset < sizeof(*note))
        return false;
    description = name + ((uint64_t)note->name_size + 3) / 4 * 4;
    *next = description + ((uint64_t)note->description_size + 3) / 4 * 4;
    if (*next > limit)
        return false;
    if (note->name_size != RUMPK_NOTE_OWNER_SIZE || note->type != RUMPK_NOTE_TYPE_ABI ||
        memcmp(image->bytes + name, RUMPK_NOTE_OWNER, RUMPK_NOTE_OWNER_SIZE) != 0)
        return true;
    if (*found || note->description_size != sizeof(image->note))
        return false;
    memcpy(&image->note, image->bytes + description, sizeof(image->note));
    *found = true;
    return true;
}

static enum rumpk_refusal notes_check(struct elf_image *image, uint32_t arch, uint64_t *detail)
{
    const struct elf_header *header = (const void *)image->bytes;
    bool found = false;

    for (uint32_t index = 0; index < header->program_count; index++) {
        const struct elf_program *program = program_at(image, header, index);
        uint64_t offset = program->offset;
        uint64_t limit = program->offset + program->file_size;

        if (program->type != PT_NOTE)
            continue;
        if ((offset & 3) != 0)
            return refuse(RUMPK_REFUSE_NOTE_MISSING, offset, detail);
        while (offset < limit) {
            if (!note_take(image, offset, limit, &offset, &found))
                return refuse(RUMPK_REFUSE_NOTE_MISSING, offset, detail);
        }
    }
    if (!found)
        return refuse(RUMPK_REFUSE_NOTE_MISSING, 0, detail);
    if (image->note.abi_version > RUMPK_ABI_VERSION ||
        image->note.systable_size != RUMPK_SYSTABLE_SIZE)
        return refuse(RUMPK_REFUSE_NOTE_ABI, image->note.abi_version, detail);
    if (image->note.arch != arch)
        return refuse(RUMPK_REFUSE_NOTE_ARCH, image->note.arch, detail);
    if (image->note.profile != RUMPK_PROFILE_HARD_FLOAT)
        return refuse(RUMPK_REFUSE_NOTE_PROFILE, image->note.profile, detail);
    return RUMPK_REFUSE_NONE;
}

// What the dynamic section may say without asking the kernel for anything.
static bool dynamic_is_harmless(const struct elf_dynamic *entry)
{
    switch (entry->tag) {
    case DT_HASH:
    case DT_STRTAB:
    case DT_SYMTAB:
    case DT_STRSZ:
    case DT_SYMENT:
    case DT_DEBUG:
    case DT_BIND_NOW:
    case DT_INIT_ARRAY:
    case DT_INIT_ARRAYSZ:
    case DT_FINI_ARRAY:
    case DT_FINI_ARRAYSZ:
    case DT_GNU_HASH:
    case DT_RELACOUNT:
        return true;
    case DT_FLAGS:
        return (entry->value & ~(uint64_t)(DF_SYMBOLIC | DF_BIND_NOW)) == 0;
    case DT_FLAGS_1:
        return (entry->value & ~(uint64_t)(DF_1_NOW | DF_1_PIE)) == 0;
    default:
        return false;
    }
}

static enum rumpk_refusal dynamic_check(struct elf_image *image, const struct elf_program *program,
                                        uint64_t *detail)
{
    const struct elf_dynamic *entries;
    uint64_t count = program->file_size / sizeof(*entries);
    uint64_t table = 0;
    uint64_t size = 0;
    uint64_t entry_size = 0;
    bool ended = false;

    if (program->file_size % sizeof(*entries) != 0 || count > ELF_DYNAMIC_MAX)
        return refuse(RUMPK_REFUSE_ELF_DYNAMIC, program->offset, detail);
    entries = (const void *)(image->bytes + program->offset);
    for (uint64_t index = 0; index < count && !ended; index++) {
        uint64_t *target = NULL;

        switch (entries[index].tag) {
        case DT_NULL:
            ended = true;
            break;
        case DT_RELA:
            target = &table;
            break;
        case DT_RELASZ:
            target = &size;
            break;
        case DT_RELAENT:
            target = &entry_size;
            break;
        default:
            if (!dynamic_is_harmless(&entries[index]))
                return refuse(RUMPK_REFUSE_ELF_DYNAMIC, entries[index].tag, detail);
        }
        if (target == NULL)
            continue;
        if (*target != 0)
            return refuse(RUMPK_REFUSE_ELF_DYNAMIC, entries[index].tag, detail);
        *target = entries[index].value;
    }
    if (!ended)
        return refuse(RUMPK_REFUSE_ELF_DYNAMIC, program->offset, detail);
    if (size == 0)
        return RUMPK_REFUSE_NONE;
    if (entry_size != sizeof(struct elf_rela) || size % sizeof(struct elf_rela) != 0 ||
        (table & 7) != 0 || size / sizeof(struct elf_rela) > ELF_RELOCATIONS_MAX ||
        !is_loaded(image, table, size))
        return refuse(RUMPK_REFUSE_ELF_DYNAMIC, table, detail);
    image->relocations = table;
    image->relocation_count = (uint32_t)(size / sizeof(struct elf_rela));
    return RUMPK_REFUSE_NONE;
}

enum rumpk_refusal elf_validate(const void *bytes, uint64_t size, uint32_t arch,
                                struct elf_image *out, uint64_t *detail)
{
    const struct elf_header *header = bytes;
    const struct elf_program *dynamic = NULL;
    const struct elf_segment *segment;
    enum rumpk_refusal refusal;

    memset(out, 0, sizeof(*out));
    *detail = 0;
    out->bytes = bytes;
    out->size = size;
    out->arch = arch;
    if (size > RUMPK_ELF_SIZE_MAX)
        return refuse(RUMPK_REFUSE_ELF_SIZE, size, detail);
    if (size < sizeof(*header) || ((uintptr_t)bytes & 15) != 0)
        return refuse(RUMPK_REFUSE_ELF_HEADER, size, detail);
    refusal = header_check(out, arch, detail);
    if (refusal == RUMPK_REFUSE_NONE)
        refusal = programs_check(out, &dynamic, detail);
    if (refusal == RUMPK_REFUSE_NONE)
        refusal = notes_check(out, arch, detail);
    if (refusal != RUMPK_REFUSE_NONE)
        return refusal;
    // Does it begin in its own code?
    out->entry = header->entry;
    segment = segment_of(out, out->entry, 4);
    if (segment == NULL || (segment->flags & ELF_EXECUTE) == 0 || !is_loaded(out, out->entry, 4))
        return refuse(RUMPK_REFUSE_ELF_ENTRY, out->entry, detail);
    if (dynamic == NULL)
        return RUMPK_REFUSE_NONE;
    refusal = dynamic_check(out, dynamic, detail);
    return refusal == RUMPK_REFUSE_NONE ? elf_relocations_check(out, detail) : refusal;
}
