// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing the files of a project.

#include "project.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "cli.h"
#include "home.h"
#include "mode.h"
#include "nip/fs.h"

void project_path(char *out, const char *folder, const char *name)
{
    int length = strcmp(folder, ".") == 0 ? snprintf(out, CLI_PATH_SIZE, "%s", name)
                                          : snprintf(out, CLI_PATH_SIZE, "%s/%s", folder, name);
    // A path that is cut names nothing: the file system will say so.
    if (length < 0 || length >= CLI_PATH_SIZE)
        out[0] = '\0';
}

enum project_kind project_kind(const char *folder)
{
    char path[CLI_PATH_SIZE];
    project_path(path, folder, NIP_MANIFEST_FILE);
    if (nip_fs_kind(path) == NIP_FS_FILE)
        return PROJECT_PACKAGE;
    project_path(path, folder, NIP_IMAGEDEF_FILE);
    return nip_fs_kind(path) == NIP_FS_FILE ? PROJECT_IMAGE : PROJECT_NONE;
}

// The nearest folder above this one that is a project of this kind (NONE: of any).
static bool find_above(enum project_kind kind, char above[CLI_PATH_SIZE])
{
    enum { LEVELS_MAX = 16 };
    static const char up[] = "../../../../../../../../../../../../../../../..";
    for (int level = 1; level <= LEVELS_MAX; level++) {
        snprintf(above, CLI_PATH_SIZE, "%.*s", 3 * level - 1, up);
        enum project_kind found = project_kind(above);
        if (found != PROJECT_NONE && (kind == PROJECT_NONE || found == kind))
            return true;
    }
    return false;
}

enum nip_code project_require(enum project_kind kind, struct nip_error *err)
{
    enum project_kind found = project_kind(".");
    if (found == kind ? kind != PROJECT_NONE : kind == PROJECT_NONE)
        return NIP_OK;
    bool wants_image = kind == PROJECT_IMAGE;
    char above[CLI_PATH_SIZE];
    if (found == PROJECT_NONE) {
        if (kind == PROJECT_NONE)
            nip_error_set(err, NIP_ERROR_MISSING, "there is neither %s nor %s in this folder",
                          NIP_MANIFEST_FILE, NIP_IMAGEDEF_FILE);
        else
            nip_error_set(err, NIP_ERROR_MISSING, "there is no %s in this folder",
                          wants_image ? NIP_IMAGEDEF_FILE : NIP_MANIFEST_FILE);
        if (find_above(kind, above))
            nip_error_hint(err, "a project is in %s: go there, or nip -C %s COMMAND", above, above);
        else if (kind == PROJECT_NONE)
            nip_error_hint(err, "go to the folder of a project, or make one: nip new hello, nip "
                                "new --image box");
        else
            nip_error_hint(
                err, wants_image ? "go to the folder of an image, or make one: nip new --image box"
                                 : "go to the folder of a driver, or make one: nip new hello");
    } else {
        nip_error_set(err, NIP_ERROR_MISSING, "this folder is %s; the command is for %s",
                      wants_image ? "a driver project" : "an image project",
                      wants_image ? "image projects" : "driver projects");
        nip_error_hint(err, wants_image ? "make an image: nip new --image box"
                                        : "make a driver: nip new hello");
    }
    return NIP_ERROR_MISSING;
}

