// SPDX-License-Identifier: Apache-2.0
//
// interrupt.c: the ring of an interrupt's messages. It holds a few; what counts is that there is
// one.
#include <npl/call.h>
#include <npl/interrupt.h>
#include <npl/start.h>

int64_t npl_interrupt_open(struct npl_interrupt *interrupt, const char *name)
{
    const struct rumpk_cap_info *line = npl_cap_find(name, RUMPK_CAP_INTERRUPT);
    const struct rumpk_cap_info *ring = npl_cap_find(name, RUMPK_CAP_RING);

    if (!line || !ring)
        return RUMPK_E_SLOT;
    *interrupt = (struct npl_interrupt){.slot = line->slot};
    return npl_ring_open(&interrupt->ring, ring->slot, false);
}

int64_t npl_interrupt_unmask(struct npl_interrupt *interrupt)
{
    NPL_RECORD(RUMPK_CALL_MASK, RUMPK_MASK_IRQ_UNMASK);
    return npl_call(RUMPK_CALL_MASK, interrupt->slot, RUMPK_MASK_IRQ_UNMASK, 0, 0);
}

int64_t npl_interrupt_mask(struct npl_interrupt *interrupt)
{
    NPL_RECORD(RUMPK_CALL_MASK, RUMPK_MASK_IRQ_MASK);
    return npl_call(RUMPK_CALL_MASK, interrupt->slot, RUMPK_MASK_IRQ_MASK, 0, 0);
}

bool npl_interrupt_take(struct npl_interrupt *interrupt)
{
    struct rumpk_interrupt_slot message;
    bool has_fired = false;

    while (npl_ring_pull(&interrupt->ring, &message) == 1) {
        interrupt->count = message.count;
        has_fired = true;
    }
    return has_fired;
}

int64_t npl_interrupt_wait(struct npl_interrupt *interrupt, uint64_t deadline)
{
    int64_t result = npl_ring_sleep(&interrupt->ring, deadline);

    if (npl_interrupt_take(interrupt))
        return RUMPK_OK;
    (void)npl_interrupt_mask(interrupt);
    return result < 0 ? result : RUMPK_E_TIMEOUT;
}
