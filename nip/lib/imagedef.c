// SPDX-License-Identifier: Apache-2.0
//
// image.kdl: the table, reading by it, and printing single packages for tools that edit the file.

#include "nip/imagedef.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/cap.h>
#include <rumpk/ring.h>

#include "manifest_schema.h"
#include "nip/minisign.h"
#include "schema.h"
#include "schema_text.h"

#define I(member) SCHEMA_AT(struct nip_imagedef, member)
#define P(member) SCHEMA_AT(struct nip_imagedef_package, member)
#define G(member) SCHEMA_AT(struct nip_imagedef_grant, member)
#define W(member) SCHEMA_AT(struct nip_imagedef_wire, member)
#define NODE(name_, fields_) \
    .name = (name_), .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)
#define CHILDREN(children_) .children = (children_), .child_count = SCHEMA_COUNT(children_)

// ---- image ----

static const struct schema_choice idle_choices[] = {{"power-off", 0}, {"stay", 1}, {NULL, 0}};

static const struct schema_field image_fields[] = {
    {.name = "name", .is_argument = true, .is_required = true, .type = SCHEMA_NAME, I(name)},
    {.name = "version", .is_required = true, .type = SCHEMA_VERSION, I(version)},
};
static const struct schema_field idle_fields[] = {
    {.name = "on-idle",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     I(stays_on_idle),
     .choices = idle_choices},
};
static const struct schema_node image_children[] = {{NODE("on-idle", idle_fields)}};

// ---- package ----

static const struct schema_field arch_fields[] = {
    {.name = "arch",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICES,
     P(arch_mask),
     .choices = manifest_archs},
};
static const struct schema_field dma_fields[] = {
    {.name = "dma",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_BOOLEAN,
     P(allows_dma)},
};
static const struct schema_field delegate_fields[] = {
    {.name = "delegate",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_BOOLEAN,
     P(allows_delegate)},
};
static const struct schema_field observe_fields[] = {
    {.name = "observe",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_BOOLEAN,
     P(allows_observe)},
};
static const struct schema_field demand_fields[] = {
    {.name = "on-demand",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_NAME,
     P(spawner)},
};
static const struct schema_field spectrum_fields[] = {
    {.name = "spectrum",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     P(spectrum),
     .choices = manifest_spectrums,
     .fallback = NIP_IMAGEDEF_SPECTRUM_AS_REQUESTED},
};
static const struct schema_field stack_fields[] = {
    {.name = "stack-max",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_SIZE,
     P(stack_max),
     .minimum = RUMPK_STACK_MIN,
     .maximum = RUMPK_STACK_MAX,
     .unit = RUMPK_PAGE_SIZE,
     .fallback = UINT64_MAX},
};
static const struct schema_field heap_fields[] = {
    {.name = "heap-max",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_SIZE,
     P(heap_max),
     .minimum = 0,
     .maximum = RUMPK_HEAP_MAX,
     .unit = RUMPK_PAGE_SIZE,
     .fallback = UINT64_MAX},
};
static const struct schema_field pledge_fields[] = {
    {.name = "pledge",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICES,
     P(pledge),
     .choices = manifest_pledges,
     .fallback = UINT64_MAX},
};
static const struct schema_field budget_fields[] = {
    {.name = "budget",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_DURATION,
     P(budget_us),
     .minimum = 1,
     .maximum = RUMPK_BUDGET_US_MAX,
     .unit = 1},
};
static const struct schema_field restart_fields[] = {
    {.name = "restart",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     P(restart),
     .choices = manifest_restarts,
     .fallback = NIP_IMAGEDEF_RESTART_AS_REQUESTED},
    {.name = "limit",
     .type = SCHEMA_NUMBER,
     P(restart_limit),
     .minimum = 1,
     .maximum = RUMPK_RESTART_LIMIT_MAX},
    {.name = "window",
     .type = SCHEMA_DURATION,
     P(restart_window_s),
     .minimum = 1,
     .maximum = RUMPK_RESTART_WINDOW_S_MAX,
     .unit = 1000000},
};
static const struct schema_field config_fields[] = {
    {.name = "config",
     .is_argument = true,
     .is_required = true,
     .is_positive = true,
     .allows_lines = true,
     .type = SCHEMA_TEXT,
     P(config)},
};
static const struct schema_field key_fields[] = {
    {.name = "key",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_KEY,
     SCHEMA_AT(struct rumpk_bkdl_key, key)},
};
static const struct schema_field grant_fields[] = {
    {.name = "name", .is_argument = true, .is_required = true, .type = SCHEMA_LABEL, G(name)},
    {.name = "index",
     .type = SCHEMA_NUMBER,
     G(index),
     .minimum = 0,
     .maximum = 255,
     .fallback = NIP_IMAGEDEF_INDEX_ANY},
    {.name = "size",
     .type = SCHEMA_SIZE,
     G(size),
     .minimum = RUMPK_PAGE_SIZE,
     .maximum = RUMPK_HEAP_MAX,
     .unit = RUMPK_PAGE_SIZE},
    {.name = "place", .type = SCHEMA_PLACE, G(span)},
};

