// SPDX-License-Identifier: Apache-2.0
//
// lend.h: who waits for a service lends the server its spectrum.
//
//   client, Photon --request--> server, Gravity        a spinning Matter fiber
//     asleep on the reply        runs in Photon         has to wait for both
//
// While a client sleeps on its side of a wire (on the reply ring for an answer, on the request ring
// for room) the fiber at the other end runs in the client's spectrum where that is stricter than
// its own, and what it uses is charged to the client's window (budget.h). A server that itself
// sleeps on the service of a third hands the loan on, at most LEND_DEPTH times.
//
// Why this rule: the kernel knows rings, not requests, so "has an unanswered request" cannot be
// asked; "the client cannot go on without it" can. Only the client's side of a wire lends, and
// which side that is stands in the signed boot manifest: a server that waits for work lends its
// clients nothing. Nobody can raise itself, because a loan needs a sleeping client that is
// stricter; and a loan is bounded by the client's own budget: when that is used up the client
// counts as Void until its window ends, and what Void lends is worth nothing.
//
// A loan is made when the client falls asleep and ends when it wakes. Making and ending one looks
// at each wait slot of the clients concerned once per level: at most LEND_DEPTH * 2 * RINGS_MAX
// slots.
#ifndef KERNEL_LEND_H
#define KERNEL_LEND_H

#include <kernel/fiber.h>

#define LEND_DEPTH 4u

// `fiber` begins to wait: fiber->wait is complete.
void lend_begin(struct fiber *fiber);
// It waits no more.
void lend_end(struct fiber *fiber);
// It waits or not; its own spectrum has changed.
void lend_again(struct fiber *fiber);
// Who pays for what `fiber` uses now: itself, or the client at the beginning of the loan.
struct fiber *lend_payer(struct fiber *fiber);

#endif
