// SPDX-License-Identifier: Apache-2.0
//
// Goal: queues, devices, interrupts and ends of rings have one user at a time, whoever grants,
// uses, takes back or ends, and in whatever order; nothing that was taken back is still reached by
// a device. Method: the kernel's core with its real virtio code over a transport that
// hand_device.c plays: the device completes what it is told to. Fiber 0 owns all and may delegate,
// fiber 1 is at the other end of its ring, fiber 2, stricter than both, at that of another.
#include "hand_device.h"

#include <kernel/call.h>
#include <kernel/derive.h>
#include <kernel/device.h>
#include <kernel/hand.h>
#include <kernel/interrupt.h>
#include <kernel/memory.h>
#include <kernel/record.h>
#include <kernel/sched.h>
#include <kernel/timer.h>
#include <kernel/virtio.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LINE 9u

// Slots of fiber 0, in the order of begin().
enum { RING, DEVICE, QUEUE_0, QUEUE_1, BUFFERS, INTERRUPT, EVENTS, OTHER_RING, LARGE };
// The first free slot of the others: a ring and buffers of their own come before.
enum { OWN_RING, OWN_BUFFERS, FIRST };

static bool interrupts(uint32_t line)
{
    machine_line = line;
    return fault(TRAP_INTERRUPT, 0, 0) == MACHINE_RUNNING;
}

// ---- the machine ----

static void memory_add(struct fiber *fiber, uint64_t size, int64_t slot)
{
    struct cap cap = {.type = RUMPK_CAP_DMA,
                      .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_DMA};

    CHECK(memory_object_new(size, &cap.object) == RUMPK_OK);
    CHECK(cap_add(fiber, cap) == slot);
}

static void device_add(struct fiber *fiber)
{
    struct cap cap = {.type = RUMPK_CAP_DEVICE, .rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_CONTROL};
    static struct device device = {.line = 5};

    CHECK(virtio_grant(&device, QUEUES, &cap.object) == RUMPK_OK);
    CHECK(cap_add(fiber, cap) == DEVICE);
    cap.type = RUMPK_CAP_QUEUE;
    cap.rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;
    CHECK(cap_add(fiber, cap) == QUEUE_0);
    cap.part = 1;
    CHECK(cap_add(fiber, cap) == QUEUE_1);
}

static void interrupt_add(struct fiber *fiber)
{
    struct cap line = {.type = RUMPK_CAP_INTERRUPT, .rights = RUMPK_RIGHT_CONTROL};
    struct cap ring = {.type = RUMPK_CAP_RING, .rights = RUMPK_RIGHT_READ, .part = RING_CONSUMER};

    CHECK(interrupt_attach(LINE, &line.object, &ring.object) == RUMPK_OK);
    CHECK(cap_add(fiber, line) == INTERRUPT && cap_add(fiber, ring) == EVENTS);
}

static void begin(void)
{
    model.slow = 0;
    machine_boot();
    for (uint32_t number = 0; number < FIBERS; number++)
        fiber_table[number].package_flags = RUMPK_PACKAGE_DELEGATE;
    device_add(&fiber_table[0]);
    memory_add(&fiber_table[0], 2 * PAGE_SIZE, BUFFERS);
    interrupt_add(&fiber_table[0]);
    ring_between(&fiber_table[0], &fiber_table[2]);
    memory_add(&fiber_table[0], 3 * UNIT_SIZE, LARGE);
    memory_add(&fiber_table[1], PAGE_SIZE, OWN_BUFFERS);
    memory_add(&fiber_table[2], PAGE_SIZE, OWN_BUFFERS);
    machine_start();
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK);
    model.resets = 0;
}

// The running fiber lets the other one of its spectrum run.
static void yield_to(uint32_t number)
{
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0) == MACHINE_RUNNING && running() == number);
}

static int64_t grant(uint32_t slot, uint32_t ring, uint64_t rights)
{
    return call_result(RUMPK_CALL_GRANT, slot, ring, rights, 0);
}

static int64_t submit(uint32_t queue, uint32_t memory)
{
    struct rumpk_queue_request *request = (void *)(uintptr_t)own[running()];

    *request = (struct rumpk_queue_request){
        .memory_slot = memory, .flags = RUMPK_QUEUE_DEVICE_WRITES, .length = 64, .cookie = 3};
    return call_result(RUMPK_CALL_SEND, queue, own[running()], 1, 0);
}

