// SPDX-License-Identifier: Apache-2.0
//
// boot.c (x86_64): what the firmware handed over.
//
//   memory map   struct hvm_start_info, version 1, of the PVH boot ABI
//                (Xen, public/arch-x86/hvm/start_info.h)
//   device tree  QEMU's fw_cfg file "etc/fdt" (microvm with acpi=on); copied, as fw_cfg is a port
//   ACPI         where there is no tree: the static tables, by the start info's RSDP or the one in
//                the BIOS area; kernel/dev/acpi.c reads them
//   serial port  0x3f8, where every PC has it; no tree tells that it is a port and not memory
//
// All of it is foreign: every address is checked to lie in the 4 GiB that entry.S has mapped, every
// count is bounded. Runs once, on the boot tables. Nothing is kept as a pointer but the copy of the
// tree.
#include "machine.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/link.h>
#include <kernel/pci.h>

extern uint32_t boot_start_info; // entry.S

#define BOOT_MAPPED_END UINT64_C(0x100000000)

// ---- fw_cfg ------------------------------------------------------------------------------------
// QEMU docs/specs/fw_cfg: selector port (16 bits), data port (8 bits); key 0x19 is the directory.

#define FW_CFG_SELECTOR      0x510
#define FW_CFG_DATA          0x511
#define FW_CFG_KEY_SIGNATURE 0x0000
#define FW_CFG_KEY_DIRECTORY 0x0019
#define FW_CFG_FILES_MAX     256u
#define FW_CFG_NAME_SIZE     56u

struct fw_cfg_file {
    uint8_t size[4]; // big-endian
    uint8_t select[2];
    uint8_t reserved[2];
    char name[FW_CFG_NAME_SIZE];
};
RUMPK_ASSERT_SIZE(fw_cfg_file, 64);

static void fw_cfg_read(void *out, uint32_t size)
{
    uint8_t *bytes = out;

    for (uint32_t i = 0; i < size; i++)
        bytes[i] = cpu_in8(FW_CFG_DATA);
}

static uint32_t big_endian(const uint8_t *bytes, uint32_t size)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

// Answers here?
static bool fw_cfg_exists(void)
{
    uint8_t word[4];

    cpu_out16(FW_CFG_SELECTOR, FW_CFG_KEY_SIGNATURE);
    fw_cfg_read(word, sizeof(word));
    return memcmp(word, "QEMU", sizeof(word)) == 0;
}

// Selects the file, so that fw_cfg_read delivers it from its start. Returns its size, 0 when it is
// not there.
static uint32_t fw_cfg_open(const char *name, uint32_t name_size)
{
    uint8_t word[4];
    uint32_t count;

    if (!fw_cfg_exists())
        return 0;
    cpu_out16(FW_CFG_SELECTOR, FW_CFG_KEY_DIRECTORY);
    fw_cfg_read(word, sizeof(word));
    count = big_endian(word, 4);
    for (uint32_t i = 0; i < count && i < FW_CFG_FILES_MAX; i++) {
        struct fw_cfg_file file;

        fw_cfg_read(&file, sizeof(file));
        if (memcmp(file.name, name, name_size) == 0) {
            cpu_out16(FW_CFG_SELECTOR, (uint16_t)big_endian(file.select, 2));
            return big_endian(file.size, 4);
        }
    }
    return 0;
}

// ---- device tree -------------------------------------------------------------------------------
// Devicetree specification 0.4, 5.2. QEMU's file is 1 MiB of which a few KiB are used: only these
// are copied, and the copy's total size is set accordingly.

#define TREE_FILE     "etc/fdt"
#define TREE_COPY_MAX 16384u // 24 virtio transports, PCI host, serial and clock take 6 KiB
#define TREE_MAGIC    0xD00DFEEDu

struct tree_header {
    uint8_t magic[4]; // all big-endian
    uint8_t total_size[4];
    uint8_t structure_offset[4];
    uint8_t strings_offset[4];
    uint8_t reserve_offset[4];
    uint8_t version[4];
    uint8_t last_compatible_version[4];
    uint8_t boot_cpu[4];
    uint8_t strings_size[4];
    uint8_t structure_size[4];
};
RUMPK_ASSERT_SIZE(tree_header, 40);

