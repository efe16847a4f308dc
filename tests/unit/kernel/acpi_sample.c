// SPDX-License-Identifier: Apache-2.0
//
// acpi_sample.c: the tables of acpi_sample.h, written field by field (ACPI 6.4, chapter 5).
#include "acpi_sample.h"

#include <string.h>

static uint8_t sum(const uint8_t *bytes, uint64_t size)
{
    uint8_t total = 0;

    for (uint64_t index = 0; index < size; index++)
        total = (uint8_t)(total + bytes[index]);
    return total;
}

void acpi_put(uint8_t *bytes, uint32_t offset, uint64_t value, uint32_t size)
{
    for (uint32_t index = 0; index < size; index++)
        bytes[offset + index] = (uint8_t)(value >> 8 * index);
}

static uint64_t get(const uint8_t *bytes, uint32_t offset, uint32_t size)
{
    uint64_t value = 0;

    for (uint32_t index = size; index > 0; index--)
        value = value << 8 | bytes[offset + index - 1];
    return value;
}

void acpi_table_seal(uint8_t *table, uint64_t room)
{
    uint64_t size = room < 36 ? 0 : get(table, 4, 4);

    if (size < 36 || size > room)
        return;
    table[9] = 0;
    table[9] = (uint8_t)-sum(table, size);
}

void acpi_rsdp_seal(uint8_t *rsdp, uint64_t room)
{
    uint64_t size = room < 36 ? 0 : get(rsdp, 20, 4);

    if (room < 20)
        return;
    rsdp[8] = 0;
    rsdp[8] = (uint8_t)-sum(rsdp, 20);
    if (rsdp[15] < 2 || size < 36 || size > room)
        return;
    rsdp[32] = 0;
    rsdp[32] = (uint8_t)-sum(rsdp, size);
}

void acpi_sample_seal(uint8_t bytes[ACPI_SAMPLE_SIZE])
{
    static const uint32_t tables[] = {SAMPLE_XSDT, SAMPLE_RSDT, SAMPLE_FADT, SAMPLE_MADT,
                                      SAMPLE_HPET, SAMPLE_MCFG, SAMPLE_WAET};

    for (uint32_t index = 0; index < sizeof(tables) / sizeof(tables[0]); index++)
        acpi_table_seal(bytes + tables[index], ACPI_SAMPLE_SIZE - tables[index]);
    acpi_rsdp_seal(bytes + SAMPLE_RSDP, ACPI_SAMPLE_SIZE);
}

static void header(uint8_t *table, const char *name, uint32_t size)
{
    memcpy(table, name, 4);
    acpi_put(table, 4, size, 4);
    table[8] = 1;
    memcpy(table + 10, "BOCHS BXPC    ", 14);
}

static void roots_make(uint8_t *bytes, uint64_t base)
{
    static const uint32_t tables[] = {SAMPLE_FADT, SAMPLE_MADT, SAMPLE_HPET, SAMPLE_MCFG};

    header(bytes + SAMPLE_XSDT, "XSDT", 36 + 3 * 8);
    header(bytes + SAMPLE_RSDT, "RSDT", 36 + 5 * 4);
    for (uint32_t index = 0; index < 4; index++)
        acpi_put(bytes + SAMPLE_RSDT, 36 + 4 * index, base + tables[index], 4);
    acpi_put(bytes + SAMPLE_RSDT, 36 + 16, base + SAMPLE_WAET, 4);
    // The XSDT leaves the last one out: then it is known which of the two was read.
    for (uint32_t index = 0; index < 3; index++)
        acpi_put(bytes + SAMPLE_XSDT, 36 + 8 * index, base + tables[index], 8);
}

static void fadt_make(uint8_t *fadt)
{
    header(fadt, "FACP", 244);
    acpi_put(fadt, 48, 0xB2, 4); // SMI_CMD
    fadt[52] = 2;                // ACPI_ENABLE
    acpi_put(fadt, 64, 0x604, 4);
    acpi_put(fadt, 112, 0x84A5, 4);
    fadt[172] = 1; // X_PM1a_CNT_BLK: a port of 16 bits
    fadt[173] = 16;
    acpi_put(fadt, 176, 0x604, 8);
}

static void madt_make(uint8_t *madt)
{
    static const uint8_t entries[] = {
        0,    8,  0,    0, 1, 0, 0,    0,                 // local APIC
        1,    12, 0,    0, 0, 0, 0xC0, 0xFE, 0,  0, 0, 0, // I/O APIC at 0xFEC00000, line 0
        2,    10, 0,    0, 2, 0, 0,    0,    0,  0,       // the PIT: line 2
        2,    10, 0,    5, 5, 0, 0,    0,    13, 0,       // level, high
        2,    10, 0,    9, 9, 0, 0,    0,    15, 0,       // level, low
        4,    6,  0xFF, 0, 0, 1,                          // NMI of the local APICs
        0x7F, 2,                                          // a kind that nobody knows
    };

    header(madt, "APIC", 44 + sizeof(entries));
    acpi_put(madt, 36, 0xFEE00000, 4);
    memcpy(madt + 44, entries, sizeof(entries));
}

void acpi_sample_make(uint8_t bytes[ACPI_SAMPLE_SIZE], uint64_t base, uint32_t revision)
{
    memset(bytes, 0, ACPI_SAMPLE_SIZE);
    memcpy(bytes + SAMPLE_RSDP, "RSD PTR \0BOCHS ", 15);
    bytes[SAMPLE_RSDP + 15] = (uint8_t)revision;
    acpi_put(bytes + SAMPLE_RSDP, 16, base + SAMPLE_RSDT, 4);
    if (revision >= 2) {
        acpi_put(bytes + SAMPLE_RSDP, 20, 36, 4);
        acpi_put(bytes + SAMPLE_RSDP, 24, base + SAMPLE_XSDT, 8);
    }
    roots_make(bytes, base);
    fadt_make(bytes + SAMPLE_FADT);
    madt_make(bytes + SAMPLE_MADT);
    header(bytes + SAMPLE_HPET, "HPET", 56);
    acpi_put(bytes + SAMPLE_HPET, 44, 0xFED00000, 8);
    header(bytes + SAMPLE_MCFG, "MCFG", 60);
    acpi_put(bytes + SAMPLE_MCFG, 44, 0xB0000000, 8);
    bytes[SAMPLE_MCFG + 55] = 0xFF;
    header(bytes + SAMPLE_WAET, "WAET", 40);
    acpi_sample_seal(bytes);
}
