// SPDX-License-Identifier: Apache-2.0
//
// Random graphs of versions and requirements, for the test and the bench of version selection.

#ifndef TEST_MVS_GRAPH_H
#define TEST_MVS_GRAPH_H

#include "nip/mvs.h"

enum { GRAPH_NAME_SIZE = 32 };

struct graph_version {
    struct nip_mvs_requirement *requirements;
    size_t count;
};
struct graph_name {
    char text[GRAPH_NAME_SIZE];
    struct nip_mvs_version *versions;
    struct graph_version *nodes; // as versions
    size_t count;
};
struct graph {
    struct graph_name *names; // sorted by text
    size_t count;
    struct nip_mvs_requirement *roots;
    size_t root_count;
    uint64_t state; // of the random numbers
};

struct graph_shape {
    size_t names, classes, versions_per_class; // of each name
    size_t requirements;                       // of each version
    size_t roots;
    unsigned yanked_percent, locked_percent, gap_percent, prerelease_percent;
    bool keeps_class; // class c asks for class c only, so that no two classes meet in one link
};

uint64_t graph_random(struct graph *graph, uint64_t below);
// All memory of the graph; graph_free() gives it back. Aborts without memory.
void graph_make(struct graph *graph, const struct graph_shape *shape, uint64_t seed);
void graph_shuffle(struct graph *graph); // all lists of requirements, and of the project
void graph_free(struct graph *graph);
struct nip_mvs_source graph_source(struct graph *graph);
size_t graph_find(const struct graph *graph, const char *name);

#endif
