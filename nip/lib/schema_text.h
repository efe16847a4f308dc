// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the schema share: the rules of single values, and the words for them.

#ifndef NIP_LIB_SCHEMA_TEXT_H
#define NIP_LIB_SCHEMA_TEXT_H

#include "nip/buffer.h"
#include "schema.h"

bool schema_is_compatible(const char *text, size_t size);
bool schema_is_link(const char *text, size_t size);
bool schema_is_plain_text(const char *text, size_t size, bool allows_lines);

// Whether a value is one that the field allows. Texts without their NUL.
bool schema_number_fits(const struct schema_field *field, uint64_t number);
bool schema_text_fits(const struct schema_field *field, const char *text, size_t size);

// "64KiB", "1MiB": only with one of the two units.
bool schema_parse_size(const char *text, size_t size, uint64_t *bytes);
void schema_print_size(uint64_t size, struct nip_buffer *out);

// A duration as a count of `unit_us` microseconds; false when it is no whole number of them.
bool schema_parse_duration(const char *text, size_t size, uint64_t unit_us, uint64_t *count);
void schema_print_duration(uint64_t count, uint64_t unit_us, struct nip_buffer *out);
// "0c03" and the like.
bool schema_parse_class(const char *text, size_t size, uint64_t *class_code);
bool schema_class_is_valid(uint64_t class_code);
void schema_print_class(uint64_t class_code, struct nip_buffer *out);

// "one of "a", "b"", to stand behind "expected ".
void schema_print_expected(const struct schema_field *field, struct nip_buffer *out);
void schema_print_choices(const struct schema_choice *choices, struct nip_buffer *out);

// The section of a document about one node of the top level and all below it, in Markdown.
void schema_document(const struct schema_node *node, struct nip_buffer *out);

// Edits (insert, delete, replace, swap of neighbours) between two words; SIZE_MAX when one has more
// than 32 bytes.
size_t schema_edit_distance(const char *a, size_t a_size, const char *b, size_t b_size);

// Finds which of the offered names a wrong one was meant to be, and writes the hint.
struct schema_nearest {
    struct nip_kdl_string wrong;
    const char *best;
    size_t distance;
    struct nip_buffer allowed;
};
void schema_nearest_begin(struct schema_nearest *nearest, struct nip_kdl_string wrong);
void schema_nearest_offer(struct schema_nearest *nearest, const char *name);
void schema_nearest_end(struct schema_nearest *nearest, struct nip_error *err);

#endif
