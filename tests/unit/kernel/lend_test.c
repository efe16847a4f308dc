// SPDX-License-Identifier: Apache-2.0
//
// lend_test: who runs in whose spectrum. Goal: a loan is what lend.h says, ends with the lender's
// nap and passes to the next sleeper, and no fall asleep looks at more than LEND_OFFERS fibers.
// Method: the kernel's own lend.c on a table of fibers whose rings are made here.
#include <kernel/lend.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fiber fiber_table[FIBER_COUNT];
struct cap cap_nodes[CAP_NODES];
struct ring rings[RINGS_MAX];
static uint32_t ring_count, requeued;

void sched_requeue(struct fiber *fiber)
{
    (void)fiber;
    requeued++;
}

static int setup(void **state)
{
    (void)state;
    memset(fiber_table, 0, sizeof fiber_table);
    memset(cap_nodes, 0, sizeof cap_nodes);
    ring_count = 0;
    requeued = 0;
    for (uint32_t number = 0; number < FIBER_COUNT; number++) {
        fiber_table[number].number = number;
        fiber_table[number].state = FIBER_READY;
        fiber_table[number].spectrum = RUMPK_SPECTRUM_VOID;
        fiber_table[number].caps = &cap_nodes[number * RUMPK_SLOT_COUNT];
    }
    return 0;
}

// `client` gets the reply end of a service of `server`, one more source of its wait.
static void wire(uint32_t client, uint32_t server)
{
    struct fiber *fiber = &fiber_table[client];
    uint8_t slot = fiber->wait.count;

    rings[ring_count] =
        (struct ring){.lender = RING_CONSUMER,
                      .ends = {[RING_PRODUCER] = &fiber_table[server], [RING_CONSUMER] = fiber}};
    fiber->caps[slot] =
        (struct cap){.type = RUMPK_CAP_RING, .part = RING_CONSUMER, .object = ring_count++};
    fiber->wait.slots[slot] = slot;
    fiber->wait.count++;
}

static void fall_asleep(uint32_t number)
{
    fiber_table[number].state = FIBER_WAITING;
    lend_begin(&fiber_table[number]);
}

static uint32_t rank(uint32_t number)
{
    return lend_rank(&fiber_table[number]);
}

// The strictest sleeper lends; when it wakes the next one does, then nobody.
static void strictest(void **state)
{
    (void)state;
    fiber_table[1].spectrum = RUMPK_SPECTRUM_PHOTON;
    fiber_table[2].spectrum = RUMPK_SPECTRUM_GRAVITY;
    for (uint32_t client = 1; client <= 2; client++) {
        wire(client, 0);
        fall_asleep(client);
    }
    assert_int_equal(rank(0), RUMPK_SPECTRUM_PHOTON);
    assert_ptr_equal(lend_payer(&fiber_table[0]), &fiber_table[1]);
    fiber_table[1].state = FIBER_READY;
    assert_int_equal(rank(0), RUMPK_SPECTRUM_GRAVITY);
    assert_ptr_equal(lend_payer(&fiber_table[0]), &fiber_table[2]);
    fiber_table[2].state = FIBER_READY;
    assert_int_equal(rank(0), RUMPK_SPECTRUM_VOID);
    assert_false(lend_borrows(&fiber_table[0]));
    assert_ptr_equal(lend_payer(&fiber_table[0]), &fiber_table[0]);
    // Asleep again, but for nobody: that is another nap.
    fiber_table[1].wait.count = 0;
    fall_asleep(1);
    assert_int_equal(rank(0), RUMPK_SPECTRUM_VOID);
}

// Handed on to who is slept for, before and after, at most LEND_DEPTH times.
static void chain(void **state)
{
    (void)state;
    fiber_table[0].spectrum = RUMPK_SPECTRUM_PHOTON;
    for (uint32_t client = 0; client < LEND_DEPTH + 1; client++)
        wire(client, client + 1);
    for (uint32_t client = LEND_DEPTH; client > 0; client--)
        fall_asleep(client);
    assert_int_equal(rank(1), RUMPK_SPECTRUM_VOID);
    fall_asleep(0);
    for (uint32_t server = 1; server <= LEND_DEPTH; server++)
        assert_int_equal(rank(server), RUMPK_SPECTRUM_PHOTON);
    assert_int_equal(rank(LEND_DEPTH + 1), RUMPK_SPECTRUM_VOID);
    assert_ptr_equal(lend_payer(&fiber_table[LEND_DEPTH]), &fiber_table[0]);
    fiber_table[0].state = FIBER_READY;
    for (uint32_t server = 1; server <= LEND_DEPTH; server++)
        assert_int_equal(rank(server), RUMPK_SPECTRUM_VOID);
}

// A throttled sleeper lends nothing, and again when its window is renewed.
static void throttled(void **state)
{
    (void)state;
    fiber_table[1].spectrum = RUMPK_SPECTRUM_PHOTON;
    wire(1, 0);
    fall_asleep(1);
    fiber_table[1].is_throttled = true;
    lend_again(&fiber_table[1]);
    assert_int_equal(rank(0), RUMPK_SPECTRUM_VOID);
    fiber_table[1].is_throttled = false;
    lend_again(&fiber_table[1]);
    assert_int_equal(rank(0), RUMPK_SPECTRUM_PHOTON);
    lend_again(&fiber_table[0]); // does not sleep: lends nothing
    assert_int_equal(fiber_table[0].naps, 0);
}

// Who sleep for each other, or for themselves, or for one that ends.
static void circles(void **state)
{
    (void)state;
    fiber_table[1].spectrum = RUMPK_SPECTRUM_PHOTON;
    wire(0, 1);
    wire(1, 0);
    wire(1, 1);
    wire(1, 2);
    fiber_table[2].is_ending = true;
    fall_asleep(0);
    fall_asleep(1);
    assert_int_equal(rank(0), RUMPK_SPECTRUM_PHOTON);
    assert_int_equal(rank(1), RUMPK_SPECTRUM_PHOTON);
    assert_int_equal(rank(2), RUMPK_SPECTRUM_VOID);
    fiber_table[1].state = FIBER_READY;
    assert_int_equal(rank(0), RUMPK_SPECTRUM_VOID);
}

// One client of everybody: a bounded number of offers, the nearest first.
static void bounded(void **state)
{
    uint32_t lent = 0;

    (void)state;
    fiber_table[0].spectrum = RUMPK_SPECTRUM_PHOTON;
    for (uint32_t server = 1; server < FIBER_COUNT; server++)
        wire(0, server);
    for (uint32_t server = 1; server < FIBER_COUNT; server++) {
        wire(server, server % 9 + 1);
        wire(server, server % 7 + 20);
        fall_asleep(server);
    }
    requeued = 0;
    fall_asleep(0);
    assert_in_range(requeued, 1, LEND_OFFERS);
    for (uint32_t server = 1; server < FIBER_COUNT; server++)
        lent += rank(server) == RUMPK_SPECTRUM_PHOTON;
    assert_true(lent >= LEND_OFFERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(strictest, setup), cmocka_unit_test_setup(chain, setup),
        cmocka_unit_test_setup(throttled, setup), cmocka_unit_test_setup(circles, setup),
        cmocka_unit_test_setup(bounded, setup),
    };

    return cmocka_run_group_tests_name("kernel.lend", tests, NULL, NULL);
}
