// SPDX-License-Identifier: Apache-2.0
//
// File work of libnip: complete or not at all. See nip/fs.h for the promises.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs_parts.h"

enum { READ_CHUNK_SIZE = 1 << 16, LOCK_POLL_MS = 5, TREE_DEPTH_MAX = 256 };

char *nip_fs_join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

enum nip_fs_kind nip_fs_kind(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? NIP_FS_NOTHING : NIP_FS_OTHER;
    if (S_ISREG(info.st_mode))
        return NIP_FS_FILE;
    return S_ISDIR(info.st_mode) ? NIP_FS_FOLDER : NIP_FS_OTHER;
}

// ---- reading ----

static enum nip_code read_descriptor(int descriptor, const char *path, size_t size_max,
                                     struct nip_buffer *out, struct nip_error *err)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return nip_error_set_errno(err, errno, "cannot look at %s", path);
    if (S_ISDIR(info.st_mode)) {
        nip_error_set(err, NIP_ERROR_IO, "%s is a folder, and a file is expected", path);
        nip_error_hint(err, "name the file that is meant");
        return NIP_ERROR_IO;
    }
    if (!S_ISREG(info.st_mode))
        return nip_error_set(err, NIP_ERROR_IO, "%s is not a regular file", path);
    size_t total = 0, start = out->size;
    // All of a large file at once, without growing; it may still be another size than it was.
    if (info.st_size > READ_CHUNK_SIZE && (uint64_t)info.st_size <= size_max) {
        uint8_t *room = nip_buffer_extend(out, (size_t)info.st_size);
        ssize_t count = 0;
        while (room != NULL && total < (size_t)info.st_size) {
            count = read(descriptor, room + total, (size_t)info.st_size - total);
            if (count <= 0 && !(count < 0 && errno == EINTR))
                break;
            total += count > 0 ? (size_t)count : 0;
        }
        if (room != NULL)
            out->size = start + total;
        if (count < 0)
            return nip_error_set_errno(err, errno, "cannot read %s", path);
    }
    for (;;) {
        uint8_t chunk[READ_CHUNK_SIZE];
        ssize_t count = read(descriptor, chunk, sizeof chunk);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return nip_error_set_errno(err, errno, "cannot read %s", path);
        if (count == 0)
            return nip_buffer_check(out, path, err);
        if ((size_t)count > size_max - total)
            return nip_error_set(err, NIP_ERROR_LIMIT, "%s is larger than %zu bytes", path,
                                 size_max);
        total += (size_t)count;
        nip_buffer_append(out, chunk, (size_t)count);
    }
}

static enum nip_code fail_missing(const char *path, struct nip_error *err)
{
    struct stat info;
    if (path[0] == '\0')
        return nip_error_set(err, NIP_ERROR_MISSING, "the name of a file is empty");
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
        return nip_error_set(err, NIP_ERROR_MISSING, "%s is a symbolic link that leads nowhere",
                             path);
    return nip_error_set_errno(err, ENOENT, "cannot open %s", path);
}

enum nip_code nip_fs_read(const char *path, size_t size_max, struct nip_buffer *out,
                          struct nip_error *err)
{
    // Not blocking: opening a FIFO must not hang.
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 && errno == ENOENT)
        return fail_missing(path, err);
    if (descriptor < 0)
        return nip_error_set_errno(err, errno, "cannot open %s", path);
    enum nip_code code = read_descriptor(descriptor, path, size_max, out, err);
    close(descriptor);
    return code;
}

// ---- writing ----

static enum nip_code write_descriptor(int descriptor, const char *path, const void *data,
                                      size_t size, unsigned mode, struct nip_error *err)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t count = write(descriptor, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return nip_error_set_errno(err, errno, "cannot write %s", path);
        bytes += count;
        size -= (size_t)count;
    }
    if (fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0)
        return nip_error_set_errno(err, errno, "cannot complete %s", path);
    return NIP_OK;
}

// Renames without replacing. Where the file system cannot, a hard link does the same.
static int rename_exclusive(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(from, to) != 0)
        return -1;
    return unlink(from);
}

static enum nip_code write_file(const char *path, const void *data, size_t size, unsigned mode,
                                bool is_exclusive, struct nip_error *err)
{
    char *temporary;
    int descriptor;
    enum nip_code code = fs_make_temporary_file(path, &temporary, &descriptor, err);
    if (code != NIP_OK)
        return code;
    code = write_descriptor(descriptor, path, data, size, mode, err);
    if (code == NIP_OK &&
        (is_exclusive ? rename_exclusive(temporary, path) : rename(temporary, path)) != 0)
        code = nip_error_set_errno(err, errno, "cannot put %s into place", path);
    if (code == NIP_OK)
        code = fs_sync_folder_of(path, err);
    else
        unlink(temporary);
    // Closed last: until then it is held, and nobody takes it for a dead process's.
    close(descriptor);
    free(temporary);
    return code;
}

enum nip_code nip_fs_write(const char *path, const void *data, size_t size, unsigned mode,
                           struct nip_error *err)
{
    return write_file(path, data, size, mode, false, err);
}

enum nip_code nip_fs_create(const char *path, const void *data, size_t size, unsigned mode,
                            struct nip_error *err)
{
    return write_file(path, data, size, mode, true, err);
}

// ---- folders ----

