// SPDX-License-Identifier: Apache-2.0
//
// service.c: moves 9P messages of several clients between rings and arenas.
//
//   request ring -> check slot -> copy header -> npl_message_handle -> answer in the same buffer
//                                       |                                   ^
//                                       +--- NPL_LATER: kept in in_flight[buffer] ---+
//
// A request is taken only while the reply ring has room for its answer and those of all that are
// kept, so an answer never has to wait. What a client writes into its ring is checked before it is
// used; a client that breaks the rules (a buffer it does not have or has lent already, a length
// outside it) is cut off for good. A request's number is only repeated in its answer: a number that
// comes again after a restart is served again, which is right because every operation of a file is
// idempotent.
#include "session.h"
#include <npl/call.h>
#include <npl/heap.h>
#include <npl/result.h>
#include <npl/start.h>
#include <stdlib.h>
#include <string.h>

static int64_t session_open(struct npl_session *session, const struct rumpk_channel *channel)
{
    const struct rumpk_cap_info *arena = npl_cap_of_slot(channel->arena_slot);
    uint64_t size = (uint64_t)channel->arena_count * channel->arena_size;

    if (channel->style != RUMPK_STYLE_SERVICE || !arena || size > arena->size ||
        channel->arena_count == 0 || channel->arena_size < RUMPK_NINEP_MSIZE_MIN)
        return RUMPK_E_STATE;
    int64_t address = npl_map(channel->arena_slot);
    if (address < 0)
        return address;
    session->arena = (uint8_t *)(uintptr_t)address;
    session->arena_slot = channel->arena_slot;
    session->arena_is_dma = arena->rights & RUMPK_RIGHT_DMA;
    session->buffer_count = channel->arena_count;
    session->buffer_size = channel->arena_size;
    session->in_flight = calloc(channel->arena_count, sizeof(*session->in_flight));
    if (!session->in_flight)
        return RUMPK_E_MEMORY;

    int64_t result = npl_ring_open(&session->requests, channel->request_slot, false);
    if (result < 0)
        return result;
    return npl_ring_open(&session->replies, channel->reply_slot, true);
}

int64_t npl_service_open(struct npl_service *service, const char *name,
                         const struct npl_file *files, uint32_t file_count, void *context)
{
    uint32_t count = 0;

    if (file_count > NPL_SERVICE_FILES_MAX)
        return RUMPK_E_LIMIT;
    for (uint32_t index = 0; index < file_count; index++) {
        if (strlen(files[index].name) >= NPL_SERVICE_NAME_MAX)
            return RUMPK_E_LIMIT;
    }
    while (npl_channel_find(name, RUMPK_ROLE_SERVER, count))
        count++;
    if (count > NPL_SERVICE_CLIENTS_MAX)
        return RUMPK_E_LIMIT;
    *service = (struct npl_service){.files = files, .file_count = file_count, .context = context};
    if (count == 0)
        return 0;
    service->sessions = calloc(count, sizeof(*service->sessions));
    if (!service->sessions)
        return RUMPK_E_MEMORY;

    for (uint32_t index = 0; index < count; index++) {
        const struct rumpk_channel *channel = npl_channel_find(name, RUMPK_ROLE_SERVER, index);
        int64_t result = session_open(&service->sessions[index], channel);

        if (result < 0)
            return result;
        service->sessions[index].service = service;
    }
    service->session_count = count;
    return count;
}

// The client was restarted. Both rings start anew; what is still kept for the old instance is
// finished first, and not answered.
static void session_restart(struct npl_session *session)
{
    npl_ring_resync(&session->requests);
    npl_ring_resync(&session->replies);
    session->is_draining = session->lent > 0;
}

// Is there room for the answers of all that is kept and of one more?
static bool may_take(struct npl_session *session)
{
    if (session->is_draining)
        return false;
    return npl_ring_ready(&session->replies) > (int64_t)session->lent ||
           npl_ring_refresh(&session->replies) > (int64_t)session->lent;
}

// Copies the request's header and hands it to service_message.c. False when the client broke a
// rule.
static bool take_message(struct npl_session *session, const struct rumpk_message_slot *slot)
{
    uint8_t copy[NPL_SERVICE_MESSAGE_MAX];
    uint32_t copy_size = slot->length < sizeof(copy) ? slot->length : sizeof(copy);

    if (slot->buffer >= session->buffer_count || slot->length < RUMPK_NINEP_HEADER ||
        slot->length > session->buffer_size)
        return false;
    struct npl_request *request = &session->in_flight[slot->buffer];
    if (request->is_lent)
        return false;

    uint8_t *shared = session_buffer(session, slot->buffer);
    memcpy(copy, shared, copy_size);
    struct message message = {
        .wire = wire_over(copy, copy_size),
        .shared = shared,
        .length = slot->length,
    };
    uint64_t size = wire_get(&message.wire, 4);
    uint8_t type = (uint8_t)wire_get(&message.wire, 1);
    uint16_t tag = (uint16_t)wire_get(&message.wire, 2);
    if (size != slot->length)
        return false;

    session->lent++;
    *request = (struct npl_request){
        .session = session,
        .sequence = slot->sequence,
        .buffer = slot->buffer,
        .type = type,
        .tag = tag,
        .is_lent = true,
    };
    npl_message_handle(session, request, &message);
    return true;
}

