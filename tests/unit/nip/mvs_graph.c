// SPDX-License-Identifier: Apache-2.0

#include "mvs_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t graph_random(struct graph *graph, uint64_t below)
{
    // xorshift64*: the same graphs on every machine.
    graph->state ^= graph->state >> 12;
    graph->state ^= graph->state << 25;
    graph->state ^= graph->state >> 27;
    return ((graph->state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static void *must(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static bool chance(struct graph *graph, unsigned percent)
{
    return graph_random(graph, 100) < percent;
}

// Classes 0.1, 1 and 2; versions with gaps between them.
static struct nip_version bound_of(size_t class, uint64_t step)
{
    struct nip_version version = {.major = class};
    if (class == 0) {
        version.minor = 1;
        version.patch = step;
    } else {
        version.minor = step;
    }
    return version;
}

static void make_versions(struct graph *graph, const struct graph_shape *shape,
                          struct graph_name *name)
{
    size_t per_class = shape->versions_per_class;
    name->versions = must(shape->classes * per_class, sizeof *name->versions);
    name->nodes = must(shape->classes * per_class, sizeof *name->nodes);
    for (size_t c = 0; c < shape->classes; c++)
        for (size_t v = 0; v < per_class; v++) {
            if (chance(graph, shape->gap_percent))
                continue;
            struct nip_mvs_version *version = &name->versions[name->count++];
            version->version = bound_of(c, v);
            if (chance(graph, shape->prerelease_percent))
                memcpy(version->version.prerelease, "rc.1", 5);
            version->is_yanked = chance(graph, shape->yanked_percent);
            version->is_locked = chance(graph, shape->locked_percent);
        }
}

static void make_requirement(struct graph *graph, const struct graph_shape *shape, size_t class,
                             struct nip_mvs_requirement *requirement)
{
    const struct graph_name *target = &graph->names[graph_random(graph, graph->count)];
    if (!shape->keeps_class)
        class = graph_random(graph, shape->classes);
    requirement->name = target->text;
    requirement->at_least = bound_of(class, graph_random(graph, shape->versions_per_class));
    if (chance(graph, shape->prerelease_percent))
        memcpy(requirement->at_least.prerelease, "rc.1", 5);
}

void graph_make(struct graph *graph, const struct graph_shape *shape, uint64_t seed)
{
    *graph = (struct graph){.count = shape->names, .state = seed * 2 + 1};
    graph->names = must(shape->names, sizeof *graph->names);
    for (size_t i = 0; i < shape->names; i++) {
        snprintf(graph->names[i].text, GRAPH_NAME_SIZE, "bench/n%07zu", i);
        make_versions(graph, shape, &graph->names[i]);
    }
    for (size_t i = 0; i < shape->names; i++)
        for (size_t v = 0; v < graph->names[i].count; v++) {
            struct graph_version *node = &graph->names[i].nodes[v];
            node->count = shape->requirements;
            node->requirements = must(node->count, sizeof *node->requirements);
            for (size_t r = 0; r < node->count; r++)
                make_requirement(graph, shape, graph->names[i].versions[v].version.major,
                                 &node->requirements[r]);
        }
    graph->roots = must(shape->roots, sizeof *graph->roots);
    graph->root_count = shape->roots;
    for (size_t r = 0; r < shape->roots; r++)
        make_requirement(graph, shape, shape->classes - 1, &graph->roots[r]);
}

static void shuffle(struct graph *graph, struct nip_mvs_requirement *list, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = graph_random(graph, i);
        struct nip_mvs_requirement kept = list[i - 1];
        list[i - 1] = list[other];
        list[other] = kept;
    }
}

void graph_shuffle(struct graph *graph)
{
    shuffle(graph, graph->roots, graph->root_count);
    for (size_t i = 0; i < graph->count; i++)
        for (size_t v = 0; v < graph->names[i].count; v++)
            shuffle(graph, graph->names[i].nodes[v].requirements, graph->names[i].nodes[v].count);
}

void graph_free(struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        for (size_t v = 0; v < graph->names[i].count; v++)
            free(graph->names[i].nodes[v].requirements);
        free(graph->names[i].versions);
        free(graph->names[i].nodes);
    }
    free(graph->names);
    free(graph->roots);
}

size_t graph_find(const struct graph *graph, const char *name)
{
    return (size_t)strtoul(name + strlen("bench/n"), NULL, 10) % graph->count;
}

static enum nip_code give_versions(void *context, const char *name,
                                   const struct nip_mvs_version **versions, size_t *count,
                                   struct nip_error *err)
{
    (void)err;
    const struct graph *graph = context;
    const struct graph_name *found = &graph->names[graph_find(graph, name)];
    *versions = found->versions;
    *count = found->count;
    return NIP_OK;
}

static enum nip_code give_requirements(void *context, const char *name,
                                       const struct nip_version *version,
                                       const struct nip_mvs_requirement **requirements,
                                       size_t *count, struct nip_error *err)
{
    const struct graph *graph = context;
    const struct graph_name *found = &graph->names[graph_find(graph, name)];
    for (size_t v = 0; v < found->count; v++)
        if (nip_version_compare(&found->versions[v].version, version) == 0) {
            *requirements = found->nodes[v].requirements;
            *count = found->nodes[v].count;
            return NIP_OK;
        }
    return nip_error_set(err, NIP_ERROR_INTERNAL, "asked for a version that does not exist");
}

struct nip_mvs_source graph_source(struct graph *graph)
{
    return (struct nip_mvs_source){graph, give_versions, give_requirements, NULL};
}
