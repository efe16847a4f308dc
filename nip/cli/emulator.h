// SPDX-License-Identifier: Apache-2.0
//
// Runs an image in the emulator and reads its results out of the guest's memory.
//
// The kernel is silent, so the console that a person sees is a driver's, forwarded as it comes; and
// what started, was refused or faulted stands in the kernel's ledger. The guest's RAM is a private
// file, out of which ledger and boot record are read after the run, however it ended: power-off,
// reset, Ctrl-C, the time limit, or the emulator's own end (which is what a power-off is on
// riscv64).

#ifndef NIP_CLI_EMULATOR_H
#define NIP_CLI_EMULATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"
#include "nip/ledger.h"
#include "nip/machine.h"

enum emulator_end {
    EMULATOR_END_POWER_OFF,   // the guest powered itself off: the normal end
    EMULATOR_END_INTERRUPTED, // Ctrl-C or SIGTERM
    EMULATOR_END_TIME_LIMIT,
    EMULATOR_END_RESET, // the guest reset itself
    EMULATOR_END_GONE,  // the emulator ended by itself; nothing could be read
};

struct emulator_options {
    const struct nip_machine *machine;
    const uint8_t *image; // the image, also written to a private file for the emulator
    size_t image_size;
    uint32_t memory_mib; // 0: the machine's default
    const char *disks[NIP_MACHINE_DISK_MAX];
    uint32_t disk_count;
    bool with_rng;
    uint16_t gdb_port;     // 0: none. Else the guest waits; `notice` gets the debugger's line
    const char *gdb_file;  // file with the kernel's symbols named in that line; NULL: the image
    uint32_t time_limit_s; // 0: none
    int output;            // file descriptor for the guest's console
    bool escapes_output;   // show control characters instead of sending them: for a terminal
    // Called with lines for the person (no newline): how to attach a debugger, or, as a warning,
    // that this version of the emulator was not tested. May be NULL.
    void (*notice)(void *context, bool is_warning, const char *line);
    void *context;
};

struct emulator_result {
    enum emulator_end end;
    uint64_t console_size; // bytes that the guest wrote
    bool has_ledger, has_boot_record;
    struct nip_ledger ledger;
    struct rumpk_boot_record boot_record;
    char trouble[256]; // why ledger or boot record could not be read; ""
    double seconds;    // wall time from the emulator's start to its end
};

// Runs to one of the ends above; all of them are NIP_OK. TOOL when the emulator is missing, RUN
// when it could not be started (its own words are in the message), IO. While it runs SIGINT and
// SIGTERM mean "stop the guest", a second one "at once"; the former handlers are put back. No
// temporary file and no process is left behind.
enum nip_code emulator_run(const struct emulator_options *options, struct emulator_result *result,
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
