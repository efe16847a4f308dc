// SPDX-License-Identifier: Apache-2.0
//
// client.c: the asking end of 9P2000 in arena buffers.
//
//   free --start--> sent --answer--> answered --next--> handed out --done--> free
//                    |                  ^                        (plain calls skip the last two)
//                    +-- epoch: again --+
//
// The tag of a request is its buffer's index, its number in the ring its sequence. The server's
// answer is copied before it is read, and an answer that fits no request breaks the connection.
#include "client_stat.h"
#include "wire.h"
#include <npl/call.h>
#include <npl/client.h>
#include <npl/heap.h>
#include <npl/start.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_FID        0u
#define ANSWER_COPY_MAX 512u

enum pending_state { PENDING_FREE, PENDING_SENT, PENDING_ANSWERED, PENDING_HANDED_OUT };

static uint8_t *buffer_at(const struct npl_client *client, uint32_t buffer)
{
    return client->arena + (size_t)buffer * client->buffer_size;
}

// ---- requests
// --------------------------------------------------------------------------------------

// Begins a request in a free buffer. RUMPK_E_FULL when there is none.
static int64_t request_begin(struct npl_client *client, uint8_t type, struct wire *wire)
{
    for (uint32_t buffer = 0; buffer < client->buffer_count; buffer++) {
        struct npl_pending *pending = &client->pending[buffer];

        if (pending->state != PENDING_FREE)
            continue;
        *pending = (struct npl_pending){.type = type};
        uint16_t tag = type == RUMPK_TVERSION ? RUMPK_NINEP_NOTAG : (uint16_t)buffer;
        *wire = wire_begin(buffer_at(client, buffer), client->msize, type, tag);
        return buffer;
    }
    return RUMPK_E_FULL;
}

// Puts the kept request into the ring.
static int64_t request_send(struct npl_client *client, uint32_t buffer)
{
    const struct npl_pending *pending = &client->pending[buffer];
    struct rumpk_message_slot slot = {
        .sequence = pending->sequence,
        .buffer = buffer,
        .length = pending->length,
    };

    for (;;) {
        int64_t result = npl_ring_push(&client->requests, &slot);

        if (result != RUMPK_E_FULL)
            return result;
        result = npl_ring_sleep(&client->requests, RUMPK_FOREVER);
        if (result < 0)
            return result;
    }
}

// The pending request with the lowest number above `last`, or null.
static struct npl_pending *next_sent(struct npl_client *client, uint64_t last)
{
    struct npl_pending *next = NULL;

    for (uint32_t buffer = 0; buffer < client->buffer_count; buffer++) {
        struct npl_pending *pending = &client->pending[buffer];

        if (pending->state == PENDING_SENT && pending->sequence > last &&
            (!next || pending->sequence < next->sequence))
            next = pending;
    }
    return next;
}

// After a restart of the server: what its old instance took without answering is sent again, in
// order. The newest requests may still lie in the ring untaken; those the new instance finds by
// itself.
static int64_t resend_all(struct npl_client *client)
{
    struct npl_pending *next;
    uint64_t last = 0;
    uint32_t lost = 0;

    npl_ring_resync(&client->requests);
    npl_ring_resync(&client->replies);
    int64_t room = npl_ring_ready(&client->requests);
    if (room < 0)
        return room;
    uint32_t untaken = client->requests.slot_count - (uint32_t)room;
    while ((next = next_sent(client, last))) {
        last = next->sequence;
        lost++;
    }
    lost = lost > untaken ? lost - untaken : 0;
    for (last = 0; lost > 0 && (next = next_sent(client, last)); lost--) {
        uint32_t buffer = (uint32_t)(next - client->pending);
        uint32_t kept = next->length < NPL_CLIENT_KEEP_MAX ? next->length : NPL_CLIENT_KEEP_MAX;

        memcpy(buffer_at(client, buffer), next->kept, kept);
        int64_t result = request_send(client, buffer);
        if (result < 0)
            return result;
        last = next->sequence;
    }
    return RUMPK_OK;
}

