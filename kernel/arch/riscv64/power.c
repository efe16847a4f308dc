// SPDX-License-Identifier: Apache-2.0
//
// power.c (riscv64): power-off by the SBI system reset extension (SBI 0.3, chapter "System Reset").
#include <arch/arch.h>

#define SBI_EXTENSION_SRST  0x53525354u
#define SBI_LEGACY_SHUTDOWN 8u

static void sbi_call(uint64_t extension, uint64_t function, uint64_t first, uint64_t second)
{
    register uint64_t a0 __asm__("a0") = first;
    register uint64_t a1 __asm__("a1") = second;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
}

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
