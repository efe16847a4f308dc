// SPDX-License-Identifier: Apache-2.0
//
// call.h: the calls of rumpk/call.h as typed functions. Each is one indirect call through the
// SysTable.
//
// The table's address is a constant of the architecture and the pointers in it are the ABI: how
// they enter the kernel is the kernel's business, so the same binary runs where they are plain
// functions. Calls that this kernel does not offer are not wrapped here; npl_meta_features() tells
// which it does.
#ifndef NPL_CALL_H
#define NPL_CALL_H

#include <rumpk/call.h>
#include <rumpk/note.h>
#include <rumpk/result.h>
#include <rumpk/systable.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(NPL_HOST)
// The host build's simulated kernel; each thread may have its own.
const struct rumpk_systable *npl_systable(void);
#else
static inline const struct rumpk_systable *npl_systable(void)
{
    return (const struct rumpk_systable *)(uintptr_t)RUMPK_SYSTABLE_ADDRESS;
}
#endif

typedef int64_t (*npl_call_entry)(uint64_t, uint64_t, uint64_t, uint64_t);
typedef int64_t (*npl_call_entry5)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

// Leaves a record of a call in the driver's file (rumpk/note.h), for `nip check`: it needs no
// memory and no instruction, and goes with the function that it stands in when nobody uses that.
// Both arguments are constants.
#if defined(NPL_HOST)
#define NPL_RECORD(call, operation) ((void)0)
#else
#define NPL_RECORD(call, operation)                                                  \
    __asm__ volatile(".Lnpl_record%=:\n\t"                                           \
                     ".pushsection .note.rumpk.calls,\"o\",@note,.Lnpl_record%=\n\t" \
                     ".4byte 6, 8, 2\n\t"                                            \
                     ".asciz \"Rumpk\"\n\t"                                          \
                     ".2byte 0\n\t"                                                  \
                     ".4byte %c0, %c1\n\t"                                           \
                     ".popsection" ::"i"(call),                                      \
                     "i"(operation))
#endif

// Any call by its index, for what is not wrapped below. It leaves no record.
static inline int64_t npl_call(uint32_t index, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const struct rumpk_systable *table = npl_systable();
    uint64_t entry = index == RUMPK_CALL_META ? table->meta : table->calls[index];

    return ((npl_call_entry)(uintptr_t)entry)(a, b, c, d);
}

// Gives the fiber at the other end of `ring` (a slot) a capability derived from `slot`, with these
// rights and, for memory, this part of it (whole pages; length 0: to its end). An interrupt, a
// queue, an end of a ring and a device with CONTROL are not usable here until they are taken back.
// Returns the slot number there: send it, and the peer asks npl_meta_cap what it got. Negative: a
// result code.
static inline int64_t npl_grant(uint32_t slot, uint32_t ring, uint32_t rights, uint64_t offset,
                                uint64_t length)
{
    uint64_t entry = npl_systable()->calls[RUMPK_CALL_GRANT];

    NPL_RECORD(RUMPK_CALL_GRANT, 0);
    return ((npl_call_entry5)(uintptr_t)entry)(slot, ring, rights, offset, length);
}

// Takes back all that was granted from `slot`: how many capabilities, or a negative code.
static inline int64_t npl_revoke(uint32_t slot)
{
    NPL_RECORD(RUMPK_CALL_REVOKE, 0);
    return npl_call(RUMPK_CALL_REVOKE, slot, 0, 0, 0);
}

// The same, and empties the slot: for what is no longer needed, or stale.
static inline int64_t npl_drop(uint32_t slot)
{
    NPL_RECORD(RUMPK_CALL_REVOKE, 0);
    return npl_call(RUMPK_CALL_REVOKE, slot, RUMPK_REVOKE_SELF, 0, 0);
}

// Gives up, for ever, every class of calls that is not in `classes` (RUMPK_PLEDGE_*). The spectrum
// stays.
static inline int64_t npl_pledge(uint64_t classes)
{
    NPL_RECORD(RUMPK_CALL_PLEDGE, 0);
    return npl_call(RUMPK_CALL_PLEDGE, classes | ~RUMPK_PLEDGE_CLASSES, 0, 0, 0);
}

// What is in an own slot, and through which ring end it came.
static inline int64_t npl_meta_cap(uint32_t slot, struct rumpk_meta_cap *out)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_CAP);
    return npl_call(RUMPK_CALL_META, RUMPK_META_CAP, (uint64_t)(uintptr_t)out, sizeof(*out), slot);
}

// About another fiber (or oneself): state, calls, checkpoint. Others only for observers.
static inline int64_t npl_meta_fiber(uint32_t fiber, struct rumpk_meta_fiber *out)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_FIBER);
    return npl_call(RUMPK_CALL_META, RUMPK_META_FIBER, (uint64_t)(uintptr_t)out, sizeof(*out),
                    fiber);
}

// About the ring whose end is in an own slot.
static inline int64_t npl_meta_ring(uint32_t slot, struct rumpk_meta_ring *out)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_RING);
    return npl_call(RUMPK_CALL_META, RUMPK_META_RING, (uint64_t)(uintptr_t)out, sizeof(*out), slot);
}

// Starts the package that a SPAWN capability names: the number of its fiber, or a negative code.
static inline int64_t npl_spawn(uint32_t slot)
{
    NPL_RECORD(RUMPK_CALL_SPAWN, 0);
    return npl_call(RUMPK_CALL_SPAWN, slot, 0, 0, 0);
}

