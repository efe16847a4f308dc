// SPDX-License-Identifier: Apache-2.0
//
// Goal: the client believes nothing that a server says, and a restarted server costs it nothing.
// Method: a server that answers by script, byte by byte, in a simulated machine.
#include "npl_test.h"
#include <npl/host.h>
#include <npl/npl.h>

#define BUFFER_SIZE 512u
#define BUFFERS     4u

// What the scripted server does with the next request.
enum act {
    ANSWER,       // as a correct server would
    WRONG_BUFFER, // names a buffer that does not exist
    FREE_BUFFER,  // names one that was not lent
    WRONG_SEQUENCE,
    WRONG_TAG,
    WRONG_TYPE,
    WRONG_SIZE, // the message's size differs from the slot's
    SHORT_SLOT,
    LONG_SLOT,
    COUNT_TOO_LARGE, // more data than asked for
    COUNT_NOT_THERE, // states data that the message does not carry
    HUGE_MSIZE,
    ERROR_TEXT, // Rerror with control characters
    LONG_ERROR, // Rerror whose length runs out of the message
    LEAVE,      // ends without an answer
};

static const enum act *script;
static uint32_t script_size;

struct server {
    struct npl_ring requests;
    struct npl_ring replies;
    uint8_t *arena;
};

static void server_open(struct server *server)
{
    const struct rumpk_channel *channel = npl_channel_find("thing", RUMPK_ROLE_SERVER, 0);

    CHECK(npl_ring_open(&server->requests, channel->request_slot, false) == 0);
    CHECK(npl_ring_open(&server->replies, channel->reply_slot, true) == 0);
    server->arena = (uint8_t *)(uintptr_t)npl_map(channel->arena_slot);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, 4);
}

// The body of a correct answer; its size.
static uint32_t correct_body(uint8_t type, uint8_t *body)
{
    switch (type) {
    case RUMPK_TVERSION:
        put32(body, 256);
        memcpy(body + 4,
               "\x06\0"
               "9P2000",
               8);
        return 12;
    case RUMPK_TATTACH:
        memset(body, 0, 13);
        return 13;
    case RUMPK_TWALK:
        memset(body, 0, 15);
        body[0] = 1;
        return 15;
    case RUMPK_TOPEN:
        memset(body, 0, 17);
        return 17;
    case RUMPK_TREAD:
        put32(body, 4);
        memcpy(body + 4, "data", 4);
        return 8;
    default:
        return 0;
    }
}

static void answer(struct server *server, struct rumpk_message_slot slot, enum act act)
{
    uint8_t *bytes = server->arena + slot.buffer * BUFFER_SIZE;
    uint8_t type = bytes[4];
    uint32_t size = 7 + correct_body(type, bytes + 7);

    bytes[4] = (uint8_t)(type + 1);
    switch (act) {
    case WRONG_BUFFER:
        slot.buffer = BUFFERS;
        break;
    case FREE_BUFFER:
        slot.buffer = 3;
        break;
    case WRONG_SEQUENCE:
        slot.sequence += 1;
        break;
    case WRONG_TAG:
        bytes[5] ^= 0x40;
        break;
    case WRONG_TYPE:
        bytes[4] = RUMPK_RSTAT;
        break;
    case COUNT_TOO_LARGE:
        put32(bytes + 7, 300);
        size = 11 + 300;
        break;
    case COUNT_NOT_THERE:
        put32(bytes + 7, 16);
        break;
    case HUGE_MSIZE:
        put32(bytes + 7, UINT32_MAX);
        break;
    case ERROR_TEXT:
        bytes[4] = RUMPK_RERROR;
        memcpy(bytes + 7, "\x06\0no\x1b[2J", 8);
        size = 15;
        break;
    case LONG_ERROR:
        bytes[4] = RUMPK_RERROR;
        memcpy(bytes + 7,
               "\xff\xff"
               "abc",
               5);
        size = 12;
        break;
    default:
        break;
    }
    put32(bytes, act == WRONG_SIZE ? size + 1 : size);
    slot.length = act == SHORT_SLOT ? 3 : act == LONG_SLOT ? UINT32_MAX : size;
    CHECK(npl_ring_push(&server->replies, &slot) == 0);
}

