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

_Static_assert((unsigned)NIP_DIGESTS_SIZE_MAX == RUMPK_DIGESTS_SIZE_MAX,
               "nip and the kernel must agree on the limit of digests");
_Static_assert((unsigned)NIP_NAME_MAX < RUMPK_NAME_SIZE &&
                   (unsigned)NIP_VERSION_MAX < RUMPK_VERSION_SIZE,
               "names and versions must fit the ABI's fields");

static const char *const kind_texts[NIP_KIND_COUNT] = {
#define KIND_TEXT(name, text) text,
    NIP_KINDS(KIND_TEXT)
#undef KIND_TEXT
};

static const struct {
    const char *text;
    uint32_t number;
} arch_table[NIP_ARCH_COUNT] = {
#define ARCH_ENTRY(name, text, number) {text, number},
    NIP_ARCHS(ARCH_ENTRY)
#undef ARCH_ENTRY
};

static bool equals(const char *text, size_t size, const char *expected)
{
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

const char *nip_kind_text(enum nip_kind kind)
{
    return (unsigned)kind < NIP_KIND_COUNT ? kind_texts[kind] : "unknown";
}

bool nip_kind_from_text(const char *text, size_t size, enum nip_kind *kind)
{
    for (unsigned i = 0; i < NIP_KIND_COUNT; i++) {
        if (equals(text, size, kind_texts[i])) {
            *kind = (enum nip_kind)i;
            return true;
        }
    }
    return false;
}

const char *nip_arch_text(enum nip_arch arch)
{
    return (unsigned)arch < NIP_ARCH_COUNT ? arch_table[arch].text : "unknown";
}

bool nip_arch_from_text(const char *text, size_t size, enum nip_arch *arch)
{
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (equals(text, size, arch_table[i].text)) {
            *arch = (enum nip_arch)i;
            return true;
        }
    }
    return false;
}

uint32_t nip_arch_number(enum nip_arch arch)
{
    return (unsigned)arch < NIP_ARCH_COUNT ? arch_table[arch].number : 0;
}

bool nip_arch_from_number(uint32_t number, enum nip_arch *arch)
{
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (arch_table[i].number == number) {
            *arch = (enum nip_arch)i;
            return true;
        }
    }
    return false;
}

// ---- reading ----

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
    if (equals(field.text, field.size, "none"))
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
    if (!take_line(reader, &value) || !equals(value.text, value.size, NIP_DIGESTS_FORMAT)) {
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
        return reader_fail(reader, "the size is not a number of at most %llu",
                           (unsigned long long)NIP_FILE_SIZE_MAX);
    if (!nip_path_is_valid(path.text, path.size))
        return reader_fail(reader, "this path is not allowed in a package");
    copy_field(file->path, path);
    return NIP_OK;
}

static enum nip_code append_file(struct nip_digests_file **files, size_t *count,
                                 const struct nip_digests_file *file, struct nip_error *err)
{
    // Grows by doubling: full exactly when the count is a power of two (or nothing is there yet).
    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count == 0 ? 1 : *count * 2;
        struct nip_digests_file *grown = reallocarray(*files, capacity, sizeof *grown);
        if (grown == NULL)
            return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory for digests");
        *files = grown;
    }
    (*files)[(*count)++] = *file;
    return NIP_OK;
}

// Can all these paths stand in one folder?
static const char *find_collision(const struct nip_digests *digests, const char *path)
{
    for (size_t i = 0; i < digests->file_count; i++) {
        if (nip_paths_collide(digests->files[i].path, path))
            return digests->files[i].path;
    }
    for (size_t i = 0; i < digests->beside_count; i++) {
        if (nip_paths_collide(digests->besides[i].path, path))
            return digests->besides[i].path;
    }
    if (nip_paths_collide("digests", path))
        return "digests";
    return nip_paths_collide("digests.minisig", path) ? "digests.minisig" : NULL;
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
        const char *other = find_collision(digests, file.path);
        if (other != NULL)
            return reader_fail(reader, "the path collides with '%s'", other);
        struct nip_digests_file **files = is_beside ? &digests->besides : &digests->files;
        size_t *count = is_beside ? &digests->beside_count : &digests->file_count;
        if (*count > 0 && strcmp((*files)[*count - 1].path, file.path) >= 0)
            return reader_fail(reader, "the paths are not sorted by their bytes");
        code = append_file(files, count, &file, reader->err);
        if (code != NIP_OK)
            return code;
    }
    return NIP_OK;
}

