// SPDX-License-Identifier: Apache-2.0
//
// nip run: boot what is in this folder.
//
// In a driver project the image is made up on the spot: the driver, the machine's console driver
// unless the driver is one itself, and from the SDK one provider for everything else that it needs.
// It is signed with the development key and lies in no file but the emulator's own temporary one.

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "imaging.h"
#include "keystore.h"
#include "nip/fs.h"
#include "outcome.h"
#include "project.h"
#include "providers.h"
#include "report.h"
#include "throwaway.h"

enum { GDB_PORT = 1234, SECTOR_SIZE = 512, VIRTIO_ID_RNG = 4 };

struct run {
    struct cli *cli;
    struct decisions decisions;
    uint32_t arch_mask;
    struct emulator_options options; // what the command line says
    const char *machine;             // name; NULL: the usual one of each architecture
    struct nip_json *runs;           // with --json
    bool failed;
};

static enum nip_code read_number(const struct cli *cli, const char *name, uint32_t min,
                                 uint32_t max, uint32_t *number, struct nip_error *err)
{
    const char *text = cli_option(cli, name);
    if (text == NULL)
        return NIP_OK;
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < min || value > max) {
        nip_error_set(err, NIP_ERROR_USAGE, "--%s does not take '%s'", name, text);
        nip_error_hint(err, "a whole number from %u to %u", (unsigned)min, (unsigned)max);
        return NIP_ERROR_USAGE;
    }
    *number = (uint32_t)value;
    return NIP_OK;
}

static enum nip_code check_disk(const char *file, struct nip_error *err)
{
    struct stat status;
    if (stat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        nip_error_set(err, NIP_ERROR_MISSING, "there is no disk file %s", file);
        nip_error_hint(err, "make one of 1 MiB: truncate -s 1M '%s'", file);
        return NIP_ERROR_MISSING;
    }
    if (status.st_size == 0 || status.st_size % SECTOR_SIZE != 0) {
        nip_error_set(
            err, NIP_ERROR_FORMAT,
            "the disk %s has %lld bytes; a disk is a whole number of sectors of %d bytes, "
            "at least one",
            file, (long long)status.st_size, SECTOR_SIZE);
        nip_error_hint(err, "enlarge it: truncate -s %%%d '%s'%s", SECTOR_SIZE, file,
                       status.st_size == 0 ? " (after writing something to it)" : "");
        return NIP_ERROR_FORMAT;
    }
    return NIP_OK;
}

static enum nip_code read_options(struct run *run, struct nip_error *err)
{
    const struct cli *cli = run->cli;
    enum nip_code code = arch_mask_parse(cli, &run->arch_mask, err);
    if (code == NIP_OK)
        code = read_number(cli, "memory", 1, 65536, &run->options.memory_mib, err);
    if (code == NIP_OK)
        code = read_number(cli, "timeout", 1, 86400, &run->options.time_limit_s, err);
    const char *disk = NULL;
    for (size_t i = 0; code == NIP_OK && (disk = cli_option_at(cli, "disk", i)) != NULL; i++) {
        if (i == NIP_MACHINE_DISK_MAX)
            return nip_error_set(err, NIP_ERROR_USAGE, "more than %d disks", NIP_MACHINE_DISK_MAX);
        code = check_disk(disk, err);
        run->options.disks[run->options.disk_count++] = disk;
    }
    run->machine = cli_option(cli, "machine");
    if (cli_flag(cli, "gdb"))
        run->options.gdb_port = GDB_PORT;
    run->options.output = cli->is_json ? STDERR_FILENO : STDOUT_FILENO;
    return code;
}

static void notice(void *context, bool is_warning, const char *line)
{
    const struct run *run = context;
    if (is_warning)
        cli_warn(run->cli, "%s", line);
    else
        cli_say(run->cli, "%s", line);
}

