// SPDX-License-Identifier: Apache-2.0
//
// Goal: a statement has one spelling, and is followed only when the old threshold and every new key
// have signed it. Method: every byte of a statement changed; each signature left out in turn.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nip/statement.h"
#include "trust_fixture.h"

static struct nip_error err;
static struct nip_trust trust;
static struct nip_statement statement;
static struct nip_buffer text;
static struct nip_buffer signatures[8];
static size_t signature_count;

static void trust_is(const char *line)
{
    assert_int_equal(nip_trust_parse(line, strlen(line), "nip.trust.kdl", &trust, &err), NIP_OK);
}

// Rotation 4 of acme/clock from the keys 1 and 2 to 2 and 3, threshold 2; trusted are 1 and 2.
static int begin(void **state)
{
    (void)state;
    struct nip_buffer line = {0};
    nip_buffer_append_format(
        &line, "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; threshold 2; rotation 3 }",
        text_of(1), text_of(2));
    trust_is(nip_buffer_text(&line));
    nip_buffer_free(&line);
    statement = (struct nip_statement){.kind = NIP_STATEMENT_ROTATION,
                                       .pattern = "acme/clock",
                                       .serial = 4,
                                       .threshold = 2,
                                       .old_count = 2,
                                       .new_count = 2,
                                       .old_keys = {key_of(1), key_of(2)},
                                       .new_keys = {key_of(3), key_of(2)}};
    signature_count = 0;
    nip_buffer_clear(&text);
    return 0;
}

static int end(void **state)
{
    (void)state;
    nip_buffer_free(&text);
    for (size_t i = 0; i < 8; i++)
        nip_buffer_free(&signatures[i]);
    return 0;
}

static void print(void)
{
    nip_buffer_clear(&text);
    if (nip_statement_print(&statement, &text, &err) != NIP_OK)
        fail_msg("%s", err.message);
}

static void sign_with(uint8_t number, const char *comment)
{
    struct nip_secret_key secret = secret_of(number);
    struct nip_signature signature;
    char own[NIP_TRUSTED_COMMENT_MAX + 1];
    nip_statement_comment(&statement, own);
    assert_int_equal(nip_signature_make_over(&secret, text.data, text.size,
                                             comment != NULL ? comment : own, &signature, &err),
                     NIP_OK);
    nip_buffer_clear(&signatures[signature_count]);
    nip_signature_print(&signature, &signatures[signature_count++]);
}

static enum nip_code check(void)
{
    struct nip_signature_text texts[8];
    memset(&err, 0, sizeof err);
    for (size_t i = 0; i < signature_count; i++)
        texts[i] = (struct nip_signature_text){nip_buffer_text(&signatures[i]), signatures[i].size};
    return nip_statement_check(&statement, nip_buffer_text(&text), text.size, texts,
                               signature_count, &trust, &err);
}

static void one_content_has_one_spelling(void **state)
{
    (void)state;
    struct nip_statement again;
    for (unsigned kind = 0; kind < 2; kind++) {
        if (kind == 1)
            statement = (struct nip_statement){.kind = NIP_STATEMENT_REVOCATION,
                                               .pattern = "acme/*",
                                               .key = key_of(1),
                                               .keep_count = 2,
                                               .keeps = {{9}, {8}}};
        print();
        assert_int_equal(nip_statement_parse(nip_buffer_text(&text), text.size, "x", &again, &err),
                         NIP_OK);
        struct nip_buffer twice = {0};
        assert_int_equal(nip_statement_print(&again, &twice, &err), NIP_OK);
        assert_true(nip_buffer_equals(&twice, text.data, text.size));
        nip_buffer_free(&twice);
        for (size_t size = 0; size < text.size; size++) {
            // A revocation may end behind any of its lines; every other cut is refused.
            enum nip_code code =
                nip_statement_parse(nip_buffer_text(&text), size, "x", &again, &err);
            bool is_whole = kind == 1 && size > 90 && text.data[size - 1] == '\n';
            assert_int_equal(code == NIP_OK, is_whole);
        }
        for (size_t at = 0; at < text.size; at++) {
            // Whatever is accepted says something else, and is its own printing.
            text.data[at] ^= 1;
            if (nip_statement_parse(nip_buffer_text(&text), text.size, "x", &again, &err) ==
                NIP_OK) {
                twice = (struct nip_buffer){0};
                assert_int_equal(nip_statement_print(&again, &twice, &err), NIP_OK);
                assert_true(nip_buffer_equals(&twice, text.data, text.size));
                nip_buffer_free(&twice);
            }
            text.data[at] ^= 1;
        }
    }
}

