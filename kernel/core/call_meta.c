// SPDX-License-Identifier: Apache-2.0
//
// call_meta.c: the slot by which the ABI is asked about itself; on a test kernel, also the
// operations by which a test makes the kernel fault while it serves the caller.
#include <kernel/call.h>
#include <kernel/memory.h>
#include <kernel/systable.h>
#include <kernel/user.h>

#if RUMPK_TEST_KERNEL
#define META_TEST_NULL_WRITE     0x1000u
#define META_TEST_STACK_OVERFLOW 0x1001u
#define META_TEST_ILLEGAL        0x1002u

// Uses a little more stack than the caller, for ever: each frame is written, so the guard page is
// met.
[[gnu::noinline]] static uint64_t overflow(volatile uint64_t *above)
{
    volatile uint64_t frame[64];

    frame[0] = *above + 1;
    return frame[0] == UINT64_MAX ? 0 : overflow(frame) + frame[0];
}

static int64_t test_operation(uint64_t operation)
{
    volatile uint64_t zero = 0;

    switch (operation) {
    case META_TEST_NULL_WRITE:
        *(volatile uint64_t *)(uintptr_t)zero = 1;
        return RUMPK_OK;
    case META_TEST_STACK_OVERFLOW:
        return (int64_t)overflow(&zero);
    case META_TEST_ILLEGAL:
        __builtin_trap();
    default:
        return RUMPK_E_ARGUMENT;
    }
}
#endif

static int64_t self_store(struct fiber *fiber, uint64_t out, uint64_t size)
{
    struct user_ptr pointer = {out};
    struct rumpk_meta_self self = {
        .fiber = fiber->number,
        .spectrum = fiber->spectrum,
        .calls = fiber->calls,
        .switches = fiber->switches,
    };

    if (size != sizeof(self))
        return RUMPK_E_ARGUMENT;
    if (!user_write(fiber, pointer, &self, sizeof(self), _Alignof(struct rumpk_meta_self)))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, out);
    return RUMPK_OK;
}

int64_t call_meta(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    switch (arguments[0]) {
    case RUMPK_META_VERSION:
        return RUMPK_ABI_VERSION;
    case RUMPK_META_FEATURES:
        return (int64_t)systable_features();
    case RUMPK_META_START:
        return (int64_t)fiber->start_block;
    case RUMPK_META_SELF:
        return self_store(fiber, arguments[1], arguments[2]);
    default:
#if RUMPK_TEST_KERNEL
        return test_operation(arguments[0]);
#else
        return RUMPK_E_ARGUMENT;
#endif
    }
}
