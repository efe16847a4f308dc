// SPDX-License-Identifier: Apache-2.0
//
// probe.c: the driver of the kernel's refusal matrix. Its configuration says what it does: one
// forbidden (or, as a positive control, allowed) act. A driver that survives its act exits with
// SURVIVED; one that finds a promise broken exits with the number of the broken promise; one that
// faults leaves a record. One file makes every case, so a case is a line of text in cases.py and a
// boot runs dozens of them.
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

// Own memory of every kind, for positive controls.
static uint64_t own_data[4] = {1, 2, 3, 4};
static const uint64_t own_rodata[4] = {5, 6, 7, 8};
static int own_function(void)
{
    return 7;
}
static int (*const own_relro)(void) = own_function; // relocated, then read-only

int64_t probe_call(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    const struct rumpk_systable *table = (const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS;
    uint64_t entry = number == RUMPK_CALL_META ? table->meta : table->calls[number];
    int64_t (*call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) =
        (int64_t (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t))entry;
    return call(a, b, c, d, 0, 0);
}

// "own-..." or a number in any base.
static uint64_t address_of(const char *word)
{
    static volatile uint64_t on_stack;
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    const struct rumpk_start *start = npl_start();
    (void)on_stack;
    if (strcmp(word, "own-data") == 0)
        return (uint64_t)own_data;
    if (strcmp(word, "own-rodata") == 0)
        return (uint64_t)own_rodata;
    if (strcmp(word, "own-relro") == 0)
        return (uint64_t)&own_relro;
    if (strcmp(word, "own-text") == 0)
        return (uint64_t)own_function;
    if (strcmp(word, "own-stack") == 0)
        return (here - 256) & ~UINT64_C(15);
    if (strcmp(word, "own-heap") == 0)
        return start->heap_base;
    if (strcmp(word, "own-start") == 0)
        return (uint64_t)start;
    if (strcmp(word, "systable") == 0)
        return RUMPK_SYSTABLE_ADDRESS;
    if (strcmp(word, "gate") == 0)
        return ((const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS)->gate_base;
    return strtoull(word, NULL, 0);
}

static int act_read(const char *word)
{
    volatile const uint64_t *p = (volatile const uint64_t *)address_of(word);
    (void)*p;
    return SURVIVED;
}

static int act_write(const char *word)
{
    volatile uint64_t *p = (volatile uint64_t *)address_of(word);
    *p = UINT64_C(0x5A5A5A5A5A5A5A5A);
    return SURVIVED;
}

static int act_execute(const char *word)
{
    int (*f)(void) = (int (*)(void))address_of(word);
    f();
    return SURVIVED;
}

// Stack overflow, a little at a time and all at once. `volatile` keeps the compiler from folding
// it.
static int deeper(volatile int *n)
{
    volatile char room[512];
    room[0] = (char)*n;
    *n += 1;
    int result = *n < 1000000 ? deeper(n) : 0;
    return result + room[0];
}

static int act_recurse(const char *word)
{
    (void)word;
    volatile int n = 0;
    return deeper(&n) == -1 ? 1 : SURVIVED;
}

__attribute__((noinline)) static int big_frame(int value)
{
    char room[48 * 1024];
    __asm__ volatile("" : : "r"(room) : "memory"); // else the compiler keeps one byte of it
    *(volatile char *)room = (char)value;          // the lowest address of the frame
    return *(volatile char *)room;
}

// Called with less than 48 KiB left: the frame reaches below the stack in one step.
static int act_frame(const char *word)
{
    (void)word;
    const struct rumpk_start *start = npl_start();
    uint64_t here = (uint64_t)__builtin_frame_address(0);
    if (here - start->stack_base > 20 * 1024) {
        char room[4096];
        __asm__ volatile("" : : "r"(room) : "memory");
        *(volatile char *)room = 1;
        return act_frame(word) + (*(volatile char *)room - 1);
    }
    return big_frame(1) == 1 ? SURVIVED : 1;
}

// The SysTable as the ABI promises it, seen from inside.
static int act_systable(const char *word)
{
    (void)word;
    const struct rumpk_systable *t = (const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS;
    if (t->magic != RUMPK_SYSTABLE_MAGIC)
        return 1;
    if (t->size != RUMPK_SYSTABLE_SIZE || sizeof *t != 240)
        return 2;
    if (t->abi_version != RUMPK_ABI_VERSION)
        return 3;
    if (t->arch != RUMPK_ARCH || t->page_size != RUMPK_PAGE_SIZE)
        return 4;
    if (t->slot_count != RUMPK_SLOT_COUNT || t->ring_slot_size != RUMPK_RING_SLOT_SIZE)
        return 5;
    for (unsigned i = 0; i < 12; i++)
        if (t->calls[i] < t->gate_base || t->calls[i] >= t->gate_base + t->gate_size)
            return 6;
    if (t->meta < t->gate_base || t->meta >= t->gate_base + t->gate_size)
        return 7;
    if (t->reserved0 != 0)
        return 8;
    for (unsigned i = 0; i < 8; i++)
        if (t->reserved[i] != 0)
            return 9;
    if (t->timer_hz == 0 || t->core_count != 1)
        return 10;
    uint32_t checkpoint = t->features & RUMPK_FEATURE_CALL(RUMPK_CALL_CHECKPOINT) ? 32768 : 0;
    if (t->checkpoint_max != checkpoint)
        return 17;
    if (!(t->features & RUMPK_FEATURE_ISOLATION))
        return 11;
    const struct rumpk_start *start = npl_start();
    if (start->systable != RUMPK_SYSTABLE_ADDRESS || start->magic != RUMPK_START_MAGIC)
        return 12;
    if (probe_call(RUMPK_CALL_META, RUMPK_META_START, 0, 0, 0) != (int64_t)(uint64_t)start)
        return 13;
    if (probe_call(RUMPK_CALL_META, RUMPK_META_FEATURES, 0, 0, 0) != (int64_t)t->features)
        return 14;
    if (probe_call(RUMPK_CALL_META, RUMPK_META_VERSION, 0, 0, 0) != RUMPK_ABI_VERSION)
        return 15;
    // A call that the feature word does not offer says so, and only that.
    for (unsigned i = 0; i < 12; i++)
        if (!(t->features & RUMPK_FEATURE_CALL(i)) &&
            probe_call(i, 0, 0, 0, 0) != RUMPK_E_UNSUPPORTED)
            return 16;
    return SURVIVED;
}

static int act_exit(const char *word)
{
    return (int)strtol(word, NULL, 0);
}

// Time goes forward and a sleep lasts.
static int act_time(const char *word)
{
    (void)word;
    const struct rumpk_systable *t = (const struct rumpk_systable *)RUMPK_SYSTABLE_ADDRESS;
    int64_t first = probe_call(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0);
    uint64_t until = (uint64_t)first + t->timer_hz / 100;
    if (probe_call(RUMPK_CALL_WAIT, 0, 0, until, 0) != RUMPK_E_TIMEOUT)
        return 1;
    int64_t second = probe_call(RUMPK_CALL_TICK, RUMPK_TICK_NOW, 0, 0, 0);
    if (first < 0 || second < (int64_t)until)
        return 2;
    if (probe_call(RUMPK_CALL_TICK, 99, 0, 0, 0) != RUMPK_E_ARGUMENT)
        return 3;
    return SURVIVED;
}

static const struct act {
    const char *name;
    int (*run)(const char *word);
} acts[] = {
    {"read", act_read},
    {"write", act_write},
    {"execute", act_execute},
    {"recurse", act_recurse},
    {"frame", act_frame},
    {"systable", act_systable},
    {"exit", act_exit},
    {"time", act_time},
    {"cpu", probe_cpu},
    {"fp", probe_fp},
    {"calls", probe_calls},
    {"pointer", probe_pointer},
    {"sink", probe_sink},
    {"forge", probe_forge},
    {"queue", probe_queue},
    {"kernel", probe_kernel},
    {"ports", probe_ports},
    {"give", probe_give},
    {"take", probe_take},
    {"drop", probe_drop},
    {"pledge", probe_pledge},
    {"meta", probe_meta},
    {"checkpoint", probe_checkpoint},
    {"spin", probe_spin},
    {"busy", probe_busy},
    {"pulse", probe_pulse},
    {"idle", probe_idle},
    {"share", probe_share},
    {"sleep", probe_sleep},
    {"irq", probe_irq},
    {"beat", probe_beat},
    {"flood", probe_flood},
    {"budget", probe_budget},
    {"work", probe_work},
    {"boss", probe_boss},
    {"ask", probe_ask},
    {"answer", probe_answer},
    {"long", probe_long},
    {"bound", probe_bound},
    {"holder", probe_holder},
    {"lend", probe_lend},
    {"use", probe_use},
    {"script", probe_script},
    {"root", probe_root},
    {"node", probe_node},
    {"passer", probe_passer},
    {"sleeper", probe_sleeper},
    {"batch", probe_batch},
    {"borrower", probe_borrower},
    {"teller", probe_teller},
    {"told", probe_told},
};

int npl_main(void)
{
    const struct rumpk_start *start = npl_start();
    char text[128] = {0};
    size_t size = start->config_size < sizeof text - 1 ? start->config_size : sizeof text - 1;
    memcpy(text, (const char *)start + start->config_offset, size);
    char *word = strchr(text, ' ');
    if (word != NULL)
        *word++ = '\0';
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(acts[i].name, text) == 0)
            return acts[i].run(word != NULL ? word : "");
    return 99;
}
