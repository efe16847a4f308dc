// SPDX-License-Identifier: Apache-2.0
//
// Goal: the KDL parser accepts, refuses and prints exactly as the official suite says, knows the
// place of everything, and stays within its limits. Method: the suite's files; then small documents
// whose positions, limits and errors are known.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/kdl.h"

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = malloc(65536);
    *size = fread(text, 1, 65535, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

// Parses and prints; NULL when refused.
static char *reprint(const char *text, size_t size, struct nip_error *err)
{
    struct nip_kdl_document *document;
    struct nip_buffer out = {0};
    if (nip_kdl_parse(text, size, "input", NULL, &document, err) != NIP_OK) {
        assert_null(document);
        return NULL;
    }
    nip_kdl_print(document, &out);
    nip_kdl_document_free(document);
    return (char *)nip_buffer_take(&out, NULL);
}

// Laid out, a text means the same (nip_kdl_format() sees to that), and once is enough.
static void lay_out_twice(const char *name, const char *text, size_t size)
{
    struct nip_error err = {0};
    struct nip_buffer once = {0}, twice = {0};
    if (nip_kdl_format(text, size, name, &once, &err) != NIP_OK ||
        nip_kdl_format(nip_buffer_text(&once), once.size, name, &twice, &err) != NIP_OK)
        fail_msg("%s: %s", name, err.message);
    if (!nip_buffer_equals(&once, twice.data, twice.size))
        fail_msg("%s: laid out\n%sand again\n%s", name, nip_buffer_text(&once),
                 nip_buffer_text(&twice));
    nip_buffer_free(&once);
    nip_buffer_free(&twice);
}

static void suite_agrees(void **state)
{
    (void)state;
    DIR *folder = opendir(RUMPK_VECTORS "/kdl/input");
    if (folder == NULL) {
        print_message("SKIPPED: the KDL suite is not in %s\n", RUMPK_VECTORS "/kdl");
        skip();
    }
    unsigned count = 0, wrong = 0, refused = 0;
    for (struct dirent *item; (item = readdir(folder)) != NULL;) {
        if (!ends_with(item->d_name, ".kdl"))
            continue;
        char path[1024];
        size_t size, expected_size = 0;
        struct nip_error err = {0};
        snprintf(path, sizeof path, RUMPK_VECTORS "/kdl/input/%s", item->d_name);
        char *input = read_file(path, &size);
        snprintf(path, sizeof path, RUMPK_VECTORS "/kdl/expected_kdl/%s", item->d_name);
        char *expected = read_file(path, &expected_size);
        char *printed = reprint(input, size, &err);
        bool must_fail = ends_with(item->d_name, "_fail.kdl");
        count++;
        if (must_fail) {
            refused++;
            if (printed != NULL || err.line == 0 || err.excerpt[0] == '\0') {
                print_message("%s: accepted: %s\n", item->d_name, printed ? printed : "");
                wrong++;
            }
        } else if (printed == NULL) {
            print_message("%s: refused: %u:%u %s\n", item->d_name, err.line, err.column,
                          err.message);
            wrong++;
        } else {
            // The suite prints an empty document as one empty line.
            const char *wanted = strcmp(expected, "\n") == 0 ? "" : expected;
            if (strcmp(printed, wanted) != 0) {
                print_message("%s: expected\n%s\ngot\n%s\n", item->d_name, wanted, printed);
                wrong++;
            }
            char *again = reprint(printed, strlen(printed), &err);
            assert_non_null(again);
            assert_string_equal(again, printed);
            free(again);
            lay_out_twice(item->d_name, input, size);
        }
        free(input);
        free(expected);
        free(printed);
    }
    closedir(folder);
    print_message("KDL suite: %u inputs, %u to be refused, %u wrong\n", count, refused, wrong);
    assert_int_equal(count, 336);
    assert_int_equal(refused, 95);
    assert_int_equal(wrong, 0);
}

static void layout_keeps_what_people_wrote(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"\n\n  \n", ""},
        {"a 1", "a 1\n"},
        {"\xef\xbb\xbf  a   1\t\r\n", "a 1\n"},
        {"a\n\n\n\n  b\n\n", "a\n\nb\n"},
        {"a{\nb{\n  c\n}\n}\n", "a {\n    b {\n        c\n    }\n}\n"},
        {"a {\n\n  b\n\n}\n", "a {\n    b\n}\n"},
        {"a { }\nb{c;d}", "a {}\nb { c; d }\n"},
        {"a ; b;", "a; b;\n"},
        {"a k = 1 ( t ) 2", "a k=1 (t)2\n"},
        {"(t)a  // why  \n// above\n  /* in */ b /* c */ 1\n",
         "(t)a // why\n// above\n/* in */ b /* c */ 1\n"},
        {"a \\  // more\n1 \\\n   2\nb", "a \\  // more\n    1 \\\n    2\nb\n"},
        {"/-a 1\nb /- 2  3 /-{\nc\n}", "/-a 1\nb /- 2 3 /- {\n    c\n}\n"},
        {"a \"x  {  y\" #\"r  ;\"# r#t", NULL},
        {"a \"x  {  y\" #\"r  ;\"#\n", "a \"x  {  y\" #\"r  ;\"#\n"},
        {"a {\nb \"\"\"\n      x\n       y\n      \"\"\"\n}",
         "a {\n    b \"\"\"\n      x\n       y\n      \"\"\"\n}\n"},
        {"a {", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nip_error err = {0};
        struct nip_buffer out = {0};
        enum nip_code code = nip_kdl_format(cases[i][0], strlen(cases[i][0]), "f", &out, &err);
        if (cases[i][1] == NULL) {
            assert_int_equal(code, NIP_ERROR_SYNTAX);
        } else {
            if (code != NIP_OK)
                fail_msg("%s: %s", cases[i][0], err.message);
            assert_string_equal(nip_buffer_text(&out), cases[i][1]);
            lay_out_twice("case", cases[i][0], strlen(cases[i][0]));
        }
        nip_buffer_free(&out);
    }
}

