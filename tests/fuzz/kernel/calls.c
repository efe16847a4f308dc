// SPDX-License-Identifier: Apache-2.0
//
// System calls of hostile drivers: the kernel's core on a machine in one process. Three drivers
// with rings, a device queue and DMA memory do what the input says: calls with any arguments, bytes
// written into their own memory, forged ring indices, faults, time that passes, interrupts. The
// kernel must never reach one of its assertions or touch memory that is not the machine's; memory
// that a driver may only read stays as it was, and every result is one of the ABI's.
//
//   action  0..7 call: number, four arguments | 8 write into own memory: offset, length, bytes
//           9 forge a ring index | 10 fault | 11 time passes | 12 interrupt
//   argument: below 64 itself; 64..127 an address or number of the table; else 8 bytes follow
//
// The machine is booted once. Each run begins with the memory of the machine and of the core as
// they were then: the RAM is a private mapping of a file, whose pages go back by MADV_DONTNEED; the
// core's own variables lie in two sections (sections.h).
#include "host_machine.h"

#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/ring.h>
#include <kernel/sched.h>

#include "calls_device.h"
#include "fuzz.h"
#include "must.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FIBERS    3u
#define PAGES_OWN 4u // three that the driver may write, one that it may only read
#define CANARY    0xC5

extern uint8_t __start_kernel_bss[], __stop_kernel_bss[];
extern uint8_t __start_kernel_data[], __stop_kernel_data[];

static uint64_t own[FIBERS];
static uint32_t stream;
static struct trap_info pending_trap;

// ---- the machine ----

static void boot_and_return(void)
{
    static struct boot_info info = {.ram = {{MACHINE_RAM, MACHINE_RAM_SIZE}}, .ram_count = 1};

    memory_init(&info);
    memory_mmu_on(&info);
    ledger_init();
    arch_user_return(NULL);
}

static struct fiber *fiber_make(uint32_t number, uint32_t spectrum)
{
    struct fiber *fiber = &fiber_table[number];

    fiber->number = number;
    fiber->spectrum = spectrum;
    fiber->state = FIBER_NEW;
    fiber->caps = &cap_nodes[number * RUMPK_SLOT_COUNT];
    fiber->pledge = RUMPK_PLEDGE_CLASSES | RUMPK_PLEDGE_SPECTRUM(spectrum);
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
        derive_init(&fiber->caps[slot]);
    MUST(pagetable_new(&fiber->table, &memory_template_table));
    MUST(memory_take_low(PAGES_OWN, &own[number]));
    fiber->stack_base = own[number];
    MUST(pagetable_map(&fiber->table, own[number], own[number], 3 * PAGE_SIZE,
                       PROT_READ | PROT_WRITE | PROT_USER));
    MUST(pagetable_map(&fiber->table, own[number] + 3 * PAGE_SIZE, own[number] + 3 * PAGE_SIZE,
                       PAGE_SIZE, PROT_READ | PROT_USER));
    memset((void *)(uintptr_t)(own[number] + 3 * PAGE_SIZE), CANARY, PAGE_SIZE);
    return fiber;
}

static void ring_between(struct fiber *from, struct fiber *to)
{
    struct cap cap = {.type = RUMPK_CAP_RING, .rights = RUMPK_RIGHT_WRITE, .part = RING_PRODUCER};

    MUST(ring_new(8, &cap.object) == RUMPK_OK);
    MUST(pagetable_prepare(&from->table, rings[cap.object].base, rings[cap.object].size));
    MUST(pagetable_prepare(&to->table, rings[cap.object].base, rings[cap.object].size));
    MUST(cap_add(from, cap) >= 0);
    cap.part = RING_CONSUMER;
    cap.rights = RUMPK_RIGHT_READ;
    MUST(cap_add(to, cap) >= 0);
    rings[cap.object].ends[RING_PRODUCER] = from;
    rings[cap.object].ends[RING_CONSUMER] = to;
    stream = cap.object;
}

static void memory_add(struct fiber *fiber, uint32_t type, uint32_t rights)
{
    struct cap cap = {.type = (uint8_t)type, .rights = (uint8_t)rights};

    MUST(memory_object_new(2 * PAGE_SIZE, &cap.object) == RUMPK_OK);
    MUST(pagetable_prepare(&fiber->table, memory_objects[cap.object].base, 2 * PAGE_SIZE));
    MUST(cap_add(fiber, cap) >= 0);
}

