// SPDX-License-Identifier: Apache-2.0
//
// Goal: what changes a project's files changes one place only; growth of a package is found
// whatever it is hidden in; workspaces and merged bills of materials are read strictly. Method:
// tables of small texts, each with one change or one mistake.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nip/image_sbom.h"
#include "nip/json.h"
#include "nip/kdl_edit.h"
#include "nip/manifest_growth.h"
#include "nip/workspace.h"

static struct nip_error err;

// ---- editing ----

static struct nip_kdl_document *parse(const char *text)
{
    struct nip_kdl_document *document = NULL;
    assert_int_equal(nip_kdl_parse(text, strlen(text), "t", NULL, &document, &err), NIP_OK);
    return document;
}

static void a_child_is_put_into_its_block(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } table[] = {
        {"", "\nd {\n    l \"x\"\n}\n"},
        {"a 1", "a 1\n\nd {\n    l \"x\"\n}\n"},
        {"d\n", "d {\n    l \"x\"\n}\n"},
        {"d {\n    l \"a\" // why\n}\nb\n", "d {\n    l \"a\" // why\n    l \"x\"\n}\nb\n"},
        {"d { l \"a\"; }\n", "d { l \"a\"; \n    l \"x\"\n}\n"},
        {"d { }", "d { \n    l \"x\"\n}"},
        {"// d\nd {\n}\n", "// d\nd {\n    l \"x\"\n}\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_kdl_document *document = parse(table[i].before);
        struct nip_buffer out = {0};
        nip_kdl_put_child(document, "d", NULL, "l \"x\"", &out);
        assert_string_equal(nip_buffer_text(&out), table[i].after);
        nip_kdl_document_free(document);
        nip_kdl_document_free(parse(nip_buffer_text(&out)));
        nip_buffer_free(&out);
    }
    struct nip_kdl_document *document = parse("d { l \"a\" k=1; l \"b\"\n}\n");
    struct nip_buffer out = {0};
    nip_kdl_put_child(document, "d", nip_kdl_document_nodes(document)->children, "l \"x\"", &out);
    assert_string_equal(nip_buffer_text(&out), "d { l \"x\"; l \"b\"\n}\n");
    nip_kdl_document_free(document);
    nip_buffer_free(&out);
}

