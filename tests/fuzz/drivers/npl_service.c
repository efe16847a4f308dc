// SPDX-License-Identifier: Apache-2.0
//
// libnpl's service under a hostile client. The input is what the client does: messages with a right
// header and any body, bytes that are no message, slots that name what they like, forged indices of
// its rings. To a client that keeps the rules every answer is whole: in a buffer that it lent, of
// the type asked for or Rerror, of the size that it says. Whatever the client does, the server ends
// when the client has gone, and a second client that only reads is served until then.
#include <npl/host.h>
#include <npl/npl.h>

#include "fuzz.h"
#include "must.h"
#include "session.h"

#include <string.h>

#define BUFFERS     4u
#define BUFFER_SIZE 512u
#define CALLS_MAX   50000u
#define HELD_MAX    BUFFERS

enum { DO_MESSAGE_LAST = 4, DO_RAW, DO_FORGE, DO_TAKE, DO_COUNT };

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

// ---- the server: /memo is read and written, /hold answers when /memo is read, /deaf refuses ----

static struct npl_request *held[HELD_MAX];
static uint32_t held_count;

static int64_t memo_read(void *context, struct npl_request *request)
{
    (void)context;
    while (held_count > 0) {
        struct npl_request *first = held[--held_count];

        npl_service_reply(first, npl_service_read_text(first, "held\n", 5));
    }
    return npl_service_read_text(request, "memo\n", 5);
}

static int64_t memo_write(void *context, struct npl_request *request)
{
    uint32_t sum = 0;

    (void)context;
    for (uint32_t index = 0; index < request->count; index++)
        sum += request->data[index]; // all of them lie in the arena
    return sum == UINT32_MAX ? 0 : request->count;
}

static uint64_t memo_size(void *context, const struct npl_file *file)
{
    (void)context;
    (void)file;
    return 5;
}

static int64_t hold_read(void *context, struct npl_request *request)
{
    (void)context;
    if (held_count == HELD_MAX)
        return RUMPK_E_FULL;
    held[held_count++] = request;
    return NPL_LATER;
}

static const struct npl_file files[] = {
    {.name = "memo",
     .mode = NPL_FILE_READ | NPL_FILE_WRITE,
     .size = memo_size,
     .read = memo_read,
     .write = memo_write},
    {.name = "hold", .mode = NPL_FILE_READ, .read = hold_read},
    {.name = "deaf", .mode = NPL_FILE_READ | NPL_FILE_WRITE},
};

static int server_main(void)
{
    struct npl_service service;

    held_count = 0;
    MUST(npl_service_open(&service, "memo", files, 3, NULL) == 2);
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled == RUMPK_E_PEER)
            break;
        if (handled == 0)
            MUST(npl_service_wait(&service, NULL, 0, RUMPK_FOREVER) == 0);
    }
    for (uint32_t index = 0; index < service.session_count; index++)
        free(service.sessions[index].in_flight);
    free(service.sessions);
    return 0;
}

// ---- the hostile client ----

struct hostile {
    struct npl_ring requests, replies;
    uint8_t *arena;
    uint64_t sequence;
    uint8_t asked[BUFFERS]; // type of the request in each buffer; 0: not lent
    bool is_cheater;
};

static void answer_take(struct hostile *hostile, uint64_t deadline)
{
    struct rumpk_message_slot slot;

    // With an index that it has forged the client itself would never fall asleep.
    if (hostile->is_cheater)
        npl_sleep_until(deadline);
    else if (npl_ring_sleep(&hostile->replies, deadline) <= 0)
        return;
    while (npl_ring_pull(&hostile->replies, &slot) == 1) {
        if (hostile->is_cheater)
            continue;
        MUST(slot.buffer < BUFFERS && hostile->asked[slot.buffer] != 0);
        const uint8_t *bytes = hostile->arena + slot.buffer * BUFFER_SIZE;
        uint32_t size;

        memcpy(&size, bytes, 4);
        MUST(slot.length == size && size >= RUMPK_NINEP_HEADER && size <= BUFFER_SIZE);
        MUST(bytes[4] == RUMPK_RERROR || bytes[4] == hostile->asked[slot.buffer] + 1);
        MUST(bytes[5] == slot.buffer && bytes[6] == 0);
        if (bytes[4] == RUMPK_RREAD && size > RUMPK_NINEP_HEADER + 4)
            FUZZ_ACCEPTED();
        hostile->asked[slot.buffer] = 0;
    }
}

