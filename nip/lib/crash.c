// SPDX-License-Identifier: Apache-2.0
//
// Finding fault records in JSON or in the lines of a log.

#include "nip/crash.h"

#include <stdio.h>
#include <string.h>

#include "nip/json.h"
#include "nip/manifest.h"

static const char offset_mark[] = "driver.elf+0x", id_mark[] = "build-id ",
                  fault_mark[] = "faulted";

// A word of capital letters, such as the name of a fault.
static bool is_fault_word(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= 'A' && text[i] <= 'Z') || text[i] == '_'))
            return false;
    return size > 0 && size < NIP_CRASH_WORD_SIZE;
}

static bool is_build_id(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false;
    return size >= 4 && size % 2 == 0 && size <= (size_t)2 * NIP_ELF_BUILD_ID_MAX;
}

static void copy(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    out[size] = '\0';
}

static void set_name(struct nip_crash_fault *fault, const char *text, size_t size)
{
    if (size <= NIP_NAME_MAX && nip_name_is_valid(text, size))
        copy(fault->name, text, size);
}

static void set_version(struct nip_crash_fault *fault, const char *text, size_t size)
{
    struct nip_version version;
    if (size <= NIP_VERSION_MAX && nip_version_parse(text, size, &version))
        copy(fault->version, text, size);
}

static void set_arch(struct nip_crash_fault *fault, const char *text, size_t size)
{
    char word[NIP_CRASH_WORD_SIZE];
    uint32_t arch;
    if (size >= sizeof word)
        return;
    copy(word, text, size);
    if (nip_arch_from_name(word, &arch))
        copy(fault->arch, text, size);
}

static void put(struct nip_crash *crash, const struct nip_crash_fault *fault)
{
    if (crash->count < NIP_CRASH_FAULTS_MAX)
        crash->faults[crash->count++] = *fault;
    else
        crash->dropped++;
}

// ---- lines ----

static const char *find(const char *text, size_t size, const char *mark)
{
    return memmem(text, size, mark, strlen(mark));
}

// The next word from *at on: its size, 0 at the end of the line.
static size_t next_word(const char **at, const char *end)
{
    while (*at < end && (**at == ' ' || **at == '\t'))
        ++*at;
    size_t size = 0;
    while (*at + size < end && (*at)[size] != ' ' && (*at)[size] != '\t')
        size++;
    return size;
}

// At most 16 hexadecimal digits.
static bool read_offset(const char *at, const char *end, uint64_t *offset)
{
    size_t count = 0;
    *offset = 0;
    for (; at + count < end; count++) {
        char c = at[count];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                                                : 16;
        if (digit == 16)
            break;
        if (count == 16)
            return false;
        *offset = *offset << 4 | digit;
    }
    return count > 0;
}

static void read_line(const char *line, size_t size, struct nip_crash *crash)
{
    const char *end = line + size, *at = find(line, size, offset_mark);
    struct nip_crash_fault fault = {.has_offset = true};
    if (at == NULL || !read_offset(at + sizeof offset_mark - 1, end, &fault.offset))
        return;
    const char *of = find(at, (size_t)(end - at), " of ");
    if (of != NULL) {
        of += 4;
        size_t length = next_word(&of, end);
        while (length > 0 && (of[length - 1] == ',' || of[length - 1] == ';'))
            length--;
        set_arch(&fault, of, length);
    }
    const char *id = find(line, size, id_mark);
    if (id != NULL) {
        id += sizeof id_mark - 1;
        size_t length = 0;
        while (id + length < end && ((id[length] >= '0' && id[length] <= '9') ||
                                     (id[length] >= 'a' && id[length] <= 'f')))
            length++;
        if (is_build_id(id, length))
            copy(fault.build_id, id, length);
    }
    const char *who = find(line, (size_t)(at - line), fault_mark);
    if (who != NULL) {
        who += sizeof fault_mark - 1;
        size_t length = next_word(&who, at);
        size_t name_size = length > 0 && who[length - 1] == ':' ? length - 1 : length;
        set_name(&fault, who, name_size);
        if (name_size == length) {
            who += length;
            length = next_word(&who, at);
            if (length > 0 && who[length - 1] == ':')
                set_version(&fault, who, length - 1);
        }
        who += length;
        length = next_word(&who, at);
        if (length > 0 && who[length - 1] == ':' && is_fault_word(who, length - 1))
            copy(fault.fault, who, length - 1);
    }
    put(crash, &fault);
}

