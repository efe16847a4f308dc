// SPDX-License-Identifier: Apache-2.0
//
// Debug files of what was packed, in the user's cache, as debuggers look for them:
//
//   XDG_CACHE_HOME/nip/debug/.build-id/12/3456789abcdef0.debug
//
// A fault is often reported long after the sources have gone on. The newest STORE_DEBUG_MAX stay.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "nip/crash.h"
#include "nip/elf.h"
#include "nip/fs.h"
#include "project.h"
#include "store.h"

bool store_debug_folder(char *out)
{
    char folder[CLI_PATH_SIZE];
    if (!store_folder(folder))
        return false;
    int length = snprintf(out, CLI_PATH_SIZE, "%s/debug", folder);
    return length > 0 && length < CLI_PATH_SIZE;
}

struct oldest {
    size_t count;
    struct timespec when;
    char path[CLI_PATH_SIZE];
};

// Counts the files of one folder, and remembers the oldest.
static void look_at(const char *folder, struct oldest *oldest)
{
    struct nip_fs_names names = {0};
    struct nip_error cause = {0};
    if (nip_fs_list(folder, &names, &cause) != NIP_OK)
        return;
    for (size_t i = 0; i < names.count; i++) {
        char path[CLI_PATH_SIZE];
        struct stat info;
        int length = snprintf(path, sizeof path, "%s/%s", folder, names.names[i]);
        if (length >= (int)sizeof path || lstat(path, &info) != 0 || !S_ISREG(info.st_mode))
            continue;
        bool is_older = oldest->count++ == 0 || info.st_mtim.tv_sec < oldest->when.tv_sec ||
                        (info.st_mtim.tv_sec == oldest->when.tv_sec &&
                         info.st_mtim.tv_nsec < oldest->when.tv_nsec);
        if (is_older) {
            oldest->when = info.st_mtim;
            memcpy(oldest->path, path, (size_t)length + 1);
        }
    }
    nip_fs_names_free(&names);
}

// One comes in, so at most a few go.
static void make_room(const char *folder)
{
    for (uint32_t rounds = 0; rounds < RUMPK_ARCH_COUNT; rounds++) {
        struct nip_fs_names names = {0};
        struct nip_error cause = {0};
        struct oldest oldest = {0};
        if (nip_fs_list(folder, &names, &cause) != NIP_OK)
            return;
        for (size_t i = 0; i < names.count; i++) {
            char path[CLI_PATH_SIZE];
            if (snprintf(path, sizeof path, "%s/%s", folder, names.names[i]) < (int)sizeof path)
                look_at(path, &oldest);
        }
        nip_fs_names_free(&names);
        if (oldest.count <= STORE_DEBUG_MAX)
            return;
        unlink(oldest.path);
    }
}

void store_put_debug(const void *data, size_t size)
{
    char folder[CLI_PATH_SIZE], path[CLI_PATH_SIZE], text[2 * NIP_ELF_BUILD_ID_MAX + 1];
    uint8_t id[NIP_ELF_BUILD_ID_MAX];
    struct nip_error cause = {0};
    size_t id_size = nip_elf_build_id(data, size, id);
    if (id_size < 2 || !store_debug_folder(folder))
        return;
    nip_build_id_text(id, id_size, text);
    int length = snprintf(path, sizeof path, "%s/.build-id/%.2s/%s.debug", folder, text, text + 2);
    if (length >= (int)sizeof path || nip_fs_kind(path) == NIP_FS_FILE)
        return;
    enum nip_code kept = project_write_file(path, data, size, 0644, &cause);
    length = snprintf(path, sizeof path, "%s/.build-id", folder);
    if (kept == NIP_OK && length < (int)sizeof path)
        make_room(path);
}
