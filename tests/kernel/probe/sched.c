// SPDX-License-Identifier: Apache-2.0
//
// sched.c: acts about time: keeping the processor, wanting it at a given moment, leaving it alone.
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

#define SPIN_STEPS 20000u

static uint64_t now(void)
{
    return (uint64_t)probe_call(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0);
}

static uint64_t ms(uint64_t count)
{
    const struct rumpk_systable *table = (const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS;

    return count * table->timer_hz / 1000;
}

// "for ever", or so many milliseconds: computes without ever waiting.
int probe_spin(const char *word)
{
    uint64_t until = strcmp(word, "ever") == 0 ? UINT64_MAX : now() + ms(strtoull(word, NULL, 0));
    volatile uint64_t count = 0;

    if (until == UINT64_MAX) {
        for (;;)
            count = count + 1;
    }
    while (now() < until) {
        for (uint32_t step = 0; step < SPIN_STEPS; step++)
            count = count + 1;
    }
    return SURVIVED;
}

// Keeps the processor for most of the time, but waits now and then: nobody may hold that against
// it.
int probe_busy(const char *word)
{
    uint64_t until = now() + ms(strtoull(word, NULL, 0));

    while (now() < until) {
        uint64_t rest = now() + ms(20);

        while (now() < rest)
            ;
        probe_call(RUMPK_CALL_WAIT, 0, 0, now() + 1, 0);
    }
    return SURVIVED;
}

// Sleeps for a millisecond, fifty times, and is never kept waiting for longer than `word`
// milliseconds more. The median counts: a machine under an emulator may stand still at any time.
int probe_pulse(const char *word)
{
    uint64_t limit = ms(strtoull(word, NULL, 0));
    uint32_t late = 0;

    for (uint32_t index = 0; index < 50; index++) {
        uint64_t until = now() + ms(1);

        if (probe_call(RUMPK_CALL_WAIT, 0, 0, until, 0) != RUMPK_E_TIMEOUT)
            return 1;
        late += now() - until > limit;
    }
    return late <= 25 ? SURVIVED : 2;
}

// Sleeps for so many milliseconds: meanwhile the core takes one timer interrupt, that of this
// sleep, and none of a device.
int probe_idle(const char *word)
{
    struct rumpk_meta_core before, after;

    // Everybody else gets to sleep first.
    probe_call(RUMPK_CALL_WAIT, 0, 0, now() + ms(200), 0);
    if (probe_call(RUMPK_CALL_META, RUMPK_META_CORE, (uint64_t)&before, sizeof before, 0) != 0)
        return 1;
    probe_call(RUMPK_CALL_WAIT, 0, 0, now() + ms(strtoull(word, NULL, 0)), 0);
    if (probe_call(RUMPK_CALL_META, RUMPK_META_CORE, (uint64_t)&after, sizeof after, 0) != 0)
        return 2;
    if (after.timer_interrupts != before.timer_interrupts + 1)
        return 3;
    if (after.interrupts != before.interrupts)
        return 4;
    return after.slices == before.slices ? SURVIVED : 5;
}

int probe_sleep(const char *word)
{
    (void)word;
    probe_call(RUMPK_CALL_WAIT, 0, 0, RUMPK_FOREVER, 0);
    return 1;
}

// A second fiber of the same spectrum that spins does not keep this one from running: both spin,
// and each sees its own time pass.
int probe_share(const char *word)
{
    struct rumpk_meta_self self;
    struct rumpk_meta_run run;
    uint64_t begin = now();
    uint64_t length = ms(strtoull(word, NULL, 0));

    if (probe_spin(word) != SURVIVED)
        return 1;
    if (probe_call(RUMPK_CALL_META, RUMPK_META_SELF, (uint64_t)&self, sizeof self, 0) != 0 ||
        probe_call(RUMPK_CALL_META, RUMPK_META_RUN, (uint64_t)&run, sizeof run, 0) != 0)
        return 2;
    // Neither all of the time nor next to nothing of it.
    if (now() - begin < length || run.run_ticks > now() - begin)
        return 3;
    return run.run_ticks > length / 16 && self.switches > 2 ? SURVIVED : 4;
}
