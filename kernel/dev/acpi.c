// SPDX-License-Identifier: Apache-2.0
//
// acpi.c: reading the firmware's static tables. What is read, and why nothing else, is in acpi.h.
//
// A table is believed when it lies in readable memory as a whole and its bytes sum up to zero; of
// tables that the kernel does not ask only the header is read. Of two tables of one name the first
// counts. Fields are read byte by byte: tables are aligned to nothing (ACPI 6.4, 5.2).
#include <kernel/acpi.h>

#define TABLE_SIZE_MAX   UINT64_C(0x100000) // of the largest known machines: far below
#define TABLES_MAX       128u
#define MADT_ENTRIES_MAX 4096u

struct table {
    const uint8_t *bytes;
    uint64_t size; // checked: all of it is readable
};

static const uint8_t *readable(const struct acpi_memory *memory, uint64_t address, uint64_t size)
{
    if (!range_contains(memory->base, memory->size, address, size))
        return NULL;
    return memory->bytes + (address - memory->base);
}

// Little-endian, 1 to 8 bytes.
static uint64_t field(const uint8_t *bytes, uint64_t offset, uint32_t size)
{
    uint64_t value = 0;

    for (uint32_t index = size; index > 0; index--)
        value = value << 8 | bytes[offset + index - 1];
    return value;
}

static bool sum_is_zero(const uint8_t *bytes, uint64_t size)
{
    uint8_t sum = 0;

    for (uint64_t index = 0; index < size; index++)
        sum = (uint8_t)(sum + bytes[index]);
    return sum == 0;
}

// ---- RSDP: ACPI 6.4, 5.2.5.3 --------------------------------------------------------------------

#define RSDP_SIZE       20u // of revision 0
#define RSDP_REVISION   15u
#define RSDP_RSDT       16u
#define RSDP_LENGTH     20u // from here on: revision 2
#define RSDP_XSDT       24u
#define RSDP_SIZE_2     36u
#define RSDP_SIZE_MAX   4096u
#define RSDP_STEP       16u
#define RSDP_REVISION_2 2u
#define RSDP_SIGNATURE  "RSD PTR "

static const uint8_t *rsdp_at(const struct acpi_memory *memory, uint64_t address)
{
    const uint8_t *rsdp = readable(memory, address, RSDP_SIZE);

    if (rsdp == NULL || memcmp(rsdp, RSDP_SIGNATURE, sizeof(RSDP_SIGNATURE) - 1) != 0 ||
        !sum_is_zero(rsdp, RSDP_SIZE))
        return NULL;
    return rsdp;
}

uint64_t acpi_rsdp_find(const struct acpi_memory *memory, uint64_t base, uint64_t size)
{
    uint64_t address;

    if (!align_up(base, RSDP_STEP, &address) || !range_contains(base, size, address, RSDP_SIZE))
        return 0;
    for (; range_contains(base, size, address, RSDP_SIZE); address += RSDP_STEP) {
        if (rsdp_at(memory, address) != NULL)
            return address;
    }
    return 0;
}

// ---- headers: ACPI 6.4, 5.2.6 -------------------------------------------------------------------

#define HEADER_SIZE   36u
#define HEADER_LENGTH 4u
#define NAME_SIZE     4u

static bool table_open(const struct acpi_memory *memory, uint64_t address, struct table *out)
{
    const uint8_t *header = readable(memory, address, HEADER_SIZE);

    if (header == NULL)
        return false;
    out->size = field(header, HEADER_LENGTH, 4);
    out->bytes = readable(memory, address, out->size);
    return out->size >= HEADER_SIZE && out->size <= TABLE_SIZE_MAX && out->bytes != NULL;
}

static bool table_is(const struct table *table, const char *name)
{
    return memcmp(table->bytes, name, NAME_SIZE) == 0;
}

// ---- MADT: ACPI 6.4, 5.2.12 ---------------------------------------------------------------------

#define MADT_ENTRIES       44u
#define MADT_IOAPIC        1u
#define MADT_OVERRIDE      2u
#define MADT_IOAPIC_SIZE   12u
#define MADT_OVERRIDE_SIZE 10u

// Two bits each, polarity and trigger (5.2.12.5): 0 as the bus has it, which on the ISA bus is
// edge and active high; 1 high or edge; 3 low or level; 2 is reserved.
#define MODE_RESERVED 2u
#define MODE_INVERSE  3u

