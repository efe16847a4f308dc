// SPDX-License-Identifier: Apache-2.0
//
// meta.c: what a fiber may learn about itself and, with the owner's permission, about others; and
// state handed over by checkpoint.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

static int64_t meta(uint64_t operation, void *out, uint64_t size, uint64_t index)
{
    return probe_call(RUMPK_CALL_META, operation, (uint64_t)out, size, index);
}

// Every code of the storing operations. `may`: the owner lets this one observe.
static int codes(int may)
{
    const struct rumpk_start *start = npl_start();
    uint32_t self = start->fiber, other = self == 0 ? 1 : 0, ring = RUMPK_SLOT_NONE;
    struct rumpk_meta_fiber fiber;
    struct rumpk_meta_cap cap;
    struct rumpk_meta_ring info;
    struct rumpk_ledger_record record;
    struct rumpk_boot_record boot;
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);

    for (uint32_t i = 0; i < start->cap_count; i++)
        if (caps[i].type == RUMPK_CAP_RING)
            ring = caps[i].slot;
    const struct {
        uint64_t operation;
        void *out;
        uint64_t size, index;
        int64_t expected;
    } table[] = {
        {RUMPK_META_FIBER, &fiber, sizeof fiber, self, RUMPK_OK},
        {RUMPK_META_FIBER, &fiber, sizeof fiber - 8, self, RUMPK_E_ARGUMENT},
        {RUMPK_META_FIBER, &fiber, sizeof fiber, other, may ? RUMPK_OK : RUMPK_E_RIGHTS},
        {RUMPK_META_FIBER, &fiber, sizeof fiber, 64, may ? RUMPK_E_BOUNDS : RUMPK_E_RIGHTS},
        {RUMPK_META_FIBER, &fiber, sizeof fiber, UINT64_MAX, may ? RUMPK_E_BOUNDS : RUMPK_E_RIGHTS},
        {RUMPK_META_CAP, &cap, sizeof cap, ring, RUMPK_OK},
        {RUMPK_META_CAP, &cap, sizeof cap + 1, ring, RUMPK_E_ARGUMENT},
        {RUMPK_META_CAP, &cap, sizeof cap, 63, RUMPK_E_SLOT},
        {RUMPK_META_CAP, &cap, sizeof cap, 64, RUMPK_E_SLOT},
        {RUMPK_META_CAP, &cap, sizeof cap, RUMPK_META_OF(self) | ring, RUMPK_OK},
        {RUMPK_META_CAP, &cap, sizeof cap, RUMPK_META_OF(other) | 64,
         may ? RUMPK_E_SLOT : RUMPK_E_RIGHTS},
        {RUMPK_META_CAP, &cap, sizeof cap, RUMPK_META_OF(64),
         may ? RUMPK_E_BOUNDS : RUMPK_E_RIGHTS},
        {RUMPK_META_RING, &info, sizeof info, ring, RUMPK_OK},
        {RUMPK_META_RING, &info, 0, ring, RUMPK_E_ARGUMENT},
        {RUMPK_META_RING, &info, sizeof info, 63, RUMPK_E_SLOT},
        {RUMPK_META_BOOT, &boot, sizeof boot, 0, may ? RUMPK_OK : RUMPK_E_RIGHTS},
        {RUMPK_META_LEDGER, &record, sizeof record, 0, may ? RUMPK_OK : RUMPK_E_RIGHTS},
        {RUMPK_META_LEDGER, &record, sizeof record, UINT64_MAX, RUMPK_E_BOUNDS},
    };
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        if (meta(table[i].operation, table[i].out, table[i].size, table[i].index) !=
            table[i].expected)
            return (int)(100 + i);
    return SURVIVED;
}