static void machine_boot(void)
{
    struct cap queue = {.type = RUMPK_CAP_QUEUE, .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE};

    machine_begin();
    MUST(machine_run(boot_and_return) == MACHINE_RUNNING);
    rumpk_boot_record.timer_hz = 1000000;
    fiber_make(0, RUMPK_SPECTRUM_GRAVITY);
    fiber_make(1, RUMPK_SPECTRUM_GRAVITY);
    fiber_make(2, RUMPK_SPECTRUM_MATTER);
    ring_between(&fiber_table[0], &fiber_table[1]);
    ring_between(&fiber_table[2], &fiber_table[0]);
    MUST(cap_add(&fiber_table[0], queue) >= 0);
    for (uint32_t number = 0; number < FIBERS; number++) {
        memory_add(&fiber_table[number], RUMPK_CAP_DMA,
                   RUMPK_RIGHT_READ | RUMPK_RIGHT_DMA | RUMPK_RIGHT_GRANT);
        memory_add(&fiber_table[number], RUMPK_CAP_MEMORY,
                   RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_GRANT);
        sched_ready(&fiber_table[number]);
    }
}

// Put before the machine's own arch_wait() by the linker. All drivers sleep, for a time that no run
// waits for, or for a device that says nothing more: after some looks the run is over.
#define WAITS_MAX 64u
static uint32_t waits;

void __real_arch_wait(void);
void __wrap_arch_wait(void);
void __wrap_arch_wait(void)
{
    if (++waits > WAITS_MAX)
        arch_halt();
    __real_arch_wait();
}

// ---- back to the start ----

static uint8_t *saved_bss, *saved_data;

// As words, and seen by no sanitizer: the sections hold the places between the variables as well,
// which nobody else may touch.
__attribute__((no_sanitize("address", "undefined", "coverage"))) static void
copy(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t at = 0; at + 8 <= size; at += 8) {
        *(uint64_t *)(void *)(to + at) = *(const uint64_t *)(const void *)(from + at);
        __asm__("" ::: "memory"); // one by one, not as a call of memcpy()
    }
    for (size_t at = size & ~(size_t)7; at < size; at++)
        to[at] = from[at];
}

static void machine_save(void)
{
    size_t bss_size = (size_t)(__stop_kernel_bss - __start_kernel_bss);
    size_t data_size = (size_t)(__stop_kernel_data - __start_kernel_data);
    void *ram = (void *)(uintptr_t)MACHINE_RAM;
    int file = memfd_create("ram", 0);

    saved_bss = malloc(bss_size);
    saved_data = malloc(data_size);
    MUST(saved_bss != NULL && saved_data != NULL);
    copy(saved_bss, __start_kernel_bss, bss_size);
    copy(saved_data, __start_kernel_data, data_size);
    MUST(file >= 0 && write(file, ram, MACHINE_RAM_SIZE) == (ssize_t)MACHINE_RAM_SIZE);
    MUST(mmap(ram, MACHINE_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0) ==
         ram);
    close(file);
}

static void machine_restore(void)
{
    copy(__start_kernel_bss, saved_bss, (size_t)(__stop_kernel_bss - __start_kernel_bss));
    copy(__start_kernel_data, saved_data, (size_t)(__stop_kernel_data - __start_kernel_data));
    MUST(madvise((void *)(uintptr_t)MACHINE_RAM, MACHINE_RAM_SIZE, MADV_DONTNEED) == 0);
    machine_ticks = 0;
    machine_line = ARCH_LINE_NONE;
    waits = 0;
    arch_timer_disarm();
    device_completions = 0;
    device_user = CAP_NODE_NONE;
}

// ---- what the drivers do ----

static struct {
    const uint8_t *at, *end;
} input;

static uint64_t input_number(uint32_t width)
{
    uint64_t value = 0;

    for (uint32_t index = 0; index < width && input.at < input.end; index++)
        value |= (uint64_t)*input.at++ << (8 * index);
    return value;
}

static uint32_t running(void)
{
    return (uint32_t)((struct fiber *)(void *)arch_current_frame - fiber_table);
}