static bool ioapic_read(const uint8_t *entry, uint64_t size, struct acpi_tables *out)
{
    struct acpi_ioapic ioapic;

    if (size < MADT_IOAPIC_SIZE || out->ioapic_count == ACPI_IOAPICS_MAX)
        return false;
    ioapic = (struct acpi_ioapic){
        .base = field(entry, 4, 4),
        .line_first = (uint32_t)field(entry, 8, 4),
    };
    if (ioapic.base == 0)
        return false;
    out->ioapics[out->ioapic_count++] = ioapic;
    return true;
}

static bool override_read(const uint8_t *entry, uint64_t size, struct acpi_tables *out)
{
    uint64_t source, flags, polarity, trigger;

    if (size < MADT_OVERRIDE_SIZE)
        return false;
    source = field(entry, 3, 1);
    flags = field(entry, 8, 2);
    polarity = flags & 3;
    trigger = flags >> 2 & 3;
    if (field(entry, 2, 1) != 0 || source >= ACPI_ISA_LINES || polarity == MODE_RESERVED ||
        trigger == MODE_RESERVED)
        return false;
    out->isa_lines[source] = (struct acpi_isa_line){
        .line = (uint32_t)field(entry, 4, 4),
        .is_level = trigger == MODE_INVERSE,
        .is_low = polarity == MODE_INVERSE,
    };
    return true;
}

static bool madt_read(const struct table *table, struct acpi_tables *out)
{
    uint64_t offset = MADT_ENTRIES;

    if (table->size < MADT_ENTRIES)
        return false;
    for (uint32_t count = 0; offset < table->size; count++) {
        const uint8_t *entry = table->bytes + offset;
        uint64_t left = table->size - offset;
        uint64_t size = left < 2 ? 0 : entry[1];

        if (size < 2 || size > left || count == MADT_ENTRIES_MAX)
            return false;
        if (entry[0] == MADT_IOAPIC && !ioapic_read(entry, size, out))
            return false;
        if (entry[0] == MADT_OVERRIDE && !override_read(entry, size, out))
            return false;
        offset += size;
    }
    return out->ioapic_count != 0;
}

// ---- MCFG: PCI Firmware Specification 3.0, 4.1.2 ------------------------------------------------

#define MCFG_ENTRIES    44u
#define MCFG_ENTRY_SIZE 16u
#define ECAM_BUS_SIZE   UINT64_C(0x100000)

static bool mcfg_read(const struct table *table, struct acpi_tables *out)
{
    if (table->size < MCFG_ENTRIES || (table->size - MCFG_ENTRIES) % MCFG_ENTRY_SIZE != 0)
        return false;
    for (uint64_t offset = MCFG_ENTRIES; offset < table->size; offset += MCFG_ENTRY_SIZE) {
        const uint8_t *entry = table->bytes + offset;
        struct acpi_ecam ecam = {
            .base = field(entry, 0, 8),
            .segment = (uint16_t)field(entry, 8, 2),
            .bus_first = entry[10],
            .bus_last = entry[11],
        };
        uint64_t end;

        if (ecam.base == 0 || ecam.base % ECAM_BUS_SIZE != 0 || ecam.bus_first > ecam.bus_last ||
            !checked_add(ecam.base, (ecam.bus_last + UINT64_C(1)) * ECAM_BUS_SIZE, &end))
            return false;
        if (out->ecam_count < ACPI_ECAMS_MAX)
            out->ecams[out->ecam_count++] = ecam;
    }
    return true;
}

// ---- HPET: IA-PC HPET specification 1.0a, 3.2.4 -------------------------------------------------

#define HPET_SIZE 56u
#define HPET_REGISTER \
    40u // generic address (ACPI 6.4, 5.2.3.2): space, width, offset, access, address
#define GAS_ADDRESS 4u
#define GAS_SIZE    12u
#define GAS_MEMORY  0u
#define GAS_PORT    1u

static bool hpet_read(const struct table *table, struct acpi_tables *out)
{
    if (table->size < HPET_SIZE || table->bytes[HPET_REGISTER] != GAS_MEMORY)
        return false;
    out->hpet = field(table->bytes, HPET_REGISTER + GAS_ADDRESS, 8);
    return out->hpet != 0 && out->hpet % 8 == 0;
}

// ---- FADT: ACPI 6.4, 5.2.9 ----------------------------------------------------------------------

#define FADT_SIZE_MIN       116u // ACPI 1.0
#define FADT_SMI_COMMAND    48u
#define FADT_ACPI_ENABLE    52u
#define FADT_PM1A_CONTROL   64u
#define FADT_PM1B_CONTROL   68u
#define FADT_FLAGS          112u
#define FADT_X_PM1A_CONTROL 172u
#define FADT_X_PM1B_CONTROL 184u

