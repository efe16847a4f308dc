// SPDX-License-Identifier: Apache-2.0
//
// Goal: fibers meet only as the calls allow: order of running, sleeping and waking, forged ring
// indices, the end of a peer, faults in the driver and in the kernel, pointers that are not the
// caller's, and the end of the machine when nothing can happen any more. Method: the kernel's core
// on a machine in one process (host_machine.h); the test plays the drivers by writing their frames
// and trapping. Each case runs in a child, because a kernel boots once.
#include "calls_machine.h"

#include <kernel/call.h>
#include <kernel/link.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/timer.h>
#include <kernel/user.h>
#include <kernel/virtio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

// ---- devices: none ----

uint64_t virtio_view(uint32_t index)
{
    return index;
}

void virtio_view_refresh(uint32_t index)
{
    (void)index;
}

int64_t virtio_negotiate(uint32_t index, uint64_t features)
{
    (void)index;
    return features == 0 ? RUMPK_E_ARGUMENT : RUMPK_OK;
}

void virtio_reset(uint32_t index)
{
    (void)index;
}

bool virtio_reset_step(uint32_t index)
{
    (void)index;
    return true;
}

int64_t virtio_can_submit(uint32_t index, uint32_t queue, uint32_t count)
{
    (void)index;
    (void)queue;
    return count > 4 ? RUMPK_E_FULL : RUMPK_OK;
}

static struct virtio_part submitted[RUMPK_QUEUE_BATCH_MAX];
static uint32_t submitted_count;

void virtio_submit(uint32_t index, uint32_t queue, const struct virtio_part *parts, uint32_t count)
{
    (void)index;
    (void)queue;
    memcpy(submitted, parts, count * sizeof(*parts));
    submitted_count = count;
}

static uint32_t completions;

int64_t virtio_collect(uint32_t index, uint32_t queue, struct rumpk_queue_completion *out,
                       uint32_t max)
{
    (void)index;
    (void)queue;
    if (completions == 0 || max == 0)
        return 0;
    completions--;
    out[0] = (struct rumpk_queue_completion){.cookie = 77, .written = 5};
    return 1;
}

bool virtio_interrupt(uint32_t index)
{
    (void)index;
    return true;
}

void virtio_interrupt_hold(uint32_t index, bool is_held)
{
    (void)index;
    (void)is_held;
}

bool virtio_uses(uint32_t index, uint32_t queue, uint64_t base, uint64_t size)
{
    (void)index;
    (void)queue;
    (void)base;
    (void)size;
    return false; // what is submitted here is done at once
}

uint32_t virtio_queues(uint32_t index)
{
    return index == 0 ? 1 : 0;
}

static uint16_t user = CAP_NODE_NONE;

uint16_t virtio_user(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return user;
}

void virtio_user_set(uint32_t index, uint32_t queue, uint16_t node)
{
    (void)index;
    (void)queue;
    user = node;
}

void virtio_dropped_forget(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
}

bool virtio_has_broken(uint32_t index)
{
    (void)index;
    return false;
}

bool virtio_is_ready(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return completions != 0;
}

bool virtio_is_busy(uint32_t index, uint32_t queue)
{
    (void)index;
    (void)queue;
    return completions != 0;
}

static void queue_add(struct fiber *fiber)
{
    struct cap cap = {.type = RUMPK_CAP_QUEUE, .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE};

    CHECK(cap_add(fiber, cap) == 1);
    cap = (struct cap){.type = RUMPK_CAP_DMA, .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_DMA};
    CHECK(memory_object_new(2 * PAGE_SIZE, &cap.object) == RUMPK_OK);
    CHECK(pagetable_prepare(&fiber->table, memory_objects[cap.object].base, 2 * PAGE_SIZE));
    CHECK(cap_add(fiber, cap) == 2);
}

// The machine of machine_boot with a queue and memory for it in slots 1 and 2 of fiber 0.
static void begin(void)
{
    machine_boot();
    queue_add(&fiber_table[0]);
    machine_start();
}

// ---- cases ----

static struct rumpk_ring_producer *producer(void)
{
    return (void *)(uintptr_t)(rings[stream].base + RUMPK_RING_PRODUCER_OFFSET);
}

static struct rumpk_ring_consumer *consumer(void)
{
    return (void *)(uintptr_t)(rings[stream].base + RUMPK_RING_CONSUMER_OFFSET);
}

