// SPDX-License-Identifier: Apache-2.0
//
// Writing and reading the source archive.
//
// As with packages, reading compares: the header that must stand at a place is made from the path
// and the size found there, and all 512 bytes must be equal. What differs from a package is that no
// signed list gives the paths, so they are checked here, as the list would be.

#include "nip/source.h"

#include <stdlib.h>
#include <string.h>

#include "tar.h"

// ---- paths that cannot stand in one folder ----

// Lower case, and '/' before everything else, so that a folder is followed by what is in it.
static int fold(char c)
{
    if (c == '/')
        return 1;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static int compare_folded(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    while (*x != '\0' && fold(*x) == fold(*y)) {
        x++;
        y++;
    }
    return fold(*x) - fold(*y);
}

// In that order two paths that collide are neighbours.
static enum nip_code check_collisions(const struct nip_source_file *files, size_t count,
                                      struct nip_error *err)
{
    const char **paths = (const char **)calloc(count + 1, sizeof *paths);
    if (paths == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the source archive");
    for (size_t i = 0; i < count; i++)
        paths[i] = files[i].path;
    qsort((void *)paths, count, sizeof *paths, compare_folded);
    enum nip_code code = NIP_OK;
    for (size_t i = 1; code == NIP_OK && i < count; i++)
        if (nip_paths_collide(paths[i - 1], paths[i]))
            code = nip_error_set(err, NIP_ERROR_EXISTS,
                                 "the source files '%s' and '%s' cannot both be in one archive",
                                 paths[i - 1], paths[i]);
    free((void *)paths);
    return code;
}

// ---- writing ----

static int compare_paths(const void *a, const void *b)
{
    const struct nip_source_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static enum nip_code refuse_path(const char *path, struct nip_error *err)
{
    nip_error_set(err, NIP_ERROR_NAME, "no source file may be called '%s'", path);
    nip_error_hint(
        err,
        "use letters, digits, '.', '_', '-' and '/', at most %d bytes; files that are "
        "no source go below a folder whose name starts with a dot, or out of the project",
        NIP_PATH_MAX);
    return NIP_ERROR_NAME;
}

enum nip_code nip_source_write(struct nip_source_file *files, size_t count, struct nip_buffer *tar,
                               struct nip_error *err)
{
    size_t start = tar->size;
    if (count > NIP_SOURCE_FILES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "the source has %zu files; at most %d are "
                             "allowed",
                             count, NIP_SOURCE_FILES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!nip_path_is_valid(files[i].path, strlen(files[i].path)))
            return refuse_path(files[i].path, err);
    if (count > 1)
        qsort(files, count, sizeof *files, compare_paths);
    enum nip_code code = check_collisions(files, count, err);
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        uint8_t block[NIP_TAR_BLOCK_SIZE];
        if (files[i].size > NIP_SOURCE_SIZE_MAX ||
            tar->size - start > NIP_SOURCE_SIZE_MAX - files[i].size) {
            code = nip_error_set(err, NIP_ERROR_LIMIT, "the source has more than %d MiB (at '%s')",
                                 NIP_SOURCE_SIZE_MAX >> 20, files[i].path);
            break;
        }
        nip_tar_header(files[i].path, files[i].size, block);
        nip_buffer_append(tar, block, sizeof block);
        nip_buffer_append(tar, files[i].data, files[i].size);
        nip_buffer_append_fill(tar, 0, nip_tar_padding(files[i].size));
    }
    nip_buffer_append_fill(tar, 0, NIP_TAR_END_SIZE);
    if (code == NIP_OK && tar->size - start > NIP_SOURCE_SIZE_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "the source has more than %d MiB",
                             NIP_SOURCE_SIZE_MAX >> 20);
    return code == NIP_OK ? nip_buffer_check(tar, "the source archive", err) : code;
}

// ---- reading ----

static bool is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

// One entry at *at, which becomes where the next one starts.
static enum nip_code read_entry(const uint8_t *tar, size_t size, size_t *at,
                                struct nip_source_file *file, struct nip_error *err)
{
    if (size - *at < NIP_TAR_BLOCK_SIZE)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "the source archive is cut off");
    const uint8_t *block = tar + *at;
    size_t path_size = strnlen((const char *)block, NIP_PATH_MAX);
    uint64_t content_size = 0;
    *file = (struct nip_source_file){.data = block + NIP_TAR_BLOCK_SIZE};
    // Nothing is said with a name that has not been checked.
    if (!nip_path_is_valid((const char *)block, path_size))
        return nip_error_set(err, NIP_ERROR_NAME,
                             "the source archive names a file, at byte %zu, in a way that is not "
                             "allowed",
                             *at);
    memcpy(file->path, block, path_size);
    if (!nip_tar_header_matches(block, file->path, NIP_SOURCE_SIZE_MAX, &content_size))
        return nip_tar_header_explain(block, file->path, NIP_SOURCE_SIZE_MAX, false, err);
    *at += NIP_TAR_BLOCK_SIZE;
    file->size = (size_t)content_size;
    size_t padding = nip_tar_padding(content_size);
    if (size - *at < file->size || size - *at - file->size < padding)
        return nip_error_set(err, NIP_ERROR_TRUNCATED, "the source archive is cut off in '%s'",
                             file->path);
    if (!is_zero(file->data + file->size, padding))
        return nip_error_set(err, NIP_ERROR_FORMAT, "the padding behind '%s' is not zero",
                             file->path);
    *at += file->size + padding;
    return NIP_OK;
}

static enum nip_code append_file(struct nip_source *source, const struct nip_source_file *file,
                                 struct nip_error *err)
{
    if (source->count == NIP_SOURCE_FILES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the source archive has more than %d files",
                             NIP_SOURCE_FILES_MAX);
    if (source->count != 0 && strcmp(source->files[source->count - 1].path, file->path) >= 0)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "the source archive is not sorted: '%s' comes after '%s'", file->path,
                             source->files[source->count - 1].path);
    // Grows by doubling: full exactly when the count is a power of two (or nothing is there yet).
    if ((source->count & (source->count - 1)) == 0) {
        size_t capacity = source->count == 0 ? 1 : source->count * 2;
        struct nip_source_file *grown = reallocarray(source->files, capacity, sizeof *grown);
        if (grown == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the source archive");
        source->files = grown;
    }
    source->files[source->count++] = *file;
    return NIP_OK;
}

enum nip_code nip_source_read(const void *tar, size_t size, struct nip_source *source,
                              struct nip_error *err)
{
    const uint8_t *bytes = tar;
    size_t at = 0;
    enum nip_code code = NIP_OK;
    *source = (struct nip_source){0};
    if (size > NIP_SOURCE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the source archive has more than %d MiB",
                             NIP_SOURCE_SIZE_MAX >> 20);
    while (code == NIP_OK && size - at >= NIP_TAR_BLOCK_SIZE && bytes[at] != 0) {
        struct nip_source_file file;
        code = read_entry(bytes, size, &at, &file, err);
        if (code == NIP_OK)
            code = append_file(source, &file, err);
    }
    if (code == NIP_OK && size - at < NIP_TAR_END_SIZE)
        code = nip_error_set(err, NIP_ERROR_TRUNCATED, "the source archive is cut off");
    if (code == NIP_OK && !is_zero(bytes + at, NIP_TAR_END_SIZE))
        code = nip_error_set(err, NIP_ERROR_FORMAT,
                             "the source archive does not end with two zero blocks");
    if (code == NIP_OK && size - at > NIP_TAR_END_SIZE)
        code = nip_error_set(err, NIP_ERROR_FORMAT,
                             "there is data after the end of the source archive");
    if (code == NIP_OK)
        code = check_collisions(source->files, source->count, err);
    if (code != NIP_OK)
        nip_source_free(source);
    return code;
}

void nip_source_free(struct nip_source *source)
{
    free(source->files);
    *source = (struct nip_source){0};
}

// ---- the two lines of `digests` ----

enum nip_code nip_source_listed(const struct nip_digests *digests,
                                const struct nip_digests_file **file, struct nip_error *err)
{
    char text[NIP_DIGEST_TEXT_SIZE];
    const struct nip_digests_file *found = nip_digests_beside(digests, NIP_SOURCE_FILE);
    bool is_tar = strncmp(digests->source, NIP_SOURCE_SCHEME ":", sizeof NIP_SOURCE_SCHEME) == 0;
    *file = NULL;
    if (!is_tar && found == NULL)
        return NIP_OK;
    if (found != NULL)
        nip_digest_text(found->digest, text);
    if (!is_tar || found == NULL || strcmp(digests->source + sizeof NIP_SOURCE_SCHEME, text) != 0)
        return nip_error_set(err, NIP_ERROR_MISMATCH,
                             "the lines 'source' and 'beside ... %s' of the digests contradict "
                             "each other",
                             NIP_SOURCE_FILE);
    *file = found;
    return NIP_OK;
}
