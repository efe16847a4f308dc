// SPDX-License-Identifier: Apache-2.0
//
// Goal: version selection gives the one right answer, whatever the order of the input, and says why
// when there is none. Method: small cases by hand; and 1,000 random graphs against an enumeration
// of all sets of versions, which knows nothing of queues: the right set of what is reached is the
// smallest of all sets that hold what the project asks for and what their own members ask for.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mvs_graph.h"

static struct nip_error err;

// ---- the enumeration ----

enum { SMALL_MAX = 14, NO_FIT = -1 };

struct small {
    const struct graph *graph;
    struct {
        size_t name, version;
    } nodes[SMALL_MAX];
    size_t count;
    uint32_t asks[SMALL_MAX]; // bit set of nodes; NO_FIT_BIT: something fits nothing
    uint32_t roots;
};
#define NO_FIT_BIT (UINT32_C(1) << 31)

static int node_of(const struct small *small, size_t name, size_t version)
{
    for (size_t i = 0; i < small->count; i++)
        if (small->nodes[i].name == name && small->nodes[i].version == version)
            return (int)i;
    return NO_FIT;
}

// The requirement's own words, tried on every version.
static uint32_t fit_of(const struct small *small, const struct nip_mvs_requirement *requirement)
{
    size_t name = graph_find(small->graph, requirement->name);
    const struct graph_name *found = &small->graph->names[name];
    for (size_t v = 0; v < found->count; v++) {
        const struct nip_mvs_version *version = &found->versions[v];
        if (version->version.major == requirement->at_least.major &&
            nip_version_compare(&version->version, &requirement->at_least) >= 0 &&
            (version->version.prerelease[0] == '\0' ||
             requirement->at_least.prerelease[0] != '\0') &&
            (!version->is_yanked || version->is_locked))
            return UINT32_C(1) << node_of(small, name, v);
    }
    return NO_FIT_BIT;
}

static uint32_t fits_of(const struct small *small, const struct nip_mvs_requirement *list,
                        size_t count)
{
    uint32_t fits = 0;
    for (size_t i = 0; i < count; i++)
        fits |= fit_of(small, &list[i]);
    return fits;
}

static void make_small(struct small *small, const struct graph *graph)
{
    *small = (struct small){.graph = graph};
    for (size_t n = 0; n < graph->count; n++)
        for (size_t v = 0; v < graph->names[n].count; v++) {
            assert_true(small->count < SMALL_MAX);
            small->nodes[small->count].name = n;
            small->nodes[small->count++].version = v;
        }
    for (size_t i = 0; i < small->count; i++) {
        const struct graph_version *node =
            &graph->names[small->nodes[i].name].nodes[small->nodes[i].version];
        small->asks[i] = fits_of(small, node->requirements, node->count);
    }
    small->roots = fits_of(small, graph->roots, graph->root_count);
}

// All sets that hold the roots and what their members ask for; what all of them share.
static uint32_t smallest_closed_set(const struct small *small)
{
    uint32_t shared = UINT32_MAX;
    for (uint32_t set = 0; set < UINT32_C(1) << small->count; set++) {
        bool is_closed = (small->roots & ~NO_FIT_BIT & ~set) == 0;
        for (size_t i = 0; is_closed && i < small->count; i++)
            if (set & (UINT32_C(1) << i))
                is_closed = (small->asks[i] & ~NO_FIT_BIT & ~set) == 0;
        if (is_closed)
            shared &= set;
    }
    return shared;
}

static bool is_same_class(const struct small *small, size_t a, size_t b)
{
    return small->nodes[a].name == small->nodes[b].name &&
           small->graph->names[small->nodes[a].name]
                   .versions[small->nodes[a].version]
                   .version.major == small->graph->names[small->nodes[b].name]
                                         .versions[small->nodes[b].version]
                                         .version.major;
}

// Of each class the highest that was reached: nodes stand in the order of versions.
static uint32_t raised(const struct small *small, uint32_t reached, uint32_t set)
{
    uint32_t up = 0;
    for (size_t i = 0; i < small->count; i++) {
        size_t highest = i;
        if ((set & (UINT32_C(1) << i)) == 0)
            continue;
        for (size_t k = 0; k < small->count; k++)
            if ((reached & (UINT32_C(1) << k)) != 0 && is_same_class(small, i, k) && k > highest)
                highest = k;
        up |= UINT32_C(1) << highest;
    }
    return up;
}

