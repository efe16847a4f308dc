// SPDX-License-Identifier: Apache-2.0
//
// KDL's character classes, white space, comments and line continuations.

#include <string.h>

#include "kdl_parser.h"
#include "nip/escape.h"

bool kdl_is_space(uint32_t code_point)
{
    switch (code_point) {
    case 0x09:
    case 0x20:
    case 0xa0:
    case 0x1680:
    case 0x202f:
    case 0x205f:
    case 0x3000:
        return true;
    default:
        return code_point >= 0x2000 && code_point <= 0x200a;
    }
}

bool kdl_is_newline(uint32_t code_point)
{
    return (code_point >= 0x0a && code_point <= 0x0d) || code_point == 0x85 ||
           code_point == 0x2028 || code_point == 0x2029;
}

bool kdl_is_forbidden(uint32_t code_point)
{
    return code_point <= 0x08 || (code_point >= 0x0e && code_point <= 0x1f) || code_point == 0x7f ||
           (code_point >= 0x200e && code_point <= 0x200f) ||
           (code_point >= 0x202a && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0xfeff ||
           (code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff;
}

bool kdl_is_identifier(uint32_t code_point)
{
    if (code_point < 0x80 && code_point != 0 && strchr("\\/(){};[]\"#=", (int)code_point) != NULL)
        return false;
    return !kdl_is_space(code_point) && !kdl_is_newline(code_point) &&
           !kdl_is_forbidden(code_point);
}

uint32_t kdl_peek(const struct kdl_parser *parser, size_t offset, size_t *size)
{
    uint32_t code_point = 0;
    size_t taken = 0;
    if (offset < parser->size) {
        taken = nip_utf8_decode(parser->text + offset, parser->size - offset, &code_point);
        if (taken == 0) // only while the error about it is being made
            taken = 1;
    }
    if (size != NULL)
        *size = taken;
    return code_point;
}

bool kdl_starts_with(const struct kdl_parser *parser, const char *text)
{
    size_t size = strlen(text);
    return parser->size - parser->at >= size && memcmp(parser->text + parser->at, text, size) == 0;
}

size_t kdl_newline_size(const struct kdl_parser *parser, size_t offset)
{
    size_t size;
    uint32_t code_point = kdl_peek(parser, offset, &size);
    if (size == 0 || !kdl_is_newline(code_point))
        return 0;
    if (code_point == '\r' && kdl_peek(parser, offset + 1, NULL) == '\n')
        return 2;
    return size;
}

size_t kdl_space_size(const struct kdl_parser *parser, size_t offset)
{
    size_t size;
    uint32_t code_point = kdl_peek(parser, offset, &size);
    return size != 0 && kdl_is_space(code_point) ? size : 0;
}

void kdl_skip_line_comment(struct kdl_parser *parser)
{
    while (parser->at < parser->size) {
        size_t newline = kdl_newline_size(parser, parser->at);
        if (newline != 0) {
            parser->at += newline;
            return;
        }
        size_t size;
        kdl_peek(parser, parser->at, &size);
        parser->at += size;
    }
}

// At "/*". Comments nest; a counter instead of recursion, so that depth costs nothing.
static enum nip_code skip_block_comment(struct kdl_parser *parser)
{
    size_t start = parser->at, depth = 0;
    do {
        if (parser->at >= parser->size) {
            enum nip_code code = kdl_fail(parser, start, 2, "this comment is never closed");
            nip_error_hint(parser->err, "%zu more \"*/\" needed before the end of the file", depth);
            return code;
        }
        if (kdl_starts_with(parser, "/*")) {
            depth++;
            parser->at += 2;
        } else if (kdl_starts_with(parser, "*/")) {
            depth--;
            parser->at += 2;
        } else {
            parser->at++;
        }
    } while (depth > 0);
    return NIP_OK;
}

// ws*
static enum nip_code skip_blanks(struct kdl_parser *parser)
{
    for (;;) {
        size_t size = kdl_space_size(parser, parser->at);
        if (size != 0) {
            parser->at += size;
        } else if (kdl_starts_with(parser, "/*")) {
            enum nip_code code = skip_block_comment(parser);
            if (code != NIP_OK)
                return code;
        } else {
            return NIP_OK;
        }
    }
}

// At a backslash outside a string: the line goes on after the newline.
static enum nip_code skip_continuation(struct kdl_parser *parser)
{
    parser->at++;
    enum nip_code code = skip_blanks(parser);
    if (code != NIP_OK)
        return code;
    size_t newline = kdl_newline_size(parser, parser->at);
    if (newline != 0) {
        parser->at += newline;
    } else if (kdl_starts_with(parser, "//")) {
        kdl_skip_line_comment(parser);
    } else if (parser->at < parser->size) {
        char found[24];
        return kdl_fail(parser, parser->at, 0,
                        "after a backslash the line must end (a comment may stand there); "
                        "found %s",
                        kdl_describe(parser, parser->at, found));
    }
    return NIP_OK;
}

enum nip_code kdl_skip_node_space(struct kdl_parser *parser, bool *any)
{
    size_t start = parser->at;
    for (;;) {
        enum nip_code code = skip_blanks(parser);
        if (code == NIP_OK && kdl_starts_with(parser, "\\"))
            code = skip_continuation(parser);
        else if (code == NIP_OK)
            break;
        if (code != NIP_OK)
            return code;
    }
    *any = parser->at != start;
    return NIP_OK;
}

enum nip_code kdl_skip_line_space(struct kdl_parser *parser)
{
    for (;;) {
        bool any;
        enum nip_code code = kdl_skip_node_space(parser, &any);
        if (code != NIP_OK)
            return code;
        size_t newline = kdl_newline_size(parser, parser->at);
        if (newline != 0)
            parser->at += newline;
        else if (kdl_starts_with(parser, "//"))
            kdl_skip_line_comment(parser);
        else
            return NIP_OK;
    }
}
