// SPDX-License-Identifier: Apache-2.0
//
// kernel.c: the calls of the simulated kernel, checked as rumpk/call.h says.
#include "machine.h"
#include "reg_access.h"
#include <npl/call.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local const struct rumpk_systable *other_systable;

const struct rumpk_systable *npl_systable(void)
{
    return other_systable ? other_systable : &host_systable;
}

void host_systable_set(const struct rumpk_systable *table)
{
    other_systable = table;
}

// The caller, counted; a driver that never sleeps is stopped here when the run's limit is reached.
static struct host_fiber *enter(void)
{
    struct host_fiber *fiber = host_current();

    if (!fiber)
        abort(); // a call outside host_run: the test forgot the machine
    fiber->calls++;
    fiber->machine->now++;
    if (++fiber->machine->calls >= fiber->machine->limit)
        host_block(fiber);
    return fiber;
}

static int64_t slot_at(struct host_fiber *fiber, uint64_t slot, uint32_t type,
                       struct host_slot **out)
{
    if (slot >= RUMPK_SLOT_COUNT || !fiber->slots[slot].object)
        return RUMPK_E_SLOT;
    *out = &fiber->slots[slot];
    return type != RUMPK_CAP_NONE && (*out)->type != type ? RUMPK_E_TYPE : RUMPK_OK;
}

// ---- sleeping
// --------------------------------------------------------------------------------------------

// Sleeps until one of the slots (one bit each) is woken, or the deadline. False when that passed.
static bool sleep_until(struct host_fiber *fiber, uint64_t deadline, uint64_t waits)
{
    if (deadline <= fiber->machine->now)
        return false;
    fiber->is_blocked = true;
    fiber->is_woken = false;
    fiber->deadline = deadline;
    fiber->waits = waits;
    host_block(fiber);
    fiber->is_blocked = false;
    fiber->waits = 0;
    return fiber->is_woken || fiber->deadline > fiber->machine->now;
}

// Wakes a fiber that sleeps on this ring, and no other.
void host_ring_wake(struct host_fiber *fiber, const struct host_object *ring)
{
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if ((fiber->waits >> slot & 1) && fiber->slots[slot].object == ring)
            fiber->is_woken = true;
    }
}

// ---- rings
// -------------------------------------------------------------------------------------------------

