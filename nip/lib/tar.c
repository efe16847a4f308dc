// SPDX-License-Identifier: Apache-2.0
//
// The canonical ustar header, byte by byte (POSIX.1-1988, the part that packages use):
//
//     0 name 100 | 100 mode "0000644" | 108 uid | 116 gid | 124 size, 11 octal digits | 136 mtime 0
//   148 checksum, 6 octal digits, NUL, space | 156 type '0' | 157 link name | 257 "ustar" NUL "00"
//   265 user | 297 group | 329 device major | 337 device minor | 345 prefix | 500 unused
//
// This is what `tar --format=ustar --mode=0644 --owner=0 --group=0 --numeric-owner --mtime=@0`
// writes. No library is used: one would accept far more than this, and would still need this
// comparison.

#include "tar.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 100,
    MODE_AT = 100,
    SIZE_AT = 124,
    CHECKSUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
};

static const uint8_t magic[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

void nip_tar_header(const char *path, uint64_t size, uint8_t block[NIP_TAR_BLOCK_SIZE])
{
    char number[16];
    memset(block, 0, NIP_TAR_BLOCK_SIZE);
    size_t path_size = strlen(path);
    memcpy(block, path, path_size < NAME_SIZE ? path_size : NAME_SIZE);
    memcpy(block + MODE_AT, "0000644", 8);
    memcpy(block + 108, "0000000", 8);
    memcpy(block + 116, "0000000", 8);
    snprintf(number, sizeof number, "%011llo", (unsigned long long)(size & 077777777777));
    memcpy(block + SIZE_AT, number, 12);
    memcpy(block + 136, "00000000000", 12);
    memset(block + CHECKSUM_AT, ' ', 8);
    block[TYPE_AT] = '0';
    memcpy(block + MAGIC_AT, magic, sizeof magic);
    memcpy(block + 329, "0000000", 8);
    memcpy(block + 337, "0000000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < NIP_TAR_BLOCK_SIZE; i++)
        sum += block[i];
    snprintf(number, sizeof number, "%06o", sum);
    memcpy(block + CHECKSUM_AT, number, 7);
}

bool nip_tar_header_matches(const uint8_t block[NIP_TAR_BLOCK_SIZE], const char *path,
                            uint64_t size_max, uint64_t *size)
{
    uint8_t expected[NIP_TAR_BLOCK_SIZE];
    uint64_t value = 0;
    for (size_t i = SIZE_AT; i < SIZE_AT + 11; i++) {
        if (block[i] < '0' || block[i] > '7')
            return false;
        value = value << 3 | (uint64_t)(block[i] - '0'); // 33 bits
    }
    nip_tar_header(path, value, expected);
    if (value > size_max || memcmp(block, expected, NIP_TAR_BLOCK_SIZE) != 0)
        return false;
    *size = value;
    return true;
}

// ---- saying why ----

bool nip_tar_header_is_regular(const uint8_t block[NIP_TAR_BLOCK_SIZE])
{
    return memcmp(block + MAGIC_AT, magic, sizeof magic) == 0 && block[TYPE_AT] == '0';
}

// Fields that have one value in every header.
static const struct {
    uint16_t at, size;
    const char *reason;
} fixed_fields[] = {
    {108, 8, "its owner is not 0"},
    {116, 8, "its group is not 0"},
    {136, 12, "its time is not 0"},
    {157, 100, "it names the target of a link"},
    {265, 32, "its owner has a name"},
    {297, 32, "its group has a name"},
    {329, 16, "it has device numbers"},
    {345, 155, "its path has a prefix"},
    {500, 12, "the unused end of its header is not zero"},
};

static const char *magic_problem(const uint8_t *block)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *reason;
    } nested[] = {
        {"\x28\xb5\x2f\xfd", 4, "it is another zstd frame, and nothing is compressed twice"},
        {"\x1f\x8b", 2, "it is compressed by gzip, and nothing is compressed twice"},
        {"\xfd"
         "7zXZ",
         5, "it is compressed by xz, and nothing is compressed twice"},
    };
    for (size_t i = 0; i < sizeof nested / sizeof nested[0]; i++)
        if (memcmp(block, nested[i].bytes, nested[i].size) == 0)
            return nested[i].reason;
    if (memcmp(block + MAGIC_AT, "ustar  ", 7) == 0)
        return "its header is GNU tar's own form, not ustar";
    return "its header is not ustar";
}

