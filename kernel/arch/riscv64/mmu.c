// SPDX-License-Identifier: Apache-2.0
//
// mmu.c (riscv64): Sv39 roots. No ASID in this release: each switch flushes.
#include <arch/arch.h>

#define SATP_SV39 (UINT64_C(8) << 60)

void arch_root_switch(uint64_t root)
{
    // The first fence orders earlier stores to the tables before their first use (section
    // "sfence.vma"), the second drops what the old root left behind.
    __asm__ volatile("sfence.vma zero, zero\n\tcsrw satp, %0\n\tsfence.vma zero, zero" ::"r"(
                         SATP_SV39 | root >> 12)
                     : "memory");
}

void arch_mmu_on(uint64_t root)
{
    arch_root_switch(root);
}

void arch_tlb_flush(void)
{
    __asm__ volatile("sfence.vma zero, zero" ::: "memory");
}

void arch_code_sync(uint64_t address, uint64_t size)
{
    (void)address;
    (void)size;
    __asm__ volatile("fence rw, rw\n\tfence.i" ::: "memory");
}

void arch_device_fence(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}
