// SPDX-License-Identifier: Apache-2.0
//
// call.h: the calls that this kernel offers, their arguments, results and faults.
//
// All arguments are 64-bit words in the C calling convention of the architecture; the result is int64_t:
// zero or positive, or a negative rumpk_result. Every pointer argument must be aligned for its structure
// and lie in memory that the caller may itself access in that way: anything else is a POINTER fault.
// Times are ticks of systable.timer_hz since kernel entry; a deadline is absolute; RUMPK_NOW polls,
// RUMPK_FOREVER never expires. A call whose feature bit is clear returns RUMPK_E_UNSUPPORTED; an operation of
// mask, tick or meta that this kernel does not know, RUMPK_E_ARGUMENT.
#ifndef RUMPK_CALL_H
#define RUMPK_CALL_H

#include <rumpk/base.h>

#define RUMPK_NOW UINT64_C(0)
#define RUMPK_FOREVER UINT64_MAX

// send(slot, requests, count)
//   RING   requests = count = 0: wake the other end if it sleeps. 0. E_PEER when it is gone for good.
//   QUEUE  requests: `count` (1..RUMPK_QUEUE_BATCH_MAX) rumpk_queue_request. All are checked before any is
//          given to the device: the whole batch is accepted or none of it. Returns count. Codes: E_ARGUMENT
//          (count, unknown flags, last request chained, empty chain), E_SLOT, E_TYPE, E_RIGHTS (a memory slot
//          without DMA), E_BOUNDS (offset + length outside it), E_FULL, E_STATE (device not negotiated, or the
//          queue is granted to somebody), E_DEVICE. Data must stay in place until the completion is received.
#define RUMPK_QUEUE_BATCH_MAX 32u

#define RUMPK_QUEUE_DEVICE_WRITES 0x1u  // the device writes this part; else it reads it
#define RUMPK_QUEUE_CHAINED 0x2u        // the next request of the batch continues this buffer

struct rumpk_queue_request {
    uint32_t memory_slot;  // DMA, or MEMORY with RUMPK_RIGHT_DMA
    uint32_t flags;        // RUMPK_QUEUE_*
    uint64_t offset;       // bytes from the start of that memory
    uint32_t length;       // bytes, 1..2^31
    uint32_t reserved;     // zero
    uint64_t cookie;       // returned with the completion; that of the first part of a chain counts
};
RUMPK_ASSERT_SIZE(rumpk_queue_request, 32);
RUMPK_ASSERT_OFFSET(rumpk_queue_request, cookie, 24);

// recv(slot, out, count, deadline)
//   RING   out = count = 0: sleep until the consumer has something to take or the producer has room.
//          Returns slots available (> 0). E_TIMEOUT, E_PEER (other end gone and ring drained), E_EPOCH.
//   QUEUE  sleep until at least one completion; stores up to `count` (1..32); returns how many.
//          E_TIMEOUT, E_DEVICE (the device broke its protocol and was reset), E_STATE (not negotiated; the queue is
//          granted to somebody; once: another user of the device made it drop what this one had asked for).
struct rumpk_queue_completion {
    uint64_t cookie;
    uint32_t written;   // bytes that the device wrote, clamped to what it was allowed to write
    uint32_t reserved;  // zero
};
RUMPK_ASSERT_SIZE(rumpk_queue_completion, 16);

// map(slot, flags = 0)
//   Makes the object accessible and returns its address: MEMORY, DMA (readable, writable, never executable),
//   RING (the ring header), WINDOW (registers), PORTS (the first port number; opens the range),
//   DEVICE (a read-only rumpk_device_view, refreshed by each map). Mapping again returns the same address.
//   E_SLOT, E_STALE, E_TYPE, E_ARGUMENT, E_RIGHTS, E_SHARED_PAGE (WINDOW), E_LIMIT (PORTS), E_PLEDGE.
#define RUMPK_DEVICE_CONFIG_MAX 256u
#define RUMPK_DEVICE_QUEUE_MAX 8u
#define RUMPK_QUEUE_ENTRIES_MAX 64u

struct rumpk_device_view {
    uint32_t device_id;          // virtio device id (virtio 1.2, section 5)
    uint32_t vendor_id;
    uint32_t status;             // virtio device status as last read
    uint32_t generation;         // configuration generation of `config`
    uint64_t features_offered;
    uint64_t features_accepted;  // zero until negotiated
    uint32_t queue_count;
    uint32_t config_size;        // valid bytes of `config`
    uint32_t queue_entries[RUMPK_DEVICE_QUEUE_MAX];
    uint8_t reserved[56];
    uint8_t config[RUMPK_DEVICE_CONFIG_MAX];  // device-specific configuration, little-endian
};
RUMPK_ASSERT_SIZE(rumpk_device_view, 384);
RUMPK_ASSERT_OFFSET(rumpk_device_view, features_offered, 16);
RUMPK_ASSERT_OFFSET(rumpk_device_view, queue_entries, 40);
RUMPK_ASSERT_OFFSET(rumpk_device_view, config, 128);

