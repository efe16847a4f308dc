// SPDX-License-Identifier: Apache-2.0
//
// digests.c: the signed text that names a package and lists its files. One spelling only: fixed
// lines in a fixed order, one space between fields, no leading zeros, every line ended by LF
// (FORMATS section 1).
#include <arch/formats.h>
#include <kernel/load.h>

#define FIRST_LINE           "rumpk-digests 1"
#define PATH_MAX_BYTES       100u
#define TOOLCHAIN_MAX        128u
#define SOURCE_MAX           192u
#define SECURITY_VERSION_MAX 65535u
#define FILE_SIZE_MAX        (UINT64_C(1) << 30)
#define NAME_PART_MAX        32u
#define VERSION_MAX          64u
#define HEX_DIGITS           (2u * RUMPK_DIGEST_SIZE)

struct cursor {
    const char *at;
    const char *end;
};

struct field {
    const char *text;
    uint64_t size;
};

static bool field_is(struct field field, const char *text)
{
    uint64_t index = 0;

    for (; index < field.size && text[index] != '\0'; index++) {
        if (field.text[index] != text[index])
            return false;
    }
    return index == field.size && text[index] == '\0';
}

// The next line without its LF. False: there is none, or it has no LF.
static bool line_take(struct cursor *cursor, struct field *line)
{
    line->text = cursor->at;
    while (cursor->at < cursor->end && *cursor->at != '\n')
        cursor->at++;
    if (cursor->at == cursor->end)
        return false;
    line->size = (uint64_t)(cursor->at - line->text);
    cursor->at++;
    return true;
}

// Splits the first word off; the rest begins after exactly one space. False: no space, or nothing
// on one side of it.
static bool word_take(struct field *rest, struct field *word)
{
    uint64_t index = 0;

    while (index < rest->size && rest->text[index] != ' ')
        index++;
    if (index == 0 || index + 1 >= rest->size)
        return false;
    *word = (struct field){.text = rest->text, .size = index};
    rest->text += index + 1;
    rest->size -= index + 1;
    return true;
}

static bool has_space(struct field field)
{
    for (uint64_t index = 0; index < field.size; index++) {
        if (field.text[index] == ' ')
            return true;
    }
    return false;
}

// "KEY VALUE": is the key this one?
static bool header_take(struct cursor *cursor, const char *key, struct field *value)
{
    struct field word;

    return line_take(cursor, value) && word_take(value, &word) && field_is(word, key);
}

static bool number_parse(struct field field, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (field.size == 0 || field.size > 10 || (field.size > 1 && field.text[0] == '0'))
        return false;
    for (uint64_t index = 0; index < field.size; index++) {
        if (field.text[index] < '0' || field.text[index] > '9')
            return false;
        value = value * 10 + (uint64_t)(field.text[index] - '0');
    }
    *out = value;
    return value <= max;
}

// One part of a name: [a-z][a-z0-9]*(-[a-z0-9]+)*, at most 32 bytes.
static bool name_part_is_valid(struct field part)
{
    bool dash = true; // a dash may not come now

    if (part.size == 0 || part.size > NAME_PART_MAX || part.text[0] < 'a' || part.text[0] > 'z')
        return false;
    for (uint64_t index = 0; index < part.size; index++) {
        char byte = part.text[index];

        if (byte == '-' && dash)
            return false;
        if (byte != '-' && (byte < 'a' || byte > 'z') && (byte < '0' || byte > '9'))
            return false;
        dash = byte == '-';
    }
    return !dash;
}

static bool name_is_valid(struct field name)
{
    for (uint64_t index = 0; index < name.size; index++) {
        if (name.text[index] != '/')
            continue;
        return name_part_is_valid((struct field){name.text, index}) &&
               name_part_is_valid((struct field){name.text + index + 1, name.size - index - 1});
    }
    return false;
}

// The kernel compares versions only for equality, so the form is checked no further than its bytes.
static bool version_is_valid(struct field version)
{
    if (version.size == 0 || version.size > VERSION_MAX)
        return false;
    for (uint64_t index = 0; index < version.size; index++) {
        char byte = version.text[index];

        if ((byte < '0' || byte > '9') && (byte < 'a' || byte > 'z') &&
            (byte < 'A' || byte > 'Z') && byte != '.' && byte != '-')
            return false;
    }
    return true;
}

static bool kind_parse(struct field field, uint32_t *kind)
{
    static const char names[][8] = {"driver", "library", "kernel"};

    for (uint32_t index = 0; index < COUNT_OF(names); index++) {
        if (field_is(field, names[index])) {
            *kind = index + 1;
            return true;
        }
    }
    return false;
}

static bool archs_parse(struct field rest, uint32_t *mask)
{
#define ARCH_NAME(name, number, machine, relative)   name,
#define ARCH_NUMBER(name, number, machine, relative) number,
    static const char *const names[] = {ARCH_FORMATS(ARCH_NAME)}; // sorted
    static const uint8_t numbers[] = {ARCH_FORMATS(ARCH_NUMBER)};
#undef ARCH_NAME
#undef ARCH_NUMBER
    uint32_t next = 0;

    *mask = 0;
    for (;;) {
        struct field word = rest;
        bool more = has_space(rest);

        if (more && !word_take(&rest, &word))
            return false;
        while (next < COUNT_OF(names) && !field_is(word, names[next]))
            next++;
        if (next == COUNT_OF(names))
            return false;
        *mask |= RUMPK_ARCH_BIT(numbers[next]);
        next++;
        if (!more)
            return true;
    }
}

