// SPDX-License-Identifier: Apache-2.0
//
// machine.c: sets a simulated machine up and runs its drivers, one at a time.
#include "machine.h"
#include "start_set.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERRUPT_SLOTS   4u
#define INTERRUPT_MOMENTS 1000u
#define REGISTERS_BASE    UINT64_C(0x10000000)
#define REGISTERS_STEP    UINT64_C(0x10000)

// A driver that the machine stops in its sleep leaves what it allocated behind: that is no leak.
__attribute__((weak)) void __lsan_disable(void);

static _Thread_local struct host_fiber *current;

struct host_fiber *host_current(void)
{
    return current;
}

static _Noreturn void misuse(const char *what)
{
    fprintf(stderr, "npl/host.h: %s\n", what);
    abort();
}

// xorshift64*: small, and the same on every machine.
uint64_t host_random(struct host_machine *machine)
{
    machine->random ^= machine->random >> 12;
    machine->random ^= machine->random << 25;
    machine->random ^= machine->random >> 27;
    return machine->random * UINT64_C(0x2545F4914F6CDD1D);
}

struct host_machine *host_machine_new(uint64_t seed)
{
    struct host_machine *machine = calloc(1, sizeof(*machine));

    if (!machine)
        misuse("out of memory");
    machine->random = seed * 2 + 1;
    machine->holder = HOST_NOBODY;
    pthread_mutex_init(&machine->lock, NULL);
    pthread_cond_init(&machine->handed_over, NULL);
    return machine;
}

void host_machine_free(struct host_machine *machine)
{
    for (uint32_t index = 0; index < machine->object_count; index++) {
        free(machine->objects[index]->memory);
        free(machine->objects[index]);
    }
    for (uint32_t index = 0; index < machine->fiber_count; index++)
        free(machine->fibers[index].start);
    pthread_cond_destroy(&machine->handed_over);
    pthread_mutex_destroy(&machine->lock);
    free(machine);
}

// ---- objects, capabilities, wires
// -------------------------------------------------------------------

static struct host_object *object_new(struct host_machine *machine, uint32_t type)
{
    struct host_object *object = calloc(1, sizeof(*object));

    if (!object || machine->object_count == HOST_OBJECTS_MAX)
        misuse("too many objects");
    object->type = type;
    machine->objects[machine->object_count++] = object;
    return object;
}

static void *pages_new(uint64_t size)
{
    size_t bytes = (size_t)((size + RUMPK_PAGE_SIZE - 1) & ~(uint64_t)(RUMPK_PAGE_SIZE - 1));
    void *memory = aligned_alloc(RUMPK_PAGE_SIZE, bytes);

    if (!memory)
        misuse("out of memory");
    memset(memory, 0, bytes);
    return memory;
}

static struct host_fiber *fiber_at(struct host_machine *machine, uint32_t fiber)
{
    if (fiber >= machine->fiber_count)
        misuse("no such fiber");
    return &machine->fibers[fiber];
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);

    if (length >= size)
        misuse("a name is too long");
    memcpy(to, from, length + 1);
}

static struct host_slot *slot_new(struct host_fiber *fiber, const char *name, uint32_t rights,
                                  struct host_object *object, uint32_t type)
{
    uint32_t slot = fiber->cap_count;

    if (slot == RUMPK_SLOT_COUNT)
        misuse("too many capabilities");
    fiber->slots[slot] = (struct host_slot){.type = type, .rights = rights, .object = object};
    fiber->caps[slot] = (struct rumpk_cap_info){
        .slot = slot,
        .type = type,
        .rights = rights,
        .detail = object->shift,
        .size = object->size,
    };
    copy_text(fiber->caps[slot].name, RUMPK_LABEL_SIZE, name);
    fiber->cap_count++;
    return &fiber->slots[slot];
}

uint32_t host_fiber_add(struct host_machine *machine, const char *name, int (*entry)(void))
{
    uint32_t number = machine->fiber_count;

    if (number == HOST_FIBERS_MAX)
        misuse("too many fibers");
    struct host_fiber *fiber = &machine->fibers[number];
    fiber->machine = machine;
    fiber->number = number;
    fiber->entry = entry;
    fiber->pledge = RUMPK_PLEDGE_CLASSES | RUMPK_PLEDGE_SPECTRUM(RUMPK_SPECTRUM_GRAVITY);
    copy_text(fiber->name, sizeof(fiber->name), name);
    machine->fiber_count++;
    return number;
}