static uint64_t argument(uint32_t caller)
{
    const uint64_t values[64] = {
        own[caller],
        own[caller] + 1,
        own[caller] + 8,
        own[caller] + PAGE_SIZE - 8,
        own[caller] + 3 * PAGE_SIZE - 8, // straddles into what may only be read
        own[caller] + 3 * PAGE_SIZE,
        own[caller] + 4 * PAGE_SIZE - 4, // and out of it
        own[caller] - 8,
        own[(caller + 1) % FIBERS],
        own[(caller + 2) % FIBERS] + 3 * PAGE_SIZE,
        MACHINE_RAM,
        MACHINE_KERNEL,
        link_address(__gate_start),
        rings[stream].base,
        rings[stream].base + RUMPK_RING_PRODUCER_OFFSET,
        memory_objects[0].base,
        memory_objects[1].base + PAGE_SIZE,
        RUMPK_SYSTABLE_ADDRESS,
        RUMPK_FOREVER,
        RUMPK_FOREVER - 1,
        INT64_MAX,
        (uint64_t)INT64_MAX + 1,
        UINT32_MAX,
        (uint64_t)UINT32_MAX + 1,
        machine_ticks,
        machine_ticks + 1000,
        PAGE_SIZE,
        2 * PAGE_SIZE,
        64,
        65,
        RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_GRANT,
        UINT64_C(1) << 32,
    };
    uint64_t selector = input_number(1);

    if (selector < 64)
        return selector;
    return selector < 128 ? values[selector - 64] : input_number(8);
}

static void trap_now(void)
{
    trap_from_user(&pending_trap);
}

static enum machine_exit call_do(void)
{
    struct arch_frame *frame = arch_current_frame;
    uint32_t caller = running();

    frame->x[16] = input_number(1);
    for (uint32_t index = 9; index < 13; index++)
        frame->x[index] = argument(caller);
    frame->pc = link_address(__gate_start) + 8;
    pending_trap = (struct trap_info){.kind = TRAP_CALL, .pc = frame->pc};
    enum machine_exit how = machine_run(trap_now);
    if (how == MACHINE_RUNNING && running() == caller) {
        int64_t result = (int64_t)fiber_table[caller].frame.x[9];

        MUST(result >= 0 || result >= -64);
        if (result > 0)
            FUZZ_ACCEPTED();
    }
    return how;
}

static void memory_write(void)
{
    uint64_t offset = input_number(2) % (3 * PAGE_SIZE);
    uint64_t count = input_number(1);

    for (uint64_t index = 0; index < count && offset + index < 3 * PAGE_SIZE; index++)
        *(volatile uint8_t *)(uintptr_t)(own[running()] + offset + index) =
            (uint8_t)input_number(1);
}

static void ring_forge(void)
{
    uint64_t which = input_number(1);
    uint64_t base = rings[which / 2 % 2].base;
    struct rumpk_ring_producer *producer = (void *)(uintptr_t)(base + RUMPK_RING_PRODUCER_OFFSET);
    struct rumpk_ring_consumer *consumer = (void *)(uintptr_t)(base + RUMPK_RING_CONSUMER_OFFSET);

    *(which % 2 == 0 ? &producer->head : &consumer->tail) = (uint32_t)input_number(4);
}

static enum machine_exit trap_do(uint32_t kind)
{
    uint32_t fault = (uint32_t)input_number(1);

    pending_trap = (struct trap_info){.kind = kind, .fault = 1 + fault % 4, .pc = 0x1234};
    if (kind == TRAP_TIMER)
        machine_ticks += fault * 100;
    if (kind == TRAP_INTERRUPT)
        machine_line = fault;
    if (kind == TRAP_FAULT)
        pending_trap.address = argument(running());
    return machine_run(trap_now);
}

static enum machine_exit act(void)
{
    uint64_t action = input_number(1) % 13;

    switch (action) {
    case 8:
        memory_write();
        return MACHINE_RUNNING;
    case 9:
        ring_forge();
        return MACHINE_RUNNING;
    case 10:
        return trap_do(TRAP_FAULT);
    case 11:
        return trap_do(TRAP_TIMER);
    case 12:
        return trap_do(TRAP_INTERRUPT);
    default:
        return call_do();
    }
}

static void canaries_check(void)
{
    for (uint32_t number = 0; number < FIBERS; number++) {
        const uint8_t *page = (const uint8_t *)(uintptr_t)(own[number] + 3 * PAGE_SIZE);

        if (fiber_table[number].state == FIBER_FREE || fiber_table[number].state == FIBER_ENDED)
            continue;
        for (uint32_t at = 0; at < PAGE_SIZE; at++)
            MUST(page[at] == CANARY);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (saved_bss == NULL) {
        machine_boot();
        machine_save();
    }
    machine_restore();
    input.at = data;
    input.end = data + size;
    enum machine_exit how = machine_run(sched_run);
    while (how == MACHINE_RUNNING && input.at < input.end) {
        how = act();
        MUST(how != MACHINE_ASSERT);
    }
    canaries_check();
    return 0;
}
