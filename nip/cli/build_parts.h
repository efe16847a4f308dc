// SPDX-License-Identifier: Apache-2.0
//
// What nip's own build and the build systems that it starts share: the task, and the steps after
// the link.

#ifndef NIP_CLI_BUILD_PARTS_H
#define NIP_CLI_BUILD_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "libraries.h"
#include "nip/json.h"
#include "nip/manifest.h"
#include "sdk.h"

struct build_task {
    const struct cli *cli;
    struct sdk *sdk;    // with its tools found
    const char *folder; // of the project, as it is shown
    const char *root;   // the same, absolute
    const struct nip_manifest *manifest;
    const struct libraries *libraries;
    uint32_t arch_mask;
    bool from_nothing;
};

// Builds with the build system of the manifest; the caller holds the lock of the build folder.
enum nip_code build_foreign(const struct build_task *task, struct nip_error *err) NIP_MUST_CHECK;
// Writes build/compile_commands.json out of the one in the build folder of `arch`, if there is one.
enum nip_code build_foreign_commands(const struct build_task *task, uint32_t arch,
                                     struct nip_error *err) NIP_MUST_CHECK;
// Writes build/compile_commands.json: `list`, which it takes over, and one entry for each test on
// this computer.
enum nip_code build_write_commands(const struct sdk *sdk, const char *root,
                                   const struct nip_manifest *manifest, struct nip_json *list,
                                   struct nip_error *err) NIP_MUST_CHECK;
// build/ARCH/tree, where the build folder of a build system lies while nobody builds.
void build_tree(char *out, size_t size, uint32_t arch);

// Splits `linked` (relative to the project) into build/ARCH/driver.elf and build/ARCH/driver.debug.
enum nip_code build_split(const struct cli *cli, const struct sdk *sdk, const char *root,
                          uint32_t arch, const char *linked, struct nip_error *err) NIP_MUST_CHECK;
// Judges build/ARCH/driver.elf as the kernel will, and says that it is built or up to date.
enum nip_code build_check_driver(const struct cli *cli, const char *folder,
                                 const struct nip_manifest *manifest, uint32_t arch, bool is_new,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Makes build/.build-id name the debug files of `arch_mask` that are there, and nothing else.
enum nip_code build_link_debug(const char *root, uint32_t arch_mask,
                               struct nip_error *err) NIP_MUST_CHECK;

#endif
