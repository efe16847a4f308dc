// SPDX-License-Identifier: Apache-2.0
//
// Finding debug files, and asking llvm-symbolizer about them. What it answers has come out of a
// file that somebody else may have made: it is parsed strictly and escaped.

#include "symbolise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "nip/crash.h"
#include "nip/escape.h"
#include "nip/fs.h"
#include "nip/json.h"
#include "nip/manifest.h"
#include "process.h"
#include "sdk.h"

enum { DEBUG_SIZE_MAX = 256 << 20, FILES_MAX = 256 };
#define SYMBOLIZER         "llvm-symbolizer-19"
#define SYMBOLIZER_PACKAGE "llvm-19"

static bool has_build_id(const char *path, const char *build_id)
{
    struct nip_buffer content = {0};
    struct nip_error cause = {0};
    uint8_t id[NIP_ELF_BUILD_ID_MAX];
    char text[2 * NIP_ELF_BUILD_ID_MAX + 1] = "";
    if (nip_fs_kind(path) != NIP_FS_FILE)
        return false;
    if (nip_fs_read(path, DEBUG_SIZE_MAX, &content, &cause) == NIP_OK)
        nip_build_id_text(id, nip_elf_build_id(content.data, content.size, id), text);
    nip_buffer_free(&content);
    return strcmp(text, build_id) == 0;
}

static bool try_path(const char *build_id, char *out, const char *format, ...) NIP_PRINTF(3, 4);

static bool try_path(const char *build_id, char *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vsnprintf(out, CLI_PATH_SIZE, format, list);
    va_end(list);
    return length > 0 && length < CLI_PATH_SIZE && has_build_id(out, build_id);
}

// Whatever else lies in the folder and is called so: `nip fetch --debug` writes
// NAME.ARCH-driver.debug.
static bool try_all(const char *build_id, const char *folder, char *out)
{
    struct nip_fs_names names = {0};
    struct nip_error cause = {0};
    size_t tried = 0;
    bool found = false;
    if (nip_fs_kind(folder) != NIP_FS_FOLDER || nip_fs_list(folder, &names, &cause) != NIP_OK)
        return false;
    for (size_t i = 0; !found && i < names.count && tried < FILES_MAX; i++) {
        const char *name = names.names[i];
        size_t size = strlen(name);
        if (size < 6 || strcmp(name + size - 6, ".debug") != 0)
            continue;
        tried++;
        found = try_path(build_id, out, "%s/%s", folder, name);
    }
    nip_fs_names_free(&names);
    return found;
}

bool symbolise_find(const char *build_id, const char *const *folders, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *folder = folders[i];
        if (try_path(build_id, out, "%s/.build-id/%.2s/%s.debug", folder, build_id, build_id + 2) ||
            try_path(build_id, out, "%s", folder) || try_all(build_id, folder, out))
            return true;
        for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
            const char *arch = nip_arch_name(arch_all[a]);
            // As `nip build` and as `nip pack` leave them.
            if (try_path(build_id, out, "%s/%s/driver.debug", folder, arch) ||
                try_path(build_id, out, "%s/pack/%s/driver.debug", folder, arch) ||
                try_path(build_id, out, "%s/build/%s/driver.debug", folder, arch) ||
                try_path(build_id, out, "%s/build/pack/%s/driver.debug", folder, arch))
                return true;
        }
    }
    return false;
}

static void read_frame(const struct nip_json *symbol, struct symbol_frame *frame)
{
    const char *function = nip_json_get_text(symbol, "FunctionName");
    const char *file = nip_json_get_text(symbol, "FileName");
    uint64_t line = 0, column = 0;
    nip_json_get_u64(symbol, "Line", &line);
    nip_json_get_u64(symbol, "Column", &column);
    memset(frame, 0, sizeof *frame);
    if (function == NULL)
        function = "";
    if (file == NULL)
        file = "";
    // The project, as every build calls it.
    if (strncmp(file, "/source/", 8) == 0)
        file += 8;
    nip_escape(frame->function, sizeof frame->function, function, strlen(function));
    nip_escape(frame->file, sizeof frame->file, file, strlen(file));
    frame->line = line > UINT32_MAX ? 0 : (uint32_t)line;
    frame->column = column > UINT32_MAX ? 0 : (uint32_t)column;
}

// [{"Address": ..., "Symbol": [{"FunctionName": ..., "FileName": ..., "Line": ...}, ...]}]
static enum nip_code read_answer(const struct nip_buffer *text, const char *file,
                                 struct symbol_place *place, struct nip_error *err)
{
    struct nip_json *json = NULL;
    enum nip_code code =
        nip_json_parse(nip_buffer_text(text), text->size, "the answer of " SYMBOLIZER, &json, err);
    const struct nip_json *symbols = nip_json_get(nip_json_at(json, 0), "Symbol");
    size_t count = code == NIP_OK ? nip_json_count(symbols) : 0;
    for (size_t i = 0; i < count && place->count < SYMBOL_FRAMES_MAX; i++) {
        struct symbol_frame *frame = &place->frames[place->count];
        read_frame(nip_json_at(symbols, i), frame);
        if (frame->function[0] != '\0')
            place->count++;
    }
    if (code == NIP_OK && place->count == 0)
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s says nothing about this place", file);
    nip_json_free(json);
    return code;
}

enum nip_code symbolise(const char *file, uint64_t offset, struct symbol_place *place,
                        struct nip_error *err)
{
    char tool[CLI_PATH_SIZE], object[CLI_PATH_SIZE + 8], address[32];
    struct nip_buffer output = {0};
    int status = 0;
    place->count = 0;
    enum nip_code code = process_find(SYMBOLIZER, SYMBOLIZER_PACKAGE, tool, sizeof tool, err);
    snprintf(object, sizeof object, "--obj=%s", file);
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)offset);
    const char *const argv[] = {tool, object, "--output-style=JSON", "--inlines", address, NULL};
    if (code == NIP_OK)
        code = process_run(argv, NULL, &output, false, &status, err);
    if (code == NIP_OK && status != 0)
        code = nip_error_set(err, NIP_ERROR_FORMAT, SYMBOLIZER " cannot read %s", file);
    if (code == NIP_OK)
        code = read_answer(&output, file, place, err);
    nip_buffer_free(&output);
    return code;
}
