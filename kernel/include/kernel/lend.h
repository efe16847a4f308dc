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
// sleeps on the service of a third hands the loan on, at most LEND_DEPTH times. One who falls
// asleep offers it to at most LEND_OFFERS fibers, the nearest first.
//
// Why this rule: the kernel knows rings, not requests, so "has an unanswered request" cannot be
// asked; "the client cannot go on without it" can. Only the client's side of a wire lends, and
// which side that is stands in the signed boot manifest: a server that waits for work lends its
// clients nothing. Nobody can raise itself, because a loan needs a sleeping client that is
// stricter; and a loan is bounded by the client's own budget: when that is used up the client
// counts as Void until its window ends, and what Void lends is worth nothing.
//
// A loan is made when the client falls asleep and ends when it wakes. Making one looks at each wait
// slot of the client once and at LEND_OFFERS fibers; ending one costs nothing: the next look at the
// borrower's rank finds that the loan is no good any more and asks every fiber once whether it
// sleeps for the borrower. Until then a borrower may stand in a queue that is too strict: whoever
// takes it from there looks at its rank first (sched_run).
#ifndef KERNEL_LEND_H
#define KERNEL_LEND_H

#include <kernel/fiber.h>

#define LEND_DEPTH  4u
#define LEND_OFFERS 12u // a package needs at most 8 services

// `fiber` begins to wait: fiber->wait is complete.
void lend_begin(struct fiber *fiber);
// It waits or not; its own spectrum has changed.
void lend_again(struct fiber *fiber);
// The spectrum that `fiber` runs in now: its own, looser by strikes, Void while it is throttled, or
// one that it was lent.
uint32_t lend_rank(struct fiber *fiber);
// Does it run in a spectrum that it was lent?
bool lend_borrows(struct fiber *fiber);
// Who pays for what `fiber` uses now: itself, or the client at the beginning of the loan.
struct fiber *lend_payer(struct fiber *fiber);

#endif