static uint32_t used_only(const struct small *small, uint32_t reached)
{
    uint32_t kept = raised(small, reached, small->roots & ~NO_FIT_BIT), before = 0;
    while (kept != before) {
        before = kept;
        for (size_t i = 0; i < small->count; i++)
            if (kept & (UINT32_C(1) << i))
                kept |= raised(small, reached, small->asks[i] & ~NO_FIT_BIT);
    }
    return kept;
}

static bool has_no_fit(const struct small *small, uint32_t reached)
{
    bool found = (small->roots & NO_FIT_BIT) != 0;
    for (size_t i = 0; i < small->count; i++)
        found = found || ((reached & (UINT32_C(1) << i)) && (small->asks[i] & NO_FIT_BIT) != 0);
    return found;
}

static uint32_t set_of_choices(const struct small *small, const struct nip_mvs *mvs)
{
    size_t count = 0;
    uint32_t set = 0;
    const struct nip_mvs_choice *choices = nip_mvs_choices(mvs, &count);
    for (size_t i = 0; i < count; i++) {
        size_t name = graph_find(small->graph, choices[i].name);
        for (size_t v = 0; v < small->graph->names[name].count; v++)
            if (nip_version_compare(&small->graph->names[name].versions[v].version,
                                    choices[i].version) == 0)
                set |= UINT32_C(1) << node_of(small, name, v);
    }
    return set;
}

static bool has_two_classes(const struct small *small, uint32_t set)
{
    for (size_t a = 0; a < small->count; a++)
        for (size_t b = 0; b < small->count; b++)
            if ((set >> a & 1) != 0 && (set >> b & 1) != 0 &&
                small->nodes[a].name == small->nodes[b].name && !is_same_class(small, a, b))
                return true;
    return false;
}

static void print_answer(struct graph *graph, struct nip_buffer *out)
{
    struct nip_mvs_source source = graph_source(graph);
    struct nip_mvs *mvs = NULL;
    memset(&err, 0, sizeof err);
    enum nip_code code = nip_mvs_solve(&source, graph->roots, graph->root_count, &mvs, &err);
    size_t count = 0;
    const struct nip_mvs_choice *choices = mvs != NULL ? nip_mvs_choices(mvs, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        char text[NIP_VERSION_MAX + 1];
        nip_version_text(choices[i].version, text);
        nip_buffer_append_format(out, "%s %s: ", choices[i].name, text);
        nip_mvs_chain(mvs, i, out);
        nip_buffer_append_byte(out, '\n');
    }
    if (code == NIP_OK)
        code = nip_mvs_check_link(mvs, &err);
    nip_buffer_append_format(out, "%s %s %s", nip_error_name(code), err.message, err.hint);
    nip_mvs_free(mvs);
}

static void thousand_graphs_agree_with_enumeration(void **state)
{
    (void)state;
    unsigned solved = 0, missing = 0, conflicts = 0;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct graph graph;
        struct small small;
        struct graph_shape shape = {.names = 2 + seed % 2,
                                    .classes = 2,
                                    .versions_per_class = 2,
                                    .requirements = seed % 4,
                                    .roots = 1 + seed % 3,
                                    .yanked_percent = seed % 5 == 0 ? 20 : 0,
                                    .locked_percent = 20,
                                    .gap_percent = seed % 7 == 0 ? 15 : 0,
                                    .prerelease_percent = seed % 3 == 0 ? 20 : 0};
        graph_make(&graph, &shape, seed);
        make_small(&small, &graph);
        uint32_t reached = smallest_closed_set(&small);
        struct nip_mvs_source source = graph_source(&graph);
        struct nip_mvs *mvs = NULL;
        enum nip_code code = nip_mvs_solve(&source, graph.roots, graph.root_count, &mvs, &err);
        assert_int_equal(code, has_no_fit(&small, reached) ? NIP_ERROR_MISSING : NIP_OK);
        missing += code != NIP_OK;
        if (code == NIP_OK) {
            uint32_t kept = used_only(&small, reached);
            assert_int_equal(set_of_choices(&small, mvs), kept);
            code = nip_mvs_check_link(mvs, &err);
            assert_int_equal(code, has_two_classes(&small, kept) ? NIP_ERROR_CONFLICT : NIP_OK);
            conflicts += code != NIP_OK;
            solved += code == NIP_OK;
        }
        nip_mvs_free(mvs);
        struct nip_buffer first = {0}, second = {0};
        print_answer(&graph, &first);
        graph_shuffle(&graph);
        print_answer(&graph, &second);
        assert_string_equal(nip_buffer_text(&first), nip_buffer_text(&second));
        nip_buffer_free(&first);
        nip_buffer_free(&second);
        graph_free(&graph);
    }
    printf("solved %u, nothing fits %u, two classes %u\n", solved, missing, conflicts);
    // Each of the three ends has to have been met often, or the graphs test nothing.
    assert_true(solved > 100 && missing > 30 && conflicts > 100);
}

