// SPDX-License-Identifier: Apache-2.0
//
// The `digests` text: one validator, line by line, then the round trip.
//
// The parser reads lines in their fixed order and checks each field's own rule; at the end it
// prints what it understood and compares with what it was given. So a spelling that the rules below
// forgot to refuse cannot get through either: there is exactly one text for one content.

#include "nip/digests.h"

#include <rumpk/archive.h>
#include <rumpk/base.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "digests_parts.h"

_Static_assert((unsigned)NIP_DIGESTS_SIZE_MAX == RUMPK_DIGESTS_SIZE_MAX,
               "nip and the kernel must agree on the limit of digests");
_Static_assert((unsigned)NIP_NAME_MAX < RUMPK_NAME_SIZE &&
                   (unsigned)NIP_VERSION_MAX < RUMPK_VERSION_SIZE,
               "names and versions must fit the ABI's fields");

struct reader {
    const char *text;
    size_t size;
    size_t at;         // start of the next line
    size_t line_start; // of the current line
    uint32_t line;
    struct nip_error *err;
};

struct field {
    const char *text;
    size_t size;
};

static enum nip_code reader_fail(const struct reader *reader, const char *format, ...)
    NIP_PRINTF(2, 3);
static enum nip_code reader_fail(const struct reader *reader, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    nip_error_set_list(reader->err, NIP_ERROR_SYNTAX, format, list);
    va_end(list);
    nip_error_at_text(reader->err, "digests", reader->text, reader->size, reader->line_start,
                      reader->at - reader->line_start);
    return NIP_ERROR_SYNTAX;
}

// Is the whole text of the allowed bytes and size?
static enum nip_code check_bytes(struct reader *reader)
{
    if (reader->size > NIP_DIGESTS_SIZE_MAX)
        return nip_error_set(reader->err, NIP_ERROR_LIMIT,
                             "digests has %zu bytes, more than the %d allowed", reader->size,
                             NIP_DIGESTS_SIZE_MAX);
    for (size_t i = 0; i < reader->size; i++) {
        char c = reader->text[i];
        if (c == '\n' || (c >= 0x20 && c <= 0x7e))
            continue;
        reader->line_start = i;
        reader->at = i + 1;
        return reader_fail(reader, "the byte 0x%02x may not stand in digests", (uint8_t)c);
    }
    if (reader->size == 0 || reader->text[reader->size - 1] != '\n') {
        reader->line_start = reader->at = reader->size;
        return reader_fail(reader, "the last line of digests is not ended by a newline");
    }
    return NIP_OK;
}

// The next line without its LF; false at the end.
static bool take_line(struct reader *reader, struct field *line)
{
    if (reader->at >= reader->size)
        return false;
    const char *start = reader->text + reader->at;
    const char *end = memchr(start, '\n', reader->size - reader->at);
    *line = (struct field){start, (size_t)(end - start)};
    reader->line_start = reader->at;
    reader->at += line->size + 1;
    reader->line++;
    return true;
}

// The value of the header `name`, which must be the next line.
static enum nip_code take_header(struct reader *reader, const char *name, struct field *value)
{
    struct field line;
    size_t name_size = strlen(name);
    if (!take_line(reader, &line)) {
        reader->line_start = reader->at;
        return reader_fail(reader, "digests ends where the line '%s' is expected", name);
    }
    if (line.size <= name_size + 1 || memcmp(line.text, name, name_size) != 0 ||
        line.text[name_size] != ' ')
        return reader_fail(reader, "expected a line '%s ...' here", name);
    *value = (struct field){line.text + name_size + 1, line.size - name_size - 1};
    return NIP_OK;
}

