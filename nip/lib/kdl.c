// SPDX-License-Identifier: Apache-2.0
//
// KDL documents: the first look at the text as a whole, the arena, spans, look-ups.

#include "nip/kdl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "kdl_parser.h"
#include "nip/escape.h"

// ---- arena: blocks that are freed together ----

enum { ARENA_BLOCK_SIZE = 16384, ARENA_ALIGNMENT = 16 };

struct kdl_arena_block {
    struct kdl_arena_block *next;
    size_t used, capacity;
    _Alignas(ARENA_ALIGNMENT) uint8_t data[];
};

void *kdl_arena_allocate(struct kdl_parser *parser, size_t size)
{
    struct kdl_arena_block *block = parser->document->blocks;
    uint64_t rounded;
    if (!nip_u64_round_up(size, ARENA_ALIGNMENT, &rounded))
        return NULL;
    if (block == NULL || block->capacity - block->used < rounded) {
        size_t capacity = rounded > ARENA_BLOCK_SIZE ? rounded : ARENA_BLOCK_SIZE, total;
        if (!nip_size_add(sizeof *block, capacity, &total))
            return NULL;
        block = calloc(1, total);
        if (block == NULL)
            return NULL;
        block->capacity = capacity;
        block->next = parser->document->blocks;
        parser->document->blocks = block;
    }
    void *result = block->data + block->used;
    block->used += rounded;
    return result;
}

enum nip_code kdl_arena_copy(struct kdl_parser *parser, const void *text, size_t size,
                             struct nip_kdl_string *string)
{
    char *copy = kdl_arena_allocate(parser, size + 1);
    if (copy == NULL)
        return kdl_fail_memory(parser);
    if (size > 0)
        memcpy(copy, text, size);
    *string = (struct nip_kdl_string){copy, size};
    return NIP_OK;
}

// ---- places and errors ----

struct nip_kdl_span kdl_span_begin(struct kdl_parser *parser)
{
    struct nip_kdl_span *place = &parser->place;
    if (parser->at < place->offset)
        *place = (struct nip_kdl_span){.line = 1, .column = 1};
    while (place->offset < parser->at) {
        size_t newline = kdl_newline_size(parser, place->offset);
        if (newline != 0) {
            place->offset += (uint32_t)newline;
            place->line++;
            place->column = 1;
            continue;
        }
        size_t size;
        kdl_peek(parser, place->offset, &size);
        place->offset += (uint32_t)size;
        place->column++;
    }
    return *place;
}

void kdl_span_end(const struct kdl_parser *parser, struct nip_kdl_span *span)
{
    span->size = (uint32_t)(parser->at - span->offset);
}

static enum nip_code fail_list(struct kdl_parser *parser, enum nip_code code, size_t offset,
                               size_t size, const char *format, va_list list) NIP_PRINTF(5, 0);
static enum nip_code fail_list(struct kdl_parser *parser, enum nip_code code, size_t offset,
                               size_t size, const char *format, va_list list)
{
    nip_error_set_list(parser->err, code, format, list);
    nip_error_at_text(parser->err, parser->document->file, parser->text, parser->size, offset,
                      size);
    return code;
}

enum nip_code kdl_fail(struct kdl_parser *parser, size_t offset, size_t size, const char *format,
                       ...)
{
    va_list list;
    va_start(list, format);
    enum nip_code code = fail_list(parser, NIP_ERROR_SYNTAX, offset, size, format, list);
    va_end(list);
    return code;
}

enum nip_code kdl_fail_memory(struct kdl_parser *parser)
{
    return nip_error_set(parser->err, NIP_ERROR_MEMORY, "not enough memory to read %s",
                         parser->document->file);
}

