// SPDX-License-Identifier: Apache-2.0
//
// pci_probe: holds registers of a PCI function and says by its exit code what it found. Its
// configuration says which scene; see tests/kernel/pci.py.
//
// The function of the scenes "edu" and "reach" is QEMU's educational device (docs/specs/edu.txt):
// it computes factorials, raises an interrupt on request, and copies memory by itself, if it can.
#include <npl/npl.h>

#include <string.h>

enum {
    EDU_ID = 0x00,
    EDU_INVERT = 0x04,
    EDU_FACTORIAL = 0x08,
    EDU_STATUS = 0x20,
    EDU_INTERRUPT = 0x24,
    EDU_ACKNOWLEDGE = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
};

#define EDU_IDENTITY         0x010000EDu
#define EDU_STATUS_INTERRUPT 0x80u
#define EDU_DMA_START        1u
#define EDU_DMA_TO_MEMORY    2u

#define MARK 0x5A5AA5A5u

// Exit codes: 0 is good.
enum {
    EXIT_NO_REGISTERS = 1,
    EXIT_IDENTITY,
    EXIT_NO_LINE,
    EXIT_LINE,
    EXIT_FACTORIAL,
    EXIT_REACHED,
    EXIT_MAPPED,
    EXIT_SCENE,
};

static volatile uint32_t target = MARK;

static int edu(const struct npl_registers *registers)
{
    struct npl_interrupt interrupt;
    uint32_t status;

    npl_reg_write32(registers, EDU_INVERT, 0x12345678);
    if (npl_reg_read32(registers, EDU_INVERT) != ~UINT32_C(0x12345678))
        return EXIT_IDENTITY;
    if (npl_interrupt_open(&interrupt, "edu") < 0)
        return EXIT_NO_LINE;
    for (uint32_t round = 1; round <= 2; round++) {
        npl_interrupt_unmask(&interrupt);
        npl_reg_write32(registers, EDU_STATUS, EDU_STATUS_INTERRUPT);
        npl_reg_write32(registers, EDU_FACTORIAL, 10);
        if (npl_interrupt_wait(&interrupt, RUMPK_FOREVER) != RUMPK_OK)
            return EXIT_LINE;
        status = npl_reg_read32(registers, EDU_INTERRUPT);
        npl_reg_write32(registers, EDU_ACKNOWLEDGE, status);
        if (status == 0)
            return EXIT_LINE;
        if (npl_reg_read32(registers, EDU_FACTORIAL) != 3628800)
            return EXIT_FACTORIAL;
    }
    return 0;
}

// Whatever address the device is told, it reaches no memory.
static int reach(const struct npl_registers *registers)
{
    uint64_t address = (uint64_t)(uintptr_t)&target;

    npl_reg_write32(registers, EDU_DMA_SOURCE, EDU_BUFFER);
    npl_reg_write32(registers, EDU_DMA_TARGET, (uint32_t)address);
    npl_reg_write32(registers, EDU_DMA_COUNT, sizeof(target));
    npl_reg_write32(registers, EDU_DMA_COMMAND, EDU_DMA_START | EDU_DMA_TO_MEMORY);
    while ((npl_reg_read32(registers, EDU_DMA_COMMAND) & EDU_DMA_START) != 0)
        npl_sleep_until(npl_deadline_ms(1));
    return target == MARK ? 0 : EXIT_REACHED;
}

int npl_main(void)
{
    struct npl_registers registers;
    size_t size;
    const char *scene = npl_config(&size);
    int64_t result = npl_registers_open(&registers, "edu");

    if (size == 6 && memcmp(scene, "shared", 6) == 0)
        return result == RUMPK_E_SHARED_PAGE ? 0 : EXIT_MAPPED;
    if (result < 0)
        return EXIT_NO_REGISTERS;
    if (size >= 3 && memcmp(scene, "net", 3) == 0)
        return 0;
    if (npl_reg_read32(&registers, EDU_ID) != EDU_IDENTITY)
        return EXIT_IDENTITY;
    if (size == 3 && memcmp(scene, "edu", 3) == 0)
        return edu(&registers);
    if (size == 5 && memcmp(scene, "reach", 5) == 0)
        return reach(&registers);
    return EXIT_SCENE;
}
