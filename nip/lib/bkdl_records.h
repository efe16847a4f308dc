// SPDX-License-Identifier: Apache-2.0
//
// The outer form of both packed manifests: an opening and a row of padded records.

#ifndef NIP_LIB_BKDL_RECORDS_H
#define NIP_LIB_BKDL_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/buffer.h"
#include "nip/error.h"

// Writing: begin, add any number of records, end. Failures are the buffer's and sticky.
struct bkdl_writer {
    struct nip_buffer *out;
    size_t start;
    uint32_t count;
};
void bkdl_write_begin(struct bkdl_writer *writer, const char *title, struct nip_buffer *out);
void bkdl_write_record(struct bkdl_writer *writer, uint32_t tag, const void *payload, size_t size);
enum nip_code bkdl_write_end(struct bkdl_writer *writer, size_t size_max, const char *what,
                             struct nip_error *err) NIP_MUST_CHECK;

// Reading. The opening is checked by bkdl_read_begin(), each record's own form by
// bkdl_read_record().
struct bkdl_reader {
    const uint8_t *data;
    size_t size, offset; // of the next record
    uint32_t left;       // records still to come
    const char *file;
    // The record that was read last.
    uint32_t tag, payload_size;
    const uint8_t *payload;
    size_t record_offset;
};
enum nip_code bkdl_read_begin(struct bkdl_reader *reader, const char *title, const void *data,
                              size_t size, size_t size_max, const char *file,
                              struct nip_error *err) NIP_MUST_CHECK;
// At the end of the document tag is 0.
enum nip_code bkdl_read_record(struct bkdl_reader *reader, struct nip_error *err) NIP_MUST_CHECK;
// FORMAT at the record read last: "FILE: the record at byte N ...".
enum nip_code bkdl_refuse(const struct bkdl_reader *reader, struct nip_error *err,
                          const char *format, ...) NIP_PRINTF(3, 4);
// Copies the payload, which must have exactly this size.
enum nip_code bkdl_take(const struct bkdl_reader *reader, void *target, size_t size,
                        struct nip_error *err) NIP_MUST_CHECK;

#endif
