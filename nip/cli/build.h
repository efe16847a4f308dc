// SPDX-License-Identifier: Apache-2.0
//
// Building a driver project with the SDK.
//
//   build/ARCH/obj/SOURCE.o .d .key      object, its headers, digest of all that it was made from
//   build/ARCH/driver.elf                stripped: goes into the package
//   build/ARCH/driver.debug              debug information only
//   build/ARCH/driver.key                as .key above, for the link
//   build/work/                          what tools write, until it is complete; gone afterwards
//   build/compile_commands.json          for editors

#ifndef NIP_CLI_BUILD_H
#define NIP_CLI_BUILD_H

#include <stdint.h>

#include "cli.h"
#include "nip/manifest.h"
#include "sdk.h"

// Builds the driver in `folder` for the architectures of `arch_mask` and checks the results as the
// kernel will. BUILD when a step failed; the compiler's words have been printed by then.
enum nip_code build_driver(const struct cli *cli, struct sdk *sdk, const char *folder,
                           const struct nip_manifest *manifest, uint32_t arch_mask,
                           struct nip_error *err) NIP_MUST_CHECK;

#endif
