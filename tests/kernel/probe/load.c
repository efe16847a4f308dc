// SPDX-License-Identifier: Apache-2.0
//
// load.c: acts for a machine under load: a steady beat that counts its own delays, a flooder,
// kernel work that takes long, a client and a server of different spectrums.
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

// In the file of the driver, to make it as large as a test wants.
#ifdef PROBE_BALLAST
__attribute__((used, retain)) static const uint8_t ballast[PROBE_BALLAST] = {
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32}; // a mark that is nowhere else
#endif

static uint64_t now(void)
{
    return (uint64_t)probe_call(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0);
}

static uint64_t ms(uint64_t count)
{
    return count * npl_systable()->timer_hz / 1000;
}

static const struct rumpk_channel *channel_find(const char *service, uint32_t role)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_channel *list =
        (const struct rumpk_channel *)((const char *)start + start->channels_offset);

    for (uint32_t index = 0; index < start->channel_count; index++)
        if (list[index].role == role && strcmp(list[index].service, service) == 0)
            return &list[index];
    return NULL;
}

// Sleeps for a millisecond so many times; the kernel's histogram of its wake-ups has each of them.
int probe_beat(const char *word)
{
    uint32_t rounds = (uint32_t)strtoul(word, NULL, 0);
    struct rumpk_meta_wake wake;
    uint64_t sum = 0;

    for (uint32_t round = 0; round < rounds; round++)
        if (probe_call(RUMPK_CALL_WAIT, 0, 0, now() + ms(1), 0) != RUMPK_E_TIMEOUT)
            return 1;
    if (probe_call(RUMPK_CALL_META, RUMPK_META_WAKE, (uint64_t)&wake, sizeof wake,
                   npl_start()->fiber) != RUMPK_OK)
        return 2;
    for (uint32_t bucket = 0; bucket < RUMPK_WAKE_BUCKETS; bucket++)
        sum += wake.buckets[bucket];
    return sum == wake.count && wake.count == rounds && wake.longest != 0 ? SURVIVED : 3;
}

// For so many milliseconds: fills the ring to the sink as fast as it goes, and rings. It polls,
// which is a call of recv, so it never overruns: only its budget stops it.
int probe_flood(const char *word)
{
    uint64_t until = now() + ms(strtoull(word, NULL, 0));
    const struct rumpk_channel *channel = channel_find("sink", RUMPK_ROLE_CLIENT);
    int64_t ring = channel != NULL ? npl_map(channel->request_slot) : 0;

    if (ring <= 0)
        return 1;
    const struct rumpk_ring_header *header = (const struct rumpk_ring_header *)ring;
    const struct rumpk_ring_consumer *peer =
        (const struct rumpk_ring_consumer *)(ring + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *own =
        (struct rumpk_ring_producer *)(ring + RUMPK_RING_PRODUCER_OFFSET);
    while (now() < until) {
        uint32_t tail = __atomic_load_n(&peer->tail, __ATOMIC_ACQUIRE);
        __atomic_store_n(&own->head, tail + header->slot_count, __ATOMIC_RELEASE);
        if (probe_call(RUMPK_CALL_SEND, channel->request_slot, 0, 0, 0) != RUMPK_OK ||
            probe_call(RUMPK_CALL_RECV, channel->request_slot, 0, 0, RUMPK_NOW) == RUMPK_E_PEER)
            return 2;
    }
    return SURVIVED;
}

// Its budget is so many microseconds a window, 0 for none; used up, it is throttled.
int probe_budget(const char *word)
{
    uint64_t wanted = npl_systable()->timer_hz * strtoull(word, NULL, 0) / 1000000;
    struct rumpk_meta_run run;

    do {
        // It waits now and then, for nothing: computing is no overrun.
        if (probe_call(RUMPK_CALL_WAIT, 0, 0, now(), 0) != RUMPK_E_TIMEOUT)
            return 1;
        if (probe_call(RUMPK_CALL_META, RUMPK_META_RUN, (uint64_t)&run, sizeof run, 0) != RUMPK_OK)
            return 2;
        // The kernel rounds a share down, and the microseconds of a third are rounded here.
        if (run.budget + 2 < wanted || run.budget > wanted + npl_systable()->timer_hz / 1000000 + 2)
            return 3;
    } while (run.throttled == 0 && wanted != 0);
    return wanted != 0 || run.budget == 0 ? SURVIVED : 4;
}

// "ROUNDS MS": computes ROUNDS pieces of work without waiting and ends; within MS milliseconds, or
// it says so.
int probe_work(const char *word)
{
    uint64_t begin = now();
    char *rest;
    uint64_t rounds = strtoull(word, &rest, 0);
    volatile uint64_t count = 0;

    while (count < rounds * 1000)
        count = count + 1;
    return now() - begin <= ms(strtoull(rest, NULL, 0)) ? SURVIVED : 2;
}

static uint32_t own_slot(uint32_t type)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);

    for (uint32_t index = 0; index < start->cap_count; index++)
        if (caps[index].type == type)
            return caps[index].slot;
    return RUMPK_SLOT_NONE;
}

// Starts its package after so many milliseconds: "MS" and then the result that it wants.
int probe_boss(const char *word)
{
    char *rest;
    uint64_t delay = strtoull(word, &rest, 0);
    int64_t wanted = strtoll(rest, NULL, 0), result;

    probe_call(RUMPK_CALL_WAIT, 0, 0, now() + ms(delay), 0);
    result = npl_spawn(own_slot(RUMPK_CAP_SPAWN));
    if (wanted < 0)
        return result == wanted ? SURVIVED : 2;
    return result >= 0 ? SURVIVED : 1;
}

