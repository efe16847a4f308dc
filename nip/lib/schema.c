// SPDX-License-Identifier: Apache-2.0
//
// Reading a KDL tree by a table. Everything the table does not name, everything twice, every value
// of another type or outside its limits is an error that points at the exact word.

#include "schema.h"

#include <inttypes.h>
#include <string.h>

#include "nip/minisign.h"
#include "schema_text.h"

static bool is_written(const struct schema_field *field)
{
    return field->type != SCHEMA_CONSTANT && field->type != SCHEMA_BYTES &&
           field->type != SCHEMA_PLACE;
}

static bool takes_several(const struct schema_field *field)
{
    return field->type == SCHEMA_TEXTS || field->type == SCHEMA_CHOICES;
}

static void store_number(const struct schema_field *field, void *element, uint64_t number)
{
    uint32_t word = (uint32_t)number;
    if (field->size == sizeof number)
        memcpy((uint8_t *)element + field->offset, &number, sizeof number);
    else if (field->size == sizeof word)
        memcpy((uint8_t *)element + field->offset, &word, sizeof word);
    else
        *((uint8_t *)element + field->offset) = number != 0; // bool
}

static uint64_t load_number(const struct schema_field *field, const void *element)
{
    uint64_t number = 0;
    memcpy(&number, (const uint8_t *)element + field->offset,
           field->size <= sizeof number ? field->size : sizeof number);
    return number;
}

static enum nip_code wrong_value(const struct nip_kdl_document *document,
                                 const struct schema_field *field,
                                 const struct nip_kdl_value *value, struct nip_error *err)
{
    struct nip_buffer expected;
    nip_buffer_init(&expected, NIP_ERROR_HINT_MAX);
    schema_print_expected(field, &expected);
    enum nip_code code = field->type == SCHEMA_NAME || field->type == SCHEMA_VERSION ||
                                 field->type == SCHEMA_REQUIREMENT
                             ? NIP_ERROR_NAME
                             : NIP_ERROR_SCHEMA;
    nip_kdl_error_at(document, value->span, err, code, "this is no valid `%s`", field->name);
    nip_error_hint(err, "Expected %s.", nip_buffer_text(&expected));
    nip_buffer_free(&expected);
    return code;
}

static const struct schema_choice *find_choice(const struct schema_choice *choices,
                                               struct nip_kdl_string name)
{
    for (; choices->name; choices++)
        if (nip_kdl_string_equals(name, choices->name))
            return choices;
    return NULL;
}

static enum nip_code read_choice(const struct nip_kdl_document *document,
                                 const struct schema_field *field,
                                 const struct nip_kdl_value *value, uint32_t *number,
                                 struct nip_error *err)
{
    const struct schema_choice *choice =
        value->kind == NIP_KDL_STRING ? find_choice(field->choices, value->text) : NULL;
    if (choice) {
        *number = choice->value;
        return NIP_OK;
    }
    if (value->kind != NIP_KDL_STRING)
        return wrong_value(document, field, value, err);
    nip_kdl_error_at(document, value->span, err, NIP_ERROR_SCHEMA, "unknown `%s`", field->name);
    struct schema_nearest nearest;
    schema_nearest_begin(&nearest, value->text);
    for (choice = field->choices; choice->name; choice++)
        schema_nearest_offer(&nearest, choice->name);
    schema_nearest_end(&nearest, err);
    return NIP_ERROR_SCHEMA;
}

