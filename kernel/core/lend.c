// SPDX-License-Identifier: Apache-2.0
//
// lend.c: loans of spectrums along rings. The rule and its reasons are in lend.h. A loan is two
// fields of the borrower (lender, loan) and a mark at the lender that it may have given some.
#include <kernel/lend.h>
#include <kernel/ring.h>
#include <kernel/sched.h>

static void begin_deep(struct fiber *fiber, uint32_t depth);

// The fiber for whose service one sleeps on this slot, or null.
static struct fiber *server_of(const struct fiber *fiber, uint8_t slot)
{
    const struct cap *cap = &fiber->caps[slot];
    const struct ring *ring = &rings[cap->object];

    if (cap->type != RUMPK_CAP_RING || ring->lender != cap->part)
        return NULL;
    return ring->ends[cap->part == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER];
}

static void lend_to(struct fiber *from, struct fiber *to, uint32_t depth)
{
    uint32_t rank = sched_rank(from);

    if (!fiber_is_alive(to) || rank >= sched_rank(to))
        return;
    to->lender = from;
    to->loan = rank;
    from->lends = true;
    sched_requeue(to);
    begin_deep(to, depth + 1);
}

// Ends: `depth` grows, and each loan makes its borrower strictly stricter.
static void begin_deep(struct fiber *fiber, uint32_t depth)
{
    if (depth == LEND_DEPTH || fiber->state != FIBER_WAITING)
        return;
    for (uint32_t index = 0; index < fiber->wait.count; index++) {
        struct fiber *server = server_of(fiber, fiber->wait.slots[index]);

        if (server != NULL)
            lend_to(fiber, server, depth);
    }
}

void lend_begin(struct fiber *fiber)
{
    begin_deep(fiber, 0);
}

static bool waits_for(const struct fiber *client, const struct fiber *server)
{
    for (uint32_t index = 0; index < client->wait.count; index++) {
        if (server_of(client, client->wait.slots[index]) == server)
            return true;
    }
    return false;
}

// The strictest of the other clients that sleep for `server` lends now.
static void lender_find(struct fiber *server)
{
    for (uint32_t slot = 0; slot < RUMPK_SLOT_COUNT; slot++) {
        const struct cap *cap = &server->caps[slot];
        struct fiber *client;

        if (cap->type != RUMPK_CAP_RING || rings[cap->object].lender == RING_LENDS_NOT ||
            rings[cap->object].lender == cap->part)
            continue;
        client = rings[cap->object].ends[rings[cap->object].lender];
        if (client != NULL && client->state == FIBER_WAITING && waits_for(client, server))
            lend_to(client, server, LEND_DEPTH - 1);
    }
}

static void end_deep(struct fiber *fiber, uint32_t depth)
{
    if (!fiber->lends)
        return;
    fiber->lends = false;
    for (uint32_t number = 0; number < FIBER_COUNT; number++) {
        struct fiber *borrower = &fiber_table[number];

        if (borrower->lender != fiber)
            continue;
        borrower->lender = NULL;
        lender_find(borrower);
        sched_requeue(borrower);
        if (depth + 1 < LEND_DEPTH) {
            end_deep(borrower, depth + 1);
            begin_deep(borrower, depth + 1);
        }
    }
}

void lend_end(struct fiber *fiber)
{
    end_deep(fiber, 0);
}

void lend_again(struct fiber *fiber)
{
    end_deep(fiber, 0);
    begin_deep(fiber, 0);
}

struct fiber *lend_payer(struct fiber *fiber)
{
    for (uint32_t depth = 0; depth < LEND_DEPTH && sched_borrows(fiber); depth++)
        fiber = fiber->lender;
    return fiber;
}
