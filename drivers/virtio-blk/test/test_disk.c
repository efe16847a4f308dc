// SPDX-License-Identifier: Apache-2.0
//
// Goal: every byte of the disk is read and written as asked, whatever the order in which the device
// answers, by copy and straight into the client's buffers; failures of the device become words.
// Method: clients and the disk model of npl/host.h, over many seeds.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTORS 300u
#define SIZE    (SECTORS * 512u)
#define LIMIT   4000000u

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

static uint8_t image[SIZE];
static uint64_t seed_now;

static void fill_image(void)
{
    uint32_t value = 1;

    for (uint32_t at = 0; at < SIZE; at++) {
        value = value * 1664525u + 1013904223u;
        image[at] = (uint8_t)(value >> 24);
    }
}

static struct host_disk disk_of(uint64_t size)
{
    return (struct host_disk){
        .bytes = image,
        .size = size,
        .bad_sector = UINT64_MAX,
        .serve_max = UINT64_MAX,
    };
}

struct setting {
    bool is_dma;
    uint32_t slots;
    uint32_t buffers;
    uint32_t buffer_size;
    uint64_t dma_size;
};

static const struct setting settings[] = {
    {.is_dma = false, .slots = 8, .buffers = 4, .buffer_size = 4096, .dma_size = 131072},
    {.is_dma = true, .slots = 8, .buffers = 4, .buffer_size = 4096, .dma_size = 131072},
    {.is_dma = true, .slots = 64, .buffers = 32, .buffer_size = 65536, .dma_size = 131072},
    {.is_dma = false, .slots = 64, .buffers = 32, .buffer_size = 65536, .dma_size = 12288},
    {.is_dma = true, .slots = 4, .buffers = 2, .buffer_size = 256, .dma_size = 12288},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

// Runs the driver over `disk` with these clients, each of which must end with 0. The driver's code.
static int64_t run(struct host_disk *disk, const struct setting *setting, uint64_t seed,
                   int (*const *clients)(void), uint32_t count)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t driver = host_fiber_add(machine, "rumpk/virtio-blk", npl_main);
    struct host_device device;
    int64_t code = -1;

    seed_now = seed;
    host_disk_device(disk, &device);
    host_cap_device(machine, driver, "disk", &device);
    host_cap_dma(machine, driver, "buffers", setting->dma_size);
    for (uint32_t index = 0; index < count; index++) {
        struct host_service_wire wire = {
            .service = "block",
            .client = host_fiber_add(machine, "test/client", clients[index]),
            .server = driver,
            .slots = setting->slots,
            .buffer_count = setting->buffers,
            .buffer_size = setting->buffer_size,
            .is_dma = setting->is_dma,
        };

        host_wire_service(machine, &wire);
    }
    assert_true(host_run(machine, LIMIT));
    for (uint32_t fiber = 1; fiber <= count; fiber++) {
        assert_true(host_fiber_ended(machine, fiber, &code));
        assert_int_equal(code, 0);
    }
    assert_true(host_fiber_ended(machine, driver, &code));
    host_machine_free(machine);
    return code;
}

static void open_data(struct npl_client *client, int64_t *fid, uint32_t mode)
{
    CHECK(npl_client_connect(client, "block") == 0);
    *fid = npl_client_open(client, "/data", mode);
    CHECK(*fid > 0);
}

// ---- reading
// ------------------------------------------------------------------------------------------------

static int read_all_main(void)
{
    struct npl_client client;
    struct npl_stat stat;
    uint8_t *bytes = malloc(SIZE + 1000);
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    CHECK(npl_client_stat(&client, fid, &stat) == 0 && stat.length == SIZE);
    CHECK(npl_client_read(&client, fid, 0, bytes, SIZE + 1000) == SIZE);
    CHECK(memcmp(bytes, image, SIZE) == 0);
    free(bytes);
    return 0;
}

