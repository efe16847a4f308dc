// SPDX-License-Identifier: Apache-2.0
//
// bkdl.c: the two packed manifests (rumpk/bkdl.h). One reader walks the records and proves their
// outer form; one grammar per document takes them in order; one check per record judges every
// field. What passes can be used in place: texts end, numbers are inside their limits, reserved
// bytes are zero, structures are aligned.
#include <kernel/load.h>

#define RECORD_ALIGNMENT     8u
#define DEVICE_ID_MAX        65535u
#define CHANNEL_MAX          65535u
#define SERVICE_VERSION_MAX  65535u
#define SECURITY_VERSION_MAX 65535u
#define GRANT_INDEX_MAX      255u
#define PCI_CLASS_BYTES      3u

// ---- records ----

struct reader {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset; // of the next record
    uint32_t left;   // records not yet taken
    uint32_t tag;    // of the next record; 0 at the end
    uint32_t payload_size;
    const uint8_t *payload;
    bool broken;
};

// Looks at the record at reader->offset. Sets `broken` when its outer form is wrong.
static void reader_look(struct reader *reader)
{
    const struct rumpk_bkdl_record *record = (const void *)(reader->bytes + reader->offset);
    uint64_t padded;

    reader->tag = 0;
    if (reader->left == 0) {
        reader->broken |= reader->offset != reader->size;
        return;
    }
    reader->broken = true;
    if (!range_contains(0, reader->size, reader->offset, sizeof(*record)))
        return;
    if (!align_up(record->size, RECORD_ALIGNMENT, &padded) ||
        !range_contains(0, reader->size, reader->offset + sizeof(*record), padded))
        return;
    reader->payload = reader->bytes + reader->offset + sizeof(*record);
    if (!bytes_are_zero(reader->payload + record->size, padded - record->size))
        return;
    reader->tag = record->tag;
    reader->payload_size = record->size;
    reader->broken = reader->tag == 0;
}

static void reader_next(struct reader *reader)
{
    uint64_t padded =
        ((uint64_t)reader->payload_size + RECORD_ALIGNMENT - 1) & ~(uint64_t)(RECORD_ALIGNMENT - 1);

    reader->offset += sizeof(struct rumpk_bkdl_record) + padded;
    reader->left--;
    reader_look(reader);
}

static bool reader_begin(struct reader *reader, const void *bytes, uint64_t size, uint64_t size_max,
                         const char *title, uint64_t title_size)
{
    const struct rumpk_bkdl_opening *opening = bytes;

    *reader = (struct reader){.bytes = bytes, .size = size, .offset = sizeof(*opening)};
    if (size < sizeof(*opening) || size > size_max ||
        ((uintptr_t)bytes & (RECORD_ALIGNMENT - 1)) != 0)
        return false;
    if (memcmp(opening->title, title, title_size) != 0 ||
        !bytes_are_zero(opening->title + title_size, RUMPK_BKDL_TITLE_SIZE - title_size))
        return false;
    if (opening->size != size || opening->reserved != 0)
        return false;
    reader->left = opening->records;
    reader_look(reader);
    return !reader->broken;
}

// Takes up to `max` records of one tag, each of `size` bytes and accepted by `check`. False: one is
// wrong.
static bool list_take(struct reader *reader, uint32_t tag, uint32_t size, uint32_t max,
                      bool (*check)(const void *payload), struct bkdl_list *list)
{
    list->first = reader->payload;
    list->count = 0;
    while (!reader->broken && reader->tag == tag) {
        if (list->count == max || reader->payload_size != size || !check(reader->payload))
            return false;
        list->count++;
        reader_next(reader);
    }
    return !reader->broken;
}

static const void *one_take(struct reader *reader, uint32_t tag, uint32_t size,
                            bool (*check)(const void *payload))
{
    struct bkdl_list list;

    return list_take(reader, tag, size, 1, check, &list) && list.count == 1 ? list.first : NULL;
}

static const void *list_at(const struct bkdl_list *list, uint32_t index, uint64_t size)
{
    return list->first + index * (size + sizeof(struct rumpk_bkdl_record));
}

const struct rumpk_bkdl_request *bkdl_request(const struct bkdl_list *list, uint32_t index)
{
    return list_at(list, index, sizeof(struct rumpk_bkdl_request));
}

const struct rumpk_bkdl_service *bkdl_service(const struct bkdl_list *list, uint32_t index)
{
    return list_at(list, index, sizeof(struct rumpk_bkdl_service));
}

