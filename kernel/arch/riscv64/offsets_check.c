// SPDX-License-Identifier: Apache-2.0
//
// offsets_check.c (riscv64): refuses to compile when offsets.h and the C structures differ.
#include "offsets.h"

#include <arch_types.h>
#include <rumpk/abi.h>
#include <stddef.h>

_Static_assert(offsetof(struct arch_frame, x[0]) == FRAME_X(1), "x1");
_Static_assert(offsetof(struct arch_frame, x[30]) == FRAME_X(31), "x31");
_Static_assert(offsetof(struct arch_frame, pc) == FRAME_PC, "pc");
_Static_assert(offsetof(struct arch_frame, status) == FRAME_STATUS, "status");
_Static_assert(sizeof(struct arch_frame) == FRAME_SIZE, "frame size");
_Static_assert(offsetof(struct arch_fp, fcsr) == FP_FCSR, "fcsr");
_Static_assert(GATE_STUB_SIZE == RUMPK_GATE_STUB_SIZE, "gate stub size");
_Static_assert(GATE_STUBS == RUMPK_CALL_COUNT + 1, "gate stubs: the calls and meta");
