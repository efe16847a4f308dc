// SPDX-License-Identifier: Apache-2.0
//
// Comparing packages: manifests field by field, files by their digests, source files as the bill of
// materials lists them.

#include "nip/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>

#include "diff_parts.h"
#include "manifest_schema.h"
#include "nip/json.h"
#include "schema_text.h"

// ---- the list ----

const char *nip_change_area_name(enum nip_change_area area)
{
    static const char *const names[] = {
#define AREA_NAME(name, text) text,
        NIP_CHANGE_AREAS(AREA_NAME)
#undef AREA_NAME
    };
    return (size_t)area < sizeof names / sizeof names[0] ? names[area] : "?";
}

const char *nip_change_kind_name(enum nip_change_kind kind)
{
    return kind == NIP_CHANGE_GREW ? "grew" : kind == NIP_CHANGE_SHRANK ? "shrank" : "other";
}

void nip_changes_free(struct nip_changes *changes)
{
    for (size_t i = 0; i < changes->count; i++)
        free(changes->items[i].words);
    free(changes->items);
    *changes = (struct nip_changes){0};
}

enum nip_code nip_changes_check(const struct nip_changes *changes, struct nip_error *err)
{
    return changes->has_failed
               ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for the differences")
               : NIP_OK;
}

void nip_changes_add(struct nip_changes *changes, enum nip_change_kind kind,
                     enum nip_change_area area, const char *subject, const char *format, ...)
{
    struct nip_buffer words = {0};
    va_list list;
    va_start(list, format);
    nip_buffer_append_list(&words, format, list);
    va_end(list);
    struct nip_change *grown =
        reallocarray(changes->items, changes->count + 1, sizeof *changes->items);
    if (grown == NULL || nip_buffer_has_failed(&words)) {
        changes->has_failed = true;
        changes->items = grown != NULL ? grown : changes->items;
        nip_buffer_free(&words);
        return;
    }
    changes->items = grown;
    struct nip_change *change = &grown[changes->count++];
    *change = (struct nip_change){.kind = kind, .area = area};
    snprintf(change->subject, sizeof change->subject, "%s", subject);
    change->words = (char *)nip_buffer_take(&words, NULL);
    changes->grown += kind == NIP_CHANGE_GREW;
}

enum nip_change_kind diff_kind_of(uint64_t a, uint64_t b)
{
    return b > a ? NIP_CHANGE_GREW : b < a ? NIP_CHANGE_SHRANK : NIP_CHANGE_OTHER;
}

void diff_id_text(const uint8_t id[NIP_DIGEST_SIZE], char out[20])
{
    char text[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(id, text);
    snprintf(out, 20, "%.16s", text);
}

void diff_key_text(const uint8_t key[NIP_PUBLIC_KEY_BYTES], char out[20])
{
    uint8_t digest[NIP_DIGEST_SIZE];
    nip_hash_bytes(key, NIP_PUBLIC_KEY_BYTES, digest);
    diff_id_text(digest, out);
}

void diff_size_text(uint64_t size, char out[32])
{
    static const struct {
        unsigned shift;
        const char *unit;
    } units[] = {{20, "MiB"}, {10, "KiB"}};
    for (size_t i = 0; i < 2; i++) {
        uint64_t unit = UINT64_C(1) << units[i].shift;
        if (size < unit)
            continue;
        if (size % unit == 0)
            snprintf(out, 32, "%llu %s", (unsigned long long)(size / unit), units[i].unit);
        else
            snprintf(out, 32, "%.1f %s", (double)size / (double)unit, units[i].unit);
        return;
    }
    snprintf(out, 32, "%llu B", (unsigned long long)size);
}

void diff_number(struct nip_changes *changes, enum nip_change_area area, const char *subject,
                 const char *what, uint64_t a, uint64_t b)
{
    if (a != b)
        nip_changes_add(changes, diff_kind_of(a, b), area, subject, "%s: %llu -> %llu", what,
                        (unsigned long long)a, (unsigned long long)b);
}

void diff_size(struct nip_changes *changes, enum nip_change_area area, const char *subject,
               const char *what, uint64_t a, uint64_t b)
{
    char from[32], to[32];
    diff_size_text(a, from);
    diff_size_text(b, to);
    if (a != b)
        nip_changes_add(changes, diff_kind_of(a, b), area, subject, "%s: %s -> %s (%+lld bytes)",
                        what, from, to, (long long)(b - a));
}

// ---- manifests ----

static void diff_text(struct nip_changes *changes, enum nip_change_area area, const char *subject,
                      const char *what, const char *a, const char *b)
{
    if (strcmp(a, b) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, area, subject, "%s: \"%s\" -> \"%s\"", what, a,
                        b);
}

static void diff_identity(const struct nip_manifest *a, const struct nip_manifest *b,
                          struct nip_changes *changes)
{
    const struct rumpk_bkdl_identity *from = &a->identity, *to = &b->identity;
    diff_text(changes, NIP_CHANGE_IDENTITY, to->name, "name", from->name, to->name);
    diff_text(changes, NIP_CHANGE_IDENTITY, to->name, "version", from->version, to->version);
    diff_text(changes, NIP_CHANGE_IDENTITY, to->name, "kind", nip_kind_name(from->kind),
              nip_kind_name(to->kind));
    diff_text(changes, NIP_CHANGE_IDENTITY, to->name, "licence", a->license, b->license);
    // Taking back a security-version opens a hole that was closed.
    if (from->security_version != to->security_version)
        nip_changes_add(changes,
                        to->security_version < from->security_version ? NIP_CHANGE_GREW
                                                                      : NIP_CHANGE_OTHER,
                        NIP_CHANGE_IDENTITY, to->name, "security-version: %u -> %u",
                        (unsigned)from->security_version, (unsigned)to->security_version);
    if (from->abi_version != to->abi_version)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, to->name,
                        "needs ABI: %u -> %u", (unsigned)from->abi_version,
                        (unsigned)to->abi_version);
    for (uint32_t arch = 1; arch <= RUMPK_ARCH_COUNT; arch++) {
        bool had = (from->arch_mask & RUMPK_ARCH_BIT(arch)) != 0;
        bool has = (to->arch_mask & RUMPK_ARCH_BIT(arch)) != 0;
        if (had != has)
            nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, to->name,
                            "architecture %s: %s", nip_arch_name(arch), has ? "new" : "gone");
    }
}

