// SPDX-License-Identifier: Apache-2.0
//
// Goal: no message is lost, changed or reordered, no wake-up is lost, and every access to a slot is
// ordered by its index, when both ends run at the same time on different processors.
// Method: a producer and a consumer thread on one ring; the calls `send` and `recv` are a mutex and
// a condition, exactly as blind as the kernel's; random delays on both sides. Run under
// ThreadSanitizer, which reports a slot access that is not ordered; a lost wake-up hangs and the
// test's limit ends it.
#include "npl_test.h"
#include <npl/host.h>
#include <npl/npl.h>
#include <pthread.h>
#include <sched.h>

#define MESSAGES_DEFAULT 2000000u

enum { PRODUCER_SLOT = 1, CONSUMER_SLOT = 2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_asleep[3]; // by slot of the end
static bool is_woken[3];
static uint64_t sleeps;
static struct rumpk_systable table;
static void *memory;
static uint64_t messages = MESSAGES_DEFAULT;

static int64_t do_send(uint64_t slot, uint64_t b, uint64_t c, uint64_t d)
{
    uint64_t other = slot == PRODUCER_SLOT ? CONSUMER_SLOT : PRODUCER_SLOT;

    (void)b;
    (void)c;
    (void)d;
    pthread_mutex_lock(&lock);
    is_woken[other] = is_asleep[other];
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return RUMPK_OK;
}

// The kernel looks at the ring once, under its own order, and then sleeps until `send`.
static bool is_ready(uint64_t slot)
{
    struct rumpk_ring_consumer *consumer = (void *)((uint8_t *)memory + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *producer = (void *)((uint8_t *)memory + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t filled = __atomic_load_n(&producer->head, __ATOMIC_ACQUIRE) -
                      __atomic_load_n(&consumer->tail, __ATOMIC_ACQUIRE);
    uint32_t count = ((const struct rumpk_ring_header *)memory)->slot_count;

    return slot == CONSUMER_SLOT ? filled > 0 : filled < count;
}

static int64_t do_recv(uint64_t slot, uint64_t b, uint64_t c, uint64_t d)
{
    (void)b;
    (void)c;
    (void)d;
    pthread_mutex_lock(&lock);
    if (!is_ready(slot)) {
        is_asleep[slot] = true;
        is_woken[slot] = false;
        sleeps++;
        while (!is_woken[slot])
            pthread_cond_wait(&changed, &lock);
        is_asleep[slot] = false;
    }
    pthread_mutex_unlock(&lock);
    return 1;
}

static uint32_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (uint32_t)(*random >> 32);
}

static void delay(uint64_t *random)
{
    uint32_t choice = next_random(random) % 4096;

    if (choice == 0)
        sched_yield();
    else if (choice < 8)
        for (volatile uint32_t spin = 0; spin < choice * 200; spin++)
            ;
}

static void *produce(void *argument)
{
    struct npl_ring *ring = argument;
    uint64_t random = 1234567;

    host_systable_set(&table);
    for (uint64_t sent = 0; sent < messages;) {
        uint32_t batch = next_random(&random) % 7 + 1;
        uint64_t *slot;

        while (batch-- > 0 && sent < messages && (slot = npl_ring_slot(ring))) {
            slot[0] = sent;
            slot[7] = sent * UINT64_C(0x9E3779B97F4A7C15);
            npl_ring_commit(ring);
            sent++;
        }
        CHECK(npl_ring_publish(ring) == 0);
        if (!npl_ring_slot(ring))
            CHECK(npl_ring_sleep(ring, RUMPK_FOREVER) > 0);
        delay(&random);
    }
    return NULL;
}

static void *consume(void *argument)
{
    struct npl_ring *ring = argument;
    uint64_t random = 7654321;

    host_systable_set(&table);
    for (uint64_t taken = 0; taken < messages;) {
        const uint64_t *slot;

        while ((slot = npl_ring_peek(ring))) {
            CHECK(slot[0] == taken);
            CHECK(slot[7] == taken * UINT64_C(0x9E3779B97F4A7C15));
            npl_ring_drop(ring);
            taken++;
            if (next_random(&random) % 5 == 0)
                break;
        }
        CHECK(npl_ring_publish(ring) == 0);
        if (taken < messages && !npl_ring_peek(ring))
            CHECK(npl_ring_sleep(ring, RUMPK_FOREVER) > 0);
        delay(&random);
    }
    return NULL;
}

static void run(uint32_t slots)
{
    struct npl_ring producer;
    struct npl_ring consumer;
    pthread_t threads[2];

    sleeps = 0;
    memory = host_ring_new(slots);
    assert_int_equal(npl_ring_attach(&producer, memory, PRODUCER_SLOT, true), 0);
    assert_int_equal(npl_ring_attach(&consumer, memory, CONSUMER_SLOT, false), 0);
    assert_int_equal(pthread_create(&threads[0], NULL, produce, &producer), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, consume, &consumer), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    print_message("%u slots: %llu messages, %llu sleeps\n", slots, (unsigned long long)messages,
                  (unsigned long long)sleeps);
    assert_true(sleeps > 0); // else the handshake was not tried
    free(memory);
}

static void small_ring(void **state)
{
    (void)state;
    run(2);
}

static void large_ring(void **state)
{
    (void)state;
    run(64);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ring),
        cmocka_unit_test(large_ring),
    };

    if (argc > 1)
        messages = strtoull(argv[1], NULL, 10);
    table = *npl_systable();
    table.calls[RUMPK_CALL_SEND] = (uint64_t)(uintptr_t)do_send;
    table.calls[RUMPK_CALL_RECV] = (uint64_t)(uintptr_t)do_recv;
    return cmocka_run_group_tests_name("npl ring, two threads", tests, NULL, NULL);
}
