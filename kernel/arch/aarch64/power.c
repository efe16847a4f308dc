// SPDX-License-Identifier: Apache-2.0
//
// power.c (aarch64): power-off by PSCI, and a pause.
//
// The firmware behind PSCI (Arm DEN 0022) is called by `hvc` or `smc`: the tree says which. A
// kernel that was entered at EL2 has no hypervisor below it, so until the tree has been read the
// entry level decides.
#include <arch/arch.h>
#include <kernel/tree.h>

#define PSCI_SYSTEM_OFF 0x84000008u
#define CURRENT_EL_2    0x8u

extern uint64_t arch_boot_level; // boot.c

enum conduit { CONDUIT_UNKNOWN, CONDUIT_HVC, CONDUIT_SMC };

static enum conduit conduit;

void arch_power_init(const void *fdt)
{
    const char *method = tree_text(fdt, "/psci", "method");

    if (method == NULL)
        return;
    if (text_equal(method, "smc", 4))
        conduit = CONDUIT_SMC;
    else if (text_equal(method, "hvc", 4))
        conduit = CONDUIT_HVC;
}

void arch_power_off(void)
{
    register uint64_t number __asm__("x0") = PSCI_SYSTEM_OFF;
    bool by_smc =
        conduit == CONDUIT_SMC || (conduit == CONDUIT_UNKNOWN && arch_boot_level == CURRENT_EL_2);

    // What was written must be in memory for whoever looks at it afterwards.
    __asm__ volatile("dsb sy" ::: "memory");
    if (by_smc)
        __asm__ volatile("smc #0" : "+r"(number)::"x1", "x2", "x3", "memory");
    else
        __asm__ volatile("hvc #0" : "+r"(number)::"x1", "x2", "x3", "memory");
    arch_halt(); // the firmware refused: at least nothing happens any more
}

void arch_relax(void)
{
    __asm__ volatile("yield");
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("wfi" : : : "memory");
}
