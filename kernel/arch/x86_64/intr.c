// SPDX-License-Identifier: Apache-2.0
//
// intr.c (x86_64): the local APIC of this core and the I/O APICs.
//
//   line 0..95    pins of the I/O APICs, by global system interrupt: 24 of each where a tree names
//                 them, as the tables (MADT) say where there are tables
//   line 96..191  message-signalled interrupts, in the order in which they were given out
//   vector        VECTOR_LINE_FIRST + line; above all of them VECTOR_TIMER, then VECTOR_SPURIOUS
//
// The processor acknowledges an interrupt by taking it, so what the kernel finds is a vector in
// service: interrupt_take notes it, arch_interrupt_claim masks the line and ends it (EOI), the
// highest vector first, because that is the one that an EOI ends.
//
//   level   masked at the I/O APIC, then EOI: not delivered again before unmask, however long the
//           device asks; at unmask the level is looked at again
//   edge    the I/O APIC forgets edges of a masked pin (82093AA, 3.2.4). So the pin stays open; an
//           edge that comes while the line is masked is noted, and closes the pin. What was noted
//           comes as an interrupt of this core to itself at unmask. So does what may have come
//           before the first unmask: a driver may see one interrupt for nothing, never miss one.
//   message an edge without a pin: what comes while the line is masked is noted for unmask
//
// xAPIC mode only: registers in memory at the address in IA32_APIC_BASE.
#include "machine.h"
#include "offsets.h"

#include <kernel/base.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/tree.h>

#define MSR_APIC_BASE     0x1Bu
#define APIC_BASE_X2APIC  (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE  (UINT64_C(1) << 11)
#define APIC_BASE_ADDRESS UINT64_C(0x000FFFFFFFFFF000)
#define CPUID_1_EDX_APIC  (1u << 9)

// Where a machine without a tree and without tables has it (Intel 82093AA, 3.0; every chipset
// since).
#define IOAPIC_BASE_DEFAULT UINT64_C(0xFEC00000)
#define IOAPICS_MAX         4u
#define PIN_LINES           (IOAPICS_MAX * IOAPIC_PINS)
#define MESSAGE_LINES       96u
#define LINE_COUNT          (PIN_LINES + MESSAGE_LINES)

#define POLLS_MAX 100000u

RUMPK_STATIC_ASSERT(VECTOR_LINE_FIRST + LINE_COUNT <= VECTOR_TIMER, "vectors of lines");
RUMPK_STATIC_ASSERT(IOAPICS_MAX == ACPI_IOAPICS_MAX, "all that the tables may name");

static struct ioapic {
    int32_t node;
    uint64_t base;
    uint32_t first; // line of its first pin
    uint32_t pins;
} ioapics[IOAPICS_MAX]; // sorted by their first lines
static uint32_t ioapic_count;
static uint32_t message_count; // given out

static struct line {
    uint32_t entry; // trigger and polarity, bits of the redirection entry
    bool is_masked; // claimed, or by arch_interrupt_mask
    bool is_closed; // masked at the I/O APIC; of a message: it came while the line was masked
} lines[LINE_COUNT];

uint64_t lapic_base;
static uint32_t lapic_id;
static uint32_t taken[VECTOR_COUNT / 32]; // in service, not yet claimed

// ---- finding ------------------------------------------------------------------------------------

// At its place by first line, then by address. False: no place for registers.
static bool ioapic_add(int32_t node, uint64_t base, uint32_t first)
{
    uint32_t index = ioapic_count;

    if (base % IOAPIC_SIZE != 0 || !range_contains(0, ARCH_ADDRESS_LIMIT, base, IOAPIC_SIZE) ||
        memory_is_ram(base, IOAPIC_SIZE) || first >= PIN_LINES || ioapic_count == IOAPICS_MAX)
        return false;
    for (; index > 0 && (ioapics[index - 1].first > first ||
                         (ioapics[index - 1].first == first && ioapics[index - 1].base > base));
         index--)
        ioapics[index] = ioapics[index - 1];
    ioapics[index] = (struct ioapic){.node = node, .base = base, .first = first};
    ioapic_count++;
    return true;
}

