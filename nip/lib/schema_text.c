// SPDX-License-Identifier: Apache-2.0
//
// The words in which a schema speaks: what a field expects, what a value looks like, which name was
// probably meant. Separate from the reading, so that reading stays short.

#include "schema_text.h"

#include <inttypes.h>
#include <string.h>

#include <rumpk/bkdl.h>

#include "nip/escape.h"
#include "nip/name.h"

bool schema_is_label(const char *text, size_t size, size_t size_max)
{
    return size < size_max && nip_name_part_is_valid(text, size);
}

bool schema_is_compatible(const char *text, size_t size)
{
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && !(c != '\0' && strchr(",.+_-", c)))
            return false;
    }
    return true;
}

bool schema_is_link(const char *text, size_t size)
{
    static const char *const schemes[] = {"https://", "http://"};
    bool begins = false;
    for (size_t i = 0; i < SCHEMA_COUNT(schemes); i++)
        begins = begins ||
                 (size > strlen(schemes[i]) && memcmp(text, schemes[i], strlen(schemes[i])) == 0);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7F || strchr("<>\"\\^`{|}", text[i]) != NULL)
            return false;
    return begins;
}

bool schema_is_plain_text(const char *text, size_t size, bool allows_lines)
{
    for (size_t i = 0; i < size;) {
        uint32_t code_point;
        size_t step = nip_utf8_decode(text + i, size - i, &code_point);
        bool is_layout = step == 1 && (text[i] == '\n' || text[i] == '\t');
        if (step == 0 || !(is_layout ? allows_lines : nip_escape_is_plain(code_point)))
            return false;
        i += step;
    }
    return true;
}

void schema_print_size(uint64_t size, struct nip_buffer *out)
{
    if (size == 0)
        nip_buffer_append_text(out, "0KiB");
    else if (size % 1048576 == 0)
        nip_buffer_append_format(out, "%" PRIu64 "MiB", size / 1048576);
    else if (size % 1024 == 0)
        nip_buffer_append_format(out, "%" PRIu64 "KiB", size / 1024);
    else
        nip_buffer_append_format(out, "%" PRIu64, size);
}

bool schema_parse_size(const char *text, size_t size, uint64_t *bytes)
{
    uint64_t number = 0;
    size_t i = 0;
    for (; i < size && text[i] >= '0' && text[i] <= '9'; i++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    if (i == 0 || (i > 1 && text[0] == '0'))
        return false;
    uint64_t unit = 0;
    if (size - i == 3 && memcmp(text + i, "KiB", 3) == 0)
        unit = 1024;
    if (size - i == 3 && memcmp(text + i, "MiB", 3) == 0)
        unit = 1048576;
    return unit != 0 && !__builtin_mul_overflow(number, unit, bytes);
}

static const struct {
    const char *name;
    uint64_t us;
} duration_units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};

bool schema_parse_duration(const char *text, size_t size, uint64_t unit_us, uint64_t *count)
{
    uint64_t number = 0;
    size_t i = 0;
    for (; i < size && text[i] >= '0' && text[i] <= '9'; i++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text[i] - '0'), &number))
            return false;
    if (i == 0 || (i > 1 && text[0] == '0'))
        return false;
    for (size_t k = 0; k < SCHEMA_COUNT(duration_units); k++)
        if (size - i == strlen(duration_units[k].name) &&
            memcmp(text + i, duration_units[k].name, size - i) == 0) {
            if (__builtin_mul_overflow(number, duration_units[k].us, &number) ||
                number % unit_us != 0)
                return false;
            *count = number / unit_us;
            return true;
        }
    return false;
}

void schema_print_duration(uint64_t count, uint64_t unit_us, struct nip_buffer *out)
{
    uint64_t us = count * unit_us;
    size_t k = SCHEMA_COUNT(duration_units) - 1;
    while (k > 0 && us % duration_units[k].us != 0)
        k--;
    nip_buffer_append_format(out, "%" PRIu64 "%s", us / duration_units[k].us,
                             duration_units[k].name);
}

