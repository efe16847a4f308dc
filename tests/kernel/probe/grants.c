// SPDX-License-Identifier: Apache-2.0
//
// grants.c: grant, revoke and pledge, seen from both ends. The giver is the client of the taker's
// stream and holds the memory "scratch" (two pages) or "buffers"; the taker finds what it was given
// by asking meta about its own slots. They talk through the granted memory: word 0 is the taker's,
// word 1 the giver's.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

#define PAGE UINT64_C(4096)

uint32_t probe_slot(uint32_t type)
{
    const struct rumpk_start *start = npl_start();
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);
    for (uint32_t i = 0; i < start->cap_count; i++)
        if (caps[i].type == type)
            return caps[i].slot;
    return RUMPK_SLOT_NONE;
}

// The slot that a peer has filled with this type at this depth; waits for it.
static uint32_t granted(uint32_t type, uint32_t depth)
{
    struct rumpk_meta_cap info;
    for (;;) {
        for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
            if (npl_meta_cap(slot, &info) == RUMPK_OK && info.type == type && info.depth == depth &&
                info.through != RUMPK_SLOT_NONE && (info.state & RUMPK_CAP_STATE_LIVE))
                return slot;
        npl_sleep_until(npl_deadline_ms(1));
    }
}

void probe_until(volatile uint64_t *word, uint64_t value)
{
    while (*word != value)
        npl_sleep_until(npl_deadline_ms(1));
}

volatile uint64_t *probe_mapped(uint32_t slot)
{
    int64_t at = npl_map(slot);
    return at > 0 ? (volatile uint64_t *)(uint64_t)at : NULL;
}

// ---- the taker ----

// Keeps touching the memory after the giver took it back: ends by a fault.
static int take_until_fault(volatile uint64_t *memory, int writes)
{
    memory[0] = 1;
    for (;;) {
        if (writes)
            memory[2] = 1;
        else
            (void)memory[2];
        npl_yield();
    }
}

