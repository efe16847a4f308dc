// SPDX-License-Identifier: Apache-2.0
//
// Goal: names, versions, paths and the digests text have one spelling each; everything else is
// refused at its line. Method: tables of good and bad; SemVer's own order; every changed bit of a
// whole text.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/digests.h"

#define HEX64 "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
#define HEAD                                                                                  \
    "rumpk-digests 1\nkind driver\nname acme/virtio-blk\nversion 1.4.0\nsecurity-version 3\n" \
    "abi 1\narch aarch64 riscv64 x86_64\ntoolchain llvm-19.1.7\nsource none\n"
#define FILES                                                               \
    "file " HEX64 " 12 LICENSES/Apache-2.0.txt\nfile " HEX64 " 0 npl.kdl\n" \
    "beside " HEX64 " 99 x86_64/driver.debug\n"

static void names_follow_the_rule(void **state)
{
    (void)state;
    static const char *const good[] = {"a/b", "acme/virtio-blk", "rumpk/uart-16550", "a1-2/b-3c",
                                       "abcdefghijklmnopqrstuvwxyzabcdef/x"};
    static const char *const bad[] = {
        "",          "a",     "/b",     "a/",
        "a/b/c",     "A/b",   "a/B",    "1a/b",
        "a/-b",      "a/b-",  "a/b--c", "a/b_c",
        "a/b.c",     "a b/c", "a/b\n",  "abcdefghijklmnopqrstuvwxyzabcdefg/x",
        "\xc3\xa4/b"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(nip_name_check(good[i], NULL), NIP_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(nip_name_check(bad[i], NULL), NIP_ERROR_NAME);
    assert_false(nip_name_is_valid("a/b\0c", 5));
}

static void versions_follow_semver(void **state)
{
    (void)state;
    // Each is lower than the next.
    static const char *const order[] = {
        "0.0.0",       "0.0.1",         "0.1.0-0",
        "0.1.0-1",     "0.1.0-2",       "0.1.0-10",
        "0.1.0--",     "0.1.0-a",       "0.1.0",
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
        "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
        "1.0.0-rc.1",  "1.0.0",         "1.0.10",
        "1.2.0",       "2.0.0",         "18446744073709551615.0.0",
    };
    size_t count = sizeof order / sizeof order[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            struct nip_version a, b;
            assert_int_equal(nip_version_check(order[i], &a, NULL), NIP_OK);
            assert_int_equal(nip_version_check(order[k], &b, NULL), NIP_OK);
            int result = nip_version_compare(&a, &b);
            assert_int_equal((result > 0) - (result < 0), (i > k) - (i < k));
        }
    }
    static const char *const bad[] = {
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.03",
        "1.2.3-",
        "1.2.3-a..b",
        "1.2.3-01",
        "1.2.3-a.",
        "1.2.3+b",
        "1.2.3-a+b",
        "v1.2.3",
        "1.2.3 ",
        "1.2.3-\xc3\xa4",
        "-1.2.3",
        "1..3",
        "18446744073709551616.0.0",
        "1.0.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct nip_version version;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(nip_version_check(bad[i], &version, NULL), NIP_ERROR_NAME);
    static const struct {
        const char *a, *b;
        bool is_same;
    } classes[] = {{"1.0.0", "1.9.0", true},  {"1.0.0", "2.0.0", false}, {"0.1.0", "0.1.9", true},
                   {"0.1.0", "0.2.0", false}, {"0.0.1", "0.0.1", true},  {"0.0.1", "0.0.2", false},
                   {"0.1.0", "1.1.0", false}};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct nip_version a, b;
        assert_true(nip_version_parse(classes[i].a, strlen(classes[i].a), &a));
        assert_true(nip_version_parse(classes[i].b, strlen(classes[i].b), &b));
        assert_int_equal(nip_version_is_same_class(&a, &b), classes[i].is_same);
    }
}

static void paths_cannot_escape_or_collide(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "/a",     "a/",       "a//b", ".",    "..",
                                      "a/..", "a/../b", "./a",      ".a",   "a/.b", "a b",
                                      "a\\b", "a\n",    "\xc3\xa4", "a:b",  "a\x1b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(nip_path_is_valid(bad[i], strlen(bad[i])));
    // Each fault has its own words.
    static const char *const words[][2] = {
        {"", "it is empty"},
        {"/a", "it is absolute"},
        {"a/", "it ends in '/', as a folder"},
        {"a//b", "a part of it is empty"},
        {"a/./b", "a part of it is '.'"},
        {"..", "it leads out of the package by '..'"},
        {"a/.b", "a part of it starts with '.'"},
        {"...", "a part of it starts with '.'"},
        {"a\\b", "it has a backslash"},
        {"a b", "it has a space"},
        {"a:b", "it has a byte that is none of a-z A-Z 0-9 . _ - /"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_string_equal(nip_path_problem(words[i][0], strlen(words[i][0])), words[i][1]);
    assert_null(nip_path_problem("a/b.c/D_e-9", 11));
    char longest[NIP_PATH_MAX + 2];
    memset(longest, 'a', sizeof longest);
    assert_true(nip_path_is_valid(longest, NIP_PATH_MAX));
    assert_false(nip_path_is_valid(longest, NIP_PATH_MAX + 1));
    assert_true(nip_path_is_valid("a/b.c/D_e-9", 11));
    assert_true(nip_paths_collide("a", "A"));
    assert_true(nip_paths_collide("a", "a/b"));
    assert_true(nip_paths_collide("A/b", "a"));
    assert_true(nip_paths_collide("a/b", "a/B"));
    assert_false(nip_paths_collide("a/b", "a/c"));
    assert_false(nip_paths_collide("a", "ab"));
    assert_false(nip_paths_collide("a/b", "ab"));
}

static void digests_round_trip(void **state)
{
    (void)state;
    struct nip_digests digests;
    struct nip_error err = {0};
    struct nip_buffer out = {0};
    const char *text = HEAD FILES;
    if (nip_digests_parse(text, strlen(text), &digests, &err) != NIP_OK)
        fail_msg("%u: %s", err.line, err.message);
    assert_string_equal(digests.name, "acme/virtio-blk");
    assert_int_equal(digests.security_version, 3);
    assert_int_equal(digests.file_count, 2);
    assert_int_equal(digests.beside_count, 1);
    assert_int_equal(nip_digests_file(&digests, "LICENSES/Apache-2.0.txt")->size, 12);
    assert_null(nip_digests_file(&digests, "x86_64/driver.debug"));
    assert_int_equal(nip_digests_beside(&digests, "x86_64/driver.debug")->size, 99);
    assert_int_equal(nip_digests_print(&digests, &out, &err), NIP_OK);
    assert_string_equal(nip_buffer_text(&out), text);
    nip_buffer_free(&out);
    nip_digests_free(&digests);
}

static void digests_are_built_in_order(void **state)
{
    (void)state;
    struct nip_digests digests = {.kind = NIP_KIND_LIBRARY,
                                  .name = "a/b",
                                  .version = "0.1.0",
                                  .security_version = 1,
                                  .archs = {[NIP_ARCH_RISCV64] = true},
                                  .toolchain = "t",
                                  .source = "none"};
    static const char *const paths[] = {"z", "a/b", "m", "a/a", "Z2", "0"};
    struct nip_buffer out = {0};
    struct nip_error err = {0};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(nip_digests_add(&digests, false, paths[i], "x", 1, &err), NIP_OK);
    assert_int_equal(nip_digests_add(&digests, true, "dbg", "y", 1, &err), NIP_OK);
    assert_int_equal(nip_digests_add(&digests, false, "A/B", "x", 1, &err), NIP_ERROR_EXISTS);
    assert_int_equal(nip_digests_add(&digests, true, "m", "x", 1, &err), NIP_ERROR_EXISTS);
    assert_int_equal(nip_digests_add(&digests, false, "digests", "x", 1, &err), NIP_ERROR_EXISTS);
    assert_int_equal(nip_digests_add(&digests, false, "../x", "x", 1, &err), NIP_ERROR_NAME);
    assert_int_equal(nip_digests_print(&digests, &out, &err), NIP_OK);
    assert_string_equal(digests.files[0].path, "0");
    assert_string_equal(digests.files[1].path, "Z2");
    assert_string_equal(digests.files[5].path, "z");
    digests.security_version = 0;
    assert_int_equal(nip_digests_print(&digests, &out, &err), NIP_ERROR_SYNTAX);
    nip_buffer_free(&out);
    nip_digests_free(&digests);
}

static void wrong_texts_are_refused_at_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *find, *replace;
        uint32_t line;
    } table[] = {
        {"rumpk-digests 1", "rumpk-digests 2", 1},
        {"rumpk-digests 1", "rumpk-digests 0", 1},
        {"rumpk-digests 1", "rumpk", 1},
        {"kind driver", "kind thing", 2},
        {"kind driver\n", "", 2},
        {"kind driver", "kind driver ", 2},
        {"kind driver", "kind  driver", 2},
        {"kind driver\n", "kind driver\nkind driver\n", 3},
        {"acme/virtio-blk", "acme", 3},
        {"1.4.0", "1.4", 4},
        {"1.4.0", "1.4.0+b", 4},
        {"version 3", "version 0", 5},
        {"version 3", "version 03", 5},
        {"version 3", "version 65536", 5},
        {"abi 1", "abi 01", 6},
        {"abi 1", "abi -1", 6},
        {"aarch64 riscv64", "riscv64 aarch64", 7},
        {"aarch64 riscv64", "aarch64 aarch64", 7},
        {"x86_64\n", "mips\n", 7},
        {"x86_64\n", "x86_64 \n", 7},
        {"llvm-19.1.7", "a b", 8},
        {"source none", "source git:12", 9},
        {"source none", "source", 9},
        {" 12 ", " 012 ", 10},
        {" 12 ", " -1 ", 10},
        {" 12 ", " 1073741825 ", 10},
        {" 12 ", " 18446744073709551617 ", 10},
        {"LICENSES/Apache-2.0.txt", "../x", 10},
        {"file 0e57", "file 0E57", 10},
        {"file 0e57", "fole 0e57", 10},
        {" 0 npl.kdl", " 0 LICENSES", 11},
        {" 0 npl.kdl", " 0 A", 11},
        {" 0 npl.kdl", " 0 digests", 11},
        {"x86_64/driver.debug", "NPL.KDL", 12},
        {"beside ", "besides ", 12},
        {"beside ", "file ", 0},
        {"\nbeside", "\nbeside\nbeside", 12},
        {"driver.debug\n", "driver.debug", 12},
        {"driver.debug\n", "driver.debug\n\n", 13},
        {"driver.debug\n", "driver.debug\r\n", 12},
        {"npl.kdl", "npl\tkdl", 11},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[2048] = HEAD FILES, changed[2048];
        char *at = strstr(text, table[i].find);
        assert_non_null(at);
        int before = (int)(at - text);
        snprintf(changed, sizeof changed, "%.*s%s%s", before, text, table[i].replace,
                 at + strlen(table[i].find));
        struct nip_digests digests;
        struct nip_error err = {0};
        enum nip_code code = nip_digests_parse(changed, strlen(changed), &digests, &err);
        if (table[i].line == 0) { // a beside line turned into a file line: still well formed
            assert_int_equal(code, NIP_OK);
            nip_digests_free(&digests);
            continue;
        }
        if (code == NIP_OK || (err.line != table[i].line && err.line != 0))
            fail_msg("'%s' -> '%s': code %s, line %u", table[i].find, table[i].replace,
                     nip_error_name(code), err.line);
    }
}

static void every_accepted_change_is_another_package(void **state)
{
    (void)state;
    char text[] = HEAD FILES;
    unsigned accepted = 0;
    for (size_t bit = 0; bit < 8 * (sizeof text - 1); bit++) {
        struct nip_digests digests;
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        // A heap copy, so that the sanitizer sees a read behind the end.
        char *exact = malloc(sizeof text - 1);
        memcpy(exact, text, sizeof text - 1);
        if (nip_digests_parse(exact, sizeof text - 1, &digests, NULL) == NIP_OK) {
            struct nip_buffer out = {0};
            assert_int_equal(nip_digests_print(&digests, &out, NULL), NIP_OK);
            assert_true(nip_buffer_equals(&out, text, sizeof text - 1));
            nip_buffer_free(&out);
            nip_digests_free(&digests);
            accepted++;
        }
        free(exact);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_true(accepted > 100); // digits of digests, letters of names
}

static void too_large_is_refused(void **state)
{
    (void)state;
    size_t size = NIP_DIGESTS_SIZE_MAX + 1;
    char *text = malloc(size);
    memset(text, 'a', size);
    struct nip_digests digests;
    assert_int_equal(nip_digests_parse(text, size, &digests, NULL), NIP_ERROR_LIMIT);
    free(text);
    assert_int_equal(nip_digests_parse("", 0, &digests, NULL), NIP_ERROR_SYNTAX);
    assert_int_equal(nip_digests_parse("\n", 1, &digests, NULL), NIP_ERROR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_rule),
        cmocka_unit_test(versions_follow_semver),
        cmocka_unit_test(paths_cannot_escape_or_collide),
        cmocka_unit_test(digests_round_trip),
        cmocka_unit_test(digests_are_built_in_order),
        cmocka_unit_test(wrong_texts_are_refused_at_their_line),
        cmocka_unit_test(every_accepted_change_is_another_package),
        cmocka_unit_test(too_large_is_refused),
    };
    return cmocka_run_group_tests_name("digests", tests, NULL, NULL);
}
