// SPDX-License-Identifier: Apache-2.0
//
// trap.c (riscv64): scause into the kernel's words (privileged specification, "Supervisor Cause
// Register").
#include <arch/arch.h>
#include <rumpk/result.h>

extern char trap_vector[];
[[noreturn]] void trap_user(struct arch_frame *frame);
[[noreturn]] void trap_kernel(void);

#define CAUSE_INTERRUPT  (UINT64_C(1) << 63)
#define CAUSE_TIMER      (CAUSE_INTERRUPT | 5)
#define CAUSE_ECALL_USER 8u
#define ECALL_SIZE       4u

static const uint8_t cause_faults[16] = {
    [0] = RUMPK_FAULT_MISALIGNED, // instruction address
    [1] = RUMPK_FAULT_EXECUTE,    // instruction access
    [2] = RUMPK_FAULT_ILLEGAL,    [3] = RUMPK_FAULT_BREAKPOINT,
    [4] = RUMPK_FAULT_MISALIGNED, // load address
    [5] = RUMPK_FAULT_READ,       // load access
    [6] = RUMPK_FAULT_MISALIGNED, // store address
    [7] = RUMPK_FAULT_WRITE,      // store access
    [8] = RUMPK_FAULT_TRAP,       [9] = RUMPK_FAULT_OTHER,
    [10] = RUMPK_FAULT_OTHER,     [11] = RUMPK_FAULT_OTHER,
    [12] = RUMPK_FAULT_EXECUTE, // instruction page
    [13] = RUMPK_FAULT_READ,    // load page
    [14] = RUMPK_FAULT_OTHER,
    [15] = RUMPK_FAULT_WRITE, // store page
};

static struct trap_info info_read(void)
{
    struct trap_info info = {0};

    __asm__ volatile("csrr %0, scause" : "=r"(info.cause));
    __asm__ volatile("csrr %0, sepc" : "=r"(info.pc));
    __asm__ volatile("csrr %0, stval" : "=r"(info.address));
    info.kind = (info.cause & CAUSE_INTERRUPT) == 0 ? TRAP_FAULT
                : info.cause == CAUSE_TIMER         ? TRAP_TIMER
                                                    : TRAP_INTERRUPT;
    info.fault = info.cause < sizeof(cause_faults) ? cause_faults[info.cause] : RUMPK_FAULT_OTHER;
    return info;
}

void arch_traps_init(void)
{
    __asm__ volatile("csrw sscratch, zero");
    __asm__ volatile("csrw stvec, %0" ::"r"(trap_vector));
}

// From trap.S: the frame of the running fiber is saved, the kernel stack is fresh.
[[gnu::section(".text.syscall")]] void trap_user(struct arch_frame *frame)
{
    uint64_t cause;

    __asm__ volatile("csrr %0, scause" : "=r"(cause));
    if (cause == CAUSE_ECALL_USER) {
        frame->pc += ECALL_SIZE;
        struct trap_info info = {.kind = TRAP_CALL, .pc = frame->pc, .cause = cause};

        trap_from_user(&info);
    }
    struct trap_info info = info_read();

    trap_from_user(&info);
}

// From trap.S: the kernel itself trapped; on the emergency stack.
void trap_kernel(void)
{
    struct trap_info info = info_read();

    trap_from_kernel(&info);
}
