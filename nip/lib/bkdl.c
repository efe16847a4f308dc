// SPDX-License-Identifier: Apache-2.0
//
// npl.bkdl: the packed manifest of a package, through the same tables as npl.kdl.

#include "nip/bkdl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bkdl_records.h"
#include "manifest_schema.h"

// One row per record tag: where its structures are kept, and by which nodes they are judged.
struct part {
    uint32_t tag;
    enum manifest_part schema;
    bool is_single;              // exactly one, judged by the part's own node
    size_t offset, element_size; // in struct nip_manifest
    size_t count_offset;
    uint32_t count_max;
    const char *what;
};

#define SINGLE(member) \
    true, offsetof(struct nip_manifest, member), sizeof(((struct nip_manifest *)0)->member), 0, 1
#define SEVERAL(member, counter)                                                                 \
    false, offsetof(struct nip_manifest, member), sizeof(((struct nip_manifest *)0)->member[0]), \
        offsetof(struct nip_manifest, counter),                                                  \
        sizeof(((struct nip_manifest *)0)->member) / sizeof(((struct nip_manifest *)0)->member[0])

static const struct part parts[] = {
    {RUMPK_BKDL_IDENTITY, MANIFEST_PACKAGE, SINGLE(identity), "package"},
    {RUMPK_BKDL_RUNTIME, MANIFEST_RUNTIME, SINGLE(runtime), "runtime"},
    {RUMPK_BKDL_MATCH, MANIFEST_MATCH, SEVERAL(matches, match_count), "match"},
    {RUMPK_BKDL_REQUEST, MANIFEST_REQUEST, SEVERAL(requests, request_count), "request"},
    {RUMPK_BKDL_PROVIDES, MANIFEST_PROVIDES, SEVERAL(provides, provides_count), "provides"},
    {RUMPK_BKDL_NEEDS, MANIFEST_NEEDS, SEVERAL(needs, needs_count), "needs"},
};
enum { PART_COUNT = sizeof parts / sizeof parts[0] };

static uint32_t part_count(const struct part *part, const struct nip_manifest *manifest)
{
    uint32_t count = 1;
    if (!part->is_single)
        memcpy(&count, (const uint8_t *)manifest + part->count_offset, sizeof count);
    return count;
}

enum nip_code nip_bkdl_encode_package(const struct nip_manifest *manifest, struct nip_buffer *out,
                                      struct nip_error *err)
{
    struct bkdl_writer writer;
    bkdl_write_begin(&writer, RUMPK_BKDL_TITLE_PACKAGE, out);
    for (size_t i = 0; i < PART_COUNT; i++) {
        uint32_t count = part_count(&parts[i], manifest);
        for (uint32_t k = 0; k < count; k++)
            bkdl_write_record(&writer, parts[i].tag,
                              (const uint8_t *)manifest + parts[i].offset +
                                  k * parts[i].element_size,
                              parts[i].element_size);
    }
    return bkdl_write_end(&writer, RUMPK_BKDL_PACKAGE_SIZE_MAX, NIP_BKDL_FILE, err);
}

// The node that describes an element of a list: the one whose constants it has.
static const struct schema_node *element_node(const struct part *part, const void *element)
{
    const struct schema_node *container = &manifest_schema[part->schema];
    for (size_t i = 0; i < container->child_count; i++)
        if (schema_is_of(&container->children[i], element))
            return &container->children[i];
    return NULL;
}

static enum nip_code check_element(const struct part *part, const struct nip_manifest *manifest,
                                   uint32_t index, struct nip_error *err)
{
    char what[48];
    snprintf(what, sizeof what, part->is_single ? "%s" : "%s %" PRIu32, part->what, index);
    if (part->is_single)
        return schema_check_packed(&manifest_schema[part->schema], manifest, part->offset,
                                   part->offset + part->element_size, what, err);
    const uint8_t *element = (const uint8_t *)manifest + part->offset + index * part->element_size;
    const struct schema_node *node = element_node(part, element);
    if (!node)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: type, rights or bus are none that a manifest can ask for", what);
    enum nip_code code = schema_check_packed(node, element, 0, part->element_size, what, err);
    if (code != NIP_OK)
        return code;
    if ((part->tag == RUMPK_BKDL_MATCH && !manifest_match_is_complete((const void *)element)) ||
        (part->tag == RUMPK_BKDL_REQUEST && !manifest_request_is_complete((const void *)element)))
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "%s: names neither vendor and device of PCI nor a class", what);
    // Names are unique (the label opens the structure), and no match stands there twice.
    size_t compared = part->tag == RUMPK_BKDL_MATCH ? part->element_size : (size_t)RUMPK_LABEL_SIZE;
    for (uint32_t i = 0; i < index; i++)
        if (memcmp((const uint8_t *)manifest + part->offset + i * part->element_size, element,
                   compared) == 0)
            return nip_error_set(err, NIP_ERROR_FORMAT, "%s: stands there twice", what);
    return NIP_OK;
}

