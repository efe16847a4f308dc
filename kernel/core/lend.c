// SPDX-License-Identifier: Apache-2.0
//
// lend.c: loans of spectrums along rings. The rule and its reasons are in lend.h. A loan is two
// fields of the borrower: who lends, and which nap of the lender it is for. It ends by itself when
// the lender is no longer in that nap; whoever asks for the borrower's rank next finds another
// lender for it. So no wake-up costs more because much had been lent.
#include <kernel/lend.h>
#include <kernel/ring.h>
#include <kernel/sched.h>

_Static_assert(FIBER_COUNT <= 64, "the servers of a wait are bits of one word");

static uint32_t rank_own(const struct fiber *fiber)
{
    return fiber->is_throttled ? RUMPK_SPECTRUM_VOID : fiber->spectrum;
}

// Who lends it something, if that loan is still good.
static struct fiber *lender_good(const struct fiber *fiber)
{
    struct fiber *lender = fiber->lender;

    if (lender == NULL || lender->state != FIBER_WAITING || lender->naps != fiber->lender_nap)
        return NULL;
    return lender;
}

// The strictest on the way from borrower to lender to lender.
static uint32_t rank_along(const struct fiber *fiber)
{
    const struct fiber *lender = lender_good(fiber);
    uint32_t rank = rank_own(fiber);

    for (uint32_t depth = 0; depth < LEND_DEPTH && lender != NULL; depth++) {
        rank = rank_own(lender) < rank ? rank_own(lender) : rank;
        lender = lender_good(lender);
    }
    return rank;
}

static void lender_set(struct fiber *fiber, struct fiber *lender)
{
    fiber->lender = lender;
    fiber->lender_nap = lender->naps;
}

// The strictest of those who sleep for `server` and are stricter than it is lends now, or nobody.
static void lender_find(struct fiber *server)
{
    uint32_t rank = rank_own(server);

    server->lender = NULL;
    for (uint32_t number = 0; number < FIBER_COUNT; number++) {
        struct fiber *client = &fiber_table[number];

        if (client->state != FIBER_WAITING || (client->wait.servers >> server->number & 1) == 0 ||
            client == server || rank_along(client) >= rank)
            continue;
        rank = rank_along(client);
        lender_set(server, client);
    }
}

static struct fiber *lender_of(struct fiber *fiber)
{
    if (fiber->lender != NULL && lender_good(fiber) == NULL)
        lender_find(fiber);
    return fiber->lender;
}

uint32_t lend_rank(struct fiber *fiber)
{
    struct fiber *at = fiber;

    for (uint32_t depth = 0; depth < LEND_DEPTH && at != NULL; depth++)
        at = lender_of(at);
    return rank_along(fiber);
}

bool lend_borrows(struct fiber *fiber)
{
    return lend_rank(fiber) < rank_own(fiber);
}

struct fiber *lend_payer(struct fiber *fiber)
{
    for (uint32_t depth = 0; depth < LEND_DEPTH; depth++) {
        if (!lend_borrows(fiber) || fiber->lender == NULL)
            break;
        fiber = fiber->lender;
    }
    return fiber;
}

// ---- making loans ----

// The fibers for whose service one sleeps in this wait, one bit each.
static uint64_t servers_of(const struct fiber *fiber)
{
    uint64_t servers = 0;

    for (uint32_t index = 0; index < fiber->wait.count; index++) {
        const struct cap *cap = &fiber->caps[fiber->wait.slots[index]];
        const struct ring *ring = &rings[cap->object];
        const struct fiber *server;

        if (cap->type != RUMPK_CAP_RING || ring->lender != cap->part)
            continue;
        server = ring->ends[cap->part == RING_PRODUCER ? RING_CONSUMER : RING_PRODUCER];
        servers |= server != NULL ? UINT64_C(1) << server->number : 0;
    }
    return servers;
}

// True: `to` runs on what `from` lends it.
static bool offer(struct fiber *from, struct fiber *to)
{
    if (!fiber_is_alive(to))
        return false;
    if (lender_good(to) != from) {
        if (lend_rank(from) >= lend_rank(to))
            return false;
        lender_set(to, from);
    }
    sched_requeue(to);
    return true;
}

// From the sleeper to its servers, then from those of them that sleep themselves to theirs.
static void spread(struct fiber *fiber)
{
    struct fiber *reached[LEND_OFFERS + 1] = {fiber};
    uint32_t count = 1;
    uint32_t offers = 0;

    for (uint32_t index = 0; index < count; index++) {
        struct fiber *from = reached[index];
        uint64_t servers = from->state == FIBER_WAITING ? from->wait.servers : 0;

        for (; servers != 0 && offers < LEND_OFFERS; servers &= servers - 1) {
            struct fiber *to = &fiber_table[__builtin_ctzll(servers)];

            offers++;
            if (offer(from, to))
                reached[count++] = to;
        }
    }
}

void lend_begin(struct fiber *fiber)
{
    fiber->naps++;
    fiber->wait.servers = servers_of(fiber);
    spread(fiber);
}

void lend_again(struct fiber *fiber)
{
    if (fiber->state != FIBER_WAITING)
        return;
    fiber->naps++;
    spread(fiber);
}