static int64_t collect_now(uint32_t queue)
{
    return call_result(RUMPK_CALL_RECV, queue, own[running()], 1, RUMPK_NOW);
}

static enum machine_exit sleep_on(uint32_t queue)
{
    return call(RUMPK_CALL_RECV, queue, own[running()], 1, RUMPK_FOREVER);
}

static int64_t wait_on(uint32_t slot)
{
    *(uint32_t *)(uintptr_t)own[running()] = slot;
    return call_result(RUMPK_CALL_WAIT, own[running()], 1, RUMPK_NOW, 0);
}

#define USE (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)

// ---- queues ----

static void queue_moves(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST);
    CHECK(submit(QUEUE_0, BUFFERS) == RUMPK_E_STATE && collect_now(QUEUE_0) == RUMPK_E_STATE &&
          wait_on(QUEUE_0) == RUMPK_E_STATE && grant(QUEUE_0, RING, USE) == RUMPK_E_STATE &&
          grant(QUEUE_0, OTHER_RING, USE) == RUMPK_E_STATE);
    CHECK(submit(QUEUE_1, BUFFERS) == 1); // the other one is still here
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1 && collect_now(FIRST) == RUMPK_E_TIMEOUT);
    CHECK(sleep_on(FIRST) == MACHINE_RUNNING && running() == 0);
    // The device's interrupt wakes who uses the queue that has something to say, and nobody else.
    model_complete(0, 0);
    CHECK(interrupts(5) && fiber_table[1].state == FIBER_READY && result_of(1) == 1);
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1 && sleep_on(FIRST) == MACHINE_RUNNING);
    // Taken back with a request at the device: reset first, so nothing is written any more.
    CHECK(model.resets == 0 && call_result(RUMPK_CALL_REVOKE, QUEUE_0, 0, 0, 0) == 1 &&
          model.resets == 1);
    CHECK(result_of(1) == RUMPK_E_STALE && fiber_table[1].state == FIBER_READY);
    CHECK(submit(QUEUE_0, BUFFERS) == RUMPK_E_STATE); // until it is negotiated again
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK);
    CHECK(submit(QUEUE_0, BUFFERS) == 1 && sleep_on(QUEUE_0) == MACHINE_RUNNING && running() == 1);
    model_complete(0, 0);
    CHECK(submit(FIRST, OWN_BUFFERS) == RUMPK_E_STALE && wait_on(FIRST) == RUMPK_E_STALE);
    CHECK(interrupts(5) && result_of(0) == 1);
}

// With nothing at the device it comes back as it is, and goes to whoever is next.
static void queue_idle_needs_no_reset(void)
{
    begin();
    for (uint32_t round = 0; round < 3; round++) {
        CHECK(grant(QUEUE_0, RING, USE) == FIRST + (int64_t)round);
        CHECK(call_result(RUMPK_CALL_REVOKE, QUEUE_0, 0, 0, 0) == 1);
        CHECK(submit(QUEUE_0, BUFFERS) == 1);
        CHECK(grant(QUEUE_0, RING, USE) == RUMPK_E_STATE); // not with a request at the device
        model_complete(0, 0);
        CHECK(grant(QUEUE_0, RING, USE) == RUMPK_E_STATE); // nor with one that is not collected
        CHECK(collect_now(QUEUE_0) == 1);
    }
    CHECK(model.resets == 0);
}

// Eight deep and back in one call; each holder but the last only looks on.
static void queue_deep(void)
{
    uint64_t rights = USE | RUMPK_RIGHT_GRANT;
    uint32_t slots[2] = {QUEUE_0, 0};

    begin();
    for (uint32_t depth = 1; depth <= RUMPK_DERIVATION_DEPTH_MAX; depth++) {
        uint32_t from = running();
        int64_t slot = grant(slots[from], 0, rights);

        CHECK(slot > 0 && collect_now(slots[from]) == RUMPK_E_STATE);
        slots[1 - from] = (uint32_t)slot;
        yield_to(1 - from);
        CHECK(collect_now(slots[1 - from]) == RUMPK_E_TIMEOUT);
    }
    CHECK(running() == 0 && grant(slots[0], 0, rights) == RUMPK_E_LIMIT);
    CHECK(submit(slots[0], BUFFERS) == 1);
    CHECK(call_result(RUMPK_CALL_REVOKE, QUEUE_0, 0, 0, 0) == RUMPK_DERIVATION_DEPTH_MAX);
    CHECK(model.resets == 1 && hand_has(&fiber_table[0].caps[QUEUE_0]));
    CHECK(collect_now(slots[0]) == RUMPK_E_STALE);
}

