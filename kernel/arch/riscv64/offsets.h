// SPDX-License-Identifier: Apache-2.0
//
// offsets.h (riscv64): numbers that assembly and C must agree on; offsets_check.c asserts each of
// them.
#ifndef RISCV64_OFFSETS_H
#define RISCV64_OFFSETS_H

#define FRAME_X(n)   (((n) - 1) * 8)
#define FRAME_PC     248
#define FRAME_STATUS 256
#define FRAME_SIZE   272

#define GATE_STUB_SIZE 32
#define GATE_STUBS     13

#define FP_FCSR 256

#endif
