// SPDX-License-Identifier: Apache-2.0
//
// KDL's strings: identifiers, quoted, raw, and the multi-line forms of the last two.
//
// A multi-line string takes two passes, because the indentation to remove is known only at its end
// and has to be removed after white-space escapes and before all other escapes:
//
//   source ──pass 1: find the end, drop white-space escapes, check the other escapes,
//            note where each line starts──> scratch ──pass 2, in place: remove the
//            indentation of the last line, decode escapes──> value

#include <string.h>

#include "kdl_parser.h"
#include "nip/escape.h"

// ---- identifiers ----

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Would this text be read as a number, or as "almost a number" (".1")?
static bool looks_like_number(const char *text, size_t size)
{
    size_t at = 0;
    if (at < size && (text[at] == '+' || text[at] == '-'))
        at++;
    if (at < size && text[at] == '.')
        at++;
    return at < size && is_digit(text[at]);
}

static bool is_reserved_word(const char *text, size_t size)
{
    static const char *const words[] = {"true", "false", "null", "inf", "-inf", "nan"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (size == strlen(words[i]) && memcmp(text, words[i], size) == 0)
            return true;
    }
    return false;
}

bool kdl_is_bare_string(const char *text, size_t size)
{
    if (size == 0 || looks_like_number(text, size) || is_reserved_word(text, size))
        return false;
    for (size_t at = 0; at < size;) {
        uint32_t code_point;
        size_t taken = nip_utf8_decode(text + at, size - at, &code_point);
        if (taken == 0 || !kdl_is_identifier(code_point))
            return false;
        at += taken;
    }
    return true;
}

static enum nip_code parse_identifier(struct kdl_parser *parser, struct nip_kdl_string *string)
{
    size_t start = parser->at, size;
    while (kdl_is_identifier(kdl_peek(parser, parser->at, &size)))
        parser->at += size;
    const char *text = parser->text + start;
    size = parser->at - start;
    enum nip_code code = NIP_OK;
    if (looks_like_number(text, size)) {
        code = kdl_fail(parser, start, size, "a number needs a digit before its decimal point");
        nip_error_hint(parser->err, "write 0.1 instead of .1, or quote the text");
    } else if (is_reserved_word(text, size)) {
        code = kdl_fail(parser, start, size, "this word is reserved");
        nip_error_hint(parser->err, "write #%.*s for the value or \"%.*s\" for the text", (int)size,
                       text, (int)size, text);
    }
    return code != NIP_OK ? code : kdl_arena_copy(parser, text, size, string);
}

// ---- escapes ----

// At the backslash of an escape that is not a white-space escape. Checks it and steps over it.
static enum nip_code check_escape(struct kdl_parser *parser, uint32_t *code_point)
{
    static const char letters[] = "nrt\\\"bfs";
    static const char values[] = "\n\r\t\\\"\b\f ";
    size_t start = parser->at;
    char letter = '\0';
    if (start + 1 < parser->size)
        letter = parser->text[start + 1];
    const char *known = letter != '\0' ? strchr(letters, letter) : NULL;
    if (known != NULL) {
        *code_point = (uint8_t)values[known - letters];
        parser->at += 2;
        return NIP_OK;
    }
    if (letter != 'u') {
        size_t size;
        kdl_peek(parser, start + 1, &size);
        enum nip_code code = kdl_fail(parser, start, 1 + size, "unknown escape");
        nip_error_hint(parser->err, "known are \\n \\r \\t \\\\ \\\" \\b \\f \\s, \\u{hex} and a "
                                    "backslash before white space; raw strings "
                                    "(#\"...\"#) need no escapes");
        return code;
    }
    size_t at = start + 2, digit_count = 0;
    uint32_t value = 0;
    if (at < parser->size && parser->text[at] == '{')
        at++;
    else
        return kdl_fail(parser, start, 2, "expected \\u{...} with one to six hexadecimal digits");
    for (; at < parser->size && digit_count <= 6; at++, digit_count++) {
        char c = parser->text[at];
        if (is_digit(c))
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            break;
    }
    if (digit_count < 1 || digit_count > 6 || at >= parser->size || parser->text[at] != '}')
        return kdl_fail(parser, start, at - start,
                        "expected \\u{...} with one to six hexadecimal digits");
    uint8_t unused[4];
    if (nip_utf8_encode(value, unused) == 0)
        return kdl_fail(parser, start, at + 1 - start, "U+%04X is not a Unicode character",
                        (unsigned)value);
    *code_point = value;
    parser->at = at + 1;
    return NIP_OK;
}

// At a backslash: if white space follows, steps over both.
static bool skip_space_escape(struct kdl_parser *parser)
{
    size_t at = parser->at + 1, size;
    while ((size = kdl_space_size(parser, at)) != 0 || (size = kdl_newline_size(parser, at)) != 0)
        at += size;
    if (at == parser->at + 1)
        return false;
    parser->at = at;
    return true;
}

