// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing the list of withdrawn versions. What is accepted prints to the same bytes.

#include "nip/yanked.h"

#include <stdlib.h>
#include <string.h>

#include "nip/escape.h"

static const char first_line[] = "rumpk-yanked 1\n";

static bool reason_is_valid(const char *text, size_t size)
{
    if (size >= NIP_YANKED_REASON_SIZE || (size != 0 && text[0] == ' '))
        return false;
    for (size_t at = 0; at < size;) {
        uint32_t code_point = 0;
        size_t step = nip_utf8_decode(text + at, size - at, &code_point);
        if (step == 0 || !nip_escape_is_plain(code_point))
            return false;
        at += step;
    }
    return true;
}

// Where a version stands, or would stand.
static size_t place_of(const struct nip_yanked *yanked, const struct nip_version *version)
{
    size_t at = 0;
    for (; at < yanked->count; at++) {
        struct nip_version other;
        const char *text = yanked->entries[at].version;
        if (nip_version_parse(text, strlen(text), &other) &&
            nip_version_compare(&other, version) >= 0)
            break;
    }
    return at;
}

static enum nip_code insert(struct nip_yanked *yanked, size_t at, const char *version,
                            struct nip_error *err)
{
    if (yanked->count == NIP_YANKED_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d yanked versions", NIP_YANKED_MAX);
    void *grown = reallocarray(yanked->entries, yanked->count + 1, sizeof *yanked->entries);
    if (grown == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for yanked versions");
    yanked->entries = grown;
    memmove(&yanked->entries[at + 1], &yanked->entries[at],
            (yanked->count - at) * sizeof *yanked->entries);
    yanked->count++;
    memset(&yanked->entries[at], 0, sizeof yanked->entries[at]);
    memcpy(yanked->entries[at].version, version, strlen(version));
    return NIP_OK;
}

static enum nip_code put(struct nip_yanked *yanked, const char *version, const char *reason,
                         size_t reason_size, struct nip_error *err)
{
    struct nip_version parsed;
    enum nip_code code = nip_version_check(version, &parsed, err);
    if (code == NIP_OK && !reason_is_valid(reason, reason_size)) {
        code = nip_error_set(err, NIP_ERROR_SCHEMA, "this cannot be a reason");
        nip_error_hint(err, "one line of at most %d bytes that does not begin with a space",
                       NIP_YANKED_REASON_SIZE - 1);
    }
    if (code != NIP_OK)
        return code;
    size_t at = place_of(yanked, &parsed);
    if (at == yanked->count || strcmp(yanked->entries[at].version, version) != 0)
        code = insert(yanked, at, version, err);
    if (code != NIP_OK || at >= yanked->count)
        return code;
    memset(yanked->entries[at].reason, 0, sizeof yanked->entries[at].reason);
    memcpy(yanked->entries[at].reason, reason, reason_size);
    return NIP_OK;
}

enum nip_code nip_yanked_put(struct nip_yanked *yanked, const char *version, const char *reason,
                             struct nip_error *err)
{
    return put(yanked, version, reason, strlen(reason), err);
}

void nip_yanked_remove(struct nip_yanked *yanked, const char *version)
{
    for (size_t i = 0; i < yanked->count; i++)
        if (strcmp(yanked->entries[i].version, version) == 0) {
            yanked->count--;
            memmove(&yanked->entries[i], &yanked->entries[i + 1],
                    (yanked->count - i) * sizeof *yanked->entries);
            return;
        }
}

const struct nip_yanked_entry *nip_yanked_find(const struct nip_yanked *yanked, const char *version)
{
    for (size_t i = 0; i < yanked->count; i++)
        if (strcmp(yanked->entries[i].version, version) == 0)
            return &yanked->entries[i];
    return NULL;
}

void nip_yanked_print(const struct nip_yanked *yanked, struct nip_buffer *out)
{
    nip_buffer_append_text(out, first_line);
    for (size_t i = 0; i < yanked->count; i++)
        nip_buffer_append_format(out, "%s%s%s\n", yanked->entries[i].version,
                                 yanked->entries[i].reason[0] != '\0' ? " " : "",
                                 yanked->entries[i].reason);
}

void nip_yanked_free(struct nip_yanked *yanked)
{
    free(yanked->entries);
    *yanked = (struct nip_yanked){0};
}

// One line without its end.
static enum nip_code read_line(const char *line, size_t size, struct nip_yanked *yanked,
                               struct nip_error *err)
{
    char version[NIP_VERSION_MAX + 1];
    const char *space = memchr(line, ' ', size);
    size_t version_size = space != NULL ? (size_t)(space - line) : size;
    if (version_size > NIP_VERSION_MAX || memchr(line, '\0', size) != NULL ||
        (space != NULL && version_size + 1 == size))
        return nip_error_set(err, NIP_ERROR_SYNTAX, "expected: VERSION, or VERSION and a reason");
    memcpy(version, line, version_size);
    version[version_size] = '\0';
    struct nip_version parsed, last;
    enum nip_code code = nip_version_check(version, &parsed, err);
    if (code == NIP_OK && yanked->count != 0) {
        const char *before = yanked->entries[yanked->count - 1].version;
        if (nip_version_parse(before, strlen(before), &last) &&
            nip_version_compare(&last, &parsed) >= 0)
            code = nip_error_set(err, NIP_ERROR_SYNTAX, "the versions are not in order, each once");
    }
    if (code != NIP_OK)
        return code;
    const char *reason = space != NULL ? space + 1 : "";
    return put(yanked, version, reason, space != NULL ? size - version_size - 1 : 0, err);
}

enum nip_code nip_yanked_parse(const char *text, size_t size, const char *file,
                               struct nip_yanked *yanked, struct nip_error *err)
{
    struct nip_yanked made = {0};
    enum nip_code code = NIP_OK;
    size_t at = sizeof first_line - 1;
    uint32_t line = 1;
    if (size > NIP_YANKED_SIZE_MAX)
        code = nip_error_set(err, NIP_ERROR_LIMIT, "the list of yanked versions is too long");
    else if (size < at || memcmp(text, first_line, at) != 0)
        code = nip_error_set(err, NIP_ERROR_UNSUPPORTED, "it does not begin with 'rumpk-yanked 1'");
    while (code == NIP_OK && at < size) {
        const char *end = memchr(text + at, '\n', size - at);
        line++;
        if (end == NULL) {
            code = nip_error_set(err, NIP_ERROR_TRUNCATED, "the last line has no end");
            break;
        }
        code = read_line(text + at, (size_t)(end - (text + at)), &made, err);
        at = (size_t)(end - text) + 1;
    }
    *yanked = (struct nip_yanked){0};
    if (code != NIP_OK) {
        nip_error_at(err, file, line, 0);
        nip_yanked_free(&made);
        return code;
    }
    *yanked = made;
    return NIP_OK;
}