static union {
    struct tree_header header;
    uint8_t bytes[TREE_COPY_MAX];
} tree __attribute__((aligned(16)));

static bool is_microvm;

bool boot_is_microvm(void)
{
    return is_microvm;
}

// End of the last block of the tree, or 0 when the header makes no sense.
static uint32_t tree_used_size(uint32_t file_size)
{
    uint32_t structure_end, strings_end, used;

    if (big_endian(tree.header.magic, 4) != TREE_MAGIC ||
        big_endian(tree.header.total_size, 4) > file_size ||
        __builtin_add_overflow(big_endian(tree.header.structure_offset, 4),
                               big_endian(tree.header.structure_size, 4), &structure_end) ||
        __builtin_add_overflow(big_endian(tree.header.strings_offset, 4),
                               big_endian(tree.header.strings_size, 4), &strings_end))
        return 0;
    used = structure_end > strings_end ? structure_end : strings_end;
    if (used < sizeof(tree.header) || used > big_endian(tree.header.total_size, 4) ||
        big_endian(tree.header.reserve_offset, 4) > used)
        return 0;
    return used;
}

// Does the root node say compatible = "linux,microvm"? The text cannot stand elsewhere in a tree
// that QEMU makes; libfdt has its door in portable code, and power-off must work before that runs.
static bool tree_names_microvm(uint32_t size)
{
    static const char name[] = "linux,microvm";

    for (uint32_t i = sizeof(tree.header); i + sizeof(name) <= size; i++) {
        if (memcmp(tree.bytes + i, name, sizeof(name)) == 0)
            return true;
    }
    return false;
}

// Copies the tree. A machine without one is fine, one with a broken or enormous tree is not.
static uint32_t tree_copy(struct boot_info *info)
{
    uint32_t file_size = fw_cfg_open(TREE_FILE, sizeof(TREE_FILE));
    uint32_t used;

    if (file_size == 0)
        return RUMPK_BOOT_CAUSE_NONE;
    if (file_size < sizeof(tree.header))
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    fw_cfg_read(&tree.header, sizeof(tree.header));
    used = tree_used_size(file_size);
    if (used == 0 || used > sizeof(tree.bytes))
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    fw_cfg_read(tree.bytes + sizeof(tree.header), used - (uint32_t)sizeof(tree.header));
    for (uint32_t i = 0; i < 4; i++)
        tree.header.total_size[i] = (uint8_t)(used >> (24 - 8 * i));
    is_microvm = tree_names_microvm(used);
    info->fdt = tree.bytes;
    info->fdt_size = used;
    return RUMPK_BOOT_CAUSE_NONE;
}

// ---- memory map --------------------------------------------------------------------------------

#define START_INFO_MAGIC       0x336EC578u
#define START_INFO_VERSION_MIN 1u // the first with a memory map
#define MEMMAP_ENTRIES_MAX     256u
#define MODULES_MAX            16u
#define COMMAND_LINE_MAX       4096u
#define MEMMAP_TYPE_RAM        1u
#define LOW_PAGE_SIZE          4096u // real-mode vectors and BIOS data

struct start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memmap;
    uint32_t memmap_entries;
    uint32_t reserved;
};
RUMPK_ASSERT_SIZE(start_info, 56);

struct memmap_entry {
    uint64_t base;
    uint64_t size;
    uint32_t type; // as in E820
    uint32_t reserved;
};
RUMPK_ASSERT_SIZE(memmap_entry, 24);

struct module {
    uint64_t base;
    uint64_t size;
    uint64_t command_line;
    uint64_t reserved;
};
RUMPK_ASSERT_SIZE(module, 32);

// Address -> pointer where the boot tables map all of it, else null.
static const void *mapped(uint64_t address, uint64_t size)
{
    if (address == 0 || !range_contains(0, BOOT_MAPPED_END, address, size))
        return NULL;
    return (const void *)(uintptr_t)address;
}

static bool region_add(struct boot_region *list, uint32_t *count, uint64_t base, uint64_t size)
{
    uint64_t end;

    if (size == 0)
        return true;
    if (*count == BOOT_REGIONS_MAX || !checked_add(base, size, &end))
        return false;
    list[(*count)++] = (struct boot_region){base, size};
    return true;
}

static bool reserve(struct boot_info *info, uint64_t base, uint64_t size)
{
    return region_add(info->reserved, &info->reserved_count, base, size);
}

