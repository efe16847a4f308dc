// SPDX-License-Identifier: Apache-2.0
//
// Goal: the printed digest is that of the disk for every size and message size, and every failure
// of the block service ends in one line that says so and exit code 1. Method: a block service in
// memory and a collecting console in the simulated machine of npl/host.h; answers come late and out
// of order.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_MAX_DISK 100000u
#define KEPT_MAX      64u
#define OUTPUT_MAX    4096u

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                      \
        }                                                                                 \
    } while (0)

enum trouble { NONE, SHORT_READ, READ_ERROR, NO_FILE, NO_CONSOLE, GONE };

static uint8_t image[SIZE_MAX_DISK];
static uint64_t image_size;
static enum trouble trouble;
static char output[OUTPUT_MAX];
static size_t output_size;

static struct npl_request *kept[KEPT_MAX];
static uint32_t kept_count;

static uint64_t data_size(void *context, const struct npl_file *file)
{
    (void)context;
    (void)file;
    return image_size;
}

static int64_t data_read(void *context, struct npl_request *request)
{
    (void)context;
    CHECK(kept_count < KEPT_MAX);
    kept[kept_count++] = request;
    return NPL_LATER;
}

// The last one asked is answered first.
static void answer_one(void)
{
    struct npl_request *request = kept[--kept_count];

    if (trouble == READ_ERROR && request->offset > 0) {
        request->error = "a sector is bad";
        npl_service_reply(request, RUMPK_E_DEVICE);
    } else {
        int64_t size = npl_service_read_text(request, (const char *)image, image_size);

        npl_service_reply(request, trouble == SHORT_READ && size > 100 ? size - 1 : size);
    }
}

static int block_main(void)
{
    const struct npl_file file = {
        .name = trouble == NO_FILE ? "other" : "data",
        .mode = NPL_FILE_READ,
        .size = data_size,
        .read = data_read,
    };
    struct npl_service service;

    kept_count = 0;
    CHECK(npl_service_open(&service, "block", &file, 1, NULL) == 1);
    for (;;) {
        int64_t handled = npl_service_poll(&service);

        if (handled > 0)
            continue;
        if (kept_count > 0 && trouble == GONE)
            return 0;
        if (kept_count > 0)
            answer_one();
        else if (handled == RUMPK_E_PEER)
            return 0;
        else
            (void)npl_service_wait(&service, NULL, 0, RUMPK_FOREVER);
    }
}

static int console_main(void)
{
    struct npl_stream stream;
    const char *piece;
    size_t size;

    CHECK(npl_stream_open(&stream, "console") == 1);
    for (;;) {
        piece = npl_stream_next(&stream, &size);
        if (piece) {
            CHECK(output_size + size < OUTPUT_MAX);
            memcpy(output + output_size, piece, size);
            output_size += size;
        } else if (npl_stream_wait(&stream) == RUMPK_E_PEER) {
            return 0;
        }
    }
}

static int64_t run(uint64_t size, uint32_t buffers, uint32_t buffer_size, enum trouble now,
                   uint64_t seed)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t sum = host_fiber_add(machine, "rumpk/disk-sum", npl_main);
    struct host_service_wire wire = {
        .service = "block",
        .client = sum,
        .server = host_fiber_add(machine, "test/block", block_main),
        .slots = 64,
        .buffer_count = buffers,
        .buffer_size = buffer_size,
    };
    int64_t code = -1;

    image_size = size;
    trouble = now;
    output_size = 0;
    host_wire_service(machine, &wire);
    if (now != NO_CONSOLE)
        host_wire_stream(machine, "console", sum,
                         host_fiber_add(machine, "test/console", console_main), 8);
    assert_true(host_run(machine, 2000000));
    assert_true(host_fiber_ended(machine, sum, &code));
    output[output_size] = '\0';
    host_machine_free(machine);
    return code;
}

static void expected_line(char line[200], uint64_t size)
{
    unsigned char digest[32];
    char hex[65];

    crypto_generichash(digest, sizeof(digest), image, size, NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
    snprintf(line, 200, "disk-sum: %llu bytes blake2b-256 %s\n", (unsigned long long)size, hex);
}

static void digests(void **state)
{
    static const uint64_t sizes[] = {0, 1, 511, 512, 513, 4096, 65536, 99999, 100000};
    static const uint32_t buffer_sizes[] = {256, 4096, 65536};
    char line[200];

    (void)state;
    for (uint32_t at = 0; at < SIZE_MAX_DISK; at++)
        image[at] = (uint8_t)(at * 31 + at / 253);
    for (size_t which = 0; which < sizeof(sizes) / sizeof(sizes[0]); which++) {
        expected_line(line, sizes[which]);
        for (uint32_t form = 0; form < 9; form++) {
            uint32_t buffers = form % 3 == 0 ? 1 : form % 3 == 1 ? 5 : 64;

            assert_int_equal(run(sizes[which], buffers, buffer_sizes[form / 3], NONE, form + 1), 0);
            assert_string_equal(output, line);
        }
    }
}

static void troubles(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        assert_int_equal(run(50000, 8, 4096, READ_ERROR, seed), 1);
        assert_string_equal(output, "disk-sum: cannot read the disk: a sector is bad\n");
        assert_int_equal(run(50000, 8, 4096, SHORT_READ, seed), 1);
        assert_non_null(strstr(output, "disk-sum: cannot read the disk: "));
        assert_int_equal(run(50000, 8, 4096, NO_FILE, seed), 1);
        assert_string_equal(output, "disk-sum: cannot open the disk: file does not exist\n");
        assert_int_equal(run(50000, 8, 4096, GONE, seed), 1);
        assert_string_equal(output,
                            "disk-sum: cannot read the disk: the other end is gone and will "
                            "not come back\n");
        assert_int_equal(run(50000, 8, 4096, NO_CONSOLE, seed), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(troubles),
    };

    return cmocka_run_group_tests_name("disk-sum", tests, NULL, NULL);
}
