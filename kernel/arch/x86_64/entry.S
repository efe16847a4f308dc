// SPDX-License-Identifier: Apache-2.0
//
// entry.S (x86_64): from the PVH entry to kernel_main.
//
// The loader finds the entry by the ELF note below and jumps to it as the PVH direct boot ABI says
// (Xen, docs/misc/pvh): 32-bit protected mode, flat segments, paging off, interrupts off, A20 open,
// EBX = physical address of struct hvm_start_info. No stack. Everything else is undefined.
//
// On the way: bss cleared, long mode with an identity map of the first 4 GiB (2 MiB blocks, nothing
// executable above the first 4 MiB, page 0 included only because these tables live for the few
// microseconds until portable code switches to its own), a stack, and EBX kept for boot.c.
#include "offsets.h"

    .section .note.boot, "a", @note
    .balign 4
    .long 4           // name size, NUL included
    .long 8           // QEMU reads eight bytes from a 64-bit file
    .long 18          // XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad _start

#define CR0_PE 0x00000001
#define CR0_WP_PG 0x80010000
#define CR4_PAE 0x00000020
#define MSR_EFER 0xC0000080
#define EFER_SCE_LME_NXE 0x00000901
#define CPUID_NX_LM 0x20100000  // leaf 0x80000001, EDX bits 29 and 20

#define BLOCK_FLAGS 0x83        // present, writable, 2 MiB
#define TABLE_FLAGS 0x03
#define EXECUTABLE_BLOCKS 2     // the kernel's own 280 KiB from 1 MiB on

    .section .text.entry, "ax", @progbits
    .code32
    .globl _start
    .type _start, @function
_start:
    cli
    cld

    // bss: EDI, ECX, EAX are free, EBX is not.
    movl $__bss_start, %edi
    movl $__bss_end, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    xorl %eax, %eax
    rep stosl
    movl %ebx, boot_start_info

    // Is there a 64-bit mode with a no-execute bit?
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb entry_no_long_mode
    movl $0x80000001, %eax
    cpuid
    andl $CPUID_NX_LM, %edx
    cmpl $CPUID_NX_LM, %edx
    jne entry_no_long_mode

    // Four tables of 512 blocks: 4 GiB.
    movl $boot_blocks, %edi
    movl $BLOCK_FLAGS, %eax
    xorl %ecx, %ecx
1:  movl %eax, (%edi,%ecx,8)
    cmpl $EXECUTABLE_BLOCKS, %ecx
    jb 2f
    movl $0x80000000, 4(%edi,%ecx,8)  // no-execute
2:  addl $0x200000, %eax
    incl %ecx
    cmpl $2048, %ecx
    jb 1b
    movl $boot_blocks + TABLE_FLAGS, %eax
    xorl %ecx, %ecx
3:  movl %eax, boot_pointers(,%ecx,8)
    addl $ARCH_PAGE_SIZE, %eax
    incl %ecx
    cmpl $4, %ecx
    jb 3b
    movl $boot_pointers + TABLE_FLAGS, boot_top

    // Order as in Intel SDM volume 3, 9.8.5: PAE, CR3, EFER.LME, then paging.
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $boot_top, %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    movl $EFER_SCE_LME_NXE, %eax
    xorl %edx, %edx
    wrmsr
    movl %cr0, %eax
    andl $0x1FFFFFFF, %eax  // caches on: CD and NW clear
    orl $(CR0_WP_PG | CR0_PE), %eax
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $SELECTOR_KERNEL_CODE, $entry_long

    // No C without 64-bit mode: say so in the boot record, then stop the machine by a triple fault.
entry_no_long_mode:
    movl $BOOT_MAGIC_LOW, rumpk_boot_record + BOOT_RECORD_MAGIC
    movl $BOOT_MAGIC_HIGH, rumpk_boot_record + BOOT_RECORD_MAGIC + 4
    movl $BOOT_STAGE_ENTRY, rumpk_boot_record + BOOT_RECORD_STAGE
    movl $BOOT_CAUSE_FIRMWARE, rumpk_boot_record + BOOT_RECORD_CAUSE
    movl $BOOT_ARCH, rumpk_boot_record + BOOT_RECORD_ARCH
    lidt boot_empty_pointer
    ud2
    .size _start, . - _start

    // From here: 64-bit mode, CS = kernel code, the other segments stale.
    .code64
    .type entry_long, @function
entry_long:
    xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    movl $SELECTOR_KERNEL_DATA, %eax
    movl %eax, %ss
    movl $__stack_top, %esp
    xorl %ebp, %ebp
    call kernel_main
    ud2
    .size entry_long, . - entry_long

    .section .rodata.boot, "a", @progbits
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00AF9B000000FFFF  // 64-bit code, ring 0, accessed
    .quad 0x00CF93000000FFFF  // data, ring 0, accessed
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .quad boot_gdt
boot_empty_pointer:
    .word 0
    .quad 0

    .section .bss.entry, "aw", @nobits
    .balign ARCH_PAGE_SIZE
boot_top:
    .skip ARCH_PAGE_SIZE
boot_pointers:
    .skip ARCH_PAGE_SIZE
boot_blocks:
    .skip 4 * ARCH_PAGE_SIZE

    // Physical address of struct hvm_start_info; read by boot.c. In data: bss is cleared.
    .section .data.boot, "aw", @progbits
    .balign 4
    .globl boot_start_info
boot_start_info:
    .long 0

    .section .note.GNU-stack, "", @progbits
