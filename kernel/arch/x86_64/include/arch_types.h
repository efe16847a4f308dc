// SPDX-License-Identifier: Apache-2.0
//
// arch_types.h (x86_64): the frame of a fiber, its floating point state, the page table entry
// codec.
//
// The frame holds every register of ring 3 but the segment registers, which are null at each return
// to it, and but FS and GS base, which are zero for ever (FSGSBASE is off, the MSRs are ring 0's).
// At the end stand the few instructions that C has no words for; only this folder uses them.
#ifndef RUMPK_ARCH_TYPES_H
#define RUMPK_ARCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

// Order and offsets are shared with trap.S through offsets.h.
struct arch_frame {
    uint64_t rax;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rsi;
    uint64_t rdi;
    uint64_t rbp;
    uint64_t rsp;
    uint64_t r8;
    uint64_t r9;
    uint64_t r10;
    uint64_t r11;
    uint64_t r12;
    uint64_t r13;
    uint64_t r14;
    uint64_t r15;
    uint64_t rip;
    uint64_t rflags; // as it was at the trap; ring 3 is always entered with ARCH_USER_RFLAGS
} __attribute__((aligned(16)));

// The FXSAVE image (Intel SDM volume 1, 10.5.1). XSAVE is off, so there is no state beyond it.
struct arch_fp {
    uint16_t fcw;
    uint8_t between[22];
    uint32_t mxcsr;
    uint8_t rest[484];
} __attribute__((aligned(16)));

#define ARCH_PT_LEVELS     4u
#define ARCH_ADDRESS_LIMIT (UINT64_C(1) << 47) // end of the lower canonical half

// Page table entry, Intel SDM volume 3, 4.5. Bit 63 is NX, bits 51:12 the address.
//   0 P  1 W  2 U  3 PWT  4 PCD  5 A  6 D  7 PS (levels 1 and 2)  8 G
#define PTE_PRESENT  UINT64_C(0x01)
#define PTE_WRITE    UINT64_C(0x02)
#define PTE_USER     UINT64_C(0x04)
#define PTE_UNCACHED UINT64_C(0x18) // PWT | PCD: entry 3 of the PAT, which cpu.c keeps UC
#define PTE_ACCESSED UINT64_C(0x20)
#define PTE_DIRTY    UINT64_C(0x40)
#define PTE_BLOCK    UINT64_C(0x80)
#define PTE_NX       (UINT64_C(1) << 63)
#define PTE_ADDRESS  UINT64_C(0x000FFFFFFFFFF000)

// PROT_* of arch.h, which includes this file before it defines them (offsets_check.c compares).
#define ARCH_PROT_READ    0x01u
#define ARCH_PROT_WRITE   0x02u
#define ARCH_PROT_EXECUTE 0x04u
#define ARCH_PROT_USER    0x08u
#define ARCH_PROT_DEVICE  0x10u

static inline uint64_t arch_pte_leaf(uint64_t pa, uint32_t prot, unsigned level)
{
    uint64_t pte = (pa & PTE_ADDRESS) | PTE_PRESENT | PTE_ACCESSED;
    // Dirty only when writable: read-only and dirty means shadow stack to newer processors.
    if (prot & ARCH_PROT_WRITE) {
        pte |= PTE_WRITE | PTE_DIRTY;
    }
    if (!(prot & ARCH_PROT_EXECUTE)) {
        pte |= PTE_NX;
    }
    if (prot & ARCH_PROT_USER) {
        pte |= PTE_USER;
    }
    if (prot & ARCH_PROT_DEVICE) {
        pte |= PTE_UNCACHED;
    }
    if (level > 0) {
        pte |= PTE_BLOCK;
    }
    return pte;
}

// Tables allow everything; the leaf decides.
static inline uint64_t arch_pte_table(uint64_t pa)
{
    return (pa & PTE_ADDRESS) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
}

static inline bool arch_pte_present(uint64_t pte)
{
    return (pte & PTE_PRESENT) != 0;
}

static inline bool arch_pte_is_leaf(uint64_t pte, unsigned level)
{
    return level == 0 || (pte & PTE_BLOCK) != 0;
}

static inline uint64_t arch_pte_address(uint64_t pte)
{
    return pte & PTE_ADDRESS;
}

static inline uint32_t arch_pte_prot(uint64_t pte)
{
    uint32_t prot = ARCH_PROT_READ; // there is no entry without it

    if (pte & PTE_WRITE) {
        prot |= ARCH_PROT_WRITE;
    }
    if (!(pte & PTE_NX)) {
        prot |= ARCH_PROT_EXECUTE;
    }
    if (pte & PTE_USER) {
        prot |= ARCH_PROT_USER;
    }
    return prot;
}

// ---- for kernel/arch/x86_64 only ---------------------------------------------------------------

static inline void cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void cpu_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint16_t cpu_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t cpu_in32(uint16_t port)
{
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint8_t cpu_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint64_t cpu_msr_read(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t)high << 32 | low;
}

static inline void cpu_msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

// A word of the BIOS data area, in page 0.
static inline uint16_t cpu_bios_word(uint64_t address)
{
    return *(const volatile uint16_t *)(uintptr_t)address;
}

struct cpu_id {
    uint32_t eax, ebx, ecx, edx;
};

// All zero when the processor does not know the leaf.
struct cpu_id cpu_id_read(uint32_t leaf, uint32_t subleaf);

// cpu.c: loads the GDT and the TSS with its trap stacks and closed port bitmap.
void cpu_tables_load(void);

// cpu.c: forgets a machine check, so that the next one does not shut the processor down.
void cpu_machine_check_clear(void);

// boot.c: the machine says that it is QEMU's microvm, whose constants boot.c and power.c know.
bool boot_is_microvm(void);

#endif
