// SPDX-License-Identifier: Apache-2.0
//
// cpu.c (x86_64): control registers, segments, ports, floating point state, frames.
//
// Everything that decides what ring 3 may do besides the page tables is set here once:
//
//   CR0   WP: ring 0 obeys read-only pages; NE: x87 errors are traps; AM: alignment checks for
//         who sets AC
//   CR4   SMEP, SMAP, UMIP where the processor has them; TSD: no RDTSC; FSGSBASE, PCE, PKE off;
//         OSXSAVE off: AVX and all that needs XSAVE is an illegal instruction
//   GDT   no code segment but the two 64-bit ones, no LDT: nothing to load but null and flat data
//   TSS   I/O bitmap of all 65,536 ports; IOPL is 0, so the bitmap alone decides
//   MSRs  SYSCALL to arch_syscall_entry, SYSENTER off, FS and GS base zero
//
// Documents: Intel SDM volume 3, 2.5 (control registers), 4.6 (access rights), 8.2.1 of AMD APM
// volume 2.
#include "offsets.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/link.h>

// ---- control registers -------------------------------------------------------------------------

#define CR0_PE (UINT64_C(1) << 0)
#define CR0_MP (UINT64_C(1) << 1)
#define CR0_ET (UINT64_C(1) << 4)
#define CR0_NE (UINT64_C(1) << 5)
#define CR0_WP (UINT64_C(1) << 16)
#define CR0_AM (UINT64_C(1) << 18)
#define CR0_PG (UINT64_C(1) << 31)

#define CR4_TSD        (UINT64_C(1) << 2)
#define CR4_DE         (UINT64_C(1) << 3)
#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_MCE        (UINT64_C(1) << 6)
#define CR4_OSFXSR     (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_UMIP       (UINT64_C(1) << 11)
#define CR4_SMEP       (UINT64_C(1) << 20)
#define CR4_SMAP       (UINT64_C(1) << 21)

#define MSR_MCG_STATUS     0x17Au
#define MSR_SYSENTER_CS    0x174u
#define MSR_SYSENTER_ESP   0x175u
#define MSR_SYSENTER_EIP   0x176u
#define MSR_PAT            0x277u
#define MSR_STAR           0xC0000081u
#define MSR_LSTAR          0xC0000082u
#define MSR_CSTAR          0xC0000083u
#define MSR_SFMASK         0xC0000084u
#define MSR_FS_BASE        0xC0000100u
#define MSR_GS_BASE        0xC0000101u
#define MSR_KERNEL_GS_BASE 0xC0000102u

// Page attribute table after reset: entry 0 WB, 1 WT, 2 UC-, 3 UC (arch_types.h uses 0 and 3).
#define PAT_RESET UINT64_C(0x0007040600070406)

// Every flag that ring 3 can set, cleared by SYSCALL: AC (SMAP), DF, TF, NT, IF, RF, IOPL, ID,
// status.
#define SYSCALL_FLAGS_CLEARED UINT64_C(0x257FD5)

#define CPUID_1_EDX_TSC  (1u << 4)
#define CPUID_1_EDX_MCE  (1u << 7)
#define CPUID_1_EDX_MCA  (1u << 14)
#define CPUID_1_EDX_FXSR (1u << 24)
#define CPUID_1_EDX_SSE2 (1u << 26)
#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_EBX_SMAP (1u << 20)
#define CPUID_7_ECX_UMIP (1u << 2)
#define CPUID_EXTENDED   0x80000000u

static bool cpu_has_mca;

struct cpu_id cpu_id_read(uint32_t leaf, uint32_t subleaf)
{
    struct cpu_id id;

    __asm__("cpuid"
            : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
            : "a"(leaf & CPUID_EXTENDED), "c"(0));
    if (leaf > id.eax)
        return (struct cpu_id){0};
    __asm__("cpuid"
            : "=a"(id.eax), "=b"(id.ebx), "=c"(id.ecx), "=d"(id.edx)
            : "a"(leaf), "c"(subleaf));
    return id;
}

void cpu_machine_check_clear(void)
{
    if (cpu_has_mca)
        cpu_msr_write(MSR_MCG_STATUS, 0);
}

extern char arch_syscall_entry[];

