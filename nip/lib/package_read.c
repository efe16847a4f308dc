// SPDX-License-Identifier: Apache-2.0
//
// Reading the content of a package, in one pass: the calling thread decompresses, a second one
// hashes and hands on what the first has made.
//
//   frame ──decompress──> ring of chunks ──hash, give to the sink──> digest as signed? ──> next
//   file
//
// A chunk is small enough to stay in the processor's cache from one thread to the other, and is all
// that is kept: memory does not depend on the size of a file. Small packages are read without a
// second thread, by the same functions.

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "package_parts.h"
#include "tar.h"

enum {
    CHUNK_SIZE = 64 << 10,
    CHUNK_COUNT_MAX = 16,
    CHUNK_COUNT_SMALL = 4, // a small package would only touch each of more once
    SMALL_SIZE_MAX = 8 << 20,
    ALONE_SIZE_MAX = 1 << 20, // below, starting a thread costs more than it saves
};

// ---- hashing and handing on: the second half ----

struct chunk {
    const struct nip_digests_file *file;
    size_t size;
    bool is_first, is_last; // of the file
    uint8_t *data;
};

struct taker {
    const struct nip_package_sink *sink; // NULL: only verify
    struct nip_hash hash;
    enum nip_code code;
    struct nip_error err;
};

static void take_chunk(struct taker *taker, const struct chunk *chunk)
{
    const struct nip_package_sink *sink = taker->sink;
    uint8_t digest[NIP_DIGEST_SIZE];
    if (taker->code != NIP_OK)
        return;
    if (chunk->is_first) {
        nip_hash_begin(&taker->hash);
        if (sink != NULL)
            taker->code =
                sink->begin(sink->context, chunk->file->path, chunk->file->size, &taker->err);
    }
    nip_hash_update(&taker->hash, chunk->data, chunk->size);
    if (taker->code == NIP_OK && sink != NULL)
        taker->code = sink->data(sink->context, chunk->data, chunk->size, &taker->err);
    if (taker->code != NIP_OK || !chunk->is_last)
        return;
    nip_hash_end(&taker->hash, digest);
    if (memcmp(digest, chunk->file->digest, sizeof digest) != 0)
        taker->code =
            nip_error_set(&taker->err, NIP_ERROR_DIGEST,
                          "the content of '%s' does not have the signed digest", chunk->file->path);
    else if (sink != NULL)
        taker->code = sink->end(sink->context, &taker->err);
}

// ---- between the two ----

//   made  counts chunks that are full, taken those that are free again; the ring is full at
//   made - taken == count. Both only grow, under the mutex.
struct ring {
    struct chunk chunks[CHUNK_COUNT_MAX];
    size_t count; // of chunks that there are
    struct taker taker;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    size_t made, taken;
    bool is_at_end, has_thread, has_failed;
};

static void *take_all(void *context)
{
    struct ring *ring = context;
    pthread_mutex_lock(&ring->mutex);
    for (;;) {
        while (ring->made == ring->taken && !ring->is_at_end)
            pthread_cond_wait(&ring->changed, &ring->mutex);
        if (ring->made == ring->taken)
            break;
        struct chunk *chunk = &ring->chunks[ring->taken % ring->count];
        pthread_mutex_unlock(&ring->mutex);
        take_chunk(&ring->taker, chunk);
        pthread_mutex_lock(&ring->mutex);
        ring->has_failed = ring->taker.code != NIP_OK;
        ring->taken++;
        pthread_cond_signal(&ring->changed);
    }
    pthread_mutex_unlock(&ring->mutex);
    return NULL;
}

static enum nip_code ring_start(struct ring *ring, const struct nip_package_sink *sink,
                                uint64_t content_size, struct nip_error *err)
{
    bool wants_thread = content_size > ALONE_SIZE_MAX;
    ring->taker = (struct taker){.sink = sink};
    // Alone, one chunk is enough: each is taken before the next is made.
    ring->count = !wants_thread                    ? 1
                  : content_size <= SMALL_SIZE_MAX ? CHUNK_COUNT_SMALL
                                                   : CHUNK_COUNT_MAX;
    for (size_t i = 0; i < ring->count; i++) {
        ring->chunks[i].data = malloc(CHUNK_SIZE);
        if (ring->chunks[i].data == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    }
    pthread_mutex_init(&ring->mutex, NULL);
    pthread_cond_init(&ring->changed, NULL);
    // A system that gives no thread costs time only.
    ring->has_thread = wants_thread && pthread_create(&ring->thread, NULL, take_all, ring) == 0;
    return NIP_OK;
}

// A chunk to fill; NULL if the second half has failed already.
static struct chunk *ring_next(struct ring *ring)
{
    if (!ring->has_thread)
        return ring->taker.code != NIP_OK ? NULL : &ring->chunks[0];
    pthread_mutex_lock(&ring->mutex);
    while (ring->made - ring->taken == ring->count)
        pthread_cond_wait(&ring->changed, &ring->mutex);
    struct chunk *chunk = &ring->chunks[ring->made % ring->count];
    bool has_failed = ring->has_failed;
    pthread_mutex_unlock(&ring->mutex);
    return has_failed ? NULL : chunk;
}

static void ring_publish(struct ring *ring, struct chunk *chunk)
{
    if (!ring->has_thread) {
        take_chunk(&ring->taker, chunk);
        return;
    }
    pthread_mutex_lock(&ring->mutex);
    ring->made++;
    pthread_cond_signal(&ring->changed);
    pthread_mutex_unlock(&ring->mutex);
}

// Waits until everything is taken. What the second half found comes first: it is about bytes that
// lie before those at which the first half may have failed.
static enum nip_code ring_finish(struct ring *ring, enum nip_code code, struct nip_error *err)
{
    if (ring->has_thread) {
        pthread_mutex_lock(&ring->mutex);
        ring->is_at_end = true;
        pthread_cond_signal(&ring->changed);
        pthread_mutex_unlock(&ring->mutex);
        pthread_join(ring->thread, NULL);
    }
    for (size_t i = 0; i < ring->count; i++)
        free(ring->chunks[i].data);
    if (ring->taker.code == NIP_OK)
        return code;
    if (err != NULL)
        *err = ring->taker.err;
    return ring->taker.code;
}

// ---- decompressing: the first half ----

static enum nip_code read_content(struct nip_package *package, const struct nip_digests_file *file,
                                  struct ring *ring, struct nip_error *err)
{
    uint64_t left = file->size;
    do {
        struct chunk *chunk = ring_next(ring);
        if (chunk == NULL)
            return NIP_ERROR_DIGEST; // ring_finish() says what it was
        chunk->file = file;
        chunk->is_first = left == file->size;
        chunk->size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
        enum nip_code code = nip_zstd_reader_read(package->reader, chunk->data, chunk->size, err);
        if (code != NIP_OK)
            return code;
        left -= chunk->size;
        chunk->is_last = left == 0;
        ring_publish(ring, chunk);
    } while (left != 0);
    return NIP_OK;
}

// Why this is not the header of `file`, which the signed list has here.
static enum nip_code explain_entry(const struct nip_package *package,
                                   const struct nip_digests_file *file,
                                   const uint8_t block[NIP_TAR_BLOCK_SIZE], struct nip_error *err)
{
    char path[NIP_PATH_MAX + 1] = {0};
    memcpy(path, block, strnlen((const char *)block, NIP_PATH_MAX));
    if (nip_tar_header_is_regular(block) && nip_digests_file(&package->digests, path) == NULL)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "the archive has the file '%s', which its signed list does not name",
                             path);
    return nip_tar_header_explain(block, file->path, file->size, true, err);
}

