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
//          without DMA), E_BOUNDS (offset + length outside it), E_FULL, E_STATE (device not negotiated),
//          E_DEVICE. Data must stay in place until the completion is received.
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
//          E_TIMEOUT, E_DEVICE (the device broke its protocol and was reset), E_STATE.
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
//   E_SLOT, E_TYPE, E_RIGHTS, E_SHARED_PAGE (WINDOW), E_MEMORY, E_UNSUPPORTED.
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
//   RIGHTS    keep only the rights in `value`; never adds any. Works on every type.
//   FEATURES  DEVICE with CONTROL: reset the device, accept exactly the feature bits `value`, set up its queues
//             in kernel memory and start it. E_ARGUMENT when `value` asks for bits that the device does not
//             offer or lacks VIRTIO_F_VERSION_1 (bit 32); E_DEVICE when the device refuses.
#define RUMPK_MASK_RIGHTS 0u
#define RUMPK_MASK_FEATURES 1u

// tick(operation)
//   NOW  ticks since kernel entry.
#define RUMPK_TICK_NOW 0u

// wait(slots, count, deadline)
//   count = 0, deadline = RUMPK_NOW: let others run, return 0. count = 0 with a deadline: sleep until then,
//   return E_TIMEOUT. Else: `slots` is count (1..RUMPK_WAIT_MAX) uint32_t slots of RING ends or QUEUEs; returns
//   the index of the first that is ready (or whose peer is gone), or E_TIMEOUT.
#define RUMPK_WAIT_MAX 64u

// exit(code): ends this fiber; does not return. The code is recorded.

// meta(operation, out, size)
//   VERSION   RUMPK_ABI_VERSION of the kernel.
//   FEATURES  feature bits.
//   START     address of the caller's start block.
//   SELF      stores a rumpk_meta_self at `out`; `size` must be its size.
#define RUMPK_META_VERSION 0u
#define RUMPK_META_FEATURES 1u
#define RUMPK_META_START 2u
#define RUMPK_META_SELF 3u

struct rumpk_meta_self {
    uint32_t fiber;
    uint32_t spectrum;
    uint64_t calls;     // calls made so far, this one included
    uint64_t switches;  // times this fiber was switched to
    uint64_t reserved;
};
RUMPK_ASSERT_SIZE(rumpk_meta_self, 32);

#endif
