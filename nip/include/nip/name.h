// SPDX-License-Identifier: Apache-2.0
//
// Package names, versions and paths inside packages: what is well formed, and the order of
// versions.

#ifndef NIP_NAME_H
#define NIP_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_NAME_PART_MAX = 32,
    NIP_NAME_MAX = 2 * NIP_NAME_PART_MAX + 1, // "namespace/name"
    NIP_VERSION_MAX = 64,
    NIP_PATH_MAX = 100, // what fits ustar's name field
};

// "namespace/name", each part [a-z][a-z0-9]*(-[a-z0-9]+)*, at most 32 bytes.
bool nip_name_is_valid(const char *text, size_t size);
bool nip_name_part_is_valid(const char *text, size_t size);
// NIP_OK, or NAME with a message that says which rule is broken.
enum nip_code nip_name_check(const char *text, struct nip_error *err) NIP_MUST_CHECK;

// SemVer 2 without build metadata, at most 64 bytes; numbers fit 64 bits.
struct nip_version {
    uint64_t major, minor, patch;
    char prerelease[NIP_VERSION_MAX + 1]; // "" if none
};
bool nip_version_parse(const char *text, size_t size, struct nip_version *version);
// What a dependency asks for, as the lowest version that will do: "1", "1.2", "1.2.3", "0.4",
// "0.0.7", "2.0.0-rc.1". What is left out is zero; "0" and "0.0" say no class of versions and are
// refused, as is everything else.
bool nip_requirement_parse(const char *text, size_t size, struct nip_version *at_least);
enum nip_code nip_version_check(const char *text, struct nip_version *version,
                                struct nip_error *err) NIP_MUST_CHECK;
// <0, 0, >0 by SemVer's precedence. Equal only for equal texts, as there is no build metadata.
int nip_version_compare(const struct nip_version *a, const struct nip_version *b);
// Whether b may replace a as "compatible": same major; below 1.0 same 0.minor; below 0.1 equal.
bool nip_version_is_same_class(const struct nip_version *a, const struct nip_version *b);

// A path in a package: [a-zA-Z0-9._-] and '/', at most 100 bytes, no empty component, none starting
// with '.'.
bool nip_path_is_valid(const char *text, size_t size);
// What is wrong with the path, as the end of a sentence: "it is absolute". NULL when it is valid.
const char *nip_path_problem(const char *text, size_t size);
// Whether two valid paths cannot both be in one package: equal without regard to case, or one is a
// folder of the other.
bool nip_paths_collide(const char *a, const char *b);

#ifdef __cplusplus
}
#endif

#endif
