// SPDX-License-Identifier: Apache-2.0
//
// The SDK that this nip belongs to: found from the tool's own path, PREFIX/bin/nip beside
// PREFIX/share/rumpk, or named by RUMPK_SDK (PREFIX). It may lie anywhere; nothing in it knows
// where.

#ifndef NIP_CLI_SDK_H
#define NIP_CLI_SDK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "nip/error.h"
#include "nip/machine.h"
#include "nip/minisign.h"
#include "nip/pack.h"

struct sdk {
    char share[CLI_PATH_SIZE]; // PREFIX/share/rumpk
    char registry_url[CLI_PATH_SIZE];
    bool is_development; // built from source here, with a key made on the spot
    bool has_key;
    struct nip_public_key key;
    char id[64]; // of what drivers are built with: toolchain files and sysroots
    char toolchain[NIP_TOOLCHAIN_MAX + 1]; // id and compiler version; what `digests` says
    char clang[CLI_PATH_SIZE], lld[CLI_PATH_SIZE], objcopy[CLI_PATH_SIZE];
    char ar[CLI_PATH_SIZE];
};

// Finds the SDK, computes its id.
enum nip_code sdk_open(struct sdk *sdk, struct nip_error *err) NIP_MUST_CHECK;
// Finds compiler, linker, objcopy and ar, checks their version, completes `toolchain`.
enum nip_code sdk_find_tools(struct sdk *sdk, struct nip_error *err) NIP_MUST_CHECK;

// "share/PART" as a path; `out` has CLI_PATH_SIZE bytes.
void sdk_path(const struct sdk *sdk, char *out, const char *format, ...) NIP_PRINTF(3, 4);
const char *sdk_triple(uint32_t arch); // RUMPK_ARCH_*

// share/rumpk/machines: the usual machine of an architecture (`name` NULL), or one by its name.
// USAGE when there is none of that name; the hint names those that there are.
enum nip_code sdk_machine(const struct sdk *sdk, uint32_t arch, const char *name,
                          struct nip_machine *machine, struct nip_error *err) NIP_MUST_CHECK;
// The architectures that have a machine of this name.
uint32_t sdk_machine_arches(const struct sdk *sdk, const char *name);
// libnpl, libsodium, libc and builtins as the bill of materials names them, for the architectures of
// `arch_mask`.
enum nip_code sdk_components(const struct sdk *sdk, uint32_t arch_mask, struct nip_pack *pack,
                             struct nip_error *err) NIP_MUST_CHECK;

// Parses "riscv64,x86_64" or "all"; `options` are all --arch of the command line. 0 when none.
enum nip_code arch_mask_parse(const struct cli *cli, uint32_t *mask,
                              struct nip_error *err) NIP_MUST_CHECK;
// This computer's if it is one of the three, else riscv64.
uint32_t arch_default(void);
extern const uint32_t arch_all[RUMPK_ARCH_COUNT];
enum { ARCH_MASK_ALL = 7 };

#endif
