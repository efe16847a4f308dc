// SPDX-License-Identifier: Apache-2.0
//
// bounds.c: acts that make one piece of kernel work as long as it can be: trees of derived
// capabilities over all tables, sleepers that name 64 deep slots, many clients that lend, full
// batches for a device, many who sleep for one device. The kernel counts its own longest piece;
// bounds.py reads and compares it.
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

#define RIGHTS (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)
// Of the tree: no one of them allows all that could be allowed, so each has to be looked at.
#define TREE_RIGHTS RUMPK_RIGHT_READ

enum shape {
    SHAPE_STAR,  // all from the root
    SHAPE_CHAIN, // each handed on once, as deep as it goes
    SHAPE_COMB, // each handed on once, and once through every other ring without the right to grant
    SHAPE_FULL, // everything that any table takes
    SHAPES,
};

static const struct rumpk_cap_info *given(uint32_t index)
{
    const struct rumpk_start *start = npl_start();

    return (const struct rumpk_cap_info *)((const char *)start + start->caps_offset) + index;
}

// The own slots of this type, at most `max`; `right`: only those with it.
static uint32_t slots_of(uint32_t type, uint32_t right, uint32_t *slots, uint32_t max)
{
    struct rumpk_meta_cap info;
    uint32_t count = 0;

    for (uint32_t index = 0; index < npl_start()->cap_count && count < max; index++)
        if (given(index)->type == type && npl_meta_cap(given(index)->slot, &info) == RUMPK_OK &&
            (info.rights & right) == right)
            slots[count++] = given(index)->slot;
    return count;
}

static uint32_t slot_named(const char *name)
{
    for (uint32_t index = 0; index < npl_start()->cap_count; index++)
        if (strcmp(given(index)->name, name) == 0)
            return given(index)->slot;
    return RUMPK_SLOT_NONE;
}

// `count` slots, the first as often as needed for a list of RUMPK_WAIT_MAX that ends with the
// others.
static void list_make(uint32_t list[RUMPK_WAIT_MAX], const uint32_t *slots, uint32_t count)
{
    for (uint32_t at = 0; at < RUMPK_WAIT_MAX; at++)
        list[at] = slots[at + count > RUMPK_WAIT_MAX ? at + count - RUMPK_WAIT_MAX : 0];
}

// ---- a tree over all tables ----

static void drop_stale(void)
{
    struct rumpk_meta_cap info;

    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        if (npl_meta_cap(slot, &info) == RUMPK_OK && (info.state & RUMPK_CAP_STATE_LIVE) == 0)
            npl_drop(slot);
}

// Hands one capability on as the shape wants it.
static void hand_on(uint32_t slot, const struct rumpk_meta_cap *info, uint64_t shape,
                    const uint32_t *rings, uint32_t ring_count)
{
    uint32_t made = 0;

    if (shape != SHAPE_FULL && info->derived != 0)
        return;
    for (uint32_t index = 0; index < ring_count; index++) {
        bool is_tooth = shape == SHAPE_COMB && made != 0;
        uint32_t rights = TREE_RIGHTS | (is_tooth ? 0 : RUMPK_RIGHT_GRANT);

        if (shape != SHAPE_FULL && rings[index] == info->through)
            continue;
        while (npl_grant(slot, rings[index], rights, 0, 0) >= 0) {
            made++;
            if (shape != SHAPE_FULL)
                break;
        }
        if (shape == SHAPE_CHAIN && made != 0)
            break;
    }
}

// Looks at every slot that was granted: maps it, hands it on.
static void spread(const uint32_t *rings, uint32_t ring_count)
{
    struct rumpk_meta_cap info;

    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if (npl_meta_cap(slot, &info) != RUMPK_OK || info.type != RUMPK_CAP_MEMORY ||
            info.through == RUMPK_SLOT_NONE || (info.state & RUMPK_CAP_STATE_LIVE) == 0)
            continue;
        volatile uint64_t *words = (volatile uint64_t *)(uint64_t)npl_map(slot);
        if ((int64_t)words <= 0 || (info.rights & RUMPK_RIGHT_GRANT) == 0)
            continue; // taken back in between, or not to be handed on
        uint64_t shape = words[0];
        if (npl_meta_cap(slot, &info) == RUMPK_OK && (info.state & RUMPK_CAP_STATE_LIVE) != 0)
            hand_on(slot, &info, shape, rings, ring_count);
    }
}

