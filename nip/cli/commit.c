// SPDX-License-Identifier: Apache-2.0
//
// The pending changes of a project: writing them, reading them back, carrying them out.
//
//   nip-pending 1 LF   { NAME SPACE SIZE LF, SIZE bytes, LF }*   end LF BLAKE2b-256 of all before
//   LF
//
// The file appears by a rename, so it is complete; the digest finds what a disk or an editor did.

#include "commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "nip/crypto.h"
#include "nip/fs.h"
#include "project.h"

static const char opening[] = "nip-pending 1\n", closing[] = "end\n";
enum { PENDING_SIZE_MAX = 16 << 20 };

// Nothing else is ever written, whatever a pending file says.
static const char *const names[] = {NIP_IMAGEDEF_FILE, NIP_LOCK_FILE, NIP_MANIFEST_FILE,
                                    NIP_TRUST_FILE};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static enum nip_code remove_pending(struct nip_error *err)
{
    if (unlink(COMMIT_FILE) != 0 && errno != ENOENT)
        return nip_error_set_errno(err, errno, "cannot remove %s", COMMIT_FILE);
    return NIP_OK;
}

static bool is_same(const struct commit_change *change)
{
    struct nip_buffer before = {0};
    struct nip_error cause = {0};
    bool same = nip_fs_kind(change->file) == NIP_FS_FILE &&
                nip_fs_read(change->file, PENDING_SIZE_MAX, &before, &cause) == NIP_OK &&
                nip_buffer_equals(&before, nip_buffer_text(&change->content), change->content.size);
    nip_buffer_free(&before);
    return same;
}

static enum nip_code apply(const struct commit_change *changes, size_t count, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++)
        if (!is_same(&changes[i]))
            code = nip_fs_write(changes[i].file, nip_buffer_text(&changes[i].content),
                                changes[i].content.size, 0644, err);
    return code;
}

static enum nip_code write_pending(const struct commit_change *changes, size_t count,
                                   struct nip_error *err)
{
    struct nip_buffer text = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    char digest_text[NIP_DIGEST_TEXT_SIZE];
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
    if (code == NIP_OK)
        code = nip_fs_write(COMMIT_FILE, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code commit_files(const struct commit_change *changes, size_t count, struct nip_error *err)
{
    size_t changed = 0;
    enum nip_code code = NIP_OK;
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        code = nip_buffer_check(&changes[i].content, changes[i].file, err);
        changed += code == NIP_OK && !is_same(&changes[i]);
    }
    // A signal takes effect before or after; one file alone is replaced at once anyhow.
    cleanup_hold();
    if (code == NIP_OK && changed > 1)
        code = write_pending(changes, count, err);
    if (code == NIP_OK)
        code = apply(changes, count, err);
    if (code == NIP_OK && changed > 1)
        code = remove_pending(err);
    cleanup_release();
    return code;
}

// ---- recovery ----

struct reader {
    const char *at, *end;
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
    for (size_t i = 0; change->file == NULL && i < NAME_COUNT; i++)
        if (take(reader, names[i]))
            change->file = names[i];
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

static bool read_changes(const struct nip_buffer *text, struct commit_change *changes,
                         size_t *count)
{
    const char *start = nip_buffer_text(text);
    struct reader reader = {start, start + text->size};
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
    }
    nip_hash_bytes(start, (size_t)(reader.at - start), digest);
    nip_digest_text(digest, digest_text);
    return take(&reader, digest_text) && take(&reader, "\n") && reader.at == reader.end;
}

static enum nip_code recover_locked(struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct commit_change changes[COMMIT_CHANGES_MAX] = {{0}};
    size_t count = 0;
    // Another nip may have completed it while this one waited.
    if (nip_fs_kind(COMMIT_FILE) == NIP_FS_NOTHING)
        return NIP_OK;
    enum nip_code code = nip_fs_read(COMMIT_FILE, PENDING_SIZE_MAX, &text, err);
    if (code == NIP_OK && !read_changes(&text, changes, &count)) {
        code = nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s, the changes that an interrupted nip left behind, is damaged",
                             COMMIT_FILE);
        nip_error_hint(err, "compare %s, %s and %s with version control, then delete %s",
                       NIP_IMAGEDEF_FILE, NIP_LOCK_FILE, NIP_TRUST_FILE, COMMIT_FILE);
    }
    cleanup_hold();
    if (code == NIP_OK)
        code = apply(changes, count, err);
    if (code == NIP_OK)
        code = remove_pending(err);
    cleanup_release();
    for (size_t i = 0; i < count; i++)
        nip_buffer_free(&changes[i].content);
    nip_buffer_free(&text);
    return code;
}

enum nip_code commit_recover(struct nip_error *err)
{
    if (nip_fs_kind(COMMIT_FILE) == NIP_FS_NOTHING)
        return NIP_OK;
    struct nip_fs_lock lock = NIP_FS_LOCK_NONE;
    enum nip_code code = project_lock(&lock, err);
    if (code == NIP_OK)
        code = recover_locked(err);
    nip_fs_unlock(&lock);
    return code;
}
