// SPDX-License-Identifier: Apache-2.0
//
// Goal: a package that was written can be read; a package changed anywhere is refused.
// Method: exhaustive over a small package: every bit of the tar, every bit and every length of the
// frame; then frames and archives that are valid for the libraries but not for the format.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "sample_package.h"
#include "scratch.h"
#include "tar.h"
#include "zstd_frame.h"

static struct sample sample;

static int set_up(void **state)
{
    (void)state;
    sample_make(&sample, "acme/x", "1.0.0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sample_free(&sample);
    return 0;
}

static enum nip_code load(const void *data, size_t size, struct nip_public_key *key,
                          struct nip_error *err)
{
    struct nip_package_source source = {.data = data, .size = size};
    struct nip_package_trust trust = {sample_keys_for, key};
    struct nip_package *package;
    enum nip_code code = nip_package_load(&source, &trust, 0, &package, err);
    assert_int_equal(package == NULL, code != NIP_OK);
    nip_package_close(package);
    return code;
}

static enum nip_code load_tar(const void *tar, size_t size, struct nip_error *err)
{
    struct nip_buffer npl = {0};
    assert_int_equal(nip_zstd_compress(tar, size, &npl, NULL), NIP_OK);
    enum nip_code code = load(npl.data, npl.size, &sample.key, err);
    nip_buffer_free(&npl);
    return code;
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    struct nip_package_source source = {.data = sample.npl.data, .size = sample.npl.size};
    struct nip_package_trust trust = {sample_keys_for, &sample.key};
    struct nip_package *package;
    const uint8_t *data;
    uint8_t id[NIP_DIGEST_SIZE];
    size_t size;
    assert_int_equal(nip_package_load(&source, &trust, 0, &package, NULL), NIP_OK);
    assert_string_equal(nip_package_digests(package)->name, "acme/x");
    assert_memory_equal(nip_package_digests_text(package, &size), sample.digests.data,
                        sample.digests.size);
    assert_int_equal(size, sample.digests.size);
    nip_digests_id(sample.digests.data, sample.digests.size, id);
    assert_memory_equal(nip_package_id(package), id, sizeof id);
    for (size_t i = 0; i < SAMPLE_FILE_COUNT; i++) {
        assert_true(nip_package_file(package, sample_files[i].path, &data, &size));
        assert_int_equal(size, sample_files[i].size);
        assert_memory_equal(data, sample_files[i].data, size);
    }
    assert_false(nip_package_file(package, "digests", &data, &size));
    assert_true(nip_public_key_equals(nip_package_key(package), &sample.key));
    nip_package_close(package);

    struct nip_package_claim claim;
    assert_int_equal(nip_package_peek(&source, &claim, NULL), NIP_OK);
    assert_string_equal(claim.name, "acme/x");
    assert_string_equal(claim.version, "1.0.0");
    assert_memory_equal(claim.id, id, sizeof id);
}

static void only_accepted_keys_count(void **state)
{
    (void)state;
    struct nip_public_key other = sample.key;
    struct nip_error err = {0};
    uint8_t seed[NIP_SEED_BYTES] = {77}, secret[NIP_SECRET_KEY_BYTES];
    assert_int_equal(load(sample.npl.data, sample.npl.size, NULL, &err), NIP_ERROR_UNTRUSTED);
    assert_non_null(strstr(err.hint, "nip key trust acme/x"));
    nip_key_from_seed(seed, secret, other.key);
    assert_int_equal(load(sample.npl.data, sample.npl.size, &other, &err), NIP_ERROR_SIGNATURE);
    other.id[0] ^= 1;
    assert_int_equal(load(sample.npl.data, sample.npl.size, &other, &err), NIP_ERROR_UNTRUSTED);
    // The right key under another id than the signature names: as minisign, no.
    other = sample.key;
    other.id[0] ^= 1;
    assert_int_equal(load(sample.npl.data, sample.npl.size, &other, &err), NIP_ERROR_SIGNATURE);
}

static void every_bit_of_the_tar_counts(void **state)
{
    (void)state;
    unsigned refused = 0;
    struct nip_error err;
    assert_int_equal(load_tar(sample.tar.data, sample.tar.size, &err), NIP_OK);
    for (size_t bit = 0; bit < 8 * sample.tar.size; bit++) {
        sample.tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum nip_code code = load_tar(sample.tar.data, sample.tar.size, &err);
        sample.tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (code == NIP_OK)
            fail_msg("bit %zu of byte %zu may be flipped", bit % 8, bit / 8);
        refused++;
    }
    print_message("tar of %zu bytes: all %u bit flips refused\n", sample.tar.size, refused);
}

static void every_bit_of_the_frame_is_refused_or_harmless(void **state)
{
    (void)state;
    unsigned refused = 0, harmless = 0;
    for (size_t bit = 0; bit < 8 * sample.npl.size; bit++) {
        sample.npl.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct nip_package_source source = {.data = sample.npl.data, .size = sample.npl.size};
        struct nip_zstd_reader *reader;
        struct nip_error err = {0};
        if (load(sample.npl.data, sample.npl.size, &sample.key, &err) != NIP_OK) {
            assert_true(err.message[0] != '\0');
            refused++;
        } else {
            uint8_t *tar = malloc(sample.tar.size);
            assert_int_equal(nip_zstd_reader_open(&source, sample.tar.size, &reader, NULL), NIP_OK);
            assert_int_equal(nip_zstd_reader_read(reader, tar, sample.tar.size, NULL), NIP_OK);
            assert_int_equal(nip_zstd_reader_finish(reader, NULL), NIP_OK);
            assert_memory_equal(tar, sample.tar.data, sample.tar.size);
            nip_zstd_reader_close(reader);
            free(tar);
            harmless++;
        }
        sample.npl.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("frame of %zu bytes: %u bit flips refused, %u decode to the same tar\n",
                  sample.npl.size, refused, harmless);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size < sample.npl.size; size++) {
        uint8_t *exact = malloc(size + 1);
        memcpy(exact, sample.npl.data, size);
        assert_int_not_equal(load(exact, size, &sample.key, NULL), NIP_OK);
        free(exact);
    }
    for (size_t size = 0; size < sample.tar.size; size += 64)
        assert_int_not_equal(load_tar(sample.tar.data, size, NULL), NIP_OK);
}

static void foreign_frames_are_refused(void **state)
{
    (void)state;
    struct nip_buffer npl = {0};
    struct nip_error err = {0};
    static const uint8_t skippable[12] = {0x50, 0x2a, 0x4d, 0x18, 4};
    // One byte, a skippable frame, the same frame again behind it; a skippable frame before it.
    static const size_t sizes[] = {1, sizeof skippable};
    for (size_t i = 0; i < 2; i++) {
        nip_buffer_append(&npl, sample.npl.data, sample.npl.size);
        nip_buffer_append(&npl, skippable, sizes[i]);
        assert_int_equal(load(npl.data, npl.size, &sample.key, &err), NIP_ERROR_FORMAT);
        assert_string_equal(err.message, i == 0 ? "there is data after the compressed frame"
                                                : "there is a skippable frame after the "
                                                  "compressed frame");
        nip_buffer_clear(&npl);
    }
    nip_buffer_append(&npl, sample.npl.data, sample.npl.size);
    nip_buffer_append(&npl, sample.npl.data, sample.npl.size);
    assert_int_equal(load(npl.data, npl.size, &sample.key, &err), NIP_ERROR_FORMAT);
    nip_buffer_clear(&npl);
    nip_buffer_append(&npl, skippable, sizeof skippable);
    nip_buffer_append(&npl, sample.npl.data, sample.npl.size);
    assert_int_equal(load(npl.data, npl.size, &sample.key, &err), NIP_ERROR_FORMAT);
    nip_buffer_free(&npl);
}

static void frame_headers_are_checked_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum nip_code code;
        const char *reason;
    } table[] = {
        {"\x28\xb5\x2f\xfd\x24\x05", 6, NIP_OK, ""},
        {"\x28\xb5\x2f\xfd\x64\x05\x01", 7, NIP_OK, ""},
        {"\x28\xb5\x2f\xfd\x44\x68\x05\x01", 8, NIP_OK, ""},                 // window 8 MiB
        {"\x28\xb5\x2f\xfd\x44\x69\x05\x01", 8, NIP_ERROR_FORMAT, "window"}, // and an eighth
        {"\x28\xb5\x2f\xfd\x44\xff\x05\x01", 8, NIP_ERROR_FORMAT, "window"},
        {"\x28\xb5\x2f\xfd\xa4\x00\x00\x80\x00", 9, NIP_OK, ""}, // one segment of 8 MiB
        {"\x28\xb5\x2f\xfd\xa4\x01\x00\x80\x00", 9, NIP_ERROR_FORMAT, "window"},
        {"\x28\xb5\x2f\xfd\xe4\xff\xff\xff\xff\xff\xff\xff\xff", 13, NIP_ERROR_FORMAT, "window"},
        {"\x28\xb5\x2f\xfd\x20\x05", 6, NIP_ERROR_FORMAT, "no checksum"},
        {"\x28\xb5\x2f\xfd\x04\x05", 6, NIP_ERROR_FORMAT, "does not state the size"},
        {"\x28\xb5\x2f\xfd\x25\x05\x05", 7, NIP_ERROR_FORMAT, "dictionary"},
        {"\x28\xb5\x2f\xfd\x2c\x05", 6, NIP_ERROR_FORMAT, "reserved bit"},
        {"\x28\xb5\x2f\xfd\x34\x05", 6, NIP_ERROR_FORMAT, "unused"},
        {"\x28\xb5\x2f\xfc\x24\x05", 6, NIP_ERROR_FORMAT, "magic"},
        {"\x1f\x8b\x08\x00\x00\x00", 6, NIP_ERROR_FORMAT, "gzip"},
        {"\x28\xb5\x2f\xfd\x24", 5, NIP_ERROR_TRUNCATED, "header"},
        {"\x28\xb5\x2f\xfd", 4, NIP_ERROR_TRUNCATED, "too short"},
        {"", 0, NIP_ERROR_TRUNCATED, "too short"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err = {0};
        uint64_t content;
        enum nip_code code =
            nip_zstd_frame_validate((const uint8_t *)table[i].bytes, table[i].size, &content, &err);
        if (code != table[i].code || strstr(err.message, table[i].reason) == NULL)
            fail_msg("header %zu: %s, %s", i, nip_error_name(code), err.message);
    }
}

