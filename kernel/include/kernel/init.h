// SPDX-License-Identifier: Apache-2.0
//
// init.h: from the boot archive to running fibers: stage 2 of the boot.
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include <kernel/fiber.h>
#include <kernel/load.h>

extern struct archive init_archive;
extern struct package init_packages[RUMPK_PACKAGES_MAX];

// Archive and boot manifest. False: refused (recorded); nothing starts.
[[nodiscard]] bool init_archive_read(void);
// Verifies every package and judges it, alone and beside the others.
void init_packages_verify(void);
// Loads and connects those that are accepted; records each refusal.
void init_packages_load(void);
// Makes one fiber ready that is loaded and not started yet; recorded.
void init_package_start(struct package *package);

// One step of verifying a loaded package again before it starts, as long as this says MORE. BAD:
// the package is refused now and recorded. `work` begins with done and part 0 and a hash begun.
enum init_verdict {
    INIT_MORE,
    INIT_GOOD,
    INIT_BAD,
};
[[nodiscard]] enum init_verdict init_verify_step(struct package *package, struct work *work);

// start.c: who starts when, and what becomes of clients whose server fails.
// Starts each package that waits for no other.
void start_begin(void);
// The server of this wire waits for requests for the first time.
void start_announced(uint32_t wire);
// The fiber of a package has ended: who waited for it is due.
void start_ended(uint32_t number);
// Decides about one package that is due, if there is one. Between two fibers.
void start_next(void);
bool start_is_due(void);
// Nothing can happen any more: records who was never started.
void start_end(void);

// ---- between the parts of init ----

// Refuses a package: the first reason stands. Recorded by init_packages_load at the end.
void init_refuse(struct package *package, enum rumpk_refusal reason, uint64_t detail);
static inline bool init_is_accepted(const struct package *package)
{
    return package->refusal == RUMPK_REFUSE_NONE;
}

// grant.c: does each grant answer a request, and each request that is not optional have a grant?
void grant_check(struct package *package);
// Makes the capabilities of a loaded package. On failure the package is refused.
void grant_apply(struct package *package, struct fiber *fiber);
// Gives the devices of a refused package back.
void grant_release(const struct package *package);

// wire.c: does each wire fit what both ends say, and is each need that is not optional wired to an
// accepted package?
void wire_check(void);
void wire_check_needs(void);
// start.c: refuses packages that wait for each other in a circle.
void start_check_circles(void);
// Makes rings and arenas between accepted packages. On failure the client is refused.
void wire_apply(void);
// Writes the channels of a fiber; returns how many.
uint32_t wire_channels(const struct package *package, struct rumpk_channel *out, uint32_t max);

// place.c: memory, image, tables of one package's fiber; later its start block.
void place_fiber(struct package *package, struct fiber *fiber);
void place_start_block(struct package *package, struct fiber *fiber);
// Prepares tables so that `map` cannot fail, or maps at once.
[[nodiscard]] bool place_prepare(struct fiber *fiber, uint64_t base, uint64_t size);

// The request that this grant answers, or null.
const struct rumpk_bkdl_request *grant_request(const struct package *package,
                                               const struct rumpk_bkdl_grant *grant);
#endif
