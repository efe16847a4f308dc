// SPDX-License-Identifier: Apache-2.0
//
// The cache of packages; see store.h for the promise.

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "nip/fs.h"
#include "nip/trust.h"
#include "project.h"
#include "settings.h"

bool store_folder(char *out)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = CLI_PATH_SIZE;
    if (settings_cache() != NULL)
        length = snprintf(out, CLI_PATH_SIZE, "%s", settings_cache());
    else if (base != NULL && base[0] == '/')
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
    } else {
        // So that cleaning knows what is in use; a cache that cannot be written is as good.
        int ignored = utimensat(AT_FDCWD, path, NULL, 0);
        (void)ignored;
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

// ---- looking after it ----

static const char *const kinds[] = {"npl", "signatures"};

static int compare_entries(const void *a, const void *b)
{
    const struct store_entry *first = a, *second = b;
    return memcmp(first->sha256, second->sha256, NIP_DIGEST_SIZE);
}

static struct store_entry *find_entry(struct store_list *list, size_t count,
                                      const uint8_t sha256[NIP_DIGEST_SIZE])
{
    struct store_entry wanted = {0};
    memcpy(wanted.sha256, sha256, sizeof wanted.sha256);
    return count == 0 ? NULL : bsearch(&wanted, list->items, count, sizeof wanted, compare_entries);
}

static enum nip_code add_files(struct store_list *list, bool is_package, struct nip_error *err)
{
    char folder[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    if (!store_folder(folder)) {
        nip_error_set(err, NIP_ERROR_MISSING, "there is no cache: nothing says where it is");
        nip_error_hint(err, "set HOME or NIP_CACHE, or write `cache` into your settings (nip help "
                            "config)");
        return NIP_ERROR_MISSING;
    }
    int length = snprintf(path, sizeof path, "%s/%s", folder, kinds[is_package ? 0 : 1]);
    if (length >= CLI_PATH_SIZE)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the path of the cache is too long");
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        return NIP_OK;
    nip_fs_sweep(path);
    enum nip_code code = nip_fs_list(path, &names, err);
    size_t sorted = list->count;
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        struct store_entry entry = {0};
        struct stat status;
        char *file = nip_fs_join(path, names.names[i]);
        bool is_named = nip_hex_decode(names.names[i], strlen(names.names[i]), entry.sha256,
                                       sizeof entry.sha256);
        bool is_there = file != NULL && lstat(file, &status) == 0;
        free(file);
        if (!is_there || (names.names[i][0] == '.' && strstr(names.names[i], ".nip-") != NULL))
            continue; // gone meanwhile, or another nip is writing it
        if (!is_named || !S_ISREG(status.st_mode)) {
            list->foreign++;
            continue;
        }
        struct store_entry *known = find_entry(list, sorted, entry.sha256);
        if (known != NULL) {
            known->signatures_size = (uint64_t)status.st_size;
            continue;
        }
        *(is_package ? &entry.size : &entry.signatures_size) = (uint64_t)status.st_size;
        entry.used = status.st_mtime;
        struct store_entry *grown = reallocarray(list->items, list->count + 1, sizeof *list->items);
        if (grown == NULL) {
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to list the cache");
            break;
        }
        list->items = grown;
        list->items[list->count++] = entry;
    }
    nip_fs_names_free(&names);
    if (list->count != 0)
        qsort(list->items, list->count, sizeof *list->items, compare_entries);
    return code;
}

enum nip_code store_read_list(struct store_list *list, struct nip_error *err)
{
    *list = (struct store_list){0};
    enum nip_code code = add_files(list, true, err);
    if (code == NIP_OK)
        code = add_files(list, false, err);
    if (code != NIP_OK)
        store_list_free(list);
    return code;
}

void store_list_free(struct store_list *list)
{
    free(list->items);
    *list = (struct store_list){0};
}

bool store_path(const struct store_entry *entry, char *out)
{
    return blob_path(kinds[0], entry->sha256, out);
}

enum nip_code store_verify(const struct store_entry *entry, enum store_state *result,
                           struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    uint8_t digest[NIP_DIGEST_SIZE];
    struct nip_buffer content = {0};
    *result = STORE_GONE;
    if (entry->size == 0 || !store_path(entry, path)) {
        *result = STORE_WHOLE; // only signatures: they are judged at each use
        return NIP_OK;
    }
    enum nip_code code = nip_fs_read(path, NIP_BUFFER_SIZE_MAX, &content, err);
    if (code == NIP_OK) {
        nip_sha256_bytes(content.data, content.size, digest);
        bool is_whole = memcmp(digest, entry->sha256, sizeof digest) == 0;
        *result = is_whole ? STORE_WHOLE : STORE_DAMAGED;
    }
    nip_buffer_free(&content);
    return code == NIP_ERROR_MISSING ? NIP_OK : code;
}

enum nip_code store_remove(const struct store_entry *entry, struct nip_error *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char path[CLI_PATH_SIZE];
        if (blob_path(kinds[i], entry->sha256, path) && unlink(path) != 0 && errno != ENOENT)
            return nip_error_set_errno(err, errno, "cannot remove %s from the cache", path);
    }
    return NIP_OK;
}
