// SPDX-License-Identifier: Apache-2.0
//
// Writing packages. The writer refuses what the reader would refuse, so a package that was written
// can be read; same inputs give the same tar on every machine.

#include <string.h>

#include "nip/package.h"
#include "tar.h"
#include "zstd_frame.h"

enum { PIECE_SIZE = 128 << 10 };

// Where the tar goes: into a buffer, or through the compressor without ever being in memory.
struct target {
    struct nip_buffer *tar;
    struct nip_zstd_writer *writer;
};

static enum nip_code put(const struct target *target, const void *data, size_t size,
                         struct nip_error *err)
{
    if (target->writer != NULL)
        return nip_zstd_writer_write(target->writer, data, size, err);
    nip_buffer_append(target->tar, data, size);
    return nip_buffer_check(target->tar, "the archive", err);
}

static enum nip_code put_header(const struct target *target, const char *path, size_t size,
                                struct nip_error *err)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    nip_tar_header(path, size, block);
    return put(target, block, sizeof block, err);
}

static enum nip_code put_padding(const struct target *target, size_t size, struct nip_error *err)
{
    static const uint8_t zero[NIP_TAR_BLOCK_SIZE];
    return put(target, zero, nip_tar_padding(size), err);
}

static enum nip_code put_text(const struct target *target, const char *path, const void *data,
                              size_t size, struct nip_error *err)
{
    enum nip_code code = put_header(target, path, size, err);
    if (code == NIP_OK)
        code = put(target, data, size, err);
    return code == NIP_OK ? put_padding(target, size, err) : code;
}

// Hashes what it writes: in pieces, so that the compressor's threads work on one while the next is
// hashed, and each byte is fetched from memory once.
static enum nip_code put_file(const struct target *target, const struct nip_package_input *file,
                              const struct nip_digests_file *listed, struct nip_error *err)
{
    struct nip_hash hash;
    uint8_t digest[NIP_DIGEST_SIZE];
    const uint8_t *data = file->data;
    enum nip_code code = put_header(target, file->path, file->size, err);
    nip_hash_begin(&hash);
    for (size_t left = file->size; code == NIP_OK && left > 0;) {
        size_t size = left < PIECE_SIZE ? left : PIECE_SIZE;
        nip_hash_update(&hash, data, size);
        code = put(target, data, size, err);
        data += size;
        left -= size;
    }
    nip_hash_end(&hash, digest);
    if (code == NIP_OK && memcmp(digest, listed->digest, sizeof digest) != 0)
        code = nip_error_set(err, NIP_ERROR_DIGEST,
                             "'%s' is not the file that digests lists: it was changed after it was "
                             "listed",
                             file->path);
    return code == NIP_OK ? put_padding(target, file->size, err) : code;
}

static uint64_t entry_size(uint64_t size)
{
    return NIP_TAR_BLOCK_SIZE + size + nip_tar_padding(size);
}

// Have the files the names and sizes of those that the list names? Their content is compared while
// it is written.
static enum nip_code check_files(const struct nip_digests *digests,
                                 const struct nip_package_input *files, size_t file_count,
                                 struct nip_error *err)
{
    if (file_count != digests->file_count)
        return nip_error_set(err, NIP_ERROR_MISMATCH, "digests lists %zu files, but %zu are given",
                             digests->file_count, file_count);
    for (size_t i = 0; i < file_count; i++) {
        const struct nip_digests_file *listed = &digests->files[i];
        if (strcmp(files[i].path, listed->path) != 0)
            return nip_error_set(err, NIP_ERROR_MISMATCH, "digests lists '%s' where '%s' is given",
                                 listed->path, files[i].path);
        if (files[i].size != listed->size)
            return nip_error_set(err, NIP_ERROR_DIGEST,
                                 "'%s' is not the file that digests lists: it was changed after it "
                                 "was listed",
                                 files[i].path);
    }
    return NIP_OK;
}

static enum nip_code check_signature(const struct nip_digests *digests, const char *text,
                                     size_t size, struct nip_error *err)
{
    struct nip_signature signature;
    enum nip_code code = nip_signature_parse(text, size, &signature, err);
    if (code != NIP_OK)
        return code;
    char expected[NIP_TRUSTED_COMMENT_MAX + 1];
    if (!nip_signature_comment(expected, digests->name, digests->version) ||
        strcmp(signature.trusted_comment, expected) != 0)
        return nip_error_set(err, NIP_ERROR_SIGNATURE,
                             "the signature is for '%s', but the package is '%s'",
                             signature.trusted_comment, expected);
    return NIP_OK;
}

