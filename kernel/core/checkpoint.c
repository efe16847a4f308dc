// SPDX-License-Identifier: Apache-2.0
//
// checkpoint.c: state that outlives its fiber.
//
//   base + 0        copy of the even numbers    header: number, size, digest | bytes
//   base + 36 KiB   copy of the odd numbers     the same
//
// A new checkpoint is written over the older copy; only when it is whole does the fiber's sequence
// name it. So at any moment one good copy exists. The digest covers header and bytes: it finds
// damage, it is no signature, because nobody but the kernel can write here.
#include <kernel/call.h>
#include <kernel/crypto.h>
#include <kernel/memory.h>
#include <kernel/user.h>

struct copy {
    uint64_t sequence;
    uint32_t size;
    uint32_t fiber;
    uint8_t digest[RUMPK_DIGEST_SIZE]; // zero while it is computed
    uint8_t reserved[16];
    uint8_t bytes[RUMPK_CHECKPOINT_MAX];
};
_Static_assert(offsetof(struct copy, bytes) == 64, "header of a checkpoint");

#define COPY_SIZE ((sizeof(struct copy) + PAGE_MASK) & ~PAGE_MASK)

static bool is_readable(const struct fiber *fiber, uint64_t address, uint64_t size)
{
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        struct user_ptr from = {address + done};
        uint64_t piece = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;

        if (!user_is_readable(fiber, from, piece, 1))
            return false;
    }
    return true;
}

int64_t call_checkpoint(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct fiber_checkpoint *checkpoint = &fiber->checkpoint;
    uint64_t sequence = checkpoint->sequence + 1;
    uint64_t size = arguments[1];
    uint64_t end;
    struct copy *copy;

    if (size == 0 || size > RUMPK_CHECKPOINT_MAX)
        return RUMPK_E_ARGUMENT;
    if (!checked_add(arguments[0], size, &end) || !is_readable(fiber, arguments[0], size))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, arguments[0]);
    // Nothing below but the readers of driver memory can fail.
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (checkpoint->base == 0 && !memory_take_high(2 * COPY_SIZE / PAGE_SIZE, &checkpoint->base))
        return RUMPK_E_MEMORY;
    // The older copy: nobody looks at it until the sequence names it.
    copy = (struct copy *)(uintptr_t)(checkpoint->base + (sequence & 1) * COPY_SIZE);
    for (uint64_t done = 0; done < size; done += PAGE_SIZE) {
        struct user_ptr from = {arguments[0] + done};
        uint64_t piece = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;

        if (!user_read(fiber, copy->bytes + done, from, piece, 1))
            fiber_fault_call(fiber, RUMPK_FAULT_POINTER, from.address);
    }
    memset(copy, 0, offsetof(struct copy, bytes));
    copy->sequence = sequence;
    copy->size = (uint32_t)size;
    copy->fiber = fiber->number;
    crypto_digest(copy, offsetof(struct copy, bytes) + size, copy->digest);
    checkpoint->size = (uint32_t)size;
    checkpoint->sequence = sequence;
    return (int64_t)sequence;
}
