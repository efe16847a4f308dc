// SPDX-License-Identifier: Apache-2.0
//
// call.c: from the frame to the call. Which calls exist in this release stands in one table; the
// feature bits of the SysTable are made from it.
#include <kernel/call.h>
#include <kernel/record.h>
#include <kernel/sched.h>

typedef int64_t call_function(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS]);

static call_function *const calls[RUMPK_CALL_COUNT + 1] = {
    [RUMPK_CALL_SEND] = call_send,
    [RUMPK_CALL_RECV] = call_recv,
    [RUMPK_CALL_MAP] = call_map,
    [RUMPK_CALL_MASK] = call_mask,
    [RUMPK_CALL_TICK] = call_tick,
    [RUMPK_CALL_WAIT] = call_wait,
    [RUMPK_CALL_EXIT] = call_exit,
    [RUMPK_CALL_META] = call_meta,
    [RUMPK_CALL_GRANT] = call_grant,
    [RUMPK_CALL_REVOKE] = call_revoke,
    [RUMPK_CALL_SPAWN] = call_spawn,
    [RUMPK_CALL_PLEDGE] = call_pledge,
    [RUMPK_CALL_CHECKPOINT] = call_checkpoint,
};

// The class that a call belongs to; none: it can always be made. RUMPK_PLEDGE_CONTROL is part of
// one call and checked there.
static const uint16_t classes[RUMPK_CALL_COUNT + 1] = {
    [RUMPK_CALL_SPAWN] = RUMPK_PLEDGE_EXEC,  [RUMPK_CALL_SEND] = RUMPK_PLEDGE_STDIO,
    [RUMPK_CALL_RECV] = RUMPK_PLEDGE_STDIO,  [RUMPK_CALL_MAP] = RUMPK_PLEDGE_MAP,
    [RUMPK_CALL_GRANT] = RUMPK_PLEDGE_GRANT, [RUMPK_CALL_CHECKPOINT] = RUMPK_PLEDGE_STATE,
};

uint64_t call_features(void)
{
    uint64_t features = 0;

    for (uint32_t index = 0; index < COUNT_OF(calls); index++)
        features |= calls[index] != NULL ? RUMPK_FEATURE_CALL(index) : 0;
    return features;
}

SYSCALL_CORE void call_dispatch(struct fiber *fiber)
{
    uint64_t number = arch_frame_number(&fiber->frame);
    uint64_t arguments[CALL_ARGUMENTS];

    fiber->calls++;
    if (number > RUMPK_CALL_META)
        fiber_fault_call(fiber, RUMPK_FAULT_CALL, number);
    if (calls[number] == NULL)
        sched_return(fiber, RUMPK_E_UNSUPPORTED);
    if ((classes[number] & ~fiber->pledge) != 0)
        sched_return(fiber, RUMPK_E_PLEDGE);
    for (uint32_t index = 0; index < CALL_ARGUMENTS; index++)
        arguments[index] = arch_frame_argument(&fiber->frame, index);
    sched_return(fiber, calls[number](fiber, arguments));
}

SYSCALL_CORE int64_t call_tick(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    (void)fiber;
    if (arguments[0] != RUMPK_TICK_NOW)
        return RUMPK_E_ARGUMENT;
    return (int64_t)record_ticks();
}

SYSCALL_CORE int64_t call_exit(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    fiber_end_exit(fiber, arguments[0]);
}
