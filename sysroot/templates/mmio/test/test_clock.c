// SPDX-License-Identifier: Apache-2.0
//
// Goal: both chips are read right, and a machine without one is told. Method: models of the chips
// in the simulated machine of npl/host.h.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW UINT64_C(1700000000)

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

static uint32_t pl031_read(void *context, uint64_t offset, uint32_t width)
{
    (void)context;
    return offset == 0 && width == 4 ? (uint32_t)NOW : 0xDEAD;
}

// The high half is that of the moment when the low half was read.
static uint32_t goldfish_read(void *context, uint64_t offset, uint32_t width)
{
    bool *is_latched = context;
    uint64_t nanoseconds = NOW * UINT64_C(1000000000);

    if (width == 4 && offset == 0) {
        *is_latched = true;
        return (uint32_t)nanoseconds;
    }
    return width == 4 && offset == 4 && *is_latched ? (uint32_t)(nanoseconds >> 32) : 0xDEAD;
}

static void nothing_is_written(void *context, uint64_t offset, uint32_t width, uint32_t value)
{
    (void)context;
    (void)offset;
    (void)width;
    (void)value;
    fail_msg("the driver only reads");
}

static void run(const char *name, uint32_t (*read)(void *, uint64_t, uint32_t))
{
    struct host_machine *machine = host_machine_new(1);
    bool is_latched = false;
    struct host_registers registers = {
        .read = read, .write = nothing_is_written, .context = &is_latched};
    uint32_t driver = host_fiber_add(machine, "{name}", npl_main);
    int64_t code = -1;

    output_size = 0;
    memset(output, 0, sizeof(output));
    if (read)
        host_cap_registers(machine, driver, name, &registers, 4096, 0, false);
    host_wire_stream(machine, "console", driver,
                     host_fiber_add(machine, "test/console", console_main), 16);
    assert_true(host_run(machine, 100000));
    assert_true(host_fiber_ended(machine, driver, &code));
    assert_int_equal(code, 0);
    host_machine_free(machine);
}

static void both_chips_are_read(void **state)
{
    (void)state;
    run("pl031", pl031_read);
    assert_string_equal(output, "{short}: 1700000000 seconds since 1970\n");
    run("goldfish", goldfish_read);
    assert_string_equal(output, "{short}: 1700000000 seconds since 1970\n");
}

static void a_machine_without_a_chip_is_told(void **state)
{
    (void)state;
    run("", NULL);
    assert_string_equal(output, "{short}: this machine has no clock that I know\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_chips_are_read),
        cmocka_unit_test(a_machine_without_a_chip_is_told),
    };

    return cmocka_run_group_tests_name("{name}", tests, NULL, NULL);
}
