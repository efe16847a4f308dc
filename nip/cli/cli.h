// SPDX-License-Identifier: Apache-2.0
//
// What every command of the tool stands on: its parsed command line, and how it speaks.
//
// There are three channels. What the user asked for (a report, a fingerprint, JSON) goes to
// standard output; how the work goes on ("built ...", "next: ...") goes to standard output too,
// unless --json or -q is given; warnings, errors and questions go to standard error. Everything
// that is printed passes nip_escape_lines(), so a command may put foreign text into any message.

#ifndef NIP_CLI_CLI_H
#define NIP_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "nip/buffer.h"
#include "nip/error.h"

struct cli;

#define CLI_GROUP_ABOUT "About nip" // the group of commands that tell about nip itself

enum {
    CLI_OPTIONS_MAX = 32, // options of one command line, repeated ones included
    CLI_OPERANDS_MAX = 64,
    CLI_PATH_SIZE = 4096,
};

struct cli_option_spec {
    const char *name;     // long name without dashes; NULL ends a list
    char letter;          // short form or 0
    const char *argument; // what it takes ("FILE"), NULL for a flag
    const char *help;
};

struct cli_example {
    const char *line; // NULL ends a list
    const char *what;
};

struct cli_command {
    const char *name; // one word, or two ("key new")
    const char *group;
    const char *summary;     // one line, no full stop
    const char *operands;    // "[NAME]", as shown in the synopsis
    const char *description; // paragraphs; newline between lines
    const struct cli_option_spec *options;
    const struct cli_example *examples;
    size_t operand_min, operand_max;
    enum nip_code (*run)(struct cli *cli, struct nip_error *err);
};

struct cli_value {
    const char *name;
    const char *text; // NULL for a flag
};

struct cli {
    const struct cli_command *command;
    bool is_json, is_quiet, is_verbose;
    bool color_out, color_err;
    struct cli_value values[CLI_OPTIONS_MAX];
    size_t value_count;
    const char *operands[CLI_OPERANDS_MAX];
    size_t operand_count;
};

// The commands, in the order in which help shows them (commands.c).
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;
extern const struct cli_option_spec cli_global_options[];

bool cli_flag(const struct cli *cli, const char *name);
// The value of the last --name, or NULL.
const char *cli_option(const struct cli *cli, const char *name);
// The value of occurrence number `index` of --name, or NULL.
const char *cli_option_at(const struct cli *cli, const char *name, size_t index);
// Operand number `index`, or NULL.
const char *cli_operand(const struct cli *cli, size_t index);

// How work goes on. Silent with -q; on standard error with --json. A newline is added.
void cli_say(const struct cli *cli, const char *format, ...) NIP_PRINTF(2, 3);
// Only with --verbose.
void cli_detail(const struct cli *cli, const char *format, ...) NIP_PRINTF(2, 3);
// What was asked for: always on standard output. A newline is added.
void cli_print(const struct cli *cli, const char *format, ...) NIP_PRINTF(2, 3);
// The last line of a command that succeeded: which command comes next.
void cli_next(const struct cli *cli, const char *format, ...) NIP_PRINTF(2, 3);
// What another program said, on standard error, without a label.
void cli_relay(const struct cli *cli, const char *text);
void cli_warn(const struct cli *cli, const char *format, ...) NIP_PRINTF(2, 3);
// `good`: green, otherwise red; padded to `width` columns, for tables.
void cli_print_verdict(const struct cli *cli, bool good, const char *label, const char *format, ...)
    NIP_PRINTF(4, 5);
// One line, all of it green or red.
void cli_print_verdict_whole(const struct cli *cli, bool good, const char *format, ...)
    NIP_PRINTF(3, 4);
// error: ... with place, source line, caret and help.
void cli_show_error(bool color, const struct nip_error *err);
// A question on the terminal; false when there is none, or the answer is not yes.
bool cli_has_terminal(void);
enum nip_code cli_ask_yes(const struct cli *cli, const char *question, bool *yes,
                          struct nip_error *err) NIP_MUST_CHECK;

// Bytes as people read them: "812 B", "13.4 KiB", "2.0 MiB".
const char *cli_size_text(unsigned long long size, char out[32]);

// The candidate nearest to `text`, or NULL when none is near. The list ends with NULL.
const char *cli_nearest(const char *text, const char *const *candidates);

// help.c
enum nip_code cli_parse(struct cli *cli, int argc, char **argv,
                        struct nip_error *err) NIP_MUST_CHECK;
void cli_help_command(const struct cli *cli, const struct cli_command *command);
void cli_help_overview(const struct cli *cli);
enum nip_code cli_help(struct cli *cli, struct nip_error *err);

#endif
