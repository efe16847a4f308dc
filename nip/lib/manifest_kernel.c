// SPDX-License-Identifier: Apache-2.0
//
// npl.kdl, the tables of what a kernel acts on: `runtime`, `match`, `request`, `provides`, `needs`.
// Each field is one of a record of npl.bkdl (rumpk/bkdl.h); kernel/load/bkdl.c holds the same
// limits.

#include <string.h>

#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/start.h>

#include "manifest_schema.h"

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
const struct schema_choice manifest_restarts[] = {
    {"never", RUMPK_RESTART_NEVER},
    {"on-fault", RUMPK_RESTART_ON_FAULT},
    {"always", RUMPK_RESTART_ALWAYS},
    {NULL, 0},
};
const struct schema_choice manifest_pledges[] = {
    {"stdio", RUMPK_PLEDGE_STDIO},     {"rpath", RUMPK_PLEDGE_RPATH},
    {"wpath", RUMPK_PLEDGE_WPATH},     {"inet", RUMPK_PLEDGE_INET},
    {"exec", RUMPK_PLEDGE_EXEC},       {"map", RUMPK_PLEDGE_MAP},
    {"grant", RUMPK_PLEDGE_GRANT},     {"state", RUMPK_PLEDGE_STATE},
    {"control", RUMPK_PLEDGE_CONTROL}, {NULL, 0},
};

#define M(member) SCHEMA_AT(struct nip_manifest, member)
#define CONSTANT(type_, member, value) \
    {.name = #member, .type = SCHEMA_CONSTANT, SCHEMA_AT(type_, member), .minimum = (value)}
#define NODE(name_, fields_) \
    .name = (name_), .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)
#define CHILDREN(children_) .children = (children_), .child_count = SCHEMA_COUNT(children_)
#define ARRAY(type_, member, counter, max)                                          \
    .offset = offsetof(struct nip_manifest, member), .element_size = sizeof(type_), \
    .count_offset = offsetof(struct nip_manifest, counter), .count_max = (max)
#define ONE_VALUE .is_argument = true, .is_required = true

// Tables: one field a line, as narrow as they are.
// clang-format off

// ---- runtime ----

static const struct schema_field spectrum_fields[] = {
    {.name = "spectrum", ONE_VALUE, .type = SCHEMA_CHOICE, M(runtime.spectrum),
     .choices = manifest_spectrums, .fallback = RUMPK_SPECTRUM_GRAVITY,
     .help = "Its scheduling class, from the strictest: `photon` for interrupt work (2 ms at a time), "
             "`matter` for network and input (10 ms), `gravity` for background work (50 ms), `void` "
             "for what nobody waits for."},
};
static const struct schema_field stack_fields[] = {
    {.name = "stack", ONE_VALUE, .type = SCHEMA_SIZE, M(runtime.stack_size),
     .minimum = RUMPK_STACK_MIN, .maximum = RUMPK_STACK_MAX, .unit = RUMPK_PAGE_SIZE,
     .fallback = NIP_MANIFEST_STACK_DEFAULT, .help = "Bytes of its stack."},
};
static const struct schema_field heap_fields[] = {
    {.name = "heap", ONE_VALUE, .type = SCHEMA_SIZE, M(runtime.heap_size), .minimum = 0,
     .maximum = RUMPK_HEAP_MAX, .unit = RUMPK_PAGE_SIZE, .fallback = NIP_MANIFEST_HEAP_DEFAULT,
     .help = "Bytes that `malloc` can give out in all."},
};
static const struct schema_field pledge_fields[] = {
    {.name = "pledge", ONE_VALUE, .type = SCHEMA_CHOICES, M(runtime.pledge),
     .choices = manifest_pledges, .fallback = RUMPK_PLEDGE_CLASSES,
     .help = "The classes of calls that it may use at all: `stdio` is send and recv, `exec` is spawn, "
             "`map`, `grant`, `state` is checkpoint, `control` is mask of devices and interrupts. "
             "Without this line, all. `nip check` compares it with the calls that are in the driver."},
};
static const struct schema_field budget_fields[] = {
    {.name = "budget", ONE_VALUE, .type = SCHEMA_DURATION, M(runtime.budget_us), .minimum = 1,
     .maximum = RUMPK_BUDGET_US_MAX, .unit = 1,
     .help = "Processor time in each 100 ms that is surely enough: beyond it, it runs when nobody else "
             "wants to. Without this line its part of its spectrum's share (Photon 50 ms, Matter "
             "25 ms, Gravity 15 ms), and never more than that."},
};
static const struct schema_field restart_fields[] = {
    {.name = "restart", ONE_VALUE, .type = SCHEMA_CHOICE, M(runtime.restart),
     .choices = manifest_restarts, .fallback = RUMPK_RESTART_ON_FAULT,
     .help = "When it is started again after it has ended: `always` is after `exit` too."},
    {.name = "limit", .type = SCHEMA_NUMBER, M(runtime.restart_limit), .minimum = 1,
     .maximum = RUMPK_RESTART_LIMIT_MAX, .fallback = NIP_MANIFEST_RESTART_LIMIT_DEFAULT,
     .help = "How many restarts within `window` are too many: then it is parked."},
    {.name = "window", .type = SCHEMA_DURATION, M(runtime.restart_window_s), .minimum = 1,
     .maximum = RUMPK_RESTART_WINDOW_S_MAX, .unit = 1000000,
     .fallback = NIP_MANIFEST_RESTART_WINDOW_DEFAULT, .help = "The time in which they are counted."},
};
static const struct schema_node runtime_children[] = {
    {NODE("spectrum", spectrum_fields)},
    {NODE("stack", stack_fields)},
    {NODE("heap", heap_fields)},
    {NODE("pledge", pledge_fields)},
    {NODE("budget", budget_fields)},
    {NODE("restart", restart_fields)},
};

