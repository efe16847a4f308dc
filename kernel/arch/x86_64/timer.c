// SPDX-License-Identifier: Apache-2.0
//
// timer.c (x86_64): the time stamp counter, how fast it runs, and the local APIC's timer.
//
// The processor says the frequency itself (CPUID leaf 15h) or it is measured once, for at most 500
// microseconds: against the HPET where the tables name one, which tells its own rate and is read in
// one access, else against channel 0 of the 8254 timer, whose 1,193,182 Hz every PC has. The
// counter is read behind an LFENCE, so two readings in program order never go backwards. That it
// runs at one speed in all power states (invariant TSC) is assumed; see docs/hardware-gaps.md.
//
// The local APIC counts down at a rate that nothing tells: it is measured against the counter. What
// is armed is a counter value; if the APIC's interrupt comes before it, because its 32 bits do not
// reach that far or the measurement was a little off, the rest is armed and nobody hears of it.
#include "machine.h"
#include "offsets.h"

#include <arch/arch.h>
#include <kernel/base.h>
#include <kernel/memory.h>

#define PIT_HZ             UINT64_C(1193182)
#define PIT_CHANNEL_0      0x40
#define PIT_COMMAND        0x43
#define PIT_RATE_GENERATOR 0x34 // channel 0, low then high byte, mode 2
#define PIT_LATCH          0x00
#define PIT_MASK           0xFFFFu

// Part of a second to measure: 419 us. The rest of the 500 us is for the edges.
#define MEASURE_PARTS 2386u
// Readings before a counter that stands still counts as missing; with instruction counting in the
// emulator one reading takes about 20 ns of guest time.
#define MEASURE_READINGS_MAX 200000u
// A pause between two readings above this (0.5 ms at 10 GHz, 50 ms at 100 MHz) may hide a turn of
// the 16-bit counter, 55 ms: measure again.
#define MEASURE_GAP_MAX UINT64_C(5000000)
// A measurement is good when nothing interrupted its first and last reading: both together took
// less than 1/64 of the whole. Under an emulator on a busy host none of the attempts may be; then
// the best one counts.
#define MEASURE_ATTEMPTS 8u
#define MEASURE_GOOD     64u

#define HZ_MIN UINT64_C(1000000)
#define HZ_MAX UINT64_C(100000000000)

static uint64_t counter_hz;
static uint64_t apic_rate; // ticks of the local APIC per tick of the counter, times 2^32
static uint64_t deadline;
static bool is_armed;

