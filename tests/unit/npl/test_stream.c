// SPDX-License-Identifier: Apache-2.0
//
// Goal: text of several clients comes out whole line by whole line, nothing is lost, and wrong
// lengths or indices of one client harm nobody else. Method: printing drivers and a collecting
// server in a simulated machine, over many seeds.
#include "npl_test.h"
#include <npl/host.h>
#include <npl/npl.h>

#define OUTPUT_MAX 400000u
#define LINES      60u

static char output[OUTPUT_MAX];
static size_t output_size;

static int collect_main(void)
{
    struct npl_stream stream;
    int64_t count = npl_stream_open(&stream, "console");

    CHECK(count >= 0);
    for (;;) {
        size_t size;
        const char *piece = npl_stream_next(&stream, &size);

        if (piece) {
            CHECK(size > 0 && size <= NPL_STREAM_LINE_MAX && output_size + size < OUTPUT_MAX);
            memcpy(output + output_size, piece, size);
            output_size += size;
        } else if (npl_stream_wait(&stream) == RUMPK_E_PEER) {
            return 0;
        }
    }
}

// Lines of growing length, in several calls each: "<letter> <number> xxxx\n".
static int print_lines(char letter)
{
    char padding[120];

    memset(padding, 'x', sizeof(padding));
    for (uint32_t line = 0; line < LINES; line++) {
        padding[line * 2] = '\0';
        CHECK(npl_printf("%c ", letter) == 2);
        npl_yield();
        CHECK(npl_printf("%u ", line) > 0);
        CHECK(npl_print(padding) == (int64_t)(line * 2));
        padding[line * 2] = 'x';
        CHECK(npl_print("\n") == 1);
    }
    return 0;
}

static int print_a(void)
{
    return print_lines('a');
}

static int print_b(void)
{
    return print_lines('b');
}

static int print_c(void)
{
    return print_lines('c');
}

static void run(uint64_t seed, uint32_t slots, int (*const *clients)(void), uint32_t count)
{
    struct host_machine *machine = host_machine_new(seed);
    uint32_t server = host_fiber_add(machine, "test/console", collect_main);

    output_size = 0;
    for (uint32_t index = 0; index < count; index++)
        host_wire_stream(machine, "console", host_fiber_add(machine, "test/client", clients[index]),
                         server, slots);
    assert_true(host_run(machine, 4000000));
    for (uint32_t fiber = 0; fiber <= count; fiber++)
        assert_true(host_fiber_ended(machine, fiber, NULL));
    output[output_size] = '\0';
    host_machine_free(machine);
}

// Every line of every client is there, whole and in its client's order.
static void check_lines(const char *letters)
{
    uint32_t next[128] = {0};
    uint32_t lines = 0;

    for (char *line = output; *line; lines++) {
        char *end = strchr(line, '\n');
        char letter = line[0];

        assert_non_null(end);
        *end = '\0';
        assert_non_null(strchr(letters, letter));
        assert_int_equal(line[1], ' ');
        char *padding;
        unsigned long number = strtoul(line + 2, &padding, 10);
        assert_int_equal(*padding++, ' ');
        assert_int_equal(number, next[(unsigned char)letter]++);
        assert_int_equal(strlen(padding), number * 2);
        assert_int_equal(strspn(padding, "x"), number * 2);
        line = end + 1;
    }
    assert_int_equal(lines, LINES * strlen(letters));
}

static void lines_stay_whole(void **state)
{
    int (*const clients[])(void) = {print_a, print_b, print_c};

    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        run(seed, seed % 2 ? 2 : 16, clients, 3);
        check_lines("abc");
    }
}

static int print_long(void)
{
    char text[1001];

    memset(text, 'l', 1000);
    text[1000] = '\0';
    CHECK(npl_print(text) == 1000);
    return 0;
}

static int print_unfinished(void)
{
    CHECK(npl_print("end without line feed") > 0);
    return 0;
}

static int print_prompt(void)
{
    CHECK(npl_print("prompt> ") > 0);
    npl_sleep_until(npl_deadline_ms(NPL_STREAM_REST_MS * 3));
    CHECK(output_size == 8 && memcmp(output, "prompt> ", 8) == 0);
    return 0;
}

static void pieces_that_are_no_lines(void **state)
{
    int (*const longs[])(void) = {print_long};
    int (*const unfinished[])(void) = {print_unfinished};
    int (*const prompt[])(void) = {print_prompt};

    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run(seed, 4, longs, 1);
        assert_int_equal(output_size, 1000);
        assert_int_equal(strspn(output, "l"), 1000);
        run(seed, 4, unfinished, 1);
        assert_string_equal(output, "end without line feed");
        run(seed, 4, prompt, 1);
    }
}

static struct npl_ring wrong_ring;

static void wrong_open(void)
{
    const struct rumpk_channel *channel = npl_channel_find("console", RUMPK_ROLE_CLIENT, 0);

    CHECK(npl_ring_open(&wrong_ring, channel->request_slot, true) == 0);
}