static void print_text(const struct nip_digests *digests, struct nip_buffer *out);

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
        nip_buffer_init(&again, 2 * NIP_DIGESTS_SIZE_MAX);
        print_text(digests, &again);
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

// ---- writing ----

static void print_file(const char *word, const struct nip_digests_file *file,
                       struct nip_buffer *out)
{
    char digest[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(file->digest, digest);
    nip_buffer_append_format(out, "%s %s %llu %s\n", word, digest, (unsigned long long)file->size,
                             file->path);
}

static void print_text(const struct nip_digests *digests, struct nip_buffer *out)
{
    nip_buffer_append_format(out, "%s\nkind %s\nname %s\nversion %s\n", NIP_DIGESTS_FORMAT,
                             nip_kind_text(digests->kind), digests->name, digests->version);
    nip_buffer_append_format(out, "security-version %u\nabi %u\narch", digests->security_version,
                             digests->abi);
    for (unsigned i = 0; i < NIP_ARCH_COUNT; i++) {
        if (digests->archs[i])
            nip_buffer_append_format(out, " %s", arch_table[i].text);
    }
    nip_buffer_append_format(out, "\ntoolchain %s\nsource %s\n", digests->toolchain,
                             digests->source);
    for (size_t i = 0; i < digests->file_count; i++)
        print_file("file", &digests->files[i], out);
    for (size_t i = 0; i < digests->beside_count; i++)
        print_file("beside", &digests->besides[i], out);
}

enum nip_code nip_digests_print(const struct nip_digests *digests, struct nip_buffer *out,
                                struct nip_error *err)
{
    struct nip_buffer text = {0};
    struct nip_digests again;
    print_text(digests, &text);
    enum nip_code code = nip_buffer_check(&text, "digests", err);
    if (code == NIP_OK)
        code = nip_digests_parse(nip_buffer_text(&text), text.size, &again, err);
    if (code == NIP_OK) {
        nip_digests_free(&again);
        nip_buffer_append(out, text.data, text.size);
        code = nip_buffer_check(out, "digests", err);
    }
    nip_buffer_free(&text);
    return code;
}

enum nip_code nip_digests_add(struct nip_digests *digests, bool is_beside, const char *path,
                              const void *data, size_t size, struct nip_error *err)
{
    struct nip_digests_file file = {.size = size};
    if (!nip_path_is_valid(path, strlen(path))) {
        enum nip_code code =
            nip_error_set(err, NIP_ERROR_NAME, "'%s' is not a path for a package", path);
        nip_error_hint(err,
                       "use a-z A-Z 0-9 . _ - and '/', at most %d bytes, no part starting with '.'",
                       NIP_PATH_MAX);
        return code;
    }
    if (size > NIP_FILE_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "'%s' has %zu bytes, more than the %llu allowed",
                             path, size, (unsigned long long)NIP_FILE_SIZE_MAX);
    const char *other = find_collision(digests, path);
    if (other != NULL)
        return nip_error_set(err, NIP_ERROR_EXISTS,
                             "the path '%s' collides with '%s' (case does not count)", path, other);
    memcpy(file.path, path, strlen(path));
    nip_hash_bytes(data, size, file.digest);
    struct nip_digests_file **files = is_beside ? &digests->besides : &digests->files;
    size_t *count = is_beside ? &digests->beside_count : &digests->file_count;
    enum nip_code code = append_file(files, count, &file, err);
    if (code != NIP_OK)
        return code;
    for (size_t i = *count - 1; i > 0 && strcmp((*files)[i - 1].path, (*files)[i].path) > 0; i--) {
        (*files)[i] = (*files)[i - 1];
        (*files)[i - 1] = file;
    }
    return NIP_OK;
}

void nip_digests_id(const void *text, size_t size, uint8_t id[NIP_DIGEST_SIZE])
{
    nip_hash_bytes(text, size, id);
}

static const struct nip_digests_file *find_path(const struct nip_digests_file *files, size_t count,
                                                const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    }
    return NULL;
}

const struct nip_digests_file *nip_digests_file(const struct nip_digests *digests, const char *path)
{
    return find_path(digests->files, digests->file_count, path);
}

const struct nip_digests_file *nip_digests_beside(const struct nip_digests *digests,
                                                  const char *path)
{
    return find_path(digests->besides, digests->beside_count, path);
}
