// SPDX-License-Identifier: Apache-2.0
//
// hostile-package: from one good package, every hostile one: signed with the same key (where there
// is anything to sign), so that each is refused for what is wrong with it and for nothing else.
//
//   hostile-package BASE.npl SECRET-KEY FOLDER
//
// Writes FOLDER/NAME.npl and FOLDER/index: per line NAME, tab, group, tab, a part of the reason
// that nip must give. tests/nip/hostile.py plays them against nip. The key has no password.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

#include "nip/fs.h"
#include "nip/package.h"
#include "tar.h"
#include "zstd_frame.h"

enum { FILES_MAX = 64, INPUT_SIZE_MAX = 64 << 20, KEY_FILE_SIZE_MAX = 4096 };

struct entry {
    const char *path;
    const uint8_t *data;
    size_t size;
};

static struct nip_error err;
static struct nip_secret_key secret;
static struct nip_package *base;
static struct entry files[FILES_MAX];
static size_t file_count;
static const char *folder;
static FILE *list;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "hostile-package: %s: %s\n", what, err.message);
    exit(1);
}

static void must(enum nip_code code, const char *what)
{
    if (code != NIP_OK)
        fail(what);
}

// ---- putting together ----

static void emit(const char *name, const char *group, const char *reason, const void *data,
                 size_t size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.npl", folder, name);
    must(nip_fs_create(path, data, size, 0644, &err), path);
    fprintf(list, "%s\t%s\t%s\n", name, group, reason);
}

static void append_entry(struct nip_buffer *tar, const struct entry *entry)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    nip_tar_header(entry->path, entry->size, block);
    nip_buffer_append(tar, block, sizeof block);
    nip_buffer_append(tar, entry->data, entry->size);
    nip_buffer_append_fill(tar, 0, nip_tar_padding(entry->size));
}

// The two texts at the front: `digests` and its signature.
static void append_front(struct nip_buffer *tar, const char *text, size_t size)
{
    const struct nip_digests *known = nip_package_digests(base);
    struct nip_signature signature;
    struct nip_buffer signature_text = {0};
    must(nip_signature_make(&secret, text, size, known->name, known->version, &signature, &err),
         "signing");
    nip_signature_print(&signature, &signature_text);
    struct entry front[2] = {
        {NIP_PACKAGE_SIGNATURE_PATH, signature_text.data, signature_text.size},
        {NIP_PACKAGE_DIGESTS_PATH, (const uint8_t *)text, size},
    };
    append_entry(tar, &front[0]);
    append_entry(tar, &front[1]);
    nip_buffer_free(&signature_text);
}

// The whole tar with these `digests` and the base's files.
static void make_tar(struct nip_buffer *tar, const char *text, size_t size)
{
    append_front(tar, text, size);
    for (size_t i = 0; i < file_count; i++)
        append_entry(tar, &files[i]);
    nip_buffer_append_fill(tar, 0, NIP_TAR_END_SIZE);
    must(nip_buffer_check(tar, "the archive", &err), "the archive");
}

static void good_tar(struct nip_buffer *tar)
{
    size_t size;
    const char *text = nip_package_digests_text(base, &size);
    make_tar(tar, text, size);
}

static void emit_tar(const char *name, const char *group, const char *reason,
                     const struct nip_buffer *tar)
{
    struct nip_buffer npl = {0};
    must(nip_zstd_compress(tar->data, tar->size, &npl, &err), name);
    emit(name, group, reason, npl.data, npl.size);
    nip_buffer_free(&npl);
}

// Where the first content file's header is.
static size_t first_header(void)
{
    size_t size, signature_size;
    nip_package_digests_text(base, &size);
    nip_package_signature_text(base, &signature_size);
    return 2 * (size_t)NIP_TAR_BLOCK_SIZE + signature_size + nip_tar_padding(signature_size) +
           size + nip_tar_padding(size);
}

