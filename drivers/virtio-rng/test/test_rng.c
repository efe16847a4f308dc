// SPDX-License-Identifier: Apache-2.0
//
// Goal: every read is answered whole with bytes that nobody else gets, also when the device gives
// few at a time; a device that fails is reported, not waited for. Method: a counting device in the
// simulated machine: each byte that it ever gives is different enough to be told from the others.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

struct model {
    uint32_t given;   // bytes so far
    uint32_t at_most; // bytes per request
    uint32_t fail_at; // fails when so many bytes have been given
    bool breaks;      // fails by breaking the protocol, else by giving nothing
};

// Byte n of the stream; four in a row name their place.
static uint8_t byte_at(uint32_t place)
{
    return (uint8_t)(place / 4 >> (place % 4 * 8));
}

static uint32_t serve(void *context, uint32_t queue, const struct host_part *parts, uint32_t count)
{
    struct model *model = context;
    uint32_t size = parts[0].length < model->at_most ? parts[0].length : model->at_most;

    if (queue != 0 || count != 1 || !parts[0].device_writes)
        return HOST_DEVICE_BREAKS;
    if (model->given >= model->fail_at)
        return model->breaks ? HOST_DEVICE_BREAKS : 0;
    for (uint32_t at = 0; at < size; at++)
        parts[0].bytes[at] = byte_at(model->given++);
    return size;
}

static uint8_t seen[1u << 20];

// Where in the stream these bytes come from: they hold at least one whole word, at one of four
// phases.
static uint32_t place_of(const uint8_t *bytes, uint32_t count)
{
    for (uint32_t phase = 0; phase < 4; phase++) {
        uint32_t word;
        uint32_t at = 0;

        memcpy(&word, bytes + phase, 4);
        uint32_t place = word * 4 - phase;
        if (word >= sizeof(seen) / 4 || place + count > sizeof(seen))
            continue;
        while (at < count && bytes[at] == byte_at(place + at))
            at++;
        if (at == count)
            return place;
    }
    return UINT32_MAX;
}

// Each read is one message, and so one piece of the stream; no byte of it was seen before.
static int reader_main(void)
{
    struct npl_client client;
    uint8_t bytes[1000];

    CHECK(npl_client_connect(&client, "rng") == 0);
    int64_t fid = npl_client_open(&client, "/random", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    CHECK(npl_client_read(&client, fid, 0, bytes, 0) == 0);
    for (uint32_t round = 0; round < 40; round++) {
        uint32_t count = round * 24 + 16;

        CHECK(npl_client_read(&client, fid, round, bytes, count) == count);
        uint32_t place = place_of(bytes, count);
        CHECK(place != UINT32_MAX);
        for (uint32_t at = place; at < place + count; at++) {
            CHECK(!seen[at]);
            seen[at] = 1;
        }
    }
    return 0;
}

static int failing_main(void)
{
    struct npl_client client;
    uint8_t bytes[600];

    CHECK(npl_client_connect(&client, "rng") == 0);
    int64_t fid = npl_client_open(&client, "/random", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    for (uint32_t round = 0; round < 3; round++) {
        CHECK(npl_client_read(&client, fid, 0, bytes, sizeof(bytes)) == RUMPK_E_DEVICE);
        CHECK(strcmp(npl_client_error(&client), "the entropy device failed") == 0);
    }
    CHECK(npl_client_open(&client, "/random", RUMPK_NINEP_OWRITE) == RUMPK_E_DEVICE);
    return 0;
}

static void run(struct model *model, uint64_t seed, int (*client)(void), uint32_t clients)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t driver = host_fiber_add(machine, "rumpk/virtio-rng", npl_main);
    struct host_device device = {
        .device_id = 4,
        .features = UINT64_C(1) << 32,
        .queue_count = 1,
        .queue_entries = 8,
        .serve = serve,
        .context = model,
    };
    int64_t code = -1;

    memset(seen, 0, sizeof(seen));
    host_cap_device(machine, driver, "rng", &device);
    host_cap_dma(machine, driver, "buffer", 4096);
    for (uint32_t index = 0; index < clients; index++) {
        struct host_service_wire wire = {
            .service = "rng",
            .client = host_fiber_add(machine, "test/client", client),
            .server = driver,
            .slots = 8,
            .buffer_count = 4,
            .buffer_size = 1024,
        };

        host_wire_service(machine, &wire);
    }
    assert_true(host_run(machine, 2000000));
    for (uint32_t fiber = 0; fiber <= clients; fiber++) {
        assert_true(host_fiber_ended(machine, fiber, &code));
        assert_int_equal(code, 0);
    }
    host_machine_free(machine);
}

static void reads_are_whole_and_fresh(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct model model = {.at_most = seed % 2 ? 64 : UINT32_MAX, .fail_at = UINT32_MAX};

        run(&model, seed, reader_main, 3);
    }
}

static void failures_are_told(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct model model = {.at_most = 100, .fail_at = 200, .breaks = seed % 2};

        run(&model, seed, failing_main, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_whole_and_fresh),
        cmocka_unit_test(failures_are_told),
    };

    return cmocka_run_group_tests_name("virtio-rng", tests, NULL, NULL);
}
