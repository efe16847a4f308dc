// SPDX-License-Identifier: Apache-2.0
//
// calls_machine.h: three fibers on the machine of host_machine.h, which a test plays: it writes
// their frames and traps. A kernel boots once, so each case runs in a child.
#ifndef CALLS_MACHINE_H
#define CALLS_MACHINE_H

#include "host_machine.h"

#include <kernel/fiber.h>
#include <kernel/init.h>
#include <kernel/ledger.h>
#include <kernel/ring.h>
#include <stdio.h>
#include <unistd.h>

#define CHECK(condition)                                            \
    do {                                                            \
        if (!(condition)) {                                         \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
            _exit(1);                                               \
        }                                                           \
    } while (0)

#define PAGES_OWN 4u
#define FIBERS    3u

extern uint64_t own[FIBERS]; // pages of each fiber: three writable, one read-only
extern uint32_t stream;      // ring from fiber 0 to fiber 1, in slot 0 of both

// Fibers 0 and 1 of one spectrum with the ring; fiber 2 of a stricter one, with nothing.
void machine_boot(void);
// The strict fiber out of the way, fiber 0 running, fiber 1 ready behind it.
void machine_start(void);
// One more ring.
uint32_t ring_between(struct fiber *from, struct fiber *to);

uint32_t running(void);
// The running fiber calls; what became of it.
enum machine_exit call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
// A call that returns to its caller at once.
int64_t call_result(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int64_t result_of(uint32_t number);
// A trap of the running fiber, by hand.
extern struct trap_info pending_trap;
void trap_now(void);
enum machine_exit fault(uint32_t kind, uint32_t code, uint64_t address);
const struct rumpk_ledger_record *last_record(void);

extern enum init_verdict machine_verdict; // of every step of verifying a package
extern uint32_t machine_started;          // packages that were verified and started

// A cmocka test whose state is a pointer to a case.
typedef void body(void);
void machine_case(void **state);

#endif