static void repair_checksum(uint8_t *block)
{
    unsigned sum = 0;
    char digits[16];
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < NIP_TAR_BLOCK_SIZE; i++)
        sum += block[i];
    snprintf(digits, sizeof digits, "%06o", sum);
    memcpy(block + 148, digits, 7);
}

// ---- the signed list ----

static void emit_text(const char *name, const char *reason, const char *text, size_t size)
{
    struct nip_buffer tar = {0};
    make_tar(&tar, text, size);
    emit_tar(name, "list", reason, &tar);
    nip_buffer_free(&tar);
}

static void change_list(const char *name, const char *find, const char *replace, const char *reason)
{
    size_t size;
    const char *text = nip_package_digests_text(base, &size);
    const char *at = strstr(text, find);
    if (at == NULL)
        fail(name);
    struct nip_buffer changed = {0};
    nip_buffer_append(&changed, text, (size_t)(at - text));
    nip_buffer_append_text(&changed, replace);
    nip_buffer_append_text(&changed, at + strlen(find));
    emit_text(name, reason, nip_buffer_text(&changed), changed.size);
    nip_buffer_free(&changed);
}

#define LONG_PART "aaaaaaaaaaaaaaaaaaaaaaaaa"
static void lists(void)
{
    static const char *const paths[][3] = {
        {"name-traversal", "../npl.kdl", "leads out of the package by '..'"},
        {"name-traversal-inside", "a/../../npl.kdl", "leads out of the package by '..'"},
        {"name-absolute", "/etc/npl.kdl", "it is absolute"},
        {"name-empty-component", "a//npl.kdl", "a part of it is empty"},
        {"name-dot-component", "./npl.kdl", "a part of it is '.'"},
        {"name-dot-file", ".npl.kdl", "a part of it starts with '.'"},
        {"name-folder", "npl.kdl/", "it ends in '/', as a folder"},
        {"name-backslash", "a\\npl.kdl", "it has a backslash"},
        {"name-control-character", "npl\x1b[31m.kdl", "the byte 0x1b may not stand in digests"},
        {"name-delete-character", "npl\x7f.kdl", "the byte 0x7f may not stand in digests"},
        {"name-not-ascii", "npl\xc3\xa4.kdl", "the byte 0xc3 may not stand in digests"},
        {"name-space", "npl kdl", "it has a space"},
        {"name-other-byte", "npl:kdl", "it has a byte that is none of a-z"},
        {"name-empty", "", "it is empty"},
        {"name-case-collision", "NPL.BKDL", "only in upper and lower case"},
        {"name-duplicate", "npl.bkdl", "the path 'npl.bkdl' is listed twice"},
        {"name-file-is-folder", "npl.bkdl/x", "one would be a file and a folder"},
        {"name-taken", "digests", "is taken by the package's own 'digests'"},
        {"name-too-long", LONG_PART LONG_PART LONG_PART LONG_PART "a",
         "it has more than 100 bytes"},
        {"name-too-deep",
         "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"
         "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a",
         "it has more than 100 bytes"},
        {"order-of-list", "0", "the paths are not sorted by their bytes"},
    };
    static const char *const texts[][4] = {
        {"list-another-format", "rumpk-digests 1", "rumpk-digests 2",
         "was made for another release"},
        {"list-no-format", "rumpk-digests 1\n", "", "this is not 'rumpk-digests 1'"},
        {"list-unknown-header", "source ", "colour blue\nsource ", "expected a line 'source"},
        {"list-repeated-header", "kind driver\n", "kind driver\nkind driver\n",
         "expected a line 'name"},
        {"list-missing-header", "kind driver\n", "", "expected a line 'kind"},
        {"list-carriage-return", "kind driver\n", "kind driver\r\n",
         "the byte 0x0d may not stand in digests"},
        {"list-two-spaces", "kind driver", "kind  driver", "unknown kind"},
        {"list-other-name", "\nname ", "\nname a", "SIGNATURE"},
        {"list-negative-size", "-1", "is never negative", "SIZE"},
        {"list-huge-size", "1073741825", "a size is at most 1073741824", "SIZE"},
        {"list-overflowing-size", "18446744073709551617", "a size is at most 1073741824", "SIZE"},
        {"list-leading-zero", "007", "a size has no leading zeros", "SIZE"},
        {"list-hexadecimal-size", "0x7", "a size is made of decimal digits only", "SIZE"},
    };
    char replaced[256];
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(replaced, sizeof replaced, " %s\n", paths[i][1]);
        change_list(paths[i][0], " npl.kdl\n", replaced, paths[i][2]);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *reason = texts[i][3];
        if (strcmp(reason, "SIZE") == 0) {
            const struct nip_digests_file *file =
                nip_digests_file(nip_package_digests(base), "npl.kdl");
            char find[64];
            snprintf(find, sizeof find, " %llu npl.kdl\n", (unsigned long long)file->size);
            snprintf(replaced, sizeof replaced, " %s npl.kdl\n", texts[i][1]);
            change_list(texts[i][0], find, replaced, texts[i][2]);
        } else {
            change_list(texts[i][0], texts[i][1], texts[i][2],
                        strcmp(reason, "SIGNATURE") == 0 ? "signature" : reason);
        }
    }
}

