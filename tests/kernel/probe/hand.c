// SPDX-License-Identifier: Apache-2.0
//
// hand.c: what has one user at a time, lent from one driver to another and taken back: a queue and
// its device, an interrupt; and the right to start a package, which is shared. The lender is the
// client of the user's stream. They keep step by the memory that the lender grants first: word 0 is
// the user's, word 1 the lender's.
#include "probe.h"

#include <npl/npl.h>
#include <string.h>

#define PAGE      UINT64_C(4096)
#define VERSION_1 (UINT64_C(1) << 32)
#define ROUNDS    3

static void rest(void)
{
    npl_sleep_until(npl_deadline_ms(20));
}

// The ring between the two, at either end.
static uint32_t stream(void)
{
    const struct rumpk_start *start = npl_start();
    return ((const struct rumpk_channel *)((const char *)start + start->channels_offset))
        ->request_slot;
}

// A live slot that came through the stream, of this type and with at least these rights; waits.
static uint32_t lent(uint32_t type, uint32_t rights)
{
    struct rumpk_meta_cap info;
    for (;;) {
        for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++)
            if (npl_meta_cap(slot, &info) == RUMPK_OK && info.type == type && info.depth == 1 &&
                info.through == stream() && (info.state & RUMPK_CAP_STATE_LIVE) &&
                (info.rights & rights) == rights)
                return slot;
        npl_sleep_until(npl_deadline_ms(1));
    }
}

// ---- the device: it fills 32 bytes of the second page ----

static int64_t submit(uint32_t queue, uint32_t memory)
{
    const struct rumpk_queue_request request = {
        .memory_slot = memory,
        .flags = RUMPK_QUEUE_DEVICE_WRITES,
        .offset = PAGE,
        .length = 32,
    };
    return npl_send_requests(queue, &request, 1);
}

static int64_t collect(uint32_t queue, uint64_t deadline)
{
    struct rumpk_queue_completion completion;
    return npl_recv_completions(queue, &completion, 1, deadline);
}

static bool works(uint32_t queue, uint32_t memory, volatile uint64_t *words)
{
    uint64_t got = 0;
    for (unsigned i = 0; i < 4; i++)
        words[PAGE / 8 + i] = 0;
    if (submit(queue, memory) != 1 || collect(queue, RUMPK_FOREVER) != 1)
        return false;
    for (unsigned i = 0; i < 4; i++)
        got |= words[PAGE / 8 + i];
    return got != 0;
}

// All four ways to use a queue.
static bool all_are(uint32_t queue, uint32_t memory, int64_t wanted)
{
    return submit(queue, memory) == wanted && collect(queue, RUMPK_NOW) == wanted &&
           npl_wait(&queue, 1, RUMPK_NOW) == wanted &&
           npl_grant(queue, stream(), RUMPK_RIGHT_READ, 0, 0) == wanted;
}

static int lend_device(void)
{
    uint32_t memory = probe_slot(RUMPK_CAP_DMA), device = probe_slot(RUMPK_CAP_DEVICE),
             queue = probe_slot(RUMPK_CAP_QUEUE), use = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL || npl_mask_features(device, VERSION_1) != RUMPK_OK ||
        !works(queue, memory, words))
        return 1;
    if (npl_grant(memory, stream(), use | RUMPK_RIGHT_DMA, 0, 0) < 0 ||
        npl_grant(device, stream(), RUMPK_RIGHT_READ, 0, 0) < 0 ||
        npl_grant(queue, stream(), use, 0, 0) < 0)
        return 2;
    if (!all_are(queue, memory, RUMPK_E_STATE))
        return 3;
    probe_until(&words[0], 1); // used, and slept on
    rest();
    // Idle, so nothing is reset: it works at once.
    if (npl_revoke(queue) != 1 || !works(queue, memory, words))
        return 4;
    probe_until(&words[0], 2);
    if (npl_grant(device, stream(), RUMPK_RIGHT_READ | RUMPK_RIGHT_CONTROL, 0, 0) < 0 ||
        npl_mask_features(device, VERSION_1) != RUMPK_E_STATE ||
        npl_grant(device, stream(), RUMPK_RIGHT_CONTROL, 0, 0) != RUMPK_E_STATE)
        return 5;
    probe_until(&words[0], 3);
    // The device comes back reset.
    if (npl_revoke(device) != 2 || submit(queue, memory) != RUMPK_E_STATE ||
        npl_mask_features(device, VERSION_1) != RUMPK_OK || !works(queue, memory, words))
        return 6;
    if (npl_grant(queue, stream(), use, 0, 0) < 0)
        return 7;
    probe_until(&words[0], 4); // given back, not taken
    if (!works(queue, memory, words) || npl_revoke(queue) != 0)
        return 8;
    // And once more: the user ends with it.
    if (npl_grant(queue, stream(), use, 0, 0) < 0)
        return 9;
    while (collect(queue, RUMPK_NOW) == RUMPK_E_STATE)
        npl_sleep_until(npl_deadline_ms(1));
    return works(queue, memory, words) ? SURVIVED : 10;
}

