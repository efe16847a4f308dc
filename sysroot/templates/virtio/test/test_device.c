// SPDX-License-Identifier: Apache-2.0
//
// Goal: what the device gives is printed, however little it is; a device that breaks its protocol,
// or was not granted, is told. Method: a model of the device and of the console in the simulated
// machine of npl/host.h.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char output[200];
static size_t output_size;

static int console_main(void)
{
    struct npl_stream stream;

    if (npl_stream_open(&stream, "console") != 1)
        return 1;
    for (;;) {
        size_t size = 0;
        const char *piece = npl_stream_next(&stream, &size);

        if (piece && output_size + size < sizeof(output)) {
            memcpy(output + output_size, piece, size);
            output_size += size;
        } else if (!piece && npl_stream_wait(&stream) == RUMPK_E_PEER) {
            return 0;
        }
    }
}

static uint32_t serve(void *context, uint32_t queue, const struct host_part *parts, uint32_t count)
{
    uint32_t give = *(uint32_t *)context;

    if (give == HOST_DEVICE_BREAKS || queue != 0 || count != 1 || !parts[0].device_writes)
        return HOST_DEVICE_BREAKS;
    for (uint32_t at = 0; at < give && at < parts[0].length; at++)
        parts[0].bytes[at] = (uint8_t)(at + 1);
    return give;
}

// Runs the driver with a device that gives so many bytes; its exit code.
static int64_t run(uint32_t give, bool is_granted)
{
    struct host_machine *machine = host_machine_new(1);
    uint32_t driver = host_fiber_add(machine, "{name}", npl_main);
    struct host_device device = {
        .device_id = 4,
        .features = UINT64_C(1) << 32,
        .queue_count = 1,
        .queue_entries = 8,
        .serve = serve,
        .context = &give,
    };
    int64_t code = -1;

    output_size = 0;
    memset(output, 0, sizeof(output));
    if (is_granted) {
        host_cap_device(machine, driver, "device", &device);
        host_cap_dma(machine, driver, "buffer", 4096);
    }
    host_wire_stream(machine, "console", driver,
                     host_fiber_add(machine, "test/console", console_main), 16);
    assert_true(host_run(machine, 100000));
    assert_true(host_fiber_ended(machine, driver, &code));
    host_machine_free(machine);
    return code;
}

static void bytes_are_printed(void **state)
{
    (void)state;
    assert_int_equal(run(8, true), 0);
    assert_string_equal(output, "{short}: 1 2 3 4 5 6 7 8\n");
    assert_int_equal(run(3, true), 0);
    assert_string_equal(output, "{short}: 1 2 3\n");
}

static void failures_are_told(void **state)
{
    (void)state;
    assert_int_equal(run(HOST_DEVICE_BREAKS, true), 1);
    assert_non_null(strstr(output, "{short}: cannot use the device: "));
    assert_int_equal(run(8, false), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_printed),
        cmocka_unit_test(failures_are_told),
    };

    return cmocka_run_group_tests_name("{name}", tests, NULL, NULL);
}
