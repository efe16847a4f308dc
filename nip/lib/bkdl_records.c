// SPDX-License-Identifier: Apache-2.0
//
// Opening and records of the packed manifests (rumpk/bkdl.h). Structures are copied, never pointed
// into, so alignment of the input does not matter; host and target are little-endian.

#include "bkdl_records.h"

#include <inttypes.h>
#include <string.h>

#include "checked.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the packed form is little-endian");

enum { RECORD_ALIGNMENT = 8 };

void bkdl_write_begin(struct bkdl_writer *writer, const char *title, struct nip_buffer *out)
{
    *writer = (struct bkdl_writer){.out = out, .start = out->size};
    nip_buffer_append_fill(out, 0, sizeof(struct rumpk_bkdl_opening));
    if (!nip_buffer_has_failed(out))
        memcpy(out->data + writer->start, title, strlen(title));
}

void bkdl_write_record(struct bkdl_writer *writer, uint32_t tag, const void *payload, size_t size)
{
    struct rumpk_bkdl_record record = {.tag = tag, .size = (uint32_t)size};
    nip_buffer_append(writer->out, &record, sizeof record);
    nip_buffer_append(writer->out, payload, size);
    nip_buffer_append_fill(writer->out, 0, -size % RECORD_ALIGNMENT);
    writer->count++;
}

enum nip_code bkdl_write_end(struct bkdl_writer *writer, size_t size_max, const char *what,
                             struct nip_error *err)
{
    enum nip_code code = nip_buffer_check(writer->out, what, err);
    if (code != NIP_OK)
        return code;
    size_t size = writer->out->size - writer->start;
    if (size > size_max)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s would have %zu bytes; at most %zu are "
                                                   "possible", what, size, size_max);
    uint32_t words[2] = {(uint32_t)size, writer->count};
    memcpy(writer->out->data + writer->start + offsetof(struct rumpk_bkdl_opening, size), words,
           sizeof words);
    return NIP_OK;
}

enum nip_code bkdl_read_begin(struct bkdl_reader *reader, const char *title, const void *data,
                              size_t size, size_t size_max, const char *file,
                              struct nip_error *err)
{
    *reader = (struct bkdl_reader){.data = data, .size = size, .file = file};
    if (size > size_max)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s has %zu bytes; at most %zu are possible",
                             file, size, size_max);
    struct rumpk_bkdl_opening opening;
    if (size < sizeof opening)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "%s ends inside its opening", file);
    memcpy(&opening, data, sizeof opening);
    char expected[RUMPK_BKDL_TITLE_SIZE] = {0};
    memcpy(expected, title, strlen(title));
    if (memcmp(opening.title, expected, sizeof expected) != 0) {
        nip_error_set(err, NIP_ERROR_UNSUPPORTED, "%s does not begin with \"%.*s\"", file,
                      (int)strlen(title) - 1, title);
        nip_error_hint(err, "It is another kind of file, or was made by another release.");
        return NIP_ERROR_UNSUPPORTED;
    }
    if (opening.size != size)
        return nip_error_set(err,
                             opening.size > size ? NIP_ERROR_TRUNCATED : NIP_ERROR_FORMAT,
                             "%s states %" PRIu32 " bytes and has %zu", file, opening.size, size);
    if (opening.reserved != 0)
        return nip_error_set(err, NIP_ERROR_FORMAT, "%s: a reserved field of the opening is not "
                                                    "zero", file);
    reader->offset = sizeof opening;
    reader->left = opening.records;
    return NIP_OK;
}

enum nip_code bkdl_read_record(struct bkdl_reader *reader, struct nip_error *err)
{
    reader->record_offset = reader->offset;
    reader->tag = 0;
    reader->payload_size = 0;
    if (reader->left == 0) {
        if (reader->offset != reader->size)
            return bkdl_refuse(reader, err, "stands behind the last record");
        return NIP_OK;
    }
    struct rumpk_bkdl_record record;
    if (!nip_range_is_within(reader->offset, sizeof record, reader->size))
        return bkdl_refuse(reader, err, "is missing: fewer records than the opening states");
    memcpy(&record, reader->data + reader->offset, sizeof record);
    size_t payload = reader->offset + sizeof record;
    uint64_t padded;
    if (!nip_u64_round_up(record.size, RECORD_ALIGNMENT, &padded) ||
        !nip_range_is_within(payload, padded, reader->size))
        return bkdl_refuse(reader, err, "reaches beyond the end");
    for (uint64_t i = record.size; i < padded; i++)
        if (reader->data[payload + i] != 0)
            return bkdl_refuse(reader, err, "has padding that is not zero");
    if (record.tag == 0)
        return bkdl_refuse(reader, err, "has tag 0");
    reader->tag = record.tag;
    reader->payload_size = record.size;
    reader->payload = reader->data + payload;
    reader->offset = payload + (size_t)padded;
    reader->left--;
    return NIP_OK;
}

enum nip_code bkdl_refuse(const struct bkdl_reader *reader, struct nip_error *err,
                          const char *format, ...)
{
    va_list list;
    va_start(list, format);
    enum nip_code code = nip_error_set_list(err, NIP_ERROR_FORMAT, format, list);
    va_end(list);
    nip_error_prefix(err, "%s: the record at byte %zu ", reader->file, reader->record_offset);
    return code;
}

enum nip_code bkdl_take(const struct bkdl_reader *reader, void *target, size_t size,
                        struct nip_error *err)
{
    if (reader->payload_size != size)
        return bkdl_refuse(reader, err, "(tag %" PRIu32 ") has %" PRIu32 " bytes, expected %zu",
                           reader->tag, reader->payload_size, size);
    memcpy(target, reader->payload, size);
    return NIP_OK;
}
