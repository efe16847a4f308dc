// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn with pipes, and a small pool of jobs on top of it.

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "settings.h"

enum { OUTPUT_MAX = 8 << 20, PARALLEL_MAX = 64 };

extern char **environ;

enum nip_code process_find(const char *name, const char *debian_package, char *out, size_t out_size,
                           struct nip_error *err)
{
    const char *path = getenv("PATH");
    if (path == NULL || path[0] == '\0')
        path = "/usr/bin:/bin";
    while (*path != '\0') {
        size_t length = strcspn(path, ":");
        int written = snprintf(out, out_size, "%.*s/%s", (int)length, path, name);
        if (length != 0 && written > 0 && (size_t)written < out_size && access(out, X_OK) == 0)
            return NIP_OK;
        path += length;
        if (*path == ':')
            path++;
    }
    nip_error_set(err, NIP_ERROR_TOOL, "the program %s is not on PATH", name);
    nip_error_hint(err, "install it: apt-get install %s", debian_package);
    return NIP_ERROR_TOOL;
}

// `as_group`: in a process group of its own, which a signal then ends as a whole.
static enum nip_code spawn(const char *const *argv, const char *folder, int output, int errors,
                           bool as_group, pid_t *pid, struct nip_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (output >= 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    else
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (errors >= 0)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    if (folder != NULL)
        posix_spawn_file_actions_addchdir_np(&actions, folder);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, cleanup_child_mask());
    posix_spawnattr_setflags(&attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                  (as_group ? POSIX_SPAWN_SETPGROUP : 0)));
    // A child that the watcher does not know of would outlive a signal.
    cleanup_hold();
    int result = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)argv, environ);
    if (result == 0)
        cleanup_add_child(as_group ? -*pid : *pid);
    cleanup_release();
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (result != 0)
        return nip_error_set_errno(err, result, "cannot start %s", argv[0]);
    return NIP_OK;
}

static int wait_status(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    cleanup_forget_child(pid);
    cleanup_forget_child(-pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Reads what is there; false at the end.
static bool read_some(int descriptor, struct nip_buffer *output)
{
    char block[16384];
    ssize_t count = read(descriptor, block, sizeof block);
    if (count < 0)
        return errno == EINTR || errno == EAGAIN;
    if (count == 0)
        return false;
    if (output != NULL && output->size < OUTPUT_MAX)
        nip_buffer_append(output, block, (size_t)count);
    return true;
}

enum nip_code process_run(const char *const *argv, const char *folder, struct nip_buffer *output,
                          bool with_errors, int *status, struct nip_error *err)
{
    int ends[2] = {-1, -1};
    if (output != NULL && pipe2(ends, O_CLOEXEC) != 0)
        return nip_error_set_errno(err, errno, "cannot make a pipe");
    pid_t pid = 0;
    enum nip_code code = spawn(argv, folder, ends[1], with_errors ? ends[1] : -1, false, &pid, err);
    if (ends[1] >= 0)
        close(ends[1]);
    if (code == NIP_OK) {
        while (ends[0] >= 0 && read_some(ends[0], output))
            ;
        *status = wait_status(pid);
    }
    if (ends[0] >= 0)
        close(ends[0]);
    return code;
}

struct running {
    struct process_job *job;
    pid_t pid;
    int descriptor;
};

static enum nip_code start_job(struct process_job *job, struct running *slot, struct nip_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return nip_error_set_errno(err, errno, "cannot make a pipe");
    enum nip_code code =
        spawn(job->argv, job->folder, ends[1], ends[1], job->has_children, &slot->pid, err);
    close(ends[1]);
    if (code != NIP_OK) {
        close(ends[0]);
        return code;
    }
    slot->job = job;
    slot->descriptor = ends[0];
    return NIP_OK;
}

enum nip_code process_run_jobs(struct process_job *jobs, size_t count, size_t parallel,
                               void (*done)(struct process_job *job, void *context), void *context,
                               struct nip_error *err)
{
    struct running slots[PARALLEL_MAX];
    struct pollfd polls[PARALLEL_MAX];
    size_t active = 0, next = 0;
    bool failed = false;
    enum nip_code code = NIP_OK;
    if (parallel == 0 || parallel > PARALLEL_MAX)
        parallel = parallel == 0 ? 1 : PARALLEL_MAX;
    while (active > 0 || (next < count && !failed && code == NIP_OK)) {
        while (active < parallel && next < count && !failed && code == NIP_OK) {
            code = start_job(&jobs[next++], &slots[active], err);
            if (code == NIP_OK)
                active++;
        }
        for (size_t i = 0; i < active; i++)
            polls[i] = (struct pollfd){.fd = slots[i].descriptor, .events = POLLIN};
        if (active == 0 || (poll(polls, (nfds_t)active, -1) < 0 && errno != EINTR))
            continue;
        for (size_t i = active; i-- > 0;) {
            if (polls[i].revents == 0 || read_some(slots[i].descriptor, &slots[i].job->output))
                continue;
            close(slots[i].descriptor);
            struct process_job *job = slots[i].job;
            job->status = wait_status(slots[i].pid);
            job->is_done = true;
            failed = failed || job->status != 0;
            slots[i] = slots[--active];
            if (done != NULL)
                done(job, context);
        }
    }
    return code;
}

void process_line(const char *const *argv, struct nip_buffer *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=/.,:@%";
    for (size_t i = 0; argv[i] != NULL; i++) {
        if (i != 0)
            nip_buffer_append_byte(out, ' ');
        if (argv[i][0] != '\0' && argv[i][strspn(argv[i], plain)] == '\0') {
            nip_buffer_append_text(out, argv[i]);
            continue;
        }
        nip_buffer_append_byte(out, '\'');
        for (const char *c = argv[i]; *c != '\0'; c++) {
            if (*c == '\'')
                nip_buffer_append_text(out, "'\\''");
            else
                nip_buffer_append_byte(out, (uint8_t)*c);
        }
        nip_buffer_append_byte(out, '\'');
    }
}

size_t process_parallel(void)
{
    if (settings_jobs() != 0)
        return settings_jobs();
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > PARALLEL_MAX ? PARALLEL_MAX : (size_t)count;
}