static void removed_nodes_leave_no_hole(void **state)
{
    (void)state;
    // Every node named "x" goes, at the top or in a block.
    static const struct {
        const char *before, *after;
    } table[] = {
        {"x", ""},
        {"a\nx 1\nb\n", "a\nb\n"},
        {"a\n\nx {\n  c\n}\n\nb\n", "a\n\nb\n"},
        {"a; x; b\n", "a;  b\n"},
        {"x // why\na\n", "// why\na\n"},
        {"x\nx\na\nx", "a\n"},
        {"d {\n    x\n    y\n}\n", "d {\n    y\n}\n"},
        {"d { x; y }\n", "d {  y }\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct nip_kdl_document *document = parse(table[i].before);
        const struct nip_kdl_node *nodes[8], *node = nip_kdl_document_nodes(document);
        struct nip_buffer out = {0};
        size_t count = 0;
        if (nip_kdl_string_equals(node->name, "d"))
            node = node->children;
        for (; node != NULL; node = node->next)
            if (nip_kdl_string_equals(node->name, "x"))
                nodes[count++] = node;
        nip_kdl_remove_nodes(document, nodes, count, &out);
        assert_string_equal(nip_buffer_text(&out), table[i].after);
        nip_kdl_document_free(document);
        nip_kdl_document_free(parse(nip_buffer_text(&out)));
        nip_buffer_free(&out);
    }
}

// ---- growth ----

static const char base[] =
    "package \"acme/a\" version=\"1.0.0\" { kind \"driver\"; security-version 1; "
    "abi 1; license \"MIT\"; arch \"riscv64\"; }\n";

static void collect(void *context, const char *line)
{
    nip_buffer_append_format(context, "%s\n", line);
}

static void growth_is_found(void **state)
{
    (void)state;
    // `text` empty: nothing grew.
    static const struct {
        const char *before, *now, *text;
    } table[] = {
        {"", "", ""},
        {"request { memory \"m\" size=\"8KiB\"; }", "request { memory \"m\" size=\"8KiB\"; }", ""},
        {"request { memory \"m\" size=\"8KiB\"; }", "request { memory \"m\" size=\"4KiB\"; }", ""},
        {"request { memory \"m\" size=\"8KiB\"; }", "", ""},
        {"", "request { memory \"m\" size=\"4KiB\"; }", "asks to "},
        {"request { memory \"m\" size=\"4KiB\"; }", "request { memory \"m\" size=\"8KiB\"; }",
         "(before: "},
        {"request { memory \"m\" size=\"4KiB\"; }", "request { dma \"m\" size=\"4KiB\"; }",
         "(before: "},
        {"request { device \"d\" virtio=2; }", "request { device \"d\" virtio=1; }", "(before: "},
        {"request { device \"d\" virtio=2 queues=1; }",
         "request { device \"d\" virtio=2 queues=2; }", "(before: "},
        {"request { device \"d\" virtio=2 queues=2; }",
         "request { device \"d\" virtio=2 queues=1; }", ""},
        {"request { registers \"r\" compatible=\"x\"; }",
         "request { registers \"r\" compatible=\"x\" interrupt=#true; }", "(before: "},
        {"request { memory \"m\" size=\"4KiB\" optional=#true; }",
         "request { memory \"m\" size=\"4KiB\"; }", ""},
        {"runtime { stack \"16KiB\"; }", "runtime { stack \"32KiB\"; }", "stack"},
        {"runtime { heap \"32KiB\"; }", "runtime { heap \"64KiB\"; }", "heap"},
        {"runtime { heap \"64KiB\"; }", "runtime { heap \"32KiB\"; }", ""},
        {"runtime { spectrum \"gravity\"; }", "runtime { spectrum \"matter\"; }", "matter"},
        {"runtime { spectrum \"matter\"; }", "runtime { spectrum \"gravity\"; }", ""},
        {"runtime { pledge \"stdio\"; }", "runtime { pledge \"stdio\" \"map\"; }", "\"map\""},
        {"runtime { pledge \"stdio\" \"map\"; }", "runtime { pledge \"stdio\"; }", ""},
        {"", "needs { service \"console\" 1 style=\"stream\"; }", "console"},
        {"needs { service \"console\" 1 style=\"stream\"; }",
         "needs { service \"console\" 2 style=\"stream\"; }", "\"console\" 2"},
        {"", "provides { service \"block\" 1 style=\"service\"; }", ""},
        {"", "match { virtio 2; }", "virtio devices of id 2"},
        {"match { virtio 2; }", "match { compatible \"ns16550a\"; }", "ns16550a"},
        {"match { virtio 2; compatible \"ns16550a\"; }", "match { compatible \"ns16550a\"; }", ""},
    };
    static struct nip_manifest before, now;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[1024];
        struct nip_buffer lines = {0};
        snprintf(text, sizeof text, "%s%s", base, table[i].before);
        if (nip_manifest_parse(text, strlen(text), "before", &before, &err) != NIP_OK)
            fail_msg("%zu: %s", i, err.message);
        snprintf(text, sizeof text, "%s%s", base, table[i].now);
        if (nip_manifest_parse(text, strlen(text), "now", &now, &err) != NIP_OK)
            fail_msg("%zu: %s", i, err.message);
        size_t count = nip_manifest_growth(&before, &now, collect, &lines);
        if (count != (table[i].text[0] != '\0') ||
            strstr(nip_buffer_text(&lines), table[i].text) == NULL)
            fail_msg("%zu: %zu lines: %s", i, count, nip_buffer_text(&lines));
        nip_buffer_free(&lines);
    }
}

// ---- workspaces ----

static void workspaces_are_read_strictly(void **state)
{
    (void)state;
    static struct nip_workspace workspace;
    static const char good[] = "workspace {\n  member \"a\"\n  member \"drivers/*\"\n}\n"
                               "override \"acme/ring\" path=\"../ring\"\n";
    assert_int_equal(nip_workspace_parse(good, strlen(good), "w", &workspace, &err), NIP_OK);
    assert_int_equal(workspace.member_count, 2);
    assert_string_equal(nip_workspace_override(&workspace, "acme/ring")->path, "../ring");
    assert_null(nip_workspace_override(&workspace, "acme/other"));
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"workspace { member; }", "path"},
        {"workspace { member \"\"; }", ""},
        {"workspace { member \"/abs\"; }", "below"},
        {"workspace { member \"../up\"; }", "below"},
        {"workspace { member \"a/../../up\"; }", "below"},
        {"workspace { member \"a[b]\"; }", "below"},
        {"workspace { member \"a\"; member \"a\"; }", "twice"},
        {"workspace { members \"a\"; }", "Did you mean `member`"},
        {"workspace; workspace", ""},
        {"override \"ring\" path=\"x\"", ""},
        {"override \"acme/ring\"", "path"},
        {"override \"acme/ring\" path=\"x\"\noverride \"acme/ring\" path=\"y\"", "twice"},
        {"overide \"acme/ring\" path=\"x\"", "override"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        memset(&err, 0, sizeof err);
        if (nip_workspace_parse(bad[i].text, strlen(bad[i].text), "w", &workspace, &err) == NIP_OK)
            fail_msg("%zu was accepted", i);
        if (strstr(err.message, bad[i].words) == NULL && strstr(err.hint, bad[i].words) == NULL)
            fail_msg("%zu: %s / %s", i, err.message, err.hint);
        assert_string_equal(err.file, "w");
        assert_true(err.line >= 1);
    }
}