static enum nip_code check_grant(const struct schema_place *place, const void *parent,
                                 const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_imagedef_package *package = parent;
    const struct nip_imagedef_grant *grant = element;
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(package->grants[i].name, grant->name) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "\"%s\" is granted twice", grant->name);
    return NIP_OK;
}

static const struct schema_node package_children[] = {
    {NODE("arch", arch_fields)},
    {NODE("dma", dma_fields)},
    {NODE("delegate", delegate_fields)},
    {NODE("observe", observe_fields)},
    {NODE("on-demand", demand_fields)},
    {NODE("spectrum", spectrum_fields)},
    {NODE("stack-max", stack_fields)},
    {NODE("heap-max", heap_fields)},
    {NODE("pledge", pledge_fields)},
    {NODE("budget", budget_fields)},
    {NODE("restart", restart_fields)},
    {NODE("config", config_fields)},
    {NODE("key", key_fields), .offset = offsetof(struct nip_imagedef_package, keys),
     .element_size = sizeof(struct rumpk_bkdl_key),
     .count_offset = offsetof(struct nip_imagedef_package, key_count), .count_max = RUMPK_KEYS_MAX},
    {NODE("grant", grant_fields), .offset = offsetof(struct nip_imagedef_package, grants),
     .element_size = sizeof(struct nip_imagedef_grant),
     .count_offset = offsetof(struct nip_imagedef_package, grant_count),
     .count_max = RUMPK_REQUESTS_MAX, .check = check_grant},
};
static const struct schema_field package_fields[] = {
    {.name = "name", .is_argument = true, .is_required = true, .type = SCHEMA_NAME, P(name)},
    {.name = "version", .is_required = true, .type = SCHEMA_VERSION, P(version)},
    {.name = "registry", .is_positive = true, .type = SCHEMA_TEXT, P(registry)},
    {.name = "path", .is_positive = true, .type = SCHEMA_TEXT, P(path)},
    {.name = "place", .type = SCHEMA_PLACE, P(span)},
};

static enum nip_code check_package(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_imagedef *imagedef = parent;
    const struct nip_imagedef_package *package = element;
    if ((package->registry[0] == '\0') == (package->path[0] == '\0')) {
        nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                         "package \"%s\" needs either `registry=` or `path=`", package->name);
        nip_error_hint(err, "registry= names an alias of nip.trust.kdl, path= the folder of a "
                            "project on this machine.");
        return NIP_ERROR_SCHEMA;
    }
    for (uint32_t i = 0; i < index; i++) {
        const struct nip_imagedef_package *other = &imagedef->packages[i];
        bool meets = package->arch_mask == 0 || other->arch_mask == 0 ||
                     (package->arch_mask & other->arch_mask) != 0;
        if (strcmp(other->name, package->name) != 0 || !meets)
            continue;
        nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                         "package \"%s\" stands here twice for one architecture", package->name);
        nip_error_hint(err, "The first one is in line %" PRIu32 ".", other->span.line);
        return NIP_ERROR_SCHEMA;
    }
    return NIP_OK;
}

