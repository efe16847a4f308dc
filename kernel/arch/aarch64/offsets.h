// SPDX-License-Identifier: Apache-2.0
//
// offsets.h (aarch64): numbers shared by C and assembly; offsets_check.c asserts each of them.
#ifndef RUMPK_AARCH64_OFFSETS_H
#define RUMPK_AARCH64_OFFSETS_H

#define FRAME_X0 0
#define FRAME_X30 240  // x30 and sp are neighbours
#define FRAME_PC 256   // pc and pstate are neighbours
#define FRAME_THREAD 272
#define FRAME_SIZE 288

#define FP_V0 0
#define FP_FPCR 512  // fpcr and fpsr are neighbours
#define FP_SIZE 528

// Which vector was taken; the order of the vector table.
#define VECTOR_SYNCHRONOUS 0
#define VECTOR_IRQ 1
#define VECTOR_FIQ 2
#define VECTOR_SERROR 3

#define GATE_STUB_SIZE 32
#define GATE_STUB_COUNT 13

// MAIR_EL1: attribute 0 = Device-nGnRnE, attribute 1 = normal memory, inner and outer write-back,
// read and write allocate (Arm ARM, D17.2.97).
#define MAIR_VALUE 0xFF00

// TCR_EL1 but T0SZ and IPS (Arm ARM, D17.2.139): walks of TTBR0 write-back, allocating, inner
// shareable, 4 KiB granule; TTBR1 off (EPD1; its granule and size are set to legal values); 8-bit
// ASIDs of TTBR0. IRGN0 = 1, ORGN0 = 1, SH0 = 3, T1SZ = 25, EPD1 = 1, TG1 = 2.
#define TCR_BASE 0x80993500
#define TCR_T0SZ 25       // 39 bits
#define TCR_T0SZ_BOOT 32  // 4 GiB: the boot table has four entries

// SCTLR_EL1 (Arm ARM, D17.2.118), bits that are set everywhere: RES1 29, 28, 22, 11; 20 (RES1, and
// with CSV2_2: trap SCXTNUM_EL0); 23 (RES1 without PAN; with it entry.S's successor clears it); 8
// and 7 (no AArch32); 4 and 3: stack pointer alignment of EL0 and EL1. What EL0 may not do, because
// its bit stays zero: change DAIF (9 UMA), zero cache lines (14 DZE), read CTR_EL0 (15 UCT), WFI
// (16 nTWI), WFE (18 nTWE), cache maintenance (26 UCI), pointer authentication (13, 27, 30, 31).
#define SCTLR_BASE 0x30D00998
#define SCTLR_MMU 0x00000001
#define SCTLR_DATA_CACHE 0x00000004
#define SCTLR_INSTRUCTION_CACHE 0x00001000
#define SCTLR_WXN 0x00080000
#define SCTLR_SPAN 0x00800000

#endif
