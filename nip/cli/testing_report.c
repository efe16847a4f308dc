// SPDX-License-Identifier: Apache-2.0
//
// Results of tests: one summary for people, JSON for programs, JUnit's XML for CI systems.

#include <stdlib.h>
#include <string.h>

#include "nip/escape.h"
#include "nip/json.h"
#include "project.h"
#include "report.h"
#include "testing.h"

struct test_case *test_report_add(struct test_report *report, const char *suite, const char *name,
                                  bool passed, const char *output)
{
    struct test_case *grown = realloc(report->cases, (report->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    report->cases = grown;
    struct test_case *item = &grown[report->count++];
    *item = (struct test_case){.passed = passed};
    snprintf(item->suite, sizeof item->suite, "%s", suite);
    snprintf(item->name, sizeof item->name, "%.127s", name);
    if (!passed)
        item->output = strdup(output);
    report->failed_count += !passed;
    return item;
}

void test_report_free(struct test_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->cases[i].output);
    free(report->cases);
    memset(report, 0, sizeof *report);
}

// XML 1.0 has no way to write most control characters: they are shown escaped, as on a terminal.
static void print_xml(const char *text, struct nip_buffer *out)
{
    struct nip_buffer plain = {0};
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        nip_escape_append(&plain, line, size);
        line += size;
        if (*line == '\n') {
            nip_buffer_append_byte(&plain, '\n');
            line++;
        }
    }
    for (const char *c = nip_buffer_text(&plain); *c != '\0'; c++) {
        switch (*c) {
        case '<':
            nip_buffer_append_text(out, "&lt;");
            break;
        case '>':
            nip_buffer_append_text(out, "&gt;");
            break;
        case '&':
            nip_buffer_append_text(out, "&amp;");
            break;
        case '"':
            nip_buffer_append_text(out, "&quot;");
            break;
        default:
            nip_buffer_append_byte(out, (uint8_t)*c);
        }
    }
    nip_buffer_free(&plain);
}

static enum nip_code write_junit(const struct nip_manifest *manifest,
                                 const struct test_report *report, const char *file,
                                 struct nip_error *err)
{
    struct nip_buffer out = {0};
    nip_buffer_append_format(&out,
                             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                             "<testsuite name=\"%s\" tests=\"%zu\" failures=\"%zu\">\n",
                             manifest->identity.name, report->count, report->failed_count);
    for (size_t i = 0; i < report->count; i++) {
        const struct test_case *item = &report->cases[i];
        nip_buffer_append_format(&out, "  <testcase classname=\"%s\" name=\"", item->suite);
        print_xml(item->name, &out);
        nip_buffer_append_format(&out, "\" time=\"%.3f\"", item->seconds);
        if (item->passed) {
            nip_buffer_append_text(&out, "/>\n");
            continue;
        }
        nip_buffer_append_text(&out, ">\n    <failure>");
        print_xml(item->output != NULL ? item->output : "", &out);
        nip_buffer_append_text(&out, "</failure>\n  </testcase>\n");
    }
    nip_buffer_append_text(&out, "</testsuite>\n");
    enum nip_code code = nip_buffer_check(&out, file, err);
    if (code == NIP_OK)
        code = project_write_file(file, out.data, out.size, 0644, err);
    nip_buffer_free(&out);
    return code;
}

static enum nip_code print_json(const struct cli *cli, const struct nip_manifest *manifest,
                                const struct test_report *report, struct nip_error *err)
{
    struct nip_json *root = nip_json_make_object(), *cases = nip_json_make_array();
    struct nip_buffer text = {0};
    nip_json_put_text(root, "schema", "nip-test-1");
    nip_json_put_text(root, "name", manifest->identity.name);
    nip_json_put_text(root, "version", manifest->identity.version);
    for (size_t i = 0; i < report->count; i++) {
        const struct test_case *item = &report->cases[i];
        struct nip_json *entry = nip_json_make_object();
        nip_json_put_text(entry, "suite", item->suite);
        nip_json_put(entry, "case", report_text(item->name));
        nip_json_put_bool(entry, "passed", item->passed);
        nip_json_put_u64(entry, "milliseconds", (uint64_t)(item->seconds * 1000));
        if (!item->passed)
            nip_json_put(entry, "output", report_text(item->output != NULL ? item->output : ""));
        nip_json_append(cases, entry);
    }
    nip_json_put(root, "cases", cases);
    nip_json_put_u64(root, "passed", report->count - report->failed_count);
    nip_json_put_u64(root, "failed", report->failed_count);
    enum nip_code code = nip_json_print(root, true, &text, err);
    if (code == NIP_OK)
        cli_print(cli, "%s", nip_buffer_text(&text));
    nip_buffer_free(&text);
    nip_json_free(root);
    return code;
}

enum nip_code test_report_show(const struct cli *cli, const struct nip_manifest *manifest,
                               const struct test_report *report, const char *junit,
                               struct nip_error *err)
{
    for (size_t i = 0; !cli->is_json && i < report->count; i++) {
        const struct test_case *item = &report->cases[i];
        cli_print_verdict(cli, item->passed, item->passed ? "passed     " : "failed     ",
                          "%-15s %s", item->suite, item->name);
        if (!item->passed && item->output != NULL)
            cli_relay(cli, item->output);
    }
    enum nip_code code = junit != NULL ? write_junit(manifest, report, junit, err) : NIP_OK;
    if (code == NIP_OK && cli->is_json)
        return print_json(cli, manifest, report, err);
    if (code == NIP_OK)
        cli_print(cli, "%zu tests, %zu failed", report->count, report->failed_count);
    return code;
}
