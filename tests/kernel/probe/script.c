// SPDX-License-Identifier: Apache-2.0
//
// script.c: calls written in the configuration, so that a row of the table of calls is one line of
// call_table.py. "CALL ARGUMENT...; CALL ARGUMENT...": the exit code is the last result, or 0 for
// any result that is not negative. "~CALL" repeats, letting others run, until the result is
// negative. An argument is a number (-1: all bits) or
//
//   memory ring dma device queue package   the own slot of that type
//   own                            memory of the caller, 8 KiB of zeros
//   list:WORD                      that memory, holding this slot number
//   request:WORD                   that memory, holding a queue request of 32 bytes in this slot
#include "probe.h"

#include <npl/npl.h>
#include <stdlib.h>
#include <string.h>

static uint64_t area[1024];

static uint64_t slot_named(const char *word)
{
    static const struct {
        const char *name;
        uint32_t type;
    } names[] = {{"memory", RUMPK_CAP_MEMORY}, {"ring", RUMPK_CAP_RING},
                 {"dma", RUMPK_CAP_DMA},       {"device", RUMPK_CAP_DEVICE},
                 {"queue", RUMPK_CAP_QUEUE},   {"package", RUMPK_CAP_SPAWN}};
    const struct rumpk_start *start = npl_start();
    const struct rumpk_cap_info *caps =
        (const struct rumpk_cap_info *)((const char *)start + start->caps_offset);
    for (unsigned n = 0; n < sizeof names / sizeof names[0]; n++)
        for (uint32_t i = 0; i < start->cap_count; i++)
            if (strcmp(names[n].name, word) == 0 && caps[i].type == names[n].type)
                return caps[i].slot;
    return strtoull(word, NULL, 0);
}

static uint64_t argument_of(const char *word)
{
    if (strcmp(word, "own") == 0)
        return (uint64_t)area;
    if (strcmp(word, "-1") == 0)
        return UINT64_MAX;
    if (strncmp(word, "list:", 5) == 0) {
        area[0] = slot_named(word + 5);
        return (uint64_t)area;
    }
    if (strncmp(word, "request:", 8) == 0) {
        const struct rumpk_queue_request request = {.memory_slot = (uint32_t)slot_named(word + 8),
                                                    .flags = RUMPK_QUEUE_DEVICE_WRITES,
                                                    .length = 32};
        memcpy(area, &request, sizeof request);
        return (uint64_t)area;
    }
    return slot_named(word);
}

static int call_number(const char *word)
{
#define NAME(name, index, sentence) #name,
    static const char *const names[] = {RUMPK_CALLS(NAME) "META"};
#undef NAME
    for (int number = 0; number <= RUMPK_CALL_META; number++)
        for (size_t at = 0; (names[number][at] | 0x20) == word[at]; at++)
            if (names[number][at + 1] == '\0' && word[at + 1] == '\0')
                return number;
    return -1;
}

int probe_script(const char *text)
{
    char line[160];
    int64_t result = -99;
    char *rest = line;

    strncpy(line, text, sizeof line - 1);
    line[sizeof line - 1] = '\0';
    while (rest != NULL) {
        char *words[8] = {NULL}, *command = rest, *save = NULL;
        uint64_t a[5] = {0};
        unsigned count = 0;

        rest = strchr(command, ';');
        if (rest != NULL)
            *rest++ = '\0';
        for (char *word = strtok_r(command, " ", &save); word != NULL && count < 7;
             word = strtok_r(NULL, " ", &save))
            words[count++] = word;
        if (count == 0)
            return 98;
        int repeats = words[0][0] == '~', number = call_number(words[0] + repeats);
        if (number < 0)
            return 97;
        for (unsigned i = 1; i < count; i++)
            a[i - 1] = argument_of(words[i]);
        do {
            if (number == RUMPK_CALL_GRANT)
                result = ((npl_call_entry5)(uintptr_t)npl_systable()->calls[number])(
                    a[0], a[1], a[2], a[3], a[4]);
            else
                result = probe_call((unsigned)number, a[0], a[1], a[2], a[3]);
            if (repeats)
                npl_sleep_until(npl_deadline_ms(1));
        } while (repeats && result >= 0);
    }
    return result < 0 ? (int)result : 0;
}