// ---- match ----

bool manifest_pci_is_complete(uint32_t vendor_id, uint32_t device_id, uint32_t class_code)
{
    return vendor_id != 0 || (device_id == 0 && class_code != 0);
}

bool manifest_match_is_complete(const struct rumpk_bkdl_match *match)
{
    return match->bus != RUMPK_BUS_PCI ||
           manifest_pci_is_complete(match->vendor_id, match->device_id, match->class_code);
}

bool manifest_request_is_complete(const struct rumpk_bkdl_request *request)
{
    return request->bus != RUMPK_BUS_PCI ||
           manifest_pci_is_complete(request->vendor_id, request->device_id, request->class_code);
}

static enum nip_code refuse_pci(const struct schema_place *place, struct nip_error *err)
{
    nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                     "this names no device");
    nip_error_hint(err, "Write `vendor=` and `device=`, or `class=`, or all three.");
    return NIP_ERROR_SCHEMA;
}

static enum nip_code check_match(const struct schema_place *place, const void *parent,
                                 const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_manifest *manifest = parent;
    const struct rumpk_bkdl_match *match = element;
    if (!manifest_match_is_complete(match))
        return refuse_pci(place, err);
    for (uint32_t i = 0; i < index; i++)
        if (memcmp(&manifest->matches[i], match, sizeof *match) == 0)
            return nip_kdl_error_at(place->document, place->node->span, err, NIP_ERROR_SCHEMA,
                                    "this match stands here twice");
    return NIP_OK;
}

#define PCI_FIELDS(type_)                                                                       \
    {.name = "vendor", .type = SCHEMA_NUMBER, SCHEMA_AT(type_, vendor_id), .minimum = 0,        \
     .maximum = RUMPK_PCI_VENDOR_MAX, .is_hex = true,                                           \
     .help = "Vendor id of PCI, as `lspci -n` shows it."},                                      \
    {.name = "device", .type = SCHEMA_NUMBER, SCHEMA_AT(type_, device_id), .minimum = 0,        \
     .maximum = 65535, .is_hex = true, .help = "Device id of PCI; goes with `vendor`."},        \
    {.name = "class", .type = SCHEMA_PCI_CLASS, SCHEMA_AT(type_, class_code),                   \
     .help = "Class code of PCI, or the beginning of it."}

