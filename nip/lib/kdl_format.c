// SPDX-License-Identifier: Apache-2.0
//
// Laying out KDL text as a person would: indentation, single spaces, at most one empty line, LF.
// Words, strings, comments and their order stay as they are, so nothing that somebody wrote is
// lost.
//
// It works on tokens, not on the tree, because the tree has no comments. Two things make that safe:
// the text has been parsed before, so every token is whole; and the result is parsed again and must
// print as the original does.

#include <string.h>

#include "kdl_parser.h"
#include "nip/escape.h"

enum { INDENT_COLUMNS = 4 };

struct layout {
    struct kdl_parser source; // text and position only
    struct nip_buffer *out;
    size_t depth;
    bool at_line_start; // nothing has been written on this line
    bool goes_on;       // the line before ended in a backslash
    bool wants_space;   // before the next token of this line
    bool wants_blank;   // an empty line before the next one
    bool after_opening; // the last token was '{'
};

// Everything that has to stand before a token.
static void begin_token(struct layout *layout, bool with_space)
{
    if (layout->at_line_start) {
        if (layout->wants_blank)
            nip_buffer_append_byte(layout->out, '\n');
        for (size_t i = 0; i < INDENT_COLUMNS * (layout->depth + layout->goes_on); i++)
            nip_buffer_append_byte(layout->out, ' ');
    } else if (with_space) {
        nip_buffer_append_byte(layout->out, ' ');
    }
    layout->at_line_start = layout->wants_blank = layout->wants_space = false;
    layout->goes_on = layout->after_opening = false;
}

static void copy(struct layout *layout, size_t size)
{
    nip_buffer_append(layout->out, layout->source.text + layout->source.at, size);
    layout->source.at += size;
}

static void end_line(struct layout *layout)
{
    if (layout->at_line_start) {
        layout->wants_blank = layout->out->size != 0 && !layout->after_opening;
        return;
    }
    nip_buffer_append_byte(layout->out, '\n');
    layout->at_line_start = true;
    layout->wants_space = false;
}

// Size of the string that begins at `at`, 0 when there is none. It has been parsed before.
static size_t string_size(const struct kdl_parser *source)
{
    const char *text = source->text + source->at;
    size_t left = source->size - source->at, hashes = 0, quotes = 1;
    while (hashes < left && text[hashes] == '#')
        hashes++;
    if (hashes == left || text[hashes] != '"')
        return 0;
    if (left - hashes >= 3 && memcmp(text + hashes, "\"\"\"", 3) == 0)
        quotes = 3;
    for (size_t at = hashes + quotes; at + quotes + hashes <= left; at++) {
        if (hashes == 0 && text[at] == '\\') {
            at++;
            continue;
        }
        size_t matched = 0;
        while (matched < quotes + hashes && text[at + matched] == (matched < quotes ? '"' : '#'))
            matched++;
        if (matched == quotes + hashes)
            return at + matched;
    }
    return left;
}

static size_t block_comment_size(const struct kdl_parser *source)
{
    const char *text = source->text + source->at;
    size_t left = source->size - source->at, depth = 0, at = 0;
    do {
        if (at + 1 < left && (memcmp(text + at, "/*", 2) == 0 || memcmp(text + at, "*/", 2) == 0)) {
            depth += text[at] == '/' ? 1 : (size_t)-1;
            at += 2;
        } else {
            at++;
        }
    } while (depth != 0 && at < left);
    return at;
}

// Up to the newline, without white space at its end.
static size_t rest_of_line(const struct kdl_parser *source)
{
    size_t end = source->at, at = source->at;
    while (at < source->size && kdl_newline_size(source, at) == 0) {
        size_t space = kdl_space_size(source, at), size;
        kdl_peek(source, at, &size);
        at += size;
        if (space == 0)
            end = at;
    }
    return end - source->at;
}

