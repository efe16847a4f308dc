// SPDX-License-Identifier: Apache-2.0
//
// main.c: the boot, as one flat list. Each stage is recorded when it is complete, so the boot record says which one
// was under way when the machine ended. The order is fixed; what a stage needs stands above it.
#include <arch/arch.h>
#include <kernel/audit.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/tree.h>

static struct boot_info boot;

static void stage_done(enum rumpk_boot_stage stage)
{
    record_stage(stage);
    audit_step(AUDIT_STEP_STAGE);
}

// The firmware's words: the tree is checked as a whole, then its memory nodes complete what the arch code found.
static void firmware_read(void)
{
    record_require(arch_boot_info(&boot));
    if (boot.fdt == NULL)
        return;
    if (!tree_check(boot.fdt, boot.fdt_size) || !tree_memory(boot.fdt, &boot, boot.ram_count == 0))
        record_fail(RUMPK_BOOT_CAUSE_DEVICE_TREE);
}

void kernel_main(void)
{
    record_begin();
    arch_traps_init();  // vectors first: a fault in any stage below is recorded, not a silent hang
    record_require(arch_cpu_init());
    stage_done(RUMPK_BOOT_ENTRY);

    firmware_read();
    memory_init(&boot);
    arch_power_init(boot.fdt);
    stage_done(RUMPK_BOOT_MEMORY);

    memory_mmu_on(&boot);
    stage_done(RUMPK_BOOT_MMU);
    stage_done(RUMPK_BOOT_TRAPS);

    rumpk_boot_record.timer_hz = arch_timer_init(boot.fdt);
    if (rumpk_boot_record.timer_hz == 0)
        record_fail(RUMPK_BOOT_CAUSE_TIMER);
    stage_done(RUMPK_BOOT_TIMER);

    arch_power_off();
}
