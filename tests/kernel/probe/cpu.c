// SPDX-License-Identifier: Apache-2.0
//
// cpu.c: acts in machine instructions: privileged, illegal, trapping; and the floating point state.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

static int is(const char *word, const char *name)
{
    return strcmp(word, name) == 0;
}

#if defined(__riscv)

int probe_cpu(const char *word)
{
    if (is(word, "csr-read"))
        __asm__ volatile("csrr t0, sstatus" ::: "t0");
    else if (is(word, "csr-write"))
        __asm__ volatile("csrw satp, zero");
    else if (is(word, "return"))
        __asm__ volatile("sret");
    else if (is(word, "flush"))
        __asm__ volatile("sfence.vma");
    else if (is(word, "halt"))
        __asm__ volatile("wfi");
    else if (is(word, "illegal"))
        __asm__ volatile(".word 0");
    else if (is(word, "vector"))
        __asm__ volatile(".word 0x0d0072d7"); // vsetvli t0, zero, e32
    else if (is(word, "breakpoint"))
        __asm__ volatile("ebreak");
    else if (is(word, "trap"))
        __asm__ volatile("li a7, 12\n li a0, 0\n ecall" ::: "a0", "a7", "memory");
    else if (is(word, "gate-number")) {
        uint64_t gate = ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->gate_base;
        // The trap instruction of a stub, entered with a number of the caller's choice: stub 0 is
        // "li a7, n; ecall".
        __asm__ volatile("li a7, 99\n mv t0, %0\n jalr t0" ::"r"(gate + 4)
                         : "ra", "t0", "a0", "a7", "memory");
    } else if (is(word, "divide")) {
        volatile uint64_t zero = 0;
        volatile uint64_t one = 1 / zero;
        (void)one;
    } else
        return 98;
    return SURVIVED;
}

#define FP_COUNT 32
#define FP_BYTES 8
#define FP_ALL(X)                                                                                 \
    X(0)                                                                                          \
    X(1)                                                                                          \
    X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) \
        X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define FP_LOAD(n)  "fld f" #n ", 8*" #n "(%0)\n"
#define FP_STORE(n) "fsd f" #n ", 8*" #n "(%0)\n"
static uint64_t fp_control(void)
{
    uint64_t v;
    __asm__ volatile("frcsr %0" : "=r"(v));
    return v;
}
#define FP_CONTROL_DEFAULT 0

#elif defined(__aarch64__)

int probe_cpu(const char *word)
{
    if (is(word, "csr-read"))
        __asm__ volatile("mrs x9, sctlr_el1" ::: "x9");
    else if (is(word, "csr-write"))
        __asm__ volatile("msr ttbr0_el1, xzr");
    else if (is(word, "return"))
        __asm__ volatile("eret");
    else if (is(word, "flush"))
        __asm__ volatile("tlbi vmalle1");
    else if (is(word, "halt"))
        __asm__ volatile("wfi");
    else if (is(word, "interrupts"))
        __asm__ volatile("msr daifclr, #2");
    else if (is(word, "hypercall"))
        __asm__ volatile("hvc #0");
    else if (is(word, "secure"))
        __asm__ volatile("smc #0");
    else if (is(word, "illegal"))
        __asm__ volatile("udf #0");
    else if (is(word, "vector"))
        __asm__ volatile(".inst 0x04bf5020"); // addvl: SVE
    else if (is(word, "breakpoint"))
        __asm__ volatile("brk #1");
    else if (is(word, "trap"))
        __asm__ volatile("mov x8, #12\n mov x0, #0\n svc #0" ::: "x0", "x8", "memory");
    else if (is(word, "gate-number")) {
        uint64_t gate = ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->gate_base;
        __asm__ volatile("mov x8, #99\n blr %0" ::"r"(gate + 8) : "x30", "x0", "x8", "memory");
    } else if (is(word, "pc-align"))
        __asm__ volatile("adr x9, .\n add x9, x9, #2\n br x9" ::: "x9");
    else if (is(word, "exclusive-align"))
        __asm__ volatile("mov x9, sp\n add x9, x9, #1\n ldxr x10, [x9]" ::: "x9", "x10");
    else if (is(word, "counter"))
        __asm__ volatile("mrs x9, cntvct_el0" ::: "x9");
    else if (is(word, "cache"))
        __asm__ volatile("mov x9, sp\n dc civac, x9" ::: "x9");
    else if (is(word, "divide")) {
        volatile uint64_t zero = 0;
        volatile uint64_t one = 1 / zero;
        (void)one;
    } else
        return 98;
    return SURVIVED;
}

#define FP_COUNT 32
#define FP_BYTES 16
#define FP_ALL(X)                                                                                 \
    X(0)                                                                                          \
    X(1)                                                                                          \
    X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) \
        X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define FP_LOAD(n)         "ldr q" #n ", [%0, 16*" #n "]\n"
