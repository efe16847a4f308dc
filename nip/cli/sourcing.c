// SPDX-License-Identifier: Apache-2.0
//
// Walking through a project. Nothing is followed that could lead out of it.

#include "sourcing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "nip/fs.h"
#include "nip/source.h"
#include "project.h"

enum { DEPTH_MAX = 32 };

struct walk {
    const char *folder;
    struct nip_source_file *files;
    uint8_t **contents; // of each file, in the order found: sorting the files leaves them alone
    size_t count, total;
};

static bool has_suffix(const char *name, const char *suffix)
{
    size_t size = strlen(name), suffix_size = strlen(suffix);
    return size >= suffix_size && strcmp(name + size - suffix_size, suffix) == 0;
}

// What is never source. `where` is the folder that holds `name`.
static bool is_skipped(const char *where, const char *name, bool is_folder)
{
    char marker[CLI_PATH_SIZE];
    if (name[0] == '.')
        return true;
    if (!is_folder)
        return has_suffix(name, ".npl") || has_suffix(name, ".minisig") || has_suffix(name, "~");
    if (strcmp(name, "build") == 0)
        return project_kind(where) != PROJECT_NONE;
    return snprintf(marker, sizeof marker, "%s/%s/rumpk-registry", where, name) <
               (int)sizeof marker &&
           nip_fs_kind(marker) == NIP_FS_FILE;
}

// Whether it is a secret key, of minisign or PEM: the archive goes to everybody.
static bool is_secret(const char *text)
{
    const char *line = strchr(text, '\n');
    if (strncmp(text, "-----BEGIN ", 11) == 0 && line != NULL && line - text >= 16)
        return strncmp(line - 16, "PRIVATE KEY-----", 16) == 0;
    // "Ed", "Sc" or two zero bytes, "B2" in base64: the second line of a key file.
    return strncmp(text, "untrusted comment:", 18) == 0 && line != NULL &&
           (strncmp(line + 1, "RWRTY0Iy", 8) == 0 || strncmp(line + 1, "RWQAAEIy", 8) == 0);
}

static enum nip_code add_file(struct walk *walk, const char *full, const char *path,
                              struct nip_error *err)
{
    struct nip_buffer content = {0};
    if (walk->count == NIP_SOURCE_FILES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT,
                             "the project has more than %d source files (at '%s')",
                             NIP_SOURCE_FILES_MAX, path);
    if (strlen(path) > NIP_PATH_MAX) {
        nip_error_set(err, NIP_ERROR_NAME, "the path of the source file '%s' is too long", path);
        nip_error_hint(err, "at most %d bytes are possible", NIP_PATH_MAX);
        return NIP_ERROR_NAME;
    }
    enum nip_code code = nip_fs_read(full, NIP_SOURCE_SIZE_MAX, &content, err);
    struct nip_source_file *file = &walk->files[walk->count];
    size_t size = content.size;
    if (code == NIP_OK && size > NIP_SOURCE_SIZE_MAX - walk->total) {
        code = nip_error_set(err, NIP_ERROR_LIMIT, "the source has more than %d MiB (at '%s')",
                             NIP_SOURCE_SIZE_MAX >> 20, path);
        nip_error_hint(err, "put what is no source below a folder whose name starts with a dot");
    }
    if (code == NIP_OK && is_secret(nip_buffer_text(&content))) {
        code = nip_error_set(err, NIP_ERROR_KEY,
                             "'%s' is a secret key, and would be published with "
                             "the source",
                             path);
        nip_error_hint(err, "move it out of the project");
    }
    if (code != NIP_OK) {
        nip_buffer_free(&content);
        return code;
    }
    memcpy(file->path, path, strlen(path) + 1);
    file->size = size;
    file->data = walk->contents[walk->count] = nip_buffer_take(&content, NULL);
    walk->total += size;
    walk->count++;
    return NIP_OK;
}

// `inside` is the path below the project: "" for the project itself.
static enum nip_code walk_folder(struct walk *walk, const char *inside, int depth,
                                 struct nip_error *err)
{
    char where[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    snprintf(where, sizeof where, "%s%s%s", walk->folder, inside[0] != '\0' ? "/" : "", inside);
    if (depth > DEPTH_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the folder %s is nested too deep", where);
    enum nip_code code = nip_fs_list(where, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char full[CLI_PATH_SIZE], path[CLI_PATH_SIZE];
        struct stat info;
        if (snprintf(full, sizeof full, "%s/%s", where, names.names[i]) >= (int)sizeof full ||
            snprintf(path, sizeof path, "%s%s%s", inside, inside[0] != '\0' ? "/" : "",
                     names.names[i]) >= (int)sizeof path) {
            code = nip_error_set(err, NIP_ERROR_LIMIT, "a path below %s is too long", where);
        } else if (lstat(full, &info) != 0) {
            code = nip_error_set_errno(err, errno, "cannot look at %s", full);
        } else if (is_skipped(where, names.names[i], S_ISDIR(info.st_mode))) {
            continue;
        } else if (S_ISDIR(info.st_mode)) {
            code = walk_folder(walk, path, depth + 1, err);
        } else if (S_ISREG(info.st_mode)) {
            code = add_file(walk, full, path, err);
        } else {
            code =
                nip_error_set(err, NIP_ERROR_FORMAT,
                              "'%s' is %s: a source archive has "
                              "only files",
                              path, S_ISLNK(info.st_mode) ? "a symbolic link" : "no regular file");
            nip_error_hint(err, "put the file itself there, or move it out of the project");
        }
    }
    nip_fs_names_free(&names);
    return code;
}

enum nip_code sourcing_collect(const char *folder, struct nip_buffer *tar, struct nip_error *err)
{
    struct walk walk = {.folder = folder};
    walk.files = calloc(NIP_SOURCE_FILES_MAX, sizeof *walk.files);
    walk.contents = (uint8_t **)calloc(NIP_SOURCE_FILES_MAX, sizeof *walk.contents);
    enum nip_code code = NIP_OK;
    if (walk.files == NULL || walk.contents == NULL)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the source archive");
    if (code == NIP_OK)
        code = walk_folder(&walk, "", 0, err);
    if (code == NIP_OK)
        code = nip_source_write(walk.files, walk.count, tar, err);
    for (size_t i = 0; i < walk.count; i++)
        free(walk.contents[i]);
    free((void *)walk.contents);
    free(walk.files);
    return code;
}
