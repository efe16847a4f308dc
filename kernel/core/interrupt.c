// SPDX-License-Identifier: Apache-2.0
//
// interrupt.c: from a line to the fiber that waits for it. Nothing here is done for longer than a
// bounded number of lines, and a line that nobody owns is masked for good when it fires.
#include <kernel/budget.h>
#include <kernel/interrupt.h>
#include <kernel/record.h>
#include <kernel/ring.h>
#include <kernel/sched.h>
#include <kernel/statistics.h>
#include <kernel/timer.h>
#include <kernel/virtio.h>

// Lines served in one go, each of which may wake a fiber that waits for many sources. What is left
// is still pending and comes at the next look.
#define SERVE_MAX 2u

enum line_kind {
    LINE_FREE,
    LINE_VIRTIO,
    LINE_HELD,
};

struct line {
    uint8_t kind; // enum line_kind
    bool is_throttled;
    uint16_t storms; // windows in a row in which it was held back
    uint16_t fired;  // in this window
    uint16_t object; // HELD: index; VIRTIO: index of the first device, in `users`
    uint16_t fiber;  // whose device asked last
    uint64_t window; // its end
};

#define USER_NONE 0xFFFFu

// A virtio device on its line, by the device's index. PCI's lines may have several.
struct user {
    uint16_t next; // on the same line, or USER_NONE
};

// A line that a driver holds.
struct held {
    uint32_t line;
    uint32_t ring;
    uint64_t count;
    uint16_t user; // node of the capability in possession, or CAP_NODE_NONE
    bool is_armed; // unmasked by its holder
};

static struct held held[INTERRUPTS_MAX];
static uint32_t held_count;
static struct line lines[ARCH_LINES_MAX];
static struct user users[VIRTIO_DEVICES_MAX];
static uint32_t throttled_count;

int64_t interrupt_attach_virtio(uint32_t line, uint32_t virtio, uint32_t fiber)
{
    if (line >= ARCH_LINES_MAX || virtio >= VIRTIO_DEVICES_MAX || lines[line].kind == LINE_HELD)
        return RUMPK_E_STATE;
    if (lines[line].kind == LINE_FREE)
        lines[line] =
            (struct line){.kind = LINE_VIRTIO, .object = USER_NONE, .fiber = (uint16_t)fiber};
    users[virtio] = (struct user){.next = lines[line].object};
    lines[line].object = (uint16_t)virtio;
    virtio_interrupt_hold(virtio, false);
    arch_interrupt_unmask(line);
    return RUMPK_OK;
}

int64_t interrupt_attach(uint32_t line, uint32_t *object, uint32_t *ring)
{
    int64_t result;

    if (line >= ARCH_LINES_MAX || lines[line].kind != LINE_FREE)
        return RUMPK_E_STATE;
    if (held_count == INTERRUPTS_MAX)
        return RUMPK_E_LIMIT;
    result = ring_new(INTERRUPT_SLOTS, ring);
    if (result != RUMPK_OK)
        return result;
    rings[*ring].interrupt = held_count;
    held[held_count] = (struct held){.line = line, .ring = *ring, .user = CAP_NODE_NONE};
    lines[line] = (struct line){.kind = LINE_HELD, .object = (uint16_t)held_count};
    *object = held_count++;
    return RUMPK_OK;
}

void interrupt_unmask(uint32_t object)
{
    held[object].is_armed = true;
    if (!lines[held[object].line].is_throttled)
        arch_interrupt_unmask(held[object].line);
}

void interrupt_mask(uint32_t object)
{
    held[object].is_armed = false;
    arch_interrupt_mask(held[object].line);
}

uint16_t interrupt_user(uint32_t object)
{
    return held[object].user;
}

void interrupt_hand(uint32_t object, uint16_t node)
{
    struct line *line = &lines[held[object].line];

    interrupt_mask(object);
    held[object].user = node;
    line->storms = 0;
    if (node != CAP_NODE_NONE)
        line->fiber = (uint16_t)cap_node_fiber(node);
}

bool interrupt_is_armed(uint32_t object)
{
    return held[object].is_armed;
}

