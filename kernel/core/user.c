// SPDX-License-Identifier: Apache-2.0
//
// user.c: the one accessor of driver memory. The promise is in user.h.
#include <kernel/memory.h>
#include <kernel/user.h>

// The piece of [address, address + size) that lies in one page: its physical address, and how long
// it is. False: the driver itself has not this right there, or it is no memory.
static bool piece_find(const struct fiber *fiber, uint64_t address, uint64_t size, uint32_t right,
                       uint64_t *pa, uint64_t *piece)
{
    uint32_t wanted = PROT_USER | right;
    uint32_t prot;

    if (!pagetable_walk(&fiber->table, address, pa, &prot) || (prot & wanted) != wanted)
        return false;
    *piece = PAGE_SIZE - (address & PAGE_MASK);
    if (*piece > size)
        *piece = size;
    return memory_is_ram(*pa, *piece);
}

static bool range_is_usable(const struct fiber *fiber, struct user_ptr pointer, uint64_t size,
                            uint64_t alignment, uint32_t right)
{
    uint64_t end;
    uint64_t pa;
    uint64_t piece;

    if (size == 0 || size > USER_COPY_MAX || (pointer.address & (alignment - 1)) != 0 ||
        !checked_add(pointer.address, size, &end))
        return false;
    for (uint64_t at = pointer.address; at < end; at += piece) {
        if (!piece_find(fiber, at, end - at, right, &pa, &piece))
            return false;
    }
    return true;
}

bool user_is_readable(const struct fiber *fiber, struct user_ptr from, uint64_t size,
                      uint64_t alignment)
{
    return range_is_usable(fiber, from, size, alignment, PROT_READ);
}

bool user_is_writable(const struct fiber *fiber, struct user_ptr to, uint64_t size,
                      uint64_t alignment)
{
    return range_is_usable(fiber, to, size, alignment, PROT_WRITE);
}

bool user_read(const struct fiber *fiber, void *to, struct user_ptr from, uint64_t size,
               uint64_t alignment)
{
    uint8_t *bytes = to;
    uint64_t pa;
    uint64_t piece;

    if (!range_is_usable(fiber, from, size, alignment, PROT_READ))
        return false;
    memory_use_kernel_root();
    for (uint64_t done = 0; done < size; done += piece) {
        if (!piece_find(fiber, from.address + done, size - done, PROT_READ, &pa, &piece))
            return false;
        memcpy(bytes + done, (const void *)(uintptr_t)pa, piece);
    }
    return true;
}

bool user_write(const struct fiber *fiber, struct user_ptr to, const void *from, uint64_t size,
                uint64_t alignment)
{
    const uint8_t *bytes = from;
    uint64_t pa;
    uint64_t piece;

    if (!range_is_usable(fiber, to, size, alignment, PROT_WRITE))
        return false;
    memory_use_kernel_root();
    for (uint64_t done = 0; done < size; done += piece) {
        if (!piece_find(fiber, to.address + done, size - done, PROT_WRITE, &pa, &piece))
            return false;
        memcpy((void *)(uintptr_t)pa, bytes + done, piece);
    }
    return true;
}
