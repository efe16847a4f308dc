// SPDX-License-Identifier: Apache-2.0
//
// Goal: the driver writes every byte to the chip, never more than its FIFO takes, at ports and in
// memory, sleeps until its interrupt while the chip is busy, and gives up on a chip that is stuck.
// Method: a model of the chip in the simulated
// machine of npl/host.h.
#include <npl/host.h>
#include <npl/npl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define OUTPUT_MAX 20000u
#define LINES      200

struct chip {
    uint32_t shift;
    uint32_t room;     // bytes that the FIFO takes
    uint32_t asked;    // times that the interrupt fired
    uint32_t busy;     // moments until the transmitter is empty again
    uint32_t overruns; // bytes written without room
    uint8_t line;
    uint8_t fifo;
    uint8_t interrupts;
    bool is_stuck;
    size_t size;
    char output[OUTPUT_MAX + 1];
};

static uint32_t chip_read(void *context, uint64_t offset, uint32_t width)
{
    struct chip *chip = context;

    if (width != 1 || offset >> chip->shift != 5 || chip->is_stuck || chip->busy > 0)
        return 0;
    chip->room = 16;
    return 0x60;
}

// Time passes for the chip only while the driver sleeps: one that polls gets nowhere.
static bool chip_asks(void *context)
{
    struct chip *chip = context;

    if (chip->is_stuck || chip->interrupts != 0x02)
        return false;
    if (chip->busy > 0)
        chip->busy--;
    chip->asked += chip->busy == 0;
    return chip->busy == 0;
}

static void chip_write(void *context, uint64_t offset, uint32_t width, uint32_t value)
{
    struct chip *chip = context;

    if (width != 1)
        return;
    switch (offset >> chip->shift) {
    case 0:
        if (chip->room == 0)
            chip->overruns++;
        else
            chip->room--;
        chip->busy = 150;
        if (chip->size < OUTPUT_MAX)
            chip->output[chip->size++] = (char)value;
        break;
    case 1:
        chip->interrupts = (uint8_t)value;
        break;
    case 2:
        chip->fifo = (uint8_t)value;
        break;
    case 3:
        chip->line = (uint8_t)value;
        break;
    default:
        break;
    }
}

static int hello_main(void)
{
    for (int line = 0; line < LINES; line++) {
        if (npl_printf("hello line %d\n", line) < 0)
            return 1;
    }
    return 0;
}

// Runs the driver and one client. The driver's exit code.
static int64_t run(struct chip *chip, bool is_ports, uint64_t seed, int64_t *client_code)
{
    struct host_machine *machine = host_machine_new(seed);
    struct host_registers registers = {.read = chip_read, .write = chip_write, .context = chip};
    uint32_t driver = host_fiber_add(machine, "rumpk/uart-16550", npl_main);
    uint32_t client = host_fiber_add(machine, "test/hello", hello_main);
    int64_t code = -1;

    chip->interrupts = 0xFF;
    host_cap_registers(machine, driver, "uart", &registers, UINT64_C(8) << chip->shift, chip->shift,
                       is_ports);
    host_cap_interrupt(machine, driver, "uart", chip_asks, chip);
    host_wire_stream(machine, "console", client, driver, 16);
    assert_true(host_run(machine, 2000000));
    assert_true(host_fiber_ended(machine, driver, &code));
    assert_true(host_fiber_ended(machine, client, client_code));
    host_machine_free(machine);
    return code;
}

static void writes_everything(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct chip chip = {.shift = seed % 3, .room = 0, .busy = 5};
        char expected[32];
        char *at = chip.output;
        int64_t client_code = -1;

        assert_int_equal(run(&chip, seed % 2, seed, &client_code), 0);
        assert_int_equal(client_code, 0);
        assert_int_equal(chip.overruns, 0);
        assert_int_equal(chip.line, 0x03);
        assert_int_equal(chip.fifo & 1, 1);
        assert_int_equal(chip.interrupts, 0);
        assert_true(chip.asked >= LINES / 16);
        for (int line = 0; line < LINES; line++) {
            int size = snprintf(expected, sizeof(expected), "hello line %d\n", line);

            assert_memory_equal(at, expected, (size_t)size);
            at += size;
        }
        assert_int_equal(at - chip.output, chip.size);
    }
}

static void gives_up_on_a_stuck_chip(void **state)
{
    struct chip chip = {.is_stuck = true};
    int64_t client_code = -1;

    (void)state;
    assert_int_equal(run(&chip, false, 1, &client_code), 3);
    assert_int_equal(client_code, 1); // the client is told
}

static void says_when_nothing_was_granted(void **state)
{
    struct host_machine *machine = host_machine_new(1);
    int64_t code = -1;

    (void)state;
    host_fiber_add(machine, "rumpk/uart-16550", npl_main);
    assert_true(host_run(machine, 1000));
    assert_true(host_fiber_ended(machine, 0, &code));
    assert_int_equal(code, 1);
    host_machine_free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_everything),
        cmocka_unit_test(gives_up_on_a_stuck_chip),
        cmocka_unit_test(says_when_nothing_was_granted),
    };

    return cmocka_run_group_tests_name("uart-16550", tests, NULL, NULL);
}
