// SPDX-License-Identifier: Apache-2.0
//
// main.c: the bench driver. Two instances of it form a pair over one service channel. The server
// does what the client asks for; the client takes the times and leaves them in its own memory,
// where the host finds them after the power-off:
//
//   client --- request ring: {command, count} ---> server: yield `count` times, or take or echo
//          <-- reply ring: {0, errors found} ----          `count` messages
//
// The client's configuration is the script: words "act:rounds". Neither end exits: when the client
// has finished, both sleep for ever, nothing can happen any more and the kernel ends the run with
// all memory in place. A round is what one figure counts: one call, one switch, one message.
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define RESULTS_MAX 24

// Read by tests/bench/guest_bench.py.
struct results {
    uint64_t mark; // the text "RMPKBNC1", written last and put together at run time
    uint32_t count;
    uint32_t slot_count;
    uint64_t timer_hz;
    struct {
        char name[16];
        uint64_t rounds;
        uint64_t ticks;
        uint64_t errors;
    } result[RESULTS_MAX];
};
static struct results results;

struct npl_ring out, in;
uint64_t measured;

void send(const uint64_t *message)
{
    while (npl_ring_push(&out, message) == RUMPK_E_FULL)
        if (npl_ring_sleep(&out, RUMPK_FOREVER) < 0)
            return;
}

bool receive(uint64_t *message)
{
    while (npl_ring_pull(&in, message) == 0)
        if (npl_ring_sleep(&in, RUMPK_FOREVER) < 0)
            return false;
    return true;
}

static void fill(uint64_t *words, uint64_t sequence)
{
    for (uint64_t i = 0; i < PAYLOAD_WORDS; i++)
        words[i] = sequence + i;
}

static uint64_t count_wrong(const uint64_t *words, uint64_t sequence)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < PAYLOAD_WORDS; i++)
        wrong |= words[i] ^ (sequence + i);
    return wrong != 0;
}

// Server: everything that came, checked in place, given back in one go.
static uint64_t take_stream(uint64_t count)
{
    uint64_t errors = 0, sequence = 0;
    while (sequence < count) {
        const uint64_t *words = npl_ring_peek(&in);
        if (words == NULL) {
            (void)npl_ring_publish(&in);
            if (npl_ring_sleep(&in, RUMPK_FOREVER) < 0)
                return UINT64_MAX;
            continue;
        }
        errors += count_wrong(words, sequence++);
        npl_ring_drop(&in);
    }
    (void)npl_ring_publish(&in);
    return errors;
}

static void serve(void)
{
    uint64_t message[PAYLOAD_WORDS];
    while (receive(message)) {
        uint64_t count = message[1], errors = 0;
        switch (message[0]) {
        case YIELD:
            for (uint64_t i = 0; i < count; i++)
                npl_yield();
            break;
        case STREAM:
            errors = take_stream(count);
            break;
        case ECHO:
            for (uint64_t i = 0; i < count; i++) {
                if (!receive(message))
                    return;
                errors += count_wrong(message, i);
                send(message);
            }
            break;
        case WAKE:
            errors = serve_wake(count);
            break;
        case INTERRUPT:
            errors = serve_interrupt(count);
            break;
        default:
            errors = 1;
        }
        message[0] = 0;
        message[1] = errors;
        send(message);
    }
}

// The acts. Each makes `rounds` rounds and returns the number of wrong answers.

// What reading the counter twice costs: taken off every other figure.
static uint64_t act_empty(uint64_t rounds)
{
    (void)rounds;
    return 0;
}

// Instructions that anyone can count: eight no-operations, a subtraction, a branch.
static uint64_t act_calibrate(uint64_t rounds)
{
#if defined(__riscv)
    __asm__ volatile(
        "1: nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n addi %0, %0, -1\n bnez %0, 1b"
        : "+r"(rounds));
#elif defined(__aarch64__)
    __asm__ volatile("1: nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n subs %0, %0, #1\n b.ne 1b"
                     : "+r"(rounds)
                     :
                     : "cc");
#else
    __asm__ volatile("1: nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n dec %0\n jnz 1b"
                     : "+r"(rounds)
                     :
                     : "cc");
#endif
    return 0;
}

// A plain function behind a pointer: what a call of the SysTable costs where it is a function.
static int64_t nothing(void)
{
    return RUMPK_ABI_VERSION;
}
static int64_t (*volatile nothing_pointer)(void) = nothing;

static uint64_t act_function(uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += nothing_pointer() != RUMPK_ABI_VERSION;
    return wrong;
}

static uint64_t act_null(uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += npl_meta_version() != RUMPK_ABI_VERSION;
    return wrong;
}

// Slot, type and right are looked up; the ring has room, so the answer comes at once.
static uint64_t act_check(uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += npl_recv_ring(out.slot, RUMPK_NOW) <= 0;
    return wrong;
}

// The server sleeps and there is nothing for it: the bell is heard, it looks and sleeps on.
static uint64_t act_bell(uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += npl_send_wake(out.slot) != RUMPK_OK;
    return wrong;
}