static int script_main(void)
{
    struct server server;

    server_open(&server);
    for (uint32_t step = 0; step < script_size && script[step] != LEAVE; step++) {
        struct rumpk_message_slot slot;

        if (npl_ring_sleep(&server.requests, RUMPK_FOREVER) < 0)
            break;
        CHECK(npl_ring_pull(&server.requests, &slot) == 1);
        answer(&server, slot, script[step]);
    }
    return 0;
}

static int64_t connect_result;
static int64_t open_result;
static int64_t read_result;
static char error_text[NPL_CLIENT_ERROR_MAX];

static int client_main(void)
{
    struct npl_client client;
    char bytes[16] = {0};

    connect_result = npl_client_connect(&client, "thing");
    if (connect_result < 0)
        return 0;
    open_result = npl_client_open(&client, "/file", RUMPK_NINEP_OREAD);
    if (open_result < 0)
        return 0;
    read_result = npl_client_read(&client, open_result, 0, bytes, 10);
    CHECK(read_result != 4 || memcmp(bytes, "data", 4) == 0);
    memcpy(error_text, npl_client_error(&client), sizeof(error_text));
    return 0;
}

static void play(const enum act *acts, uint32_t count)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct host_machine *machine = host_machine_new(seed);
        struct host_service_wire wire = {
            .service = "thing",
            .client = host_fiber_add(machine, "test/client", client_main),
            .server = host_fiber_add(machine, "test/server", script_main),
            .slots = 8,
            .buffer_count = BUFFERS,
            .buffer_size = BUFFER_SIZE,
        };

        connect_result = open_result = read_result = INT64_MIN;
        error_text[0] = '\0';
        script = acts;
        script_size = count;
        host_wire_service(machine, &wire);
        assert_true(host_run(machine, 100000));
        assert_true(host_fiber_ended(machine, 0, NULL));
        host_machine_free(machine);
    }
}

#define PLAY(...)                                     \
    do {                                              \
        static const enum act acts[] = {__VA_ARGS__}; \
        play(acts, sizeof(acts) / sizeof(acts[0]));   \
    } while (0)

static void correct_server(void **state)
{
    (void)state;
    PLAY(ANSWER, ANSWER, ANSWER, ANSWER, ANSWER);
    assert_int_equal(connect_result, 0);
    assert_int_equal(open_result, 1);
    assert_int_equal(read_result, 4);
}

static void wrong_version(void **state)
{
    (void)state;
    PLAY(HUGE_MSIZE);
    assert_int_equal(connect_result, RUMPK_E_UNSUPPORTED);
    PLAY(WRONG_TAG);
    assert_int_equal(connect_result, RUMPK_E_PEER);
    PLAY(LEAVE);
    assert_int_equal(connect_result, RUMPK_E_PEER);
}

static void wrong_answers(void **state)
{
    static const enum act wrong[] = {WRONG_BUFFER, FREE_BUFFER,     WRONG_SEQUENCE, WRONG_TAG,
                                     WRONG_TYPE,   WRONG_SIZE,      SHORT_SLOT,     LONG_SLOT,
                                     LEAVE,        COUNT_TOO_LARGE, COUNT_NOT_THERE};

    (void)state;
    for (uint32_t which = 0; which < sizeof(wrong) / sizeof(wrong[0]); which++) {
        enum act acts[] = {ANSWER, ANSWER, ANSWER, ANSWER, wrong[which]};

        play(acts, 5);
        assert_int_equal(read_result, RUMPK_E_PEER);
        if (wrong[which] == COUNT_TOO_LARGE || wrong[which] == COUNT_NOT_THERE)
            continue;
        acts[2] = wrong[which];
        play(acts, 3);
        assert_int_equal(open_result, RUMPK_E_PEER);
    }
}