static void order(void)
{
    begin();
    for (uint32_t round = 0; round < 6; round++) {
        CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0) == MACHINE_RUNNING);
        CHECK(running() == (round % 2 == 0 ? 1 : 0));
    }
    // A deadline of the strict fiber passes: the timer takes the processor from whoever has it.
    fiber_table[2].wait.deadline = record_ticks() + 5;
    timer_need(fiber_table[2].wait.deadline);
    machine_ticks += 10;
    CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(result_of(2) == RUMPK_E_TIMEOUT);
}

static void ring_sleep_and_wake(void)
{
    begin();
    CHECK(call_result(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_NOW) == 8); // room for the producer
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(call_result(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_NOW) == RUMPK_E_TIMEOUT);
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING && running() == 0);
    CHECK(call_result(RUMPK_CALL_SEND, 0, 0, 0, 0) == RUMPK_OK); // nothing there: no wake
    CHECK(fiber_table[1].state == FIBER_WAITING);
    producer()->head = 3;
    CHECK(call_result(RUMPK_CALL_SEND, 0, 0, 0, 0) == RUMPK_OK);
    CHECK(fiber_table[1].state == FIBER_READY && result_of(1) == 3);
    producer()->head = 8;
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING && running() == 1);
    consumer()->tail = 2;
    CHECK(call_result(RUMPK_CALL_SEND, 0, 0, 0, 0) == RUMPK_OK);
    CHECK(fiber_table[0].state == FIBER_READY && result_of(0) == 2);
}

static void ring_forged(void)
{
    static const uint32_t heads[] = {9, 1000000, UINT32_MAX, 0x80000000};

    begin();
    for (uint32_t index = 0; index < COUNT_OF(heads); index++) {
        producer()->head = heads[index];
        CHECK(ring_ready(&rings[stream], RING_CONSUMER) == 8);
        CHECK(ring_ready(&rings[stream], RING_PRODUCER) == 0);
        CHECK(call_result(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_NOW) == RUMPK_E_TIMEOUT);
    }
    // Free-running over the end of the number.
    producer()->head = 3;
    consumer()->tail = UINT32_MAX - 2;
    CHECK(ring_ready(&rings[stream], RING_CONSUMER) == 6);
}

