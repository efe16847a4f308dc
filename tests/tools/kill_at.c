// SPDX-License-Identifier: Apache-2.0
//
// kill-at: ends a program at one exact moment, so that a test can go through all of them.
//
//   kill-at N COUNT-FILE COMMAND [ARGUMENT...]
//
// Runs the command and counts the system calls of its own process (all threads, no children) that
// change files. At the N-th, before the kernel does anything of it, the process gets SIGKILL: what
// the calls before it have done is there, nothing else, and nothing is cleaned up. With 0 the
// command runs to its end. COUNT-FILE gets the number of calls seen. Exit status: the command's, or
// 137 when it was killed.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// After <sys/ptrace.h>, whose names would otherwise be taken.
#include <linux/ptrace.h>

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "kill-at: %s: %s\n", what, strerror(errno));
    exit(125);
}

// Whether a descriptor of that process is a file on a disk, not a pipe, a terminal or a device.
static bool is_file(pid_t pid, unsigned long long descriptor)
{
    char link[64], target[256];
    snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, (int)descriptor);
    ssize_t size = readlink(link, target, sizeof target - 1);
    if (size <= 0)
        return false;
    target[size] = '\0';
    return target[0] == '/' && strncmp(target, "/dev/", 5) != 0;
}

static bool changes_files(pid_t pid, unsigned long long number, const uint64_t arguments[6])
{
    switch (number) {
    case SYS_openat:
        return (arguments[2] & (O_CREAT | O_TRUNC)) != 0;
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev:
    case SYS_ftruncate:
    case SYS_fallocate:
    case SYS_fchmod:
        return is_file(pid, arguments[0]);
    case SYS_copy_file_range:
        return is_file(pid, arguments[2]);
    case SYS_sendfile:
        return is_file(pid, arguments[0]);
#ifdef SYS_open // the older calls, which newer architectures do not have
    case SYS_open:
        return (arguments[1] & (O_CREAT | O_TRUNC)) != 0;
    case SYS_creat:
    case SYS_rename:
    case SYS_unlink:
    case SYS_rmdir:
    case SYS_mkdir:
    case SYS_link:
    case SYS_symlink:
    case SYS_chmod:
#endif
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_linkat:
    case SYS_symlinkat:
    case SYS_fchmodat:
    case SYS_truncate:
    case SYS_utimensat:
        return true;
    default:
        return false;
    }
}

static pid_t start(char **argv)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            fail("ptrace");
        raise(SIGSTOP);
        execvp(argv[0], argv);
        fail(argv[0]);
    }
    int status;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        fail("the command did not start");
    long options =
        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SETOPTIONS, child, NULL, options) != 0 ||
        ptrace(PTRACE_SYSCALL, child, NULL, 0) != 0)
        fail("ptrace");
    return child;
}

// Whether this stop is the entry of a call that counts.
static bool is_counted(pid_t pid)
{
    struct __ptrace_syscall_info info = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 ||
        info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return false;
    return changes_files(pid, info.entry.nr, info.entry.args);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: kill-at N COUNT-FILE COMMAND [ARGUMENT...]\n", stderr);
        return 125;
    }
    unsigned long at = strtoul(argv[1], NULL, 10), seen = 0;
    pid_t child = start(argv + 3), pid;
    int status, result = 125;
    bool is_over = false;
    while (!is_over && (pid = waitpid(-1, &status, __WALL)) > 0) {
        int signal = 0;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            is_over = pid == child;
            result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
            if (is_counted(pid) && ++seen == at)
                kill(child, SIGKILL);
        } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
            signal = WSTOPSIG(status);
        }
        // Fails when the process is being killed: its end is the next thing to wait for.
        ptrace(PTRACE_SYSCALL, pid, NULL, signal);
    }
    FILE *file = fopen(argv[2], "w");
    if (file == NULL || fprintf(file, "%lu\n", seen) < 0 || fclose(file) != 0)
        fail(argv[2]);
    return result;
}
