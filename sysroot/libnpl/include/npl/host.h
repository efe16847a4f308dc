// SPDX-License-Identifier: Apache-2.0
//
// host.h: a simulated kernel, so that a driver is tested on the workstation with sanitizers.
//
// A test makes a machine, adds drivers ("fibers", each given its npl_main under another name),
// gives them capabilities, wires their services, and runs the machine until every driver has ended
// or sleeps for good. Time is simulated and only one driver runs at a time: the same seed gives the
// same run.
//
//   struct host_machine *machine = host_machine_new(1);
//   uint32_t uart = host_fiber_add(machine, "rumpk/uart", uart_main);
//   uint32_t hello = host_fiber_add(machine, "local/hello", hello_main);
//   host_wire_stream(machine, "console", hello, uart, 16);
//   host_run(machine);
//
// The simulated kernel is strict where the real one may be kind: a sleeping end of a ring is woken
// only by `send`, never because its ring filled; device requests complete late and out of order;
// calls are checked as rumpk/call.h says, rights and pledges too. It does not isolate: a wild
// pointer is the sanitizer's to find. Grants are not simulated: grant, revoke, spawn and checkpoint
// return RUMPK_E_UNSUPPORTED and are absent from npl_meta_features(); tests of them run in the
// emulator (test/kernel). No budget is kept: time passes by calls.
#ifndef NPL_HOST_H
#define NPL_HOST_H

#if !defined(NPL_HOST)
#error \
    "npl/host.h belongs to tests on the workstation: compile with -DNPL_HOST=1 and the host libnpl"
#endif

#include <rumpk/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct host_machine;

struct host_machine *host_machine_new(uint64_t seed);
void host_machine_free(struct host_machine *machine);

// A driver: runs `entry` as npl_main when the machine runs. Its number, from 0.
uint32_t host_fiber_add(struct host_machine *machine, const char *name, int (*entry)(void));
void host_fiber_config(struct host_machine *machine, uint32_t fiber, const char *text);

// Runs until nothing can happen any more. False when `limit` calls did not suffice: a driver that
// never sleeps. May be called once.
bool host_run(struct host_machine *machine, uint64_t limit);

// After the run. Has the driver ended itself, and with which code?
bool host_fiber_ended(const struct host_machine *machine, uint32_t fiber, int64_t *code);
uint64_t host_calls(const struct host_machine *machine);

// ---- capabilities: each returns its slot, for use in tests
// ----------------------------------------------

uint32_t host_cap_memory(struct host_machine *machine, uint32_t fiber, const char *name,
                         uint64_t size, uint32_t rights);
uint32_t host_cap_dma(struct host_machine *machine, uint32_t fiber, const char *name,
                      uint64_t size);

// Registers. `offset` counts bytes from the first register; `width` is 1 or 4.
struct host_registers {
    uint32_t (*read)(void *context, uint64_t offset, uint32_t width);
    void (*write)(void *context, uint64_t offset, uint32_t width, uint32_t value);
    void *context;
};
uint32_t host_cap_registers(struct host_machine *machine, uint32_t fiber, const char *name,
                            const struct host_registers *registers, uint64_t size, uint32_t shift,
                            bool is_ports);

// The interrupt of a device, as a grant with interrupt=#true gives it: an INTERRUPT and the ring of
// its messages, both called `name`. `is_asserted` tells the line's level; each question lets a
// moment pass for the device. Returns the slot of the INTERRUPT; the ring's is the next.
uint32_t host_cap_interrupt(struct host_machine *machine, uint32_t fiber, const char *name,
                            bool (*is_asserted)(void *context), void *context);

// A part of a request as the device sees it.
struct host_part {
    uint8_t *bytes;
    uint32_t length;
    bool device_writes;
};

#define HOST_DEVICE_BREAKS UINT32_MAX
#define HOST_DEVICE_LATER  (UINT32_MAX - 1) // has nothing for this queue yet

struct host_device {
    uint32_t device_id;
    uint64_t features; // offered
    uint32_t queue_count;
    uint32_t queue_entries;
    uint8_t config[RUMPK_DEVICE_CONFIG_MAX];
    uint32_t config_size;
    // Serves one chain when it is its turn: bytes written, HOST_DEVICE_BREAKS or HOST_DEVICE_LATER.
    // The chains of one queue are served in any order.
    uint32_t (*serve)(void *context, uint32_t queue, const struct host_part *parts, uint32_t count);
    void *context;
};
uint32_t host_cap_device(struct host_machine *machine, uint32_t fiber, const char *name,
                         const struct host_device *device);

// ---- wires
// -----------------------------------------------------------------------------------------------

void host_wire_stream(struct host_machine *machine, const char *service, uint32_t client,
                      uint32_t server, uint32_t slots);

struct host_service_wire {
    const char *service;
    uint32_t client;
    uint32_t server;
    uint32_t slots;
    uint32_t buffer_count;
    uint32_t buffer_size;
    bool is_dma; // the server may name the arena in queue requests
};
void host_wire_service(struct host_machine *machine, const struct host_service_wire *wire);

// ---- for tests of libnpl itself
// ------------------------------------------------------------------------------

// A fresh ring of this many slots, as the kernel would make it. Freed with free().
void *host_ring_new(uint32_t slots);

// Uses another SysTable in this thread; null: the simulated kernel's.
void host_systable_set(const struct rumpk_systable *table);

// Makes `start` the start block of this thread, without a machine.
void host_start_set(const struct rumpk_start *start);

// The restart of one end: raises the epoch of both rings of the service wired between the two.
void host_epoch_raise(struct host_machine *machine, uint32_t client, uint32_t server);

// ---- a disk
// ----------------------------------------------------------------------------------------------------

#define HOST_DISK_SERIAL "RUMPK-HOST-DISK"

struct host_disk {
    uint8_t *bytes;
    uint64_t size; // bytes, a multiple of 512
    bool is_read_only;
    bool is_torn;         // completes reads without writing all of the data
    uint64_t bad_sector;  // reports an error for requests that touch it; UINT64_MAX: none
    uint64_t serve_max;   // breaks the protocol after this many requests; UINT64_MAX: never
    uint32_t segment_max; // 0: not offered
    uint64_t served;
    uint64_t flushes;
};

// The device model of a virtio disk over `disk`.
void host_disk_device(struct host_disk *disk, struct host_device *device);

#ifdef __cplusplus
}
#endif

#endif
