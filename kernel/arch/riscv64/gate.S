// SPDX-License-Identifier: Apache-2.0
//
// gate.S (riscv64): the gate page, the only place from which a driver may enter the kernel. Stub n is call n; stub
// 12 is meta. Mapped execute-only for drivers, never writable, no secret in it.
//
// Hand-over: a0..a5 arguments, a7 the call number; the kernel returns to the instruction after ecall with a0 the
// result and every other caller-saved register zero.
#include "offsets.h"

    .section .gate, "a"
    .option norvc
    .globl gate_stubs
gate_stubs:
    .set number, 0
    .rept GATE_STUBS
    .balign GATE_STUB_SIZE
    li a7, number
    ecall
    ret
    .set number, number + 1
    .endr
    .balign GATE_STUB_SIZE
