// SPDX-License-Identifier: Apache-2.0
//
// Goal: each message of the service protocol is served whole or refused with words, whatever is cut
// off, unknown, too long or used twice; a request that waits never stands in the way of others; a
// client lists directories. Method: a server in a simulated machine whose file /hold answers only
// when /memo is read, and clients that write their messages byte by byte.
#include "npl_test.h"
#include "raw_client.h"
#include <npl/host.h>
#include <npl/npl.h>

#define SEEDS 20u
#define LIMIT 2000000u
#define HELD  4u

static struct npl_request *held[HELD];
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
    (void)context;
    return request->count;
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
    CHECK(held_count < HELD);
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
    {.name = "a-name-of-thirty-one-characters", .mode = NPL_FILE_WRITE, .write = memo_write},
};

static int server_main(void)
{
    struct npl_service service;

    held_count = 0;
    CHECK(npl_service_open(&service, "memo", files, 3, NULL) == 1);
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled == RUMPK_E_PEER)
            return 0;
        if (handled == 0)
            CHECK(npl_service_wait(&service, NULL, 0, RUMPK_FOREVER) == 0);
    }
}

static void run(int (*client)(void))
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct host_machine *machine = host_machine_new(seed);
        struct host_service_wire wire = {
            .service = "memo",
            .server = host_fiber_add(machine, "test/server", server_main),
            .client = host_fiber_add(machine, "test/client", client),
            .slots = 8,
            .buffer_count = 4,
            .buffer_size = 512,
        };
        int64_t code = -1;

        host_wire_service(machine, &wire);
        assert_true(host_run(machine, LIMIT));
        for (uint32_t fiber = 0; fiber < 2; fiber++) {
            assert_true(host_fiber_ended(machine, fiber, &code));
            assert_int_equal(code, 0);
        }
        host_machine_free(machine);
    }
}

static void begin(struct raw *raw)
{
    raw_open(raw, "memo");
    raw_expect(raw, raw_version(raw, 256, "9P2000"), RUMPK_RVERSION);
    raw_expect(raw, raw_attach(raw, 0), RUMPK_RATTACH);
    raw_expect(raw, raw_walk(raw, 0, 1, "memo"), RUMPK_RWALK);
    raw_expect(raw, raw_open_fid(raw, 1, RUMPK_NINEP_ORDWR), RUMPK_ROPEN);
}

// ---- cut off, too long, unknown

static const struct {
    uint8_t type;
    uint8_t size; // of the whole body
    uint8_t body[24];
} bodies[] = {
    {RUMPK_TVERSION, 12, {0, 1, 0, 0, 6, 0, '9', 'P', '2', '0', '0', '0'}},
    {RUMPK_TATTACH, 14, {7, 0, 0, 0, 255, 255, 255, 255, 1, 0, 'u', 1, 0, '/'}},
    {RUMPK_TFLUSH, 2, {99, 0}},
    {RUMPK_TWALK, 16, {0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 4, 0, 'm', 'e', 'm', 'o'}},
    {RUMPK_TOPEN, 5, {8, 0, 0, 0, 0}},
    {RUMPK_TREAD, 16, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0}},
    {RUMPK_TWRITE, 19, {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 'a', 'b', 'c'}},
    {RUMPK_TSTAT, 4, {1, 0, 0, 0}},
    {RUMPK_TCLUNK, 4, {8, 0, 0, 0}},
};
#define BODIES (sizeof(bodies) / sizeof(bodies[0]))

static int truncated_main(void)
{
    struct raw raw;

    begin(&raw);
    for (uint32_t at = 1; at < BODIES; at++) {
        for (uint32_t size = 0; size < bodies[at].size; size++)
            raw_expect(&raw, raw_message(&raw, bodies[at].type, bodies[at].body, size),
                       RUMPK_RERROR);
        // The same message whole.
        raw_expect(&raw, raw_message(&raw, bodies[at].type, bodies[at].body, bodies[at].size),
                   bodies[at].type + 1);
    }
    for (uint32_t size = 0; size < bodies[0].size; size++)
        raw_expect(&raw, raw_message(&raw, RUMPK_TVERSION, bodies[0].body, size), RUMPK_RERROR);
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD); // nothing of this ended the session
    return 0;
}

