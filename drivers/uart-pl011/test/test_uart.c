// SPDX-License-Identifier: Apache-2.0
//
// Goal: the driver writes every byte to the chip, never into a full FIFO, sets it up only while it
// is idle, and gives up on a chip that is stuck. Method: a model of the chip in the simulated
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
    uint32_t filled; // bytes in the FIFO
    uint32_t asked;  // times that the interrupt fired
    uint32_t overruns;
    uint32_t wrong; // line control changed while enabled or busy
    uint32_t line;
    uint32_t control;
    uint32_t mask;
    bool is_stuck;
    size_t size;
    char output[OUTPUT_MAX + 1];
};

static uint32_t chip_read(void *context, uint64_t offset, uint32_t width)
{
    struct chip *chip = context;

    if (width != 4 || offset != 0x18)
        return 0;
    if (chip->is_stuck)
        return 0x28;
    // Until it is set up the port is still sending what the firmware left.
    if (!(chip->line & 0x10) && chip->filled > 0)
        chip->filled--;
    return (chip->filled == 16 ? 0x20u : 0) | (chip->filled > 0 ? 0x08u : 0);
}

// Afterwards time passes for the chip only while the driver sleeps: one that polls gets nowhere.
static bool chip_asks(void *context)
{
    struct chip *chip = context;

    if (chip->is_stuck || chip->mask != 0x20)
        return false;
    if (chip->filled > 0)
        chip->filled--;
    chip->asked += chip->filled == 8;
    return chip->filled <= 8;
}

static void chip_write(void *context, uint64_t offset, uint32_t width, uint32_t value)
{
    struct chip *chip = context;

    if (width != 4)
        return;
    switch (offset) {
    case 0x00:
        if (chip->filled == 16 || !(chip->control & 1))
            chip->overruns++;
        else
            chip->filled++;
        if (chip->size < OUTPUT_MAX)
            chip->output[chip->size++] = (char)value;
        break;
    case 0x2C:
        chip->wrong += (chip->control & 1) || chip->filled > 0;
        chip->line = value;
        break;
    case 0x30:
        chip->control = value;
        break;
    case 0x38:
        chip->mask = value;
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

static int64_t run(struct chip *chip, uint64_t seed, int64_t *client_code)
{
    struct host_machine *machine = host_machine_new(seed);
    struct host_registers registers = {.read = chip_read, .write = chip_write, .context = chip};
    uint32_t driver = host_fiber_add(machine, "rumpk/uart-pl011", npl_main);
    uint32_t client = host_fiber_add(machine, "test/hello", hello_main);
    int64_t code = -1;

    host_cap_registers(machine, driver, "uart", &registers, 0x1000, 0, false);
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
        // The firmware left it enabled and with bytes still to send.
        struct chip chip = {.filled = 9, .control = 0x301, .mask = 0x7F};
        char expected[32];
        char *at = chip.output;
        int64_t client_code = -1;

        assert_int_equal(run(&chip, seed, &client_code), 0);
        assert_int_equal(client_code, 0);
        assert_int_equal(chip.overruns, 0);
        assert_int_equal(chip.wrong, 0);
        assert_int_equal(chip.line, 0x70);
        assert_int_equal(chip.control, 0x101);
        assert_int_equal(chip.mask, 0);
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
    assert_int_equal(run(&chip, 1, &client_code), 3);
    assert_int_equal(client_code, 1); // the client is told
}

static void says_when_nothing_was_granted(void **state)
{
    struct host_machine *machine = host_machine_new(1);
    int64_t code = -1;

    (void)state;
    host_fiber_add(machine, "rumpk/uart-pl011", npl_main);
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

    return cmocka_run_group_tests_name("uart-pl011", tests, NULL, NULL);
}