uint32_t arch_cpu_init(void)
{
    struct cpu_id basic = cpu_id_read(1, 0);
    struct cpu_id extended = cpu_id_read(7, 0);
    uint32_t needed = CPUID_1_EDX_TSC | CPUID_1_EDX_FXSR | CPUID_1_EDX_SSE2;
    uint64_t cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    uint64_t cr4 = CR4_TSD | CR4_DE | CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    if ((basic.edx & needed) != needed)
        return RUMPK_BOOT_CAUSE_FIRMWARE;
    cpu_has_mca = (basic.edx & CPUID_1_EDX_MCA) != 0;
    if (basic.edx & CPUID_1_EDX_MCE)
        cr4 |= CR4_MCE;
    if (extended.ebx & CPUID_7_EBX_SMEP)
        cr4 |= CR4_SMEP;
    if (extended.ebx & CPUID_7_EBX_SMAP)
        cr4 |= CR4_SMAP;
    if (extended.ecx & CPUID_7_ECX_UMIP)
        cr4 |= CR4_UMIP;
    __asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");

    cpu_msr_write(MSR_PAT, PAT_RESET);
    cpu_msr_write(MSR_STAR,
                  (uint64_t)SELECTOR_SYSRET_BASE << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32);
    cpu_msr_write(MSR_LSTAR, link_address(arch_syscall_entry));
    cpu_msr_write(MSR_CSTAR, link_address(arch_syscall_entry));
    cpu_msr_write(MSR_SFMASK, SYSCALL_FLAGS_CLEARED);
    cpu_msr_write(MSR_SYSENTER_CS, 0);
    cpu_msr_write(MSR_SYSENTER_ESP, 0);
    cpu_msr_write(MSR_SYSENTER_EIP, 0);
    cpu_msr_write(MSR_FS_BASE, 0);
    cpu_msr_write(MSR_GS_BASE, 0);
    cpu_msr_write(MSR_KERNEL_GS_BASE, 0);

    // No hardware breakpoint may be left over: one on kernel data would fire inside the kernel.
    __asm__ volatile("movq %0, %%dr7" : : "r"(UINT64_C(0x400)));
    __asm__ volatile("movq %0, %%dr6" : : "r"(UINT64_C(0xFFFF0FF0)));
    return RUMPK_BOOT_CAUSE_NONE;
}

// ---- segments and the task state ---------------------------------------------------------------

#define PORT_COUNT       65536u
#define PORT_BITMAP_SIZE (PORT_COUNT / 8)

// Intel SDM volume 3, 8.7 and volume 1, 19.5.2. The processor always reads two bytes of the bitmap,
// so one more byte of ones follows it.
static struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t bitmap_offset;
    uint8_t bitmap[PORT_BITMAP_SIZE]; // bit set: port closed
    uint8_t end;
} __attribute__((packed, aligned(16))) task_state;
RUMPK_STATIC_ASSERT(offsetof(struct task_state, bitmap) == 104, "TSS layout");
RUMPK_STATIC_ASSERT(offsetof(struct task_state, end) == 104 + 8192, "TSS layout");

// Selectors of offsets.h. The code segment of ring 3 is execute-only, so it does not even load as
// data.
static uint64_t descriptors[8] __attribute__((aligned(16))) = {
    [SELECTOR_KERNEL_CODE / 8] = UINT64_C(0x00AF9B000000FFFF),
    [SELECTOR_KERNEL_DATA / 8] = UINT64_C(0x00CF93000000FFFF),
    [SELECTOR_USER_DATA / 8] = UINT64_C(0x00CFF3000000FFFF),
    [SELECTOR_USER_CODE / 8] = UINT64_C(0x00AFF9000000FFFF),
};

static uint8_t double_fault_stack[ARCH_FATAL_STACK_SIZE] __attribute__((aligned(16)));
static uint8_t machine_check_stack[ARCH_FATAL_STACK_SIZE] __attribute__((aligned(16)));
static uint8_t nmi_stack[ARCH_NMI_STACK_SIZE] __attribute__((aligned(16)));

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

void cpu_tables_load(void)
{
    uint64_t base = (uint64_t)(uintptr_t)&task_state;
    uint64_t limit = sizeof(task_state) - 1;
    struct table_pointer gdt = {sizeof(descriptors) - 1, (uint64_t)(uintptr_t)descriptors};

    task_state.rsp[0] = link_address(__stack_top);
    task_state.ist[IST_EMERGENCY - 1] = link_address(__emergency_top);
    task_state.ist[IST_DOUBLE_FAULT - 1] =
        (uint64_t)(uintptr_t)(double_fault_stack + sizeof(double_fault_stack));
    task_state.ist[IST_NMI - 1] = (uint64_t)(uintptr_t)(nmi_stack + sizeof(nmi_stack));
    task_state.ist[IST_MACHINE_CHECK - 1] =
        (uint64_t)(uintptr_t)(machine_check_stack + sizeof(machine_check_stack));
    task_state.bitmap_offset = offsetof(struct task_state, bitmap);
    memset(task_state.bitmap, 0xFF, sizeof(task_state.bitmap) + sizeof(task_state.end));

    // 64-bit TSS, available, DPL 0 (Intel SDM volume 3, 8.2.3).
    descriptors[SELECTOR_TSS / 8] = (limit & 0xFFFF) | (base & 0xFFFFFF) << 16 |
                                    UINT64_C(0x89) << 40 | (limit >> 16 & 0xF) << 48 |
                                    (base >> 24 & 0xFF) << 56;
    descriptors[SELECTOR_TSS / 8 + 1] = base >> 32;

    // The segments that are loaded now (entry.S) have the same selectors and contents in this
    // table.
    __asm__ volatile("lgdt %0" : : "m"(gdt) : "memory");
    __asm__ volatile("lldt %w0" : : "r"(0));
    __asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS) : "memory");
}