static enum nip_code read_file(struct nip_package *package, const struct nip_digests_file *file,
                               struct ring *ring, struct nip_error *err)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE], expected[NIP_TAR_BLOCK_SIZE];
    size_t padding_size = nip_tar_padding(file->size);
    enum nip_code code = nip_zstd_reader_read(package->reader, block, sizeof block, err);
    if (code != NIP_OK)
        return code;
    nip_tar_header(file->path, file->size, expected);
    if (memcmp(block, expected, sizeof block) != 0)
        return explain_entry(package, file, block, err);
    code = read_content(package, file, ring, err);
    if (code == NIP_OK)
        code = nip_zstd_reader_read(package->reader, block, padding_size, err);
    if (code == NIP_OK && !package_is_zero(block, padding_size))
        code =
            nip_error_set(err, NIP_ERROR_FORMAT, "the padding behind '%s' is not zero", file->path);
    return code;
}

static enum nip_code read_end(struct nip_package *package, struct nip_error *err)
{
    uint8_t end[NIP_TAR_END_SIZE];
    enum nip_code code = nip_zstd_reader_read(package->reader, end, sizeof end, err);
    if (code == NIP_OK && !package_is_zero(end, sizeof end))
        code = nip_error_set(err, NIP_ERROR_FORMAT,
                             "the archive goes on where its end is expected: a file that is not "
                             "listed");
    return code != NIP_OK ? code : nip_zstd_reader_finish(package->reader, err);
}

enum nip_code nip_package_read(struct nip_package *package, const struct nip_package_sink *sink,
                               struct nip_error *err)
{
    struct ring ring = {.made = 0};
    if (package->has_been_read)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "the package has been read already");
    package->has_been_read = true;
    enum nip_code code =
        ring_start(&ring, sink, nip_zstd_reader_content_size(package->reader), err);
    for (size_t i = 0; code == NIP_OK && i < package->digests.file_count; i++)
        code = read_file(package, &package->digests.files[i], &ring, err);
    if (code == NIP_OK)
        code = read_end(package, err);
    return ring_finish(&ring, code, err);
}

// ---- into memory ----

struct loading {
    struct nip_package *package;
    size_t index, used;
};

static enum nip_code load_begin(void *context, const char *path, uint64_t size,
                                struct nip_error *err)
{
    struct loading *loading = context;
    uint8_t *room = malloc((size_t)size + 1); // a NUL behind it, so that text ends
    loading->package->contents[loading->index] = room;
    loading->used = 0;
    if (room == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for '%s'", path);
    room[size] = 0;
    return NIP_OK;
}

static enum nip_code load_data(void *context, const uint8_t *data, size_t size,
                               struct nip_error *err)
{
    struct loading *loading = context;
    (void)err;
    if (size != 0)
        memcpy(loading->package->contents[loading->index] + loading->used, data, size);
    loading->used += size;
    return NIP_OK;
}

static enum nip_code load_end(void *context, struct nip_error *err)
{
    struct loading *loading = context;
    (void)err;
    loading->index++;
    return NIP_OK;
}

enum nip_code nip_package_load(const struct nip_package_source *source,
                               const struct nip_package_trust *trust, uint64_t size_max,
                               struct nip_package **package, struct nip_error *err)
{
    enum nip_code code = nip_package_open(source, trust, size_max, package, err);
    if (code != NIP_OK)
        return code;
    struct loading loading = {.package = *package};
    const struct nip_package_sink sink = {load_begin, load_data, load_end, &loading};
    (*package)->contents =
        (uint8_t **)calloc((*package)->digests.file_count + 1, sizeof *(*package)->contents);
    if ((*package)->contents == NULL)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read a package");
    if (code == NIP_OK)
        code = nip_package_read(*package, &sink, err);
    if (code != NIP_OK) {
        nip_package_close(*package);
        *package = NULL;
    }
    return code;
}