// A machine that only some architectures have says which is meant; one that none has is an error.
static enum nip_code choose_machine(struct run *run, struct nip_error *err)
{
    uint32_t mask = sdk_machine_arches(&run->decisions.sdk, run->machine);
    if (run->arch_mask == 0 && (mask & RUMPK_ARCH_BIT(arch_default())) == 0)
        run->arch_mask = mask;
    for (size_t a = 0; a < RUMPK_ARCH_COUNT; a++) {
        struct nip_machine machine = {0};
        uint32_t wanted = run->arch_mask != 0 ? run->arch_mask : RUMPK_ARCH_BIT(arch_default());
        if ((wanted & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        enum nip_code code =
            sdk_machine(&run->decisions.sdk, arch_all[a], run->machine, &machine, err);
        nip_machine_free(&machine);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

// Boots finished bytes. `imagedef` says which packages are local work, and may be NULL; `report`
// too.
static enum nip_code boot_image(struct run *run, const struct nip_buffer *image, uint32_t arch,
                                const struct nip_image_report *report,
                                const struct nip_imagedef *imagedef, struct nip_error *err)
{
    struct nip_machine machine = {0};
    struct emulator_result *result = calloc(1, sizeof *result);
    enum nip_code code = result != NULL
                             ? sdk_machine(&run->decisions.sdk, arch, run->machine, &machine, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    struct emulator_options options = run->options;
    options.machine = &machine;
    options.image = image->data;
    options.image_size = image->size;
    options.with_rng = report != NULL && throwaway_wants(report, VIRTIO_ID_RNG);
    options.notice = notice;
    options.context = run;
    if (code == NIP_OK) {
        cli_say(run->cli, "booting    %s, %s", nip_arch_name(arch), machine.name);
        code = emulator_run(&options, result, err);
    }
    if (code == NIP_OK) {
        struct outcome_input input = {arch, machine.name, report, result, imagedef};
        outcome_show(run->cli, &input, run->runs, &run->failed);
    }
    nip_machine_free(&machine);
    free(result);
    return code;
}

static enum nip_code boot(struct run *run, const struct imaging *imaging, uint32_t arch,
                          struct nip_error *err)
{
    struct nip_buffer image = {0};
    struct nip_image_report *report = NULL;
    enum nip_code code =
        imaging_build(imaging, &run->decisions.sdk, NULL, arch, &image, &report, err);
    if (code == NIP_ERROR_CONFLICT)
        providers_suggest(run->cli, &run->decisions, imaging, arch, err);
    if (code == NIP_OK)
        code = boot_image(run, &image, arch, report, imaging->imagedef, err);
    nip_image_report_free(report);
    nip_buffer_free(&image);
    return code;
}

// ---- finished images ----

// The kernel judges what is in the file; nip only says beforehand what it thinks of it.
static enum nip_code run_file(struct run *run, const char *file, struct nip_error *err)
{
    enum { IMAGE_SIZE_MAX = 256 << 20 };
    struct nip_buffer image = {0};
    struct nip_image_report *report = NULL;
    struct nip_error opinion = {0};
    enum nip_code code = nip_fs_read(file, IMAGE_SIZE_MAX, &image, err);
    uint32_t arch = code == NIP_OK ? nip_image_arch(image.data, image.size) : 0;
    if (code == NIP_OK && arch == 0) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is no image", file);
        nip_error_hint(err, "'nip image' makes images: build/NAME-ARCH.elf");
    }
    if (code == NIP_OK && run->arch_mask != 0 && (run->arch_mask & RUMPK_ARCH_BIT(arch)) == 0)
        code =
            nip_error_set(err, NIP_ERROR_USAGE, "%s is an image for %s", file, nip_arch_name(arch));
    if (code == NIP_OK &&
        nip_image_verify(image.data, image.size, file, NULL, &report, &opinion) != NIP_OK)
        cli_warn(run->cli, "this image is not valid, and its kernel will judge it: %s",
                 opinion.message);
    if (code == NIP_OK)
        code = boot_image(run, &image, arch, report, NULL, err);
    nip_image_report_free(report);
    nip_buffer_free(&image);
    return code;
}

// ---- image projects ----

static enum nip_code run_image(struct run *run, struct nip_error *err)
{
    struct nip_imagedef *imagedef = NULL;
    struct nip_lock *lock = NULL;
    struct project_lock held = PROJECT_LOCK_NONE;
    struct imaging *imaging = calloc(1, sizeof *imaging);
    enum nip_code code = imaging != NULL
                             ? project_read_image(".", &imagedef, err)
                             : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK)
        code = project_lock(&held, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = imaging_resolve(run->cli, &run->decisions, imagedef, lock,
                               cli_flag(run->cli, "relock"), imaging, err);
    if (code == NIP_OK)
        code = project_write_lock(".", lock, err);
    project_unlock(&held); // a machine may run for long
    uint32_t mask = run->arch_mask;
    if (code == NIP_OK && mask == ARCH_MASK_ALL)
        mask = imaging->arch_mask;
    else if (mask == 0)
        mask = RUMPK_ARCH_BIT(arch_default());
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++)
        if ((mask & RUMPK_ARCH_BIT(arch_all[a])) != 0)
            code = boot(run, imaging, arch_all[a], err);
    imaging_free(imaging);
    nip_imagedef_free(imagedef);
    free(lock);
    return code;
}

// ---- driver projects ----

static enum nip_code boot_throwaway(struct run *run, uint32_t arch, struct nip_error *err)
{
    struct throwaway throwaway = {0};
    enum nip_code code = throwaway_open(&throwaway, run->cli, &run->decisions, arch, err);
    if (code == NIP_OK)
        code = throwaway_add(&throwaway, ".", err);
    if (code == NIP_OK)
        code = throwaway_complete(&throwaway, err);
    if (code == NIP_OK)
        code = boot(run, throwaway.imaging, arch, err);
    throwaway_close(&throwaway);
    return code;
}

static enum nip_code run_driver(struct run *run, struct nip_error *err)
{
    struct nip_manifest manifest;
    enum nip_code code = project_read_manifest(".", &manifest, err);
    if (code != NIP_OK)
        return code;
    uint32_t mask = run->arch_mask;
    if (mask == ARCH_MASK_ALL)
        mask &= manifest.identity.arch_mask;
    else if (mask == 0)
        mask = RUMPK_ARCH_BIT(arch_default());
    for (size_t a = 0; code == NIP_OK && a < RUMPK_ARCH_COUNT; a++) {
        if ((mask & RUMPK_ARCH_BIT(arch_all[a])) == 0)
            continue;
        if ((manifest.identity.arch_mask & RUMPK_ARCH_BIT(arch_all[a])) == 0) {
            nip_error_set(err, NIP_ERROR_USAGE, "%s is not made for %s", manifest.identity.name,
                          nip_arch_name(arch_all[a]));
            nip_error_hint(err, "add it to 'arch' in %s, or choose another with --arch",
                           NIP_MANIFEST_FILE);
            return NIP_ERROR_USAGE;
        }
        code = boot_throwaway(run, arch_all[a], err);
    }
    return code;
}

static void say_next(const struct run *run, bool is_image)
{
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    struct nip_error cause = {0};
    size_t count = 0;
    if (is_image)
        cli_next(run->cli, "nip image --report");
    else if (keystore_list(entries, &count, &cause) == NIP_OK && count == 0)
        cli_next(run->cli, "nip key new");
    else
        cli_next(run->cli, "nip publish --registry file:../reg");
}

enum nip_code command_run(struct cli *cli, struct nip_error *err)
{
    struct run run = {.cli = cli};
    enum project_kind kind = project_kind(".");
    const char *file = cli_operand(cli, 0);
    enum nip_code code = read_options(&run, err);
    if (code == NIP_OK && kind == PROJECT_NONE && file == NULL)
        code = project_require(PROJECT_NONE, err);
    if (code == NIP_OK && file != NULL && nip_fs_kind(file) == NIP_FS_FOLDER) {
        code = nip_error_set(err, NIP_ERROR_USAGE,
                             "%s is a folder, and a finished image is "
                             "expected",
                             file);
        nip_error_hint(err, "to run the project in it: nip -C %s run", file);
    }
    if (code == NIP_OK)
        code = decisions_load(&run.decisions, err);
    if (code == NIP_OK && file == NULL &&
        run.machine != NULL) // an image says itself for what it is
        code = choose_machine(&run, err);
    if (code == NIP_OK && cli->is_json)
        run.runs = nip_json_make_array();
    if (code == NIP_OK)
        code = file != NULL            ? run_file(&run, file, err)
               : kind == PROJECT_IMAGE ? run_image(&run, err)
                                       : run_driver(&run, err);
    if (code == NIP_OK && cli->is_json) {
        code = report_json("nip-run-1", "runs", run.runs, err);
        run.runs = NULL;
    }
    if (code == NIP_OK && run.failed) {
        code =
            nip_error_set(err, NIP_ERROR_RUN, "not everything in the machine did what it should");
        nip_error_hint(err, "the lines above say what happened to each package");
    }
    if (code == NIP_OK && file != NULL)
        cli_next(cli, "nip inspect %s", file);
    else if (code == NIP_OK)
        say_next(&run, kind == PROJECT_IMAGE);
    nip_json_free(run.runs);
    decisions_free(&run.decisions);
    return code;
}
