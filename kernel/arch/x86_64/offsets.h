// SPDX-License-Identifier: Apache-2.0
//
// offsets.h (x86_64): numbers shared by C and assembly. offsets_check.c holds each against the C
// side.
#ifndef RUMPK_ARCH_OFFSETS_H
#define RUMPK_ARCH_OFFSETS_H

// struct arch_frame
#define FRAME_RAX    0
#define FRAME_RBX    8
#define FRAME_RCX    16
#define FRAME_RDX    24
#define FRAME_RSI    32
#define FRAME_RDI    40
#define FRAME_RBP    48
#define FRAME_RSP    56
#define FRAME_R8     64
#define FRAME_R9     72
#define FRAME_R10    80
#define FRAME_R11    88
#define FRAME_R12    96
#define FRAME_R13    104
#define FRAME_R14    112
#define FRAME_R15    120
#define FRAME_RIP    128
#define FRAME_RFLAGS 136
#define FRAME_SIZE   144

// struct trap_info; TRAP_CALL
#define TRAP_INFO_SIZE    32
#define TRAP_INFO_KIND    0
#define TRAP_INFO_FAULT   4
#define TRAP_INFO_PC      8
#define TRAP_INFO_ADDRESS 16
#define TRAP_INFO_CAUSE   24
#define TRAP_KIND_CALL    1

// Segment selectors. SYSCALL takes KERNEL_CODE and the one after it; SYSRET adds 8 and 16 to STAR's
// upper half for stack and code, so an empty descriptor (no 32-bit code for ring 3) precedes
// USER_DATA.
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_SYSRET_BASE 0x1B
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2B
#define SELECTOR_TSS         0x30

// RFLAGS with which ring 3 is always entered: interrupts on, and the bit that is always 1. A fiber
// that was interrupted gets back besides what is its own: status flags, DF, AC, ID. Never TF, NT, RF.
#define ARCH_USER_RFLAGS 0x202
#define USER_FLAGS_OWN   0x240CD5

#define RFLAGS_INTERRUPTS 0x200

// Boot record fields that entry.S writes when there is no 64-bit mode to run C in.
#define BOOT_RECORD_MAGIC   0
#define BOOT_RECORD_STAGE   8
#define BOOT_RECORD_CAUSE   12
#define BOOT_RECORD_ARCH    16
#define BOOT_MAGIC_LOW      0x424B4D52
#define BOOT_MAGIC_HIGH     0x30544F4F
#define BOOT_STAGE_ENTRY    1
#define BOOT_CAUSE_FIRMWARE 6
#define BOOT_ARCH           3

// Stacks of exceptions that may come at any instruction, bytes (cpu.c). All others use the
// emergency stack.
#define ARCH_FATAL_STACK_SIZE 4096
#define ARCH_NMI_STACK_SIZE   512

// Interrupt stack table entries of the TSS, from 1.
#define IST_EMERGENCY     1
#define IST_DOUBLE_FAULT  2
#define IST_NMI           3
#define IST_MACHINE_CHECK 4

#define VECTOR_DEBUG     1
#define VECTOR_NMI       2
#define EXCEPTION_COUNT  32
#define VECTOR_COUNT     256
#define VECTOR_STUB_SIZE 16 // trap.S: the stubs of all vectors lie this far apart

// Vectors of interrupts (intr.c): lines from the first on; a higher vector goes before a lower one.
#define VECTOR_LINE_FIRST 0x30
#define VECTOR_TIMER      0xF0
#define VECTOR_SPURIOUS   0xFF

#define GATE_STUB_SIZE  32
#define GATE_STUB_COUNT 13
#define GATE_STUB_RETURN 14 // where a stub goes on after its SYSCALL

#define ARCH_PAGE_SIZE 4096

#endif
