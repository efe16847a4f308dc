// SPDX-License-Identifier: Apache-2.0
//
// KDL numbers and keywords. Numbers keep their full precision: the value is the canonical decimal
// spelling, whatever its size, and whoever needs a machine integer asks nip_kdl_value_u64().

#include <string.h>

#include "kdl_parser.h"

static bool is_digit_of(uint32_t code_point, unsigned base)
{
    if (code_point >= '0' && code_point <= '9')
        return code_point - '0' < base;
    return base == 16 &&
           ((code_point >= 'a' && code_point <= 'f') || (code_point >= 'A' && code_point <= 'F'));
}

static unsigned digit_value(char digit)
{
    if (digit <= '9')
        return (unsigned)(digit - '0');
    return (unsigned)((digit | 0x20) - 'a') + 10;
}

bool kdl_at_number(const struct kdl_parser *parser)
{
    uint32_t first = kdl_peek(parser, parser->at, NULL);
    if (first == '+' || first == '-')
        first = kdl_peek(parser, parser->at + 1, NULL);
    return is_digit_of(first, 10);
}

// Appends the digits at `at` to the scratch buffer without separators. At least one must be there.
static enum nip_code scan_digits(struct kdl_parser *parser, unsigned base, const char *where)
{
    size_t start = parser->at;
    if (!is_digit_of(kdl_peek(parser, parser->at, NULL), base)) {
        char found[24];
        return kdl_fail(parser, parser->at, 0, "expected a digit %s, found %s", where,
                        kdl_describe(parser, parser->at, found));
    }
    for (; parser->at < parser->size; parser->at++) {
        char c = parser->text[parser->at];
        if (is_digit_of((uint8_t)c, base))
            nip_buffer_append_byte(&parser->scratch, (uint8_t)c);
        else if (c != '_')
            break;
        if (parser->at - start >= NIP_KDL_NUMBER_SIZE_MAX)
            return kdl_fail(parser, start, 0, "a number may have at most %zu digits",
                            NIP_KDL_NUMBER_SIZE_MAX);
    }
    return NIP_OK;
}

// Removes leading zeros of the digits from `start` on; the last digit stays.
static void strip_zeros(struct nip_buffer *buffer, size_t start)
{
    size_t zeros = 0;
    while (start + zeros + 1 < buffer->size && buffer->data[start + zeros] == '0')
        zeros++;
    memmove(buffer->data + start, buffer->data + start + zeros, buffer->size - start - zeros);
    buffer->size -= zeros;
    buffer->data[buffer->size] = '\0';
}

// Replaces the digits of `base` in the scratch buffer from `start` on by decimal ones: schoolbook
// multiplication on limbs of nine decimal digits.
static void convert_to_decimal(struct nip_buffer *buffer, size_t start, unsigned base)
{
    enum { LIMB = 1000000000, LIMB_COUNT_MAX = NIP_KDL_NUMBER_SIZE_MAX * 4 / 29 + 2 };
    uint32_t limbs[LIMB_COUNT_MAX] = {0};
    size_t limb_count = 1;
    for (size_t i = start; i < buffer->size; i++) {
        uint64_t carry = digit_value((char)buffer->data[i]);
        for (size_t k = 0; k < limb_count; k++) {
            uint64_t sum = (uint64_t)limbs[k] * base + carry;
            limbs[k] = (uint32_t)(sum % LIMB);
            carry = sum / LIMB;
        }
        if (carry != 0 && limb_count < LIMB_COUNT_MAX)
            limbs[limb_count++] = (uint32_t)carry;
    }
    buffer->size = start;
    nip_buffer_append_format(buffer, "%u", limbs[limb_count - 1]);
    for (size_t k = limb_count - 1; k-- > 0;)
        nip_buffer_append_format(buffer, "%09u", limbs[k]);
}