static struct nip_kdl_document *parse(const char *text)
{
    struct nip_kdl_document *document;
    struct nip_error err = {0};
    if (nip_kdl_parse(text, strlen(text), "test.kdl", NULL, &document, &err) != NIP_OK)
        fail_msg("%u:%u: %s", err.line, err.column, err.message);
    return document;
}

static void check_span(struct nip_kdl_span span, const char *text, const char *expected,
                       uint32_t line, uint32_t column)
{
    assert_int_equal(span.size, strlen(expected));
    assert_memory_equal(text + span.offset, expected, span.size);
    assert_int_equal(span.line, line);
    assert_int_equal(span.column, column);
}

static void spans_are_exact(void **state)
{
    (void)state;
    const char *good = "\xef\xbb\xbf// c\r\n(t)n\xc3\xa4me 1 \"k\\u{65}y\" = (u8) 0xa_ \\\n  {\n"
                       "\tinner #true; last \"\"\"\n  x\n  \"\"\" // end\n} // done\nnext";
    struct nip_kdl_document *document = parse(good);
    const struct nip_kdl_node *node = nip_kdl_document_nodes(document);
    check_span(node->name_span, good, "n\xc3\xa4me", 2, 4);
    check_span(node->type_span, good, "t", 2, 2);
    assert_int_equal(node->span.column, 1);

    assert_memory_equal(good + node->span.offset + node->span.size - 1, "}", 1);
    assert_int_equal(good[node->children_span.offset], '{');
    assert_int_equal(node->children_span.line, 3);
    const struct nip_kdl_entry *entry = node->entries;
    check_span(entry->span, good, "1", 2, 9);
    entry = entry->next;
    check_span(entry->key_span, good, "\"k\\u{65}y\"", 2, 11);
    check_span(entry->value.type_span, good, "u8", 2, 25);
    check_span(entry->value.span, good, "0xa_", 2, 29);
    check_span(entry->span, good, "\"k\\u{65}y\" = (u8) 0xa_", 2, 11);
    const struct nip_kdl_value *value = nip_kdl_property(node, "key");
    uint64_t number = 0;
    assert_true(nip_kdl_value_u64(value, &number));
    assert_int_equal(number, 10);
    const struct nip_kdl_node *inner = nip_kdl_child(node, "inner");
    assert_ptr_equal(inner->parent, node);
    check_span(inner->span, good, "inner #true", 4, 2);
    check_span(nip_kdl_child(node, "last")->span, good, "last \"\"\"\n  x\n  \"\"\"", 4, 15);
    assert_true(nip_kdl_string_equals(nip_kdl_argument(nip_kdl_child(node, "last"), 0)->text, "x"));
    check_span(nip_kdl_find(node->next, "next")->name_span, good, "next", 8, 1);
    assert_null(nip_kdl_find(node, "absent"));
    struct nip_error err = {0};
    nip_kdl_error_at(document, entry->value.span, &err, NIP_ERROR_SCHEMA, "too %s", "big");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 29);
    assert_int_equal(err.caret_column, 29);
    assert_int_equal(err.caret_width, 4);
    assert_string_equal(err.file, "test.kdl");
    nip_kdl_document_free(document);
}

