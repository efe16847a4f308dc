// SPDX-License-Identifier: Apache-2.0
//
// cpu.c (aarch64): control registers, floating point, and the frame of a fiber.
//
// SCTLR_EL1 is written where the MMU is (entry.S, mmu.c); here is what else decides how much of the
// processor a driver gets: floating point and SIMD, its own TPIDR_EL0, and nothing more. No
// counter, timer, performance monitor, debug channel, vector extension or cache maintenance.
#include <arch/arch.h>
#include <rumpk/ledger.h>

// CPACR_EL1: FPEN = 3, no trap; ZEN = 0 and SMEN = 0, SVE and SME trap; TTA, trace registers trap.
#define CPACR_VALUE ((UINT64_C(3) << 20) | (UINT64_C(1) << 28))
// MDSCR_EL1: TDCC, EL0 has no debug channel; everything else off.
#define MDSCR_VALUE (UINT64_C(1) << 12)

// PSTATE of a driver: AArch64 EL0; I open, so that interrupts are taken while it runs, and only
// then; A open, so that an asynchronous bus error is taken while its driver runs; D and F masked
// (no interrupt arrives as FIQ).
#define PSTATE_DRIVER UINT64_C(0x240)
#define PSTATE_FLAGS  UINT64_C(0xF0000000)

uint64_t arch_pte_guarded;

