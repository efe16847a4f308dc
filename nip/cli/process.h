// SPDX-License-Identifier: Apache-2.0
//
// Starting other programs: never through a shell, always with the signals that the watcher blocks
// given back, and registered with it while they run.

#ifndef NIP_CLI_PROCESS_H
#define NIP_CLI_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "nip/buffer.h"
#include "nip/error.h"

// Finds `name` on PATH. TOOL with the package that brings it when it is not there.
enum nip_code process_find(const char *name, const char *debian_package, char *out, size_t out_size,
                           struct nip_error *err) NIP_MUST_CHECK;

// Runs argv[0] (a path) and waits. Standard output goes to `output` (NULL: to /dev/null), standard
// error too when `with_errors` (else to nip's own). `status`: exit status, or 128 + signal.
enum nip_code process_run(const char *const *argv, const char *folder, struct nip_buffer *output,
                          bool with_errors, int *status, struct nip_error *err) NIP_MUST_CHECK;

// A program among several that run at once.
struct process_job {
    const char *const *argv;
    const char *folder;       // NULL: the current one
    bool has_children;        // starts programs itself: a signal that ends nip ends them all
    struct nip_buffer output; // both channels
    int status;
    bool is_done;
};

// Runs all jobs, at most `parallel` at once, and calls `done` as each ends (in the order in which
// they end). Stops starting new ones after a failure. NIP_OK even if a job failed: look at its
// status.
enum nip_code process_run_jobs(struct process_job *jobs, size_t count, size_t parallel,
                               void (*done)(struct process_job *job, void *context), void *context,
                               struct nip_error *err) NIP_MUST_CHECK;

// The line as a person would type it, words quoted where a shell needs it.
void process_line(const char *const *argv, struct nip_buffer *out);
size_t process_parallel(void);

#endif