// mask(slot, operation, value)
//   RIGHTS    keep only the rights in `value`; never adds any. Works on every type. What is mapped follows at once.
//             E_SLOT, E_STALE.
//   FEATURES  DEVICE with CONTROL: reset the device, accept exactly the feature bits `value`, set up its queues
//             in kernel memory and start it. E_ARGUMENT when `value` asks for bits that the device does not
//             offer or lacks VIRTIO_F_VERSION_1 (bit 32); E_DEVICE when the device refuses.
//   IRQ_UNMASK  INTERRUPT with CONTROL, value 0: the line may fire again. A line that fires too often is held back by
//             the kernel for a while all the same. As long as a fiber waits on the ring of an unmasked line, the
//             machine is not idle for good.
//   IRQ_MASK  INTERRUPT with CONTROL, value 0: the line does not fire any more.
//   FEATURES, IRQ_UNMASK, IRQ_MASK: E_STATE while it is granted to somebody.
#define RUMPK_MASK_RIGHTS 0u
#define RUMPK_MASK_FEATURES 1u
#define RUMPK_MASK_IRQ_UNMASK 2u
#define RUMPK_MASK_IRQ_MASK 3u

// tick(operation)
//   NOW  ticks since kernel entry.
#define RUMPK_TICK_NOW 0u

// wait(slots, count, deadline)
//   count = 0, deadline = RUMPK_NOW: let others run, return 0. count = 0 with a deadline: sleep until then,
//   return E_TIMEOUT. Else: `slots` is count (1..RUMPK_WAIT_MAX) uint32_t slots of RING ends or QUEUEs; returns
//   the index of the first that is ready (or whose peer is gone), or E_TIMEOUT; E_STATE: a queue is granted to
//   somebody.
#define RUMPK_WAIT_MAX 64u

// grant(slot, ring, rights, offset, length)
//   Gives the fiber at the other end of `ring` (a slot of a RING end, any channel of the caller) a capability
//   derived from `slot`. Returns its slot number there, which the caller sends as a message of its own; the
//   receiver learns by meta(CAP) what it is and which of its rings it came through, and believes only that.
//   rights  RUMPK_RIGHT_*, not zero, a part of those of `slot`; GRANT among them lets the receiver grant on.
//   offset, length  MEMORY, DMA: bytes, multiples of the page size, inside the object; length 0: up to its end.
//           Other types: both zero.
//   MEMORY, DMA, WINDOW, PORTS, SPAWN and DEVICE without CONTROL are shared. RING, INTERRUPT, QUEUE and DEVICE with
//   CONTROL move to the receiver until they are taken back; their holder does not use them meanwhile (of all but a
//   RING a use is E_STATE). An INTERRUPT arrives masked, and is masked when it comes back; a QUEUE arrives as it was
//   negotiated, and the device is reset if it comes back with a request at the device; a DEVICE comes back reset.
//   E_SLOT, E_STALE (either slot), E_TYPE (`ring` is no RING), E_ARGUMENT, E_RIGHTS (`slot` lacks GRANT or a right
//   that is given; `ring` was narrowed to nothing), E_STATE (it moves and is granted already; a QUEUE with requests
//   that are not collected), E_BOUNDS, E_PEER (nobody at the other end), E_LIMIT (the
//   receiver's slots are full, or RUMPK_GRANTS_PER_RING_MAX of them came through this ring and are not emptied
//   yet, or `slot` is RUMPK_DERIVATION_DEPTH_MAX steps from the boot manifest), E_MEMORY, E_PLEDGE.
//
// spawn(slot, flags = 0)
//   SPAWN: starts the package that it names. It was verified, placed and connected at boot; image.kdl says
//   `on-demand "package"` for it and so names the one that holds this capability. Returns the number of its fiber.
//   E_SLOT, E_STALE, E_TYPE, E_ARGUMENT, E_RIGHTS (without CONTROL), E_STATE (it was started already, or refused
//   at boot or now, when it is verified once more: the ledger says why), E_PLEDGE.
//
// revoke(slot, flags)
//   Takes back everything that was ever granted from `slot`, directly or on and on; with RUMPK_REVOKE_SELF the
//   slot itself is emptied too (also a stale one): an end of a ring closes or goes back to whom it came from, an
//   interrupt is masked, a device is reset; what was granted to the caller goes back.
//   Returns how many derived capabilities were taken back. When it returns, no page of theirs is
//   mapped (an access is a READ or WRITE fault), calls on them return E_STALE, whoever slept on one has been
//   released with E_STALE, and a device that still had a request in that memory was reset (its driver gets
//   E_STATE): whoever lets a device use memory that a client granted trusts the client that far.
//   At most 10,000 instructions for each capability taken back (at most 4,095), 60 for each page it had mapped and
//   5,000 for each queue of a device that still had requests for its holder, in steps between which others run.
//   E_SLOT, E_STALE (without SELF), E_ARGUMENT (unknown flags). Always possible, whatever was pledged.
#define RUMPK_REVOKE_SELF UINT64_C(1)

