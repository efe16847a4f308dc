// SPDX-License-Identifier: Apache-2.0
//
// trap.c (aarch64): what the processor says about a trap, in the words of the ABI.
//
// ESR_EL1 (Arm ARM, D17.2.37): exception class in bits 31:26, class-specific syndrome in 24:0. For
// aborts its low six bits are the fault status and bit 6 says write.
#include "machine.h"
#include "offsets.h"

#include <arch/arch.h>
#include <rumpk/result.h>

#define CLASS_UNKNOWN                0x00u
#define CLASS_WAIT                   0x01u // WFI, WFE
#define CLASS_FP_ACCESS              0x07u
#define CLASS_POINTER_AUTHENTICATION 0x09u
#define CLASS_LOAD_64                0x0Au
#define CLASS_BRANCH_TARGET          0x0Du
#define CLASS_EXECUTION_STATE        0x0Eu
#define CLASS_SVC                    0x15u
#define CLASS_HVC                    0x16u
#define CLASS_SMC                    0x17u
#define CLASS_SYSTEM_REGISTER        0x18u
#define CLASS_SVE                    0x19u
#define CLASS_SME                    0x1Du
#define CLASS_FETCH_EL0              0x20u
#define CLASS_FETCH_EL1              0x21u
#define CLASS_PC_ALIGNMENT           0x22u
#define CLASS_DATA_EL0               0x24u
#define CLASS_DATA_EL1               0x25u
#define CLASS_SP_ALIGNMENT           0x26u
#define CLASS_FP_EXCEPTION           0x2Cu
#define CLASS_BREAKPOINT_EL0         0x30u
#define CLASS_BREAKPOINT_EL1         0x31u
#define CLASS_STEP_EL0               0x32u
#define CLASS_STEP_EL1               0x33u
#define CLASS_WATCHPOINT_EL0         0x34u
#define CLASS_WATCHPOINT_EL1         0x35u
#define CLASS_BRK                    0x3Cu

#define STATUS_MASK              0x3Fu
#define STATUS_ALIGNMENT         0x21u
#define STATUS_TRANSLATION_LIMIT 0x10u // below: address size, translation, access flag, permission
#define SYNDROME_WRITE           (UINT64_C(1) << 6)
#define SYNDROME_NO_ADDRESS      (UINT64_C(1) << 10) // FnV: FAR_EL1 holds nothing

[[noreturn]] void arch_trap_user(uint64_t vector, const struct arch_frame *frame);
[[noreturn]] void arch_trap_kernel(uint64_t vector);

static uint64_t read_syndrome(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, esr_el1" : "=r"(value));
    return value;
}

static uint32_t class_of(uint64_t syndrome)
{
    return (uint32_t)(syndrome >> 26) & 0x3F;
}

static uint64_t read_fault_address(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, far_el1" : "=r"(value));
    return value;
}

static uint64_t read_return_address(void)
{
    uint64_t value;
    __asm__ volatile("mrs %0, elr_el1" : "=r"(value));
    return value;
}

// An access that translation let through but the bus refused is none of READ, WRITE, EXECUTE: the
// driver had the right to it.
static uint32_t abort_fault(uint64_t syndrome, uint32_t fault)
{
    uint64_t status = syndrome & STATUS_MASK;
    if (status == STATUS_ALIGNMENT)
        return RUMPK_FAULT_MISALIGNED;
    return status < STATUS_TRANSLATION_LIMIT ? fault : RUMPK_FAULT_OTHER;
}

static void describe_abort(struct trap_info *info, uint32_t fault)
{
    info->fault = abort_fault(info->cause, fault);
    if ((info->cause & SYNDROME_NO_ADDRESS) == 0)
        info->address = read_fault_address();
}