// ---- ports -------------------------------------------------------------------------------------

// Bytes of the bitmap that may hold an open port: [port_open_first, port_open_end).
static uint32_t port_open_first;
static uint32_t port_open_end;

bool arch_has_ports(void)
{
    return true;
}

void arch_ports_set(const struct boot_region *ranges, uint32_t range_count)
{
    if (port_open_end > port_open_first)
        memset(task_state.bitmap + port_open_first, 0xFF, port_open_end - port_open_first);
    port_open_first = PORT_BITMAP_SIZE;
    port_open_end = 0;
    for (uint32_t i = 0; i < range_count; i++) {
        if (!range_contains(0, PORT_COUNT, ranges[i].base, ranges[i].size))
            continue;
        uint32_t first = (uint32_t)ranges[i].base;
        uint32_t last = (uint32_t)(ranges[i].base + ranges[i].size - 1);
        for (uint32_t port = first; port <= last; port++)
            task_state.bitmap[port / 8] &= (uint8_t)~(1u << (port % 8));
        if (first / 8 < port_open_first)
            port_open_first = first / 8;
        if (last / 8 + 1 > port_open_end)
            port_open_end = last / 8 + 1;
    }
}

// ---- floating point ----------------------------------------------------------------------------

#define FCW_DEFAULT   0x037Fu // all x87 exceptions masked, 64-bit precision
#define MXCSR_DEFAULT 0x1F80u // all SIMD exceptions masked, round to nearest

void arch_fp_clear(struct arch_fp *state)
{
    memset(state, 0, sizeof(*state));
    state->fcw = FCW_DEFAULT;
    state->mxcsr = MXCSR_DEFAULT;
}

void arch_fp_save(struct arch_fp *state)
{
    __asm__ volatile("fxsave64 %0" : "=m"(*state));
}

// FNINIT first: AMD processors leave the x87 instruction and data pointers alone in FXRSTOR when no
// exception is pending, so those of another fiber would show (AMD APM volume 2, 11.4.4).
void arch_fp_restore(const struct arch_fp *state)
{
    __asm__ volatile("fninit\n\tfxrstor64 %0" : : "m"(*state));
}

// ---- frames ------------------------------------------------------------------------------------

// At a function's entry rsp + 8 is a multiple of 16: a return address of 0 lies on the cleared
// stack.
void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack_top,
                     uint64_t argument)
{
    *frame = (struct arch_frame){
        .rip = entry,
        .rsp = align_down(stack_top, 16) - 8,
        .rdi = argument,
        .rflags = ARCH_USER_RFLAGS,
    };
}

uint64_t arch_frame_number(const struct arch_frame *frame)
{
    return frame->rax;
}

uint64_t arch_frame_argument(const struct arch_frame *frame, unsigned index)
{
    switch (index) {
    case 0:
        return frame->rdi;
    case 1:
        return frame->rsi;
    case 2:
        return frame->rdx;
    case 3:
        return frame->r10;
    case 4:
        return frame->r8;
    case 5:
        return frame->r9;
    default:
        return 0;
    }
}

void arch_frame_set_result(struct arch_frame *frame, int64_t result)
{
    frame->rax = (uint64_t)result;
    frame->rcx = 0;
    frame->rdx = 0;
    frame->rsi = 0;
    frame->rdi = 0;
    frame->r8 = 0;
    frame->r9 = 0;
    frame->r10 = 0;
    frame->r11 = 0;
}

uint64_t arch_frame_pc(const struct arch_frame *frame)
{
    return frame->rip;
}

uint64_t arch_frame_sp(const struct arch_frame *frame)
{
    return frame->rsp;
}

// The return address is on the driver's stack, where `call` put it.
bool arch_frame_caller(const struct arch_frame *frame, uint64_t *address)
{
    (void)frame;
    *address = 0;
    return false;
}