// Closes the message, with `data_size` bytes that already lie behind the header, and sends it.
static int64_t request_end(struct npl_client *client, uint32_t buffer, struct wire *wire)
{
    struct npl_pending *pending = &client->pending[buffer];
    uint8_t *bytes = buffer_at(client, buffer);

    pending->length = wire_end(wire, bytes);
    if (pending->length == 0)
        return RUMPK_E_ARGUMENT;
    memcpy(pending->kept, bytes,
           pending->length < NPL_CLIENT_KEEP_MAX ? pending->length : NPL_CLIENT_KEEP_MAX);
    pending->sequence = ++client->sequence;
    int64_t result = request_send(client, buffer);
    if (result == RUMPK_E_EPOCH) {
        result = resend_all(client); // not of this one: it is not under way yet
        if (result >= 0)
            result = request_send(client, buffer);
    }
    pending->state = PENDING_SENT;
    if (result < 0)
        pending->state = PENDING_FREE;
    return result;
}

// ---- answers
// ---------------------------------------------------------------------------------------

// Takes one answer from the ring, if there is one. 1, 0, or RUMPK_E_PEER.
static int64_t take_answer(struct npl_client *client)
{
    struct rumpk_message_slot slot;
    int64_t result = npl_ring_pull(&client->replies, &slot);

    if (result == RUMPK_E_EPOCH)
        return resend_all(client);
    if (result <= 0)
        return result;
    if (slot.buffer >= client->buffer_count)
        return RUMPK_E_PEER;
    struct npl_pending *pending = &client->pending[slot.buffer];
    if (pending->state != PENDING_SENT || pending->sequence != slot.sequence ||
        slot.length < RUMPK_NINEP_HEADER || slot.length > client->buffer_size)
        return RUMPK_E_PEER;
    pending->answer = slot.length;
    pending->state = PENDING_ANSWERED;
    return 1;
}

// Sleeps for an answer. 0 when one may be there.
static int64_t await_answer(struct npl_client *client, uint64_t deadline)
{
    int64_t result = npl_ring_sleep(&client->replies, deadline);

    return result > 0 || result == RUMPK_E_EPOCH ? RUMPK_OK : result;
}

// The server's words, made printable.
static void keep_error(struct npl_client *client, struct wire_text text)
{
    uint32_t size = text.size < NPL_CLIENT_ERROR_MAX - 1 ? text.size : NPL_CLIENT_ERROR_MAX - 1;

    for (uint32_t at = 0; at < size; at++) {
        char byte = text.bytes[at];

        if (byte < ' ' || byte > '~')
            byte = '?';
        client->error[at] = byte;
    }
    client->error[size] = '\0';
}

// Opens an answer that has been copied to `copy`: 0 when it is the right one, RUMPK_E_DEVICE for an
// Rerror, RUMPK_E_PEER for nonsense.
static int64_t answer_open(struct npl_client *client, uint32_t buffer, uint8_t *copy,
                           struct wire *wire)
{
    const struct npl_pending *pending = &client->pending[buffer];
    uint32_t size = pending->answer < ANSWER_COPY_MAX ? pending->answer : ANSWER_COPY_MAX;

    memcpy(copy, buffer_at(client, buffer), size);
    *wire = wire_over(copy, size);
    uint64_t length = wire_get(wire, 4);
    uint8_t type = (uint8_t)wire_get(wire, 1);
    uint16_t tag = (uint16_t)wire_get(wire, 2);
    uint16_t asked_tag = pending->type == RUMPK_TVERSION ? RUMPK_NINEP_NOTAG : (uint16_t)buffer;

    client->error[0] = '\0';
    if (length != pending->answer || tag != asked_tag)
        return RUMPK_E_PEER;
    if (type == RUMPK_RERROR) {
        keep_error(client, wire_get_text(wire));
        return RUMPK_E_DEVICE;
    }
    return type == pending->type + 1 ? RUMPK_OK : RUMPK_E_PEER;
}

// Sends what was begun and waits for its answer, which is copied to `copy`. The buffer is free
// afterwards.
static int64_t request_wait(struct npl_client *client, uint32_t buffer, struct wire *wire,
                            uint8_t *copy)
{
    struct npl_pending *pending = &client->pending[buffer];
    int64_t result = request_end(client, buffer, wire);

    while (result >= 0 && pending->state == PENDING_SENT) {
        result = take_answer(client);
        if (result == 0)
            result = await_answer(client, RUMPK_FOREVER);
    }
    if (result >= 0)
        result = answer_open(client, buffer, copy, wire);
    pending->state = PENDING_FREE;
    return result;
}

// ---- connection
// ------------------------------------------------------------------------------------

