// SPDX-License-Identifier: Apache-2.0
//
// intr.c (aarch64): the generic interrupt controller, versions 2 and 3 (and 4, used as 3).
//
//               distributor                       redistributor of this core     CPU interface
//   version 2   lines 0..1019, banked below 32    -                              registers (GICC)
//   version 3   lines 32..1019                    lines 0..31                    system registers
//
// Lines are interrupt ids. A line is masked by its enable bit, which leaves its pending bit
// working: an edge that comes while it is masked is delivered at unmask. A claim is acknowledge,
// mask, wait until the mask has taken effect, end: so the line is inactive and disabled, and cannot
// come again.
//
// The timer of this core is a line too, but one that is never acknowledged: it is level-triggered,
// so stopping the timer takes it back. It has the weakest priority: claim sees every device first.
// No message-based interrupts: neither ITS nor v2m.
#include "machine.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/tree.h>

#define TIMER_VIRTUAL      2u  // index in the tree's timer node: secure, physical, virtual, ...
#define TIMER_LINE_DEFAULT 27u // Arm Base System Architecture, section 3.6

// The redistributors that are mapped to look for the one of this core.
#define REDISTRIBUTORS_SIZE (8u * 2u * GICR_FRAME_SIZE)
#define POLLS_MAX           1000000u

#define AFFINITY_MASK UINT64_C(0xFF00FFFFFF) // of MPIDR_EL1, as GICD_IROUTER takes it

static struct gic {
    int32_t node;
    bool is_v3;
    uint64_t distributor;
    uint64_t interface;      // version 2
    uint64_t redistributors; // version 3
    uint64_t redistributors_size;
    uint64_t own; // second frame of this core's redistributor
    uint32_t lines;
    uint32_t timer_line;
    uint32_t edge[ARCH_LINES_MAX / 32]; // bit set: the tree says edge
} gic;

static uint32_t register_read(uint64_t address)
{
    return *(const volatile uint32_t *)(uintptr_t)address;
}

