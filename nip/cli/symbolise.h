// SPDX-License-Identifier: Apache-2.0
//
// From an offset in a driver file to function, file and line: debug files are found by build id,
// and llvm-symbolizer reads them.

#ifndef NIP_CLI_SYMBOLISE_H
#define NIP_CLI_SYMBOLISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

enum { SYMBOL_FRAMES_MAX = 32 };

struct symbol_frame {
    char function[256]; // escaped
    char file[512];     // escaped; relative to the project where it is the project's
    uint32_t line, column;
};

// The innermost first: each but the last one was inlined into the next.
struct symbol_place {
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];
    size_t count;
};

// Looks for the debug file with this build id (hexadecimal) in each of `folders`: by its name below
// .build-id, then as the debug files of a build or of a package lie there; a folder may be the file
// itself. Only a file that says this build id is taken. `out` has CLI_PATH_SIZE bytes.
bool symbolise_find(const char *build_id, const char *const *folders, size_t count, char *out);

// TOOL without llvm-symbolizer; MISSING when the file says nothing about the place.
enum nip_code symbolise(const char *file, uint64_t offset, struct symbol_place *place,
                        struct nip_error *err) NIP_MUST_CHECK;

#endif