int probe_meta(const char *word)
{
    const struct rumpk_start *start = npl_start();
    int may = strcmp(word, "observer") == 0;
    struct rumpk_ledger_record record;
    struct rumpk_meta_fiber fiber;
    int result = codes(may);

    if (result != SURVIVED)
        return result;
    if (npl_meta_fiber(start->fiber, &fiber) != RUMPK_OK || fiber.fiber != start->fiber ||
        fiber.state != RUMPK_FIBER_STATE_RUNNING || fiber.calls < 18 || fiber.switches == 0 ||
        fiber.slots_used != start->cap_count || fiber.checkpoint != 0 || fiber.granted != 0 ||
        memcmp(fiber.name, start->name, sizeof fiber.name) != 0)
        return 2;
    // One's own start is in the ledger for everybody; what is about others only for observers.
    for (uint64_t i = 0;; i++) {
        int64_t code = meta(RUMPK_META_LEDGER, &record, sizeof record, i);
        if (code == RUMPK_E_BOUNDS)
            return 3;
        if (code == RUMPK_E_RIGHTS && !may)
            continue;
        if (code != RUMPK_OK || record.sequence != i)
            return 4;
        if (record.kind == RUMPK_LEDGER_START && record.fiber == start->fiber)
            break;
    }
    if (may) {
        struct rumpk_boot_record boot;
        struct rumpk_meta_cap cap;
        int64_t found = RUMPK_E_SLOT; // some fiber that lives has a slot 0
        for (uint64_t fiber = 0; fiber < 64 && found != RUMPK_OK; fiber++)
            if (fiber != start->fiber)
                found = meta(RUMPK_META_CAP, &cap, sizeof cap, RUMPK_META_OF(fiber));
        if (found != RUMPK_OK || cap.type == RUMPK_CAP_NONE)
            return 6;
        if (meta(RUMPK_META_BOOT, &boot, sizeof boot, 0) != RUMPK_OK ||
            boot.magic != RUMPK_BOOT_MAGIC || boot.stage < RUMPK_BOOT_PACKAGES ||
            boot.ticks[RUMPK_BOOT_DEVICES] > boot.ticks[RUMPK_BOOT_PACKAGES])
            return 5;
    }
    return SURVIVED;
}

// "checkpoint": codes and numbers. "checkpoint POINTER": what is not the caller's is a fault.
int probe_checkpoint(const char *word)
{
    static uint8_t state[RUMPK_CHECKPOINT_MAX + 1];
    const struct rumpk_start *start = npl_start();
    struct rumpk_meta_fiber fiber;

    if (strcmp(word, "straddle") == 0)
        return (int)npl_checkpoint((const void *)(start->stack_base - 8), 16);
    if (strcmp(word, "beyond") == 0) // own memory ends before the size does
        return (int)npl_checkpoint((const void *)(start->heap_base + start->heap_size - 4096),
                                   8192);
    if (strcmp(word, "last") == 0)
        return (int)npl_checkpoint((const void *)(UINT64_MAX - 7), 16);
    if (strcmp(word, "null") == 0)
        return (int)npl_checkpoint(NULL, 1);
    if (npl_checkpoint(state, 0) != RUMPK_E_ARGUMENT ||
        npl_checkpoint(state, sizeof state) != RUMPK_E_ARGUMENT ||
        npl_checkpoint(NULL, UINT64_MAX) != RUMPK_E_ARGUMENT)
        return 1;
    for (int64_t number = 1; number <= 5; number++)
        if (npl_checkpoint(state + number, number == 3 ? RUMPK_CHECKPOINT_MAX - 3 : 1) != number)
            return 2;
    if (npl_checkpoint(state, RUMPK_CHECKPOINT_MAX) != 6 ||
        npl_meta_fiber(start->fiber, &fiber) != RUMPK_OK || fiber.checkpoint != 6 ||
        fiber.checkpoint_size != RUMPK_CHECKPOINT_MAX)
        return 3;
    if (npl_pledge(~RUMPK_PLEDGE_STATE) != RUMPK_OK || npl_checkpoint(state, 1) != RUMPK_E_PLEDGE)
        return 4;
    return SURVIVED;
}