static void register_write(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

static void synchronise(void)
{
    __asm__ volatile("dsb sy\n\tisb" ::: "memory");
}

// ICC_<name>_EL1 by encoding: the assembler knows the names only with an extension.
#define ICC_READ(name, encoding)                                       \
    static uint64_t icc_##name##_read(void)                            \
    {                                                                  \
        uint64_t value;                                                \
                                                                       \
        __asm__ volatile("mrs %0, " encoding : "=r"(value)::"memory"); \
        return value;                                                  \
    }
#define ICC_WRITE(name, encoding)                                         \
    static void icc_##name##_write(uint64_t value)                        \
    {                                                                     \
        __asm__ volatile("msr " encoding ", %0" ::"r"(value) : "memory"); \
    }

ICC_READ(iar1, "S3_0_C12_C12_0")
ICC_WRITE(eoir1, "S3_0_C12_C12_1")
ICC_READ(hppir1, "S3_0_C12_C12_2")
ICC_WRITE(pmr, "S3_0_C4_C6_0")
ICC_WRITE(bpr1, "S3_0_C12_C12_3")
ICC_WRITE(ctlr, "S3_0_C12_C12_4")
ICC_READ(sre, "S3_0_C12_C12_5")
ICC_WRITE(sre, "S3_0_C12_C12_5")
ICC_WRITE(igrpen1, "S3_0_C12_C12_7")

// ---- the tree -----------------------------------------------------------------------------------

static bool find_v3(const void *fdt)
{
    struct tree_device parts[2];

    if (tree_find_all(fdt, "arm,gic-v3", parts, COUNT_OF(parts)) < COUNT_OF(parts) ||
        parts[0].node != parts[1].node || parts[0].size < GICD_SIZE_V3 ||
        parts[1].size < 2 * GICR_FRAME_SIZE)
        return false;
    gic.is_v3 = true;
    gic.node = parts[0].node;
    gic.distributor = parts[0].base;
    gic.redistributors = parts[1].base;
    gic.redistributors_size =
        parts[1].size < REDISTRIBUTORS_SIZE ? parts[1].size : REDISTRIBUTORS_SIZE;
    return true;
}

static bool find_v2(const void *fdt)
{
    static const char *const compatibles[] = {
        "arm,gic-400",
        "arm,cortex-a15-gic",
        "arm,cortex-a9-gic",
        "arm,cortex-a7-gic",
    };
    struct tree_device parts[2];

    for (uint32_t index = 0; index < COUNT_OF(compatibles); index++) {
        if (tree_find_all(fdt, compatibles[index], parts, COUNT_OF(parts)) < COUNT_OF(parts) ||
            parts[0].node != parts[1].node || parts[0].size < GICD_SIZE_V2 ||
            parts[1].size < GICC_SIZE)
            continue;
        gic.node = parts[0].node;
        gic.distributor = parts[0].base;
        gic.interface = parts[1].base;
        return true;
    }
    return false;
}

uint32_t arch_interrupts_find(const void *fdt)
{
    struct tree_interrupt timer;
    struct gic_specifier specifier;

    if (!find_v3(fdt) && !find_v2(fdt))
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    gic.timer_line = TIMER_LINE_DEFAULT;
    if (tree_interrupt(fdt, tree_path(fdt, "/timer"), TIMER_VIRTUAL, &timer) &&
        timer.controller == gic.node &&
        gic_specifier_decode(timer.cells, timer.count, &specifier) &&
        specifier.line < GIC_FIRST_SPI)
        gic.timer_line = specifier.line;
    return RUMPK_BOOT_CAUSE_NONE;
}

// Everything a driver could reach memory or another's lines with: all of it is the kernel's.
uint32_t arch_kernel_windows(struct boot_region *out, uint32_t max)
{
    if (gic.distributor == 0 || max < 2)
        return 0;
    if (gic.is_v3) {
        out[0] = (struct boot_region){gic.distributor, GICD_SIZE_V3};
        out[1] = (struct boot_region){gic.redistributors, gic.redistributors_size};
    } else {
        out[0] = (struct boot_region){gic.distributor, GICD_SIZE_V2};
        out[1] = (struct boot_region){gic.interface, GICC_SIZE};
    }
    return 2;
}

// ---- lines --------------------------------------------------------------------------------------

// Where the registers of a line are: same offsets in both places.
static uint64_t bank_of(uint32_t line)
{
    return gic.is_v3 && line < GIC_FIRST_SPI ? gic.own : gic.distributor;
}

static void bit_write(uint32_t line, uint64_t offset)
{
    register_write(bank_of(line) + offset + line / 32 * 4, UINT32_C(1) << line % 32);
}

// Version 3 says when a write to enable bits and control has taken effect; version 2 has the
// barrier.
static void writes_settle(uint32_t line)
{
    synchronise();
    if (!gic.is_v3)
        return;
    for (uint32_t polls = 0; polls < POLLS_MAX; polls++) {
        bool busy =
            line < GIC_FIRST_SPI
                ? (register_read(gic.own - GICR_FRAME_SIZE + GICR_CTLR) & GICR_CTLR_RWP) != 0
                : (register_read(gic.distributor + GICD_CTLR) & GICD_CTLR_RWP) != 0;

        if (!busy)
            return;
    }
}

// The trigger may be changed only while the line is disabled.
static void trigger_write(uint32_t line)
{
    uint64_t address = bank_of(line) + GICD_ICFGR + line / 16 * 4;
    uint32_t bit = UINT32_C(2) << line % 16 * 2;
    uint32_t value = register_read(address);
    bool is_edge = (gic.edge[line / 32] >> line % 32 & 1) != 0;

    register_write(address, is_edge ? value | bit : value & ~bit);
}

bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line)
{
    struct gic_specifier specifier;
    uint32_t bit;

    if (controller != gic.node || !gic_specifier_decode(cells, count, &specifier) ||
        specifier.line == gic.timer_line)
        return false;
    bit = UINT32_C(1) << specifier.line % 32;
    if (specifier.is_edge)
        gic.edge[specifier.line / 32] |= bit;
    else
        gic.edge[specifier.line / 32] &= ~bit;
    *line = specifier.line;
    return true;
}

void arch_interrupt_mask(uint32_t line)
{
    if (line >= gic.lines)
        return;
    bit_write(line, GICD_ICENABLER);
    writes_settle(line);
}

