// SPDX-License-Identifier: Apache-2.0
//
// nip crash: where in the source a driver faulted, out of what `nip run` has printed, wherever and
// whenever that was. The build id says which driver file it was; a debug file counts only if it
// says the same one.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "nip/crash.h"
#include "nip/fs.h"
#include "nip/json.h"
#include "report.h"
#include "store.h"
#include "symbolise.h"

enum { FOLDERS_MAX = 18 };

struct places {
    const char *folders[FOLDERS_MAX];
    size_t count;
    char cache[CLI_PATH_SIZE];
};

static enum nip_code read_input(const char *file, struct nip_buffer *text, struct nip_error *err)
{
    if (file != NULL && strcmp(file, "-") != 0)
        return nip_fs_read(file, NIP_CRASH_TEXT_MAX, text, err);
    if (file == NULL && isatty(STDIN_FILENO)) {
        nip_error_set(err, NIP_ERROR_USAGE, "nothing to read");
        nip_error_hint(err, "name the file with the report, or: nip run 2>&1 | nip crash");
        return NIP_ERROR_USAGE;
    }
    char block[16384];
    size_t size;
    while ((size = fread(block, 1, sizeof block, stdin)) > 0) {
        if (text->size + size > NIP_CRASH_TEXT_MAX)
            return nip_error_set(err, NIP_ERROR_LIMIT, "standard input has more than %zu MiB",
                                 NIP_CRASH_TEXT_MAX >> 20);
        nip_buffer_append(text, block, size);
    }
    if (ferror(stdin))
        return nip_error_set_errno(err, errno, "cannot read standard input");
    return nip_buffer_check(text, "standard input", err);
}

// What --debug names, then what was built here, then what has been packed by this user.
static enum nip_code find_folders(const struct cli *cli, struct places *places,
                                  struct nip_error *err)
{
    const char *folder;
    for (size_t i = 0; (folder = cli_option_at(cli, "debug", i)) != NULL; i++) {
        if (nip_fs_kind(folder) == NIP_FS_NOTHING)
            return nip_error_set(err, NIP_ERROR_MISSING, "there is no %s", folder);
        if (places->count == FOLDERS_MAX - 2)
            return nip_error_set(err, NIP_ERROR_LIMIT, "--debug more than %d times",
                                 FOLDERS_MAX - 2);
        places->folders[places->count++] = folder;
    }
    places->folders[places->count++] = "build";
    if (store_debug_folder(places->cache))
        places->folders[places->count++] = places->cache;
    return NIP_OK;
}

// Why there is no place, and what to do about it. Empty when there is one.
static void look_up(const struct places *places, const struct nip_crash_fault *fault,
                    char file[CLI_PATH_SIZE], struct symbol_place *place,
                    struct nip_buffer *trouble)
{
    struct nip_error cause = {0};
    place->count = 0;
    file[0] = '\0';
    if (!fault->has_offset)
        nip_buffer_append_text(trouble, "it was not in its own code: there is no line to name");
    else if (fault->build_id[0] == '\0')
        nip_buffer_append_text(trouble, "the report says no build id, so the driver file cannot be "
                                        "told: let this nip run it again");
    else if (!symbolise_find(fault->build_id, places->folders, places->count, file)) {
        file[0] = '\0';
        nip_buffer_append_format(
            trouble,
            "no debug file has the build id %s: name the folder that holds it with --debug, or build "
            "the same source with the same SDK (nip rebuild shows whether it is the same)",
            fault->build_id);
    } else if (symbolise(file, fault->offset, place, &cause) != NIP_OK) {
        nip_buffer_append_format(trouble, "%s", cause.message);
        if (cause.hint[0] != '\0')
            nip_buffer_append_format(trouble, " (%s)", cause.hint);
    }
}

