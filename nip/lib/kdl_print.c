// SPDX-License-Identifier: Apache-2.0
//
// Canonical printing of KDL: what docs call "the same document" has one spelling.

#include <stdlib.h>
#include <string.h>

#include "kdl_parser.h"
#include "nip/escape.h"

void nip_kdl_print_quoted(const char *text, size_t size, struct nip_buffer *out)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    nip_buffer_append_byte(out, '"');
    for (size_t at = 0; at < size;) {
        uint32_t code_point = 0;
        size_t taken = nip_utf8_decode(text + at, size - at, &code_point);
        const char *known = taken == 1 && text[at] != '\0' ? strchr(plain, text[at]) : NULL;
        if (known != NULL) {
            nip_buffer_append_byte(out, '\\');
            nip_buffer_append_byte(out, (uint8_t)letters[known - plain]);
        } else if (taken == 0) { // not UTF-8: no KDL string can hold it
            nip_buffer_append_text(out, "\\u{fffd}");
            taken = 1;
        } else if (kdl_is_forbidden(code_point) || kdl_is_newline(code_point)) {
            nip_buffer_append_format(out, "\\u{%x}", (unsigned)code_point);
        } else {
            nip_buffer_append(out, text + at, taken);
        }
        at += taken;
    }
    nip_buffer_append_byte(out, '"');
}

void nip_kdl_print_string(const char *text, size_t size, struct nip_buffer *out)
{
    if (kdl_is_bare_string(text, size))
        nip_buffer_append(out, text, size);
    else
        nip_kdl_print_quoted(text, size, out);
}

static void print_type(struct nip_kdl_string type, struct nip_buffer *out)
{
    if (type.text == NULL)
        return;
    nip_buffer_append_byte(out, '(');
    nip_kdl_print_string(type.text, type.size, out);
    nip_buffer_append_byte(out, ')');
}

static void print_value(const struct nip_kdl_value *value, struct nip_buffer *out)
{
    print_type(value->type, out);
    if (value->kind == NIP_KDL_STRING)
        nip_kdl_print_string(value->text.text, value->text.size, out);
    else
        nip_buffer_append(out, value->text.text, value->text.size);
}

struct property {
    const struct nip_kdl_entry *entry;
    size_t index; // the order in which they were written, so that sorting is stable
};

static int compare_keys(const struct property *a, const struct property *b)
{
    size_t a_size = a->entry->key.size, b_size = b->entry->key.size;
    int order = memcmp(a->entry->key.text, b->entry->key.text, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static int compare_properties(const void *a_pointer, const void *b_pointer)
{
    const struct property *a = a_pointer, *b = b_pointer;
    int order = compare_keys(a, b);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static void print_properties(const struct nip_kdl_node *node, struct nip_buffer *out)
{
    size_t count = 0;
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next)
        count += entry->key.text != NULL;
    if (count == 0)
        return;
    struct property *table = calloc(count, sizeof *table);
    if (table == NULL) {
        out->is_out_of_memory = true;
        return;
    }
    size_t index = 0;
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        if (entry->key.text != NULL) {
            table[index] = (struct property){entry, index};
            index++;
        }
    }
    qsort(table, count, sizeof *table, compare_properties);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && compare_keys(&table[i], &table[i + 1]) == 0)
            continue; // a later one of the same key counts
        nip_buffer_append_byte(out, ' ');
        nip_kdl_print_string(table[i].entry->key.text, table[i].entry->key.size, out);
        nip_buffer_append_byte(out, '=');
        print_value(&table[i].entry->value, out);
    }
    free(table);
}

void nip_kdl_print_node(const struct nip_kdl_node *node, unsigned depth, struct nip_buffer *out)
{
    nip_buffer_append_fill(out, ' ', 4 * (size_t)depth);
    print_type(node->type, out);
    nip_kdl_print_string(node->name.text, node->name.size, out);
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        if (entry->key.text == NULL) {
            nip_buffer_append_byte(out, ' ');
            print_value(&entry->value, out);
        }
    }
    print_properties(node, out);
    if (node->children != NULL) {
        nip_buffer_append_text(out, " {\n");
        for (const struct nip_kdl_node *child = node->children; child != NULL; child = child->next)
            nip_kdl_print_node(child, depth + 1, out);
        nip_buffer_append_fill(out, ' ', 4 * (size_t)depth);
        nip_buffer_append_byte(out, '}');
    }
    nip_buffer_append_byte(out, '\n');
}

void nip_kdl_print(const struct nip_kdl_document *document, struct nip_buffer *out)
{
    for (const struct nip_kdl_node *node = document->nodes; node != NULL; node = node->next)
        nip_kdl_print_node(node, 0, out);
}
