// SPDX-License-Identifier: Apache-2.0
//
// Goal: a source archive has one spelling; every other one is refused for its own reason.
// Method: a small archive, written and read; every bit and every length of it; then archives that
// tar would accept.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "nip/crypto.h"
#include "nip/source.h"
#include "sample_package.h"
#include "scratch.h"
#include "tar.h"

static const char *const paths[] = {"src/main.c", "npl.kdl", "LICENSES/Apache-2.0.txt", "src/a.c"};
static const char *const contents[] = {"int main;\n", "package", "", "static int a;\n"};
enum { COUNT = sizeof paths / sizeof paths[0] };

static void make_files(struct nip_source_file files[COUNT])
{
    for (size_t i = 0; i < COUNT; i++) {
        files[i] = (struct nip_source_file){.data = (const uint8_t *)contents[i],
                                            .size = strlen(contents[i])};
        memcpy(files[i].path, paths[i], strlen(paths[i]));
    }
}

static void make_archive(struct nip_buffer *tar)
{
    struct nip_source_file files[COUNT];
    make_files(files);
    assert_int_equal(nip_source_write(files, COUNT, tar, NULL), NIP_OK);
}

static void what_is_written_can_be_read(void **state)
{
    (void)state;
    struct nip_buffer tar = {0}, again = {0};
    struct nip_source source;
    make_archive(&tar);
    assert_int_equal(nip_source_read(tar.data, tar.size, &source, NULL), NIP_OK);
    assert_int_equal(source.count, COUNT);
    assert_string_equal(source.files[0].path, "LICENSES/Apache-2.0.txt");
    assert_string_equal(source.files[3].path, "src/main.c");
    assert_memory_equal(source.files[3].data, contents[0], source.files[3].size);
    assert_int_equal(nip_source_write(source.files, source.count, &again, NULL), NIP_OK);
    assert_true(nip_buffer_equals(&again, tar.data, tar.size));
    nip_source_free(&source);
    nip_buffer_free(&again);
    assert_int_equal(nip_source_write(NULL, 0, &again, NULL), NIP_OK);
    assert_int_equal(again.size, NIP_TAR_END_SIZE);
    assert_int_equal(nip_source_read(again.data, again.size, &source, NULL), NIP_OK);
    assert_int_equal(source.count, 0);
    nip_source_free(&source);
    nip_buffer_free(&again);
    nip_buffer_free(&tar);
}

static void gnu_tar_writes_and_reads_the_same(void **state)
{
    (void)state;
    char folder[SCRATCH_PATH_SIZE];
    struct nip_buffer tar = {0}, gnu = {0};
    if (!has_program("tar"))
        return;
    scratch_enter(folder);
    make_archive(&tar);
    assert_int_equal(nip_fs_write("source.tar", tar.data, tar.size, 0644, NULL), NIP_OK);
    assert_true(shell("mkdir out && tar -xf source.tar -C out && cd out && "
                      "tar --format=ustar -b 1 --mode=0644 --owner=0 --group=0 --numeric-owner "
                      "--mtime=@0 -cf ../gnu.tar LICENSES/Apache-2.0.txt npl.kdl src/a.c "
                      "src/main.c"));
    assert_int_equal(nip_fs_read("gnu.tar", 1 << 20, &gnu, NULL), NIP_OK);
    assert_true(nip_buffer_equals(&gnu, tar.data, tar.size));
    nip_buffer_free(&gnu);
    nip_buffer_free(&tar);
    scratch_leave(folder);
}