bool schema_parse_class(const char *text, size_t size, uint64_t *class_code)
{
    uint32_t code = 0;
    if (size != 2 && size != 4 && size != 6)
        return false;
    for (size_t i = 0; i < 6; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = i < size ? strchr(digits, text[i]) : digits;
        if (digit == NULL || *digit == '\0')
            return false;
        code = code << 4 | (uint32_t)(digit - digits);
    }
    *class_code = RUMPK_PCI_CLASS(size / 2, code);
    return true;
}

bool schema_class_is_valid(uint64_t class_code)
{
    uint64_t count = class_code >> 24;
    return count <= 3 && (class_code & 0xFFFFFF & (UINT32_C(0xFFFFFF) >> (8 * count))) == 0;
}

void schema_print_class(uint64_t class_code, struct nip_buffer *out)
{
    // One to three bytes are named, the highest first.
    for (unsigned i = 0; i < 3 && i < class_code >> 24; i++)
        nip_buffer_append_format(out, "%02x", (unsigned)(class_code >> (16 - 8 * i)) & 0xFF);
}

void schema_print_choices(const struct schema_choice *choices, struct nip_buffer *out)
{
    for (const struct schema_choice *choice = choices; choice->name; choice++)
        nip_buffer_append_format(out, "%s\"%s\"", choice == choices ? "" : ", ", choice->name);
}

void schema_print_expected(const struct schema_field *field, struct nip_buffer *out)
{
    switch (field->type) {
    case SCHEMA_TEXT:
        nip_buffer_append_format(out, "a text of %s to %zu bytes%s", field->is_positive ? "1" : "0",
                                 field->size - 1, field->allows_lines ? "" : " in one line");
        break;
    case SCHEMA_TEXTS:
        nip_buffer_append_format(out, "texts of 1 to %zu bytes, at most %" PRIu64 " of them",
                                 field->item_size - 1, field->maximum);
        break;
    case SCHEMA_NAME:
        nip_buffer_append_text(out, "\"namespace/name\", both of small letters, digits and single "
                                    "hyphens, at most 32 bytes each");
        break;
    case SCHEMA_VERSION:
        nip_buffer_append_text(out, "a version like \"1.4.0\" or \"1.4.0-rc.1\" (SemVer 2 without "
                                    "build metadata, at most 64 bytes)");
        break;
    case SCHEMA_REQUIREMENT:
        nip_buffer_append_text(out, "the lowest version that will do, like \"1.2\" or \"1.2.3\"");
        break;
    case SCHEMA_LINK:
        nip_buffer_append_format(out,
                                 "an address that begins with https:// or http://, at most "
                                 "%zu bytes, without spaces",
                                 field->size - 1);
        break;
    case SCHEMA_LABEL:
        nip_buffer_append_format(out,
                                 "a word of small letters, digits and single hyphens, at "
                                 "most %zu bytes",
                                 field->size - 1);
        break;
    case SCHEMA_COMPATIBLE:
        nip_buffer_append_format(out,
                                 "a device tree \"compatible\" string such as \"ns16550a\", "
                                 "at most %zu bytes",
                                 field->size - 1);
        break;
    case SCHEMA_NUMBER:
        if (field->is_hex) {
            nip_buffer_append_format(out, "a whole number from %#" PRIx64 " to %#" PRIx64,
                                     field->minimum, field->maximum);
            break;
        }
        nip_buffer_append_format(out, "a whole number from %" PRIu64 " to %" PRIu64, field->minimum,
                                 field->maximum);
        break;
    case SCHEMA_SIZE:
        nip_buffer_append_text(out, "a size in bytes or like \"64KiB\", from ");
        schema_print_size(field->minimum, out);
        nip_buffer_append_text(out, " to ");
        schema_print_size(field->maximum, out);
        nip_buffer_append_format(out, ", a multiple of %" PRIu64, field->unit);
        break;
    case SCHEMA_DURATION:
        nip_buffer_append_text(out, "a time such as \"500us\", \"20ms\" or \"60s\", from ");
        schema_print_duration(field->minimum, field->unit, out);
        nip_buffer_append_text(out, " to ");
        schema_print_duration(field->maximum, field->unit, out);
        break;
    case SCHEMA_PCI_CLASS:
        nip_buffer_append_text(out, "class, subclass and programming interface of PCI as 2, 4 or 6 "
                                    "hexadecimal digits, for example \"0c03\"");
        break;
    case SCHEMA_BOOLEAN:
        nip_buffer_append_text(out, "#true or #false");
        break;
    case SCHEMA_CHOICE:
        nip_buffer_append_text(out, "one of ");
        schema_print_choices(field->choices, out);
        break;
    case SCHEMA_CHOICES:
        nip_buffer_append_text(out, "one or more of ");
        schema_print_choices(field->choices, out);
        break;
    case SCHEMA_KEY:
        nip_buffer_append_text(out, "a public key: the 56 characters of its .pub file");
        break;
    case SCHEMA_CONSTANT:
    case SCHEMA_BYTES:
    case SCHEMA_PLACE:
        break;
    }
}