const struct rumpk_bkdl_key *bkdl_key(const struct bkdl_list *list, uint32_t index)
{
    return list_at(list, index, sizeof(struct rumpk_bkdl_key));
}

const struct rumpk_bkdl_grant *bkdl_grant(const struct bkdl_list *list, uint32_t index)
{
    return list_at(list, index, sizeof(struct rumpk_bkdl_grant));
}

const struct rumpk_bkdl_wire *bkdl_wire(const struct bkdl_list *list, uint32_t index)
{
    return list_at(list, index, sizeof(struct rumpk_bkdl_wire));
}

// ---- fields ----

// Printable ASCII, a NUL inside the field, only NULs behind it.
static bool text_is_valid(const char *text, uint64_t size, bool may_be_empty)
{
    uint64_t length = text_length(text, size);

    if (length == size || (length == 0 && !may_be_empty))
        return false;
    for (uint64_t index = 0; index < length; index++) {
        if (text[index] < 0x20 || text[index] > 0x7E)
            return false;
    }
    return bytes_are_zero(text + length, size - length);
}

static bool is_page_multiple(uint64_t size)
{
    return (size & PAGE_MASK) == 0;
}

static bool is_in(uint64_t value, uint64_t low, uint64_t high)
{
    return value >= low && value <= high;
}

// What names a PCI function: vendor and device, or a class, or both.
static bool pci_is_valid(uint32_t vendor_id, uint32_t device_id, uint32_t class_code)
{
    uint32_t count = RUMPK_PCI_CLASS_COUNT(class_code);
    uint32_t unused = count >= PCI_CLASS_BYTES ? 0 : UINT32_MAX >> (8 * (count + 1));

    if (vendor_id > RUMPK_PCI_VENDOR_MAX || device_id > DEVICE_ID_MAX || count > PCI_CLASS_BYTES ||
        (class_code & unused) != 0)
        return false;
    return vendor_id != 0 || (device_id == 0 && class_code != 0);
}

// What a request and a grant have in common: which fields go with which type.
struct object {
    uint32_t type, bus, device_id, vendor_id, class_code, bar;
    uint64_t size;
    const char *compatible;
};

static bool object_is_consistent(const struct object *object)
{
    uint32_t bus = object->bus;
    uint32_t device_id = object->device_id;
    uint64_t size = object->size;
    bool named = object->compatible[0] != '\0';

    if (bus == RUMPK_BUS_PCI)
        return object->type == RUMPK_CAP_WINDOW && !named && size == 0 &&
               object->bar < RUMPK_PCI_BARS &&
               pci_is_valid(object->vendor_id, device_id, object->class_code);
    if (object->vendor_id != 0 || object->class_code != 0 || object->bar != 0)
        return false;

    switch (object->type) {
    case RUMPK_CAP_MEMORY:
        return bus == RUMPK_BUS_NONE && device_id == 0 && !named && is_page_multiple(size) &&
               is_in(size, PAGE_SIZE, RUMPK_HEAP_MAX);
    case RUMPK_CAP_DMA:
        return bus == RUMPK_BUS_NONE && device_id == 0 && !named && is_page_multiple(size) &&
               is_in(size, PAGE_SIZE, RUMPK_DMA_MAX);
    case RUMPK_CAP_DEVICE:
        return bus == RUMPK_BUS_VIRTIO && is_in(device_id, 1, DEVICE_ID_MAX) && !named && size == 0;
    case RUMPK_CAP_WINDOW:
        return bus == RUMPK_BUS_COMPATIBLE && device_id == 0 && named && size == 0;
    default:
        return false;
    }
}

static bool identity_is_valid(const void *payload)
{
    const struct rumpk_bkdl_identity *identity = payload;

    return text_is_valid(identity->name, sizeof(identity->name), false) &&
           text_is_valid(identity->version, sizeof(identity->version), false) &&
           is_in(identity->security_version, 1, SECURITY_VERSION_MAX) &&
           is_in(identity->kind, RUMPK_KIND_DRIVER, RUMPK_KIND_KERNEL) &&
           is_in(identity->arch_mask, 1, (1u << RUMPK_ARCH_COUNT) - 1);
}

// What package and owner say about pledge, budget and restart.
static bool policy_is_valid(uint64_t pledge, uint32_t budget_us, uint32_t restart, uint32_t limit,
                            uint32_t window_s)
{
    return (pledge & ~RUMPK_PLEDGE_CLASSES) == 0 && budget_us <= RUMPK_BUDGET_US_MAX &&
           restart <= RUMPK_RESTART_ALWAYS && is_in(limit, 1, RUMPK_RESTART_LIMIT_MAX) &&
           is_in(window_s, 1, RUMPK_RESTART_WINDOW_S_MAX);
}

