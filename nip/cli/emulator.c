// SPDX-License-Identifier: Apache-2.0
//
// One run of an image: start, forward, stop, read the results, end.
//
//   write image ─> start, held ─> greeting, go on ─> run ──power-off, reset, Ctrl-C, limit──> quit
//                     │                             └──power-off of riscv64 ends it──┐      │
//                     └─ no greeting: its own words are the error                    v      v
//                                                        ledger, boot record <── read the RAM file
//
// The results are looked up at the symbols of the image: VA = PA, so an address is an address.

#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest.h"
#include "nip/elf.h"
#include "nip/fs.h"
#include "nip/manifest.h"
#include "process.h"

enum {
    PATH_SIZE = 4096,
    GREETING_MS = 10000,
    COMMAND_MS = 10000,
    END_MS = 5000,
};

struct run {
    const struct emulator_options *options;
    struct emulator_result *result;
    char folder[PATH_SIZE]; // private, removed at the end
    char image[PATH_SIZE];
    char ram[PATH_SIZE];
    char words[256]; // what the emulator said
    struct guest guest;
};

static void notice(const struct run *run, bool is_warning, const char *format, ...)
    NIP_PRINTF(3, 4);

static void notice(const struct run *run, bool is_warning, const char *format, ...)
{
    char line[2 * PATH_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (run->options->notice)
        run->options->notice(run->options->context, is_warning, line);
}

static const char *debian_package(uint32_t arch)
{
    return arch == RUMPK_ARCH_X86_64    ? "qemu-system-x86"
           : arch == RUMPK_ARCH_AARCH64 ? "qemu-system-arm"
                                        : "qemu-system-misc";
}

// ---- results ----

// Reads `size` bytes of the guest's memory at a symbol; false with the reason in `trouble`.
static bool read_memory(struct run *run, const char *symbol, void *out, size_t size)
{
    struct emulator_result *result = run->result;
    const struct nip_machine *machine = run->options->machine;
    struct nip_error err = {.code = NIP_OK};
    uint64_t address;
    if (nip_elf_find_symbol(run->options->image, run->options->image_size, "the image", symbol,
                            &address, NULL, &err) != NIP_OK) {
        snprintf(result->trouble, sizeof result->trouble, "%.200s", err.message);
        return false;
    }
    int ram = open(run->ram, O_RDONLY | O_CLOEXEC);
    bool is_read = ram >= 0 && address >= machine->ram_base &&
                   pread(ram, out, size, (off_t)(address - machine->ram_base)) == (ssize_t)size;
    if (!is_read)
        snprintf(result->trouble, sizeof result->trouble, "cannot read %s out of the guest: %s",
                 symbol, ram < 0 ? strerror(errno) : "it lies outside its memory");
    if (ram >= 0)
        close(ram);
    return is_read;
}

static void read_results(struct run *run)
{
    struct emulator_result *result = run->result;
    struct nip_error err = {.code = NIP_OK};
    uint8_t record[sizeof(struct rumpk_boot_record)];
    size_t ledger_size = sizeof(struct rumpk_ledger);
    uint8_t *ledger = malloc(ledger_size);
    if (read_memory(run, NIP_BOOT_RECORD_SYMBOL, record, sizeof record)) {
        result->has_boot_record =
            nip_boot_record_decode(record, sizeof record, &result->boot_record, &err) == NIP_OK;
        if (!result->has_boot_record)
            snprintf(result->trouble, sizeof result->trouble, "%.250s", err.message);
    }
    if (ledger && read_memory(run, NIP_LEDGER_SYMBOL, ledger, ledger_size)) {
        result->has_ledger =
            nip_ledger_decode(ledger, ledger_size, &result->ledger, &err) == NIP_OK;
        if (!result->has_ledger)
            snprintf(result->trouble, sizeof result->trouble, "%.250s", err.message);
    }
    free(ledger);
}

// ---- the run ----

static enum nip_code make_command(struct run *run, struct nip_machine_arguments *arguments,
                                  struct nip_error *err)
{
    // -S: the guest is held until the monitor is on. Before that no events are told, and a guest
    // that ends so early would be waited for in vain.
    static const char *const always[] = {
        "-S",       "-no-shutdown",
        "-chardev", "socket,id=monitor,fd=3",
        "-mon",     "chardev=monitor,mode=control",
    };
    _Static_assert(GUEST_MONITOR_DESCRIPTOR == 3, "the argument above names it");
    const struct emulator_options *options = run->options;
    struct nip_machine_options line = {
        .kernel = run->image,
        .ram = run->ram,
        .memory_mib = options->memory_mib,
        .disk_count = options->disk_count,
        .with_rng = options->with_rng,
        .gdb_port = options->gdb_port,
    };
    for (size_t i = 0; i < NIP_MACHINE_DISK_MAX; i++)
        line.disks[i] = options->disks[i];
    char program[PATH_SIZE];
    enum nip_code code =
        process_find(options->machine->qemu, debian_package(options->machine->arch), program,
                     sizeof program, err);
    if (code == NIP_OK)
        code = nip_machine_arguments_make(options->machine, &line, arguments, err);
    for (size_t i = 0; i < sizeof always / sizeof always[0] && code == NIP_OK; i++)
        code = nip_machine_arguments_add(arguments, always[i], err);
    if (code == NIP_OK) {
        char *copy = strdup(program);
        if (!copy)
            code = nip_error_set(err, NIP_ERROR_MEMORY, "no memory for a program name");
        free(arguments->list[0]);
        arguments->list[0] = copy;
    }
    return code;
}

static enum nip_code write_image(struct run *run, struct nip_error *err)
{
    enum nip_code code = cleanup_make_folder(run->folder, sizeof run->folder, err);
    if (code != NIP_OK) {
        run->folder[0] = '\0';
        return code;
    }
    int image = snprintf(run->image, sizeof run->image, "%s/image.elf", run->folder);
    int ram = snprintf(run->ram, sizeof run->ram, "%s/ram", run->folder);
    if (image >= (int)sizeof run->image || ram >= (int)sizeof run->ram)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the path in TMPDIR is too long");
    return nip_fs_write(run->image, run->options->image, run->options->image_size, 0600, err);
}

// Waits for the greeting and turns the monitor on. The emulator's own words explain a failure.
static enum nip_code await_greeting(struct run *run, struct nip_error *err)
{
    struct guest *guest = &run->guest;
    int64_t end = guest_clock_ms() + GREETING_MS;
    while (!guest->has_greeting && guest->monitor >= 0 && guest_clock_ms() < end &&
           !guest->was_interrupted)
        guest_pump(guest, 100);
    if (guest->has_greeting &&
        guest_command(guest, "{\"execute\":\"qmp_capabilities\"}", COMMAND_MS))
        return NIP_OK;
    if (guest->was_interrupted)
        return NIP_OK;
    guest_pump(guest, 100); // its last words
    nip_error_set(err, NIP_ERROR_RUN, "%s did not start: %s", run->options->machine->qemu,
                  guest->trouble.size ? nip_buffer_text(&guest->trouble) : "it said nothing");
    nip_error_hint(err, "A disk that cannot be opened, a port that is in use and another version "
                        "of the emulator are the usual reasons.");
    return NIP_ERROR_RUN;
}

static void tell_version(const struct run *run)
{
    const struct nip_machine *machine = run->options->machine;
    char *dot;
    unsigned long major = strtoul(machine->version, &dot, 10);
    unsigned long minor = *dot == '.' ? strtoul(dot + 1, NULL, 10) : 0;
    if (*dot == '.' && (major != run->guest.version_major || minor != run->guest.version_minor))
        notice(run, true,
               "%s is version %" PRIu32 ".%" PRIu32 ", tested was %s: if the guest behaves oddly, "
               "try that one",
               machine->qemu, run->guest.version_major, run->guest.version_minor, machine->version);
}

static void tell_debugger(const struct run *run)
{
    const char *file = run->options->gdb_file ? run->options->gdb_file : run->image;
    unsigned port = run->options->gdb_port;
    if (port == 0)
        return;
    notice(run, false,
           "the guest waits for a debugger on port %u. In another terminal, one of:", port);
    notice(run, false, "  lldb-19 -o 'gdb-remote 127.0.0.1:%u' '%s'", port, file);
    notice(run, false, "  gdb-multiarch -ex 'target remote 127.0.0.1:%u' '%s'", port, file);
}

static void run_guest(struct run *run)
{
    struct guest *guest = &run->guest;
    int64_t end = guest_clock_ms() + (int64_t)run->options->time_limit_s * 1000;
    bool is_limited = run->options->time_limit_s != 0;
    bool is_there = true;
    while (is_there && !guest->has_shutdown && !guest->was_interrupted) {
        int64_t left = end - guest_clock_ms();
        if (is_limited && left <= 0) {
            run->result->end = EMULATOR_END_TIME_LIMIT;
            return;
        }
        is_there =
            guest_pump(guest, is_limited && left < 1000 ? (int)left : 1000) && guest->monitor >= 0;
    }
    run->result->end = guest->has_shutdown && guest->was_reset ? EMULATOR_END_RESET
                       : guest->has_shutdown                   ? EMULATOR_END_POWER_OFF
                       : guest->was_interrupted                ? EMULATOR_END_INTERRUPTED
                                                               : EMULATOR_END_GONE;
}

// From the started emulator to its end. What happens after the greeting is a result, no error.
static enum nip_code watch(struct run *run, struct nip_error *err)
{
    struct guest *guest = &run->guest;
    enum nip_code code = await_greeting(run, err);
    if (code != NIP_OK)
        return code;
    if (guest->has_greeting)
        tell_version(run);
    tell_debugger(run);
    if (run->options->gdb_port == 0) // else the debugger starts it
        guest_command(guest, "{\"execute\":\"cont\"}", COMMAND_MS);
    run_guest(run);
    if (run->result->end != EMULATOR_END_GONE &&
        !guest_command(guest, "{\"execute\":\"quit\"}", COMMAND_MS))
        guest->signal_count = 2; // it does not listen: end it at once
    return NIP_OK;
}

// The emulator has ended: why, where it did so by itself, and what it left.
static void conclude(struct run *run)
{
    struct emulator_result *result = run->result;
    if (result->end == EMULATOR_END_GONE && WIFEXITED(run->guest.exit_status) &&
        WEXITSTATUS(run->guest.exit_status) == 0)
        result->end = EMULATOR_END_POWER_OFF;
    read_results(run);
    if (result->end == EMULATOR_END_GONE)
        snprintf(result->trouble, sizeof result->trouble, "the emulator ended by itself: %.200s",
                 run->words[0] ? run->words : "it said nothing");
}

enum nip_code emulator_run(const struct emulator_options *options, struct emulator_result *result,
                           struct nip_error *err)
{
    struct nip_machine_arguments arguments = {.count = 0};
    struct run *run = calloc(1, sizeof *run);
    memset(result, 0, sizeof *result);
    result->end = EMULATOR_END_GONE;
    if (!run)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for a run");
    run->options = options;
    run->result = result;
    int64_t start = guest_clock_ms();
    enum nip_code code = write_image(run, err);
    if (code == NIP_OK)
        code = make_command(run, &arguments, err);
    if (code == NIP_OK)
        code = guest_start(&run->guest, arguments.list, options->output, options->escapes_output,
                           options->machine->firmware_last, err);
    if (code == NIP_OK) {
        code = watch(run, err);
        snprintf(run->words, sizeof run->words, "%.*s", (int)run->guest.trouble.size,
                 nip_buffer_text(&run->guest.trouble));
        guest_end(&run->guest, END_MS);
        if (code == NIP_OK)
            conclude(run);
    }
    result->console_size = run->guest.console_size;
    result->seconds = (double)(guest_clock_ms() - start) / 1000;
    nip_machine_arguments_free(&arguments);
    cleanup_remove_path(run->folder);
    free(run);
    return code;
}
