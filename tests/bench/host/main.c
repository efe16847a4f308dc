// SPDX-License-Identifier: Apache-2.0
//
// main.c: two pinned threads, one ring, one run after the other, all kinds in turn, so that a slow
// spell of the machine hits every kind alike. Before and after the rings of each run a bare cache
// line goes to and fro: what the machine itself needs, at that time. A run begins when both threads
// are seen to run; one in which the system took a processor away from either (getrusage counts
// that) measured the neighbours, not the ring: it is made again, at most TRIES_MAX times.
//
// One line per run: what, kind, nanoseconds per message (or per round trip), tries. The statistics
// are the caller's.
//
//   ring-bench CPU CPU RUNS MESSAGES ROUND_TRIPS
#define _GNU_SOURCE
#include "rings.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define TRIES_MAX 50

enum work { THROUGHPUT, ROUND_TRIP, CACHE_LINE };
static const char *const work_names[] = {"throughput", "round-trip", "cache-line"};

struct job {
    enum work work;
    const struct ring_kind *kind;
    void *there, *back; // rings
    uint64_t count;
    int cpu;
    bool is_first;
    uint64_t nanoseconds; // of the first thread
    uint64_t errors;
    long preempted; // times that the system took the processor away
};

static _Alignas(128) _Atomic uint64_t line;
static _Alignas(128) _Atomic int running;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// Of the calling thread, against its will.
static long preemptions(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void push(struct job *job, void *ring, uint64_t sequence)
{
    uint64_t words[SLOT_WORDS];
    for (uint64_t i = 0; i < SLOT_WORDS; i++)
        words[i] = sequence + i;
    while (!job->kind->push(ring, words))
        relax();
}

static void pull(struct job *job, void *ring, uint64_t sequence)
{
    uint64_t words[SLOT_WORDS], wrong = 0;
    while (!job->kind->pull(ring, words))
        relax();
    for (uint64_t i = 0; i < SLOT_WORDS; i++)
        wrong |= words[i] ^ (sequence + i);
    job->errors += wrong != 0;
}

static void work(struct job *job)
{
    bool is_first = job->is_first;
    switch (job->work) {
    case THROUGHPUT: // the first thread pulls: its time ends with the last message
        for (uint64_t i = 0; i < job->count; i++) {
            if (is_first)
                pull(job, job->there, i);
            else
                push(job, job->there, i);
        }
        if (!is_first)
            job->kind->flush(job->there);
        break;
    case ROUND_TRIP:
        for (uint64_t i = 0; i < job->count; i++) {
            if (is_first) {
                push(job, job->there, i);
                job->kind->flush(job->there);
                pull(job, job->back, i);
            } else {
                pull(job, job->there, i);
                push(job, job->back, i);
                job->kind->flush(job->back);
            }
        }
        break;
    case CACHE_LINE:
        for (uint64_t i = 0; i < job->count; i++) {
            uint64_t mine = 2 * i + (is_first ? 0 : 1);
            while (atomic_load_explicit(&line, memory_order_acquire) != mine)
                relax();
            atomic_store_explicit(&line, mine + 1, memory_order_release);
        }
        while (is_first && atomic_load_explicit(&line, memory_order_acquire) != 2 * job->count)
            relax();
    }
}

static void *run(void *argument)
{
    struct job *job = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(job->cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        job->errors++;
    atomic_fetch_add(&running, 1);
    while (atomic_load(&running) != 2)
        relax();
    long before = preemptions();
    uint64_t begin = now_ns();
    work(job);
    job->nanoseconds = now_ns() - begin;
    job->preempted = preemptions() - before;
    return NULL;
}

// One try. False: an error, which has been said.
static bool attempt(struct job jobs[2], uint32_t batch)
{
    const struct ring_kind *kind = jobs[0].kind;
    pthread_t other;
    bool good = false;
    if (kind != NULL) {
        jobs[0].there = jobs[1].there = kind->create(batch);
        jobs[0].back = jobs[1].back = kind->create(batch);
        if (jobs[0].there == NULL || jobs[0].back == NULL) {
            fprintf(stderr, "ring-bench: no memory for a ring\n");
            return false;
        }
    }
    atomic_store(&line, 0);
    atomic_store(&running, 0);
    if (pthread_create(&other, NULL, run, &jobs[1]) != 0) {
        fprintf(stderr, "ring-bench: no second thread\n");
        goto end;
    }
    run(&jobs[0]);
    pthread_join(other, NULL);
    good = jobs[0].errors + jobs[1].errors == 0;
    if (!good)
        fprintf(stderr, "ring-bench: a wrong message, or a processor that cannot be had\n");
end:
    if (kind != NULL) {
        kind->destroy(jobs[0].there);
        kind->destroy(jobs[0].back);
    }
    return good;
}

static bool measure(enum work what, const char *name, const struct ring_kind *kind, uint32_t batch,
                    uint64_t count, const int cpus[2])
{
    int tries = 0;
    struct job jobs[2];
    do {
        jobs[0] = (struct job){
            .work = what, .kind = kind, .count = count, .cpu = cpus[0], .is_first = true};
        jobs[1] = (struct job){.work = what, .kind = kind, .count = count, .cpu = cpus[1]};
        if (!attempt(jobs, batch))
            return false;
    } while (jobs[0].preempted + jobs[1].preempted != 0 && ++tries < TRIES_MAX);
    printf("%s %s %.3f %d\n", work_names[what], name, (double)jobs[0].nanoseconds / (double)count,
           tries);
    return true;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        const struct ring_kind *kind;
        uint32_t batch;
        bool has_round_trip;
    } rings[] = {
        {"textbook", &ring_textbook, 1, true},
        {"cached-index", &ring_cached, 1, true},
        {"ion", &ring_ion, 1, true},
        {"ion-batch-16", &ring_ion, 16, false},
    };
    if (argc != 6) {
        fprintf(stderr, "usage: ring-bench CPU CPU RUNS MESSAGES ROUND_TRIPS\n");
        return 2;
    }
    const int cpus[2] = {(int)strtol(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10)};
    uint64_t runs = strtoull(argv[3], NULL, 10), messages = strtoull(argv[4], NULL, 10),
             trips = strtoull(argv[5], NULL, 10);
    bool good = true;
    for (uint64_t i = 0; i < runs && good; i++) {
        good = good && measure(CACHE_LINE, "before", NULL, 0, trips, cpus);
        for (unsigned k = 0; k < sizeof rings / sizeof rings[0]; k++) {
            good = good && measure(THROUGHPUT, rings[k].name, rings[k].kind, rings[k].batch,
                                   messages, cpus);
            if (rings[k].has_round_trip)
                good = good && measure(ROUND_TRIP, rings[k].name, rings[k].kind, rings[k].batch,
                                       trips, cpus);
        }
        good = good && measure(CACHE_LINE, "after", NULL, 0, trips, cpus);
    }
    return good ? 0 : 1;
}
