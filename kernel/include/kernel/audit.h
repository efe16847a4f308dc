// SPDX-License-Identifier: Apache-2.0
//
// audit.h: what a test outside the machine needs to judge all page tables at a given moment.
//
// rumpk_audit lists the live roots and, for each driver, every range that the kernel meant to map
// with user rights. A test stops at audit_step (called after each stage, load and start), walks the
// tables from outside and compares.
#ifndef KERNEL_AUDIT_H
#define KERNEL_AUDIT_H

#include <kernel/base.h>

#define AUDIT_MAGIC          UINT64_C(0x3054494455414D52) // "RMAUDIT0"
#define AUDIT_REGIONS_MAX    1024u
#define AUDIT_ROOTS_MAX      (RUMPK_PACKAGES_MAX + 2u)
#define AUDIT_FIBER_TEMPLATE 0xFFFFFFFEu
#define AUDIT_FIBER_KERNEL   0xFFFFFFFFu

struct audit_region {
    uint64_t va;
    uint64_t pa;
    uint64_t size;
    uint32_t fiber;
    uint16_t prot; // PROT_*
    uint16_t type; // enum rumpk_cap_type; NONE for image, stack, heap, start block, SysTable, gate
};
RUMPK_ASSERT_SIZE(audit_region, 32);

struct audit_root {
    uint64_t root;
    uint32_t fiber; // or AUDIT_FIBER_*
    uint32_t live;  // 0: its fiber has ended
};
RUMPK_ASSERT_SIZE(audit_root, 16);

struct audit {
    uint64_t magic;
    uint32_t step;  // argument of the last audit_step
    uint32_t steps; // how often it was called
    uint32_t root_count;
    uint32_t region_count;
    uint32_t dropped; // regions that did not fit: a test treats it as a failure
    uint32_t reserved;
    struct audit_root roots[AUDIT_ROOTS_MAX];
    struct audit_region regions[AUDIT_REGIONS_MAX];
};
RUMPK_ASSERT_OFFSET(audit, roots, 32);

extern struct audit rumpk_audit;

// What audit_step was called for.
#define AUDIT_STEP_STAGE  1u
#define AUDIT_STEP_LOAD   2u
#define AUDIT_STEP_START  3u
#define AUDIT_STEP_MAP    4u
#define AUDIT_STEP_END    5u
#define AUDIT_STEP_REVOKE 6u

void audit_root_add(uint64_t root, uint32_t fiber);
void audit_root_end(uint32_t fiber);
void audit_region_add(uint32_t fiber, uint64_t va, uint64_t pa, uint64_t size, uint32_t prot,
                      uint32_t type);
// One that was added with exactly these words is no longer meant to be mapped.
void audit_region_remove(uint32_t fiber, uint64_t va, uint64_t size, uint32_t prot, uint32_t type);
void audit_step(uint32_t step);

#endif