static int take_stale(uint32_t slot, volatile uint64_t *memory)
{
    struct rumpk_meta_cap info;
    memory[0] = 1;
    while (npl_map(slot) > 0)
        npl_yield();
    if (npl_map(slot) != RUMPK_E_STALE || npl_revoke(slot) != RUMPK_E_STALE)
        return 2;
    if (npl_grant(slot, probe_slot(RUMPK_CAP_RING), RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_STALE ||
        npl_grant(probe_slot(RUMPK_CAP_RING), slot, RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_STALE ||
        npl_mask_rights(slot, 0) != RUMPK_E_STALE || npl_send_wake(slot) != RUMPK_E_STALE ||
        npl_recv_ring(slot, RUMPK_NOW) != RUMPK_E_STALE || npl_spawn(slot) != RUMPK_E_STALE ||
        npl_wait(&slot, 1, RUMPK_NOW) != RUMPK_E_STALE)
        return 3;
    if (npl_meta_cap(slot, &info) != RUMPK_OK || info.state != 0)
        return 4;
    if (npl_drop(slot) != 0 || npl_map(slot) != RUMPK_E_SLOT || npl_drop(slot) != RUMPK_E_SLOT)
        return 5;
    return SURVIVED;
}

// Holds both ends of the ring for a while; fills it, then sleeps for room that never comes.
static int take_ring(volatile uint64_t *memory)
{
    uint32_t slot = granted(RUMPK_CAP_RING, 1);
    uint64_t ring = (uint64_t)npl_map(slot);
    struct rumpk_ring_producer *producer =
        (struct rumpk_ring_producer *)(ring + RUMPK_RING_PRODUCER_OFFSET);
    const struct rumpk_ring_consumer *consumer =
        (const struct rumpk_ring_consumer *)(ring + RUMPK_RING_CONSUMER_OFFSET);
    producer->head = consumer->tail + ((const struct rumpk_ring_header *)ring)->slot_count;
    memory[0] = 1;
    int64_t result = npl_recv_ring(slot, RUMPK_FOREVER);
    return result == RUMPK_E_STALE ? SURVIVED : 2;
}

// Back and forth through one ring until the depth is used up.
static int deeper(uint32_t first_depth, uint32_t type)
{
    uint32_t ring = probe_slot(RUMPK_CAP_RING), rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_GRANT;
    struct rumpk_meta_cap info = {.state = RUMPK_CAP_STATE_LIVE};
    uint32_t last = 0;
    for (uint32_t depth = first_depth; depth <= RUMPK_DERIVATION_DEPTH_MAX; depth += 2) {
        uint32_t slot = granted(type, depth);
        int64_t wanted = depth == RUMPK_DERIVATION_DEPTH_MAX ? RUMPK_E_LIMIT : 0;
        int64_t result = npl_grant(slot, ring, rights, 0, 0);
        if (wanted < 0 ? result != wanted : result < 0)
            return (int)(100 + depth);
        last = slot;
    }
    // The taker's end would take back what the giver is still looking at.
    while (first_depth == 1 && (info.state & RUMPK_CAP_STATE_LIVE)) {
        npl_sleep_until(npl_deadline_ms(1));
        if (npl_meta_cap(last, &info) != RUMPK_OK)
            return 2;
    }
    return SURVIVED;
}

// A request at the device names the granted memory: taking it back stops the device.
static int take_queue(uint32_t memory_slot, volatile uint64_t *memory)
{
    uint32_t device = probe_slot(RUMPK_CAP_DEVICE), queue = probe_slot(RUMPK_CAP_QUEUE);
    struct rumpk_queue_request request = {
        .memory_slot = memory_slot,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .offset = PAGE,
        .length = 64,
    };
    struct rumpk_queue_completion completion;
    if (npl_mask_features(device, UINT64_C(1) << 32) != RUMPK_OK)
        return 2;
    request.offset = 2 * PAGE;
    if (npl_send_requests(queue, &request, 1) != RUMPK_E_BOUNDS)
        return 3;
    request.offset = PAGE;
    if (npl_send_requests(queue, &request, 1) != 1)
        return 4;
    memory[0] = 1;
    while (npl_map(memory_slot) > 0)
        npl_yield();
    if (npl_recv_completions(queue, &completion, 1, RUMPK_FOREVER) != RUMPK_E_STATE)
        return 5;
    return npl_send_requests(queue, &request, 1) == RUMPK_E_STATE ? SURVIVED : 6;
}

int probe_take(const char *word)
{
    struct rumpk_meta_cap info;
    uint32_t type = strcmp(word, "queue") == 0 ? RUMPK_CAP_DMA : RUMPK_CAP_MEMORY;
    uint32_t slot = granted(type, 1);
    if (strcmp(word, "deep") == 0)
        return deeper(1, type);
    if (npl_meta_cap(slot, &info) != RUMPK_OK || info.through != probe_slot(RUMPK_CAP_RING) ||
        info.depth != 1 || info.derived != 0)
        return 1;
    volatile uint64_t *memory = probe_mapped(slot);
    if (memory == NULL)
        return 96;
    if (strcmp(word, "access") == 0) {
        probe_until(&memory[1], 7);
        memory[0] = 8;
        return info.size == 2 * PAGE ? SURVIVED : 2;
    }
    if (strcmp(word, "read") == 0 || strcmp(word, "end") == 0)
        return take_until_fault(memory, 0);
    if (strcmp(word, "write") == 0)
        return take_until_fault(memory, 1);
    if (strcmp(word, "narrow") == 0) { // read-only was granted
        probe_until(&memory[1], 7);
        memory[0] = 1;
        return 2;
    }
    if (strcmp(word, "bounds") == 0) { // the second page was granted
        memory[0] = 1;
        return info.size == PAGE ? (int)memory[-512] : 2;
    }
    if (strcmp(word, "stale") == 0)
        return take_stale(slot, memory);
    if (strcmp(word, "ring") == 0)
        return take_ring(memory);
    if (strcmp(word, "queue") == 0)
        return take_queue(slot, memory);
    if (strcmp(word, "tree") == 0) {
        // Read-only back to where it came from; the giver takes everything back.
        if (npl_grant(slot, probe_slot(RUMPK_CAP_RING), RUMPK_RIGHT_READ, PAGE, 0) < 0)
            return 2;
        memory[0] = 1;
        while (npl_map(slot) > 0)
            npl_yield();
        return npl_map(slot) == RUMPK_E_STALE ? SURVIVED : 3;
    }
    if (strcmp(word, "leave") == 0) {
        memory[0] = 1;
        return SURVIVED;
    }
    return 98;
}

// ---- the giver ----

static const struct {
    uint32_t slot; // 0: the memory, 1: the ring, 2: none
    uint32_t ring;
    uint64_t rights, offset, length;
    int64_t expected;
} bad_grants[] = {
    {2, 1, RUMPK_RIGHT_READ, 0, 0, RUMPK_E_SLOT},
    {0, 2, RUMPK_RIGHT_READ, 0, 0, RUMPK_E_SLOT},
    {0, 0, RUMPK_RIGHT_READ, 0, 0, RUMPK_E_TYPE},
    {0, 1, 0, 0, 0, RUMPK_E_ARGUMENT},
    {0, 1, 0x20, 0, 0, RUMPK_E_ARGUMENT},
    {0, 1, UINT64_MAX, 0, 0, RUMPK_E_ARGUMENT},
    {0, 1, RUMPK_RIGHT_READ | (UINT64_C(1) << 32), 0, 0, RUMPK_E_ARGUMENT},
    {0, 1, RUMPK_RIGHT_READ | RUMPK_RIGHT_DMA, 0, 0, RUMPK_E_RIGHTS},
    {0, 1, RUMPK_RIGHT_CONTROL, 0, 0, RUMPK_E_RIGHTS},
    {1, 1, RUMPK_RIGHT_READ, 0, 0, RUMPK_E_RIGHTS}, // the producer's end cannot read
    {1, 1, RUMPK_RIGHT_WRITE, PAGE, 0, RUMPK_E_ARGUMENT},
    {1, 1, RUMPK_RIGHT_WRITE, 0, PAGE, RUMPK_E_ARGUMENT},
    {0, 1, RUMPK_RIGHT_READ, 1, 0, RUMPK_E_ARGUMENT},
    {0, 1, RUMPK_RIGHT_READ, 0, 1, RUMPK_E_ARGUMENT},
    {0, 1, RUMPK_RIGHT_READ, 2 * PAGE, 0, RUMPK_E_BOUNDS},
    {0, 1, RUMPK_RIGHT_READ, 0, 3 * PAGE, RUMPK_E_BOUNDS},
    {0, 1, RUMPK_RIGHT_READ, PAGE, 2 * PAGE, RUMPK_E_BOUNDS},
    {0, 1, RUMPK_RIGHT_READ, PAGE, ~(PAGE - 1), RUMPK_E_BOUNDS},
    {0, 1, RUMPK_RIGHT_READ, ~(PAGE - 1), PAGE, RUMPK_E_BOUNDS},
};

static int64_t grant_any(uint64_t slot, uint64_t ring, uint64_t rights, uint64_t offset,
                         uint64_t length)
{
    npl_call_entry5 entry = (npl_call_entry5)(uintptr_t)npl_systable()->calls[RUMPK_CALL_GRANT];
    return entry(slot, ring, rights, offset, length);
}

// Every code of grant and revoke that needs no act of the taker.
static int give_codes(uint32_t memory, uint32_t ring)
{
    const uint32_t slots[] = {memory, ring, 63};
    for (unsigned i = 0; i < sizeof bad_grants / sizeof bad_grants[0]; i++)
        if (grant_any(slots[bad_grants[i].slot], slots[bad_grants[i].ring], bad_grants[i].rights,
                      bad_grants[i].offset, bad_grants[i].length) != bad_grants[i].expected)
            return (int)(100 + i);
    if (grant_any(64, ring, 1, 0, 0) != RUMPK_E_SLOT ||
        grant_any(memory, UINT64_MAX, 1, 0, 0) != RUMPK_E_SLOT ||
        grant_any(memory + (UINT64_C(1) << 32), ring, 1, 0, 0) != RUMPK_E_SLOT)
        return 2;
    if (npl_revoke(63) != RUMPK_E_SLOT || npl_revoke(64) != RUMPK_E_SLOT ||
        npl_drop(63) != RUMPK_E_SLOT ||
        npl_call(RUMPK_CALL_REVOKE, memory, 2, 0, 0) != RUMPK_E_ARGUMENT)
        return 3;
    if (npl_revoke(memory) != 0)
        return 4;
    if (npl_grant(ring, ring, RUMPK_RIGHT_WRITE, 0, 0) < 0 ||
        npl_grant(ring, ring, RUMPK_RIGHT_WRITE, 0, 0) != RUMPK_E_STATE || npl_revoke(ring) != 1)
        return 5;
    // The first is what the taker waits for; the others fill what one ring may fill, the last
    // revoked ones included until the taker empties its slots.
    for (uint32_t i = 1; i < RUMPK_GRANTS_PER_RING_MAX; i++)
        if (npl_grant(memory, ring, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, 0, 0) < 0)
            return 6;
    if (npl_grant(memory, ring, RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_LIMIT)
        return 7;
    struct rumpk_meta_cap info;
    if (npl_meta_cap(memory, &info) != RUMPK_OK || info.derived != RUMPK_GRANTS_PER_RING_MAX - 1)
        return 8;
    volatile uint64_t *words = probe_mapped(memory);
    probe_until(&words[0], 1);
    // The taker is gone or about to: its end is closed, its slots go with it.
    while (npl_grant(memory, ring, RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_PEER)
        npl_yield();
    if (npl_revoke(memory) < 0 || npl_revoke(memory) != 0)
        return 9;
    if (npl_mask_rights(memory, RUMPK_RIGHT_READ) != RUMPK_OK ||
        npl_grant(memory, ring, RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_RIGHTS)
        return 10;
    return SURVIVED;
}

static int give_tree(uint32_t memory, volatile uint64_t *words)
{
    probe_until(&words[0], 1);
    uint32_t back = granted(RUMPK_CAP_MEMORY, 2);
    volatile uint64_t *again = probe_mapped(back);
    if (again != words + 512)
        return 2;
    // The own, wider mapping still counts where both meet, before and after.
    words[512] = 3;
    if (*again != 3)
        return 3;
    if (npl_revoke(memory) != 2)
        return 4;
    words[512] = 4;
    if (npl_map(back) != RUMPK_E_STALE || npl_drop(back) != 0)
        return 5;
    return npl_revoke(memory) == 0 ? SURVIVED : 6;
}

int probe_give(const char *word)
{
    bool is_queue = strcmp(word, "queue") == 0;
    uint32_t memory = probe_slot(is_queue ? RUMPK_CAP_DMA : RUMPK_CAP_MEMORY);
    uint32_t ring = probe_slot(RUMPK_CAP_RING);
    uint32_t rights = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | (is_queue ? RUMPK_RIGHT_DMA : 0);
    if (strcmp(word, "codes") == 0)
        return give_codes(memory, ring);
    if (strcmp(word, "unasked") == 0) // the owner permits nothing
        return npl_grant(memory, ring, RUMPK_RIGHT_READ, 0, 0) == RUMPK_E_RIGHTS ? SURVIVED : 1;
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL)
        return 96;
    if (strcmp(word, "deep") == 0)
        return npl_grant(memory, ring, RUMPK_RIGHT_READ | RUMPK_RIGHT_GRANT, 0, 0) < 0
                   ? 2
                   : deeper(2, RUMPK_CAP_MEMORY);
    if (strcmp(word, "narrow") == 0)
        rights = RUMPK_RIGHT_READ;
    if (strcmp(word, "tree") == 0)
        rights |= RUMPK_RIGHT_GRANT;
    bool is_half = strcmp(word, "bounds") == 0;
    int64_t slot = npl_grant(memory, ring, rights, is_half ? PAGE : 0, 0);
    if (slot < 0)
        return 1;
    words[1] = 7;
    if (strcmp(word, "tree") == 0)
        return give_tree(memory, words);
    if (strcmp(word, "access") == 0) {
        probe_until(&words[0], 8);
        return SURVIVED;
    }
    if (strcmp(word, "narrow") == 0) {
        while (npl_send_wake(ring) != RUMPK_E_PEER) // until the taker has ended by its fault
            npl_sleep_until(npl_deadline_ms(1));
        return SURVIVED;
    }
    if (strcmp(word, "ring") == 0 && npl_grant(ring, ring, RUMPK_RIGHT_WRITE, 0, 0) < 0)
        return 2;
    probe_until(&words[is_half ? 512 : 0], 1);
    if (strcmp(word, "end") == 0 || is_half)
        return SURVIVED; // its end takes back what it had granted
    if (strcmp(word, "ring") == 0) {
        npl_sleep_until(npl_deadline_ms(50));
        return npl_revoke(ring) == 1 ? SURVIVED : 3;
    }
    if (npl_revoke(memory) != 1)
        return 4;
    words[2] = 9; // one's own is still there
    return SURVIVED;
}

// ---- alone ----

int probe_drop(const char *word)
{
    uint32_t memory = probe_slot(RUMPK_CAP_MEMORY), ring = probe_slot(RUMPK_CAP_RING);
    volatile uint64_t *words = probe_mapped(memory);
    if (strcmp(word, "ring") == 0) {
        if (npl_drop(ring) != 0 || npl_send_wake(ring) != RUMPK_E_SLOT)
            return 1;
        return SURVIVED;
    }
    words[0] = 1;
    if (strcmp(word, "mask") == 0) {
        // What is mapped follows the rights: still readable, no longer writable.
        if (npl_mask_rights(memory, RUMPK_RIGHT_READ) != RUMPK_OK || words[0] != 1)
            return 2;
        words[0] = 2;
        return 3;
    }
    if (npl_drop(memory) != 0 || npl_map(memory) != RUMPK_E_SLOT)
        return 4;
    return (int)words[0];
}

int probe_pledge(const char *word)
{
    uint32_t memory = probe_slot(RUMPK_CAP_MEMORY), ring = probe_slot(RUMPK_CAP_RING),
             one[1] = {ring};
    struct rumpk_meta_self before, self;
    (void)word;
    if (npl_meta_self(&before) != RUMPK_OK ||
        before.pledge != (RUMPK_PLEDGE_CLASSES | RUMPK_PLEDGE_SPECTRUM(before.spectrum)))
        return 1;
    if (npl_pledge(~UINT64_C(0)) != RUMPK_OK || npl_meta_self(&self) != RUMPK_OK ||
        self.pledge != before.pledge)
        return 2;
    if (npl_pledge(~RUMPK_PLEDGE_MAP) != RUMPK_OK || npl_map(memory) != RUMPK_E_PLEDGE ||
        npl_map(63) != RUMPK_E_PLEDGE || npl_send_wake(ring) != RUMPK_OK)
        return 3;
    if (npl_pledge(~UINT64_C(0)) != RUMPK_OK || npl_map(memory) != RUMPK_E_PLEDGE)
        return 4; // one way
    if (npl_pledge(~RUMPK_PLEDGE_STDIO) != RUMPK_OK || npl_send_wake(ring) != RUMPK_E_PLEDGE ||
        npl_recv_ring(ring, RUMPK_NOW) != RUMPK_E_PLEDGE || npl_wait(one, 1, RUMPK_NOW) < 0)
        return 5;
    if (npl_pledge(~RUMPK_PLEDGE_GRANT) != RUMPK_OK ||
        npl_grant(memory, ring, RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_PLEDGE)
        return 6;
    if (npl_pledge(~RUMPK_PLEDGE_CONTROL) != RUMPK_OK ||
        npl_mask_features(memory, 0) != RUMPK_E_PLEDGE ||
        npl_mask_rights(memory, RUMPK_RIGHT_READ) != RUMPK_OK)
        return 7;
    // The spectrum: each step down works, none up, whatever bits are cleared.
    for (uint32_t spectrum = before.spectrum; spectrum < RUMPK_SPECTRUM_COUNT; spectrum++) {
        uint64_t pledged = RUMPK_PLEDGE_CLASSES | RUMPK_PLEDGE_SPECTRUM(spectrum);
        if (npl_call(RUMPK_CALL_PLEDGE, pledged, 0, 0, 0) != RUMPK_OK ||
            npl_meta_self(&self) != RUMPK_OK || self.spectrum < spectrum)
            return 8;
    }
    if (npl_pledge(~UINT64_C(0)) != RUMPK_OK || npl_meta_self(&self) != RUMPK_OK ||
        self.spectrum != RUMPK_SPECTRUM_VOID)
        return 9;
    if (npl_call(RUMPK_CALL_PLEDGE, 0, 0, 0, 0) != RUMPK_OK ||
        npl_meta_version() != RUMPK_ABI_VERSION || npl_revoke(memory) != 0 || npl_tick_now() == 0)
        return 10;
    return SURVIVED;
}
