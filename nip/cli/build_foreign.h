// SPDX-License-Identifier: Apache-2.0
//
// Inside of build_foreign.c: how a build system is called stands in a file of its own
// (build_foreign_lines.c).

#ifndef NIP_CLI_BUILD_FOREIGN_H
#define NIP_CLI_BUILD_FOREIGN_H

#include "build_parts.h"
#include "build_unit.h"
#include "nip/crypto.h"

// One architecture.
struct side {
    uint32_t arch;
    struct build_unit configure, build; // command lines only
    char work[64], tree[64], key_path[64];
    char key[NIP_DIGEST_TEXT_SIZE];
    bool has_tree; // configured before, with the same key
    bool is_clean; // nothing in the folder may be half-written
};

struct foreign {
    const struct build_task *task;
    const char *system; // "cmake"
    char result[64];    // "driver.elf": what it makes, at the top of its build folder
    char env[CLI_PATH_SIZE], tool[CLI_PATH_SIZE], ninja[CLI_PATH_SIZE];
    struct side sides[RUMPK_ARCH_COUNT];
    size_t side_count;
    struct nip_buffer last_output;
};

// "build/deps/NAME/ARCH/libNAME.a" of one library, absolute.
void build_foreign_archive(const struct foreign *foreign, size_t index, uint32_t arch,
                           struct nip_buffer *out);
// Fills in both command lines; side->build is complete but for the number of jobs.
void build_foreign_compose(const struct foreign *foreign, struct side *side);
// Meson's second cross file, in the build folder: what the SDK's cannot know.
enum nip_code build_foreign_meson_file(const struct foreign *foreign, const struct side *side,
                                       struct nip_error *err) NIP_MUST_CHECK;

#endif
