// SPDX-License-Identifier: Apache-2.0
//
// boot.c (riscv64): OpenSBI hands over one thing, the device tree; memory and the firmware's own
// region
// (/reserved-memory) are in it.
#include <arch/arch.h>
#include <rumpk/ledger.h>

// Set by entry.S.
uint64_t boot_hart;
uint64_t boot_fdt;

#define FDT_MAGIC       0xD00DFEEDu
#define FDT_HEADER_SIZE 40u
#define FDT_SIZE_MAX    0x200000u

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint32_t arch_boot_info(struct boot_info *info)
{
    const uint8_t *tree = (const uint8_t *)(uintptr_t)boot_fdt;
    uint32_t size;

    if (boot_fdt == 0 || (boot_fdt & 7) != 0 || boot_fdt >= ARCH_ADDRESS_LIMIT - FDT_SIZE_MAX ||
        big_endian(tree) != FDT_MAGIC)
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    size = big_endian(tree + 4);
    if (size < FDT_HEADER_SIZE || size > FDT_SIZE_MAX)
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    info->fdt = tree;
    info->fdt_size = size;
    return RUMPK_BOOT_CAUSE_NONE;
}

// Every device is in the tree.
void arch_fixed_devices(void (*add)(const struct fixed_device *device))
{
    (void)add;
}

bool arch_pci_host(struct pci_host *host)
{
    (void)host; // hosts stand in the tree
    return false;
}
