// SPDX-License-Identifier: Apache-2.0
//
// The compiler's options for tests on this computer: the host build of libnpl, with the sanitizers.

#include "host_flags.h"

#include <stdio.h>

void host_flags(const struct sdk *sdk, const struct nip_manifest *manifest,
                void (*add)(void *context, const char *word), void *context)
{
    static const char *const fixed[] = {
        "--no-default-config",
        "-std=c23",
        "-g",
        "-O1",
        "-Wall",
        "-Wextra",
        "-DNPL_HOST=1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
        "-Iinclude",
        "-Isrc",
    };
    char path[CLI_PATH_SIZE], word[CLI_PATH_SIZE + 16];
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        add(context, fixed[i]);
    sdk_path(sdk, path, "host/include");
    snprintf(word, sizeof word, "-isystem%s", path);
    add(context, word);
    for (uint32_t i = 0; i < manifest->flag_count; i++)
        add(context, manifest->flags[i]);
}