static void scan_lines(const char *text, size_t size, struct nip_crash *crash)
{
    for (const char *end = text + size; text < end;) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (stop == NULL)
            stop = end;
        read_line(text, (size_t)(stop - text), crash);
        text = stop < end ? stop + 1 : end;
    }
}

// ---- JSON ----

static void read_package(const struct nip_json *package, const char *arch, struct nip_crash *crash)
{
    struct nip_crash_fault fault = {0};
    const char *name = nip_json_get_text(package, "name");
    const char *version = nip_json_get_text(package, "version");
    const char *code = nip_json_get_text(package, "code");
    const char *id = nip_json_get_text(package, "build_id");
    const char *outcome = nip_json_get_text(package, "outcome");
    if (outcome == NULL || strcmp(outcome, "faulted") != 0)
        return;
    if (name != NULL)
        set_name(&fault, name, strlen(name));
    if (version != NULL)
        set_version(&fault, version, strlen(version));
    if (arch != NULL)
        set_arch(&fault, arch, strlen(arch));
    if (code != NULL && is_fault_word(code, strlen(code)))
        copy(fault.fault, code, strlen(code));
    if (id != NULL && is_build_id(id, strlen(id)))
        copy(fault.build_id, id, strlen(id));
    fault.has_offset = nip_json_get_u64(package, "pc_offset", &fault.offset);
    put(crash, &fault);
}

static enum nip_code scan_json(const char *text, size_t size, const char *what,
                               struct nip_crash *crash, struct nip_error *err)
{
    struct nip_json *json = NULL;
    enum nip_code code = nip_json_parse(text, size, what, &json, err);
    const char *schema = nip_json_get_text(json, "schema");
    if (code == NIP_OK && (schema == NULL || strcmp(schema, "nip-run-1") != 0)) {
        code = nip_error_set(err, NIP_ERROR_FORMAT, "%s is not what 'nip run --json' prints", what);
        nip_error_hint(err, "its `schema` must be nip-run-1");
    }
    const struct nip_json *runs = nip_json_get(json, "runs");
    for (size_t i = 0; code == NIP_OK && i < nip_json_count(runs); i++) {
        const struct nip_json *run = nip_json_at(runs, i);
        const struct nip_json *packages = nip_json_get(run, "packages");
        for (size_t k = 0; k < nip_json_count(packages); k++)
            read_package(nip_json_at(packages, k), nip_json_get_text(run, "arch"), crash);
    }
    nip_json_free(json);
    return code;
}

enum nip_code nip_crash_scan(const char *text, size_t size, const char *what,
                             struct nip_crash *crash, struct nip_error *err)
{
    memset(crash, 0, sizeof *crash);
    if (size > NIP_CRASH_TEXT_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "%s has more than %zu MiB", what,
                             NIP_CRASH_TEXT_MAX >> 20);
    size_t blank = 0;
    while (blank < size && strchr(" \t\r\n", text[blank]) != NULL && text[blank] != '\0')
        blank++;
    enum nip_code code = NIP_OK;
    if (blank < size && text[blank] == '{')
        code = scan_json(text, size, what, crash, err);
    else
        scan_lines(text, size, crash);
    if (code == NIP_OK && crash->count == 0) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "there is no fault in %s", what);
        nip_error_hint(err,
                       "give what 'nip run' or 'nip run --json' has printed, or a log with it");
    }
    return code;
}

void nip_build_id_text(const uint8_t *build_id, size_t size, char *out)
{
    for (size_t i = 0; i < size && i < NIP_ELF_BUILD_ID_MAX; i++)
        snprintf(out + 2 * i, 3, "%02x", build_id[i]);
    out[2 * (size < NIP_ELF_BUILD_ID_MAX ? size : NIP_ELF_BUILD_ID_MAX)] = '\0';
}
