// SPDX-License-Identifier: Apache-2.0
//
// From image.kdl, nip.trust.kdl and nip.lock to bootable images.

#ifndef NIP_CLI_IMAGING_H
#define NIP_CLI_IMAGING_H

#include "check.h"
#include "cli.h"
#include "nip/image.h"
#include "nip/imagedef.h"
#include "nip/lock.h"
#include "resolve.h"

#define IMAGING_KERNEL_NAME "rumpk/kernel"

// Everything that images are made from, all of it checked.
struct imaging {
    const struct nip_imagedef *imagedef;
    struct checked_package kernel;
    struct checked_package packages[RUMPK_PACKAGES_MAX]; // as imagedef->packages
    uint32_t security_floors[RUMPK_PACKAGES_MAX];
    uint32_t arch_mask;  // architectures that the packages and the kernel have
    bool has_local_work; // some package is built from a path, signed with the development key
};

// Allocate with calloc; end with imaging_free().
void imaging_free(struct imaging *imaging);

// Gets everything in `imagedef` and the kernel. With a lock: what stands in it must be what the
// registries give, what does not is added, what is no longer used is removed; `may_relock`:
// packages of the SDK and the SDK itself may differ, and the lock follows. Without one (NULL):
// whatever the registries have now.
enum nip_code imaging_resolve(const struct cli *cli, struct decisions *decisions,
                              const struct nip_imagedef *imagedef, struct nip_lock *lock,
                              bool may_relock, struct imaging *imaging,
                              struct nip_error *err) NIP_MUST_CHECK;

// Makes the image of one architecture. `owner` NULL: the development key, and the image says so.
// The caller frees *report.
enum nip_code imaging_build(const struct imaging *imaging, const struct sdk *sdk,
                            const struct nip_secret_key *owner, uint32_t arch,
                            struct nip_buffer *image, struct nip_image_report **report,
                            struct nip_error *err) NIP_MUST_CHECK;

// For `nip new --image`: appends the console drivers of all machines to the text of image.kdl, and
// makes the lock (free with free()).
enum nip_code imaging_new(const struct cli *cli, struct decisions *decisions,
                          struct nip_buffer *text, struct nip_lock **lock,
                          struct nip_error *err) NIP_MUST_CHECK;

// What nip.lock says of a package.
void imaging_lock_entry(const struct checked_package *package, const char *alias,
                        struct nip_lock_package *entry);

// Gets a package of the SDK's registry, the highest version (version NULL) or a certain one.
enum nip_code imaging_sdk_package(const struct cli *cli, struct decisions *decisions,
                                  const char *name, const char *version,
                                  struct checked_package *package,
                                  struct nip_error *err) NIP_MUST_CHECK;
// Builds the project in `path` and signs it with the development key, in memory only.
enum nip_code imaging_local_package(const struct cli *cli, struct sdk *sdk, const char *path,
                                    struct checked_package *package,
                                    struct nip_error *err) NIP_MUST_CHECK;

#endif