// Lists that are well formed, and contradict the archive, or ask for too much.
static void contradictions(void)
{
    const struct nip_digests_file *file = nip_digests_file(nip_package_digests(base), "npl.kdl");
    char find[256], replaced[512], digest[NIP_DIGEST_TEXT_SIZE];
    nip_digest_text(file->digest, digest);
    snprintf(find, sizeof find, "file %s %llu npl.kdl\n", digest, (unsigned long long)file->size);
    change_list("unlisted-file-more", find, "", "there is more in it than is listed");
    snprintf(replaced, sizeof replaced, "%sfile %s 0 npl.other\n", find, digest);
    change_list("missing-file", find, replaced, "a listed file is missing or too short");
    snprintf(replaced, sizeof replaced, "file %s %llu npl.kdl\n", digest,
             (unsigned long long)file->size + 600);
    change_list("lying-size", find, replaced, "a listed file is missing or too short");
    snprintf(replaced, sizeof replaced, "file %s %llu npl.kdl\n", digest,
             (unsigned long long)file->size ^ 1);
    change_list("lying-size-same-blocks", find, replaced,
                "the entry 'npl.kdl' is refused: it says");
    snprintf(replaced, sizeof replaced, "file %s 1073741824 npl.kdl\n", digest);
    change_list("bomb-by-listed-size", find, replaced, "but its signed list makes 1073");
    digest[0] = digest[0] == '0' ? '1' : '0';
    snprintf(replaced, sizeof replaced, "file %s %llu npl.kdl\n", digest,
             (unsigned long long)file->size);
    change_list("lying-digest", find, replaced,
                "the content of 'npl.kdl' does not have the signed digest");
    // As many files as fit, and one more.
    struct nip_buffer many = {0};
    size_t size;
    const char *text = nip_package_digests_text(base, &size);
    const char *at = strstr(text, "file ");
    nip_buffer_append(&many, text, (size_t)(at - text));
    for (unsigned i = 0; many.size <= NIP_DIGESTS_SIZE_MAX; i++)
        nip_buffer_append_format(&many, "file %s 0 n%05u\n", digest, i);
    emit_text("bomb-by-count", "where at most 65536 are allowed", nip_buffer_text(&many),
              many.size);
    nip_buffer_free(&many);
}

// ---- the tar ----