static int64_t agree_version(struct npl_client *client)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    int64_t buffer = request_begin(client, RUMPK_TVERSION, &wire);

    if (buffer < 0)
        return buffer;
    wire_put(&wire, 4, client->msize);
    wire_put_text(&wire, RUMPK_NINEP_VERSION);
    int64_t result = request_wait(client, (uint32_t)buffer, &wire, copy);
    if (result < 0)
        return result;
    uint32_t msize = (uint32_t)wire_get(&wire, 4);
    struct wire_text version = wire_get_text(&wire);
    if (wire.is_bad || msize < RUMPK_NINEP_MSIZE_MIN || msize > client->msize ||
        !wire_text_is(version, RUMPK_NINEP_VERSION))
        return RUMPK_E_UNSUPPORTED;
    client->msize = msize;
    client->io_max = msize - RUMPK_NINEP_WRITE_HEADER;
    return RUMPK_OK;
}

static int64_t attach(struct npl_client *client)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    int64_t buffer = request_begin(client, RUMPK_TATTACH, &wire);

    if (buffer < 0)
        return buffer;
    wire_put(&wire, 4, ROOT_FID);
    wire_put(&wire, 4, RUMPK_NINEP_NOFID);
    wire_put_text(&wire, "rumpk");
    wire_put_text(&wire, "");
    client->fids = 1u << ROOT_FID;
    return request_wait(client, (uint32_t)buffer, &wire, copy);
}

int64_t npl_client_connect(struct npl_client *client, const char *service)
{
    const struct rumpk_channel *channel = npl_channel_find(service, RUMPK_ROLE_CLIENT, 0);
    const struct rumpk_cap_info *arena = channel ? npl_cap_of_slot(channel->arena_slot) : NULL;

    if (!arena)
        return RUMPK_E_SLOT;
    if (channel->style != RUMPK_STYLE_SERVICE || channel->arena_count == 0 ||
        channel->arena_size < RUMPK_NINEP_MSIZE_MIN ||
        (uint64_t)channel->arena_count * channel->arena_size > arena->size)
        return RUMPK_E_STATE;
    int64_t address = npl_map(channel->arena_slot);
    if (address < 0)
        return address;
    *client = (struct npl_client){
        .arena = (uint8_t *)(uintptr_t)address,
        .buffer_count = channel->arena_count,
        .buffer_size = channel->arena_size,
        .msize = channel->arena_size,
    };
    int64_t result = npl_ring_open(&client->requests, channel->request_slot, true);
    if (result < 0)
        return result;
    result = npl_ring_open(&client->replies, channel->reply_slot, false);
    if (result < 0)
        return result;
    // Never more under way than either ring holds: the server has room for each answer, and need
    // not wait for this client to take one.
    if (client->buffer_count > client->requests.slot_count)
        client->buffer_count = client->requests.slot_count;
    if (client->buffer_count > client->replies.slot_count)
        client->buffer_count = client->replies.slot_count;
    client->pending = calloc(client->buffer_count, sizeof(*client->pending));
    if (!client->pending)
        return RUMPK_E_MEMORY;
    result = agree_version(client);
    return result < 0 ? result : attach(client);
}

// Is this a fid that npl_client_open has given out?
static bool fid_is_open(const struct npl_client *client, int64_t fid)
{
    return fid > 0 && fid < NPL_CLIENT_FIDS_MAX && (client->fids & (1u << fid));
}

// The names of a path, "/" between them, each at most one 9P string.
static uint32_t put_names(struct wire *wire, const char *path)
{
    uint32_t count = 0;

    while (*path) {
        size_t size = strcspn(path, "/");

        if (size > 0) {
            wire_put(wire, 2, size);
            for (size_t at = 0; at < size; at++)
                wire_put(wire, 1, (uint8_t)path[at]);
            count++;
        }
        path += size + (path[size] == '/');
    }
    return count;
}

static int64_t walk(struct npl_client *client, uint32_t fid, const char *path)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    int64_t buffer = request_begin(client, RUMPK_TWALK, &wire);

    if (buffer < 0)
        return buffer;
    wire_put(&wire, 4, ROOT_FID);
    wire_put(&wire, 4, fid);
    struct wire count_field = wire;
    wire_put(&wire, 2, 0);
    uint32_t count = put_names(&wire, path);
    wire_put(&count_field, 2, count);
    if (count > RUMPK_NINEP_WALK_MAX || wire.is_bad ||
        (size_t)(wire.at - buffer_at(client, (uint32_t)buffer)) > NPL_CLIENT_KEEP_MAX)
        return RUMPK_E_ARGUMENT;
    int64_t result = request_wait(client, (uint32_t)buffer, &wire, copy);
    if (result < 0)
        return result;
    if (wire_get(&wire, 2) == count)
        return RUMPK_OK;
    keep_error(client, (struct wire_text){.bytes = "file does not exist", .size = 19});
    return RUMPK_E_DEVICE;
}

