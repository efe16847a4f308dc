// SPDX-License-Identifier: Apache-2.0
//
// npl.kdl: the tables, and reading by them.

#include "nip/manifest.h"

#include <string.h>

#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "manifest_schema.h"
#include "nip/bkdl.h"
#include "nip/crypto.h"
#include "nip/kdl.h"
#include "schema_text.h"

const struct schema_choice manifest_archs[] = {
    {"aarch64", RUMPK_ARCH_BIT(RUMPK_ARCH_AARCH64)},
    {"riscv64", RUMPK_ARCH_BIT(RUMPK_ARCH_RISCV64)},
    {"x86_64", RUMPK_ARCH_BIT(RUMPK_ARCH_X86_64)},
    {NULL, 0},
};
const struct schema_choice manifest_spectrums[] = {
    {"photon", RUMPK_SPECTRUM_PHOTON},
    {"matter", RUMPK_SPECTRUM_MATTER},
    {"gravity", RUMPK_SPECTRUM_GRAVITY},
    {"void", RUMPK_SPECTRUM_VOID},
    {NULL, 0},
};
const struct schema_choice manifest_kinds[] = {
    {"driver", RUMPK_KIND_DRIVER},
    {"library", RUMPK_KIND_LIBRARY},
    {"kernel", RUMPK_KIND_KERNEL},
    {NULL, 0},
};
const struct schema_choice manifest_styles[] = {
    {"stream", RUMPK_STYLE_STREAM},
    {"service", RUMPK_STYLE_SERVICE},
    {NULL, 0},
};

#define M(member) SCHEMA_AT(struct nip_manifest, member)
#define CONSTANT(type_, member, value) \
    {.name = #member, .type = SCHEMA_CONSTANT, SCHEMA_AT(type_, member), .minimum = (value)}
#define NODE(name_, fields_) .name = name_, .fields = fields_, .field_count = SCHEMA_COUNT(fields_)
#define CHILDREN(children_)  .children = children_, .child_count = SCHEMA_COUNT(children_)
#define ARRAY(type_, member, counter, max)                                          \
    .offset = offsetof(struct nip_manifest, member), .element_size = sizeof(type_), \
    .count_offset = offsetof(struct nip_manifest, counter), .count_max = (max)

// ---- runtime ----

static const struct schema_field spectrum_fields[] = {
    {.name = "spectrum",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_CHOICE,
     M(runtime.spectrum),
     .choices = manifest_spectrums,
     .fallback = RUMPK_SPECTRUM_GRAVITY},
};
static const struct schema_field stack_fields[] = {
    {.name = "stack",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_SIZE,
     M(runtime.stack_size),
     .minimum = RUMPK_STACK_MIN,
     .maximum = RUMPK_STACK_MAX,
     .unit = RUMPK_PAGE_SIZE,
     .fallback = NIP_MANIFEST_STACK_DEFAULT},
};
static const struct schema_field heap_fields[] = {
    {.name = "heap",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_SIZE,
     M(runtime.heap_size),
     .minimum = 0,
     .maximum = RUMPK_HEAP_MAX,
     .unit = RUMPK_PAGE_SIZE,
     .fallback = NIP_MANIFEST_HEAP_DEFAULT},
};
static const struct schema_node runtime_children[] = {
    {NODE("spectrum", spectrum_fields)},
    {NODE("stack", stack_fields)},
    {NODE("heap", heap_fields)},
};

// ---- match ----

static enum nip_code check_match(const struct schema_place *place, const void *parent,
                                 const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_manifest *manifest = parent;
    const struct rumpk_bkdl_match *match = element;
    for (uint32_t i = 0; i < index; i++)
        if (memcmp(&manifest->matches[i], match, sizeof *match) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "this match stands here twice");
    return NIP_OK;
}

static const struct schema_field match_virtio_fields[] = {
    {.name = "device id",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_NUMBER,
     SCHEMA_AT(struct rumpk_bkdl_match, device_id),
     .minimum = 1,
     .maximum = 65535},
    CONSTANT(struct rumpk_bkdl_match, bus, RUMPK_BUS_VIRTIO),
};
static const struct schema_field match_compatible_fields[] = {
    {.name = "compatible",
     .is_argument = true,
     .is_required = true,
     .type = SCHEMA_COMPATIBLE,
     SCHEMA_AT(struct rumpk_bkdl_match, compatible)},
    CONSTANT(struct rumpk_bkdl_match, bus, RUMPK_BUS_COMPATIBLE),
};
#define MATCHES ARRAY(struct rumpk_bkdl_match, matches, match_count, RUMPK_MATCHES_MAX)
static const struct schema_node match_children[] = {
    {NODE("virtio", match_virtio_fields), MATCHES, .check = check_match},
    {NODE("compatible", match_compatible_fields), MATCHES, .check = check_match},
};

// ---- request ----

static enum nip_code check_request(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_manifest *manifest = parent;
    const struct rumpk_bkdl_request *request = element;
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(manifest->requests[i].name, request->name) == 0) {
            nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                             "two requests are called \"%s\"", request->name);
            nip_error_hint(err, "Grants in image.kdl answer requests by name: give each its own.");
            return NIP_ERROR_SCHEMA;
        }
    return NIP_OK;
}

