// SPDX-License-Identifier: Apache-2.0
//
// heap.h: memory allocation inside the heap that the start block names (`runtime { heap }` in
// npl.kdl).
//
// The heap never grows: a driver states what it needs, and what is not there is refused. Blocks are
// aligned to 16 bytes. A driver that allocates only while it starts cannot run out later.
#ifndef NPL_HEAP_H
#define NPL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The C library's four, over npl_heap_*. LLVM libc's own stdlib.h does not declare them.
#if !defined(NPL_HOST)
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
#endif

#define NPL_HEAP_ALIGNMENT 16u

// Gives [base, base + size) to the allocator and forgets all earlier blocks. libnpl calls it once
// before npl_main; tests call it with memory of their own.
void npl_heap_init(void *base, size_t size);

// Null when no free block is large enough, and for size 0. First fit, O(blocks).
void *npl_heap_alloc(size_t size);

// `block` is null or from npl_heap_alloc. A block that is not one, or was freed before, ends the
// driver: its heap cannot be believed any more.
void npl_heap_free(void *block);

// Bytes that the block holds, at least those asked for.
size_t npl_heap_block_size(const void *block);

// Free bytes in all; no single allocation of that size is promised.
size_t npl_heap_free_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