// What was written to the device before, to quiet it, has arrived there first.
void arch_interrupt_unmask(uint32_t line)
{
    uint64_t enabled;

    if (line >= gic.lines)
        return;
    synchronise();
    enabled = bank_of(line) + GICD_ISENABLER + line / 32 * 4;
    if ((register_read(enabled) >> line % 32 & 1) != 0)
        return;
    trigger_write(line);
    bit_write(line, GICD_ISENABLER);
}

// ---- taking -------------------------------------------------------------------------------------

static uint32_t pending_read(void)
{
    return gic.is_v3 ? (uint32_t)icc_hppir1_read()
                     : register_read(gic.interface + GICC_HPPIR) & GICC_ID;
}

// What is acknowledged is active until it is ended; the barrier orders it before what follows.
static uint32_t acknowledge(void)
{
    uint32_t value =
        gic.is_v3 ? (uint32_t)icc_iar1_read() : register_read(gic.interface + GICC_IAR);

    __asm__ volatile("dsb sy" ::: "memory");
    return value;
}

// `value` as acknowledge returned it: version 2 wants the source of a software interrupt back.
static void end(uint32_t value)
{
    if (gic.is_v3) {
        icc_eoir1_write(value);
        __asm__ volatile("isb" ::: "memory");
    } else {
        register_write(gic.interface + GICC_EOIR, value);
    }
}

uint32_t arch_interrupt_claim(void)
{
    uint32_t line = pending_read();
    uint32_t value;

    if (line >= GIC_SPECIAL || line == gic.timer_line)
        return ARCH_LINE_NONE;
    // Another line may have come or gone since: what counts is what is acknowledged.
    value = acknowledge();
    line = gic.is_v3 ? value : value & GICC_ID;
    if (line >= GIC_SPECIAL)
        return ARCH_LINE_NONE;
    if (line == gic.timer_line) {
        end(value); // still pending, because the timer still runs
        return ARCH_LINE_NONE;
    }
    arch_interrupt_mask(line);
    end(value);
    return line;
}

bool gic_take_timer(void)
{
    if (pending_read() != gic.timer_line)
        return false;
    arch_timer_disarm();
    return true;
}

// The controller answers a claim at any time.
void arch_interrupt_poll(void) {}

// WFI wakes for what is pending and enabled at the controller, whatever PSTATE.I says: nothing is
// lost.
void arch_wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" ::: "memory");
}

// ---- start --------------------------------------------------------------------------------------

static uint64_t own_affinity(void)
{
    uint64_t value;

    __asm__("mrs %0, mpidr_el1" : "=r"(value));
    return value & AFFINITY_MASK;
}

// Finds this core's redistributor and wakes it. A firmware that keeps GICR_WAKER to itself has
// woken it already, and it reads as zero.
static bool redistributor_start(void)
{
    uint64_t affinity = own_affinity();
    uint64_t packed = (affinity >> 32 & 0xFF) << 24 | (affinity & 0xFFFFFF);
    uint64_t offset = 0;

    while (offset + 2 * GICR_FRAME_SIZE <= gic.redistributors_size) {
        uint64_t frame = gic.redistributors + offset;
        uint32_t type = register_read(frame + GICR_TYPER);

        if (register_read(frame + GICR_TYPER + 4) == packed) {
            gic.own = frame + GICR_FRAME_SIZE;
            register_write(frame + GICR_WAKER,
                           register_read(frame + GICR_WAKER) & ~(uint32_t)GICR_WAKER_SLEEP);
            for (uint32_t polls = 0; polls < POLLS_MAX; polls++) {
                if ((register_read(frame + GICR_WAKER) & GICR_WAKER_CHILDREN) == 0)
                    return true;
            }
            return false;
        }
        if ((type & GICR_TYPER_LAST) != 0)
            return false;
        offset += (type & GICR_TYPER_VLPIS) != 0 ? 4 * GICR_FRAME_SIZE : 2 * GICR_FRAME_SIZE;
    }
    return false;
}

// Version 2: the bits of this core in the registers of its private lines; none where there is only
// one core, which then needs no target.
static uint32_t own_targets(void)
{
    for (uint32_t line = 0; line < GIC_FIRST_SPI; line += 4) {
        uint32_t targets = register_read(gic.distributor + GICD_ITARGETSR + line);

        if (targets != 0)
            return (targets | targets >> 8 | targets >> 16 | targets >> 24) & 0xFF;
    }
    return 0;
}

