// SPDX-License-Identifier: Apache-2.0
//
// init.c: stage 2 as one flat list: read the archive, judge each package alone, judge them
// together, give them memory, connect them, start them. A package that is refused at any step is
// left out and recorded; who needs it is refused with it; everybody else goes on.
#include <kernel/audit.h>
#include <kernel/crypto.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/systable.h>

struct archive init_archive;
struct package init_packages[RUMPK_PACKAGES_MAX];

static uint32_t package_count(void)
{
    return init_archive.boot.image->package_count;
}

static struct rumpk_ledger_record record_of(const struct package *package,
                                            enum rumpk_ledger_kind kind, uint32_t code)
{
    const struct rumpk_bkdl_package *pinned = init_archive.boot.packages[package->number].package;
    struct rumpk_ledger_record record = ledger_record(kind, code);

    record.package = package->number;
    memcpy(record.package_id, pinned->package_id, sizeof(record.package_id));
    memcpy(record.name, pinned->name, sizeof(record.name));
    return record;
}

// Is this the kernel that the owner signed for? What is compared is what nip image read from the
// kernel's file (rumpk/bkdl.h): everything up to the image header, in which the owner's key stands.
static bool kernel_is_the_one(void)
{
    const uint8_t *start = (const uint8_t *)__kernel_start;
    const volatile void *header = &rumpk_image_header;

    return crypto_digest_fits(start, (uint64_t)(uintptr_t)header - (uint64_t)(uintptr_t)start,
                              init_archive.boot.image->loaded_digest);
}

bool init_archive_read(void)
{
    struct rumpk_ledger_record record;
    uint8_t owner_key[RUMPK_KEY_SIZE];
    enum rumpk_refusal refusal;
    uint64_t size;
    uint64_t detail = 0;
    const void *bytes = memory_archive(&size);

    for (uint32_t index = 0; index < sizeof(owner_key); index++)
        owner_key[index] = rumpk_image_header.owner_key[index];
    refusal = size == 0 && !bytes_are_zero(owner_key, sizeof(owner_key))
                  ? RUMPK_REFUSE_ARCHIVE_HEADER
                  : archive_validate(bytes, size, RUMPK_ARCH, owner_key, &init_archive, &detail);
    if (refusal == RUMPK_REFUSE_NONE && !kernel_is_the_one())
        refusal = RUMPK_REFUSE_KERNEL_DIGEST;
    if (refusal != RUMPK_REFUSE_NONE) {
        record = ledger_record(RUMPK_LEDGER_REFUSE, refusal);
        record.detail = detail;
        ledger_append(&record);
        systable_finish(false);
        return false;
    }
    record = ledger_record(RUMPK_LEDGER_MANIFEST, 0);
    memcpy(record.name, init_archive.boot.image->name, sizeof(record.name));
    ledger_append(&record);
    systable_finish((init_archive.boot.image->flags & RUMPK_IMAGE_DEVELOPMENT) != 0);
    sched_stay_on_idle((init_archive.boot.image->flags & RUMPK_IMAGE_STAY_ON_IDLE) != 0);
    return true;
}

void init_refuse(struct package *package, enum rumpk_refusal reason, uint64_t detail)
{
    if (!init_is_accepted(package))
        return;
    package->refusal = reason;
    package->detail = detail;
    fiber_table[package->number].state = FIBER_FREE;
    audit_root_end(package->number);
    grant_release(package);
}

// Calls `step` for each package that is still accepted.
static void packages_each(void (*step)(struct package *package))
{
    for (uint32_t number = 0; number < package_count(); number++) {
        record_package(number);
        if (init_is_accepted(&init_packages[number]))
            step(&init_packages[number]);
    }
    record_package(RUMPK_LEDGER_NO_PACKAGE);
}

static void step_verify(struct package *package)
{
    uint32_t number = (uint32_t)(package - init_packages);

    archive_package_validate(&init_archive, number, package);
}

static void step_place(struct package *package)
{
    place_fiber(package, &fiber_table[package->number]);
    if (init_is_accepted(package))
        grant_apply(package, &fiber_table[package->number]);
    audit_step(AUDIT_STEP_LOAD);
}

// Who starts the packages that are not started at boot.
static void step_demand(struct package *package)
{
    const struct rumpk_bkdl_package *pinned = init_archive.boot.packages[package->number].package;
    struct cap cap = {
        .type = RUMPK_CAP_SPAWN, .rights = RUMPK_RIGHT_CONTROL, .object = package->number};

    if (pinned->spawner == 0 || !init_is_accepted(&init_packages[pinned->spawner - 1]))
        return;
    // The part of the name behind the slash; it ends inside the field.
    cap.name = pinned->name;
    for (uint32_t index = 0; index <= RUMPK_LABEL_SIZE; index++) {
        if (pinned->name[index] == '/')
            cap.name = &pinned->name[index + 1];
    }
    if (cap_add(&fiber_table[pinned->spawner - 1], cap) < 0)
        init_refuse(package, RUMPK_REFUSE_LIMIT, pinned->spawner - 1);
}

static void step_finish(struct package *package)
{
    place_start_block(package, &fiber_table[package->number]);
}

void init_packages_verify(void)
{
    packages_each(step_verify);
    packages_each(grant_check);
    wire_check();
    start_check_circles();
    wire_check_needs();
}

void init_packages_load(void)
{
    packages_each(step_place);
    wire_check_needs();
    wire_apply();
    wire_check_needs();
    packages_each(step_demand);
    packages_each(step_finish);
    wire_check_needs();
    for (uint32_t number = 0; number < package_count(); number++) {
        const struct package *package = &init_packages[number];
        struct rumpk_ledger_record record =
            record_of(package, RUMPK_LEDGER_REFUSE, package->refusal);

        if (init_is_accepted(package))
            continue;
        record.detail = package->detail;
        ledger_append(&record);
    }
}

void init_package_start(struct package *package)
{
    struct fiber *fiber = &fiber_table[package->number];
    struct rumpk_ledger_record record = record_of(package, RUMPK_LEDGER_START, 0);

    record.fiber = fiber->number;
    record.image_base = fiber->image_base;
    ledger_append(&record);
    sched_ready(fiber);
    audit_step(AUDIT_STEP_START);
}
