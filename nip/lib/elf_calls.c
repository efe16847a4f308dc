// SPDX-License-Identifier: Apache-2.0
//
// The records that libnpl's functions leave of the calls in a driver's code (rumpk/note.h), out of
// its debug file.

#include <inttypes.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/systable.h>

#include "checked.h"
#include "nip/elf.h"

#define SECTION ".note.rumpk.calls"

struct record { // as it stands in the section
    uint32_t owner_size, content_size, type;
    char owner[8];
    struct rumpk_call_note call;
};
_Static_assert(sizeof(struct record) == 28, "a record has no padding");

enum nip_code nip_elf_calls(const void *data, size_t size, const char *file,
                            struct nip_elf_calls *calls, struct nip_error *err)
{
    static const char owner[8] = RUMPK_NOTE_OWNER;
    uint64_t offset, section_size;
    memset(calls, 0, sizeof *calls);
    enum nip_code code =
        nip_elf_find_section(data, size, file, SECTION, NULL, &offset, &section_size, err);
    if (code == NIP_ERROR_MISSING) // a driver that calls nothing, or only by hand
        return NIP_OK;
    for (uint64_t at = 0; code == NIP_OK && at < section_size; at += sizeof(struct record)) {
        struct record record;
        if (section_size - at < sizeof record)
            return nip_error_set(err, NIP_ERROR_FORMAT, "%s: the last record of " SECTION " is cut",
                                 file);
        memcpy(&record, (const uint8_t *)data + offset + at, sizeof record);
        if (record.owner_size != RUMPK_NOTE_OWNER_SIZE ||
            record.content_size != sizeof record.call || record.type != RUMPK_NOTE_TYPE_CALL ||
            memcmp(record.owner, owner, sizeof owner) != 0 || record.call.call > RUMPK_CALL_META)
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "%s: byte %" PRIu64 " of " SECTION " begins no record of a call",
                                 file, at);
        calls->calls |= 1u << record.call.call;
        if (record.call.call == RUMPK_CALL_MASK && record.call.operation < 32)
            calls->mask_operations |= 1u << record.call.operation;
    }
    return code;
}

const char *nip_call_name(uint32_t call)
{
#define CALL_NAME(name, index, sentence) #name,
    static const char *const upper[] = {RUMPK_CALLS(CALL_NAME) "META"};
#undef CALL_NAME
    return call < sizeof upper / sizeof upper[0] ? upper[call] : "?";
}
