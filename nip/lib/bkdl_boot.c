// SPDX-License-Identifier: Apache-2.0
//
// boot.bkdl: what the image owner signs. IMAGE { PACKAGE KEY+ GRANT* CONFIG? }* WIRE*
//
// Its tables stand here because nothing of it is written in KDL; they are those of schema.h all the
// same, so that types, limits and "everything else is zero" are checked by one routine.

#include "nip/bkdl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rumpk/call.h>
#include <rumpk/cap.h>
#include <rumpk/ring.h>
#include <rumpk/start.h>

#include "bkdl_records.h"
#include "manifest_schema.h"

#define FIELD(type_, member, kind, ...) \
    {.name = #member, .type = kind, SCHEMA_AT(struct type_, member), __VA_ARGS__}
#define NODE(name_, fields_) \
    {.name = (name_), .fields = (fields_), .field_count = SCHEMA_COUNT(fields_)}

static const struct schema_field image_fields[] = {
    FIELD(rumpk_bkdl_image, name, SCHEMA_NAME, .is_required = true),
    FIELD(rumpk_bkdl_image, version, SCHEMA_VERSION, .is_required = true),
    FIELD(rumpk_bkdl_image, kernel_digest, SCHEMA_BYTES, .unit = 0),
    FIELD(rumpk_bkdl_image, loaded_digest, SCHEMA_BYTES, .unit = 0),
    FIELD(rumpk_bkdl_image, arch, SCHEMA_NUMBER, .minimum = 1, .maximum = RUMPK_ARCH_COUNT),
    FIELD(rumpk_bkdl_image, flags, SCHEMA_NUMBER, .minimum = 0,
          .maximum = RUMPK_IMAGE_DEVELOPMENT | RUMPK_IMAGE_STAY_ON_IDLE),
    FIELD(rumpk_bkdl_image, package_count, SCHEMA_NUMBER, .minimum = 0,
          .maximum = RUMPK_PACKAGES_MAX),
    FIELD(rumpk_bkdl_image, wire_count, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_WIRES_MAX),
};
static const struct schema_field package_fields[] = {
    FIELD(rumpk_bkdl_package, name, SCHEMA_NAME, .is_required = true),
    FIELD(rumpk_bkdl_package, package_id, SCHEMA_BYTES, .unit = 0),
    FIELD(rumpk_bkdl_package, security_floor, SCHEMA_NUMBER, .minimum = 1, .maximum = 65535),
    FIELD(rumpk_bkdl_package, threshold, SCHEMA_NUMBER, .minimum = 1, .maximum = RUMPK_KEYS_MAX),
    FIELD(rumpk_bkdl_package, spectrum, SCHEMA_CHOICE, .choices = manifest_spectrums),
    FIELD(rumpk_bkdl_package, flags, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PACKAGE_FLAGS),
    FIELD(rumpk_bkdl_package, stack_max, SCHEMA_SIZE, .minimum = RUMPK_STACK_MIN,
          .maximum = RUMPK_STACK_MAX, .unit = RUMPK_PAGE_SIZE),
    FIELD(rumpk_bkdl_package, heap_max, SCHEMA_SIZE, .minimum = 0, .maximum = RUMPK_HEAP_MAX,
          .unit = RUMPK_PAGE_SIZE),
    FIELD(rumpk_bkdl_package, spawner, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PACKAGES_MAX),
    FIELD(rumpk_bkdl_package, restart, SCHEMA_CHOICE, .choices = manifest_restarts),
    FIELD(rumpk_bkdl_package, pledge, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PLEDGE_CLASSES),
    FIELD(rumpk_bkdl_package, budget_us, SCHEMA_NUMBER, .minimum = 0,
          .maximum = RUMPK_BUDGET_US_MAX),
    FIELD(rumpk_bkdl_package, restart_limit, SCHEMA_NUMBER, .minimum = 1,
          .maximum = RUMPK_RESTART_LIMIT_MAX),
    FIELD(rumpk_bkdl_package, restart_window_s, SCHEMA_NUMBER, .minimum = 1,
          .maximum = RUMPK_RESTART_WINDOW_S_MAX),
};
static const struct schema_field grant_fields[] = {
    FIELD(rumpk_bkdl_grant, name, SCHEMA_LABEL, .is_required = true),
    FIELD(rumpk_bkdl_grant, type, SCHEMA_NUMBER, .minimum = RUMPK_CAP_MEMORY,
          .maximum = RUMPK_CAP_DEVICE),
    FIELD(rumpk_bkdl_grant, rights, SCHEMA_NUMBER, .minimum = 1, .maximum = RUMPK_RIGHTS_ALL),
    FIELD(rumpk_bkdl_grant, bus, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_BUS_PCI),
    FIELD(rumpk_bkdl_grant, device_id, SCHEMA_NUMBER, .minimum = 0, .maximum = 65535),
    FIELD(rumpk_bkdl_grant, index, SCHEMA_NUMBER, .minimum = 0, .maximum = 255),
    FIELD(rumpk_bkdl_grant, size, SCHEMA_SIZE, .minimum = 0, .maximum = RUMPK_HEAP_MAX,
          .unit = RUMPK_PAGE_SIZE),
    FIELD(rumpk_bkdl_grant, compatible, SCHEMA_COMPATIBLE, .is_required = false),
    FIELD(rumpk_bkdl_grant, vendor_id, SCHEMA_NUMBER, .minimum = 0,
          .maximum = RUMPK_PCI_VENDOR_MAX),
    FIELD(rumpk_bkdl_grant, class_code, SCHEMA_PCI_CLASS, .is_required = false),
    FIELD(rumpk_bkdl_grant, bar, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PCI_BARS - 1),
};
static const struct schema_field wire_fields[] = {
    FIELD(rumpk_bkdl_wire, service, SCHEMA_LABEL, .is_required = true),
    FIELD(rumpk_bkdl_wire, channel, SCHEMA_NUMBER, .minimum = 1, .maximum = 65535),
    FIELD(rumpk_bkdl_wire, style, SCHEMA_CHOICE, .choices = manifest_styles),
    FIELD(rumpk_bkdl_wire, client, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PACKAGES_MAX - 1),
    FIELD(rumpk_bkdl_wire, server, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_PACKAGES_MAX - 1),
    FIELD(rumpk_bkdl_wire, slots, SCHEMA_NUMBER, .minimum = RUMPK_RING_SLOTS_MIN,
          .maximum = RUMPK_RING_SLOTS_MAX),
    FIELD(rumpk_bkdl_wire, arena_count, SCHEMA_NUMBER, .minimum = 0,
          .maximum = RUMPK_ARENA_COUNT_MAX),
    FIELD(rumpk_bkdl_wire, arena_size, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_ARENA_SIZE_MAX,
          .unit = 64),
    FIELD(rumpk_bkdl_wire, start, SCHEMA_NUMBER, .minimum = 0, .maximum = RUMPK_START_MODES - 1),
};
static const struct schema_node image_node = NODE("image", image_fields);
static const struct schema_node package_node = NODE("package", package_fields);
static const struct schema_node grant_node = NODE("grant", grant_fields);
static const struct schema_node wire_node = NODE("wire", wire_fields);

struct nip_boot *nip_boot_new(void)
{
    return calloc(1, sizeof(struct nip_boot));
}

void nip_boot_free(struct nip_boot *boot)
{
    free(boot);
}

enum nip_code nip_bkdl_encode_boot(const struct nip_boot *boot, struct nip_buffer *out,
                                   struct nip_error *err)
{
    struct bkdl_writer writer;
    bkdl_write_begin(&writer, RUMPK_BKDL_TITLE_BOOT, out);
    bkdl_write_record(&writer, RUMPK_BKDL_IMAGE, &boot->image, sizeof boot->image);
    for (uint32_t i = 0; i < boot->image.package_count; i++) {
        const struct nip_boot_package *package = &boot->packages[i];
        bkdl_write_record(&writer, RUMPK_BKDL_PACKAGE, &package->package, sizeof package->package);
        for (uint32_t k = 0; k < package->key_count; k++)
            bkdl_write_record(&writer, RUMPK_BKDL_KEY, &package->keys[k], sizeof package->keys[k]);
        for (uint32_t k = 0; k < package->grant_count; k++)
            bkdl_write_record(&writer, RUMPK_BKDL_GRANT, &package->grants[k],
                              sizeof package->grants[k]);
        if (package->config_size)
            bkdl_write_record(&writer, RUMPK_BKDL_CONFIG, package->config, package->config_size);
    }
    for (uint32_t i = 0; i < boot->image.wire_count; i++)
        bkdl_write_record(&writer, RUMPK_BKDL_WIRE, &boot->wires[i], sizeof boot->wires[i]);
    return bkdl_write_end(&writer, RUMPK_BKDL_BOOT_SIZE_MAX, "the boot manifest", err);
}

// Copies and checks the record read last, and goes on to the next one.
static enum nip_code take_checked(struct bkdl_reader *reader, const struct schema_node *node,
                                  void *target, size_t size, struct nip_error *err)
{
    enum nip_code code = bkdl_take(reader, target, size, err);
    if (code == NIP_OK && node) {
        code = schema_check_packed(node, target, 0, size, node->name, err);
        if (code != NIP_OK)
            nip_error_prefix(err, "%s: record at byte %zu, ", reader->file, reader->record_offset);
    }
    if (code == NIP_OK)
        code = bkdl_read_record(reader, err);
    return code;
}

// Which fields go with which kind of grant; limits of single fields are already checked.
static bool grant_is_consistent(const struct rumpk_bkdl_grant *grant)
{
    bool is_memory = grant->type == RUMPK_CAP_DMA || grant->type == RUMPK_CAP_MEMORY;
    bool has_compatible = grant->compatible[0] != '\0';
    if (grant->bus == RUMPK_BUS_PCI)
        return grant->type == RUMPK_CAP_WINDOW && !has_compatible && grant->size == 0 &&
               manifest_pci_is_complete(grant->vendor_id, grant->device_id, grant->class_code);
    if (grant->vendor_id != 0 || grant->class_code != 0 || grant->bar != 0)
        return false;
    if (is_memory)
        return grant->bus == RUMPK_BUS_NONE && grant->device_id == 0 && grant->index == 0 &&
               !has_compatible && grant->size != 0;
    if (grant->type == RUMPK_CAP_DEVICE)
        return grant->bus == RUMPK_BUS_VIRTIO && grant->device_id != 0 && !has_compatible &&
               grant->size == 0;
    return grant->type == RUMPK_CAP_WINDOW && grant->bus == RUMPK_BUS_COMPATIBLE &&
           grant->device_id == 0 && has_compatible && grant->size == 0;
}

static bool wire_is_consistent(const struct nip_boot *boot, const struct rumpk_bkdl_wire *wire)
{
    uint32_t count = boot->image.package_count;
    if (wire->client >= count || wire->server >= count || wire->client == wire->server ||
        (wire->slots & (wire->slots - 1)) != 0)
        return false;
    return wire->style == RUMPK_STYLE_SERVICE ? wire->arena_count != 0 && wire->arena_size >= 256
                                              : wire->arena_count == 0 && wire->arena_size == 0;
}

static enum nip_code decode_package(struct bkdl_reader *reader, struct nip_boot *boot,
                                    uint32_t number, struct nip_error *err)
{
    struct nip_boot_package *package = &boot->packages[number];
    if (reader->tag != RUMPK_BKDL_PACKAGE)
        return bkdl_refuse(reader, err, "should be package %" PRIu32, number);
    enum nip_code code =
        take_checked(reader, &package_node, &package->package, sizeof package->package, err);
    if (code == NIP_OK && (package->package.spawner > boot->image.package_count ||
                           package->package.spawner == number + 1))
        code = bkdl_refuse(reader, err, "follows a package that nobody can start");
    for (uint32_t i = 0; i < number && code == NIP_OK; i++)
        if (strcmp(boot->packages[i].package.name, package->package.name) == 0)
            code = bkdl_refuse(reader, err, "follows package \"%s\", which is there twice",
                               package->package.name);
    while (code == NIP_OK && reader->tag == RUMPK_BKDL_KEY) {
        if (package->key_count == RUMPK_KEYS_MAX)
            return bkdl_refuse(reader, err, "is one key too many");
        uint8_t *key = package->keys[package->key_count++].key;
        code = take_checked(reader, NULL, key, RUMPK_KEY_SIZE, err);
        for (uint32_t i = 0; i + 1 < package->key_count && code == NIP_OK; i++)
            if (memcmp(package->keys[i].key, key, RUMPK_KEY_SIZE) == 0)
                code = bkdl_refuse(reader, err, "follows a key that is there twice");
    }
    if (code == NIP_OK && package->key_count == 0)
        code = bkdl_refuse(reader, err, "should be a key");
    if (code == NIP_OK && package->key_count < package->package.threshold)
        code = bkdl_refuse(reader, err,
                           "follows %" PRIu32 " keys of package \"%s\", of which %" PRIu32
                           " must have signed",
                           package->key_count, package->package.name, package->package.threshold);
    while (code == NIP_OK && reader->tag == RUMPK_BKDL_GRANT) {
        if (package->grant_count == RUMPK_REQUESTS_MAX)
            return bkdl_refuse(reader, err, "is one grant too many");
        struct rumpk_bkdl_grant *grant = &package->grants[package->grant_count++];
        code = take_checked(reader, &grant_node, grant, sizeof *grant, err);
        if (code == NIP_OK && !grant_is_consistent(grant))
            code = bkdl_refuse(reader, err, "follows a grant whose fields do not fit together");
        for (uint32_t i = 0; i + 1 < package->grant_count && code == NIP_OK; i++)
            if (strcmp(package->grants[i].name, grant->name) == 0)
                code = bkdl_refuse(reader, err, "follows grant \"%s\", which is there twice",
                                   grant->name);
    }
    if (code == NIP_OK && reader->tag == RUMPK_BKDL_CONFIG) {
        if (reader->payload_size == 0 || reader->payload_size > RUMPK_CONFIG_MAX)
            return bkdl_refuse(reader, err,
                               "has %" PRIu32 " bytes of configuration; 1 to %u "
                               "are possible",
                               reader->payload_size, RUMPK_CONFIG_MAX);
        package->config_size = reader->payload_size;
        code = take_checked(reader, NULL, package->config, package->config_size, err);
    }
    return code;
}

static enum nip_code decode_boot(struct bkdl_reader *reader, struct nip_boot *boot,
                                 struct nip_error *err)
{
    enum nip_code code = bkdl_read_record(reader, err);
    if (code == NIP_OK && reader->tag != RUMPK_BKDL_IMAGE)
        code = bkdl_refuse(reader, err, "should be the image");
    if (code == NIP_OK)
        code = take_checked(reader, &image_node, &boot->image, sizeof boot->image, err);
    for (uint32_t i = 0; code == NIP_OK && i < boot->image.package_count; i++)
        code = decode_package(reader, boot, i, err);
    for (uint32_t i = 0; code == NIP_OK && i < boot->image.wire_count; i++) {
        if (reader->tag != RUMPK_BKDL_WIRE)
            return bkdl_refuse(reader, err, "should be wire %" PRIu32, i);
        code = take_checked(reader, &wire_node, &boot->wires[i], sizeof boot->wires[i], err);
        if (code == NIP_OK && !wire_is_consistent(boot, &boot->wires[i]))
            code = bkdl_refuse(reader, err, "follows a wire whose fields do not fit together");
    }
    if (code == NIP_OK && reader->tag != 0)
        code =
            bkdl_refuse(reader, err, "(tag %" PRIu32 ") is unknown or out of order", reader->tag);
    return code;
}

enum nip_code nip_bkdl_decode_boot(const void *data, size_t size, const char *file,
                                   struct nip_boot **boot, struct nip_error *err)
{
    *boot = NULL;
    struct bkdl_reader reader;
    enum nip_code code = bkdl_read_begin(&reader, RUMPK_BKDL_TITLE_BOOT, data, size,
                                         RUMPK_BKDL_BOOT_SIZE_MAX, file, err);
    if (code != NIP_OK)
        return code;
    struct nip_boot *made = nip_boot_new();
    if (!made)
        return nip_error_set(err, NIP_ERROR_MEMORY, "no memory for a boot manifest");
    code = decode_boot(&reader, made, err);
    if (code == NIP_OK)
        *boot = made;
    else
        nip_boot_free(made);
    return code;
}