static const struct schema_field match_virtio_fields[] = {
    {.name = "device id", ONE_VALUE, .type = SCHEMA_NUMBER,
     SCHEMA_AT(struct rumpk_bkdl_match, device_id), .minimum = 1, .maximum = 65535,
     .help = "Type of device in the virtio specification: 1 network, 2 block, 4 entropy ..."},
    CONSTANT(struct rumpk_bkdl_match, bus, RUMPK_BUS_VIRTIO),
};
static const struct schema_field match_compatible_fields[] = {
    {.name = "compatible", ONE_VALUE, .type = SCHEMA_COMPATIBLE,
     SCHEMA_AT(struct rumpk_bkdl_match, compatible),
     .help = "What the device tree calls it. On x86_64 the fixed devices have names of this kind too."},
    CONSTANT(struct rumpk_bkdl_match, bus, RUMPK_BUS_COMPATIBLE),
};
static const struct schema_field match_pci_fields[] = {
    PCI_FIELDS(struct rumpk_bkdl_match),
    CONSTANT(struct rumpk_bkdl_match, bus, RUMPK_BUS_PCI),
};
#define MATCHES ARRAY(struct rumpk_bkdl_match, matches, match_count, RUMPK_MATCHES_MAX)
static const struct schema_node match_children[] = {
    {NODE("virtio", match_virtio_fields), MATCHES, .check = check_match,
     .help = "A virtio device, whatever bus it is on."},
    {NODE("compatible", match_compatible_fields), MATCHES, .check = check_match,
     .help = "A device of the device tree."},
    {NODE("pci", match_pci_fields), MATCHES, .check = check_match, .help = "A PCI device."},
};

// ---- request ----

