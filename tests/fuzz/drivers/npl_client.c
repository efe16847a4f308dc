// SPDX-License-Identifier: Apache-2.0
//
// libnpl's client under a hostile server. The input is what the server does with each request: a
// correct answer, a right header around any body, Rerror, a slot that names what it likes, a forged
// index, silence, and at its end the server leaves. The client believes nothing: it gets no more
// than it asked for, no data from outside the arena, no text that is not printable, and it always
// comes to its end.
#include <npl/host.h>
#include <npl/npl.h>

#include "fuzz.h"
#include "must.h"

#include <string.h>

#define BUFFERS     4u
#define BUFFER_SIZE 512u
#define CALLS_MAX   50000u
#define ENTRIES     4u

enum { DO_CORRECT, DO_BODY, DO_RAW, DO_ERROR, DO_FORGE, DO_SILENCE, DO_COUNT };

static struct {
    const uint8_t *at, *end;
} input;

static uint8_t input_byte(void)
{
    return input.at < input.end ? *input.at++ : 0;
}

static uint32_t input_bytes(uint8_t *out, uint32_t size)
{
    uint32_t left = (uint32_t)(input.end - input.at);

    size = size < left ? size : left;
    if (size > 0)
        memcpy(out, input.at, size);
    input.at += size;
    return size;
}

// ---- the hostile server ----

struct server {
    struct npl_ring requests, replies;
    uint8_t *arena;
    bool has_forged;
};

// The body of a correct answer; its size.
static uint32_t correct_body(uint8_t type, uint8_t *body)
{
    static const uint8_t version[] = {0, 1, 0, 0, 6, 0, '9', 'P', '2', '0', '0', '0'};
    static const uint8_t data[] = {4, 0, 0, 0, 'd', 'a', 't', 'a'};
    uint32_t count;

    switch (type) {
    case RUMPK_TVERSION:
        memcpy(body, version, sizeof(version));
        return sizeof(version);
    case RUMPK_TREAD:
        memcpy(body, data, sizeof(data));
        return sizeof(data);
    case RUMPK_TWRITE: // all of it
        memcpy(&count, body + 12, 4);
        memcpy(body, &count, 4);
        return 4;
    case RUMPK_TATTACH:
        memset(body, 0, RUMPK_NINEP_QID_SIZE);
        return RUMPK_NINEP_QID_SIZE;
    case RUMPK_TOPEN:
        memset(body, 0, RUMPK_NINEP_QID_SIZE + 4);
        return RUMPK_NINEP_QID_SIZE + 4;
    case RUMPK_TWALK: // as many names as asked
        count = body[8] % RUMPK_NINEP_WALK_MAX;
        memset(body, 0, 2 + count * RUMPK_NINEP_QID_SIZE);
        body[0] = (uint8_t)count;
        return 2 + count * RUMPK_NINEP_QID_SIZE;
    default:
        return 0;
    }
}

static void answer(struct server *server, struct rumpk_message_slot slot)
{
    uint8_t action = input_byte() % DO_COUNT;
    uint8_t *bytes = server->arena + slot.buffer % BUFFERS * BUFFER_SIZE;

    if (action == DO_SILENCE)
        return;
    if (action == DO_FORGE) {
        uint32_t *word = input_byte() & 1 ? server->requests.own_index : server->replies.own_index;
        uint32_t value = 0;

        server->has_forged = true;
        input_bytes((uint8_t *)&value, 4);
        __atomic_store_n(word, value, __ATOMIC_RELEASE);
        return;
    }
    if (action == DO_RAW) {
        slot.sequence += input_byte();
        slot.buffer += input_byte();
        input_bytes((uint8_t *)&slot.length, 4);
        input_bytes(bytes, input_byte());
    } else {
        uint8_t *body = bytes + RUMPK_NINEP_HEADER;

        slot.length = RUMPK_NINEP_HEADER + (action == DO_CORRECT ? correct_body(bytes[4], body)
                                                                 : input_bytes(body, input_byte()));
        memcpy(bytes, &slot.length, 4);
        bytes[4] = action == DO_ERROR ? RUMPK_RERROR : (uint8_t)(bytes[4] + 1);
    }
    npl_ring_push(&server->replies, &slot);
}