static bool is_gone(const uint32_t *rings, uint32_t count)
{
    for (uint32_t index = 0; index < count; index++)
        if (npl_send_wake(rings[index]) == RUMPK_E_PEER)
            return true;
    return false;
}

// Maps and hands on what it is granted and empties what was taken back, until a neighbour ends.
int probe_node(const char *word)
{
    uint32_t rings[RUMPK_SLOT_COUNT], sources[RUMPK_SLOT_COUNT], list[RUMPK_WAIT_MAX];
    uint32_t count = slots_of(RUMPK_CAP_RING, 0, rings, RUMPK_SLOT_COUNT);

    (void)word;
    list_make(list, sources, slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_READ, sources, RUMPK_SLOT_COUNT));
    // It sleeps even when there may be more: so the tree grows level by level, and no table is full
    // of what is too deep to be handed on before the shallow ones arrive.
    while (!is_gone(rings, count)) {
        drop_stale();
        spread(rings, count);
        npl_wait(list, RUMPK_WAIT_MAX, npl_deadline_ms(20));
    }
    return SURVIVED;
}

static uint32_t slots_used(void)
{
    struct rumpk_meta_fiber info;
    uint32_t count = 0;

    for (uint32_t fiber = 0; npl_meta_fiber(fiber, &info) == RUMPK_OK; fiber++)
        count += info.slots_used;
    return count;
}

// Waits until no table changes any more. Returns how many slots are filled.
static uint32_t settle(void)
{
    uint32_t last = 0;

    for (uint32_t same = 0; same < 4;) {
        npl_sleep_until(npl_deadline_ms(100));
        drop_stale();
        uint32_t used = slots_used();
        same = used == last ? same + 1 : 0;
        last = used;
    }
    return last;
}

static uint64_t run_ticks(void)
{
    struct rumpk_meta_run run = {0};

    probe_call(RUMPK_CALL_META, RUMPK_META_RUN, (uint64_t)&run, sizeof run, 0);
    return run.run_ticks;
}

// "NS LEAST": grows each shape and takes it back. Ends with 12 bits for each shape, the first
// lowest: a quarter of the instructions of NS nanoseconds that one capability took; above them how
// many the fullest had, which must be LEAST. Negative: what went wrong.
int probe_root(const char *word)
{
    char *rest;
    uint64_t ns = strtoull(word, &rest, 0), least = strtoull(rest, NULL, 0), result = 0;
    uint32_t rings[RUMPK_SLOT_COUNT];
    uint32_t count = slots_of(RUMPK_CAP_RING, 0, rings, RUMPK_SLOT_COUNT);
    uint32_t memory = slot_named("scratch"), made = 0;
    volatile uint64_t *words = (volatile uint64_t *)(uint64_t)npl_map(memory);

    for (uint64_t shape = 0; shape < SHAPES; shape++) {
        uint32_t before = settle();
        words[0] = shape;
        for (uint32_t index = 0; index < count; index++)
            while (npl_grant(memory, rings[index],
                             TREE_RIGHTS | (shape != SHAPE_STAR ? RUMPK_RIGHT_GRANT : 0), 0,
                             0) >= 0)
                ;
        if (shape == SHAPE_FULL) // its own table too
            for (uint32_t round = 0; round < 2 * RUMPK_DERIVATION_DEPTH_MAX; round++) {
                npl_sleep_until(npl_deadline_ms(20));
                spread(rings, count);
            }
        made = settle() - before;
        uint64_t begin = run_ticks();
        int64_t taken = npl_revoke(memory);
        uint64_t ticks = run_ticks() - begin;
        if (taken != made || made == 0)
            return -(int)(10 + shape);
        result |= (ticks * 1000000000 / npl_systable()->timer_hz / ns / made / 4) << (12 * shape);
        drop_stale();
    }
    if (made < least)
        return -2;
    probe_call(RUMPK_CALL_EXIT, result | (uint64_t)made << 48, 0, 0, 0);
    return -3;
}

// ---- deep slots ----

