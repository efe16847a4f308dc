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
    SIZE_AT = 124,
    CHECKSUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
};

void nip_tar_header(const char *path, uint64_t size, uint8_t block[NIP_TAR_BLOCK_SIZE])
{
    static const uint8_t magic[] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};
    char number[16];
    memset(block, 0, NIP_TAR_BLOCK_SIZE);
    size_t path_size = strlen(path);
    memcpy(block, path, path_size < NAME_SIZE ? path_size : NAME_SIZE);
    memcpy(block + 100, "0000644", 8);
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

enum nip_code nip_tar_header_explain(const uint8_t block[NIP_TAR_BLOCK_SIZE], const char *path,
                                     struct nip_error *err)
{
    static const uint8_t zero[NIP_TAR_BLOCK_SIZE];
    const char *reason = "its header is not in the canonical form";
    if (memcmp(block, zero, sizeof zero) == 0)
        return nip_error_set(err, NIP_ERROR_FORMAT, "the archive ends where '%s' is expected",
                             path);
    if (memcmp(block + MAGIC_AT, "ustar  ", 7) == 0)
        reason = "its header is GNU tar's own form, not ustar";
    else if (memcmp(block + MAGIC_AT,
                    "ustar\0"
                    "00",
                    8) != 0)
        reason = "its header is not ustar";
    else if (block[TYPE_AT] == 'x' || block[TYPE_AT] == 'g')
        reason = "pax headers are not allowed";
    else if (block[TYPE_AT] == 'L' || block[TYPE_AT] == 'K' || block[TYPE_AT] == 'S')
        reason = "GNU extensions are not allowed";
    else if (block[TYPE_AT] == '1' || block[TYPE_AT] == '2')
        reason = "links are not allowed";
    else if (block[TYPE_AT] != '0')
        reason = "only regular files are allowed";
    else if (memcmp(block, path, strlen(path)) != 0 ||
             (strlen(path) < NAME_SIZE && block[strlen(path)] != '\0'))
        return nip_error_set(err, NIP_ERROR_FORMAT,
                             "the archive has the file '%.*s' where '%s' is "
                             "expected",
                             NAME_SIZE, (const char *)block, path);
    else if (memcmp(block + 100, "0000644", 8) != 0)
        reason = "its mode is not 0644";
    else if (memcmp(block + 136, "00000000000", 12) != 0)
        reason = "its time is not 0";
    return nip_error_set(err, NIP_ERROR_FORMAT, "the entry '%s' is refused: %s", path, reason);
}

size_t nip_tar_padding(uint64_t size)
{
    return (size_t)(-size % NIP_TAR_BLOCK_SIZE);
}
