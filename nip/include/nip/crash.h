// SPDX-License-Identifier: Apache-2.0
//
// Fault records as `nip run` reports them, found again in whatever text they were kept in: its JSON
// (nip-run-1), or any log that holds its lines:
//
//   faulted     local/hello 0.1.0: WRITE: ...; driver.elf+0x1a4 of riscv64, build-id 2977b640...
//
// What counts in a line is "driver.elf+0x" with an offset and "build-id" with a build id; name,
// version and architecture are taken where they stand. The text may come from anybody.

#ifndef NIP_CRASH_H
#define NIP_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/digests.h"
#include "nip/elf.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_CRASH_TEXT_MAX ((size_t)16 << 20)

enum { NIP_CRASH_FAULTS_MAX = 1024, NIP_CRASH_WORD_SIZE = 32 };

struct nip_crash_fault {
    char name[NIP_NAME_MAX + 1];       // "" when it is not told, or is no name
    char version[NIP_VERSION_MAX + 1]; // likewise
    char arch[NIP_CRASH_WORD_SIZE];    // likewise
    char fault[NIP_CRASH_WORD_SIZE];   // "WRITE", likewise
    bool has_offset;                   // false: the pc was outside of the driver's file
    uint64_t offset;
    char build_id[2 * NIP_ELF_BUILD_ID_MAX + 1]; // hexadecimal; "" when it is not told
};

struct nip_crash {
    struct nip_crash_fault faults[NIP_CRASH_FAULTS_MAX];
    size_t count;
    size_t dropped; // for which there was no room
};

// Finds the faults in `text`, which errors call `what`. MISSING when there is none.
enum nip_code nip_crash_scan(const char *text, size_t size, const char *what,
                             struct nip_crash *crash, struct nip_error *err) NIP_MUST_CHECK;

// Lower-case hexadecimal digits of a build id; `out` has 2 * NIP_ELF_BUILD_ID_MAX + 1 bytes.
void nip_build_id_text(const uint8_t *build_id, size_t size, char *out);

#ifdef __cplusplus
}
#endif

#endif
