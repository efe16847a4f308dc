// SPDX-License-Identifier: Apache-2.0
//
// interrupt.h: the interrupt of a device whose registers this driver holds.
//
// `request { registers "uart" compatible="ns16550a" interrupt=#true }` gives, beside the registers,
// an interrupt of the same name on every machine where the device has one. It is masked at first
// and after each time it fired:
//
//   npl_interrupt_unmask(&interrupt);            first, so that no edge is lost
//   npl_reg_write8(&port, ENABLE, ...);          now the device may ask
//   npl_interrupt_wait(&interrupt, deadline);    sleeps; masked again when it returns
//   npl_reg_...                                  quiets the device
#ifndef NPL_INTERRUPT_H
#define NPL_INTERRUPT_H

#include <npl/ring.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npl_interrupt {
    struct npl_ring ring; // messages of the kernel; its slot may be given to npl_wait
    uint32_t slot;
    uint64_t count; // times that the line has fired, as of the last message
};

// Finds the request by name. 0, RUMPK_E_SLOT when there is no interrupt of this name, or the code
// of `map`.
int64_t npl_interrupt_open(struct npl_interrupt *interrupt, const char *name);

int64_t npl_interrupt_unmask(struct npl_interrupt *interrupt);
int64_t npl_interrupt_mask(struct npl_interrupt *interrupt);

// Takes what has come: true when the line has fired since it was last asked.
bool npl_interrupt_take(struct npl_interrupt *interrupt);

// Sleeps until the line has fired: 0. RUMPK_E_TIMEOUT when the deadline passed first: then it is
// masked. RUMPK_E_STALE when it was lent and has been taken back.
int64_t npl_interrupt_wait(struct npl_interrupt *interrupt, uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif
