// SPDX-License-Identifier: Apache-2.0
//
// The only file of libnip that includes the zstd library.
//
// The library would accept more than the format allows (skippable frames before and after, several
// frames, dictionaries, no checksum, any window), so the header is parsed here first, and the end
// is checked here too. RFC 8878, section 3.1.1.

#include "zstd_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
    FRAME_MAGIC_SIZE = 4,
    INPUT_CHUNK_SIZE = 1 << 17,
    OUTPUT_CHUNK_SIZE = 1 << 17,
    // A level whose window stays within 8 MiB for every size; higher ones cost far more time than
    // they save for code.
    COMPRESSION_LEVEL = 9,
    WINDOW_LOG_MAX = 23,
    // From here on the content is cut into jobs for several threads.
    PARALLEL_SIZE_MIN = 1 << 20,
    WORKERS_MAX = 8,
    JOB_SIZE_MAX = 16 << 20,
    OVERLAP_WINDOW = 9, // zstd's word for all of it
    TABLE_LOG_MAX = 20, // of the level's own tables, the smallest
};

static const uint8_t frame_magic[FRAME_MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};

static enum nip_code refuse(struct nip_error *err, const char *reason)
{
    return nip_error_set(err, NIP_ERROR_FORMAT, "the compressed frame is refused: %s", reason);
}

static uint64_t load_little(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static bool is_skippable(const uint8_t *bytes)
{
    return (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d && bytes[3] == 0x18;
}

// What it is instead of a zstd frame, for people.
static const char *magic_problem(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *reason;
    } known[] = {
        {"\x1f\x8b", 2, "it is compressed by gzip; a package is one zstd frame"},
        {"\xfd"
         "7zXZ",
         5, "it is compressed by xz; a package is one zstd frame"},
        {"BZh", 3, "it is compressed by bzip2; a package is one zstd frame"},
        {"\x04\x22\x4d\x18", 4, "it is compressed by lz4; a package is one zstd frame"},
        {"digests.minisig", 15, "it is not compressed; a package is one zstd frame"},
    };
    if (is_skippable(bytes))
        return "it begins with a skippable frame";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (size >= known[i].size && memcmp(bytes, known[i].bytes, known[i].size) == 0)
            return known[i].reason;
    return "it does not begin with the zstd magic number";
}

enum nip_code nip_zstd_frame_validate(const uint8_t *bytes, size_t size, uint64_t *content_size,
                                      struct nip_error *err)
{
    // 1. Is it a zstd frame, and no skippable one?
    if (size < FRAME_MAGIC_SIZE + 1)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "the file is too short for a package");
    if (memcmp(bytes, frame_magic, FRAME_MAGIC_SIZE) != 0)
        return refuse(err, magic_problem(bytes, size));

    // 2. Does the descriptor ask only for what is allowed?
    //      7 6            5               4       3         2         1 0
    //      size field     single segment  unused  reserved  checksum  dictionary field
    uint8_t descriptor = bytes[FRAME_MAGIC_SIZE];
    unsigned size_code = descriptor >> 6;
    bool is_single_segment = (descriptor & 0x20) != 0;
    if ((descriptor & 0x18) != 0)
        return refuse(err, "an unused or reserved bit is set");
    if ((descriptor & 0x04) == 0)
        return refuse(err, "it has no checksum");
    if ((descriptor & 0x03) != 0)
        return refuse(err, "it uses a dictionary");
    if (size_code == 0 && !is_single_segment)
        return refuse(err, "it does not state the size of its content");

    // 3. Are all header bytes there?
    size_t window_size = is_single_segment ? 0 : 1;
    size_t field_size = size_code == 0 ? 1 : (size_t)1 << size_code;
    const uint8_t *at = bytes + FRAME_MAGIC_SIZE + 1;
    if (size - FRAME_MAGIC_SIZE - 1 < window_size + field_size)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "the file ends within its frame header");

    // 4. Is the window small enough? A single segment's window is its content.
    uint64_t content = load_little(at + window_size, field_size);
    if (field_size == 2)
        content += 256;
    uint64_t window = content;
    if (!is_single_segment) {
        unsigned exponent = at[0] >> 3, mantissa = at[0] & 7;
        uint64_t base = UINT64_C(1) << (10 + exponent); // at most 2^41
        window = base + base / 8 * mantissa;
    }
    if (window > NIP_ZSTD_WINDOW_MAX)
        return refuse(err, "its window is larger than 8 MiB");
    *content_size = content;
    return NIP_OK;
}

// ---- reading ----

struct nip_zstd_reader {
    ZSTD_DStream *stream;
    struct nip_package_source source;
    ZSTD_inBuffer input; // what has been taken from the source and not yet decoded
    uint64_t content_size, content_read;
    bool is_source_at_end, is_frame_complete;
    uint8_t *chunk; // room for input from a descriptor
};

// Takes more from the source when everything so far has been decoded.
static enum nip_code fill_input(struct nip_zstd_reader *reader, struct nip_error *err)
{
    if (reader->input.pos < reader->input.size || reader->is_source_at_end)
        return NIP_OK;
    ssize_t count;
    do {
        count = read(reader->source.descriptor, reader->chunk, INPUT_CHUNK_SIZE);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        return nip_error_set_errno(err, errno, "cannot read the package");
    reader->input = (ZSTD_inBuffer){reader->chunk, (size_t)count, 0};
    reader->is_source_at_end = count == 0;
    return NIP_OK;
}

// The first chunk must hold the whole frame header, also when the source is a pipe.
static enum nip_code fill_header(struct nip_zstd_reader *reader, struct nip_error *err)
{
    if (reader->source.data != NULL) {
        reader->input = (ZSTD_inBuffer){reader->source.data, reader->source.size, 0};
        reader->is_source_at_end = true;
        return NIP_OK;
    }
    reader->chunk = malloc(INPUT_CHUNK_SIZE);
    if (reader->chunk == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    size_t filled = 0;
    while (filled < NIP_ZSTD_HEADER_SIZE_MAX) {
        ssize_t count =
            read(reader->source.descriptor, reader->chunk + filled, INPUT_CHUNK_SIZE - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return nip_error_set_errno(err, errno, "cannot read the package");
        if (count == 0)
            break;
        filled += (size_t)count;
    }
    reader->input = (ZSTD_inBuffer){reader->chunk, filled, 0};
    return NIP_OK;
}

enum nip_code nip_zstd_reader_open(const struct nip_package_source *source,
                                   uint64_t content_size_max, struct nip_zstd_reader **reader,
                                   struct nip_error *err)
{
    *reader = NULL;
    struct nip_zstd_reader *made = calloc(1, sizeof *made);
    if (made == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    made->source = *source;
    enum nip_code code = fill_header(made, err);
    if (code == NIP_OK)
        code = nip_zstd_frame_validate(made->input.src, made->input.size, &made->content_size, err);
    if (code == NIP_OK && made->content_size > content_size_max)
        code = nip_error_set(err, NIP_ERROR_LIMIT,
                             "the package would unpack to %llu bytes; at most %llu are allowed",
                             (unsigned long long)made->content_size,
                             (unsigned long long)content_size_max);
    if (code == NIP_OK) {
        made->stream = ZSTD_createDStream();
        if (made->stream == NULL ||
            ZSTD_isError(ZSTD_DCtx_setParameter(made->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    }
    if (code != NIP_OK)
        nip_zstd_reader_close(made);
    else
        *reader = made;
    return code;
}

uint64_t nip_zstd_reader_content_size(const struct nip_zstd_reader *reader)
{
    return reader->content_size;
}

// One step of the decoder into `output`. Says TRUNCATED when the input ends within the frame.
static enum nip_code decode_step(struct nip_zstd_reader *reader, ZSTD_outBuffer *output,
                                 struct nip_error *err)
{
    enum nip_code code = fill_input(reader, err);
    if (code != NIP_OK)
        return code;
    size_t output_before = output->pos, input_before = reader->input.pos;
    size_t result = ZSTD_decompressStream(reader->stream, output, &reader->input);
    if (ZSTD_isError(result))
        return nip_error_set(err, NIP_ERROR_FORMAT, "the compressed frame is damaged: %s",
                             ZSTD_getErrorName(result));
    reader->content_read += output->pos - output_before;
    reader->is_frame_complete = result == 0;
    bool is_stuck = output->pos == output_before && reader->input.pos == input_before;
    if (is_stuck && !reader->is_frame_complete && reader->is_source_at_end)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "the compressed frame is cut off");
    return NIP_OK;
}

enum nip_code nip_zstd_reader_read(struct nip_zstd_reader *reader, uint8_t *out, size_t size,
                                   struct nip_error *err)
{
    ZSTD_outBuffer output = {out, size, 0};
    while (output.pos < size) {
        if (reader->is_frame_complete)
            return nip_error_set(err, NIP_ERROR_TRUNCATED, "the archive ends too early");
        enum nip_code code = decode_step(reader, &output, err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

enum nip_code nip_zstd_reader_finish(struct nip_zstd_reader *reader, struct nip_error *err)
{
    // The checksum comes after the last content byte: let the decoder reach it.
    while (!reader->is_frame_complete) {
        uint8_t beyond;
        ZSTD_outBuffer output = {&beyond, 1, 0};
        enum nip_code code = decode_step(reader, &output, err);
        if (code != NIP_OK)
            return code;
        if (output.pos > 0)
            return nip_error_set(err, NIP_ERROR_FORMAT,
                                 "there is data after the end of the archive");
    }
    if (reader->content_read != reader->content_size)
        return refuse(err, "its content has another size than its header says");
    enum nip_code code = fill_input(reader, err);
    if (code != NIP_OK)
        return code;
    size_t left = reader->input.size - reader->input.pos;
    const uint8_t *next = (const uint8_t *)reader->input.src + reader->input.pos;
    if (left == 0)
        return NIP_OK;
    const char *what = "there is data";
    if (left >= FRAME_MAGIC_SIZE && is_skippable(next))
        what = "there is a skippable frame";
    else if (left >= FRAME_MAGIC_SIZE && memcmp(next, frame_magic, FRAME_MAGIC_SIZE) == 0)
        what = "there is a second frame";
    return nip_error_set(err, NIP_ERROR_FORMAT, "%s after the compressed frame", what);
}

void nip_zstd_reader_close(struct nip_zstd_reader *reader)
{
    if (reader == NULL)
        return;
    ZSTD_freeDStream(reader->stream);
    free(reader->chunk);
    free(reader);
}

// ---- writing ----

struct nip_zstd_writer {
    ZSTD_CCtx *context;
    struct nip_buffer *out;
    size_t start; // of the frame in `out`
    uint8_t *chunk;
};

// Jobs of one size, so that no thread waits long for the last one, and few: where one begins, less
// of what came before is known and the frame grows. Two large jobs know a whole window of it. The
// number of jobs is even and follows from the size of the content alone; the number of threads
// changes nothing in the frame.
static void set_jobs(ZSTD_CCtx *context, uint64_t content_size)
{
    uint64_t jobs = content_size < JOB_SIZE_MAX ? 2 : 4;
    if (content_size >= 4 * (uint64_t)JOB_SIZE_MAX)
        jobs = (content_size / JOB_SIZE_MAX / 8 + 1) * 8;
    uint64_t job_size = content_size / jobs + 1;
    int table_log = 64 - __builtin_clzll(job_size);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int workers = processors < 1 ? 1 : processors > WORKERS_MAX ? WORKERS_MAX : (int)processors;
    // A library without threads takes no notice.
    ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, workers);
    ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, (int)job_size);
    // Each job has tables of its own, made for the window: larger than a short job can fill, and
    // clearing them would cost more than searching.
    if (table_log <= TABLE_LOG_MAX) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, table_log);
        ZSTD_CCtx_setParameter(context, ZSTD_c_chainLog, table_log);
    } else if (jobs == 2) {
        ZSTD_CCtx_setParameter(context, ZSTD_c_overlapLog, OVERLAP_WINDOW);
    }
}

enum nip_code nip_zstd_writer_open(uint64_t content_size, struct nip_buffer *out,
                                   struct nip_zstd_writer **writer, struct nip_error *err)
{
    struct nip_zstd_writer *made = calloc(1, sizeof *made);
    *writer = made;
    if (made != NULL) {
        made->context = ZSTD_createCCtx();
        made->chunk = malloc(OUTPUT_CHUNK_SIZE);
        made->out = out;
        made->start = out->size;
    }
    if (made == NULL || made->context == NULL || made->chunk == NULL) {
        nip_zstd_writer_close(made);
        *writer = NULL;
        nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to compress");
        return NIP_ERROR_MEMORY;
    }
    // The window is bounded by hand: a single-segment frame's window is its whole content.
    ZSTD_CCtx *context = made->context;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, COMPRESSION_LEVEL);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
    ZSTD_CCtx_setPledgedSrcSize(context, content_size);
    if (content_size >= PARALLEL_SIZE_MIN)
        set_jobs(context, content_size);
    return NIP_OK;
}

static enum nip_code write_some(struct nip_zstd_writer *writer, ZSTD_inBuffer *input,
                                ZSTD_EndDirective directive, struct nip_error *err)
{
    size_t left;
    do {
        ZSTD_outBuffer output = {writer->chunk, OUTPUT_CHUNK_SIZE, 0};
        left = ZSTD_compressStream2(writer->context, &output, input, directive);
        if (ZSTD_isError(left))
            return nip_error_set(err, NIP_ERROR_INTERNAL, "compression failed: %s",
                                 ZSTD_getErrorName(left));
        nip_buffer_append(writer->out, writer->chunk, output.pos);
    } while (directive == ZSTD_e_end ? left != 0 : input->pos < input->size);
    return nip_buffer_check(writer->out, "the package", err);
}

enum nip_code nip_zstd_writer_write(struct nip_zstd_writer *writer, const void *data, size_t size,
                                    struct nip_error *err)
{
    ZSTD_inBuffer input = {data, size, 0};
    return size == 0 ? NIP_OK : write_some(writer, &input, ZSTD_e_continue, err);
}

enum nip_code nip_zstd_writer_finish(struct nip_zstd_writer *writer, struct nip_error *err)
{
    ZSTD_inBuffer input = {NULL, 0, 0};
    uint64_t content_size;
    enum nip_code code = write_some(writer, &input, ZSTD_e_end, err);
    if (code == NIP_OK)
        code = nip_zstd_frame_validate(writer->out->data + writer->start,
                                       writer->out->size - writer->start, &content_size, err);
    return code;
}

void nip_zstd_writer_close(struct nip_zstd_writer *writer)
{
    if (writer == NULL)
        return;
    ZSTD_freeCCtx(writer->context);
    free(writer->chunk);
    free(writer);
}

enum nip_code nip_zstd_compress(const void *data, size_t size, struct nip_buffer *out,
                                struct nip_error *err)
{
    struct nip_zstd_writer *writer;
    size_t start = out->size;
    enum nip_code code = nip_zstd_writer_open(size, out, &writer, err);
    if (code == NIP_OK)
        code = nip_zstd_writer_write(writer, data, size, err);
    if (code == NIP_OK)
        code = nip_zstd_writer_finish(writer, err);
    if (code != NIP_OK && out->size > start)
        out->size = start;
    nip_zstd_writer_close(writer);
    return code;
}
