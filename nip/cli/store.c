// SPDX-License-Identifier: Apache-2.0
//
// The cache of packages; see store.h for the promise.

#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "nip/fs.h"
#include "nip/trust.h"
#include "project.h"

bool store_folder(char *out)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = CLI_PATH_SIZE;
    if (base != NULL && base[0] == '/')
        length = snprintf(out, CLI_PATH_SIZE, "%s/nip", base);
    else if (home != NULL && home[0] == '/')
        length = snprintf(out, CLI_PATH_SIZE, "%s/.cache/nip", home);
    return length > 0 && length < CLI_PATH_SIZE;
}

static bool blob_path(const char *kind, const uint8_t sha256[NIP_DIGEST_SIZE], char *out)
{
    char folder[CLI_PATH_SIZE], digest[NIP_DIGEST_TEXT_SIZE];
    if (!store_folder(folder))
        return false;
    nip_digest_text(sha256, digest);
    int length = snprintf(out, CLI_PATH_SIZE, "%s/%s/%s", folder, kind, digest);
    return length > 0 && length < CLI_PATH_SIZE;
}

bool store_get(const uint8_t sha256[NIP_DIGEST_SIZE], uint64_t size, struct nip_buffer *npl)
{
    char path[CLI_PATH_SIZE];
    uint8_t digest[NIP_DIGEST_SIZE];
    struct nip_error cause = {0};
    if (!blob_path("npl", sha256, path) || nip_fs_kind(path) != NIP_FS_FILE)
        return false;
    bool fine = size <= NIP_BUFFER_SIZE_MAX && nip_fs_read(path, size, npl, &cause) == NIP_OK &&
                npl->size == size;
    if (fine)
        nip_sha256_bytes(npl->data, npl->size, digest);
    fine = fine && memcmp(digest, sha256, sizeof digest) == 0;
    if (!fine) {
        nip_buffer_free(npl);
        unlink(path);
    }
    return fine;
}

void store_put(const uint8_t sha256[NIP_DIGEST_SIZE], const struct nip_buffer *npl)
{
    char path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    if (!blob_path("npl", sha256, path) || nip_fs_kind(path) == NIP_FS_FILE)
        return;
    enum nip_code ignored = project_write_file(path, npl->data, npl->size, 0644, &cause);
    (void)ignored; // the package is fetched again the next time
}

bool store_get_signatures(const uint8_t sha256[NIP_DIGEST_SIZE], struct nip_buffer *texts)
{
    enum { SIZE_MAX_ALL = NIP_BALLOT_VOTES_MAX * NIP_SIGNATURE_FILE_SIZE_MAX };
    char path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    return blob_path("signatures", sha256, path) && nip_fs_kind(path) == NIP_FS_FILE &&
           nip_fs_read(path, SIZE_MAX_ALL, texts, &cause) == NIP_OK;
}

void store_put_signatures(const uint8_t sha256[NIP_DIGEST_SIZE], const struct nip_buffer *texts)
{
    char path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    struct nip_buffer before = {0};
    if (!blob_path("signatures", sha256, path))
        return;
    bool same = store_get_signatures(sha256, &before) &&
                nip_buffer_equals(&before, texts->data, texts->size);
    nip_buffer_free(&before);
    if (same)
        return;
    enum nip_code ignored = project_write_file(path, texts->data, texts->size, 0644, &cause);
    (void)ignored; // they are fetched again the next time
}
