// SPDX-License-Identifier: Apache-2.0
//
// audit.c: the list behind the page-table audit (audit.h). Written at boot, by `map` and by
// `revoke`; read only from outside.
#include <kernel/audit.h>

[[gnu::used]] struct audit rumpk_audit;

void audit_root_add(uint64_t root, uint32_t fiber)
{
    if (rumpk_audit.root_count == AUDIT_ROOTS_MAX) {
        rumpk_audit.dropped++;
        return;
    }
    rumpk_audit.roots[rumpk_audit.root_count++] = (struct audit_root){
        .root = root,
        .fiber = fiber,
        .live = 1,
    };
}

void audit_root_end(uint32_t fiber)
{
    for (uint32_t index = 0; index < rumpk_audit.root_count; index++) {
        if (rumpk_audit.roots[index].fiber == fiber)
            rumpk_audit.roots[index].live = 0;
    }
}

void audit_region_add(uint32_t fiber, uint64_t va, uint64_t pa, uint64_t size, uint32_t prot,
                      uint32_t type)
{
    if (rumpk_audit.region_count == AUDIT_REGIONS_MAX) {
        rumpk_audit.dropped++;
        return;
    }
    rumpk_audit.regions[rumpk_audit.region_count++] = (struct audit_region){
        .va = va,
        .pa = pa,
        .size = size,
        .fiber = fiber,
        .prot = (uint16_t)prot,
        .type = (uint16_t)type,
    };
}

void audit_region_remove(uint32_t fiber, uint64_t va, uint64_t size, uint32_t prot, uint32_t type)
{
    for (uint32_t index = 0; index < rumpk_audit.region_count; index++) {
        const struct audit_region *region = &rumpk_audit.regions[index];

        if (region->fiber != fiber || region->va != va || region->size != size ||
            region->prot != prot || region->type != type)
            continue;
        rumpk_audit.regions[index] = rumpk_audit.regions[--rumpk_audit.region_count];
        return;
    }
}

// A debugger's breakpoint: must stay a function of its own that does something.
[[gnu::noinline]] void audit_step(uint32_t step)
{
    rumpk_audit.magic = AUDIT_MAGIC;
    rumpk_audit.step = step;
    rumpk_audit.steps++;
    __asm__ volatile("" ::: "memory");
}
