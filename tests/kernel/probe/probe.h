// SPDX-License-Identifier: Apache-2.0
//
// probe.h: what the parts of the probe driver share. Each act takes the rest of the configuration
// line and returns the exit code: SURVIVED, or the number of the promise that it found broken.
#ifndef PROBE_H
#define PROBE_H

#include <rumpk/abi.h>
#include <stdint.h>

#define SURVIVED 42

// Any call by number, arguments unchecked: what a hostile driver would do.
int64_t probe_call(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

int probe_cpu(const char *word);        // cpu.c: one privileged, illegal or trapping instruction
int probe_fp(const char *word);         // cpu.c: floating point state is one's own
int probe_calls(const char *word);      // calls.c: every documented result code of every call
int probe_pointer(const char *word);    // calls.c: memory that is not the caller's, as an argument
int probe_sink(const char *word);       // rings.c: the honest server of the ring cases
int probe_forge(const char *word);      // rings.c: the dishonest client
int probe_queue(const char *word);      // queues.c: device queue and DMA arguments
int probe_kernel(const char *word);     // calls.c: test kernel only: make the kernel itself fault
int probe_give(const char *word);       // grants.c: what the giver of a capability sees
int probe_take(const char *word);       // grants.c: what its taker sees
int probe_drop(const char *word);       // grants.c: taking back from oneself
int probe_meta(const char *word);       // meta.c: what one may know
int probe_checkpoint(const char *word); // meta.c: state handed over
int probe_script(const char *text);     // script.c: calls as the configuration names them
int probe_pledge(const char *word);     // grants.c: calls given up
int probe_ports(const char *word);      // cpu.c: I/O ports held, not held, and side by side
int probe_spin(const char *word);       // sched.c: keeps the processor and never waits
int probe_busy(const char *word);       // sched.c: computes a lot, waits now and then
int probe_pulse(const char *word);      // sched.c: wakes in time
int probe_idle(const char *word);       // sched.c: nothing interrupts an idle machine
int probe_sleep(const char *word);      // sched.c: sleeps for ever
int probe_irq(const char *word);        // irq.c: the interrupt of the console's registers
int probe_share(const char *word);      // sched.c: gets its part of the processor
int probe_beat(const char *word);       // load.c: wakes often and counts how late
int probe_flood(const char *word);      // load.c: sends as fast as it can
int probe_budget(const char *word);     // load.c: what it may use, and that this holds
int probe_work(const char *word);       // load.c: computes so much, in so much time
int probe_boss(const char *word);       // load.c: starts another package
int probe_ask(const char *word);        // load.c: a client that sleeps for its answers
int probe_answer(const char *word);     // load.c: its server
int probe_long(const char *word);       // load.c: calls that take long
int probe_bound(const char *word);      // load.c: gives much and takes it back
int probe_holder(const char *word);     // load.c: what it is given
int probe_root(const char *word);       // bounds.c: a tree over all tables, taken back
int probe_node(const char *word);       // bounds.c: a part of it
int probe_passer(const char *word);     // bounds.c: makes another's capability deep
int probe_sleeper(const char *word);    // bounds.c: sleeps on 64 deep slots
int probe_batch(const char *word);      // bounds.c: full batches for a device
int probe_borrower(const char *word);   // bounds.c: sleeps on many servers
int probe_teller(const char *word);     // bounds.c: resets a device with eight users
int probe_told(const char *word);       // bounds.c: one of them
int probe_lend(const char *word);       // hand.c: what has one user, lent and taken back
int probe_use(const char *word);        // hand.c: who borrows it

// grants.c: the first own slot of a type; memory mapped, or null; sleeps until a word is so.
uint32_t probe_slot(uint32_t type);
volatile uint64_t *probe_mapped(uint32_t slot);
void probe_until(volatile uint64_t *word, uint64_t value);

// irq.c: the console's chip asks for attention, and stops; or it asks for ever.
struct npl_registers;
struct npl_interrupt;
void probe_chip_ask(const struct npl_registers *chip);
void probe_chip_quiet(const struct npl_registers *chip);
int probe_chip_storm(struct npl_interrupt *line, const struct npl_registers *chip);

#endif
