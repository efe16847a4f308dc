// SPDX-License-Identifier: Apache-2.0
//
// power.c (riscv64): power-off by the SBI system reset extension (SBI 0.3, chapter "System Reset").
#include "machine.h"

#include <arch/arch.h>

void arch_power_init(const void *fdt)
{
    (void)fdt;
}

void arch_power_off(void)
{
    sbi_call(SBI_EXTENSION_SRST, 0, 0, 0); // shutdown, no reason
    sbi_call(SBI_LEGACY_SHUTDOWN, 0, 0, 0);
    arch_halt(); // the firmware refused: at least nothing happens any more
}

void arch_relax(void)
{
    __asm__ volatile("nop");
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("wfi" : : : "memory");
}