// One value into its field.
static enum nip_code read_value(const struct nip_kdl_document *document,
                                const struct schema_field *field, const struct nip_kdl_value *value,
                                void *element, struct nip_error *err)
{
    if (value->type.text)
        return nip_kdl_error_at(document, value->type_span, err, NIP_ERROR_SCHEMA,
                                "type annotations have no meaning here");
    uint64_t number = 0;
    uint32_t bits = 0;
    bool fits = false;
    switch (field->type) {
    case SCHEMA_NUMBER:
        fits = nip_kdl_value_u64(value, &number) && schema_number_fits(field, number);
        break;
    case SCHEMA_SIZE:
        fits = (nip_kdl_value_u64(value, &number) ||
                (value->kind == NIP_KDL_STRING &&
                 schema_parse_size(value->text.text, value->text.size, &number))) &&
               schema_number_fits(field, number);
        break;
    case SCHEMA_DURATION:
        fits = value->kind == NIP_KDL_STRING &&
               schema_parse_duration(value->text.text, value->text.size, field->unit, &number) &&
               number >= field->minimum && number <= field->maximum;
        break;
    case SCHEMA_PCI_CLASS:
        fits = value->kind == NIP_KDL_STRING &&
               schema_parse_class(value->text.text, value->text.size, &number);
        break;
    case SCHEMA_BOOLEAN:
        fits = value->kind == NIP_KDL_BOOLEAN;
        number = value->boolean;
        break;
    case SCHEMA_CHOICE:
    case SCHEMA_CHOICES: {
        enum nip_code code = read_choice(document, field, value, &bits, err);
        if (code != NIP_OK)
            return code;
        uint64_t before = field->type == SCHEMA_CHOICES ? load_number(field, element) : 0;
        if (before & bits)
            return nip_kdl_error_at(document, value->span, err, NIP_ERROR_SCHEMA,
                                    "this stands here twice");
        number = before | bits;
        fits = true;
        break;
    }
    case SCHEMA_KEY: {
        struct nip_public_key key;
        if (value->kind != NIP_KDL_STRING ||
            nip_public_key_parse(value->text.text, value->text.size, "key", &key, NULL) != NIP_OK)
            return wrong_value(document, field, value, err);
        memcpy((uint8_t *)element + field->offset, key.key, sizeof key.key);
        return NIP_OK;
    }
    default:
        if (value->kind != NIP_KDL_STRING ||
            !schema_text_fits(field, value->text.text, value->text.size))
            return wrong_value(document, field, value, err);
        char *text = (char *)element + field->offset;
        if (field->type == SCHEMA_TEXTS) {
            uint32_t count;
            memcpy(&count, (uint8_t *)element + field->count_offset, sizeof count);
            if (count >= field->maximum)
                return nip_kdl_error_at(document, value->span, err, NIP_ERROR_LIMIT,
                                        "more than %" PRIu64 " values of `%s`", field->maximum,
                                        field->name);
            text += count * field->item_size;
            count++;
            memcpy((uint8_t *)element + field->count_offset, &count, sizeof count);
        }
        memcpy(text, value->text.text, value->text.size);
        return NIP_OK;
    }
    if (!fits)
        return wrong_value(document, field, value, err);
    store_number(field, element, number);
    return NIP_OK;
}

static enum nip_code unknown_property(const struct nip_kdl_document *document,
                                      const struct schema_node *schema,
                                      const struct nip_kdl_entry *entry, struct nip_error *err)
{
    nip_kdl_error_at(document, entry->key_span, err, NIP_ERROR_SCHEMA,
                     "`%s` has no property of this name", schema->name);
    struct schema_nearest nearest;
    schema_nearest_begin(&nearest, entry->key);
    for (size_t i = 0; i < schema->field_count; i++)
        if (is_written(&schema->fields[i]) && !schema->fields[i].is_argument)
            schema_nearest_offer(&nearest, schema->fields[i].name);
    schema_nearest_end(&nearest, err);
    return NIP_ERROR_SCHEMA;
}

// The field that argument number `index` belongs to; the last one may take several.
static const struct schema_field *argument_field(const struct schema_node *schema, size_t index)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (!is_written(field) || !field->is_argument)
            continue;
        if (index == 0 || takes_several(field))
            return field;
        index--;
    }
    return NULL;
}

