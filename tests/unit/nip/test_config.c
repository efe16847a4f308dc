// SPDX-License-Identifier: Apache-2.0
//
// Goal: the user's settings are read strictly, and mean what docs/config.md says. Method: tables of
// small texts, each with one mistake; the documented example.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "nip/config.h"

static struct nip_config config;
static struct nip_error err;

static enum nip_code parse(const char *text, size_t size)
{
    memset(&err, 0, sizeof err);
    return nip_config_parse(text, size, "config.kdl", &config, &err);
}

static void every_setting_is_read(void **state)
{
    (void)state;
    static const char text[] = "registry \"work\" url=\"file:/srv/a\"\n"
                               "registry \"home-2\" url=\"file:///srv/b\"\n"
                               "key \"release\"; color \"never\"; progress \"never\"\n"
                               "jobs 64; cache \"/c\"\n";
    assert_int_equal(parse(text, strlen(text)), NIP_OK);
    assert_int_equal(config.registry_count, 2);
    assert_string_equal(nip_config_url(&config, "work"), "file:/srv/a");
    assert_string_equal(nip_config_url(&config, "home-2"), "file:///srv/b");
    assert_null(nip_config_url(&config, "home"));
    assert_string_equal(config.key, "release");
    assert_int_equal(config.color, NIP_CONFIG_NEVER);
    assert_int_equal(config.progress, NIP_CONFIG_NEVER);
    assert_int_equal(config.jobs, 64);
    assert_string_equal(config.cache, "/c");
}

static void what_is_not_written_is_unsaid(void **state)
{
    (void)state;
    static const struct nip_config nothing;
    memset(&config, 0xff, sizeof config);
    assert_int_equal(parse("", 0), NIP_OK);
    assert_memory_equal(&config, &nothing, sizeof config);
    assert_int_equal(parse("// nothing\n", 11), NIP_OK);
    assert_memory_equal(&config, &nothing, sizeof config);
}

static void mistakes_are_shown_where_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
        unsigned line, column;
    } bad[] = {
        {"registry \"work\"", "needs `url=`", 1, 1},
        {"registry url=\"file:/a\"", "needs a value (alias)", 1, 1},
        {"\nregistry \"Work\" url=\"file:/a\"", "lower-case letters", 2, 1},
        {"registry \"sdk\" url=\"file:/a\"", "always means the SDK's own", 1, 1},
        {"registry \"a\" url=\"file:/a\"\nregistry \"a\" url=\"file:/b\"", "stands here twice", 2,
         1},
        {"registry \"a\" url=\"file:a\"", "counts from no folder", 1, 1},
        {"registry \"a\" url=\"file:\"", "counts from no folder", 1, 1},
        {"registry \"a\" url=\"/srv/a\"", "is no address", 1, 1},
        {"registry \"a\" url=\"./a:b\"", "is no address", 1, 1},
        {"registry \"a\" url=\"\"", "no valid `url`", 1, 18},
        {"registry \"a\" uri=\"file:/a\"", "Did you mean `url`", 1, 14},
        {"key \"Release\"", "is no name of a key", 1, 1},
        {"key \"a/b.key\"", "is no name of a key", 1, 1},
        {"key", "needs a value", 1, 1},
        {"key \"a\"; key \"b\"", "stands here twice", 1, 10},
        {"key \"a\" \"b\"", "takes no further value", 1, 9},
        {"color \"allways\"", "Did you mean `always`", 1, 7},
        {"color #true", "no valid `color`", 1, 7},
        {"progress \"always\"", "unknown `progress`", 1, 10},
        {"jobs 0", "a whole number from 1 to 64", 1, 6},
        {"jobs 65", "a whole number from 1 to 64", 1, 6},
        {"jobs \"4\"", "a whole number from 1 to 64", 1, 6},
        {"jobs -1", "a whole number from 1 to 64", 1, 6},
        {"cache \"relative\"", "must be a whole path", 1, 1},
        {"cache \"/\"", "must be a whole path", 1, 1},
        {"job 3", "Did you mean `jobs`", 1, 1},
        {"publisher \"acme/*\" key=\"RWQ\"", "nothing of this name", 1, 1},
        {"jobs 3 {\n}", "takes no block", 1, 8},
        {"jobs (u8)3", "type annotations", 1, 7},
        {"jobs 3 {", "", 1, 0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i].text, strlen(bad[i].text)) == NIP_OK)
            fail_msg("%zu was accepted", i);
        if (strstr(err.message, bad[i].words) == NULL && strstr(err.hint, bad[i].words) == NULL)
            fail_msg("%zu: %s / %s", i, err.message, err.hint);
        assert_string_equal(err.file, "config.kdl");
        if (err.line != bad[i].line || (bad[i].column != 0 && err.column != bad[i].column))
            fail_msg("%zu: at %u:%u", i, err.line, err.column);
    }
}

static void limits_are_kept(void **state)
{
    (void)state;
    struct nip_buffer text = {.size = 0};
    for (unsigned i = 0; i <= NIP_CONFIG_REGISTRIES_MAX; i++) {
        nip_buffer_append_format(&text, "registry \"r%u\" url=\"file:/r\"\n", i);
        assert_int_equal(parse(nip_buffer_text(&text), text.size),
                         i < NIP_CONFIG_REGISTRIES_MAX ? NIP_OK : NIP_ERROR_LIMIT);
    }
    nip_buffer_clear(&text);
    nip_buffer_append_text(&text, "cache \"/");
    while (text.size < 8 + NIP_CONFIG_PATH_SIZE)
        nip_buffer_append_byte(&text, 'a');
    nip_buffer_append_byte(&text, '"');
    assert_int_not_equal(parse(nip_buffer_text(&text), text.size), NIP_OK);
    nip_buffer_clear(&text);
    while (text.size <= NIP_CONFIG_SIZE_MAX)
        nip_buffer_append_text(&text, "// filler\n");
    assert_int_equal(parse(nip_buffer_text(&text), text.size), NIP_ERROR_LIMIT);
    nip_buffer_free(&text);
}

static void the_documented_example_is_read(void **state)
{
    (void)state;
    struct nip_buffer text = {.size = 0};
    assert_int_equal(parse(nip_config_example, strlen(nip_config_example)), NIP_OK);
    nip_config_document(&text);
    assert_non_null(strstr(nip_buffer_text(&text), nip_config_example));
    nip_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_is_read),
        cmocka_unit_test(what_is_not_written_is_unsaid),
        cmocka_unit_test(mistakes_are_shown_where_they_are),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(the_documented_example_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
