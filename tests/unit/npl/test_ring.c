// SPDX-License-Identifier: Apache-2.0
//
// Goal: one end of a ring does what rumpk/ring.h says, whatever the other end writes.
// Method: both ends in one thread over one ring's memory, with a SysTable whose calls only count.
#include "npl_test.h"
#include <npl/host.h>
#include <npl/npl.h>
#include <sys/mman.h>

#define SLOTS 8u

static struct rumpk_systable table;
static uint32_t wakes;

static int64_t count_send(uint64_t slot, uint64_t b, uint64_t c, uint64_t d)
{
    (void)slot;
    (void)b;
    (void)c;
    (void)d;
    wakes++;
    return RUMPK_OK;
}

static int64_t refuse_recv(uint64_t slot, uint64_t b, uint64_t c, uint64_t d)
{
    (void)slot;
    (void)b;
    (void)c;
    (void)d;
    return RUMPK_E_TIMEOUT;
}

struct ends {
    void *memory;
    struct rumpk_ring_header *header;
    struct rumpk_ring_consumer *consumer_part;
    struct rumpk_ring_producer *producer_part;
    struct npl_ring producer;
    struct npl_ring consumer;
};

static int open_ends(void **state)
{
    static struct ends ends;

    table = *npl_systable();
    table.calls[RUMPK_CALL_SEND] = (uint64_t)(uintptr_t)count_send;
    table.calls[RUMPK_CALL_RECV] = (uint64_t)(uintptr_t)refuse_recv;
    host_systable_set(&table);
    wakes = 0;
    memset(&ends, 0, sizeof(ends));
    ends.memory = host_ring_new(SLOTS);
    ends.header = ends.memory;
    ends.consumer_part = (void *)((uint8_t *)ends.memory + RUMPK_RING_CONSUMER_OFFSET);
    ends.producer_part = (void *)((uint8_t *)ends.memory + RUMPK_RING_PRODUCER_OFFSET);
    assert_int_equal(npl_ring_attach(&ends.producer, ends.memory, 1, true), 0);
    assert_int_equal(npl_ring_attach(&ends.consumer, ends.memory, 2, false), 0);
    *state = &ends;
    return 0;
}

static int close_ends(void **state)
{
    struct ends *ends = *state;

    free(ends->memory);
    host_systable_set(NULL);
    return 0;
}

static int64_t push(struct ends *ends, uint64_t value)
{
    uint64_t slot[8] = {value, ~value};

    return npl_ring_push(&ends->producer, slot);
}

static int64_t pull(struct ends *ends, uint64_t *value)
{
    uint64_t slot[8];
    int64_t result = npl_ring_pull(&ends->consumer, slot);

    if (result == 1) {
        assert_int_equal(slot[1], ~slot[0]);
        *value = slot[0];
    }
    return result;
}

static void order_and_wrap(void **state)
{
    struct ends *ends = *state;
    uint64_t value = 0;

    // Indices run through 2^32.
    ends->producer_part->head = ends->consumer_part->tail = UINT32_MAX - 20;
    npl_ring_resync(&ends->producer);
    npl_ring_resync(&ends->consumer);
    for (uint64_t round = 0; round < 100; round++) {
        uint64_t burst = round % SLOTS + 1;

        for (uint64_t at = 0; at < burst; at++)
            assert_int_equal(push(ends, round * 100 + at), 0);
        for (uint64_t at = 0; at < burst; at++) {
            assert_int_equal(pull(ends, &value), 1);
            assert_int_equal(value, round * 100 + at);
        }
        assert_int_equal(pull(ends, &value), 0);
    }
    assert_true(ends->consumer_part->tail < 1000);
    assert_int_equal(wakes, 0);
}

static void full_and_room(void **state)
{
    struct ends *ends = *state;
    uint64_t value;

    for (uint64_t at = 0; at < SLOTS; at++)
        assert_int_equal(push(ends, at), 0);
    assert_int_equal(push(ends, 99), RUMPK_E_FULL);
    assert_null(npl_ring_slot(&ends->producer));
    assert_int_equal(pull(ends, &value), 1);
    assert_int_equal(npl_ring_ready(&ends->producer), 1);
    assert_int_equal(push(ends, 99), 0);
}

static void batch_is_seen_at_once(void **state)
{
    struct ends *ends = *state;

    for (uint64_t at = 0; at < 5; at++) {
        memset(npl_ring_slot(&ends->producer), 0, RUMPK_RING_SLOT_SIZE);
        npl_ring_commit(&ends->producer);
    }
    assert_int_equal(npl_ring_ready(&ends->consumer), 0);
    assert_int_equal(npl_ring_publish(&ends->producer), 0);
    assert_int_equal(npl_ring_ready(&ends->consumer), 5);
}