static void describe_synchronous(struct trap_info *info)
{
    switch (class_of(info->cause)) {
    case CLASS_UNKNOWN:
    case CLASS_WAIT:
    case CLASS_FP_ACCESS:
    case CLASS_POINTER_AUTHENTICATION:
    case CLASS_LOAD_64:
    case CLASS_EXECUTION_STATE:
    case CLASS_HVC:
    case CLASS_SMC:
    case CLASS_SYSTEM_REGISTER:
    case CLASS_SVE:
    case CLASS_SME:
        info->fault = RUMPK_FAULT_ILLEGAL;
        break;
    case CLASS_BRANCH_TARGET:
        info->fault = RUMPK_FAULT_EXECUTE;
        info->address = info->pc;
        break;
    case CLASS_FETCH_EL0:
    case CLASS_FETCH_EL1:
        describe_abort(info, RUMPK_FAULT_EXECUTE);
        break;
    case CLASS_DATA_EL0:
    case CLASS_DATA_EL1:
        describe_abort(info,
                       (info->cause & SYNDROME_WRITE) != 0 ? RUMPK_FAULT_WRITE : RUMPK_FAULT_READ);
        break;
    case CLASS_PC_ALIGNMENT:
        info->fault = RUMPK_FAULT_MISALIGNED;
        info->address = info->pc;
        break;
    case CLASS_SP_ALIGNMENT:
        info->fault = RUMPK_FAULT_MISALIGNED;
        break;
    case CLASS_FP_EXCEPTION:
        info->fault = RUMPK_FAULT_ARITHMETIC;
        break;
    case CLASS_BREAKPOINT_EL0:
    case CLASS_BREAKPOINT_EL1:
    case CLASS_STEP_EL0:
    case CLASS_STEP_EL1:
    case CLASS_WATCHPOINT_EL0:
    case CLASS_WATCHPOINT_EL1:
    case CLASS_BRK:
        info->fault = RUMPK_FAULT_BREAKPOINT;
        break;
    default:
        info->fault = RUMPK_FAULT_OTHER;
        break;
    }
}

static void describe(struct trap_info *info, uint64_t vector)
{
    *info = (struct trap_info){.kind = TRAP_FAULT, .pc = read_return_address()};
    switch (vector) {
    case VECTOR_SYNCHRONOUS:
        info->cause = read_syndrome();
        describe_synchronous(info);
        break;
    case VECTOR_SERROR:
        info->cause = read_syndrome();
        info->fault = RUMPK_FAULT_OTHER;
        break;
    default:
        info->kind = gic_take_timer() ? TRAP_TIMER : TRAP_INTERRUPT;
        break;
    }
}

[[noreturn, gnu::noinline]] static void fault_from_user(uint64_t vector,
                                                        const struct arch_frame *frame)
{
    struct trap_info info;

    describe(&info, vector);
    if (vector == VECTOR_SYNCHRONOUS && class_of(info.cause) == CLASS_SP_ALIGNMENT)
        info.address = frame->sp;
    trap_from_user(&info);
}

// From trap.S, on the empty kernel stack; the frame of the running fiber is complete. For `svc` the
// processor itself saves the address of the next instruction.
[[gnu::section(".text.syscall")]] void arch_trap_user(uint64_t vector,
                                                      const struct arch_frame *frame)
{
    uint64_t syndrome = read_syndrome();

    if (vector != VECTOR_SYNCHRONOUS || class_of(syndrome) != CLASS_SVC)
        fault_from_user(vector, frame);

    struct trap_info info = {.kind = TRAP_CALL, .pc = frame->pc, .cause = syndrome};

    trap_from_user(&info);
}

// From trap.S, on the emergency stack.
void arch_trap_kernel(uint64_t vector)
{
    struct trap_info info;
    describe(&info, vector);
    trap_from_kernel(&info);
}

void arch_traps_init(void)
{
    extern const char arch_vectors[];
    __asm__ volatile("msr vbar_el1, %0\n\tisb" ::"r"(arch_vectors) : "memory");
}
