// SPDX-License-Identifier: Apache-2.0
//
// record.c: the boot record, and the two ways in which the machine ends abnormally: a boot stage
// that cannot be completed, and a trap where no fiber can be blamed.
#include <arch/arch.h>
#include <kernel/link.h>
#include <kernel/record.h>

[[gnu::used]] struct rumpk_boot_record rumpk_boot_record;
static uint64_t boot_ticks;
static uint64_t latest; // time never goes backwards

void record_begin(void)
{
    boot_ticks = arch_timer_now();
    rumpk_boot_record.magic = RUMPK_BOOT_MAGIC;
    rumpk_boot_record.arch = RUMPK_ARCH;
    rumpk_boot_record.package = RUMPK_LEDGER_NO_PACKAGE;
    rumpk_boot_record.kernel_start = link_address(__kernel_start);
    rumpk_boot_record.kernel_end = link_address(__kernel_end);
}

uint64_t record_boot_ticks(void)
{
    return boot_ticks;
}

uint64_t record_ticks(void)
{
    uint64_t ticks = arch_timer_now() - boot_ticks;

    // A counter that goes backwards stands still for the kernel until it has caught up.
    if (ticks - latest > UINT64_MAX / 2)
        return latest;
    latest = ticks;
    return ticks;
}

void record_stage(enum rumpk_boot_stage stage)
{
    rumpk_boot_record.stage = (uint32_t)stage;
    rumpk_boot_record.ticks[stage] = record_ticks();
}

void record_package(uint32_t package)
{
    rumpk_boot_record.package = package;
}

void record_fail(enum rumpk_boot_cause cause)
{
    rumpk_boot_record.cause = (uint32_t)cause;
    arch_power_off();
}

void record_fail_trap(uint64_t pc, uint64_t address, uint64_t detail)
{
    rumpk_boot_record.pc = pc;
    rumpk_boot_record.address = address;
    rumpk_boot_record.detail = detail;
    record_fail(RUMPK_BOOT_CAUSE_TRAP);
}

void record_require(uint32_t cause)
{
    if (cause != RUMPK_BOOT_CAUSE_NONE)
        record_fail((enum rumpk_boot_cause)cause);
}

void kernel_assert_failed(void)
{
    record_fail_trap((uint64_t)(uintptr_t)__builtin_return_address(0), 0, UINT64_MAX);
}
