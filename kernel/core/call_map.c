// SPDX-License-Identifier: Apache-2.0
//
// call_map.c: map and mask. All tables that a mapping needs were made when the package was loaded,
// so the commit part only stores leaves.
#include <kernel/audit.h>
#include <kernel/call.h>
#include <kernel/device.h>
#include <kernel/hand.h>
#include <kernel/interrupt.h>
#include <kernel/mapping.h>
#include <kernel/memory.h>
#include <kernel/virtio.h>

// E_RIGHTS, E_TYPE and whatever the object itself has against being mapped.
static int64_t map_check(const struct fiber *fiber, const struct cap *cap)
{
    switch (cap->type) {
    case RUMPK_CAP_RING:
        return (cap->rights & (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)) == 0 ? RUMPK_E_RIGHTS
                                                                           : RUMPK_OK;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
    case RUMPK_CAP_DEVICE:
        return (cap->rights & RUMPK_RIGHT_READ) == 0 ? RUMPK_E_RIGHTS : RUMPK_OK;
    case RUMPK_CAP_WINDOW:
        if ((cap->rights & RUMPK_RIGHT_READ) == 0)
            return RUMPK_E_RIGHTS;
        return device_shares_page(&devices[cap->object]) ? RUMPK_E_SHARED_PAGE : RUMPK_OK;
    case RUMPK_CAP_PORTS:
        // The processor opens a port for reading and writing alike.
        if ((cap->rights & RUMPK_RIGHT_READ) == 0 || (cap->rights & RUMPK_RIGHT_WRITE) == 0)
            return RUMPK_E_RIGHTS;
        return !cap->is_mapped && fiber->port_count == FIBER_PORTS_MAX ? RUMPK_E_LIMIT : RUMPK_OK;
    default:
        return RUMPK_E_TYPE;
    }
}

static bool map_step(struct fiber *fiber)
{
    if (!mapping_step(fiber, fiber->work.cap, &fiber->work.done))
        return false;
    audit_step(AUDIT_STEP_MAP);
    return true;
}

// The leaves of `cap` follow what was changed; then the caller gets `result`.
[[noreturn]] static void leaves_follow(struct fiber *fiber, struct cap *cap, int64_t result)
{
    fiber->work.cap = cap;
    fiber->work.done = 0;
    fiber->work.result = result;
    work_begin(fiber, map_step);
}

int64_t call_map(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    if (arguments[1] != 0)
        return RUMPK_E_ARGUMENT;
    result = map_check(fiber, cap);
    if (result != RUMPK_OK)
        return result;
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (cap->type == RUMPK_CAP_DEVICE)
        virtio_view_refresh(cap->object);
    if (cap->is_mapped == CAP_MAPPED)
        return mapping_address(cap);
    mapping_add(fiber, cap);
    leaves_follow(fiber, cap, mapping_address(cap));
}

// What is mapped follows the rights at once; what they no longer allow to map at all is gone.
static int64_t rights_narrow(struct fiber *fiber, struct cap *cap, uint8_t rights)
{
    kernel_phase = PHASE_COMMIT;
    if (cap->is_mapped == CAP_UNMAPPED) {
        cap->rights &= rights;
        return RUMPK_OK;
    }
    memory_use_kernel_root();
    mapping_remove(fiber, cap);
    cap->rights &= rights;
    if (map_check(fiber, cap) == RUMPK_OK)
        mapping_add(fiber, cap);
    leaves_follow(fiber, cap, RUMPK_OK);
}

static int64_t mask_interrupt(const struct fiber *fiber, const struct cap *cap, uint64_t operation,
                              uint64_t value)
{
    if ((fiber->pledge & RUMPK_PLEDGE_CONTROL) == 0)
        return RUMPK_E_PLEDGE;
    if (cap->type != RUMPK_CAP_INTERRUPT)
        return RUMPK_E_TYPE;
    if ((cap->rights & RUMPK_RIGHT_CONTROL) == 0)
        return RUMPK_E_RIGHTS;
    if (value != 0)
        return RUMPK_E_ARGUMENT;
    if (!hand_has(cap))
        return RUMPK_E_STATE;
    kernel_phase = PHASE_COMMIT;
    if (operation == RUMPK_MASK_IRQ_UNMASK)
        interrupt_unmask(cap->object);
    else
        interrupt_mask(cap->object);
    return RUMPK_OK;
}

int64_t call_mask(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    switch (arguments[1]) {
    case RUMPK_MASK_RIGHTS:
        return rights_narrow(fiber, cap, (uint8_t)(arguments[2] & RUMPK_RIGHTS_ALL));
    case RUMPK_MASK_FEATURES:
        if ((fiber->pledge & RUMPK_PLEDGE_CONTROL) == 0)
            return RUMPK_E_PLEDGE;
        if (cap->type != RUMPK_CAP_DEVICE)
            return RUMPK_E_TYPE;
        if ((cap->rights & RUMPK_RIGHT_CONTROL) == 0)
            return RUMPK_E_RIGHTS;
        if (!hand_has(cap))
            return RUMPK_E_STATE;
        kernel_phase = PHASE_COMMIT;
        memory_use_kernel_root();
        return hand_negotiate(cap, arguments[2]);
    case RUMPK_MASK_IRQ_UNMASK:
    case RUMPK_MASK_IRQ_MASK:
        return mask_interrupt(fiber, cap, arguments[1], arguments[2]);
    default:
        return RUMPK_E_ARGUMENT;
    }
}