static enum nip_code scan_decimal(struct kdl_parser *parser, struct nip_kdl_value *value)
{
    struct nip_buffer *scratch = &parser->scratch;
    size_t digits_start = scratch->size;
    enum nip_code code = scan_digits(parser, 10, "here");
    if (code != NIP_OK)
        return code;
    strip_zeros(scratch, digits_start);
    value->kind = NIP_KDL_INTEGER;
    if (kdl_starts_with(parser, ".")) {
        value->kind = NIP_KDL_DECIMAL;
        nip_buffer_append_byte(scratch, '.');
        parser->at++;
        code = scan_digits(parser, 10, "after the decimal point");
        if (code != NIP_OK)
            return code;
    }
    if (kdl_starts_with(parser, "e") || kdl_starts_with(parser, "E")) {
        value->kind = NIP_KDL_DECIMAL;
        parser->at++;
        bool is_negative = kdl_starts_with(parser, "-");
        if (is_negative || kdl_starts_with(parser, "+"))
            parser->at++;
        nip_buffer_append_text(scratch, is_negative ? "E-" : "E+");
        digits_start = scratch->size;
        code = scan_digits(parser, 10, "in the exponent");
        if (code != NIP_OK)
            return code;
        strip_zeros(scratch, digits_start);
    }
    return NIP_OK;
}

enum nip_code kdl_parse_number(struct kdl_parser *parser, struct nip_kdl_value *value)
{
    size_t start = parser->at;
    nip_buffer_clear(&parser->scratch);
    if (kdl_starts_with(parser, "-"))
        nip_buffer_append_byte(&parser->scratch, '-');
    if (kdl_starts_with(parser, "-") || kdl_starts_with(parser, "+"))
        parser->at++;
    unsigned base = kdl_starts_with(parser, "0x")   ? 16
                    : kdl_starts_with(parser, "0o") ? 8
                    : kdl_starts_with(parser, "0b") ? 2
                                                    : 10;
    enum nip_code code;
    if (base == 10) {
        code = scan_decimal(parser, value);
    } else {
        size_t digits_start = parser->scratch.size;
        parser->at += 2;
        value->kind = NIP_KDL_INTEGER;
        code = scan_digits(parser, base,
                           base == 16  ? "0-9 or a-f after 0x"
                           : base == 8 ? "0-7 after 0o"
                                       : "0 or 1 after 0b");
        if (code == NIP_OK && !nip_buffer_has_failed(&parser->scratch))
            convert_to_decimal(&parser->scratch, digits_start, base);
    }
    if (code != NIP_OK)
        return code;
    size_t next_size;
    uint32_t next = kdl_peek(parser, parser->at, &next_size);
    if (next_size != 0 && kdl_is_identifier(next)) {
        char found[24];
        code = kdl_fail(parser, start, parser->at + next_size - start,
                        "%s cannot stand in a number of base %u",
                        kdl_describe(parser, parser->at, found), base);
        nip_error_hint(parser->err, "text that starts like a number must be quoted");
        return code;
    }
    if (nip_buffer_has_failed(&parser->scratch))
        return kdl_fail_memory(parser);
    return kdl_arena_copy(parser, parser->scratch.data, parser->scratch.size, &value->text);
}

enum nip_code kdl_parse_keyword(struct kdl_parser *parser, struct nip_kdl_value *value)
{
    static const struct {
        const char *text;
        enum nip_kdl_kind kind;
        bool boolean;
    } table[] = {
        {"#true", NIP_KDL_BOOLEAN, true},   {"#false", NIP_KDL_BOOLEAN, false},
        {"#null", NIP_KDL_NULL, false},     {"#inf", NIP_KDL_INFINITY, false},
        {"#-inf", NIP_KDL_INFINITY, false}, {"#nan", NIP_KDL_NAN, false},
    };
    size_t start = parser->at, end = start + 1, size;
    while (kdl_is_identifier(kdl_peek(parser, end, &size)) && size != 0)
        end += size;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (end - start != strlen(table[i].text) ||
            memcmp(parser->text + start, table[i].text, end - start) != 0)
            continue;
        parser->at = end;
        value->kind = table[i].kind;
        value->boolean = table[i].boolean;
        value->text = (struct nip_kdl_string){table[i].text, end - start};
        return NIP_OK;
    }
    enum nip_code code = kdl_fail(parser, start, end - start, "unknown word after '#'");
    nip_error_hint(parser->err, "expected #true, #false, #null, #inf, #-inf, #nan or a raw "
                                "string like #\"text\"#");
    return code;
}
