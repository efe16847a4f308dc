// SPDX-License-Identifier: Apache-2.0
//
// One build step: a command line, its inputs and its output, and whether it has to run again.
//
// Only content counts: a step is skipped when the digest over its command line, the toolchain and
// every file that it read is the one that is noted beside its output, and the output itself still
// has the digest noted there.

#ifndef NIP_CLI_BUILD_UNIT_H
#define NIP_CLI_BUILD_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

// Tools write here only: whatever a tool that is killed leaves behind (its own temporary files too)
// is removed with the folder, at the latest when the next build begins.
#define BUILD_WORK_FOLDER "build/work"

enum { BUILD_ARGUMENTS_MAX = 128, BUILD_INPUTS_MAX = 512 };

struct build_unit {
    uint32_t arch;
    char *arguments[BUILD_ARGUMENTS_MAX + 1];
    size_t argument_count;
    char *source; // as shown; NULL for a link
    char *output; // relative to the project
    char *work;   // what the tool writes: below BUILD_WORK_FOLDER, renamed when it is complete
    char *dependencies; // the .d file, or NULL: then `inputs` are all
    char *work_dependencies;
    char *key; // file with the noted digests
    char *inputs[BUILD_INPUTS_MAX];
    size_t input_count;
    bool is_out_of_memory;
    bool is_stale;
};

void build_unit_free(struct build_unit *unit);
void build_unit_argument(struct build_unit *unit, const char *format, ...) NIP_PRINTF(2, 3);
void build_unit_input(struct build_unit *unit, const char *path);
enum nip_code build_unit_check(const struct build_unit *unit, struct nip_error *err) NIP_MUST_CHECK;

// Sets is_stale. Paths are relative to `folder`.
void build_unit_examine(struct build_unit *unit, const char *folder, const char *toolchain);
// Renames a file of the project; makes the folder that it goes to.
enum nip_code build_rename(const char *folder, const char *from, const char *to,
                           struct nip_error *err) NIP_MUST_CHECK;
// Moves what the tool wrote to its place.
enum nip_code build_unit_publish(const struct build_unit *unit, const char *folder,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Notes the digests after a step that succeeded.
enum nip_code build_unit_note(struct build_unit *unit, const char *folder, const char *toolchain,
                              struct nip_error *err) NIP_MUST_CHECK;

#endif
