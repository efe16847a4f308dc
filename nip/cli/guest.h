// SPDX-License-Identifier: Apache-2.0
//
// The emulator as a process with four channels, and the talk over its monitor (QMP). One level
// below emulator.h: this knows how to speak, that knows what to say.
//
//   console   its standard output: what the guest writes        read, forwarded
//   errors    its standard error: its own complaints            kept, the first 2 KiB
//   monitor   one JSON object per line, both ways, over a socket pair that nobody else can reach
//   signals   a pipe that the signal handlers write to
//
// Whoever waits for anything waits in guest_pump(), which serves all of them, so that no channel
// can fill up and stop the emulator.

#ifndef NIP_CLI_GUEST_H
#define NIP_CLI_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nip/buffer.h"
#include "nip/error.h"

struct guest {
    pid_t pid; // 0: not running
    int console, errors, monitor, signals, signals_write; // -1: closed
    int output;
    bool escapes_output;
    const char *firmware_last; // how the firmware's last line begins; NULL: it is over
    struct nip_buffer held;    // what may still be the firmware's
    uint64_t console_size;
    uint8_t tail[4]; // a character that is not complete yet
    size_t tail_size;
    struct nip_buffer line;   // of the monitor, incomplete
    struct nip_buffer trouble; // what stood on standard error
    // What has been heard so far.
    bool has_greeting, has_shutdown, was_reset, was_interrupted, is_output_gone;
    uint32_t signal_count;
    uint32_t version_major, version_minor;
    int exit_status; // of waitpid(), once pid is 0 again
    bool has_reply, is_reply_good;
    char reply_error[160];
};

// Starts argv[0] (a path), whose monitor becomes file descriptor GUEST_MONITOR_DESCRIPTOR. SIGINT
// and SIGTERM are caught from now on.
enum { GUEST_MONITOR_DESCRIPTOR = 3 };
// `firmware_last` NULL or "": nothing is held back.
enum nip_code guest_start(struct guest *guest, char *const *argv, int output, bool escapes_output,
                          const char *firmware_last, struct nip_error *err) NIP_MUST_CHECK;

// Serves all channels until something was heard or `wait_ms` (-1: no limit) is over. false: the
// emulator is gone (console and monitor are closed).
bool guest_pump(struct guest *guest, int wait_ms);

// Says one command (JSON object as text) and waits for its answer. false: none, or an error, which
// `reply_error` then holds.
bool guest_command(struct guest *guest, const char *command, int wait_ms);

// Waits for the process to end, kills it when it does not, forwards the rest of the console, puts
// the signal handlers back, closes everything. Safe to call twice, and after a failed start.
void guest_end(struct guest *guest, int wait_ms);

// Milliseconds of a clock that only goes forward.
int64_t guest_clock_ms(void);

#endif