// ---- by hand ----

struct line {
    const char *name, *version, *asks[4]; // pairs name, bound
    bool is_yanked, is_locked;
};
struct table {
    const struct line *lines;
    size_t count;
    struct nip_mvs_version versions[16][16];
    struct nip_mvs_requirement asks[16][2];
    size_t used;
};

static struct nip_version version_of(const char *text)
{
    struct nip_version version;
    assert_true(nip_version_parse(text, strlen(text), &version));
    return version;
}

static enum nip_code table_versions(void *context, const char *name,
                                    const struct nip_mvs_version **versions, size_t *count,
                                    struct nip_error *error)
{
    (void)error;
    struct table *table = context;
    struct nip_mvs_version *out = table->versions[table->used++];
    *versions = out;
    *count = 0;
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->lines[i].name, name) == 0)
            out[(*count)++] =
                (struct nip_mvs_version){version_of(table->lines[i].version),
                                         table->lines[i].is_yanked, table->lines[i].is_locked};
    return NIP_OK;
}

static enum nip_code table_requirements(void *context, const char *name,
                                        const struct nip_version *version,
                                        const struct nip_mvs_requirement **requirements,
                                        size_t *count, struct nip_error *error)
{
    (void)error;
    struct table *table = context;
    *count = 0;
    for (size_t i = 0; i < table->count; i++) {
        struct nip_version own = version_of(table->lines[i].version);
        if (strcmp(table->lines[i].name, name) != 0 || nip_version_compare(&own, version) != 0)
            continue;
        for (size_t k = 0; k < 4 && table->lines[i].asks[k] != NULL; k += 2)
            table->asks[i][(*count)++] = (struct nip_mvs_requirement){
                table->lines[i].asks[k], version_of(table->lines[i].asks[k + 1])};
        *requirements = table->asks[i];
    }
    return NIP_OK;
}

// Solves, and writes "name version" of every choice, joined by commas.
static enum nip_code solve(const struct line *lines, size_t count, const char *asks, char *out,
                           size_t out_size)
{
    struct table table = {.lines = lines, .count = count};
    struct nip_mvs_source source = {&table, table_versions, table_requirements, NULL};
    struct nip_mvs_requirement roots[4];
    char names[4][32], words[128], *rest = words;
    size_t root_count = 0;
    snprintf(words, sizeof words, "%s", asks);
    for (char *name; (name = strtok_r(rest, " ", &rest)) != NULL; root_count++) {
        snprintf(names[root_count], sizeof names[0], "%s", name);
        roots[root_count].name = names[root_count];
        assert_int_equal(
            nip_requirement_check(strtok_r(rest, " ", &rest), &roots[root_count].at_least, &err),
            NIP_OK);
    }
    struct nip_mvs *mvs = NULL;
    memset(&err, 0, sizeof err);
    out[0] = '\0';
    enum nip_code code = nip_mvs_solve(&source, roots, root_count, &mvs, &err);
    if (code == NIP_OK)
        code = nip_mvs_check_link(mvs, &err);
    size_t choice_count = 0;
    const struct nip_mvs_choice *choices = mvs != NULL ? nip_mvs_choices(mvs, &choice_count) : NULL;
    for (size_t i = 0; code == NIP_OK && i < choice_count; i++) {
        char text[NIP_VERSION_MAX + 1], skipped[NIP_VERSION_MAX + 1] = "";
        nip_version_text(choices[i].version, text);
        if (choices[i].skipped != NULL)
            nip_version_text(choices[i].skipped, skipped);
        size_t used = strlen(out);
        snprintf(out + used, out_size - used, "%s%s %s%s%s%s", i != 0 ? ", " : "", choices[i].name,
                 text, skipped[0] != '\0' ? " not " : "", skipped,
                 choices[i].is_yanked ? " kept" : "");
    }
    nip_mvs_free(mvs);
    return code;
}

#define LINES(lines) lines, sizeof(lines) / sizeof((lines)[0])

