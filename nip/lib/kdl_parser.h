// SPDX-License-Identifier: Apache-2.0
//
// What the files of the KDL parser share. Private to kdl*.c.
//
//   kdl.c         documents: validation of the text as a whole, arena, look-ups
//   kdl_node.c    nodes, entries, children blocks: the grammar from the top down to values
//   kdl_space.c   white space, comments, line continuations
//   kdl_string.c  the five kinds of strings
//   kdl_number.c  numbers and keywords
//   kdl_print.c   the printer
//   kdl_format.c  laying out text, comments included
//
// Rule of all parse functions: `at` stands on the first byte of what they parse; on success it
// stands behind it; on failure the error is set and `at` no longer matters. The text has been
// validated as UTF-8 without forbidden code points before any of them runs, so decoding cannot
// fail.

#ifndef NIP_LIB_KDL_PARSER_H
#define NIP_LIB_KDL_PARSER_H

#include "nip/kdl.h"

struct kdl_arena_block;

struct nip_kdl_document {
    struct kdl_arena_block *blocks;
    struct nip_kdl_node *nodes;
    char *file;
    char *text;
    size_t text_size;
};

struct kdl_parser {
    struct nip_kdl_document *document;
    const char *text;
    size_t size;
    size_t at;
    struct nip_kdl_limits limits;
    uint32_t item_count;
    struct nip_kdl_span place; // the last place whose line and column were worked out
    struct nip_buffer scratch; // for strings and numbers under construction
    struct nip_buffer lines;   // for multi-line strings: struct kdl_line
    struct nip_error *err;
};

// kdl.c
void *kdl_arena_allocate(struct kdl_parser *parser, size_t size);
enum nip_code kdl_arena_copy(struct kdl_parser *parser, const void *text, size_t size,
                             struct nip_kdl_string *string) NIP_MUST_CHECK;
// A span that starts at `at`; its size is set by kdl_span_end() when `at` has moved on.
struct nip_kdl_span kdl_span_begin(struct kdl_parser *parser);
void kdl_span_end(const struct kdl_parser *parser, struct nip_kdl_span *span);
enum nip_code kdl_fail(struct kdl_parser *parser, size_t offset, size_t size, const char *format,
                       ...) NIP_PRINTF(4, 5);
enum nip_code kdl_fail_memory(struct kdl_parser *parser);
// "'x'", "end of file" or "end of line": what stands at `at`, for messages. `out` of 24 bytes.
const char *kdl_describe(const struct kdl_parser *parser, size_t offset, char out[24]);

// kdl_space.c
bool kdl_is_space(uint32_t code_point);   // white space that is not a newline
bool kdl_is_newline(uint32_t code_point); // CR LF is two of these and one newline
bool kdl_is_forbidden(uint32_t code_point);
bool kdl_is_identifier(uint32_t code_point);
// The code point at `offset` and its size; 0 and size 0 at the end.
uint32_t kdl_peek(const struct kdl_parser *parser, size_t offset, size_t *size);
bool kdl_starts_with(const struct kdl_parser *parser, const char *text);
size_t kdl_newline_size(const struct kdl_parser *parser, size_t offset);
size_t kdl_space_size(const struct kdl_parser *parser, size_t offset);
void kdl_skip_line_comment(struct kdl_parser *parser); // at "//"
// node-space* and line-space* of the grammar; *any says whether something was there.
enum nip_code kdl_skip_node_space(struct kdl_parser *parser, bool *any) NIP_MUST_CHECK;
enum nip_code kdl_skip_line_space(struct kdl_parser *parser) NIP_MUST_CHECK;

// kdl_string.c
bool kdl_at_string(const struct kdl_parser *parser);
enum nip_code kdl_parse_string(struct kdl_parser *parser,
                               struct nip_kdl_string *string) NIP_MUST_CHECK;
bool kdl_is_bare_string(const char *text, size_t size);

// kdl_number.c
bool kdl_at_number(const struct kdl_parser *parser);
enum nip_code kdl_parse_number(struct kdl_parser *parser,
                               struct nip_kdl_value *value) NIP_MUST_CHECK;
enum nip_code kdl_parse_keyword(struct kdl_parser *parser,
                                struct nip_kdl_value *value) NIP_MUST_CHECK;

// kdl_node.c
enum nip_code kdl_parse_nodes(struct kdl_parser *parser, struct nip_kdl_node *parent,
                              uint32_t depth, struct nip_kdl_node **first) NIP_MUST_CHECK;

#endif