void host_fiber_config(struct host_machine *machine, uint32_t fiber, const char *text)
{
    struct host_fiber *owner = fiber_at(machine, fiber);

    copy_text(owner->config, sizeof(owner->config), text);
    owner->config_size = (uint32_t)strlen(text);
}

static uint32_t last_slot(struct host_machine *machine, uint32_t fiber)
{
    return machine->fibers[fiber].cap_count - 1;
}

uint32_t host_cap_memory(struct host_machine *machine, uint32_t fiber, const char *name,
                         uint64_t size, uint32_t rights)
{
    struct host_object *object = object_new(machine, RUMPK_CAP_MEMORY);

    object->memory = pages_new(size);
    object->size = size;
    slot_new(fiber_at(machine, fiber), name, rights, object, RUMPK_CAP_MEMORY);
    return last_slot(machine, fiber);
}

uint32_t host_cap_dma(struct host_machine *machine, uint32_t fiber, const char *name, uint64_t size)
{
    struct host_object *object = object_new(machine, RUMPK_CAP_DMA);

    object->memory = pages_new(size);
    object->size = size;
    slot_new(fiber_at(machine, fiber), name, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_DMA,
             object, RUMPK_CAP_DMA);
    return last_slot(machine, fiber);
}

uint32_t host_cap_registers(struct host_machine *machine, uint32_t fiber, const char *name,
                            const struct host_registers *registers, uint64_t size, uint32_t shift,
                            bool is_ports)
{
    uint32_t type = is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW;
    struct host_object *object = object_new(machine, type);

    object->registers = *registers;
    object->size = size;
    object->shift = shift;
    object->base = is_ports ? machine->object_count * UINT64_C(0x100)
                            : REGISTERS_BASE + machine->object_count * REGISTERS_STEP;
    slot_new(fiber_at(machine, fiber), name, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, object, type);
    return last_slot(machine, fiber);
}

uint32_t host_cap_device(struct host_machine *machine, uint32_t fiber, const char *name,
                         const struct host_device *device)
{
    struct host_object *object = object_new(machine, RUMPK_CAP_DEVICE);
    struct host_fiber *owner = fiber_at(machine, fiber);

    object->device = *device;
    object->view.device_id = device->device_id;
    object->view.features_offered = device->features;
    object->view.queue_count = device->queue_count;
    object->view.config_size = device->config_size;
    memcpy(object->view.config, device->config, sizeof(object->view.config));
    slot_new(owner, name, RUMPK_RIGHT_READ | RUMPK_RIGHT_CONTROL, object, RUMPK_CAP_DEVICE);
    uint32_t slot = last_slot(machine, fiber);
    for (uint32_t queue = 0; queue < device->queue_count; queue++) {
        object->view.queue_entries[queue] = device->queue_entries;
        struct host_slot *queue_slot =
            slot_new(owner, name, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, object, RUMPK_CAP_QUEUE);

        queue_slot->queue = queue;
        owner->caps[owner->cap_count - 1].detail = queue;
        owner->caps[owner->cap_count - 1].size = device->queue_entries;
    }
    return slot;
}

uint32_t host_cap_interrupt(struct host_machine *machine, uint32_t fiber, const char *name,
                            bool (*is_asserted)(void *context), void *context)
{
    struct host_object *line = object_new(machine, RUMPK_CAP_INTERRUPT);
    struct host_object *ring = object_new(machine, RUMPK_CAP_RING);
    struct host_fiber *owner = fiber_at(machine, fiber);

    line->is_asserted = is_asserted;
    line->line = context;
    line->messages = ring;
    ring->memory = host_ring_new(INTERRUPT_SLOTS);
    ring->size = ((struct rumpk_ring_header *)ring->memory)->size;
    ring->producer = HOST_NOBODY;
    ring->consumer = fiber;
    slot_new(owner, name, RUMPK_RIGHT_CONTROL, line, RUMPK_CAP_INTERRUPT);
    slot_new(owner, name, RUMPK_RIGHT_READ, ring, RUMPK_CAP_RING);
    return last_slot(machine, fiber) - 1;
}