// ---- wire ----

static enum nip_code check_wire(const struct schema_place *place, const void *parent,
                                const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_imagedef *imagedef = parent;
    const struct nip_imagedef_wire *wire = element;
    if (strcmp(wire->client, wire->server) == 0)
        return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                "a package cannot be wired to itself");
    if (wire->slots & (wire->slots - 1))
        return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                "`slots` must be a power of two");
    for (uint32_t i = 0; i < index; i++) {
        const struct nip_imagedef_wire *other = &imagedef->wires[i];
        if (strcmp(other->service, wire->service) == 0 &&
            strcmp(other->client, wire->client) == 0 && strcmp(other->server, wire->server) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "this wire stands here twice");
    }
    return NIP_OK;
}

// When the client starts; the words after "after" say what becomes of it when the server fails.
static const struct schema_choice start_choices[] = {
    {"after-or-refuse", RUMPK_START_AFTER_OR_REFUSE},
    {"after-or-wait", RUMPK_START_AFTER_OR_WAIT},
    {"at-once", RUMPK_START_AT_ONCE},
    {NULL, 0},
};
static const struct schema_field wire_fields[] = {
    {.name = "service", .is_argument = true, .is_required = true, .type = SCHEMA_LABEL, W(service)},
    {.name = "from", .is_required = true, .type = SCHEMA_NAME, W(client)},
    {.name = "to", .is_required = true, .type = SCHEMA_NAME, W(server)},
    {.name = "slots",
     .type = SCHEMA_NUMBER,
     W(slots),
     .minimum = RUMPK_RING_SLOTS_MIN,
     .maximum = RUMPK_RING_SLOTS_MAX},
    {.name = "buffers",
     .type = SCHEMA_NUMBER,
     W(buffer_count),
     .minimum = 1,
     .maximum = RUMPK_ARENA_COUNT_MAX},
    {.name = "buffer-size",
     .type = SCHEMA_SIZE,
     W(buffer_size),
     .minimum = 256,
     .maximum = RUMPK_ARENA_SIZE_MAX,
     .unit = 64},
    {.name = "start", .type = SCHEMA_CHOICE, W(start), .choices = start_choices},
    {.name = "place", .type = SCHEMA_PLACE, W(span)},
};

static const struct schema_node imagedef_schema[] = {
    {NODE("image", image_fields), CHILDREN(image_children), .is_required = true},
    {NODE("package", package_fields), CHILDREN(package_children),
     .offset = offsetof(struct nip_imagedef, packages),
     .element_size = sizeof(struct nip_imagedef_package),
     .count_offset = offsetof(struct nip_imagedef, package_count), .count_max = RUMPK_PACKAGES_MAX,
     .check = check_package},
    {NODE("wire", wire_fields), .offset = offsetof(struct nip_imagedef, wires),
     .element_size = sizeof(struct nip_imagedef_wire),
     .count_offset = offsetof(struct nip_imagedef, wire_count), .count_max = RUMPK_WIRES_MAX,
     .check = check_wire},
};

struct nip_imagedef *nip_imagedef_new(void)
{
    return calloc(1, sizeof(struct nip_imagedef));
}

void nip_imagedef_free(struct nip_imagedef *imagedef)
{
    if (!imagedef)
        return;
    nip_kdl_document_free(imagedef->document);
    free(imagedef);
}