// ---- merged bills of materials ----

#define ELEMENT(id) "{\"SPDXID\":\"" id "\",\"name\":\"n\"}"
#define DOCUMENT(packages, relations)                       \
    "{\"spdxVersion\":\"SPDX-2.3\",\"packages\":[" packages \
    "],\"files\":[],\"relationships\":[" relations "]}"
#define RELATION(from, kind, to)                                   \
    "{\"spdxElementId\":\"" from "\",\"relationshipType\":\"" kind \
    "\",\"relatedSpdxElement\":\"" to "\"}"
#define DESCRIBES RELATION("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Package")

static enum nip_code merge(const char *const *texts, size_t count, struct nip_buffer *out)
{
    static const uint8_t id[NIP_DIGEST_SIZE];
    struct nip_image_sbom_package packages[4];
    for (size_t i = 0; i < count; i++)
        packages[i] =
            (struct nip_image_sbom_package){"acme/a", "1.0.0", id, texts[i], strlen(texts[i])};
    struct nip_image_sbom_input input = {.name = "local/box",
                                         .version = "0.1.0",
                                         .file = "box.elf",
                                         .image = "image",
                                         .image_size = 5,
                                         .tool = "nip-0",
                                         .date = "1980-01-01T00:00:00Z",
                                         .packages = packages,
                                         .package_count = count};
    memset(&err, 0, sizeof err);
    return nip_image_sbom_write(&input, out, &err);
}

static void bills_are_merged_without_collision(void **state)
{
    (void)state;
    static const char one[] =
        DOCUMENT(ELEMENT("SPDXRef-Package") "," ELEMENT("SPDXRef-libc"),
                 DESCRIBES "," RELATION("SPDXRef-Package", "STATIC_LINK", "SPDXRef-libc"));
    const char *const texts[] = {one, one};
    struct nip_buffer out = {0}, again = {0};
    assert_int_equal(merge(texts, 2, &out), NIP_OK);
    assert_int_equal(merge(texts, 2, &again), NIP_OK);
    assert_true(nip_buffer_equals(&again, out.data, out.size));
    struct nip_json *json = NULL;
    assert_int_equal(nip_json_parse(nip_buffer_text(&out), out.size, "t", &json, &err), NIP_OK);
    assert_int_equal(nip_json_count(nip_json_get(json, "packages")), 5);
    assert_int_equal(nip_json_count(nip_json_get(json, "relationships")), 6);
    assert_non_null(strstr(nip_buffer_text(&out), "\"SPDXRef-P0-libc\""));
    assert_non_null(strstr(nip_buffer_text(&out), "\"SPDXRef-P1-libc\""));
    nip_json_free(json);
    nip_buffer_free(&out);
    nip_buffer_free(&again);
}

static void bills_that_cannot_be_merged_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"", "acme/a 1.0.0"},
        {"[]", "SPDX-2.3"},
        {"{\"spdxVersion\":\"SPDX-2.2\"}", "SPDX-2.3"},
        {DOCUMENT("", ""), "describes no package"},
        {DOCUMENT(ELEMENT("SPDXRef-Package"), ""), "describes no package"},
        {DOCUMENT("{\"name\":\"n\"}", DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT("1", DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT(ELEMENT("Package"), DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT(ELEMENT("SPDXRef-"), DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT(ELEMENT("SPDXRef-a b"), DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT(ELEMENT("SPDXRef-DOCUMENT"), DESCRIBES), "well-formed SPDXID"},
        {DOCUMENT(ELEMENT("SPDXRef-Package") "," ELEMENT("SPDXRef-Package"), DESCRIBES), "twice"},
        {DOCUMENT(ELEMENT("SPDXRef-Package"),
                  DESCRIBES "," RELATION("SPDXRef-Package", "CONTAINS", "SPDXRef-x")),
         "not there"},
        {DOCUMENT(ELEMENT("SPDXRef-Package"),
                  DESCRIBES "," RELATION("SPDXRef-x", "CONTAINS", "SPDXRef-Package")),
         "not there"},
        {DOCUMENT(ELEMENT("SPDXRef-Package"), DESCRIBES ",{}"), "not there"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct nip_buffer out = {0};
        if (merge(&bad[i].text, 1, &out) == NIP_OK || strstr(err.message, bad[i].words) == NULL)
            fail_msg("%zu: %s", i, err.message);
        assert_int_equal(out.size, 0);
        nip_buffer_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_is_put_into_its_block),
        cmocka_unit_test(removed_nodes_leave_no_hole),
        cmocka_unit_test(growth_is_found),
        cmocka_unit_test(workspaces_are_read_strictly),
        cmocka_unit_test(bills_are_merged_without_collision),
        cmocka_unit_test(bills_that_cannot_be_merged_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