static enum nip_code read_entries(const struct nip_kdl_document *document,
                                  const struct schema_node *schema, const struct nip_kdl_node *node,
                                  uint64_t *seen, void *element, struct nip_error *err)
{
    size_t argument_count = 0;
    for (const struct nip_kdl_entry *entry = node->entries; entry; entry = entry->next) {
        const struct schema_field *field = NULL;
        if (entry->key.text) {
            for (size_t i = 0; i < schema->field_count && !field; i++)
                if (is_written(&schema->fields[i]) && !schema->fields[i].is_argument &&
                    nip_kdl_string_equals(entry->key, schema->fields[i].name))
                    field = &schema->fields[i];
            if (!field)
                return unknown_property(document, schema, entry, err);
        } else {
            field = argument_field(schema, argument_count++);
            if (!field)
                return nip_kdl_error_at(document, entry->span, err, NIP_ERROR_SCHEMA,
                                        "`%s` takes no %svalue", schema->name,
                                        argument_count > 1 ? "further " : "");
        }
        uint64_t bit = UINT64_C(1) << (field - schema->fields);
        if ((*seen & bit) && !takes_several(field))
            return nip_kdl_error_at(document, entry->span, err, NIP_ERROR_SCHEMA,
                                    "`%s` is given twice", field->name);
        *seen |= bit;
        enum nip_code code = read_value(document, field, &entry->value, element, err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

// Fills what was not written, and refuses what had to be.
static enum nip_code complete_fields(const struct nip_kdl_document *document,
                                     const struct schema_node *schema,
                                     const struct nip_kdl_node *node, uint64_t seen, void *element,
                                     struct nip_error *err)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        if (field->type == SCHEMA_CONSTANT) {
            store_number(field, element, field->minimum);
        } else if (field->type == SCHEMA_PLACE && node) {
            memcpy((uint8_t *)element + field->offset, &node->span, sizeof node->span);
        } else if (is_written(field) && !(seen & UINT64_C(1) << i)) {
            if (field->is_required && node) {
                struct nip_buffer expected;
                nip_buffer_init(&expected, NIP_ERROR_HINT_MAX);
                schema_print_expected(field, &expected);
                nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                                 field->is_argument ? "`%s` needs a value (%s)"
                                                    : "`%s` needs `%s=`",
                                 schema->name, field->name);
                nip_error_hint(err, "Expected %s.", nip_buffer_text(&expected));
                nip_buffer_free(&expected);
                return NIP_ERROR_SCHEMA;
            }
            if (field->fallback)
                store_number(field, element, field->fallback);
        }
    }
    return NIP_OK;
}

static enum nip_code read_nodes(const struct nip_kdl_document *document,
                                const struct nip_kdl_node *first, const struct schema_node *schemas,
                                size_t schema_count, const struct nip_kdl_node *parent_node,
                                void *parent, struct nip_error *err);

static enum nip_code read_node(const struct nip_kdl_document *document,
                               const struct nip_kdl_node *node, const struct schema_node *schema,
                               void *parent, struct nip_error *err)
{
    uint8_t *element = (uint8_t *)parent + schema->offset;
    uint32_t index = 0;
    if (schema->element_size) {
        uint8_t *count = (uint8_t *)parent + schema->count_offset;
        memcpy(&index, count, sizeof index);
        if (index >= schema->count_max)
            return nip_kdl_error_at(document, node->span, err, NIP_ERROR_LIMIT,
                                    "more than %" PRIu32 " of these are not possible",
                                    schema->count_max);
        element += index * schema->element_size;
        uint32_t next = index + 1;
        memcpy(count, &next, sizeof next);
    }
    uint64_t seen = 0;
    enum nip_code code = read_entries(document, schema, node, &seen, element, err);
    if (code == NIP_OK)
        code = complete_fields(document, schema, node, seen, element, err);
    if (code != NIP_OK)
        return code;
    if (schema->child_count == 0 && node->children_span.size)
        return nip_kdl_error_at(document, node->children_span, err, NIP_ERROR_SCHEMA,
                                "`%s` takes no block", schema->name);
    code = read_nodes(document, node->children, schema->children, schema->child_count, node,
                      element, err);
    if (code == NIP_OK && schema->check) {
        struct schema_place place = {document, node};
        code = schema->check(&place, parent, element, index, err);
    }
    return code;
}