// Does this answer of a ring mean that the client is gone, or has broken it? A new epoch does not.
static bool is_lost(int64_t ready)
{
    return ready < 0 && ready != RUMPK_E_EPOCH;
}

// One request of this client, if there is one. True when one was handled.
static bool session_step(struct npl_session *session)
{
    struct rumpk_message_slot slot;
    int64_t ready = npl_ring_ready(&session->requests);

    if (ready == RUMPK_E_EPOCH || npl_ring_ready(&session->replies) == RUMPK_E_EPOCH) {
        session_restart(session);
        ready = npl_ring_ready(&session->requests);
    }
    // A client that no longer takes answers, or whose ring is broken, gets none: asked before its
    // requests are counted, or a client without any would keep npl_service_wait() from sleeping.
    if (is_lost(ready) || is_lost(npl_ring_ready(&session->replies)))
        session->is_gone = true;
    if (session->is_gone || ready <= 0)
        return false;
    if (!may_take(session)) {
        session->is_gone = is_lost(npl_ring_ready(&session->replies));
        return false;
    }
    memcpy(&slot, npl_ring_peek(&session->requests), sizeof(slot));
    npl_ring_drop(&session->requests);
    (void)npl_ring_publish(&session->requests);
    if (!take_message(session, &slot)) {
        session->is_gone = true;
        return false;
    }
    return true;
}

int64_t npl_service_poll(struct npl_service *service)
{
    int64_t handled = 0;
    uint32_t alive = 0;

    for (uint32_t step = 0; step < service->session_count; step++) {
        uint32_t index = (service->turn + step) % service->session_count;
        struct npl_session *session = &service->sessions[index];

        if (session->is_gone)
            continue;
        handled += session_step(session);
        alive += !session->is_gone;
    }
    service->turn++;
    return alive == 0 ? RUMPK_E_PEER : handled;
}

void npl_session_send(struct npl_request *request, uint32_t length)
{
    struct npl_session *session = request->session;
    struct rumpk_message_slot slot = {
        .sequence = request->sequence,
        .buffer = request->buffer,
        .length = length,
    };

    request->is_lent = false;
    session->lent--;
    bool is_dropped = session->is_gone || session->is_draining;
    if (session->lent == 0)
        session->is_draining = false;
    if (is_dropped)
        return;
    // Room was reserved when the request was taken.
    int64_t result = npl_ring_push(&session->replies, &slot);
    if (result < 0 && result != RUMPK_E_EPOCH)
        session->is_gone = true;
}

// Is `session` ready to be served, or lost?
static bool session_is_ready(struct npl_session *session)
{
    int64_t ready = npl_ring_ready(&session->requests);

    if (npl_ring_ready(&session->replies) < 0)
        return true;
    return ready < 0 || (ready > 0 && may_take(session));
}

int64_t npl_service_wait(struct npl_service *service, const uint32_t *extra, uint32_t extra_count,
                         uint64_t deadline)
{
    uint32_t slots[RUMPK_WAIT_MAX];
    uint32_t count = 0;
    bool is_ready = false;

    if (extra_count > RUMPK_WAIT_MAX - 2 * NPL_SERVICE_CLIENTS_MAX)
        return RUMPK_E_LIMIT;
    for (uint32_t index = 0; index < service->session_count; index++) {
        struct npl_session *session = &service->sessions[index];

        if (session->is_gone)
            continue;
        // A client with requests waiting for room in its reply ring wakes us by taking answers;
        // until then its request ring would report ready for ever.
        struct npl_ring *ring = &session->requests;
        if (npl_ring_ready(ring) > 0 && !may_take(session))
            ring = &session->replies;
        // Room for kept requests only: their completion, not the ring, is waited for.
        if (ring == &session->replies && npl_ring_ready(ring) > 0 && session->lent > 0)
            continue;
        npl_ring_announce(ring);
        is_ready |= session_is_ready(session);
        slots[count++] = ring->slot;
    }
    for (uint32_t index = 0; index < extra_count; index++)
        slots[count++] = extra[index];

    int64_t result = count == 0 ? RUMPK_E_PEER : 0;
    if (count > 0 && !is_ready)
        result = npl_wait(slots, count, deadline);
    for (uint32_t index = 0; index < service->session_count; index++) {
        npl_ring_withdraw(&service->sessions[index].requests);
        npl_ring_withdraw(&service->sessions[index].replies);
    }
    return result > 0 ? 0 : result;
}