static void holder_ends(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST && grant(DEVICE, RING, RUMPK_RIGHT_CONTROL) > 0 &&
          grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) > 0 && grant(EVENTS, RING, 1) > 0);
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 2, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    machine_masked = ARCH_LINE_NONE;
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(model.resets != 0 && machine_masked == LINE);
    CHECK(grant(QUEUE_1, RING, USE) == RUMPK_E_PEER);
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK &&
          submit(QUEUE_0, BUFFERS) == 1);
    CHECK(call_result(RUMPK_CALL_MASK, INTERRUPT, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    CHECK(interrupts(LINE) && call_result(RUMPK_CALL_RECV, EVENTS, 0, 0, RUMPK_NOW) == 1);
}

static void grantor_ends(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST && grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) > 0);
    yield_to(1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 1, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    machine_masked = ARCH_LINE_NONE;
    CHECK(submit(FIRST, OWN_BUFFERS) == 1 && sleep_on(FIRST) == MACHINE_RUNNING && running() == 0);
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING && running() == 1);
    CHECK(result_of(1) == RUMPK_E_STALE && model.resets != 0 && model.status == 0 &&
          machine_masked == LINE);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 1, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_E_STALE);
    // Nobody has the device any more: its interrupt is nobody's either.
    CHECK(virtio_user(0, 0) == CAP_NODE_NONE && virtio_user(0, VIRTIO_CONTROL) == CAP_NODE_NONE);
    CHECK(interrupts(5) && running() == 1);
}

// The one in the middle ends: what it had passed on goes back past it.
static void middle_ends(void)
{
    begin();
    ring_between(&fiber_table[1], &fiber_table[2]);
    CHECK(grant(QUEUE_0, RING, USE | RUMPK_RIGHT_GRANT) == FIRST + 1); // a ring came before
    yield_to(1);
    CHECK(grant(FIRST + 1, FIRST, USE) == FIRST + 1);
    CHECK(hand_has(&fiber_table[2].caps[FIRST + 1]));
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(hand_has(&fiber_table[0].caps[QUEUE_0]) &&
          !derive_is_live(&fiber_table[2].caps[FIRST + 1]));
    CHECK(submit(QUEUE_0, BUFFERS) == 1 && model.resets == 0);
}

// Narrowing the own slot leaves what was granted before as it is; it narrows what comes back.
static void narrowed_after(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST && grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) > 0);
    CHECK(call_result(RUMPK_CALL_MASK, QUEUE_0, RUMPK_MASK_RIGHTS, RUMPK_RIGHT_READ, 0) == 0 &&
          call_result(RUMPK_CALL_MASK, INTERRUPT, RUMPK_MASK_RIGHTS, 0, 0) == 0);
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1);
    model_complete(0, 0);
    CHECK(collect_now(FIRST) == 1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 1, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    yield_to(0);
    CHECK(call_result(RUMPK_CALL_REVOKE, QUEUE_0, 0, 0, 0) == 1 &&
          call_result(RUMPK_CALL_REVOKE, INTERRUPT, 0, 0, 0) == 1);
    CHECK(submit(QUEUE_0, BUFFERS) == RUMPK_E_RIGHTS && collect_now(QUEUE_0) == RUMPK_E_TIMEOUT);
    CHECK(call_result(RUMPK_CALL_MASK, INTERRUPT, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_E_RIGHTS);
    CHECK(grant(QUEUE_0, RING, RUMPK_RIGHT_READ) == RUMPK_E_RIGHTS); // GRANT went too
}

// No slot is free; eight through one ring; a receiver that is about to end.
static void receivers_that_cannot(void)
{
    struct cap cap = {.type = RUMPK_CAP_SPAWN, .rights = RUMPK_RIGHT_CONTROL};

    begin();
    while (cap_free(&fiber_table[2]) != NULL)
        CHECK(cap_add(&fiber_table[2], cap) >= 0);
    CHECK(grant(QUEUE_0, OTHER_RING, USE) == RUMPK_E_LIMIT);
    for (uint32_t count = 0; count < RUMPK_GRANTS_PER_RING_MAX; count++) {
        CHECK(grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) >= FIRST);
        CHECK(call_result(RUMPK_CALL_REVOKE, INTERRUPT, 0, 0, 0) == 1); // stale ones count
    }
    CHECK(grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) == RUMPK_E_LIMIT);
    fiber_condemn(&fiber_table[1], RUMPK_FAULT_BUDGET);
    CHECK(fiber_table[1].is_ending && grant(QUEUE_0, RING, USE) == RUMPK_E_PEER);
    CHECK(hand_has(&fiber_table[0].caps[QUEUE_0]) && submit(QUEUE_0, BUFFERS) == 1);
}

