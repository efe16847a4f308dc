// SPDX-License-Identifier: Apache-2.0
//
// call_ring.c: send, recv and wait: everything by which fibers meet each other and their devices.
#include <kernel/budget.h>
#include <kernel/call.h>
#include <kernel/hand.h>
#include <kernel/init.h>
#include <kernel/memory.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/user.h>
#include <kernel/virtio.h>

#define WAIT_FEW 16u // sources that are checked and tried without a look at the interrupts
#define REQUESTS 8u  // of a batch that are read at once: all of them would not fit the stack rules

#define RIGHTS_EITHER (RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE)

static int64_t ring_send(const struct cap *cap)
{
    struct ring *ring = &rings[cap->object];
    uint32_t other = cap->part == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER;

    if (ring->ends[other] == NULL)
        return RUMPK_E_PEER;
    kernel_phase = PHASE_COMMIT;
    ring->wakes[cap->part]++;
    memory_use_kernel_root();
    sched_wake(ring->ends[other]);
    return RUMPK_OK;
}

// One request of a batch: may its memory be given to the device? The address is the kernel's own
// word for it.
static int64_t request_check(struct fiber *fiber, const struct rumpk_queue_request *request,
                             struct virtio_part *part)
{
    struct cap *memory;
    int64_t result;

    if ((request->flags & ~(RUMPK_QUEUE_DEVICE_WRITES | RUMPK_QUEUE_CHAINED)) != 0 ||
        request->reserved != 0 || request->length == 0 || request->length > UINT32_C(1) << 31)
        return RUMPK_E_ARGUMENT;
    result = cap_find(fiber, request->memory_slot, &memory);
    if (result != RUMPK_OK)
        return result;
    if (memory->type != RUMPK_CAP_DMA && memory->type != RUMPK_CAP_MEMORY)
        return RUMPK_E_TYPE;
    if ((memory->rights & RUMPK_RIGHT_DMA) == 0)
        return RUMPK_E_RIGHTS;
    // The device may do no more than the driver: write where the driver may write.
    if ((memory->rights & ((request->flags & RUMPK_QUEUE_DEVICE_WRITES) != 0 ? RUMPK_RIGHT_WRITE
                                                                             : RUMPK_RIGHT_READ)) ==
        0)
        return RUMPK_E_RIGHTS;
    if (!range_contains(0, cap_memory_size(memory), request->offset, request->length))
        return RUMPK_E_BOUNDS;
    *part = (struct virtio_part){
        .address = cap_memory_base(memory) + request->offset,
        .cookie = request->cookie,
        .length = request->length,
        .flags = request->flags,
    };
    return RUMPK_OK;
}

static int64_t queue_send(struct fiber *fiber, const struct cap *cap, uint64_t pointer,
                          uint64_t count)
{
    struct virtio_part parts[RUMPK_QUEUE_BATCH_MAX];
    struct rumpk_queue_request requests[REQUESTS];
    struct user_ptr from = {pointer};
    int64_t room;

    if (count == 0 || count > RUMPK_QUEUE_BATCH_MAX)
        return RUMPK_E_ARGUMENT;
    if (!hand_has(cap))
        return RUMPK_E_STATE;
    room = virtio_can_submit(cap->object, cap->part, (uint32_t)count);
    if (room != RUMPK_OK && room != RUMPK_E_FULL)
        return room;
    for (uint32_t index = 0; index < count; index++) {
        uint64_t size = sizeof(requests[0]) * (count - index < REQUESTS ? count - index : REQUESTS);
        int64_t result;

        if (index % REQUESTS == 0) {
            if (!user_read(fiber, requests, from, size, _Alignof(struct rumpk_queue_request)))
                fiber_fault_call(fiber, RUMPK_FAULT_POINTER, from.address);
            from.address += size;
        }
        result = request_check(fiber, &requests[index % REQUESTS], &parts[index]);
        if (result != RUMPK_OK)
            return result;
    }
    if ((parts[count - 1].flags & RUMPK_QUEUE_CHAINED) != 0)
        return RUMPK_E_ARGUMENT;
    if (room != RUMPK_OK)
        return room;
    kernel_phase = PHASE_COMMIT;
    virtio_submit(cap->object, cap->part, parts, (uint32_t)count);
    return (int64_t)count;
}

SYSCALL_CORE int64_t call_send(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    if (cap->type == RUMPK_CAP_RING) {
        if ((cap->rights & RIGHTS_EITHER) == 0)
            return RUMPK_E_RIGHTS;
        return arguments[1] != 0 || arguments[2] != 0 ? RUMPK_E_ARGUMENT : ring_send(cap);
    }
    if (cap->type != RUMPK_CAP_QUEUE)
        return RUMPK_E_TYPE;
    if ((cap->rights & RUMPK_RIGHT_WRITE) == 0)
        return RUMPK_E_RIGHTS;
    return queue_send(fiber, cap, arguments[1], arguments[2]);
}