// A length above 62 is read as 62, zero as nothing; flags are ignored.
static int wrong_length_main(void)
{
    struct rumpk_stream_slot slot = {.length = 255, .flags = 9};

    wrong_open();
    memset(slot.bytes, 'w', sizeof(slot.bytes));
    CHECK(npl_ring_push(&wrong_ring, &slot) == 0);
    slot.length = 0;
    CHECK(npl_ring_push(&wrong_ring, &slot) == 0);
    slot.length = 1;
    slot.bytes[0] = '\n';
    CHECK(npl_ring_push(&wrong_ring, &slot) == 0);
    return 0;
}

static int wrong_head_main(void)
{
    wrong_open();
    __atomic_store_n(wrong_ring.own_index, 12345u, __ATOMIC_RELEASE);
    npl_send_wake(wrong_ring.slot);
    return 0;
}

static void wrong_clients_harm_nobody(void **state)
{
    int (*const lengths[])(void) = {wrong_length_main};
    int (*const heads[])(void) = {wrong_head_main, print_b};

    (void)state;
    run(1, 8, lengths, 1);
    assert_int_equal(output_size, 63);
    assert_int_equal(strspn(output, "w"), 62);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        run(seed, 8, heads, 2);
        check_lines("b");
    }
}

// ---- printing without a console, and after it has gone
// ---------------------------------------------------

static int no_console_main(void)
{
    CHECK(npl_print("nobody hears this\n") == RUMPK_E_SLOT);
    CHECK(npl_printf("%d\n", 5) == RUMPK_E_SLOT);
    return 0;
}

static int short_server_main(void)
{
    struct npl_stream stream;

    CHECK(npl_stream_open(&stream, "console") == 1);
    CHECK(npl_stream_wait(&stream) == 0);
    return 0;
}

static int patient_main(void)
{
    int64_t result = 0;

    for (uint32_t line = 0; line < 1000 && result >= 0; line++)
        result = npl_print("line\n");
    CHECK(result == RUMPK_E_PEER);
    return 0;
}

static void console_that_is_not_there(void **state)
{
    struct host_machine *machine = host_machine_new(1);

    (void)state;
    host_fiber_add(machine, "test/client", no_console_main);
    assert_true(host_run(machine, 1000));
    assert_true(host_fiber_ended(machine, 0, NULL));
    host_machine_free(machine);

    machine = host_machine_new(1);
    uint32_t server = host_fiber_add(machine, "test/console", short_server_main);
    uint32_t client = host_fiber_add(machine, "test/client", patient_main);
    host_wire_stream(machine, "console", client, server, 4);
    assert_true(host_run(machine, 100000));
    assert_true(host_fiber_ended(machine, client, NULL));
    host_machine_free(machine);
}

// ---- the start block
// ----------------------------------------------------------------------------------------

static int lookup_main(void)
{
    size_t size;
    struct rumpk_meta_self self;
    struct npl_memory memory;

    CHECK(npl_cap_find("scratch", RUMPK_CAP_MEMORY)->size == 8192);
    CHECK(!npl_cap_find("scratch", RUMPK_CAP_DMA));
    CHECK(!npl_cap_find("scratch2", RUMPK_CAP_MEMORY));
    CHECK(npl_cap_find_nth("scratch", RUMPK_CAP_MEMORY, 1)->size == 4096);
    CHECK(!npl_cap_find_nth("scratch", RUMPK_CAP_MEMORY, 2));
    CHECK(npl_cap_of_slot(1)->size == 4096 && !npl_cap_of_slot(2));
    CHECK(!npl_channel_find("console", RUMPK_ROLE_CLIENT, 0));
    CHECK(memcmp(npl_config(&size), "speed 9600", 10) == 0 && size == 10);
    CHECK(npl_meta_version() == RUMPK_ABI_VERSION);
    CHECK(npl_meta_features() & RUMPK_FEATURE_CALL(RUMPK_CALL_RECV));
    CHECK(npl_meta_start() == (int64_t)(uintptr_t)npl_start());
    CHECK(npl_meta_self(&self) == 0 && self.fiber == 0 && self.calls == 4);
    CHECK(npl_memory_open(&memory, "scratch") == 0 && memory.size == 8192);
    memory.base[8191] = 1;
    CHECK(npl_dma_open(&memory, "scratch") == RUMPK_E_SLOT);
    CHECK(npl_call(RUMPK_CALL_CHECKPOINT, 0, 0, 0, 0) == RUMPK_E_UNSUPPORTED);
    return 7;
}

static void lookups(void **state)
{
    struct host_machine *machine = host_machine_new(1);
    int64_t code;

    (void)state;
    host_fiber_add(machine, "test/lookup", lookup_main);
    host_cap_memory(machine, 0, "scratch", 8192, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE);
    host_cap_memory(machine, 0, "scratch", 4096, RUMPK_RIGHT_READ);
    host_fiber_config(machine, 0, "speed 9600");
    assert_true(host_run(machine, 1000));
    assert_true(host_fiber_ended(machine, 0, &code));
    assert_int_equal(code, 7);
    host_machine_free(machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_stay_whole),
        cmocka_unit_test(pieces_that_are_no_lines),
        cmocka_unit_test(wrong_clients_harm_nobody),
        cmocka_unit_test(console_that_is_not_there),
        cmocka_unit_test(lookups),
    };

    return cmocka_run_group_tests_name("npl stream", tests, NULL, NULL);
}
