// SPDX-License-Identifier: Apache-2.0
//
// work.h: calls that take longer than an interrupt may wait, and the end of a fiber.
//
//   call, check part --> work_begin --> step --+--> done: the result goes to the caller
//                                       ^      |
//                                       |  sched_point: what is pending is served; a stricter
//                                       fiber, |      |        or the next one of the same spectrum
//                                       when |      |        the slice is used up, runs first
//                                       +------+
//
// The kernel has one stack and no stack per fiber: what a step needs to know of the one before is
// in the fiber's `struct work`, so going on later is calling the step again. Between two steps
// anybody may run and make any call; a step therefore starts from what is true now (the tree of
// capabilities, the fiber's own tables), never from a pointer it found earlier into somebody
// else's. The caller itself cannot do anything meanwhile: it is in its call.
//
// A step takes at most WORK_STEP_INSTRUCTIONS; the sizes below were chosen for it, and the test
// kernel.latency measures the longest stretch between two looks at the interrupts.
#ifndef KERNEL_WORK_H
#define KERNEL_WORK_H

#include <kernel/crypto.h>

#define WORK_STEP_INSTRUCTIONS 20000u
#define WORK_STEP_PAGES        32u   // leaves stored, fewer where many have a say in them
#define WORK_STEP_CLEAR        8192u // bytes cleared
#define WORK_STEP_HASH         128u  // bytes hashed: a block of BLAKE2b
#define WORK_STEP_COMPARE      4096u // bytes compared

struct fiber;
struct cap;

// One step. True: all is done.
typedef bool work_step(struct fiber *fiber);

struct work {
    work_step *step; // null: none is under way
    int64_t result;  // of the call
    struct cap *cap; // map, mask, revoke, spawn: the caller's own slot
    uint64_t done;   // bytes, pages, slots: what the step counts
    uint64_t from;   // checkpoint: address in the driver
    uint32_t part;   // which of several things in a row
    bool itself;     // revoke: the slot too
    struct crypto_hash hash;
};

// The running fiber's call goes on in steps. On return to the fiber its result is work.result. What
// the step needs is set in fiber->work before.
[[noreturn]] void work_begin(struct fiber *fiber, work_step *step);
// Hand-over: on a fresh kernel stack; the running fiber has the processor and work to do.
[[noreturn]] void work_go_on(void);

#endif