static int use_device(void)
{
    uint32_t memory = lent(RUMPK_CAP_DMA, 0), device = lent(RUMPK_CAP_DEVICE, 0),
             queue = lent(RUMPK_CAP_QUEUE, 0);
    volatile uint64_t *words = probe_mapped(memory);
    const struct rumpk_device_view *view = (const struct rumpk_device_view *)npl_map(device);
    if (words == NULL || (int64_t)(uint64_t)view <= 0 || view->device_id != 4 ||
        view->features_accepted != VERSION_1)
        return 1;
    if (npl_mask_features(device, VERSION_1) != RUMPK_E_RIGHTS)
        return 2;
    for (unsigned round = 0; round < ROUNDS; round++)
        if (!works(queue, memory, words))
            return 3;
    words[0] = 1;
    if (collect(queue, RUMPK_FOREVER) != RUMPK_E_STALE || !all_are(queue, memory, RUMPK_E_STALE) ||
        npl_drop(queue) != 0)
        return 4;
    words[0] = 2;
    uint32_t control = lent(RUMPK_CAP_DEVICE, RUMPK_RIGHT_CONTROL);
    if (npl_mask_features(control, VERSION_1) != RUMPK_OK)
        return 5;
    words[0] = 3;
    while (npl_map(control) > 0)
        npl_yield();
    if (npl_mask_features(control, VERSION_1) != RUMPK_E_STALE ||
        npl_map(device) != RUMPK_E_STALE || npl_drop(control) != 0 || npl_drop(device) != 0)
        return 6;
    queue = lent(RUMPK_CAP_QUEUE, 0);
    if (npl_mask_rights(queue, RUMPK_RIGHT_READ) != RUMPK_OK ||
        submit(queue, memory) != RUMPK_E_RIGHTS || npl_drop(queue) != 0)
        return 7;
    words[0] = 4;
    return works(lent(RUMPK_CAP_QUEUE, 0), memory, words) ? SURVIVED : 8;
}

// The lender ends while its queue is slept on.
static int lend_end(void)
{
    uint32_t memory = probe_slot(RUMPK_CAP_DMA), queue = probe_slot(RUMPK_CAP_QUEUE);
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL || npl_mask_features(probe_slot(RUMPK_CAP_DEVICE), VERSION_1) != RUMPK_OK ||
        npl_grant(memory, stream(), RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, 0, 0) < 0 ||
        npl_grant(queue, stream(), RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, 0, 0) < 0)
        return 1;
    probe_until(&words[0], 1);
    rest();
    return SURVIVED;
}

static int use_end(void)
{
    volatile uint64_t *words = probe_mapped(lent(RUMPK_CAP_DMA, 0));
    uint32_t queue = lent(RUMPK_CAP_QUEUE, 0);
    if (words == NULL)
        return 1;
    words[0] = 1;
    return npl_wait(&queue, 1, RUMPK_FOREVER) == RUMPK_E_STALE &&
                   collect(queue, RUMPK_FOREVER) == RUMPK_E_STALE
               ? SURVIVED
               : 2;
}

// The user fills the queue and collects nothing; ends with the ticks that taking the memory of all
// those requests back took, the device's reset included.
static int lend_full(void)
{
    uint32_t memory = probe_slot(RUMPK_CAP_DMA), queue = probe_slot(RUMPK_CAP_QUEUE),
             use = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL || npl_mask_features(probe_slot(RUMPK_CAP_DEVICE), VERSION_1) != RUMPK_OK ||
        npl_grant(memory, stream(), use | RUMPK_RIGHT_DMA, 0, 0) < 0 ||
        npl_grant(queue, stream(), use, 0, 0) < 0)
        return -1;
    probe_until(&words[0], 1);
    int64_t begin = npl_tick_now();
    if (npl_revoke(memory) != 1)
        return -2;
    int64_t end = npl_tick_now();
    // It was reset: nothing is at the device any more, and nobody has negotiated since.
    return npl_revoke(queue) == 1 && submit(queue, memory) == RUMPK_E_STATE ? (int)(end - begin)
                                                                            : -3;
}

static int use_full(void)
{
    uint32_t memory = lent(RUMPK_CAP_DMA, 0), queue = lent(RUMPK_CAP_QUEUE, 0), sent = 0;
    volatile uint64_t *words = probe_mapped(memory);
    int64_t result = 1;
    for (; words != NULL && result == 1; sent++)
        result = submit(queue, memory);
    if (result != RUMPK_E_FULL || sent < 2)
        return 1;
    words[0] = 1;
    while (npl_map(memory) > 0)
        npl_yield();
    result = collect(queue, RUMPK_NOW);
    return result == RUMPK_E_STATE || result == RUMPK_E_STALE ? SURVIVED : 2;
}

