// SPDX-License-Identifier: Apache-2.0
//
// Goal: the service protocol serves correct clients, refuses wrong requests with words, and cuts
// off clients that break the rules of the ring without harm to others. Method: server and clients
// as drivers of a simulated machine, over many seeds; wrong messages are written byte by byte by a
// client that does not use npl/client.h.
#include "npl_test.h"
#include "raw_client.h"
#include <npl/host.h>
#include <npl/npl.h>

#define SEEDS      40u
#define STORE_SIZE 10000u
#define LIMIT      2000000u

// ---- the server: /store is memory, /note is text, /slow answers late, /mute is write-only
// ----------------

static uint8_t store[STORE_SIZE];
static struct npl_request *kept[8];
static uint32_t kept_count;

static uint64_t store_size(void *context, const struct npl_file *file)
{
    (void)context;
    (void)file;
    return STORE_SIZE;
}

static int64_t store_read(void *context, struct npl_request *request)
{
    (void)context;
    return npl_service_read_text(request, (const char *)store, sizeof(store));
}

static int64_t store_write(void *context, struct npl_request *request)
{
    (void)context;
    if (request->offset > STORE_SIZE || request->count > STORE_SIZE - request->offset) {
        request->error = "beyond the end of the store";
        return RUMPK_E_BOUNDS;
    }
    memcpy(store + request->offset, request->data, request->count);
    return request->count;
}

static int64_t note_read(void *context, struct npl_request *request)
{
    (void)context;
    return npl_service_read_text(request, "a note\n", 7);
}

static int64_t slow_read(void *context, struct npl_request *request)
{
    (void)context;
    CHECK(kept_count < 8);
    kept[kept_count++] = request;
    return NPL_LATER;
}

static int64_t mute_write(void *context, struct npl_request *request)
{
    (void)context;
    (void)request;
    return RUMPK_E_TIMEOUT; // no text of its own
}

static const struct npl_file files[] = {
    {.name = "store",
     .mode = NPL_FILE_READ | NPL_FILE_WRITE,
     .size = store_size,
     .read = store_read,
     .write = store_write},
    {.name = "note", .mode = NPL_FILE_READ, .read = note_read},
    {.name = "slow", .mode = NPL_FILE_READ, .read = slow_read},
    {.name = "mute", .mode = NPL_FILE_WRITE, .write = mute_write},
};

// Answers kept requests last first, once nothing else is to do.
static int server_main(void)
{
    struct npl_service service;

    kept_count = 0;
    CHECK(npl_service_open(&service, "store", files, 4, NULL) >= 0);
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled > 0)
            continue;
        if (kept_count > 0) {
            struct npl_request *request = kept[--kept_count];

            npl_service_reply(request, npl_service_read_text(request, "late\n", 5));
            continue;
        }
        if (handled == RUMPK_E_PEER)
            return 0;
        CHECK(npl_service_wait(&service, NULL, 0, RUMPK_FOREVER) == 0);
    }
}

// ---- machines
// ----------------------------------------------------------------------------------------------

struct setting {
    uint32_t slots;
    uint32_t buffers;
    uint32_t size;
};

static void run_clients(uint64_t seed, struct setting setting, int (*const *clients)(void),
                        uint32_t count)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t server = host_fiber_add(machine, "test/server", server_main);
    int64_t code = -1;

    for (uint32_t index = 0; index < count; index++) {
        struct host_service_wire wire = {
            .service = "store",
            .client = host_fiber_add(machine, "test/client", clients[index]),
            .server = server,
            .slots = setting.slots,
            .buffer_count = setting.buffers,
            .buffer_size = setting.size,
        };

        host_wire_service(machine, &wire);
    }
    assert_true(host_run(machine, LIMIT));
    for (uint32_t fiber = 0; fiber <= count; fiber++) {
        assert_true(host_fiber_ended(machine, fiber, &code));
        assert_int_equal(code, 0);
    }
    host_machine_free(machine);
}

static const struct setting settings[] = {
    {.slots = 8, .buffers = 4, .size = 512},
    {.slots = 2, .buffers = 4, .size = 256}, // fewer slots than buffers
    {.slots = 64, .buffers = 1, .size = 4096},
    {.slots = 16, .buffers = 16, .size = 8192},
};