// What goes into a package.
struct parts {
    const char *signature_text, *digests_text;
    size_t signature_size, digests_size;
    const struct nip_package_input *files;
    size_t file_count;
    struct nip_digests digests; // of digests_text
};

// Reads the list; all that can be known before the first byte is written is checked.
static enum nip_code open_parts(struct parts *parts, struct nip_error *err)
{
    enum nip_code code =
        nip_digests_parse(parts->digests_text, parts->digests_size, &parts->digests, err);
    if (code != NIP_OK)
        return code;
    code = check_signature(&parts->digests, parts->signature_text, parts->signature_size, err);
    if (code == NIP_OK)
        code = check_files(&parts->digests, parts->files, parts->file_count, err);
    if (code != NIP_OK)
        nip_digests_free(&parts->digests);
    return code;
}

static enum nip_code put_parts(const struct target *target, const struct parts *parts,
                               struct nip_error *err)
{
    static const uint8_t end[NIP_TAR_END_SIZE];
    enum nip_code code = put_text(target, NIP_PACKAGE_SIGNATURE_PATH, parts->signature_text,
                                  parts->signature_size, err);
    if (code == NIP_OK)
        code = put_text(target, NIP_PACKAGE_DIGESTS_PATH, parts->digests_text, parts->digests_size,
                        err);
    for (size_t i = 0; code == NIP_OK && i < parts->file_count; i++)
        code = put_file(target, &parts->files[i], &parts->digests.files[i], err);
    return code == NIP_OK ? put(target, end, sizeof end, err) : code;
}

enum nip_code nip_package_write_tar(const char *signature_text, size_t signature_size,
                                    const char *digests_text, size_t digests_size,
                                    const struct nip_package_input *files, size_t file_count,
                                    struct nip_buffer *tar, struct nip_error *err)
{
    struct parts parts = {.signature_text = signature_text,
                          .digests_text = digests_text,
                          .signature_size = signature_size,
                          .digests_size = digests_size,
                          .files = files,
                          .file_count = file_count};
    struct target target = {.tar = tar};
    size_t start = tar->size;
    enum nip_code code = open_parts(&parts, err);
    if (code != NIP_OK)
        return code;
    code = put_parts(&target, &parts, err);
    if (code != NIP_OK && tar->size > start)
        tar->size = start;
    nip_digests_free(&parts.digests);
    return code;
}

// The list bounds each size and the number of files: no sum here can overflow.
static enum nip_code check_total(const struct parts *parts, uint64_t *size, struct nip_error *err)
{
    *size = entry_size(parts->signature_size) + entry_size(parts->digests_size) + NIP_TAR_END_SIZE;
    for (size_t i = 0; i < parts->file_count; i++)
        *size += entry_size(parts->files[i].size);
    if (*size <= NIP_PACKAGE_SIZE_MAX)
        return NIP_OK;
    return nip_error_set(err, NIP_ERROR_LIMIT,
                         "the archive would have %llu bytes; at most %llu are allowed",
                         (unsigned long long)*size, (unsigned long long)NIP_PACKAGE_SIZE_MAX);
}

enum nip_code nip_package_write(const char *signature_text, size_t signature_size,
                                const char *digests_text, size_t digests_size,
                                const struct nip_package_input *files, size_t file_count,
                                struct nip_buffer *npl, struct nip_error *err)
{
    struct parts parts = {.signature_text = signature_text,
                          .digests_text = digests_text,
                          .signature_size = signature_size,
                          .digests_size = digests_size,
                          .files = files,
                          .file_count = file_count};
    struct target target = {.tar = NULL};
    size_t start = npl->size;
    uint64_t size;
    enum nip_code code = open_parts(&parts, err);
    if (code != NIP_OK)
        return code;
    code = check_total(&parts, &size, err);
    if (code == NIP_OK)
        code = nip_zstd_writer_open(size, npl, &target.writer, err);
    if (code == NIP_OK)
        code = put_parts(&target, &parts, err);
    if (code == NIP_OK)
        code = nip_zstd_writer_finish(target.writer, err);
    if (code != NIP_OK && npl->size > start)
        npl->size = start;
    nip_zstd_writer_close(target.writer);
    nip_digests_free(&parts.digests);
    return code;
}