// All lines: off, neither pending nor active, of the group that arrives here as IRQ, one priority.
static void lines_reset(void)
{
    uint32_t group = gic.is_v3 ? UINT32_MAX : 0;

    for (uint32_t line = 0; line < gic.lines; line += 32) {
        uint64_t word = bank_of(line) + line / 32 * 4;

        register_write(word + GICD_ICENABLER, UINT32_MAX);
        writes_settle(line);
        register_write(word + GICD_ICPENDR, UINT32_MAX);
        register_write(word + GICD_ICACTIVER, UINT32_MAX);
        register_write(word + GICD_IGROUPR, group);
        if (gic.is_v3)
            register_write(word + GICD_IGRPMODR, 0);
    }
    for (uint32_t line = 0; line < gic.lines; line += 4)
        register_write(bank_of(line) + GICD_IPRIORITYR + line, GIC_PRIORITY_LINE * 0x01010101u);
}

static void lines_route(void)
{
    uint64_t affinity = own_affinity();
    uint32_t targets = gic.is_v3 ? 0 : own_targets() * 0x01010101u;

    if (gic.is_v3) {
        for (uint32_t line = GIC_FIRST_SPI; line < gic.lines; line++) {
            uint64_t route = gic.distributor + GICD_IROUTER + line * UINT64_C(8);

            register_write(route, (uint32_t)affinity);
            register_write(route + 4, (uint32_t)(affinity >> 32));
        }
    } else if (targets != 0) {
        for (uint32_t line = GIC_FIRST_SPI; line < gic.lines; line += 4)
            register_write(gic.distributor + GICD_ITARGETSR + line, targets);
    }
}

static void distributor_control(uint32_t value)
{
    register_write(gic.distributor + GICD_CTLR, value);
    writes_settle(GIC_FIRST_SPI);
}

// The system registers exist only when SRE is set; a firmware that does not allow it cannot be
// used.
static bool interface_start(void)
{
    if (!gic.is_v3) {
        register_write(gic.interface + GICC_PMR, 0xFF);
        register_write(gic.interface + GICC_BPR, 0);
        register_write(gic.interface + GICC_CTLR, GICC_CTLR_ENABLE);
        return true;
    }
    icc_sre_write(icc_sre_read() | 1);
    __asm__ volatile("isb" ::: "memory");
    if ((icc_sre_read() & 1) == 0)
        return false;
    icc_pmr_write(0xFF);
    icc_bpr1_write(0);
    icc_ctlr_write(0); // one write ends an interrupt: priority and activity together
    icc_igrpen1_write(1);
    synchronise();
    return true;
}

uint32_t arch_interrupts_init(void)
{
    uint8_t volatile *priority;

    arch_timer_disarm();
    if (gic.is_v3 && !redistributor_start())
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    gic.lines = ((register_read(gic.distributor + GICD_TYPER) & GICD_TYPER_LINES) + 1) * 32;
    if (gic.lines > GIC_SPECIAL)
        gic.lines = GIC_SPECIAL;
    distributor_control(0);
    if (gic.is_v3)
        distributor_control(GICD_CTLR_ARE);
    lines_reset();
    lines_route();
    if (!interface_start())
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    distributor_control(gic.is_v3 ? GICD_CTLR_ENABLE_V3 : GICD_CTLR_ENABLE_V2);

    priority = (uint8_t volatile *)(uintptr_t)(bank_of(gic.timer_line) + GICD_IPRIORITYR);
    priority[gic.timer_line] = GIC_PRIORITY_TIMER;
    gic.edge[gic.timer_line / 32] &= ~(UINT32_C(1) << gic.timer_line % 32);
    arch_interrupt_unmask(gic.timer_line);
    synchronise();
    return RUMPK_BOOT_CAUSE_NONE;
}

bool arch_msi_allocate(uint32_t *line, uint64_t *address, uint32_t *data)
{
    (void)line; // neither ITS nor v2m is used
    (void)address;
    (void)data;
    return false;
}