// Slots that this end may use, or why it has to go on without.
static int64_t ring_ready(const struct host_slot *slot)
{
    uint8_t *memory = slot->object->memory;
    const struct rumpk_ring_header *header = slot->object->memory;
    struct rumpk_ring_consumer *consumer = (void *)(memory + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *producer = (void *)(memory + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t filled = __atomic_load_n(&producer->head, __ATOMIC_ACQUIRE) -
                      __atomic_load_n(&consumer->tail, __ATOMIC_ACQUIRE);
    uint32_t gone = slot->is_producer ? RUMPK_RING_CONSUMER_GONE : RUMPK_RING_PRODUCER_GONE;

    if (filled > header->slot_count)
        return RUMPK_E_PEER;
    uint32_t usable = slot->is_producer ? header->slot_count - filled : filled;
    if ((header->closed & gone) && (slot->is_producer || usable == 0))
        return RUMPK_E_PEER;
    return usable;
}

void host_ring_close(struct host_machine *machine, struct host_object *ring, uint32_t fiber)
{
    struct rumpk_ring_header *header = ring->memory;

    if (ring->type != RUMPK_CAP_RING)
        return;
    if (ring->producer == fiber) {
        header->closed |= RUMPK_RING_PRODUCER_GONE;
        host_ring_wake(&machine->fibers[ring->consumer], ring);
    }
    if (ring->consumer == fiber) {
        header->closed |= RUMPK_RING_CONSUMER_GONE;
        if (ring->producer != HOST_NOBODY)
            host_ring_wake(&machine->fibers[ring->producer], ring);
    }
}

static int64_t send_ring(struct host_fiber *fiber, const struct host_slot *slot)
{
    const struct host_object *ring = slot->object;
    const struct rumpk_ring_header *header = ring->memory;
    uint32_t gone = slot->is_producer ? RUMPK_RING_CONSUMER_GONE : RUMPK_RING_PRODUCER_GONE;

    if (!slot->is_producer && ring->producer == HOST_NOBODY)
        return RUMPK_E_PEER;
    host_ring_wake(&fiber->machine->fibers[slot->is_producer ? ring->consumer : ring->producer],
                   ring);
    return header->closed & gone ? RUMPK_E_PEER : RUMPK_OK;
}

static int64_t recv_ring(struct host_fiber *fiber, uint64_t number, const struct host_slot *slot,
                         uint64_t deadline)
{
    const struct rumpk_ring_header *header = slot->object->memory;
    uint32_t epoch = header->epoch;

    for (;;) {
        int64_t ready = ring_ready(slot);

        if (ready != 0)
            return ready;
        if (!sleep_until(fiber, deadline, UINT64_C(1) << number))
            return RUMPK_E_TIMEOUT;
        if (header->epoch != epoch)
            return RUMPK_E_EPOCH;
    }
}

// ---- interrupts
// --------------------------------------------------------------------------------------------

bool host_interrupt_step(struct host_machine *machine, struct host_object *object)
{
    struct rumpk_interrupt_slot message = {.ticks = machine->now};

    if (object->type != RUMPK_CAP_INTERRUPT || !object->is_armed ||
        !object->is_asserted(object->line))
        return false;
    object->is_armed = false;
    message.count = ++object->fired;

    uint8_t *memory = object->messages->memory;
    const struct rumpk_ring_header *header = object->messages->memory;
    struct rumpk_ring_consumer *consumer = (void *)(memory + RUMPK_RING_CONSUMER_OFFSET);
    struct rumpk_ring_producer *producer = (void *)(memory + RUMPK_RING_PRODUCER_OFFSET);
    uint32_t head = producer->head;

    if (head - __atomic_load_n(&consumer->tail, __ATOMIC_ACQUIRE) < header->slot_count) {
        memcpy(memory + RUMPK_RING_PRODUCER_OFFSET + RUMPK_RING_SLOTS_OFFSET +
                   (size_t)(head & (header->slot_count - 1)) * RUMPK_RING_SLOT_SIZE,
               &message, sizeof(message));
        __atomic_store_n(&producer->head, head + 1, __ATOMIC_RELEASE);
    }
    host_ring_wake(&machine->fibers[object->messages->consumer], object->messages);
    return true;
}

static int64_t mask_interrupt(struct host_slot *slot, uint64_t operation, uint64_t value)
{
    if (slot->type != RUMPK_CAP_INTERRUPT)
        return RUMPK_E_TYPE;
    if (!(slot->rights & RUMPK_RIGHT_CONTROL))
        return RUMPK_E_RIGHTS;
    if (value != 0)
        return RUMPK_E_ARGUMENT;
    slot->object->is_armed = operation == RUMPK_MASK_IRQ_UNMASK;
    return RUMPK_OK;
}

// ---- queues
// ------------------------------------------------------------------------------------------------

bool host_queue_has_completion(const struct host_object *object, uint32_t queue)
{
    if (object->type != RUMPK_CAP_DEVICE)
        return false;
    for (uint32_t index = 0; index < HOST_CHAINS_MAX; index++) {
        if (object->queues[queue].chains[index].is_done)
            return true;
    }
    return object->is_broken;
}

// Serves one waiting chain, chosen at random. False when there is none.
bool host_device_step(struct host_machine *machine, struct host_object *object)
{
    if (object->type != RUMPK_CAP_DEVICE || object->is_broken)
        return false;
    for (uint32_t queue = 0; queue < object->device.queue_count; queue++) {
        uint32_t first = (uint32_t)(host_random(machine) >> 32);

        for (uint32_t step = 0; step < HOST_CHAINS_MAX; step++) {
            struct host_chain *chain =
                &object->queues[queue].chains[(first + step) % HOST_CHAINS_MAX];

            if (!chain->is_used || chain->is_done)
                continue;
            uint32_t written = object->device.serve(object->device.context, queue, chain->parts,
                                                    chain->part_count);

            if (written == HOST_DEVICE_LATER)
                break;
            chain->written = written;
            chain->is_done = true;
            if (written == HOST_DEVICE_BREAKS)
                object->is_broken = true;
            return true;
        }
    }
    return false;
}

static int64_t check_part(struct host_fiber *fiber, const struct rumpk_queue_request *request,
                          struct host_part *part)
{
    struct host_slot *memory;

    if (request->flags & ~(RUMPK_QUEUE_DEVICE_WRITES | RUMPK_QUEUE_CHAINED))
        return RUMPK_E_ARGUMENT;
    if (request->length == 0 || request->length > UINT32_C(1) << 31 || request->reserved != 0)
        return RUMPK_E_ARGUMENT;
    int64_t result = slot_at(fiber, request->memory_slot, RUMPK_CAP_NONE, &memory);
    if (result == RUMPK_OK)
        result = host_device_check(memory, request->flags);
    if (result < 0)
        return result;
    if (request->length > memory->object->size ||
        request->offset > memory->object->size - request->length)
        return RUMPK_E_BOUNDS;
    *part = (struct host_part){
        .bytes = (uint8_t *)memory->object->memory + request->offset,
        .length = request->length,
        .device_writes = request->flags & RUMPK_QUEUE_DEVICE_WRITES,
    };
    return RUMPK_OK;
}

static struct host_chain *chain_new(struct host_queue *queue)
{
    for (uint32_t index = 0; index < HOST_CHAINS_MAX; index++) {
        if (!queue->chains[index].is_used)
            return &queue->chains[index];
    }
    return NULL;
}

static int64_t send_queue(struct host_fiber *fiber, const struct host_slot *slot,
                          const struct rumpk_queue_request *requests, uint64_t count)
{
    struct host_object *object = slot->object;
    struct host_queue *queue = &object->queues[slot->queue];
    struct host_part parts[RUMPK_QUEUE_BATCH_MAX];

    if (count == 0 || count > RUMPK_QUEUE_BATCH_MAX)
        return RUMPK_E_ARGUMENT;
    if (object->view.features_accepted == 0 || object->is_broken)
        return RUMPK_E_STATE;
    for (uint64_t at = 0; at < count; at++) {
        int64_t result = check_part(fiber, &requests[at], &parts[at]);

        if (result < 0)
            return result;
    }
    if (requests[count - 1].flags & RUMPK_QUEUE_CHAINED)
        return RUMPK_E_ARGUMENT;
    if (queue->entries_used + count > object->device.queue_entries)
        return RUMPK_E_FULL;

    struct host_chain *chain = NULL;
    for (uint64_t at = 0; at < count; at++) {
        if (!chain) {
            chain = chain_new(queue);
            *chain = (struct host_chain){.cookie = requests[at].cookie, .is_used = true};
        }
        chain->parts[chain->part_count++] = parts[at];
        if (!(requests[at].flags & RUMPK_QUEUE_CHAINED))
            chain = NULL;
    }
    queue->entries_used += (uint32_t)count;
    return (int64_t)count;
}

static int64_t take_completions(struct host_slot *slot, struct rumpk_queue_completion *out,
                                uint64_t count)
{
    struct host_queue *queue = &slot->object->queues[slot->queue];
    int64_t taken = 0;

    for (uint32_t index = 0; index < HOST_CHAINS_MAX && (uint64_t)taken < count; index++) {
        struct host_chain *chain = &queue->chains[index];

        if (!chain->is_done)
            continue;
        out[taken++] = (struct rumpk_queue_completion){
            .cookie = chain->cookie,
            .written = chain->written,
        };
        queue->entries_used -= chain->part_count;
        *chain = (struct host_chain){0};
    }
    return taken;
}

static int64_t recv_queue(struct host_fiber *fiber, uint64_t number, struct host_slot *slot,
                          struct rumpk_queue_completion *out, uint64_t count, uint64_t deadline)
{
    struct host_object *object = slot->object;

    if (count == 0 || count > RUMPK_QUEUE_BATCH_MAX)
        return RUMPK_E_ARGUMENT;
    for (;;) {
        if (object->view.features_accepted == 0)
            return RUMPK_E_STATE;
        if (object->is_broken) {
            object->view.features_accepted = 0;
            object->is_broken = false;
            memset(object->queues, 0, sizeof(object->queues));
            return RUMPK_E_DEVICE;
        }
        int64_t taken = take_completions(slot, out, count);
        if (taken > 0)
            return taken;
        if (!sleep_until(fiber, deadline, UINT64_C(1) << number) &&
            !host_queue_has_completion(object, slot->queue))
            return RUMPK_E_TIMEOUT;
    }
}

// ---- the calls
// -----------------------------------------------------------------------------------------------

static int64_t call_send(uint64_t number, uint64_t requests, uint64_t count, uint64_t unused)
{
    struct host_fiber *fiber = enter();
    struct host_slot *slot;

    (void)unused;
    if (!host_may(fiber, RUMPK_PLEDGE_STDIO))
        return RUMPK_E_PLEDGE;
    int64_t result = slot_at(fiber, number, RUMPK_CAP_NONE, &slot);
    if (result == RUMPK_OK)
        result = host_send_check(slot);
    if (result < 0)
        return result;
    if (slot->type == RUMPK_CAP_RING)
        return requests || count ? RUMPK_E_ARGUMENT : send_ring(fiber, slot);
    return send_queue(fiber, slot, (const struct rumpk_queue_request *)(uintptr_t)requests, count);
}

static int64_t call_recv(uint64_t number, uint64_t out, uint64_t count, uint64_t deadline)
{
    struct host_fiber *fiber = enter();
    struct host_slot *slot;

    if (!host_may(fiber, RUMPK_PLEDGE_STDIO))
        return RUMPK_E_PLEDGE;
    int64_t result = slot_at(fiber, number, RUMPK_CAP_NONE, &slot);
    if (result == RUMPK_OK)
        result = host_recv_check(slot);
    if (result < 0)
        return result;
    if (slot->type == RUMPK_CAP_RING)
        return out || count ? RUMPK_E_ARGUMENT : recv_ring(fiber, number, slot, deadline);
    return recv_queue(fiber, number, slot, (struct rumpk_queue_completion *)(uintptr_t)out, count,
                      deadline);
}

static int64_t call_map(uint64_t number, uint64_t flags, uint64_t unused0, uint64_t unused1)
{
    struct host_fiber *fiber = enter();
    struct host_slot *slot;

    (void)unused0;
    (void)unused1;
    if (!host_may(fiber, RUMPK_PLEDGE_MAP))
        return RUMPK_E_PLEDGE;
    int64_t result = slot_at(fiber, number, RUMPK_CAP_NONE, &slot);
    if (result == RUMPK_OK)
        result = flags == 0 ? host_map_check(slot) : RUMPK_E_ARGUMENT;
    if (result < 0)
        return result;
    slot->is_mapped = true;
    switch (slot->type) {
    case RUMPK_CAP_WINDOW:
    case RUMPK_CAP_PORTS:
        return (int64_t)slot->object->base;
    case RUMPK_CAP_DEVICE:
        return (int64_t)(uintptr_t)&slot->object->view;
    case RUMPK_CAP_MEMORY:
    case RUMPK_CAP_DMA:
    case RUMPK_CAP_RING:
        return (int64_t)(uintptr_t)slot->object->memory;
    default:
        return RUMPK_E_TYPE;
    }
}

static int64_t call_mask(uint64_t number, uint64_t operation, uint64_t value, uint64_t unused)
{
    struct host_fiber *fiber = enter();
    struct host_slot *slot;
    int64_t result = slot_at(fiber, number, RUMPK_CAP_NONE, &slot);

    (void)unused;
    if (result < 0)
        return result;
    if (operation == RUMPK_MASK_RIGHTS) {
        slot->rights &= (uint32_t)value;
        return RUMPK_OK;
    }
    if (operation > RUMPK_MASK_IRQ_MASK)
        return RUMPK_E_ARGUMENT;
    if (!host_may(fiber, RUMPK_PLEDGE_CONTROL))
        return RUMPK_E_PLEDGE;
    if (operation != RUMPK_MASK_FEATURES)
        return mask_interrupt(slot, operation, value);
    if (slot->type != RUMPK_CAP_DEVICE)
        return RUMPK_E_TYPE;
    if (!(slot->rights & RUMPK_RIGHT_CONTROL))
        return RUMPK_E_RIGHTS;
    if ((value & ~slot->object->view.features_offered) || !(value >> 32 & 1))
        return RUMPK_E_ARGUMENT;
    memset(slot->object->queues, 0, sizeof(slot->object->queues));
    slot->object->is_broken = false;
    slot->object->view.features_accepted = value;
    return RUMPK_OK;
}

static int64_t call_tick(uint64_t operation, uint64_t unused0, uint64_t unused1, uint64_t unused2)
{
    struct host_fiber *fiber = enter();

    (void)unused0;
    (void)unused1;
    (void)unused2;
    return operation == RUMPK_TICK_NOW ? (int64_t)fiber->machine->now : RUMPK_E_ARGUMENT;
}

// Index of the first slot that is ready, or RUMPK_E_TIMEOUT; all of them as bits in *waits.
static int64_t first_ready(struct host_fiber *fiber, const uint32_t *slots, uint64_t count,
                           uint64_t *waits)
{
    for (uint64_t at = 0; at < count; at++) {
        struct host_slot *slot;
        int64_t result = slot_at(fiber, slots[at], RUMPK_CAP_NONE, &slot);

        if (result == RUMPK_OK)
            result = host_wait_check(slot);
        if (result < 0)
            return result;
        *waits |= UINT64_C(1) << slots[at];
    }
    for (uint64_t at = 0; at < count; at++) {
        const struct host_slot *slot = &fiber->slots[slots[at]];

        if (slot->type == RUMPK_CAP_RING ? ring_ready(slot) != 0
                                         : host_queue_has_completion(slot->object, slot->queue))
            return (int64_t)at;
    }
    return RUMPK_E_TIMEOUT;
}

static int64_t call_wait(uint64_t slots, uint64_t count, uint64_t deadline, uint64_t unused)
{
    struct host_fiber *fiber = enter();
    uint64_t waits = 0;
    bool is_awake = true;

    (void)unused;
    if (count > RUMPK_WAIT_MAX)
        return RUMPK_E_ARGUMENT;
    if (count == 0 && deadline == RUMPK_NOW) {
        host_block(fiber);
        return RUMPK_OK;
    }
    fiber->is_woken = false;
    for (;;) {
        int64_t ready = first_ready(fiber, (const uint32_t *)(uintptr_t)slots, count, &waits);

        if (ready != RUMPK_E_TIMEOUT)
            return ready;
        // A ring of a new epoch has nothing yet; its end is woken and looks for itself.
        if (fiber->is_woken)
            return 0;
        if (!is_awake)
            return RUMPK_E_TIMEOUT;
        is_awake = sleep_until(fiber, deadline, waits);
    }
}

static int64_t call_pledge(uint64_t word, uint64_t unused0, uint64_t unused1, uint64_t unused2)
{
    struct host_fiber *fiber = enter();

    (void)unused0;
    (void)unused1;
    (void)unused2;
    fiber->pledge &= word;
    return RUMPK_OK;
}

static int64_t call_exit(uint64_t code, uint64_t unused0, uint64_t unused1, uint64_t unused2)
{
    (void)unused0;
    (void)unused1;
    (void)unused2;
    host_end(enter(), (int64_t)code);
}

static int64_t call_meta(uint64_t operation, uint64_t out, uint64_t size, uint64_t unused)
{
    struct host_fiber *fiber = enter();

    (void)unused;
    switch (operation) {
    case RUMPK_META_VERSION:
        return RUMPK_ABI_VERSION;
    case RUMPK_META_FEATURES:
        return (int64_t)host_systable.features;
    case RUMPK_META_START:
        return (int64_t)(uintptr_t)fiber->start;
    case RUMPK_META_SELF:
        if (size != sizeof(struct rumpk_meta_self))
            return RUMPK_E_ARGUMENT;
        *(struct rumpk_meta_self *)(uintptr_t)out = (struct rumpk_meta_self){
            .fiber = fiber->number,
            .spectrum = RUMPK_PLEDGE_SPECTRUM_OF(fiber->pledge),
            .calls = fiber->calls,
            .pledge = fiber->pledge,
        };
        return RUMPK_OK;
    default:
        return RUMPK_E_ARGUMENT;
    }
}

static int64_t call_absent(uint64_t unused0, uint64_t unused1, uint64_t unused2, uint64_t unused3)
{
    (void)unused0;
    (void)unused1;
    (void)unused2;
    (void)unused3;
    (void)enter();
    return RUMPK_E_UNSUPPORTED;
}

// ---- registers
// -------------------------------------------------------------------------------------------------

static struct host_object *registers_at(uint64_t address, bool is_ports, uint64_t *offset)
{
    struct host_machine *machine = host_current()->machine;

    for (uint32_t index = 0; index < machine->object_count; index++) {
        struct host_object *object = machine->objects[index];

        if (object->type != (is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW))
            continue;
        if (address < object->base || address - object->base >= object->size)
            continue;
        *offset = address - object->base;
        return object;
    }
    abort(); // npl_reg_* lets nothing else through
}

static uint32_t read_register(uint64_t address, bool is_ports, uint32_t width)
{
    uint64_t offset;
    struct host_object *object = registers_at(address, is_ports, &offset);

    return object->registers.read(object->registers.context, offset, width);
}

static void write_register(uint64_t address, bool is_ports, uint32_t width, uint32_t value)
{
    uint64_t offset;
    struct host_object *object = registers_at(address, is_ports, &offset);

    object->registers.write(object->registers.context, offset, width, value);
}

uint8_t window_read8(uint64_t address)
{
    return (uint8_t)read_register(address, false, 1);
}

void window_write8(uint64_t address, uint8_t value)
{
    write_register(address, false, 1, value);
}

uint32_t window_read32(uint64_t address)
{
    return read_register(address, false, 4);
}

void window_write32(uint64_t address, uint32_t value)
{
    write_register(address, false, 4, value);
}

uint8_t port_read8(uint16_t port)
{
    return (uint8_t)read_register(port, true, 1);
}

void port_write8(uint16_t port, uint8_t value)
{
    write_register(port, true, 1, value);
}

uint32_t port_read32(uint16_t port)
{
    return read_register(port, true, 4);
}

void port_write32(uint16_t port, uint32_t value)
{
    write_register(port, true, 4, value);
}

// ---- the table
// ---------------------------------------------------------------------------------------------------

struct rumpk_systable host_systable = {
    .magic = RUMPK_SYSTABLE_MAGIC,
    .abi_version = RUMPK_ABI_VERSION,
    .size = RUMPK_SYSTABLE_SIZE,
    .features = RUMPK_FEATURE_CALL(RUMPK_CALL_SEND) | RUMPK_FEATURE_CALL(RUMPK_CALL_RECV) |
                RUMPK_FEATURE_CALL(RUMPK_CALL_MAP) | RUMPK_FEATURE_CALL(RUMPK_CALL_MASK) |
                RUMPK_FEATURE_CALL(RUMPK_CALL_TICK) | RUMPK_FEATURE_CALL(RUMPK_CALL_WAIT) |
                RUMPK_FEATURE_CALL(RUMPK_CALL_EXIT) | RUMPK_FEATURE_CALL(RUMPK_CALL_META) |
                RUMPK_FEATURE_CALL(RUMPK_CALL_PLEDGE),
    .timer_hz = HOST_TIMER_HZ,
    .arch = RUMPK_ARCH,
    .page_size = RUMPK_PAGE_SIZE,
    .core_count = 1,
    .slot_count = RUMPK_SLOT_COUNT,
    .ring_slot_size = RUMPK_RING_SLOT_SIZE,
};

__attribute__((constructor)) static void fill_table(void)
{
    static const npl_call_entry calls[RUMPK_CALL_COUNT] = {
        [RUMPK_CALL_SEND] = call_send, [RUMPK_CALL_RECV] = call_recv,
        [RUMPK_CALL_MAP] = call_map,   [RUMPK_CALL_MASK] = call_mask,
        [RUMPK_CALL_TICK] = call_tick, [RUMPK_CALL_WAIT] = call_wait,
        [RUMPK_CALL_EXIT] = call_exit, [RUMPK_CALL_PLEDGE] = call_pledge,
    };

    for (uint32_t index = 0; index < RUMPK_CALL_COUNT; index++)
        host_systable.calls[index] =
            (uint64_t)(uintptr_t)(calls[index] ? calls[index] : call_absent);
    host_systable.meta = (uint64_t)(uintptr_t)call_meta;
}
