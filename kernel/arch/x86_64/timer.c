// SPDX-License-Identifier: Apache-2.0
//
// timer.c (x86_64): the time stamp counter, and how fast it runs.
//
// The processor says the frequency itself (CPUID leaf 15h) or it is measured once against channel 0
// of the 8254 timer, whose 1,193,182 Hz every PC has: at most 500 microseconds. The counter is read
// behind an LFENCE, so two readings in program order never go backwards. That it runs at one speed
// in all power states (invariant TSC) is assumed; see docs/hardware-gaps.md.
#include <arch/arch.h>
#include <kernel/base.h>

#define PIT_HZ             UINT64_C(1193182)
#define PIT_CHANNEL_0      0x40
#define PIT_COMMAND        0x43
#define PIT_RATE_GENERATOR 0x34 // channel 0, low then high byte, mode 2
#define PIT_LATCH          0x00

// Ticks to measure: 419 us. The rest of the 500 us is for the edges.
#define MEASURE_TICKS 500u
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

// The 8254's counter, and the time stamps right before and after it was read.
struct reading {
    uint64_t before;
    uint64_t after;
    uint16_t count;
};

static struct reading pit_read(void)
{
    struct reading reading;

    reading.before = arch_timer_now();
    cpu_out8(PIT_COMMAND, PIT_LATCH);
    uint16_t low = cpu_in8(PIT_CHANNEL_0);
    uint16_t high = cpu_in8(PIT_CHANNEL_0);
    reading.count = (uint16_t)(high << 8 | low);
    reading.after = arch_timer_now();
    return reading;
}

struct measurement {
    uint64_t hz;    // 0: the counter stands still, or a pause was too long
    uint64_t doubt; // what the readings took, in parts of 2^16 of the whole
};

// From an edge of the counter to another.
static struct measurement hz_measure(void)
{
    struct reading start = pit_read();
    struct reading last;
    uint16_t first = start.count;

    for (uint32_t i = 0; i < MEASURE_READINGS_MAX && start.count == first; i++)
        start = pit_read();
    last = start;
    for (uint32_t i = 0; i < MEASURE_READINGS_MAX && start.count != first; i++) {
        struct reading now = pit_read();
        uint16_t elapsed = (uint16_t)(start.count - now.count); // it counts down

        if (now.after - last.after > MEASURE_GAP_MAX)
            break;
        last = now;
        if (elapsed >= MEASURE_TICKS) {
            uint64_t whole = (now.before + now.after) / 2 - (start.before + start.after) / 2;
            uint64_t readings = now.after - now.before + (start.after - start.before);

            return (struct measurement){whole * PIT_HZ / elapsed, (readings << 16) / (whole + 1)};
        }
    }
    return (struct measurement){0, UINT64_MAX};
}

static uint64_t hz_from_pit(void)
{
    struct measurement best = {0, UINT64_MAX};

    cpu_out8(PIT_COMMAND, PIT_RATE_GENERATOR);
    cpu_out8(PIT_CHANNEL_0, 0);
    cpu_out8(PIT_CHANNEL_0, 0); // 0 means 65,536
    for (uint32_t i = 0; i < MEASURE_ATTEMPTS; i++) {
        struct measurement next = hz_measure();

        if (next.hz != 0 && next.doubt < best.doubt)
            best = next;
        if (best.doubt < (1u << 16) / MEASURE_GOOD)
            break;
    }
    return best.hz;
}

uint64_t arch_timer_init(const void *fdt)
{
    uint64_t hz = hz_from_cpuid();

    (void)fdt;
    if (hz == 0)
        hz = hz_from_pit();
    return hz >= HZ_MIN && hz <= HZ_MAX ? hz : 0;
}