static void bombs_are_refused_by_their_header(void **state)
{
    (void)state;
    struct nip_package_source source = {.data = sample.npl.data, .size = sample.npl.size};
    struct nip_package_trust trust = {sample_keys_for, &sample.key};
    struct nip_package *package;
    assert_int_equal(nip_package_open(&source, &trust, sample.tar.size - 1, &package, NULL),
                     NIP_ERROR_LIMIT);
    assert_int_equal(nip_package_open(&source, &trust, sample.tar.size, &package, NULL), NIP_OK);
    nip_package_close(package);
    // Zeros without end behind the last file: the signed list does not promise them.
    struct nip_buffer tar = {0};
    nip_buffer_append(&tar, sample.tar.data, sample.tar.size);
    nip_buffer_append_fill(&tar, 0, 1 << 20);
    assert_int_equal(load_tar(tar.data, tar.size, NULL), NIP_ERROR_MISMATCH);
    nip_buffer_free(&tar);
}

// Replaces the header of the first content file and repairs its checksum.
static enum nip_code load_with_header(size_t offset, const void *bytes, size_t size,
                                      struct nip_error *err)
{
    size_t at = 2 * NIP_TAR_BLOCK_SIZE; // behind digests.minisig
    at += NIP_TAR_BLOCK_SIZE + sample.digests.size + nip_tar_padding(sample.digests.size);
    uint8_t *tar = malloc(sample.tar.size);
    memcpy(tar, sample.tar.data, sample.tar.size);
    uint8_t *block = tar + at;
    assert_string_equal((char *)block, sample_files[0].path);
    memcpy(block + offset, bytes, size);
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < NIP_TAR_BLOCK_SIZE; i++)
        sum += block[i];
    snprintf((char *)block + 148, 7, "%06o", sum);
    enum nip_code code = load_tar(tar, sample.tar.size, err);
    free(tar);
    return code;
}

