// SPDX-License-Identifier: Apache-2.0
//
// What the watcher of cleanup.h does when the process is to end, in this order: no thread works on,
// no child works on, then files go. The threads stand still wherever they were, perhaps with the
// locks of malloc or stdio: nothing here takes memory, uses stdio or waits for a lock.

#ifndef NIP_CLI_CLEANUP_STEPS_H
#define NIP_CLI_CLEANUP_STEPS_H

#include <stddef.h>
#include <sys/types.h>

// Once, before any other thread: the signal by which threads are stopped (SIGUSR1) reaches them.
void cleanup_prepare_stop(void);
// All threads but the calling one stand still from here on, for ever.
void cleanup_stop_threads(void);
// Ends `children` (0: none; negative: a process group), what they started, and waits for all of it.
void cleanup_end_children(pid_t *children, size_t count);
// Removes a file, or a folder with all that is in it. What does not go stays.
void cleanup_remove_tree(const char *path);

#endif