static void values_are_what_they_say(void **state)
{
    (void)state;
    struct nip_kdl_document *document =
        parse("n 18446744073709551615 18446744073709551616 -9223372036854775808 "
              "-9223372036854775809 1.5 1e3 -0 0b1111 \"a\\u{0}b\" a=1 a=2 #null #false");
    const struct nip_kdl_node *node = nip_kdl_document_nodes(document);
    uint64_t u = 0;
    int64_t i = 0;
    assert_true(nip_kdl_value_u64(nip_kdl_argument(node, 0), &u) && u == UINT64_MAX);
    assert_false(nip_kdl_value_i64(nip_kdl_argument(node, 0), &i));
    assert_false(nip_kdl_value_u64(nip_kdl_argument(node, 1), &u));
    assert_false(nip_kdl_value_u64(nip_kdl_argument(node, 2), &u));
    assert_true(nip_kdl_value_i64(nip_kdl_argument(node, 2), &i) && i == INT64_MIN);
    assert_false(nip_kdl_value_i64(nip_kdl_argument(node, 3), &i));
    assert_false(nip_kdl_value_u64(nip_kdl_argument(node, 4), &u));
    assert_false(nip_kdl_value_u64(nip_kdl_argument(node, 5), &u));
    assert_true(nip_kdl_value_i64(nip_kdl_argument(node, 6), &i) && i == 0);
    assert_true(nip_kdl_value_u64(nip_kdl_argument(node, 7), &u) && u == 15);
    assert_int_equal(nip_kdl_argument(node, 8)->text.size, 3);
    assert_memory_equal(nip_kdl_argument(node, 8)->text.text, "a\0b", 4);
    assert_int_equal(nip_kdl_argument_count(node), 11);
    assert_null(nip_kdl_argument(node, 11));
    assert_true(nip_kdl_value_u64(nip_kdl_property(node, "a"), &u) && u == 2);
    assert_int_equal(nip_kdl_argument(node, 9)->kind, NIP_KDL_NULL);
    assert_int_equal(nip_kdl_argument(node, 10)->kind, NIP_KDL_BOOLEAN);
    nip_kdl_document_free(document);
}

// The very first string of a document, and it is empty: nothing has been allocated yet.
static void empty_strings_are_strings(void **state)
{
    (void)state;
    static const char *const texts[] = {"a \"\"\"\n\"\"\"", "a #\"\"\"\n\"\"\"#", "a \"\"",
                                        "a #\"\"#"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nip_kdl_document *document = parse(texts[i]);
        const struct nip_kdl_value *value = nip_kdl_argument(nip_kdl_document_nodes(document), 0);
        assert_true(nip_kdl_string_equals(value->text, ""));
        nip_kdl_document_free(document);
    }
}