// Hands over up to RUMPK_CHECKPOINT_MAX bytes of state, to be given back after a restart. Returns
// its number, counted from 1, or a negative code.
static inline int64_t npl_checkpoint(const void *state, uint64_t size)
{
    NPL_RECORD(RUMPK_CALL_CHECKPOINT, 0);
    return npl_call(RUMPK_CALL_CHECKPOINT, (uint64_t)(uintptr_t)state, size, 0, 0);
}

// Wakes the sleeping end of a ring. Rings do this themselves when it is needed.
static inline int64_t npl_send_wake(uint32_t slot)
{
    NPL_RECORD(RUMPK_CALL_SEND, 0);
    return npl_call(RUMPK_CALL_SEND, slot, 0, 0, 0);
}

// Submits a batch to a device queue: all of it or nothing. The data stay the device's until the
// completion arrives.
static inline int64_t npl_send_requests(uint32_t slot, const struct rumpk_queue_request *requests,
                                        uint32_t count)
{
    NPL_RECORD(RUMPK_CALL_SEND, 0);
    return npl_call(RUMPK_CALL_SEND, slot, (uint64_t)(uintptr_t)requests, count, 0);
}

// Sleeps until this end of a ring can go on. Rings do this themselves.
static inline int64_t npl_recv_ring(uint32_t slot, uint64_t deadline)
{
    NPL_RECORD(RUMPK_CALL_RECV, 0);
    return npl_call(RUMPK_CALL_RECV, slot, 0, 0, deadline);
}

// Takes up to `count` completions of a queue, sleeping until the deadline for the first.
static inline int64_t npl_recv_completions(uint32_t slot, struct rumpk_queue_completion *out,
                                           uint32_t count, uint64_t deadline)
{
    NPL_RECORD(RUMPK_CALL_RECV, 0);
    return npl_call(RUMPK_CALL_RECV, slot, (uint64_t)(uintptr_t)out, count, deadline);
}

// Makes a capability's object accessible: its address (first port for PORTS), or a negative code.
static inline int64_t npl_map(uint32_t slot)
{
    NPL_RECORD(RUMPK_CALL_MAP, 0);
    return npl_call(RUMPK_CALL_MAP, slot, 0, 0, 0);
}

// Keeps only these rights of an own capability.
static inline int64_t npl_mask_rights(uint32_t slot, uint32_t rights)
{
    NPL_RECORD(RUMPK_CALL_MASK, RUMPK_MASK_RIGHTS);
    return npl_call(RUMPK_CALL_MASK, slot, RUMPK_MASK_RIGHTS, rights, 0);
}

// Resets a device and starts it with exactly these features.
static inline int64_t npl_mask_features(uint32_t slot, uint64_t features)
{
    NPL_RECORD(RUMPK_CALL_MASK, RUMPK_MASK_FEATURES);
    return npl_call(RUMPK_CALL_MASK, slot, RUMPK_MASK_FEATURES, features, 0);
}

// Ticks since kernel entry; npl_systable()->timer_hz of them are a second.
static inline uint64_t npl_tick_now(void)
{
    NPL_RECORD(RUMPK_CALL_TICK, 0);
    return (uint64_t)npl_call(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0);
}

// The deadline `milliseconds` from now.
static inline uint64_t npl_deadline_ms(uint32_t milliseconds)
{
    uint64_t hz = npl_systable()->timer_hz;

    return npl_tick_now() + hz / 1000u * milliseconds + hz % 1000u * milliseconds / 1000u;
}

// Sleeps until one of several ring ends or queues is ready: its index, or RUMPK_E_TIMEOUT.
static inline int64_t npl_wait(const uint32_t *slots, uint32_t count, uint64_t deadline)
{
    NPL_RECORD(RUMPK_CALL_WAIT, 0);
    return npl_call(RUMPK_CALL_WAIT, (uint64_t)(uintptr_t)slots, count, deadline, 0);
}

// Lets others run.
static inline void npl_yield(void)
{
    NPL_RECORD(RUMPK_CALL_WAIT, 0);
    (void)npl_call(RUMPK_CALL_WAIT, 0, 0, RUMPK_NOW, 0);
}

// Sleeps until the deadline.
static inline void npl_sleep_until(uint64_t deadline)
{
    NPL_RECORD(RUMPK_CALL_WAIT, 0);
    (void)npl_call(RUMPK_CALL_WAIT, 0, 0, deadline, 0);
}

// Ends this driver. Text already printed is delivered; rings that peers still hold are closed.
#if defined(__cplusplus)
[[noreturn]]
#else
_Noreturn
#endif
static inline void npl_exit(int64_t code)
{
    NPL_RECORD(RUMPK_CALL_EXIT, 0);
    (void)npl_call(RUMPK_CALL_EXIT, (uint64_t)code, 0, 0, 0);
    __builtin_trap();
}

static inline int64_t npl_meta_version(void)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_VERSION);
    return npl_call(RUMPK_CALL_META, RUMPK_META_VERSION, 0, 0, 0);
}

static inline uint64_t npl_meta_features(void)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_FEATURES);
    return (uint64_t)npl_call(RUMPK_CALL_META, RUMPK_META_FEATURES, 0, 0, 0);
}

static inline int64_t npl_meta_start(void)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_START);
    return npl_call(RUMPK_CALL_META, RUMPK_META_START, 0, 0, 0);
}

static inline int64_t npl_meta_self(struct rumpk_meta_self *out)
{
    NPL_RECORD(RUMPK_CALL_META, RUMPK_META_SELF);
    return npl_call(RUMPK_CALL_META, RUMPK_META_SELF, (uint64_t)(uintptr_t)out, sizeof(*out), 0);
}

#ifdef __cplusplus
}
#endif

#endif