// With a peer that does the same: passes what the slot holds back and forth until it is as deep as
// it can be here. Returns the deepest slot of this end.
static uint32_t deepest(uint32_t slot, uint32_t type, uint32_t rights, uint32_t ring,
                        uint32_t depth)
{
    struct rumpk_meta_cap info;

    for (;;) {
        if (slot != RUMPK_SLOT_NONE && depth < RUMPK_DERIVATION_DEPTH_MAX &&
            npl_grant(slot, ring, rights | RUMPK_RIGHT_GRANT, 0, 0) < 0)
            return RUMPK_SLOT_NONE;
        if (depth + 2 > RUMPK_DERIVATION_DEPTH_MAX)
            return slot;
        depth += slot != RUMPK_SLOT_NONE ? 2 : 0;
        for (slot = 0;; slot = (slot + 1) % RUMPK_SLOT_COUNT) {
            if (npl_meta_cap(slot, &info) == RUMPK_OK && info.type == type && info.depth == depth &&
                info.through != RUMPK_SLOT_NONE)
                break;
            if (slot == RUMPK_SLOT_COUNT - 1)
                npl_sleep_until(npl_deadline_ms(1));
        }
    }
}

// The other end: for ring ends ("ring") or DMA memory ("dma").
int probe_passer(const char *word)
{
    bool is_ring = strcmp(word, "ring") == 0;
    uint32_t rights = is_ring ? RUMPK_RIGHT_READ : RIGHTS | RUMPK_RIGHT_DMA, ring;

    if (slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_READ, &ring, 1) != 1)
        return 1;
    npl_recv_ring(ring, RUMPK_NOW); // the service is there
    if (deepest(RUMPK_SLOT_NONE, is_ring ? RUMPK_CAP_RING : RUMPK_CAP_DMA, rights, ring, 1) ==
        RUMPK_SLOT_NONE)
        return 2;
    while (npl_send_wake(ring) != RUMPK_E_PEER)
        npl_sleep_until(npl_deadline_ms(20));
    return SURVIVED;
}

// "MS ROUNDS": from that time on, every 5 ms, all of these wake at the same moment, each from a
// list of 64 slots that are eight grants deep.
int probe_sleeper(const char *word)
{
    char *rest;
    uint64_t hz = npl_systable()->timer_hz, at = strtoull(word, &rest, 0) * hz / 1000;
    uint32_t rounds = (uint32_t)strtoul(rest, NULL, 0), list[RUMPK_WAIT_MAX], out, in;

    if (slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_WRITE, &out, 1) != 1 ||
        slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_READ, &in, 1) != 1)
        return 1;
    uint32_t slot = deepest(in, RUMPK_CAP_RING, RUMPK_RIGHT_READ, out, 0);
    if (slot == RUMPK_SLOT_NONE)
        return 2;
    list_make(list, &slot, 1);
    if (npl_tick_now() >= at)
        return 3; // it was not deep in time
    for (uint32_t round = 0; round < rounds; round++, at += hz / 200)
        if (npl_wait(list, RUMPK_WAIT_MAX, at) != RUMPK_E_TIMEOUT)
            return 4;
    return SURVIVED;
}

// ---- many who sleep for one device ----

#define VERSION_1 (UINT64_C(1) << 32)

// Gives each of its peers a queue of the device; when all sleep it negotiates anew, which leaves
// them asleep, and lets go of the device, which wakes them all.
int probe_teller(const char *word)
{
    uint32_t rings[RUMPK_SLOT_COUNT], queues[RUMPK_SLOT_COUNT], device;
    uint32_t count = slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_WRITE, rings, RUMPK_SLOT_COUNT);

    (void)word;
    if (slots_of(RUMPK_CAP_DEVICE, 0, &device, 1) != 1 ||
        slots_of(RUMPK_CAP_QUEUE, 0, queues, RUMPK_SLOT_COUNT) != count ||
        npl_mask_features(device, VERSION_1) != RUMPK_OK)
        return 1;
    for (uint32_t index = 0; index < count; index++)
        if (npl_grant(queues[index], rings[index], RIGHTS, 0, 0) < 0)
            return 2;
    npl_sleep_until(npl_deadline_ms(500));
    if (npl_mask_features(device, VERSION_1) != RUMPK_OK)
        return 3;
    npl_sleep_until(npl_deadline_ms(100));
    return npl_drop(device) == RUMPK_OK ? SURVIVED : 4;
}

