// SPDX-License-Identifier: Apache-2.0
//
// The watcher thread of cleanup.h, and the table of what it removes.

#include "cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup_steps.h"
#include "progress.h"

enum { PATHS_MAX = 64, CHILDREN_MAX = 64 };

static struct {
    pthread_mutex_t lock;
    sigset_t watched, child_mask;
    char *paths[PATHS_MAX];
    pid_t children[CHILDREN_MAX];
    struct termios terminal;
    bool has_terminal;
    pthread_t main_thread;
    bool are_lent;
    unsigned hold_count;
    pthread_cond_t is_released;
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_released = PTHREAD_COND_INITIALIZER};

// Called with the lock held; never gives it back: the process ends here.
static void end_process(int signal_number)
{
    // First of all: what the main thread would still do with half of its children gone, and beside
    // the removal of its files, nobody could foresee.
    cleanup_stop_threads();
    progress_stop();
    cleanup_end_children(watcher.children, CHILDREN_MAX);
    for (size_t i = 0; i < PATHS_MAX; i++)
        if (watcher.paths[i] != NULL)
            cleanup_remove_tree(watcher.paths[i]);
    if (watcher.has_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &watcher.terminal);
    static const char text[] =
        "\ninterrupted: nothing was left half-written; run the command again\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    signal(signal_number, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(signal_number);
    _exit(128 + signal_number);
}

static void *watch(void *unused)
{
    (void)unused;
    for (;;) {
        int signal_number = 0;
        if (sigwait(&watcher.watched, &signal_number) != 0)
            continue;
        pthread_mutex_lock(&watcher.lock);
        while (watcher.hold_count != 0)
            pthread_cond_wait(&watcher.is_released, &watcher.lock);
        if (!watcher.are_lent || signal_number == SIGHUP)
            end_process(signal_number);
        pthread_kill(watcher.main_thread, signal_number);
        pthread_mutex_unlock(&watcher.lock);
    }
    return NULL;
}

enum nip_code cleanup_start(struct nip_error *err)
{
    sigemptyset(&watcher.watched);
    sigaddset(&watcher.watched, SIGINT);
    sigaddset(&watcher.watched, SIGTERM);
    sigaddset(&watcher.watched, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &watcher.watched, &watcher.child_mask);
    cleanup_prepare_stop();
    // A reader that went away and a file size limit are errors of a write, not the end of the
    // process.
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    watcher.main_thread = pthread_self();
    pthread_t thread;
    int result = pthread_create(&thread, NULL, watch, NULL);
    if (result != 0)
        return nip_error_set_errno(err, result, "cannot start the thread that watches for signals");
    pthread_detach(thread);
    return NIP_OK;
}

const sigset_t *cleanup_child_mask(void)
{
    return &watcher.child_mask;
}

void cleanup_add_path(const char *path)
{
    pthread_mutex_lock(&watcher.lock);
    for (size_t i = 0; i < PATHS_MAX; i++)
        if (watcher.paths[i] == NULL) {
            watcher.paths[i] = strdup(path);
            break;
        }
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_forget_path(const char *path)
{
    pthread_mutex_lock(&watcher.lock);
    for (size_t i = 0; i < PATHS_MAX; i++)
        if (path != NULL && watcher.paths[i] != NULL && strcmp(watcher.paths[i], path) == 0) {
            free(watcher.paths[i]);
            watcher.paths[i] = NULL;
        }
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_remove_path(const char *path)
{
    if (path == NULL || path[0] == '\0')
        return;
    cleanup_remove_tree(path);
    cleanup_forget_path(path);
}

void cleanup_add_child(pid_t pid)
{
    pthread_mutex_lock(&watcher.lock);
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (watcher.children[i] == 0) {
            watcher.children[i] = pid;
            break;
        }
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_forget_child(pid_t pid)
{
    pthread_mutex_lock(&watcher.lock);
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (watcher.children[i] == pid)
            watcher.children[i] = 0;
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_set_terminal(const struct termios *state)
{
    pthread_mutex_lock(&watcher.lock);
    watcher.has_terminal = state != NULL;
    if (state != NULL)
        watcher.terminal = *state;
    pthread_mutex_unlock(&watcher.lock);
}

static void lend(bool are_lent)
{
    sigset_t lent;
    sigemptyset(&lent);
    sigaddset(&lent, SIGINT);
    sigaddset(&lent, SIGTERM);
    pthread_mutex_lock(&watcher.lock);
    watcher.are_lent = are_lent;
    pthread_mutex_unlock(&watcher.lock);
    pthread_sigmask(are_lent ? SIG_UNBLOCK : SIG_BLOCK, &lent, NULL);
}

void cleanup_hold(void)
{
    pthread_mutex_lock(&watcher.lock);
    watcher.hold_count++;
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_release(void)
{
    pthread_mutex_lock(&watcher.lock);
    if (--watcher.hold_count == 0)
        pthread_cond_signal(&watcher.is_released);
    pthread_mutex_unlock(&watcher.lock);
}

void cleanup_lend_signals(void)
{
    lend(true);
}

void cleanup_take_back_signals(void)
{
    lend(false);
}

enum nip_code cleanup_make_folder(char *out, size_t out_size, struct nip_error *err)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || base[0] != '/')
        base = "/tmp";
    int length = snprintf(out, out_size, "%s/nip-XXXXXX", base);
    if (length < 0 || (size_t)length >= out_size)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the path in TMPDIR is too long");
    enum nip_code code = NIP_OK;
    cleanup_hold();
    if (mkdtemp(out) != NULL)
        cleanup_add_path(out);
    else
        code = nip_error_set_errno(err, errno, "cannot make a folder in %s", base);
    cleanup_release();
    if (code != NIP_OK)
        nip_error_hint(err, "set TMPDIR to a folder that you can write to");
    return code;
}