// Wires may stand before the packages they name, so the names are looked up at the end.
static enum nip_code check_wire_ends(const struct nip_imagedef *imagedef, struct nip_error *err)
{
    for (uint32_t i = 0; i < imagedef->wire_count; i++) {
        const struct nip_imagedef_wire *wire = &imagedef->wires[i];
        const char *const ends[2] = {wire->client, wire->server};
        for (size_t k = 0; k < 2; k++) {
            bool is_known = false;
            for (uint32_t p = 0; p < imagedef->package_count; p++)
                is_known |= strcmp(imagedef->packages[p].name, ends[k]) == 0;
            if (is_known)
                continue;
            nip_kdl_error_at(imagedef->document, wire->span, err, NIP_ERROR_SCHEMA,
                             "no package \"%s\" in this image", ends[k]);
            struct schema_nearest nearest;
            schema_nearest_begin(&nearest, (struct nip_kdl_string){ends[k], strlen(ends[k])});
            for (uint32_t p = 0; p < imagedef->package_count; p++)
                schema_nearest_offer(&nearest, imagedef->packages[p].name);
            schema_nearest_end(&nearest, err);
            return NIP_ERROR_SCHEMA;
        }
    }
    return NIP_OK;
}

enum nip_code nip_imagedef_parse(const char *text, size_t size, const char *file,
                                 struct nip_imagedef **imagedef, struct nip_error *err)
{
    *imagedef = NULL;
    struct nip_imagedef *made = nip_imagedef_new();
    if (!made)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for an image definition");
    enum nip_code code = nip_kdl_parse(text, size, file, NULL, &made->document, err);
    if (code == NIP_OK)
        code =
            schema_read(made->document, imagedef_schema, SCHEMA_COUNT(imagedef_schema), made, err);
    if (code == NIP_OK)
        code = check_wire_ends(made, err);
    if (code != NIP_OK) {
        nip_imagedef_free(made);
        return code;
    }
    for (uint32_t i = 0; i < made->package_count; i++)
        made->packages[i].config_size = (uint32_t)strlen((const char *)made->packages[i].config);
    *imagedef = made;
    return NIP_OK;
}

enum nip_code nip_imagedef_add(struct nip_imagedef *imagedef, const struct nip_manifest *manifest,
                               const char *registry, const char *path, struct nip_error *err)
{
    if (imagedef->package_count == RUMPK_PACKAGES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "an image holds at most %u packages",
                             RUMPK_PACKAGES_MAX);
    struct nip_imagedef_package *package = &imagedef->packages[imagedef->package_count];
    memset(package, 0, sizeof *package);
    if (strlen(registry) >= sizeof package->registry || strlen(path) >= sizeof package->path)
        return nip_error_set(err, NIP_ERROR_LIMIT, "registry alias or path is too long");
    memcpy(package->name, manifest->identity.name, sizeof package->name);
    memcpy(package->version, manifest->identity.version, sizeof package->version);
    memcpy(package->registry, registry, strlen(registry));
    memcpy(package->path, path, strlen(path));
    package->spectrum = NIP_IMAGEDEF_SPECTRUM_AS_REQUESTED;
    package->stack_max = package->heap_max = package->pledge = UINT64_MAX;
    package->restart = NIP_IMAGEDEF_RESTART_AS_REQUESTED;
    for (uint32_t i = 0; i < manifest->request_count; i++) {
        struct nip_imagedef_grant *grant = &package->grants[package->grant_count++];
        memcpy(grant->name, manifest->requests[i].name, sizeof grant->name);
        grant->index = NIP_IMAGEDEF_INDEX_ANY;
        if (manifest->requests[i].type == RUMPK_CAP_DMA)
            package->allows_dma = true;
    }
    imagedef->package_count++;
    return NIP_OK;
}

static void print_size(const char *name, uint64_t size, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "    %s \"", name);
    schema_print_size(size, out);
    nip_buffer_append_text(out, "\"\n");
}

static void print_arch(uint32_t mask, struct nip_buffer *out)
{
    nip_buffer_append_text(out, "    arch");
    for (const struct schema_choice *arch = manifest_archs; arch->name; arch++)
        if (mask & arch->value)
            nip_buffer_append_format(out, " \"%s\"", arch->name);
    nip_buffer_append_byte(out, '\n');
}