static void error_texts(void **state)
{
    (void)state;
    PLAY(ANSWER, ANSWER, ANSWER, ANSWER, ERROR_TEXT);
    assert_int_equal(read_result, RUMPK_E_DEVICE);
    assert_string_equal(error_text, "no?[2J");
    PLAY(ANSWER, ANSWER, ANSWER, ANSWER, LONG_ERROR);
    assert_int_equal(read_result, RUMPK_E_DEVICE);
    assert_string_equal(error_text, "");
}

// ---- a restarted server
// -----------------------------------------------------------------------------------

static struct host_machine *restart_machine;

// Takes requests without answering, then is "restarted": a new epoch. What was lost must come
// again, whole, and what was not taken yet must not be lost either; each once.
static int restart_main(void)
{
    struct server server;
    struct rumpk_message_slot slot;
    uint64_t last = 0;

    server_open(&server);
    for (uint32_t step = 0; step < 4; step++) { // version, attach, walk, open
        CHECK(npl_ring_sleep(&server.requests, RUMPK_FOREVER) > 0);
        CHECK(npl_ring_pull(&server.requests, &slot) == 1);
        last = slot.sequence;
        answer(&server, slot, ANSWER);
    }
    for (uint32_t lost = 0; lost < 2; lost++) {
        CHECK(npl_ring_sleep(&server.requests, RUMPK_FOREVER) > 0);
        CHECK(npl_ring_pull(&server.requests, &slot) == 1);
        memset(server.arena + slot.buffer * BUFFER_SIZE, 0xEE, 64); // died while answering
    }
    host_epoch_raise(restart_machine, 0, 1);
    npl_sleep_until(npl_deadline_ms(1)); // a restart takes its time; the client has seen it by then
    npl_ring_resync(&server.requests);
    npl_ring_resync(&server.replies);
    uint64_t seen = 0;
    for (uint32_t step = 0; step < 3; step++) {
        CHECK(npl_ring_sleep(&server.requests, RUMPK_FOREVER) > 0);
        CHECK(npl_ring_pull(&server.requests, &slot) == 1);
        CHECK(slot.sequence > last && slot.sequence <= last + 3);
        CHECK(!(seen >> (slot.sequence - last) & 1));
        seen |= UINT64_C(1) << (slot.sequence - last);
        CHECK(server.arena[slot.buffer * BUFFER_SIZE + 4] == RUMPK_TREAD);
        answer(&server, slot, ANSWER);
    }
    return 0;
}

static int persistent_main(void)
{
    struct npl_client client;
    struct npl_answer taken;
    uint64_t cookies = 0;

    CHECK(npl_client_connect(&client, "thing") == 0);
    int64_t fid = npl_client_open(&client, "/file", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    for (uint64_t cookie = 1; cookie <= 3; cookie++)
        CHECK(npl_client_read_start(&client, fid, cookie * 100, 4, cookie) == 0);
    for (uint32_t index = 0; index < 3; index++) {
        CHECK(npl_client_next(&client, &taken, RUMPK_FOREVER) == 1);
        CHECK(taken.result == 4 && memcmp(taken.data, "data", 4) == 0);
        cookies += taken.cookie;
        npl_client_done(&client, &taken);
    }
    CHECK(cookies == 6);
    return 0;
}

static void restarted_server(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct host_machine *machine = host_machine_new(seed);
        struct host_service_wire wire = {
            .service = "thing",
            .client = host_fiber_add(machine, "test/client", persistent_main),
            .server = host_fiber_add(machine, "test/server", restart_main),
            .slots = 8,
            .buffer_count = BUFFERS,
            .buffer_size = BUFFER_SIZE,
        };

        restart_machine = machine;
        host_wire_service(machine, &wire);
        assert_true(host_run(machine, 100000));
        assert_true(host_fiber_ended(machine, 0, NULL));
        assert_true(host_fiber_ended(machine, 1, NULL));
        host_machine_free(machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_server),   cmocka_unit_test(wrong_version),
        cmocka_unit_test(wrong_answers),    cmocka_unit_test(error_texts),
        cmocka_unit_test(restarted_server),
    };

    return cmocka_run_group_tests_name("npl client", tests, NULL, NULL);
}
