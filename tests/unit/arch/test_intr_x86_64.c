// SPDX-License-Identifier: Apache-2.0
//
// Goal: lines are what the tables and the tree say they are, messages are edges that are never
// lost and never come twice, and what makes no sense is refused. Method: the real intr.c of x86_64
// over pages of plain memory where its controllers would be: the registers keep what was written
// last, which shows the redirection entry of the line that was touched last, the last interrupt to
// itself, and whether an interrupt was ended. intr.c keeps its state for ever, so each scenario
// runs in a process of its own.
#define _GNU_SOURCE
#include <x86_64/machine.h>

#include <kernel/base.h>
#include <kernel/memory.h>
#include <kernel/tree.h>
#include <rumpk/ledger.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <x86_64/offsets.h>

#define PIN_LINES     96u // I/O APICs have lines up to here
#define MESSAGE_LINES 96u
#define PAGES         8u
#define UNTOUCHED     0xFFFFFFFFu
#define VERSION_PINS  0x00170020u // 24 pins

static uint8_t *pages; // the local APIC, then I/O APICs
static struct acpi_tables tables;
static bool has_tables, has_apic, is_calibrated;
static struct tree_device found[5];
static uint32_t found_count;
static uint64_t ram_base;

static uint64_t page(uint32_t index)
{
    return (uint64_t)(uintptr_t)pages + index * UINT64_C(4096);
}

static volatile uint32_t *word(uint32_t index, uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(page(index) + offset);
}

// ---- what intr.c asks of others ----

const struct acpi_tables *boot_acpi(void)
{
    return has_tables ? &tables : NULL;
}

bool boot_is_microvm(void)
{
    return false;
}

struct cpu_id cpu_id_read(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf;
    (void)subleaf;
    return (struct cpu_id){.edx = has_apic ? 1u << 9 : 0};
}

uint64_t cpu_msr_read(uint32_t msr)
{
    (void)msr;
    return page(0) | 0x900; // on, and the core that booted
}

void cpu_msr_write(uint32_t msr, uint64_t value)
{
    (void)msr;
    (void)value;
}

bool memory_is_ram(uint64_t base, uint64_t size)
{
    return range_overlaps(base, size, ram_base, 4096);
}

uint32_t tree_find_all(const void *fdt, const char *compatible, struct tree_device *out,
                       uint32_t max)
{
    (void)fdt;
    (void)compatible;
    memcpy(out, found, (found_count < max ? found_count : max) * sizeof(*out));
    return found_count;
}

bool power_window(struct boot_region *out)
{
    (void)out;
    return false;
}

bool timer_window(struct boot_region *out)
{
    *out = (struct boot_region){page(7), HPET_SIZE};
    return has_tables;
}

bool timer_calibrate(void)
{
    return is_calibrated;
}

bool timer_take(void)
{
    return true;
}

// ---- scenarios ----

// In the child cmocka's own assertions would return to the parent's tests: here they end it.
#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __func__, __LINE__, #condition); \
            _exit(1);                                                       \
        }                                                                   \
    } while (0)

