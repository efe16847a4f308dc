// SPDX-License-Identifier: Apache-2.0
//
// Goal: errors carry the right place and never raw foreign bytes; buffers keep their limit.
// Method: hostile strings through every entry point, positions compared with hand-counted ones.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/escape.h"

static void escape_shows_dangerous_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } table[] = {
        {"plain text, \xc3\xa4\xe2\x82\xac", "plain text, \xc3\xa4\xe2\x82\xac"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"a\nb\rc\td", "a\\nb\\rc\\td"},
        {"\x7f\x01", "\\x7f\\x01"},
        {"\xc2\x9b", "\\u{9b}"},
        {"\xe2\x80\xae"
         "evil",
         "\\u{202e}evil"},
        {"\xef\xbb\xbf", "\\u{feff}"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xf3\xa0\x81\x81", "\\u{e0041}"},
        {"cut \xe2\x82", "cut \\xe2\\x82"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char out[128], again[128];
        size_t count = nip_escape(out, sizeof out, table[i].text, strlen(table[i].text));
        assert_string_equal(out, table[i].expected);
        assert_int_equal(count, strlen(table[i].expected));
        nip_escape(again, sizeof again, out, count);
        assert_string_equal(again, out);
    }
}

static void escape_cuts_between_characters(void **state)
{
    (void)state;
    char out[8];
    assert_int_equal(nip_escape(out, sizeof out, "ab\x1b\x1b\x1b", 5), 6);
    assert_string_equal(out, "ab\\x1b");
    assert_int_equal(nip_escape(out, 1, "abc", 3), 0);
    assert_string_equal(out, "");
}

static void utf8_round_trip(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x110000; code_point++) {
        uint8_t bytes[4];
        size_t size = nip_utf8_encode(code_point, bytes);
        bool is_scalar = code_point < 0xd800 || (code_point > 0xdfff && code_point < 0x110000);
        assert_int_equal(size != 0, is_scalar);
        if (!is_scalar)
            continue;
        uint32_t decoded = 0;
        assert_int_equal(nip_utf8_decode(bytes, size, &decoded), size);
        assert_int_equal(decoded, code_point);
        assert_int_equal(nip_utf8_decode(bytes, size - 1, &decoded), 0);
    }
}

static void error_is_escaped_and_placed(void **state)
{
    (void)state;
    struct nip_error err = {0};
    assert_int_equal(nip_error_set(&err, NIP_ERROR_SYNTAX, "bad %s", "\x1b]0;x"), NIP_ERROR_SYNTAX);
    assert_string_equal(err.message, "bad \\x1b]0;x");
    const char *text = "one\r\nt\xc3\xa4\x1bwo three\nfour";
    nip_error_at_text(&err, "a\nb", text, strlen(text), (size_t)(strstr(text, "three") - text), 5);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 7);
    assert_string_equal(err.file, "a\\nb");
    assert_string_equal(err.excerpt, "t\xc3\xa4\\x1bwo three");
    assert_int_equal(err.caret_column, 10);
    assert_int_equal(err.caret_width, 5);
    nip_error_hint(&err, "first\nsecond\r");
    assert_string_equal(err.hint, "first\nsecond\\r");
    nip_error_prefix(&err, "in %s: ", "x");
    assert_string_equal(err.message, "in x: bad \\x1b]0;x");
}

static void error_excerpt_survives_every_offset(void **state)
{
    (void)state;
    char text[2000];
    memset(text, 'a', sizeof text);
    memcpy(text + 700, "\xe2\x80\xa8", 3);
    memset(text + 900, 0x1b, 300);
    memset(text + 1500, 0xe2, 100);
    for (size_t offset = 0; offset <= sizeof text + 1; offset++) {
        struct nip_error err = {0};
        nip_error_at_text(&err, "f", text, sizeof text, offset, offset % 97);
        assert_true(err.caret_column >= 1 && err.caret_width >= 1);
        assert_true(strlen(err.excerpt) < sizeof err.excerpt);
    }
}

static void error_long_messages_are_cut(void **state)
{
    (void)state;
    struct nip_error err = {0};
    char *text = malloc(5000);
    memset(text, 0x1b, 4999);
    text[4999] = '\0';
    nip_error_set(&err, NIP_ERROR_NAME, "%s", text);
    assert_true(strlen(err.message) < sizeof err.message);
    nip_error_set_errno(&err, ENOSPC, "%s", text);
    assert_int_equal(err.code, NIP_ERROR_IO);
    assert_int_equal(nip_error_set_errno(&err, ENOENT, "x"), NIP_ERROR_MISSING);
    assert_int_equal(nip_error_set(NULL, NIP_ERROR_LIMIT, "x"), NIP_ERROR_LIMIT);
    free(text);
}

static void error_codes_have_texts(void **state)
{
    (void)state;
    for (int code = 0; code < NIP_ERROR_COUNT; code++) {
        assert_true(strlen(nip_error_name((enum nip_code)code)) > 1);
        assert_true(strlen(nip_error_sentence((enum nip_code)code)) > 4);
        assert_int_equal(nip_error_exit_status((enum nip_code)code) == 0, code == 0);
    }
    assert_string_equal(nip_error_name((enum nip_code)9999), "INTERNAL");
}

static void buffer_keeps_limit_and_failure(void **state)
{
    (void)state;
    struct nip_buffer buffer;
    struct nip_error err = {0};
    nip_buffer_init(&buffer, 200);
    nip_buffer_append_format(&buffer, "%0100d", 7);
    nip_buffer_append_fill(&buffer, 'x', 100);
    assert_int_equal(nip_buffer_check(&buffer, "it", &err), NIP_OK);
    assert_int_equal(buffer.size, 200);
    assert_int_equal(strlen(nip_buffer_text(&buffer)), 200);
    nip_buffer_append_byte(&buffer, 'y');
    nip_buffer_clear(&buffer);
    nip_buffer_append(&buffer, NULL, 0);
    assert_int_equal(nip_buffer_check(&buffer, "it", &err), NIP_OK);
    assert_null(nip_buffer_extend(&buffer, SIZE_MAX));
    assert_int_equal(nip_buffer_check(&buffer, "it", &err), NIP_ERROR_LIMIT);
    nip_buffer_append_text(&buffer, "a");
    assert_int_equal(buffer.size, 0);
    nip_buffer_free(&buffer);
    size_t size = 1;
    uint8_t *data = nip_buffer_take(&buffer, &size);
    assert_non_null(data);
    assert_int_equal(size, 0);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escape_shows_dangerous_characters),
        cmocka_unit_test(escape_cuts_between_characters),
        cmocka_unit_test(utf8_round_trip),
        cmocka_unit_test(error_is_escaped_and_placed),
        cmocka_unit_test(error_excerpt_survives_every_offset),
        cmocka_unit_test(error_long_messages_are_cut),
        cmocka_unit_test(error_codes_have_texts),
        cmocka_unit_test(buffer_keeps_limit_and_failure),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
