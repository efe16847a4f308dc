// SPDX-License-Identifier: Apache-2.0
//
// A bar for long work, in the last line of a terminal:
//
//   building  [############............] 12/24 src/queue.c (riscv64)
//
// Only when standard error is a terminal that can erase a line, and not with --json, -q, --verbose
// or `progress "never"`; in a pipe or a log there are the plain lines of cli_say() and nothing
// else. Whatever prints through terminal.c erases the bar first, and the next step draws it again
// below. The modes of the terminal are never changed, so nothing has to be restored whatever ends
// the process.

#ifndef NIP_CLI_PROGRESS_H
#define NIP_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"

struct progress {
    const struct cli *cli;
    const char *label;
    size_t total, done;
    bool is_shown; // false: another bar is there already, or none is wanted
};

// `total` steps are to come; 0: nobody knows how many, and they are only counted. `label` is a few
// letters, and outlives the bar.
void progress_begin(struct progress *progress, const struct cli *cli, const char *label,
                    size_t total);
// The next step begins; those before are done. `what` may be foreign text.
void progress_step(struct progress *progress, const char *what);
// Erases the bar. Needed once for each begin, on every way out.
void progress_end(struct progress *progress);

// Erases the bar if there is one: something is about to be printed.
void progress_hide(void);
// Erases it for good: the process ends. From any thread.
void progress_stop(void);

#endif
