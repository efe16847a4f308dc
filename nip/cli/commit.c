// SPDX-License-Identifier: Apache-2.0
//
// The pending changes of a project: writing them, reading them back, carrying them out.
//
//   nip-pending 1 LF   { NAME SPACE SIZE LF, SIZE bytes, LF }*   end LF BLAKE2b-256 of all before
//   LF
//
// NAME is seen from the home of the decisions (home.h): "nip.lock", "npl.kdl",
// "drivers/ring/npl.kdl". The file appears by a rename, so it is complete; the digest finds what a
// disk or an editor did.

#include "commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "home.h"
#include "members.h"
#include "nip/crypto.h"
#include "nip/fs.h"
#include "project.h"

static const char opening[] = "nip-pending 1\n", closing[] = "end\n";
enum { PENDING_SIZE_MAX = 16 << 20 };

// ---- which files ----

// Nothing else is ever written, whatever a pending file says: the decisions of the home, and what
// the projects there and in its workspace ask for.
static const char *const shared[] = {NIP_LOCK_FILE, NIP_TRUST_FILE}, *const own[] = {
                                                                         NIP_MANIFEST_FILE,
                                                                         NIP_IMAGEDEF_FILE};
enum { SHARED_COUNT = 2, OWN_COUNT = 2 };

struct names {
    char *items[SHARED_COUNT + OWN_COUNT * (1 + MEMBERS_MAX)];
    size_t count;
};

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names);
}

static bool add_name(struct names *names, const char *inside, const char *file)
{
    char *name = inside[0] != '\0' ? nip_fs_join(inside, file) : strdup(file);
    if (name != NULL)
        names->items[names->count++] = name;
    return name != NULL;
}

static enum nip_code list_names(const char *home, struct names **list, struct nip_error *err)
{
    struct members *members = NULL;
    struct names *names = *list = calloc(1, sizeof *names);
    bool is_complete = names != NULL;
    enum nip_code code = members_find(home, &members, err);
    for (size_t i = 0; is_complete && i < SHARED_COUNT; i++)
        is_complete = add_name(names, "", shared[i]);
    for (size_t i = 0; is_complete && i < OWN_COUNT; i++)
        is_complete = add_name(names, "", own[i]);
    for (size_t m = 0; is_complete && code == NIP_OK && m < members->count; m++) {
        const char *inside = members_inside(members, m);
        bool is_below = inside[0] != '/' && strcmp(inside, ".") != 0;
        for (size_t i = 0; is_complete && is_below && i < OWN_COUNT; i++)
            is_complete = add_name(names, inside, own[i]);
    }
    members_free(members);
    if (code == NIP_OK && !is_complete)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    return code;
}

// ---- writing ----

static enum nip_code remove_pending(const char *home, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    project_path(path, home, COMMIT_FILE);
    if (unlink(path) != 0 && errno != ENOENT)
        return nip_error_set_errno(err, errno, "cannot remove %s", path);
    return NIP_OK;
}

static bool is_same(const char *home, const struct commit_change *change)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer before = {0};
    struct nip_error cause = {0};
    project_path(path, home, change->file);
    bool same = nip_fs_kind(path) == NIP_FS_FILE &&
                nip_fs_read(path, PENDING_SIZE_MAX, &before, &cause) == NIP_OK &&
                nip_buffer_equals(&before, nip_buffer_text(&change->content), change->content.size);
    nip_buffer_free(&before);
    return same;
}

static enum nip_code apply(const char *home, const struct commit_change *changes, size_t count,
                           struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        char path[CLI_PATH_SIZE];
        project_path(path, home, changes[i].file);
        if (!is_same(home, &changes[i]))
            code = nip_fs_write(path, nip_buffer_text(&changes[i].content), changes[i].content.size,
                                0644, err);
    }
    return code;
}

static enum nip_code write_pending(const char *home, const struct commit_change *changes,
                                   size_t count, struct nip_error *err)
{
    struct nip_buffer text = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    char digest_text[NIP_DIGEST_TEXT_SIZE], path[CLI_PATH_SIZE];
    nip_buffer_append_text(&text, opening);
    for (size_t i = 0; i < count; i++) {
        nip_buffer_append_format(&text, "%s %zu\n", changes[i].file, changes[i].content.size);
        nip_buffer_append(&text, changes[i].content.data, changes[i].content.size);
        nip_buffer_append_byte(&text, '\n');
    }
    nip_buffer_append_text(&text, closing);
    nip_hash_bytes(nip_buffer_text(&text), text.size, digest);
    nip_digest_text(digest, digest_text);
    nip_buffer_append_format(&text, "%s\n", digest_text);
    enum nip_code code = nip_buffer_check(&text, COMMIT_FILE, err);
    project_path(path, home, COMMIT_FILE);
    if (code == NIP_OK)
        code = nip_fs_write(path, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

static enum nip_code commit_at(const char *home, const struct commit_change *changes, size_t count,
                               struct nip_error *err)
{
    size_t changed = 0;
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        code = nip_buffer_check(&changes[i].content, changes[i].file, err);
        changed += code == NIP_OK && !is_same(home, &changes[i]);
    }
    // A signal takes effect before or after; one file alone is replaced at once anyhow.
    cleanup_hold();
    if (code == NIP_OK && changed > 1)
        code = write_pending(home, changes, count, err);
    if (code == NIP_OK)
        code = apply(home, changes, count, err);
    if (code == NIP_OK && changed > 1)
        code = remove_pending(home, err);
    cleanup_release();
    return code;
}

enum nip_code commit_files(const struct commit_change *changes, size_t count, struct nip_error *err)
{
    char home[CLI_PATH_SIZE], inside[CLI_PATH_SIZE];
    char names[COMMIT_CHANGES_MAX][CLI_PATH_SIZE];
    struct commit_change seen[COMMIT_CHANGES_MAX];
    enum nip_code code = home_find(".", home, err);
    if (code == NIP_OK)
        code = home_inside(".", inside, err);
    if (code != NIP_OK)
        return code;
    // As the home sees them. The contents stay the caller's.
    for (size_t i = 0; i < count; i++) {
        bool is_shared = false;
        for (size_t k = 0; k < SHARED_COUNT; k++)
            is_shared = is_shared || strcmp(changes[i].file, shared[k]) == 0;
        project_path(names[i], is_shared || inside[0] == '\0' ? "." : inside, changes[i].file);
        seen[i] = changes[i];
        seen[i].file = names[i];
    }
    return commit_at(home, seen, count, err);
}

// ---- recovery ----

struct reader {
    const char *at, *end;
    const struct names *names;
};

static bool take(struct reader *reader, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, text, size) != 0)
        return false;
    reader->at += size;
    return true;
}

