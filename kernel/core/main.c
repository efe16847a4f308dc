// SPDX-License-Identifier: Apache-2.0
//
// main.c: the boot, as one flat list. Each stage is recorded when it is complete, so the boot
// record says which one was under way when the machine ended. The order is fixed; what a stage
// needs stands above it.
#include <arch/arch.h>
#include <kernel/audit.h>
#include <kernel/device.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/systable.h>
#include <kernel/timer.h>
#include <kernel/tree.h>

static struct boot_info boot;

static void stage_done(enum rumpk_boot_stage stage)
{
    record_stage(stage);
    audit_step(AUDIT_STEP_STAGE);
}

// The firmware's words: the tree is checked as a whole, then its memory nodes complete what the
// arch code found.
static void firmware_read(void)
{
    record_require(arch_boot_info(&boot));
    if (boot.fdt == NULL)
        return;
    if (!tree_check(boot.fdt, boot.fdt_size) || !tree_memory(boot.fdt, &boot, boot.ram_count == 0))
        record_fail(RUMPK_BOOT_CAUSE_DEVICE_TREE);
}

static void boot_recorded(void)
{
    struct rumpk_ledger_record record = ledger_record(RUMPK_LEDGER_BOOT, 0);

    ledger_init();
    record.detail = record_ticks();
    ledger_append(&record);
}

void kernel_main(void)
{
    record_begin();
    arch_traps_init(); // vectors first: a fault in any stage below is recorded, not a silent hang
    record_require(arch_cpu_init());
    stage_done(RUMPK_BOOT_ENTRY);

    firmware_read();
    memory_init(&boot);
    arch_power_init(boot.fdt);
    stage_done(RUMPK_BOOT_MEMORY);

    record_require(arch_interrupts_find(boot.fdt)); // where: before the tables that map it
    memory_mmu_on(&boot);
    stage_done(RUMPK_BOOT_MMU);

    rumpk_boot_record.console = device_console(boot.fdt);
    stage_done(RUMPK_BOOT_CONSOLE);

    // The counter comes first: with it the controller's own timer is measured, where it has one.
    rumpk_boot_record.timer_hz = arch_timer_init(boot.fdt);
    if (rumpk_boot_record.timer_hz == 0)
        record_fail(RUMPK_BOOT_CAUSE_TIMER);
    record_require(arch_interrupts_init());
    stage_done(RUMPK_BOOT_INTERRUPTS);
    if (!timer_runs())
        record_fail(RUMPK_BOOT_CAUSE_TIMER);
    stage_done(RUMPK_BOOT_TIMER);

    device_init(boot.fdt);
    stage_done(RUMPK_BOOT_DEVICES);

    systable_init();
    stage_done(RUMPK_BOOT_SYSTABLE);
    boot_recorded();

    // Stage 2: from here on a failure costs a package, not the machine.
    if (init_archive_read()) {
        stage_done(RUMPK_BOOT_ARCHIVE);
        init_packages_verify();
        stage_done(RUMPK_BOOT_PACKAGES);
        init_packages_load();
        stage_done(RUMPK_BOOT_RINGS);
        start_begin();
        stage_done(RUMPK_BOOT_RUNNING);
    }
    sched_run();
}