// ---- a client and a server of different spectrums ----

static int ring_open(struct npl_ring *ring, uint32_t slot, bool is_producer)
{
    return npl_ring_open(ring, slot, is_producer) == RUMPK_OK;
}

// Asks so many times and ends with the longest wait for an answer in ticks.
int probe_ask(const char *word)
{
    uint32_t rounds = (uint32_t)strtoul(word, NULL, 0);
    const struct rumpk_channel *channel = channel_find("ask", RUMPK_ROLE_CLIENT);
    uint8_t message[RUMPK_RING_SLOT_SIZE] = {0};
    struct npl_ring request, reply;
    uint64_t longest = 0;

    if (channel == NULL || !ring_open(&request, channel->request_slot, true) ||
        !ring_open(&reply, channel->reply_slot, false))
        return -1;
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t begin = now(), length;

        if (npl_ring_push(&request, message) < 0)
            return -2;
        while (npl_ring_pull(&reply, message) <= 0)
            if (npl_ring_sleep(&reply, RUMPK_FOREVER) < 0)
                return -3;
        length = now() - begin;
        longest = length > longest ? length : longest;
        // What its server does is charged to it: together they stay well inside a Photon's budget.
        probe_call(RUMPK_CALL_WAIT, 0, 0, now() + ms(2), 0);
    }
    return (int)longest;
}

// Answers each request after so much computing, in pieces of a thousand rounds.
int probe_answer(const char *word)
{
    uint64_t rounds = strtoull(word, NULL, 0) * 1000;
    const struct rumpk_channel *channel = channel_find("ask", RUMPK_ROLE_SERVER);
    uint8_t message[RUMPK_RING_SLOT_SIZE];
    struct npl_ring request, reply;
    struct rumpk_meta_run run;
    uint32_t lent = 0;

    if (channel == NULL || !ring_open(&request, channel->request_slot, false) ||
        !ring_open(&reply, channel->reply_slot, true))
        return 1;
    for (;;) {
        int64_t result = npl_ring_pull(&request, message);

        if (result <= 0) {
            if (npl_ring_sleep(&request, RUMPK_FOREVER) == RUMPK_E_PEER)
                return lent != 0 ? SURVIVED : 2; // nobody ever lent anything
            continue;
        }
        for (volatile uint64_t count = 0; count < rounds;)
            count = count + 1;
        if (probe_call(RUMPK_CALL_META, RUMPK_META_RUN, (uint64_t)&run, sizeof run, 0) != 0)
            return 3;
        lent += run.lent == RUMPK_SPECTRUM_PHOTON + 1;
        npl_ring_push(&reply, message);
    }
}

// ---- kernel work that takes long ----

// Each call that the kernel does in steps, at its largest, and then the end of a fiber with all its
// memory.
int probe_long(const char *word)
{
    static uint8_t state[RUMPK_CHECKPOINT_MAX];
    uint32_t memory = own_slot(RUMPK_CAP_MEMORY);

    (void)word;
    for (uint32_t round = 0; round < 3; round++)
        if (probe_call(RUMPK_CALL_CHECKPOINT, (uint64_t)state + round, sizeof state - 4, 0, 0) !=
            round + 1)
            return 1;
    if (npl_map(memory) <= 0 || npl_mask_rights(memory, RUMPK_RIGHT_READ) != RUMPK_OK)
        return 2;
    return SURVIVED;
}

// Maps every slot of memory that was granted. Returns how many there are.
static uint32_t map_granted(void)
{
    struct rumpk_meta_cap info;
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        if (npl_meta_cap(slot, &info) == RUMPK_OK && info.type == RUMPK_CAP_MEMORY &&
            info.depth == 1 && (info.state & RUMPK_CAP_STATE_LIVE) != 0)
            count += npl_map(slot) > 0;
    return count;
}

// Maps all that it is given, until it is taken back.
int probe_holder(const char *word)
{
    volatile uint64_t *memory;
    uint32_t slot = 0;
    struct rumpk_meta_cap info;

    (void)word;
    npl_recv_ring(own_slot(RUMPK_CAP_RING), RUMPK_NOW); // the service is there: the giver may start
    while (map_granted() < RUMPK_GRANTS_PER_RING_MAX)
        npl_sleep_until(npl_deadline_ms(1));
    while (npl_meta_cap(slot, &info) != RUMPK_OK || info.type != RUMPK_CAP_MEMORY)
        slot++;
    memory = (volatile uint64_t *)(uint64_t)npl_map(slot);
    memory[0] = 1;
    while (npl_map(slot) > 0)
        npl_sleep_until(npl_deadline_ms(1));
    return SURVIVED;
}

// Gives as much as one ring may carry and ends with how many ticks taking it back took, or "grant":
// giving it the first time, when the receiver has no tables for it.
int probe_bound(const char *word)
{
    uint32_t memory = own_slot(RUMPK_CAP_MEMORY), ring = own_slot(RUMPK_CAP_RING);
    volatile uint64_t *words = (volatile uint64_t *)(uint64_t)npl_map(memory);
    uint64_t begin, given = 0;

    for (uint32_t count = 0; count < RUMPK_GRANTS_PER_RING_MAX; count++) {
        begin = now();
        if (npl_grant(memory, ring, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, 0, 0) < 0)
            return -1;
        given = count == 0 ? now() - begin : given;
    }
    while (words[0] != 1)
        npl_sleep_until(npl_deadline_ms(1));
    begin = now();
    if (npl_revoke(memory) != RUMPK_GRANTS_PER_RING_MAX)
        return -2;
    return (int)(strcmp(word, "grant") == 0 ? given : now() - begin);
}
