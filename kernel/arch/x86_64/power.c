// SPDX-License-Identifier: Apache-2.0
//
// power.c (x86_64): power-off, and a pause.
//
// microvm is a hardware-reduced ACPI machine: its FADT names a sleep control register (ACPI 6.4,
// 4.8.3.7), but tables and AML would have to be read to learn address and sleep type. Both are
// constants of the machine and stand here with their source.
//
// q35 has the fixed hardware of ACPI: the FADT names the PM1 control ports (4.8.3.2), and where the
// tables are broken the LPC bridge still tells them. The sleep type is a constant (machine.h). On
// any other machine power-off halts for ever, because nothing but AML knows its sleep type.
#include "machine.h"

#include <arch/arch.h>
#include <kernel/base.h>

// QEMU include/hw/i386/microvm.h (GED_MMIO_BASE + 0x200) and
// include/hw/acpi/generic_event_device.h.
#define GED_BASE          UINT64_C(0xFEA00000)
#define GED_SIZE          UINT64_C(0x1000)
#define GED_SLEEP_CONTROL (GED_BASE + 0x200)
#define SLEEP_TYPE_S5     (5u << 2)
#define SLEEP_ENABLE      (1u << 5)

// PM1 control (ACPI 6.4, 4.8.3.2.1).
#define PM1_SCI_ENABLE UINT16_C(0x0001) // set: ACPI mode
#define PM1_SLEEP_TYPE 10
#define PM1_SLEEP_MASK UINT16_C(0x1C00)
#define PM1_SLEEP      UINT16_C(0x2000)
#define MODE_POLLS_MAX 100000u

bool power_window(struct boot_region *out)
{
    if (!boot_is_microvm())
        return false;
    *out = (struct boot_region){GED_BASE, GED_SIZE};
    return true;
}

void arch_power_init(const void *fdt)
{
    (void)fdt; // boot.c has already recognised the machine
}

// The firmware lets go of the power registers when it is asked to (ACPI 6.4, 4.8.3.2.1, SCI_EN, and
// 5.2.9, SMI_CMD).
static void enter_acpi_mode(const struct acpi_tables *tables, uint16_t control)
{
    if (tables->smi_command == 0 || tables->acpi_enable == 0)
        return;
    if ((cpu_in16(control) & PM1_SCI_ENABLE) == 0)
        cpu_out8(tables->smi_command, tables->acpi_enable);
    for (uint32_t polls = 0; polls < MODE_POLLS_MAX; polls++) {
        if ((cpu_in16(control) & PM1_SCI_ENABLE) != 0)
            break;
    }
}

static void sleep_for_ever(uint16_t control)
{
    uint16_t rest = cpu_in16(control) & (uint16_t)~(PM1_SLEEP_MASK | PM1_SLEEP);

    cpu_out16(control, (uint16_t)(rest | Q35_SLEEP_TYPE_S5 << PM1_SLEEP_TYPE | PM1_SLEEP));
}

static void q35_power_off(void)
{
    const struct acpi_tables *tables = boot_acpi();

    if (tables != NULL && tables->pm1a_control != 0) {
        enter_acpi_mode(tables, tables->pm1a_control);
        sleep_for_ever(tables->pm1a_control);
        if (tables->pm1b_control != 0)
            sleep_for_ever(tables->pm1b_control);
    }
    sleep_for_ever((uint16_t)((boot_pci_read(Q35_LPC_SLOT, Q35_LPC_PM_BASE) & Q35_PM_BASE_PORTS) +
                              Q35_PM1_CONTROL));
}

void arch_power_off(void)
{
    if (boot_is_microvm())
        *(volatile uint8_t *)(uintptr_t)GED_SLEEP_CONTROL = SLEEP_TYPE_S5 | SLEEP_ENABLE;
    if (boot_is_q35())
        q35_power_off();
    arch_halt();
}

void arch_relax(void)
{
    __asm__ volatile("pause" : : : "memory");
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}
