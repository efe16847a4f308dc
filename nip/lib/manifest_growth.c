// SPDX-License-Identifier: Apache-2.0
//
// Comparing what two versions of a package ask for.

#include "nip/manifest_growth.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manifest_schema.h"

struct growth {
    void (*each)(void *context, const char *line);
    void *context;
    size_t count;
};

static void NIP_PRINTF(2, 3) say(struct growth *growth, const char *format, ...)
{
    struct nip_buffer line = {0};
    va_list list;
    va_start(list, format);
    nip_buffer_append_list(&line, format, list);
    va_end(list);
    growth->each(growth->context, nip_buffer_text(&line));
    nip_buffer_free(&line);
    growth->count++;
}

static bool request_is_larger(const struct rumpk_bkdl_request *before,
                              const struct rumpk_bkdl_request *now)
{
    struct rumpk_bkdl_request shrunk = *now;
    if (now->size > before->size || now->queues > before->queues ||
        (now->rights & ~before->rights) != 0)
        return true;
    // Doing without it is no growth, in neither direction; the rest must be the same request.
    shrunk.size = before->size;
    shrunk.queues = before->queues;
    shrunk.rights = before->rights;
    shrunk.optional = before->optional;
    return memcmp(&shrunk, before, sizeof shrunk) != 0;
}

static void compare_requests(const struct nip_manifest *before, const struct nip_manifest *now,
                             struct growth *growth)
{
    for (uint32_t i = 0; i < now->request_count; i++) {
        const struct rumpk_bkdl_request *request = &now->requests[i];
        const struct rumpk_bkdl_request *old = nip_manifest_request(before, request->name);
        struct nip_buffer words = {0}, old_words = {0};
        nip_manifest_request_words(request, &words);
        if (old != NULL)
            nip_manifest_request_words(old, &old_words);
        if (old == NULL)
            say(growth, "asks to %s", nip_buffer_text(&words));
        else if (request_is_larger(old, request))
            say(growth, "asks to %s (before: %s)", nip_buffer_text(&words),
                nip_buffer_text(&old_words));
        nip_buffer_free(&words);
        nip_buffer_free(&old_words);
    }
}

static void compare_services(const struct nip_manifest *before, const struct nip_manifest *now,
                             struct growth *growth)
{
    for (uint32_t i = 0; i < now->needs_count; i++) {
        const struct rumpk_bkdl_service *need = &now->needs[i];
        bool is_known = false;
        for (uint32_t k = 0; k < before->needs_count; k++)
            is_known = is_known || (strcmp(before->needs[k].name, need->name) == 0 &&
                                    before->needs[k].version == need->version &&
                                    before->needs[k].style == need->style);
        if (!is_known)
            say(growth, "needs the service \"%s\" %u", need->name, (unsigned)need->version);
    }
}

static void compare_matches(const struct nip_manifest *before, const struct nip_manifest *now,
                            struct growth *growth)
{
    for (uint32_t i = 0; i < now->match_count; i++) {
        const struct rumpk_bkdl_match *match = &now->matches[i];
        bool is_known = false;
        for (uint32_t k = 0; k < before->match_count; k++)
            is_known = is_known || memcmp(&before->matches[k], match, sizeof *match) == 0;
        if (is_known)
            continue;
        if (match->bus == RUMPK_BUS_COMPATIBLE)
            say(growth, "matches devices \"%s\"", match->compatible);
        else if (match->bus == RUMPK_BUS_PCI)
            say(growth, "matches PCI devices (vendor %04x, device %04x, class %06x)",
                (unsigned)match->vendor_id, (unsigned)match->device_id,
                (unsigned)(match->class_code & 0xffffff));
        else
            say(growth, "matches virtio devices of id %u", (unsigned)match->device_id);
    }
}

static void compare_runtime(const struct rumpk_bkdl_runtime *before,
                            const struct rumpk_bkdl_runtime *now, struct growth *growth)
{
    // Zero is the budget of the spectrum: the most there is.
    bool has_more_time =
        before->budget_us != 0 && (now->budget_us == 0 || now->budget_us > before->budget_us);
    if (now->stack_size > before->stack_size)
        say(growth, "asks for a stack of %llu bytes (before: %llu)",
            (unsigned long long)now->stack_size, (unsigned long long)before->stack_size);
    if (now->heap_size > before->heap_size)
        say(growth, "asks for a heap of %llu bytes (before: %llu)",
            (unsigned long long)now->heap_size, (unsigned long long)before->heap_size);
    if (now->spectrum < before->spectrum) // stricter ones have lower numbers
        say(growth, "asks for the spectrum %s (before: %s)", nip_spectrum_name(now->spectrum),
            nip_spectrum_name(before->spectrum));
    if (has_more_time)
        say(growth, "asks for more processor time");
    for (const struct schema_choice *class = manifest_pledges; class->name != NULL; class ++)
        if ((now->pledge & ~before->pledge & class->value) != 0)
            say(growth, "asks for the class of calls \"%s\"", class->name);
}

size_t nip_manifest_growth(const struct nip_manifest *before, const struct nip_manifest *now,
                           void (*each)(void *context, const char *line), void *context)
{
    struct growth growth = {each, context, 0};
    compare_requests(before, now, &growth);
    compare_runtime(&before->runtime, &now->runtime, &growth);
    compare_services(before, now, &growth);
    compare_matches(before, now, &growth);
    return growth.count;
}