static void headers(void)
{
    static const struct {
        const char *name;
        size_t offset, size;
        const char *bytes, *reason;
    } table[] = {
        {"link-hard", 156, 1, "1", "hard links are not allowed"},
        {"link-symbolic", 156, 1, "2", "symbolic links are not allowed"},
        {"device-character", 156, 1, "3", "character devices are not allowed"},
        {"device-block", 156, 1, "4", "block devices are not allowed"},
        {"folder", 156, 1, "5", "folders are not allowed"},
        {"fifo", 156, 1, "6", "FIFOs are not allowed"},
        {"contiguous-file", 156, 1, "7", "contiguous files are not allowed"},
        {"old-style-file", 156, 1, "\0", "a file of tar's old form"},
        {"pax-header", 156, 1, "x", "refused: pax headers"},
        {"pax-global-header", 156, 1, "g", "global pax headers"},
        {"gnu-long-name", 156, 1, "L", "long names, a GNU extension"},
        {"gnu-long-link", 156, 1, "K", "long links, a GNU extension"},
        {"gnu-sparse", 156, 1, "S", "sparse files, a GNU extension"},
        {"gnu-dump-folder", 156, 1, "D", "GNU extensions are not allowed"},
        {"unknown-type", 156, 1, "Z", "only regular files are allowed"},
        {"gnu-magic", 257, 8, "ustar  ", "GNU tar's own form"},
        {"v7-magic", 257, 8, "\0\0\0\0\0\0\0", "not ustar"},
        {"archived-other-name", 0, 17, "../../etc/passwd",
         "the file '../../etc/passwd', which its signed list does not name"},
        {"archived-absolute-name", 0, 12, "/etc/passwd",
         "the file '/etc/passwd', which its signed list does not name"},
        {"setuid", 100, 8, "0004755", "it is setuid"},
        {"setgid", 100, 8, "0002644", "it is setgid"},
        {"executable", 100, 8, "0000755", "it is executable"},
        {"owner", 108, 8, "0001750", "its owner is not 0"},
        {"group", 116, 8, "0000001", "its group is not 0"},
        {"owner-name", 265, 5, "root", "its owner has a name"},
        {"group-name", 297, 5, "root", "its group has a name"},
        {"device-numbers", 329, 8, "0000001", "it has device numbers"},
        {"mode-without-write", 100, 8, "0000444", "refused: its mode is not 0644"},
        {"time", 136, 12, "00000000001", "its time is not 0"},
        {"prefix", 345, 7, "../../a", "its path has a prefix"},
        {"rest-of-header", 500, 1, "x", "the unused end of its header is not zero"},
        {"link-target", 157, 7, "target", "it names the target of a link"},
        {"archived-size-less", 124, 12, "00000000001", "it says 1 bytes, where"},
        {"archived-size-huge", 124, 12, "77777777777", "it says 8589934591 bytes, where"},
        {"archived-size-negative", 124, 12, "-0000000010", "its size is negative"},
        {"archived-size-binary", 124, 12, "\x80\0\0\0\0\0\0\0\0\0\0\x08", "its size is in binary"},
        {"archived-size-decimal", 124, 12, "00000000008", "its size is not 11 octal digits"},
    };
    size_t at = first_header();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_buffer tar = {0};
        good_tar(&tar);
        memcpy(tar.data + at + table[i].offset, table[i].bytes, table[i].size);
        repair_checksum(tar.data + at);
        emit_tar(table[i].name, "header", table[i].reason, &tar);
        nip_buffer_free(&tar);
    }
}