static const char *restart_name(uint32_t restart)
{
    for (const struct schema_choice *c = manifest_restarts; c->name != NULL; c++)
        if (c->value == restart)
            return c->name;
    return "?";
}

static void diff_runtime(const struct nip_manifest *a, const struct nip_manifest *b,
                         struct nip_changes *changes)
{
    const struct rumpk_bkdl_runtime *from = &a->runtime, *to = &b->runtime;
    const char *name = b->identity.name;
    // A lower number is the stricter spectrum, which goes before the others.
    if (from->spectrum != to->spectrum)
        nip_changes_add(changes, diff_kind_of(to->spectrum, from->spectrum),
                        NIP_CHANGE_CAPABILITIES, name, "spectrum: %s -> %s",
                        nip_spectrum_name(from->spectrum), nip_spectrum_name(to->spectrum));
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, "stack", from->stack_size, to->stack_size);
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, "heap", from->heap_size, to->heap_size);
    diff_number(changes, NIP_CHANGE_CAPABILITIES, name, "processor time per window (us)",
                from->budget_us, to->budget_us);
    for (const struct schema_choice *c = manifest_pledges; c->name != NULL; c++) {
        bool had = (from->pledge & c->value) != 0, has = (to->pledge & c->value) != 0;
        if (had != has)
            nip_changes_add(changes, has ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                            NIP_CHANGE_CAPABILITIES, name, "%s the calls of the class \"%s\"",
                            has ? "keeps" : "gives up", c->name);
    }
    if (from->restart != to->restart)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_CAPABILITIES, name,
                        "restart: %s -> %s", restart_name(from->restart),
                        restart_name(to->restart));
    diff_number(changes, NIP_CHANGE_CAPABILITIES, name, "restarts that are too many",
                from->restart_limit, to->restart_limit);
    if (from->restart_window_s != to->restart_window_s)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_CAPABILITIES, name,
                        "window of restarts: %u s -> %u s", (unsigned)from->restart_window_s,
                        (unsigned)to->restart_window_s);
}

static void say_request(struct nip_changes *changes, const char *name, bool is_new,
                        const struct rumpk_bkdl_request *request)
{
    struct nip_buffer words = {0};
    nip_manifest_request_words(request, &words);
    nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_CAPABILITIES,
                    name, "%s to %s", is_new ? "asks" : "no longer asks", nip_buffer_text(&words));
    nip_buffer_free(&words);
}

// Whether all but what is measured (size, queues, rights, optional) is the same.
static bool is_same_thing(const struct rumpk_bkdl_request *a, const struct rumpk_bkdl_request *b)
{
    return a->type == b->type && a->bus == b->bus && a->device_id == b->device_id &&
           a->vendor_id == b->vendor_id && a->class_code == b->class_code && a->bar == b->bar &&
           strcmp(a->compatible, b->compatible) == 0;
}

