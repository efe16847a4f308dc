// SPDX-License-Identifier: Apache-2.0
//
// Comparing what a package is made of: its files, and the source files that its bill of materials
// lists. Both lists are walked in step, sorted by path.

#include <stdlib.h>
#include <string.h>

#include "diff_parts.h"
#include "nip/json.h"

static void say_file(struct nip_changes *changes, const char *name, const char *verb,
                     const struct nip_digests_file *file)
{
    char size[32];
    diff_size_text(file->size, size);
    nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_FILES, name, "%s file %s (%s)", verb,
                    file->path, size);
}

static void diff_lists(const char *name, const struct nip_digests_file *a, size_t a_count,
                       const struct nip_digests_file *b, size_t b_count,
                       struct nip_changes *changes)
{
    size_t i = 0, j = 0;
    while (i < a_count || j < b_count) {
        int order = i == a_count ? 1 : j == b_count ? -1 : strcmp(a[i].path, b[j].path);
        if (order < 0) {
            say_file(changes, name, "no longer has", &a[i++]);
        } else if (order > 0) {
            say_file(changes, name, "new", &b[j++]);
        } else {
            if (a[i].size != b[j].size)
                diff_size(changes, NIP_CHANGE_SIZES, name, b[j].path, a[i].size, b[j].size);
            else if (memcmp(a[i].digest, b[j].digest, NIP_DIGEST_SIZE) != 0)
                nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_FILES, name,
                                "changed file %s (same size)", b[j].path);
            i++;
            j++;
        }
    }
}

void nip_diff_digests(const struct nip_digests *a, const struct nip_digests *b,
                      struct nip_changes *changes)
{
    diff_lists(b->name, a->files, a->file_count, b->files, b->file_count, changes);
    diff_lists(b->name, a->besides, a->beside_count, b->besides, b->beside_count, changes);
    if (strcmp(a->toolchain, b->toolchain) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, b->name,
                        "toolchain: %s -> %s", a->toolchain, b->toolchain);
}

// ---- source files ----

struct source_entry {
    const char *path, *digest; // owned by the JSON
};

struct source_list {
    struct nip_json *json;
    struct source_entry *entries;
    size_t count;
};

static void free_sources(struct source_list *list)
{
    nip_json_free(list->json);
    free(list->entries);
}

static const char *digest_of(const struct nip_json *file)
{
    const struct nip_json *checksums = nip_json_get(file, "checksums");
    for (size_t i = 0; i < nip_json_count(checksums); i++) {
        const char *algorithm = nip_json_get_text(nip_json_at(checksums, i), "algorithm");
        if (algorithm != NULL && strcmp(algorithm, "BLAKE2b-256") == 0)
            return nip_json_get_text(nip_json_at(checksums, i), "checksumValue");
    }
    return NULL;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct source_entry *)a)->path, ((const struct source_entry *)b)->path);
}

// The files below ./source.tar/ of a bill of materials.
static enum nip_code read_sources(const void *text, size_t size, struct source_list *list,
                                  struct nip_error *err)
{
    static const char prefix[] = "./source.tar/";
    enum nip_code code = nip_json_parse(text, size, "the bill of materials", &list->json, err);
    const struct nip_json *files = code == NIP_OK ? nip_json_get(list->json, "files") : NULL;
    size_t count = nip_json_count(files);
    if (code == NIP_OK) {
        list->entries = calloc(count + 1, sizeof *list->entries);
        if (list->entries == NULL)
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the differences");
    }
    for (size_t i = 0; code == NIP_OK && i < count; i++) {
        const char *name = nip_json_get_text(nip_json_at(files, i), "fileName");
        const char *digest = digest_of(nip_json_at(files, i));
        if (name != NULL && digest != NULL && strncmp(name, prefix, sizeof prefix - 1) == 0)
            list->entries[list->count++] = (struct source_entry){name + sizeof prefix - 1, digest};
    }
    if (list->entries != NULL)
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
    return code;
}

enum nip_code nip_diff_sources(const char *name, const void *a, size_t a_size, const void *b,
                               size_t b_size, struct nip_changes *changes, struct nip_error *err)
{
    struct source_list from = {0}, to = {0};
    enum nip_code code = read_sources(a, a_size, &from, err);
    if (code == NIP_OK)
        code = read_sources(b, b_size, &to, err);
    size_t i = 0, j = 0;
    while (code == NIP_OK && (i < from.count || j < to.count)) {
        int order = i == from.count ? 1
                    : j == to.count ? -1
                                    : strcmp(from.entries[i].path, to.entries[j].path);
        const char *verb = order < 0 ? "no longer has" : order > 0 ? "new" : "changed";
        const char *path = order < 0 ? from.entries[i].path : to.entries[j].path;
        if (order != 0 || strcmp(from.entries[i].digest, to.entries[j].digest) != 0)
            nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_SOURCES, name,
                            "%s source file %s", verb, path);
        i += order <= 0;
        j += order >= 0;
    }
    free_sources(&from);
    free_sources(&to);
    return code;
}
