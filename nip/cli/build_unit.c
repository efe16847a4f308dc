// SPDX-License-Identifier: Apache-2.0
//
// Digests of build steps, and the list of headers that the compiler writes.

#include "build_unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/crypto.h"
#include "nip/fs.h"
#include "project.h"

enum { INPUT_SIZE_MAX = 256 << 20, KEY_TEXT_SIZE = 2 * (NIP_DIGEST_TEXT_SIZE - 1) + 1 };

void build_unit_free(struct build_unit *unit)
{
    for (size_t i = 0; i < unit->argument_count; i++)
        free(unit->arguments[i]);
    for (size_t i = 0; i < unit->input_count; i++)
        free(unit->inputs[i]);
    free(unit->source);
    free(unit->output);
    free(unit->work);
    free(unit->work_dependencies);
    free(unit->dependencies);
    free(unit->key);
    memset(unit, 0, sizeof *unit);
}

void build_unit_argument(struct build_unit *unit, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0 || unit->argument_count == BUILD_ARGUMENTS_MAX) {
        if (length >= 0)
            free(text);
        unit->is_out_of_memory = true;
        return;
    }
    unit->arguments[unit->argument_count++] = text;
}

void build_unit_input(struct build_unit *unit, const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL || unit->input_count == BUILD_INPUTS_MAX) {
        free(copy);
        unit->is_out_of_memory = true;
        return;
    }
    unit->inputs[unit->input_count++] = copy;
}

enum nip_code build_unit_check(const struct build_unit *unit, struct nip_error *err)
{
    if (unit->is_out_of_memory || unit->output == NULL || unit->work == NULL || unit->key == NULL)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "one build step has more than %d arguments or %d inputs, or there is "
                             "not enough memory for it",
                             BUILD_ARGUMENTS_MAX, BUILD_INPUTS_MAX);
    return NIP_OK;
}

static void full_path(char *out, const char *folder, const char *path)
{
    if (path[0] == '/')
        snprintf(out, CLI_PATH_SIZE, "%s", path);
    else
        project_path(out, folder, path);
}

// Adds path and content digest of one file; false when it cannot be read.
static bool hash_file(struct nip_hash *hash, const char *folder, const char *path)
{
    char full[CLI_PATH_SIZE];
    struct nip_buffer content = {0};
    struct nip_error cause = {0};
    uint8_t digest[NIP_DIGEST_SIZE];
    full_path(full, folder, path);
    bool fine = nip_fs_read(full, INPUT_SIZE_MAX, &content, &cause) == NIP_OK;
    nip_hash_bytes(nip_buffer_text(&content), content.size, digest);
    nip_hash_update(hash, path, strlen(path) + 1);
    nip_hash_update(hash, digest, sizeof digest);
    nip_buffer_free(&content);
    return fine;
}

// Adds every file of a make rule "output: a b \ c".
static bool hash_dependencies(struct nip_hash *hash, const char *folder, const char *path)
{
    char full[CLI_PATH_SIZE], word[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    struct nip_error cause = {0};
    full_path(full, folder, path);
    bool fine = nip_fs_read(full, INPUT_SIZE_MAX, &text, &cause) == NIP_OK;
    const char *at = fine ? strchr(nip_buffer_text(&text), ':') : NULL;
    fine = at != NULL;
    size_t size = 0;
    for (at = fine ? at + 1 : NULL; fine; at++) {
        bool escaped = at[0] == '\\' && (at[1] == ' ' || at[1] == '#' || at[1] == '\\');
        if (escaped || (at[0] == '$' && at[1] == '$'))
            at++;
        else if (*at == '\0' || *at == ' ' || *at == '\n' || (at[0] == '\\' && at[1] == '\n')) {
            word[size] = '\0';
            if (size != 0)
                fine = hash_file(hash, folder, word);
            size = 0;
            if (*at == '\0')
                break;
            if (*at == '\\')
                at++;
            continue;
        }
        if (size < sizeof word - 1)
            word[size++] = *at;
    }
    nip_buffer_free(&text);
    return fine;
}

// "digest of everything that goes in" "digest of what came out"; false when something is missing.
static bool compute_key(const struct build_unit *unit, const char *folder, const char *toolchain,
                        char out[KEY_TEXT_SIZE])
{
    struct nip_hash hash, result;
    uint8_t digest[NIP_DIGEST_SIZE];
    nip_hash_begin(&hash);
    nip_hash_update(&hash, toolchain, strlen(toolchain) + 1);
    for (size_t i = 0; i < unit->argument_count; i++)
        nip_hash_update(&hash, unit->arguments[i], strlen(unit->arguments[i]) + 1);
    bool fine = true;
    for (size_t i = 0; fine && i < unit->input_count; i++)
        fine = hash_file(&hash, folder, unit->inputs[i]);
    if (fine && unit->dependencies != NULL)
        fine = hash_dependencies(&hash, folder, unit->dependencies);
    nip_hash_end(&hash, digest);
    nip_digest_text(digest, out);
    nip_hash_begin(&result);
    fine = fine && hash_file(&result, folder, unit->output);
    nip_hash_end(&result, digest);
    nip_digest_text(digest, out + NIP_DIGEST_TEXT_SIZE - 1);
    return fine;
}

void build_unit_examine(struct build_unit *unit, const char *folder, const char *toolchain)
{
    char key[KEY_TEXT_SIZE], path[CLI_PATH_SIZE];
    struct nip_buffer noted = {0};
    struct nip_error cause = {0};
    full_path(path, folder, unit->key);
    unit->is_stale = nip_fs_kind(path) != NIP_FS_FILE ||
                     nip_fs_read(path, KEY_TEXT_SIZE, &noted, &cause) != NIP_OK ||
                     !compute_key(unit, folder, toolchain, key) ||
                     !nip_buffer_equals(&noted, key, strlen(key));
    nip_buffer_free(&noted);
}

enum nip_code build_rename(const char *folder, const char *from, const char *to,
                           struct nip_error *err)
{
    char full_from[CLI_PATH_SIZE], full_to[CLI_PATH_SIZE];
    full_path(full_from, folder, from);
    full_path(full_to, folder, to);
    char *slash = strrchr(full_to, '/');
    *slash = '\0';
    enum nip_code code = nip_fs_make_folders(full_to, NULL, err);
    *slash = '/';
    if (code == NIP_OK && rename(full_from, full_to) != 0)
        code = nip_error_set_errno(err, errno, "cannot put %s into place", full_to);
    return code;
}

enum nip_code build_unit_publish(const struct build_unit *unit, const char *folder,
                                 struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    if (unit->dependencies != NULL)
        code = build_rename(folder, unit->work_dependencies, unit->dependencies, err);
    return code == NIP_OK ? build_rename(folder, unit->work, unit->output, err) : code;
}

enum nip_code build_unit_note(struct build_unit *unit, const char *folder, const char *toolchain,
                              struct nip_error *err)
{
    char key[KEY_TEXT_SIZE], path[CLI_PATH_SIZE];
    if (!compute_key(unit, folder, toolchain, key))
        return nip_error_set(err, NIP_ERROR_IO, "a file that %s was made from has vanished",
                             unit->output);
    full_path(path, folder, unit->key);
    return project_write_file(path, key, strlen(key), 0644, err);
}
