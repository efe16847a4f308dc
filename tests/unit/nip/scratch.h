// SPDX-License-Identifier: Apache-2.0
//
// A folder of its own for a test that needs files, and running other programs in it.

#ifndef TESTS_UNIT_NIP_SCRATCH_H
#define TESTS_UNIT_NIP_SCRATCH_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nip/fs.h"

enum { SCRATCH_PATH_SIZE = 64 };

// Makes a folder and changes into it; `path` says where.
static inline void scratch_enter(char path[SCRATCH_PATH_SIZE])
{
    static const char placeholder[] = {'X', 'X', 'X', 'X', 'X', 'X', '\0'};
    snprintf(path, SCRATCH_PATH_SIZE, "/tmp/rumpk-test-%s", placeholder);
    if (mkdtemp(path) == NULL || chdir(path) != 0)
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
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        abort();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(127);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
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
