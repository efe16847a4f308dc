// SPDX-License-Identifier: Apache-2.0
//
// What nip check judges, and publishing too: the files that the last build left, against the
// manifest and the SDK. Every check is made; none hides another.

#ifndef NIP_CLI_CHECKING_H
#define NIP_CLI_CHECKING_H

#include "cli.h"
#include "nip/buffer.h"
#include "nip/manifest.h"
#include "sdk.h"

enum { CHECK_RESULTS_MAX = 96 };

struct check_result {
    const char *check; // "form", "abi", "calls", "capabilities", "licence", "interface"
    const char *arch;  // "" when it is about all
    bool passed;
    char words[400];
    char hint[300];
};

struct check_size {
    uint64_t file, memory; // bytes of driver.elf, and in memory; a library has no memory
};

struct check_report {
    struct check_result results[CHECK_RESULTS_MAX];
    size_t count, failed_count;
    struct check_size sizes[RUMPK_ARCH_COUNT]; // as arch_all; zero: not made for it
};

// NIP_OK when all could be looked at; `report` says what came of it.
enum nip_code checking_run(const struct sdk *sdk, const char *folder,
                           const struct nip_manifest *manifest, struct check_report *report,
                           struct nip_error *err) NIP_MUST_CHECK;

// Compares the interface of a library, as its debug information has it, with a published one of the
// same architecture. `words`: what abidiff says of the differences. TOOL when it is not installed.
enum nip_code checking_abi(const struct sdk *sdk, const void *published, size_t published_size,
                           const char *archive, bool *is_same, struct nip_buffer *words,
                           struct nip_error *err) NIP_MUST_CHECK;

// The same as one answer, for publishing: MISMATCH with the first that failed.
enum nip_code checking_require(const struct sdk *sdk, const char *folder,
                               const struct nip_manifest *manifest,
                               struct nip_error *err) NIP_MUST_CHECK;

#endif
