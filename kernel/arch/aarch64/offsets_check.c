// SPDX-License-Identifier: Apache-2.0
//
// offsets_check.c (aarch64): no code; the numbers of offsets.h against the structures of C.
#include "offsets.h"

#include <arch/arch.h>
#include <rumpk/base.h>
#include <rumpk/systable.h>

#define CHECK(condition) RUMPK_STATIC_ASSERT(condition, "offsets.h disagrees: " #condition)

CHECK(offsetof(struct arch_frame, x) == FRAME_X0);
CHECK(offsetof(struct arch_frame, x[30]) == FRAME_X30);
CHECK(offsetof(struct arch_frame, sp) == FRAME_X30 + 8);
CHECK(offsetof(struct arch_frame, pc) == FRAME_PC);
CHECK(offsetof(struct arch_frame, pstate) == FRAME_PC + 8);
CHECK(offsetof(struct arch_frame, thread) == FRAME_THREAD);
CHECK(sizeof(struct arch_frame) == FRAME_SIZE);

CHECK(offsetof(struct arch_fp, v) == FP_V0);
CHECK(offsetof(struct arch_fp, fpcr) == FP_FPCR);
CHECK(offsetof(struct arch_fp, fpsr) == FP_FPCR + 8);
CHECK(sizeof(struct arch_fp) == FP_SIZE);

CHECK(GATE_STUB_SIZE == RUMPK_GATE_STUB_SIZE);
CHECK(GATE_STUB_COUNT == RUMPK_CALL_COUNT + 1);

CHECK(ARCH_PTE_PROT_READ == PROT_READ);
CHECK(ARCH_PTE_PROT_WRITE == PROT_WRITE);
CHECK(ARCH_PTE_PROT_EXECUTE == PROT_EXECUTE);
CHECK(ARCH_PTE_PROT_USER == PROT_USER);
CHECK(ARCH_PTE_PROT_DEVICE == PROT_DEVICE);
