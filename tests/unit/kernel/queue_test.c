// SPDX-License-Identifier: Apache-2.0
//
// Goal: whatever a device writes into the used ring, the kernel hands out only completions of
// buffers that were at the device, clamps their length, and never loses or invents a descriptor.
// Method: the kernel's queue on one page; the test plays honest and hostile devices, the latter
// also at random with a fixed seed.
#include "virtio_queue.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENTRIES 16u

_Noreturn void kernel_assert_failed(void)
{
    abort();
}

static alignas(4096) uint8_t page[4096];
static struct virtio_queue queue;

static uint16_t *used_index(void)
{
    return (uint16_t *)(void *)(page + QUEUE_USED_OFFSET + 2);
}

static void used_put(uint16_t at, uint32_t id, uint32_t length)
{
    uint32_t element[2] = {id, length};

    memcpy(page + QUEUE_USED_OFFSET + 4 + (size_t)(at % ENTRIES) * 8, element, sizeof(element));
}

static uint16_t available_entry(uint16_t at)
{
    uint16_t entry;

    memcpy(&entry, page + QUEUE_AVAILABLE_OFFSET + 4 + (size_t)(at % ENTRIES) * 2, sizeof(entry));
    return entry;
}

static int begin(void **state)
{
    (void)state;
    memset(page, 0xEE, sizeof(page));
    queue = (struct virtio_queue){.page = (uint64_t)(uintptr_t)page, .entries = ENTRIES};
    virtio_queue_reset(&queue);
    return 0;
}

static struct virtio_part part(uint64_t cookie, uint32_t length, uint32_t flags)
{
    return (struct virtio_part){
        .address = 0x1000, .cookie = cookie, .length = length, .flags = flags};
}

// Free descriptors and those of buffers at the device are all there are.
static void check_whole(void)
{
    uint32_t count = queue.free_count, outstanding = 0;

    for (uint32_t index = 0; index < ENTRIES; index++) {
        count += queue.chain[index];
        outstanding += queue.chain[index] != 0;
    }
    assert_int_equal(count, ENTRIES);
    assert_int_equal(outstanding, queue.outstanding);
}

static void honest(void **state)
{
    struct rumpk_queue_completion done[4];
    struct virtio_part batch[] = {
        part(7, 16, RUMPK_QUEUE_CHAINED),
        part(0, 512, RUMPK_QUEUE_CHAINED | RUMPK_QUEUE_DEVICE_WRITES),
        part(0, 1, RUMPK_QUEUE_DEVICE_WRITES),
        part(8, 100, 0),
    };

    (void)state;
    virtio_queue_publish(&queue, batch, 4);
    assert_int_equal(queue.outstanding, 2);
    assert_int_equal(queue.free_count, ENTRIES - 4);
    check_whole();
    assert_false(virtio_queue_has_used(&queue));
    assert_int_equal(virtio_queue_take(&queue, done, 4), 0);
    // In another order than they were given, and with a length that is too much.
    used_put(0, available_entry(1), 5);
    used_put(1, available_entry(0), 4000);
    *used_index() = 2;
    assert_true(virtio_queue_has_used(&queue));
    assert_int_equal(virtio_queue_take(&queue, done, 4), 2);
    assert_int_equal(done[0].cookie, 8);
    assert_int_equal(done[0].written, 0); // it could write nothing
    assert_int_equal(done[1].cookie, 7);
    assert_int_equal(done[1].written, 513);
    assert_false(queue.is_broken);
    assert_int_equal(queue.free_count, ENTRIES);
    check_whole();
}

// Indices run on over 65,535.
static void wraps(void **state)
{
    struct rumpk_queue_completion done[1];
    struct virtio_part one;

    (void)state;
    for (uint32_t round = 0; round < 70000; round++) {
        one = part(round, 8, RUMPK_QUEUE_DEVICE_WRITES);
        virtio_queue_publish(&queue, &one, 1);
        used_put((uint16_t)round, available_entry((uint16_t)round), 8);
        *used_index() = (uint16_t)(round + 1);
        assert_int_equal(virtio_queue_take(&queue, done, 1), 1);
        assert_int_equal(done[0].cookie, round);
    }
    check_whole();
}

static void refuse_used(uint32_t id, uint16_t index)
{
    struct rumpk_queue_completion done[4];
    struct virtio_part batch[] = {
        part(1, 8, RUMPK_QUEUE_CHAINED),
        part(1, 8, 0),
        part(2, 8, 0),
    };

    begin(NULL);
    virtio_queue_publish(&queue, batch, 3);
    used_put(0, id, 8);
    *used_index() = index;
    assert_int_equal(virtio_queue_take(&queue, done, 4), 0);
    assert_true(queue.is_broken);
    check_whole();
}

static void hostile(void **state)
{
    (void)state;
    refuse_used(0, 3);      // more used than was given
    refuse_used(0, 0xFFFF); // less than nothing
    refuse_used(ENTRIES, 1);
    refuse_used(UINT32_MAX, 1);
    refuse_used(1, 1); // inside a chain, not its first
    refuse_used(5, 1); // free
}

// The same buffer twice: the second is refused.
static void twice(void **state)
{
    struct rumpk_queue_completion done[4];
    struct virtio_part batch[] = {part(1, 8, 0), part(2, 8, 0)};

    (void)state;
    virtio_queue_publish(&queue, batch, 2);
    used_put(0, available_entry(0), 8);
    used_put(1, available_entry(0), 8);
    *used_index() = 2;
    assert_int_equal(virtio_queue_take(&queue, done, 4), 1);
    assert_true(queue.is_broken);
    check_whole();
}

static uint32_t random_next(void)
{
    static uint32_t value = 12345;

    value = value * 1664525u + 1013904223u;
    return value >> 8;
}

// A device that scribbles over the whole page while a driver submits as the kernel lets it.
static void scribble(void **state)
{
    struct rumpk_queue_completion done[8];

    (void)state;
    for (uint32_t round = 0; round < 200000; round++) {
        uint32_t count = 1 + random_next() % 4;
        struct virtio_part batch[4];

        for (uint32_t index = 0; index < count; index++)
            batch[index] = part(0xC0 + index, 8,
                                index + 1 < count && random_next() % 2 ? RUMPK_QUEUE_CHAINED : 0);
        if (queue.free_count >= count)
            virtio_queue_publish(&queue, batch, count);
        if (random_next() % 8 == 0)
            page[random_next() % sizeof(page)] = (uint8_t)random_next();
        used_put(queue.used, available_entry((uint16_t)(queue.available - 1)) % 20, random_next());
        *used_index() = (uint16_t)(queue.used + (random_next() % 16 == 0 ? random_next() % 5 : 1));
        count = virtio_queue_take(&queue, done, 8);
        assert_true(count <= 8);
        for (uint32_t index = 0; index < count; index++)
            assert_in_range(done[index].cookie, 0xC0, 0xC3);
        check_whole();
        if (queue.is_broken)
            begin(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(honest, begin),   cmocka_unit_test_setup(wraps, begin),
        cmocka_unit_test_setup(hostile, begin),  cmocka_unit_test_setup(twice, begin),
        cmocka_unit_test_setup(scribble, begin),
    };

    return cmocka_run_group_tests_name("kernel.queue", tests, NULL, NULL);
}