enum nip_code nip_bkdl_decode_package(const void *data, size_t size, const char *file,
                                      struct nip_manifest *manifest, struct nip_error *err)
{
    memset(manifest, 0, sizeof *manifest);
    struct bkdl_reader reader;
    enum nip_code code = bkdl_read_begin(&reader, RUMPK_BKDL_TITLE_PACKAGE, data, size,
                                         RUMPK_BKDL_PACKAGE_SIZE_MAX, file, err);
    if (code == NIP_OK)
        code = bkdl_read_record(&reader, err);
    for (size_t i = 0; i < PART_COUNT && code == NIP_OK; i++) {
        const struct part *part = &parts[i];
        uint32_t count = 0;
        while (code == NIP_OK && reader.tag == part->tag) {
            if (count == part->count_max)
                return bkdl_refuse(&reader, err, "is one `%s` too many: at most %" PRIu32,
                                   part->what, part->count_max);
            code =
                bkdl_take(&reader, (uint8_t *)manifest + part->offset + count * part->element_size,
                          part->element_size, err);
            if (code != NIP_OK)
                return code;
            code = check_element(part, manifest, count, err);
            if (code != NIP_OK) {
                nip_error_prefix(err, "%s: record at byte %zu, ", file, reader.record_offset);
                return code;
            }
            count++;
            code = bkdl_read_record(&reader, err);
        }
        if (code != NIP_OK)
            return code;
        if (part->is_single && count == 0)
            return bkdl_refuse(&reader, err, "should be `%s`", part->what);
        if (!part->is_single)
            memcpy((uint8_t *)manifest + part->count_offset, &count, sizeof count);
    }
    if (code == NIP_OK && reader.tag != 0)
        code =
            bkdl_refuse(&reader, err, "(tag %" PRIu32 ") is unknown or out of order", reader.tag);
    if (code == NIP_OK) {
        code = manifest_check_whole(manifest, err);
        if (code != NIP_OK)
            nip_error_prefix(err, "%s: ", file);
    }
    return code;
}

enum nip_code nip_bkdl_compare(const struct nip_manifest *text, const struct nip_manifest *packed,
                               struct nip_error *err)
{
    for (size_t i = 0; i < PART_COUNT; i++) {
        const struct part *part = &parts[i];
        uint32_t text_count = part_count(part, text), packed_count = part_count(part, packed);
        if (text_count != packed_count) {
            nip_error_set(err, NIP_ERROR_MISMATCH,
                          "`%s`: the manifest says %" PRIu32 " of them, the kernel would see "
                          "%" PRIu32,
                          part->what, text_count, packed_count);
            nip_error_hint(err, "npl.kdl and npl.bkdl of one package must say the same. Build the "
                                "package again; refuse it if it is not yours.");
            return NIP_ERROR_MISMATCH;
        }
        for (uint32_t k = 0; k < text_count; k++) {
            const uint8_t *a = (const uint8_t *)text + part->offset + k * part->element_size;
            const uint8_t *b = (const uint8_t *)packed + part->offset + k * part->element_size;
            if (memcmp(a, b, part->element_size) == 0)
                continue;
            char what[48];
            snprintf(what, sizeof what, part->is_single ? "%s" : "%s %" PRIu32, part->what, k);
            enum nip_code code = NIP_OK;
            const struct schema_node *node = part->is_single ? NULL : element_node(part, a);
            if (part->is_single)
                code = schema_compare(&manifest_schema[part->schema], text, packed, part->offset,
                                      part->offset + part->element_size, what, err);
            else if (node)
                code = schema_compare(node, a, b, 0, part->element_size, what, err);
            if (code != NIP_OK)
                return code;
            return nip_error_set(err, NIP_ERROR_MISMATCH, "%s: manifest and packed manifest differ",
                                 what);
        }
    }
    return NIP_OK;
}