static void print_fault(const struct cli *cli, const struct nip_crash_fault *fault,
                        const struct symbol_place *place, const char *trouble)
{
    cli_print(cli, "%s%s%s%s%s%s: %s at driver.elf+0x%llx",
              fault->name[0] != '\0' ? fault->name : "a driver",
              fault->version[0] != '\0' ? " " : "", fault->version,
              fault->arch[0] != '\0' ? " (" : "", fault->arch, fault->arch[0] != '\0' ? ")" : "",
              fault->fault[0] != '\0' ? fault->fault : "faulted",
              (unsigned long long)fault->offset);
    for (size_t i = 0; i < place->count; i++) {
        const struct symbol_frame *frame = &place->frames[i];
        cli_print(cli, "  in %s at %s:%u:%u%s", frame->function, frame->file, (unsigned)frame->line,
                  (unsigned)frame->column, i + 1 < place->count ? ", inlined" : "");
    }
    if (trouble[0] != '\0')
        cli_print(cli, "  %s", trouble);
}

static struct nip_json *fault_json(const struct nip_crash_fault *fault,
                                   const struct symbol_place *place, const char *file,
                                   const char *trouble)
{
    struct nip_json *item = nip_json_make_object(), *frames = nip_json_make_array();
    nip_json_put_text(item, "name", fault->name);
    nip_json_put_text(item, "version", fault->version);
    nip_json_put_text(item, "arch", fault->arch);
    nip_json_put_text(item, "code", fault->fault);
    if (fault->has_offset)
        nip_json_put_u64(item, "pc_offset", fault->offset & INT64_MAX);
    nip_json_put_text(item, "build_id", fault->build_id);
    if (file[0] != '\0')
        nip_json_put(item, "debug_file", report_text(file));
    for (size_t i = 0; i < place->count; i++) {
        struct nip_json *frame = nip_json_make_object();
        nip_json_put_text(frame, "function", place->frames[i].function);
        nip_json_put_text(frame, "file", place->frames[i].file);
        nip_json_put_u64(frame, "line", place->frames[i].line);
        nip_json_put_u64(frame, "column", place->frames[i].column);
        nip_json_put_bool(frame, "inlined", i + 1 < place->count);
        nip_json_append(frames, frame);
    }
    nip_json_put(item, "frames", frames);
    if (trouble[0] != '\0')
        nip_json_put(item, "trouble", report_text(trouble));
    return item;
}

static enum nip_code report(const struct cli *cli, const struct places *places,
                            const struct nip_crash *crash, struct nip_error *err)
{
    struct nip_json *list = nip_json_make_array();
    size_t unknown = 0;
    for (size_t i = 0; i < crash->count; i++) {
        char file[CLI_PATH_SIZE];
        struct symbol_place place;
        struct nip_buffer trouble = {0};
        look_up(places, &crash->faults[i], file, &place, &trouble);
        unknown += trouble.size != 0;
        if (cli->is_json)
            nip_json_append(list,
                            fault_json(&crash->faults[i], &place, file, nip_buffer_text(&trouble)));
        else
            print_fault(cli, &crash->faults[i], &place, nip_buffer_text(&trouble));
        nip_buffer_free(&trouble);
    }
    if (crash->dropped != 0)
        cli_warn(cli, "%zu more faults were not looked at", crash->dropped);
    enum nip_code code = NIP_OK;
    if (cli->is_json)
        code = report_json("nip-crash-1", "faults", list, err);
    else
        nip_json_free(list);
    if (code == NIP_OK && unknown != 0) {
        code = nip_error_set(err, NIP_ERROR_FAILED, "the place of %zu of %zu faults is not known",
                             unknown, crash->count);
        nip_error_hint(err, "why stands with each of them");
    }
    return code;
}

enum nip_code command_crash(struct cli *cli, struct nip_error *err)
{
    const char *file = cli_operand(cli, 0);
    struct nip_buffer text = {0};
    struct places places = {0};
    struct nip_crash *crash = malloc(sizeof *crash);
    enum nip_code code = crash != NULL ? read_input(file, &text, err)
                                       : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK)
        code = nip_crash_scan(nip_buffer_text(&text), text.size,
                              file != NULL && strcmp(file, "-") != 0 ? file : "standard input",
                              crash, err);
    if (code == NIP_OK)
        code = find_folders(cli, &places, err);
    if (code == NIP_OK)
        code = report(cli, &places, crash, err);
    nip_buffer_free(&text);
    free(crash);
    return code;
}