#define R(member) SCHEMA_AT(struct rumpk_bkdl_request, member)
#define REQUEST_NAME \
    {.name = "name", .is_argument = true, .is_required = true, .type = SCHEMA_LABEL, R(name)}
#define REQUEST_OPTIONAL                {.name = "optional", .type = SCHEMA_BOOLEAN, R(optional)}
#define REQUEST_CONSTANT(member, value) CONSTANT(struct rumpk_bkdl_request, member, value)
#define REQUEST_SIZE(max)        \
    {.name = "size",             \
     .is_required = true,        \
     .type = SCHEMA_SIZE,        \
     R(size),                    \
     .minimum = RUMPK_PAGE_SIZE, \
     .maximum = (max),           \
     .unit = RUMPK_PAGE_SIZE}

static const struct schema_field request_device_fields[] = {
    REQUEST_NAME,
    {.name = "virtio",
     .is_required = true,
     .type = SCHEMA_NUMBER,
     R(device_id),
     .minimum = 1,
     .maximum = 65535},
    {.name = "queues",
     .type = SCHEMA_NUMBER,
     R(queues),
     .minimum = 1,
     .maximum = RUMPK_DEVICE_QUEUE_MAX,
     .fallback = 1},
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_DEVICE),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_CONTROL),
    REQUEST_CONSTANT(bus, RUMPK_BUS_VIRTIO),
};
static const struct schema_field request_registers_fields[] = {
    REQUEST_NAME,
    {.name = "compatible", .is_required = true, .type = SCHEMA_COMPATIBLE, R(compatible)},
    {.name = "interrupt", .type = SCHEMA_BOOLEAN, R(queues)},
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_WINDOW),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE),
    REQUEST_CONSTANT(bus, RUMPK_BUS_COMPATIBLE),
};
static const struct schema_field request_dma_fields[] = {
    REQUEST_NAME,
    REQUEST_SIZE(RUMPK_DMA_MAX),
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_DMA),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_DMA),
};
static const struct schema_field request_memory_fields[] = {
    REQUEST_NAME,
    REQUEST_SIZE(RUMPK_HEAP_MAX),
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_MEMORY),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE),
};
#define REQUESTS ARRAY(struct rumpk_bkdl_request, requests, request_count, RUMPK_REQUESTS_MAX)
static const struct schema_node request_children[] = {
    {NODE("device", request_device_fields), REQUESTS, .check = check_request},
    {NODE("registers", request_registers_fields), REQUESTS, .check = check_request},
    {NODE("dma", request_dma_fields), REQUESTS, .check = check_request},
    {NODE("memory", request_memory_fields), REQUESTS, .check = check_request},
};

// ---- provides, needs ----

static enum nip_code check_service(const struct schema_place *place,
                                   const struct rumpk_bkdl_service *services, uint32_t index,
                                   struct nip_error *err)
{
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(services[i].name, services[index].name) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "service \"%s\" stands here twice", services[index].name);
    return NIP_OK;
}

static enum nip_code check_provides(const struct schema_place *place, const void *parent,
                                    const void *element, uint32_t index, struct nip_error *err)
{
    (void)element;
    return check_service(place, ((const struct nip_manifest *)parent)->provides, index, err);
}

static enum nip_code check_needs(const struct schema_place *place, const void *parent,
                                 const void *element, uint32_t index, struct nip_error *err)
{
    (void)element;
    return check_service(place, ((const struct nip_manifest *)parent)->needs, index, err);
}

#define S(member) SCHEMA_AT(struct rumpk_bkdl_service, member)
#define SERVICE_FIELDS                                                                         \
    {.name = "name", .is_argument = true, .is_required = true, .type = SCHEMA_LABEL, S(name)}, \
        {.name = "version",                                                                    \
         .is_argument = true,                                                                  \
         .is_required = true,                                                                  \
         .type = SCHEMA_NUMBER,                                                                \
         S(version),                                                                           \
         .minimum = 1,                                                                         \
         .maximum = 65535},                                                                    \
    {                                                                                          \
        .name = "style", .is_required = true, .type = SCHEMA_CHOICE, S(style),                 \
        .choices = manifest_styles                                                             \
    }
