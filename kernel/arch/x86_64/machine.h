// SPDX-License-Identifier: Apache-2.0
//
// machine.h (x86_64): registers of the local APIC (Intel SDM volume 3, 10.4 to 10.8), of the I/O
// APIC (Intel 82093AA, 3.0) and of the HPET, what an interrupt specifier of the tree means, what
// only the bytecode of q35's tables says, and what boot.c, intr.c, timer.c, trap.c and power.c know
// of each other.
#ifndef X86_64_MACHINE_H
#define X86_64_MACHINE_H

#include <arch/arch.h>
#include <kernel/acpi.h>
#include <stdbool.h>
#include <stdint.h>

// ---- local APIC ---------------------------------------------------------------------------------

#define LAPIC_ID            0x020u
#define LAPIC_VERSION       0x030u
#define LAPIC_PRIORITY      0x080u
#define LAPIC_EOI           0x0B0u
#define LAPIC_SPURIOUS      0x0F0u
#define LAPIC_IN_SERVICE    0x100u // eight words, 16 bytes apart
#define LAPIC_ERROR_STATUS  0x280u
#define LAPIC_COMMAND       0x300u
#define LAPIC_LVT_TIMER     0x320u
#define LAPIC_LVT_THERMAL   0x330u
#define LAPIC_LVT_MONITOR   0x340u
#define LAPIC_LVT_LINT0     0x350u
#define LAPIC_LVT_LINT1     0x360u
#define LAPIC_LVT_ERROR     0x370u
#define LAPIC_TIMER_INITIAL 0x380u
#define LAPIC_TIMER_CURRENT 0x390u
#define LAPIC_TIMER_DIVIDER 0x3E0u
#define LAPIC_SIZE          0x1000u

#define LAPIC_ENABLE         0x100u // of LAPIC_SPURIOUS
#define LAPIC_MASKED         (UINT32_C(1) << 16)
#define LAPIC_COMMAND_BUSY   (UINT32_C(1) << 12)
#define LAPIC_COMMAND_ASSERT (UINT32_C(1) << 14)
#define LAPIC_COMMAND_SELF   (UINT32_C(1) << 18)
#define LAPIC_DIVIDE_1       0xBu
#define LAPIC_DIVIDE_128     0xAu

extern uint64_t lapic_base; // intr.c; 0 before arch_interrupts_find

static inline uint32_t lapic_read(uint32_t offset)
{
    return *(const volatile uint32_t *)(uintptr_t)(lapic_base + offset);
}

static inline void lapic_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(lapic_base + offset) = value;
}

// A message-signalled interrupt is a write to this range: the processor's number in bits 19:12, and
// the vector as data: fixed, edge (Intel SDM volume 3, 10.11.1 and 10.11.2).
#define MSI_ADDRESS      UINT64_C(0xFEE00000)
#define MSI_TARGET_SHIFT 12

// ---- I/O APIC -----------------------------------------------------------------------------------

#define IOAPIC_SELECT  0x00u // number of the register that ...
#define IOAPIC_WINDOW  0x10u // ... is seen here
#define IOAPIC_SIZE    0x1000u
#define IOAPIC_VERSION 0x01u
#define IOAPIC_ENTRY   0x10u // two registers per pin: vector and mode, target

#define IOAPIC_ENTRY_LOW    (UINT32_C(1) << 13)
#define IOAPIC_ENTRY_LEVEL  (UINT32_C(1) << 15)
#define IOAPIC_ENTRY_MASKED (UINT32_C(1) << 16)

#define IOAPIC_PINS 24u // of the 82093AA and every chipset after it that counts
#define ISA_PINS    16u // of the first I/O APIC

// ---- interrupt specifier (devicetree binding intel,ce4100-ioapic): pin, trigger
// -------------------

#define TRIGGER_EDGE_RISE 0u
#define TRIGGER_LOW       1u
#define TRIGGER_HIGH      2u
#define TRIGGER_EDGE_FALL 3u

// What a line is at the I/O APIC: bits of the redirection entry.
struct ioapic_specifier {
    uint32_t line;
    uint32_t entry;
};