static void run_all(int (*const *clients)(void), uint32_t count)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_clients(seed, settings[seed % 4], clients, count);
}

// ---- correct clients
// ------------------------------------------------------------------------------------------

static int reader_main(void)
{
    struct npl_client client;
    struct npl_stat stat;
    uint8_t bytes[STORE_SIZE + 10];

    CHECK(npl_client_connect(&client, "store") == 0);
    int64_t fid = npl_client_open(&client, "/store", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    CHECK(npl_client_stat(&client, fid, &stat) == 0);
    CHECK(stat.length == STORE_SIZE && !stat.is_directory && strcmp(stat.name, "store") == 0);
    CHECK(stat.mode == 0666);
    CHECK(npl_client_read(&client, fid, 0, bytes, sizeof(bytes)) == STORE_SIZE);
    CHECK(npl_client_read(&client, fid, STORE_SIZE - 3, bytes, 10) == 3);
    CHECK(npl_client_read(&client, fid, STORE_SIZE, bytes, 10) == 0);
    CHECK(npl_client_read(&client, fid, UINT64_MAX, bytes, 10) == 0);
    CHECK(npl_client_write(&client, fid, 0, bytes, 1) == RUMPK_E_DEVICE);
    CHECK(strcmp(npl_client_error(&client), "fid is not open for writing") == 0);
    CHECK(npl_client_close(&client, fid) == 0);
    CHECK(npl_client_read(&client, fid, 0, bytes, 1) == RUMPK_E_ARGUMENT);
    return 0;
}

static int writer_main(void)
{
    struct npl_client client;
    uint8_t bytes[STORE_SIZE];
    uint8_t back[STORE_SIZE];

    CHECK(npl_client_connect(&client, "store") == 0);
    int64_t fid = npl_client_open(&client, "store", RUMPK_NINEP_ORDWR);
    CHECK(fid > 0);
    for (uint32_t at = 0; at < STORE_SIZE; at++)
        bytes[at] = (uint8_t)(at * 7 + at / 256);
    CHECK(npl_client_write(&client, fid, 0, bytes, STORE_SIZE) == STORE_SIZE);
    CHECK(npl_client_read(&client, fid, 0, back, STORE_SIZE) == STORE_SIZE);
    CHECK(memcmp(bytes, back, STORE_SIZE) == 0);
    CHECK(npl_client_write(&client, fid, STORE_SIZE - 1, bytes, 2) == RUMPK_E_DEVICE);
    CHECK(strcmp(npl_client_error(&client), "beyond the end of the store") == 0);
    return 0;
}

// Several under way; the answers come in any order.
static int window_main(void)
{
    struct npl_client client;
    struct npl_answer answer;
    uint64_t asked = 0;
    uint64_t answered = 0;
    uint64_t sum = 0;

    CHECK(npl_client_connect(&client, "store") == 0);
    int64_t fid = npl_client_open(&client, "/slow", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    CHECK(npl_client_next(&client, &answer, RUMPK_FOREVER) == RUMPK_E_STATE);
    while (answered < 50) {
        while (asked < 50 && npl_client_read_start(&client, fid, 0, 5, asked + 1) == 0) {
            asked++;
            if (asked - answered == 2) // what is kept at the server is bounded
                break;
        }
        CHECK(npl_client_next(&client, &answer, RUMPK_FOREVER) == 1);
        CHECK(answer.result == 5 && memcmp(answer.data, "late\n", 5) == 0);
        sum += answer.cookie;
        answered++;
        npl_client_done(&client, &answer);
    }
    CHECK(sum == 50 * 51 / 2);
    return 0;
}

static int refused_main(void)
{
    struct npl_client client;
    char bytes[8];

    CHECK(npl_client_connect(&client, "absent") == RUMPK_E_SLOT);
    CHECK(npl_client_connect(&client, "store") == 0);
    CHECK(npl_client_open(&client, "/absent", RUMPK_NINEP_OREAD) == RUMPK_E_DEVICE);
    CHECK(strcmp(npl_client_error(&client), "file does not exist") == 0);
    CHECK(npl_client_open(&client, "/note/deeper", RUMPK_NINEP_OREAD) == RUMPK_E_DEVICE);
    CHECK(npl_client_open(&client, "/note", RUMPK_NINEP_OWRITE) == RUMPK_E_DEVICE);
    CHECK(strcmp(npl_client_error(&client), "file cannot be written") == 0);
    CHECK(npl_client_open(&client, "/mute", RUMPK_NINEP_OREAD) == RUMPK_E_DEVICE);
    // Refused opens leave no fid behind.
    for (uint32_t round = 0; round < 40; round++)
        CHECK(npl_client_open(&client, "/mute", RUMPK_NINEP_OREAD) == RUMPK_E_DEVICE);
    int64_t fid = npl_client_open(&client, "/mute", RUMPK_NINEP_OWRITE);
    CHECK(fid > 0);
    CHECK(npl_client_write(&client, fid, 0, "x", 1) == RUMPK_E_DEVICE);
    CHECK(strcmp(npl_client_error(&client), npl_result_text(RUMPK_E_TIMEOUT)) == 0);
    for (uint32_t open = 2; open < NPL_CLIENT_FIDS_MAX; open++)
        CHECK(npl_client_open(&client, "/note", RUMPK_NINEP_OREAD) > 0);
    CHECK(npl_client_open(&client, "/note", RUMPK_NINEP_OREAD) == RUMPK_E_LIMIT);
    CHECK(npl_client_read(&client, 3, 2, bytes, 8) == 5);
    CHECK(memcmp(bytes, "note\n", 5) == 0);
    return 0;
}

// A directory read is whole entries.
static int list_main(void)
{
    struct npl_client client;
    uint8_t bytes[1024];
    uint64_t size = 0;

    CHECK(npl_client_connect(&client, "store") == 0);
    int64_t fid = npl_client_open(&client, "/", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    for (;;) {
        uint32_t part = client.io_max < 200 ? client.io_max : 200;
        int64_t got = npl_client_read(&client, fid, size, bytes + size, part);

        CHECK(got >= 0);
        if (got == 0)
            break;
        size += (uint64_t)got;
    }
    uint64_t at = 0;
    for (uint32_t entry = 0; entry < 4; entry++) {
        const char *name = files[entry].name;

        CHECK(at < size);
        CHECK(memcmp(bytes + at + 43, name, strlen(name)) == 0);
        CHECK(bytes[at + 41] == strlen(name));
        at += 2u + bytes[at] + 256u * bytes[at + 1];
    }
    CHECK(at == size);
    CHECK(npl_client_read(&client, fid, 7, bytes, 200) == RUMPK_E_DEVICE);
    return 0;
}

// A printed error of the server is made printable.
static void correct_clients(void **state)
{
    int (*const clients[])(void) = {reader_main, window_main, refused_main, list_main};
    int (*const writers[])(void) = {writer_main, window_main};

    (void)state;
    run_all(clients, 4);
    run_all(writers, 2);
}

// ---- wrong clients
// ---------------------------------------------------------------------------------------------

static int wrong_messages_main(void)
{
    struct raw raw;

    raw_open(&raw, "store");
    // Before the version is agreed nothing else is served.
    raw_expect_error(&raw, raw_attach(&raw, 0), "the version must be agreed first");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000.L"), RUMPK_RVERSION);
    raw_expect_error(&raw, raw_version(&raw, 100, "9P2000"), "malformed Tversion");
    raw_expect(&raw, raw_version(&raw, 1u << 30, "9P1999"), RUMPK_RVERSION);
    raw_expect(&raw, raw_version(&raw, 1u << 30, "9P2000"), RUMPK_RVERSION);
    raw_expect(&raw, raw_attach(&raw, 0), RUMPK_RATTACH);
    raw_expect_error(&raw, raw_attach(&raw, 0), "fid is in use");
    raw_expect_error(&raw, raw_walk(&raw, 9, 1, "note"), "unknown fid");
    raw_expect_error(&raw, raw_walk(&raw, 0, 0, "absent"), "file does not exist");
    raw_expect(&raw, raw_walk(&raw, 0, 1, "note"), RUMPK_RWALK);
    raw_expect_error(&raw, raw_read(&raw, 1, 0, 5), "fid is not open");
    raw_expect_error(&raw, raw_open_fid(&raw, 1, 3), "open mode is not supported");
    raw_expect_error(&raw, raw_open_fid(&raw, 1, 0x10), "open mode is not supported");
    raw_expect(&raw, raw_open_fid(&raw, 1, 0), RUMPK_ROPEN);
    raw_expect_error(&raw, raw_open_fid(&raw, 1, 0), "fid is open");
    raw_expect_error(&raw, raw_walk(&raw, 1, 2, ".."), "fid is open");
    // A count above the message size is cut, not believed.
    raw_expect(&raw, raw_read(&raw, 1, 0, UINT32_MAX), RUMPK_RREAD);
    raw_expect_error(&raw, raw_write_count(&raw, 1, 5, 4), "fid is not open for writing");
    raw_expect(&raw, raw_walk(&raw, 0, 3, "store"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 3, 2), RUMPK_ROPEN);
    raw_expect_error(&raw, raw_write_count(&raw, 3, 5, 4), "malformed Twrite");
    raw_expect_error(&raw, raw_write_count(&raw, 3, UINT32_MAX, 4), "malformed Twrite");
    raw_expect(&raw, raw_write_count(&raw, 3, 4, 4), RUMPK_RWRITE);
    raw_expect_error(&raw, raw_bare(&raw, 99), "operation is not supported");
    raw_expect_error(&raw, raw_bare(&raw, 126), "operation is not supported"); // Twstat
    raw_expect_error(&raw, raw_bare(&raw, RUMPK_TWALK), "malformed Twalk");
    raw_expect_error(&raw, raw_bare(&raw, RUMPK_TREAD), "malformed message");
    raw_expect_error(&raw, raw_bare(&raw, RUMPK_TSTAT), "malformed Tstat");
    raw_expect_error(&raw, raw_bare(&raw, RUMPK_TCLUNK), "malformed Tclunk");
    raw_expect_error(&raw, raw_bare(&raw, RUMPK_TFLUSH), "malformed Tflush");
    // Names whose lengths run out of the message.
    raw_expect_error(&raw, raw_walk_long(&raw, 0, 5), "malformed Twalk");
    // After all this the connection still serves.
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD);
    return 0;
}

static int flush_main(void)
{
    struct raw raw;
    uint32_t late;
    uint32_t flush;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    raw_expect(&raw, raw_attach(&raw, 0), RUMPK_RATTACH);
    raw_expect(&raw, raw_flush(&raw, 1234), RUMPK_RFLUSH); // nothing of that tag
    raw_expect(&raw, raw_walk(&raw, 0, 1, "slow"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 1, 0), RUMPK_ROPEN);
    // The flushed request is answered first.
    late = raw_read(&raw, 1, 0, 5);
    flush = raw_flush(&raw, (uint16_t)late);
    CHECK(raw_take(&raw) == late);
    CHECK(raw_take(&raw) == flush);
    return 0;
}

static int wrong_slot_main(struct rumpk_message_slot slot)
{
    struct raw raw;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    slot.sequence += raw.sequence + 1;
    raw_put(&raw, slot);
    // No answer: the server has cut this client off.
    CHECK(raw_take_until(&raw, npl_deadline_ms(50)) == UINT32_MAX);
    return 0;
}

static int wrong_buffer_main(void)
{
    return wrong_slot_main((struct rumpk_message_slot){.buffer = 99, .length = 7});
}

static int short_length_main(void)
{
    return wrong_slot_main((struct rumpk_message_slot){.buffer = 0, .length = 6});
}

static int long_length_main(void)
{
    return wrong_slot_main((struct rumpk_message_slot){.buffer = 0, .length = UINT32_MAX});
}

static int wrong_size_main(void) // the message's own size differs from the slot's
{
    return wrong_slot_main((struct rumpk_message_slot){.buffer = 0, .length = 9});
}

// A number that comes again, as after a restart, is served again and repeated in the answer.
static int repeated_number_main(void)
{
    struct raw raw;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    raw_expect(&raw, raw_attach(&raw, 0), RUMPK_RATTACH);
    raw_expect(&raw, raw_walk(&raw, 0, 1, "note"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 1, 0), RUMPK_ROPEN);
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD);
    raw.sequence--;
    raw_expect(&raw, raw_read(&raw, 1, 0, 5), RUMPK_RREAD);
    return 0;
}

static int lent_twice_main(void)
{
    struct raw raw;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    raw_expect(&raw, raw_attach(&raw, 0), RUMPK_RATTACH);
    raw_expect(&raw, raw_walk(&raw, 0, 1, "slow"), RUMPK_RWALK);
    raw_expect(&raw, raw_open_fid(&raw, 1, 0), RUMPK_ROPEN);
    uint32_t first = raw_read(&raw, 1, 0, 5);
    raw.next_buffer = first;
    (void)raw_read(&raw, 1, 0, 5);
    (void)raw_take_until(&raw, npl_deadline_ms(50));
    return 0;
}

static int mad_head_main(void)
{
    struct raw raw;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    __atomic_store_n(raw.requests.own_index, 0x80000000u, __ATOMIC_RELEASE);
    npl_send_wake(raw.requests.slot);
    CHECK(raw_take_until(&raw, npl_deadline_ms(50)) == UINT32_MAX);
    return 0;
}

// The index of answers taken is forged, and looked at when as many answers were given as the ring
// has slots: then there is no request left, and the server must neither believe it nor go round in
// circles until the client ends, which is later than the run may take calls.
static int mad_tail_main(void)
{
    struct raw raw;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    __atomic_store_n(raw.replies.own_index, 0x80000000u, __ATOMIC_RELEASE);
    for (uint32_t sent = 1; sent < raw.replies.slot_count; sent++) {
        raw_bare(&raw, 0);
        npl_sleep_until(npl_deadline_ms(1));
    }
    npl_sleep_until(npl_deadline_ms(1000000));
    return 0;
}

static void wrong_requests_are_refused(void **state)
{
    int (*const clients[])(void) = {wrong_messages_main, reader_main, flush_main,
                                    repeated_number_main};

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_clients(seed, settings[0], clients, 4);
}

static void wrong_rings_cut_off_alone(void **state)
{
    int (*const wrong[])(void) = {wrong_buffer_main, short_length_main, long_length_main,
                                  wrong_size_main,   lent_twice_main,   mad_head_main,
                                  mad_tail_main};

    (void)state;
    for (uint32_t which = 0; which < sizeof(wrong) / sizeof(wrong[0]); which++) {
        int (*const clients[])(void) = {wrong[which], reader_main};

        for (uint64_t seed = 1; seed <= 8; seed++)
            run_clients(seed, settings[0], clients, 2);
    }
}

// Random messages: any answer is right, only not silence, a crash or harm to the other client.
static uint64_t noise_seed;

static int noise_main(void)
{
    struct raw raw;
    uint64_t random = noise_seed * 2 + 1;

    raw_open(&raw, "store");
    raw_expect(&raw, raw_version(&raw, 256, "9P2000"), RUMPK_RVERSION);
    raw_expect(&raw, raw_attach(&raw, 0), RUMPK_RATTACH);
    for (uint32_t round = 0; round < 400; round++) {
        uint8_t body[80];

        for (uint32_t at = 0; at < sizeof(body); at++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
            body[at] = random >> 61 ? (uint8_t)(random >> 40) % 6 : (uint8_t)(random >> 50);
        }
        uint8_t type = (uint8_t)(100 + 2 * (body[0] % 14));
        if (type == RUMPK_TVERSION || type == RUMPK_TFLUSH)
            continue;
        uint32_t buffer = raw_message(&raw, type, body, body[1] % 60u);
        uint32_t taken = raw_take_until(&raw, npl_deadline_ms(1000));
        CHECK(taken == buffer);
    }
    return 0;
}

static void noise_is_answered(void **state)
{
    int (*const clients[])(void) = {noise_main, reader_main};

    (void)state;
    for (noise_seed = 1; noise_seed <= SEEDS; noise_seed++)
        run_clients(noise_seed, settings[0], clients, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_clients),
        cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(wrong_rings_cut_off_alone),
        cmocka_unit_test(noise_is_answered),
    };

    return cmocka_run_group_tests_name("npl service", tests, NULL, NULL);
}
