// SPDX-License-Identifier: Apache-2.0
//
// verify.c: a package that was loaded at boot and starts later is verified once more, in steps
// (work.h).
//
// Who wrote its manifest and signed its digests was decided at boot and lies in the kernel's own
// memory; the driver file lies in the archive, its image in pages that nobody has used yet. First
// the file must still have the digest that the publisher signed, then code and constants of the
// image must still be those of the file. Data that were relocated are not looked at again: no
// instruction has run that could have changed them.
#include <kernel/init.h>
#include <kernel/ledger.h>

enum part {
    PART_HASH,
    PART_COMPARE,
};

// The child never starts: it ends where it stands, and what waits for it learns that.
static enum init_verdict refuse(struct package *package)
{
    struct rumpk_ledger_record record =
        fiber_record(&fiber_table[package->number], RUMPK_LEDGER_REFUSE, RUMPK_REFUSE_ELF_DIGEST);

    package->refusal = RUMPK_REFUSE_ELF_DIGEST;
    fiber_abandon(&fiber_table[package->number], &record);
    return INIT_BAD;
}

static uint64_t piece_of(const struct package *package, const struct work *work, uint64_t max)
{
    uint64_t left = package->elf.size - work->done;

    return left < max ? left : max;
}

// The end of a hash is a step of its own.
static enum init_verdict hash_step(struct package *package, struct work *work)
{
    uint64_t size = piece_of(package, work, WORK_STEP_HASH);
    uint8_t digest[RUMPK_DIGEST_SIZE];

    if (size != 0) {
        crypto_hash_add(&work->hash, package->elf.bytes + work->done, size);
        work->done += size;
        return INIT_MORE;
    }
    crypto_hash_end(&work->hash, digest);
    if (memcmp(digest, package->elf_digest, sizeof(digest)) != 0)
        return refuse(package);
    work->part = PART_COMPARE;
    work->done = 0;
    return INIT_MORE;
}

enum init_verdict init_verify_step(struct package *package, struct work *work)
{
    const uint8_t *image = (const uint8_t *)(uintptr_t)fiber_table[package->number].image_base;
    uint64_t size;

    if (work->part == PART_HASH)
        return hash_step(package, work);
    size = piece_of(package, work, WORK_STEP_COMPARE);
    if (size == 0)
        return INIT_GOOD;
    if (!elf_is_placed(&package->elf, image, work->done, size))
        return refuse(package);
    work->done += size;
    return INIT_MORE;
}
