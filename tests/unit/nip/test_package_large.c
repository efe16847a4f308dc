// SPDX-License-Identifier: Apache-2.0
//
// Goal: packages of many and of large files are written and read like small ones, although several
// threads and pieces are at work then. Method: sizes on both sides of every size at which the
// library changes its way; one byte changed at every such place; more files than are held open.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "nip/fs.h"
#include "nip/package.h"
#include "sample_package.h"
#include "scratch.h"
#include "zstd_frame.h"

enum {
    MANY_FILES = 150,      // twice as many as are held open, and some
    DESCRIPTORS_MAX = 100, // of this process, while they are unpacked
    LARGE_SIZE = (17 << 20) + 5
};

// Signed texts of a package of kind "kernel", which may hold files of any name.
struct signed_texts {
    struct nip_buffer signature, digests;
    struct nip_public_key key;
};

static uint8_t *data; // LARGE_SIZE bytes that compress a little

static int set_up(void **state)
{
    (void)state;
    uint32_t random = 1;
    data = malloc(LARGE_SIZE);
    assert_non_null(data);
    for (size_t i = 0; i < LARGE_SIZE; i++) {
        random = random * 1664525 + 1013904223;
        data[i] = (uint8_t)((random >> 24) & (i >> 16));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(data);
    return 0;
}

static void sign(const struct nip_package_input *files, size_t count, struct signed_texts *texts)
{
    struct nip_digests digests = {.kind = NIP_KIND_KERNEL,
                                  .name = "a/b",
                                  .version = "1.0.0",
                                  .security_version = 1,
                                  .archs = {true},
                                  .toolchain = "t",
                                  .source = "none"};
    struct nip_secret_key secret = {.id = {1}};
    struct nip_signature signature;
    uint8_t seed[NIP_SEED_BYTES] = {3}, public_key[NIP_PUBLIC_KEY_BYTES];
    *texts = (struct signed_texts){0};
    nip_key_from_seed(seed, secret.secret, public_key);
    nip_secret_key_public(&secret, &texts->key);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            nip_digests_add(&digests, false, files[i].path, files[i].data, files[i].size, NULL),
            NIP_OK);
    assert_int_equal(nip_digests_print(&digests, &texts->digests, NULL), NIP_OK);
    assert_int_equal(nip_signature_make(&secret, texts->digests.data, texts->digests.size, "a/b",
                                        "1.0.0", &signature, NULL),
                     NIP_OK);
    nip_signature_print(&signature, &texts->signature);
    nip_digests_free(&digests);
}

static void free_texts(struct signed_texts *texts)
{
    nip_buffer_free(&texts->signature);
    nip_buffer_free(&texts->digests);
}

static enum nip_code write_package(const struct signed_texts *texts,
                                   const struct nip_package_input *files, size_t count,
                                   struct nip_buffer *npl)
{
    return nip_package_write(nip_buffer_text(&texts->signature), texts->signature.size,
                             nip_buffer_text(&texts->digests), texts->digests.size, files, count,
                             npl, NULL);
}

static enum nip_code open_package(const struct nip_buffer *npl, struct signed_texts *texts,
                                  struct nip_package **package)
{
    struct nip_package_source source = {.data = npl->data, .size = npl->size};
    struct nip_package_trust trust = {sample_keys_for, &texts->key};
    return nip_package_open(&source, &trust, 0, package, NULL);
}

static void sizes_of_all_ways_are_read_back(void **state)
{
    (void)state;
    // A chunk; two of them or a piece; two pieces; where a thread is started and where jobs begin,
    // the front of the archive counted; two large jobs; four.
    static const size_t centres[] = {64 << 10,         128 << 10, 256 << 10,
                                     (1 << 20) - 2048, 1 << 20,   4 << 20};
    size_t sizes[3 * sizeof centres / sizeof centres[0] + 1], count = 0;
    for (size_t i = 0; i < sizeof centres / sizeof centres[0]; i++)
        for (size_t offset = 0; offset < 3; offset++)
            sizes[count++] = centres[i] - 1 + offset;
    sizes[count++] = LARGE_SIZE;
    for (size_t i = 0; i < count; i++) {
        // The file of interest between two small ones.
        struct nip_package_input files[] = {{"a", "x", 1}, {"b", data, sizes[i]}, {"c", "yz", 2}};
        struct nip_buffer npl = {0}, again = {0};
        struct signed_texts texts;
        struct nip_package *package;
        const uint8_t *content;
        size_t size;
        sign(files, 3, &texts);
        assert_int_equal(write_package(&texts, files, 3, &npl), NIP_OK);
        assert_int_equal(write_package(&texts, files, 3, &again), NIP_OK);
        assert_true(nip_buffer_equals(&npl, again.data, again.size));
        struct nip_package_source source = {.data = npl.data, .size = npl.size};
        struct nip_package_trust trust = {sample_keys_for, &texts.key};
        assert_int_equal(nip_package_load(&source, &trust, 0, &package, NULL), NIP_OK);
        for (size_t f = 0; f < 3; f++) {
            assert_true(nip_package_file(package, files[f].path, &content, &size));
            assert_int_equal(size, files[f].size);
            assert_int_equal(memcmp(content, files[f].data, size), 0);
        }
        nip_package_close(package);
        nip_buffer_free(&again);
        nip_buffer_free(&npl);
        free_texts(&texts);
    }
}