// ---- the interrupt of the console's registers ----

static uint64_t interrupts_of_core(void)
{
    struct rumpk_meta_core core;
    probe_call(RUMPK_CALL_META, RUMPK_META_CORE, (uint64_t)&core, sizeof core, 0);
    return core.interrupts;
}

static bool fires(struct npl_interrupt *interrupt, const struct npl_registers *chip)
{
    uint64_t before = interrupt->count;
    if (npl_interrupt_unmask(interrupt) != RUMPK_OK)
        return false;
    probe_chip_ask(chip);
    bool came = npl_interrupt_wait(interrupt, npl_deadline_ms(2000)) == RUMPK_OK;
    probe_chip_quiet(chip);
    return came && interrupt->count > before;
}

static int lend_interrupt(void)
{
    static struct npl_registers chip;
    static struct npl_interrupt interrupt;
    uint32_t memory = probe_slot(RUMPK_CAP_MEMORY), use = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL || npl_registers_open(&chip, "uart") != RUMPK_OK ||
        npl_interrupt_open(&interrupt, "uart") != RUMPK_OK || !fires(&interrupt, &chip))
        return 1;
    uint32_t registers = probe_slot(chip.is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW),
             line = interrupt.slot, events = interrupt.ring.slot;
    memcpy((void *)(uint64_t)&words[16], &chip, sizeof chip);
    // Unmasked when it goes: it arrives masked.
    if (npl_interrupt_unmask(&interrupt) != RUMPK_OK ||
        npl_grant(memory, stream(), use, 0, 0) < 0 ||
        npl_grant(registers, stream(), use, 0, 0) < 0 ||
        npl_grant(line, stream(), RUMPK_RIGHT_CONTROL, 0, 0) < 0 ||
        npl_grant(events, stream(), RUMPK_RIGHT_READ, 0, 0) < 0)
        return 2;
    if (npl_interrupt_unmask(&interrupt) != RUMPK_E_STATE ||
        npl_interrupt_mask(&interrupt) != RUMPK_E_STATE ||
        npl_grant(line, stream(), RUMPK_RIGHT_CONTROL, 0, 0) != RUMPK_E_STATE)
        return 3;
    probe_until(&words[0], 1); // served, unmasked and slept on
    rest();
    if (npl_revoke(line) != 1 || npl_revoke(events) != 1)
        return 4;
    probe_until(&words[0], 2);
    // The chip asks, as the other one still can make it: nothing arrives at the processor.
    uint64_t before = interrupts_of_core();
    words[1] = 2;
    probe_until(&words[0], 3);
    rest();
    if (interrupts_of_core() != before)
        return 5;
    probe_chip_quiet(&chip);
    if (npl_revoke(registers) != 1 || npl_interrupt_open(&interrupt, "uart") != RUMPK_OK)
        return 6;
    for (unsigned round = 0; round < ROUNDS; round++)
        if (!fires(&interrupt, &chip))
            return 7;
    return SURVIVED;
}

static int use_interrupt(void)
{
    static struct npl_registers chip;
    static struct npl_interrupt interrupt;
    volatile uint64_t *words = probe_mapped(lent(RUMPK_CAP_MEMORY, 0));
    if (words == NULL)
        return 1;
    memcpy(&chip, (const void *)(uint64_t)&words[16], sizeof chip);
    uint32_t registers = lent(chip.is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW, 0);
    interrupt.slot = lent(RUMPK_CAP_INTERRUPT, 0);
    if (npl_map(registers) != (int64_t)chip.base ||
        npl_ring_open(&interrupt.ring, lent(RUMPK_CAP_RING, 0), false) != RUMPK_OK)
        return 2;
    for (unsigned round = 0; round < ROUNDS; round++)
        if (!fires(&interrupt, &chip))
            return 3;
    words[0] = 1;
    // An edge may have been missed while it was masked: then it comes once for nothing.
    int64_t result;
    do {
        (void)npl_interrupt_take(&interrupt);
        (void)npl_interrupt_unmask(&interrupt);
        result = npl_ring_sleep(&interrupt.ring, RUMPK_FOREVER);
    } while (result > 0);
    if (result != RUMPK_E_STALE || npl_interrupt_unmask(&interrupt) != RUMPK_E_STALE)
        return 4;
    words[0] = 2;
    probe_until(&words[1], 2);
    probe_chip_ask(&chip);
    words[0] = 3;
    while (npl_map(registers) > 0)
        npl_yield();
    return npl_map(registers) == RUMPK_E_STALE ? SURVIVED : 5;
}