// Who waits for requests of a service for the first time says that it is there.
static void announce(const struct fiber *fiber)
{
    for (uint32_t index = 0; index < fiber->wait.count; index++) {
        const struct cap *cap = &fiber->caps[fiber->wait.slots[index]];

        if (cap->type != RUMPK_CAP_RING || cap->part != RING_CONSUMER ||
            rings[cap->object].wire == RING_NO_WIRE)
            continue;
        start_announced(rings[cap->object].wire);
        rings[cap->object].wire = RING_NO_WIRE;
        sched_relieve(); // a record of the ledger was written
    }
}

// fiber->wait is complete: the result is there, or the fiber sleeps until it is.
static int64_t wait_now(struct fiber *fiber)
{
    int64_t result;

    kernel_phase = PHASE_COMMIT;
    memory_use_kernel_root();
    budget_mark(fiber);
    announce(fiber);
    if (fiber->wait.count > WAIT_FEW)
        sched_relieve();
    if (wait_try(fiber, &result))
        return result;
    sched_block(fiber);
}

static int64_t queue_recv(struct fiber *fiber, const struct cap *cap,
                          const uint64_t arguments[CALL_ARGUMENTS])
{
    struct user_ptr out = {arguments[1]};
    uint64_t count = arguments[2];

    if (count == 0 || count > RUMPK_QUEUE_BATCH_MAX)
        return RUMPK_E_ARGUMENT;
    if (!hand_has(cap))
        return RUMPK_E_STATE;
    if (!user_is_writable(fiber, out, count * sizeof(struct rumpk_queue_completion),
                          _Alignof(struct rumpk_queue_completion)))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, out.address);
    fiber->wait = (struct fiber_wait){
        .kind = WAIT_QUEUE,
        .count = 1,
        .slots = {(uint8_t)arguments[0]},
        .out = out.address,
        .out_count = (uint32_t)count,
        .deadline = arguments[3],
    };
    return wait_now(fiber);
}

SYSCALL_CORE int64_t call_recv(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    struct cap *cap;
    int64_t result = cap_find(fiber, arguments[0], &cap);

    if (result != RUMPK_OK)
        return result;
    if (cap->type == RUMPK_CAP_RING) {
        if ((cap->rights & RIGHTS_EITHER) == 0)
            return RUMPK_E_RIGHTS;
        if (arguments[1] != 0 || arguments[2] != 0)
            return RUMPK_E_ARGUMENT;
        fiber->wait.kind = WAIT_RING;
        fiber->wait.count = 1;
        fiber->wait.slots[0] = (uint8_t)arguments[0];
        fiber->wait.deadline = arguments[3];
        return wait_now(fiber);
    }
    if (cap->type != RUMPK_CAP_QUEUE)
        return RUMPK_E_TYPE;
    if ((cap->rights & RUMPK_RIGHT_READ) == 0)
        return RUMPK_E_RIGHTS;
    return queue_recv(fiber, cap, arguments);
}

int64_t call_wait(struct fiber *fiber, const uint64_t arguments[CALL_ARGUMENTS])
{
    uint32_t slots[RUMPK_WAIT_MAX];
    struct user_ptr from = {arguments[0]};
    uint64_t count = arguments[1];

    if (count > RUMPK_WAIT_MAX)
        return RUMPK_E_ARGUMENT;
    if (count == 0 && arguments[2] == RUMPK_NOW)
        sched_yield(fiber);
    if (count != 0 && !user_read(fiber, slots, from, count * sizeof(slots[0]), _Alignof(uint32_t)))
        fiber_fault_call(fiber, RUMPK_FAULT_POINTER, from.address);
    for (uint32_t index = 0; index < count; index++) {
        struct cap *cap;
        int64_t result = cap_find(fiber, slots[index], &cap);

        if (result != RUMPK_OK)
            return result;
        if (cap->type != RUMPK_CAP_RING && cap->type != RUMPK_CAP_QUEUE)
            return RUMPK_E_TYPE;
        if ((cap->rights & RIGHTS_EITHER) == 0)
            return RUMPK_E_RIGHTS;
        if (cap->type == RUMPK_CAP_QUEUE && !hand_has(cap))
            return RUMPK_E_STATE;
        fiber->wait.slots[index] = (uint8_t)slots[index];
    }
    fiber->wait.kind = count == 0 ? WAIT_SLEEP : WAIT_MANY;
    fiber->wait.count = (uint8_t)count;
    fiber->wait.deadline = arguments[2];
    return wait_now(fiber);
}
