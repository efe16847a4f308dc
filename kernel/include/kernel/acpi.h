// SPDX-License-Identifier: Apache-2.0
//
// acpi.h: the firmware's static tables (ACPI 6.4, chapter 5), as far as the kernel asks them. The
// bytecode of the DSDT is never run: what only it says stands as constants in the arch code.
//
//   RSDP ──> XSDT, else RSDT ──┬─> APIC (MADT)  I/O APICs, where the ISA lines go
//                              ├─> MCFG         PCI configuration space in memory
//                              ├─> HPET         a counter that tells its own rate
//                              ├─> FACP (FADT)  the ports that power the machine off
//                              └─> all others   not looked at
//
// All of it is input: pure reading of a range of memory, every address, length and sum checked.
#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include <kernel/base.h>

#define ACPI_IOAPICS_MAX 4u
#define ACPI_ECAMS_MAX   4u
#define ACPI_ISA_LINES   16u

// Physical memory that may be read: address `base` is at bytes[0].
struct acpi_memory {
    const uint8_t *bytes;
    uint64_t base;
    uint64_t size;
};

struct acpi_ioapic {
    uint64_t base;
    uint32_t line_first; // its first global system interrupt
};

// Where a line of the ISA bus is, and how it is driven.
struct acpi_isa_line {
    uint32_t line; // global system interrupt
    bool is_level;
    bool is_low; // active low, or falling edge
};

struct acpi_ecam {
    uint64_t base; // of bus 0, also when bus_first is another
    uint16_t segment;
    uint8_t bus_first;
    uint8_t bus_last;
};

struct acpi_tables {
    struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
    uint32_t ioapic_count; // 0: no MADT
    struct acpi_isa_line isa_lines[ACPI_ISA_LINES];
    struct acpi_ecam ecams[ACPI_ECAMS_MAX]; // further ones are left out
    uint32_t ecam_count;
    uint64_t hpet;         // address of its registers; 0: none
    uint16_t pm1a_control; // port; 0: the machine cannot be powered off this way
    uint16_t pm1b_control; // port; 0: there is no second
    uint16_t smi_command;  // port; 0: the machine is always in ACPI mode
    uint8_t acpi_enable;   // what is written there to enter it
};

// Looks for the RSDP at each 16th byte of [base, base + size). 0: not there.
uint64_t acpi_rsdp_find(const struct acpi_memory *memory, uint64_t base, uint64_t size);

// Reads the tables of the RSDP at `rsdp`. False: one that the kernel asks is broken, or more than
// fits; *out is not to be used.
[[nodiscard]] bool acpi_read(const struct acpi_memory *memory, uint64_t rsdp,
                             struct acpi_tables *out);

#endif
