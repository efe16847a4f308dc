// SPDX-License-Identifier: Apache-2.0
//
// trap.S (aarch64): the vectors, and the way from EL0 into the kernel and back.
//
// While a driver runs, SP_EL1 is the address of its frame: the vector stores through it at once and
// needs no scratch register. Then the stack pointer becomes the top of the kernel stack, which is
// empty, because no trap from EL0 ever returns in C (the event kernel, arch.h).
//
//   EL0 --svc, fault--> user_vector, sp = frame --> trap_user, sp = __stack_top --> arch_trap_user
//   EL1 --fault-------> kernel_vector --> trap_kernel, sp = __emergency_top --> arch_trap_kernel
//   C --> arch_user_return, sp = frame --eret--> EL0
//
// A fault of the kernel stores nothing before it has the emergency stack: the usual stack may be
// what faulted.

#include "offsets.h"

// ---- vectors: 16 slots of 128 bytes (Arm ARM, D1.3.1) -------------------------------------------

    .macro user_vector vector
    .balign 128
    stp x0, x1, [sp, #FRAME_X0 + 0]
    stp x2, x3, [sp, #FRAME_X0 + 16]
    stp x4, x5, [sp, #FRAME_X0 + 32]
    stp x6, x7, [sp, #FRAME_X0 + 48]
    stp x8, x9, [sp, #FRAME_X0 + 64]
    stp x10, x11, [sp, #FRAME_X0 + 80]
    stp x12, x13, [sp, #FRAME_X0 + 96]
    stp x14, x15, [sp, #FRAME_X0 + 112]
    mov x0, #\vector
    b trap_user
    .endm

    .macro kernel_vector vector
    .balign 128
    mov x0, #\vector
    b trap_kernel
    .endm

    .section .text.vectors, "ax", @progbits
    .balign 2048
    .global arch_vectors
    .type arch_vectors, @function
arch_vectors:
    // From EL1 on SP_EL0, which the kernel never selects.
    kernel_vector VECTOR_SYNCHRONOUS
    kernel_vector VECTOR_IRQ
    kernel_vector VECTOR_FIQ
    kernel_vector VECTOR_SERROR
    // From EL1.
    kernel_vector VECTOR_SYNCHRONOUS
    kernel_vector VECTOR_IRQ
    kernel_vector VECTOR_FIQ
    kernel_vector VECTOR_SERROR
    // From EL0.
    user_vector VECTOR_SYNCHRONOUS
    user_vector VECTOR_IRQ
    user_vector VECTOR_FIQ
    user_vector VECTOR_SERROR
    // From AArch32 EL0: never entered, because every pstate the kernel returns to is AArch64.
    kernel_vector VECTOR_SYNCHRONOUS
    kernel_vector VECTOR_IRQ
    kernel_vector VECTOR_FIQ
    kernel_vector VECTOR_SERROR
    .balign 128
    .size arch_vectors, . - arch_vectors

// ---- EL0 -> kernel ------------------------------------------------------------------------------
// x0 = vector, x0..x15 of the driver saved, sp = frame.

    .section .text.syscall, "ax", @progbits
    .balign 4
    .type trap_user, @function
trap_user:
    stp x16, x17, [sp, #FRAME_X0 + 128]
    stp x18, x19, [sp, #FRAME_X0 + 144]
    stp x20, x21, [sp, #FRAME_X0 + 160]
    stp x22, x23, [sp, #FRAME_X0 + 176]
    stp x24, x25, [sp, #FRAME_X0 + 192]
    stp x26, x27, [sp, #FRAME_X0 + 208]
    stp x28, x29, [sp, #FRAME_X0 + 224]
    mrs x1, sp_el0
    stp x30, x1, [sp, #FRAME_X30]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x2, x3, [sp, #FRAME_PC]
    mrs x4, tpidr_el0
    str x4, [sp, #FRAME_THREAD]
    mov x1, sp
    adrp x2, __stack_top
    add x2, x2, :lo12:__stack_top
    mov sp, x2
    mov x29, xzr              // the end of the chain of stack frames
    mov x30, xzr
    b arch_trap_user          // (vector, frame)
    .size trap_user, . - trap_user

// ---- kernel -> EL0 ------------------------------------------------------------------------------
// void arch_user_return(struct arch_frame *frame). Interrupts are masked since the trap; elr, spsr
// and sp_el0 are therefore safe from here to eret.

    .balign 4
    .global arch_user_return
    .type arch_user_return, @function
arch_user_return:
    bti c
    mov sp, x0
    ldr x4, [sp, #FRAME_THREAD]
    msr tpidr_el0, x4
    ldp x2, x3, [sp, #FRAME_PC]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x30, x1, [sp, #FRAME_X30]
    msr sp_el0, x1
    ldp x28, x29, [sp, #FRAME_X0 + 224]
    ldp x26, x27, [sp, #FRAME_X0 + 208]
    ldp x24, x25, [sp, #FRAME_X0 + 192]
    ldp x22, x23, [sp, #FRAME_X0 + 176]
    ldp x20, x21, [sp, #FRAME_X0 + 160]
    ldp x18, x19, [sp, #FRAME_X0 + 144]
    ldp x16, x17, [sp, #FRAME_X0 + 128]
    ldp x14, x15, [sp, #FRAME_X0 + 112]
    ldp x12, x13, [sp, #FRAME_X0 + 96]
    ldp x10, x11, [sp, #FRAME_X0 + 80]
    ldp x8, x9, [sp, #FRAME_X0 + 64]
    ldp x6, x7, [sp, #FRAME_X0 + 48]
    ldp x4, x5, [sp, #FRAME_X0 + 32]
    ldp x2, x3, [sp, #FRAME_X0 + 16]
    ldp x0, x1, [sp, #FRAME_X0 + 0]
    eret
    dsb nsh                   // nothing behind eret is executed, not even speculatively
    isb
    .size arch_user_return, . - arch_user_return

// ---- faults of the kernel itself ----------------------------------------------------------------
// x0 = vector.

    .section .text.trap_kernel, "ax", @progbits
    .balign 4
    .type trap_kernel, @function
trap_kernel:
    adrp x1, __emergency_top
    add x1, x1, :lo12:__emergency_top
    mov sp, x1
    mov x29, xzr
    mov x30, xzr
    b arch_trap_kernel        // (vector)
    .size trap_kernel, . - trap_kernel

// void arch_stack_reset(void (*function)(void))

    .section .text.arch_stack_reset, "ax", @progbits
    .balign 4
    .global arch_stack_reset
    .type arch_stack_reset, @function
arch_stack_reset:
    bti c
    adrp x1, __stack_top
    add x1, x1, :lo12:__stack_top
    mov sp, x1
    mov x29, xzr
    mov x30, xzr
    mov x16, x0               // a branch by x16 may land on `bti c`
    br x16
    .size arch_stack_reset, . - arch_stack_reset
