// SPDX-License-Identifier: Apache-2.0
//
// Binding: from what packages ask for and what image.kdl grants to the boot manifest.
//
// Only exact answers count. A request that is not granted, a grant that nobody asked for, a need
// with no provider or with several, one device for two packages: each is an error that points at
// the line of image.kdl and says which lines would settle it.

#include "image_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "schema_text.h"

enum {
    RING_SLOTS_DEFAULT = 32,
    ARENA_COUNT_DEFAULT = 8,
    ARENA_SIZE_DEFAULT = 16384,
};

struct binding {
    const struct nip_image_input *input;
    const struct nip_image_report_package *packages; // by number of input->packages
    uint32_t *order;
    uint32_t count; // packages that are present
    struct nip_boot *boot;
    struct nip_error *err;
};

static enum nip_code fail_at(const struct binding *binding, struct nip_kdl_span span,
                             enum nip_code code, const char *format, ...) NIP_PRINTF(4, 5);

static enum nip_code fail_at(const struct binding *binding, struct nip_kdl_span span,
                             enum nip_code code, const char *format, ...)
{
    char message[NIP_ERROR_MESSAGE_MAX];
    struct nip_error text = {.code = NIP_OK};
    va_list list;
    va_start(list, format);
    nip_error_set_list(&text, code, format, list);
    va_end(list);
    memcpy(message, text.message, sizeof message);
    if (binding->input->imagedef->document && span.size)
        return nip_kdl_error_at(binding->input->imagedef->document, span, binding->err, code, "%s",
                                message);
    return nip_error_set(binding->err, code, "%s", message);
}

static const struct nip_imagedef_package *definition(const struct binding *binding, uint32_t k)
{
    return &binding->input->imagedef->packages[binding->order[k]];
}

static const struct nip_manifest *manifest_of(const struct binding *binding, uint32_t k)
{
    return &binding->packages[binding->order[k]].manifest;
}

// ---- grants ----

static enum nip_code unknown_grant(const struct binding *binding, uint32_t k,
                                   const struct nip_imagedef_grant *grant)
{
    fail_at(binding, grant->span, NIP_ERROR_SCHEMA, "%s %s requests nothing called \"%s\"",
            definition(binding, k)->name, definition(binding, k)->version, grant->name);
    struct schema_nearest nearest;
    schema_nearest_begin(&nearest, (struct nip_kdl_string){grant->name, strlen(grant->name)});
    for (uint32_t i = 0; i < manifest_of(binding, k)->request_count; i++)
        schema_nearest_offer(&nearest, manifest_of(binding, k)->requests[i].name);
    schema_nearest_end(&nearest, binding->err);
    return NIP_ERROR_SCHEMA;
}

static enum nip_code bind_grant(const struct binding *binding, uint32_t k,
                                const struct rumpk_bkdl_request *request,
                                const struct nip_imagedef_grant *grant)
{
    const struct nip_imagedef_package *package = definition(binding, k);
    struct nip_boot_package *bound = &binding->boot->packages[k];
    bool is_memory = request->type == RUMPK_CAP_DMA || request->type == RUMPK_CAP_MEMORY;
    if (request->type == RUMPK_CAP_DMA && !package->allows_dma) {
        fail_at(binding, grant->span, NIP_ERROR_CONSENT,
                "\"%s\" is memory that devices may read and write, and %s has no permission for "
                "DMA",
                grant->name, package->name);
        nip_error_hint(binding->err,
                       "The kernel checks every address that its queues are given. "
                       "If the device may have this memory, add `dma #true` to package \"%s\".",
                       package->name);
        return NIP_ERROR_CONSENT;
    }
    if (!is_memory && grant->size)
        return fail_at(binding, grant->span, NIP_ERROR_SCHEMA,
                       "`size` is for memory; \"%s\" is a device", grant->name);
    if (is_memory && grant->index != NIP_IMAGEDEF_INDEX_ANY)
        return fail_at(binding, grant->span, NIP_ERROR_SCHEMA,
                       "`index` is for devices; \"%s\" is memory", grant->name);
    if (grant->size > request->size)
        return fail_at(binding, grant->span, NIP_ERROR_SCHEMA,
                       "\"%s\": %" PRIu64 " bytes are granted, only %" PRIu64 " requested",
                       grant->name, grant->size, request->size);
    struct rumpk_bkdl_grant *out = &bound->grants[bound->grant_count++];
    memcpy(out->name, request->name, sizeof out->name);
    out->type = request->type;
    out->rights = request->rights;
    out->bus = request->bus;
    out->device_id = request->device_id;
    out->index = grant->index == NIP_IMAGEDEF_INDEX_ANY ? 0 : grant->index;
    out->size = grant->size ? grant->size : request->size;
    memcpy(out->compatible, request->compatible, sizeof out->compatible);
    out->vendor_id = request->vendor_id;
    out->class_code = request->class_code;
    out->bar = request->bar;
    return NIP_OK;
}

