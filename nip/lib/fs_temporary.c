// SPDX-License-Identifier: Apache-2.0
//
// Temporary files and folders: made, put into place, and swept up after a process that died.
//
//   .NAME.nip-XXXXXX     beside NAME; held with flock() by the process that works on it
//
// A process that is killed cannot clean up, but its locks end with it. So whoever makes the next
// temporary in a folder removes those that nobody holds. A lock, unlike a process id in the name,
// also works across containers and restarts.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs_parts.h"

enum { ATTEMPTS_MAX = 16, RANDOM_SIZE = 6 };
static const char mark[] = ".nip-";
// What mkstemp() and mkdtemp() make a name from.
static const char placeholder[] = {'X', 'X', 'X', 'X', 'X', 'X', '\0'};

// "folder/.name.nip-XXXXXX" for "folder/name"; NULL without memory.
static char *temporary_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder_size = slash == NULL ? 0 : (int)(slash + 1 - path);
    char *name = NULL;
    int count = asprintf(&name, "%.*s.%.100s%s%s", folder_size, path, path + folder_size, mark,
                         placeholder);
    return count < 0 ? NULL : name;
}

static bool is_temporary_name(const char *name)
{
    size_t size = strlen(name), tail = sizeof mark - 1 + RANDOM_SIZE;
    return name[0] == '.' && size > tail + 1 &&
           strncmp(name + size - tail, mark, sizeof mark - 1) == 0;
}

// The folder that `path` lies in; malloc'ed, NULL without memory.
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

enum nip_code fs_sync_folder_of(const char *path, struct nip_error *err)
{
    char *folder = folder_of(path);
    if (folder == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to write %s", path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum nip_code code = NIP_OK;
    if (descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL))
        code = nip_error_set_errno(err, errno, "cannot sync the folder of %s", path);
    if (descriptor >= 0)
        close(descriptor);
    free(folder);
    return code;
}

// ---- sweeping ----

// Removes one temporary, if nobody holds it and the name still means what was opened.
static void sweep_one(int folder, const char *name)
{
    struct stat opened, named;
    int descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &opened) == 0 &&
        fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && opened.st_ino == named.st_ino &&
        opened.st_dev == named.st_dev) {
        char path[64];
        if (S_ISREG(opened.st_mode)) {
            unlinkat(folder, name, 0);
        } else if (S_ISDIR(opened.st_mode)) {
            // By way of the descriptor: what is removed is what was locked.
            snprintf(path, sizeof path, "/proc/self/fd/%d/%s", folder, name);
            enum nip_code ignored = nip_fs_remove_tree(path, NULL);
            (void)ignored; // the next process will try again
        }
    }
    close(descriptor);
}

void nip_fs_sweep(const char *folder)
{
    DIR *stream = opendir(folder);
    if (stream == NULL)
        return;
    int descriptor = dirfd(stream);
    for (struct dirent *item; descriptor >= 0 && (item = readdir(stream)) != NULL;)
        if (is_temporary_name(item->d_name))
            sweep_one(descriptor, item->d_name);
    closedir(stream);
}

static void sweep_beside(const char *path)
{
    char *folder = folder_of(path);
    if (folder != NULL)
        nip_fs_sweep(folder);
    free(folder);
}

// ---- making ----

// Holds what was just made. False if a sweeper was faster: then it is gone, or will be.
static bool hold(int descriptor)
{
    struct stat info;
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return errno != EWOULDBLOCK; // a file system without locks: nobody sweeps there either
    return fstat(descriptor, &info) == 0 && info.st_nlink != 0;
}

enum nip_code fs_make_temporary_file(const char *path, char **name, int *descriptor,
                                     struct nip_error *err)
{
    *name = NULL;
    *descriptor = -1;
    sweep_beside(path);
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        char *made = temporary_name(path);
        if (made == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to write %s", path);
        int file = mkostemp(made, O_CLOEXEC);
        if (file < 0) {
            free(made);
            return nip_error_set_errno(err, errno, "cannot make a file beside %s", path);
        }
        if (hold(file)) {
            *name = made;
            *descriptor = file;
            return NIP_OK;
        }
        close(file);
        free(made);
    }
    return nip_error_set(err, NIP_ERROR_BUSY, "cannot keep a file beside %s", path);
}

enum nip_code nip_fs_make_temporary_folder(const char *path, struct nip_buffer *out,
                                           struct nip_fs_lock *lock, struct nip_error *err)
{
    *lock = NIP_FS_LOCK_NONE;
    sweep_beside(path);
    for (int i = 0; i < ATTEMPTS_MAX; i++) {
        char *made = temporary_name(path);
        if (made == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
        if (mkdtemp(made) == NULL) {
            free(made);
            return nip_error_set_errno(err, errno, "cannot make a folder beside %s", path);
        }
        int descriptor = open(made, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (descriptor >= 0 && hold(descriptor)) {
            lock->descriptor = descriptor;
            nip_buffer_append_text(out, made);
            enum nip_code code = nip_buffer_check(out, "a path", err);
            if (code != NIP_OK) {
                rmdir(made);
                nip_fs_unlock(lock);
            }
            free(made);
            return code;
        }
        if (descriptor >= 0)
            close(descriptor);
        free(made);
    }
    return nip_error_set(err, NIP_ERROR_BUSY, "cannot keep a folder beside %s", path);
}

// ---- putting into place ----

enum nip_code nip_fs_publish_folder(const char *from, const char *path, struct nip_error *err)
{
    if (chmod(from, 0755) != 0)
        return nip_error_set_errno(err, errno, "cannot change the mode of %s", from);
    int result = renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE);
    if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {
        // Without that call: rename() of a folder replaces only an empty folder, and none is there.
        if (nip_fs_kind(path) == NIP_FS_NOTHING)
            result = rename(from, path);
        else
            errno = EEXIST;
    }
    if (result != 0)
        return nip_error_set_errno(err, errno, "cannot put the folder %s into place", path);
    return fs_sync_folder_of(path, err);
}

enum nip_code nip_fs_replace_folder(const char *from, const char *path, struct nip_error *err)
{
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        return nip_fs_publish_folder(from, path, err);
    if (chmod(from, 0755) != 0)
        return nip_error_set_errno(err, errno, "cannot change the mode of %s", from);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        enum nip_code code = fs_sync_folder_of(path, err);
        return code == NIP_OK ? nip_fs_remove_tree(from, err) : code;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return nip_error_set_errno(err, errno, "cannot put the folder %s into place", path);
    // Without that call there is a moment in which nothing has the name; never a mixture.
    struct nip_buffer old = {0};
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    enum nip_code code = nip_fs_make_temporary_folder(path, &old, &lock, err);
    if (code == NIP_OK && rename(path, nip_buffer_text(&old)) != 0)
        code = nip_error_set_errno(err, errno, "cannot move the folder %s away", path);
    if (code == NIP_OK)
        code = nip_fs_publish_folder(from, path, err);
    if (code == NIP_OK)
        code = nip_fs_remove_tree(nip_buffer_text(&old), err);
    nip_fs_unlock(&lock);
    nip_buffer_free(&old);
    return code;
}