static void append_code_point(struct nip_buffer *buffer, uint32_t code_point)
{
    uint8_t bytes[4];
    nip_buffer_append(buffer, bytes, nip_utf8_encode(code_point, bytes));
}

static enum nip_code finish_scratch(struct kdl_parser *parser, struct nip_kdl_string *string)
{
    if (nip_buffer_has_failed(&parser->scratch))
        return kdl_fail_memory(parser);
    return kdl_arena_copy(parser, parser->scratch.data, parser->scratch.size, string);
}

// ---- delimiters ----

// How a quoted string began; it ends with the same quotes, then the same number of hashes.
struct delimiter {
    size_t start; // offset of the first byte, for errors
    size_t quote_count;
    size_t hash_count; // 0: not raw
};

static bool at_end_delimiter(const struct kdl_parser *parser, const struct delimiter *delimiter)
{
    size_t size = delimiter->quote_count + delimiter->hash_count;
    if (parser->size - parser->at < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (parser->text[parser->at + i] != (i < delimiter->quote_count ? '"' : '#'))
            return false;
    }
    return true;
}

static enum nip_code fail_unclosed(struct kdl_parser *parser, const struct delimiter *delimiter)
{
    enum nip_code code =
        kdl_fail(parser, delimiter->start, delimiter->hash_count + delimiter->quote_count,
                 "this string is never closed");
    if (delimiter->hash_count > 0)
        nip_error_hint(parser->err, "it ends with %zu quote(s) followed by %zu hash sign(s)",
                       delimiter->quote_count, delimiter->hash_count);
    return code;
}

// ---- single-line strings ----

static enum nip_code parse_single_line(struct kdl_parser *parser, const struct delimiter *delimiter,
                                       struct nip_kdl_string *string)
{
    nip_buffer_clear(&parser->scratch);
    while (!at_end_delimiter(parser, delimiter)) {
        if (parser->at >= parser->size)
            return fail_unclosed(parser, delimiter);
        if (kdl_newline_size(parser, parser->at) != 0) {
            enum nip_code code = kdl_fail(parser, delimiter->start, parser->at - delimiter->start,
                                          "this string is not closed on its line");
            nip_error_hint(parser->err, "text of several lines stands between two \"\"\", each on "
                                        "a line of its own");
            return code;
        }
        if (delimiter->hash_count == 0 && parser->text[parser->at] == '\\') {
            if (skip_space_escape(parser))
                continue;
            uint32_t code_point = 0;
            enum nip_code code = check_escape(parser, &code_point);
            if (code != NIP_OK)
                return code;
            append_code_point(&parser->scratch, code_point);
            continue;
        }
        size_t size;
        kdl_peek(parser, parser->at, &size);
        nip_buffer_append(&parser->scratch, parser->text + parser->at, size);
        parser->at += size;
    }
    parser->at += delimiter->quote_count + delimiter->hash_count;
    return finish_scratch(parser, string);
}

// ---- multi-line strings ----

struct kdl_line {
    size_t start;  // in the scratch buffer
    size_t source; // in the text, for errors
};

static void begin_line(struct kdl_parser *parser)
{
    struct kdl_line line = {parser->scratch.size, parser->at};
    nip_buffer_append(&parser->lines, &line, sizeof line);
}

// Pass 1. Ends behind the closing delimiter. A '\n' byte in the scratch buffer is a line break.
static enum nip_code collect_lines(struct kdl_parser *parser, const struct delimiter *delimiter)
{
    nip_buffer_clear(&parser->scratch);
    nip_buffer_clear(&parser->lines);
    nip_buffer_extend(&parser->scratch, 0); // has memory also when the string turns out empty
    size_t newline = kdl_newline_size(parser, parser->at);
    if (newline == 0) {
        enum nip_code code = kdl_fail(parser, delimiter->start, parser->at - delimiter->start,
                                      "after the opening \"\"\" the line must end");
        nip_error_hint(parser->err, "use \"...\" for text of one line");
        return code;
    }
    parser->at += newline;
    begin_line(parser);
    while (!at_end_delimiter(parser, delimiter)) {
        if (parser->at >= parser->size)
            return fail_unclosed(parser, delimiter);
        size_t start = parser->at, size;
        newline = kdl_newline_size(parser, start);
        if (newline != 0) {
            nip_buffer_append_byte(&parser->scratch, '\n');
            parser->at += newline;
            begin_line(parser);
            continue;
        }
        kdl_peek(parser, start, &size);
        parser->at += size;
        if (delimiter->hash_count == 0 && parser->text[start] == '\\') {
            parser->at = start;
            if (skip_space_escape(parser))
                continue;
            uint32_t code_point = 0;
            enum nip_code code = check_escape(parser, &code_point);
            if (code != NIP_OK)
                return code;
        }
        nip_buffer_append(&parser->scratch, parser->text + start, parser->at - start);
    }
    parser->at += delimiter->quote_count + delimiter->hash_count;
    if (nip_buffer_has_failed(&parser->scratch) || nip_buffer_has_failed(&parser->lines))
        return kdl_fail_memory(parser);
    return NIP_OK;
}

