// SPDX-License-Identifier: Apache-2.0
//
// rings.c: forged ring indices, lengths and headers. The sink is an honest server that trusts
// nothing; the forger is its client. The kernel and the sink must both stay whole, whatever the
// forger writes into its own pages.
#include "probe.h"

#include <npl/npl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PEER_BROKEN 43 // the sink saw an index that cannot be

static const struct rumpk_channel *channel_of(const char *service, uint32_t role, uint32_t nth)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_channel *list =
        (const struct rumpk_channel *)((const char *)start + start->channels_offset);
    for (uint32_t i = 0; i < start->channel_count; i++)
        if (list[i].role == role && strcmp(list[i].service, service) == 0 && nth-- == 0)
            return &list[i];
    return NULL;
}

static uint64_t map_ring(const struct rumpk_channel *channel)
{
    int64_t at = probe_call(RUMPK_CALL_MAP, channel->request_slot, 0, 0, 0);
    return at > 0 ? (uint64_t)at : 0;
}

// Takes from its clients, one after the other, until each is gone. Exit code PEER_BROKEN as soon as
// one lies.
int probe_sink(const char *word)
{
    (void)word;
    const struct rumpk_channel *channel;
    int result = SURVIVED;
    for (uint32_t n = 0; (channel = channel_of("sink", RUMPK_ROLE_SERVER, n)) != NULL; n++) {
        uint64_t ring = map_ring(channel);
        if (ring == 0)
            return 1;
        const struct rumpk_ring_header *header = (const struct rumpk_ring_header *)ring;
        struct rumpk_ring_consumer *own =
            (struct rumpk_ring_consumer *)(ring + RUMPK_RING_CONSUMER_OFFSET);
        struct rumpk_ring_producer *peer =
            (struct rumpk_ring_producer *)(ring + RUMPK_RING_PRODUCER_OFFSET);
        uint32_t count = header->slot_count;
        for (;;) {
            own->waiting = 1;
            int64_t ready = probe_call(RUMPK_CALL_RECV, channel->request_slot, 0, 0, RUMPK_FOREVER);
            own->waiting = 0;
            if (ready == RUMPK_E_PEER)
                break;
            if (ready <= 0 || ready > (int64_t)count)
                return 2; // the kernel passed on what it had not clamped
            uint32_t head = __atomic_load_n(&peer->head, __ATOMIC_ACQUIRE);
            if (head - own->tail > count) {
                result = PEER_BROKEN;
                __atomic_store_n(&own->tail, head, __ATOMIC_RELEASE);
                continue;
            }
            __atomic_store_n(&own->tail, head, __ATOMIC_RELEASE);
        }
    }
    return result;
}

// "KIND [SERVICE]"
int probe_forge(const char *word)
{
    char kind[32] = {0};
    const char *space = strchr(word, ' ');
    const char *service = space != NULL ? space + 1 : "sink";
    memcpy(kind, word, space != NULL ? (size_t)(space - word) : strlen(word));
    const struct rumpk_channel *channel = channel_of(service, RUMPK_ROLE_CLIENT, 0);
    uint64_t ring = channel != NULL ? map_ring(channel) : 0;
    if (ring == 0)
        return 1;
    struct rumpk_ring_header *header = (struct rumpk_ring_header *)ring;
    struct rumpk_ring_consumer *peer =
        (struct rumpk_ring_consumer *)(ring + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *own =
        (struct rumpk_ring_producer *)(ring + RUMPK_RING_PRODUCER_OFFSET);
    struct rumpk_stream_slot *slots =
        (struct rumpk_stream_slot *)((uint64_t)own + RUMPK_RING_SLOTS_OFFSET);
    if (strcmp(kind, "head-far") == 0)
        own->head = 1000000;
    else if (strcmp(kind, "head-last") == 0)
        own->head = UINT32_MAX;
    else if (strcmp(kind, "head-count-1") == 0)
        own->head = header->slot_count + 1;
    else if (strcmp(kind, "waiting") == 0)
        own->waiting = UINT32_MAX;
    else if (strcmp(kind, "honest") == 0)
        own->head = 1;
    else if (strcmp(kind, "header") == 0)
        header->slot_count = 1u << 30;
    else if (strcmp(kind, "tail") == 0)
        peer->tail = 77;
    else if (strcmp(kind, "beyond") == 0)
        ((volatile uint8_t *)ring)[header->size] = 1;
    else if (strcmp(kind, "length") == 0) {
        memset(&slots[0], 'L', sizeof slots[0]); // length 76, flags 76
        slots[0].length = 255;
        slots[0].bytes[61] = '\n';
        own->head = 1;
    } else
        return 98;
    if (probe_call(RUMPK_CALL_SEND, channel->request_slot, 0, 0, 0) != RUMPK_OK)
        return 2;
    int64_t room = probe_call(RUMPK_CALL_RECV, channel->request_slot, 0, 0, RUMPK_NOW);
    if (room > (int64_t)header->slot_count)
        return 3;
    return SURVIVED;
}