static int read_parts_main(void)
{
    struct npl_client client;
    uint64_t random = seed_now * 2 + 1;
    uint8_t bytes[20000];
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    for (uint32_t round = 0; round < 60; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t offset = (random >> 20) % (SIZE + 100);
        uint64_t count = (random >> 44) % sizeof(bytes);
        uint64_t expected = offset >= SIZE ? 0 : SIZE - offset < count ? SIZE - offset : count;

        CHECK(npl_client_read(&client, fid, offset, bytes, count) == (int64_t)expected);
        CHECK(memcmp(bytes, image + (offset < SIZE ? offset : 0), expected) == 0);
    }
    CHECK(npl_client_read(&client, fid, UINT64_MAX - 100, bytes, 200) == 0);
    return 0;
}

static int read_window_main(void)
{
    struct npl_client client;
    struct npl_answer answer;
    uint64_t asked = 0;
    uint64_t answered = 0;
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    uint32_t chunk = client.io_max < 512 ? 100 : client.io_max / 512 * 512;
    uint64_t chunks = (SIZE + chunk - 1) / chunk;
    while (answered < chunks) {
        while (asked < chunks &&
               npl_client_read_start(&client, fid, asked * chunk, chunk, asked) == 0)
            asked++;
        CHECK(npl_client_next(&client, &answer, RUMPK_FOREVER) == 1);
        uint64_t offset = answer.cookie * chunk;
        uint64_t expected = SIZE - offset < chunk ? SIZE - offset : chunk;
        CHECK(answer.result == (int64_t)expected);
        CHECK(memcmp(answer.data, image + offset, expected) == 0);
        npl_client_done(&client, &answer);
        answered++;
    }
    return 0;
}

static int info_main(void)
{
    struct npl_client client;
    struct npl_stat stat;
    char text[300] = {0};

    CHECK(npl_client_connect(&client, "block") == 0);
    int64_t fid = npl_client_open(&client, "/info", RUMPK_NINEP_OREAD);
    CHECK(fid > 0);
    int64_t size = npl_client_read(&client, fid, 0, text, sizeof(text) - 1);
    CHECK(npl_client_stat(&client, fid, &stat) == 0 && stat.length == (uint64_t)size);
    CHECK(strcmp(text, "sectors 300\nsector-size 512\nblock-size 512\nread-only no\nflush yes\n"
                       "serial " HOST_DISK_SERIAL "\n") == 0);
    return 0;
}

static void reads(void **state)
{
    int (*const clients[])(void) = {read_all_main, read_parts_main, read_window_main, info_main};

    (void)state;
    fill_image();
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct host_disk disk = disk_of(SIZE);

        disk.segment_max = seed % 3 == 0 ? 1024 : 0;
        assert_int_equal(run(&disk, &settings[seed % SETTINGS], seed, clients, 4), 0);
    }
}

// ---- writing
// ------------------------------------------------------------------------------------------------

// Each client owns half of the disk, so that what it reads back is what it wrote.
static int write_half(uint64_t base)
{
    struct npl_client client;
    uint64_t random = seed_now * 2 + base;
    uint8_t written[8192];
    uint8_t back[8192];
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_ORDWR);
    if (client.io_max < 512)
        return 0; // a message cannot carry a sector
    for (uint32_t round = 0; round < 30; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        uint64_t count = ((random >> 30) % 6 + 1) * 512;
        uint64_t offset = base + (random >> 40) % ((SIZE / 2 - count) / 512) * 512;
        uint64_t step = client.io_max / 512 * 512;

        memset(written, (int)(random >> 56), count);
        for (uint64_t at = 0; at < count; at += step) {
            uint64_t part = count - at < step ? count - at : step;

            CHECK(npl_client_write(&client, fid, offset + at, written, part) == (int64_t)part);
        }
        CHECK(npl_client_read(&client, fid, offset, back, count) == (int64_t)count);
        CHECK(memcmp(written, back, count) == 0);
    }
    int64_t flush = npl_client_open(&client, "/flush", RUMPK_NINEP_OWRITE);
    CHECK(flush > 0 && npl_client_write(&client, flush, 0, "1", 1) == 1);
    return 0;
}