// pledge(word)
//   Keeps only the classes of calls in `word`, for ever: RUMPK_PLEDGE_*. Bits 63 and 62 hold the spectrum as
//   3 - RUMPK_SPECTRUM_*, so that clearing bits never makes it stricter; both bits set: as it is. A call of a class
//   that is given up returns E_PLEDGE before anything else is looked at. mask(RIGHTS), tick, revoke, pledge, wait,
//   exit and meta belong to no class. RPATH, WPATH and INET are kept for services; no call of this kernel asks for
//   them. Returns 0; meta(SELF) tells what is left.
#define RUMPK_PLEDGE_STDIO UINT64_C(0x01)    // send, recv
#define RUMPK_PLEDGE_RPATH UINT64_C(0x02)
#define RUMPK_PLEDGE_WPATH UINT64_C(0x04)
#define RUMPK_PLEDGE_INET UINT64_C(0x08)
#define RUMPK_PLEDGE_EXEC UINT64_C(0x10)     // spawn
#define RUMPK_PLEDGE_MAP UINT64_C(0x20)      // map
#define RUMPK_PLEDGE_GRANT UINT64_C(0x40)    // grant
#define RUMPK_PLEDGE_STATE UINT64_C(0x80)    // checkpoint
#define RUMPK_PLEDGE_CONTROL UINT64_C(0x100) // mask of a device or an interrupt
#define RUMPK_PLEDGE_CLASSES UINT64_C(0x3FFFFFFFFFFFFFFF)
#define RUMPK_PLEDGE_SPECTRUM(spectrum) ((UINT64_C(3) - (spectrum)) << 62)
#define RUMPK_PLEDGE_SPECTRUM_OF(word) ((uint32_t)(UINT64_C(3) - ((word) >> 62)))

// checkpoint(pointer, size)
//   Hands the kernel `size` (1..RUMPK_CHECKPOINT_MAX) bytes of state. They replace what was handed over before only
//   when all of them are in: two copies are kept and written in turn, each with a digest over its number and bytes.
//   Returns that number, counted from 1; meta(FIBER) tells it later. A restarted instance finds the last good one at
//   start.checkpoint_base; restart itself is not in this release. The first call and the second take memory
//   for good: E_MEMORY
//   when there is none. E_ARGUMENT (size), E_PLEDGE.
#define RUMPK_CHECKPOINT_MAX 32768u

// exit(code): ends this fiber; does not return. The code is recorded.

// meta(operation, out, size, index)
//   VERSION   RUMPK_ABI_VERSION of the kernel.
//   FEATURES  feature bits.
//   START     address of the caller's start block.
//   Each of the following stores one structure at `out`; `size` must be its size, else E_ARGUMENT. A package that its
//   image's owner permits to observe may ask about others; for all others that is E_RIGHTS.
//   SELF      rumpk_meta_self.
//   CAP       rumpk_meta_cap of the caller's slot `index`, also of a stale one; of another fiber's with
//             RUMPK_META_OF(fiber) added. E_SLOT; E_BOUNDS: no such fiber.
//   FIBER     rumpk_meta_fiber of fiber number `index`. E_BOUNDS: no such fiber.
//   RING      rumpk_meta_ring of the ring in the caller's slot `index`. E_SLOT, E_STALE, E_TYPE.
//   BOOT      rumpk_boot_record (ledger.h): how long each stage took, and the memory. Observers only.
//   LEDGER    rumpk_ledger_record number `index`: faults, exits, refusals; those about the caller need no
//             permission. E_BOUNDS: not written yet.
//   CORE      rumpk_meta_core: what the core has done since boot. Observers only.
//   RUN       rumpk_meta_run: the caller's use of the processor.
//   WAKE      rumpk_meta_wake of fiber number `index`: how long its wake-ups took. E_BOUNDS: no such fiber.
#define RUMPK_META_VERSION 0u
#define RUMPK_META_FEATURES 1u
#define RUMPK_META_START 2u
#define RUMPK_META_SELF 3u
#define RUMPK_META_CAP 4u
#define RUMPK_META_FIBER 5u
#define RUMPK_META_RING 6u
#define RUMPK_META_BOOT 7u
#define RUMPK_META_LEDGER 8u
#define RUMPK_META_CORE 9u
#define RUMPK_META_RUN 10u
#define RUMPK_META_WAKE 11u
#define RUMPK_META_OF(fiber) (((uint64_t)(fiber) + 1u) << 32)