static void message_send(struct hostile *hostile)
{
    uint32_t buffer = 0;

    while (buffer < BUFFERS && hostile->asked[buffer] != 0)
        buffer++;
    if (buffer == BUFFERS)
        return; // all of them are held
    uint8_t *bytes = hostile->arena + buffer * BUFFER_SIZE;
    uint8_t type = input_byte();
    uint32_t length = RUMPK_NINEP_HEADER + input_bytes(bytes + RUMPK_NINEP_HEADER, input_byte());
    struct rumpk_message_slot slot = {
        .sequence = ++hostile->sequence, .buffer = buffer, .length = length};

    memcpy(bytes, &length, 4);
    bytes[4] = type;
    bytes[5] = (uint8_t)buffer;
    bytes[6] = 0;
    if (npl_ring_push(&hostile->requests, &slot) == 0)
        hostile->asked[buffer] = type != 0 ? type : 255;
    answer_take(hostile, npl_deadline_ms(1));
}

static void raw_send(struct hostile *hostile)
{
    struct rumpk_message_slot slot = {.sequence = input_byte(), .buffer = input_byte()};
    uint8_t *bytes = hostile->arena + slot.buffer % BUFFERS * BUFFER_SIZE;

    hostile->is_cheater = true;
    input_bytes((uint8_t *)&slot.length, 4);
    input_bytes(bytes, input_byte());
    npl_ring_push(&hostile->requests, &slot);
}

static int hostile_main(void)
{
    const struct rumpk_channel *channel = npl_channel_find("memo", RUMPK_ROLE_CLIENT, 0);
    struct hostile hostile = {.arena = (uint8_t *)(uintptr_t)npl_map(channel->arena_slot)};

    MUST(npl_ring_open(&hostile.requests, channel->request_slot, true) == 0);
    MUST(npl_ring_open(&hostile.replies, channel->reply_slot, false) == 0);
    while (input.at < input.end) {
        uint8_t action = input_byte() % DO_COUNT;

        if (action <= DO_MESSAGE_LAST) {
            message_send(&hostile);
        } else if (action == DO_RAW) {
            raw_send(&hostile);
        } else if (action == DO_TAKE) {
            answer_take(&hostile, npl_deadline_ms(2));
        } else {
            uint32_t *word =
                input_byte() & 1 ? hostile.requests.own_index : hostile.replies.own_index;
            uint32_t value = 0;

            hostile.is_cheater = true;
            input_bytes((uint8_t *)&value, 4);
            __atomic_store_n(word, value, __ATOMIC_RELEASE);
        }
    }
    answer_take(&hostile, npl_deadline_ms(2));
    return 0;
}

// ---- the other client, whom nothing of this concerns ----

static int other_main(void)
{
    struct npl_client client;
    char bytes[8];

    MUST(npl_client_connect(&client, "memo") == 0);
    int64_t fid = npl_client_open(&client, "/memo", RUMPK_NINEP_OREAD);
    MUST(fid > 0);
    MUST(npl_client_read(&client, fid, 0, bytes, sizeof(bytes)) == 5);
    MUST(memcmp(bytes, "memo\n", 5) == 0);
    free(client.pending);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host_machine *machine = host_machine_new(1);
    struct host_service_wire wire = {.service = "memo",
                                     .server = host_fiber_add(machine, "test/server", server_main),
                                     .slots = 8,
                                     .buffer_count = BUFFERS,
                                     .buffer_size = BUFFER_SIZE};

    input.at = data;
    input.end = data + size;
    wire.client = host_fiber_add(machine, "test/hostile", hostile_main);
    host_wire_service(machine, &wire);
    wire.client = host_fiber_add(machine, "test/other", other_main);
    host_wire_service(machine, &wire);
    MUST(host_run(machine, CALLS_MAX));
    for (uint32_t fiber = 0; fiber < 3; fiber++) {
        int64_t code = -1;

        MUST(host_fiber_ended(machine, fiber, &code) && code == 0);
    }
    host_machine_free(machine);
    return 0;
}