static bool runtime_is_valid(const void *payload)
{
    const struct rumpk_bkdl_runtime *runtime = payload;

    return runtime->spectrum < RUMPK_SPECTRUM_COUNT && runtime->flags == 0 &&
           runtime->reserved[0] == 0 && runtime->reserved[1] == 0 &&
           policy_is_valid(runtime->pledge, runtime->budget_us, runtime->restart,
                           runtime->restart_limit, runtime->restart_window_s) &&
           is_page_multiple(runtime->stack_size) && is_page_multiple(runtime->heap_size) &&
           is_in(runtime->stack_size, RUMPK_STACK_MIN, RUMPK_STACK_MAX) &&
           runtime->heap_size <= RUMPK_HEAP_MAX;
}

static bool match_is_valid(const void *payload)
{
    const struct rumpk_bkdl_match *match = payload;

    if (!text_is_valid(match->compatible, sizeof(match->compatible), true))
        return false;
    if (match->bus == RUMPK_BUS_PCI)
        return match->compatible[0] == '\0' &&
               pci_is_valid(match->vendor_id, match->device_id, match->class_code);
    if (match->vendor_id != 0 || match->class_code != 0)
        return false;
    if (match->bus == RUMPK_BUS_VIRTIO)
        return is_in(match->device_id, 1, DEVICE_ID_MAX) && match->compatible[0] == '\0';
    return match->bus == RUMPK_BUS_COMPATIBLE && match->device_id == 0 &&
           match->compatible[0] != '\0';
}

static bool request_is_valid(const void *payload)
{
    const struct rumpk_bkdl_request *request = payload;
    bool is_device = request->type == RUMPK_CAP_DEVICE;
    uint32_t queues_max = request->type == RUMPK_CAP_WINDOW ? 1 : 0;
    const struct object object = {
        .type = request->type,
        .bus = request->bus,
        .device_id = request->device_id,
        .vendor_id = request->vendor_id,
        .class_code = request->class_code,
        .bar = request->bar,
        .size = request->size,
        .compatible = request->compatible,
    };

    return text_is_valid(request->name, sizeof(request->name), false) &&
           text_is_valid(request->compatible, sizeof(request->compatible), true) &&
           is_in(request->rights, 1, RUMPK_RIGHTS_ALL) && request->optional <= 1 &&
           (is_device ? is_in(request->queues, 1, RUMPK_DEVICE_QUEUE_MAX)
                      : request->queues <= queues_max) &&
           request->reserved == 0 && object_is_consistent(&object);
}

static bool service_is_valid(const struct rumpk_bkdl_service *service)
{
    return text_is_valid(service->name, sizeof(service->name), false) &&
           is_in(service->version, 1, SERVICE_VERSION_MAX) &&
           is_in(service->style, RUMPK_STYLE_STREAM, RUMPK_STYLE_SERVICE);
}

static bool provides_is_valid(const void *payload)
{
    const struct rumpk_bkdl_service *service = payload;

    return service_is_valid(service) && service->optional == 0 &&
           is_in(service->clients, 1, RUMPK_PACKAGES_MAX);
}

static bool needs_is_valid(const void *payload)
{
    const struct rumpk_bkdl_service *service = payload;

    return service_is_valid(service) && service->optional <= 1 && service->clients == 0;
}

static bool image_is_valid(const void *payload)
{
    const struct rumpk_bkdl_image *image = payload;

    return text_is_valid(image->name, sizeof(image->name), false) &&
           text_is_valid(image->version, sizeof(image->version), false) &&
           is_in(image->arch, 1, RUMPK_ARCH_COUNT) &&
           image->flags <= (RUMPK_IMAGE_DEVELOPMENT | RUMPK_IMAGE_STAY_ON_IDLE) &&
           image->package_count <= RUMPK_PACKAGES_MAX && image->wire_count <= RUMPK_WIRES_MAX;
}

