// SPDX-License-Identifier: Apache-2.0
//
// Documents out of the tables that judge KDL files (docs/manifest.md, docs/config.md): what a field
// is called, what it may hold and what it is when nobody writes it cannot differ from what the
// reader does.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schema_text.h"

static bool is_written(const struct schema_field *field)
{
    return field->type != SCHEMA_CONSTANT && field->type != SCHEMA_BYTES &&
           field->type != SCHEMA_PLACE;
}

static void print_fallback(const struct schema_field *field, struct nip_buffer *out)
{
    if (field->fallback == 0 || field->type == SCHEMA_CHOICES)
        return;
    nip_buffer_append_text(out, " When it is not written: ");
    if (field->type == SCHEMA_SIZE) {
        nip_buffer_append_byte(out, '"');
        schema_print_size(field->fallback, out);
        nip_buffer_append_byte(out, '"');
    } else if (field->type == SCHEMA_DURATION) {
        nip_buffer_append_byte(out, '"');
        schema_print_duration(field->fallback, field->unit, out);
        nip_buffer_append_byte(out, '"');
    } else if (field->type == SCHEMA_CHOICE) {
        for (const struct schema_choice *choice = field->choices; choice->name; choice++)
            if (choice->value == field->fallback)
                nip_buffer_append_format(out, "\"%s\"", choice->name);
    } else {
        nip_buffer_append_format(out, "%" PRIu64, field->fallback);
    }
    nip_buffer_append_byte(out, '.');
}

static void print_field(const struct schema_node *node, const struct schema_field *field,
                        struct nip_buffer *out)
{
    // The value of `kind "driver"` is called as its node is: no need to say it twice.
    if (!field->is_argument)
        nip_buffer_append_format(out, "- `%s=`", field->name);
    else if (strcmp(field->name, node->name) == 0)
        nip_buffer_append_text(out, "- its value");
    else
        nip_buffer_append_format(out, "- its %s", field->name);
    nip_buffer_append_text(out, field->is_required ? ": " : " (may be left out): ");
    schema_print_expected(field, out);
    nip_buffer_append_byte(out, '.');
    if (field->help)
        nip_buffer_append_format(out, " %s", field->help);
    print_fallback(field, out);
    nip_buffer_append_byte(out, '\n');
}

static void print_node(const struct schema_node *node, const char *path, unsigned depth,
                       struct nip_buffer *out)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s%s", path, path[0] ? " / " : "", node->name);
    nip_buffer_append_format(out, "\n%.*s `%s`\n\n", (int)depth, "######", full);
    if (node->help)
        nip_buffer_append_format(out, "%s\n", node->help);
    if (node->element_size)
        nip_buffer_append_format(out, "At most %" PRIu32 " of these.\n", node->count_max);
    else
        nip_buffer_append_text(out, node->is_required ? "Must be there, once.\n"
                                                      : "May be left out; stands there once.\n");
    size_t fields = 0;
    for (size_t i = 0; i < node->field_count; i++) {
        if (!is_written(&node->fields[i]))
            continue;
        if (fields++ == 0)
            nip_buffer_append_byte(out, '\n');
        print_field(node, &node->fields[i], out);
    }
    for (size_t i = 0; i < node->child_count; i++)
        print_node(&node->children[i], full, depth + 1, out);
}

void schema_document(const struct schema_node *node, struct nip_buffer *out)
{
    print_node(node, "", 2, out);
}