// A change may be another archive (content, a letter of a name), but never another spelling.
static void every_bit_is_refused_or_another_content(void **state)
{
    (void)state;
    struct nip_buffer tar = {0};
    unsigned refused = 0, other = 0;
    make_archive(&tar);
    for (size_t bit = 0; bit < 8 * tar.size; bit++) {
        struct nip_source source;
        tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct nip_error err = {0};
        enum nip_code code = nip_source_read(tar.data, tar.size, &source, &err);
        if (code == NIP_OK) {
            struct nip_buffer again = {0};
            assert_int_equal(nip_source_write(source.files, source.count, &again, NULL), NIP_OK);
            assert_true(nip_buffer_equals(&again, tar.data, tar.size));
            nip_buffer_free(&again);
            nip_source_free(&source);
            other++;
        } else {
            assert_true(err.message[0] != '\0');
            refused++;
        }
        tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("source archive of %zu bytes: %u bit flips refused, %u are another content\n",
                  tar.size, refused, other);
    nip_buffer_free(&tar);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct nip_buffer tar = {0};
    make_archive(&tar);
    for (size_t size = 0; size < tar.size; size++) {
        struct nip_source source;
        uint8_t *exact = malloc(size + 1);
        memcpy(exact, tar.data, size);
        assert_int_not_equal(nip_source_read(exact, size, &source, NULL), NIP_OK);
        free(exact);
    }
    nip_buffer_free(&tar);
}

static void append_entry(struct nip_buffer *tar, const char *path, uint64_t size,
                         const char *content)
{
    uint8_t block[NIP_TAR_BLOCK_SIZE];
    nip_tar_header(path, size, block);
    nip_buffer_append(tar, block, sizeof block);
    nip_buffer_append_text(tar, content);
    nip_buffer_append_fill(tar, 0, nip_tar_padding(strlen(content)));
}

static void require(const struct nip_buffer *tar, enum nip_code code, const char *reason)
{
    struct nip_source source;
    struct nip_error err = {0};
    enum nip_code found = nip_source_read(tar->data, tar->size, &source, &err);
    nip_source_free(&source);
    if (found != code || strstr(err.message, reason) == NULL)
        fail_msg("wanted %s '%s', found %s '%s'", nip_error_name(code), reason,
                 nip_error_name(found), err.message);
}

static void hostile_archives_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second; // paths
        uint64_t size;              // what the second one's header says; its content is "x"
        size_t zeros;               // behind the last entry
        enum nip_code code;
        const char *reason;
    } table[] = {
        {"a", "b", 1, 1024, NIP_OK, ""},
        {"a", "../b", 1, 1024, NIP_ERROR_NAME, "byte 512"},
        {"a", "/b", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"a", "b//c", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"a", "b/", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"a", ".b", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"a", "b c", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"a", "b\x1b[31m", 1, 1024, NIP_ERROR_NAME, "not allowed"},
        {"b", "a", 1, 1024, NIP_ERROR_FORMAT, "not sorted"},
        {"a", "a", 1, 1024, NIP_ERROR_FORMAT, "not sorted"},
        {"A", "a", 1, 1024, NIP_ERROR_EXISTS, "cannot both"},
        {"a", "a/b", 1, 1024, NIP_ERROR_EXISTS, "cannot both"},
        {"A", "a/b", 1, 1024, NIP_ERROR_EXISTS, "cannot both"},
        {"a", "b", 513, 0, NIP_ERROR_TRUNCATED, "cut off in 'b'"},
        {"a", "b", UINT64_C(1) << 32, 1024, NIP_ERROR_FORMAT, "where at most"},
        {"a", "b", 1, 512, NIP_ERROR_TRUNCATED, "cut off"},
        {"a", "b", 1, 0, NIP_ERROR_TRUNCATED, "cut off"},
        {"a", "b", 1, 1536, NIP_ERROR_FORMAT, "data after the end"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_buffer tar = {0};
        append_entry(&tar, table[i].first, 0, "");
        append_entry(&tar, table[i].second, table[i].size, "x");
        nip_buffer_append_fill(&tar, 0, table[i].zeros);
        require(&tar, table[i].code, table[i].reason);
        nip_buffer_free(&tar);
    }
    // Two blocks that are not both zero.
    struct nip_buffer tar = {0};
    append_entry(&tar, "a", 0, "");
    nip_buffer_append_fill(&tar, 0, 1024);
    tar.data[512 + 1] = 1;
    require(&tar, NIP_ERROR_FORMAT, "two zero blocks");
    nip_buffer_free(&tar);
}