static bool package_is_valid(const void *payload)
{
    const struct rumpk_bkdl_package *package = payload;

    return text_is_valid(package->name, sizeof(package->name), false) &&
           is_in(package->security_floor, 1, SECURITY_VERSION_MAX) &&
           is_in(package->threshold, 1, RUMPK_KEYS_MAX) &&
           package->spectrum < RUMPK_SPECTRUM_COUNT && package->flags <= RUMPK_PACKAGE_FLAGS &&
           is_page_multiple(package->stack_max) && is_page_multiple(package->heap_max) &&
           is_in(package->stack_max, RUMPK_STACK_MIN, RUMPK_STACK_MAX) &&
           package->heap_max <= RUMPK_HEAP_MAX && package->reserved == 0 &&
           policy_is_valid(package->pledge, package->budget_us, package->restart,
                           package->restart_limit, package->restart_window_s);
}

// A zero key would be "anybody" somewhere else: refused here.
static bool key_is_valid(const void *payload)
{
    return !bytes_are_zero(payload, sizeof(struct rumpk_bkdl_key));
}

static bool grant_is_valid(const void *payload)
{
    const struct rumpk_bkdl_grant *grant = payload;
    bool is_memory = grant->type == RUMPK_CAP_MEMORY || grant->type == RUMPK_CAP_DMA;
    const struct object object = {
        .type = grant->type,
        .bus = grant->bus,
        .device_id = grant->device_id,
        .vendor_id = grant->vendor_id,
        .class_code = grant->class_code,
        .bar = grant->bar,
        .size = grant->size,
        .compatible = grant->compatible,
    };

    return text_is_valid(grant->name, sizeof(grant->name), false) &&
           text_is_valid(grant->compatible, sizeof(grant->compatible), true) &&
           is_in(grant->rights, 1, RUMPK_RIGHTS_ALL) && grant->reserved == 0 &&
           grant->reserved_2 == 0 && grant->index <= (is_memory ? 0 : GRANT_INDEX_MAX) &&
           object_is_consistent(&object);
}

static bool config_is_valid(const void *payload)
{
    (void)payload; // opaque
    return true;
}

static bool wire_is_valid(const void *payload)
{
    const struct rumpk_bkdl_wire *wire = payload;
    bool service = wire->style == RUMPK_STYLE_SERVICE;

    return text_is_valid(wire->service, sizeof(wire->service), false) &&
           is_in(wire->channel, 1, CHANNEL_MAX) &&
           is_in(wire->style, RUMPK_STYLE_STREAM, RUMPK_STYLE_SERVICE) &&
           wire->start < RUMPK_START_MODES &&
           is_in(wire->slots, RUMPK_RING_SLOTS_MIN, RUMPK_RING_SLOTS_MAX) &&
           (wire->slots & (wire->slots - 1)) == 0 &&
           (service ? is_in(wire->arena_count, 1, RUMPK_ARENA_COUNT_MAX)
                    : wire->arena_count == 0) &&
           (service ? is_in(wire->arena_size, RUMPK_NINEP_MSIZE_MIN, RUMPK_ARENA_SIZE_MAX) &&
                          (wire->arena_size & 63) == 0
                    : wire->arena_size == 0);
}

// ---- documents ----

static bool requests_are_distinct(const struct bkdl_list *requests)
{
    for (uint32_t index = 1; index < requests->count; index++) {
        for (uint32_t other = 0; other < index; other++) {
            if (text_equal(bkdl_request(requests, index)->name, bkdl_request(requests, other)->name,
                           RUMPK_LABEL_SIZE))
                return false;
        }
    }
    return true;
}

enum rumpk_refusal bkdl_manifest_validate(const void *bytes, uint64_t size,
                                          struct bkdl_manifest *out)
{
    struct reader reader;

    memset(out, 0, sizeof(*out));
    if (!reader_begin(&reader, bytes, size, RUMPK_BKDL_PACKAGE_SIZE_MAX, RUMPK_BKDL_TITLE_PACKAGE,
                      sizeof(RUMPK_BKDL_TITLE_PACKAGE) - 1))
        return RUMPK_REFUSE_PACKAGE_FORM;
    out->identity =
        one_take(&reader, RUMPK_BKDL_IDENTITY, sizeof(*out->identity), identity_is_valid);
    if (out->identity == NULL)
        return RUMPK_REFUSE_PACKAGE_FORM;
    out->runtime = one_take(&reader, RUMPK_BKDL_RUNTIME, sizeof(*out->runtime), runtime_is_valid);
    if (out->runtime == NULL)
        return RUMPK_REFUSE_PACKAGE_FORM;
    if (!list_take(&reader, RUMPK_BKDL_MATCH, sizeof(struct rumpk_bkdl_match), RUMPK_MATCHES_MAX,
                   match_is_valid, &out->matches) ||
        !list_take(&reader, RUMPK_BKDL_REQUEST, sizeof(struct rumpk_bkdl_request),
                   RUMPK_REQUESTS_MAX, request_is_valid, &out->requests) ||
        !list_take(&reader, RUMPK_BKDL_PROVIDES, sizeof(struct rumpk_bkdl_service),
                   RUMPK_SERVICES_MAX, provides_is_valid, &out->provides) ||
        !list_take(&reader, RUMPK_BKDL_NEEDS, sizeof(struct rumpk_bkdl_service), RUMPK_SERVICES_MAX,
                   needs_is_valid, &out->needs))
        return RUMPK_REFUSE_PACKAGE_FORM;
    if (reader.left != 0 || !requests_are_distinct(&out->requests))
        return RUMPK_REFUSE_PACKAGE_FORM;
    return RUMPK_REFUSE_NONE;
}

