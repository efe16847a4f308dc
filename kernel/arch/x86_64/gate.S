// SPDX-License-Identifier: Apache-2.0
//
// gate.S (x86_64): the gate page, the only place from which a SYSCALL is accepted.
//
// A driver calls a stub through the SysTable like any C function. Number in eax; arguments in rdi,
// rsi, rdx, r10, r8, r9: SYSCALL takes rcx for itself, so the fourth moves. On return the kernel
// has cleared all caller-saved registers but rax; rcx and r11 come back as SYSRET needs them and
// are cleared here.
//
//   0  stub of call 0    32  stub of call 1  ...  384  stub of meta    416  breakpoints to the end
//
// Readable to drivers: execute-only would need a protection key, which ring 3 can change. No secret
// here.
#include "offsets.h"

    .section .gate, "ax", @progbits
    .balign ARCH_PAGE_SIZE
    .globl arch_gate
arch_gate:
.set number, 0
.rept GATE_STUB_COUNT
    .balign GATE_STUB_SIZE, 0xCC
1:  endbr64
    movq %rcx, %r10
    movl $number, %eax
    syscall
.if . - 1b != GATE_STUB_RETURN
    .error "GATE_STUB_RETURN is not where a stub goes on"
.endif
    xorl %ecx, %ecx
    xorl %r11d, %r11d
    ret
.set number, number + 1
.endr
    .balign ARCH_PAGE_SIZE, 0xCC

    .section .note.GNU-stack, "", @progbits
