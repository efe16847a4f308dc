// SPDX-License-Identifier: Apache-2.0
//
// allow.c: what the rights of a slot and the pledges of a driver leave it, as rumpk/call.h says.
#include "machine.h"

#define EITHER (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)

static bool has_all(const struct host_slot *slot, uint32_t rights)
{
    return (slot->rights & rights) == rights;
}

bool host_may(const struct host_fiber *fiber, uint64_t classes)
{
    return (classes & ~fiber->pledge) == 0;
}

int64_t host_send_check(const struct host_slot *slot)
{
    if (slot->type == RUMPK_CAP_RING)
        return slot->rights & EITHER ? RUMPK_OK : RUMPK_E_RIGHTS;
    if (slot->type == RUMPK_CAP_QUEUE)
        return has_all(slot, RUMPK_RIGHT_WRITE) ? RUMPK_OK : RUMPK_E_RIGHTS;
    return RUMPK_E_TYPE;
}

int64_t host_recv_check(const struct host_slot *slot)
{
    if (slot->type == RUMPK_CAP_RING)
        return slot->rights & EITHER ? RUMPK_OK : RUMPK_E_RIGHTS;
    if (slot->type == RUMPK_CAP_QUEUE)
        return has_all(slot, RUMPK_RIGHT_READ) ? RUMPK_OK : RUMPK_E_RIGHTS;
    return RUMPK_E_TYPE;
}

int64_t host_wait_check(const struct host_slot *slot)
{
    if (slot->type != RUMPK_CAP_RING && slot->type != RUMPK_CAP_QUEUE)
        return RUMPK_E_TYPE;
    return slot->rights & EITHER ? RUMPK_OK : RUMPK_E_RIGHTS;
}

int64_t host_map_check(const struct host_slot *slot)
{
    switch (slot->type) {
    case RUMPK_CAP_RING:
        return slot->rights & EITHER ? RUMPK_OK : RUMPK_E_RIGHTS;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
    case RUMPK_CAP_DEVICE:
    case RUMPK_CAP_WINDOW:
        return has_all(slot, RUMPK_RIGHT_READ) ? RUMPK_OK : RUMPK_E_RIGHTS;
    case RUMPK_CAP_PORTS:
        return has_all(slot, EITHER) ? RUMPK_OK : RUMPK_E_RIGHTS;
    default:
        return RUMPK_E_TYPE;
    }
}

// The device may do no more to memory than the driver: write where the driver may write.
int64_t host_device_check(const struct host_slot *memory, uint32_t flags)
{
    uint32_t needed = flags & RUMPK_QUEUE_DEVICE_WRITES ? RUMPK_RIGHT_WRITE : RUMPK_RIGHT_READ;

    if (memory->type != RUMPK_CAP_DMA && memory->type != RUMPK_CAP_MEMORY)
        return RUMPK_E_TYPE;
    return has_all(memory, needed | RUMPK_RIGHT_DMA) ? RUMPK_OK : RUMPK_E_RIGHTS;
}