const char *kdl_describe(const struct kdl_parser *parser, size_t offset, char out[24])
{
    if (offset >= parser->size)
        return "the end of the file";
    if (kdl_newline_size(parser, offset) != 0)
        return "the end of the line";
    size_t size;
    char escaped[20];
    kdl_peek(parser, offset, &size);
    nip_escape(escaped, sizeof escaped, parser->text + offset, size);
    snprintf(out, 24, "'%s'", escaped);
    return out;
}

// The header wraps this for the analyser; here stands the function itself.
#undef nip_kdl_error_at
enum nip_code nip_kdl_error_at(const struct nip_kdl_document *document, struct nip_kdl_span span,
                               struct nip_error *err, enum nip_code code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(err, code, format, list);
    va_end(list);
    nip_error_at_text(err, document->file, document->text, document->text_size, span.offset,
                      span.size);
    return code;
}

// ---- documents ----

// Is every byte part of valid UTF-8, and no code point one that KDL forbids to stand literally?
static enum nip_code validate_text(struct kdl_parser *parser)
{
    size_t offset = 0;
    while (offset < parser->size) {
        uint32_t code_point = 0;
        size_t size = nip_utf8_decode(parser->text + offset, parser->size - offset, &code_point);
        if (size == 0)
            return kdl_fail(parser, offset, 1, "this byte is not UTF-8");
        if (code_point == 0xfeff && offset != 0)
            return kdl_fail(parser, offset, size,
                            "a byte order mark may stand only at the very beginning");
        if (kdl_is_forbidden(code_point) && code_point != 0xfeff) {
            enum nip_code code = kdl_fail(parser, offset, size,
                                          "the character U+%04X may not stand in a KDL document",
                                          (unsigned)code_point);
            nip_error_hint(parser->err, "inside a quoted string write it as \"\\u{%x}\"",
                           (unsigned)code_point);
            return code;
        }
        offset += size;
    }
    return NIP_OK;
}

static enum nip_code parse_document(struct kdl_parser *parser)
{
    struct nip_kdl_document *document = parser->document;
    if (parser->size > parser->limits.size_max) {
        nip_error_set(parser->err, NIP_ERROR_LIMIT, "%s has %zu bytes; at most %zu are read",
                      document->file, parser->size, parser->limits.size_max);
        nip_error_at(parser->err, document->file, 0, 0);
        return NIP_ERROR_LIMIT;
    }
    enum nip_code code = validate_text(parser);
    if (code != NIP_OK)
        return code;
    if (kdl_starts_with(parser, "\xef\xbb\xbf"))
        parser->at += 3;
    parser->place = (struct nip_kdl_span){.offset = (uint32_t)parser->at, .line = 1, .column = 1};
    return kdl_parse_nodes(parser, NULL, 0, &document->nodes);
}

