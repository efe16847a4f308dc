// SPDX-License-Identifier: Apache-2.0
//
// Escaping of foreign text, and the strict UTF-8 coder that it (and the KDL parser) stand on.
//
// What counts as dangerous is one table of ranges, sorted, below. It errs on the side of showing an
// escape: a reader loses nothing by seeing \u{200d}, and may lose much by not seeing it.

#include "nip/escape.h"

#include <string.h>

#include "nip/buffer.h"

struct code_point_range {
    uint32_t first, last; // both included
};

// Code points at or above 0x80 that are shown as \u{...}.
static const struct code_point_range range_table[] = {
    {0x0080, 0x009f},    // C1 controls: 0x9b starts an escape sequence on some terminals
    {0x00ad, 0x00ad},    // soft hyphen
    {0x034f, 0x034f},    // combining grapheme joiner
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // invisible Hangul fillers
    {0x17b4, 0x17b5},    // invisible Khmer vowels
    {0x180b, 0x180f},    // Mongolian selectors
    {0x200b, 0x200f},    // zero-width characters, direction marks
    {0x2028, 0x202e},    // line and paragraph separator, direction embeddings and overrides
    {0x2060, 0x206f},    // invisible operators, direction isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xd800, 0xf8ff},    // surrogates, private use
    {0xfdd0, 0xfdef},    // noncharacters
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff0, 0xffff},    // specials (U+FFFD too: it means that somebody has lost bytes already)
    {0x1d173, 0x1d17a},  // invisible musical format controls
    {0x1fffe, 0x1ffff},  // noncharacters
    {0xe0000, 0x10ffff}, // tags, selectors, private use planes
};

bool nip_escape_is_plain(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 0x20 && code_point != 0x7f;
    for (size_t i = 0; i < sizeof range_table / sizeof range_table[0]; i++) {
        if (code_point < range_table[i].first)
            return true;
        if (code_point <= range_table[i].last)
            return false;
    }
    return true;
}

size_t nip_utf8_decode(const void *text, size_t text_size, uint32_t *code_point)
{
    const uint8_t *bytes = text;
    if (text_size == 0)
        return 0;
    uint8_t lead = bytes[0];
    if (lead < 0x80) {
        *code_point = lead;
        return 1;
    }
    size_t size;
    uint32_t value, value_min;
    if (lead >= 0xc2 && lead <= 0xdf) {
        size = 2, value = lead & 0x1f, value_min = 0x80;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        size = 3, value = lead & 0x0f, value_min = 0x800;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        size = 4, value = lead & 0x07, value_min = 0x10000;
    } else {
        return 0;
    }
    if (text_size < size)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < value_min || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code_point = value;
    return size;
}

size_t nip_utf8_encode(uint32_t code_point, uint8_t out[4])
{
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (uint8_t)(0xc0 | code_point >> 6);
        out[1] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point >= 0xd800 && code_point <= 0xdfff)
        return 0;
    if (code_point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | code_point >> 12);
        out[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (code_point & 0x3f));
        return 3;
    }
    if (code_point > 0x10ffff)
        return 0;
    out[0] = (uint8_t)(0xf0 | code_point >> 18);
    out[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (code_point & 0x3f));
    return 4;
}

// The longest form of one character: \u{10ffff}.
enum { ESCAPED_SIZE_MAX = 10 };

static size_t write_hex(char *out, uint32_t value, size_t digit_count_min)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = digit_count_min;
    while (count < 8 && value >> (4 * count) != 0)
        count++;
    for (size_t i = 0; i < count; i++)
        out[i] = digits[value >> (4 * (count - 1 - i)) & 0xf];
    return count;
}

// Escapes the character at `bytes` into `out`, says how many bytes it took and made.
static size_t escape_one(const uint8_t *bytes, size_t size, bool keep_newline,
                         char out[ESCAPED_SIZE_MAX], size_t *consumed)
{
    uint32_t code_point = 0;
    size_t taken = nip_utf8_decode(bytes, size, &code_point);
    bool is_utf8 = taken != 0;
    *consumed = is_utf8 ? taken : 1;
    if (is_utf8 && (nip_escape_is_plain(code_point) || (keep_newline && code_point == '\n'))) {
        memcpy(out, bytes, taken);
        return taken;
    }
    size_t count = 0;
    out[count++] = '\\';
    if (!is_utf8 || code_point < 0x80) {
        uint32_t byte = bytes[0];
        if (byte == '\n' || byte == '\r' || byte == '\t') {
            char letter = 't';
            if (byte == '\n')
                letter = 'n';
            else if (byte == '\r')
                letter = 'r';
            out[count++] = letter;
            return count;
        }
        out[count++] = 'x';
        return count + write_hex(out + count, byte, 2);
    }
    out[count++] = 'u';
    out[count++] = '{';
    count += write_hex(out + count, code_point, 2);
    out[count++] = '}';
    return count;
}

static size_t escape_bounded(char *out, size_t out_size, const uint8_t *text, size_t text_size,
                             bool keep_newline)
{
    if (out_size == 0)
        return 0;
    size_t written = 0, offset = 0;
    while (offset < text_size) {
        char one[ESCAPED_SIZE_MAX];
        size_t consumed;
        size_t count = escape_one(text + offset, text_size - offset, keep_newline, one, &consumed);
        if (count > out_size - 1 - written)
            break;
        memcpy(out + written, one, count);
        written += count;
        offset += consumed;
    }
    out[written] = '\0';
    return written;
}

size_t nip_escape(char *out, size_t out_size, const void *text, size_t text_size)
{
    return escape_bounded(out, out_size, text, text_size, false);
}

size_t nip_escape_lines(char *out, size_t out_size, const void *text, size_t text_size)
{
    return escape_bounded(out, out_size, text, text_size, true);
}

void nip_escape_append(struct nip_buffer *buffer, const void *text, size_t text_size)
{
    const uint8_t *bytes = text;
    size_t offset = 0;
    while (offset < text_size) {
        char one[ESCAPED_SIZE_MAX];
        size_t consumed;
        size_t count = escape_one(bytes + offset, text_size - offset, false, one, &consumed);
        nip_buffer_append(buffer, one, count);
        offset += consumed;
    }
}