#define FADT_HARDWARE_REDUCED (UINT32_C(1) << 20) // has no such registers

#define PORT_LAST 0xFFFFu

// A 16-bit register: the extended field counts where there is one (5.2.9, X_PM1a_CNT_BLK). 0: none,
// or not a pair of ports.
static uint16_t port_of(const struct table *table, uint32_t old, uint32_t extended)
{
    uint64_t port = field(table->bytes, old, 4);

    if (table->size >= extended + GAS_SIZE) {
        uint64_t address = field(table->bytes, extended + GAS_ADDRESS, 8);

        if (address != 0)
            port = table->bytes[extended] == GAS_PORT ? address : 0;
    }
    return port < PORT_LAST ? (uint16_t)port : 0;
}

static bool fadt_read(const struct table *table, struct acpi_tables *out)
{
    uint64_t command;

    if (table->size < FADT_SIZE_MIN)
        return false;
    if ((field(table->bytes, FADT_FLAGS, 4) & FADT_HARDWARE_REDUCED) != 0)
        return true;
    out->pm1a_control = port_of(table, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
    out->pm1b_control = port_of(table, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
    command = field(table->bytes, FADT_SMI_COMMAND, 4);
    out->smi_command = command <= PORT_LAST ? (uint16_t)command : 0;
    out->acpi_enable = table->bytes[FADT_ACPI_ENABLE];
    return true;
}

// ---- all of them --------------------------------------------------------------------------------

static const struct reader {
    char name[NAME_SIZE + 1];
    bool (*read)(const struct table *table, struct acpi_tables *out);
} readers[] = {
    {"APIC", madt_read},
    {"MCFG", mcfg_read},
    {"HPET", hpet_read},
    {"FACP", fadt_read},
};

// `seen`: a bit for each reader that has had its table.
static bool table_read(const struct table *table, uint32_t *seen, struct acpi_tables *out)
{
    for (uint32_t index = 0; index < COUNT_OF(readers); index++) {
        if (!table_is(table, readers[index].name) || (*seen >> index & 1) != 0)
            continue;
        *seen |= UINT32_C(1) << index;
        return sum_is_zero(table->bytes, table->size) && readers[index].read(table, out);
    }
    return true;
}

// The table of tables, and the size of its entries. XSDT where there is one (5.2.8).
static bool root_open(const struct acpi_memory *memory, uint64_t address, struct table *root,
                      uint32_t *entry_size)
{
    const uint8_t *rsdp = rsdp_at(memory, address);
    uint64_t xsdt = 0;

    if (rsdp == NULL)
        return false;
    if (rsdp[RSDP_REVISION] >= RSDP_REVISION_2) {
        const uint8_t *more = readable(memory, address, RSDP_SIZE_2);
        uint64_t size = more == NULL ? 0 : field(more, RSDP_LENGTH, 4);

        if (size < RSDP_SIZE_2 || size > RSDP_SIZE_MAX || readable(memory, address, size) == NULL ||
            !sum_is_zero(more, size))
            return false;
        xsdt = field(more, RSDP_XSDT, 8);
    }
    *entry_size = xsdt != 0 ? 8 : 4;
    return table_open(memory, xsdt != 0 ? xsdt : field(rsdp, RSDP_RSDT, 4), root) &&
           table_is(root, xsdt != 0 ? "XSDT" : "RSDT") && sum_is_zero(root->bytes, root->size) &&
           (root->size - HEADER_SIZE) % *entry_size == 0 &&
           (root->size - HEADER_SIZE) / *entry_size <= TABLES_MAX;
}

bool acpi_read(const struct acpi_memory *memory, uint64_t rsdp, struct acpi_tables *out)
{
    struct table root;
    uint32_t entry_size;
    uint32_t seen = 0;

    *out = (struct acpi_tables){0};
    for (uint32_t source = 0; source < ACPI_ISA_LINES; source++)
        out->isa_lines[source].line = source;
    if (!root_open(memory, rsdp, &root, &entry_size))
        return false;
    for (uint64_t offset = HEADER_SIZE; offset < root.size; offset += entry_size) {
        uint64_t address = field(root.bytes, offset, entry_size);
        struct table table;

        if (address == 0) // some firmware leaves gaps
            continue;
        if (!table_open(memory, address, &table) || !table_read(&table, &seen, out))
            return false;
    }
    return true;
}
