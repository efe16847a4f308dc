// SPDX-License-Identifier: Apache-2.0
//
// nip tree and nip why: what a project consists of, and who asked for it.

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "graph.h"
#include "members.h"
#include "nip/escape.h"
#include "report.h"

// ---- tree ----

static void print_node(const struct graph_node *node, bool is_again, struct nip_buffer *line)
{
    nip_buffer_append_format(line, "%s %s", node->name, node->version);
    if (node->is_local && strcmp(node->origin, ".") != 0)
        nip_buffer_append_format(line, " in %s", node->origin);
    else if (!node->is_local)
        nip_buffer_append_format(line, " (%s)", node->origin);
    if (is_again && node->edge_count != 0)
        nip_buffer_append_text(line, " *");
}

struct tree {
    const struct cli *cli;
    const struct graph *graph;
    bool *is_shown;
    bool has_again;
};

// What was shown with its children once is not shown with them again.
static void show_node(struct tree *tree, size_t index, const char *label, const char *indent,
                      bool is_last, bool is_root)
{
    const struct graph_node *node = &tree->graph->nodes[index];
    struct nip_buffer line = {0}, below = {0};
    bool is_again = tree->is_shown[index];
    if (!is_root)
        nip_buffer_append_format(&line, "%s%s", indent,
                                 is_last ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ");
    print_node(node, is_again, &line);
    if (label[0] != '\0')
        nip_buffer_append_format(&line, "   [%s]", label);
    cli_print(tree->cli, "%s", nip_buffer_text(&line));
    if (!is_root)
        nip_buffer_append_format(&below, "%s%s", indent, is_last ? "    " : "\u2502   ");
    tree->has_again = tree->has_again || (is_again && node->edge_count != 0);
    tree->is_shown[index] = true;
    for (size_t i = 0; !is_again && i < node->edge_count; i++)
        show_node(tree, node->edges[i].to, node->edges[i].label, nip_buffer_text(&below),
                  i + 1 == node->edge_count, false);
    nip_buffer_free(&line);
    nip_buffer_free(&below);
}

static struct nip_json *node_json(const struct graph *graph, const struct graph_node *node)
{
    struct nip_json *object = nip_json_make_object(), *list = nip_json_make_array();
    nip_json_put_text(object, "name", node->name);
    nip_json_put_text(object, "version", node->version);
    nip_json_put(object, node->is_local ? "path" : "registry", report_text(node->origin));
    for (size_t i = 0; i < node->edge_count; i++) {
        struct nip_json *edge = nip_json_make_object();
        nip_json_put_text(edge, "name", graph->nodes[node->edges[i].to].name);
        nip_json_put_text(edge, "version", graph->nodes[node->edges[i].to].version);
        if (node->edges[i].label[0] != '\0')
            nip_json_put_text(edge, "asks", node->edges[i].label);
        nip_json_append(list, edge);
    }
    nip_json_put(object, "depends", list);
    return object;
}

// What the members of a workspace have added to, one after the other.
static struct nip_json *gathered;
static size_t gathered_count;

static void tree_json(const struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        nip_json_append(gathered, node_json(graph, &graph->nodes[i]));
}

static enum nip_code show_tree(struct cli *cli, struct nip_error *err)
{
    struct graph graph = {0};
    enum nip_code code = graph_load(cli, &graph, err);
    struct tree tree = {cli, &graph, calloc(graph.count + 1, sizeof *tree.is_shown), false};
    if (code == NIP_OK && tree.is_shown == NULL)
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    if (code == NIP_OK && cli->is_json) {
        tree_json(&graph);
    } else if (code == NIP_OK) {
        show_node(&tree, 0, "", "", true, true);
        if (tree.has_again)
            cli_print(cli, "\n* shown with what it needs further up");
    }
    free(tree.is_shown);
    graph_free(&graph);
    return code;
}

// `work` here, or in every member of the workspace; what it has gathered is the report.
static enum nip_code here_or_everywhere(struct cli *cli, members_work_fn work, const char *schema,
                                        const char *key, struct nip_error *err)
{
    gathered = nip_json_make_array();
    gathered_count = 0;
    enum nip_code code = members_is_root() ? members_each(cli, NULL, work, err) : work(cli, err);
    if (code == NIP_OK && cli->is_json)
        return report_json(schema, key, gathered, err);
    nip_json_free(gathered);
    return code;
}

enum nip_code command_tree(struct cli *cli, struct nip_error *err)
{
    return here_or_everywhere(cli, show_tree, "nip-tree-1", "packages", err);
}

// ---- why ----

// The node before each one on a shortest way from the project; SIZE_MAX: none.
static bool find_ways(const struct graph *graph, size_t *before)
{
    size_t *queue = calloc(graph->count, sizeof *queue);
    if (queue == NULL)
        return false;
    for (size_t i = 0; i < graph->count; i++)
        before[i] = SIZE_MAX;
    before[0] = 0;
    size_t head = 0, tail = 1;
    for (; head < tail; head++) {
        const struct graph_node *node = &graph->nodes[queue[head]];
        for (size_t i = 0; i < node->edge_count; i++)
            if (before[node->edges[i].to] == SIZE_MAX) {
                before[node->edges[i].to] = queue[head];
                queue[tail++] = node->edges[i].to;
            }
    }
    free(queue);
    return true;
}

// "project -> a 1.0.0 -> " up to and including `index`.
static void append_way(const struct graph *graph, const size_t *before, size_t index,
                       struct nip_buffer *out)
{
    if (index != 0) {
        append_way(graph, before, before[index], out);
        nip_buffer_append_text(out, " -> ");
    }
    nip_buffer_append_format(out, "%s %s", graph->nodes[index].name, graph->nodes[index].version);
}

// One line for each package that asks for `target`.
static void show_ways(const struct cli *cli, const struct graph *graph, size_t target,
                      const size_t *before)
{
    for (size_t i = 0; i < graph->count; i++)
        for (size_t e = 0; e < graph->nodes[i].edge_count; e++) {
            const struct graph_edge *edge = &graph->nodes[i].edges[e];
            if (edge->to != target || before[i] == SIZE_MAX)
                continue;
            struct nip_buffer way = {0};
            append_way(graph, before, i, &way);
            nip_buffer_append_format(&way, " -> %s%s%s%s", graph->nodes[target].name,
                                     edge->label[0] != '\0' ? " [" : "", edge->label,
                                     edge->label[0] != '\0' ? "]" : "");
            if (cli->is_json)
                nip_json_append(gathered, report_text(nip_buffer_text(&way)));
            else
                cli_print(cli, "%s", nip_buffer_text(&way));
            nip_buffer_free(&way);
        }
}

static enum nip_code find_and_show_ways(const struct cli *cli, const struct graph *graph,
                                        size_t target, struct nip_error *err)
{
    size_t *before = calloc(graph->count, sizeof *before);
    if (before == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    bool found = find_ways(graph, before);
    if (found)
        show_ways(cli, graph, target, before);
    free(before);
    return found ? NIP_OK : nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
}

static enum nip_code show_why(struct cli *cli, struct nip_error *err)
{
    struct graph graph = {0};
    const char *name = cli_operand(cli, 0);
    size_t target = 0;
    enum nip_code code = graph_load(cli, &graph, err);
    for (size_t i = 1; code == NIP_OK && i < graph.count; i++)
        if (strcmp(graph.nodes[i].name, name) == 0)
            target = i;
    if (code == NIP_OK && target != 0) {
        gathered_count++;
        if (!cli->is_json)
            cli_print(cli, "%s %s", graph.nodes[target].name, graph.nodes[target].version);
        code = find_and_show_ways(cli, &graph, target, err);
    }
    graph_free(&graph);
    return code;
}

static enum nip_code show_why_or_miss(struct cli *cli, struct nip_error *err)
{
    enum nip_code code = show_why(cli, err);
    if (code != NIP_OK || gathered_count != 0)
        return code;
    nip_error_set(err, NIP_ERROR_MISSING, "%s is no part of this project", cli_operand(cli, 0));
    nip_error_hint(err, "'nip tree' shows all that is");
    return NIP_ERROR_MISSING;
}

enum nip_code command_why(struct cli *cli, struct nip_error *err)
{
    bool is_root = members_is_root();
    enum nip_code code =
        here_or_everywhere(cli, is_root ? show_why : show_why_or_miss, "nip-why-1", "ways", err);
    if (code == NIP_OK && gathered_count == 0) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s is no part of any member",
                             cli_operand(cli, 0));
        nip_error_hint(err, "'nip tree' shows all that is");
    }
    return code;
}