// Words, numbers and keywords.
static size_t word_size(const struct kdl_parser *source)
{
    size_t at = source->at, size;
    while (at < source->size &&
           (source->text[at] == '#' || source->text[at] == '[' || source->text[at] == ']' ||
            kdl_is_identifier(kdl_peek(source, at, NULL)))) {
        kdl_peek(source, at, &size);
        at += size;
    }
    return at != source->at ? at - source->at : 1;
}

static void put_brace(struct layout *layout)
{
    bool is_opening = layout->source.text[layout->source.at] == '{';
    bool is_empty = !is_opening && layout->after_opening;
    if (!is_opening) {
        layout->depth -= layout->depth != 0;
        layout->wants_blank = false;
    }
    begin_token(layout, !is_empty);
    copy(layout, 1);
    layout->depth += is_opening;
    layout->after_opening = is_opening;
    layout->wants_space = true;
}

// A token other than white space.
static void put_token(struct layout *layout)
{
    struct kdl_parser *source = &layout->source;
    size_t size = string_size(source);
    if (size == 0 && kdl_starts_with(source, "/*"))
        size = block_comment_size(source);
    if (size == 0 && kdl_starts_with(source, "//")) {
        begin_token(layout, true);
        copy(layout, rest_of_line(source));
        return;
    }
    if (size == 0 && kdl_starts_with(source, "/-"))
        size = 2;
    if (size != 0) {
        begin_token(layout, layout->wants_space);
        copy(layout, size);
        return;
    }
    switch (source->text[source->at]) {
    case '{':
    case '}':
        put_brace(layout);
        return;
    case '\\': // and perhaps a comment; the line break is next
        begin_token(layout, true);
        copy(layout, rest_of_line(source));
        layout->goes_on = true;
        return;
    case ';':
        begin_token(layout, false);
        copy(layout, 1);
        layout->wants_space = true;
        return;
    case '=':
    case '(':
    case ')': {
        bool with_space = source->text[source->at] == '(' && layout->wants_space;
        begin_token(layout, with_space);
        copy(layout, 1);
        while ((size = kdl_space_size(source, source->at)) != 0)
            source->at += size;
        return;
    }
    default:
        begin_token(layout, layout->wants_space);
        copy(layout, word_size(source));
    }
}

static void lay_out(struct layout *layout)
{
    struct kdl_parser *source = &layout->source;
    if (kdl_starts_with(source, "\xef\xbb\xbf"))
        source->at += 3;
    while (source->at < source->size) {
        size_t size = kdl_newline_size(source, source->at);
        if (size != 0) {
            end_line(layout);
            source->at += size;
        } else if ((size = kdl_space_size(source, source->at)) != 0) {
            layout->wants_space = !layout->at_line_start;
            source->at += size;
        } else {
            put_token(layout);
        }
    }
    end_line(layout);
}

// The tree as bytes.
static enum nip_code print_tree(const char *text, size_t size, const char *file,
                                struct nip_buffer *out, struct nip_error *err)
{
    // Indentation can make a text larger than what is read otherwise.
    static const struct nip_kdl_limits limits = {.size_max = NIP_BUFFER_SIZE_MAX};
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code == NIP_OK)
        nip_kdl_print(document, out);
    nip_kdl_document_free(document);
    return code == NIP_OK ? nip_buffer_check(out, file, err) : code;
}

enum nip_code nip_kdl_format(const char *text, size_t size, const char *file,
                             struct nip_buffer *out, struct nip_error *err)
{
    struct nip_buffer before = {0}, after = {0};
    enum nip_code code = print_tree(text, size, file, &before, err);
    if (code == NIP_OK) {
        struct layout layout = {
            .source = {.text = text, .size = size}, .out = out, .at_line_start = true};
        lay_out(&layout);
        code = nip_buffer_check(out, file, err);
    }
    if (code == NIP_OK &&
        (print_tree(nip_buffer_text(out), out->size, file, &after, err) != NIP_OK ||
         !nip_buffer_equals(&before, after.data, after.size)))
        code = nip_error_set(err, NIP_ERROR_INTERNAL,
                             "laying out %s would change what it says; it was left as it is", file);
    nip_buffer_free(&before);
    nip_buffer_free(&after);
    return code;
}
