// SPDX-License-Identifier: Apache-2.0
//
// Writing packages. The writer refuses what the reader would refuse, so a package that was written
// can be read; same inputs give the same tar on every machine.

#include <string.h>

#include "nip/package.h"
#include "tar.h"
#include "zstd_frame.h"

static void append_entry(struct nip_buffer *tar, const char *path, const void *data, size_t size)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    nip_tar_header(path, size, block);
    nip_buffer_append(tar, block, sizeof block);
    nip_buffer_append(tar, data, size);
    nip_buffer_append_fill(tar, 0, nip_tar_padding(size));
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

enum nip_code nip_package_write_tar(const char *signature_text, size_t signature_size,
                                    const char *digests_text, size_t digests_size,
                                    const struct nip_package_input *files, size_t file_count,
                                    struct nip_buffer *tar, struct nip_error *err)
{
    struct nip_digests digests;
    enum nip_code code = nip_digests_parse(digests_text, digests_size, &digests, err);
    if (code != NIP_OK)
        return code;
    code = check_signature(&digests, signature_text, signature_size, err);
    if (code == NIP_OK)
        code = check_files(&digests, files, file_count, err);
    if (code == NIP_OK) {
        append_entry(tar, NIP_PACKAGE_SIGNATURE_PATH, signature_text, signature_size);
        append_entry(tar, NIP_PACKAGE_DIGESTS_PATH, digests_text, digests_size);
        for (size_t i = 0; i < file_count; i++)
            append_entry(tar, files[i].path, files[i].data, files[i].size);
        nip_buffer_append_fill(tar, 0, NIP_TAR_END_SIZE);
        code = nip_buffer_check(tar, "the archive", err);
    }
    nip_digests_free(&digests);
    return code;
}

enum nip_code nip_package_write(const char *signature_text, size_t signature_size,
                                const char *digests_text, size_t digests_size,
                                const struct nip_package_input *files, size_t file_count,
                                struct nip_buffer *npl, struct nip_error *err)
{
    struct nip_buffer tar;
    nip_buffer_init(&tar, NIP_PACKAGE_SIZE_MAX);
    enum nip_code code = nip_package_write_tar(signature_text, signature_size, digests_text,
                                               digests_size, files, file_count, &tar, err);
    if (code == NIP_OK)
        code = nip_zstd_compress(tar.data, tar.size, npl, err);
    nip_buffer_free(&tar);
    return code;
}
