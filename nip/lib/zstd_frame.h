// SPDX-License-Identifier: Apache-2.0
//
// One zstd frame in, bytes out, and back. The only door to the compression library.
//
// Accepted is exactly: magic, no reserved or unused bits, content size present, checksum present,
// no dictionary, window at most 8 MiB; then blocks, checksum, end of input. All of that is read
// from the frame's own header by nip_zstd_frame_validate(), not asked from the library.

#ifndef NIP_LIB_ZSTD_FRAME_H
#define NIP_LIB_ZSTD_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/package.h"

#define NIP_ZSTD_WINDOW_MAX (UINT64_C(8) << 20)
enum { NIP_ZSTD_HEADER_SIZE_MAX = 18 }; // magic 4, descriptor 1, window 1, dictionary 4, size 8

// Checks the header of a frame and finds the size of its content. `size` may be shorter than the
// header can be: TRUNCATED if it does not suffice.
enum nip_code nip_zstd_frame_validate(const uint8_t *bytes, size_t size, uint64_t *content_size,
                                      struct nip_error *err) NIP_MUST_CHECK;

struct nip_zstd_reader;

// Begins to read a frame from `source`, which must outlive the reader. LIMIT if the content would
// be larger than `content_size_max`.
enum nip_code nip_zstd_reader_open(const struct nip_package_source *source,
                                   uint64_t content_size_max, struct nip_zstd_reader **reader,
                                   struct nip_error *err) NIP_MUST_CHECK;
uint64_t nip_zstd_reader_content_size(const struct nip_zstd_reader *reader);
// Exactly the next `size` bytes of the content; TRUNCATED if there are fewer.
enum nip_code nip_zstd_reader_read(struct nip_zstd_reader *reader, uint8_t *out, size_t size,
                                   struct nip_error *err) NIP_MUST_CHECK;
// Whether all content has been read, the checksum was right, and nothing follows the frame.
enum nip_code nip_zstd_reader_finish(struct nip_zstd_reader *reader,
                                     struct nip_error *err) NIP_MUST_CHECK;
void nip_zstd_reader_close(struct nip_zstd_reader *reader);

struct nip_zstd_writer;

// Begins a frame that will hold exactly `content_size` bytes and is appended to `out`, which must
// outlive the writer and be left alone until nip_zstd_writer_close().
enum nip_code nip_zstd_writer_open(uint64_t content_size, struct nip_buffer *out,
                                   struct nip_zstd_writer **writer,
                                   struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_zstd_writer_write(struct nip_zstd_writer *writer, const void *data, size_t size,
                                    struct nip_error *err) NIP_MUST_CHECK;
// Completes the frame; it passes nip_zstd_frame_validate().
enum nip_code nip_zstd_writer_finish(struct nip_zstd_writer *writer,
                                     struct nip_error *err) NIP_MUST_CHECK;
void nip_zstd_writer_close(struct nip_zstd_writer *writer); // NULL is fine

// All three in one: appends one frame holding `data`.
enum nip_code nip_zstd_compress(const void *data, size_t size, struct nip_buffer *out,
                                struct nip_error *err) NIP_MUST_CHECK;

#endif