// NAME SPACE SIZE LF content LF
static bool take_change(struct reader *reader, struct commit_change *change)
{
    size_t size = 0, digits = 0;
    change->file = NULL;
    for (size_t i = 0; change->file == NULL && i < reader->names->count; i++)
        if (take(reader, reader->names->items[i]))
            change->file = reader->names->items[i];
    if (change->file == NULL || !take(reader, " "))
        return false;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && digits < 9;
         digits++)
        size = size * 10 + (size_t)(*reader->at++ - '0');
    if (digits == 0 || !take(reader, "\n") || (size_t)(reader->end - reader->at) < size)
        return false;
    nip_buffer_append(&change->content, reader->at, size);
    reader->at += size;
    return take(reader, "\n");
}

static bool read_changes(const struct nip_buffer *text, const struct names *names,
                         struct commit_change *changes, size_t *count)
{
    const char *start = nip_buffer_text(text);
    struct reader reader = {start, start + text->size, names};
    uint8_t digest[NIP_DIGEST_SIZE];
    char digest_text[NIP_DIGEST_TEXT_SIZE];
    if (!take(&reader, opening))
        return false;
    while (!take(&reader, closing)) {
        if (*count == COMMIT_CHANGES_MAX)
            return false;
        // Counted before it is read: the caller frees it even when it is read only in part.
        struct commit_change *change = &changes[(*count)++];
        if (!take_change(&reader, change))
            return false;
        for (size_t i = 0; i + 1 < *count; i++)
            if (changes[i].file == change->file)
                return false;
    }
    nip_hash_bytes(start, (size_t)(reader.at - start), digest);
    nip_digest_text(digest, digest_text);
    return take(&reader, digest_text) && take(&reader, "\n") && reader.at == reader.end;
}

// What somebody else has put there decides nothing in this user's name.
static enum nip_code check_owner(const char *path, struct nip_error *err)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return nip_error_set_errno(err, errno, "cannot look at %s", path);
    bool is_file = S_ISREG(status.st_mode) != 0;
    if (is_file && (status.st_uid == geteuid() || status.st_uid == 0))
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_UNTRUSTED,
                  is_file
                      ? "%s, the changes that an interrupted nip left behind, belongs to another "
                        "user"
                      : "%s is no file that nip has written",
                  path);
    nip_error_hint(err, "look at it, compare %s with version control, then delete it",
                   NIP_LOCK_FILE);
    return NIP_ERROR_UNTRUSTED;
}

static enum nip_code recover_locked(const char *home, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    struct names *names = NULL;
    struct commit_change changes[COMMIT_CHANGES_MAX] = {{0}};
    size_t count = 0;
    project_path(path, home, COMMIT_FILE);
    // Another nip may have completed it while this one waited.
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        return NIP_OK;
    enum nip_code code = check_owner(path, err);
    if (code == NIP_OK)
        code = list_names(home, &names, err);
    if (code == NIP_OK)
        code = nip_fs_read(path, PENDING_SIZE_MAX, &text, err);
    if (code == NIP_OK && !read_changes(&text, names, changes, &count)) {
        code =
            nip_error_set(err, NIP_ERROR_FORMAT,
                          "%s, the changes that an interrupted nip left behind, is damaged", path);
        nip_error_hint(err, "compare %s, %s and %s with version control, then delete %s",
                       NIP_IMAGEDEF_FILE, NIP_LOCK_FILE, NIP_TRUST_FILE, path);
    }
    cleanup_hold();
    if (code == NIP_OK)
        code = apply(home, changes, count, err);
    if (code == NIP_OK)
        code = remove_pending(home, err);
    cleanup_release();
    for (size_t i = 0; i < count; i++)
        nip_buffer_free(&changes[i].content);
    if (names != NULL)
        free_names(names);
    nip_buffer_free(&text);
    return code;
}

enum nip_code commit_recover(struct nip_error *err)
{
    char home[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    // What is wrong with the workspace is said by the command that needs it.
    if (home_find(".", home, &cause) != NIP_OK)
        snprintf(home, sizeof home, ".");
    project_path(path, home, COMMIT_FILE);
    if (nip_fs_kind(path) == NIP_FS_NOTHING)
        return NIP_OK;
    struct project_lock lock = PROJECT_LOCK_NONE;
    enum nip_code code = project_lock(&lock, err);
    if (code == NIP_OK)
        code = recover_locked(home, err);
    project_unlock(&lock);
    return code;
}