// The text and its NUL.
static bool reserve_text(struct boot_info *info, uint64_t address)
{
    const char *text = mapped(address, COMMAND_LINE_MAX);

    if (address == 0)
        return true;
    return text != NULL && reserve(info, address, text_length(text, COMMAND_LINE_MAX) + 1);
}

static bool reserve_modules(struct boot_info *info, const struct start_info *start)
{
    const struct module *modules = mapped(start->modules, sizeof(*modules) * MODULES_MAX);

    if (start->module_count == 0)
        return true;
    if (modules == NULL || start->module_count > MODULES_MAX ||
        !reserve(info, start->modules, sizeof(*modules) * start->module_count))
        return false;
    for (uint32_t i = 0; i < start->module_count; i++) {
        if (!reserve(info, modules[i].base, modules[i].size) ||
            !reserve_text(info, modules[i].command_line))
            return false;
    }
    return true;
}

// RAM first; then what lies in it and is not RAM after all.
static bool read_memmap(struct boot_info *info, const struct start_info *start)
{
    const struct memmap_entry *map = mapped(start->memmap, sizeof(*map) * MEMMAP_ENTRIES_MAX);

    if (map == NULL || start->memmap_entries > MEMMAP_ENTRIES_MAX)
        return false;
    for (uint32_t i = 0; i < start->memmap_entries; i++) {
        if (map[i].type == MEMMAP_TYPE_RAM &&
            !region_add(info->ram, &info->ram_count, map[i].base, map[i].size))
            return false;
    }
    for (uint32_t i = 0; i < start->memmap_entries; i++) {
        bool inside = false;

        if (map[i].type == MEMMAP_TYPE_RAM || map[i].base + map[i].size < map[i].base)
            continue;
        for (uint32_t j = 0; j < info->ram_count; j++)
            inside |=
                range_overlaps(info->ram[j].base, info->ram[j].size, map[i].base, map[i].size);
        if (inside && !reserve(info, map[i].base, map[i].size))
            return false;
    }
    return info->ram_count > 0 &&
           reserve(info, start->memmap, sizeof(*map) * start->memmap_entries);
}

// ---- ACPI --------------------------------------------------------------------------------------

// ACPI 6.4, 5.2.5.1: the first KiB of the extended BIOS data area, whose segment stands at 0x40E,
// and the BIOS area.
#define EBDA_SEGMENT    UINT64_C(0x40E)
#define EBDA_SEARCH     1024u
#define BIOS_AREA       UINT64_C(0xE0000)
#define BIOS_AREA_SIZE  UINT64_C(0x20000)
#define LOW_MEMORY_SIZE UINT64_C(0x100000)

// Configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2).
#define PCI_CONFIG_ADDRESS 0xCF8
#define PCI_CONFIG_DATA    0xCFC
#define PCI_CONFIG_ENABLE  UINT32_C(0x80000000)

static struct acpi_tables acpi;
static bool has_acpi;
static bool is_q35;

const struct acpi_tables *boot_acpi(void)
{
    return has_acpi ? &acpi : NULL;
}

bool boot_is_q35(void)
{
    return is_q35;
}

uint32_t boot_pci_read(uint32_t slot, uint32_t offset)
{
    cpu_out32(PCI_CONFIG_ADDRESS, PCI_CONFIG_ENABLE | slot << 11 | (offset & 0xFC));
    return cpu_in32(PCI_CONFIG_DATA);
}

static uint64_t rsdp_search(const struct acpi_memory *memory)
{
    uint64_t ebda = (uint64_t)cpu_bios_word(EBDA_SEGMENT) << 4;
    uint64_t found = 0;

    if (range_contains(LOW_PAGE_SIZE, LOW_MEMORY_SIZE - LOW_PAGE_SIZE, ebda, EBDA_SEARCH))
        found = acpi_rsdp_find(memory, ebda, EBDA_SEARCH);
    return found != 0 ? found : acpi_rsdp_find(memory, BIOS_AREA, BIOS_AREA_SIZE);
}

