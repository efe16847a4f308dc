// SPDX-License-Identifier: Apache-2.0
//
// entry.S (aarch64): from the first instruction to kernel_main.
//
// Hand-over in: a loader jumped to _start at EL2 or EL1, MMU and data cache off, DAIF masked, the
// image cleaned to the point of coherency. x0 = address of the device tree, or 0 (an ELF file
// started by the emulator: the tree then lies at the start of RAM, boot.c).
// Hand-over out: EL1, own stack, bss zero, an identity map of the 3 GiB from 0x40000000 with caches
// on.
//
// With the MMU off every data access is to Device memory: unaligned ones fault, exclusive ones need
// not work, and what is written bypasses caches that may hold older lines of the same memory. So
// nothing is stored, and nothing but instructions fetched, before the MMU is on; its first table is
// constant data. That map is writable and executable at once; arch_mmu_on replaces it before any
// driver exists.

#include "offsets.h"

#define BLOCK_1GIB 0x1
#define BLOCK_NORMAL (1 << 2)
#define BLOCK_INNER_SHAREABLE (3 << 8)
#define BLOCK_ACCESSED (1 << 10)
#define BLOCK_NOT_GLOBAL (1 << 11)
#define BLOCK_UXN (1 << 54)
#define BOOT_BLOCK \
    (BLOCK_1GIB | BLOCK_NORMAL | BLOCK_INNER_SHAREABLE | BLOCK_ACCESSED | BLOCK_NOT_GLOBAL | \
     BLOCK_UXN)

#define CURRENT_EL_1 0x4
#define CURRENT_EL_2 0x8

    .section .text.entry, "ax", @progbits
    .global _start
    .type _start, @function
_start:
    bti c
    msr daifset, #0xf
    mov x20, x0               // the tree
    mrs x21, CurrentEL
    cmp x21, #CURRENT_EL_1
    b.eq from_el1
    cmp x21, #CURRENT_EL_2
    b.ne park                 // EL3: no firmware below us, so nobody to power the machine off

// ---- EL2: leave it, everything that could trap from EL1 to EL2 off ------------------------------
// HCR_EL2: RW (EL1 is AArch64), API and APK (pointer authentication does not trap). SMC and HVC are
// not trapped: the firmware behind them serves PSCI.
    mov x0, #(1 << 31)
    movk x0, #0x300, lsl #32
    msr hcr_el2, x0
    isb
    mov x0, #0x33ff           // CPTR_EL2: RES1; FP allowed; SVE and SME trap
    msr cptr_el2, x0
    mov x0, #3                // CNTHCTL_EL2: EL1 may use the physical counter and timer
    msr cnthctl_el2, x0
    msr cntvoff_el2, xzr
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x0, midr_el1
    msr vpidr_el2, x0
    mrs x0, mpidr_el1
    msr vmpidr_el2, x0

    // Interrupt controller with system registers (GICv3): EL1 may use them; nothing is virtual.
    mrs x0, id_aa64pfr0_el1
    ubfx x0, x0, #24, #4
    cbz x0, 1f
    mrs x0, S3_4_C12_C9_5     // ICC_SRE_EL2: SRE, and access from EL1
    orr x0, x0, #1
    orr x0, x0, #8
    msr S3_4_C12_C9_5, x0
    isb
    msr S3_4_C12_C11_0, xzr   // ICH_HCR_EL2
1:
    // Performance counters, where there are any: all of them belong to EL1.
    mov x1, xzr
    mrs x0, id_aa64dfr0_el1
    ubfx x0, x0, #8, #4       // PMUVer: 0 none, 15 not the architected one
    cbz x0, 1f
    cmp x0, #15
    b.eq 1f
    mrs x1, pmcr_el0
    ubfx x1, x1, #11, #5      // number of counters -> MDCR_EL2.HPMN
1:  msr mdcr_el2, x1

    // Fine-grained traps (FEAT_FGT) and HCRX_EL2 (FEAT_HCX), by encoding: newer than the base
    // architecture.
    mrs x0, id_aa64mmfr0_el1
    ubfx x0, x0, #56, #4
    cbz x0, 1f
    msr S3_4_C1_C1_4, xzr     // HFGRTR_EL2
    msr S3_4_C1_C1_5, xzr     // HFGWTR_EL2
    msr S3_4_C1_C1_6, xzr     // HFGITR_EL2
    msr S3_4_C3_C1_4, xzr     // HDFGRTR_EL2
    msr S3_4_C3_C1_5, xzr     // HDFGWTR_EL2
1:  mrs x0, id_aa64mmfr1_el1
    ubfx x0, x0, #40, #4
    cbz x0, 1f
    msr S3_4_C1_C2_2, xzr     // HCRX_EL2
1:
    ldr x0, =SCTLR_BASE       // EL1 starts with its MMU off
    msr sctlr_el1, x0
    mov x0, #0x3c5            // SPSR: EL1 with its own stack pointer, DAIF masked
    msr spsr_el2, x0
    adr x0, from_el1
    msr elr_el2, x0
    eret
    dsb nsh
    isb

// ---- EL1: first translation ---------------------------------------------------------------------
// x20 = tree, x21 = exception level at entry.
from_el1:
    msr spsel, #1
    ldr x0, =SCTLR_BASE
    msr sctlr_el1, x0
    isb
    tlbi vmalle1
    ic iallu
    dsb nsh
    isb
    mov x0, #MAIR_VALUE
    msr mair_el1, x0
    ldr x0, =(TCR_BASE | TCR_T0SZ_BOOT)
    mrs x1, id_aa64mmfr0_el1
    and x1, x1, #0xf          // PARange; the entries hold 48 bits: no more than 5
    cmp x1, #5
    mov x2, #5
    csel x1, x2, x1, hi
    bfi x0, x1, #32, #3       // IPS
    msr tcr_el1, x0
    adrp x0, boot_table
    add x0, x0, :lo12:boot_table
    msr ttbr0_el1, x0
    isb
    ldr x0, =(SCTLR_BASE | SCTLR_MMU | SCTLR_DATA_CACHE | SCTLR_INSTRUCTION_CACHE)
    msr sctlr_el1, x0
    isb

// ---- C's world ----------------------------------------------------------------------------------
    adrp x0, __stack_top
    add x0, x0, :lo12:__stack_top
    mov sp, x0
    adrp x0, __bss_start
    add x0, x0, :lo12:__bss_start
    adrp x1, __bss_end
    add x1, x1, :lo12:__bss_end
1:  cmp x0, x1                // both are multiples of 16
    b.hs 2f
    stp xzr, xzr, [x0], #16
    b 1b
2:  adrp x0, arch_boot_tree
    str x20, [x0, :lo12:arch_boot_tree]
    adrp x0, arch_boot_level
    str x21, [x0, :lo12:arch_boot_level]
    mov x29, xzr
    mov x30, xzr
    b kernel_main

park:
    wfi
    b park

    .size _start, . - _start
    .ltorg

// One entry per GiB: 0 is left out (devices, not used this early), 1..3 are RAM on the machines we
// know.
    .section .rodata.boot_table, "a", @progbits
    .balign 64
    .type boot_table, @object
boot_table:
    .quad 0
    .quad 0x40000000 + BOOT_BLOCK
    .quad 0x80000000 + BOOT_BLOCK
    .quad 0xc0000000 + BOOT_BLOCK
    .size boot_table, . - boot_table
