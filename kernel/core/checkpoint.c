// SPDX-License-Identifier: Apache-2.0
//
// checkpoint.c: state that outlives its fiber.
//
//   bases[0]   copy of the even numbers    header: number, size, digest | bytes
//   bases[1]   copy of the odd numbers     the same
//
// A new checkpoint is written over the older copy; only when it is whole does the fiber's sequence
// name it. So at any moment one good copy exists. Copying and hashing go piece by piece (work.h).
// The digest covers header and bytes: it finds damage, it is no signature, because nobody but the
// kernel can write here.
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

// Pages for the copy that is written next, taken once and for all by the first call and the second:
// each piece is short enough to be cleared at once.
static bool copy_take(struct fiber_checkpoint *checkpoint)
{
    uint64_t *base = &checkpoint->bases[(checkpoint->sequence + 1) & 1];

    return *base != 0 || memory_take_high(COPY_SIZE / PAGE_SIZE, base);
}

static struct copy *copy_of(const struct fiber *fiber, uint64_t sequence)
{
    return (struct copy *)(uintptr_t)fiber->checkpoint.bases[sequence & 1];
}

// The next piece goes into the copy that nobody looks at until the sequence names it.
static void piece_copy(struct fiber *fiber, struct copy *copy)
{
    struct work *work = &fiber->work;
    struct user_ptr from = {work->from + work->done};
    uint64_t left = copy->size - work->done;
    uint64_t piece = left < WORK_STEP_HASH ? left : WORK_STEP_HASH;

    // It was readable when the call was made; whoever granted the memory may have taken it back.
    if (!user_read(fiber, copy->bytes + work->done, from, piece, 1)) {
        work->step = NULL;
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, from.address);
    }
    crypto_hash_add(&work->hash, copy->bytes + work->done, piece);
    work->done += piece;
}

// Taking the pages is a step, each piece is one, and so is the end of the hash.
static bool checkpoint_step(struct fiber *fiber)
{
    struct work *work = &fiber->work;
    struct copy *copy = copy_of(fiber, (uint64_t)work->result);

    if (work->part == 0) {
        work->part = 1;
        return false;
    }
    if (work->done < copy->size) {
        piece_copy(fiber, copy);
        return false;
    }
    crypto_hash_end(&work->hash, copy->digest);
    fiber->checkpoint.size = copy->size;
    fiber->checkpoint.sequence = copy->sequence;
    return true;
}

int64_t call_checkpoint(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct fiber_checkpoint *checkpoint = &fiber->checkpoint;
    uint64_t size = arguments[1];
    uint64_t end;
    struct copy *copy;

    if (size == 0 || size > RUMPK_CHECKPOINT_MAX)
        return RUMPK_E_ARGUMENT;
    if (!checked_add(arguments[0], size, &end) || !is_readable(fiber, arguments[0], size))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, arguments[0]);
    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    if (!copy_take(checkpoint))
        return RUMPK_E_MEMORY;
    copy = copy_of(fiber, checkpoint->sequence + 1);
    memset(copy, 0, offsetof(struct copy, bytes));
    copy->sequence = checkpoint->sequence + 1;
    copy->size = (uint32_t)size;
    copy->fiber = fiber->number;
    fiber->work.from = arguments[0];
    fiber->work.done = 0;
    fiber->work.part = 0;
    fiber->work.result = (int64_t)copy->sequence;
    crypto_hash_begin(&fiber->work.hash);
    crypto_hash_add(&fiber->work.hash, copy, offsetof(struct copy, bytes));
    work_begin(fiber, checkpoint_step);
}
