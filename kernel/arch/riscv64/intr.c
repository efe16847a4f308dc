// SPDX-License-Identifier: Apache-2.0
//
// intr.c (riscv64): the platform-level interrupt controller (RISC-V PLIC specification 1.0.0) as
// the boot hart's supervisor mode sees it.
//
//   +0x000000  priority of each source, 0 = never
//   +0x002000  enable bits, 0x80 bytes per context
//   +0x200000  threshold and claim/complete, 0x1000 bytes per context
//
// Which context is ours stands in the tree: the controller's interrupts-extended lists one pair
// (interrupt controller of a hart, cause) per context.
//
// A claimed source does not come again before it is completed, and completing it is what looks at
// its level once more. So "masked until unmasked" is: complete at unmask. A completion counts only
// while the source is enabled ("Interrupt Completion"), which is why unmask enables first and why a
// source that was masked between is remembered as claimed.
#include "machine.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/tree.h>

#define PLIC_ENABLE       0x2000u
#define PLIC_ENABLE_SIZE  0x80u
#define PLIC_CONTEXT      0x200000u
#define PLIC_CONTEXT_SIZE 0x1000u
#define PLIC_THRESHOLD    0u
#define PLIC_CLAIM        4u
#define PLIC_CONTEXTS_MAX 15872u

#define CAUSE_SUPERVISOR_EXTERNAL 9u
#define CELLS_MAX                 512u // 128 harts with two contexts each

#define SIE_TIMER    (UINT64_C(1) << 5)
#define SIE_EXTERNAL (UINT64_C(1) << 9)

extern uint64_t boot_hart;

static struct plic {
    int32_t node;
    uint64_t base;
    uint64_t context;
    uint32_t sources; // highest source number
    uint32_t claimed[ARCH_LINES_MAX / 32];
} plic;

static uint32_t plic_read(uint64_t offset)
{
    return *(const volatile uint32_t *)(uintptr_t)(plic.base + offset);
}

static void plic_write(uint64_t offset, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)(plic.base + offset) = value;
}

static uint64_t enable_offset(uint32_t line)
{
    return PLIC_ENABLE + plic.context * PLIC_ENABLE_SIZE + line / 32 * 4;
}

static uint64_t context_offset(void)
{
    return PLIC_CONTEXT + plic.context * PLIC_CONTEXT_SIZE;
}

// Is this the interrupt controller inside the node of the boot hart?
static bool is_boot_hart(const void *fdt, uint32_t phandle)
{
    int32_t node = tree_referenced(fdt, phandle);
    int32_t cpu = node < 0 ? -1 : tree_parent(fdt, node);
    uint32_t hart[2];
    uint32_t count = cpu < 0 ? 0 : tree_cells(fdt, cpu, "reg", hart, COUNT_OF(hart));

    if (count == 1)
        return hart[0] == boot_hart;
    return count == 2 && ((uint64_t)hart[0] << 32 | hart[1]) == boot_hart;
}

static bool context_find(const void *fdt)
{
    static uint32_t cells[CELLS_MAX];
    uint32_t count = tree_cells(fdt, plic.node, "interrupts-extended", cells, CELLS_MAX);

    for (uint32_t index = 0; index + 1 < count && index + 1 < CELLS_MAX; index += 2) {
        if (cells[index + 1] == CAUSE_SUPERVISOR_EXTERNAL && is_boot_hart(fdt, cells[index])) {
            plic.context = index / 2;
            return true;
        }
    }
    return false;
}

uint32_t arch_interrupts_find(const void *fdt)
{
    struct tree_device device;
    uint32_t sources;

    if (!tree_find(fdt, "sifive,plic-1.0.0", &device) && !tree_find(fdt, "riscv,plic0", &device))
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    plic.node = device.node;
    plic.base = device.base;
    if (!context_find(fdt) || tree_cells(fdt, device.node, "riscv,ndev", &sources, 1) != 1 ||
        device.size < context_offset() + PLIC_CONTEXT_SIZE ||
        !range_contains(0, ARCH_ADDRESS_LIMIT, device.base, device.size))
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    plic.sources = sources < ARCH_LINES_MAX ? sources : ARCH_LINES_MAX - 1;
    return RUMPK_BOOT_CAUSE_NONE;
}

uint32_t arch_interrupts_init(void)
{
    uint32_t line;

    for (line = 1; line <= plic.sources; line++) {
        plic_write(line * UINT64_C(4), 1);
        plic_write(enable_offset(line), 0);
    }
    plic_write(context_offset() + PLIC_THRESHOLD, 0);
    // What an earlier stage of the boot left claimed is given back: completion needs enabling.
    for (line = 1; line <= plic.sources; line++) {
        plic_write(enable_offset(line), UINT32_C(1) << line % 32);
        plic_write(context_offset() + PLIC_CLAIM, line);
        plic_write(enable_offset(line), 0);
    }
    arch_device_fence();
    arch_timer_disarm();
    __asm__ volatile("csrw sie, %0" ::"r"(SIE_TIMER | SIE_EXTERNAL));
    return RUMPK_BOOT_CAUSE_NONE;
}

// The registers that are used, each in its own page.
uint32_t arch_kernel_windows(struct boot_region *out, uint32_t max)
{
    const uint64_t offsets[] = {0, align_down(enable_offset(0), PAGE_SIZE), context_offset()};

    if (plic.base == 0 || max < COUNT_OF(offsets))
        return 0;
    for (uint32_t index = 0; index < COUNT_OF(offsets); index++)
        out[index] = (struct boot_region){.base = plic.base + offsets[index], .size = PAGE_SIZE};
    return COUNT_OF(offsets);
}

bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line)
{
    if (controller != plic.node || count != 1 || cells[0] == 0 || cells[0] > plic.sources)
        return false;
    *line = cells[0];
    return true;
}

static void enable_set(uint32_t line, bool enabled)
{
    uint64_t offset = enable_offset(line);
    uint32_t bit = UINT32_C(1) << line % 32;
    uint32_t bits = plic_read(offset);

    plic_write(offset, enabled ? bits | bit : bits & ~bit);
}

void arch_interrupt_unmask(uint32_t line)
{
    uint32_t bit = UINT32_C(1) << line % 32;

    enable_set(line, true);
    if ((plic.claimed[line / 32] & bit) != 0) {
        plic.claimed[line / 32] &= ~bit;
        plic_write(context_offset() + PLIC_CLAIM, line);
    }
}

void arch_interrupt_mask(uint32_t line)
{
    enable_set(line, false);
}

uint32_t arch_interrupt_claim(void)
{
    uint32_t line = plic_read(context_offset() + PLIC_CLAIM);

    if (line == 0 || line > plic.sources)
        return ARCH_LINE_NONE;
    plic.claimed[line / 32] |= UINT32_C(1) << line % 32;
    return line;
}

// The controller answers a claim at any time.
void arch_interrupt_poll(void) {}

// WFI wakes for what is pending and enabled in sie, whatever sstatus.SIE says: nothing is lost.
void arch_wait(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

bool arch_msi_allocate(uint32_t *line, uint64_t *address, uint32_t *data)
{
    (void)line; // the PLIC has no message-signalled interrupts
    (void)address;
    (void)data;
    return false;
}