enum nip_code project_read_manifest(const char *folder, struct nip_manifest *manifest,
                                    struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    project_path(path, folder, NIP_MANIFEST_FILE);
    enum nip_code code = nip_fs_read(path, NIP_MANIFEST_SIZE_MAX, &text, err);
    if (code == NIP_ERROR_MISSING)
        nip_error_hint(err, "a driver project has a file %s; 'nip new NAME' makes one",
                       NIP_MANIFEST_FILE);
    if (code == NIP_OK)
        code = nip_manifest_parse(nip_buffer_text(&text), text.size, path, manifest, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code project_read_image(const char *folder, struct nip_imagedef **imagedef,
                                 struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    *imagedef = NULL;
    project_path(path, folder, NIP_IMAGEDEF_FILE);
    enum nip_code code = nip_fs_read(path, NIP_KDL_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_imagedef_parse(nip_buffer_text(&text), text.size, path, imagedef, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code project_read_trust(const char *folder, struct nip_trust *trust,
                                 struct nip_buffer *text, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer own = {0};
    struct nip_buffer *to = text != NULL ? text : &own;
    enum nip_code code = home_path(folder, NIP_TRUST_FILE, path, err);
    if (code == NIP_OK && nip_fs_kind(path) != NIP_FS_NOTHING)
        code = nip_fs_read(path, NIP_TRUST_SIZE_MAX, to, err);
    if (code == NIP_OK)
        code = nip_trust_parse(nip_buffer_text(to), to->size, path, trust, err);
    nip_buffer_free(&own);
    return code;
}

enum nip_code project_read_lock(const char *folder, struct nip_lock **lock, bool *found,
                                struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    *lock = NULL;
    enum nip_code code = home_path(folder, NIP_LOCK_FILE, path, err);
    if (code != NIP_OK)
        return code;
    *lock = calloc(1, sizeof **lock);
    if (*lock == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the lock file");
    bool exists = nip_fs_kind(path) != NIP_FS_NOTHING;
    if (found != NULL)
        *found = exists;
    if (!exists)
        return NIP_OK;
    code = nip_fs_read(path, NIP_LOCK_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_lock_parse(nip_buffer_text(&text), text.size, path, *lock, err);
    nip_buffer_free(&text);
    if (code != NIP_OK) {
        free(*lock);
        *lock = NULL;
    }
    return code;
}

// Whether the lock file says exactly this already.
static bool is_lock_same(const char *path, const struct nip_buffer *text)
{
    struct nip_buffer before = {0};
    struct nip_error cause = {0};
    bool same = nip_fs_kind(path) == NIP_FS_FILE &&
                nip_fs_read(path, NIP_LOCK_SIZE_MAX, &before, &cause) == NIP_OK &&
                nip_buffer_equals(&before, text->data, text->size);
    nip_buffer_free(&before);
    return same;
}

static enum nip_code print_lock(const char *folder, const struct nip_lock *lock, char *path,
                                struct nip_buffer *text, bool *same, struct nip_error *err)
{
    enum nip_code code = home_path(folder, NIP_LOCK_FILE, path, err);
    nip_lock_print(lock, text);
    if (code == NIP_OK)
        code = nip_buffer_check(text, "the lock file", err);
    if (code != NIP_OK)
        return code;
    *same = is_lock_same(path, text);
    if (*same || !mode_is_locked())
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_MISMATCH, "%s %s, and --locked forbids it", path,
                  nip_fs_kind(path) == NIP_FS_FILE ? "would have to change"
                                                   : "would have to be made");
    nip_error_hint(err, "run the command without --locked (or --frozen), look at the change, and "
                        "commit it");
    return NIP_ERROR_MISMATCH;
}

enum nip_code project_check_lock(const char *folder, const struct nip_lock *lock,
                                 struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    bool same = false;
    enum nip_code code = print_lock(folder, lock, path, &text, &same, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code project_write_lock(const char *folder, const struct nip_lock *lock,
                                 struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    bool same = false;
    enum nip_code code = print_lock(folder, lock, path, &text, &same, err);
    if (code == NIP_OK && !same)
        code = project_write_file(path, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

// The locks that this process holds, by the absolute path of the home. Local work that is built for
// the sake of a member of its workspace needs the same one again.
static struct held_lock {
    char home[CLI_PATH_SIZE];
    struct nip_fs_lock lock;
    unsigned holders;
} held_locks[PROJECT_LOCKS_MAX];

static enum nip_code take_lock(const char *home, const char *real, struct project_lock *lock,
                               struct nip_error *err)
{
    enum { WAIT_MS = 30000 };
    char path[CLI_PATH_SIZE];
    struct held_lock *held = NULL;
    for (size_t i = 0; i < PROJECT_LOCKS_MAX; i++) {
        bool is_it = held_locks[i].holders != 0 && strcmp(held_locks[i].home, real) == 0;
        if (is_it || (held_locks[i].holders == 0 && held == NULL))
            held = &held_locks[i];
        if (is_it)
            break;
    }
    if (held == NULL)
        return nip_error_set(err, NIP_ERROR_LIMIT, "local libraries are nested more than %d deep",
                             PROJECT_LOCKS_MAX);
    enum nip_code code = NIP_OK;
    if (held->holders == 0) {
        snprintf(held->home, sizeof held->home, "%s", real);
        project_path(path, home, "build");
        code = nip_fs_make_folders(path, NULL, err);
        project_path(path, home, "build/project.lock");
        if (code == NIP_OK)
            code = nip_fs_lock(path, WAIT_MS, &held->lock, err);
    }
    if (code == NIP_OK) {
        held->holders++;
        lock->held = held;
    }
    return code;
}

enum nip_code project_lock_in(const char *folder, struct project_lock *lock, struct nip_error *err)
{
    char home[CLI_PATH_SIZE];
    lock->held = NULL;
    enum nip_code code = home_find(folder, home, err);
    if (code != NIP_OK)
        return code;
    char *real = realpath(home, NULL);
    code = real != NULL && strlen(real) < CLI_PATH_SIZE
               ? take_lock(home, real, lock, err)
               : nip_error_set_errno(err, errno, "cannot find the project in %s", home);
    free(real);
    return code;
}

enum nip_code project_lock(struct project_lock *lock, struct nip_error *err)
{
    return project_lock_in(".", lock, err);
}

void project_unlock(struct project_lock *lock)
{
    if (lock->held != NULL && --lock->held->holders == 0)
        nip_fs_unlock(&lock->held->lock);
    lock->held = NULL;
}

enum nip_code project_write_file(const char *path, const void *data, size_t size, unsigned mode,
                                 struct nip_error *err)
{
    char folder[CLI_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    enum nip_code code = NIP_OK;
    // The folder too: it may lie in a temporary one that a signal removes.
    cleanup_hold();
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        code = nip_fs_make_folders(folder, NULL, err);
    }
    if (code == NIP_OK)
        code = nip_fs_write(path, data, size, mode, err);
    cleanup_release();
    return code;
}

const char *project_short_name(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash != NULL ? slash + 1 : name;
}

enum nip_code project_date(char *out, struct nip_error *err)
{
    memcpy(out, "1980-01-01T00:00:00Z", 21);
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch == NULL || epoch[0] == '\0')
        return NIP_OK;
    char *end = NULL;
    errno = 0;
    long long seconds = strtoll(epoch, &end, 10);
    time_t moment = (time_t)seconds;
    struct tm utc;
    if (errno != 0 || *end != '\0' || seconds < 0 || seconds > 253402300799ll ||
        gmtime_r(&moment, &utc) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
        nip_error_set(err, NIP_ERROR_USAGE, "SOURCE_DATE_EPOCH is '%s'", epoch);
        nip_error_hint(err, "it must be the number of seconds since 1970, or not be set");
        return NIP_ERROR_USAGE;
    }
    return NIP_OK;
}