static const char *type_problem(uint8_t type)
{
    switch (type) {
    case '\0':
        return "it is a file of tar's old form";
    case '1':
        return "hard links are not allowed";
    case '2':
        return "symbolic links are not allowed";
    case '3':
        return "character devices are not allowed";
    case '4':
        return "block devices are not allowed";
    case '5':
        return "folders are not allowed, only the files in them";
    case '6':
        return "FIFOs are not allowed";
    case '7':
        return "contiguous files are not allowed";
    case 'x':
        return "pax headers are not allowed";
    case 'g':
        return "global pax headers are not allowed";
    case 'L':
        return "long names, a GNU extension, are not allowed";
    case 'K':
        return "long links, a GNU extension, are not allowed";
    case 'S':
        return "sparse files, a GNU extension, are not allowed";
    case 'D':
    case 'M':
    case 'N':
    case 'V':
        return "GNU extensions are not allowed";
    default:
        return "only regular files are allowed";
    }
}

static const char *mode_problem(const uint8_t *mode)
{
    unsigned bits = 0;
    for (size_t i = 0; i < 7; i++)
        bits = bits << 3 | (mode[i] & 7u);
    if ((bits & 04000) != 0)
        return "it is setuid, its mode is not 0644";
    if ((bits & 02000) != 0)
        return "it is setgid, its mode is not 0644";
    if ((bits & 0111) != 0)
        return "it is executable, its mode is not 0644";
    return "its mode is not 0644";
}

static enum nip_code explain_size(const uint8_t *digits, const char *path, uint64_t size,
                                  bool is_exact, struct nip_error *err)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 12; i++) {
        if (i == 11 ? digits[i] != 0 : digits[i] < '0' || digits[i] > '7')
            return nip_error_set(err, NIP_ERROR_FORMAT, "the entry '%s' is refused: its size is %s",
                                 path,
                                 digits[0] == '-'   ? "negative"
                                 : digits[0] > 0x7f ? "in binary, a GNU extension"
                                                    : "not 11 octal digits");
        if (i < 11)
            value = value << 3 | (uint64_t)(digits[i] - '0');
    }
    if (is_exact ? value != size : value > size)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "the entry '%s' is refused: it says %llu bytes, where %s%llu are %s",
                             path, (unsigned long long)value, is_exact ? "" : "at most ",
                             (unsigned long long)size, is_exact ? "signed" : "allowed");
    return nip_error_set(err, NIP_ERROR_FORMAT, "the entry '%s' is refused: its checksum is wrong",
                         path);
}

enum nip_code nip_tar_header_explain(const uint8_t block[NIP_TAR_BLOCK_SIZE], const char *path,
                                     uint64_t size, bool is_exact, struct nip_error *err)
{
    static const uint8_t zero[NIP_TAR_BLOCK_SIZE];
    uint8_t expected[NIP_TAR_BLOCK_SIZE];
    const char *reason = NULL;
    nip_tar_header(path, size, expected);
    if (memcmp(block, zero, sizeof zero) == 0)
        return nip_error_set(err, NIP_ERROR_FORMAT, "the archive ends where '%s' is expected",
                             path);
    if (memcmp(block + MAGIC_AT, magic, sizeof magic) != 0)
        reason = magic_problem(block);
    else if (block[TYPE_AT] != '0')
        reason = type_problem(block[TYPE_AT]);
    else if (memcmp(block, expected, NAME_SIZE) != 0)
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "the archive has the file '%.*s' where '%s' is expected", NAME_SIZE,
                             (const char *)block, path);
    else if (memcmp(block + MODE_AT, expected + MODE_AT, 8) != 0)
        reason = mode_problem(block + MODE_AT);
    for (size_t i = 0; reason == NULL && i < sizeof fixed_fields / sizeof fixed_fields[0]; i++)
        if (memcmp(block + fixed_fields[i].at, expected + fixed_fields[i].at,
                   fixed_fields[i].size) != 0)
            reason = fixed_fields[i].reason;
    if (reason == NULL)
        return explain_size(block + SIZE_AT, path, size, is_exact, err);
    return nip_error_set(err, NIP_ERROR_FORMAT, "the entry '%s' is refused: %s", path, reason);
}

size_t nip_tar_padding(uint64_t size)
{
    return (size_t)(-size % NIP_TAR_BLOCK_SIZE);
}