static void malformed_statements_are_refused(void **state)
{
    (void)state;
    struct nip_buffer all = {0};
    struct nip_statement again;
    const char *one = text_of(1), *two = text_of(2);
    struct nip_public_key first = key_of(1), second = key_of(2);
    if (memcmp(first.key, second.key, 32) > 0) {
        const char *swap = one;
        one = two;
        two = swap;
    }
    static const struct {
        const char *format; // takes two keys
        enum nip_code code;
    } cases[] = {
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nnew %s\n", NIP_OK},
        {"rumpk-rotation 2\nname a/b\nserial 1\nthreshold 1\nold %s\nnew %s\n",
         NIP_ERROR_UNSUPPORTED},
        {"rumpk-rotation 1\nname b\nserial 1\nthreshold 1\nold %s\nnew %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 0\nthreshold 1\nold %s\nnew %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 01\nthreshold 1\nold %s\nnew %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 4294967296\nthreshold 1\nold %s\nnew %s\n",
         NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 2\nold %s\nnew %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nnew %s\nold %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nold %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nnew %s\nend\n",
         NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\r\nname a/b\nserial 1\nthreshold 1\nold %s\nnew %s\n",
         NIP_ERROR_UNSUPPORTED},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nnew %s", NIP_ERROR_SYNTAX},
        {"rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nnew RW%s\n", NIP_ERROR_KEY},
        {"rumpk-revocation 1\nname a/b\nkey %s\nkey %s\n", NIP_ERROR_SYNTAX},
        {"rumpk-revocation 1\nname a/b\n", NIP_ERROR_SYNTAX},
        {"rumpk-revocation 1\nname a/b\nkey %s\nkeep %s\n", NIP_ERROR_SYNTAX},
        {"untrusted comment: npl signature\n", NIP_ERROR_SYNTAX},
        {"", NIP_ERROR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nip_buffer_clear(&all);
        const char *keys[] = {one, two};
        unsigned next = 0;
        for (const char *c = cases[i].format; *c != '\0'; c++) {
            if (c[0] == '%' && c[1] == 's') {
                nip_buffer_append_text(&all, keys[next++ % 2]);
                c++;
            } else {
                nip_buffer_append_byte(&all, (uint8_t)*c);
            }
        }
        memset(&err, 0, sizeof err);
        enum nip_code code =
            nip_statement_parse(nip_buffer_text(&all), all.size, "x", &again, &err);
        if (code != cases[i].code)
            fail_msg("%s: %d, %s", cases[i].format, code, err.message);
    }
    // Keys in the other order, and one of them twice.
    nip_buffer_clear(&all);
    nip_buffer_append_format(
        &all, "rumpk-rotation 1\nname a/b\nserial 1\nthreshold 1\nold %s\nold %s\nnew %s\n", two,
        one, one);
    assert_int_equal(nip_statement_parse(nip_buffer_text(&all), all.size, "x", &again, &err),
                     NIP_ERROR_SYNTAX);
    nip_buffer_clear(&all);
    nip_buffer_append_format(
        &all, "rumpk-rotation 1\nname a/b\nserial 1\nthreshold 2\nold %s\nnew %s\nnew %s\n", two,
        one, one);
    assert_int_equal(nip_statement_parse(nip_buffer_text(&all), all.size, "x", &again, &err),
                     NIP_ERROR_SYNTAX);
    nip_buffer_clear(&all);
    nip_buffer_append_fill(&all, 'x', NIP_STATEMENT_SIZE_MAX + 1);
    assert_int_equal(nip_statement_parse(nip_buffer_text(&all), all.size, "x", &again, &err),
                     NIP_ERROR_LIMIT);
    nip_buffer_free(&all);
}

static void a_rotation_needs_old_threshold_and_every_new_key(void **state)
{
    (void)state;
    print();
    for (unsigned without = 0; without < 4; without++) {
        signature_count = 0;
        for (uint8_t number = 1; number <= 3; number++)
            if (number != without)
                sign_with(number, NULL);
        assert_int_equal(check(), without == 0 ? NIP_OK : NIP_ERROR_UNTRUSTED);
    }
    // Instead of the one that is missing: a repeated one, a stranger's, one with another comment.
    signature_count = 0;
    sign_with(1, NULL);
    sign_with(1, NULL);
    sign_with(3, NULL);
    sign_with(9, NULL);
    sign_with(2, "npl 1 acme/clock 4");
    assert_int_equal(check(), NIP_ERROR_UNTRUSTED);
    sign_with(2, NULL);
    assert_int_equal(check(), NIP_OK);
    // The signatures hold for these bytes only.
    statement.threshold = 1;
    print();
    assert_int_equal(check(), NIP_ERROR_UNTRUSTED);
}

static void a_rotation_starts_where_the_project_is(void **state)
{
    (void)state;
    struct nip_buffer line = {0};
    print();
    for (uint8_t number = 1; number <= 3; number++)
        sign_with(number, NULL);
    trust.publishers[0].rotation = 4;
    assert_int_equal(check(), NIP_ERROR_MISMATCH);
    trust.publishers[0].rotation = 5;
    assert_int_equal(check(), NIP_ERROR_MISMATCH);
    trust.publishers[0].rotation = 0;
    assert_int_equal(check(), NIP_OK);
    trust.publishers[0].keys[0] = key_of(7);
    assert_int_equal(check(), NIP_ERROR_MISMATCH);
    trust.publishers[0].keys[0] = key_of(1);
    trust.publishers[0].key_count = 1;
    assert_int_equal(check(), NIP_ERROR_MISMATCH);
    trust_is("");
    assert_int_equal(check(), NIP_ERROR_MISSING);
    // A line for the namespace is not the line for the name.
    nip_buffer_append_format(&line, "publisher \"acme/*\" { key \"%s\"; key \"%s\" }", text_of(1),
                             text_of(2));
    trust_is(nip_buffer_text(&line));
    assert_int_equal(check(), NIP_ERROR_MISSING);
    nip_buffer_free(&line);
}

static void a_revoked_key_neither_rotates_nor_comes_back(void **state)
{
    (void)state;
    struct nip_buffer line = {0};
    print();
    for (uint8_t number = 1; number <= 3; number++)
        sign_with(number, NULL);
    for (uint8_t revoked = 1; revoked <= 3; revoked += 2) {
        nip_buffer_clear(&line);
        nip_buffer_append_format(
            &line,
            "publisher \"acme/clock\" { key \"%s\"; key \"%s\"; threshold 2 }\n"
            "revoked \"acme/*\" key=\"%s\"",
            text_of(1), text_of(2), text_of(revoked));
        trust_is(nip_buffer_text(&line));
        assert_int_equal(check(), NIP_ERROR_UNTRUSTED);
    }
    nip_buffer_free(&line);
}

static void a_revocation_needs_the_threshold(void **state)
{
    (void)state;
    statement = (struct nip_statement){.kind = NIP_STATEMENT_REVOCATION,
                                       .pattern = "acme/clock",
                                       .key = key_of(1),
                                       .keep_count = 1,
                                       .keeps = {{5}}};
    print();
    sign_with(2, NULL);
    assert_int_equal(check(), NIP_ERROR_UNTRUSTED);
    sign_with(1, NULL);
    assert_int_equal(check(), NIP_OK);
    // Its signatures are for this key and these packages only.
    statement.key = key_of(2);
    print();
    assert_int_equal(check(), NIP_ERROR_UNTRUSTED);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_content_has_one_spelling),
        TEST(malformed_statements_are_refused),
        TEST(a_rotation_needs_old_threshold_and_every_new_key),
        TEST(a_rotation_starts_where_the_project_is),
        TEST(a_revoked_key_neither_rotates_nor_comes_back),
        TEST(a_revocation_needs_the_threshold),
    };
    return cmocka_run_group_tests_name("statement", tests, NULL, NULL);
}