// A machine without tables is fine, one with broken ones is not.
static uint32_t tables_read(uint64_t rsdp)
{
    const struct acpi_memory memory = {
        .bytes = (const uint8_t *)(uintptr_t)PAGE_SIZE,
        .base = PAGE_SIZE,
        .size = BOOT_MAPPED_END - PAGE_SIZE,
    };

    has_acpi = false;
    is_q35 = fw_cfg_exists() && boot_pci_read(0, 0) == Q35_HOST_BRIDGE;
    if (rsdp == 0)
        rsdp = rsdp_search(&memory);
    if (rsdp == 0)
        return RUMPK_BOOT_CAUSE_NONE;
    has_acpi = acpi_read(&memory, rsdp, &acpi);
    return has_acpi ? RUMPK_BOOT_CAUSE_NONE : RUMPK_BOOT_CAUSE_TABLES;
}

// ---- all of it ---------------------------------------------------------------------------------

uint32_t arch_boot_info(struct boot_info *info)
{
    const struct start_info *start = mapped(boot_start_info, sizeof(*start));
    uint32_t cause;

    *info = (struct boot_info){0};
    cause = tree_copy(info); // first, because it tells how to power off
    if (cause != RUMPK_BOOT_CAUSE_NONE)
        return cause;
    if (start == NULL || start->magic != START_INFO_MAGIC ||
        start->version < START_INFO_VERSION_MIN)
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    cause = info->fdt != NULL ? RUMPK_BOOT_CAUSE_NONE : tables_read(start->rsdp);
    if (cause != RUMPK_BOOT_CAUSE_NONE)
        return cause;
    if (!read_memmap(info, start) || !reserve(info, 0, LOW_PAGE_SIZE) ||
        !reserve(info, boot_start_info, sizeof(*start)) ||
        !reserve_text(info, start->command_line) || !reserve_modules(info, start))
        return RUMPK_BOOT_CAUSE_MEMORY_MAP;
    return RUMPK_BOOT_CAUSE_NONE;
}

// ---- fixed devices -----------------------------------------------------------------------------

#define SERIAL_BASE    0x3F8
#define SERIAL_PORTS   8
#define SERIAL_LINE    4 // of the ISA bus; the same at the I/O APIC, unless the tables say otherwise
#define SERIAL_SCRATCH 7 // a register without effect: what is written can be read back

void arch_fixed_devices(void (*add)(const struct fixed_device *device))
{
    const struct fixed_device serial = {
        .compatible = "ns16550a",
        .base = SERIAL_BASE,
        .size = SERIAL_PORTS,
        .is_ports = true,
        .line = has_acpi ? acpi.isa_lines[SERIAL_LINE].line : SERIAL_LINE,
    };

    cpu_out8(SERIAL_BASE + SERIAL_SCRATCH, 0x5A);
    if (cpu_in8(SERIAL_BASE + SERIAL_SCRATCH) == 0x5A)
        add(&serial);
}

// ---- PCI host ----------------------------------------------------------------------------------

static const struct acpi_ecam *ecam_of_segment_0(void)
{
    for (uint32_t index = 0; has_acpi && index < acpi.ecam_count; index++) {
        if (acpi.ecams[index].segment == 0)
            return &acpi.ecams[index];
    }
    return NULL;
}

// On any other machine than q35 nothing but bytecode says which addresses functions may have, so
// they get none.
bool arch_pci_host(struct pci_host *host)
{
    const struct acpi_ecam *ecam = ecam_of_segment_0();
    uint64_t end;

    if (ecam == NULL)
        return false;
    *host = (struct pci_host){
        .config = ecam->base + ecam->bus_first * PCI_BUS_SIZE,
        .config_size = (ecam->bus_last - ecam->bus_first + UINT64_C(1)) * PCI_BUS_SIZE,
        .bus_first = ecam->bus_first,
        .bus_last = ecam->bus_last,
        .node = -1,
    };
    for (uint32_t slot = 0; slot < PCI_SLOTS; slot++) {
        for (uint32_t pin = 0; pin < PCI_PINS; pin++)
            host->lines[slot][pin] =
                is_q35 && ecam->bus_first == 0 ? q35_line(slot, pin) : ARCH_LINE_NONE;
    }
    end = host->config + host->config_size; // acpi.c: does not overflow
    if (is_q35 && end < Q35_WINDOW_END)
        host->windows[host->window_count++] =
            (struct pci_window){.address = end, .bus_address = end, .size = Q35_WINDOW_END - end};
    return true;
}