static void wakes_only_a_sleeper(void **state)
{
    struct ends *ends = *state;
    uint64_t value;

    assert_int_equal(push(ends, 1), 0);
    assert_int_equal(wakes, 0);
    npl_ring_announce(&ends->consumer);
    assert_int_equal(push(ends, 2), 0);
    assert_int_equal(wakes, 1);
    npl_ring_withdraw(&ends->consumer);
    assert_int_equal(push(ends, 3), 0);
    assert_int_equal(wakes, 1);
    npl_ring_announce(&ends->producer);
    assert_int_equal(pull(ends, &value), 1);
    assert_int_equal(wakes, 2);
}

static void sleep_looks_first_and_times_out(void **state)
{
    struct ends *ends = *state;

    assert_int_equal(npl_ring_sleep(&ends->consumer, 5), RUMPK_E_TIMEOUT);
    assert_int_equal(ends->consumer_part->waiting, 0);
    assert_int_equal(push(ends, 1), 0);
    assert_int_equal(npl_ring_sleep(&ends->consumer, 5), 1);
    assert_int_equal(ends->consumer_part->waiting, 0);
}

static void *taken_back;

// What the kernel does to a lent end of a ring: its pages are gone when the sleeper wakes.
static int64_t revoke_recv(uint64_t slot, uint64_t b, uint64_t c, uint64_t d)
{
    (void)slot;
    (void)b;
    (void)c;
    (void)d;
    assert_int_equal(mprotect(taken_back, RUMPK_RING_PRODUCER_OFFSET, PROT_NONE), 0);
    return RUMPK_E_STALE;
}