void *host_ring_new(uint32_t slots)
{
    uint64_t size = RUMPK_RING_PRODUCER_OFFSET + RUMPK_RING_SLOTS_OFFSET +
                    (uint64_t)slots * RUMPK_RING_SLOT_SIZE;
    struct rumpk_ring_header *header = pages_new(size);

    header->magic = RUMPK_RING_MAGIC;
    header->slot_size = RUMPK_RING_SLOT_SIZE;
    header->slot_count = slots;
    header->size = (size + RUMPK_PAGE_SIZE - 1) & ~(uint64_t)(RUMPK_PAGE_SIZE - 1);
    return header;
}

static void wire_ring(struct host_machine *machine, const char *service, uint32_t producer,
                      uint32_t consumer, uint32_t slots, uint32_t *producer_slot,
                      uint32_t *consumer_slot)
{
    struct host_object *object = object_new(machine, RUMPK_CAP_RING);

    object->memory = host_ring_new(slots);
    object->size = ((struct rumpk_ring_header *)object->memory)->size;
    object->producer = producer;
    object->consumer = consumer;
    slot_new(fiber_at(machine, producer), service, RUMPK_RIGHT_WRITE, object, RUMPK_CAP_RING)
        ->is_producer = true;
    *producer_slot = last_slot(machine, producer);
    slot_new(fiber_at(machine, consumer), service, RUMPK_RIGHT_READ, object, RUMPK_CAP_RING);
    *consumer_slot = last_slot(machine, consumer);
}

static void channel_new(struct host_machine *machine, uint32_t fiber, const char *service,
                        const struct rumpk_channel *model, uint32_t peer)
{
    struct host_fiber *owner = fiber_at(machine, fiber);

    if (owner->channel_count == HOST_CHANNELS_MAX)
        misuse("too many channels");
    struct rumpk_channel *channel = &owner->channels[owner->channel_count++];
    *channel = *model;
    copy_text(channel->service, RUMPK_LABEL_SIZE, service);
    copy_text(channel->peer, RUMPK_NAME_SIZE, fiber_at(machine, peer)->name);
}

void host_wire_stream(struct host_machine *machine, const char *service, uint32_t client,
                      uint32_t server, uint32_t slots)
{
    struct rumpk_channel ends[2] = {
        {.role = RUMPK_ROLE_CLIENT,
         .style = RUMPK_STYLE_STREAM,
         .id = RUMPK_CHANNEL_FIRST_FREE,
         .reply_slot = RUMPK_SLOT_NONE,
         .arena_slot = RUMPK_SLOT_NONE},
    };

    ends[1] = ends[0];
    ends[1].role = RUMPK_ROLE_SERVER;
    wire_ring(machine, service, client, server, slots, &ends[0].request_slot,
              &ends[1].request_slot);
    channel_new(machine, client, service, &ends[0], server);
    channel_new(machine, server, service, &ends[1], client);
}

void host_wire_service(struct host_machine *machine, const struct host_service_wire *wire)
{
    struct rumpk_channel ends[2] = {
        {.role = RUMPK_ROLE_CLIENT,
         .style = RUMPK_STYLE_SERVICE,
         .id = RUMPK_CHANNEL_FIRST_FREE,
         .arena_count = wire->buffer_count,
         .arena_size = wire->buffer_size},
    };
    struct host_object *arena = object_new(machine, RUMPK_CAP_MEMORY);
    uint32_t rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;

    ends[1] = ends[0];
    ends[1].role = RUMPK_ROLE_SERVER;
    wire_ring(machine, wire->service, wire->client, wire->server, wire->slots,
              &ends[0].request_slot, &ends[1].request_slot);
    wire_ring(machine, wire->service, wire->server, wire->client, wire->slots, &ends[1].reply_slot,
              &ends[0].reply_slot);
    arena->size = (uint64_t)wire->buffer_count * wire->buffer_size;
    arena->memory = pages_new(arena->size);
    slot_new(fiber_at(machine, wire->client), wire->service, rights, arena, RUMPK_CAP_MEMORY);
    ends[0].arena_slot = last_slot(machine, wire->client);
    slot_new(fiber_at(machine, wire->server), wire->service,
             rights | (wire->is_dma ? RUMPK_RIGHT_DMA : 0), arena, RUMPK_CAP_MEMORY);
    ends[1].arena_slot = last_slot(machine, wire->server);
    channel_new(machine, wire->client, wire->service, &ends[0], wire->server);
    channel_new(machine, wire->server, wire->service, &ends[1], wire->client);
}