// ---- devices ----

static void device_moves(void)
{
    begin();
    CHECK(submit(QUEUE_1, BUFFERS) == 1);
    CHECK(grant(DEVICE, RING, RUMPK_RIGHT_READ | RUMPK_RIGHT_CONTROL) == FIRST);
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_E_STATE &&
          call_result(RUMPK_CALL_MAP, DEVICE, 0, 0, 0) > 0 &&
          grant(DEVICE, RING, RUMPK_RIGHT_CONTROL) == RUMPK_E_STATE);
    // A look at it is shared.
    CHECK(grant(DEVICE, RING, RUMPK_RIGHT_READ) == FIRST + 1);
    CHECK(sleep_on(QUEUE_1) == MACHINE_RUNNING && running() == 1);
    // Whoever negotiates drops what others had at the device, and they are told, once.
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 1, RUMPK_MASK_FEATURES, FEATURES, 0) ==
          RUMPK_E_RIGHTS);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST, RUMPK_MASK_FEATURES, 0, 0) == RUMPK_E_ARGUMENT &&
          fiber_table[0].state == FIBER_WAITING);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK);
    CHECK(fiber_table[0].state == FIBER_READY && result_of(0) == RUMPK_E_STATE);
    yield_to(0);
    CHECK(collect_now(QUEUE_1) == RUMPK_E_TIMEOUT && submit(QUEUE_1, BUFFERS) == 1);
    model.resets = 0;
    CHECK(call_result(RUMPK_CALL_REVOKE, DEVICE, 0, 0, 0) == 2 && model.resets == 1);
    CHECK(collect_now(QUEUE_1) == RUMPK_E_STATE); // reset, and not negotiated again
    // Its own negotiating drops its own requests without a word.
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK &&
          submit(QUEUE_1, BUFFERS) == 1 &&
          call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK &&
          collect_now(QUEUE_1) == RUMPK_E_TIMEOUT);
}

// A device that breaks the protocol on one queue is reset; who sleeps on the other hears of it.
static void device_breaks(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST && submit(QUEUE_1, BUFFERS) == 1);
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1);
    yield_to(0);
    CHECK(sleep_on(QUEUE_1) == MACHINE_RUNNING && running() == 1);
    model_complete(0, 77);
    CHECK(collect_now(FIRST) == RUMPK_E_DEVICE && collect_now(FIRST) == RUMPK_E_DEVICE);
    CHECK(fiber_table[0].state == FIBER_READY && result_of(0) == RUMPK_E_DEVICE);
}

// ---- memory that a device uses ----

// A right that was given up since does not hide what the device was told before.
static void memory_in_use(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST &&
          grant(BUFFERS, RING, USE | RUMPK_RIGHT_DMA) == FIRST + 1);
    yield_to(1);
    CHECK(submit(FIRST, FIRST + 1) == 1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST + 1, RUMPK_MASK_RIGHTS, RUMPK_RIGHT_READ, 0) == 0);
    yield_to(0);
    CHECK(call_result(RUMPK_CALL_REVOKE, BUFFERS, 0, 0, 0) == 1 && model.resets == 1);
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK);
    // The owner's own request in the same memory is not the one that was taken back.
    CHECK(submit(QUEUE_1, BUFFERS) == 1 && grant(BUFFERS, RING, USE) > 0);
    model.resets = 0;
    CHECK(call_result(RUMPK_CALL_REVOKE, BUFFERS, 0, 0, 0) == 1 && model.resets == 0);
}