// By address: the one of the ISA bus is the lowest.
static bool ioapics_from_tree(const void *fdt)
{
    struct tree_device found[IOAPICS_MAX];
    uint32_t count = tree_find_all(fdt, "intel,ce4100-ioapic", found, IOAPICS_MAX);

    if (count > IOAPICS_MAX)
        return false;
    for (uint32_t index = 0; index < count; index++) {
        if (found[index].size < IOAPIC_WINDOW + 4 ||
            !ioapic_add(found[index].node, found[index].base, 0))
            return false;
    }
    for (uint32_t index = 0; index < ioapic_count; index++)
        ioapics[index].first = index * IOAPIC_PINS;
    return true;
}

// Lines beyond those of the ISA bus are pins of PCI: level, low.
static bool ioapics_from_tables(const struct acpi_tables *tables)
{
    for (uint32_t index = 0; index < tables->ioapic_count; index++) {
        if (!ioapic_add(-1, tables->ioapics[index].base, tables->ioapics[index].line_first))
            return false;
    }
    for (uint32_t line = ISA_PINS; line < PIN_LINES; line++)
        lines[line].entry = IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_LOW;
    for (uint32_t source = 0; source < ACPI_ISA_LINES; source++) {
        const struct acpi_isa_line *isa = &tables->isa_lines[source];

        if (isa->line < PIN_LINES)
            lines[isa->line].entry =
                (isa->is_level ? IOAPIC_ENTRY_LEVEL : 0) | (isa->is_low ? IOAPIC_ENTRY_LOW : 0);
    }
    return true;
}

uint32_t arch_interrupts_find(const void *fdt)
{
    const struct acpi_tables *tables = boot_acpi();

    if ((cpu_id_read(1, 0).edx & CPUID_1_EDX_APIC) == 0)
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    lapic_base = cpu_msr_read(MSR_APIC_BASE) & APIC_BASE_ADDRESS;
    if (!range_contains(0, ARCH_ADDRESS_LIMIT, lapic_base, LAPIC_SIZE))
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    if (!ioapics_from_tree(fdt))
        return RUMPK_BOOT_CAUSE_DEVICE_TREE;
    if (tables != NULL && !ioapics_from_tables(tables))
        return RUMPK_BOOT_CAUSE_TABLES;
    if (ioapic_count == 0 && !ioapic_add(-1, IOAPIC_BASE_DEFAULT, 0))
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    return RUMPK_BOOT_CAUSE_NONE;
}

// Everything that could send this core, or another bus master, an interrupt of a driver's choice.
uint32_t arch_kernel_windows(struct boot_region *out, uint32_t max)
{
    uint32_t count = 0;

    if (max < 3 + IOAPICS_MAX)
        return 0;
    if (power_window(&out[count]))
        count++;
    if (timer_window(&out[count]))
        count++;
    if (lapic_base != 0)
        out[count++] = (struct boot_region){lapic_base, LAPIC_SIZE};
    for (uint32_t index = 0; index < ioapic_count; index++)
        out[count++] = (struct boot_region){ioapics[index].base, IOAPIC_SIZE};
    return count;
}

// ---- I/O APIC -----------------------------------------------------------------------------------

static uint32_t ioapic_read(const struct ioapic *ioapic, uint32_t number)
{
    *(volatile uint32_t *)(uintptr_t)(ioapic->base + IOAPIC_SELECT) = number;
    return *(const volatile uint32_t *)(uintptr_t)(ioapic->base + IOAPIC_WINDOW);
}

static void ioapic_write(const struct ioapic *ioapic, uint32_t number, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(ioapic->base + IOAPIC_SELECT) = number;
    *(volatile uint32_t *)(uintptr_t)(ioapic->base + IOAPIC_WINDOW) = value;
}

// Whose pin a line is, or null.
static const struct ioapic *ioapic_of(uint32_t line)
{
    for (uint32_t index = 0; index < ioapic_count; index++) {
        if (line >= ioapics[index].first && line - ioapics[index].first < ioapics[index].pins)
            return &ioapics[index];
    }
    return NULL;
}

