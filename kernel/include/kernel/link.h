// SPDX-License-Identifier: Apache-2.0
//
// link.h: addresses that the link script defines (kernel/kernel.ld.in). Physical = virtual.
//
//   __kernel_start  text (R X) | rodata (R) | gate page (R) | image header (R) | data (RW) | bss
//   (RW)
//                   ... guard page, emergency stack, guard page, kernel stack   __kernel_end
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include <rumpk/archive.h>

extern char __kernel_start[], __kernel_end[];
extern char __text_start[], __text_end[];
extern char __rodata_start[], __rodata_end[]; // gate page and image header included
extern char __data_start[], __data_end[];
extern char __bss_start[], __bss_end[];
extern char __gate_start[];
extern char __stack_guard[], __stack_base[], __stack_top[];
extern char __emergency_guard[], __emergency_base[], __emergency_top[];

// Section .rumpk.image: zero as built; `nip image` fills it in.
extern const volatile struct rumpk_image_header rumpk_image_header;

static inline uint64_t link_address(const char *symbol)
{
    return (uint64_t)(uintptr_t)symbol;
}

#endif
