// SPDX-License-Identifier: Apache-2.0
//
// Filling in struct nip_error. Everything is formatted into a bounded array on the stack first and
// then escaped into the error, so that no caller can put raw foreign bytes there, and reporting an
// error never allocates.

#include "nip/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nip/escape.h"

// The header wraps these two for the analyser; here stand the functions themselves.
#undef nip_error_set
#undef nip_error_set_errno

struct error_entry {
    const char *name;
    const char *sentence;
    int exit_status;
};

static const struct error_entry error_table[NIP_ERROR_COUNT] = {[NIP_OK] = {"OK", "Done.", 0},
#define ERROR_ENTRY(name, status, sentence) [NIP_ERROR_##name] = {#name, sentence, status},
                                                                NIP_ERRORS(ERROR_ENTRY)
#undef ERROR_ENTRY
};

static const struct error_entry *error_entry_of(enum nip_code code)
{
    return &error_table[(unsigned)code < NIP_ERROR_COUNT ? code : NIP_ERROR_INTERNAL];
}

const char *nip_error_name(enum nip_code code)
{
    return error_entry_of(code)->name;
}

const char *nip_error_sentence(enum nip_code code)
{
    return error_entry_of(code)->sentence;
}

int nip_error_exit_status(enum nip_code code)
{
    return error_entry_of(code)->exit_status;
}

static void format_escaped(char *out, size_t out_size, const char *format, va_list list,
                           bool keep_newline)
{
    char raw[NIP_ERROR_MESSAGE_MAX];
    int length = vsnprintf(raw, sizeof raw, format, list);
    if (length < 0)
        length = 0;
    size_t size = (size_t)length < sizeof raw ? (size_t)length : sizeof raw - 1;
    if (keep_newline)
        nip_escape_lines(out, out_size, raw, size);
    else
        nip_escape(out, out_size, raw, size);
}

enum nip_code nip_error_set_list(struct nip_error *err, enum nip_code code, const char *format,
                                 va_list list)
{
    if (err == NULL)
        return code;
    // The message may quote parts of the error that it replaces.
    char message[NIP_ERROR_MESSAGE_MAX];
    format_escaped(message, sizeof message, format, list, false);
    *err = (struct nip_error){.code = code};
    memcpy(err->message, message, sizeof message);
    return code;
}

enum nip_code nip_error_set(struct nip_error *err, enum nip_code code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(err, code, format, list);
    va_end(list);
    return code;
}

enum nip_code nip_error_set_errno(struct nip_error *err, int error_number, const char *format, ...)
{
    enum nip_code code = NIP_ERROR_IO;
    if (error_number == ENOENT)
        code = NIP_ERROR_MISSING;
    else if (error_number == EACCES || error_number == EPERM || error_number == EROFS)
        code = NIP_ERROR_PERMISSION;
    else if (error_number == ENOMEM)
        code = NIP_ERROR_MEMORY;
    else if (error_number == EEXIST)
        code = NIP_ERROR_EXISTS;
    if (err == NULL)
        return code;
    va_list list;
    va_start(list, format);
    nip_error_set_list(err, code, format, list);
    va_end(list);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(error_number));
    return code;
}

void nip_error_hint(struct nip_error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    char hint[NIP_ERROR_HINT_MAX];
    va_list list;
    va_start(list, format);
    format_escaped(hint, sizeof hint, format, list, true);
    va_end(list);
    memcpy(err->hint, hint, sizeof hint);
}

void nip_error_prefix(struct nip_error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    char joined[NIP_ERROR_MESSAGE_MAX];
    va_list list;
    va_start(list, format);
    format_escaped(joined, sizeof joined, format, list, false);
    va_end(list);
    size_t used = strlen(joined);
    nip_escape(joined + used, sizeof joined - used, err->message, strlen(err->message));
    memcpy(err->message, joined, sizeof joined);
}

void nip_error_at(struct nip_error *err, const char *file, uint32_t line, uint32_t column)
{
    if (err == NULL)
        return;
    if (file != NULL) {
        char escaped[NIP_ERROR_FILE_MAX];
        nip_escape(escaped, sizeof escaped, file, strlen(file));
        memcpy(err->file, escaped, sizeof escaped);
    }
    err->line = line;
    err->column = column;
}

// The size of the newline at `text`, or 0.
static size_t newline_size(const char *text, size_t size)
{
    uint32_t code_point = 0;
    size_t taken = nip_utf8_decode(text, size, &code_point);
    switch (taken == 0 ? 0 : code_point) {
    case '\r':
        return size > 1 && text[1] == '\n' ? 2 : 1;
    case '\n':
    case 0x0b:
    case 0x0c:
    case 0x85:
    case 0x2028:
    case 0x2029:
        return taken;
    default:
        return 0;
    }
}

static size_t character_size(const char *text, size_t size)
{
    uint32_t code_point;
    size_t taken = nip_utf8_decode(text, size, &code_point);
    return taken != 0 ? taken : 1;
}

// Shows long lines from a little before the place of interest.
enum { EXCERPT_LEAD_MAX = 60 };

static uint32_t displayed_width(const char *escaped)
{
    uint32_t width = 0;
    for (size_t i = 0; escaped[i] != '\0'; i++)
        width += ((uint8_t)escaped[i] & 0xc0) != 0x80;
    return width;
}

static void fill_excerpt(struct nip_error *err, const char *text, size_t text_size,
                         size_t line_start, size_t offset, size_t span_size)
{
    size_t start = line_start;
    while (offset - start > EXCERPT_LEAD_MAX)
        start += character_size(text + start, offset - start);
    size_t end = offset;
    while (end < text_size && newline_size(text + end, text_size - end) == 0)
        end += character_size(text + end, text_size - end);
    size_t span_end = span_size < end - offset ? offset + span_size : end;
    if (span_end == offset && offset < end)
        span_end += character_size(text + offset, end - offset);

    char part[NIP_ERROR_EXCERPT_MAX];
    const char *lead = start > line_start ? "..." : "";
    size_t used = (size_t)snprintf(err->excerpt, sizeof err->excerpt, "%s", lead);
    nip_escape(part, sizeof part, text + start, offset - start);
    err->caret_column = displayed_width(lead) + displayed_width(part) + 1;
    nip_escape(part, sizeof part, text + offset, span_end - offset);
    err->caret_width = displayed_width(part) > 0 ? displayed_width(part) : 1;
    nip_escape(err->excerpt + used, sizeof err->excerpt - used, text + start, end - start);
    // The line may have been cut within the span: the caret never points behind what is shown.
    uint32_t shown = displayed_width(err->excerpt);
    if (err->caret_column + err->caret_width > shown + 1)
        err->caret_width = err->caret_column <= shown ? shown - err->caret_column + 1 : 1;
}

void nip_error_at_text(struct nip_error *err, const char *file, const char *text, size_t text_size,
                       size_t offset, size_t span_size)
{
    if (err == NULL)
        return;
    if (offset > text_size)
        offset = text_size;
    uint32_t line = 1, column = 1;
    size_t line_start = 0, at = 0;
    while (at < offset) {
        size_t newline = newline_size(text + at, text_size - at);
        if (newline != 0 && at + newline <= offset) {
            at += newline;
            line++;
            column = 1;
            line_start = at;
        } else {
            at += character_size(text + at, offset - at);
            column++;
        }
    }
    nip_error_at(err, file, line, column);
    fill_excerpt(err, text, text_size, line_start, offset, span_size);
}