static void highest_lower_bound_wins(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/queue", "1.0.0", {"acme/ring", "1.2.0"}, false, false},
        {"acme/queue", "1.1.0", {"acme/ring", "1.3.0"}, false, false},
        {"acme/ring", "1.2.0", {NULL}, false, false},
        {"acme/ring", "1.3.0", {NULL}, false, false},
        {"acme/ring", "1.9.0", {NULL}, false, false},
        {"acme/ring", "2.0.0", {NULL}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/queue 1 acme/ring 1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/queue 1.0.0, acme/ring 1.2.0");
    assert_int_equal(solve(LINES(lines), "acme/ring 1.4 acme/queue 1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/queue 1.0.0, acme/ring 1.9.0");
}

static void what_a_replaced_version_asked_for_is_not_linked(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/a", "1.0.0", {"acme/old", "1.0.0"}, false, false},
        {"acme/a", "1.1.0", {NULL}, false, false},
        {"acme/b", "1.0.0", {"acme/a", "1.1.0"}, false, false},
        {"acme/old", "1.0.0", {NULL}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/a 1 acme/b 1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 1.1.0, acme/b 1.0.0");
}

static void yanked_is_passed_over_unless_locked(void **state)
{
    (void)state;
    struct line lines[] = {
        {"acme/a", "1.0.0", {NULL}, true, false},
        {"acme/a", "1.0.1", {NULL}, true, false},
        {"acme/a", "1.0.2", {NULL}, false, false},
        {"acme/a", "2.0.0", {NULL}, true, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/a 1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 1.0.2 not 1.0.0");
    assert_int_equal(solve(LINES(lines), "acme/a 2", out, sizeof out), NIP_ERROR_MISSING);
    assert_non_null(strstr(err.hint, "2.0.0 (yanked)"));
    lines[1].is_locked = true;
    assert_int_equal(solve(LINES(lines), "acme/a 1.0.1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 1.0.1 kept");
}

static void classes_below_one_and_prereleases(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/a", "0.0.3", {NULL}, false, false},      {"acme/a", "0.0.4", {NULL}, false, false},
        {"acme/a", "0.1.0", {NULL}, false, false},      {"acme/a", "0.1.7", {NULL}, false, false},
        {"acme/a", "0.2.0-rc.1", {NULL}, false, false}, {"acme/a", "0.2.0", {NULL}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/a 0.0.3", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 0.0.3");
    assert_int_equal(solve(LINES(lines), "acme/a 0.0.2", out, sizeof out), NIP_ERROR_MISSING);
    assert_int_equal(solve(LINES(lines), "acme/a 0.1.2", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 0.1.7");
    assert_int_equal(solve(LINES(lines), "acme/a 0.2", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 0.2.0");
    assert_int_equal(solve(LINES(lines), "acme/a 0.2.0-rc.1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 0.2.0-rc.1");
}

static void conflict_says_both_chains_and_what_fits(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/queue", "1.0.0", {"acme/ring", "1.2.0"}, false, false},
        {"acme/queue", "1.1.0", {"acme/ring", "2.0.0"}, false, false},
        {"acme/ring", "1.2.0", {NULL}, false, false},
        {"acme/ring", "2.0.0", {NULL}, false, false},
        {"acme/ring", "2.1.0", {NULL}, false, false},
        {"acme/top", "1.0.0", {"acme/ring", "2.1.0"}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/queue 1 acme/top 1", out, sizeof out),
                     NIP_ERROR_CONFLICT);
    assert_string_equal(err.message, "acme/ring would be linked in two versions that do not fit "
                                     "each other, 1.2.0 and 2.1.0");
    assert_string_equal(err.hint,
                        "this project asks for acme/queue 1.0.0, which asks for acme/ring "
                        "1.2.0\n"
                        "this project asks for acme/top 1.0.0, which asks for acme/ring "
                        "2.1.0\n"
                        "this would fit: acme/queue 1.1.0, which asks for acme/ring 2\n"
                        "no version of acme/top asks for acme/ring 1");
    assert_int_equal(solve(LINES(lines), "acme/ring 1 acme/top 1", out, sizeof out),
                     NIP_ERROR_CONFLICT);
    assert_non_null(strstr(err.hint, "this would fit: this project asking for acme/ring 2"));
}

static void missing_says_who_asks(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/a", "1.0.0", {"acme/b", "1.5.0"}, false, false},
        {"acme/b", "1.4.0", {NULL}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/a 1", out, sizeof out), NIP_ERROR_MISSING);
    assert_string_equal(err.message, "no version of acme/b fits 1.5.0 or later in class 1");
    assert_string_equal(err.hint, "asked for by: this project -> acme/a 1.0.0\nthere is: 1.4.0");
    assert_int_equal(solve(LINES(lines), "acme/none 1", out, sizeof out), NIP_ERROR_MISSING);
    assert_non_null(strstr(err.hint, "no version of it at all"));
}

static void circles_end(void **state)
{
    (void)state;
    static const struct line lines[] = {
        {"acme/a", "1.0.0", {"acme/b", "1.0.0"}, false, false},
        {"acme/b", "1.0.0", {"acme/a", "1.0.0", "acme/b", "1.0.0"}, false, false},
    };
    char out[256];
    assert_int_equal(solve(LINES(lines), "acme/a 1", out, sizeof out), NIP_OK);
    assert_string_equal(out, "acme/a 1.0.0, acme/b 1.0.0");
    assert_int_equal(solve(LINES(lines), "", out, sizeof out), NIP_OK);
    assert_string_equal(out, "");
}

static void requirements_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text, *full, *class;
    } good[] = {
        {"1", "1.0.0", "1"},        {"1.2", "1.2.0", "1"},       {"1.2.3", "1.2.3", "1"},
        {"0.4", "0.4.0", "0.4"},    {"0.0.7", "0.0.7", "0.0.7"}, {"2.0.0-rc.1", "2.0.0-rc.1", "2"},
        {"10.20", "10.20.0", "10"},
    };
    static const char *const bad[] = {"",
                                      "0",
                                      "0.0",
                                      "1.",
                                      ".1",
                                      "01",
                                      "1.02",
                                      "1.2.",
                                      "^1.2",
                                      ">=1.2",
                                      "1.*",
                                      "1.2-rc1",
                                      "1.2.3+b",
                                      "v1",
                                      " 1",
                                      "1 ",
                                      "1.2.3.4",
                                      "1.2.3-",
                                      "99999999999999999999",
                                      "1-1.2.3"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct nip_version version;
        char text[NIP_VERSION_MAX + 1];
        assert_int_equal(nip_requirement_check(good[i].text, &version, &err), NIP_OK);
        nip_version_text(&version, text);
        assert_string_equal(text, good[i].full);
        nip_version_class_text(&version, text);
        assert_string_equal(text, good[i].class);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct nip_version version;
        assert_int_equal(nip_requirement_check(bad[i], &version, &err), NIP_ERROR_NAME);
        assert_non_null(strstr(err.hint, "lowest version that will do"));
    }
}

static enum nip_code unordered(void *context, const char *name,
                               const struct nip_mvs_version **versions, size_t *count,
                               struct nip_error *error)
{
    (void)context;
    (void)name;
    (void)error;
    static struct nip_mvs_version list[2];
    list[0].version = list[1].version = version_of("1.0.0");
    *versions = list;
    *count = 2;
    return NIP_OK;
}

static void a_source_that_repeats_versions_is_refused(void **state)
{
    (void)state;
    struct table table = {.count = 0};
    struct nip_mvs_source source = {&table, unordered, table_requirements, NULL};
    struct nip_mvs_requirement root = {"acme/a", version_of("1.0.0")};
    struct nip_mvs *mvs = NULL;
    assert_int_equal(nip_mvs_solve(&source, &root, 1, &mvs, &err), NIP_ERROR_INTERNAL);
    assert_null(mvs);
}

static void many_names_are_chosen(void **state)
{
    (void)state;
    struct graph graph;
    struct graph_shape shape = {.names = 500,
                                .classes = 2,
                                .versions_per_class = 5,
                                .requirements = 40,
                                .roots = 8,
                                .keeps_class = true};
    graph_make(&graph, &shape, 7);
    struct nip_mvs_source source = graph_source(&graph);
    struct nip_mvs *mvs = NULL;
    size_t count = 0;
    assert_int_equal(nip_mvs_solve(&source, graph.roots, graph.root_count, &mvs, &err), NIP_OK);
    assert_int_equal(nip_mvs_check_link(mvs, &err), NIP_OK);
    nip_mvs_choices(mvs, &count);
    assert_int_equal(count, 500);
    nip_mvs_free(mvs);
    graph_free(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousand_graphs_agree_with_enumeration),
        cmocka_unit_test(highest_lower_bound_wins),
        cmocka_unit_test(what_a_replaced_version_asked_for_is_not_linked),
        cmocka_unit_test(yanked_is_passed_over_unless_locked),
        cmocka_unit_test(classes_below_one_and_prereleases),
        cmocka_unit_test(conflict_says_both_chains_and_what_fits),
        cmocka_unit_test(missing_says_who_asks),
        cmocka_unit_test(circles_end),
        cmocka_unit_test(requirements_are_read_strictly),
        cmocka_unit_test(a_source_that_repeats_versions_is_refused),
        cmocka_unit_test(many_names_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
