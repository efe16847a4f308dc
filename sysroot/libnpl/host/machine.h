// SPDX-License-Identifier: Apache-2.0
//
// machine.h: the simulated machine's state, shared by machine.c (set-up, scheduling) and kernel.c
// (calls).
//
// Every fiber is a thread, but only the one that holds the baton runs; all state below is its
// holder's.
#ifndef NPL_HOST_MACHINE_H
#define NPL_HOST_MACHINE_H

#include <npl/host.h>
#include <pthread.h>

#define HOST_FIBERS_MAX      16u
#define HOST_OBJECTS_MAX     128u
#define HOST_CHANNELS_MAX    32u
#define HOST_CHAINS_MAX      64u
#define HOST_CHAIN_PARTS_MAX RUMPK_QUEUE_BATCH_MAX
#define HOST_TIMER_HZ        1000000u
#define HOST_CONFIG_MAX      1024u

struct host_chain {
    uint64_t cookie;
    uint32_t part_count;
    uint32_t written;
    bool is_used;
    bool is_done; // waits to be received
    struct host_part parts[HOST_CHAIN_PARTS_MAX];
};

struct host_queue {
    struct host_chain chains[HOST_CHAINS_MAX];
    uint32_t entries_used;
};

// What capabilities name; several slots may name one object.
struct host_object {
    uint32_t type; // RUMPK_CAP_*
    void *memory;  // MEMORY, DMA, RING
    uint64_t size;
    uint32_t shift;
    uint64_t base; // registers: simulated address
    struct host_registers registers;
    struct host_device device; // DEVICE; a QUEUE names the same object
    struct rumpk_device_view view;
    struct host_queue queues[RUMPK_DEVICE_QUEUE_MAX];
    bool is_broken;
    bool (*is_asserted)(void *context); // INTERRUPT: the device's word
    void *line;                         // its context
    struct host_object *messages;       // RING that comes with it
    bool is_armed;                      // unmasked
    uint64_t fired;
    uint32_t producer; // RING: fibers of its ends
    uint32_t consumer;
};

struct host_slot {
    uint32_t type;
    uint32_t rights;
    struct host_object *object;
    uint32_t queue;
    bool is_producer;
    bool is_mapped;
};

struct host_fiber {
    struct host_machine *machine;
    uint32_t number;
    int (*entry)(void);
    pthread_t thread;
    bool is_started;
    bool is_ended;
    bool is_blocked;
    bool is_woken;     // by a ring's other end
    uint64_t deadline; // while blocked
    uint64_t waits;    // slots that are waited for, one bit each
    int64_t code;
    uint64_t calls;
    uint64_t pledge; // what it has not given up
    struct host_slot slots[RUMPK_SLOT_COUNT];
    struct rumpk_cap_info caps[RUMPK_SLOT_COUNT];
    uint32_t cap_count;
    struct rumpk_channel channels[HOST_CHANNELS_MAX];
    uint32_t channel_count;
    char name[RUMPK_NAME_SIZE];
    char config[HOST_CONFIG_MAX];
    uint32_t config_size;
    uint8_t *start; // the start block, laid out when the machine runs
};

struct host_machine {
    uint64_t random;
    uint64_t now;
    uint64_t calls;
    uint64_t limit;
    bool is_stopping;
    uint32_t holder; // fiber with the baton, or HOST_NOBODY: the machine
    pthread_mutex_t lock;
    pthread_cond_t handed_over;
    struct host_fiber fibers[HOST_FIBERS_MAX];
    uint32_t fiber_count;
    struct host_object *objects[HOST_OBJECTS_MAX];
    uint32_t object_count;
};

#define HOST_NOBODY UINT32_MAX // also the kernel's end of a ring

// machine.c
struct host_fiber *host_current(void);
uint64_t host_random(struct host_machine *machine);
void host_block(
    struct host_fiber *fiber); // gives the baton back; returns when it is this fiber's again
_Noreturn void host_end(struct host_fiber *fiber, int64_t code);
struct host_object *host_object_at(uint64_t address);

// kernel.c
extern struct rumpk_systable host_systable;
bool host_queue_has_completion(const struct host_object *object, uint32_t queue);
// Does the interrupt fire? Then its message is published, and it is masked.
bool host_interrupt_step(struct host_machine *machine, struct host_object *object);
bool host_device_step(struct host_machine *machine, struct host_object *object);
void host_ring_wake(struct host_fiber *fiber, const struct host_object *ring);
void host_ring_close(struct host_machine *machine, struct host_object *ring, uint32_t fiber);

// allow.c: RUMPK_OK, E_TYPE or E_RIGHTS for a use of this slot.
int64_t host_send_check(const struct host_slot *slot);
int64_t host_recv_check(const struct host_slot *slot);
int64_t host_wait_check(const struct host_slot *slot);
int64_t host_map_check(const struct host_slot *slot);
int64_t host_device_check(const struct host_slot *memory, uint32_t flags); // in a queue request
bool host_may(const struct host_fiber *fiber, uint64_t classes);           // not pledged away

#endif
