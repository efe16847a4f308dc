// SPDX-License-Identifier: Apache-2.0
//
// trap.c (x86_64): the interrupt descriptor table, and what each exception means.
//
// 32 exceptions and 224 interrupts, all interrupt gates of ring 0 but the breakpoint: INT n of a
// driver is a general protection fault for every other n. Every vector has a stack from the TSS, so
// a kernel whose own stack is gone still gets its fault delivered, and a driver's stack is never
// used.
//
// Ring 3 executing a privileged instruction, a closed port, a bad selector and a non-canonical
// address all arrive as vector 13 with nothing to tell them apart but the instruction's bytes,
// which the kernel does not decode: all are RUMPK_FAULT_PROTECTION.
#include "machine.h"
#include "offsets.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/link.h>

#define VECTOR_BREAKPOINT    3u
#define VECTOR_DOUBLE_FAULT  8u
#define VECTOR_PAGE_FAULT    14u
#define VECTOR_MACHINE_CHECK 18u

// Error code of a page fault (Intel SDM volume 3, 4.7).
#define PAGE_FAULT_WRITE    0x02u
#define PAGE_FAULT_USER     0x04u
#define PAGE_FAULT_RESERVED 0x08u
#define PAGE_FAULT_FETCH    0x10u

#define DR6_CLEAR UINT64_C(0xFFFF0FF0)

// Intel SDM volume 3, 6.14.1.
static struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t stack;
    uint8_t type;
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
} gates[VECTOR_COUNT] __attribute__((aligned(16)));

#define GATE_INTERRUPT   0x8Eu // present, ring 0 only, interrupts off inside
#define GATE_FROM_RING_3 0x60u

#define PIC_MASTER_MASK 0x21
#define PIC_SLAVE_MASK  0xA1

extern char arch_vector_stubs[];

void arch_traps_init(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof(gates) - 1, (uint64_t)(uintptr_t)gates};

    cpu_tables_load();
    for (uint32_t i = 0; i < VECTOR_COUNT; i++) {
        uint64_t stub = link_address(arch_vector_stubs) + i * VECTOR_STUB_SIZE;

        gates[i].offset_low = (uint16_t)stub;
        gates[i].offset_middle = (uint16_t)(stub >> 16);
        gates[i].offset_high = (uint32_t)(stub >> 32);
        gates[i].selector = SELECTOR_KERNEL_CODE;
        gates[i].stack = IST_EMERGENCY;
        gates[i].type = GATE_INTERRUPT;
    }
    gates[VECTOR_NMI].stack = IST_NMI;
    gates[VECTOR_DOUBLE_FAULT].stack = IST_DOUBLE_FAULT;
    gates[VECTOR_MACHINE_CHECK].stack = IST_MACHINE_CHECK;
    gates[VECTOR_BREAKPOINT].type |= GATE_FROM_RING_3;
    __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");

    // Interrupts come from the APICs (intr.c); the old controllers are silenced.
    cpu_out8(PIC_MASTER_MASK, 0xFF);
    cpu_out8(PIC_SLAVE_MASK, 0xFF);
}

static uint64_t fault_address(void)
{
    uint64_t address;

    __asm__ volatile("movq %%cr2, %0" : "=r"(address));
    return address;
}

static uint32_t fault_of_page(uint32_t error)
{
    if (error & PAGE_FAULT_RESERVED)
        return RUMPK_FAULT_OTHER;
    if (error & PAGE_FAULT_FETCH)
        return RUMPK_FAULT_EXECUTE;
    return error & PAGE_FAULT_WRITE ? RUMPK_FAULT_WRITE : RUMPK_FAULT_READ;
}

static uint32_t fault_of_vector(uint32_t vector, uint32_t error)
{
    switch (vector) {
    case 0:  // #DE
    case 16: // #MF
    case 19: // #XM
        return RUMPK_FAULT_ARITHMETIC;
    case VECTOR_DEBUG:
    case VECTOR_BREAKPOINT:
        return RUMPK_FAULT_BREAKPOINT;
    case 6: // #UD
    case 7: // #NM
        return RUMPK_FAULT_ILLEGAL;
    case 10: // #TS
    case 11: // #NP
    case 12: // #SS: the stack pointer is not canonical
    case 13: // #GP
        return RUMPK_FAULT_PROTECTION;
    case VECTOR_PAGE_FAULT:
        return fault_of_page(error);
    case 17: // #AC
        return RUMPK_FAULT_MISALIGNED;
    default:
        return RUMPK_FAULT_OTHER;
    }
}

static void debug_status_clear(void)
{
    __asm__ volatile("movq %0, %%dr6" : : "r"(DR6_CLEAR));
}

static struct trap_info describe(uint32_t vector, uint32_t error, uint64_t pc)
{
    struct trap_info info = {
        .kind = TRAP_FAULT,
        .fault = fault_of_vector(vector, error),
        .pc = pc,
        .cause = (uint64_t)vector << 32 | error,
    };

    // A double fault comes from the delivery of a page fault: the address tells where the stack
    // ended.
    if (vector == VECTOR_PAGE_FAULT || vector == VECTOR_DOUBLE_FAULT)
        info.address = fault_address();
    if (vector == VECTOR_BREAKPOINT)
        info.pc = pc - 1; // INT3 is one byte and the processor reports the next
    if (vector == VECTOR_DEBUG)
        debug_status_clear();
    if (vector == VECTOR_MACHINE_CHECK)
        cpu_machine_check_clear();
    return info;
}

// From trap.S, on the kernel stack; the frame is saved.
[[noreturn]] void trap_user_vector(uint64_t vector, uint64_t error, uint64_t pc);
void trap_user_vector(uint64_t vector, uint64_t error, uint64_t pc)
{
    struct trap_info info = describe((uint32_t)vector, (uint32_t)error, pc);

    if (vector >= EXCEPTION_COUNT)
        info.kind = interrupt_take((uint32_t)vector) ? TRAP_TIMER : TRAP_INTERRUPT;
    // An access that the processor made with its own rights for an instruction of ring 3, to a
    // descriptor table or (QEMU's IRETQ) to the stack: the instruction is at fault, not an address.
    if (vector == VECTOR_PAGE_FAULT && !(error & PAGE_FAULT_USER))
        info.fault = RUMPK_FAULT_PROTECTION;
    trap_from_user(&info);
}

// From trap.S, on the emergency stack (or those of double fault and machine check).
[[noreturn]] void trap_kernel_exception(uint64_t vector, uint64_t error, uint64_t pc);
void trap_kernel_exception(uint64_t vector, uint64_t error, uint64_t pc)
{
    struct trap_info info = describe((uint32_t)vector, (uint32_t)error, pc);

    trap_from_kernel(&info);
}
