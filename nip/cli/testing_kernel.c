// SPDX-License-Identifier: Apache-2.0
//
// The tests in the emulator: the package, and beside it one small driver for each file of
// test/kernel, in a throw-away image of each architecture.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "emulator.h"
#include "nip/fs.h"
#include "outcome.h"
#include "project.h"
#include "testing.h"
#include "throwaway.h"

enum { TIME_LIMIT_S = 300, DISK_SIZE = 1 << 20, SOURCE_SIZE_MAX = 1 << 20 };
enum { VIRTIO_ID_BLOCK = 2, VIRTIO_ID_RNG = 4 };
#define CASES_FOLDER "test/kernel"
#define BUILD_FOLDER "build/test/kernel"
#define ALONE        "boots alone"

struct kernel_test {
    const struct cli *cli;
    struct decisions *decisions;
    const struct nip_manifest *manifest;
    struct test_report *report;
};

// ---- the driver of a test ----

static void print_manifest(const struct kernel_test *test, const char *name, struct nip_buffer *out)
{
    const struct nip_manifest *manifest = test->manifest;
    bool has_console = false;
    nip_buffer_append_format(out,
                             "package \"local/test-%s\" version=\"0.1.0\" {\n"
                             "    kind \"driver\"; security-version 1; abi %u\n"
                             "    license \"Apache-2.0\"; arch",
                             name, (unsigned)manifest->identity.abi_version);
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++)
        if ((manifest->identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            nip_buffer_append_format(out, " \"%s\"", nip_arch_name(arch_all[a]));
    nip_buffer_append_text(out, "\n}\nneeds {\n");
    for (uint32_t i = 0; i < manifest->provides_count; i++) {
        const struct rumpk_bkdl_service *service = &manifest->provides[i];
        has_console = has_console || strcmp(service->name, "console") == 0;
        nip_buffer_append_format(out, "    service \"%s\" %u style=\"%s\"\n", service->name,
                                 (unsigned)service->version, nip_style_name(service->style));
    }
    if (!has_console)
        nip_buffer_append_text(out, "    service \"console\" 1 style=\"stream\" optional=#true\n");
    nip_buffer_append_text(out, "}\n");
}

static enum nip_code copy_file(const char *from, const char *to, struct nip_error *err)
{
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(from, SOURCE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = project_write_file(to, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

// Makes build/test/kernel/NAME a project. What has been built there stays.
static enum nip_code make_project(const struct kernel_test *test, const char *name, char *folder,
                                  struct nip_error *err)
{
    char from[CLI_PATH_SIZE], to[CLI_PATH_SIZE];
    struct nip_buffer text = {0};
    if (!nip_name_part_is_valid(name, strlen(name)) || strlen(name) > NIP_NAME_PART_MAX - 5) {
        nip_error_set(err, NIP_ERROR_NAME, "a test cannot be called " CASES_FOLDER "/%s.c", name);
        nip_error_hint(err, "use small letters, digits and single hyphens, at most %d of them",
                       NIP_NAME_PART_MAX - 5);
        return NIP_ERROR_NAME;
    }
    snprintf(folder, CLI_PATH_SIZE, BUILD_FOLDER "/%s", name);
    snprintf(from, sizeof from, CASES_FOLDER "/%s.c", name);
    project_path(to, folder, "src/main.c");
    enum nip_code code = copy_file(from, to, err);
    sdk_path(&test->decisions->sdk, from, "licenses/Apache-2.0.txt");
    project_path(to, folder, "LICENSES/Apache-2.0.txt");
    if (code == NIP_OK)
        code = copy_file(from, to, err);
    snprintf(from, sizeof from, CASES_FOLDER "/%s.kdl", name);
    project_path(to, folder, NIP_MANIFEST_FILE);
    if (code == NIP_OK && nip_fs_kind(from) == NIP_FS_FILE)
        return copy_file(from, to, err);
    print_manifest(test, name, &text);
    if (code == NIP_OK)
        code = project_write_file(to, text.data, text.size, 0644, err);
    nip_buffer_free(&text);
    return code;
}

// ---- a boot ----

static enum nip_code make_disk(const char *folder, char *path, struct nip_error *err)
{
    project_path(path, folder, "disk");
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, DISK_SIZE) != 0) {
        nip_error_set_errno(err, errno, "cannot make a disk for the test in %s", folder);
        if (file >= 0)
            close(file);
        return err->code;
    }
    close(file);
    return NIP_OK;
}

static void describe_failure(struct nip_json *runs, const char *console, struct nip_buffer *out)
{
    const struct nip_json *run = nip_json_at(runs, 0);
    const struct nip_json *packages = nip_json_get(run, "packages");
    const char *end = nip_json_get_text(run, "end");
    nip_buffer_append_format(out, "%s\n", end != NULL ? end : "the machine said nothing");
    for (size_t i = 0; i < nip_json_count(packages); i++) {
        const struct nip_json *package = nip_json_at(packages, i);
        nip_buffer_append_format(out, "%s %s: %s\n", nip_json_get_text(package, "outcome"),
                                 nip_json_get_text(package, "name"),
                                 nip_json_get_text(package, "words"));
    }
    nip_buffer_append_format(out, "console:\n%s", console);
}

static enum nip_code run_machine(const struct kernel_test *test, const struct throwaway *throwaway,
                                 const char *name, struct nip_error *err)
{
    struct nip_buffer image = {0}, console = {0}, words = {0};
    struct nip_image_report *report = NULL;
    struct nip_machine machine = {0};
    struct emulator_result *result = calloc(1, sizeof *result);
    char folder[CLI_PATH_SIZE] = "", disk[CLI_PATH_SIZE], log[CLI_PATH_SIZE], suite[32];
    int output = -1;
    enum nip_code code =
        result != NULL ? NIP_OK : nip_error_set(err, NIP_ERROR_MEMORY, "no memory");
    if (code == NIP_OK)
        code = imaging_build(throwaway->imaging, &test->decisions->sdk, NULL, throwaway->arch,
                             &image, &report, err);
    if (code == NIP_OK)
        code = sdk_machine(&test->decisions->sdk, throwaway->arch, NULL, &machine, err);
    if (code == NIP_OK)
        code = cleanup_make_folder(folder, sizeof folder, err);
    if (code == NIP_OK) {
        project_path(log, folder, "console");
        output = open(log, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (output < 0)
            code = nip_error_set_errno(err, errno, "cannot write to %s", folder);
    }
    struct emulator_options options = {.machine = &machine,
                                       .image = image.data,
                                       .image_size = image.size,
                                       .time_limit_s = TIME_LIMIT_S,
                                       .output = output};
    options.with_rng = report != NULL && throwaway_wants(report, VIRTIO_ID_RNG);
    if (code == NIP_OK && throwaway_wants(report, VIRTIO_ID_BLOCK)) {
        code = make_disk(folder, disk, err);
        options.disks[options.disk_count++] = disk;
    }
    if (code == NIP_OK)
        code = emulator_run(&options, result, err);
    if (code == NIP_OK && result->end == EMULATOR_END_INTERRUPTED)
        code = nip_error_set(err, NIP_ERROR_FAILED, "interrupted");
    if (code == NIP_OK) {
        struct outcome_input input = {throwaway->arch, machine.name, report, result,
                                      throwaway->imagedef};
        struct nip_json *runs = nip_json_make_array();
        struct nip_error cause = {0};
        bool failed = result->end != EMULATOR_END_POWER_OFF;
        outcome_show(test->cli, &input, runs, &failed);
        if (nip_fs_read(log, SOURCE_SIZE_MAX, &console, &cause) != NIP_OK)
            nip_buffer_clear(&console);
        describe_failure(runs, nip_buffer_text(&console), &words);
        snprintf(suite, sizeof suite, "kernel.%s", nip_arch_name(throwaway->arch));
        struct test_case *item =
            test_report_add(test->report, suite, name, !failed, nip_buffer_text(&words));
        if (item != NULL)
            item->seconds = result->seconds;
        nip_json_free(runs);
    }
    if (output >= 0)
        close(output);
    cleanup_remove_path(folder);
    nip_machine_free(&machine);
    nip_image_report_free(report);
    nip_buffer_free(&image);
    nip_buffer_free(&console);
    nip_buffer_free(&words);
    free(result);
    return code;
}

// `folder` NULL: the package alone.
static enum nip_code run_case(const struct kernel_test *test, uint32_t arch, const char *name,
                              const char *folder, struct nip_error *err)
{
    struct throwaway throwaway = {0};
    cli_say(test->cli, "testing    %s, %s", nip_arch_name(arch), name);
    // Building is not what a test reports.
    struct cli quiet = *test->cli;
    quiet.is_quiet = true;
    enum nip_code code = throwaway_open(&throwaway, &quiet, test->decisions, arch, err);
    if (code == NIP_OK)
        code = throwaway_add(&throwaway, ".", err);
    if (code == NIP_OK && folder != NULL)
        code = throwaway_add(&throwaway, folder, err);
    if (code == NIP_OK)
        code = throwaway_complete(&throwaway, err);
    if (code == NIP_OK)
        code = run_machine(test, &throwaway, name, err);
    throwaway_close(&throwaway);
    return code;
}

enum nip_code testing_kernel(const struct cli *cli, struct decisions *decisions,
                             const struct nip_manifest *manifest, uint32_t arch_mask,
                             struct test_report *report, struct nip_error *err)
{
    struct kernel_test test = {cli, decisions, manifest, report};
    struct nip_fs_names names = {0};
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(CASES_FOLDER) == NIP_FS_FOLDER)
        code = nip_fs_list(CASES_FOLDER, &names, err);
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        size_t count = 0;
        if ((arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
            char name[128], folder[CLI_PATH_SIZE];
            size_t size = strlen(names.names[i]);
            if (size < 3 || size >= sizeof name || strcmp(names.names[i] + size - 2, ".c") != 0)
                continue;
            snprintf(name, sizeof name, "%.*s", (int)size - 2, names.names[i]);
            code = make_project(&test, name, folder, err);
            if (code == NIP_OK)
                code = run_case(&test, arch_all[a], name, folder, err);
            count++;
        }
        if (code == NIP_OK && count == 0)
            code = run_case(&test, arch_all[a], ALONE, NULL, err);
    }
    nip_fs_names_free(&names);
    return code;
}
