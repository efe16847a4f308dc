// SPDX-License-Identifier: Apache-2.0
//
// acpi_sample.h: ACPI tables as QEMU's q35 hands them over, for the test of the parser, the test of
// what reads them at boot, and the corpus of the fuzzer.
#ifndef ACPI_SAMPLE_H
#define ACPI_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_SAMPLE_SIZE 1024u

// Where each table lies in the sample.
#define SAMPLE_RSDP 0u
#define SAMPLE_XSDT 0x40u
#define SAMPLE_RSDT 0x80u
#define SAMPLE_FADT 0xC0u
#define SAMPLE_MADT 0x1C0u
#define SAMPLE_HPET 0x240u
#define SAMPLE_MCFG 0x280u
#define SAMPLE_WAET 0x2C0u

// Fills `bytes`, which lie at `base`. Revision 0 has an RSDT only, revision 2 an XSDT too.
void acpi_sample_make(uint8_t bytes[ACPI_SAMPLE_SIZE], uint64_t base, uint32_t revision);
// Little-endian, at an offset.
void acpi_put(uint8_t *bytes, uint32_t offset, uint64_t value, uint32_t size);
// Makes the sums right again after a change.
void acpi_sample_seal(uint8_t bytes[ACPI_SAMPLE_SIZE]);
// The same for one table whose length, byte 4 to 7, is believed up to `room`.
void acpi_table_seal(uint8_t *table, uint64_t room);
// And for the RSDP.
void acpi_rsdp_seal(uint8_t *rsdp, uint64_t room);

#endif