static void content_that_changed_after_listing_is_not_written(void **state)
{
    enum { SIZE = (1 << 20) + 7, PIECE = 128 << 10 };
    static const size_t places[] = {0, 1, PIECE - 1, PIECE, SIZE / 2, SIZE - 7, SIZE - 1};
    (void)state;
    struct nip_package_input files[] = {{"a", data, SIZE}, {"b", data, 1}};
    struct nip_buffer npl = {0}, tar = {0};
    struct signed_texts texts;
    sign(files, 2, &texts);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        data[places[i]] ^= 1;
        assert_int_equal(write_package(&texts, files, 2, &npl), NIP_ERROR_DIGEST);
        assert_int_equal(nip_package_write_tar(nip_buffer_text(&texts.signature),
                                               texts.signature.size,
                                               nip_buffer_text(&texts.digests), texts.digests.size,
                                               files, 2, &tar, NULL),
                         NIP_ERROR_DIGEST);
        data[places[i]] ^= 1;
        assert_int_equal(npl.size, 0);
        assert_int_equal(tar.size, 0);
    }
    for (int change = -1; change <= 1; change += 2) {
        files[0].size = (size_t)(SIZE + change);
        assert_int_equal(write_package(&texts, files, 2, &npl), NIP_ERROR_DIGEST);
        assert_int_equal(npl.size, 0);
    }
    nip_buffer_free(&tar);
    nip_buffer_free(&npl);
    free_texts(&texts);
}

// What the second thread finds ends the first, in the first chunk as in the last.
static void changed_content_is_not_read(void **state)
{
    enum { SIZE = (3 << 20) + 7 };
    static const size_t places[] = {0, SIZE / 2, SIZE - 1};
    (void)state;
    char folder[SCRATCH_PATH_SIZE];
    struct nip_package_input files[] = {{"a", data, SIZE}, {"b", data, SIZE}};
    struct nip_buffer tar = {0};
    struct signed_texts texts;
    scratch_enter(folder);
    sign(files, 2, &texts);
    assert_int_equal(nip_package_write_tar(nip_buffer_text(&texts.signature), texts.signature.size,
                                           nip_buffer_text(&texts.digests), texts.digests.size,
                                           files, 2, &tar, NULL),
                     NIP_OK);
    // The first file's content begins behind three headers and the two texts.
    size_t start =
        3 * 512 + (texts.signature.size + 511) / 512 * 512 + (texts.digests.size + 511) / 512 * 512;
    assert_memory_equal(tar.data + start, data, 1024);
    for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
        struct nip_buffer npl = {0};
        struct nip_package *package;
        size_t second = i % 2 == 0 ? 0 : (SIZE + 511) / 512 * 512 + 512;
        uint8_t *byte = tar.data + start + second + places[i / 2];
        *byte ^= 0x10;
        assert_int_equal(nip_zstd_compress(tar.data, tar.size, &npl, NULL), NIP_OK);
        *byte ^= 0x10;
        assert_int_equal(open_package(&npl, &texts, &package), NIP_OK);
        assert_int_equal(nip_package_read(package, NULL, NULL), NIP_ERROR_DIGEST);
        nip_package_close(package);
        assert_int_equal(open_package(&npl, &texts, &package), NIP_OK);
        assert_int_equal(nip_package_extract(package, "out", NULL), NIP_ERROR_DIGEST);
        nip_package_close(package);
        nip_buffer_free(&npl);
    }
    struct nip_fs_names names;
    assert_int_equal(nip_fs_list(".", &names, NULL), NIP_OK);
    assert_int_equal(names.count, 0);
    nip_fs_names_free(&names);
    nip_buffer_free(&tar);
    free_texts(&texts);
    scratch_leave(folder);
}

static void more_files_than_may_be_open_are_unpacked(void **state)
{
    (void)state;
    static char paths[MANY_FILES][32];
    struct nip_package_input files[MANY_FILES];
    struct nip_buffer npl = {0};
    struct signed_texts texts;
    struct nip_package *package;
    struct rlimit before, fewer;
    char folder[SCRATCH_PATH_SIZE];
    for (size_t i = 0; i < MANY_FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "d%zu/f%03zu", i / 50, i);
        files[i] = (struct nip_package_input){paths[i], data + i, 37 * i};
    }
    scratch_enter(folder);
    sign(files, MANY_FILES, &texts);
    assert_int_equal(write_package(&texts, files, MANY_FILES, &npl), NIP_OK);
    assert_int_equal(open_package(&npl, &texts, &package), NIP_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    fewer = before;
    fewer.rlim_cur = DESCRIPTORS_MAX;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &fewer), 0);
    assert_int_equal(nip_package_extract(package, "out", NULL), NIP_OK);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    nip_package_close(package);
    for (size_t i = 0; i < MANY_FILES; i++) {
        struct nip_buffer content = {0};
        char *path = nip_fs_join("out", paths[i]);
        assert_int_equal(nip_fs_read(path, 1 << 20, &content, NULL), NIP_OK);
        assert_true(nip_buffer_equals(&content, files[i].data, files[i].size));
        nip_buffer_free(&content);
        free(path);
    }
    nip_buffer_free(&npl);
    free_texts(&texts);
    scratch_leave(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_of_all_ways_are_read_back),
        cmocka_unit_test(content_that_changed_after_listing_is_not_written),
        cmocka_unit_test(changed_content_is_not_read),
        cmocka_unit_test(more_files_than_may_be_open_are_unpacked),
    };
    return cmocka_run_group_tests_name("package_large", tests, set_up, tear_down);
}