static void archive_tricks_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        const char *bytes;
        size_t size;
        const char *reason;
    } table[] = {
        {156, "1", 1, "hard links"},
        {156, "2", 1, "symbolic links"},
        {156, "3", 1, "character devices"},
        {156, "4", 1, "block devices"},
        {156, "5", 1, "folders"},
        {156, "6", 1, "FIFOs"},
        {156, "7", 1, "contiguous"},
        {156, "Z", 1, "regular"},
        {156, "M", 1, "GNU extensions"},
        {156, "x", 1, "refused: pax"},
        {156, "g", 1, "global pax"},
        {156, "L", 1, "long names"},
        {156, "K", 1, "long links"},
        {156, "S", 1, "sparse"},
        {156, "\0", 1, "old form"},
        {257, "ustar  ", 8, "GNU"},
        {257, "\0\0\0\0\0\0\0", 8, "ustar"},
        {0, "../../etc/passwd", 17, "signed list does not name"},
        {0, "/etc/passwd", 12, "signed list does not name"},
        {100, "0004755", 8, "setuid"},
        {100, "0002644", 8, "setgid"},
        {100, "0000755", 8, "executable"},
        {100, "0000444", 8, "its mode is not 0644"},
        {0, "npl.kdl\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, "the file 'npl.kdl' where"},
        {136, "00000000001", 12, "its time"},
        {108, "0001750", 8, "owner is not 0"},
        {116, "0000001", 8, "group is not 0"},
        {265, "root", 5, "owner has a name"},
        {297, "root", 5, "group has a name"},
        {337, "0000001", 8, "device numbers"},
        {345, "prefix", 7, "has a prefix"},
        {500, "x", 1, "unused end"},
        {124, "00000000011", 12, "it says 9 bytes"},
        {124, "00000000018", 12, "octal digits"},
        {124, "77777777777", 12, "it says 8589934591 bytes"},
        {124, "\x80\0\0\0\0\0\0\0\0\0\0\x08", 12, "in binary"},
        {124, "-0000000010", 12, "negative"},
        {157, "target", 7, "target of a link"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err = {0};
        enum nip_code code = load_with_header(table[i].offset, table[i].bytes, table[i].size, &err);
        if (code != NIP_ERROR_FORMAT || strstr(err.message, table[i].reason) == NULL)
            fail_msg("trick %zu: %s, %s", i, nip_error_name(code), err.message);
    }
}

static void writer_refuses_what_reader_would(void **state)
{
    (void)state;
    struct nip_buffer out = {0};
    struct nip_package_input files[SAMPLE_FILE_COUNT];
    const char *signature = nip_buffer_text(&sample.signature);
    const char *digests = nip_buffer_text(&sample.digests);
    size_t signature_size = sample.signature.size, digests_size = sample.digests.size;
    memcpy(files, sample_files, sizeof files);
    assert_int_equal(nip_package_write(signature, signature_size, digests, digests_size, files,
                                       SAMPLE_FILE_COUNT - 1, &out, NULL),
                     NIP_ERROR_MISMATCH);
    files[0].data = "LICENCE\n";
    assert_int_equal(nip_package_write(signature, signature_size, digests, digests_size, files,
                                       SAMPLE_FILE_COUNT, &out, NULL),
                     NIP_ERROR_DIGEST);
    files[0] = sample_files[1];
    files[1] = sample_files[0];
    assert_int_equal(nip_package_write(signature, signature_size, digests, digests_size, files,
                                       SAMPLE_FILE_COUNT, &out, NULL),
                     NIP_ERROR_MISMATCH);
    assert_int_equal(nip_package_write(signature, signature_size - 1, digests, digests_size,
                                       sample_files, SAMPLE_FILE_COUNT, &out, NULL),
                     NIP_ERROR_SIGNATURE);
    struct sample other;
    sample_make(&other, "acme/x", "1.0.1");
    assert_int_equal(nip_package_write(nip_buffer_text(&other.signature), other.signature.size,
                                       digests, digests_size, sample_files, SAMPLE_FILE_COUNT, &out,
                                       NULL),
                     NIP_ERROR_SIGNATURE);
    sample_free(&other);
    assert_int_equal(out.size, 0);
    nip_buffer_free(&out);
}

static void files_and_pipes_are_read(void **state)
{
    (void)state;
    char folder[SCRATCH_PATH_SIZE];
    scratch_enter(folder);
    struct nip_package *package;
    struct nip_package_trust trust = {sample_keys_for, &sample.key};
    assert_int_equal(nip_fs_create("p.npl", sample.npl.data, sample.npl.size, 0644, NULL), NIP_OK);
    struct nip_package_source source = {.descriptor = open("p.npl", O_RDONLY)};
    assert_int_equal(nip_package_open(&source, &trust, 0, &package, NULL), NIP_OK);
    assert_int_equal(nip_package_extract(package, "out", NULL), NIP_OK);
    nip_package_close(package);
    close(source.descriptor);
    assert_true(shell("cd out && b2sum -l 256 npl.kdl | cut -c 1-64 > ../sum && "
                      "grep -q $(cat ../sum) digests"));
    struct nip_buffer public_key = {0};
    nip_public_key_print(&sample.key, NULL, &public_key);
    write_text("key.pub", nip_buffer_text(&public_key));
    nip_buffer_free(&public_key);
    if (has_program("minisign"))
        assert_true(shell("cd out && minisign -Vm digests -x digests.minisig -p ../key.pub"));

    // A folder that exists is never touched, and a package that fails leaves nothing.
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    sample.npl.data[sample.npl.size - 1] ^= 1; // the frame's checksum
    assert_int_equal(write(pipe_ends[1], sample.npl.data, sample.npl.size), sample.npl.size);
    sample.npl.data[sample.npl.size - 1] ^= 1;
    close(pipe_ends[1]);
    source.descriptor = pipe_ends[0];
    assert_int_equal(nip_package_open(&source, &trust, 0, &package, NULL), NIP_OK);
    assert_int_equal(nip_package_extract(package, "out", NULL), NIP_ERROR_EXISTS);
    assert_int_equal(nip_package_extract(package, "broken", NULL), NIP_ERROR_FORMAT);
    nip_package_close(package);
    close(pipe_ends[0]);
    assert_true(shell("test \"$(ls -A | tr '\\n' ' ')\" = 'key.pub out p.npl sum '"));

    // The tar is what GNU tar writes.
    if (has_program("tar")) {
        assert_true(shell("cd out && tar --format=ustar -b 1 --mode=0644 --owner=0 --group=0 "
                          "--numeric-owner --mtime=@0 -cf ../gnu.tar digests.minisig digests "
                          "LICENSES/Apache-2.0.txt empty npl.kdl"));
        struct nip_buffer tar = {0};
        assert_int_equal(nip_fs_read("gnu.tar", 1 << 20, &tar, NULL), NIP_OK);
        assert_int_equal(tar.size, sample.tar.size);
        assert_memory_equal(tar.data, sample.tar.data, tar.size);
        nip_buffer_free(&tar);
    }
    scratch_leave(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(only_accepted_keys_count),
        cmocka_unit_test(every_bit_of_the_tar_counts),
        cmocka_unit_test(every_bit_of_the_frame_is_refused_or_harmless),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(foreign_frames_are_refused),
        cmocka_unit_test(frame_headers_are_checked_in_order),
        cmocka_unit_test(bombs_are_refused_by_their_header),
        cmocka_unit_test(archive_tricks_are_refused_by_name),
        cmocka_unit_test(writer_refuses_what_reader_would),
        cmocka_unit_test(files_and_pipes_are_read),
    };
    return cmocka_run_group_tests_name("package", tests, set_up, tear_down);
}
