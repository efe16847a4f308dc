// SPDX-License-Identifier: Apache-2.0
//
// irq.c: the probe alone holds the console's registers and their interrupt. Its chip asks for
// attention when the probe tells it to and stops when it is told to, which is all that a test of
// the kernel needs of it.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

#define STORM_ROUNDS 8000u

static struct npl_registers uart;
static struct npl_interrupt interrupt;

#if defined(__aarch64__)
// PL011: a byte sent sets the transmit interrupt until it is cleared.
void probe_chip_ask(const struct npl_registers *chip)
{
    npl_reg_write32(chip, 0x30, 0x101);
    npl_reg_write32(chip, 0x00, '.');
    npl_reg_write32(chip, 0x38, 0x20);
}

void probe_chip_quiet(const struct npl_registers *chip)
{
    npl_reg_write32(chip, 0x38, 0);
    npl_reg_write32(chip, 0x44, 0x7FF);
}
#else
// 16550: an empty transmitter asks as long as its interrupt is enabled.
void probe_chip_ask(const struct npl_registers *chip)
{
    npl_reg_write8(chip, 4, 0x0B);
    npl_reg_write8(chip, 1, 0x02);
}

void probe_chip_quiet(const struct npl_registers *chip)
{
    npl_reg_write8(chip, 1, 0);
}
#endif

static int64_t mask(uint64_t slot, uint64_t operation, uint64_t value)
{
    return probe_call(RUMPK_CALL_MASK, slot, operation, value, 0);
}

// Has the line fired within 20 ms?
static bool fires(void)
{
    return npl_ring_sleep(&interrupt.ring, npl_deadline_ms(20)) > 0;
}

// Every result of the two operations, and that a masked line is masked.
static int take(void)
{
    uint32_t registers =
        npl_cap_find("uart", RUMPK_ARCH == RUMPK_ARCH_X86_64 ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW)
            ->slot;
    uint64_t first;

    if (mask(registers, RUMPK_MASK_IRQ_UNMASK, 0) != RUMPK_E_TYPE ||
        mask(interrupt.slot, RUMPK_MASK_IRQ_UNMASK, 1) != RUMPK_E_ARGUMENT ||
        mask(interrupt.slot, RUMPK_MASK_FEATURES, 0) != RUMPK_E_TYPE ||
        probe_call(RUMPK_CALL_MAP, interrupt.slot, 0, 0, 0) != RUMPK_E_TYPE ||
        probe_call(RUMPK_CALL_SEND, interrupt.ring.slot, 0, 0, 0) != RUMPK_E_PEER)
        return 1;
    // Masked at first: the chip asks, nothing comes.
    probe_chip_ask(&uart);
    if (fires())
        return 2;
    probe_chip_quiet(&uart);
    if (npl_interrupt_unmask(&interrupt) != RUMPK_OK)
        return 3;
    probe_chip_ask(&uart);
    if (npl_interrupt_wait(&interrupt, npl_deadline_ms(2000)) != RUMPK_OK || interrupt.count == 0)
        return 4;
    first = interrupt.count;
    // It goes on asking, but fired once, and stays masked.
    if (fires())
        return 5;
    probe_chip_quiet(&uart);
    npl_interrupt_unmask(&interrupt);
    probe_chip_ask(&uart);
    if (npl_interrupt_wait(&interrupt, npl_deadline_ms(2000)) != RUMPK_OK ||
        interrupt.count <= first)
        return 6;
    probe_chip_quiet(&uart);
    // Unmasked and masked again: nothing. (The line of x86_64 has an edge trigger: there unmasking
    // alone may bring an interrupt, because an edge may have been missed.)
    npl_interrupt_unmask(&interrupt);
    npl_interrupt_mask(&interrupt);
    npl_interrupt_take(&interrupt);
    probe_chip_ask(&uart);
    if (fires())
        return 7;
    probe_chip_quiet(&uart);
    // What the core counts is for observers; what this fiber used is its own. (This one observes.)
    if (probe_call(RUMPK_CALL_META, RUMPK_META_CORE, 0, 0, 0) != RUMPK_E_ARGUMENT ||
        probe_call(RUMPK_CALL_META, RUMPK_META_RUN, 0, 0, 0) != RUMPK_E_ARGUMENT)
        return 9;
    // Without the right.
    if (mask(interrupt.slot, RUMPK_MASK_RIGHTS, 0) != RUMPK_OK ||
        mask(interrupt.slot, RUMPK_MASK_IRQ_UNMASK, 0) != RUMPK_E_RIGHTS)
        return 8;
    // Without the class.
    probe_call(RUMPK_CALL_PLEDGE, ~RUMPK_PLEDGE_CONTROL, 0, 0, 0);
    if (mask(interrupt.slot, RUMPK_MASK_IRQ_MASK, 0) != RUMPK_E_PLEDGE)
        return 10;
    return SURVIVED;
}

// Unmasks as fast as it can while the chip goes on asking: the kernel holds the line back.
static int storm(void)
{
    struct rumpk_meta_core core;

    for (uint32_t round = 0; round < STORM_ROUNDS; round++) {
        npl_interrupt_unmask(&interrupt);
        probe_chip_ask(&uart);
        if (npl_interrupt_wait(&interrupt, npl_deadline_ms(2000)) != RUMPK_OK)
            return 1;
        probe_chip_quiet(&uart);
    }
    if (probe_call(RUMPK_CALL_META, RUMPK_META_CORE, (uint64_t)&core, sizeof core, 0) != 0)
        return 2;
    return core.storms != 0 ? SURVIVED : 3;
}

// Unmasks for ever while the chip keeps asking: every unmasking fires at once. What ends this is
// the kernel. On aarch64 the chip is simply never quieted; the emulator's other two controllers
// look at a line only when it changes, so there it is let go of and asks again.
int probe_chip_storm(struct npl_interrupt *line, const struct npl_registers *chip)
{
    for (;;) {
        npl_interrupt_unmask(line);
        probe_chip_ask(chip);
        if (npl_interrupt_wait(line, npl_deadline_ms(2000)) != RUMPK_OK)
            return 1;
        if (RUMPK_ARCH != RUMPK_ARCH_AARCH64)
            probe_chip_quiet(chip);
    }
}

int probe_irq(const char *word)
{
    if (npl_registers_open(&uart, "uart") != RUMPK_OK ||
        npl_interrupt_open(&interrupt, "uart") != RUMPK_OK)
        return 97;
    if (strcmp(word, "storm") == 0)
        return storm();
    if (strcmp(word, "level") == 0)
        return probe_chip_storm(&interrupt, &uart);
    if (strcmp(word, "hold") != 0)
        return take();
    // An unmasked line can fire at any time: the machine does not end while somebody waits for it.
    // An edge that may have been missed while it was masked counts as one, so the first may be for
    // nothing.
    probe_chip_quiet(&uart);
    for (uint32_t round = 0; round < 4; round++) {
        npl_interrupt_unmask(&interrupt);
        if (npl_interrupt_wait(&interrupt, RUMPK_FOREVER) != RUMPK_OK)
            return 2;
    }
    return 1;
}
