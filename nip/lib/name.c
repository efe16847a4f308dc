// SPDX-License-Identifier: Apache-2.0
//
// Names, versions and paths: the rules of the package format, nothing else.

#include "nip/name.h"

#include <stdio.h>
#include <string.h>

#include "checked.h"

_Static_assert(NIP_PATH_MAX == 100, "nip_path_problem() says 100");

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

// ---- names ----

bool nip_name_part_is_valid(const char *text, size_t size)
{
    if (size == 0 || size > NIP_NAME_PART_MAX || !is_lower(text[0]))
        return false;
    for (size_t i = 1; i < size; i++) {
        if (text[i] == '-' ? text[i - 1] == '-' || i + 1 == size
                           : !is_lower(text[i]) && !is_digit(text[i]))
            return false;
    }
    return true;
}

bool nip_name_is_valid(const char *text, size_t size)
{
    const char *slash = size > 0 ? memchr(text, '/', size) : NULL;
    if (slash == NULL)
        return false;
    size_t first_size = (size_t)(slash - text);
    return nip_name_part_is_valid(text, first_size) &&
           nip_name_part_is_valid(slash + 1, size - first_size - 1);
}

enum nip_code nip_name_check(const char *text, struct nip_error *err)
{
    size_t size = strlen(text);
    if (nip_name_is_valid(text, size))
        return NIP_OK;
    enum nip_code code = nip_error_set(err, NIP_ERROR_NAME, "'%s' is not a package name", text);
    if (strchr(text, '/') == NULL && nip_name_part_is_valid(text, size))
        nip_error_hint(err, "a name has two parts: namespace/name, for example local/%s", text);
    else
        nip_error_hint(err,
                       "a name is namespace/name; each part starts with a-z, goes on with a-z, 0-9 "
                       "and single '-' between them, and has at most %d bytes",
                       NIP_NAME_PART_MAX);
    return code;
}

// ---- versions ----

// A number without leading zeros. Advances *text.
static bool take_number(const char **text, const char *end, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;
    if (at == end || !is_digit(*at) || (*at == '0' && at + 1 < end && is_digit(at[1])))
        return false;
    for (; at < end && is_digit(*at); at++) {
        if (!nip_u64_multiply(value, 10, &value) ||
            !nip_u64_add(value, (uint64_t)(*at - '0'), &value))
            return false;
    }
    *text = at;
    *number = value;
    return true;
}

// Dot-separated identifiers of [0-9A-Za-z-]; numeric ones without leading zeros.
static bool prerelease_is_valid(const char *text, const char *end)
{
    while (text < end) {
        const char *start = text;
        bool is_numeric = true;
        for (; text < end && *text != '.'; text++) {
            bool is_letter = is_lower(*text) || (*text >= 'A' && *text <= 'Z') || *text == '-';
            if (!is_letter && !is_digit(*text))
                return false;
            is_numeric = is_numeric && !is_letter;
        }
        if (text == start || (is_numeric && *start == '0' && text - start > 1))
            return false;
        if (text == end)
            return true;
        text++; // the dot; something must follow it
    }
    return false;
}

static bool take_byte(const char **text, const char *end, char byte)
{
    if (*text == end || **text != byte)
        return false;
    (*text)++;
    return true;
}

bool nip_version_parse(const char *text, size_t size, struct nip_version *version)
{
    struct nip_version made = {0};
    const char *at = text, *end = text + size;
    if (size == 0 || size > NIP_VERSION_MAX)
        return false;
    if (!take_number(&at, end, &made.major) || !take_byte(&at, end, '.') ||
        !take_number(&at, end, &made.minor) || !take_byte(&at, end, '.') ||
        !take_number(&at, end, &made.patch))
        return false;
    if (at < end) {
        if (!take_byte(&at, end, '-') || !prerelease_is_valid(at, end))
            return false;
        memcpy(made.prerelease, at, (size_t)(end - at));
    }
    *version = made;
    return true;
}

bool nip_requirement_parse(const char *text, size_t size, struct nip_version *at_least)
{
    char full[NIP_VERSION_MAX + 5];
    size_t dots = 0;
    if (size == 0 || size > NIP_VERSION_MAX - 4)
        return false;
    for (size_t i = 0; i < size && text[i] != '-'; i++)
        dots += text[i] == '.';
    // What is left out is zero; a pre-release belongs to a whole version.
    if (dots < 2 && memchr(text, '-', size) != NULL)
        return false;
    snprintf(full, sizeof full, "%.*s%s", (int)size, text,
             dots == 0 ? ".0.0" : (dots == 1 ? ".0" : ""));
    if (strlen(full) < size || !nip_version_parse(full, strlen(full), at_least))
        return false;
    return at_least->major != 0 || dots == 2 || (dots == 1 && at_least->minor != 0);
}