static void archives(void)
{
    struct nip_buffer tar = {0}, other = {0};
    size_t at = first_header(), size;
    const char *text = nip_package_digests_text(base, &size);
    good_tar(&tar);
    // The same size, wrong places.
    append_front(&other, text, size);
    for (size_t i = file_count; i-- > 0;)
        append_entry(&other, &files[i]);
    nip_buffer_append_fill(&other, 0, NIP_TAR_END_SIZE);
    emit_tar("order-of-archive", "archive", "where 'LICENSES/", &other);
    nip_buffer_clear(&other);

    nip_buffer_append(&other, tar.data, tar.size);
    other.data[at + NIP_TAR_BLOCK_SIZE] ^= 1;
    emit_tar("content-changed", "archive", "does not have the signed digest", &other);
    other.data[at + NIP_TAR_BLOCK_SIZE] ^= 1;
    other.data[at - 1] = 1;
    emit_tar("padding-not-zero", "archive", "padding behind 'digests' is not zero", &other);
    other.data[at - 1] = 0;
    other.data[other.size - 1] = 1;
    emit_tar("data-in-end-marker", "archive", "goes on where its end is expected", &other);
    other.data[other.size - 1] = 0;
    nip_buffer_append_byte(&other, 1);
    emit_tar("data-after-end-marker", "archive", "there is more in it than is listed", &other);
    other.size = tar.size;
    nip_buffer_append_fill(&other, 0, NIP_TAR_BLOCK_SIZE);
    emit_tar("third-zero-block", "archive", "there is more in it than is listed", &other);
    other.size = tar.size;
    nip_buffer_append(&other, tar.data, tar.size);
    emit_tar("second-archive", "archive", "there is more in it than is listed", &other);
    other.size = tar.size - NIP_TAR_BLOCK_SIZE;
    emit_tar("one-zero-block", "archive", "a listed file is missing or too short", &other);
    other.size = 3 * (size_t)NIP_TAR_BLOCK_SIZE;
    emit_tar("archive-cut", "archive", "ends too early", &other);
    // `digests` before its signature; and a signature file without end.
    nip_buffer_clear(&other);
    nip_buffer_append(&other, tar.data + 2 * (size_t)NIP_TAR_BLOCK_SIZE,
                      tar.size - 2 * (size_t)512);
    emit_tar("signature-missing", "archive", "where 'digests.minisig' is expected", &other);
    nip_buffer_clear(&other);
    nip_buffer_append(&other, tar.data, tar.size);
    nip_tar_header(NIP_PACKAGE_SIGNATURE_PATH, 1 << 20, other.data);
    emit_tar("signature-huge", "archive", "it says 1048576 bytes, where at most", &other);
    nip_buffer_free(&other);
    nip_buffer_free(&tar);
}

// The base under names that are not listed, with every size as signed.
static void unlisted(void)
{
    struct nip_buffer tar = {0};
    struct entry saved = files[file_count - 1];
    good_tar(&tar);
    tar.size -= NIP_TAR_END_SIZE + NIP_TAR_BLOCK_SIZE + saved.size + nip_tar_padding(saved.size);
    struct entry other = {"zebra", saved.data, saved.size};
    append_entry(&tar, &other);
    nip_buffer_append_fill(&tar, 0, NIP_TAR_END_SIZE);
    emit_tar("unlisted-file", "archive", "the file 'zebra', which its signed list does not name",
             &tar);
    nip_buffer_clear(&tar);
    good_tar(&tar);
    tar.data[first_header() + 148] ^= 1;
    emit_tar("archived-checksum", "archive", "its checksum is wrong", &tar);
    nip_buffer_free(&tar);
}

// ---- the frame ----

static void compress_as(const struct nip_buffer *tar, int checksum, int content_size,
                        int window_log, struct nip_buffer *out)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, content_size);
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    uint8_t *room = nip_buffer_extend(out, ZSTD_compressBound(tar->size));
    // As a stream of unknown size, so that the window stays what it was asked to be.
    ZSTD_inBuffer input = {tar->data, tar->size, 0};
    ZSTD_outBuffer output = {room, out->size, 0};
    if (content_size != 0)
        ZSTD_CCtx_setPledgedSrcSize(context, tar->size);
    size_t left = ZSTD_compressStream2(context, &output, &input, ZSTD_e_end);
    if (left != 0)
        fail("compressing");
    out->size = output.pos;
    ZSTD_freeCCtx(context);
}

