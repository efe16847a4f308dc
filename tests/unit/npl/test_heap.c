// SPDX-License-Identifier: Apache-2.0
//
// Goal: the driver's allocator never hands out memory twice or outside its range, and gives all
// back. Method: known cases, then random ones with every block filled and checked.
#include "npl_test.h"
#include <npl/heap.h>

#define HEAP_SIZE 65536u
#define BLOCKS    64u

static uint8_t memory[HEAP_SIZE + 16];

static void known_cases(void **state)
{
    (void)state;
    npl_heap_init(NULL, 0);
    assert_null(npl_heap_alloc(1));
    assert_int_equal(npl_heap_free_bytes(), 0);
    npl_heap_init(memory, 8); // too small for anything
    assert_null(npl_heap_alloc(1));

    npl_heap_init(memory + 3, HEAP_SIZE);
    size_t all = npl_heap_free_bytes();
    assert_null(npl_heap_alloc(0));
    assert_null(npl_heap_alloc(SIZE_MAX));
    assert_null(npl_heap_alloc(SIZE_MAX - 8));
    assert_null(npl_heap_alloc(all + 1));
    void *whole = npl_heap_alloc(all);
    assert_non_null(whole);
    assert_int_equal((uintptr_t)whole % NPL_HEAP_ALIGNMENT, 0);
    assert_null(npl_heap_alloc(1));
    npl_heap_free(whole);
    npl_heap_free(NULL);
    assert_int_equal(npl_heap_free_bytes(), all);
}

static void neighbours_are_joined(void **state)
{
    void *blocks[4];

    (void)state;
    npl_heap_init(memory, HEAP_SIZE);
    size_t all = npl_heap_free_bytes();
    for (size_t at = 0; at < 4; at++)
        blocks[at] = npl_heap_alloc(1000);
    npl_heap_free(blocks[1]);
    npl_heap_free(blocks[0]);
    npl_heap_free(blocks[2]);
    // Three freed neighbours hold one block of their common size.
    void *joined = npl_heap_alloc(3000);
    assert_ptr_equal(joined, blocks[0]);
    npl_heap_free(joined);
    npl_heap_free(blocks[3]);
    void *whole = npl_heap_alloc(all);
    assert_non_null(whole);
    npl_heap_free(whole);
}

static void random_use(void **state)
{
    struct {
        uint8_t *bytes;
        size_t size;
    } blocks[BLOCKS] = {0};
    uint64_t random = 42;
    uint32_t refused = 0;

    (void)state;
    npl_heap_init(memory, HEAP_SIZE);
    size_t all = npl_heap_free_bytes();
    for (uint32_t round = 0; round < 200000; round++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        size_t at = (size_t)(random >> 33) % BLOCKS;

        if (blocks[at].bytes) {
            for (size_t byte = 0; byte < blocks[at].size; byte++)
                assert_int_equal(blocks[at].bytes[byte], (uint8_t)at);
            npl_heap_free(blocks[at].bytes);
            blocks[at].bytes = NULL;
            continue;
        }
        blocks[at].size = (size_t)(random >> 50) % 3000 + 1;
        blocks[at].bytes = npl_heap_alloc(blocks[at].size);
        if (!blocks[at].bytes) {
            refused++;
            continue;
        }
        assert_true(blocks[at].bytes >= memory);
        assert_true(blocks[at].bytes + blocks[at].size <= memory + HEAP_SIZE);
        assert_true(npl_heap_block_size(blocks[at].bytes) >= blocks[at].size);
        memset(blocks[at].bytes, (int)at, blocks[at].size);
    }
    for (size_t at = 0; at < BLOCKS; at++)
        npl_heap_free(blocks[at].bytes);
    assert_true(refused > 0);
    void *whole = npl_heap_alloc(all);
    assert_non_null(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_cases),
        cmocka_unit_test(neighbours_are_joined),
        cmocka_unit_test(random_use),
    };

    return cmocka_run_group_tests_name("npl heap", tests, NULL, NULL);
}