static void run(void **state, void (*scenario)(void))
{
    int status = 0;
    pid_t child;

    (void)state;
    memset(pages, 0, PAGES * 4096);
    memset(&tables, 0, sizeof(tables));
    has_tables = false;
    found_count = 0;
    has_apic = is_calibrated = true;
    ram_base = 0x100000;
    for (uint32_t source = 0; source < ACPI_ISA_LINES; source++)
        tables.isa_lines[source].line = source;
    for (uint32_t index = 1; index < PAGES; index++)
        *word(index, IOAPIC_WINDOW) = VERSION_PINS;
    *word(0, LAPIC_ID) = 5u << 24;
    child = fork();
    if (child == 0) {
        scenario();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void tables_add(uint32_t index, uint32_t first)
{
    has_tables = true;
    tables.ioapics[tables.ioapic_count++] = (struct acpi_ioapic){page(index), first};
}

static void start(void)
{
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_NONE);
    CHECK(arch_interrupts_init() == RUMPK_BOOT_CAUSE_NONE);
}

// The redirection entry that opening this line writes, and where. 0: nothing was written.
static uint32_t opened(uint32_t index, uint32_t line, uint32_t pin)
{
    *word(index, IOAPIC_SELECT) = UNTOUCHED;
    arch_interrupt_unmask(line);
    return *word(index, IOAPIC_SELECT) == IOAPIC_ENTRY + pin * 2 ? *word(index, IOAPIC_WINDOW) : 0;
}

static void lines_by_tables(void)
{
    tables_add(1, 24); // in any order
    tables_add(2, 0);
    tables.isa_lines[0] = (struct acpi_isa_line){.line = 2};
    tables.isa_lines[9] = (struct acpi_isa_line){.line = 9, .is_level = true, .is_low = true};
    tables.isa_lines[5] = (struct acpi_isa_line){.line = 30, .is_level = true};
    tables.isa_lines[6] = (struct acpi_isa_line){.line = UINT32_MAX};
    start();
    CHECK(opened(2, 4, 4) == VECTOR_LINE_FIRST + 4);
    CHECK(opened(2, 9, 9) == (VECTOR_LINE_FIRST + 9 + (IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_LOW)));
    CHECK(opened(2, 16, 16) == (VECTOR_LINE_FIRST + 16 + (IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_LOW)));
    CHECK(opened(1, 24, 0) == (VECTOR_LINE_FIRST + 24 + (IOAPIC_ENTRY_LEVEL | IOAPIC_ENTRY_LOW)));
    CHECK(opened(1, 30, 6) == (VECTOR_LINE_FIRST + 30 + IOAPIC_ENTRY_LEVEL));
    CHECK(opened(1, 47, 23) != 0);
    CHECK(opened(1, 48, 24) == 0); // nobody's
    CHECK(opened(1, PIN_LINES, 0) == 0);
    CHECK(opened(1, UINT32_MAX, 0) == 0);
}

// A controller that says it has more pins ends where the next one begins, and at the last line.
static void lines_do_not_overlap(void)
{
    *word(1, IOAPIC_WINDOW) = *word(2, IOAPIC_WINDOW) = 0x00EF0020;
    tables_add(1, 0);
    tables_add(2, 20);
    start();
    CHECK(opened(1, 19, 19) != 0);
    CHECK(opened(2, 20, 0) != 0);
    CHECK(opened(1, 20, 20) == 0);
    CHECK(opened(2, 95, 75) != 0);
    CHECK(opened(2, 96, 76) == 0);
}

static void lines_by_tree(void)
{
    struct boot_region windows[8];

    found[0] = (struct tree_device){.node = 7, .base = page(3), .size = 4096};
    found[1] = (struct tree_device){.node = 8, .base = page(2), .size = 4096};
    found_count = 2;
    start();
    CHECK(opened(2, 0, 0) == VECTOR_LINE_FIRST); // the lower address has the first lines
    CHECK(opened(3, 24, 0) != 0);
    CHECK(opened(3, 48, 24) == 0);
    CHECK(arch_kernel_windows(windows, 8) == 3);
    CHECK(arch_kernel_windows(windows, 6) == 0); // too few for whatever there may be
}

static void refused(void)
{
    tables_add(1, PIN_LINES);
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_TABLES);
}

static void refused_unaligned(void)
{
    tables_add(1, 0);
    tables.ioapics[0].base += 1024;
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_TABLES);
}

static void refused_in_ram(void)
{
    ram_base = page(1);
    tables_add(1, 0);
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_TABLES);
}

static void refused_too_high(void)
{
    tables_add(1, 0);
    tables.ioapics[0].base = ARCH_ADDRESS_LIMIT;
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_TABLES);
}

static void refused_tree(void)
{
    for (uint32_t index = 0; index < 5; index++)
        found[index] = (struct tree_device){.base = page(1 + index), .size = 4096};
    found_count = 5;
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_DEVICE_TREE);
    found_count = 1;
    found[0].size = IOAPIC_WINDOW;
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_DEVICE_TREE);
}

static void refused_at_start(void)
{
    has_apic = false;
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_FIRMWARE);
    has_apic = true;
    tables_add(1, 0);
    CHECK(arch_interrupts_find(NULL) == RUMPK_BOOT_CAUSE_NONE);
    *word(1, IOAPIC_WINDOW) = UINT32_MAX; // nothing answers
    CHECK(arch_interrupts_init() == RUMPK_BOOT_CAUSE_FIRMWARE);
    *word(1, IOAPIC_WINDOW) = VERSION_PINS;
    is_calibrated = false;
    CHECK(arch_interrupts_init() == RUMPK_BOOT_CAUSE_TIMER);
}

static bool was_ended(void)
{
    bool is_ended = *word(0, LAPIC_EOI) == 0;

    *word(0, LAPIC_EOI) = UNTOUCHED;
    return is_ended;
}

static uint32_t sent_to_self(void)
{
    uint32_t command = *word(0, LAPIC_COMMAND);

    *word(0, LAPIC_COMMAND) = 0;
    return command == 0 ? 0 : command & 0xFF;
}

