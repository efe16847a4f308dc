// SPDX-License-Identifier: Apache-2.0
//
// The image that nip run and nip test make up on the spot around a driver project: the driver, the
// machine's console driver unless something in it is one itself, and from the SDK one provider for
// everything else that is needed. Signed with the development key, it lies in no file but the
// emulator's own temporary one.

#ifndef NIP_CLI_THROWAWAY_H
#define NIP_CLI_THROWAWAY_H

#include "imaging.h"

// The image of one architecture. Packages are moved into `imaging` as they are chosen.
struct throwaway {
    const struct cli *cli;
    struct decisions *decisions;
    uint32_t arch;
    struct nip_imagedef *imagedef;
    struct imaging *imaging;
};

// Ends with throwaway_close(), also after a failure.
enum nip_code throwaway_open(struct throwaway *throwaway, const struct cli *cli,
                             struct decisions *decisions, uint32_t arch,
                             struct nip_error *err) NIP_MUST_CHECK;
void throwaway_close(struct throwaway *throwaway);

// Builds the project in `folder` and puts it in, with all that it asks for granted.
enum nip_code throwaway_add(struct throwaway *throwaway, const char *folder,
                            struct nip_error *err) NIP_MUST_CHECK;
// Adds providers until nothing in it needs what nobody offers, and the kernel. CONFLICT when
// several drivers of the SDK would do, or none.
enum nip_code throwaway_complete(struct throwaway *throwaway, struct nip_error *err) NIP_MUST_CHECK;

// Whether something in the image was granted a virtio device of this kind.
bool throwaway_wants(const struct nip_image_report *report, uint32_t virtio_id);

#endif
