// SPDX-License-Identifier: Apache-2.0
//
// power.c (x86_64): power-off, and a pause.
//
// microvm is a hardware-reduced ACPI machine: its FADT names a sleep control register (ACPI 6.4,
// 4.8.3.7), but tables and AML would have to be read to learn address and sleep type. Both are
// constants of the machine and stand here with their source. On any other machine power-off halts
// for ever.
#include "machine.h"

#include <arch/arch.h>
#include <stdint.h>

// QEMU include/hw/i386/microvm.h (GED_MMIO_BASE + 0x200) and
// include/hw/acpi/generic_event_device.h.
#define GED_BASE          UINT64_C(0xFEA00000)
#define GED_SIZE          UINT64_C(0x1000)
#define GED_SLEEP_CONTROL (GED_BASE + 0x200)
#define SLEEP_TYPE_S5     (5u << 2)
#define SLEEP_ENABLE      (1u << 5)

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

void arch_power_off(void)
{
    if (boot_is_microvm())
        *(volatile uint8_t *)(uintptr_t)GED_SLEEP_CONTROL = SLEEP_TYPE_S5 | SLEEP_ENABLE;
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
