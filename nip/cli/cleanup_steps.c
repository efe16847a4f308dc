// SPDX-License-Identifier: Apache-2.0
//
// Threads are stopped by a signal whose handler does not return. Children are asked to end, then
// killed; what they leave behind in other process groups (Ninja gives each compiler its own) comes
// to this process, which is made the reaper of its descendants for that.

#include "cleanup_steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STOP_SIGNAL = SIGUSR1,
    STOP_STEPS_MAX = 10000,
    STOP_STEP_US = 1000,
    ASK_STEPS = 50,         // children are asked to end, then killed
    CHILD_STEPS_MAX = 3000, // and waited for: a minute, for a computer that has much to do
    CHILD_STEP_US = 20000,
    DEPTH_MAX = 200,
    ROUNDS_MAX = 8,
    LIST_SIZE = 4096
};

// ---- threads ----

static atomic_uint stopped;

static void stand_still(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&stopped, 1);
    for (;;)
        pause();
}

void cleanup_prepare_stop(void)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, STOP_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

// A thread that ends by itself meanwhile stands still too.
static void stop_thread(pid_t thread)
{
    unsigned before = atomic_load(&stopped);
    pid_t process = getpid();
    if (tgkill(process, thread, STOP_SIGNAL) != 0)
        return;
    for (int step = 0; step < STOP_STEPS_MAX && atomic_load(&stopped) == before &&
                       tgkill(process, thread, 0) == 0;
         step++)
        usleep(STOP_STEP_US);
}

// Calls `visit` for every name in the open folder; returns how many there were.
static size_t visit_names(int folder, void (*visit)(int folder, const char *name, int depth),
                          int depth)
{
    _Alignas(struct dirent64) char list[LIST_SIZE];
    size_t count = 0;
    ssize_t size = 0;
    while ((size = getdents64(folder, list, sizeof list)) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *item = (const void *)(list + at);
            at += item->d_reclen;
            if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
                continue;
            count++;
            visit(folder, item->d_name, depth);
        }
    return count;
}

static void stop_other(int folder, const char *name, int depth)
{
    (void)folder;
    (void)depth;
    pid_t thread = (pid_t)strtol(name, NULL, 10);
    if (thread > 0 && thread != getpid() && thread != gettid())
        stop_thread(thread);
}

void cleanup_stop_threads(void)
{
    struct sigaction action = {.sa_handler = stand_still};
    sigfillset(&action.sa_mask);
    sigaction(STOP_SIGNAL, &action, NULL);
    // The main one first: it is the one that starts others.
    if (gettid() != getpid())
        stop_thread(getpid());
    int tasks = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tasks < 0)
        return;
    visit_names(tasks, stop_other, 0);
    close(tasks);
}

// ---- children ----

// False when nothing is left of it.
static bool signal_child(pid_t child, int signal_number)
{
    pid_t one = child < 0 ? -child : child;
    bool is_reaped = waitpid(one, NULL, WNOHANG | __WALL) != 0;
    return (child < 0 || !is_reaped) && kill(child, signal_number) == 0;
}

// Those that came to this process when their parent ended. Without the list in /proc nobody
// knows of them.
static bool signal_orphans(int signal_number)
{
    char path[64], list[LIST_SIZE];
    bool any = false;
    // __WALL: also helpers that end without SIGCHLD, as the leak check of a sanitizer has one.
    while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
        ;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t size = read(file, list, sizeof list - 1);
    close(file);
    list[size > 0 ? size : 0] = '\0';
    // A number that was cut off at the end of a very long list is not one.
    char *end = strrchr(list, ' ');
    if (end != NULL)
        *end = '\0';
    for (char *at = list; end != NULL && *at != '\0';) {
        char *next = at;
        pid_t child = (pid_t)strtol(at, &next, 10);
        if (next == at)
            break;
        any = (child > 0 && kill(child, signal_number) == 0) || any;
        at = next;
    }
    return any;
}

void cleanup_end_children(pid_t *children, size_t count)
{
    bool any = true;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int step = 0; any && step < CHILD_STEPS_MAX; step++) {
        int signal_number = step < ASK_STEPS ? SIGTERM : SIGKILL;
        any = false;
        for (size_t i = 0; i < count; i++) {
            if (children[i] != 0 && !signal_child(children[i], signal_number))
                children[i] = 0;
            any = any || children[i] != 0;
        }
        any = signal_orphans(signal_number) || any;
        if (any)
            usleep(CHILD_STEP_US);
    }
}

// ---- files ----

static void remove_at(int folder, const char *name, int depth)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT || depth >= DEPTH_MAX)
        return;
    int content = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (content < 0)
        return;
    // Until nothing is found: some file systems skip names while others are removed.
    for (int round = 0; round < ROUNDS_MAX && lseek(content, 0, SEEK_SET) == 0 &&
                        visit_names(content, remove_at, depth + 1) != 0;
         round++)
        ;
    close(content);
    unlinkat(folder, name, AT_REMOVEDIR);
}

void cleanup_remove_tree(const char *path)
{
    remove_at(AT_FDCWD, path, 0);
}