#define FP_STORE(n)        "str q" #n ", [%0, 16*" #n "]\n"
static uint64_t fp_control(void)
{
    uint64_t v;
    __asm__ volatile("mrs %0, fpcr" : "=r"(v));
    return v;
}
#define FP_CONTROL_DEFAULT 0

#else

// Words that only this architecture has: what ring 3 may set (flags, selectors, stack) before it
// enters the kernel, and instructions that a processor offers unless the kernel has turned them
// off. False: not one of them.
#define GATE_TICK "mov 56(%%rbx), %%rbx\n" // SysTable in rbx -> entry of tick(RUMPK_TICK_NOW)
#define BAD_STACK "movabs $0x8000000000000000, %%rsp\n"

static int probe_ring_3(const char *word)
{
    uint64_t flags = 0;
    uint64_t table = RUMPK_SYSTABLE_ADDRESS;
    if (is(word, "single-step"))
        __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop" ::: "memory", "cc");
    else if (is(word, "single-step-call"))
        __asm__ volatile(GATE_TICK
                         "xor %%edi, %%edi\n pushfq\n orq $0x100, (%%rsp)\n popfq\n call *%%rbx"
                         : "+b"(table)::"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                           "memory", "cc");
    else if (is(word, "far-jump"))
        __asm__ volatile("pushq $0x1b\n pushq $0\n ljmpl *(%%rsp)" ::: "memory");
    else if (is(word, "time-stamp"))
        __asm__ volatile("rdtsc" ::: "rax", "rdx");
    else if (is(word, "fs-base"))
        __asm__ volatile("wrfsbase %%rax" ::: "memory");
    else if (is(word, "xgetbv"))
        __asm__ volatile("xor %%ecx, %%ecx\n xgetbv" ::: "rax", "rcx", "rdx");
    else if (is(word, "jump-non-canonical"))
        __asm__ volatile("movabs $0x8000000000000000, %%rax\n jmp *%%rax" ::: "rax");
    else if (is(word, "stack-non-canonical"))
        __asm__ volatile(BAD_STACK "push %%rax" ::: "memory");
    else if (is(word, "trap-without-stack"))
        __asm__ volatile(BAD_STACK "xor %%eax, %%eax\n syscall" ::: "memory");
    else if (is(word, "call-without-stack"))
        __asm__ volatile(GATE_TICK "xor %%edi, %%edi\n" BAD_STACK "jmp *%%rbx" ::"b"(table)
                         : "memory");
    else if (is(word, "segment-flat"))
        __asm__ volatile("mov $0x23, %%eax\n mov %%eax, %%ds\n mov %%eax, %%fs" ::: "rax");
    else if (is(word, "flags")) {
        // Direction, nested task and alignment check: none may reach the kernel or come back from
        // it.
        __asm__ volatile(GATE_TICK
                         "xor %%edi, %%edi\n pushfq\n orq $0x44400, (%%rsp)\n popfq\n call *%%rbx\n"
                         "pushfq\n popq %0\n cld"
                         : "=&r"(flags), "+b"(table)::"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
                           "r10", "r11", "memory", "cc");
        if ((flags & 0x44700) != 0x200) // interrupts on, and nothing else
            return 1;
    } else
        return 98;
    return SURVIVED;
}

// Every way to reach what only hardware may raise, the registers behind PCI configuration, reset
// and power, and the segments that are not a driver's.
static int probe_ring_0(const char *word)
{
    if (is(word, "int-nmi"))
        __asm__ volatile("int $2" ::: "memory");
    else if (is(word, "int-double-fault"))
        __asm__ volatile("int $8" ::: "memory");
    else if (is(word, "int-page-fault"))
        __asm__ volatile("int $14" ::: "memory");
    else if (is(word, "int-line"))
        __asm__ volatile("int $0x34" ::: "memory");
    else if (is(word, "int-message"))
        __asm__ volatile("int $0x90" ::: "memory");
    else if (is(word, "int-timer"))
        __asm__ volatile("int $0xf0" ::: "memory");
    else if (is(word, "int-spurious"))
        __asm__ volatile("int $0xff" ::: "memory");
    else if (is(word, "segment-code"))
        __asm__ volatile("mov $0x2b, %%eax\n mov %%eax, %%ds" ::: "rax");
    else if (is(word, "segment-stack"))
        __asm__ volatile("xor %%eax, %%eax\n mov %%eax, %%ss" ::: "rax");
    else if (is(word, "segment-task"))
        __asm__ volatile("mov $0x33, %%eax\n mov %%eax, %%gs" ::: "rax");
    else if (is(word, "segment-local"))
        __asm__ volatile("mov $0x07, %%eax\n mov %%eax, %%fs" ::: "rax");
    else if (is(word, "port-pci"))
        __asm__ volatile("mov $0xcf8, %%edx\n outl %%eax, %%dx" ::: "rdx");
    else if (is(word, "port-reset"))
        __asm__ volatile("mov $0xcf9, %%edx\n mov $6, %%al\n outb %%al, %%dx" ::: "rax", "rdx");
    else if (is(word, "port-power"))
        __asm__ volatile("mov $0x604, %%edx\n mov $0x2000, %%eax\n outw %%ax, %%dx" ::
                             : "rax", "rdx");
    else if (is(word, "port-string"))
        __asm__ volatile("mov $0x511, %%edx\n mov %%rsp, %%rsi\n outsb" ::: "rdx", "rsi", "memory");
    else
        return probe_ring_3(word);
    return SURVIVED;
}

// The probe holds the ports of the console, 0x3f8 to 0x3ff.
int probe_ports(const char *word)
{
    struct npl_registers uart;
    if (is(word, "unmapped"))
        __asm__ volatile("mov $0x3fd, %%edx\n inb %%dx, %%al" ::: "rax", "rdx");
    if (npl_registers_open(&uart, "uart") != RUMPK_OK)
        return 1;
    if (npl_reg_read8(&uart, 0) == 0xFF && npl_reg_read8(&uart, 7) == 0xFF)
        return 2;
    if (is(word, "below"))
        __asm__ volatile("mov $0x3f7, %%edx\n inb %%dx, %%al" ::: "rax", "rdx");
    else if (is(word, "above"))
        __asm__ volatile("mov $0x400, %%edx\n inb %%dx, %%al" ::: "rax", "rdx");
    else if (is(word, "straddle"))
        __asm__ volatile("mov $0x3ff, %%edx\n inw %%dx, %%ax" ::: "rax", "rdx");
    return SURVIVED;
}

int probe_cpu(const char *word)
{
    if (is(word, "csr-read"))
        __asm__ volatile("mov %%cr3, %%rax" ::: "rax");
    else if (is(word, "csr-write"))
        __asm__ volatile("xor %%eax, %%eax\n mov %%rax, %%cr4" ::: "rax");
    else if (is(word, "return"))
        __asm__ volatile("pushq $0\n pushq $0\n pushq $2\n pushq $0x08\n pushq $0\n iretq" ::
                             : "memory");
    else if (is(word, "flush"))
        __asm__ volatile("invlpg (%%rsp)" ::: "memory");
    else if (is(word, "halt"))
        __asm__ volatile("hlt");
    else if (is(word, "interrupts"))
        __asm__ volatile("cli");
    else if (is(word, "msr"))
        __asm__ volatile("mov $0xC0000080, %%ecx\n rdmsr" ::: "rax", "rcx", "rdx");
    else if (is(word, "descriptor"))
        __asm__ volatile("sub $16, %%rsp\n lgdt (%%rsp)\n add $16, %%rsp" ::: "memory");
    else if (is(word, "store-descriptor"))
        __asm__ volatile("sub $16, %%rsp\n sgdt (%%rsp)\n add $16, %%rsp" ::: "memory");
    else if (is(word, "int"))
        __asm__ volatile("int $0x80" ::: "rax", "memory");
    else if (is(word, "sysenter"))
        __asm__ volatile("sysenter" ::: "rcx", "rdx", "memory");
    else if (is(word, "segment"))
        __asm__ volatile("mov $0x10, %%eax\n mov %%eax, %%ds" ::: "rax");
    else if (is(word, "swapgs"))
        __asm__ volatile("swapgs");
    else if (is(word, "port"))
        __asm__ volatile("mov $0x3f8, %%edx\n inb %%dx, %%al" ::: "rax", "rdx");
    else if (is(word, "port-last"))
        __asm__ volatile("mov $0xffff, %%edx\n inb %%dx, %%al" ::: "rax", "rdx");
    else if (is(word, "illegal"))
        __asm__ volatile("ud2");
    else if (is(word, "vector"))
        __asm__ volatile("vzeroall" ::: "memory");
    else if (is(word, "breakpoint"))
        __asm__ volatile("int3");
    else if (is(word, "trap"))
        __asm__ volatile("mov $12, %%eax\n xor %%edi, %%edi\n syscall" ::
                             : "rax", "rdi", "rcx", "r11", "memory");
    else if (is(word, "gate-number")) {
        uint64_t gate = ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->gate_base;
        uint64_t at = gate; // find the syscall instruction of stub 0: the gate is readable here
        while (((const uint8_t *)at)[0] != 0x0f || ((const uint8_t *)at)[1] != 0x05)
            at++;
        __asm__ volatile("mov $99, %%eax\n call *%0" ::"r"(at) : "rax", "rcx", "r11", "memory");
    } else if (is(word, "non-canonical")) {
        volatile uint64_t *p = (volatile uint64_t *)UINT64_C(0x8000000000000000);
        *p = 1;
    } else if (is(word, "align-check")) {
        static uint64_t pair[2];
        __asm__ volatile("pushfq\n orq $0x40000, (%%rsp)\n popfq\n movq 1(%0), %%rax" ::"r"(pair)
                         : "rax", "memory", "cc");
        __asm__ volatile("pushfq\n andq $~0x40000, (%%rsp)\n popfq" ::: "memory", "cc");
    } else if (is(word, "divide")) {
        __asm__ volatile("xor %%ecx, %%ecx\n mov $1, %%eax\n xor %%edx, %%edx\n div %%ecx" ::
                             : "rax", "rcx", "rdx");
    } else
        return probe_ring_0(word);
    return SURVIVED;
}

#define FP_COUNT 16
#define FP_BYTES 16
#define FP_ALL(X) \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define FP_LOAD(n)         "movups 16*" #n "(%0), %%xmm" #n "\n"
#define FP_STORE(n)        "movups %%xmm" #n ", 16*" #n "(%0)\n"
static uint64_t fp_control(void)
{
    uint32_t v;
    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}
#define FP_CONTROL_DEFAULT 0x1F80

#endif

#if !defined(__x86_64__)
int probe_ports(const char *word)
{
    (void)word;
    return 98;
}
#endif

#if defined(__riscv)
#define FP_YIELD "jalr %1\n"
#define FP_CLOBBER                                                                            \
    "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", \
        "a7", "memory"
#define FP_ZERO_ARGUMENTS "li a0, 0\n li a1, 0\n li a2, 0\n"
#elif defined(__aarch64__)
#define FP_YIELD "blr %1\n"
#define FP_CLOBBER                                                                                 \
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", \
        "x15", "x16", "x17", "x30", "memory"
#define FP_ZERO_ARGUMENTS "mov x0, #0\n mov x1, #0\n mov x2, #0\n"
#else
#define FP_YIELD          "call *%1\n"
#define FP_CLOBBER        "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory"
#define FP_ZERO_ARGUMENTS "xor %%edi, %%edi\n xor %%esi, %%esi\n xor %%edx, %%edx\n"
#endif

// "fresh": a new instance finds every register zero. "SEED": fills all registers with a pattern of
// its own, lets the others run (another fiber does the same with another seed), and wants the
// pattern back, many times.
int probe_fp(const char *word)
{
    static uint8_t put[FP_COUNT * FP_BYTES] __attribute__((aligned(16)));
    static uint8_t got[FP_COUNT * FP_BYTES] __attribute__((aligned(16)));
    if (is(word, "fresh")) {
        // libnpl and libc ran before this and may have used some registers: at entry all were zero,
        // so what is seen now can only be this fiber's own values. Another fiber's pattern bytes
        // (0xA5 fill) must not appear.
        __asm__ volatile(FP_ALL(FP_STORE)::"r"(got) : "memory");
        for (unsigned i = 0; i + 8 <= sizeof got; i += 8)
            if (memcmp(got + i, "\xA5\xA5\xA5\xA5\xA5\xA5\xA5", 7) == 0)
                return 1;
        if (fp_control() != FP_CONTROL_DEFAULT)
            return 2;
        return SURVIVED;
    }
    uint64_t yield =
        ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->calls[RUMPK_CALL_WAIT];
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < sizeof put; i++)
            put[i] = i % 8 == 7 ? (uint8_t)(word[0] + round) : 0xA5;
        register const uint8_t *in __asm__(
#if defined(__riscv)
            "s2"
#elif defined(__aarch64__)
            "x19"
#else
            "rbx"
#endif
            ) = put;
        register uint64_t entry __asm__(
#if defined(__riscv)
            "s3"
#elif defined(__aarch64__)
            "x20"
#else
            "r12"
#endif
            ) = yield;
#if defined(__x86_64__)
        __asm__ volatile("sub $128, %%rsp\n" FP_ALL(FP_LOAD) FP_ZERO_ARGUMENTS FP_YIELD
                         "add $128, %%rsp\n" ::"r"(in),
                         "r"(entry)
                         : FP_CLOBBER);
#else
        __asm__ volatile(FP_ALL(FP_LOAD) FP_ZERO_ARGUMENTS FP_YIELD ::"r"(in), "r"(entry)
                         : FP_CLOBBER);
#endif
        __asm__ volatile(FP_ALL(FP_STORE)::"r"(got) : "memory");
        if (memcmp(put, got, sizeof put) != 0)
            return 3;
    }
    return SURVIVED;
}