static const struct nip_imagedef_grant *find_grant(const struct nip_imagedef_package *package,
                                                   const char *name)
{
    for (uint32_t i = 0; i < package->grant_count; i++)
        if (strcmp(package->grants[i].name, name) == 0)
            return &package->grants[i];
    return NULL;
}

// Grants stand in the order of the requests, whatever the order in image.kdl.
static enum nip_code bind_grants(const struct binding *binding, uint32_t k)
{
    const struct nip_imagedef_package *package = definition(binding, k);
    const struct nip_manifest *manifest = manifest_of(binding, k);
    for (uint32_t i = 0; i < package->grant_count; i++)
        if (!nip_manifest_request(manifest, package->grants[i].name))
            return unknown_grant(binding, k, &package->grants[i]);
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        const struct rumpk_bkdl_request *request = &manifest->requests[i];
        const struct nip_imagedef_grant *grant = find_grant(package, request->name);
        if (!grant && request->optional)
            continue;
        if (!grant) {
            struct nip_buffer words;
            nip_buffer_init(&words, NIP_ERROR_MESSAGE_MAX);
            nip_manifest_request_words(request, &words);
            fail_at(binding, package->span, NIP_ERROR_CONSENT,
                    "%s requests to %s, and image.kdl does not grant it", package->name,
                    nip_buffer_text(&words));
            nip_buffer_free(&words);
            nip_error_hint(binding->err,
                           "If it shall have that, add `grant \"%s\"` to package "
                           "\"%s\".",
                           request->name, package->name);
            return NIP_ERROR_CONSENT;
        }
        enum nip_code code = bind_grant(binding, k, request, grant);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

// Two registers of one device may go to one package, not to two.
static bool is_one_device(const struct rumpk_bkdl_grant *a, const struct rumpk_bkdl_grant *b,
                          bool in_one_package)
{
    if (in_one_package && a->bar != b->bar)
        return false;
    return a->bus != RUMPK_BUS_NONE && a->bus == b->bus && a->device_id == b->device_id &&
           a->vendor_id == b->vendor_id && a->class_code == b->class_code && a->index == b->index &&
           memcmp(a->compatible, b->compatible, sizeof a->compatible) == 0;
}

static enum nip_code check_devices(const struct binding *binding)
{
    const struct nip_boot *boot = binding->boot;
    for (uint32_t k = 0; k < binding->count; k++)
        for (uint32_t i = 0; i < boot->packages[k].grant_count; i++)
            for (uint32_t m = 0; m <= k; m++)
                for (uint32_t n = 0; n < (m == k ? i : boot->packages[m].grant_count); n++) {
                    const struct rumpk_bkdl_grant *grant = &boot->packages[k].grants[i];
                    const struct rumpk_bkdl_grant *other = &boot->packages[m].grants[n];
                    if (!is_one_device(grant, other, m == k))
                        continue;
                    fail_at(binding, find_grant(definition(binding, k), grant->name)->span,
                            NIP_ERROR_CONFLICT,
                            "\"%s\" of %s and \"%s\" of %s are one and the same device",
                            grant->name, definition(binding, k)->name, other->name,
                            definition(binding, m)->name);
                    nip_error_hint(binding->err,
                                   "A device belongs to one package. Remove one of the grants, or "
                                   "say which of several equal devices each one gets: `grant "
                                   "\"%s\" index=1`.",
                                   grant->name);
                    return NIP_ERROR_CONFLICT;
                }
    return NIP_OK;
}

// ---- wires ----

static bool provides(const struct nip_manifest *manifest, const struct rumpk_bkdl_service *need)
{
    for (uint32_t i = 0; i < manifest->provides_count; i++) {
        const struct rumpk_bkdl_service *offer = &manifest->provides[i];
        if (strcmp(offer->name, need->name) == 0 && offer->version == need->version &&
            offer->style == need->style)
            return true;
    }
    return false;
}

static enum nip_code fail_provider(const struct binding *binding, uint32_t client,
                                   const struct rumpk_bkdl_service *need, uint32_t candidate_count)
{
    const char *name = definition(binding, client)->name;
    struct nip_buffer list;
    nip_buffer_init(&list, NIP_ERROR_HINT_MAX);
    for (uint32_t k = 0; k < binding->count; k++) {
        const struct nip_manifest *manifest = manifest_of(binding, k);
        bool is_near = false;
        for (uint32_t i = 0; i < manifest->provides_count; i++)
            is_near |= strcmp(manifest->provides[i].name, need->name) == 0;
        if (k != client && (candidate_count ? provides(manifest, need) : is_near))
            nip_buffer_append_format(&list, "%s%s %s", list.size ? ", " : "",
                                     manifest->identity.name, manifest->identity.version);
    }
    fail_at(binding, definition(binding, client)->span, NIP_ERROR_CONFLICT,
            candidate_count ? "%s needs service \"%s\" version %" PRIu32
                              " (%s), and several packages provide it"
                            : "%s needs service \"%s\" version %" PRIu32
                              " (%s), and no package for %s provides it",
            name, need->name, need->version, nip_style_name(need->style),
            nip_arch_name(binding->input->arch));
    if (candidate_count)
        nip_error_hint(binding->err,
                       "Candidates: %s. Choose one: `wire \"%s\" from=\"%s\" "
                       "to=\"...\"`.",
                       nip_buffer_text(&list), need->name, name);
    else if (list.size)
        nip_error_hint(binding->err,
                       "Of another version or style: %s. Add a package that provides "
                       "it as needed, with `nip add`.",
                       nip_buffer_text(&list));
    else
        nip_error_hint(binding->err,
                       "Candidates: none. Add a package that provides \"%s\" on %s, "
                       "with `nip add`.",
                       need->name, nip_arch_name(binding->input->arch));
    nip_buffer_free(&list);
    return NIP_ERROR_CONFLICT;
}

static bool find_by_name(const struct binding *binding, const char *name, uint32_t *number)
{
    for (uint32_t k = 0; k < binding->count; k++)
        if (strcmp(definition(binding, k)->name, name) == 0) {
            *number = k;
            return true;
        }
    return false;
}

// The line of image.kdl for this need, if its provider is part of the image for this architecture.
static enum nip_code find_written_wire(const struct binding *binding, uint32_t client,
                                       const struct rumpk_bkdl_service *need,
                                       const struct nip_imagedef_wire **wire, uint32_t *server)
{
    const struct nip_imagedef *imagedef = binding->input->imagedef;
    *wire = NULL;
    for (uint32_t i = 0; i < imagedef->wire_count; i++) {
        const struct nip_imagedef_wire *candidate = &imagedef->wires[i];
        uint32_t number;
        if (strcmp(candidate->client, definition(binding, client)->name) != 0 ||
            strcmp(candidate->service, need->name) != 0 ||
            !find_by_name(binding, candidate->server, &number))
            continue;
        if (*wire)
            return fail_at(binding, candidate->span, NIP_ERROR_CONFLICT,
                           "need \"%s\" of %s is wired twice", need->name,
                           definition(binding, client)->name);
        if (!provides(manifest_of(binding, number), need))
            return fail_at(binding, candidate->span, NIP_ERROR_SCHEMA,
                           "%s does not provide \"%s\" version %" PRIu32 " as a %s",
                           candidate->server, need->name, need->version,
                           nip_style_name(need->style));
        *wire = candidate;
        *server = number;
    }
    return NIP_OK;
}

static enum nip_code bind_need(const struct binding *binding, uint32_t client,
                               const struct rumpk_bkdl_service *need, uint32_t *next_channel)
{
    const struct nip_imagedef_wire *wire;
    uint32_t server = 0;
    enum nip_code code = find_written_wire(binding, client, need, &wire, &server);
    if (code != NIP_OK)
        return code;
    if (!wire) {
        uint32_t candidate_count = 0;
        for (uint32_t k = 0; k < binding->count; k++)
            if (k != client && provides(manifest_of(binding, k), need)) {
                candidate_count++;
                server = k;
            }
        if (candidate_count == 0 && need->optional)
            return NIP_OK;
        if (candidate_count != 1)
            return fail_provider(binding, client, need, candidate_count);
    }
    struct nip_boot *boot = binding->boot;
    if (boot->image.wire_count == RUMPK_WIRES_MAX)
        return nip_error_set(binding->err, NIP_ERROR_LIMIT, "more than %u wires", RUMPK_WIRES_MAX);
    struct rumpk_bkdl_wire *bound = &boot->wires[boot->image.wire_count++];
    bool is_service = need->style == RUMPK_STYLE_SERVICE;
    memset(bound, 0, sizeof *bound);
    memcpy(bound->service, need->name, sizeof bound->service);
    bound->channel =
        strcmp(need->name, "console") == 0 ? RUMPK_CHANNEL_CONSOLE_OUT : (*next_channel)++;
    bound->style = need->style;
    bound->client = client;
    bound->server = server;
    bound->slots = wire && wire->slots ? wire->slots : RING_SLOTS_DEFAULT;
    bound->start = wire ? wire->start : RUMPK_START_AFTER_OR_REFUSE;
    if (is_service) {
        bound->arena_count = wire && wire->buffer_count ? wire->buffer_count : ARENA_COUNT_DEFAULT;
        bound->arena_size = wire && wire->buffer_size ? wire->buffer_size : ARENA_SIZE_DEFAULT;
    } else if (wire && (wire->buffer_count || wire->buffer_size)) {
        return fail_at(binding, wire->span, NIP_ERROR_SCHEMA,
                       "`buffers` and `buffer-size` are for services; \"%s\" is a stream",
                       need->name);
    }
    return NIP_OK;
}

static enum nip_code bind_wires(const struct binding *binding)
{
    uint32_t next_channel = RUMPK_CHANNEL_FIRST_FREE;
    binding->boot->image.wire_count = 0;
    for (uint32_t k = 0; k < binding->count; k++) {
        const struct nip_manifest *manifest = manifest_of(binding, k);
        for (uint32_t i = 0; i < manifest->needs_count; i++) {
            enum nip_code code = bind_need(binding, k, &manifest->needs[i], &next_channel);
            if (code != NIP_OK)
                return code;
        }
    }
    // A line that binds nothing is a mistake, unless one of its ends is for other architectures
    // only.
    const struct nip_imagedef *imagedef = binding->input->imagedef;
    for (uint32_t i = 0; i < imagedef->wire_count; i++) {
        const struct nip_imagedef_wire *wire = &imagedef->wires[i];
        uint32_t client, server;
        if (!find_by_name(binding, wire->client, &client) ||
            !find_by_name(binding, wire->server, &server))
            continue;
        bool is_used = false;
        for (uint32_t w = 0; w < binding->boot->image.wire_count; w++)
            is_used |= binding->boot->wires[w].client == client &&
                       binding->boot->wires[w].server == server &&
                       strcmp(binding->boot->wires[w].service, wire->service) == 0;
        if (!is_used)
            return fail_at(binding, wire->span, NIP_ERROR_SCHEMA, "%s needs no service \"%s\"",
                           wire->client, wire->service);
    }
    return NIP_OK;
}

// The server that `k` waits for and that is not placed yet; there is one.
static uint32_t waited_for(const struct binding *binding, const bool is_placed[], uint32_t k)
{
    const struct nip_boot *boot = binding->boot;
    for (uint32_t w = 0; w < boot->image.wire_count; w++)
        if (boot->wires[w].client == k && boot->wires[w].start != RUMPK_START_AT_ONCE &&
            !is_placed[boot->wires[w].server])
            return boot->wires[w].server;
    return k;
}

// Nobody is left who could start. Going from each to one it waits for ends in a circle.
static enum nip_code fail_circle(const struct binding *binding, const bool is_placed[])
{
    uint32_t k = 0;
    while (is_placed[k])
        k++;
    for (uint32_t step = 0; step < binding->count; step++)
        k = waited_for(binding, is_placed, k);
    struct nip_buffer chain;
    nip_buffer_init(&chain, NIP_ERROR_MESSAGE_MAX / 2);
    uint32_t first = k;
    do {
        nip_buffer_append_format(&chain, "%s needs ", definition(binding, k)->name);
        k = waited_for(binding, is_placed, k);
    } while (k != first);
    nip_buffer_append_text(&chain, definition(binding, first)->name);
    fail_at(binding, definition(binding, first)->span, NIP_ERROR_CONFLICT,
            "packages need each other's services in a circle: %s",
            nip_buffer_has_failed(&chain) ? "it is too long to be shown" : nip_buffer_text(&chain));
    nip_error_hint(binding->err,
                   "One of them has to start first. If one can start before its "
                   "server is there, say so: `wire \"SERVICE\" from=\"%s\" "
                   "to=\"%s\" start=\"at-once\"`.",
                   definition(binding, first)->name,
                   definition(binding, waited_for(binding, is_placed, first))->name);
    nip_buffer_free(&chain);
    return NIP_ERROR_CONFLICT;
}

// Providers before those who need them, else the order of image.kdl. The wires give the edges.
static enum nip_code sort_packages(const struct binding *binding)
{
    const struct nip_boot *boot = binding->boot;
    uint32_t sorted[RUMPK_PACKAGES_MAX];
    bool is_placed[RUMPK_PACKAGES_MAX] = {false};
    for (uint32_t placed = 0; placed < binding->count; placed++) {
        uint32_t next = binding->count;
        for (uint32_t k = 0; k < binding->count && next == binding->count; k++) {
            bool is_ready = !is_placed[k];
            for (uint32_t w = 0; w < boot->image.wire_count; w++)
                is_ready &= boot->wires[w].client != k || is_placed[boot->wires[w].server] ||
                            boot->wires[w].start == RUMPK_START_AT_ONCE;
            if (is_ready)
                next = k;
        }
        if (next == binding->count)
            return fail_circle(binding, is_placed);
        is_placed[next] = true;
        sorted[placed] = binding->order[next];
    }
    memcpy(binding->order, sorted, binding->count * sizeof sorted[0]);
    return NIP_OK;
}

// What the owner leaves of what was asked for; the restart policy is the owner's alone.
static void bind_limits(const struct nip_imagedef_package *package,
                        const struct rumpk_bkdl_runtime *asked, struct rumpk_bkdl_package *bound)
{
    bound->pledge = package->pledge & asked->pledge;
    bound->budget_us = package->budget_us != 0 ? package->budget_us : asked->budget_us;
    bound->restart =
        package->restart != NIP_IMAGEDEF_RESTART_AS_REQUESTED ? package->restart : asked->restart;
    bound->restart_limit =
        package->restart_limit != 0 ? package->restart_limit : asked->restart_limit;
    bound->restart_window_s =
        package->restart_window_s != 0 ? package->restart_window_s : asked->restart_window_s;
}

// ---- keys ----

static bool is_listed(const struct rumpk_bkdl_key *keys, uint32_t count, const uint8_t *key)
{
    for (uint32_t i = 0; i < count; i++)
        if (memcmp(keys[i].key, key, RUMPK_KEY_SIZE) == 0)
            return true;
    return false;
}

// A signer that image.kdl does not rule out, once.
static void pin_key(const struct nip_imagedef_package *package, const uint8_t *key,
                    struct nip_boot_package *bound)
{
    bool is_accepted = package->key_count == 0 || is_listed(package->keys, package->key_count, key);
    if (is_accepted && bound->key_count < RUMPK_KEYS_MAX &&
        !is_listed(bound->keys, bound->key_count, key))
        memcpy(bound->keys[bound->key_count++].key, key, RUMPK_KEY_SIZE);
}

// The key of the signature inside stands first, then the others that have signed.
static enum nip_code bind_keys(const struct binding *binding, uint32_t k,
                               const struct nip_image_package *resolved,
                               const uint8_t publisher_key[RUMPK_KEY_SIZE])
{
    const struct nip_imagedef_package *package = definition(binding, k);
    struct nip_boot_package *bound = &binding->boot->packages[k];
    pin_key(package, publisher_key, bound);
    if (bound->key_count == 0)
        return fail_at(binding, package->span, NIP_ERROR_UNTRUSTED,
                       "%s is signed by a key that this package's `key` lines do not list",
                       package->name);
    for (uint32_t i = 0; i < resolved->signer_count; i++)
        pin_key(package, resolved->signers[i].key, bound);
    bound->package.threshold = resolved->threshold != 0 ? resolved->threshold : 1;
    if (bound->key_count < bound->package.threshold)
        return fail_at(binding, package->span, NIP_ERROR_UNTRUSTED,
                       "%" PRIu32 " keys must have signed %s, and of those that have, %" PRIu32
                       " may be listed here",
                       bound->package.threshold, package->name, bound->key_count);
    if (!binding->input->is_development &&
        is_listed(bound->keys, bound->key_count, binding->input->owner_key))
        return fail_at(binding, package->span, NIP_ERROR_KEY,
                       "%s is signed by the key of the image owner: publisher and owner must "
                       "differ",
                       package->name);
    return NIP_OK;
}

static enum nip_code bind_package(const struct binding *binding, uint32_t k)
{
    const struct nip_imagedef_package *package = definition(binding, k);
    const struct nip_image_package *resolved = &binding->input->packages[binding->order[k]];
    const struct nip_image_report_package *checked = &binding->packages[binding->order[k]];
    const struct nip_manifest *manifest = &checked->manifest;
    struct nip_boot_package *bound = &binding->boot->packages[k];
    memcpy(bound->package.name, manifest->identity.name, sizeof bound->package.name);
    memcpy(bound->package.package_id, checked->package_id, RUMPK_DIGEST_SIZE);
    bound->package.security_floor =
        resolved->security_floor ? resolved->security_floor : manifest->identity.security_version;
    bound->package.spectrum = package->spectrum == NIP_IMAGEDEF_SPECTRUM_AS_REQUESTED
                                  ? manifest->runtime.spectrum
                                  : package->spectrum;
    bound->package.flags = (package->allows_dma ? RUMPK_PACKAGE_DMA : 0) |
                           (package->allows_delegate ? RUMPK_PACKAGE_DELEGATE : 0) |
                           (package->allows_observe ? RUMPK_PACKAGE_OBSERVE : 0);
    if (package->spawner[0]) {
        uint32_t spawner;
        if (!find_by_name(binding, package->spawner, &spawner) || spawner == k)
            return fail_at(binding, package->span, NIP_ERROR_SCHEMA,
                           "%s is started on demand of \"%s\", which is no other package of this "
                           "image",
                           package->name, package->spawner);
        bound->package.spawner = spawner + 1;
    }
    bound->package.stack_max =
        package->stack_max == UINT64_MAX ? manifest->runtime.stack_size : package->stack_max;
    bound->package.heap_max =
        package->heap_max == UINT64_MAX ? manifest->runtime.heap_size : package->heap_max;
    bind_limits(package, &manifest->runtime, &bound->package);
    bound->config_size = package->config_size;
    memcpy(bound->config, package->config, package->config_size);