static int write_low_main(void)
{
    return write_half(0);
}

static int write_high_main(void)
{
    return write_half(SIZE / 2);
}

// Many writes to one place under way at once: the last one asked for must win.
static int overlap_main(void)
{
    struct npl_client client;
    struct npl_answer answer;
    uint8_t sector[512];
    uint32_t open = 0;
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_ORDWR);
    if (client.io_max < 512)
        return 0;
    for (uint32_t round = 0; round < 40; round++) {
        memset(sector, (int)round, sizeof(sector));
        while (npl_client_write_start(&client, fid, 1024, sector, 512, round) == RUMPK_E_FULL) {
            CHECK(npl_client_next(&client, &answer, RUMPK_FOREVER) == 1 && answer.result == 512);
            npl_client_done(&client, &answer);
            open--;
        }
        open++;
    }
    for (; open > 0; open--) {
        CHECK(npl_client_next(&client, &answer, RUMPK_FOREVER) == 1 && answer.result == 512);
        npl_client_done(&client, &answer);
    }
    CHECK(npl_client_read(&client, fid, 1024, sector, 512) == 512);
    for (uint32_t at = 0; at < 512; at++)
        CHECK(sector[at] == 39);
    return 0;
}

static void writes(void **state)
{
    int (*const clients[])(void) = {write_low_main, write_high_main};
    int (*const overlap[])(void) = {overlap_main};

    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct host_disk disk = disk_of(SIZE);

        fill_image();
        disk.segment_max = seed % 3 == 0 ? 1024 : 0;
        assert_int_equal(run(&disk, &settings[seed % SETTINGS], seed, clients, 2), 0);
        if (settings[seed % SETTINGS].buffer_size > 600)
            assert_true(disk.flushes == 2);
        assert_int_equal(run(&disk, &settings[seed % SETTINGS], seed, overlap, 1), 0);
    }
}

// ---- refusals
// -------------------------------------------------------------------------------------------------

static void expect_refused(struct npl_client *client, int64_t result, const char *text)
{
    CHECK(result == RUMPK_E_DEVICE);
    if (strcmp(npl_client_error(client), text) != 0) {
        fprintf(stderr, "expected \"%s\", got \"%s\"\n", text, npl_client_error(client));
        abort();
    }
}

static int wrong_writes_main(void)
{
    struct npl_client client;
    uint8_t sector[1024] = {0};
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_ORDWR);
    expect_refused(&client, npl_client_write(&client, fid, 1, sector, 512),
                   "writes start and end at sector boundaries, multiples of 512 bytes");
    expect_refused(&client, npl_client_write(&client, fid, 512, sector, 511),
                   "writes start and end at sector boundaries, multiples of 512 bytes");
    expect_refused(&client, npl_client_write(&client, fid, SIZE, sector, 512),
                   "the write goes beyond the end of the disk");
    expect_refused(&client, npl_client_write(&client, fid, SIZE - 512, sector, 1024),
                   "the write goes beyond the end of the disk");
    expect_refused(&client, npl_client_write(&client, fid, UINT64_MAX - 511, sector, 512),
                   "the write goes beyond the end of the disk");
    return 0;
}

static int read_only_main(void)
{
    struct npl_client client;
    uint8_t sector[512] = {0};
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_ORDWR);
    expect_refused(&client, npl_client_write(&client, fid, 0, sector, 512),
                   "the disk is read-only");
    CHECK(npl_client_read(&client, fid, 0, sector, 512) == 512);
    return 0;
}

static int empty_main(void)
{
    struct npl_client client;
    struct npl_stat stat;
    uint8_t sector[512];
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_ORDWR);
    CHECK(npl_client_stat(&client, fid, &stat) == 0 && stat.length == 0);
    CHECK(npl_client_read(&client, fid, 0, sector, 512) == 0);
    expect_refused(&client, npl_client_write(&client, fid, 0, sector, 512),
                   "the write goes beyond the end of the disk");
    return 0;
}