static int64_t clunk(struct npl_client *client, uint32_t fid)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    int64_t buffer = request_begin(client, RUMPK_TCLUNK, &wire);

    if (buffer < 0)
        return buffer;
    wire_put(&wire, 4, fid);
    client->fids &= ~(1u << fid);
    return request_wait(client, (uint32_t)buffer, &wire, copy);
}

// Walks a free fid to the path: the fid, to be clunked by the caller.
static int64_t walk_new(struct npl_client *client, const char *path)
{
    uint32_t fid = 1;

    while (fid < NPL_CLIENT_FIDS_MAX && (client->fids & (1u << fid)))
        fid++;
    if (fid == NPL_CLIENT_FIDS_MAX)
        return RUMPK_E_LIMIT;
    int64_t result = walk(client, fid, path);
    if (result < 0)
        return result;
    client->fids |= 1u << fid;
    return fid;
}

// Clunks a fid whose use has failed; the words about the failure stay.
static void clunk_quietly(struct npl_client *client, int64_t fid)
{
    char error[NPL_CLIENT_ERROR_MAX];

    memcpy(error, client->error, sizeof(error));
    (void)clunk(client, (uint32_t)fid);
    memcpy(client->error, error, sizeof(error));
}

int64_t npl_client_open(struct npl_client *client, const char *path, uint32_t mode)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    int64_t fid = walk_new(client, path);

    if (fid < 0)
        return fid;
    int64_t buffer = request_begin(client, RUMPK_TOPEN, &wire);
    int64_t result = buffer;
    if (buffer >= 0) {
        wire_put(&wire, 4, (uint64_t)fid);
        wire_put(&wire, 1, mode);
        result = request_wait(client, (uint32_t)buffer, &wire, copy);
    }
    if (result >= 0)
        return fid;
    clunk_quietly(client, fid);
    return result;
}

int64_t npl_client_close(struct npl_client *client, int64_t fid)
{
    return fid_is_open(client, fid) ? clunk(client, (uint32_t)fid) : RUMPK_E_ARGUMENT;
}

int64_t npl_client_stat(struct npl_client *client, int64_t fid, struct npl_stat *out)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;

    if (!fid_is_open(client, fid))
        return RUMPK_E_ARGUMENT;
    int64_t buffer = request_begin(client, RUMPK_TSTAT, &wire);
    if (buffer < 0)
        return buffer;
    wire_put(&wire, 4, (uint64_t)fid);
    int64_t result = request_wait(client, (uint32_t)buffer, &wire, copy);
    if (result < 0)
        return result;

    wire_skip(&wire, 2); // size of the field
    return client_stat_get(&wire, out) ? RUMPK_OK : RUMPK_E_PEER;
}

int64_t npl_client_stat_path(struct npl_client *client, const char *path, struct npl_stat *out)
{
    int64_t fid = walk_new(client, path);

    if (fid < 0)
        return fid;
    int64_t result = npl_client_stat(client, fid, out);
    clunk_quietly(client, fid);
    return result;
}

// ---- reads and writes
// --------------------------------------------------------------------------------

// Starts one read (`bytes` null) or write.
static int64_t transfer_start(struct npl_client *client, int64_t fid, uint64_t offset,
                              const void *bytes, uint32_t count, uint64_t cookie, bool is_async)
{
    struct wire wire;

    if (!fid_is_open(client, fid) || count > client->io_max)
        return RUMPK_E_ARGUMENT;
    int64_t buffer = request_begin(client, bytes ? RUMPK_TWRITE : RUMPK_TREAD, &wire);
    if (buffer < 0)
        return buffer;
    struct npl_pending *pending = &client->pending[buffer];
    pending->cookie = cookie;
    pending->asked = count;
    pending->is_async = is_async;
    wire_put(&wire, 4, (uint64_t)fid);
    wire_put(&wire, 8, offset);
    wire_put(&wire, 4, count);
    if (bytes) {
        memcpy(wire.at, bytes, count);
        wire_skip(&wire, count);
    }
    int64_t result = request_end(client, (uint32_t)buffer, &wire);
    return result < 0 ? result : buffer;
}

