// SPDX-License-Identifier: Apache-2.0
//
// Nothing half-written after Ctrl-C.
//
//   main thread          works, with SIGINT, SIGTERM and SIGHUP blocked
//   watcher thread       waits for one of them; then stops all other threads where they are, ends
//                        the children that are registered and whatever these have started, removes
//                        the files and folders that are registered, gives the terminal back its
//                        echo, and ends the process as that signal would have
//
// Because the watcher is an ordinary thread, it may wait for other threads and for children; a
// signal handler could not. Once the others stand still it uses no lock and no memory of theirs.
// Finished results appear by rename only, so a temporary that is removed is never visible.

#ifndef NIP_CLI_CLEANUP_H
#define NIP_CLI_CLEANUP_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "nip/error.h"

// Starts the watcher. Once, at the start of main(), before any other thread.
enum nip_code cleanup_start(struct nip_error *err) NIP_MUST_CHECK;
// The signal mask that children must be started with.
const sigset_t *cleanup_child_mask(void);

// A file or folder (with all that is in it) to be removed on a signal. NULL is fine for remove.
void cleanup_add_path(const char *path);
void cleanup_forget_path(const char *path);
// Removes it now, and forgets it.
void cleanup_remove_path(const char *path);

// A negative number is a process group.
void cleanup_add_child(pid_t pid);
void cleanup_forget_child(pid_t pid);

// The terminal state to restore; NULL: none.
void cleanup_set_terminal(const struct termios *state);

// Gives SIGINT and SIGTERM to handlers that somebody else installs (the emulator), and takes them
// back. In between the watcher only passes on what it catches.
void cleanup_lend_signals(void);
void cleanup_take_back_signals(void);

// A step that a signal must not cut in two (files being written by libnip under names of its own):
// a signal that comes in between takes effect at the end. May be nested.
void cleanup_hold(void);
void cleanup_release(void);

// Makes a private folder below $TMPDIR, registered. Its name goes to `out`.
enum nip_code cleanup_make_folder(char *out, size_t out_size, struct nip_error *err) NIP_MUST_CHECK;

#endif
