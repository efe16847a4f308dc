// SPDX-License-Identifier: Apache-2.0
//
// stream.c: merges the text of several clients, line by line.
//
//   ring slots --take_line--> client->line --hand_out--> piece
//
// A client's bytes are only ever bytes: lengths are clamped each time they are read, and the slot
// is read again, not remembered, because its writer can change it at any time.
#include <npl/call.h>
#include <npl/heap.h>
#include <npl/start.h>
#include <npl/stream.h>
#include <stdlib.h>
#include <string.h>

int64_t npl_stream_open(struct npl_stream *stream, const char *service)
{
    uint32_t count = 0;

    *stream = (struct npl_stream){0};
    while (npl_channel_find(service, RUMPK_ROLE_SERVER, count))
        count++;
    if (count == 0)
        return 0;
    if (count > NPL_STREAM_CLIENTS_MAX)
        return RUMPK_E_LIMIT;
    stream->clients = calloc(count, sizeof(*stream->clients));
    if (!stream->clients)
        return RUMPK_E_MEMORY;

    for (uint32_t index = 0; index < count; index++) {
        const struct rumpk_channel *channel = npl_channel_find(service, RUMPK_ROLE_SERVER, index);
        struct npl_ring *ring = &stream->clients[index].ring;
        int64_t result = npl_ring_open(ring, channel->request_slot, false);

        if (result < 0)
            return result;
    }
    stream->client_count = count;
    return count;
}

// Moves bytes of the next slot into the line buffer, up to and including a line feed. True when the
// buffer holds a piece: a whole line, or no room for more.
static bool take_slot(struct npl_stream_client *client, const struct rumpk_stream_slot *shared)
{
    struct rumpk_stream_slot slot;

    memcpy(&slot, shared, sizeof(slot));
    uint32_t length = slot.length < sizeof(slot.bytes) ? slot.length : sizeof(slot.bytes);
    bool is_piece = false;

    while (client->slot_used < length && !is_piece) {
        uint8_t byte = slot.bytes[client->slot_used++];

        client->line[client->used++] = (char)byte;
        is_piece = byte == '\n' || client->used == NPL_STREAM_LINE_MAX;
    }
    if (client->slot_used >= length) {
        client->slot_used = 0;
        npl_ring_drop(&client->ring);
    }
    return is_piece;
}

// Takes what the client has written. True when its line buffer is to be handed out.
static bool take_line(struct npl_stream_client *client)
{
    const struct rumpk_stream_slot *shared;
    uint32_t used_before = client->used;
    bool is_piece = false;

    if (client->is_gone)
        return false;
    int64_t ready = npl_ring_ready(&client->ring);
    if (ready == RUMPK_E_EPOCH) {
        npl_ring_resync(&client->ring);
        client->slot_used = 0;
        ready = npl_ring_ready(&client->ring);
    }
    if (ready < 0)
        client->is_gone = true;
    else
        while (!is_piece && (shared = npl_ring_peek(&client->ring)))
            is_piece = take_slot(client, shared);
    (void)npl_ring_publish(&client->ring);
    if (client->ring.is_broken)
        client->is_gone = true;

    if (is_piece || (client->is_gone && client->used > 0))
        return true;
    if (client->used == 0)
        return false;
    if (client->used != used_before)
        client->rest_until = npl_deadline_ms(NPL_STREAM_REST_MS);
    return client->rest_until <= npl_tick_now();
}

const char *npl_stream_next(struct npl_stream *stream, size_t *size)
{
    for (uint32_t step = 0; step < stream->client_count; step++) {
        uint32_t index = (stream->turn + step) % stream->client_count;
        struct npl_stream_client *client = &stream->clients[index];

        if (!take_line(client))
            continue;
        memcpy(stream->piece, client->line, client->used);
        *size = client->used;
        client->used = 0;
        client->rest_until = 0;
        stream->turn = index + 1;
        return stream->piece;
    }
    *size = 0;
    return NULL;
}

int64_t npl_stream_wait(struct npl_stream *stream)
{
    uint32_t slots[NPL_STREAM_CLIENTS_MAX];
    uint32_t count = 0;
    uint64_t deadline = RUMPK_FOREVER;
    bool is_ready = false;

    for (uint32_t index = 0; index < stream->client_count; index++) {
        struct npl_stream_client *client = &stream->clients[index];

        if (client->is_gone)
            continue;
        npl_ring_announce(&client->ring);
        is_ready |= npl_ring_ready(&client->ring) != 0;
        slots[count++] = client->ring.slot;
        if (client->used > 0 && client->rest_until < deadline)
            deadline = client->rest_until;
    }
    if (count == 0)
        return RUMPK_E_PEER;
    int64_t result = is_ready ? 0 : npl_wait(slots, count, deadline);
    for (uint32_t index = 0; index < stream->client_count; index++) {
        if (!stream->clients[index].is_gone)
            npl_ring_withdraw(&stream->clients[index].ring);
    }
    return result >= 0 || result == RUMPK_E_TIMEOUT ? 0 : result;
}