static bool line_is_message(uint32_t line)
{
    return line >= PIN_LINES && line - PIN_LINES < message_count;
}

static bool line_exists(uint32_t line)
{
    return line_is_message(line) || ioapic_of(line) != NULL;
}

// Reading back makes sure that the entry has changed before an EOI can arrive there. A message has
// no pin to close.
static void line_write(uint32_t line, bool is_closed)
{
    const struct ioapic *ioapic = ioapic_of(line);
    uint32_t entry = (VECTOR_LINE_FIRST + line) | lines[line].entry;
    uint32_t number;

    lines[line].is_closed = is_closed;
    if (ioapic == NULL)
        return;
    number = IOAPIC_ENTRY + (line - ioapic->first) * 2;
    ioapic_write(ioapic, number, is_closed ? entry | IOAPIC_ENTRY_MASKED : entry);
    ioapic_read(ioapic, number);
}

static bool line_is_edge(uint32_t line)
{
    return (lines[line].entry & IOAPIC_ENTRY_LEVEL) == 0;
}

bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line)
{
    struct ioapic_specifier specifier;

    for (uint32_t index = 0; index < ioapic_count; index++) {
        if (ioapics[index].node != controller || controller < 0)
            continue;
        if (!ioapic_specifier_decode(ioapics[index].first, boot_is_microvm(), cells, count,
                                     &specifier) ||
            !line_exists(specifier.line))
            return false;
        lines[specifier.line].entry = specifier.entry;
        *line = specifier.line;
        return true;
    }
    return false;
}

void arch_interrupt_mask(uint32_t line)
{
    if (!line_exists(line))
        return;
    lines[line].is_masked = true;
    if (!line_is_edge(line))
        line_write(line, true);
}

static void send_to_self(uint32_t vector)
{
    for (uint32_t polls = 0; polls < POLLS_MAX; polls++) {
        if ((lapic_read(LAPIC_COMMAND) & LAPIC_COMMAND_BUSY) == 0)
            break;
    }
    lapic_write(LAPIC_COMMAND, LAPIC_COMMAND_SELF | LAPIC_COMMAND_ASSERT | vector);
}

void arch_interrupt_unmask(uint32_t line)
{
    if (!line_exists(line))
        return;
    lines[line].is_masked = false;
    if (!lines[line].is_closed)
        return;
    line_write(line, false);
    if (line_is_edge(line))
        send_to_self(VECTOR_LINE_FIRST + line);
}

// ---- taking -------------------------------------------------------------------------------------

static void end_of_interrupt(void)
{
    lapic_write(LAPIC_EOI, 0);
}

static bool is_in_service(uint32_t vector)
{
    return (lapic_read(LAPIC_IN_SERVICE + vector / 32 * 16) >> vector % 32 & 1) != 0;
}

bool interrupt_take(uint32_t vector)
{
    if (vector == VECTOR_TIMER) {
        end_of_interrupt();
        return timer_take();
    }
    // A spurious one is not in service and must not be ended (SDM volume 3, 10.9); a message of
    // that number is, and would hold up all others for ever.
    if (vector != VECTOR_SPURIOUS || is_in_service(vector))
        taken[vector / 32] |= UINT32_C(1) << vector % 32;
    return false;
}

// The highest vector in service, no longer noted. 0: none.
static uint32_t taken_remove(void)
{
    for (uint32_t word = COUNT_OF(taken); word > 0; word--) {
        if (taken[word - 1] != 0) {
            uint32_t bit = 31 - (uint32_t)__builtin_clz(taken[word - 1]);

            taken[word - 1] &= ~(UINT32_C(1) << bit);
            return (word - 1) * 32 + bit;
        }
    }
    return 0;
}

uint32_t arch_interrupt_claim(void)
{
    for (;;) { // ends: each turn takes one of at most 256 notes
        uint32_t vector = taken_remove();
        uint32_t line = vector - VECTOR_LINE_FIRST;
        bool was_masked;

        if (vector == 0)
            return ARCH_LINE_NONE;
        if (vector < VECTOR_LINE_FIRST || !line_exists(line)) {
            end_of_interrupt(); // a vector that nothing was given: nobody's
            continue;
        }
        was_masked = lines[line].is_masked;
        if (was_masked || !line_is_edge(line))
            line_write(line, true);
        lines[line].is_masked = true;
        end_of_interrupt();
        if (!was_masked)
            return line;
    }
}

