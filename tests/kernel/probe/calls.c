// SPDX-License-Identifier: Apache-2.0
//
// calls.c: the calls with bad arguments: every documented result code (probe_calls), memory that is
// not the caller's own (probe_pointer), and, on the test kernel only, faults inside the kernel
// (probe_kernel).
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

static uint32_t slot_of(uint32_t type)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);
    for (uint32_t i = 0; i < start->cap_count; i++)
        if (caps[i].type == type)
            return caps[i].slot;
    return RUMPK_SLOT_NONE;
}

// The case has a "memory" request, a stream to the sink, and nothing else.
int probe_calls(const char *word)
{
    (void)word;
    uint32_t memory = slot_of(RUMPK_CAP_MEMORY), ring = slot_of(RUMPK_CAP_RING);
    if (memory == RUMPK_SLOT_NONE || ring == RUMPK_SLOT_NONE)
        return 97;
    uint32_t good[1] = {ring}, empty[1] = {63}, far[1] = {64}, wrong[1] = {memory};
    struct rumpk_meta_self self;
    const struct {
        unsigned call;
        uint64_t a, b, c, d;
        int64_t expected;
    } table[] = {
        {RUMPK_CALL_SEND, 63, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_SEND, 64, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_SEND, UINT64_MAX, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_SEND, UINT64_C(0x100000000) + ring, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_SEND, memory, 0, 0, 0, RUMPK_E_TYPE},
        {RUMPK_CALL_SEND, ring, 0, 1, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_SEND, ring, 0, 0, 0, RUMPK_OK},
        {RUMPK_CALL_RECV, 63, 0, 0, RUMPK_NOW, RUMPK_E_SLOT},
        {RUMPK_CALL_RECV, 64, 0, 0, RUMPK_NOW, RUMPK_E_SLOT},
        {RUMPK_CALL_RECV, memory, 0, 0, RUMPK_NOW, RUMPK_E_TYPE},
        {RUMPK_CALL_RECV, ring, 0, 1, RUMPK_NOW, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_MAP, 63, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_MAP, 64, 0, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_MAP, memory, 1, 0, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_MASK, 63, RUMPK_MASK_RIGHTS, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_MASK, 64, RUMPK_MASK_RIGHTS, 0, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_MASK, memory, 99, 0, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_MASK, memory, RUMPK_MASK_FEATURES, 0, 0, RUMPK_E_TYPE},
        {RUMPK_CALL_TICK, 99, 0, 0, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_WAIT, (uint64_t)good, 65, RUMPK_NOW, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_WAIT, (uint64_t)good, UINT64_MAX, RUMPK_NOW, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_WAIT, (uint64_t)empty, 1, RUMPK_NOW, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_WAIT, (uint64_t)far, 1, RUMPK_NOW, 0, RUMPK_E_SLOT},
        {RUMPK_CALL_WAIT, (uint64_t)wrong, 1, RUMPK_NOW, 0, RUMPK_E_TYPE},
        {RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0, RUMPK_OK},
        {RUMPK_CALL_WAIT, 0, 0, 1, 0, RUMPK_E_TIMEOUT},
        {RUMPK_CALL_META, 99, 0, 0, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_META, RUMPK_META_SELF, (uint64_t)&self, sizeof self - 1, 0, RUMPK_E_ARGUMENT},
        {RUMPK_CALL_META, RUMPK_META_SELF, (uint64_t)&self, sizeof self, 0, RUMPK_OK},
    };
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        if (probe_call(table[i].call, table[i].a, table[i].b, table[i].c, table[i].d) !=
            table[i].expected)
            return (int)(100 + i);
    if (probe_call(RUMPK_CALL_RECV, ring, 0, 0, RUMPK_NOW) <= 0)
        return 2;
    int64_t first = probe_call(RUMPK_CALL_MAP, memory, 0, 0, 0);
    if (first <= 0 || probe_call(RUMPK_CALL_MAP, memory, 0, 0, 0) != first)
        return 3;
    *(volatile uint64_t *)(uint64_t)first = 1;
    // Rights only shrink, and a right that is gone stays gone.
    if (probe_call(RUMPK_CALL_MASK, ring, RUMPK_MASK_RIGHTS, 0, 0) != RUMPK_OK)
        return 4;
    if (probe_call(RUMPK_CALL_SEND, ring, 0, 0, 0) != RUMPK_E_RIGHTS)
        return 5;
    if (probe_call(RUMPK_CALL_MASK, ring, RUMPK_MASK_RIGHTS, RUMPK_RIGHTS_ALL, 0) != RUMPK_OK)
        return 6;
    if (probe_call(RUMPK_CALL_SEND, ring, 0, 0, 0) != RUMPK_E_RIGHTS)
        return 7;
    if (probe_call(RUMPK_CALL_MAP, ring, 0, 0, 0) != RUMPK_E_RIGHTS)
        return 8;
    return SURVIVED;
}

// "CALL KIND": `meta` stores 32 bytes, `wait` loads a slot number.
int probe_pointer(const char *word)
{
    static const uint64_t constant[4] = {63, 63, 63, 63};
    const struct rumpk_start *start = npl_start();
    const char *kind = strchr(word, ' ');
    if (kind == NULL)
        return 98;
    kind++;
    uint64_t p = 0;
    if (strcmp(kind, "null") == 0)
        p = 0;
    else if (strcmp(kind, "constant") == 0)
        p = (uint64_t)constant;
    else if (strcmp(kind, "text") == 0)
        p = (uint64_t)probe_pointer & ~UINT64_C(7);
    else if (strcmp(kind, "systable") == 0)
        p = RUMPK_SYSTABLE_ADDRESS;
    else if (strcmp(kind, "gate") == 0)
        p = ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->gate_base;
    else if (strcmp(kind, "straddle") == 0)
        p = start->stack_base - 8;
    else if (strcmp(kind, "unaligned") == 0)
        p = start->heap_base + 1;
    else if (strcmp(kind, "last") == 0)
        p = UINT64_MAX - 7;
    else if (strcmp(kind, "non-canonical") == 0)
        p = UINT64_C(0x8000000000000000);
    else if (strcmp(kind, "window") == 0) // the caller's own, mapped
        p = (uint64_t)npl_map(slot_of(RUMPK_CAP_WINDOW));
    else if (strcmp(kind, "own") == 0)
        p = start->heap_base;
    else
        p = strtoull(kind, NULL, 0);
    if (strncmp(word, "meta ", 5) == 0) {
        int64_t result =
            probe_call(RUMPK_CALL_META, RUMPK_META_SELF, p, sizeof(struct rumpk_meta_self), 0);
        return result == RUMPK_OK ? SURVIVED : 1;
    }
    if (strncmp(word, "wait ", 5) == 0) {
        if (strcmp(kind, "own") == 0)
            *(volatile uint32_t *)p = 63;
        int64_t result = probe_call(RUMPK_CALL_WAIT, p, 1, RUMPK_NOW, 0);
        return result == RUMPK_E_SLOT ? SURVIVED : 1;
    }
    return 98;
}

// The test kernel's extra meta operations: the kernel faults while it serves this fiber.
int probe_kernel(const char *word)
{
    probe_call(RUMPK_CALL_META, strtoull(word, NULL, 0), 0, 0, 0);
    return 1;
}
