// SPDX-License-Identifier: Apache-2.0
//
// The commands of a build system for editors. CMake and Meson write compile_commands.json while
// their build folder is where it is worked in; an editor reads it when the folder is back in its
// place, and must know the real compiler, not the program that wraps it. Tests on this computer are
// added, whoever builds the package.

#include <fnmatch.h>
#include <string.h>

#include "build_parts.h"
#include "build_unit.h"
#include "host_flags.h"
#include "nip/fs.h"
#include "nip/json.h"
#include "process.h"
#include "project.h"

static void add_word(void *context, const char *word)
{
    nip_json_append(context, nip_json_make_text(word));
}

// As `nip test` compiles it.
static struct nip_json *test_entry(const struct sdk *sdk, const char *root,
                                   const struct nip_manifest *manifest, const char *file)
{
    struct nip_json *entry = nip_json_make_object(), *words = nip_json_make_array();
    add_word(words, sdk->clang);
    host_flags(sdk, manifest, add_word, words);
    add_word(words, "-c");
    add_word(words, file);
    nip_json_put_text(entry, "directory", root);
    nip_json_put_text(entry, "file", file);
    nip_json_put(entry, "arguments", words);
    return entry;
}

enum nip_code build_write_commands(const struct sdk *sdk, const char *root,
                                   const struct nip_manifest *manifest, struct nip_json *list,
                                   struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct nip_fs_names names = {0};
    struct nip_error cause = {0};
    char path[CLI_PATH_SIZE], file[CLI_PATH_SIZE];
    project_path(path, root, "test");
    if (nip_fs_kind(path) == NIP_FS_FOLDER && nip_fs_list(path, &names, &cause) == NIP_OK)
        for (size_t i = 0; i < names.count; i++)
            if (fnmatch("*.c", names.names[i], FNM_PERIOD) == 0 &&
                snprintf(file, sizeof file, "test/%s", names.names[i]) < (int)sizeof file)
                nip_json_append(list, test_entry(sdk, root, manifest, file));
    nip_fs_names_free(&names);
    enum nip_code code = nip_json_print(list, true, &text, err);
    nip_buffer_append_byte(&text, '\n');
    project_path(path, root, "build/compile_commands.json");
    if (code == NIP_OK)
        code = project_write_file(path, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    nip_json_free(list);
    return code;
}

static void replace_all(const char *text, const char *from, const char *to, struct nip_buffer *out)
{
    size_t size = strlen(from);
    for (const char *next; (next = strstr(text, from)) != NULL; text = next + size) {
        nip_buffer_append(out, text, (size_t)(next - text));
        nip_buffer_append_text(out, to);
    }
    nip_buffer_append_text(out, text);
}

struct rewriting {
    char work[CLI_PATH_SIZE], tree[CLI_PATH_SIZE];
    char program[64];           // the wrapper, with a space after it
    struct nip_buffer compiler; // what it stands for, likewise
};

static void put_text(const struct rewriting *rewriting, const struct nip_json *from,
                     const char *key, struct nip_json *entry)
{
    const char *text = nip_json_get_text(from, key);
    struct nip_buffer moved = {0};
    if (text == NULL)
        return;
    size_t size = strlen(rewriting->program);
    if (strcmp(key, "command") == 0 && strncmp(text, rewriting->program, size) == 0) {
        nip_buffer_append_text(&moved, nip_buffer_text(&rewriting->compiler));
        text += size;
    }
    replace_all(text, rewriting->work, rewriting->tree, &moved);
    nip_json_put_text(entry, key, nip_buffer_text(&moved));
    nip_buffer_free(&moved);
}

static void prepare(const struct build_task *task, uint32_t arch, struct rewriting *rewriting)
{
    char config[CLI_PATH_SIZE], name[64];
    const char *triple = sdk_triple(arch);
    snprintf(name, sizeof name, BUILD_WORK_FOLDER "/%s", nip_arch_name(arch));
    project_path(rewriting->work, task->root, name);
    build_tree(name, sizeof name, arch);
    project_path(rewriting->tree, task->root, name);
    snprintf(rewriting->program, sizeof rewriting->program, "%s-clang ", triple);
    sdk_path(task->sdk, config, "toolchain/%s.cfg", triple);
    struct nip_buffer option = {0};
    nip_buffer_append_format(&option, "--config=%s", config);
    const char *const words[] = {task->sdk->clang, "--no-default-config", nip_buffer_text(&option),
                                 NULL};
    process_line(words, &rewriting->compiler);
    nip_buffer_append_byte(&rewriting->compiler, ' ');
    nip_buffer_free(&option);
}

enum nip_code build_foreign_commands(const struct build_task *task, uint32_t arch,
                                     struct nip_error *err)
{
    static const char *const keys[] = {"directory", "file", "output", "command"};
    struct rewriting rewriting = {0};
    struct nip_buffer text = {0};
    struct nip_json *written = NULL, *list = nip_json_make_array();
    char path[CLI_PATH_SIZE];
    prepare(task, arch, &rewriting);
    snprintf(path, sizeof path, "%.4000s/compile_commands.json", rewriting.tree);
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(path) == NIP_FS_FILE) {
        code = nip_fs_read(path, NIP_JSON_SIZE_MAX, &text, err);
        if (code == NIP_OK)
            code = nip_json_parse(nip_buffer_text(&text), text.size, path, &written, err);
        nip_buffer_clear(&text);
    }
    for (size_t i = 0; code == NIP_OK && i < nip_json_count(written); i++) {
        struct nip_json *entry = nip_json_make_object();
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            put_text(&rewriting, nip_json_at(written, i), keys[k], entry);
        nip_json_append(list, entry);
    }
    if (code == NIP_OK)
        code = build_write_commands(task->sdk, task->root, task->manifest, list, err);
    else
        nip_json_free(list);
    nip_json_free(written);
    nip_buffer_free(&text);
    nip_buffer_free(&rewriting.compiler);
    return code;
}