static bool is_blank(const uint8_t *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t code_point = 0;
        size_t taken = nip_utf8_decode(text + at, size - at, &code_point);
        if (taken == 0 || !kdl_is_space(code_point))
            return false;
        at += taken;
    }
    return true;
}

// Decodes checked escapes from `text` to `out`, which may be the same place. Returns the new size.
static size_t decode_escapes(uint8_t *out, const uint8_t *text, size_t size)
{
    static const char letters[] = "nrt\\\"bfs";
    static const char values[] = "\n\r\t\\\"\b\f ";
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        if (text[at] != '\\') {
            out[written++] = text[at++];
            continue;
        }
        uint8_t letter = text[at + 1];
        at += 2;
        if (letter != 'u') {
            out[written++] = (uint8_t)values[strchr(letters, letter) - letters];
            continue;
        }
        uint32_t value = 0;
        for (at++; text[at] != '}'; at++)
            value =
                value << 4 | (uint32_t)(is_digit((char)text[at]) ? text[at] - '0'
                                                                 : (text[at] | 0x20) - 'a' + 10);
        at++;
        uint8_t bytes[4];
        size_t count = nip_utf8_encode(value, bytes);
        memcpy(out + written, bytes, count);
        written += count;
    }
    return written;
}

static enum nip_code parse_multi_line(struct kdl_parser *parser, const struct delimiter *delimiter,
                                      struct nip_kdl_string *string)
{
    enum nip_code code = collect_lines(parser, delimiter);
    if (code != NIP_OK)
        return code;
    uint8_t *bytes = parser->scratch.data;
    size_t line_count = parser->lines.size / sizeof(struct kdl_line);
    struct kdl_line last, line, next;
    memcpy(&last, parser->lines.data + (line_count - 1) * sizeof last, sizeof last);
    size_t indent_size = parser->scratch.size - last.start;
    if (!is_blank(bytes + last.start, indent_size)) {
        size_t end = parser->at - delimiter->quote_count - delimiter->hash_count;
        code = kdl_fail(parser, end, delimiter->quote_count + delimiter->hash_count,
                        "only white space may stand before the closing \"\"\" on its line");
        nip_error_hint(parser->err, "put the closing \"\"\" on a line of its own");
        return code;
    }
    size_t written = 0;
    for (size_t i = 0; i + 1 < line_count; i++) {
        memcpy(&line, parser->lines.data + i * sizeof line, sizeof line);
        memcpy(&next, parser->lines.data + (i + 1) * sizeof next, sizeof next);
        size_t size = next.start - 1 - line.start;
        if (i > 0)
            bytes[written++] = '\n';
        if (is_blank(bytes + line.start, size))
            continue;
        if (size < indent_size ||
            memcmp(bytes + line.start, bytes + last.start, indent_size) != 0) {
            code = kdl_fail(parser, line.source, 1,
                            "this line does not start with the white space that stands before the "
                            "closing \"\"\"");
            nip_error_hint(parser->err,
                           "indent it with the same %zu byte(s) of spaces and tabs, or move the "
                           "closing \"\"\" to the left",
                           indent_size);
            return code;
        }
        const uint8_t *content = bytes + line.start + indent_size;
        size -= indent_size;
        if (delimiter->hash_count == 0) {
            written += decode_escapes(bytes + written, content, size);
        } else {
            memmove(bytes + written, content, size);
            written += size;
        }
    }
    return kdl_arena_copy(parser, bytes, written, string);
}

// ---- any string ----

// The number of hashes if a raw string starts at `at`, else 0.
static size_t raw_hash_count(const struct kdl_parser *parser)
{
    size_t at = parser->at;
    while (at < parser->size && parser->text[at] == '#')
        at++;
    return at < parser->size && parser->text[at] == '"' ? at - parser->at : 0;
}

bool kdl_at_string(const struct kdl_parser *parser)
{
    uint32_t first = kdl_peek(parser, parser->at, NULL);
    if (first == '"' || raw_hash_count(parser) > 0)
        return true;
    return kdl_is_identifier(first) && !kdl_at_number(parser);
}

enum nip_code kdl_parse_string(struct kdl_parser *parser, struct nip_kdl_string *string)
{
    struct delimiter delimiter = {
        .start = parser->at,
        .hash_count = raw_hash_count(parser),
        .quote_count = 1,
    };
    if (delimiter.hash_count == 0 && !kdl_starts_with(parser, "\""))
        return parse_identifier(parser, string);
    parser->at += delimiter.hash_count;
    if (kdl_starts_with(parser, "\"\"\"")) {
        delimiter.quote_count = 3;
        parser->at += 3;
        return parse_multi_line(parser, &delimiter, string);
    }
    parser->at += 1;
    return parse_single_line(parser, &delimiter, string);
}
