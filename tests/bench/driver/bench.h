// SPDX-License-Identifier: Apache-2.0
//
// bench.h: what the files of the bench driver share.
#ifndef BENCH_H
#define BENCH_H

#include <npl/npl.h>
#include <stdbool.h>
#include <stdint.h>

#define PAYLOAD_WORDS 8 // 64 bytes: a whole slot

enum command { YIELD = 1, STREAM = 2, ECHO = 3, WAKE = 4, INTERRUPT = 5 };

extern struct npl_ring out, in; // own producer end and own consumer end

// Ticks that an act took by itself; 0: the time from its begin to its end counts.
extern uint64_t measured;

void send(const uint64_t *message);
bool receive(uint64_t *message);
uint64_t command(enum command what, uint64_t count);
uint64_t finish(void); // what the server found wrong

// fp.c, wake.c: acts return the number of wrong answers, as all do.
uint64_t act_fp(uint64_t rounds);
uint64_t act_tick(uint64_t rounds);
uint64_t act_wake(uint64_t rounds);
uint64_t act_interrupt(uint64_t rounds);
uint64_t serve_wake(uint64_t count);
uint64_t serve_interrupt(uint64_t count);

#endif
