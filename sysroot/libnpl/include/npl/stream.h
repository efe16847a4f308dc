// SPDX-License-Identifier: Apache-2.0
//
// stream.h: the serving end of a stream service such as "console": text of several clients, merged
// line by line.
//
// Each client has a ring and a line buffer. npl_stream_next hands out, client after client, what
// may be written as one piece: a whole line, a full buffer without a line feed, what a client left
// when it ended, or an unfinished line that has rested for NPL_STREAM_REST_MS, so that a prompt
// appears.
#ifndef NPL_STREAM_H
#define NPL_STREAM_H

#include <npl/ring.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NPL_STREAM_CLIENTS_MAX 32u
#define NPL_STREAM_LINE_MAX    256u
#define NPL_STREAM_REST_MS     100u

struct npl_stream_client {
    struct npl_ring ring;
    uint64_t rest_until; // when an unfinished line is handed out; 0 while there is none
    uint32_t used;       // bytes in `line`
    uint32_t slot_used;  // bytes already taken of the ring's next slot
    bool is_gone;
    char line[NPL_STREAM_LINE_MAX];
};

struct npl_stream {
    struct npl_stream_client *clients;
    uint32_t client_count;
    uint32_t turn; // client that is looked at first
    char piece[NPL_STREAM_LINE_MAX];
};

// Opens every channel of this service. How many, or a negative code (RUMPK_E_MEMORY: heap).
int64_t npl_stream_open(struct npl_stream *stream, const char *service);

// The next piece and its size in *size, or null when there is none now. Valid until the next call.
const char *npl_stream_next(struct npl_stream *stream, size_t *size);

// Sleeps until there may be a piece. 0, or RUMPK_E_PEER when every client is gone.
int64_t npl_stream_wait(struct npl_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
