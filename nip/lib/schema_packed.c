// SPDX-License-Identifier: Apache-2.0
//
// The same tables over structures that arrived packed: are they what reading KDL could have made,
// and are two of them equal. A node whose children fill the same structure (package { kind; abi ...
// }) is walked with them; array elements are handed in one by one.

#include "schema.h"

#include <inttypes.h>
#include <string.h>

#include "schema_text.h"

enum { PACKED_SIZE_MAX = 512 }; // of a record; the largest has 192 bytes

static uint64_t load_number(const struct schema_field *field, const void *element)
{
    uint64_t number = 0;
    memcpy(&number, (const uint8_t *)element + field->offset,
           field->size <= sizeof number ? field->size : sizeof number);
    return number;
}

static bool is_text(const struct schema_field *field)
{
    return field->type == SCHEMA_TEXT || field->type == SCHEMA_NAME ||
           field->type == SCHEMA_VERSION || field->type == SCHEMA_REQUIREMENT ||
           field->type == SCHEMA_LINK || field->type == SCHEMA_LABEL ||
           field->type == SCHEMA_COMPATIBLE;
}

bool schema_is_of(const struct schema_node *node, const void *element)
{
    for (size_t i = 0; i < node->field_count; i++)
        if (node->fields[i].type == SCHEMA_CONSTANT &&
            load_number(&node->fields[i], element) != node->fields[i].minimum)
            return false;
    return true;
}

static bool value_is_allowed(const struct schema_field *field, const void *element)
{
    const char *text = (const char *)element + field->offset;
    if (is_text(field)) {
        size_t size = strnlen(text, field->size);
        if (size == field->size)
            return false;
        for (size_t i = size; i < field->size; i++)
            if (text[i] != '\0')
                return false;
        return schema_text_fits(field, text, size) || (size == 0 && !field->is_required);
    }
    uint64_t number = load_number(field, element);
    switch (field->type) {
    case SCHEMA_NUMBER:
    case SCHEMA_SIZE:
        return schema_number_fits(field, number);
    case SCHEMA_DURATION:
        return (number >= field->minimum && number <= field->maximum) ||
               (number == 0 && field->fallback == 0);
    case SCHEMA_PCI_CLASS:
        return schema_class_is_valid(number);
    case SCHEMA_BOOLEAN:
        return number <= 1;
    case SCHEMA_CONSTANT:
        return number == field->minimum;
    case SCHEMA_CHOICE:
        for (const struct schema_choice *choice = field->choices; choice->name; choice++)
            if (number == choice->value)
                return true;
        return false;
    case SCHEMA_CHOICES: {
        uint64_t all = 0;
        for (const struct schema_choice *choice = field->choices; choice->name; choice++)
            all |= choice->value;
        return (number != 0 && (number & ~all) == 0) ||
               (field->fallback != 0 && number == field->fallback);
    }
    default:
        return true;
    }
}

static bool is_inside(const struct schema_field *field, size_t from, size_t to)
{
    return field->offset >= from && field->offset + field->size <= to;
}

static enum nip_code check_fields(const struct schema_node *node, const void *element, size_t from,
                                  size_t to, bool *covered, const char *what, struct nip_error *err)
{
    for (size_t i = 0; i < node->field_count; i++) {
        const struct schema_field *field = &node->fields[i];
        if (!is_inside(field, from, to))
            continue;
        memset(covered + (field->offset - from), true, field->size);
        if (value_is_allowed(field, element))
            continue;
        struct nip_buffer expected;
        nip_buffer_init(&expected, NIP_ERROR_HINT_MAX);
        schema_print_expected(field, &expected);
        if (expected.size == 0)
            nip_buffer_append_format(&expected, "the value %" PRIu64, field->minimum);
        nip_error_set(err, NIP_ERROR_FORMAT, "%s: the value of `%s` is not allowed", what,
                      field->name);
        nip_error_hint(err, "Expected %s.", nip_buffer_text(&expected));
        nip_buffer_free(&expected);
        return NIP_ERROR_FORMAT;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].element_size || node->children[i].offset)
            continue;
        enum nip_code code =
            check_fields(&node->children[i], element, from, to, covered, what, err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

enum nip_code schema_check_packed(const struct schema_node *node, const void *element, size_t from,
                                  size_t to, const char *what, struct nip_error *err)
{
    bool covered[PACKED_SIZE_MAX] = {false};
    if (to < from || to - from > sizeof covered)
        return nip_error_set(err, NIP_ERROR_INTERNAL, "a schema covers %zu bytes", to - from);
    enum nip_code code = check_fields(node, element, from, to, covered, what, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = from; i < to; i++)
        if (!covered[i - from] && ((const uint8_t *)element)[i] != 0)
            return nip_error_set(err, NIP_ERROR_FORMAT, "%s: reserved byte %zu is not zero", what,
                                 i - from);
    return NIP_OK;
}

static void print_value(const struct schema_field *field, const void *element,
                        struct nip_buffer *out)
{
    if (is_text(field)) {
        const char *text = (const char *)element + field->offset;
        nip_buffer_append_format(out, "\"%.*s\"", (int)strnlen(text, field->size), text);
        return;
    }
    uint64_t number = load_number(field, element);
    if (field->type == SCHEMA_CHOICE || field->type == SCHEMA_CHOICES) {
        size_t before = out->size;
        for (const struct schema_choice *choice = field->choices; choice->name; choice++)
            if (field->type == SCHEMA_CHOICE ? number == choice->value
                                             : (number & choice->value) != 0)
                nip_buffer_append_format(out, "%s\"%s\"", out->size > before ? " " : "",
                                         choice->name);
        if (out->size > before)
            return;
    }
    if (field->type == SCHEMA_SIZE)
        schema_print_size(number, out);
    else if (field->type == SCHEMA_DURATION)
        schema_print_duration(number, field->unit, out);
    else if (field->type == SCHEMA_PCI_CLASS)
        schema_print_class(number, out);
    else if (field->type == SCHEMA_BOOLEAN)
        nip_buffer_append_text(out, number ? "#true" : "#false");
    else
        nip_buffer_append_format(out, "%" PRIu64, number);
}

enum nip_code schema_compare(const struct schema_node *node, const void *text, const void *packed,
                             size_t from, size_t to, const char *what, struct nip_error *err)
{
    for (size_t i = 0; i < node->field_count; i++) {
        const struct schema_field *field = &node->fields[i];
        if (!is_inside(field, from, to) ||
            memcmp((const uint8_t *)text + field->offset, (const uint8_t *)packed + field->offset,
                   field->size) == 0)
            continue;
        struct nip_buffer words;
        nip_buffer_init(&words, NIP_ERROR_MESSAGE_MAX);
        nip_buffer_append_text(&words, "the manifest says ");
        print_value(field, text, &words);
        nip_buffer_append_text(&words, ", the kernel would do ");
        print_value(field, packed, &words);
        nip_error_set(err, NIP_ERROR_MISMATCH, "%s, `%s`: %s", what, field->name,
                      nip_buffer_text(&words));
        nip_error_hint(err, "npl.kdl and npl.bkdl of one package must say the same. Build the "
                            "package again; refuse it if it is not yours.");
        nip_buffer_free(&words);
        return NIP_ERROR_MISMATCH;
    }
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].element_size || node->children[i].offset)
            continue;
        enum nip_code code = schema_compare(&node->children[i], text, packed, from, to, what, err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}
