// SPDX-License-Identifier: Apache-2.0
//
// entry.S (riscv64): from the firmware to kernel_main.
//
// Hand-over: OpenSBI jumps to the lowest loaded address in S-mode, MMU off, interrupts off; a0 = hart id of the
// boot hart (any number), a1 = physical address of the device tree. No other hart runs: they wait in the firmware
// until asked for. No stack, bss not cleared.
    .section .text.entry, "ax"
    .globl _start
_start:
    csrw sie, zero
    csrw satp, zero
    csrw sscratch, zero
    mv s0, a0
    mv s1, a1

    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b

2:  la t0, boot_hart
    sd s0, 0(t0)
    la t0, boot_fdt
    sd s1, 0(t0)
    la sp, __stack_top
    mv s0, zero
    call kernel_main
3:  wfi
    j 3b
