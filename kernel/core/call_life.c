// SPDX-License-Identifier: Apache-2.0
//
// call_life.c: spawn and pledge: the beginning of a life, and what is given up for the rest of it.
#include <kernel/call.h>
#include <kernel/init.h>
#include <kernel/memory.h>

// Between boot and this call lies any time, so the package is verified once more, in the pages of
// the archive that stay for that, and what was loaded from it is compared with them.
static bool spawn_step(struct fiber *fiber)
{
    struct fiber *child = &fiber_table[fiber->work.cap->object];
    struct package *package = &init_packages[child->number];
    enum init_verdict verdict = init_verify_step(package, &fiber->work);

    if (verdict == INIT_MORE)
        return false;
    child->starter = NULL;
    fiber->work.result = child->number;
    if (verdict == INIT_GOOD)
        init_package_start(package);
    else
        fiber->work.result = RUMPK_E_STATE;
    return true;
}

int64_t call_spawn(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct fiber *child;
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    if (cap->type != RUMPK_CAP_SPAWN)
        return RUMPK_E_TYPE;
    if (arguments[1] != 0)
        return RUMPK_E_ARGUMENT;
    if ((cap->rights & RUMPK_RIGHT_CONTROL) == 0)
        return RUMPK_E_RIGHTS;
    child = &fiber_table[cap->object];
    // Whoever began to start it and ended before it was done leaves that to the next one.
    if (child->state != FIBER_NEW || (child->starter != NULL && fiber_is_alive(child->starter)))
        return RUMPK_E_STATE;
    child->starter = fiber;
    fiber->work.cap = cap;
    fiber->work.done = 0;
    fiber->work.part = 0;
    crypto_hash_begin(&fiber->work.hash);
    work_begin(fiber, spawn_step);
}

// Both the classes and the spectrum only lose bits. A spectrum is written so that fewer bits are
// never a stricter one (rumpk/call.h): there is no word that raises the caller.
int64_t call_pledge(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    kernel_phase = PHASE_COMMIT;
    fiber->pledge &= arguments[0];
    fiber->spectrum_given = RUMPK_PLEDGE_SPECTRUM_OF(fiber->pledge);
    // Strikes may have made it looser already.
    if (fiber->spectrum < fiber->spectrum_given)
        fiber->spectrum = fiber->spectrum_given;
    return RUMPK_OK;
}