static void diff_request(const char *name, const struct rumpk_bkdl_request *a,
                         const struct rumpk_bkdl_request *b, struct nip_changes *changes)
{
    char what[RUMPK_LABEL_SIZE + 32];
    if (!is_same_thing(a, b)) {
        say_request(changes, name, false, a);
        say_request(changes, name, true, b);
        return;
    }
    snprintf(what, sizeof what, "size of \"%s\"", b->name);
    diff_size(changes, NIP_CHANGE_CAPABILITIES, name, what, a->size, b->size);
    snprintf(what, sizeof what, "%s of \"%s\"",
             b->type == RUMPK_CAP_DEVICE ? "queues" : "interrupt", b->name);
    diff_number(changes, NIP_CHANGE_CAPABILITIES, name, what, a->queues, b->queues);
    if (a->rights != b->rights)
        nip_changes_add(changes,
                        (b->rights & ~a->rights) != 0 ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK,
                        NIP_CHANGE_CAPABILITIES, name, "rights of \"%s\": 0x%x -> 0x%x", b->name,
                        (unsigned)a->rights, (unsigned)b->rights);
    if (a->optional != b->optional)
        nip_changes_add(changes, b->optional != 0 ? NIP_CHANGE_SHRANK : NIP_CHANGE_GREW,
                        NIP_CHANGE_CAPABILITIES, name, "%s \"%s\"",
                        b->optional != 0 ? "can now do without" : "can no longer do without",
                        b->name);
}

static void diff_requests(const struct nip_manifest *a, const struct nip_manifest *b,
                          struct nip_changes *changes)
{
    const char *name = b->identity.name;
    for (uint32_t i = 0; i < a->request_count; i++)
        if (nip_manifest_request(b, a->requests[i].name) == NULL)
            say_request(changes, name, false, &a->requests[i]);
    for (uint32_t i = 0; i < b->request_count; i++) {
        const struct rumpk_bkdl_request *old = nip_manifest_request(a, b->requests[i].name);
        if (old == NULL)
            say_request(changes, name, true, &b->requests[i]);
        else
            diff_request(name, old, &b->requests[i], changes);
    }
}

static bool has_match(const struct nip_manifest *manifest, const struct rumpk_bkdl_match *match)
{
    for (uint32_t i = 0; i < manifest->match_count; i++)
        if (memcmp(&manifest->matches[i], match, sizeof *match) == 0)
            return true;
    return false;
}

static void diff_matches(const struct nip_manifest *a, const struct nip_manifest *b, bool is_new,
                         struct nip_changes *changes, const char *name)
{
    for (uint32_t i = 0; i < b->match_count; i++) {
        struct nip_buffer words = {0};
        if (has_match(a, &b->matches[i]))
            continue;
        nip_manifest_match_words(&b->matches[i], &words);
        nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_MATCHES,
                        name, "%s the device %s", is_new ? "now matches" : "no longer matches",
                        nip_buffer_text(&words));
        nip_buffer_free(&words);
    }
}

static const struct rumpk_bkdl_service *find_service(const struct rumpk_bkdl_service *list,
                                                     uint32_t count,
                                                     const struct rumpk_bkdl_service *wanted)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(list[i].name, wanted->name) == 0 && list[i].version == wanted->version &&
            list[i].style == wanted->style)
            return &list[i];
    return NULL;
}

static void diff_services(const struct rumpk_bkdl_service *a, uint32_t a_count,
                          const struct rumpk_bkdl_service *b, uint32_t b_count, const char *verb,
                          const char *name, struct nip_changes *changes)
{
    for (uint32_t i = 0; i < a_count; i++)
        if (find_service(b, b_count, &a[i]) == NULL)
            nip_changes_add(changes, NIP_CHANGE_SHRANK, NIP_CHANGE_SERVICES, name,
                            "no longer %s service \"%s\" %u (%s)", verb, a[i].name,
                            (unsigned)a[i].version, nip_style_name(a[i].style));
    for (uint32_t i = 0; i < b_count; i++) {
        const struct rumpk_bkdl_service *old = find_service(a, a_count, &b[i]);
        if (old == NULL)
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_SERVICES, name,
                            "now %s service \"%s\" %u (%s)", verb, b[i].name,
                            (unsigned)b[i].version, nip_style_name(b[i].style));
        else if (old->clients != b[i].clients || old->optional != b[i].optional)
            nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_SERVICES, name,
                            "service \"%s\" %u: clients %u -> %u, optional %u -> %u", b[i].name,
                            (unsigned)b[i].version, (unsigned)old->clients, (unsigned)b[i].clients,
                            (unsigned)old->optional, (unsigned)b[i].optional);
    }
}

void nip_diff_manifests(const struct nip_manifest *a, const struct nip_manifest *b,
                        struct nip_changes *changes)
{
    const char *name = b->identity.name;
    diff_identity(a, b, changes);
    diff_runtime(a, b, changes);
    diff_requests(a, b, changes);
    diff_matches(b, a, false, changes, name);
    diff_matches(a, b, true, changes, name);
    diff_services(a->provides, a->provides_count, b->provides, b->provides_count, "offers", name,
                  changes);
    diff_services(a->needs, a->needs_count, b->needs, b->needs_count, "needs", name, changes);
}