static bool source_is_valid(struct field field)
{
    if (field_is(field, "none"))
        return true;
    if (field.size > SOURCE_MAX || has_space(field))
        return false;
    for (uint64_t index = 1; index + 1 < field.size; index++) {
        if (field.text[index] == ':')
            return true;
    }
    return false;
}

static bool headers_parse(struct cursor *cursor, struct digests *out)
{
    struct field value;
    uint64_t number;

    if (!line_take(cursor, &value) || !field_is(value, FIRST_LINE))
        return false;
    if (!header_take(cursor, "kind", &value) || !kind_parse(value, &out->kind))
        return false;
    if (!header_take(cursor, "name", &value) || !name_is_valid(value))
        return false;
    memcpy(out->name, value.text, value.size);
    if (!header_take(cursor, "version", &value) || !version_is_valid(value))
        return false;
    memcpy(out->version, value.text, value.size);
    if (!header_take(cursor, "security-version", &value) ||
        !number_parse(value, SECURITY_VERSION_MAX, &number) || number == 0)
        return false;
    out->security_version = (uint32_t)number;
    if (!header_take(cursor, "abi", &value) || !number_parse(value, UINT32_MAX, &number))
        return false;
    out->abi_version = (uint32_t)number;
    if (!header_take(cursor, "arch", &value) || !archs_parse(value, &out->arch_mask))
        return false;
    if (!header_take(cursor, "toolchain", &value) || value.size > TOOLCHAIN_MAX || has_space(value))
        return false;
    return header_take(cursor, "source", &value) && source_is_valid(value);
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// "<64 hex> <size> <path>"
static bool file_parse(struct field rest, struct digests_file *out, struct field *path)
{
    struct field hex;
    struct field size;

    if (!word_take(&rest, &hex) || hex.size != HEX_DIGITS || !word_take(&rest, &size) ||
        !number_parse(size, FILE_SIZE_MAX, &out->size) || rest.size > PATH_MAX_BYTES ||
        has_space(rest))
        return false;
    for (uint32_t index = 0; index < RUMPK_DIGEST_SIZE; index++) {
        int high = hex_digit(hex.text[2 * index]);
        int low = hex_digit(hex.text[2 * index + 1]);

        if (high < 0 || low < 0)
            return false;
        out->digest[index] = (uint8_t)(high << 4 | low);
    }
    *path = rest;
    return true;
}

static int path_compare(struct field left, struct field right)
{
    uint64_t shorter = left.size < right.size ? left.size : right.size;
    int order = memcmp(left.text, right.text, shorter);

    if (order != 0 || left.size == right.size)
        return order;
    return left.size < right.size ? -1 : 1;
}

// All `file` lines, then all `beside` lines, each kind strictly sorted by path.
static bool files_check(struct cursor cursor)
{
    struct field last = {0};
    bool beside = false;

    while (cursor.at < cursor.end) {
        struct digests_file file;
        struct field line;
        struct field word;
        struct field path;

        if (!line_take(&cursor, &line) || !word_take(&line, &word))
            return false;
        if (!beside && field_is(word, "beside")) {
            beside = true;
            last = (struct field){0};
        }
        if (!field_is(word, beside ? "beside" : "file") || !file_parse(line, &file, &path))
            return false;
        if (last.text != NULL && path_compare(last, path) >= 0)
            return false;
        last = path;
    }
    return true;
}

enum rumpk_refusal digests_validate(const void *bytes, uint64_t size, struct digests *out)
{
    struct cursor cursor = {.at = bytes, .end = (const char *)bytes + size};

    *out = (struct digests){0};
    if (size == 0 || size > RUMPK_DIGESTS_SIZE_MAX)
        return RUMPK_REFUSE_DIGESTS_FORM;
    for (const char *at = cursor.at; at < cursor.end; at++) {
        if (*at != '\n' && (*at < 0x20 || *at > 0x7E))
            return RUMPK_REFUSE_DIGESTS_FORM;
    }
    if (!headers_parse(&cursor, out) || !files_check(cursor))
        return RUMPK_REFUSE_DIGESTS_FORM;
    out->files = (const uint8_t *)cursor.at;
    out->files_size = (uint64_t)(cursor.end - cursor.at);
    return RUMPK_REFUSE_NONE;
}

bool digests_find(const struct digests *digests, const char *path, struct digests_file *out)
{
    struct cursor cursor = {.at = (const char *)digests->files,
                            .end = (const char *)digests->files + digests->files_size};
    struct field line;
    struct field word;
    struct field found;

    while (line_take(&cursor, &line) && word_take(&line, &word) && field_is(word, "file")) {
        if (file_parse(line, out, &found) && field_is(found, path))
            return true;
    }
    return false;
}
