// SPDX-License-Identifier: Apache-2.0
//
// arch_types.h (aarch64): registers of a fiber, and what a page table entry says.
//
// VMSAv8-64, 4 KiB granule, 39 bits, three levels, TTBR0 only. A leaf entry (Arm ARM, D8.3):
//
//    54   53   52   50        11   10   9:8    7:6    4:2   1     0
//    UXN  PXN  -    GP  pa    nG   AF   SH     AP     attr  page  valid
//
// AP[2:1]: 00 kernel RW; 01 both RW; 10 kernel RO; 11 both RO. EL0 may execute with AP = 10: that
// is execute-only. Every page is executable for EL0, for EL1 or for nobody, and SCTLR_EL1.WXN takes
// execution away from whatever is writable.
#ifndef RUMPK_AARCH64_ARCH_TYPES_H
#define RUMPK_AARCH64_ARCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

// trap.S knows these offsets: offsets.h, checked by offsets_check.c.
struct arch_frame {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t pstate;
    uint64_t thread; // TPIDR_EL0: EL0 may write it at any time, so it belongs to the fiber
    uint64_t reserved;
} __attribute__((aligned(16)));

struct arch_fp {
    uint64_t v[64]; // v0..v31, low half first
    uint64_t fpcr;
    uint64_t fpsr;
} __attribute__((aligned(16)));

#define ARCH_PT_LEVELS     3u
#define ARCH_ADDRESS_LIMIT (UINT64_C(1) << 39)

// MAIR_EL1 holds these two (mmu.c, entry.S): 0 = Device-nGnRnE, 1 = normal, write-back, allocating.
#define ARCH_PTE_VALID           (UINT64_C(1) << 0)
#define ARCH_PTE_TABLE           (UINT64_C(1) << 1) // a table; a page at level 0; else a block
#define ARCH_PTE_DEVICE          (UINT64_C(0) << 2)
#define ARCH_PTE_NORMAL          (UINT64_C(1) << 2)
#define ARCH_PTE_EL0             (UINT64_C(1) << 6)
#define ARCH_PTE_READ_ONLY       (UINT64_C(1) << 7)
#define ARCH_PTE_INNER_SHAREABLE (UINT64_C(3) << 8)
#define ARCH_PTE_ACCESSED        (UINT64_C(1) << 10)
#define ARCH_PTE_NOT_GLOBAL      (UINT64_C(1) << 11)
#define ARCH_PTE_GUARDED         (UINT64_C(1) << 50) // BTI: only landing pads can be jumped to
#define ARCH_PTE_PXN             (UINT64_C(1) << 53)
#define ARCH_PTE_UXN             (UINT64_C(1) << 54)
#define ARCH_PTE_ADDRESS         UINT64_C(0x0000FFFFFFFFF000)

// ARCH_PTE_GUARDED where the processor has BTI, else 0. Set by arch_cpu_init, before any table
// exists.
extern uint64_t arch_pte_guarded;

#define ARCH_PTE_PROT_READ    0x01u
#define ARCH_PTE_PROT_WRITE   0x02u
#define ARCH_PTE_PROT_EXECUTE 0x04u
#define ARCH_PTE_PROT_USER    0x08u
#define ARCH_PTE_PROT_DEVICE  0x10u

static inline uint64_t arch_pte_leaf(uint64_t pa, uint32_t prot, unsigned level)
{
    bool user = (prot & ARCH_PTE_PROT_USER) != 0;
    bool device = (prot & ARCH_PTE_PROT_DEVICE) != 0;
    bool execute = (prot & ARCH_PTE_PROT_EXECUTE) != 0 && !device;
    // All entries are of an ASID (never global): mmu.c changes ASID with the root, so that entries
    // of two roots can never meet in the TLB.
    uint64_t pte =
        (pa & ARCH_PTE_ADDRESS) | ARCH_PTE_VALID | ARCH_PTE_ACCESSED | ARCH_PTE_NOT_GLOBAL;
    if (level == 0)
        pte |= ARCH_PTE_TABLE;
    pte |= device ? ARCH_PTE_DEVICE : (ARCH_PTE_NORMAL | ARCH_PTE_INNER_SHAREABLE);
    // Execute-only: no EL0 data access, EL0 execution allowed.
    if (user && (prot & (ARCH_PTE_PROT_READ | ARCH_PTE_PROT_WRITE)) != 0)
        pte |= ARCH_PTE_EL0;
    if ((prot & ARCH_PTE_PROT_WRITE) == 0)
        pte |= ARCH_PTE_READ_ONLY;
    if (!(execute && user))
        pte |= ARCH_PTE_UXN;
    if (!(execute && !user))
        pte |= ARCH_PTE_PXN;
    // Landing pads: the kernel and the gate page are built with them. A driver's own text is not
    // guarded: the ELF note's profile does not promise that all of it was built with them.
    if (execute && (!user || (prot & ARCH_PTE_PROT_READ) == 0))
        pte |= arch_pte_guarded;
    return pte;
}

static inline uint64_t arch_pte_table(uint64_t pa)
{
    return (pa & ARCH_PTE_ADDRESS) | ARCH_PTE_TABLE | ARCH_PTE_VALID;
}

static inline bool arch_pte_present(uint64_t pte)
{
    return (pte & ARCH_PTE_VALID) != 0;
}

static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level)
{
    return level == 0 || (pte & ARCH_PTE_TABLE) == 0;
}

static inline uint64_t arch_pte_address(uint64_t pte)
{
    return pte & ARCH_PTE_ADDRESS;
}

static inline uint32_t arch_pte_prot(uint64_t pte)
{
    if (!arch_pte_present(pte))
        return 0;
    bool el0_data = (pte & ARCH_PTE_EL0) != 0;
    bool el0_execute = (pte & ARCH_PTE_UXN) == 0;
    bool el1_execute = (pte & ARCH_PTE_PXN) == 0;
    uint32_t prot = 0;
    if (el0_data || el0_execute)
        prot |= ARCH_PTE_PROT_USER;
    // An execute-only page of EL0 is readable by EL1 only, which is not a right of the driver.
    if (el0_data || !el0_execute)
        prot |= ARCH_PTE_PROT_READ;
    if ((pte & ARCH_PTE_READ_ONLY) == 0)
        prot |= ARCH_PTE_PROT_WRITE | ARCH_PTE_PROT_READ;
    if (el0_execute || el1_execute)
        prot |= ARCH_PTE_PROT_EXECUTE;
    return prot;
}

#endif