static int unknown_main(void)
{
    struct raw raw;
    uint8_t body[400] = {0};

    begin(&raw);
    for (uint32_t type = 0; type < 256; type++) {
        bool is_known = false;

        for (uint32_t at = 0; at < BODIES; at++)
            is_known |= bodies[at].type == type;
        if (!is_known)
            raw_expect_error(&raw, raw_message(&raw, (uint8_t)type, body, 8),
                             "operation is not supported");
    }
    raw_expect_error(&raw, raw_message(&raw, RUMPK_TWRITE, body, 256 - 7 + 1),
                     "the message is longer than agreed");
    raw_expect_error(&raw, raw_message(&raw, RUMPK_TVERSION, body, sizeof(body)),
                     "the message is longer than agreed");
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD);
    return 0;
}

// ---- fids and tags

static uint32_t raw_clunk(struct raw *raw, uint32_t fid)
{
    uint8_t body[4];

    memcpy(body, &fid, 4);
    return raw_message(raw, RUMPK_TCLUNK, body, sizeof(body));
}

static int fids_main(void)
{
    struct raw raw;

    begin(&raw);
    for (uint32_t fid = 100; fid < 100 + NPL_SERVICE_FIDS_MAX - 2; fid++)
        raw_expect(&raw, raw_walk(&raw, 0, fid, "memo"), RUMPK_RWALK);
    raw_expect_error(&raw, raw_walk(&raw, 0, 200, "memo"), "too many open fids");
    raw_expect_error(&raw, raw_attach(&raw, 200), "too many open fids");
    raw_expect_error(&raw, raw_walk(&raw, 0, 100, "hold"), "fid is in use");
    raw_expect(&raw, raw_clunk(&raw, 100), RUMPK_RCLUNK);
    raw_expect_error(&raw, raw_clunk(&raw, 100), "unknown fid");
    raw_expect_error(&raw, raw_open_fid(&raw, 100, 0), "unknown fid");
    raw_expect(&raw, raw_walk(&raw, 0, 100, "hold"), RUMPK_RWALK);
    raw_expect_error(&raw, raw_open_fid(&raw, 100, RUMPK_NINEP_OWRITE), "file cannot be written");
    raw_expect_error(&raw, raw_clunk(&raw, RUMPK_NINEP_NOFID), "unknown fid");
    // A new version begins a new session.
    raw_expect(&raw, raw_version(&raw, 512, "9P2000"), RUMPK_RVERSION);
    raw_expect_error(&raw, raw_clunk(&raw, 0), "unknown fid");
    return 0;
}

// Sends a read of `fid` with a tag that is chosen.
static void read_tagged(struct raw *raw, uint32_t fid, uint16_t tag)
{
    uint32_t buffer = raw->next_buffer;
    uint8_t *bytes = raw_buffer(raw, buffer);
    const uint8_t head[] = {23, 0, 0, 0, RUMPK_TREAD, (uint8_t)tag, (uint8_t)(tag >> 8)};

    memset(bytes, 0, 23);
    memcpy(bytes, head, sizeof(head));
    memcpy(bytes + 7, &fid, 4);
    bytes[19] = 5;
    raw->next_buffer = (buffer + 1) % raw->buffer_count;
    raw_put(raw, (struct rumpk_message_slot){
                     .sequence = ++raw->sequence, .buffer = buffer, .length = 23});
}