void host_epoch_raise(struct host_machine *machine, uint32_t client, uint32_t server)
{
    for (uint32_t index = 0; index < machine->object_count; index++) {
        struct host_object *object = machine->objects[index];
        bool is_theirs = (object->producer == client && object->consumer == server) ||
                         (object->producer == server && object->consumer == client);

        if (object->type != RUMPK_CAP_RING || !is_theirs)
            continue;
        struct rumpk_ring_header *header = object->memory;
        __atomic_fetch_add(&header->epoch, 1, __ATOMIC_RELEASE);
        host_ring_wake(&machine->fibers[client], object);
        host_ring_wake(&machine->fibers[server], object);
    }
}

// ---- start blocks
// ------------------------------------------------------------------------------------

void host_start_set(const struct rumpk_start *start)
{
    npl_start_set(start);
}

static void start_layout(struct host_fiber *fiber)
{
    struct rumpk_start start = {
        .magic = RUMPK_START_MAGIC,
        .systable = (uint64_t)(uintptr_t)&host_systable,
        .abi_version = RUMPK_ABI_VERSION,
        .fiber = fiber->number,
        .spectrum = RUMPK_SPECTRUM_GRAVITY,
        .cap_count = fiber->cap_count,
        .caps_offset = sizeof(start),
        .channel_count = fiber->channel_count,
        .config_size = fiber->config_size,
    };

    start.channels_offset =
        start.caps_offset + fiber->cap_count * (uint32_t)sizeof(struct rumpk_cap_info);
    start.config_offset =
        start.channels_offset + fiber->channel_count * (uint32_t)sizeof(struct rumpk_channel);
    start.size = start.config_offset + fiber->config_size;
    memcpy(start.name, fiber->name, sizeof(start.name));
    fiber->start = calloc(1, start.size);
    if (!fiber->start)
        misuse("out of memory");
    memcpy(fiber->start, &start, sizeof(start));
    memcpy(fiber->start + start.caps_offset, fiber->caps,
           fiber->cap_count * sizeof(struct rumpk_cap_info));
    memcpy(fiber->start + start.channels_offset, fiber->channels,
           fiber->channel_count * sizeof(struct rumpk_channel));
    memcpy(fiber->start + start.config_offset, fiber->config, fiber->config_size);
}

// ---- the baton
// -----------------------------------------------------------------------------------------

static void hand_over(struct host_machine *machine, uint32_t to)
{
    machine->holder = to;
    pthread_cond_broadcast(&machine->handed_over);
}

static void await(struct host_machine *machine, uint32_t self)
{
    while (machine->holder != self)
        pthread_cond_wait(&machine->handed_over, &machine->lock);
}

void host_block(struct host_fiber *fiber)
{
    struct host_machine *machine = fiber->machine;

    pthread_mutex_lock(&machine->lock);
    hand_over(machine, HOST_NOBODY);
    await(machine, fiber->number);
    pthread_mutex_unlock(&machine->lock);
    if (machine->is_stopping)
        pthread_exit(NULL);
}

void host_end(struct host_fiber *fiber, int64_t code)
{
    struct host_machine *machine = fiber->machine;

    fiber->is_ended = true;
    fiber->code = code;
    for (uint32_t index = 0; index < machine->object_count; index++)
        host_ring_close(machine, machine->objects[index], fiber->number);
    pthread_exit(NULL);
}

// A thread that ends gives the baton back, however it ends.
static void thread_ended(void *argument)
{
    struct host_fiber *fiber = argument;

    pthread_mutex_lock(&fiber->machine->lock);
    fiber->is_started = false;
    hand_over(fiber->machine, HOST_NOBODY);
    pthread_mutex_unlock(&fiber->machine->lock);
}

