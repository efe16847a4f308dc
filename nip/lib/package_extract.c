// SPDX-License-Identifier: Apache-2.0
//
// Unpacking a package into a folder: complete and on the disk, or not there at all.
//
//   temporary folder ──files written while they are hashed──> all synced ──one rename──> FOLDER
//
// The disk works while the rest is still being unpacked: writing is started behind the writer, and
// waited for when many files or all of them are there. One wait for many files costs the file
// system hardly more than for one; a wait after each would cost as much again each time.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nip/fs.h"
#include "package_parts.h"

enum {
    OPEN_FILES_MAX = 64, // written and not yet synced
    START_SIZE = 8 << 20 // so much of a file is written before the disk is asked to begin
};

struct unpacked_file {
    char *path;
    int descriptor;
};

struct unpacking {
    const char *folder;
    // The last one is the one that is being written.
    struct unpacked_file files[OPEN_FILES_MAX];
    size_t file_count;
    off_t written, started; // bytes of that file: written, and on their way to the disk
};

static void close_files(struct unpacking *unpacking)
{
    for (size_t i = 0; i < unpacking->file_count; i++) {
        close(unpacking->files[i].descriptor);
        free(unpacking->files[i].path);
    }
    unpacking->file_count = 0;
}

// Waits until everything so far is on the disk.
static enum nip_code sync_files(struct unpacking *unpacking, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < unpacking->file_count; i++)
        if (fsync(unpacking->files[i].descriptor) != 0)
            code = nip_error_set_errno(err, errno, "cannot complete %s", unpacking->files[i].path);
    close_files(unpacking);
    return code;
}

static enum nip_code unpack_begin(void *context, const char *path, uint64_t size,
                                  struct nip_error *err)
{
    struct unpacking *unpacking = context;
    (void)size;
    enum nip_code code =
        unpacking->file_count == OPEN_FILES_MAX ? sync_files(unpacking, err) : NIP_OK;
    if (code != NIP_OK)
        return code;
    char *whole = nip_fs_join(unpacking->folder, path);
    if (whole == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to unpack");
    char *slash = strrchr(whole, '/');
    *slash = '\0';
    code = nip_fs_make_folders(whole, NULL, err);
    *slash = '/';
    // Nobody looks into this folder before it gets its name: the file needs no name of its own.
    int descriptor = -1;
    if (code == NIP_OK)
        descriptor = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (code == NIP_OK && descriptor < 0)
        code = nip_error_set_errno(err, errno, "cannot make %s", whole);
    if (code != NIP_OK) {
        free(whole);
        return code;
    }
    unpacking->files[unpacking->file_count++] = (struct unpacked_file){whole, descriptor};
    unpacking->written = unpacking->started = 0;
    return NIP_OK;
}

// Asks the disk to begin; a file system that cannot only loses time.
static void start_writing(struct unpacking *unpacking, int descriptor)
{
    (void)sync_file_range(descriptor, unpacking->started, unpacking->written - unpacking->started,
                          SYNC_FILE_RANGE_WRITE);
    unpacking->started = unpacking->written;
}

static enum nip_code unpack_data(void *context, const uint8_t *data, size_t size,
                                 struct nip_error *err)
{
    struct unpacking *unpacking = context;
    const struct unpacked_file *file = &unpacking->files[unpacking->file_count - 1];
    while (size > 0) {
        ssize_t count = write(file->descriptor, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return nip_error_set_errno(err, errno, "cannot write %s", file->path);
        data += count;
        size -= (size_t)count;
        unpacking->written += count;
    }
    if (unpacking->written - unpacking->started >= START_SIZE)
        start_writing(unpacking, file->descriptor);
    return NIP_OK;
}

static enum nip_code unpack_end(void *context, struct nip_error *err)
{
    struct unpacking *unpacking = context;
    const struct unpacked_file *file = &unpacking->files[unpacking->file_count - 1];
    if (fchmod(file->descriptor, 0644) != 0)
        return nip_error_set_errno(err, errno, "cannot complete %s", file->path);
    start_writing(unpacking, file->descriptor);
    return NIP_OK;
}

static enum nip_code unpack_text(struct unpacking *unpacking, const char *path,
                                 const struct nip_buffer *text, struct nip_error *err)
{
    enum nip_code code = unpack_begin(unpacking, path, text->size, err);
    if (code == NIP_OK)
        code = unpack_data(unpacking, text->data, text->size, err);
    return code == NIP_OK ? unpack_end(unpacking, err) : code;
}

static enum nip_code extract_into(struct nip_package *package, const char *folder,
                                  struct nip_error *err)
{
    struct unpacking unpacking = {.folder = folder};
    const struct nip_package_sink sink = {unpack_begin, unpack_data, unpack_end, &unpacking};
    enum nip_code code =
        unpack_text(&unpacking, NIP_PACKAGE_SIGNATURE_PATH, &package->signature_text, err);
    if (code == NIP_OK)
        code = unpack_text(&unpacking, NIP_PACKAGE_DIGESTS_PATH, &package->digests_text, err);
    if (code == NIP_OK)
        code = nip_package_read(package, &sink, err);
    if (code == NIP_OK)
        code = sync_files(&unpacking, err);
    close_files(&unpacking);
    return code;
}

enum nip_code nip_package_extract(struct nip_package *package, const char *folder,
                                  struct nip_error *err)
{
    struct nip_buffer temporary = {0};
    struct nip_fs_lock held = NIP_FS_LOCK_NONE;
    if (nip_fs_kind(folder) != NIP_FS_NOTHING)
        return nip_error_set(err, NIP_ERROR_EXISTS, "%s exists already", folder);
    enum nip_code code = nip_fs_make_temporary_folder(folder, &temporary, &held, err);
    if (code == NIP_OK) {
        code = extract_into(package, nip_buffer_text(&temporary), err);
        if (code == NIP_OK)
            code = nip_fs_publish_folder(nip_buffer_text(&temporary), folder, err);
        if (code != NIP_OK) {
            enum nip_code ignored = nip_fs_remove_tree(nip_buffer_text(&temporary), NULL);
            (void)ignored; // the first error is the one to report
        }
    }
    nip_fs_unlock(&held);
    nip_buffer_free(&temporary);
    return code;
}