// Decimal without leading zeros, at most `max`.
static bool parse_number(struct field field, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;
    if (field.size == 0 || (field.text[0] == '0' && field.size > 1))
        return false;
    for (size_t i = 0; i < field.size; i++) {
        char c = field.text[i];
        if (c < '0' || c > '9' || !nip_u64_multiply(value, 10, &value) ||
            !nip_u64_add(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *number = value;
    return value <= max;
}

static bool has_space(struct field field)
{
    return memchr(field.text, ' ', field.size) != NULL;
}

// "none" or scheme:digest with scheme [a-z][a-z0-9-]* and 40 to 128 hexadecimal digits.
static bool source_is_valid(struct field field)
{
    if (digests_text_equals(field.text, field.size, "none"))
        return true;
    const char *colon = memchr(field.text, ':', field.size);
    if (field.size > NIP_SOURCE_MAX || colon == NULL ||
        !nip_name_part_is_valid(field.text, (size_t)(colon - field.text)))
        return false;
    size_t digit_count = field.size - (size_t)(colon + 1 - field.text);
    if (digit_count < 40 || digit_count > 128)
        return false;
    for (size_t i = 1; i <= digit_count; i++) {
        if (!((colon[i] >= '0' && colon[i] <= '9') || (colon[i] >= 'a' && colon[i] <= 'f')))
            return false;
    }
    return true;
}

static enum nip_code parse_archs(struct reader *reader, struct field value,
                                 struct nip_digests *digests)
{
    int last = -1;
    size_t at = 0;
    while (at <= value.size) {
        const char *start = value.text + at;
        const char *space = memchr(start, ' ', value.size - at);
        size_t size = space != NULL ? (size_t)(space - start) : value.size - at;
        enum nip_arch arch;
        if (!nip_arch_from_text(start, size, &arch))
            return reader_fail(reader, "'%.*s' is not an architecture", (int)size, start);
        if ((int)arch <= last)
            return reader_fail(reader, "the architectures are not sorted, or one is repeated");
        last = (int)arch;
        digests->archs[arch] = true;
        at += size + 1;
    }
    return NIP_OK;
}

static void copy_field(char *out, struct field field)
{
    memcpy(out, field.text, field.size);
    out[field.size] = '\0';
}

static enum nip_code parse_headers(struct reader *reader, struct nip_digests *digests)
{
    struct field value = {0};
    struct nip_version version;
    uint64_t number;
    enum nip_code code;

    // Is it a text of this format at all?
    if (!take_line(reader, &value) ||
        !digests_text_equals(value.text, value.size, NIP_DIGESTS_FORMAT)) {
        reader_fail(reader, "this is not '%s'", NIP_DIGESTS_FORMAT);
        if (value.size > 14 && memcmp(value.text, "rumpk-digests ", 14) == 0) {
            if (reader->err != NULL)
                reader->err->code = NIP_ERROR_UNSUPPORTED;
            nip_error_hint(reader->err, "the package was made for another release of nip");
            return NIP_ERROR_UNSUPPORTED;
        }
        return NIP_ERROR_SYNTAX;
    }
    if ((code = take_header(reader, "kind", &value)) != NIP_OK)
        return code;
    if (!nip_kind_from_text(value.text, value.size, &digests->kind))
        return reader_fail(reader, "unknown kind of package");
    if ((code = take_header(reader, "name", &value)) != NIP_OK)
        return code;
    if (!nip_name_is_valid(value.text, value.size))
        return reader_fail(reader, "this is not a package name");
    copy_field(digests->name, value);
    if ((code = take_header(reader, "version", &value)) != NIP_OK)
        return code;
    if (!nip_version_parse(value.text, value.size, &version))
        return reader_fail(reader, "this is not a version");
    copy_field(digests->version, value);
    if ((code = take_header(reader, "security-version", &value)) != NIP_OK)
        return code;
    if (!parse_number(value, NIP_SECURITY_VERSION_MAX, &number) || number == 0)
        return reader_fail(reader, "a security version is a number from 1 to %d",
                           NIP_SECURITY_VERSION_MAX);
    digests->security_version = (uint32_t)number;
    if ((code = take_header(reader, "abi", &value)) != NIP_OK)
        return code;
    if (!parse_number(value, UINT16_MAX, &number))
        return reader_fail(reader, "an ABI version is a number from 0 to 65535");
    digests->abi = (uint32_t)number;
    if ((code = take_header(reader, "arch", &value)) != NIP_OK ||
        (code = parse_archs(reader, value, digests)) != NIP_OK)
        return code;
    if ((code = take_header(reader, "toolchain", &value)) != NIP_OK)
        return code;
    if (value.size > NIP_TOOLCHAIN_MAX || has_space(value))
        return reader_fail(reader, "a toolchain id is one word of at most %d bytes",
                           NIP_TOOLCHAIN_MAX);
    copy_field(digests->toolchain, value);
    if ((code = take_header(reader, "source", &value)) != NIP_OK)
        return code;
    if (!source_is_valid(value))
        return reader_fail(reader, "a source is 'none' or SCHEME:DIGEST");
    copy_field(digests->source, value);
    return NIP_OK;
}

static enum nip_code refuse_size(const struct reader *reader, struct field size)
{
    for (size_t i = 0; i < size.size; i++)
        if (size.text[i] < '0' || size.text[i] > '9')
            return reader_fail(reader, "a size is made of decimal digits only%s",
                               i == 0 && size.text[i] == '-' ? " and is never negative" : "");
    if (size.size == 0)
        return reader_fail(reader, "expected a size here");
    if (size.text[0] == '0' && size.size > 1)
        return reader_fail(reader, "a size has no leading zeros");
    return reader_fail(reader, "a size is at most %llu", (unsigned long long)NIP_FILE_SIZE_MAX);
}

static enum nip_code refuse_collision(const struct reader *reader, const char *path,
                                      const char *other)
{
    if (strcmp(other, "digests") == 0 || strcmp(other, "digests.minisig") == 0)
        return reader_fail(reader, "the path '%s' is taken by the package's own '%s'", path, other);
    if (strcmp(path, other) == 0)
        return reader_fail(reader, "the path '%s' is listed twice", path);
    if (strlen(path) == strlen(other))
        return reader_fail(reader, "the path '%s' differs from '%s' only in upper and lower case",
                           path, other);
    return reader_fail(reader, "the path '%s' collides with '%s': one would be a file and a folder",
                       path, other);
}

// "<64 hex> <size> <path>"
static enum nip_code parse_file(struct reader *reader, struct field value,
                                struct nip_digests_file *file)
{
    enum { HEX_SIZE = 2 * NIP_DIGEST_SIZE };
    if (value.size < HEX_SIZE + 4 || value.text[HEX_SIZE] != ' ' ||
        !nip_hex_decode(value.text, HEX_SIZE, file->digest, sizeof file->digest))
        return reader_fail(reader, "expected 64 hexadecimal digits, a size and a path");
    struct field rest = {value.text + HEX_SIZE + 1, value.size - HEX_SIZE - 1};
    const char *space = memchr(rest.text, ' ', rest.size);
    if (space == NULL)
        return reader_fail(reader, "expected a size and a path after the digest");
    struct field size = {rest.text, (size_t)(space - rest.text)};
    struct field path = {space + 1, rest.size - size.size - 1};
    if (!parse_number(size, NIP_FILE_SIZE_MAX, &file->size))
        return refuse_size(reader, size);
    const char *problem = nip_path_problem(path.text, path.size);
    if (problem != NULL)
        return reader_fail(reader, "this path is not allowed in a package: %s", problem);
    copy_field(file->path, path);
    return NIP_OK;
}

static enum nip_code parse_files(struct reader *reader, struct nip_digests *digests)
{
    struct field line;
    bool is_beside = false;
    while (take_line(reader, &line)) {
        struct nip_digests_file file = {0};
        size_t word_size;
        if (line.size > 5 && memcmp(line.text, "file ", 5) == 0 && !is_beside) {
            word_size = 5;
        } else if (line.size > 7 && memcmp(line.text, "beside ", 7) == 0) {
            word_size = 7;
            is_beside = true;
        } else {
            return reader_fail(reader, "expected a line 'file ...'%s",
                               is_beside ? " before and 'beside ...' here" : " or 'beside ...'");
        }
        struct field value = {line.text + word_size, line.size - word_size};
        enum nip_code code = parse_file(reader, value, &file);
        if (code != NIP_OK)
            return code;
        const char *other = digests_find_collision(digests, file.path);
        if (other != NULL)
            return refuse_collision(reader, file.path, other);
        struct nip_digests_file **files = is_beside ? &digests->besides : &digests->files;
        size_t *count = is_beside ? &digests->beside_count : &digests->file_count;
        if (*count > 0 && strcmp((*files)[*count - 1].path, file.path) >= 0)
            return reader_fail(reader, "the paths are not sorted by their bytes");
        code = digests_append_file(files, count, &file, reader->err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

enum nip_code nip_digests_parse(const char *text, size_t size, struct nip_digests *digests,
                                struct nip_error *err)
{
    struct reader reader = {.text = text, .size = size, .err = err};
    *digests = (struct nip_digests){0};
    enum nip_code code = check_bytes(&reader);
    if (code == NIP_OK)
        code = parse_headers(&reader, digests);
    if (code == NIP_OK)
        code = parse_files(&reader, digests);
    if (code == NIP_OK) {
        // Is it the one spelling of what was understood?
        struct nip_buffer again;
        nip_buffer_init(&again, 2 * (size_t)NIP_DIGESTS_SIZE_MAX);
        digests_print_text(digests, &again);
        code = nip_buffer_check(&again, "digests", err);
        if (code == NIP_OK && !nip_buffer_equals(&again, text, size))
            code = nip_error_set(err, NIP_ERROR_SYNTAX, "digests is not in its canonical form");
        nip_buffer_free(&again);
    }
    if (code != NIP_OK)
        nip_digests_free(digests);
    return code;
}

void nip_digests_free(struct nip_digests *digests)
{
    free(digests->files);
    free(digests->besides);
    *digests = (struct nip_digests){0};
}
