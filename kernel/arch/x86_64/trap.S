// SPDX-License-Identifier: Apache-2.0
//
// trap.S (x86_64): into the kernel and back to ring 3.
//
//   ring 3  SYSCALL ----> arch_syscall_entry -> trap_from_user
//           exception --> stub -> trap_common -> trap_user_vector
//           interrupt --> the same
//   ring 0  exception --> stub -> trap_common -> trap_kernel_exception
//           interrupt --> stub -> trap_common -> interrupt_take, and back: in arch_wait only
//
// None of the first three C functions returns; they end in arch_user_return or arch_power_off.
//
// One core, so the few words that an entry needs lie at fixed addresses: no GS base, no SWAPGS,
// nothing for a driver to confuse. Interrupts are on in ring 3 and at one instruction of ring 0.
#include "offsets.h"

// All but rax, rcx, r11, rsp, rip and rflags, whose place differs by entry. `base` points to the
// frame.
.macro SAVE_COMMON base
    movq %rbx, FRAME_RBX(\base)
    movq %rdx, FRAME_RDX(\base)
    movq %rsi, FRAME_RSI(\base)
    movq %rdi, FRAME_RDI(\base)
    movq %rbp, FRAME_RBP(\base)
    movq %r8, FRAME_R8(\base)
    movq %r9, FRAME_R9(\base)
    movq %r10, FRAME_R10(\base)
    movq %r12, FRAME_R12(\base)
    movq %r13, FRAME_R13(\base)
    movq %r14, FRAME_R14(\base)
    movq %r15, FRAME_R15(\base)
.endm

// All but rcx, rdi, r11 and rsp, from the frame at rdi.
.macro RESTORE_COMMON
    movq FRAME_RAX(%rdi), %rax
    movq FRAME_RBX(%rdi), %rbx
    movq FRAME_RDX(%rdi), %rdx
    movq FRAME_RSI(%rdi), %rsi
    movq FRAME_RBP(%rdi), %rbp
    movq FRAME_R8(%rdi), %r8
    movq FRAME_R9(%rdi), %r9
    movq FRAME_R10(%rdi), %r10
    movq FRAME_R12(%rdi), %r12
    movq FRAME_R13(%rdi), %r13
    movq FRAME_R14(%rdi), %r14
    movq FRAME_R15(%rdi), %r15
.endm

    .section .text.syscall, "ax", @progbits

// From ring 3 by SYSCALL: rcx = address after the instruction, r11 = its rflags, rsp still the
// driver's; SFMASK has cleared IF, DF, TF, AC and NT. The driver's root is active: kernel zone
// only. A fault before rsp is the kernel's own lands on the emergency stack like any other
// (trap_common).
    .balign 16
    .globl arch_syscall_entry
    .type arch_syscall_entry, @function
arch_syscall_entry:
    movq %rsp, syscall_user_rsp(%rip)
    movq arch_current_frame(%rip), %rsp
    SAVE_COMMON %rsp
    movq %rax, FRAME_RAX(%rsp)
    movq %rcx, FRAME_RCX(%rsp)
    movq %rcx, FRAME_RIP(%rsp)
    movq %r11, FRAME_R11(%rsp)
    movq %r11, FRAME_RFLAGS(%rsp)
    movq syscall_user_rsp(%rip), %rax
    movq %rax, FRAME_RSP(%rsp)
    movl $__stack_top, %esp
    xorl %ebp, %ebp
    // struct trap_info on the stack: cause 0, address 0, pc, kind CALL with fault NONE
    pushq $0
    pushq $0
    pushq %rcx
    pushq $TRAP_KIND_CALL
    movq %rsp, %rdi
    call trap_from_user
    ud2
    .size arch_syscall_entry, . - arch_syscall_entry

// arch_user_return(rdi = frame). The driver's root is active. SYSRET only to the place behind a
// SYSCALL of the gate page: its address is canonical (a SYSRET to another one faults in ring 0 on
// the driver's stack on Intel processors), and rcx, r11 and the flags hold nothing of the driver's
// there (after SYSRET the first two are return address and flags; the gate stub clears them).
// Everything else, that is the first entry of a fiber and one that was interrupted, also inside a
// stub, leaves by IRETQ with all registers and its own flags. Segment registers are null.
    .balign 16
    .globl arch_user_return
    .type arch_user_return, @function
arch_user_return:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movq FRAME_RIP(%rdi), %rcx
    movq %rcx, %rax
    subq $__gate_start, %rax
    cmpq $ARCH_PAGE_SIZE, %rax
    jae 1f
    andl $(GATE_STUB_SIZE - 1), %eax
    cmpl $GATE_STUB_RETURN, %eax
    jne 1f
    RESTORE_COMMON
    movl $ARCH_USER_RFLAGS, %r11d
    movq FRAME_RSP(%rdi), %rsp  // from here only NMI and machine check can come: own stacks
    movq FRAME_RDI(%rdi), %rdi
    sysretq
