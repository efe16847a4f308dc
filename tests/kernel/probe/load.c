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
__attribute__((used, retain)) static const uint8_t ballast[PROBE_BALLAST] = {1, 2, 3};
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