    if (strcmp(package->name, manifest->identity.name) != 0 ||
        strcmp(package->version, manifest->identity.version) != 0)
        return fail_at(binding, package->span, NIP_ERROR_MISMATCH,
                       "image.kdl names %s %s, the package is %s %s", package->name,
                       package->version, manifest->identity.name, manifest->identity.version);
    if (manifest->identity.security_version < bound->package.security_floor)
        return fail_at(binding, package->span, NIP_ERROR_UNTRUSTED,
                       "%s has security-version %" PRIu32 ", below the floor %" PRIu32,
                       package->name, manifest->identity.security_version,
                       bound->package.security_floor);
    // Zero is what its spectrum gives.
    if (manifest->runtime.budget_us != 0 && bound->package.budget_us > manifest->runtime.budget_us)
        return fail_at(binding, package->span, NIP_ERROR_SCHEMA,
                       "budget %" PRIu32 "us is more than the %" PRIu32 "us that %s requests",
                       bound->package.budget_us, manifest->runtime.budget_us, package->name);
    if (bound->package.spectrum < manifest->runtime.spectrum)
        return fail_at(binding, package->span, NIP_ERROR_SCHEMA,
                       "spectrum \"%s\" is stricter than the \"%s\" that %s requests",
                       nip_spectrum_name(bound->package.spectrum),
                       nip_spectrum_name(manifest->runtime.spectrum), package->name);
    if (manifest->runtime.stack_size > bound->package.stack_max ||
        manifest->runtime.heap_size > bound->package.heap_max)
        return fail_at(binding, package->span, NIP_ERROR_SCHEMA,
                       "%s requests %" PRIu64 " bytes of stack and %" PRIu64 " of heap, more than "
                       "image.kdl allows",
                       package->name, manifest->runtime.stack_size, manifest->runtime.heap_size);
    enum nip_code code = bind_keys(binding, k, resolved, checked->publisher_key);
    return code == NIP_OK ? bind_grants(binding, k) : code;
}

enum nip_code image_bind(const struct nip_image_input *input,
                         const struct nip_image_report_package *packages, uint32_t *order,
                         uint32_t count, struct nip_boot *boot, struct nip_error *err)
{
    struct binding binding = {input, packages, order, count, boot, err};
    memcpy(boot->image.name, input->imagedef->name, sizeof boot->image.name);
    memcpy(boot->image.version, input->imagedef->version, sizeof boot->image.version);
    boot->image.arch = input->arch;
    boot->image.flags = (input->is_development ? RUMPK_IMAGE_DEVELOPMENT : 0) |
                        (input->imagedef->stays_on_idle ? RUMPK_IMAGE_STAY_ON_IDLE : 0);
    boot->image.package_count = count;
    // Wires once for the order, and again for the numbers in that order.
    enum nip_code code = bind_wires(&binding);
    if (code == NIP_OK)
        code = sort_packages(&binding);
    if (code == NIP_OK)
        code = bind_wires(&binding);
    for (uint32_t k = 0; k < count && code == NIP_OK; k++)
        code = bind_package(&binding, k);
    return code == NIP_OK ? check_devices(&binding) : code;
}
