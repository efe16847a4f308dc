// SPDX-License-Identifier: Apache-2.0
//
// The tests on this computer: compiled with the sanitizers, run with a limit, cmocka's lines read.

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_unit.h"
#include "cleanup.h"
#include "host_flags.h"
#include "nip/fs.h"
#include "process.h"
#include "project.h"
#include "testing.h"

enum { ARGUMENTS_MAX = 1024 };
#define TEST_FOLDER "build/test/host"
#define TEST_LIMIT  "600" // seconds
#define SUITE       "host"

struct command {
    char *words[ARGUMENTS_MAX + 1];
    size_t count;
    bool is_full;
};

static void add(struct command *command, const char *format, ...) NIP_PRINTF(2, 3);

static void add(struct command *command, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    if (length >= 0 && command->count < ARGUMENTS_MAX)
        command->words[command->count++] = text;
    else
        command->is_full = true;
}

static void add_word(void *context, const char *word)
{
    add(context, "%s", word);
}

static void add_pattern(struct command *command, const char *pattern)
{
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *path = found.gl_pathv[i];
            size_t size = strlen(path);
            if (size > 2 && strcmp(path + size - 2, ".c") == 0)
                add(command, "%s", path);
        }
    globfree(&found);
}

static void command_free(struct command *command)
{
    for (size_t i = 0; i < command->count; i++)
        free(command->words[i]);
}

static enum nip_code compile(const struct cli *cli, struct sdk *sdk,
                             const struct nip_manifest *manifest, const char *program,
                             struct nip_error *err)
{
    struct command command = {.count = 0};
    struct nip_buffer line = {0}, output = {0};
    char share[CLI_PATH_SIZE];
    int status = 0;
    add(&command, "%s", sdk->clang);
    host_flags(sdk, manifest, add_word, &command);
    sdk_path(sdk, share, "host");
    for (uint32_t i = 0; i < manifest->source_count; i++)
        add_pattern(&command, manifest->sources[i]);
    add_pattern(&command, HOST_TEST_PATTERN);
    add(&command, "%s/lib/libnpl-host.a", share);
    add(&command, "-lcmocka");
    add(&command, "-o");
    add(&command, "%s", program);
    process_line((const char *const *)command.words, &line);
    cli_detail(cli, "%s", nip_buffer_text(&line));
    enum nip_code code =
        command.is_full
            ? nip_error_set(err, NIP_ERROR_LIMIT, "too many files for one test program")
            : process_run((const char *const *)command.words, NULL, &output, true, &status, err);
    if (code == NIP_OK && output.size != 0)
        cli_relay(cli, nip_buffer_text(&output));
    if (code == NIP_OK && status != 0) {
        bool no_cmocka = strstr(nip_buffer_text(&output), "'cmocka.h' file not found") != NULL;
        code = nip_error_set(err, no_cmocka ? NIP_ERROR_TOOL : NIP_ERROR_BUILD,
                             "compiling the tests failed");
        nip_error_hint(err, no_cmocka
                                ? "install cmocka: apt-get install libcmocka-dev"
                                : "the reason stands above; --verbose shows the exact command");
    }
    nip_buffer_free(&line);
    nip_buffer_free(&output);
    command_free(&command);
    return code;
}

// "[       OK ] name" and "[  FAILED  ] name", in the order of the run.
static void read_cases(const char *text, int status, struct test_report *report)
{
    static const char good[] = "[       OK ] ", bad[] = "[  FAILED  ] ", run[] = "[ RUN      ] ";
    char running[128] = "";
    size_t before = report->count, failed_before = report->failed_count;
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        char name[128];
        bool is_good = strncmp(line, good, sizeof good - 1) == 0;
        snprintf(name, sizeof name, "%.*s",
                 size > sizeof run - 1 ? (int)(size - sizeof run + 1) : 0,
                 line + (size > sizeof run - 1 ? sizeof run - 1 : 0));
        if (strncmp(line, run, sizeof run - 1) == 0) {
            memcpy(running, name, sizeof running);
        } else if (is_good || (strncmp(line, bad, sizeof bad - 1) == 0 && running[0] != '\0' &&
                               strcmp(name, running) == 0)) {
            test_report_add(report, SUITE, name, is_good, text);
            running[0] = '\0';
        }
        line += size + (line[size] == '\n');
    }
    // A case that never ended (the sanitizers, the limit), or a program that fails by itself.
    if (running[0] != '\0')
        test_report_add(report, SUITE, running, false, text);
    else if (status != 0 && report->failed_count == failed_before)
        test_report_add(report, SUITE, "the test program as a whole", false, text);
    else if (report->count == before)
        test_report_add(report, SUITE, "the test program as a whole", status == 0, text);
}

enum nip_code testing_host(const struct cli *cli, struct sdk *sdk,
                           const struct nip_manifest *manifest, struct test_report *report,
                           struct nip_error *err)
{
    char work[] = BUILD_WORK_FOLDER "-test/tests", final[] = TEST_FOLDER "/tests";
    char limit[CLI_PATH_SIZE];
    struct nip_buffer output = {0};
    struct command files = {.count = 0};
    int status = 0;
    add_pattern(&files, HOST_TEST_PATTERN);
    bool has_any = files.count != 0;
    command_free(&files);
    bool is_foreign = manifest->build_system != NIP_BUILD_OWN;
    const char *system = nip_build_system_name(manifest->build_system);
    if (!has_any && is_foreign)
        cli_say(cli, "testing    nothing on this computer: there is no " HOST_TEST_PATTERN);
    if (!has_any)
        return NIP_OK;
    if (is_foreign)
        cli_say(cli,
                "testing    on this computer: " HOST_TEST_PATTERN " with the `sources` of npl.kdl, "
                "compiled by nip; what %s builds runs in the emulator",
                system);
    else
        cli_say(cli, "testing    on this computer");
    enum nip_code code = sdk_find_tools(sdk, err);
    cleanup_add_path(BUILD_WORK_FOLDER "-test");
    if (code == NIP_OK)
        code = nip_fs_make_folders(BUILD_WORK_FOLDER "-test", NULL, err);
    if (code == NIP_OK)
        code = compile(cli, sdk, manifest, work, err);
    if (code == NIP_OK)
        code = build_rename(".", work, final, err);
    cleanup_remove_path(BUILD_WORK_FOLDER "-test");
    if (code == NIP_OK)
        code = process_find("timeout", "coreutils", limit, sizeof limit, err);
    const char *const argv[] = {limit, "-k", "5", TEST_LIMIT, final, NULL};
    if (code == NIP_OK)
        code = process_run(argv, NULL, &output, true, &status, err);
    if (code == NIP_OK)
        read_cases(nip_buffer_text(&output), status, report);
    nip_buffer_free(&output);
    return code;
}