// ---- devices that need their time to stop ----

#define POLLS_STEP 400u
#define POLLS_MAX  1000000u

// What is done in one piece asks a bounded number of times, and can be tried again.
static void reset_is_slow(void)
{
    begin();
    model.slow = POLLS_STEP;
    model.polls = 0;
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_E_DEVICE);
    CHECK(model.slow == 0 && model.polls == POLLS_STEP &&
          submit(QUEUE_0, BUFFERS) == RUMPK_E_DEVICE);
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK &&
          submit(QUEUE_0, BUFFERS) == 1);
}

// What fiber 0 takes back is not back before the device says that it has stopped.
static void taken_back_slowly(uint32_t slot)
{
    model.slow = 3 * POLLS_STEP;
    model.resets = model.polls = model.piece = model.longest = 0;
    CHECK(call(RUMPK_CALL_REVOKE, slot, 0, 0, 0) == MACHINE_RUNNING);
    CHECK(running() == 0 && result_of(0) >= 1 && model.resets == 1);
    CHECK(model.slow == 0 && model.polls == 3 * POLLS_STEP + 1 && model.longest == POLLS_STEP);
}

static void stops_slowly(void)
{
    begin();
    CHECK(grant(QUEUE_0, RING, USE) == FIRST &&
          grant(BUFFERS, RING, USE | RUMPK_RIGHT_DMA) == FIRST + 1);
    yield_to(1);
    CHECK(submit(FIRST, FIRST + 1) == 1);
    yield_to(0);
    taken_back_slowly(BUFFERS);
    // A queue with a request, and a device.
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK);
    yield_to(1);
    CHECK(submit(FIRST, OWN_BUFFERS) == 1);
    yield_to(0);
    taken_back_slowly(QUEUE_0);
    CHECK(grant(DEVICE, RING, RUMPK_RIGHT_CONTROL) >= FIRST);
    taken_back_slowly(DEVICE);
}

// One that never says so is given up: the call ends, the device is of no use until it answers.
static void never_stops(void)
{
    begin();
    CHECK(grant(DEVICE, RING, RUMPK_RIGHT_CONTROL) == FIRST);
    model.slow = UINT32_MAX;
    model.polls = model.piece = model.longest = 0;
    CHECK(call_result(RUMPK_CALL_REVOKE, DEVICE, 0, 0, 0) == 1);
    CHECK(model.polls == POLLS_STEP + POLLS_MAX && model.longest == POLLS_STEP);
    CHECK(submit(QUEUE_1, BUFFERS) == RUMPK_E_DEVICE);
    model.slow = 0;
    CHECK(call_result(RUMPK_CALL_MASK, DEVICE, RUMPK_MASK_FEATURES, FEATURES, 0) == RUMPK_OK &&
          submit(QUEUE_1, BUFFERS) == 1);
}