static void zeros(size_t size, struct nip_buffer *npl)
{
    struct nip_buffer tar = {0};
    nip_buffer_append_fill(&tar, 0, size);
    must(nip_zstd_compress(tar.data, tar.size, npl, &err), "zeros");
    nip_buffer_free(&tar);
}

static void bombs(const struct nip_buffer *tar)
{
    struct nip_buffer large = {0}, npl = {0};
    // 256 MiB of zeros behind a good package: within every limit but that of its signed list.
    nip_buffer_append(&large, tar->data, tar->size);
    nip_buffer_append_fill(&large, 0, (size_t)256 << 20);
    emit_tar("bomb-by-ratio", "frame", "there is more in it than is listed", &large);
    nip_buffer_free(&large);
    zeros((size_t)256 << 20, &npl);
    emit("bomb-of-zeros", "frame", "the archive ends where 'digests.minisig' is expected", npl.data,
         npl.size);
    // The header says one GiB and more: byte 4 says how wide the size is, the rest follows.
    static const uint8_t header[] = {0x28, 0xb5, 0x2f, 0xfd, 0xc4, 0x68, 0, 0, 0, 0, 4, 0, 0, 0};
    nip_buffer_clear(&npl);
    nip_buffer_append(&npl, header, sizeof header);
    nip_buffer_append_fill(&npl, 0, 64);
    emit("bomb-by-size", "frame", "would unpack to 17179869184 bytes", npl.data, npl.size);
    nip_buffer_free(&npl);
}

static void frames(void)
{
    static const uint8_t skippable[12] = {0x50, 0x2a, 0x4d, 0x18, 4};
    struct nip_buffer tar = {0}, npl = {0}, made = {0};
    good_tar(&tar);
    must(nip_zstd_compress(tar.data, tar.size, &npl, &err), "the frame");
    nip_buffer_append(&made, npl.data, npl.size);
    nip_buffer_append(&made, npl.data, npl.size);
    emit("frame-second", "frame", "a second frame after the compressed frame", made.data,
         made.size);
    made.size = npl.size + 1;
    emit("frame-trailing-byte", "frame", "there is data after the compressed frame", made.data,
         made.size);
    made.size = npl.size;
    nip_buffer_append(&made, skippable, sizeof skippable);
    emit("frame-skippable-after", "frame", "a skippable frame after the compressed frame",
         made.data, made.size);
    nip_buffer_clear(&made);
    nip_buffer_append(&made, skippable, sizeof skippable);
    nip_buffer_append(&made, npl.data, npl.size);
    emit("frame-skippable-before", "frame", "it begins with a skippable frame", made.data,
         made.size);
    nip_buffer_clear(&made);
    must(nip_zstd_compress(npl.data, npl.size, &made, &err), "nested");
    emit("frame-nested", "frame", "it is another zstd frame", made.data, made.size);
    nip_buffer_clear(&made);
    emit("frame-cut", "frame", "cut off", npl.data, npl.size - 5);
    emit("frame-empty-header", "frame", "too short", npl.data, 4);
    npl.data[npl.size - 1] ^= 1;
    emit("frame-wrong-checksum", "frame", "damaged", npl.data, npl.size);
    npl.data[npl.size - 1] ^= 1;
    npl.data[4] |= 0x08;
    emit("frame-reserved-bit", "frame", "reserved bit", npl.data, npl.size);
    npl.data[4] = (uint8_t)((npl.data[4] & ~0x08) | 1);
    emit("frame-dictionary", "frame", "dictionary", npl.data, npl.size);
    compress_as(&tar, 0, 1, 0, &made);
    emit("frame-without-checksum", "frame", "no checksum", made.data, made.size);
    nip_buffer_clear(&made);
    compress_as(&tar, 1, 0, 20, &made);
    emit("frame-without-size", "frame", "does not state the size", made.data, made.size);
    nip_buffer_clear(&made);
    // A window of 16 MiB needs content that large.
    struct nip_buffer large = {0};
    nip_buffer_append(&large, tar.data, tar.size);
    nip_buffer_append_fill(&large, 0, (size_t)32 << 20);
    compress_as(&large, 1, 1, 24, &made);
    emit("frame-large-window", "frame", "window is larger than 8 MiB", made.data, made.size);
    // One segment: the window is the content. 64 MiB are stated, whatever follows.
    static const uint8_t segment[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0, 4};
    nip_buffer_clear(&made);
    nip_buffer_append(&made, segment, sizeof segment);
    nip_buffer_append(&made, npl.data, npl.size);
    emit("frame-large-segment", "frame", "window is larger than 8 MiB", made.data, made.size);
    nip_buffer_clear(&made);
    emit("not-compressed", "frame", "it is not compressed", tar.data, tar.size);
    bombs(&tar);
    nip_buffer_free(&large);
    nip_buffer_free(&made);
    nip_buffer_free(&npl);
    nip_buffer_free(&tar);
}