static uint64_t act_map(uint64_t rounds)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < rounds; i++)
        wrong += npl_map(out.slot) != (int64_t)(uintptr_t)out.header;
    return wrong;
}

// Nobody else is ready: through the scheduler and back to the same fiber.
static uint64_t act_yield(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++)
        npl_yield();
    return 0;
}

uint64_t command(enum command what, uint64_t count)
{
    uint64_t message[PAYLOAD_WORDS] = {what, count};
    send(message);
    return 0;
}

// What the server found wrong.
uint64_t finish(void)
{
    uint64_t message[PAYLOAD_WORDS];
    return receive(message) ? message[1] : UINT64_MAX;
}

// Both yield to each other: each of our yields is two switches between protection domains.
static uint64_t act_switch(uint64_t rounds)
{
    command(YIELD, rounds / 2);
    for (uint64_t i = 0; i < rounds / 2; i++)
        npl_yield();
    return finish();
}

// Published when the ring is full.
static uint64_t act_batched(uint64_t rounds)
{
    command(STREAM, rounds);
    for (uint64_t sequence = 0; sequence < rounds;) {
        uint64_t *words = npl_ring_slot(&out);
        if (words == NULL) {
            if (npl_ring_publish(&out) < 0 || npl_ring_sleep(&out, RUMPK_FOREVER) < 0)
                return UINT64_MAX;
            continue;
        }
        fill(words, sequence++);
        npl_ring_commit(&out);
    }
    (void)npl_ring_publish(&out);
    return finish();
}

// Published one by one: the bell is rung for each as long as the server has not run.
static uint64_t act_single(uint64_t rounds)
{
    uint64_t message[PAYLOAD_WORDS];
    command(STREAM, rounds);
    for (uint64_t sequence = 0; sequence < rounds; sequence++) {
        fill(message, sequence);
        send(message);
    }
    return finish();
}

// One message there and back: two wake-ups, two switches.
static uint64_t act_round_trip(uint64_t rounds)
{
    uint64_t message[PAYLOAD_WORDS], wrong = 0;
    command(ECHO, rounds);
    for (uint64_t sequence = 0; sequence < rounds; sequence++) {
        fill(message, sequence);
        send(message);
        if (!receive(message))
            return UINT64_MAX;
        wrong += count_wrong(message, sequence);
    }
    return wrong + finish();
}

static const struct act {
    const char *name;
    uint64_t (*run)(uint64_t rounds);
} acts[] = {
    {"empty", act_empty},
    {"calibrate", act_calibrate},
    {"function", act_function},
    {"null", act_null},
    {"check", act_check},
    {"bell", act_bell},
    {"map", act_map},
    {"yield", act_yield},
    {"switch", act_switch},
    {"batched", act_batched},
    {"single", act_single},
    {"round_trip", act_round_trip},
    {"fp", act_fp},
    {"tick", act_tick},
    {"wake", act_wake},
    {"interrupt", act_interrupt},
};

static void run(const char *name, uint64_t rounds)
{
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(acts[i].name, name) != 0 || results.count == RESULTS_MAX)
            continue;
        measured = 0;
        uint64_t begin = npl_tick_now();
        uint64_t errors = acts[i].run(rounds);
        uint64_t ticks = npl_tick_now() - begin;
        if (measured != 0)
            ticks = measured;
        uint32_t at = results.count++;
        memcpy(results.result[at].name, acts[i].name, strlen(acts[i].name));
        results.result[at].rounds = rounds;
        results.result[at].ticks = ticks;
        results.result[at].errors = errors;
    }
}

static void run_script(void)
{
    char text[512] = {0};
    size_t size;
    const char *config = npl_config(&size);
    memcpy(text, config, size < sizeof text ? size : sizeof text - 1);
    for (char *word = text; *word != '\0';) {
        char *colon = strchr(word, ':');
        if (colon == NULL)
            return;
        *colon = '\0';
        char *end;
        uint64_t rounds = strtoull(colon + 1, &end, 10);
        run(word, rounds);
        word = *end == ' ' ? end + 1 : end;
    }
}

int npl_main(void)
{
    const struct rumpk_channel *channel = npl_channel_find("bench", RUMPK_ROLE_CLIENT, 0);
    bool is_client = channel != NULL;
    if (!is_client)
        channel = npl_channel_find("bench", RUMPK_ROLE_SERVER, 0);
    if (channel == NULL)
        return 1;
    if (npl_ring_open(&out, is_client ? channel->request_slot : channel->reply_slot, true) < 0 ||
        npl_ring_open(&in, is_client ? channel->reply_slot : channel->request_slot, false) < 0)
        return 2;
    if (!is_client) {
        serve();
        return 3;
    }
    run_script();
    results.timer_hz = npl_systable()->timer_hz;
    results.slot_count = out.slot_count;
    for (const char *letter = "1CNBKPMR"; *letter != '\0'; letter++)
        results.mark = results.mark << 8 | (uint8_t)*letter;
    uint64_t message[PAYLOAD_WORDS];
    (void)receive(message); // never comes: the run ends here
    return 4;
}