// How many different keys are listed: one that stands there twice is one.
static uint32_t keys_distinct(const struct bkdl_list *keys)
{
    uint32_t distinct = 0;

    for (uint32_t index = 0; index < keys->count; index++) {
        uint32_t other = 0;

        while (other < index &&
               memcmp(bkdl_key(keys, index), bkdl_key(keys, other), RUMPK_KEY_SIZE) != 0)
            other++;
        distinct += other == index;
    }
    return distinct;
}

static bool boot_package_take(struct reader *reader, struct bkdl_boot_package *out)
{
    struct bkdl_list config;

    out->package = one_take(reader, RUMPK_BKDL_PACKAGE, sizeof(*out->package), package_is_valid);
    if (out->package == NULL)
        return false;
    if (!list_take(reader, RUMPK_BKDL_KEY, sizeof(struct rumpk_bkdl_key), RUMPK_KEYS_MAX,
                   key_is_valid, &out->keys) ||
        keys_distinct(&out->keys) < out->package->threshold)
        return false;
    if (!list_take(reader, RUMPK_BKDL_GRANT, sizeof(struct rumpk_bkdl_grant), RUMPK_REQUESTS_MAX,
                   grant_is_valid, &out->grants))
        return false;
    if (reader->tag != RUMPK_BKDL_CONFIG)
        return true;
    out->config = reader->payload;
    out->config_size = reader->payload_size;
    return is_in(out->config_size, 1, RUMPK_CONFIG_MAX) &&
           list_take(reader, RUMPK_BKDL_CONFIG, out->config_size, 1, config_is_valid, &config);
}

// Every number of a package is one of this manifest.
static bool numbers_are_valid(const struct bkdl_boot *boot)
{
    if (boot->wires.count != boot->image->wire_count)
        return false;
    for (uint32_t index = 0; index < boot->wires.count; index++) {
        const struct rumpk_bkdl_wire *wire = bkdl_wire(&boot->wires, index);

        if (wire->client >= boot->image->package_count ||
            wire->server >= boot->image->package_count)
            return false;
    }
    for (uint32_t index = 0; index < boot->image->package_count; index++) {
        uint32_t spawner = boot->packages[index].package->spawner;

        if (spawner > boot->image->package_count || spawner == index + 1)
            return false;
    }
    return true;
}

enum rumpk_refusal bkdl_boot_validate(const void *bytes, uint64_t size, struct bkdl_boot *out)
{
    struct reader reader;

    memset(out, 0, sizeof(*out));
    if (!reader_begin(&reader, bytes, size, RUMPK_BKDL_BOOT_SIZE_MAX, RUMPK_BKDL_TITLE_BOOT,
                      sizeof(RUMPK_BKDL_TITLE_BOOT) - 1))
        return RUMPK_REFUSE_MANIFEST_FORM;
    out->image = one_take(&reader, RUMPK_BKDL_IMAGE, sizeof(*out->image), image_is_valid);
    if (out->image == NULL)
        return RUMPK_REFUSE_MANIFEST_FORM;
    for (uint32_t index = 0; index < out->image->package_count; index++) {
        if (!boot_package_take(&reader, &out->packages[index]))
            return RUMPK_REFUSE_MANIFEST_FORM;
    }
    if (!list_take(&reader, RUMPK_BKDL_WIRE, sizeof(struct rumpk_bkdl_wire), RUMPK_WIRES_MAX,
                   wire_is_valid, &out->wires))
        return RUMPK_REFUSE_MANIFEST_FORM;
    if (reader.left != 0 || !numbers_are_valid(out))
        return RUMPK_REFUSE_MANIFEST_FORM;
    return RUMPK_REFUSE_NONE;
}
