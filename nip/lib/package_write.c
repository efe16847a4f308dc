// SPDX-License-Identifier: Apache-2.0
//
// Writing packages. The writer refuses what the reader would refuse, so a package that was written
// can be read; same inputs give the same tar on every machine.

#include <string.h>

#include "nip/package.h"
#include "tar.h"
#include "zstd_frame.h"

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

static enum nip_code put_entry(const struct target *target, const char *path, const void *data,
                               size_t size, struct nip_error *err)
{
    static const uint8_t zero[NIP_TAR_BLOCK_SIZE];
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    nip_tar_header(path, size, block);
    enum nip_code code = put(target, block, sizeof block, err);
    if (code == NIP_OK)
        code = put(target, data, size, err);
    return code == NIP_OK ? put(target, zero, nip_tar_padding(size), err) : code;
}

static uint64_t entry_size(uint64_t size)
{
    return NIP_TAR_BLOCK_SIZE + size + nip_tar_padding(size);
}

// Are the files exactly those that the list names?
static enum nip_code check_files(const struct nip_digests *digests,
                                 const struct nip_package_input *files, size_t file_count,
                                 struct nip_error *err)
{
    if (file_count != digests->file_count)
        return nip_error_set(err, NIP_ERROR_MISMATCH, "digests lists %zu files, but %zu are given",
                             digests->file_count, file_count);
    for (size_t i = 0; i < file_count; i++) {
        const struct nip_digests_file *listed = &digests->files[i];
        uint8_t digest[NIP_DIGEST_SIZE];
        if (strcmp(files[i].path, listed->path) != 0)
            return nip_error_set(err, NIP_ERROR_MISMATCH, "digests lists '%s' where '%s' is given",
                                 listed->path, files[i].path);
        nip_hash_bytes(files[i].data, files[i].size, digest);
        if (files[i].size != listed->size || memcmp(digest, listed->digest, sizeof digest) != 0)
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

// What goes into a package, checked.
struct parts {
    const char *signature_text, *digests_text;
    size_t signature_size, digests_size;
    const struct nip_package_input *files;
    size_t file_count;
};

static enum nip_code check_parts(const struct parts *parts, struct nip_error *err)
{
    struct nip_digests digests;
    enum nip_code code = nip_digests_parse(parts->digests_text, parts->digests_size, &digests, err);
    if (code != NIP_OK)
        return code;
    code = check_signature(&digests, parts->signature_text, parts->signature_size, err);
    if (code == NIP_OK)
        code = check_files(&digests, parts->files, parts->file_count, err);
    nip_digests_free(&digests);
    return code;
}

static enum nip_code put_parts(const struct target *target, const struct parts *parts,
                               struct nip_error *err)
{
    static const uint8_t end[NIP_TAR_END_SIZE];
    enum nip_code code = put_entry(target, NIP_PACKAGE_SIGNATURE_PATH, parts->signature_text,
                                   parts->signature_size, err);
    if (code == NIP_OK)
        code = put_entry(target, NIP_PACKAGE_DIGESTS_PATH, parts->digests_text, parts->digests_size,
                         err);
    for (size_t i = 0; code == NIP_OK && i < parts->file_count; i++)
        code = put_entry(target, parts->files[i].path, parts->files[i].data, parts->files[i].size,
                         err);
    return code == NIP_OK ? put(target, end, sizeof end, err) : code;
}

enum nip_code nip_package_write_tar(const char *signature_text, size_t signature_size,
                                    const char *digests_text, size_t digests_size,
                                    const struct nip_package_input *files, size_t file_count,
                                    struct nip_buffer *tar, struct nip_error *err)
{
    struct parts parts = {signature_text, digests_text, signature_size,
                          digests_size,   files,        file_count};
    struct target target = {.tar = tar};
    enum nip_code code = check_parts(&parts, err);
    return code == NIP_OK ? put_parts(&target, &parts, err) : code;
}

enum nip_code nip_package_write(const char *signature_text, size_t signature_size,
                                const char *digests_text, size_t digests_size,
                                const struct nip_package_input *files, size_t file_count,
                                struct nip_buffer *npl, struct nip_error *err)
{
    struct parts parts = {signature_text, digests_text, signature_size,
                          digests_size,   files,        file_count};
    struct target target = {.tar = NULL};
    size_t start = npl->size;
    // The list bounds each size and the number of files: no sum here can overflow.
    uint64_t size = entry_size(signature_size) + entry_size(digests_size) + NIP_TAR_END_SIZE;
    enum nip_code code = check_parts(&parts, err);
    for (size_t i = 0; code == NIP_OK && i < file_count; i++)
        size += entry_size(files[i].size);
    if (code == NIP_OK && size > NIP_PACKAGE_SIZE_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT,
                             "the archive would have %llu bytes; at most %llu are allowed",
                             (unsigned long long)size, (unsigned long long)NIP_PACKAGE_SIZE_MAX);
    if (code == NIP_OK)
        code = nip_zstd_writer_open(size, npl, &target.writer, err);
    if (code == NIP_OK)
        code = put_parts(&target, &parts, err);
    if (code == NIP_OK)
        code = nip_zstd_writer_finish(target.writer, err);
    if (code != NIP_OK && npl->size > start)
        npl->size = start;
    nip_zstd_writer_close(target.writer);
    return code;
}