// Other compressions, outside and inside of the frame: their first bytes and then whatever.
static void foreign(void)
{
    static const struct {
        const char *name, *bytes, *reason;
        size_t size;
    } table[] = {
        {"frame-gzip", "\x1f\x8b\x08", "compressed by gzip; a package is one zstd frame", 3},
        {"frame-xz", "\xfd\x37zXZ", "compressed by xz; a package is one zstd frame", 5},
        {"frame-bzip2", "BZh9", "compressed by bzip2; a package is one zstd frame", 4},
        {"frame-lz4", "\x04\x22\x4d\x18", "compressed by lz4; a package is one zstd frame", 4},
        {"frame-zip", "PK\x03\x04", "does not begin with the zstd magic number", 4},
        {"nested-gzip", "\x1f\x8b\x08", "compressed by gzip, and nothing is compressed twice", 3},
        {"nested-xz", "\xfd\x37zXZ", "compressed by xz, and nothing is compressed twice", 5},
    };
    struct nip_buffer tar = {0}, made = {0};
    good_tar(&tar);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        nip_buffer_clear(&made);
        nip_buffer_append(&made, table[i].bytes, table[i].size);
        nip_buffer_append(&made, tar.data, tar.size);
        if (table[i].name[0] == 'n')
            emit_tar(table[i].name, "frame", table[i].reason, &made);
        else
            emit(table[i].name, "frame", table[i].reason, made.data, made.size);
    }
    nip_buffer_free(&made);
    nip_buffer_free(&tar);
}

// ---- signed by the right key, contradicting itself ----

// The base with another content of one file, listed and signed.
static void change_file(const char *name, const char *path, const void *data, size_t size,
                        const char *reason)
{
    struct nip_digests digests = *nip_package_digests(base);
    struct nip_buffer text = {0}, tar = {0};
    struct entry saved = {0};
    size_t at = 0;
    while (at < file_count && strcmp(files[at].path, path) != 0)
        at++;
    if (at == file_count)
        fail(path);
    saved = files[at];
    files[at].data = data;
    files[at].size = size;
    struct nip_digests_file before = digests.files[at];
    digests.files[at].size = size;
    nip_hash_bytes(data, size, digests.files[at].digest);
    must(nip_digests_print(&digests, &text, &err), name);
    make_tar(&tar, nip_buffer_text(&text), text.size);
    emit_tar(name, "content", reason, &tar);
    digests.files[at] = before;
    files[at] = saved;
    nip_buffer_free(&tar);
    nip_buffer_free(&text);
}