static enum nip_code check_request(const struct schema_place *place, const void *parent,
                                   const void *element, uint32_t index, struct nip_error *err)
{
    const struct nip_manifest *manifest = parent;
    const struct rumpk_bkdl_request *request = element;
    if (!manifest_request_is_complete(request))
        return refuse_pci(place, err);
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
#define REQUEST_NAME                                                                  \
    {.name = "name", ONE_VALUE, .type = SCHEMA_LABEL, R(name),                        \
     .help = "By this name `image.kdl` grants it and the driver finds it."}
#define REQUEST_OPTIONAL                                      \
    {.name = "optional", .type = SCHEMA_BOOLEAN, R(optional), \
     .help = "The driver can do without."}
#define REQUEST_INTERRUPT                                     \
    {.name = "interrupt", .type = SCHEMA_BOOLEAN, R(queues),  \
     .help = "With the interrupt of the device, where it has one."}
#define REQUEST_CONSTANT(member, value) CONSTANT(struct rumpk_bkdl_request, member, value)
#define REQUEST_SIZE(max)                                                                    \
    {.name = "size", .is_required = true, .type = SCHEMA_SIZE, R(size),                      \
     .minimum = RUMPK_PAGE_SIZE, .maximum = (max), .unit = RUMPK_PAGE_SIZE, .help = "Bytes."}

static const struct schema_field request_device_fields[] = {
    REQUEST_NAME,
    {.name = "virtio", .is_required = true, .type = SCHEMA_NUMBER, R(device_id), .minimum = 1,
     .maximum = 65535, .help = "Type of device in the virtio specification."},
    {.name = "queues", .type = SCHEMA_NUMBER, R(queues), .minimum = 1,
     .maximum = RUMPK_DEVICE_QUEUE_MAX, .fallback = 1, .help = "How many of its queues."},
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_DEVICE),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE | RUMPK_RIGHT_CONTROL),
    REQUEST_CONSTANT(bus, RUMPK_BUS_VIRTIO),
};
static const struct schema_field request_registers_fields[] = {
    REQUEST_NAME,
    {.name = "compatible", .is_required = true, .type = SCHEMA_COMPATIBLE, R(compatible),
     .help = "The device, as in `match`."},
    REQUEST_INTERRUPT,
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_WINDOW),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE),
    REQUEST_CONSTANT(bus, RUMPK_BUS_COMPATIBLE),
};
static const struct schema_field request_bar_fields[] = {
    REQUEST_NAME,
    {.name = "number", ONE_VALUE, .type = SCHEMA_NUMBER, R(bar), .minimum = 0,
     .maximum = RUMPK_PCI_BARS - 1, .help = "The base address register."},
    PCI_FIELDS(struct rumpk_bkdl_request),
    REQUEST_INTERRUPT,
    REQUEST_OPTIONAL,
    REQUEST_CONSTANT(type, RUMPK_CAP_WINDOW),
    REQUEST_CONSTANT(rights, RUMPK_RIGHT_READ | RUMPK_RIGHT_WRITE),
    REQUEST_CONSTANT(bus, RUMPK_BUS_PCI),
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
#define REQUESTS \
    ARRAY(struct rumpk_bkdl_request, requests, request_count, RUMPK_REQUESTS_MAX), \
    .check = check_request
static const struct schema_node request_children[] = {
    {NODE("device", request_device_fields), REQUESTS, .help = "A virtio device with its queues."},
    {NODE("registers", request_registers_fields), REQUESTS,
     .help = "The registers of a device of the device tree: a window of memory, or I/O ports."},
    {NODE("bar", request_bar_fields), REQUESTS,
     .help = "The registers behind one base address register of a PCI device."},
    {NODE("dma", request_dma_fields), REQUESTS, .help = "Memory that devices may read and write."},
    {NODE("memory", request_memory_fields), REQUESTS, .help = "Memory beside stack and heap."},
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
#define SERVICE_FIELDS                                                                            \
    {.name = "name", ONE_VALUE, .type = SCHEMA_LABEL, S(name), .help = "What the service is called."}, \
    {.name = "version", ONE_VALUE, .type = SCHEMA_NUMBER, S(version), .minimum = 1,               \
     .maximum = 65535, .help = "Both sides must say the same."},                                  \
    {.name = "style", .is_required = true, .type = SCHEMA_CHOICE, S(style),                       \
     .choices = manifest_styles,                                                                  \
     .help = "`stream`: bytes both ways. `service`: files, spoken in 9P."}
static const struct schema_field provides_fields[] = {
    SERVICE_FIELDS,
    {.name = "clients", .type = SCHEMA_NUMBER, S(clients), .minimum = 1,
     .maximum = RUMPK_PACKAGES_MAX, .fallback = 1, .help = "How many at once."},
};
static const struct schema_field needs_fields[] = {
    SERVICE_FIELDS,
    {.name = "optional", .type = SCHEMA_BOOLEAN, S(optional), .help = "The driver can do without."},
};
static const struct schema_node provides_children[] = {
    {NODE("service", provides_fields), .check = check_provides,
     ARRAY(struct rumpk_bkdl_service, provides, provides_count, RUMPK_SERVICES_MAX),
     .help = "A service that others may use."},
};
static const struct schema_node needs_children[] = {
    {NODE("service", needs_fields), .check = check_needs,
     ARRAY(struct rumpk_bkdl_service, needs, needs_count, RUMPK_SERVICES_MAX),
     .help = "A service that it uses. `image.kdl` binds it to exactly one provider."},
};

const struct schema_node manifest_schema[MANIFEST_PART_COUNT] = {
    [MANIFEST_PACKAGE] = {NODE("package", manifest_package_fields),
        CHILDREN(manifest_package_children), .is_required = true,
        .help = "What it is, and what people should know of it."},
    [MANIFEST_BUILD] = {NODE("build", manifest_build_fields), CHILDREN(manifest_build_children),
        .check = manifest_check_build, .help = "How it is made."},
    [MANIFEST_DEPENDENCIES] = {.name = "dependencies", CHILDREN(manifest_dependencies_children),
        .help = "Libraries that are linked into it when it is built. They are resolved in the project "
                "that builds, written to `nip.lock`, recorded in the bill of materials, and never "
                "resolved again."},
    [MANIFEST_RUNTIME] = {.name = "runtime", CHILDREN(runtime_children),
        .help = "What it wants of the kernel. The owner of an image can narrow each of these."},
    [MANIFEST_MATCH] = {.name = "match", CHILDREN(match_children),
        .help = "The devices that it is a driver for. This proposes; `image.kdl` binds."},
    [MANIFEST_REQUEST] = {.name = "request", CHILDREN(request_children),
        .help = "The capabilities that it asks for. Only `image.kdl` grants them."},
    [MANIFEST_PROVIDES] = {.name = "provides", CHILDREN(provides_children),
        .help = "The services that it offers."},
    [MANIFEST_NEEDS] = {.name = "needs", CHILDREN(needs_children),
        .help = "The services that it uses."},
};
