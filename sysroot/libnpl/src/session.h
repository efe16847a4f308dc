// SPDX-License-Identifier: Apache-2.0
//
// session.h: what the two halves of the service code share: service.c moves messages between rings
// and arena, service_message.c decides what each means.
#ifndef NPL_SESSION_H
#define NPL_SESSION_H

#include "wire.h"
#include <npl/service.h>

// A name that a client holds: the root or a file of the tree.
struct npl_fid {
    uint32_t number;
    bool is_used;
    bool is_open;
    uint8_t mode;                // as opened
    const struct npl_file *file; // null: the root
    uint64_t directory_offset;   // where the next directory read must go on
    uint32_t directory_index;
};

// One client.
struct npl_session {
    struct npl_service *service;
    struct npl_ring requests;
    struct npl_ring replies;
    uint8_t *arena;
    uint32_t arena_slot;
    bool arena_is_dma;
    bool is_gone;
    bool is_draining; // requests of the client's earlier instance are still kept
    uint32_t buffer_count;
    uint32_t buffer_size;
    uint32_t msize;                // 0 until the version is agreed
    uint32_t lent;                 // requests without an answer
    struct npl_request *in_flight; // one per buffer
    struct npl_fid fids[NPL_SERVICE_FIDS_MAX];
};

// A request whose header has been copied out of the arena.
struct message {
    struct wire wire; // after type and tag
    uint8_t *shared;  // the buffer in the arena
    uint32_t length;
};

// Decides and answers, or leaves it to a later npl_service_reply.
void npl_message_handle(struct npl_session *session, struct npl_request *request,
                        struct message *message);

// Sends the answer of `length` bytes in the request's buffer and gives the buffer back.
void npl_session_send(struct npl_request *request, uint32_t length);

// Answers with Rerror.
void npl_session_refuse(struct npl_request *request, const char *text);

static inline uint8_t *session_buffer(const struct npl_session *session, uint32_t buffer)
{
    return session->arena + (size_t)buffer * session->buffer_size;
}

#endif