static enum nip_code make_one_folder(const char *path, bool *made, struct nip_error *err)
{
    *made = mkdir(path, 0777) == 0;
    if (*made)
        return fs_sync_folder_of(path, err);
    int reason = errno;
    if (nip_fs_kind(path) == NIP_FS_FOLDER)
        return NIP_OK;
    if (reason == EEXIST)
        return nip_error_set(err, NIP_ERROR_EXISTS, "%s is in the way: it is not a folder", path);
    return nip_error_set_errno(err, reason, "cannot make the folder %s", path);
}

enum nip_code nip_fs_make_folders(const char *path, bool *made, struct nip_error *err)
{
    bool ignored;
    if (made == NULL)
        made = &ignored;
    *made = false;
    if (path[0] == '\0')
        return NIP_OK;
    char *part = strdup(path);
    if (part == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = NIP_OK;
    size_t size = strlen(path);
    for (size_t i = 1; i <= size && code == NIP_OK; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        if (path[i - 1] == '/')
            continue;
        part[i] = '\0';
        code = make_one_folder(part, made, err);
        part[i] = path[i];
    }
    free(part);
    return code;
}

// Removes what is in the folder. `descriptor` is closed.
static enum nip_code remove_content(int descriptor, const char *path, unsigned depth,
                                    struct nip_error *err)
{
    DIR *stream = fdopendir(descriptor);
    if (stream == NULL) {
        close(descriptor);
        return nip_error_set_errno(err, errno, "cannot read the folder %s", path);
    }
    enum nip_code code = NIP_OK;
    for (struct dirent *item; code == NIP_OK && (item = readdir(stream)) != NULL;) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (unlinkat(descriptor, item->d_name, 0) == 0)
            continue;
        if (errno != EISDIR && errno != EPERM) {
            code = nip_error_set_errno(err, errno, "cannot remove %s/%s", path, item->d_name);
            break;
        }
        if (depth >= TREE_DEPTH_MAX) {
            code = nip_error_set(err, NIP_ERROR_LIMIT, "%s is nested too deep", path);
            break;
        }
        int child =
            openat(descriptor, item->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0) {
            code = nip_error_set_errno(err, errno, "cannot open %s/%s", path, item->d_name);
            break;
        }
        code = remove_content(child, path, depth + 1, err);
        if (code == NIP_OK && unlinkat(descriptor, item->d_name, AT_REMOVEDIR) != 0)
            code = nip_error_set_errno(err, errno, "cannot remove %s/%s", path, item->d_name);
    }
    closedir(stream);
    return code;
}

enum nip_code nip_fs_remove_tree(const char *path, struct nip_error *err)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return NIP_OK;
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0)
        return nip_error_set_errno(err, errno, "cannot remove %s", path);
    enum nip_code code = remove_content(descriptor, path, 0, err);
    if (code == NIP_OK && rmdir(path) != 0)
        code = nip_error_set_errno(err, errno, "cannot remove %s", path);
    return code;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(struct nip_fs_names *names, size_t *capacity, const char *name)
{
    if (names->count == *capacity) {
        size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
        char **grown = (char **)reallocarray((void *)names->names, wanted, sizeof *grown);
        if (grown == NULL)
            return false;
        names->names = grown;
        *capacity = wanted;
    }
    names->names[names->count] = strdup(name);
    if (names->names[names->count] == NULL)
        return false;
    names->count++;
    return true;
}

enum nip_code nip_fs_list(const char *path, struct nip_fs_names *names, struct nip_error *err)
{
    *names = (struct nip_fs_names){0};
    DIR *stream = opendir(path);
    if (stream == NULL)
        return nip_error_set_errno(err, errno, "cannot read the folder %s", path);
    enum nip_code code = NIP_OK;
    size_t capacity = 0;
    errno = 0;
    for (struct dirent *item; (item = readdir(stream)) != NULL; errno = 0) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (names->count >= NIP_FS_NAMES_MAX)
            code = nip_error_set(err, NIP_ERROR_LIMIT, "%s holds too many files", path);
        else if (!add_name(names, &capacity, item->d_name))
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to list %s", path);
        if (code != NIP_OK)
            break;
    }
    if (code == NIP_OK && errno != 0)
        code = nip_error_set_errno(err, errno, "cannot read the folder %s", path);
    closedir(stream);
    if (code != NIP_OK)
        nip_fs_names_free(names);
    else if (names->count > 1)
        qsort((void *)names->names, names->count, sizeof *names->names, compare_names);
    return code;
}

void nip_fs_names_free(struct nip_fs_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free((void *)names->names);
    *names = (struct nip_fs_names){0};
}

// ---- locks ----

enum nip_code nip_fs_lock(const char *path, unsigned wait_ms_max, struct nip_fs_lock *lock,
                          struct nip_error *err)
{
    *lock = NIP_FS_LOCK_NONE;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0)
        return nip_error_set_errno(err, errno, "cannot open the lock file %s", path);
    for (unsigned waited = 0;; waited += LOCK_POLL_MS) {
        if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
            lock->descriptor = descriptor;
            return NIP_OK;
        }
        int reason = errno;
        if (reason != EWOULDBLOCK && reason != EINTR) {
            close(descriptor);
            return nip_error_set_errno(err, reason, "cannot lock %s", path);
        }
        if (waited >= wait_ms_max)
            break;
        struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
        nanosleep(&pause, NULL);
    }
    close(descriptor);
    enum nip_code code = nip_error_set(err, NIP_ERROR_BUSY, "another process holds %s", path);
    nip_error_hint(err, "wait for it to finish, then run the same command again");
    return code;
}

void nip_fs_unlock(struct nip_fs_lock *lock)
{
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    *lock = NIP_FS_LOCK_NONE;
}