static int server_main(void)
{
    const struct rumpk_channel *channel = npl_channel_find("thing", RUMPK_ROLE_SERVER, 0);
    struct server server = {.arena = (uint8_t *)(uintptr_t)npl_map(channel->arena_slot)};
    struct rumpk_message_slot slot;

    MUST(npl_ring_open(&server.requests, channel->request_slot, false) == 0);
    MUST(npl_ring_open(&server.replies, channel->reply_slot, true) == 0);
    while (input.at < input.end) {
        // With an index that it has forged the server itself would never fall asleep.
        if (server.has_forged)
            npl_sleep_until(npl_deadline_ms(1));
        else if (npl_ring_sleep(&server.requests, npl_deadline_ms(50)) <= 0)
            break;
        if (npl_ring_pull(&server.requests, &slot) != 1)
            break;
        answer(&server, slot);
    }
    return 0;
}

// ---- the client: one call of each kind ----

static void stat_judge(const struct npl_stat *stat)
{
    MUST(memchr(stat->name, '\0', sizeof(stat->name)) != NULL);
}

static void many_read(struct npl_client *client, int64_t fid)
{
    struct npl_answer taken;
    uint32_t started = 0;

    for (uint64_t cookie = 0; cookie < 3; cookie++)
        started += npl_client_read_start(client, fid, cookie * 8, 8, cookie) == 0;
    for (; started > 0; started--) {
        if (npl_client_next(client, &taken, npl_deadline_ms(5)) != 1)
            return;
        MUST(taken.cookie < 3 && taken.result <= 8 && taken.buffer < BUFFERS);
        if (taken.result > 0)
            MUST(taken.data >= client->arena &&
                 taken.data + taken.result <= client->arena + BUFFERS * (uint64_t)BUFFER_SIZE);
        npl_client_done(client, &taken);
    }
}

static void client_use(struct npl_client *client)
{
    struct npl_stat entries[ENTRIES];
    uint8_t bytes[600];

    MUST(client->msize <= BUFFER_SIZE && client->io_max < client->msize);
    int64_t count = npl_client_list(client, "/", 0, entries, ENTRIES);
    MUST(count <= (int64_t)ENTRIES);
    for (int64_t index = 0; index < count; index++)
        stat_judge(&entries[index]);
    if (npl_client_stat_path(client, "/a/b", &entries[0]) == 0)
        stat_judge(&entries[0]);
    int64_t fid = npl_client_open(client, "/file", RUMPK_NINEP_ORDWR);
    if (fid >= 0) {
        MUST(npl_client_read(client, fid, 0, bytes, 10) <= 10);
        MUST(npl_client_write(client, fid, 3, bytes, sizeof(bytes)) <= (int64_t)sizeof(bytes));
        MUST(npl_client_read(client, fid, 1, bytes, sizeof(bytes)) <= (int64_t)sizeof(bytes));
        if (npl_client_stat(client, fid, &entries[0]) == 0)
            stat_judge(&entries[0]);
        many_read(client, fid);
        if (npl_client_close(client, fid) == 0)
            FUZZ_ACCEPTED();
    }
    for (const char *text = npl_client_error(client); *text != '\0'; text++)
        MUST(*text >= 0x20 && *text <= 0x7e);
}

static int client_main(void)
{
    struct npl_client client = {0};

    if (npl_client_connect(&client, "thing") == 0)
        client_use(&client);
    free(client.pending);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host_machine *machine = host_machine_new(1);
    struct host_service_wire wire = {.service = "thing",
                                     .client = host_fiber_add(machine, "test/client", client_main),
                                     .server = host_fiber_add(machine, "test/server", server_main),
                                     .slots = 8,
                                     .buffer_count = BUFFERS,
                                     .buffer_size = BUFFER_SIZE};

    input.at = data;
    input.end = data + size;
    host_wire_service(machine, &wire);
    MUST(host_run(machine, CALLS_MAX));
    MUST(host_fiber_ended(machine, 0, NULL));
    host_machine_free(machine);
    return 0;
}