static void peer_gone(void)
{
    begin();
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING && running() == 0);
    CHECK(call(RUMPK_CALL_EXIT, 7, 0, 0, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(result_of(1) == RUMPK_E_PEER);
    CHECK(last_record()->kind == RUMPK_LEDGER_EXIT && last_record()->detail == 7);
    CHECK(call_result(RUMPK_CALL_SEND, 0, 0, 0, 0) == RUMPK_E_PEER);
    // What the dead producer left can still be taken.
    producer()->head = 2;
    CHECK(call_result(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == 2);
    consumer()->tail = 2;
    CHECK(call_result(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == RUMPK_E_PEER);
}

static void faults(void)
{
    begin();
    // A fault of one, the next one runs; the guard below the stack has its own name.
    CHECK(fault(TRAP_FAULT, RUMPK_FAULT_WRITE, own[0] - 8) == MACHINE_RUNNING && running() == 1);
    CHECK(last_record()->kind == RUMPK_LEDGER_FAULT && last_record()->code == RUMPK_FAULT_STACK);
    CHECK(last_record()->fiber == 0 && last_record()->address == own[0] - 8);
    fiber_table[2].wait.deadline = RUMPK_NOW;
    CHECK(fault(TRAP_FAULT, RUMPK_FAULT_READ, 0x10) == MACHINE_RUNNING && running() == 2);
    CHECK(last_record()->code == RUMPK_FAULT_READ);
    pending_trap = (struct trap_info){.kind = TRAP_CALL, .pc = 0x5000};
    CHECK(machine_run(trap_now) == MACHINE_POWER_OFF);
    CHECK(rumpk_ledger.count == 4 && last_record()->kind == RUMPK_LEDGER_END);
    CHECK(rumpk_ledger.records[2].code == RUMPK_FAULT_TRAP);
    CHECK(rumpk_boot_record.stage == RUMPK_BOOT_ENDED);
}

static void gate_edges(void)
{
    uint64_t gate = link_address(__gate_start);
    const struct {
        uint64_t pc;
        bool accepted;
    } edges[] = {
        {gate, false}, {gate + 1, true}, {gate + PAGE_SIZE, true}, {gate + PAGE_SIZE + 1, false}};

    machine_boot();
    for (uint32_t index = 0; index < COUNT_OF(edges); index++) {
        pid_t child = fork();
        int status = 0;

        if (child == 0) {
            CHECK(machine_run(sched_run) == MACHINE_RUNNING);
            arch_current_frame->x[16] = RUMPK_CALL_TICK;
            pending_trap = (struct trap_info){.kind = TRAP_CALL, .pc = edges[index].pc};
            CHECK(machine_run(trap_now) == MACHINE_RUNNING);
            CHECK((running() == 2) == edges[index].accepted);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void kernel_trap_now(void)
{
    trap_from_kernel(&pending_trap);
}

static void kernel_fault_costs_the_fiber(void)
{
    begin();
    kernel_phase = PHASE_CHECK;
    pending_trap = (struct trap_info){.kind = TRAP_FAULT, .pc = 0x99, .address = 1};
    CHECK(machine_run(kernel_trap_now) == MACHINE_RUNNING && running() == 1);
    CHECK(last_record()->code == RUMPK_FAULT_KERNEL && last_record()->pc == 0x99);
    // And once more: the first has left nothing behind.
    kernel_phase = PHASE_CHECK;
    fiber_table[2].wait.deadline = RUMPK_NOW;
    CHECK(machine_run(kernel_trap_now) == MACHINE_RUNNING && running() == 2);
}

static void kernel_fault_in_commit(void)
{
    begin();
    kernel_phase = PHASE_COMMIT;
    pending_trap = (struct trap_info){.kind = TRAP_FAULT, .pc = 0x99};
    CHECK(machine_run(kernel_trap_now) == MACHINE_ASSERT);
    CHECK(rumpk_boot_record.cause == RUMPK_BOOT_CAUSE_TRAP && rumpk_boot_record.pc == 0x99);
}

static void numbers(void)
{
    begin();
    CHECK(call_result(RUMPK_CALL_SPAWN, 63, 0, 0, 0) == RUMPK_E_SLOT);
    CHECK(call_result(RUMPK_CALL_TICK, 1, 0, 0, 0) == RUMPK_E_ARGUMENT);
    CHECK(call_result(RUMPK_CALL_SEND, 64, 0, 0, 0) == RUMPK_E_SLOT);
    CHECK(call_result(RUMPK_CALL_SEND, UINT64_C(1) << 32, 0, 0, 0) == RUMPK_E_SLOT);
    CHECK(call(13, 0, 0, 0, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(last_record()->code == RUMPK_FAULT_CALL);
}

static void pointers(void)
{
    uint8_t bytes[16];
    const struct fiber *fiber = &fiber_table[0];
    struct user_ptr good, read_only;
    static const uint64_t bad[] = {0, 8, UINT64_MAX - 7, UINT64_C(1) << 38, UINT64_C(1) << 63};

    begin();
    good.address = own[0] + PAGE_SIZE - 8;
    read_only.address = own[0] + 3 * PAGE_SIZE;
    memset((void *)(uintptr_t)good.address, 0x5A, 16);
    CHECK(user_read(fiber, bytes, good, 16, 8) && bytes[0] == 0x5A && bytes[15] == 0x5A);
    memset(bytes, 0xA5, 16);
    CHECK(user_write(fiber, good, bytes, 16, 8));
    CHECK(*(uint8_t *)(uintptr_t)(good.address + 15) == 0xA5);
    CHECK(user_read(fiber, bytes, read_only, 16, 8) && !user_write(fiber, read_only, bytes, 16, 8));
    CHECK(!user_is_writable(fiber, read_only, 1, 1));
    // Across the end of what it may write, into what it may not, and misaligned.
    good.address = own[0] + 3 * PAGE_SIZE - 8;
    CHECK(!user_is_writable(fiber, good, 16, 8) && user_is_writable(fiber, good, 8, 8));
    good.address++;
    CHECK(!user_is_writable(fiber, good, 4, 4));
    CHECK(!user_read(fiber, bytes, good, 0, 1) && !user_read(fiber, bytes, good, 4097, 1));
    for (uint32_t index = 0; index < COUNT_OF(bad); index++) {
        good.address = bad[index];
        CHECK(!user_read(fiber, bytes, good, 8, 8) && !user_is_writable(fiber, good, 8, 8));
    }
    good.address = own[1]; // a neighbour's
    CHECK(!user_read(fiber, bytes, good, 8, 8));
    good.address = link_address(__data_start); // the kernel's
    CHECK(!user_read(fiber, bytes, good, 8, 8));
    CHECK(call(RUMPK_CALL_META, RUMPK_META_SELF, own[1], sizeof(struct rumpk_meta_self), 0) ==
              MACHINE_RUNNING &&
          running() == 1);
    CHECK(last_record()->code == RUMPK_FAULT_POINTER && last_record()->address == own[1]);
}

static void mapping(void)
{
    const struct ring *ring;
    uint64_t pa, base;
    uint32_t prot;

    begin();
    ring = &rings[stream];
    CHECK(!pagetable_walk(&fiber_table[0].table, ring->base, &pa, &prot));
    CHECK(call_result(RUMPK_CALL_MAP, 0, 1, 0, 0) == RUMPK_E_ARGUMENT);
    CHECK(call_result(RUMPK_CALL_MAP, 0, 0, 0, 0) == (int64_t)ring->base);
    CHECK(call_result(RUMPK_CALL_MAP, 0, 0, 0, 0) == (int64_t)ring->base);
    CHECK(pagetable_walk(&fiber_table[0].table, ring->base, &pa, &prot) &&
          prot == (PROT_READ | PROT_USER));
    CHECK(pagetable_walk(&fiber_table[0].table, ring->base + 4096, &pa, &prot) &&
          prot == (PROT_READ | PROT_USER));
    CHECK(pagetable_walk(&fiber_table[0].table, ring->base + 8192, &pa, &prot) &&
          prot == (PROT_READ | PROT_WRITE | PROT_USER));
    CHECK(!pagetable_walk(&fiber_table[1].table, ring->base, &pa, &prot));
    CHECK(call_result(RUMPK_CALL_MAP, 1, 0, 0, 0) == RUMPK_E_TYPE);
    CHECK(call_result(RUMPK_CALL_MASK, 0, RUMPK_MASK_RIGHTS, 0, 0) == RUMPK_OK);
    CHECK(call_result(RUMPK_CALL_MASK, 0, RUMPK_MASK_RIGHTS, UINT64_MAX, 0) == RUMPK_OK);
    CHECK(call_result(RUMPK_CALL_MAP, 0, 0, 0, 0) == RUMPK_E_RIGHTS);
    CHECK(call_result(RUMPK_CALL_SEND, 0, 0, 0, 0) == RUMPK_E_RIGHTS);
    CHECK(call_result(RUMPK_CALL_MASK, 1, RUMPK_MASK_FEATURES, 1, 0) == RUMPK_E_TYPE);
    // What the lost rights allowed is no longer mapped; of memory, what is left of them stays.
    CHECK(!pagetable_walk(&fiber_table[0].table, ring->base, &pa, &prot));
    CHECK(!pagetable_walk(&fiber_table[0].table, ring->base + 8192, &pa, &prot));
    fiber_table[0].caps[2].rights |= RUMPK_RIGHT_WRITE;
    base = (uint64_t)call_result(RUMPK_CALL_MAP, 2, 0, 0, 0);
    CHECK(pagetable_walk(&fiber_table[0].table, base, &pa, &prot) && (prot & PROT_WRITE) != 0);
    CHECK(call_result(RUMPK_CALL_MASK, 2, RUMPK_MASK_RIGHTS, RUMPK_RIGHT_READ, 0) == RUMPK_OK);
    CHECK(pagetable_walk(&fiber_table[0].table, base, &pa, &prot) &&
          prot == (PROT_READ | PROT_USER));
    CHECK(call_result(RUMPK_CALL_MASK, 2, RUMPK_MASK_RIGHTS, 0, 0) == RUMPK_OK);
    CHECK(!pagetable_walk(&fiber_table[0].table, base, &pa, &prot));
}

// Requests: what is checked, and that the device gets the kernel's address, not the driver's.
static void queue(void)
{
    struct rumpk_queue_request *list;
    const struct memory_object *object;

    begin();
    list = (void *)(uintptr_t)own[0];
    list[0] =
        (struct rumpk_queue_request){.memory_slot = 2, .offset = 100, .length = 8, .cookie = 9};
    object = &memory_objects[fiber_table[0].caps[2].object];
    list[1] = list[0];
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 2, 0) == 2);
    CHECK(submitted_count == 2 && submitted[1].address == object->base + 100);
    submitted_count = 0;
    list[1].offset = 2 * PAGE_SIZE - 7;
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 2, 0) == RUMPK_E_BOUNDS);
    list[1] = list[0];
    list[1].flags = RUMPK_QUEUE_DEVICE_WRITES; // the driver itself may not write there
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 2, 0) == RUMPK_E_RIGHTS);
    list[1].flags = RUMPK_QUEUE_CHAINED;
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 2, 0) == RUMPK_E_ARGUMENT);
    list[1] = list[0];
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 5, 0) == RUMPK_E_ARGUMENT); // third empty
    for (uint32_t index = 2; index < 5; index++)
        list[index] = list[0];
    CHECK(call_result(RUMPK_CALL_SEND, 1, own[0], 5, 0) == RUMPK_E_FULL);
    CHECK(submitted_count == 0);
    // Completions: polled, then waited for.
    CHECK(call_result(RUMPK_CALL_RECV, 1, own[0], 1, RUMPK_NOW) == RUMPK_E_TIMEOUT);
    completions = 1;
    CHECK(call_result(RUMPK_CALL_RECV, 1, own[0], 1, RUMPK_FOREVER) == 1);
    CHECK(((struct rumpk_queue_completion *)(uintptr_t)own[0])->cookie == 77);
    CHECK(call(RUMPK_CALL_RECV, 1, own[0], 1, RUMPK_FOREVER) == MACHINE_RUNNING && running() == 1);
    completions = 1;
    // No interrupt tells it: found when nobody is ready any more.
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, record_ticks() + 1000, 0) == MACHINE_RUNNING);
    CHECK(running() == 0 && result_of(0) == 1);
}

