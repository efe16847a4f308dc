// SPDX-License-Identifier: Apache-2.0
//
// Who could offer a service that some package needs: searched among the SDK's own drivers.

#ifndef NIP_CLI_PROVIDERS_H
#define NIP_CLI_PROVIDERS_H

#include "imaging.h"

// Whether a package offers exactly this service.
bool providers_fits(const struct nip_manifest *manifest, const struct rumpk_bkdl_service *need);

// The SDK's drivers for `arch` that offer `need`: their number, their names ("a, b"), and the last
// of them. For the console only the driver of the machine counts. The caller frees both results.
enum nip_code providers_in_sdk(const struct cli *cli, struct decisions *decisions, uint32_t arch,
                               const struct rumpk_bkdl_service *need, size_t *count,
                               struct nip_buffer *names, struct checked_package *last,
                               struct nip_error *err) NIP_MUST_CHECK;

// After an image could not be made because a need is open: adds to the help of `err` which command
// would close it. Does nothing when no need is open or nothing fits.
void providers_suggest(const struct cli *cli, struct decisions *decisions,
                       const struct imaging *imaging, uint32_t arch, struct nip_error *err);

#endif