bool schema_number_fits(const struct schema_field *field, uint64_t number)
{
    return number >= field->minimum && number <= field->maximum &&
           (field->unit <= 1 || number % field->unit == 0);
}

bool schema_text_fits(const struct schema_field *field, const char *text, size_t size)
{
    if (field->type != SCHEMA_TEXTS && size >= field->size)
        return false;
    switch (field->type) {
    case SCHEMA_NAME:
        return nip_name_is_valid(text, size);
    case SCHEMA_VERSION: {
        struct nip_version version;
        return nip_version_parse(text, size, &version);
    }
    case SCHEMA_REQUIREMENT: {
        struct nip_version version;
        return nip_requirement_parse(text, size, &version);
    }
    case SCHEMA_LINK:
        return schema_is_link(text, size);
    case SCHEMA_LABEL:
        return schema_is_label(text, size, field->size);
    case SCHEMA_COMPATIBLE:
        return schema_is_compatible(text, size);
    case SCHEMA_TEXT:
        return (size > 0 || !field->is_positive) &&
               schema_is_plain_text(text, size, field->allows_lines);
    case SCHEMA_TEXTS:
        return size > 0 && size < field->item_size && schema_is_plain_text(text, size, false);
    default:
        return false;
    }
}

size_t schema_edit_distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    enum { WORD_MAX = 32 };
    size_t rows[3][WORD_MAX + 1];
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                twice[j - 2] + 1 < best)
                best = twice[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

void schema_nearest_begin(struct schema_nearest *nearest, struct nip_kdl_string wrong)
{
    *nearest = (struct schema_nearest){.wrong = wrong, .distance = SIZE_MAX};
    nip_buffer_init(&nearest->allowed, 1024);
}

void schema_nearest_offer(struct schema_nearest *nearest, const char *name)
{
    size_t distance =
        schema_edit_distance(nearest->wrong.text, nearest->wrong.size, name, strlen(name));
    if (distance < nearest->distance) {
        nearest->distance = distance;
        nearest->best = name;
    }
    nip_buffer_append_format(&nearest->allowed, "%s%s", nearest->allowed.size ? ", " : "", name);
}

void schema_nearest_end(struct schema_nearest *nearest, struct nip_error *err)
{
    const char *allowed = nearest->allowed.size ? nip_buffer_text(&nearest->allowed) : "nothing";
    size_t limit = nearest->wrong.size < 4 ? 1 : 2 + nearest->wrong.size / 8;
    if (nearest->best && nearest->distance <= limit)
        nip_error_hint(err, "Did you mean `%s`? Allowed here: %s.", nearest->best, allowed);
    else
        nip_error_hint(err, "Allowed here: %s.", allowed);
    nip_buffer_free(&nearest->allowed);
}