static void contents(void)
{
    const uint8_t *data;
    size_t size;
    nip_package_file(base, "npl.bkdl", &data, &size);
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        fail("memory");
    // The security version of the compiled manifest: opening 32, record header 8, two names of 72.
    memcpy(copy, data, size);
    copy[32 + 8 + 144] ^= 2;
    change_file("manifest-differs", "npl.bkdl", copy, size, "security");
    change_file("manifest-compiled-empty", "npl.bkdl", "", 0, "npl.bkdl");
    free(copy);
    change_file("manifest-not-kdl", "npl.kdl", "\"", 1, "npl.kdl");
    change_file("driver-not-elf", "riscv64/driver.elf", "x", 1, "too short for an ELF file");
    nip_package_file(base, "aarch64/driver.elf", &data, &size);
    change_file("driver-of-another-processor", "riscv64/driver.elf", data, size,
                "it is for ELF machine 183, expected riscv64");
    change_list("header-differs-name", "security-version 1\n", "security-version 2\n",
                "'security-version' in the digests differs");
    change_list("header-differs-abi", "\nabi 1\n", "\nabi 0\n", "'abi' in the digests differs");
    change_list("source-differs", "\nsource tar:", "\nsource git:", "contradict each other");
}

static enum nip_code own_key(void *context, const char *name, const struct nip_public_key **keys,
                             size_t *key_count, struct nip_error *error)
{
    (void)name;
    (void)error;
    *keys = context;
    *key_count = 1;
    return NIP_OK;
}

// The package cut off after each of its bytes, by the library that nip uses: the reader must never
// call one of them good. Copies of exactly that size, so that a sanitizer sees a byte too many
// read.
static void truncations(const struct nip_buffer *npl, struct nip_public_key *key)
{
    struct nip_package_trust trust = {own_key, key};
    for (size_t size = 1; size < npl->size; size++) {
        struct nip_package *package;
        uint8_t *exact = malloc(size);
        if (exact == NULL)
            fail("memory");
        memcpy(exact, npl->data, size);
        struct nip_package_source source = {.data = exact, .size = size};
        if (nip_package_load(&source, &trust, 0, &package, &err) == NIP_OK) {
            fprintf(stderr, "hostile-package: cut off after %zu bytes, and accepted\n", size);
            exit(1);
        }
        free(exact);
    }
    printf("cut off after each of its %zu bytes: refused each time\n", npl->size - 1);
}

int main(int argc, char **argv)
{
    struct nip_buffer npl = {0}, key_text = {0};
    struct nip_public_key public_key;
    if (argc != 4) {
        fputs("usage: hostile-package BASE.npl SECRET-KEY FOLDER\n", stderr);
        return 2;
    }
    folder = argv[3];
    must(nip_fs_read(argv[1], INPUT_SIZE_MAX, &npl, &err), argv[1]);
    must(nip_fs_read(argv[2], KEY_FILE_SIZE_MAX, &key_text, &err), argv[2]);
    must(nip_secret_key_parse(nip_buffer_text(&key_text), key_text.size, argv[2], NULL, 0, 0,
                              &secret, &err),
         argv[2]);
    nip_secret_key_public(&secret, &public_key);
    struct nip_package_source source = {.data = npl.data, .size = npl.size};
    struct nip_package_trust trust = {own_key, &public_key};
    must(nip_package_load(&source, &trust, 0, &base, &err), argv[1]);
    const struct nip_digests *digests = nip_package_digests(base);
    for (; file_count < digests->file_count && file_count < FILES_MAX; file_count++) {
        struct entry *file = &files[file_count];
        file->path = digests->files[file_count].path;
        nip_package_file(base, file->path, &file->data, &file->size);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/index", folder);
    list = fopen(path, "w");
    if (list == NULL)
        fail(path);
    lists();
    contradictions();
    headers();
    archives();
    unlisted();
    frames();
    foreign();
    contents();
    truncations(&npl, &public_key);
    if (fclose(list) != 0)
        fail(path);
    nip_package_close(base);
    nip_buffer_free(&npl);
    nip_buffer_wipe(&key_text);
    return 0;
}