static void taken_back_asleep(void **state)
{
    struct ends *ends = *state;
    struct npl_interrupt interrupt = {.ring = ends->consumer};

    taken_back = ends->memory;
    table.calls[RUMPK_CALL_RECV] = (uint64_t)(uintptr_t)revoke_recv;
    table.calls[RUMPK_CALL_MASK] = (uint64_t)(uintptr_t)refuse_recv;
    assert_int_equal(npl_ring_sleep(&ends->consumer, RUMPK_FOREVER), RUMPK_E_STALE);
    assert_int_equal(npl_ring_ready(&ends->consumer), RUMPK_E_PEER);
    assert_int_equal(mprotect(taken_back, RUMPK_RING_PRODUCER_OFFSET, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(npl_interrupt_wait(&interrupt, RUMPK_FOREVER), RUMPK_E_STALE);
    assert_int_equal(mprotect(taken_back, RUMPK_RING_PRODUCER_OFFSET, PROT_READ | PROT_WRITE), 0);
}

// Whatever is written into the foreign index: never more slots than there are, and no crash.
static void hostile_head(void **state)
{
    struct ends *ends = *state;
    uint64_t value;

    for (uint64_t distance = 0; distance < 70000; distance += distance < 64 ? 1 : 911) {
        ends->producer_part->head = (uint32_t)distance;
        npl_ring_resync(&ends->consumer);
        int64_t ready = npl_ring_ready(&ends->consumer);

        if (distance <= SLOTS)
            assert_int_equal(ready, distance);
        else
            assert_int_equal(ready, RUMPK_E_PEER);
        assert_true((npl_ring_peek(&ends->consumer) != NULL) == (ready > 0));
    }
    ends->producer_part->head = UINT32_MAX; // behind the tail
    npl_ring_resync(&ends->consumer);
    assert_int_equal(pull(ends, &value), RUMPK_E_PEER);
    ends->producer_part->head = 1; // broken for good, until resynchronised
    assert_int_equal(pull(ends, &value), RUMPK_E_PEER);
}

static void hostile_tail(void **state)
{
    struct ends *ends = *state;

    ends->consumer_part->tail = 1; // taken what was never there
    npl_ring_resync(&ends->producer);
    assert_int_equal(npl_ring_ready(&ends->producer), RUMPK_E_PEER);
    assert_null(npl_ring_slot(&ends->producer));
    assert_int_equal(push(ends, 1), RUMPK_E_PEER);
    ends->consumer_part->tail = UINT32_MAX - SLOTS;
    npl_ring_resync(&ends->producer);
    assert_int_equal(push(ends, 1), RUMPK_E_PEER);
}

static void hostile_random(void **state)
{
    struct ends *ends = *state;
    uint64_t random = 88172645463325252u;

    for (uint32_t round = 0; round < 200000; round++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        uint32_t near = (uint32_t)(random >> 40) % 20 - 10;

        if (random & 1)
            ends->producer_part->head =
                random & 2 ? (uint32_t)(random >> 32) : ends->consumer_part->tail + near;
        uint32_t before = ends->consumer.own;
        int64_t result = npl_ring_pull(&ends->consumer, (uint64_t[8]){0});
        assert_true(result == 0 || result == 1 || result == RUMPK_E_PEER);
        assert_int_equal(ends->consumer.own - before, result == 1);
        if (result == RUMPK_E_PEER)
            npl_ring_resync(&ends->consumer);
    }
}

static void gone_producer_is_drained_first(void **state)
{
    struct ends *ends = *state;
    uint64_t value = 0;

    assert_int_equal(push(ends, 7), 0);
    ends->header->closed = RUMPK_RING_PRODUCER_GONE;
    assert_int_equal(pull(ends, &value), 1);
    assert_int_equal(value, 7);
    assert_int_equal(pull(ends, &value), RUMPK_E_PEER);
}

static void gone_consumer_refuses(void **state)
{
    struct ends *ends = *state;

    ends->header->closed = RUMPK_RING_CONSUMER_GONE;
    assert_int_equal(push(ends, 7), RUMPK_E_PEER);
}

static void epoch_is_reported_until_resync(void **state)
{
    struct ends *ends = *state;
    uint64_t value = 0;

    assert_int_equal(push(ends, 7), 0);
    ends->header->epoch = 1;
    assert_int_equal(push(ends, 8), RUMPK_E_EPOCH);
    assert_int_equal(pull(ends, &value), RUMPK_E_EPOCH);
    npl_ring_resync(&ends->consumer);
    npl_ring_resync(&ends->producer);
    assert_int_equal(pull(ends, &value), 1);
    assert_int_equal(value, 7);
    assert_int_equal(push(ends, 8), 0);
}

static void wrong_headers_refused(void **state)
{
    struct ends *ends = *state;
    struct npl_ring ring;
    struct rumpk_ring_header good = *ends->header;
    const struct rumpk_ring_header wrong[] = {
        {.magic = 1, .slot_size = 64, .slot_count = 8},
        {.magic = RUMPK_RING_MAGIC, .version = 1, .slot_size = 64, .slot_count = 8},
        {.magic = RUMPK_RING_MAGIC, .slot_size = 32, .slot_count = 8},
        {.magic = RUMPK_RING_MAGIC, .slot_size = 64, .slot_count = 0},
        {.magic = RUMPK_RING_MAGIC, .slot_size = 64, .slot_count = 1},
        {.magic = RUMPK_RING_MAGIC, .slot_size = 64, .slot_count = 12},
        {.magic = RUMPK_RING_MAGIC, .slot_size = 64, .slot_count = 2048},
    };

    for (size_t at = 0; at < sizeof(wrong) / sizeof(wrong[0]); at++) {
        *ends->header = wrong[at];
        assert_int_equal(npl_ring_attach(&ring, ends->memory, 0, true), RUMPK_E_PEER);
    }
    *ends->header = good;
    assert_int_equal(npl_ring_attach(&ring, ends->memory, 0, true), 0);
}

static void result_texts(void **state)
{
    (void)state;
    assert_string_equal(npl_result_text(0), "done");
    assert_string_equal(npl_result_text(5), "done");
    assert_string_equal(npl_result_text(RUMPK_E_TIMEOUT), "the deadline passed first");
    assert_non_null(npl_result_text(INT64_MIN));
}

int main(void)
{
#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, open_ends, close_ends)
    const struct CMUnitTest tests[] = {
        RING_TEST(taken_back_asleep),     RING_TEST(order_and_wrap),
        RING_TEST(full_and_room),         RING_TEST(batch_is_seen_at_once),
        RING_TEST(wakes_only_a_sleeper),  RING_TEST(sleep_looks_first_and_times_out),
        RING_TEST(hostile_head),          RING_TEST(hostile_tail),
        RING_TEST(hostile_random),        RING_TEST(gone_producer_is_drained_first),
        RING_TEST(gone_consumer_refuses), RING_TEST(epoch_is_reported_until_resync),
        RING_TEST(wrong_headers_refused), cmocka_unit_test(result_texts),
    };

    return cmocka_run_group_tests_name("npl ring", tests, NULL, NULL);
}