// One four-bit field of an identification register.
#define FEATURE_READ(name, shift)                              \
    static uint64_t feature_##name##_##shift(void)             \
    {                                                          \
        uint64_t value;                                        \
                                                               \
        __asm__("mrs %0, id_aa64" #name "_el1" : "=r"(value)); \
        return (value >> (shift)) & 0xF;                       \
    }

FEATURE_READ(pfr0, 16)  // floating point; 15: none
FEATURE_READ(pfr0, 20)  // SIMD; 15: none
FEATURE_READ(pfr0, 44)  // activity monitors
FEATURE_READ(pfr1, 0)   // BTI
FEATURE_READ(dfr0, 8)   // performance monitors; 15: not the architected ones
FEATURE_READ(mmfr0, 28) // 4 KiB granule; 15: none
FEATURE_READ(mmfr1, 20) // PAN

uint32_t arch_cpu_init(void)
{
    uint64_t monitors = feature_dfr0_8();

    // Does the processor have what the kernel and the driver profile need?
    if (feature_pfr0_16() == 15 || feature_pfr0_20() == 15 || feature_mmfr0_28() == 15)
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    __asm__ volatile("msr cpacr_el1, %[cpacr]\n\t"
                     "msr mdscr_el1, %[mdscr]\n\t"
                     "msr cntkctl_el1, xzr\n\t"
                     "msr tpidr_el0, xzr\n\t"
                     "msr tpidrro_el0, xzr\n\t"
                     "isb"
                     :
                     : [cpacr] "r"(CPACR_VALUE), [mdscr] "r"(MDSCR_VALUE)
                     : "memory");
    if (monitors != 0 && monitors != 15)
        __asm__ volatile("msr pmuserenr_el0, xzr" ::: "memory");
    if (feature_pfr0_44() != 0)
        __asm__ volatile("msr S3_3_C13_C2_3, xzr" ::: "memory"); // AMUSERENR_EL0
    if (feature_mmfr1_20() != 0)
        __asm__ volatile(".inst 0xd500419f" ::: "memory"); // msr pan, #1
    if (feature_pfr1_0() != 0)
        arch_pte_guarded = ARCH_PTE_GUARDED;
    __asm__ volatile("isb" ::: "memory");
    return RUMPK_BOOT_CAUSE_NONE;
}

void arch_fp_clear(struct arch_fp *state)
{
    *state = (struct arch_fp){0};
}

// The kernel is built without floating point; only these two touch the registers.
void arch_fp_save(struct arch_fp *state)
{
    uint64_t control;
    uint64_t status;
    __asm__ volatile(".arch_extension simd\n\t"
                     "stp q0, q1, [%[v], #0]\n\t"
                     "stp q2, q3, [%[v], #32]\n\t"
                     "stp q4, q5, [%[v], #64]\n\t"
                     "stp q6, q7, [%[v], #96]\n\t"
                     "stp q8, q9, [%[v], #128]\n\t"
                     "stp q10, q11, [%[v], #160]\n\t"
                     "stp q12, q13, [%[v], #192]\n\t"
                     "stp q14, q15, [%[v], #224]\n\t"
                     "stp q16, q17, [%[v], #256]\n\t"
                     "stp q18, q19, [%[v], #288]\n\t"
                     "stp q20, q21, [%[v], #320]\n\t"
                     "stp q22, q23, [%[v], #352]\n\t"
                     "stp q24, q25, [%[v], #384]\n\t"
                     "stp q26, q27, [%[v], #416]\n\t"
                     "stp q28, q29, [%[v], #448]\n\t"
                     "stp q30, q31, [%[v], #480]\n\t"
                     "mrs %[control], fpcr\n\t"
                     "mrs %[status], fpsr"
                     : [control] "=&r"(control), [status] "=&r"(status)
                     : [v] "r"(state->v)
                     : "memory");
    state->fpcr = control;
    state->fpsr = status;
}

void arch_fp_restore(const struct arch_fp *state)
{
    __asm__ volatile(".arch_extension simd\n\t"
                     "ldp q0, q1, [%[v], #0]\n\t"
                     "ldp q2, q3, [%[v], #32]\n\t"
                     "ldp q4, q5, [%[v], #64]\n\t"
                     "ldp q6, q7, [%[v], #96]\n\t"
                     "ldp q8, q9, [%[v], #128]\n\t"
                     "ldp q10, q11, [%[v], #160]\n\t"
                     "ldp q12, q13, [%[v], #192]\n\t"
                     "ldp q14, q15, [%[v], #224]\n\t"
                     "ldp q16, q17, [%[v], #256]\n\t"
                     "ldp q18, q19, [%[v], #288]\n\t"
                     "ldp q20, q21, [%[v], #320]\n\t"
                     "ldp q22, q23, [%[v], #352]\n\t"
                     "ldp q24, q25, [%[v], #384]\n\t"
                     "ldp q26, q27, [%[v], #416]\n\t"
                     "ldp q28, q29, [%[v], #448]\n\t"
                     "ldp q30, q31, [%[v], #480]\n\t"
                     "msr fpcr, %[control]\n\t"
                     "msr fpsr, %[status]"
                     :
                     : [v] "r"(state->v), [control] "r"(state->fpcr), [status] "r"(state->fpsr)
                     : "memory");
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
    frame->x[0] = argument;
    frame->sp = stack_top;
    frame->pc = entry;
    frame->pstate = PSTATE_DRIVER;
}

[[gnu::section(".text.syscall")]] uint64_t arch_frame_number(const struct arch_frame *frame)
{
    return frame->x[8];
}

[[gnu::section(".text.syscall")]] uint64_t arch_frame_argument(const struct arch_frame *frame,
                                                               unsigned index)
{
    return index < 6 ? frame->x[index] : 0;
}

// x30 stays: the gate stub returns by it. v0..v31 hold what the driver left there or its own saved
// state. The loop stays a loop: a call of memset would leave the syscall core.
[[clang::no_builtin("memset"), gnu::section(".text.syscall")]] void
arch_frame_set_result(struct arch_frame *frame, int64_t result)
{
    frame->x[0] = (uint64_t)result;
    for (unsigned i = 1; i <= 18; i++)
        frame->x[i] = 0;
    frame->pstate &= ~PSTATE_FLAGS;
}

uint64_t arch_frame_pc(const struct arch_frame *frame)
{
    return frame->pc;
}

uint64_t arch_frame_sp(const struct arch_frame *frame)
{
    return frame->sp;
}

bool arch_frame_caller(const struct arch_frame *frame, uint64_t *address)
{
    *address = frame->x[30];
    return true;
}
