// SPDX-License-Identifier: Apache-2.0
//
// memory.h: which RAM there is, who has it, and which page-table root is active.
//
//   kernel zone   units of 2 MiB that hold the kernel, its archive or the pool of page tables.
//                 Kernel and pool are mapped in every root, for the kernel alone; the archive in
//                 the kernel root, read-only.
//   user zone     all other RAM that the firmware leaves free, in pages; given out at boot and for
//                 a fiber's first checkpoint, never taken back. Each page given out is mapped in
//                 the kernel root, without user rights; RAM that nobody has is mapped nowhere.
//
//   low end -> stack, image, heap per driver     rings, arenas, DMA, start blocks, queues <- high
//
// W^X: a page is writable in the kernel root until memory_seal; sealed pages are read-only there
// for ever. A page is sealed before it becomes executable in a driver root.
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <kernel/pagetable.h>

extern struct pagetable memory_template_table;
extern struct pagetable memory_kernel_table;

// Reads the memory map (firmware's list, else the tree's), takes away all that is reserved, divides
// the zones and reserves the SysTable page where it is free. Ends the machine when that is
// impossible.
void memory_init(const struct boot_info *info);
// Builds template and kernel root and switches to the kernel root.
void memory_mmu_on(const struct boot_info *info);

// Physical address of the SysTable page; equal to RUMPK_SYSTABLE_ADDRESS where RAM is free there.
uint64_t memory_systable_page(void);

// The boot archive as the image header locates it; size 0: there is none.
const void *memory_archive(uint64_t *size);

// Pages of the user zone, contiguous, cleared, mapped RW in the kernel root. False: none left.
//   low   the block of one driver, its stack first. At least MEMORY_GUARD_SIZE below it belongs to
//   other drivers or
//         to nobody, so that a stack that overflows meets nothing of its own driver.
//   high  everything else.
#define MEMORY_GUARD_SIZE UINT64_C(65536)
[[nodiscard]] bool memory_take_low(uint64_t pages, uint64_t *base);
[[nodiscard]] bool memory_take_high(uint64_t pages, uint64_t *base);
uint64_t memory_pages_free(void);

// Read-only in the kernel root from now on.
void memory_seal(uint64_t base, uint64_t size);
// Maps registers of a device for the kernel alone (kernel root). Pages are rounded outward.
[[nodiscard]] bool memory_map_device(uint64_t base, uint64_t size);
// Is any byte of the range RAM, whether usable or reserved?
bool memory_is_ram(uint64_t base, uint64_t size);

// Root switches. Code that touches the user zone first calls memory_use_kernel_root.
void memory_use_kernel_root(void);
void memory_use_root(uint64_t root);

#endif