static int bad_sector_main(void)
{
    struct npl_client client;
    uint8_t bytes[4000];
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    CHECK(npl_client_read(&client, fid, 0, bytes, 3500) == 3500);
    expect_refused(&client, npl_client_read(&client, fid, 99 * 512, bytes, 1500),
                   "the disk reports an input/output error");
    CHECK(npl_client_read(&client, fid, 101 * 512, bytes, 3500) == 3500);
    return 0;
}

static int torn_main(void)
{
    struct npl_client client;
    uint8_t bytes[512];
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    expect_refused(&client, npl_client_read(&client, fid, 0, bytes, 512),
                   "the disk moved fewer bytes than it was asked to");
    return 0;
}

static int breaking_main(void)
{
    struct npl_client client;
    uint8_t bytes[512];
    int64_t result = 0;
    int64_t fid;

    open_data(&client, &fid, RUMPK_NINEP_OREAD);
    for (uint32_t round = 0; round < 20 && result >= 0; round++)
        result = npl_client_read(&client, fid, 0, bytes, 512);
    expect_refused(&client, result, "the disk failed and was shut down");
    expect_refused(&client, npl_client_read(&client, fid, 0, bytes, 512),
                   "the disk failed and was shut down");
    return 0;
}

static void refusals(void **state)
{
    int (*const wrong[])(void) = {wrong_writes_main};
    int (*const read_only[])(void) = {read_only_main};
    int (*const empty[])(void) = {empty_main};
    int (*const bad[])(void) = {bad_sector_main, bad_sector_main};
    int (*const torn[])(void) = {torn_main};
    int (*const breaking[])(void) = {breaking_main, breaking_main};

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        const struct setting *setting = &settings[seed % 4];
        struct host_disk disk = disk_of(SIZE);

        fill_image();
        assert_int_equal(run(&disk, setting, seed, wrong, 1), 0);
        disk.is_read_only = true;
        assert_int_equal(run(&disk, setting, seed, read_only, 1), 0);
        disk = disk_of(0);
        assert_int_equal(run(&disk, setting, seed, empty, 1), 0);
        disk = disk_of(SIZE);
        disk.bad_sector = 100;
        assert_int_equal(run(&disk, setting, seed, bad, 2), 0);
        disk = disk_of(SIZE);
        disk.is_torn = true;
        assert_int_equal(run(&disk, setting, seed, torn, 1), 0);
        disk = disk_of(SIZE);
        disk.serve_max = 6;
        assert_int_equal(run(&disk, setting, seed, breaking, 2), 0);
    }
}

// What the driver cannot work with: it ends, and a client is told so at once.
static int no_server_main(void)
{
    struct npl_client client;

    CHECK(npl_client_connect(&client, "block") == RUMPK_E_PEER);
    return 0;
}

static void unusable_devices(void **state)
{
    int (*const clients[])(void) = {no_server_main};
    struct setting small = {.slots = 8, .buffers = 4, .buffer_size = 4096, .dma_size = 4096};
    struct host_disk disk = disk_of(SIZE);

    (void)state;
    assert_int_equal(run(&disk, &small, 1, clients, 1), 1);
    disk.segment_max = 100;
    assert_int_equal(run(&disk, &settings[0], 1, clients, 1), 1);
    disk = disk_of(UINT64_MAX / 2 * 2);
    disk.segment_max = 0;
    assert_int_equal(run(&disk, &settings[0], 1, clients, 1), 1);
    disk = disk_of(SIZE);
    disk.serve_max = 0; // breaks with the first request
    assert_int_equal(run(&disk, &settings[0], 1, clients, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(writes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(unusable_devices),
    };

    return cmocka_run_group_tests_name("virtio-blk", tests, NULL, NULL);
}
