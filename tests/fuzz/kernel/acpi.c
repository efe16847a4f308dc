// SPDX-License-Identifier: Apache-2.0
//
// The firmware's ACPI tables. The input is memory from BASE on with the RSDP at its start. Sums are
// made right first, as far as the input's own addresses lead, so that mutations get past them.
#include <kernel/acpi.h>

#include "acpi_sample.h"
#include "fuzz.h"

#include <string.h>

#define BASE UINT64_C(0x1000)

static volatile uint64_t sink;

static uint64_t field(const uint8_t *bytes, uint32_t size)
{
    uint64_t value = 0;

    for (uint32_t index = size; index > 0; index--)
        value = value << 8 | bytes[index - 1];
    return value;
}

static uint8_t *place(uint8_t *bytes, size_t size, uint64_t address)
{
    if (address < BASE || address - BASE >= size)
        return NULL;
    return bytes + (address - BASE);
}

static void root_seal(uint8_t *bytes, size_t size, uint64_t address, uint32_t entry_size)
{
    uint8_t *root = place(bytes, size, address);
    size_t room = root == NULL ? 0 : size - (size_t)(root - bytes);
    uint64_t length = room < 36 ? 0 : field(root + 4, 4);

    for (uint64_t at = 36; at + entry_size <= length && at + entry_size <= room; at += entry_size) {
        uint8_t *table = place(bytes, size, field(root + at, entry_size));

        if (table != NULL)
            acpi_table_seal(table, size - (size_t)(table - bytes));
    }
    if (root != NULL)
        acpi_table_seal(root, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acpi_tables tables;
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    struct acpi_memory memory = {bytes, BASE, size};

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (size >= 20)
        root_seal(bytes, size, field(bytes + 16, 4), 4);
    if (size >= 32)
        root_seal(bytes, size, field(bytes + 24, 8), 8);
    acpi_rsdp_seal(bytes, size);
    sink += acpi_rsdp_find(&memory, BASE, size);
    if (acpi_read(&memory, BASE, &tables)) {
        for (uint32_t index = 0; index < tables.ecam_count; index++)
            sink += tables.ecams[index].base;
        if (tables.ioapic_count != 0 && tables.pm1a_control != 0 && tables.hpet != 0)
            FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