// Sleeps for the queue that comes, the last of 64 sources.
int probe_told(const char *word)
{
    struct rumpk_queue_completion done;
    uint32_t list[RUMPK_WAIT_MAX], slots[2], queue = 0;
    struct rumpk_meta_cap info;

    (void)word;
    if (slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_READ, slots, 1) != 1)
        return 1;
    npl_recv_ring(slots[0], RUMPK_NOW); // the service is there
    while (npl_meta_cap(queue, &info) != RUMPK_OK || info.type != RUMPK_CAP_QUEUE) {
        queue = (queue + 1) % RUMPK_SLOT_COUNT;
        if (queue == 0)
            npl_sleep_until(npl_deadline_ms(1));
    }
    slots[1] = queue;
    list_make(list, slots, 2);
    if (npl_wait(list, RUMPK_WAIT_MAX, RUMPK_FOREVER) != RUMPK_WAIT_MAX - 1)
        return 2;
    // The device is nobody's now, or the teller has ended and its queues with it.
    int64_t result = probe_call(RUMPK_CALL_RECV, queue, (uint64_t)&done, 1, RUMPK_NOW);
    return result == RUMPK_E_STATE || result == RUMPK_E_STALE ? SURVIVED : 3;
}

// "ROUNDS COUNT": batches of COUNT requests for a console's device, all in the deepest capability;
// what comes back is stored across a page's end.
int probe_batch(const char *word)
{
    static uint8_t space[3 * RUMPK_PAGE_SIZE] __attribute__((aligned(RUMPK_PAGE_SIZE)));
    struct rumpk_queue_request *requests =
        (struct rumpk_queue_request *)(space + RUMPK_PAGE_SIZE - 16 * sizeof *requests);
    struct rumpk_queue_completion *done =
        (struct rumpk_queue_completion *)(space + 2 * RUMPK_PAGE_SIZE - 16 * sizeof *done);
    char *rest;
    uint32_t rounds = (uint32_t)strtoul(word, &rest, 0), out, slot, queues[2], device;
    uint32_t count = (uint32_t)strtoul(rest, NULL, 0);

    if (slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_WRITE, &out, 1) != 1 ||
        slots_of(RUMPK_CAP_QUEUE, 0, queues, 2) != 2 ||
        slots_of(RUMPK_CAP_DEVICE, 0, &device, 1) != 1)
        return 1;
    slot = deepest(slot_named("buffers"), RUMPK_CAP_DMA, RIGHTS | RUMPK_RIGHT_DMA, out, 0);
    if (slot == RUMPK_SLOT_NONE || npl_mask_features(device, UINT64_C(1) << 32) != RUMPK_OK)
        return 2;
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t index = 0; index < count; index++)
            requests[index] = (struct rumpk_queue_request){
                .memory_slot = slot, .offset = index * 128, .length = 1, .cookie = index};
        if (npl_send_requests(queues[1], requests, count) != count)
            return 3;
        for (int64_t back = 0; back < count;) {
            int64_t result =
                npl_recv_completions(queues[1], done, RUMPK_QUEUE_BATCH_MAX, RUMPK_FOREVER);
            if (result <= 0)
                return 4;
            back += result;
        }
    }
    return SURVIVED;
}

// ---- loans ----

// "ROUNDS": sleeps on the replies of all its servers, so many times for a millisecond; 0: once and
// for good.
int probe_borrower(const char *word)
{
    uint32_t rounds = (uint32_t)strtoul(word, NULL, 0);
    uint32_t slots[RUMPK_SLOT_COUNT], list[RUMPK_WAIT_MAX];

    list_make(list, slots, slots_of(RUMPK_CAP_RING, RUMPK_RIGHT_READ, slots, RUMPK_SLOT_COUNT));
    for (uint32_t round = 0; round < rounds || rounds == 0; round++)
        if (npl_wait(list, RUMPK_WAIT_MAX, rounds == 0 ? RUMPK_FOREVER : npl_deadline_ms(1)) !=
            RUMPK_E_TIMEOUT)
            return 1;
    return SURVIVED;
}
