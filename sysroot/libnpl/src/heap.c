// SPDX-License-Identifier: Apache-2.0
//
// heap.c: a first-fit allocator over one fixed range.
//
//   | header | bytes ... | header | bytes ... | end
//
// Each block begins with its size and whether it is used; the next header follows at once, so free
// neighbours are joined while the list is walked. A driver has few blocks, made when it starts:
// small and checkable is worth more here than fast.
#include "fiber_local.h"
#include <npl/heap.h>
#include <string.h>

#define BLOCK_FREE UINT64_C(0x46524545) // "FREE"
#define BLOCK_USED UINT64_C(0x55534544) // "USED"

struct block {
    uint64_t size; // bytes after the header, multiple of NPL_HEAP_ALIGNMENT
    uint64_t state;
};

static NPL_FIBER_LOCAL uint8_t *heap_base;
static NPL_FIBER_LOCAL size_t heap_size;

static struct block *block_at(size_t offset)
{
    return (struct block *)(void *)(heap_base + offset);
}

void npl_heap_init(void *base, size_t size)
{
    size_t skip = (size_t)(-(uintptr_t)base & (NPL_HEAP_ALIGNMENT - 1));

    heap_base = NULL;
    heap_size = 0;
    if (!base || size < skip + sizeof(struct block) + NPL_HEAP_ALIGNMENT)
        return;
    heap_base = (uint8_t *)base + skip;
    heap_size = (size - skip) & ~(size_t)(NPL_HEAP_ALIGNMENT - 1);
    *block_at(0) = (struct block){.size = heap_size - sizeof(struct block), .state = BLOCK_FREE};
}

// Joins the free block with free ones behind it.
static void join(size_t offset)
{
    struct block *block = block_at(offset);

    for (;;) {
        size_t next = offset + sizeof(*block) + block->size;

        if (next >= heap_size || block_at(next)->state != BLOCK_FREE)
            return;
        block->size += sizeof(*block) + block_at(next)->size;
    }
}

void *npl_heap_alloc(size_t size)
{
    if (size == 0 || size > heap_size)
        return NULL;
    size = (size + NPL_HEAP_ALIGNMENT - 1) & ~(size_t)(NPL_HEAP_ALIGNMENT - 1);

    for (size_t offset = 0; offset < heap_size;) {
        struct block *block = block_at(offset);

        if (block->state != BLOCK_FREE && block->state != BLOCK_USED)
            __builtin_trap(); // a write past a block's end
        if (block->state == BLOCK_FREE)
            join(offset);
        if (block->state == BLOCK_FREE && block->size >= size) {
            if (block->size - size >= sizeof(*block) + NPL_HEAP_ALIGNMENT) {
                struct block *rest = block_at(offset + sizeof(*block) + size);

                rest->size = block->size - size - sizeof(*block);
                rest->state = BLOCK_FREE;
                block->size = size;
            }
            block->state = BLOCK_USED;
            return block + 1;
        }
        offset += sizeof(*block) + block->size;
    }
    return NULL;
}

void npl_heap_free(void *memory)
{
    struct block *block = memory;

    if (!memory)
        return;
    uintptr_t address = (uintptr_t)memory;
    if (address < (uintptr_t)heap_base + sizeof(*block) ||
        address >= (uintptr_t)heap_base + heap_size || address % NPL_HEAP_ALIGNMENT != 0)
        __builtin_trap();
    block--;
    if (block->state != BLOCK_USED)
        __builtin_trap();
    block->state = BLOCK_FREE;
    join((size_t)((uint8_t *)block - heap_base));
}

size_t npl_heap_block_size(const void *memory)
{
    const struct block *block = memory;

    return memory ? block[-1].size : 0;
}

size_t npl_heap_free_bytes(void)
{
    size_t bytes = 0;

    for (size_t offset = 0; offset < heap_size;) {
        const struct block *block = block_at(offset);

        if (block->state == BLOCK_FREE)
            bytes += block->size;
        offset += sizeof(*block) + block->size;
    }
    return bytes;
}

#if !defined(NPL_HOST)

void *malloc(size_t size)
{
    return npl_heap_alloc(size);
}

void free(void *block)
{
    npl_heap_free(block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *block = npl_heap_alloc(bytes);
    if (block)
        memset(block, 0, bytes);
    return block;
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return npl_heap_alloc(size);
    if (size == 0) {
        npl_heap_free(block);
        return NULL;
    }
    size_t old_size = npl_heap_block_size(block);
    if (old_size >= size)
        return block;
    void *larger = npl_heap_alloc(size);
    if (!larger)
        return NULL;
    memcpy(larger, block, old_size);
    npl_heap_free(block);
    return larger;
}

#endif
