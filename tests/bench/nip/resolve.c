// SPDX-License-Identifier: Apache-2.0
//
// How long choosing versions takes: resolve NAMES REQUIREMENTS RUNS prints one line per run with
// the nanoseconds of nip_mvs_solve() and of nip_mvs_check_link(), the versions that the graph
// holds, and how many were chosen. Each run is another random graph (5 versions in each of 2
// classes per name, every version with REQUIREMENTS requirements), its lists shuffled; making it is
// not timed.

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mvs_graph.h"

static unsigned long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: resolve NAMES REQUIREMENTS RUNS\n");
        return 2;
    }
    struct graph_shape shape = {.names = strtoul(argv[1], NULL, 10),
                                .classes = 2,
                                .versions_per_class = 5,
                                .requirements = strtoul(argv[2], NULL, 10),
                                .roots = 64};
    for (unsigned long run = 0; run < strtoul(argv[3], NULL, 10); run++) {
        struct graph graph;
        struct nip_mvs *mvs = NULL;
        struct nip_error err = {0};
        size_t count = 0;
        graph_make(&graph, &shape, run + 1);
        graph_shuffle(&graph);
        struct nip_mvs_source source = graph_source(&graph);
        unsigned long long begin = now_ns();
        enum nip_code code = nip_mvs_solve(&source, graph.roots, graph.root_count, &mvs, &err);
        unsigned long long solved = now_ns();
        // Both classes of nearly every name are chosen: the conflict is found, and explained.
        enum nip_code link = code == NIP_OK ? nip_mvs_check_link(mvs, &err) : NIP_OK;
        unsigned long long end = now_ns();
        if (code != NIP_OK || link != NIP_ERROR_CONFLICT) {
            fprintf(stderr, "resolve: %s\n", err.message);
            return 1;
        }
        nip_mvs_choices(mvs, &count);
        printf("%llu %llu %zu %zu\n", solved - begin, end - solved,
               shape.names * shape.classes * shape.versions_per_class, count);
        nip_mvs_free(mvs);
        graph_free(&graph);
    }
    return 0;
}