// For ever, without ever quieting the chip: who holds the line now is struck out, not its lender.
static int lend_storm(void)
{
    static struct npl_registers chip;
    static struct npl_interrupt interrupt;
    uint32_t memory = probe_slot(RUMPK_CAP_MEMORY), use = RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE;
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL || npl_registers_open(&chip, "uart") != RUMPK_OK ||
        npl_interrupt_open(&interrupt, "uart") != RUMPK_OK)
        return 1;
    memcpy((void *)(uint64_t)&words[16], &chip, sizeof chip);
    if (npl_grant(memory, stream(), use, 0, 0) < 0 ||
        npl_grant(probe_slot(chip.is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW), stream(), use, 0,
                  0) < 0 ||
        npl_grant(interrupt.slot, stream(), RUMPK_RIGHT_CONTROL, 0, 0) < 0 ||
        npl_grant(interrupt.ring.slot, stream(), RUMPK_RIGHT_READ, 0, 0) < 0)
        return 2;
    while (npl_recv_ring(stream(), RUMPK_NOW) != RUMPK_E_PEER)
        npl_sleep_until(npl_deadline_ms(10));
    probe_chip_quiet(&chip);
    return npl_interrupt_open(&interrupt, "uart") == RUMPK_OK && fires(&interrupt, &chip) ? SURVIVED
                                                                                          : 3;
}

static int use_storm(void)
{
    static struct npl_registers chip;
    static struct npl_interrupt interrupt;
    volatile uint64_t *words = probe_mapped(lent(RUMPK_CAP_MEMORY, 0));
    if (words == NULL)
        return 1;
    memcpy(&chip, (const void *)(uint64_t)&words[16], sizeof chip);
    interrupt.slot = lent(RUMPK_CAP_INTERRUPT, 0);
    if (npl_map(lent(chip.is_ports ? RUMPK_CAP_PORTS : RUMPK_CAP_WINDOW, 0)) < 0 ||
        npl_ring_open(&interrupt.ring, lent(RUMPK_CAP_RING, 0), false) != RUMPK_OK)
        return 2;
    return probe_chip_storm(&interrupt, &chip);
}

// ---- the right to start a package ----

static int lend_spawn(void)
{
    uint32_t memory = probe_slot(RUMPK_CAP_MEMORY), package = probe_slot(RUMPK_CAP_SPAWN);
    volatile uint64_t *words = probe_mapped(memory);
    if (words == NULL ||
        npl_grant(memory, stream(), RUMPK_RIGHT_WRITE | RUMPK_RIGHT_READ, 0, 0) < 0 ||
        npl_grant(package, stream(), RUMPK_RIGHT_READ, 0, 0) != RUMPK_E_RIGHTS ||
        npl_grant(package, stream(), RUMPK_RIGHT_CONTROL, PAGE, 0) != RUMPK_E_ARGUMENT ||
        npl_grant(package, stream(), RUMPK_RIGHT_CONTROL, 0, 0) < 0)
        return 1;
    probe_until(&words[0], 1);
    // Whoever of those who may starts it: once.
    return npl_spawn(package) == RUMPK_E_STATE && npl_revoke(package) == 1 ? SURVIVED : 2;
}

static int use_spawn(void)
{
    volatile uint64_t *words = probe_mapped(lent(RUMPK_CAP_MEMORY, 0));
    uint32_t package = lent(RUMPK_CAP_SPAWN, 0);
    if (words == NULL || npl_spawn(package) < 0 || npl_spawn(package) != RUMPK_E_STATE)
        return 1;
    words[0] = 1;
    while (npl_spawn(package) == RUMPK_E_STATE)
        npl_yield();
    return npl_spawn(package) == RUMPK_E_STALE ? SURVIVED : 2;
}

static const struct {
    const char *name;
    int (*lend)(void);
    int (*use)(void);
} hands[] = {
    {"device", lend_device, use_device}, {"end", lend_end, use_end},
    {"full", lend_full, use_full},       {"interrupt", lend_interrupt, use_interrupt},
    {"storm", lend_storm, use_storm},    {"spawn", lend_spawn, use_spawn},
};

int probe_lend(const char *word)
{
    for (unsigned i = 0; i < sizeof hands / sizeof hands[0]; i++)
        if (strcmp(hands[i].name, word) == 0)
            return hands[i].lend();
    return 98;
}

int probe_use(const char *word)
{
    npl_recv_ring(stream(), RUMPK_NOW); // the service is there
    for (unsigned i = 0; i < sizeof hands / sizeof hands[0]; i++)
        if (strcmp(hands[i].name, word) == 0)
            return hands[i].use();
    return 98;
}
