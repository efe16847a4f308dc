// SPDX-License-Identifier: Apache-2.0
//
// A folder of its own for a test that needs files, and running other programs in it.

#ifndef TESTS_UNIT_NIP_SCRATCH_H
#define TESTS_UNIT_NIP_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/fs.h"

// Makes the folder and changes into it.
static inline void scratch_enter(char *template_path)
{
    if (mkdtemp(template_path) == NULL || chdir(template_path) != 0)
        abort();
}

static inline void scratch_leave(const char *path)
{
    if (chdir("/") != 0 || nip_fs_remove_tree(path, NULL) != NIP_OK)
        abort();
}

// Whether a shell command succeeds; its output is dropped.
static inline bool shell(const char *command)
{
    char line[2048];
    snprintf(line, sizeof line, "{ %s; } >/dev/null 2>&1", command);
    return system(line) == 0;
}

// Whether a program is installed; says loudly if not.
static inline bool has_program(const char *name)
{
    char line[256];
    snprintf(line, sizeof line, "command -v %s", name);
    if (shell(line))
        return true;
    printf("SKIPPED in part: %s is not installed\n", name);
    return false;
}

static inline void write_text(const char *path, const char *text)
{
    if (nip_fs_write(path, text, strlen(text), 0644, NULL) != NIP_OK)
        abort();
}

#endif