static const struct schema_field provides_fields[] = {
    SERVICE_FIELDS,
    {.name = "clients",
     .type = SCHEMA_NUMBER,
     S(clients),
     .minimum = 1,
     .maximum = RUMPK_PACKAGES_MAX,
     .fallback = 1},
};
static const struct schema_field needs_fields[] = {
    SERVICE_FIELDS,
    {.name = "optional", .type = SCHEMA_BOOLEAN, S(optional)},
};
static const struct schema_node provides_children[] = {
    {NODE("service", provides_fields), .check = check_provides,
     ARRAY(struct rumpk_bkdl_service, provides, provides_count, RUMPK_SERVICES_MAX)},
};
static const struct schema_node needs_children[] = {
    {NODE("service", needs_fields), .check = check_needs,
     ARRAY(struct rumpk_bkdl_service, needs, needs_count, RUMPK_SERVICES_MAX)},
};

const struct schema_node manifest_schema[MANIFEST_PART_COUNT] = {
    [MANIFEST_PACKAGE] = {NODE("package", manifest_package_fields),
                          CHILDREN(manifest_package_children), .is_required = true},
    [MANIFEST_BUILD] = {.name = "build", CHILDREN(manifest_build_children)},
    [MANIFEST_DEPENDENCIES] = {.name = "dependencies", CHILDREN(manifest_dependencies_children)},
    [MANIFEST_RUNTIME] = {.name = "runtime", CHILDREN(runtime_children)},
    [MANIFEST_MATCH] = {.name = "match", CHILDREN(match_children)},
    [MANIFEST_REQUEST] = {.name = "request", CHILDREN(request_children)},
    [MANIFEST_PROVIDES] = {.name = "provides", CHILDREN(provides_children)},
    [MANIFEST_NEEDS] = {.name = "needs", CHILDREN(needs_children)},
};

enum nip_code manifest_check_whole(const struct nip_manifest *manifest, struct nip_error *err)
{
    if (manifest->identity.kind == RUMPK_KIND_DRIVER)
        return NIP_OK;
    if (manifest->match_count || manifest->request_count || manifest->provides_count ||
        manifest->needs_count) {
        nip_error_set(err, NIP_ERROR_SCHEMA,
                      "a package of kind \"%s\" runs nothing of its own: it cannot match devices, "
                      "request capabilities, provide or need services",
                      nip_kind_name(manifest->identity.kind));
        nip_error_hint(err, "Remove `match`, `request`, `provides` and `needs`, or make it a "
                            "\"driver\".");
        return NIP_ERROR_SCHEMA;
    }
    return NIP_OK;
}

enum nip_code nip_manifest_parse(const char *text, size_t size, const char *file,
                                 struct nip_manifest *manifest, struct nip_error *err)
{
    static const struct nip_kdl_limits limits = {
        .size_max = NIP_MANIFEST_SIZE_MAX, .depth_max = 8, .item_count_max = 2000};
    memset(manifest, 0, sizeof *manifest);
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code != NIP_OK)
        return code;
    code = schema_read(document, manifest_schema, MANIFEST_PART_COUNT, manifest, err);
    if (code == NIP_OK) {
        code = manifest_check_whole(manifest, err);
        if (code != NIP_OK)
            nip_error_at(err, file, 0, 0);
    }
    for (uint32_t i = 0; code == NIP_OK && i < manifest->arch_build_count; i++)
        if ((manifest->arch_builds[i].arch_mask & ~manifest->identity.arch_mask) != 0) {
            code = nip_error_set(err, NIP_ERROR_SCHEMA,
                                 "an `arch` block of `build` is for an "
                                 "architecture that the package is not made "
                                 "for");
            nip_error_hint(err, "Add it to `arch` of `package`, or remove the block.");
            nip_error_at(err, file, 0, 0);
        }
    if (code == NIP_OK && manifest->source_count == 0) {
        memcpy(manifest->sources[0], "src/*.c", sizeof "src/*.c");
        manifest->source_count = 1;
    }
    nip_kdl_document_free(document);
    return code;
}

void nip_manifest_capability_digest(const struct nip_manifest *manifest,
                                    uint8_t digest[RUMPK_DIGEST_SIZE])
{
    struct nip_hash hash;
    nip_hash_begin(&hash);
    nip_hash_update(&hash, &manifest->runtime, sizeof manifest->runtime);
    const uint32_t counts[4] = {manifest->request_count, manifest->provides_count,
                                manifest->needs_count, 0};
    nip_hash_update(&hash, counts, sizeof counts);
    nip_hash_update(&hash, manifest->requests,
                    manifest->request_count * sizeof manifest->requests[0]);
    nip_hash_update(&hash, manifest->provides,
                    manifest->provides_count * sizeof manifest->provides[0]);
    nip_hash_update(&hash, manifest->needs, manifest->needs_count * sizeof manifest->needs[0]);
    nip_hash_end(&hash, digest);
}
