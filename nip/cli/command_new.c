// SPDX-License-Identifier: Apache-2.0
//
// nip new: a project folder that builds and runs as it stands. It is made under another name and
// appears by one rename.

#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "commands.h"
#include "home.h"
#include "imaging.h"
#include "nip/fs.h"
#include "project.h"
#include "resolve.h"
#include "template.h"

enum { TEMPLATE_SIZE_MAX = 1 << 20, TEMPLATE_DEPTH_MAX = 8 };
#define TEMPLATE_DEFAULT "driver"
#define TEMPLATE_LIBRARY "library"

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
                                     const char *name, bool has_decisions, struct nip_error *err)
{
    enum nip_code code = NIP_OK;
    for (; code == NIP_OK && files->path != NULL; files++) {
        if (!has_decisions && strcmp(files->path, NIP_TRUST_FILE) == 0)
            continue;
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

// share/rumpk/templates/NAME, file by file.
static enum nip_code copy_template(const char *from, const char *to, const char *name,
                                   unsigned depth, struct nip_error *err)
{
    struct nip_fs_names names = {0};
    if (depth == TEMPLATE_DEPTH_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s: too many folders in one another", from);
    enum nip_code code = nip_fs_list(from, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        char source[CLI_PATH_SIZE], target[CLI_PATH_SIZE];
        struct nip_buffer raw = {0}, text = {0};
        project_path(source, from, names.names[i]);
        project_path(target, to, names.names[i]);
        if (nip_fs_kind(source) == NIP_FS_FOLDER) {
            code = copy_template(source, target, name, depth + 1, err);
            continue;
        }
        code = nip_fs_read(source, TEMPLATE_SIZE_MAX, &raw, err);
        expand(nip_buffer_text(&raw), name, &text);
        if (code == NIP_OK)
            code = nip_buffer_check(&text, target, err);
        if (code == NIP_OK)
            code = project_write_file(target, text.data, text.size, 0644, err);
        nip_buffer_free(&raw);
        nip_buffer_free(&text);
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code find_template(const struct sdk *sdk, const char *name, char *path,
                                   struct nip_error *err)
{
    char folder[CLI_PATH_SIZE];
    struct nip_fs_names names = {0};
    struct nip_buffer list = {0};
    sdk_path(sdk, folder, "templates");
    enum nip_code code = nip_fs_list(folder, &names, err);
    bool is_known = false;
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        is_known = is_known || strcmp(names.names[i], name) == 0;
        nip_buffer_append_format(&list, "%s%s", i == 0 ? "" : ", ", names.names[i]);
    }
    if (code == NIP_OK && !is_known) {
        code = nip_error_set(err, NIP_ERROR_USAGE, "there is no template '%s'", name);
        nip_error_hint(err, "one of: %s", nip_buffer_text(&list));
    }
    if (code == NIP_OK)
        sdk_path(sdk, path, "templates/%s", name);
    nip_fs_names_free(&names);
    nip_buffer_free(&list);
    return code;
}

// The files of a build system, and the line in npl.kdl that names it.
static enum nip_code add_builder(const struct sdk *sdk, const char *template, const char *builder,
                                 const char *folder, const char *name, struct nip_error *err)
{
    char from[CLI_PATH_SIZE], manifest[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    bool is_library = strcmp(template, TEMPLATE_LIBRARY) == 0;
    sdk_path(sdk, from, "builders/%s/%s", builder, is_library ? "library" : "driver");
    project_path(manifest, folder, NIP_MANIFEST_FILE);
    enum nip_code code = copy_template(from, folder, name, 0, err);
    if (code == NIP_OK)
        code = nip_fs_read(manifest, NIP_MANIFEST_SIZE_MAX, &text, err);
    nip_buffer_append_format(&text, "\nbuild \"%s\"\n", builder);
    if (code == NIP_OK)
        code = project_write_file(manifest, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

static enum nip_code check_builder(const char *builder, struct nip_error *err)
{
    static const char *const names[] = {"cmake", "meson", "make", NULL};
    uint32_t system;
    if (builder == NULL || nip_build_system_from_name(builder, &system))
        return NIP_OK;
    const char *near = cli_nearest(builder, names);
    nip_error_set(err, NIP_ERROR_USAGE, "--build does not take '%s'", builder);
    if (near != NULL)
        nip_error_hint(err, "did you mean '%s'?", near);
    else
        nip_error_hint(err, "one of: cmake, meson, make; without --build, nip builds by itself");
    return NIP_ERROR_USAGE;
}

static enum nip_code write_driver(const struct sdk *sdk, const char *template, const char *builder,
                                  const char *folder, const char *name, struct nip_error *err)
{
    char from[CLI_PATH_SIZE], to[CLI_PATH_SIZE];
    struct nip_buffer license = {0};
    sdk_path(sdk, from, "licenses/Apache-2.0.txt");
    project_path(to, folder, "LICENSES/Apache-2.0.txt");
    enum nip_code code = nip_fs_read(from, TEMPLATE_SIZE_MAX, &license, err);
    if (code == NIP_OK)
        code = project_write_file(to, license.data, license.size, 0644, err);
    if (code == NIP_OK)
        code = find_template(sdk, template, from, err);
    if (code == NIP_OK)
        code = copy_template(from, folder, name, 0, err);
    if (code == NIP_OK && builder != NULL)
        code = add_builder(sdk, template, builder, folder, name, err);
    nip_buffer_free(&license);
    return code;
}

static enum nip_code write_image(const struct cli *cli, struct decisions *decisions,
                                 const char *folder, const char *name, bool has_decisions,
                                 struct nip_error *err)
{
    struct nip_buffer text = {0};
    char path[CLI_PATH_SIZE];
    struct nip_lock *lock = NULL;
    enum nip_code code = write_templates(folder, template_image, name, has_decisions, err);
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
    if (code == NIP_OK && has_decisions)
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
    bool is_image = cli_flag(cli, "image"), shares = false;
    const char *template = cli_option(cli, "template"), *builder = cli_option(cli, "build");
    enum nip_code code = full_name(cli_operand(cli, 0), name, err);
    if (code == NIP_OK && is_image && template != NULL)
        code = nip_error_set(err, NIP_ERROR_USAGE, "--image and --template exclude each other");
    if (code == NIP_OK && is_image && builder != NULL)
        code = nip_error_set(err, NIP_ERROR_USAGE, "--image and --build exclude each other");
    if (code == NIP_OK)
        code = check_builder(builder, err);
    if (code != NIP_OK)
        return code;
    if (template == NULL)
        template = TEMPLATE_DEFAULT;
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
    // Members have no lock of their own; that of the workspace follows with the first command in
    // it.
    if (code == NIP_OK)
        code = home_will_share(folder, &shares, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_make_temporary_folder(folder, &temporary, &held, err);
    if (code == NIP_OK)
        cleanup_add_path(nip_buffer_text(&temporary));
    cleanup_release();
    if (code != NIP_OK)
        return code;
    code = is_image ? write_image(cli, &decisions, nip_buffer_text(&temporary), name, !shares, err)
                    : write_driver(&decisions.sdk, template, builder, nip_buffer_text(&temporary),
                                   name, err);
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_publish_folder(nip_buffer_text(&temporary), folder, err);
    cleanup_release();
    cleanup_remove_path(nip_buffer_text(&temporary));
    nip_fs_unlock(&held);
    if (code == NIP_OK) {
        bool is_library = !is_image && strcmp(template, TEMPLATE_LIBRARY) == 0;
        cli_say(cli, "made the %s %s in folder %s",
                is_image     ? "image"
                : is_library ? "library"
                             : "driver",
                name, folder);
        if (is_library)
            cli_next(cli, "cd %s && nip build", folder);
        else if (is_image)
            cli_next(cli, "cd %s && nip add local/hello --registry file:../reg", folder);
        else
            cli_next(cli, "cd %s && nip run", folder);
    }
    nip_buffer_free(&temporary);
    decisions_free(&decisions);
    return code;
}