// Somebody forgot to call send: found before the end is declared. Then really nothing is left.
static void quiescence(void)
{
    begin();
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING && running() == 0);
    producer()->head = 1;
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_FOREVER, 0) == MACHINE_RUNNING && running() == 1);
    consumer()->tail = 1;
    // A deadline is something that can still happen: the idle loop waits for it.
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, record_ticks() + 1000) == MACHINE_RUNNING);
    CHECK(running() == 1 && result_of(1) == RUMPK_E_TIMEOUT);
    CHECK(call(RUMPK_CALL_RECV, 0, 0, 0, RUMPK_FOREVER) == MACHINE_POWER_OFF);
    CHECK(last_record()->kind == RUMPK_LEDGER_END);
}

// A counter that goes backwards: time stands still until it has caught up.
static void time_backwards(void)
{
    begin();
    machine_ticks = 5000;
    CHECK(call_result(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0) == 5000);
    machine_ticks = 100;
    CHECK(call_result(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0) == 5000);
    machine_ticks = 5001;
    CHECK(call_result(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0) == 5001);
}

// A counter that stops while the timer goes on firing: nobody is woken early, and whoever runs goes
// on.
static void time_stands(void)
{
    begin();
    fiber_table[2].wait.deadline = record_ticks() + 50;
    timer_need(fiber_table[2].wait.deadline);
    for (uint32_t round = 0; round < 200; round++)
        CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(fiber_table[2].state == FIBER_WAITING);
    machine_ticks += 60; // it goes again
    timer_need(fiber_table[2].wait.deadline);
    CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(result_of(2) == RUMPK_E_TIMEOUT);
}