// Only delivery tells which vector is pending: one is taken in the instruction after the one that
// STI protects; the stub (trap.S) notes it and returns with interrupts off.
void arch_interrupt_poll(void)
{
    __asm__ volatile("sti\n\tnop\n\tnop\n\tcli" ::: "memory");
}

// STI takes effect after the next instruction, so nothing can come between it and HLT; the stub
// (trap.S) notes what comes, and returns with interrupts off.
void arch_wait(void)
{
    for (uint32_t word = 0; word < COUNT_OF(taken); word++) {
        if (taken[word] != 0)
            return;
    }
    __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

// ---- start --------------------------------------------------------------------------------------

// From x2APIC mode there is no way to xAPIC but through "off" (SDM volume 3, 10.12.5).
static void lapic_enable(void)
{
    uint64_t base = cpu_msr_read(MSR_APIC_BASE);

    if ((base & APIC_BASE_X2APIC) != 0)
        cpu_msr_write(MSR_APIC_BASE, base & ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE));
    cpu_msr_write(MSR_APIC_BASE, (base & ~APIC_BASE_X2APIC) | APIC_BASE_ENABLE);
}

static void lapic_start(void)
{
    static const uint16_t sources[] = {
        LAPIC_LVT_TIMER, LAPIC_LVT_LINT0,   LAPIC_LVT_LINT1,
        LAPIC_LVT_ERROR, LAPIC_LVT_MONITOR, LAPIC_LVT_THERMAL, // in the order in which they came
    };
    uint32_t last;

    lapic_enable();
    lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
    lapic_id = lapic_read(LAPIC_ID) >> 24;
    last = lapic_read(LAPIC_VERSION) >> 16 & 0xFF;
    for (uint32_t index = 0; index < COUNT_OF(sources) && index <= last; index++)
        lapic_write(sources[index], LAPIC_MASKED | VECTOR_SPURIOUS);
    lapic_write(LAPIC_PRIORITY, 0);
    lapic_write(LAPIC_ERROR_STATUS, 0);
    // What an earlier stage of the boot left in service is ended.
    for (uint32_t vector = 0; vector < VECTOR_COUNT; vector++) {
        if (is_in_service(vector))
            end_of_interrupt();
    }
}

// Its lines end where those of the next one begin.
static bool ioapic_start(uint32_t index)
{
    struct ioapic *ioapic = &ioapics[index];
    uint32_t version = ioapic_read(ioapic, IOAPIC_VERSION);
    uint32_t end = index + 1 < ioapic_count ? ioapics[index + 1].first : PIN_LINES;

    if (version == UINT32_MAX)
        return false;
    ioapic->pins = (version >> 16 & 0xFF) + 1;
    if (ioapic->pins > end - ioapic->first)
        ioapic->pins = end - ioapic->first;
    for (uint32_t pin = 0; pin < ioapic->pins; pin++) {
        line_write(ioapic->first + pin, true);
        ioapic_write(ioapic, IOAPIC_ENTRY + pin * 2 + 1, lapic_id << 24);
    }
    return true;
}

uint32_t arch_interrupts_init(void)
{
    lapic_start();
    for (uint32_t index = 0; index < ioapic_count; index++) {
        if (!ioapic_start(index))
            return RUMPK_BOOT_CAUSE_FIRMWARE;
    }
    return timer_calibrate() ? RUMPK_BOOT_CAUSE_NONE : RUMPK_BOOT_CAUSE_TIMER;
}

bool arch_msi_allocate(uint32_t *line, uint64_t *address, uint32_t *data)
{
    if (message_count == MESSAGE_LINES)
        return false;
    *line = PIN_LINES + message_count++;
    lines[*line] = (struct line){.is_masked = true};
    *address = MSI_ADDRESS | (uint64_t)lapic_id << MSI_TARGET_SHIFT;
    *data = VECTOR_LINE_FIRST + *line;
    return true;
}
