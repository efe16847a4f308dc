// SPDX-License-Identifier: Apache-2.0
//
// arch_types.h (riscv64): a fiber's registers, its floating point state, and the Sv39 entry codec
// (RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System").
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct arch_frame {
    uint64_t x[31]; // x1 .. x31
    uint64_t pc;
    uint64_t status; // sstatus as user mode is entered
    uint64_t reserved;
} __attribute__((aligned(16)));

struct arch_fp {
    uint64_t f[32];
    uint64_t fcsr;
    uint64_t reserved;
} __attribute__((aligned(16)));

#define ARCH_PT_LEVELS 3u
#define ARCH_ADDRESS_LIMIT \
    (UINT64_C(1) << 38) // the lower half of Sv39; the upper one is not VA = PA

// 53..10 physical page number | 7 D | 6 A | 5 G | 4 U | 3 X | 2 W | 1 R | 0 V
#define PTE_V        0x01u
#define PTE_R        0x02u
#define PTE_W        0x04u
#define PTE_X        0x08u
#define PTE_U        0x10u
#define PTE_A        0x40u
#define PTE_D        0x80u
#define PTE_PPN_MASK UINT64_C(0x003FFFFFFFFFFC00)

// PROT_DEVICE needs no bit: memory types come from the physical memory attributes of the machine.
static inline uint64_t arch_pte_leaf(uint64_t pa, uint32_t prot, unsigned level)
{
    uint64_t bits = PTE_V | PTE_A | PTE_D;

    (void)level;
    bits |= (prot & 0x01u) != 0 ? PTE_R : 0;
    bits |= (prot & 0x02u) != 0 ? PTE_R | PTE_W : 0; // writable without readable is reserved
    bits |= (prot & 0x04u) != 0 ? PTE_X : 0;
    bits |= (prot & 0x08u) != 0 ? PTE_U : 0;
    return (pa >> 12) << 10 | bits;
}

static inline uint64_t arch_pte_table(uint64_t pa)
{
    return (pa >> 12) << 10 | PTE_V;
}

static inline bool arch_pte_present(uint64_t pte)
{
    return (pte & PTE_V) != 0;
}

static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level)
{
    (void)level;
    return (pte & (PTE_R | PTE_W | PTE_X)) != 0;
}

static inline uint64_t arch_pte_address(uint64_t pte)
{
    return (pte & PTE_PPN_MASK) << 2;
}

static inline uint32_t arch_pte_prot(uint64_t pte)
{
    uint32_t prot = 0;

    prot |= (pte & PTE_R) != 0 ? 0x01u : 0;
    prot |= (pte & PTE_W) != 0 ? 0x02u : 0;
    prot |= (pte & PTE_X) != 0 ? 0x04u : 0;
    prot |= (pte & PTE_U) != 0 ? 0x08u : 0;
    return prot;
}

#endif