// An interrupt without a line changes nothing; a line that nobody owns is masked for good.
static void spurious(void)
{
    begin();
    CHECK(fault(TRAP_INTERRUPT, 0, 0) == MACHINE_RUNNING && running() == 0);
    machine_line = 5;
    CHECK(fault(TRAP_INTERRUPT, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(machine_masked == 5);
}

// An image that asks for it stays when nothing can happen any more.
static void stays(void)
{
    begin();
    sched_stay_on_idle(true);
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING);
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_HALT);
    CHECK(last_record()->kind == RUMPK_LEDGER_END);
    CHECK(rumpk_boot_record.stage == RUMPK_BOOT_ENDED);
}

// A fiber whose slice was used up before its last call: its end is the kernel's work, goes on in
// steps all the same, and gives way before no more than the first.
static void slice_before_work(void)
{
    begin();
    for (uint32_t number = 0; number < FIBERS; number++)
        fiber_table[number].slice_used = UINT64_MAX / 2;
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING);
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_POWER_OFF);
}

#define BODIES(X)                   \
    X(order)                        \
    X(ring_sleep_and_wake)          \
    X(ring_forged)                  \
    X(peer_gone)                    \
    X(faults)                       \
    X(gate_edges)                   \
    X(kernel_fault_costs_the_fiber) \
    X(kernel_fault_in_commit)       \
    X(numbers)                      \
    X(pointers)                     \
    X(mapping)                      \
    X(queue)                        \
    X(quiescence)                   \
    X(stays) X(slice_before_work) X(time_backwards) X(time_stands) X(spurious)

#define BODY(name) static body *name##_body = name;
BODIES(BODY)
#define TEST(name) {#name, machine_case, NULL, NULL, &name##_body},

int main(void)
{
    const struct CMUnitTest tests[] = {BODIES(TEST)};

    machine_begin();
    return cmocka_run_group_tests_name("kernel.calls", tests, NULL, NULL);
}
