// SPDX-License-Identifier: Apache-2.0
//
// machine.h (x86_64): registers of the local APIC (Intel SDM volume 3, 10.4 to 10.8) and of the I/O
// APIC (Intel 82093AA, 3.0), what an interrupt specifier of the tree means, and what intr.c,
// timer.c, trap.c and power.c know of each other.
#ifndef X86_64_MACHINE_H
#define X86_64_MACHINE_H

#include <arch/arch.h>
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

// ---- between the files of this folder -----------------------------------------------------------

// trap.c: an interrupt has been taken. Notes it for arch_interrupt_claim, or true: the timer.
bool interrupt_take(uint32_t vector);

// timer.c: measures the timer of the local APIC, which is on by then. False: it stands still.
bool timer_calibrate(void);
// timer.c: the timer's interrupt has come. False: it came for nothing.
bool timer_take(void);

// power.c: the register that it writes. False: none.
bool power_window(struct boot_region *out);

#endif
