// SPDX-License-Identifier: Apache-2.0
//
// Making and printing `digests`: words and numbers, adding files in order, the one spelling,
// look-ups.

#include <rumpk/base.h>
#include <stdlib.h>
#include <string.h>

#include "digests_parts.h"
#include "nip/digests.h"

static const char *const kind_texts[NIP_KIND_COUNT] = {
#define KIND_TEXT(name, text) text,
    NIP_KINDS(KIND_TEXT)
#undef KIND_TEXT
};

static const struct {
    const char *text;
    uint32_t number;
} arch_table[NIP_ARCH_COUNT] = {
#define ARCH_ENTRY(name, text, number) {text, number},
    NIP_ARCHS(ARCH_ENTRY)
#undef ARCH_ENTRY
};

const char *nip_kind_text(enum nip_kind kind)
{
    return (unsigned)kind < NIP_KIND_COUNT ? kind_texts[kind] : "unknown";
}

bool nip_kind_from_text(const char *text, size_t size, enum nip_kind *kind)
{
    for (unsigned i = 0; i < NIP_KIND_COUNT; i++) {
        if (digests_text_equals(text, size, kind_texts[i])) {
            *kind = (enum nip_kind)i;
            return true;
        }
    }
    return false;
}

const char *nip_arch_text(enum nip_arch arch)
{
    return (unsigned)arch < NIP_ARCH_COUNT ? arch_table[arch].text : "unknown";
}

bool nip_arch_from_text(const char *text, size_t size, enum nip_arch *arch)
{
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (digests_text_equals(text, size, arch_table[i].text)) {
            *arch = (enum nip_arch)i;
            return true;
        }
    }
    return false;
}

uint32_t nip_arch_number(enum nip_arch arch)
{
    return (unsigned)arch < NIP_ARCH_COUNT ? arch_table[arch].number : 0;
}

bool nip_arch_from_number(uint32_t number, enum nip_arch *arch)
{
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (arch_table[i].number == number) {
            *arch = (enum nip_arch)i;
            return true;
        }
    }
    return false;
}

bool digests_text_equals(const char *text, size_t size, const char *expected)
{
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

enum nip_code digests_append_file(struct nip_digests_file **files, size_t *count,
                                  const struct nip_digests_file *file, struct nip_error *err)
{
    // Grows by doubling: full exactly when the count is a power of two (or nothing is there yet).
    if (*files == NULL || (*count & (*count - 1)) == 0) {
        size_t capacity = *count == 0 ? 1 : *count * 2;
        struct nip_digests_file *grown = reallocarray(*files, capacity, sizeof *grown);
        if (grown == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for digests");
        *files = grown;
    }
    (*files)[(*count)++] = *file;
    return NIP_OK;
}

// Can all these paths stand in one folder?
const char *digests_find_collision(const struct nip_digests *digests, const char *path)
{
    for (size_t i = 0; i < digests->file_count; i++) {
        if (nip_paths_collide(digests->files[i].path, path))
            return digests->files[i].path;
    }
    for (size_t i = 0; i < digests->beside_count; i++) {
        if (nip_paths_collide(digests->besides[i].path, path))
            return digests->besides[i].path;
    }
    if (nip_paths_collide("digests", path))
        return "digests";
    return nip_paths_collide("digests.minisig", path) ? "digests.minisig" : NULL;
}

static void print_file(const char *word, const struct nip_digests_file *file,
                       struct nip_buffer *out)
{
    char digest[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(file->digest, digest);
    nip_buffer_append_format(out, "%s %s %llu %s\n", word, digest, (unsigned long long)file->size,
                             file->path);
}

void digests_print_text(const struct nip_digests *digests, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%s\nkind %s\nname %s\nversion %s\n", NIP_DIGESTS_FORMAT,
                             nip_kind_text(digests->kind), digests->name, digests->version);
    nip_buffer_append_format(out, "security-version %u\nabi %u\narch", digests->security_version,
                             digests->abi);
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (digests->archs[i])
            nip_buffer_append_format(out, " %s", arch_table[i].text);
    }
    nip_buffer_append_format(out, "\ntoolchain %s\nsource %s\n", digests->toolchain,
                             digests->source);
    for (size_t i = 0; i < digests->file_count; i++)
        print_file("file", &digests->files[i], out);
    for (size_t i = 0; i < digests->beside_count; i++)
        print_file("beside", &digests->besides[i], out);
}

enum nip_code nip_digests_print(const struct nip_digests *digests, struct nip_buffer *out,
                                struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct nip_digests again;
    digests_print_text(digests, &text);
    enum nip_code code = nip_buffer_check(&text, "digests", err);
    if (code == NIP_OK)
        code = nip_digests_parse(nip_buffer_text(&text), text.size, &again, err);
    if (code == NIP_OK) {
        nip_digests_free(&again);
        nip_buffer_append(out, text.data, text.size);
        code = nip_buffer_check(out, "digests", err);
    }
    nip_buffer_free(&text);
    return code;
}

enum nip_code nip_digests_add(struct nip_digests *digests, bool is_beside, const char *path,
                              const void *data, size_t size, struct nip_error *err)
{
    struct nip_digests_file file = {.size = size};
    if (!nip_path_is_valid(path, strlen(path))) {
        enum nip_code code =
            nip_error_set(err, NIP_ERROR_NAME, "'%s' is not a path for a package", path);
        nip_error_hint(err,
                       "use a-z A-Z 0-9 . _ - and '/', at most %d bytes, no part starting with '.'",
                       NIP_PATH_MAX);
        return code;
    }
    if (size > NIP_FILE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "'%s' has %zu bytes, more than the %llu allowed",
                             path, size, (unsigned long long)NIP_FILE_SIZE_MAX);
    const char *other = digests_find_collision(digests, path);
    if (other != NULL)
        return nip_error_set(err, NIP_ERROR_EXISTS,
                             "the path '%s' collides with '%s' (case does not count)", path, other);
    memcpy(file.path, path, strlen(path));
    nip_hash_bytes(data, size, file.digest);
    struct nip_digests_file **files = is_beside ? &digests->besides : &digests->files;
    size_t *count = is_beside ? &digests->beside_count : &digests->file_count;
    enum nip_code code = digests_append_file(files, count, &file, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = *count - 1; i > 0 && strcmp((*files)[i - 1].path, (*files)[i].path) > 0; i--) {
        (*files)[i] = (*files)[i - 1];
        (*files)[i - 1] = file;
    }
    return NIP_OK;
}

void nip_digests_id(const void *text, size_t size, uint8_t id[NIP_DIGEST_SIZE])
{
    nip_hash_bytes(text, size, id);
}

static const struct nip_digests_file *find_path(const struct nip_digests_file *files, size_t count,
                                                const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    }
    return NULL;
}

const struct nip_digests_file *nip_digests_file(const struct nip_digests *digests, const char *path)
{
    return find_path(digests->files, digests->file_count, path);
}

const struct nip_digests_file *nip_digests_beside(const struct nip_digests *digests,
                                                  const char *path)
{
    return find_path(digests->besides, digests->beside_count, path);
}
