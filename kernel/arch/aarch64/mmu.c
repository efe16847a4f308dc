// SPDX-License-Identifier: Apache-2.0
//
// mmu.c (aarch64): roots, and what must be forgotten when one changes.
//
// Two address space numbers take turns. Every leaf is of an ASID (arch_types.h), so a switch is:
// forget all of the other ASID, which nothing can be using or refilling, then load root and ASID by
// one register write. Entries of two roots are never in use together: no stale right survives, and
// no two entries of different size or right can conflict, which a plain "write TTBR0, then flush"
// does not promise (Arm ARM, D8.13).
#include "offsets.h"

#include <arch/arch.h>

#define ASID_SHIFT 48u

// SCTLR_EL1 of a processor with BTI: BT0, BT1. Then PACIASP and PACIBSP are landing pads of calls
// only.
#define SCTLR_BT (UINT64_C(3) << 35)
// With PAN of the third kind: execute-only pages of EL0 are out of the kernel's reach too.
#define SCTLR_EPAN (UINT64_C(1) << 57)

static uint64_t current_asid;

static uint64_t read_feature_pan(void)
{
    uint64_t value;
    __asm__("mrs %0, id_aa64mmfr1_el1" : "=r"(value));
    return (value >> 20) & 0xF;
}

// From entry.S's map to that of portable code: size of the address space, table, WXN, PAN and BTI
// control change together, and each may be cached in the TLB; so the MMU goes off between. No
// memory is accessed in that time: data would be looked for behind the caches.
void arch_mmu_on(uint64_t root)
{
    uint64_t control =
        SCTLR_BASE | SCTLR_MMU | SCTLR_DATA_CACHE | SCTLR_INSTRUCTION_CACHE | SCTLR_WXN;
    uint64_t pan = read_feature_pan();
    if (pan >= 1)
        control &= ~(uint64_t)SCTLR_SPAN; // every trap into the kernel sets PAN
    if (pan >= 3)
        control |= SCTLR_EPAN;
    if (arch_pte_guarded != 0)
        control |= SCTLR_BT;
    uint64_t translation;
    __asm__("mrs %0, tcr_el1" : "=r"(translation));
    translation = (translation & ~UINT64_C(0x3F)) | TCR_T0SZ;
    uint64_t off = SCTLR_BASE | SCTLR_INSTRUCTION_CACHE;
    current_asid = 0;
    __asm__ volatile(
        "dsb ish\n\t"
        "msr sctlr_el1, %[off]\n\t"
        "isb\n\t"
        "msr tcr_el1, %[translation]\n\t"
        "msr ttbr0_el1, %[root]\n\t"
        "isb\n\t"
        "tlbi vmalle1\n\t"
        "dsb nsh\n\t"
        "isb\n\t"
        "msr sctlr_el1, %[on]\n\t"
        "isb"
        :
        : [off] "r"(off), [translation] "r"(translation), [root] "r"(root), [on] "r"(control)
        : "memory");
}

void arch_root_switch(uint64_t root)
{
    current_asid ^= 1;
    uint64_t asid = current_asid << ASID_SHIFT;
    __asm__ volatile("dsb ishst\n\t" // stores to tables come before the walks of the new root
                     "tlbi aside1, %[asid]\n\t"
                     "dsb nsh\n\t"
                     "msr ttbr0_el1, %[value]\n\t"
                     "isb"
                     :
                     : [asid] "r"(asid), [value] "r"(root | asid)
                     : "memory");
}

void arch_tlb_flush(void)
{
    __asm__ volatile("dsb ishst\n\t"
                     "tlbi vmalle1\n\t"
                     "dsb nsh\n\t"
                     "isb" ::
                         : "memory");
}

// Stores reach the point of unification, then instruction caches forget the range (Arm ARM,
// B2.7.4.2). CTR_EL0 says which half the processor does by itself (IDC, DIC) and the line sizes in
// words.
void arch_code_sync(uint64_t address, uint64_t size)
{
    uint64_t type;
    __asm__("mrs %0, ctr_el0" : "=r"(type));
    uint64_t end = address + size;
    if (((type >> 28) & 1) == 0) {
        uint64_t line = UINT64_C(4) << ((type >> 16) & 0xF);
        for (uint64_t at = address & ~(line - 1); at < end; at += line)
            __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    }
    __asm__ volatile("dsb ish" ::: "memory");
    if (((type >> 29) & 1) == 0) {
        uint64_t line = UINT64_C(4) << (type & 0xF);
        for (uint64_t at = address & ~(line - 1); at < end; at += line)
            __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
        __asm__ volatile("dsb ish" ::: "memory");
    }
    __asm__ volatile("isb" ::: "memory");
}

void arch_device_fence(void)
{
    __asm__ volatile("dmb sy" ::: "memory");
}