struct rumpk_meta_self {
    uint32_t fiber;
    uint32_t spectrum;
    uint64_t calls;     // calls made so far, this one included
    uint64_t switches;  // times this fiber was switched to
    uint64_t pledge;    // what it has not given up: RUMPK_PLEDGE_*
};
RUMPK_ASSERT_SIZE(rumpk_meta_self, 32);

struct rumpk_meta_cap {
    uint32_t type;     // enum rumpk_cap_type
    uint32_t rights;   // RUMPK_RIGHT_*
    uint32_t state;    // RUMPK_CAP_STATE_*
    uint32_t depth;    // grants between the boot manifest and this slot
    uint32_t through;  // slot of the caller's ring end that it was granted through, or RUMPK_SLOT_NONE
    uint32_t derived;  // capabilities granted directly from this one and not taken back
    uint64_t size;     // MEMORY, DMA: bytes
};
RUMPK_ASSERT_SIZE(rumpk_meta_cap, 32);

#define RUMPK_CAP_STATE_LIVE 0x1u
#define RUMPK_CAP_STATE_MAPPED 0x2u

struct rumpk_meta_core {
    uint64_t timer_interrupts;
    uint64_t interrupts;    // of devices
    uint64_t preemptions;   // times a stricter fiber took the processor from a looser one
    uint64_t slices;        // times a fiber went to the end of its queue because its slice was used up
    uint64_t storms;        // times an interrupt line was held back for firing too often
    uint64_t waits;         // times the core went to sleep
    uint64_t quiet_longest; // ticks: the longest stretch since the first fiber ran in which an interrupt had to wait
    uint64_t points;        // times long kernel work in a fiber's name was interrupted for another fiber
};
RUMPK_ASSERT_SIZE(rumpk_meta_core, 64);

struct rumpk_meta_run {
    uint64_t run_ticks;  // how long the caller has had the processor so far
    uint32_t strikes;    // that are not forgotten yet
    uint32_t slices;     // used up since it last called recv or wait
    uint64_t budget;     // ticks that it may use in a window of 100 ms in its own spectrum; 0: no limit
    uint32_t throttled;  // windows in which that was used up before they ended
    uint32_t lent;       // RUMPK_SPECTRUM_* that a sleeping client lends it, plus 1; 0: none
};
RUMPK_ASSERT_SIZE(rumpk_meta_run, 32);

// How long a fiber had to wait for the processor after a wake-up was due: after its deadline, or after a peer's call
// or an interrupt had made it ready. Buckets 0..3 count waits of so many ticks; from 4 ticks on there are four for each
// power of two: bucket b begins at (4 + b % 4) << (b / 4 - 1) ticks. The last one counts all longer waits too.
#define RUMPK_WAKE_BUCKETS 80u

struct rumpk_meta_wake {
    uint64_t count;
    uint64_t longest;  // ticks
    uint32_t buckets[RUMPK_WAKE_BUCKETS];
};
RUMPK_ASSERT_SIZE(rumpk_meta_wake, 336);

// X(name, value, sentence)
#define RUMPK_FIBER_STATES(X) \
    X(NEW, 1, "loaded, not started") \
    X(READY, 2, "could run") \
    X(RUNNING, 3, "runs") \
    X(WAITING, 4, "sleeps in a call") \
    X(ENDED, 5, "has ended: the ledger says why")

enum rumpk_fiber_state {
#define RUMPK_FIBER_STATE_ENUM(name, value, sentence) RUMPK_FIBER_STATE_##name = (value),
    RUMPK_FIBER_STATES(RUMPK_FIBER_STATE_ENUM)
#undef RUMPK_FIBER_STATE_ENUM
};

struct rumpk_meta_fiber {
    uint32_t fiber;
    uint32_t state;       // enum rumpk_fiber_state
    uint32_t spectrum;    // as it is now
    uint32_t slots_used;  // capability slots that are filled
    uint64_t calls;
    uint64_t switches;
    uint64_t pledge;      // RUMPK_PLEDGE_*
    uint64_t checkpoint;  // number of its last checkpoint, 0: none
    uint32_t checkpoint_size;
    uint32_t granted;     // capabilities of others that were granted directly by this one
    char name[RUMPK_NAME_SIZE];
    uint64_t reserved[9];
};
RUMPK_ASSERT_SIZE(rumpk_meta_fiber, 200);

struct rumpk_meta_ring {
    uint32_t slots;
    uint32_t filled;   // slots published and not taken, clamped
    uint32_t epoch;
    uint32_t closed;   // RUMPK_RING_*_GONE
    uint64_t wakes;    // send calls of the producer
    uint64_t returns;  // send calls of the consumer
    uint64_t reserved[2];
};
RUMPK_ASSERT_SIZE(rumpk_meta_ring, 48);

#endif