static uint64_t window_ticks(void)
{
    return rumpk_boot_record.timer_hz * INTERRUPT_WINDOW_MS / 1000;
}

// May this line be unmasked now? False: it fires too often and stays masked until its window ends.
static bool line_is_calm(struct line *line)
{
    uint64_t now = record_ticks();

    if (now >= line->window) {
        // A whole window without: the storm is over.
        if (now - line->window >= window_ticks() || line->fired <= INTERRUPT_STORM)
            line->storms = 0;
        line->window = now + window_ticks();
        line->fired = 0;
    }
    if (++line->fired <= INTERRUPT_STORM)
        return true;
    if (!line->is_throttled) {
        line->is_throttled = true;
        throttled_count++;
        core_statistics.storms++;
        timer_need(line->window);
        if (++line->storms == INTERRUPT_STORMS) {
            line->storms = 0;
            budget_storm(&fiber_table[line->fiber]);
        }
    }
    return false;
}

static void held_serve(struct held *interrupt)
{
    struct rumpk_interrupt_slot slot = {.count = ++interrupt->count, .ticks = record_ticks()};

    struct fiber *consumer = rings[interrupt->ring].ends[RING_CONSUMER];

    interrupt->is_armed = false;
    ring_publish(&rings[interrupt->ring], &slot);
    if (consumer != NULL)
        sched_wake(consumer);
}

// Who uses a queue of this device that has something to say, once for queues in a row of one user.
static void device_serve(struct line *line, uint32_t virtio)
{
    uint32_t last = FIBER_COUNT;

    if (virtio_user(virtio, VIRTIO_CONTROL) != CAP_NODE_NONE)
        line->fiber = (uint16_t)cap_node_fiber(virtio_user(virtio, VIRTIO_CONTROL));
    for (uint32_t queue = 0; queue < virtio_queues(virtio); queue++) {
        uint32_t user = cap_node_fiber(virtio_user(virtio, queue));

        if (user >= FIBER_COUNT || user == last || !virtio_is_ready(virtio, queue))
            continue;
        sched_wake(&fiber_table[user]);
        line->fiber = (uint16_t)user;
        last = user;
    }
}

// Every device of the line is asked: who has not asked for it is left alone.
static void devices_serve(struct line *line)
{
    for (uint32_t virtio = line->object; virtio != USER_NONE; virtio = users[virtio].next) {
        if (virtio_interrupt(virtio))
            device_serve(line, virtio);
    }
}

static void devices_hold(const struct line *line, bool is_held)
{
    for (uint32_t virtio = line->object; virtio != USER_NONE; virtio = users[virtio].next)
        virtio_interrupt_hold(virtio, is_held);
}

static void line_serve(uint32_t number)
{
    struct line *line = &lines[number];

    switch (line->kind) {
    case LINE_VIRTIO:
        devices_serve(line);
        if (line_is_calm(line))
            arch_interrupt_unmask(number);
        else
            devices_hold(line, true);
        break;
    case LINE_HELD:
        held_serve(&held[line->object]);
        (void)line_is_calm(line); // if not, the holder's unmask waits
        break;
    default:
        arch_interrupt_mask(number);
        break;
    }
}

void interrupt_serve(void)
{
    for (uint32_t served = 0; served < SERVE_MAX; served++) {
        uint32_t line = arch_interrupt_claim();

        if (line >= ARCH_LINES_MAX)
            return;
        core_statistics.interrupts++;
        line_serve(line);
    }
}

uint64_t interrupt_release(void)
{
    uint64_t now = record_ticks();
    uint64_t next = TIMER_NEVER;

    for (uint32_t number = 0; number < ARCH_LINES_MAX && throttled_count != 0; number++) {
        struct line *line = &lines[number];

        if (!line->is_throttled)
            continue;
        if (now < line->window) {
            next = line->window < next ? line->window : next;
            continue;
        }
        line->is_throttled = false;
        throttled_count--;
        if (line->kind == LINE_VIRTIO)
            devices_hold(line, false);
        if (line->kind == LINE_VIRTIO || held[line->object].is_armed)
            arch_interrupt_unmask(number);
    }
    return next;
}
