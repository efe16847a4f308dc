// SPDX-License-Identifier: Apache-2.0
//
// What a project consists of, as a graph for people: its libraries and who asks for them, or the
// packages of an image and who provides what they need.

#ifndef NIP_CLI_GRAPH_H
#define NIP_CLI_GRAPH_H

#include "cli.h"
#include "nip/lock.h"

struct graph_edge {
    size_t to;
    char label[NIP_VERSION_MAX + 48]; // "1.2 or later", "service console 1"
};
struct graph_node {
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    char origin[CLI_PATH_SIZE]; // alias of the registry, or the folder of local work
    bool is_local;
    struct graph_edge *edges;
    size_t edge_count;
};
// The first node is the project itself.
struct graph {
    struct graph_node *nodes;
    size_t count;
};

// Of the project in the current folder. Chooses and fetches what is missing; writes nothing but the
// cache. The caller frees it with graph_free(), also after a failure.
enum nip_code graph_load(struct cli *cli, struct graph *graph,
                         struct nip_error *err) NIP_MUST_CHECK;
void graph_free(struct graph *graph);

#endif