static const char *choice_name(const struct schema_choice *choices, uint32_t value)
{
    while (choices->name != NULL && choices->value != value)
        choices++;
    return choices->name;
}

static void print_limits(const struct nip_imagedef_package *package, struct nip_buffer *out)
{
    const char *restart = choice_name(manifest_restarts, package->restart);
    if (package->pledge != UINT64_MAX) {
        nip_buffer_append_text(out, "    pledge");
        for (const struct schema_choice *class = manifest_pledges; class->name != NULL; class ++)
            if ((package->pledge & class->value) != 0)
                nip_buffer_append_format(out, " \"%s\"", class->name);
        nip_buffer_append_byte(out, '\n');
    }
    if (package->budget_us != 0)
        nip_buffer_append_format(out, "    budget \"%" PRIu32 "us\"\n", package->budget_us);
    if (restart == NULL)
        return;
    nip_buffer_append_format(out, "    restart \"%s\"", restart);
    if (package->restart_limit != 0)
        nip_buffer_append_format(out, " limit=%" PRIu32, package->restart_limit);
    if (package->restart_window_s != 0)
        nip_buffer_append_format(out, " window=\"%" PRIu32 "s\"", package->restart_window_s);
    nip_buffer_append_byte(out, '\n');
}

void nip_imagedef_print_package(const struct nip_imagedef_package *package, struct nip_buffer *out)
{
    bool has_path = package->path[0] != '\0';
    const char *origin = has_path ? package->path : package->registry;
    nip_buffer_append_format(out, "package \"%s\" version=\"%s\" %s=", package->name,
                             package->version, has_path ? "path" : "registry");
    nip_kdl_print_quoted(origin, strlen(origin), out);
    nip_buffer_append_text(out, " {\n");
    if (package->arch_mask)
        print_arch(package->arch_mask, out);
    for (uint32_t i = 0; i < package->grant_count; i++) {
        const struct nip_imagedef_grant *grant = &package->grants[i];
        nip_buffer_append_format(out, "    grant \"%s\"", grant->name);
        if (grant->index != NIP_IMAGEDEF_INDEX_ANY)
            nip_buffer_append_format(out, " index=%" PRIu32, grant->index);
        if (grant->size) {
            nip_buffer_append_text(out, " size=\"");
            schema_print_size(grant->size, out);
            nip_buffer_append_byte(out, '"');
        }
        nip_buffer_append_byte(out, '\n');
    }
    if (package->allows_dma)
        nip_buffer_append_text(out, "    dma #true\n");
    if (package->allows_delegate)
        nip_buffer_append_text(out, "    delegate #true\n");
    if (package->allows_observe)
        nip_buffer_append_text(out, "    observe #true\n");
    if (package->spawner[0])
        nip_buffer_append_format(out, "    on-demand \"%s\"\n", package->spawner);
    if (package->spectrum != NIP_IMAGEDEF_SPECTRUM_AS_REQUESTED)
        nip_buffer_append_format(out, "    spectrum \"%s\"\n",
                                 nip_spectrum_name(package->spectrum));
    if (package->stack_max != UINT64_MAX)
        print_size("stack-max", package->stack_max, out);
    if (package->heap_max != UINT64_MAX)
        print_size("heap-max", package->heap_max, out);
    print_limits(package, out);
    for (uint32_t i = 0; i < package->key_count; i++) {
        struct nip_public_key key = {.id = {0}};
        char text[NIP_KEY_TEXT_SIZE];
        memcpy(key.key, package->keys[i].key, sizeof key.key);
        nip_public_key_text(&key, text);
        nip_buffer_append_format(out, "    key \"%s\"\n", text);
    }
    if (package->config_size) {
        nip_buffer_append_text(out, "    config ");
        nip_kdl_print_quoted((const char *)package->config, package->config_size, out);
        nip_buffer_append_byte(out, '\n');
    }
    nip_buffer_append_text(out, "}\n");
}