// The result of an answered transfer; its data stay in the buffer.
static int64_t transfer_result(struct npl_client *client, uint32_t buffer)
{
    uint8_t copy[ANSWER_COPY_MAX];
    struct wire wire;
    const struct npl_pending *pending = &client->pending[buffer];
    int64_t result = answer_open(client, buffer, copy, &wire);

    if (result < 0)
        return result;
    uint32_t count = (uint32_t)wire_get(&wire, 4);
    uint32_t carried = pending->type == RUMPK_TREAD ? count : 0;
    if (wire.is_bad || count > pending->asked ||
        pending->answer - RUMPK_NINEP_READ_HEADER != carried)
        return RUMPK_E_PEER;
    return count;
}

// One read or write of at most io_max bytes, waiting for it.
static int64_t transfer(struct npl_client *client, int64_t fid, uint64_t offset, void *out,
                        const void *bytes, uint32_t count)
{
    int64_t buffer = transfer_start(client, fid, offset, bytes, count, 0, false);

    if (buffer < 0)
        return buffer;
    struct npl_pending *pending = &client->pending[buffer];
    int64_t result = RUMPK_OK;
    while (result >= 0 && pending->state == PENDING_SENT) {
        result = take_answer(client);
        if (result == 0)
            result = await_answer(client, RUMPK_FOREVER);
    }
    if (result >= 0)
        result = transfer_result(client, (uint32_t)buffer);
    if (result > 0 && out)
        memcpy(out, buffer_at(client, (uint32_t)buffer) + RUMPK_NINEP_READ_HEADER, (size_t)result);
    pending->state = PENDING_FREE;
    return result;
}

static int64_t transfer_all(struct npl_client *client, int64_t fid, uint64_t offset, uint8_t *out,
                            const uint8_t *bytes, uint64_t count)
{
    uint64_t moved = 0;

    while (moved < count) {
        uint64_t rest = count - moved;
        uint32_t part = rest < client->io_max ? (uint32_t)rest : client->io_max;
        int64_t result = transfer(client, fid, offset + moved, out ? out + moved : NULL,
                                  bytes ? bytes + moved : NULL, part);

        if (result < 0)
            return result;
        moved += (uint64_t)result;
        if (result < part)
            break;
    }
    return (int64_t)moved;
}

int64_t npl_client_read(struct npl_client *client, int64_t fid, uint64_t offset, void *out,
                        uint64_t count)
{
    return transfer_all(client, fid, offset, out, NULL, count);
}

int64_t npl_client_write(struct npl_client *client, int64_t fid, uint64_t offset, const void *bytes,
                         uint64_t count)
{
    return transfer_all(client, fid, offset, NULL, bytes, count);
}

int64_t npl_client_read_start(struct npl_client *client, int64_t fid, uint64_t offset,
                              uint32_t count, uint64_t cookie)
{
    int64_t buffer = transfer_start(client, fid, offset, NULL, count, cookie, true);

    return buffer < 0 ? buffer : RUMPK_OK;
}

int64_t npl_client_write_start(struct npl_client *client, int64_t fid, uint64_t offset,
                               const void *bytes, uint32_t count, uint64_t cookie)
{
    int64_t buffer = transfer_start(client, fid, offset, bytes, count, cookie, true);

    return buffer < 0 ? buffer : RUMPK_OK;
}

int64_t npl_client_next(struct npl_client *client, struct npl_answer *out, uint64_t deadline)
{
    for (;;) {
        bool is_under_way = false;

        for (uint32_t buffer = 0; buffer < client->buffer_count; buffer++) {
            struct npl_pending *pending = &client->pending[buffer];

            is_under_way |= pending->is_async && pending->state == PENDING_SENT;
            if (!pending->is_async || pending->state != PENDING_ANSWERED)
                continue;
            pending->state = PENDING_HANDED_OUT;
            *out = (struct npl_answer){
                .cookie = pending->cookie,
                .result = transfer_result(client, buffer),
                .data = buffer_at(client, buffer) + RUMPK_NINEP_READ_HEADER,
                .buffer = buffer,
            };
            return 1;
        }
        if (!is_under_way)
            return RUMPK_E_STATE;
        int64_t result = take_answer(client);
        if (result == 0)
            result = await_answer(client, deadline);
        if (result < 0)
            return result;
    }
}

void npl_client_done(struct npl_client *client, const struct npl_answer *answer)
{
    if (answer->buffer < client->buffer_count &&
        client->pending[answer->buffer].state == PENDING_HANDED_OUT)
        client->pending[answer->buffer].state = PENDING_FREE;
}

const char *npl_client_error(const struct npl_client *client)
{
    return client->error;
}
