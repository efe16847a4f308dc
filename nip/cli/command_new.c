// SPDX-License-Identifier: Apache-2.0
//
// nip new: a project folder that builds and runs as it stands. It is made under another name and
// appears by one rename.

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "imaging.h"
#include "nip/fs.h"
#include "project.h"
#include "resolve.h"
#include "template.h"

static enum nip_code full_name(const char *operand, char name[NIP_NAME_MAX + 1],
                               struct nip_error *err)
{
    int length = snprintf(name, NIP_NAME_MAX + 1, "%s%s",
                          strchr(operand, '/') != NULL ? "" : "local/", operand);
    if (length > 0 && length <= NIP_NAME_MAX && nip_name_is_valid(name, (size_t)length))
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_NAME, "'%s' cannot be the name of a package", operand);
    nip_error_hint(err,
                   "use name or namespace/name: lower-case letters, digits and single hyphens, "
                   "beginning with a letter, at most %d each",
                   NIP_NAME_PART_MAX);
    return NIP_ERROR_NAME;
}

static void expand(const char *text, const char *name, struct nip_buffer *out)
{
    while (*text != '\0') {
        if (strncmp(text, "{name}", 6) == 0) {
            nip_buffer_append_text(out, name);
            text += 6;
        } else if (strncmp(text, "{short}", 7) == 0) {
            nip_buffer_append_text(out, project_short_name(name));
            text += 7;
        } else {
            nip_buffer_append_byte(out, (uint8_t)*text++);
        }
    }
}

static enum nip_code write_templates(const char *folder, const struct template_file *files,
                                     const char *name, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (; code == NIP_OK && files->path != NULL; files++) {
        struct nip_buffer text = {0};
        char path[CLI_PATH_SIZE];
        expand(files->text, name, &text);
        project_path(path, folder, files->path);
        code = nip_buffer_check(&text, files->path, err);
        if (code == NIP_OK)
            code = project_write_file(path, text.data, text.size, 0644, err);
        nip_buffer_free(&text);
    }
    return code;
}

static enum nip_code write_driver(const struct sdk *sdk, const char *folder, const char *name,
                                  struct nip_error *err)
{
    char from[CLI_PATH_SIZE], to[CLI_PATH_SIZE];
    struct nip_buffer license = {0};
    sdk_path(sdk, from, "licenses/Apache-2.0.txt");
    project_path(to, folder, "LICENSES/Apache-2.0.txt");
    enum nip_code code = nip_fs_read(from, 1 << 20, &license, err);
    if (code == NIP_OK)
        code = project_write_file(to, license.data, license.size, 0644, err);
    if (code == NIP_OK)
        code = write_templates(folder, template_driver, name, err);
    nip_buffer_free(&license);
    return code;
}

static enum nip_code write_image(const struct cli *cli, struct decisions *decisions,
                                 const char *folder, const char *name, struct nip_error *err)
{
    struct nip_buffer text = {0};
    char path[CLI_PATH_SIZE];
    struct nip_lock *lock = NULL;
    enum nip_code code = write_templates(folder, template_image, name, err);
    nip_buffer_append_text(&text,
                           "// What this image holds, and what each package may do. Only this file "
                           "grants.\n");
    nip_buffer_append_format(
        &text, "image \"%s\" version=\"0.1.0\" {\n    on-idle \"power-off\"\n}\n", name);
    if (code == NIP_OK)
        code = imaging_new(cli, decisions, &text, &lock, err);
    project_path(path, folder, NIP_IMAGEDEF_FILE);
    if (code == NIP_OK)
        code = nip_buffer_check(&text, path, err);
    if (code == NIP_OK)
        code = project_write_file(path, text.data, text.size, 0644, err);
    if (code == NIP_OK)
        code = project_write_lock(folder, lock, err);
    nip_buffer_free(&text);
    free(lock);
    return code;
}

enum nip_code command_new(struct cli *cli, struct nip_error *err)
{
    char name[NIP_NAME_MAX + 1];
    struct decisions decisions = {0};
    struct nip_buffer temporary = {0};
    struct nip_fs_lock held = NIP_FS_LOCK_NONE;
    bool is_image = cli_flag(cli, "image");
    enum nip_code code = full_name(cli_operand(cli, 0), name, err);
    if (code != NIP_OK)
        return code;
    const char *folder = project_short_name(name);
    if (nip_fs_kind(folder) != NIP_FS_NOTHING) {
        nip_error_set(err, NIP_ERROR_EXISTS, "there is a '%s' in this folder already", folder);
        nip_error_hint(err, "choose another name, or move it away");
        return NIP_ERROR_EXISTS;
    }
    // A project inside a project is nearly always a mistake about the current folder.
    if (project_kind(".") != PROJECT_NONE)
        cli_warn(cli, "this folder is a project itself; the new one will lie inside it");
    code = sdk_open(&decisions.sdk, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_make_temporary_folder(folder, &temporary, &held, err);
    if (code == NIP_OK)
        cleanup_add_path(nip_buffer_text(&temporary));
    cleanup_release();
    if (code != NIP_OK)
        return code;
    code = is_image ? write_image(cli, &decisions, nip_buffer_text(&temporary), name, err)
                    : write_driver(&decisions.sdk, nip_buffer_text(&temporary), name, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_publish_folder(nip_buffer_text(&temporary), folder, err);
    cleanup_release();
    cleanup_remove_path(nip_buffer_text(&temporary));
    nip_fs_unlock(&held);
    if (code == NIP_OK) {
        cli_say(cli, "made the %s %s in folder %s", is_image ? "image" : "driver", name, folder);
        if (is_image)
            cli_next(cli, "cd %s && nip add local/hello --registry file:../reg", folder);
        else
            cli_next(cli, "cd %s && nip run", folder);
    }
    nip_buffer_free(&temporary);
    decisions_free(&decisions);
    return code;
}