// One tag for two requests that wait: both are answered, each in its own buffer, and so is the
// flush.
static int tags_main(void)
{
    struct raw raw;
    uint32_t seen = 0;

    begin(&raw);
    raw_expect(&raw, raw_walk(&raw, 0, 2, "hold"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 2, 0), RUMPK_ROPEN);
    read_tagged(&raw, 2, 777);
    read_tagged(&raw, 2, 777);
    (void)raw_flush(&raw, 777);
    read_tagged(&raw, 1, 777);
    for (uint32_t answer = 0; answer < 4; answer++)
        seen |= 1u << raw_take(&raw);
    CHECK(seen == 0xF);
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD);
    return 0;
}

// A request waits while many more than the ring has slots are served.
static int held_main(void)
{
    struct raw raw;

    begin(&raw);
    raw_expect(&raw, raw_walk(&raw, 0, 2, "hold"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 2, 0), RUMPK_ROPEN);
    uint32_t late = raw_read(&raw, 2, 0, 5);
    for (uint32_t round = 0; round < 40; round++) {
        if (raw.next_buffer == late)
            raw.next_buffer = (late + 1) % raw.buffer_count;
        raw_expect(&raw, raw_write_count(&raw, 1, 4, 4), RUMPK_RWRITE);
    }
    if (raw.next_buffer == late)
        raw.next_buffer = (late + 1) % raw.buffer_count;
    uint32_t buffer = raw_read(&raw, 1, 0, 5);
    CHECK(raw_take(&raw) == late);
    CHECK(raw_take(&raw) == buffer);
    return 0;
}

// ---- directories

static int list_main(void)
{
    struct npl_client client;
    struct npl_stat stats[4];
    struct npl_stat stat;

    CHECK(npl_client_connect(&client, "memo") == 0);
    for (uint32_t round = 0; round < 30; round++) { // no fid stays behind
        CHECK(npl_client_list(&client, "/", 0, stats, 4) == 3);
        for (uint32_t index = 0; index < 3; index++) {
            CHECK(strcmp(stats[index].name, files[index].name) == 0);
            CHECK(!stats[index].is_directory && stats[index].number == index + 1);
        }
        CHECK(stats[0].length == 5 && stats[0].mode == 0666 && stats[2].mode == 0222);
        CHECK(npl_client_list(&client, "", 1, stats, 1) == 1);
        CHECK(strcmp(stats[0].name, "hold") == 0);
        CHECK(npl_client_list(&client, "/", 3, stats, 4) == 0);
        CHECK(npl_client_list(&client, "/", UINT32_MAX, stats, 4) == 0);
        CHECK(npl_client_list(&client, "/absent", 0, stats, 4) == RUMPK_E_DEVICE);
        CHECK(npl_client_list(&client, "/memo", 0, stats, 4) == RUMPK_E_PEER); // is no directory
        CHECK(npl_client_stat_path(&client, "memo", &stat) == 0);
        CHECK(stat.number == 1 && stat.length == 5 && strcmp(stat.name, "memo") == 0);
        CHECK(npl_client_stat_path(&client, "", &stat) == 0 && stat.is_directory);
        CHECK(npl_client_stat_path(&client, "absent", &stat) == RUMPK_E_DEVICE);
        CHECK(strcmp(npl_client_error(&client), "file does not exist") == 0);
    }
    return 0;
}

static void truncated_messages(void **state)
{
    (void)state;
    run(truncated_main);
}

static void unknown_and_long_messages(void **state)
{
    (void)state;
    run(unknown_main);
}

static void fids_are_bounded_and_reused(void **state)
{
    (void)state;
    run(fids_main);
}

static void tags_used_twice(void **state)
{
    (void)state;
    run(tags_main);
}

static void held_requests_hold_nobody_up(void **state)
{
    (void)state;
    run(held_main);
}

static void directories(void **state)
{
    (void)state;
    run(list_main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncated_messages),           cmocka_unit_test(unknown_and_long_messages),
        cmocka_unit_test(fids_are_bounded_and_reused),  cmocka_unit_test(tags_used_twice),
        cmocka_unit_test(held_requests_hold_nobody_up), cmocka_unit_test(directories),
    };

    return cmocka_run_group_tests_name("npl service wire", tests, NULL, NULL);
}