static void *thread_main(void *argument)
{
    struct host_fiber *fiber = argument;

    if (__lsan_disable)
        __lsan_disable();
    current = fiber;
    pthread_cleanup_push(thread_ended, fiber);
    pthread_mutex_lock(&fiber->machine->lock);
    await(fiber->machine, fiber->number);
    pthread_mutex_unlock(&fiber->machine->lock);
    if (!fiber->machine->is_stopping) {
        npl_start_set((const struct rumpk_start *)(void *)fiber->start);
        host_end(fiber, fiber->entry());
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void run_fiber(struct host_machine *machine, struct host_fiber *fiber)
{
    pthread_mutex_lock(&machine->lock);
    hand_over(machine, fiber->number);
    await(machine, HOST_NOBODY);
    pthread_mutex_unlock(&machine->lock);
}

// ---- scheduling
// ------------------------------------------------------------------------------------------

static bool is_runnable(const struct host_fiber *fiber)
{
    if (!fiber->is_started)
        return false;
    if (!fiber->is_blocked || fiber->is_woken || fiber->deadline <= fiber->machine->now)
        return true;
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        if ((fiber->waits >> slot & 1) &&
            host_queue_has_completion(fiber->slots[slot].object, fiber->slots[slot].queue))
            return true;
    }
    return false;
}

static struct host_fiber *choose(struct host_machine *machine)
{
    if (machine->fiber_count == 0)
        return NULL;
    uint32_t first = (uint32_t)(host_random(machine) >> 32) % machine->fiber_count;

    for (uint32_t step = 0; step < machine->fiber_count; step++) {
        struct host_fiber *fiber = &machine->fibers[(first + step) % machine->fiber_count];

        if (is_runnable(fiber))
            return fiber;
    }
    return NULL;
}

static bool devices_step(struct host_machine *machine)
{
    for (uint32_t index = 0; index < machine->object_count; index++) {
        if (host_device_step(machine, machine->objects[index]) ||
            host_interrupt_step(machine, machine->objects[index]))
            return true;
    }
    return false;
}

// Nobody can run: the devices whose interrupts are unmasked get a while to ask for attention.
static bool interrupts_step(struct host_machine *machine)
{
    for (uint32_t index = 0; index < machine->object_count; index++) {
        for (uint32_t moment = 0; moment < INTERRUPT_MOMENTS; moment++) {
            if (host_interrupt_step(machine, machine->objects[index]))
                return true;
        }
    }
    return false;
}

// Nobody can run: lets time pass to the next deadline. False when there is none.
static bool time_step(struct host_machine *machine)
{
    uint64_t next = RUMPK_FOREVER;

    for (uint32_t index = 0; index < machine->fiber_count; index++) {
        const struct host_fiber *fiber = &machine->fibers[index];

        if (fiber->is_started && fiber->is_blocked && fiber->deadline < next)
            next = fiber->deadline;
    }
    if (next != RUMPK_FOREVER)
        machine->now = next;
    return next != RUMPK_FOREVER;
}

bool host_run(struct host_machine *machine, uint64_t limit)
{
    machine->limit = limit;
    for (uint32_t index = 0; index < machine->fiber_count; index++) {
        struct host_fiber *fiber = &machine->fibers[index];

        start_layout(fiber);
        fiber->is_started = true;
        if (pthread_create(&fiber->thread, NULL, thread_main, fiber) != 0)
            misuse("cannot start a thread");
    }
    while (machine->calls < limit) {
        // Devices work beside the drivers: now and then one request completes.
        if (host_random(machine) % 4 == 0)
            (void)devices_step(machine);
        struct host_fiber *fiber = choose(machine);

        if (fiber)
            run_fiber(machine, fiber);
        else if (!devices_step(machine) && !interrupts_step(machine) && !time_step(machine))
            break;
    }
    machine->is_stopping = true;
    for (uint32_t index = 0; index < machine->fiber_count; index++) {
        struct host_fiber *fiber = &machine->fibers[index];

        if (fiber->is_started)
            run_fiber(machine, fiber);
        pthread_join(fiber->thread, NULL);
    }
    return machine->calls < limit;
}

bool host_fiber_ended(const struct host_machine *machine, uint32_t fiber, int64_t *code)
{
    if (code)
        *code = machine->fibers[fiber].code;
    return machine->fibers[fiber].is_ended;
}

uint64_t host_calls(const struct host_machine *machine)
{
    return machine->calls;
}
