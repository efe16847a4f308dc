// SPDX-License-Identifier: Apache-2.0
//
// wake.c: from a cause to the sleeper's first instruction. The server is of a stricter spectrum
// than the client, so whatever wakes it takes the processor from the client at once:
//
//   client                                     server
//   notes the time, rings or raises the line
//                                              returns from its sleep, notes the time, answers with
//                                              it, sleeps again
//   takes the answer, adds the difference
//
// The time of one reading of the counter (`tick`) is in each difference. The client never sleeps,
// so the processor never idles.
#include "bench.h"

#define PATIENCE_MS 60000u // for an answer: far more than any machine takes
#define SPACING_US  40u    // between interrupts: fewer than the kernel calls a storm
#define PHASES      400u   // instructions of whole ticks of each machine: 100, 16 and 1

static uint64_t last_wake; // what the compiler must not drop

uint64_t act_tick(uint64_t rounds)
{
    for (uint64_t i = 0; i < rounds; i++)
        last_wake = npl_tick_now();
    return 0;
}

// Rounds begin at all phases of a counter that is coarser than an instruction.
static void shift_phase(uint64_t round)
{
    for (uint64_t i = round * 7 % PHASES; i > 0; i--)
        __asm__ volatile("" : "+r"(i));
}

// The time that the server noted: it has answered by the time that the client runs again, or soon.
static bool answer(uint64_t *message)
{
    for (uint32_t looks = 0; looks < 1000; looks++)
        if (npl_ring_pull(&in, message) == 1)
            return true;
    uint64_t deadline = npl_deadline_ms(PATIENCE_MS);
    while (npl_tick_now() < deadline)
        if (npl_ring_pull(&in, message) == 1)
            return true;
    return false;
}

// ---- a doorbell ----

uint64_t serve_wake(uint64_t count)
{
    uint64_t message[PAYLOAD_WORDS], errors = 0;
    for (uint64_t i = 0; i < count; i++) {
        int64_t result = npl_ring_sleep(&in, RUMPK_FOREVER);
        uint64_t now = npl_tick_now();
        errors += result < 0 || npl_ring_pull(&in, message) != 1 || message[0] != i;
        message[0] = now;
        send(message);
    }
    return errors;
}

uint64_t act_wake(uint64_t rounds)
{
    uint64_t message[PAYLOAD_WORDS] = {0}, errors = 0, sum = 0;
    command(WAKE, rounds);
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t *words = npl_ring_slot(&out);
        if (words == NULL)
            return UINT64_MAX;
        words[0] = i;
        npl_ring_commit(&out);
        shift_phase(i);
        uint64_t begin = npl_tick_now();
        errors += npl_ring_publish(&out) < 0;
        if (!answer(message) || message[0] < begin)
            return UINT64_MAX;
        sum += message[0] - begin;
    }
    measured = sum;
    return errors + finish();
}

// ---- an interrupt ----
//
// The line is that of the console's chip, which nobody else uses here. The server holds the
// interrupt and grants the registers to the client, who makes the chip ask by a single write.

static struct npl_registers uart;
static struct npl_interrupt line;

#if defined(__aarch64__)
// PL011: a byte that was sent asks as soon as its interrupt is enabled, until it is cleared.
static void chip_prepare(void)
{
    npl_reg_write32(&uart, 0x30, 0x101);
    npl_reg_write32(&uart, 0x00, '.');
}

static void chip_ask(void)
{
    npl_reg_write32(&uart, 0x38, 0x20);
}

static void chip_quiet(void)
{
    npl_reg_write32(&uart, 0x38, 0);
    npl_reg_write32(&uart, 0x44, 0x7FF);
}
#else
// 16550: an empty transmitter asks as long as its interrupt is enabled.
static void chip_prepare(void)
{
    npl_reg_write8(&uart, 4, 0x0B);
}

static void chip_ask(void)
{
    npl_reg_write8(&uart, 1, 0x02);
}

static void chip_quiet(void)
{
    npl_reg_write8(&uart, 1, 0);
}
#endif

// Gives the client the registers and tells it where they are.
static bool lend_registers(void)
{
    const struct rumpk_cap_info *cap = npl_cap_find("uart", RUMPK_CAP_WINDOW);
    if (cap == NULL)
        cap = npl_cap_find("uart", RUMPK_CAP_PORTS);
    if (cap == NULL || npl_registers_open(&uart, "uart") != RUMPK_OK ||
        npl_interrupt_open(&line, "uart") != RUMPK_OK)
        return false;
    int64_t slot = npl_grant(cap->slot, out.slot, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE, 0, 0);
    uint64_t message[PAYLOAD_WORDS] = {(uint64_t)slot, uart.size, uart.shift, uart.is_ports};
    send(message);
    return slot >= 0;
}

static bool borrow_registers(void)
{
    uint64_t message[PAYLOAD_WORDS];
    if (!receive(message) || (int64_t)message[0] < 0)
        return false;
    int64_t base = npl_map((uint32_t)message[0]);
    uart = (struct npl_registers){.base = (uint64_t)base,
                                  .size = message[1],
                                  .shift = (uint32_t)message[2],
                                  .is_ports = message[3] != 0};
    return base >= 0;
}

// A line that is unmasked may fire once for an edge of before: only what the client announced
// counts.
uint64_t serve_interrupt(uint64_t count)
{
    uint64_t message[PAYLOAD_WORDS], errors = 0;
    if (!lend_registers())
        return UINT64_MAX;
    chip_quiet();
    for (uint64_t i = 0; i < count;) {
        errors += npl_interrupt_unmask(&line) != RUMPK_OK;
        int64_t result = npl_ring_sleep(&line.ring, RUMPK_FOREVER);
        uint64_t now = npl_tick_now();
        errors += result < 0 || !npl_interrupt_take(&line);
        chip_quiet();
        if (npl_ring_pull(&in, message) != 1)
            continue;
        errors += message[0] != i++;
        message[0] = now;
        send(message);
    }
    return errors;
}

uint64_t act_interrupt(uint64_t rounds)
{
    uint64_t message[PAYLOAD_WORDS] = {0}, sum = 0;
    uint64_t spacing = npl_systable()->timer_hz * SPACING_US / 1000000;
    command(INTERRUPT, rounds);
    if (!borrow_registers())
        return UINT64_MAX;
    for (uint64_t i = 0; i < rounds; i++) {
        chip_prepare();
        for (uint64_t until = npl_tick_now() + spacing; npl_tick_now() < until;)
            continue;
        message[0] = i;
        send(message); // the server sleeps on the line: no bell
        shift_phase(i);
        uint64_t begin = npl_tick_now();
        chip_ask();
        if (!answer(message) || message[0] < begin)
            return UINT64_MAX;
        sum += message[0] - begin;
    }
    measured = sum;
    return finish();
}