static enum nip_code unknown_node(const struct nip_kdl_document *document,
                                  const struct nip_kdl_node *node,
                                  const struct schema_node *schemas, size_t schema_count,
                                  const struct nip_kdl_node *parent_node, struct nip_error *err)
{
    if (parent_node)
        nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                         "`%.*s` knows nothing of this name", (int)parent_node->name.size,
                         parent_node->name.text);
    else
        nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                         "this file has nothing of this name");
    struct schema_nearest nearest;
    schema_nearest_begin(&nearest, node->name);
    for (size_t i = 0; i < schema_count; i++)
        schema_nearest_offer(&nearest, schemas[i].name);
    schema_nearest_end(&nearest, err);
    return NIP_ERROR_SCHEMA;
}

static enum nip_code read_nodes(const struct nip_kdl_document *document,
                                const struct nip_kdl_node *first, const struct schema_node *schemas,
                                size_t schema_count, const struct nip_kdl_node *parent_node,
                                void *parent, struct nip_error *err)
{
    const struct nip_kdl_node *seen[16] = {0}; // first node of each schema
    for (const struct nip_kdl_node *node = first; node; node = node->next) {
        size_t number = 0;
        while (number < schema_count && !nip_kdl_string_equals(node->name, schemas[number].name))
            number++;
        if (number == schema_count)
            return unknown_node(document, node, schemas, schema_count, parent_node, err);
        if (node->type.text)
            return nip_kdl_error_at(document, node->type_span, err, NIP_ERROR_SCHEMA,
                                    "type annotations have no meaning here");
        if (seen[number] && !schemas[number].element_size) {
            nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                             "`%s` stands here twice", schemas[number].name);
            nip_error_hint(err, "The first one is in line %" PRIu32 ". Keep one of them.",
                           seen[number]->name_span.line);
            return NIP_ERROR_SCHEMA;
        }
        if (!seen[number])
            seen[number] = node;
        enum nip_code code = read_node(document, node, &schemas[number], parent, err);
        if (code != NIP_OK)
            return code;
    }
    for (size_t i = 0; i < schema_count; i++) {
        if (seen[i] || schemas[i].element_size)
            continue;
        if (schemas[i].is_required) {
            struct nip_kdl_span top = {0, 0, 1, 1};
            nip_kdl_error_at(document, parent_node ? parent_node->name_span : top, err,
                             NIP_ERROR_SCHEMA, "`%s` is missing", schemas[i].name);
            if (schemas[i].field_count) {
                struct nip_buffer expected;
                nip_buffer_init(&expected, NIP_ERROR_HINT_MAX);
                schema_print_expected(&schemas[i].fields[0], &expected);
                nip_error_hint(err, "Add `%s` with %s.", schemas[i].name,
                               nip_buffer_text(&expected));
                nip_buffer_free(&expected);
            }
            return NIP_ERROR_SCHEMA;
        }
        enum nip_code code = complete_fields(document, &schemas[i], NULL, 0,
                                             (uint8_t *)parent + schemas[i].offset, err);
        if (code == NIP_OK && schemas[i].child_count)
            code = read_nodes(document, NULL, schemas[i].children, schemas[i].child_count, NULL,
                              (uint8_t *)parent + schemas[i].offset, err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

enum nip_code schema_read(const struct nip_kdl_document *document, const struct schema_node *nodes,
                          size_t node_count, void *target, struct nip_error *err)
{
    return read_nodes(document, nip_kdl_document_nodes(document), nodes, node_count, NULL, target,
                      err);
}
