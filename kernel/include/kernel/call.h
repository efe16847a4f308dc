// SPDX-License-Identifier: Apache-2.0
//
// call.h: the calls. Each function has a check part, which writes nothing shared, and a commit
// part, which cannot fail. The result goes back by sched_return; a call that sleeps does not return
// to its caller here.
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

#include <kernel/fiber.h>

// The code from a trap up to the objects' own functions: one section, less than 2,048 bytes
// (kernel.ld.in).
#define SYSCALL_CORE [[gnu::section(".text.syscall")]]

// From the trap handler: the frame of `fiber` holds number and arguments.
[[noreturn]] void call_dispatch(struct fiber *fiber);

#define CALL_ARGUMENTS 6u
// Feature bits of the calls that this kernel offers.
uint64_t call_features(void);
int64_t call_send(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_recv(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_map(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_mask(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_tick(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_wait(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_exit(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_grant(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_revoke(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_pledge(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_checkpoint(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_spawn(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);
int64_t call_meta(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);

// What the kernel is doing, for a trap in the kernel itself: in the check part the fiber pays for
// it with its life; in a commit part, at boot or while idle there is nobody to blame and the
// machine ends.
enum kernel_phase {
    PHASE_BOOT,
    PHASE_CHECK,
    PHASE_COMMIT,
};
extern volatile enum kernel_phase kernel_phase;

#endif
