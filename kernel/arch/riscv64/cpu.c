// SPDX-License-Identifier: Apache-2.0
//
// cpu.c (riscv64): control registers, frames, floating point.
#include <arch/arch.h>
#include <rumpk/ledger.h>

#define SSTATUS_SPIE     (UINT64_C(1) << 5)
#define SSTATUS_SPP      (UINT64_C(1) << 8)
#define SSTATUS_FS_DIRTY (UINT64_C(3) << 13)
#define SSTATUS_SUM      (UINT64_C(1) << 18)
#define SSTATUS_MXR      (UINT64_C(1) << 19)
#define SSTATUS_VS_MASK  (UINT64_C(3) << 9)

#define X_RA 0  // index of x1 in arch_frame.x
#define X_SP 1  // index of x2 in arch_frame.x
#define X_A0 9  // x10
#define X_A7 16 // x17

uint32_t arch_cpu_init(void)
{
    // The kernel itself moves FP state; vectors stay off so that they trap. SUM and MXR stay clear
    // for ever: the kernel never reads user pages through user mappings.
    uint64_t clear = SSTATUS_SUM | SSTATUS_MXR | SSTATUS_VS_MASK;
    uint64_t set = SSTATUS_FS_DIRTY;

    __asm__ volatile("csrc sstatus, %0" ::"r"(clear));
    __asm__ volatile("csrs sstatus, %0" ::"r"(set));
    // Counters are not for user mode: time comes from `tick`.
    __asm__ volatile("csrw scounteren, zero");
    return RUMPK_BOOT_CAUSE_NONE;
}

void arch_fp_clear(struct arch_fp *state)
{
    *state = (struct arch_fp){0};
}

void arch_ports_set(const struct boot_region *ranges, uint32_t range_count)
{
    (void)ranges;
    (void)range_count;
}

bool arch_has_ports(void)
{
    return false;
}

void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack_top,
                     uint64_t argument)
{
    *frame = (struct arch_frame){0};
    frame->pc = entry;
    frame->x[X_SP] = stack_top;
    frame->x[X_A0] = argument;
    // User mode (SPP clear), interrupts as they will be, FP on.
    frame->status = SSTATUS_SPIE | SSTATUS_FS_DIRTY | UINT64_C(2) << 32;
}

[[gnu::section(".text.syscall")]] uint64_t arch_frame_number(const struct arch_frame *frame)
{
    return frame->x[X_A7];
}

[[gnu::section(".text.syscall")]] uint64_t arch_frame_argument(const struct arch_frame *frame,
                                                               unsigned index)
{
    return frame->x[X_A0 + index];
}

// a0 is the result; the other caller-saved registers (ra, t0-t2, a1-a7, t3-t6) carry nothing out of
// the kernel. ra is the stub's way home and stays.
[[gnu::section(".text.syscall")]] void arch_frame_set_result(struct arch_frame *frame,
                                                             int64_t result)
{
    for (unsigned index = 4; index <= 6; index++)
        frame->x[index] = 0;
    for (unsigned index = X_A0 + 1; index <= X_A7; index++)
        frame->x[index] = 0;
    for (unsigned index = 27; index <= 30; index++)
        frame->x[index] = 0;
    frame->x[X_A0] = (uint64_t)result;
}

uint64_t arch_frame_pc(const struct arch_frame *frame)
{
    return frame->pc;
}

uint64_t arch_frame_sp(const struct arch_frame *frame)
{
    return frame->x[X_SP];
}

bool arch_frame_caller(const struct arch_frame *frame, uint64_t *address)
{
    *address = frame->x[X_RA];
    return true;
}