// `first` is the first line of the controller. QEMU's microvm writes 0, edge, for every device
// (hw/i386/microvm-dt.c), but its ACPI tables call all that is not ISA level and active high
// (hw/i386/acpi-microvm.c), and so the devices behave: the tables are believed.
static inline bool ioapic_specifier_decode(uint32_t first, bool is_microvm, const uint32_t *cells,
                                           uint32_t count, struct ioapic_specifier *out)
{
    static const uint32_t entries[] = {
        [TRIGGER_EDGE_RISE] = 0,
        [TRIGGER_LOW] = IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_LOW,
        [TRIGGER_HIGH] = IOAPIC_ENTRY_LEVEL,
        [TRIGGER_EDGE_FALL] = IOAPIC_ENTRY_LOW,
    };

    if (count != 2 || cells[0] >= IOAPIC_PINS || cells[1] > TRIGGER_EDGE_FALL)
        return false;
    out->line = first + cells[0];
    out->entry = entries[cells[1]];
    if (is_microvm && cells[1] == TRIGGER_EDGE_RISE && out->line >= ISA_PINS)
        out->entry = IOAPIC_ENTRY_LEVEL;
    return true;
}

// ---- HPET (IA-PC HPET specification 1.0a, 2.3) --------------------------------------------------

#define HPET_CAPABILITIES  0x000u // upper half: femtoseconds per tick
#define HPET_CONFIGURATION 0x010u
#define HPET_COUNTER       0x0F0u
#define HPET_SIZE          0x400u
#define HPET_ENABLE        0x1u                // and no legacy replacement: bit 1 clear
#define HPET_PERIOD_MIN    UINT64_C(1000000)   // 1 ns: nobody builds a faster one
#define HPET_PERIOD_MAX    UINT64_C(100000000) // 100 ns, by the specification
#define FEMTOSECONDS       UINT64_C(1000000000000000)

// ---- q35 ----------------------------------------------------------------------------------------
//
// Intel's Q35 with ICH9 as QEMU 7.2 builds it. Its DSDT says what follows in bytecode, which is
// never run here.

// 00:00.0, device and vendor: by it boot.c knows the machine (QEMU include/hw/pci-host/q35.h).
#define Q35_HOST_BRIDGE UINT32_C(0x29C08086)

// \_S5, first element (QEMU hw/i386/acpi-build.c, build_dsdt).
#define Q35_SLEEP_TYPE_S5 0u

// PM1 control where no FADT tells it: PMBASE of the LPC bridge, 00:1F.0 (Intel ICH9 datasheet,
// 13.1.13), and the register's offset (13.8.3).
#define Q35_LPC_SLOT      31u
#define Q35_LPC_PM_BASE   0x40u
#define Q35_PM_BASE_PORTS 0xFF80u
#define Q35_PM1_CONTROL   4u

// Addresses for PCI functions: from the end of the configuration space to the I/O APIC (_CRS of
// the host; the firmware has placed its own choice there already).
#define Q35_WINDOW_END UINT64_C(0xFEC00000)

// _PRT of the host with APICs: slots 0 to 24 go to PIRQE to PIRQH in turns, 25 to 31 each pin to
// PIRQA to PIRQD, the bridge in slot 30 to PIRQE to PIRQH (QEMU hw/isa/lpc_ich9.c, ich9_cc_init
// and ich9_cc_update). PIRQA is line 16, level and low like every pin of PCI (ICH9, 5.9).
#define Q35_PIRQ_A    16u
#define Q35_PIRQ_E    20u
#define Q35_SLOT_ROOT 25u
#define Q35_SLOT_PCI  30u

static inline uint32_t q35_line(uint32_t slot, uint32_t pin)
{
    if (slot == Q35_SLOT_PCI)
        return Q35_PIRQ_E + pin;
    if (slot >= Q35_SLOT_ROOT)
        return Q35_PIRQ_A + pin;
    return Q35_PIRQ_E + (slot + pin) % 4;
}

// ---- between the files of this folder -----------------------------------------------------------

// boot.c: the firmware's tables, or null where a tree says everything, and where nothing does.
const struct acpi_tables *boot_acpi(void);
// boot.c: the machine is QEMU's q35.
bool boot_is_q35(void);
// boot.c: a register of PCI configuration space on bus 0, function 0, by ports.
uint32_t boot_pci_read(uint32_t slot, uint32_t offset);

// trap.c: an interrupt has been taken. Notes it for arch_interrupt_claim, or true: the timer.
bool interrupt_take(uint32_t vector);

// timer.c: the HPET. False: none.
bool timer_window(struct boot_region *out);
// timer.c: measures the timer of the local APIC, which is on by then. False: it stands still.
bool timer_calibrate(void);
// timer.c: the timer's interrupt has come. False: it came for nothing.
bool timer_take(void);

// power.c: the register that it writes. False: none.
bool power_window(struct boot_region *out);

#endif