uint64_t arch_timer_now(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t hz_from_cpuid(void)
{
    struct cpu_id id = cpu_id_read(0x15, 0); // eax denominator, ebx numerator, ecx crystal in Hz
    uint64_t product;

    if (id.eax == 0 || id.ebx == 0 || !checked_mul(id.ecx, id.ebx, &product))
        return 0;
    return product / id.eax;
}

// A clock that the counter is measured against: it counts up to `mask` and starts again.
struct reference {
    uint64_t hz;
    uint32_t mask;
    uint32_t (*read)(void);
};

// What it said, and the time stamps right before and after.
struct reading {
    uint64_t before;
    uint64_t after;
    uint32_t count;
};

static struct reading reference_read(const struct reference *reference)
{
    struct reading reading;

    reading.before = arch_timer_now();
    reading.count = reference->read();
    reading.after = arch_timer_now();
    return reading;
}

struct measurement {
    uint64_t hz;    // 0: the counter stands still, or a pause was too long
    uint64_t doubt; // what the readings took, in parts of 2^16 of the whole
};

static struct measurement hz_between(const struct reading *start, const struct reading *end,
                                     uint64_t elapsed, uint64_t hz)
{
    uint64_t whole = (end->before + end->after) / 2 - (start->before + start->after) / 2;
    uint64_t readings = end->after - end->before + (start->after - start->before);
    uint64_t product;

    if (!checked_mul(whole, hz, &product))
        return (struct measurement){0, UINT64_MAX};
    return (struct measurement){product / elapsed, (readings << 16) / (whole + 1)};
}

// From an edge of the clock to another.
static struct measurement hz_measure(const struct reference *reference)
{
    struct reading start = reference_read(reference);
    struct reading last;
    uint32_t first = start.count;

    for (uint32_t i = 0; i < MEASURE_READINGS_MAX && start.count == first; i++)
        start = reference_read(reference);
    last = start;
    for (uint32_t i = 0; i < MEASURE_READINGS_MAX && start.count != first; i++) {
        struct reading now = reference_read(reference);
        uint32_t elapsed = (now.count - start.count) & reference->mask;

        if (now.after - last.after > MEASURE_GAP_MAX)
            break;
        last = now;
        if (elapsed >= reference->hz / MEASURE_PARTS)
            return hz_between(&start, &now, elapsed, reference->hz);
    }
    return (struct measurement){0, UINT64_MAX};
}

static uint64_t hz_against(const struct reference *reference)
{
    struct measurement best = {0, UINT64_MAX};

    for (uint32_t i = 0; i < MEASURE_ATTEMPTS; i++) {
        struct measurement next = hz_measure(reference);

        if (next.hz != 0 && next.doubt < best.doubt)
            best = next;
        if (best.doubt < (1u << 16) / MEASURE_GOOD)
            break;
    }
    return best.hz;
}

// It counts down.
static uint32_t pit_read(void)
{
    uint32_t low, high;

    cpu_out8(PIT_COMMAND, PIT_LATCH);
    low = cpu_in8(PIT_CHANNEL_0);
    high = cpu_in8(PIT_CHANNEL_0);
    return PIT_MASK - (high << 8 | low);
}

static uint64_t hz_from_pit(void)
{
    static const struct reference pit = {.hz = PIT_HZ, .mask = PIT_MASK, .read = pit_read};

    cpu_out8(PIT_COMMAND, PIT_RATE_GENERATOR);
    cpu_out8(PIT_CHANNEL_0, 0);
    cpu_out8(PIT_CHANNEL_0, 0); // 0 means 65,536
    return hz_against(&pit);
}

bool timer_window(struct boot_region *out)
{
    const struct acpi_tables *tables = boot_acpi();

    if (tables == NULL || !range_contains(0, ARCH_ADDRESS_LIMIT, tables->hpet, HPET_SIZE) ||
        tables->hpet == 0 || memory_is_ram(tables->hpet, HPET_SIZE))
        return false;
    *out = (struct boot_region){tables->hpet, HPET_SIZE};
    return true;
}

static volatile uint32_t *hpet_register(uint32_t offset)
{
    return (volatile uint32_t *)(uintptr_t)(boot_acpi()->hpet + offset);
}

static uint32_t hpet_read(void)
{
    return *hpet_register(HPET_COUNTER);
}

static uint64_t hz_from_hpet(void)
{
    struct reference hpet = {.mask = UINT32_MAX, .read = hpet_read};
    struct boot_region window;
    uint64_t period;

    if (!timer_window(&window))
        return 0;
    period = *hpet_register(HPET_CAPABILITIES + 4);
    if (period < HPET_PERIOD_MIN || period > HPET_PERIOD_MAX)
        return 0;
    hpet.hz = FEMTOSECONDS / period;
    *hpet_register(HPET_CONFIGURATION) = HPET_ENABLE;
    return hz_against(&hpet);
}

uint64_t arch_timer_init(const void *fdt)
{
    uint64_t hz = hz_from_cpuid();

    (void)fdt;
    if (hz == 0)
        hz = hz_from_hpet();
    if (hz == 0)
        hz = hz_from_pit();
    counter_hz = hz >= HZ_MIN && hz <= HZ_MAX ? hz : 0;
    return counter_hz;
}

// ---- the timer ---------------------------------------------------------------------------------

#define CALIBRATE_PARTS    4000u // of a second: 250 us
#define CALIBRATE_READINGS 1000000u
#define CALIBRATE_GOOD     512u // both readings together took less than this part of the whole

struct apic_reading {
    uint64_t before;
    uint64_t after;
    uint32_t count;
};

static struct apic_reading apic_timer_read(void)
{
    struct apic_reading reading;

    reading.before = arch_timer_now();
    reading.count = lapic_read(LAPIC_TIMER_CURRENT);
    reading.after = arch_timer_now();
    return reading;
}

static struct measurement apic_measure(void)
{
    struct apic_reading start = apic_timer_read();
    struct apic_reading now = start;

    for (uint32_t i = 0; i < CALIBRATE_READINGS; i++) {
        now = apic_timer_read();
        if (now.before - start.after >= counter_hz / CALIBRATE_PARTS)
            break;
    }

    uint64_t whole = (now.before + now.after) / 2 - (start.before + start.after) / 2;
    uint64_t readings = now.after - now.before + (start.after - start.before);
    uint64_t ticks = start.count - now.count; // it counts down

    if (whole == 0 || ticks == 0)
        return (struct measurement){0, UINT64_MAX};
    return (struct measurement){(ticks << 32) / whole, (readings << 16) / whole};
}

bool timer_calibrate(void)
{
    struct measurement best = {0, UINT64_MAX};

    for (uint32_t i = 0; i < MEASURE_ATTEMPTS && best.doubt >= (1u << 16) / CALIBRATE_GOOD; i++) {
        struct measurement next;

        lapic_write(LAPIC_TIMER_DIVIDER, LAPIC_DIVIDE_1);
        lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX); // masked: nothing comes of it
        next = apic_measure();
        if (next.hz != 0 && next.doubt < best.doubt)
            best = next;
    }
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER); // one shot
    apic_rate = best.hz;
    return apic_rate != 0;
}

__extension__ typedef unsigned __int128 wide;

static void apic_timer_start(uint64_t now)
{
    uint64_t distance = deadline > now ? deadline - now : 0;
    wide product = (wide)distance * apic_rate >> 32;
    uint64_t ticks = product > UINT64_MAX / 2 ? UINT64_MAX / 2 : (uint64_t)product;
    uint32_t divider = LAPIC_DIVIDE_1;

    // Rather a little late than twice.
    ticks += ticks / 2048 + 1;
    if (ticks > UINT32_MAX) {
        divider = LAPIC_DIVIDE_128;
        ticks /= 128;
    }
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    lapic_write(LAPIC_TIMER_DIVIDER, divider);
    lapic_write(LAPIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}

void arch_timer_arm(uint64_t raw)
{
    deadline = raw;
    is_armed = true;
    apic_timer_start(arch_timer_now());
}

// An interrupt that is on its way already is recognised in timer_take.
void arch_timer_disarm(void)
{
    is_armed = false;
    lapic_write(LAPIC_TIMER_INITIAL, 0);
}

bool timer_take(void)
{
    uint64_t now = arch_timer_now();

    if (!is_armed)
        return false;
    if (now < deadline) {
        apic_timer_start(now);
        return false;
    }
    is_armed = false;
    return true;
}
