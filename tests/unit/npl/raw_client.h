// SPDX-License-Identifier: Apache-2.0
//
// raw_client.h: a 9P client that writes its messages byte by byte, so that it can write wrong ones.
// It runs on a simulated driver's thread. Each raw_* that sends returns the buffer it used.
#ifndef RAW_CLIENT_H
#define RAW_CLIENT_H

#include "npl_test.h"
#include <npl/npl.h>

struct raw {
    struct npl_ring requests;
    struct npl_ring replies;
    uint8_t *arena;
    uint32_t buffer_count;
    uint32_t buffer_size;
    uint32_t next_buffer;
    uint64_t sequence;
};

static inline void raw_open(struct raw *raw, const char *service)
{
    const struct rumpk_channel *channel = npl_channel_find(service, RUMPK_ROLE_CLIENT, 0);

    memset(raw, 0, sizeof(*raw));
    CHECK(channel);
    raw->arena = (uint8_t *)(uintptr_t)npl_map(channel->arena_slot);
    raw->buffer_count = channel->arena_count;
    raw->buffer_size = channel->arena_size;
    CHECK(npl_ring_open(&raw->requests, channel->request_slot, true) == 0);
    CHECK(npl_ring_open(&raw->replies, channel->reply_slot, false) == 0);
}

static inline uint8_t *raw_buffer(const struct raw *raw, uint32_t buffer)
{
    return raw->arena + (size_t)buffer * raw->buffer_size;
}

static inline void raw_put(struct raw *raw, struct rumpk_message_slot slot)
{
    CHECK(npl_ring_push(&raw->requests, &slot) == 0);
}

static inline uint32_t raw_message(struct raw *raw, uint8_t type, const void *body, uint32_t size)
{
    uint32_t buffer = raw->next_buffer;
    uint32_t length = 7 + size;
    uint8_t *bytes = raw_buffer(raw, buffer);

    CHECK(length <= raw->buffer_size);
    raw->next_buffer = (buffer + 1) % raw->buffer_count;
    memset(bytes, 0, 7);
    memcpy(bytes, &length, 4);
    bytes[4] = type;
    bytes[5] = (uint8_t)buffer; // the tag
    if (size > 0)
        memcpy(bytes + 7, body, size);
    raw_put(raw, (struct rumpk_message_slot){
                     .sequence = ++raw->sequence, .buffer = buffer, .length = length});
    return buffer;
}

// The buffer of the next answer; UINT32_MAX when none comes.
static inline uint32_t raw_take_until(struct raw *raw, uint64_t deadline)
{
    struct rumpk_message_slot slot;

    if (npl_ring_sleep(&raw->replies, deadline) <= 0 || npl_ring_pull(&raw->replies, &slot) != 1)
        return UINT32_MAX;
    return slot.buffer;
}

static inline uint32_t raw_take(struct raw *raw)
{
    return raw_take_until(raw, RUMPK_FOREVER);
}

static inline void raw_expect(struct raw *raw, uint32_t buffer, uint8_t type)
{
    CHECK(raw_take(raw) == buffer);
    CHECK(raw_buffer(raw, buffer)[4] == type);
    CHECK(raw_buffer(raw, buffer)[5] == buffer);
}

static inline void raw_expect_error(struct raw *raw, uint32_t buffer, const char *text)
{
    raw_expect(raw, buffer, RUMPK_RERROR);
    const uint8_t *bytes = raw_buffer(raw, buffer);
    if (bytes[7] != strlen(text) || memcmp(bytes + 9, text, strlen(text)) != 0) {
        fprintf(stderr, "expected \"%s\", the server said \"%.*s\"\n", text, bytes[7], bytes + 9);
        abort();
    }
}

static inline uint32_t raw_version(struct raw *raw, uint32_t msize, const char *version)
{
    uint8_t body[32];
    uint16_t size = (uint16_t)strlen(version);

    memcpy(body, &msize, 4);
    memcpy(body + 4, &size, 2);
    memcpy(body + 6, version, size);
    return raw_message(raw, RUMPK_TVERSION, body, 6u + size);
}

static inline uint32_t raw_attach(struct raw *raw, uint32_t fid)
{
    uint8_t body[12] = {0};

    memcpy(body, &fid, 4);
    memset(body + 4, 0xFF, 4);
    return raw_message(raw, RUMPK_TATTACH, body, sizeof(body));
}

static inline uint32_t raw_walk(struct raw *raw, uint32_t fid, uint32_t new_fid, const char *name)
{
    uint8_t body[64];
    uint16_t size = (uint16_t)strlen(name);
    uint16_t count = 1;

    memcpy(body, &fid, 4);
    memcpy(body + 4, &new_fid, 4);
    memcpy(body + 8, &count, 2);
    memcpy(body + 10, &size, 2);
    memcpy(body + 12, name, size);
    return raw_message(raw, RUMPK_TWALK, body, 12u + size);
}

// A walk whose name says it is longer than the message.
static inline uint32_t raw_walk_long(struct raw *raw, uint32_t fid, uint32_t new_fid)
{
    uint8_t body[20] = {0};

    memcpy(body, &fid, 4);
    memcpy(body + 4, &new_fid, 4);
    body[8] = 1;
    body[10] = body[11] = 0xFF;
    return raw_message(raw, RUMPK_TWALK, body, sizeof(body));
}

static inline uint32_t raw_open_fid(struct raw *raw, uint32_t fid, uint8_t mode)
{
    uint8_t body[5];

    memcpy(body, &fid, 4);
    body[4] = mode;
    return raw_message(raw, RUMPK_TOPEN, body, sizeof(body));
}

static inline uint32_t raw_read(struct raw *raw, uint32_t fid, uint64_t offset, uint32_t count)
{
    uint8_t body[16];

    memcpy(body, &fid, 4);
    memcpy(body + 4, &offset, 8);
    memcpy(body + 12, &count, 4);
    return raw_message(raw, RUMPK_TREAD, body, sizeof(body));
}

// A write that states `count` and carries `carried` bytes.
static inline uint32_t raw_write_count(struct raw *raw, uint32_t fid, uint32_t count,
                                       uint32_t carried)
{
    uint8_t body[64] = {0};

    memcpy(body, &fid, 4);
    memcpy(body + 12, &count, 4);
    return raw_message(raw, RUMPK_TWRITE, body, 16 + carried);
}

static inline uint32_t raw_flush(struct raw *raw, uint16_t tag)
{
    return raw_message(raw, RUMPK_TFLUSH, &tag, 2);
}

static inline uint32_t raw_bare(struct raw *raw, uint8_t type)
{
    return raw_message(raw, type, NULL, 0);
}

#endif