static void errors_point_at_the_cause(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line, column;
    } table[] = {
        {"node 1.x", 1, 8},
        {"a\nb \"open\nc", 2, 3},
        {"a {\n b {\n }\n", 1, 3},
        {"a }", 1, 3},
        {"a \"\\q\"", 1, 4},
        {"a \"\\u{d800}\"", 1, 4},
        {"a true", 1, 3},
        {"a \"x\"y", 1, 6},
        {"a 1 {} 2", 1, 8},
        {"a {} {}", 1, 6},
        {"a /* b", 1, 3},
        {"a\n/-", 2, 1},
        {"a \xff", 1, 3},
        {"a \x1b", 1, 3},
        {"a #foo", 1, 3},
        {"a \"\"\"x\n\"\"\"", 1, 3},
        {"a \"\"\"\n x\n  \"\"\"", 2, 1},
        {"a \"\"\"\n x\n y\"\"\"", 3, 3},
        {"a (t", 1, 5},
        {"a ()1", 1, 4},
        {"a b=", 1, 5},
        {"a .5", 1, 3},
        {"a 12ab", 1, 3},
        {"1", 1, 1},
        {"a \\ b\n", 1, 5},
        {"a #\"x\"", 1, 3},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_error err = {0};
        char *printed = reprint(table[i].text, strlen(table[i].text), &err);
        if (printed != NULL)
            fail_msg("accepted: %s", table[i].text);
        if (err.line != table[i].line || err.column != table[i].column)
            fail_msg("%s: %u:%u instead of %u:%u: %s", table[i].text, err.line, err.column,
                     table[i].line, table[i].column, err.message);
        assert_int_equal(err.code, NIP_ERROR_SYNTAX);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct nip_kdl_document *document;
    struct nip_error err = {0};
    char text[3 * 65];
    for (size_t i = 0; i < 65; i++) {
        memcpy(text + 2 * i, "a{", 2);
        text[2 * 65 + i] = '}';
    }
    assert_int_equal(nip_kdl_parse(text, sizeof text, "f", NULL, &document, &err), NIP_ERROR_LIMIT);
    assert_int_equal(err.code, NIP_ERROR_LIMIT);
    struct nip_kdl_limits limits = {.depth_max = 65};
    assert_int_equal(nip_kdl_parse(text, sizeof text, "f", &limits, &document, &err), NIP_OK);
    nip_kdl_document_free(document);
    limits = (struct nip_kdl_limits){.item_count_max = 3};
    assert_int_equal(nip_kdl_parse("a 1 2", 5, "f", &limits, &document, &err), NIP_OK);
    nip_kdl_document_free(document);
    assert_int_equal(nip_kdl_parse("a 1 2 3", 7, "f", &limits, &document, &err), NIP_ERROR_LIMIT);
    limits = (struct nip_kdl_limits){.size_max = 5};
    assert_int_equal(nip_kdl_parse("a 1 22", 6, "f", &limits, &document, &err), NIP_ERROR_LIMIT);

    // A comment of any depth costs no stack; a number of any size costs a bounded time.
    size_t size = 1 << 20;
    char *big = malloc(size);
    for (size_t i = 0; i < size; i += 4)
        memcpy(big + i, i < size / 2 ? "/*/*" : "*/*/", 4);
    assert_int_equal(nip_kdl_parse(big, size, "f", NULL, &document, &err), NIP_OK);
    nip_kdl_document_free(document);
    memset(big, 'f', size);
    memcpy(big, "a 0x", 4);
    assert_int_equal(nip_kdl_parse(big, size, "f", NULL, &document, &err), NIP_ERROR_SYNTAX);
    assert_int_equal(nip_kdl_parse(big, 1000, "f", NULL, &document, &err), NIP_OK);
    assert_int_equal(nip_kdl_argument(nip_kdl_document_nodes(document), 0)->text.size, 1200);
    nip_kdl_document_free(document);
    // One endless line must not make positions quadratic.
    for (size_t i = 0; i < size; i += 2)
        memcpy(big + i, "a ", 2);
    limits = (struct nip_kdl_limits){.item_count_max = 1 << 20};
    assert_int_equal(nip_kdl_parse(big, size, "f", &limits, &document, &err), NIP_OK);
    nip_kdl_document_free(document);
    free(big);
}

static void every_prefix_and_flip_terminates(void **state)
{
    (void)state;
    static const char text[] =
        "(t)node \"s\\n\" k=#\"r\"# 0x1F /- 2 { /* c */ a;b -1.5e-3 \\\n c\n }\n"
        "m \"\"\"\n  l\\s\n  \"\"\" /-{ x }\n";
    char copy[sizeof text];
    unsigned accepted = 0;
    for (size_t size = 0; size < sizeof text; size++) {
        for (unsigned bit = 0; bit < 9; bit++) {
            memcpy(copy, text, sizeof text);
            if (size > 0 && bit < 8)
                copy[size - 1] = (char)(copy[size - 1] ^ (1 << bit));
            // A heap copy of exactly this size, so that the sanitizer sees a read behind it.
            char *exact = malloc(size + 1);
            memcpy(exact, copy, size);
            char *printed = reprint(exact, size, NULL);
            free(exact);
            if (printed != NULL) {
                accepted++;
                char *again = reprint(printed, strlen(printed), NULL);
                assert_non_null(again);
                assert_string_equal(printed, again);
                free(again);
            }
            free(printed);
        }
    }
    assert_true(accepted > 100);
}

static void printing_quotes_what_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } table[] = {
        {"", "\"\""},
        {"abc-d", "abc-d"},
        {"1a", "\"1a\""},
        {"-1", "\"-1\""},
        {"-", "-"},
        {".5", "\".5\""},
        {"true", "\"true\""},
        {"a b", "\"a b\""},
        {"a\nb", "\"a\\nb\""},
        {"\x1b", "\"\\u{1b}\""},
        {"\xe2\x80\xa8", "\"\\u{2028}\""},
        {"a=b", "\"a=b\""},
        {"\xff", "\"\\u{fffd}\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_buffer out = {0};
        nip_kdl_print_string(table[i].text, strlen(table[i].text), &out);
        assert_string_equal(nip_buffer_text(&out), table[i].expected);
        nip_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suite_agrees),
        cmocka_unit_test(layout_keeps_what_people_wrote),
        cmocka_unit_test(spans_are_exact),
        cmocka_unit_test(values_are_what_they_say),
        cmocka_unit_test(empty_strings_are_strings),
        cmocka_unit_test(errors_point_at_the_cause),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(every_prefix_and_flip_terminates),
        cmocka_unit_test(printing_quotes_what_must_be),
    };
    return cmocka_run_group_tests_name("kdl", tests, NULL, NULL);
}