enum nip_code nip_version_check(const char *text, struct nip_version *version,
                                struct nip_error *err)
{
    if (nip_version_parse(text, strlen(text), version))
        return NIP_OK;
    enum nip_code code = nip_error_set(err, NIP_ERROR_NAME, "'%s' is not a version", text);
    nip_error_hint(err,
                   "a version is MAJOR.MINOR.PATCH, perhaps followed by -PRERELEASE, for example "
                   "1.4.0 or 2.0.0-rc.1; build metadata (+...) is not allowed, nor more than %d "
                   "bytes",
                   NIP_VERSION_MAX);
    return code;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

// One identifier of a prerelease: numbers before texts, numbers by value (longer is greater, as
// there are no leading zeros), texts by bytes.
static int compare_identifiers(const char *a, size_t a_size, const char *b, size_t b_size)
{
    bool a_is_number = strspn(a, "0123456789") >= a_size;
    bool b_is_number = strspn(b, "0123456789") >= b_size;
    if (a_is_number != b_is_number)
        return a_is_number ? -1 : 1;
    if (a_is_number && a_size != b_size)
        return a_size < b_size ? -1 : 1;
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : compare_u64(a_size, b_size);
}

static int compare_prereleases(const char *a, const char *b)
{
    if (*a == '\0' || *b == '\0') // a release comes after its prereleases
        return (*a == '\0') - (*b == '\0');
    while (*a != '\0' && *b != '\0') {
        size_t a_size = strcspn(a, "."), b_size = strcspn(b, ".");
        int order = compare_identifiers(a, a_size, b, b_size);
        if (order != 0)
            return order;
        a += a_size + (a[a_size] == '.');
        b += b_size + (b[b_size] == '.');
    }
    return (*a != '\0') - (*b != '\0');
}

int nip_version_compare(const struct nip_version *a, const struct nip_version *b)
{
    int order = compare_u64(a->major, b->major);
    if (order == 0)
        order = compare_u64(a->minor, b->minor);
    if (order == 0)
        order = compare_u64(a->patch, b->patch);
    return order != 0 ? order : compare_prereleases(a->prerelease, b->prerelease);
}

bool nip_version_is_same_class(const struct nip_version *a, const struct nip_version *b)
{
    if (a->major != b->major)
        return false;
    if (a->major > 0)
        return true;
    if (a->minor != b->minor)
        return false;
    return a->minor > 0 || nip_version_compare(a, b) == 0;
}

// ---- paths ----

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

static const char *component_problem(const char *text, size_t size)
{
    if (size == 0)
        return "a part of it is empty";
    if (size == 1 && text[0] == '.')
        return "a part of it is '.'";
    if (size == 2 && text[0] == '.' && text[1] == '.')
        return "it leads out of the package by '..'";
    if (text[0] == '.')
        return "a part of it starts with '.'";
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\\')
            return "it has a backslash";
        if (text[i] == ' ')
            return "it has a space";
        if (!is_lower(fold(text[i])) && !is_digit(text[i]) && text[i] != '.' && text[i] != '_' &&
            text[i] != '-')
            return "it has a byte that is none of a-z A-Z 0-9 . _ - /";
    }
    return NULL;
}

const char *nip_path_problem(const char *text, size_t size)
{
    const char *end = text + size, *problem = NULL;
    if (size == 0)
        return "it is empty";
    if (size > NIP_PATH_MAX)
        return "it has more than 100 bytes";
    if (text[0] == '/')
        return "it is absolute";
    if (end[-1] == '/')
        return "it ends in '/', as a folder";
    for (const char *at = text; problem == NULL && at < end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        const char *stop = slash != NULL ? slash : end;
        problem = component_problem(at, (size_t)(stop - at));
        at = stop + 1;
    }
    return problem;
}

bool nip_path_is_valid(const char *text, size_t size)
{
    return nip_path_problem(text, size) == NULL;
}

bool nip_paths_collide(const char *a, const char *b)
{
    while (*a != '\0' && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return (*a == '\0' || *a == '/') && (*b == '\0' || *b == '/') && (*a == '\0' || *b == '\0');
}
