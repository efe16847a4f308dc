// SPDX-License-Identifier: Apache-2.0
//
// host_machine.c: the fakes behind host_machine.h.
#include "host_machine.h"

#include <kernel/call.h>
#include <kernel/link.h>
#include <kernel/record.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

uint64_t machine_ticks;
uint64_t machine_root;
static jmp_buf back;

// The link script's symbol; filled in by the test as nip would.
struct rumpk_image_header machine_image_header __asm__("rumpk_image_header");

static void map_at(uint64_t address, uint64_t size)
{
    void *wanted = (void *)(uintptr_t)address;

    if (mmap(wanted, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != wanted)
        abort();
}

// Read by AddressSanitizer where it is linked. Nothing here uses the heap, and the leak search
// stumbles over link symbols that are numbers.
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

void machine_begin(void)
{
    map_at(MACHINE_RAM, MACHINE_RAM_SIZE);
    map_at(RUMPK_SYSTABLE_ADDRESS, 4096);
    record_begin();
}

enum machine_exit machine_run(void (*function)(void))
{
    int how = setjmp(back);

    if (how == 0)
        function();
    return (enum machine_exit)(how - 1);
}

[[noreturn]] static void leave(enum machine_exit how)
{
    longjmp(back, (int)how + 1);
}

void arch_user_return(struct arch_frame *frame)
{
    (void)frame;
    leave(MACHINE_RUNNING);
}

void arch_power_off(void)
{
    leave(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_TRAP ? MACHINE_ASSERT : MACHINE_POWER_OFF);
}

void arch_halt(void)
{
    leave(MACHINE_HALT);
}

void arch_stack_reset(void (*function)(void))
{
    function();
    abort();
}

void arch_relax(void)
{
    machine_ticks += 10;
}

uint64_t arch_timer_now(void)
{
    return machine_ticks;
}

// The timer is the only thing that wakes this machine: waiting is time that passes at once.
static uint64_t armed = UINT64_MAX;

void arch_timer_arm(uint64_t raw)
{
    armed = raw;
}

void arch_timer_disarm(void)
{
    armed = UINT64_MAX;
}

void arch_wait(void)
{
    if (armed == UINT64_MAX)
        leave(MACHINE_HALT); // for ever
    machine_ticks = armed != UINT64_MAX && armed > machine_ticks ? armed : machine_ticks + 10;
}

uint32_t machine_line = ARCH_LINE_NONE;
uint32_t machine_looks;

void arch_interrupt_poll(void)
{
    machine_looks++;
}

uint32_t arch_interrupt_claim(void)
{
    uint32_t line = machine_line;

    machine_line = ARCH_LINE_NONE;
    return line;
}

uint32_t machine_masked = ARCH_LINE_NONE;

void arch_interrupt_mask(uint32_t line)
{
    machine_masked = line;
}

void arch_interrupt_unmask(uint32_t line)
{
    (void)line;
}

void arch_root_switch(uint64_t root)
{
    machine_root = root;
}

void arch_mmu_on(uint64_t root)
{
    machine_root = root;
}

void arch_tlb_flush(void) {}

void arch_fp_save(struct arch_fp *state)
{
    (void)state;
}

void arch_fp_restore(const struct arch_fp *state)
{
    (void)state;
}

void arch_ports_set(const struct boot_region *ranges, uint32_t range_count)
{
    (void)ranges;
    (void)range_count;
}

uint32_t arch_kernel_windows(struct boot_region *out, uint32_t max)
{
    (void)out;
    (void)max;
    return 0;
}

// The frame is riscv64's: a7 the number, a0.. the arguments, a0 the result.
uint64_t arch_frame_number(const struct arch_frame *frame)
{
    return frame->x[16];
}

uint64_t arch_frame_argument(const struct arch_frame *frame, unsigned index)
{
    return frame->x[9 + index];
}

void arch_frame_set_result(struct arch_frame *frame, int64_t result)
{
    frame->x[9] = (uint64_t)result;
}

uint64_t arch_frame_pc(const struct arch_frame *frame)
{
    return frame->pc;
}

uint64_t arch_frame_sp(const struct arch_frame *frame)
{
    return frame->x[1];
}

bool arch_frame_caller(const struct arch_frame *frame, uint64_t *address)
{
    *address = frame->x[0];
    return true;
}