static void messages(void)
{
    uint32_t line = 0, data = 0;
    uint64_t address = 0;

    tables_add(1, 0);
    start();
    was_ended();
    CHECK(arch_msi_allocate(&line, &address, &data));
    CHECK(line == PIN_LINES && data == VECTOR_LINE_FIRST + line);
    CHECK(address == (MSI_ADDRESS | 5u << 12)); // to this core
    // Masked at first: what comes is noted, ended, and comes once at unmask.
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == ARCH_LINE_NONE && was_ended());
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == ARCH_LINE_NONE && was_ended());
    CHECK(sent_to_self() == 0);
    arch_interrupt_unmask(line);
    CHECK(sent_to_self() == data);
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == line && was_ended());
    // Claimed is masked; with nothing noted unmask brings nothing.
    arch_interrupt_unmask(line);
    CHECK(sent_to_self() == 0);
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == line);
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == ARCH_LINE_NONE);
    arch_interrupt_unmask(line);
    CHECK(sent_to_self() == data);
    arch_interrupt_mask(line);
    CHECK(!interrupt_take(data) && arch_interrupt_claim() == ARCH_LINE_NONE);
    for (uint32_t count = 1; count < MESSAGE_LINES; count++) {
        CHECK(arch_msi_allocate(&line, &address, &data));
        CHECK(line == PIN_LINES + count && data < VECTOR_TIMER);
    }
    CHECK(!arch_msi_allocate(&line, &address, &data));
}

static void strays(void)
{
    tables_add(1, 0);
    start();
    was_ended();
    CHECK(interrupt_take(VECTOR_TIMER) && was_ended());
    CHECK(!interrupt_take(0x20) && arch_interrupt_claim() == ARCH_LINE_NONE && was_ended());
    CHECK(!interrupt_take(VECTOR_LINE_FIRST + 60)); // no such pin
    CHECK(arch_interrupt_claim() == ARCH_LINE_NONE && was_ended());
    CHECK(!interrupt_take(VECTOR_LINE_FIRST + PIN_LINES)); // a message that nobody was given
    CHECK(arch_interrupt_claim() == ARCH_LINE_NONE && was_ended());
    // Truly spurious: nothing is in service, nothing may be ended. A message of that number is.
    CHECK(!interrupt_take(VECTOR_SPURIOUS) && arch_interrupt_claim() == ARCH_LINE_NONE);
    CHECK(!was_ended());
    *word(0, LAPIC_IN_SERVICE + 7 * 16) = UINT32_C(1) << 31;
    CHECK(!interrupt_take(VECTOR_SPURIOUS) && arch_interrupt_claim() == ARCH_LINE_NONE);
    CHECK(was_ended());
}

// The highest vector is the one that is ended, so it is claimed first.
static void order(void)
{
    tables_add(1, 0);
    start();
    for (uint32_t line = 1; line <= 20; line += 19)
        arch_interrupt_unmask(line);
    CHECK(!interrupt_take(VECTOR_LINE_FIRST + 1) && !interrupt_take(VECTOR_LINE_FIRST + 20));
    CHECK(arch_interrupt_claim() == 20);
    CHECK((*word(1, IOAPIC_WINDOW) & IOAPIC_ENTRY_MASKED) != 0); // a level: closed before its end
    CHECK(arch_interrupt_claim() == 1);
    CHECK(arch_interrupt_claim() == ARCH_LINE_NONE);
}

#define SCENARIO(name)                    \
    static void test_##name(void **state) \
    {                                     \
        run(state, name);                 \
    }

SCENARIO(lines_by_tables)
SCENARIO(lines_do_not_overlap)
SCENARIO(lines_by_tree)
SCENARIO(refused)
SCENARIO(refused_unaligned)
SCENARIO(refused_in_ram)
SCENARIO(refused_too_high)
SCENARIO(refused_tree)
SCENARIO(refused_at_start)
SCENARIO(messages)
SCENARIO(strays)
SCENARIO(order)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_by_tables),
        cmocka_unit_test(test_lines_do_not_overlap),
        cmocka_unit_test(test_lines_by_tree),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_unaligned),
        cmocka_unit_test(test_refused_in_ram),
        cmocka_unit_test(test_refused_too_high),
        cmocka_unit_test(test_refused_tree),
        cmocka_unit_test(test_refused_at_start),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_strays),
        cmocka_unit_test(test_order),
    };

    pages = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        perror("test_intr_x86_64: no memory");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
