// SPDX-License-Identifier: Apache-2.0
//
// The interface of a library against what its registry has: within one class of versions, nothing
// that was published may change, for minimal version selection replaces one version of a class by a
// later one without asking. Compared with the highest release of the class below the version at
// hand, yanked or not: somebody may have it in a lock.

#ifndef NIP_CLI_INTERFACE_H
#define NIP_CLI_INTERFACE_H

#include "checking.h"
#include "nip/name.h"
#include "registry.h"
#include "resolve.h"

// The version to compare with; "" when the library is the first release of its class there.
enum nip_code interface_predecessor(struct registry *registry, const struct nip_manifest *manifest,
                                    char version[NIP_VERSION_MAX + 1],
                                    struct nip_error *err) NIP_MUST_CHECK;

// Compares the archives that the last build in the current folder left, and adds one result for
// each architecture to `report`. Nothing is added for what is no library, or has no predecessor.
// What abidiff says of a difference goes to standard error. TOOL when abidiff is not installed;
// UNTRUSTED when the predecessor is signed by nobody that this user or project knows.
enum nip_code interface_check(const struct cli *cli, struct decisions *decisions,
                              struct registry *registry, const char *alias,
                              const struct nip_manifest *manifest, struct check_report *report,
                              struct nip_error *err) NIP_MUST_CHECK;

// The same as one answer, for publishing: MISMATCH with what changed.
enum nip_code interface_require(const struct cli *cli, struct decisions *decisions,
                                struct registry *registry, const char *alias,
                                const struct nip_manifest *manifest,
                                struct nip_error *err) NIP_MUST_CHECK;

#endif