static void limits_hold(void **state)
{
    (void)state;
    struct nip_buffer tar = {0};
    struct nip_error err = {0};
    size_t count = NIP_SOURCE_FILES_MAX + 1;
    struct nip_source_file *files = calloc(count, sizeof *files);
    assert_non_null(files);
    for (size_t i = 0; i < count; i++) {
        snprintf(files[i].path, sizeof files[i].path, "f%05zu", i);
        files[i].data = (const uint8_t *)"";
    }
    assert_int_equal(nip_source_write(files, count, &tar, &err), NIP_ERROR_LIMIT);
    nip_buffer_clear(&tar);
    assert_int_equal(nip_source_write(files, count - 1, &tar, &err), NIP_OK);
    // One more than the writer would write.
    struct nip_buffer more = {0};
    nip_buffer_append(&more, tar.data, tar.size - NIP_TAR_END_SIZE);
    append_entry(&more, "g", 0, "");
    nip_buffer_append_fill(&more, 0, NIP_TAR_END_SIZE);
    require(&more, NIP_ERROR_LIMIT, "more than 4096 files");
    nip_buffer_free(&more);
    nip_buffer_clear(&tar);

    static const struct nip_source_file bad = {.path = "a b"};
    files[0] = bad;
    assert_int_equal(nip_source_write(files, 1, &tar, &err), NIP_ERROR_NAME);
    uint8_t *large = calloc(1, NIP_SOURCE_SIZE_MAX);
    assert_non_null(large);
    files[0] =
        (struct nip_source_file){.path = "large", .data = large, .size = NIP_SOURCE_SIZE_MAX};
    assert_int_equal(nip_source_write(files, 1, &tar, &err), NIP_ERROR_LIMIT);
    nip_buffer_free(&tar);
    free(large);
    free(files);
}

static void the_two_lines_must_agree(void **state)
{
    (void)state;
    struct nip_digests digests = {.source = "none"};
    const struct nip_digests_file *file;
    char text[NIP_DIGEST_TEXT_SIZE];
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_OK);
    assert_null(file);
    memcpy(digests.source, "git:0123456789012345678901234567890123456789", 45);
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_OK);
    assert_null(file);
    assert_int_equal(nip_digests_add(&digests, true, NIP_SOURCE_FILE, "x", 1, NULL), NIP_OK);
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_ERROR_MISMATCH);
    nip_digest_text(digests.besides[0].digest, text);
    snprintf(digests.source, sizeof digests.source, "tar:%s", text);
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_OK);
    assert_ptr_equal(file, &digests.besides[0]);
    digests.source[4] ^= 1;
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_ERROR_MISMATCH);
    nip_digests_free(&digests);
    snprintf(digests.source, sizeof digests.source, "tar:%s", text);
    assert_int_equal(nip_source_listed(&digests, &file, NULL), NIP_ERROR_MISMATCH);
}

// A package and its source archive as the first release of format 1 wrote them. These files never
// change: what this test reads, every later nip must read.
static void format_1_stays_readable(void **state)
{
    (void)state;
    struct nip_buffer npl = {0}, tar = {0}, key_text = {0};
    struct nip_public_key key;
    struct nip_package *package;
    const struct nip_digests_file *listed;
    struct nip_source source;
    uint8_t digest[NIP_DIGEST_SIZE];
    char id[NIP_DIGEST_TEXT_SIZE];
    assert_int_equal(nip_fs_read(DATA "/format-1.npl", 1 << 20, &npl, NULL), NIP_OK);
    assert_int_equal(nip_fs_read(DATA "/format-1.source.tar", 1 << 20, &tar, NULL), NIP_OK);
    assert_int_equal(nip_fs_read(DATA "/format-1.pub", 4096, &key_text, NULL), NIP_OK);
    assert_int_equal(
        nip_public_key_parse(nip_buffer_text(&key_text), key_text.size, "key", &key, NULL), NIP_OK);
    struct nip_package_source from = {.data = npl.data, .size = npl.size};
    struct nip_package_trust trust = {sample_keys_for, &key};
    assert_int_equal(nip_package_load(&from, &trust, 0, &package, NULL), NIP_OK);
    nip_digest_text(nip_package_id(package), id);
    assert_string_equal(id, FORMAT_1_ID);
    assert_int_equal(nip_source_listed(nip_package_digests(package), &listed, NULL), NIP_OK);
    assert_non_null(listed);
    nip_hash_bytes(tar.data, tar.size, digest);
    assert_memory_equal(digest, listed->digest, sizeof digest);
    assert_int_equal(nip_source_read(tar.data, tar.size, &source, NULL), NIP_OK);
    assert_string_equal(source.files[source.count - 1].path, "src/main.c");
    nip_source_free(&source);
    nip_package_close(package);
    nip_buffer_free(&npl);
    nip_buffer_free(&tar);
    nip_buffer_free(&key_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_can_be_read),
        cmocka_unit_test(gnu_tar_writes_and_reads_the_same),
        cmocka_unit_test(every_bit_is_refused_or_another_content),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(hostile_archives_are_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_two_lines_must_agree),
        cmocka_unit_test(format_1_stays_readable),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
