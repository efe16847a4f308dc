// SPDX-License-Identifier: Apache-2.0
//
// trap.S (riscv64): into the kernel and back.
//
// sscratch tells the two cases apart: in user mode it holds the address of the running fiber's frame, in the
// kernel it is zero. A trap from user mode saves all registers in that frame and starts the kernel stack anew; one
// from the kernel itself takes the emergency stack, because the ordinary one may be what failed. Neither returns.
#include "offsets.h"

    .section .text.syscall, "ax"
    .balign 4
    .globl trap_vector
trap_vector:
    csrrw a0, sscratch, a0
    beqz a0, trap_in_kernel

    // In: user mode. a0 = frame, sscratch = the user's a0.
    sd x1, FRAME_X(1)(a0)
    sd x2, FRAME_X(2)(a0)
    sd x3, FRAME_X(3)(a0)
    sd x4, FRAME_X(4)(a0)
    sd x5, FRAME_X(5)(a0)
    sd x6, FRAME_X(6)(a0)
    sd x7, FRAME_X(7)(a0)
    sd x8, FRAME_X(8)(a0)
    sd x9, FRAME_X(9)(a0)
    csrr t0, sscratch
    csrw sscratch, zero
    sd t0, FRAME_X(10)(a0)
    .irp n, 11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, FRAME_X(\n)(a0)
    .endr
    csrr t0, sepc
    sd t0, FRAME_PC(a0)
    csrr t1, sstatus
    sd t1, FRAME_STATUS(a0)
    la sp, __stack_top
    mv s0, zero
    mv ra, zero
    tail trap_user

trap_in_kernel:
    // In: the kernel. a0 = 0; the interrupted registers are of no further use.
    csrw sscratch, zero
    la sp, __emergency_top
    mv s0, zero
    mv ra, zero
    tail trap_kernel

    // a0 = frame. Out: user mode at its pc, all registers from the frame.
    .globl arch_user_return
arch_user_return:
    ld t0, FRAME_PC(a0)
    csrw sepc, t0
    ld t1, FRAME_STATUS(a0)
    csrw sstatus, t1
    csrw sscratch, a0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, FRAME_X(\n)(a0)
    .endr
    ld a0, FRAME_X(10)(a0)
    sret

    // a0 = function that never returns.
    .section .text.arch_stack_reset, "ax"
    .globl arch_stack_reset
arch_stack_reset:
    la sp, __stack_top
    mv s0, zero
    mv ra, zero
    jr a0

    // a0 = struct arch_fp. The kernel is compiled without floating point; only these three touch it.
    .section .text.arch_fp, "ax"
    .option push
    .option arch, +f, +d
    .globl arch_fp_save
arch_fp_save:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, 8*\n(a0)
    .endr
    frcsr t0
    sd t0, FP_FCSR(a0)
    ret

    .globl arch_fp_restore
arch_fp_restore:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, 8*\n(a0)
    .endr
    ld t0, FP_FCSR(a0)
    fscsr t0
    ret
    .option pop
