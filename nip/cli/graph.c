// SPDX-License-Identifier: Apache-2.0
//
// Building the graph of a project.

#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "imaging.h"
#include "libraries.h"
#include "project.h"
#include "providers.h"

void graph_free(struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        free(graph->nodes[i].edges);
    free(graph->nodes);
    memset(graph, 0, sizeof *graph);
}

static enum nip_code make_nodes(struct graph *graph, size_t count, struct nip_error *err)
{
    graph->nodes = calloc(count, sizeof *graph->nodes);
    if (graph->nodes == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    graph->count = count;
    return NIP_OK;
}

static struct graph_edge *add_edge(struct graph_node *node, size_t to)
{
    struct graph_edge *grown = reallocarray(node->edges, node->edge_count + 1, sizeof *grown);
    if (grown == NULL)
        return NULL;
    node->edges = grown;
    grown[node->edge_count] = (struct graph_edge){.to = to};
    return &grown[node->edge_count++];
}

// ---- libraries ----

static void add_dependencies(struct graph *graph, size_t index, const struct nip_manifest *manifest)
{
    for (uint32_t i = 0; i < manifest->dependency_count; i++)
        for (size_t to = 1; to < graph->count; to++) {
            struct graph_edge *edge =
                strcmp(graph->nodes[to].name, manifest->dependencies[i].name) == 0
                    ? add_edge(&graph->nodes[index], to)
                    : NULL;
            if (edge != NULL)
                snprintf(edge->label, sizeof edge->label, "%.64s or later",
                         manifest->dependencies[i].requirement);
        }
}

static void fill_node(struct graph_node *node, const char *name, const char *version,
                      const char *registry, const char *path)
{
    node->is_local = path[0] != '\0';
    snprintf(node->name, sizeof node->name, "%.65s", name);
    snprintf(node->version, sizeof node->version, "%.64s", version);
    snprintf(node->origin, sizeof node->origin, "%s", node->is_local ? path : registry);
}

static enum nip_code load_libraries(struct cli *cli, struct graph *graph, struct nip_error *err)
{
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    struct decisions decisions = {0};
    struct nip_lock *lock = NULL;
    struct libraries libraries = {0};
    struct libraries_request request = {.folder = ".", .manifest = manifest};
    if (manifest == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_read_manifest(".", manifest, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK && manifest->dependency_count != 0)
        code = libraries_choose(cli, &decisions, &request, lock, &libraries, err);
    if (code == NIP_OK)
        code = make_nodes(graph, libraries.count + 1, err);
    if (code == NIP_OK)
        fill_node(&graph->nodes[0], manifest->identity.name, manifest->identity.version, "", ".");
    for (size_t i = 0; code == NIP_OK && i < libraries.count; i++)
        fill_node(&graph->nodes[i + 1], libraries.items[i].name, libraries.items[i].version,
                  libraries.items[i].alias, libraries.items[i].path);
    if (code == NIP_OK)
        add_dependencies(graph, 0, manifest);
    for (size_t i = 0; code == NIP_OK && i < libraries.count; i++)
        add_dependencies(graph, i + 1, &libraries.items[i].package.manifest);
    libraries_free(&libraries);
    decisions_free(&decisions);
    free(lock);
    free(manifest);
    return code;
}

// ---- an image ----

static bool is_wired(const struct nip_imagedef *imagedef, const char *service, const char *client,
                     const char *server, bool *has_wire)
{
    bool found = false;
    for (uint32_t i = 0; i < imagedef->wire_count; i++) {
        const struct nip_imagedef_wire *wire = &imagedef->wires[i];
        if (strcmp(wire->service, service) != 0 || strcmp(wire->client, client) != 0)
            continue;
        *has_wire = true;
        found = found || strcmp(wire->server, server) == 0;
    }
    return found;
}

// Who provides what: the wires of image.kdl; without one, whoever can.
static void add_needs(struct graph *graph, const struct imaging *imaging, uint32_t client)
{
    const struct nip_imagedef *imagedef = imaging->imagedef;
    const struct nip_manifest *manifest = &imaging->packages[client].manifest;
    for (uint32_t n = 0; n < manifest->needs_count; n++) {
        const struct rumpk_bkdl_service *need = &manifest->needs[n];
        for (uint32_t server = 0; server < imagedef->package_count; server++) {
            bool has_wire = false;
            bool wired = is_wired(imagedef, need->name, imagedef->packages[client].name,
                                  imagedef->packages[server].name, &has_wire);
            if (server == client || (has_wire && !wired) ||
                !providers_fits(&imaging->packages[server].manifest, need))
                continue;
            struct graph_edge *edge = add_edge(&graph->nodes[client + 1], server + 1);
            if (edge != NULL)
                snprintf(edge->label, sizeof edge->label, "service %.32s %u", need->name,
                         (unsigned)need->version);
        }
    }
}

static enum nip_code load_image(struct cli *cli, struct graph *graph, struct nip_error *err)
{
    struct decisions decisions = {0};
    struct nip_imagedef *imagedef = NULL;
    struct nip_lock *lock = NULL;
    struct imaging *imaging = calloc(1, sizeof *imaging);
    if (imaging == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = project_read_image(".", &imagedef, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &lock, NULL, err);
    if (code == NIP_OK)
        code = decisions_load(&decisions, err);
    if (code == NIP_OK)
        code = imaging_resolve(cli, &decisions, imagedef, lock, false, imaging, err);
    if (code == NIP_OK)
        code = make_nodes(graph, (size_t)imagedef->package_count + 2, err);
    if (code == NIP_OK) {
        const struct rumpk_bkdl_identity *kernel = &imaging->kernel.manifest.identity;
        fill_node(&graph->nodes[0], imagedef->name, imagedef->version, "", ".");
        fill_node(&graph->nodes[graph->count - 1], kernel->name, kernel->version,
                  NIP_TRUST_SDK_ALIAS, "");
    }
    for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++) {
        const struct nip_imagedef_package *package = &imagedef->packages[i];
        fill_node(&graph->nodes[i + 1], package->name, package->version, package->registry,
                  package->path);
    }
    for (size_t i = 1; code == NIP_OK && i < graph->count; i++)
        if (add_edge(&graph->nodes[0], i) == NULL)
            code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    for (uint32_t i = 0; code == NIP_OK && i < imagedef->package_count; i++)
        add_needs(graph, imaging, i);
    imaging_free(imaging);
    decisions_free(&decisions);
    nip_imagedef_free(imagedef);
    free(lock);
    return code;
}

enum nip_code graph_load(struct cli *cli, struct graph *graph, struct nip_error *err)
{
    if (project_kind(".") == PROJECT_IMAGE)
        return load_image(cli, graph, err);
    enum nip_code code = project_require(PROJECT_NONE, err);
    return code == NIP_OK ? load_libraries(cli, graph, err) : code;
}