enum nip_code nip_kdl_parse(const char *text, size_t size, const char *file,
                            const struct nip_kdl_limits *limits, struct nip_kdl_document **document,
                            struct nip_error *err)
{
    static const struct nip_kdl_limits no_limits = {0};
    *document = NULL;
    if (limits == NULL)
        limits = &no_limits;
    struct kdl_parser parser = {
        .size = size,
        .limits =
            {
                .size_max = limits->size_max != 0 ? limits->size_max : NIP_KDL_SIZE_MAX,
                .depth_max = limits->depth_max != 0 ? limits->depth_max : NIP_KDL_DEPTH_MAX,
                .item_count_max =
                    limits->item_count_max != 0 ? limits->item_count_max : NIP_KDL_ITEM_COUNT_MAX,
            },
        .err = err,
    };
    if (parser.limits.size_max > UINT32_MAX / 2) // spans count in 32 bits
        parser.limits.size_max = UINT32_MAX / 2;
    struct nip_kdl_document *made = calloc(1, sizeof *made);
    if (made == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory to read %s", file);
    parser.document = made;
    made->file = strdup(file);
    size_t copy_size = size <= parser.limits.size_max ? size : 0;
    made->text = malloc(copy_size + 1);
    enum nip_code code = NIP_ERROR_MEMORY;
    if (made->file == NULL || made->text == NULL) {
        nip_error_set(err, code, "not enough memory to read %s", file);
    } else {
        if (copy_size > 0)
            memcpy(made->text, text, copy_size);
        made->text[copy_size] = '\0';
        made->text_size = copy_size;
        parser.text = made->text;
        code = parse_document(&parser);
    }
    nip_buffer_free(&parser.scratch);
    nip_buffer_free(&parser.lines);
    if (code != NIP_OK)
        nip_kdl_document_free(made);
    else
        *document = made;
    return code;
}

void nip_kdl_document_free(struct nip_kdl_document *document)
{
    if (document == NULL)
        return;
    while (document->blocks != NULL) {
        struct kdl_arena_block *next = document->blocks->next;
        free(document->blocks);
        document->blocks = next;
    }
    free(document->file);
    free(document->text);
    free(document);
}

const struct nip_kdl_node *nip_kdl_document_nodes(const struct nip_kdl_document *document)
{
    return document->nodes;
}

const char *nip_kdl_document_file(const struct nip_kdl_document *document)
{
    return document->file;
}

const char *nip_kdl_document_text(const struct nip_kdl_document *document, size_t *size)
{
    if (size != NULL)
        *size = document->text_size;
    return document->text;
}

// ---- look-ups ----

bool nip_kdl_string_equals(struct nip_kdl_string string, const char *text)
{
    return string.text != NULL && string.size == strlen(text) &&
           memcmp(string.text, text, string.size) == 0;
}

const struct nip_kdl_node *nip_kdl_find(const struct nip_kdl_node *first, const char *name)
{
    while (first != NULL && !nip_kdl_string_equals(first->name, name))
        first = first->next;
    return first;
}

const struct nip_kdl_node *nip_kdl_child(const struct nip_kdl_node *node, const char *name)
{
    return nip_kdl_find(node->children, name);
}

const struct nip_kdl_value *nip_kdl_argument(const struct nip_kdl_node *node, size_t index)
{
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        if (entry->key.text == NULL && index-- == 0)
            return &entry->value;
    }
    return NULL;
}

size_t nip_kdl_argument_count(const struct nip_kdl_node *node)
{
    size_t count = 0;
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next)
        count += entry->key.text == NULL;
    return count;
}

const struct nip_kdl_value *nip_kdl_property(const struct nip_kdl_node *node, const char *key)
{
    const struct nip_kdl_value *found = NULL;
    for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next) {
        if (nip_kdl_string_equals(entry->key, key))
            found = &entry->value;
    }
    return found;
}

bool nip_kdl_value_u64(const struct nip_kdl_value *value, uint64_t *number)
{
    if (value->kind != NIP_KDL_INTEGER || value->text.size == 0)
        return false;
    uint64_t result = 0;
    for (size_t i = 0; i < value->text.size; i++) {
        char digit = value->text.text[i];
        if (digit < '0' || digit > '9') // a minus sign
            return false;
        if (!nip_u64_multiply(result, 10, &result) ||
            !nip_u64_add(result, (uint64_t)(digit - '0'), &result))
            return false;
    }
    *number = result;
    return true;
}

bool nip_kdl_value_i64(const struct nip_kdl_value *value, int64_t *number)
{
    if (value->kind != NIP_KDL_INTEGER || value->text.size == 0)
        return false;
    bool is_negative = value->text.text[0] == '-';
    struct nip_kdl_value magnitude = *value;
    uint64_t result;
    if (is_negative) {
        magnitude.text.text++;
        magnitude.text.size--;
    }
    if (!nip_kdl_value_u64(&magnitude, &result))
        return false;
    if (is_negative && result <= (uint64_t)INT64_MAX + 1)
        *number = result == 0 ? 0 : -(int64_t)(result - 1) - 1;
    else if (!is_negative && result <= INT64_MAX)
        *number = (int64_t)result;
    else
        return false;
    return true;
}
