// SPDX-License-Identifier: Apache-2.0
//
// Building a driver project with the SDK. In its folder `build`:
//
//   ARCH/obj/SOURCE.o .d .key      object, its headers, digest of all that it was made from
//   ARCH/driver.elf                stripped: goes into the package
//   ARCH/driver.debug              debug information only
//   ARCH/driver.key                as .key above, for the link
//   ARCH/tree                      the build folder of CMake, Meson or make, while nobody builds
//   ARCH/tree.key                  digest of what it was configured with
//   .build-id/12/3456.debug        the debug files by build id, as debuggers look for them
//   work                           what tools write, until it is complete; gone afterwards
//   compile_commands.json          for editors

#ifndef NIP_CLI_BUILD_H
#define NIP_CLI_BUILD_H

#include <stdint.h>

#include "cli.h"
#include "libraries.h"
#include "nip/manifest.h"
#include "sdk.h"

// Builds the driver or library in `folder` for the architectures of `arch_mask` and checks drivers
// as the kernel will. `from_nothing`: what a build system of its own has made before is not used.
// `libraries` is all zero, and gets what was linked; the caller frees it with
// libraries_free(), also after a failure. BUILD when a step failed; the compiler's words have been
// printed by then.
enum nip_code build_driver(const struct cli *cli, struct sdk *sdk, const char *folder,
                           const struct nip_manifest *manifest, uint32_t arch_mask,
                           bool from_nothing, struct libraries *libraries,
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