1:  movl $__stack_top, %esp
    pushq $SELECTOR_USER_DATA
    pushq FRAME_RSP(%rdi)
    movl FRAME_RFLAGS(%rdi), %eax
    andl $USER_FLAGS_OWN, %eax
    orl $ARCH_USER_RFLAGS, %eax
    pushq %rax
    pushq $SELECTOR_USER_CODE
    pushq %rcx
    RESTORE_COMMON
    movq FRAME_RCX(%rdi), %rcx
    movq FRAME_R11(%rdi), %r11
    movq FRAME_RDI(%rdi), %rdi
    iretq
    .size arch_user_return, . - arch_user_return

    .text

// arch_stack_reset(rdi = function that does not return)
    .globl arch_stack_reset
    .type arch_stack_reset, @function
arch_stack_reset:
    movl $__stack_top, %esp
    xorl %ebp, %ebp
    call *%rdi
    ud2
    .size arch_stack_reset, . - arch_stack_reset

// One stub per vector, VECTOR_STUB_SIZE apart: error code (0 where the processor pushes none),
// vector. The processor has switched to a stack of the TSS. Vectors with an error code: 8, 10-14,
// 17, 21, 29, 30.
    .balign VECTOR_STUB_SIZE
    .globl arch_vector_stubs
arch_vector_stubs:
.set vector, 0
.rept EXCEPTION_COUNT
    .balign VECTOR_STUB_SIZE
.if vector == VECTOR_NMI
    // NMI: nothing in this release raises one; the interrupted code goes on. IRETQ re-opens NMIs.
    iretq
.else
.if (0x60227D00 >> vector) & 1
.else
    pushq $0
.endif
    pushq $vector
    jmp trap_common
.endif
.set vector, vector + 1
.endr
.rept VECTOR_COUNT - EXCEPTION_COUNT
    .balign VECTOR_STUB_SIZE
    pushq $0
    pushq $vector
    jmp trap_common
.set vector, vector + 1
.endr

// Stack: +0 vector, +8 error code, +16 rip, +24 cs, +32 rflags, +40 rsp, +48 ss. All other
// registers as they were. AC, DF, TF and NT of the interrupted code still hold: POPFQ clears them
// (CLAC would fault on a processor without SMAP).
    .balign 16
    .type trap_common, @function
trap_common:
    testb $3, 24(%rsp)
    jz trap_in_kernel
    pushq %rax
    movq arch_current_frame(%rip), %rax
    SAVE_COMMON %rax
    movq %rcx, FRAME_RCX(%rax)
    movq %r11, FRAME_R11(%rax)
    popq %rbx
    movq %rbx, FRAME_RAX(%rax)
    movq 16(%rsp), %rdx
    movq %rdx, FRAME_RIP(%rax)
    movq 32(%rsp), %rbx
    movq %rbx, FRAME_RFLAGS(%rax)
    movq 40(%rsp), %rbx
    movq %rbx, FRAME_RSP(%rax)
    movq (%rsp), %rdi
    movq 8(%rsp), %rsi
    pushq $2
    popfq
trap_to_user_vector:  // rdi = vector, rsi = error code, rdx = pc
    movl $__stack_top, %esp
    xorl %ebp, %ebp
    call trap_user_vector
    ud2

trap_in_kernel:
    cmpq $EXCEPTION_COUNT, (%rsp)
    jae interrupt_in_kernel
    pushq $2
    popfq
    // A single step that a driver armed with POPFQ before SYSCALL may be reported at the first
    // kernel instruction, rsp still the driver's: that is the driver's breakpoint, not a fault of
    // the kernel.
    cmpq $VECTOR_DEBUG, (%rsp)
    jne 1f
    cmpq $arch_syscall_entry, 16(%rsp)
    jne 1f
    movl $VECTOR_DEBUG, %edi
    xorl %esi, %esi
    movq %rcx, %rdx
    jmp trap_to_user_vector
1:  movq (%rsp), %rdi
    movq 8(%rsp), %rsi
    movq 16(%rsp), %rdx
    andq $-16, %rsp
    xorl %ebp, %ebp
    call trap_kernel_exception
    ud2

// The processor idled in arch_wait, on the kernel stack; this is the emergency stack. Back to it,
// interrupts off, so that one wake-up takes one interrupt. Nine registers make the stack a multiple
// of 16 for the call.
interrupt_in_kernel:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    movl 72(%rsp), %edi
    call interrupt_take
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    andl $~RFLAGS_INTERRUPTS, 16(%rsp)
    iretq
    .size trap_common, . - trap_common

    .section .bss.trap, "aw", @nobits
    .balign 8
// The driver's rsp while arch_syscall_entry has no register left.
syscall_user_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
