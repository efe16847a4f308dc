// SPDX-License-Identifier: Apache-2.0
//
// mmu.c (x86_64): which page tables are active.
//
// No PCID and no global pages in this release: loading CR3 forgets every translation (Intel SDM
// volume 3, 4.10.4.1), also those of entries that were changed in place. The boot tables of entry.S
// are already on when the first root arrives, so switching on is a switch like any other.
#include <arch/arch.h>

void arch_root_switch(uint64_t root)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

void arch_mmu_on(uint64_t root)
{
    arch_root_switch(root);
}

void arch_tlb_flush(void)
{
    uint64_t root;

    __asm__ volatile("movq %%cr3, %0" : "=r"(root));
    arch_root_switch(root);
}

// Instruction fetch is coherent with stores of the same processor; what has been fetched before is
// given up at a serialising instruction (Intel SDM volume 3, 8.1.3), and a fiber is entered by one
// (IRETQ). Nothing is left to do but to keep the compiler from moving stores past this point.
void arch_code_sync(uint64_t address, uint64_t size)
{
    (void)address;
    (void)size;
    __asm__ volatile("" : : : "memory");
}

void arch_device_fence(void)
{
    __asm__ volatile("mfence" ::: "memory");
}
