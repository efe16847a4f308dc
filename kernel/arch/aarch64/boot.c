// SPDX-License-Identifier: Apache-2.0
//
// boot.c (aarch64): what the firmware handed over.
//
// A loader that follows the usual protocol passes the device tree in x0. The emulator starts an ELF
// file with x0 = 0 and puts the tree at the start of RAM, below the kernel. Either way only its
// header is looked at here; memory and reserved memory are read from the tree by portable code,
// devices too.
#include <arch/arch.h>
#include <rumpk/ledger.h>

// Written by entry.S once .bss is clear.
uint64_t arch_boot_tree;  // x0 at entry
uint64_t arch_boot_level; // CurrentEL at entry

#define RAM_START    UINT64_C(0x40000000)
#define BOOT_MAP_END UINT64_C(0x100000000) // entry.S maps [RAM_START, BOOT_MAP_END)

#define FDT_MAGIC       0xD00DFEEDu
#define FDT_HEADER_SIZE 40u
#define FDT_SIZE_MAX    (UINT32_C(2) << 20) // as the arm64 boot protocol bounds it

static uint32_t load_big_endian(const uint32_t *word)
{
    return __builtin_bswap32(*word);
}

uint32_t arch_boot_info(struct boot_info *info)
{
    uint64_t tree = arch_boot_tree != 0 ? arch_boot_tree : RAM_START;

    *info = (struct boot_info){0};
    if (tree % 8 != 0 || tree < RAM_START || tree > BOOT_MAP_END - FDT_SIZE_MAX)
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;

    const uint32_t *header = (const uint32_t *)(uintptr_t)tree;
    uint32_t size = load_big_endian(&header[1]);

    if (load_big_endian(&header[0]) != FDT_MAGIC || size < FDT_HEADER_SIZE || size > FDT_SIZE_MAX)
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    info->fdt = header;
    info->fdt_size = size;
    info->reserved[0] = (struct boot_region){.base = tree, .size = size};
    info->reserved_count = 1;
    return RUMPK_BOOT_CAUSE_NONE;
}

void arch_fixed_devices(void (*add)(const struct fixed_device *device))
{
    (void)add; // the tree names every device
}

bool arch_pci_host(struct pci_host *host)
{
    (void)host; // hosts stand in the tree
    return false;
}