// A stricter holder empties its stale slot while the revoke is under way: what that slot had done
// is undone all the same.
static void revoke_overtaken(void)
{
    begin();
    CHECK(grant(QUEUE_0, OTHER_RING, USE) == FIRST &&
          grant(BUFFERS, OTHER_RING, USE | RUMPK_RIGHT_DMA) == FIRST + 1);
    // The younger one goes first; no request names its page.
    CHECK(call_result(RUMPK_CALL_GRANT, BUFFERS, OTHER_RING, RUMPK_RIGHT_READ, PAGE_SIZE) ==
          FIRST + 2);
    fiber_table[2].wait.deadline = record_ticks() + 5;
    timer_need(fiber_table[2].wait.deadline);
    machine_ticks += 10;
    CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(submit(FIRST, FIRST + 1) == 1);
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, record_ticks() + 5, 0) == MACHINE_RUNNING && running() == 0);
    machine_ticks += 10; // its time has come, and the first step has a look at the clock behind it
    CHECK(call(RUMPK_CALL_REVOKE, BUFFERS, 0, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(model.resets == 0 && call_result(RUMPK_CALL_MAP, FIRST + 1, 0, 0, 0) == RUMPK_E_STALE);
    CHECK(call_result(RUMPK_CALL_REVOKE, FIRST + 1, RUMPK_REVOKE_SELF, 0, 0) == 0 &&
          model.resets == 1);
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_FOREVER, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(result_of(0) == 2 && model.resets == 1);
}

// The same with an end of a ring: it is back with its owner.
static void ring_overtaken(void)
{
    begin();
    CHECK(grant(EVENTS, OTHER_RING, 1) == FIRST && grant(EVENTS, OTHER_RING, 1) == RUMPK_E_STATE);
    CHECK(rings[fiber_table[0].caps[EVENTS].object].ends[RING_CONSUMER] == &fiber_table[2]);
    CHECK(call_result(RUMPK_CALL_REVOKE, EVENTS, 0, 0, 0) == 1);
    CHECK(rings[fiber_table[0].caps[EVENTS].object].ends[RING_CONSUMER] == &fiber_table[0]);
    // Long undone: emptying the slot later moves nothing.
    CHECK(grant(EVENTS, RING, 1) == FIRST);
    fiber_table[2].wait.deadline = RUMPK_NOW;
    timer_need(record_ticks());
    machine_ticks += 10;
    CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(call_result(RUMPK_CALL_REVOKE, FIRST, RUMPK_REVOKE_SELF, 0, 0) == 0);
    CHECK(rings[fiber_table[0].caps[EVENTS].object].ends[RING_CONSUMER] == &fiber_table[1]);
}

// ---- interrupts ----

static void interrupt_moves(void)
{
    begin();
    CHECK(call_result(RUMPK_CALL_MASK, INTERRUPT, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    machine_masked = ARCH_LINE_NONE;
    CHECK(grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) == FIRST && machine_masked == LINE);
    CHECK(grant(EVENTS, RING, RUMPK_RIGHT_READ) == FIRST + 1);
    CHECK(!interrupt_is_armed(0));
    for (uint64_t operation = RUMPK_MASK_IRQ_UNMASK; operation <= RUMPK_MASK_IRQ_MASK; operation++)
        CHECK(call_result(RUMPK_CALL_MASK, INTERRUPT, operation, 0, 0) == RUMPK_E_STATE);
    CHECK(grant(INTERRUPT, RING, RUMPK_RIGHT_CONTROL) == RUMPK_E_STATE);
    yield_to(1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    CHECK(call(RUMPK_CALL_RECV, FIRST + 1, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING &&
          running() == 0);
    CHECK(interrupts(LINE) && fiber_table[1].state == FIBER_READY && result_of(1) == 1);
    yield_to(1);
    CHECK(call_result(RUMPK_CALL_MASK, FIRST, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    *(uint32_t *)(uintptr_t)(rings[fiber_table[0].caps[EVENTS].object].base +
                             RUMPK_RING_CONSUMER_OFFSET) = 1; // taken
    CHECK(call(RUMPK_CALL_RECV, FIRST + 1, 0, 0, RUMPK_FOREVER) == MACHINE_RUNNING);
    machine_masked = ARCH_LINE_NONE;
    CHECK(call_result(RUMPK_CALL_REVOKE, INTERRUPT, 0, 0, 0) == 1 && machine_masked == LINE);
    CHECK(!interrupt_is_armed(0) && fiber_table[1].state == FIBER_WAITING);
    CHECK(call_result(RUMPK_CALL_REVOKE, EVENTS, 0, 0, 0) == 1 && result_of(1) == RUMPK_E_STALE);
    CHECK(call_result(RUMPK_CALL_MASK, INTERRUPT, RUMPK_MASK_IRQ_UNMASK, 0, 0) == RUMPK_OK);
    CHECK(interrupts(LINE) && call_result(RUMPK_CALL_RECV, EVENTS, 0, 0, RUMPK_NOW) == 1);
}

// One window in which the line fires too often.
static void storm(void)
{
    for (uint32_t fired = 0; fired <= INTERRUPT_STORM; fired++)
        CHECK(interrupts(LINE));
    machine_ticks += rumpk_boot_record.timer_hz * INTERRUPT_WINDOW_MS / 1000 + 1;
    CHECK(fault(TRAP_TIMER, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(call_result(RUMPK_CALL_RECV, RING, 0, 0, RUMPK_NOW) > 0); // no overrun of its own
}

// Storms are charged to who has the line, from when it got it.
static void storms_follow(void)
{
    begin();
    yield_to(1);
    CHECK(call(RUMPK_CALL_WAIT, 0, 0, RUMPK_FOREVER, 0) == MACHINE_RUNNING && running() == 0);
    for (uint32_t window = 0; window + 1 < INTERRUPT_STORMS; window++)
        storm();
    CHECK(grant(INTERRUPT, OTHER_RING, RUMPK_RIGHT_CONTROL) == FIRST);
    for (uint32_t window = 0; window + 1 < INTERRUPT_STORMS; window++)
        storm();
    CHECK(fiber_table[0].strikes == 0 && fiber_table[2].strikes == 0);
    storm();
    CHECK(fiber_table[0].strikes == 0 && fiber_table[2].strikes == 1);
    CHECK(last_record()->kind == RUMPK_LEDGER_STRIKE && last_record()->fiber == 2);
}

// ---- many tables ----

// Each step checks everything anew: whoever was to get it may have ended meanwhile.
static void grant_in_steps(void)
{
    begin();
    CHECK(grant(LARGE, OTHER_RING, RUMPK_RIGHT_READ) == FIRST);
    fiber_table[2].wait.deadline = record_ticks() + 5;
    timer_need(fiber_table[2].wait.deadline);
    machine_ticks += 10;
    CHECK(call(RUMPK_CALL_GRANT, LARGE, OTHER_RING, RUMPK_RIGHT_READ, 0) == MACHINE_RUNNING &&
          running() == 2);
    CHECK(fiber_table[2].caps[FIRST + 1].type == RUMPK_CAP_NONE); // one step, no commit yet
    CHECK(call(RUMPK_CALL_EXIT, 0, 0, 0, 0) == MACHINE_RUNNING && running() == 0);
    CHECK(result_of(0) == RUMPK_E_PEER);
}

// ---- the right to start ----

// Who ends while its spawn is under way leaves the package to the next one who may start it.
static void spawn_outlives_its_caller(void)
{
    struct cap cap = {.type = RUMPK_CAP_SPAWN, .rights = RUMPK_RIGHT_CONTROL, .object = 7};
    int64_t slot;

    begin();
    slot = cap_add(&fiber_table[0], cap);
    fiber_table[7].number = 7;
    fiber_table[7].state = FIBER_NEW;
    CHECK(grant((uint32_t)slot, OTHER_RING, RUMPK_RIGHT_CONTROL) == FIRST);
    fiber_table[2].wait.deadline = record_ticks() + 5;
    timer_need(fiber_table[2].wait.deadline);
    machine_ticks += 10;
    machine_verdict = INIT_MORE;
    CHECK(call(RUMPK_CALL_SPAWN, (uint64_t)slot, 0, 0, 0) == MACHINE_RUNNING && running() == 2);
    CHECK(call_result(RUMPK_CALL_SPAWN, FIRST, 0, 0, 0) == RUMPK_E_STATE);
    // What is granted and then taken back, because the other one ends, is no longer there.
    cap.object = 7;
    slot = cap_add(&fiber_table[2], cap);
    fiber_condemn(&fiber_table[0], RUMPK_FAULT_BUDGET);
    machine_verdict = INIT_GOOD;
    CHECK(call_result(RUMPK_CALL_SPAWN, FIRST, 0, 0, 0) == RUMPK_E_STALE);
    CHECK(call_result(RUMPK_CALL_SPAWN, (uint64_t)slot, 0, 0, 0) == 7 && machine_started == 1);
}

#define BODIES(X)                \
    X(queue_moves)               \
    X(queue_idle_needs_no_reset) \
    X(queue_deep)                \
    X(holder_ends)               \
    X(grantor_ends)              \
    X(middle_ends)               \
    X(narrowed_after)            \
    X(receivers_that_cannot)     \
    X(device_moves)              \
    X(device_breaks)             \
    X(memory_in_use)             \
    X(reset_is_slow)             \
    X(stops_slowly)              \
    X(never_stops)               \
    X(revoke_overtaken)          \
    X(ring_overtaken)            \
    X(interrupt_moves)           \
    X(storms_follow)             \
    X(spawn_outlives_its_caller) \
    X(grant_in_steps)

#define BODY(name) static body *name##_body = name;
BODIES(BODY)
#define TEST(name) {#name, machine_case, NULL, NULL, &name##_body},

int main(void)
{
    const struct CMUnitTest tests[] = {BODIES(TEST)};

    machine_begin();
    return cmocka_run_group_tests_name("kernel.hand", tests, NULL, NULL);
}
