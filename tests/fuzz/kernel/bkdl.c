// SPDX-License-Identifier: Apache-2.0
//
// The packed manifests, package and boot; every record of an accepted one is read once.
#include <kernel/load.h>

#include "fuzz.h"

#include <string.h>

static volatile uint64_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bkdl_boot boot;
    struct bkdl_manifest manifest;
    uint8_t *bytes = aligned_alloc(16, (size + 16) & ~(size_t)15);

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (bkdl_manifest_validate(bytes, size, &manifest) == RUMPK_REFUSE_NONE) {
        for (uint32_t i = 0; i < manifest.requests.count; i++)
            sink += bkdl_request(&manifest.requests, i)->size;
        for (uint32_t i = 0; i < manifest.needs.count; i++)
            sink += bkdl_service(&manifest.needs, i)->version;
        FUZZ_ACCEPTED();
    }
    if (bkdl_boot_validate(bytes, size, &boot) == RUMPK_REFUSE_NONE) {
        for (uint32_t i = 0; i < boot.image->package_count; i++)
            for (uint32_t k = 0; k < boot.packages[i].grants.count; k++)
                sink += bkdl_grant(&boot.packages[i].grants, k)->size;
        for (uint32_t i = 0; i < boot.wires.count; i++)
            if (bkdl_wire(&boot.wires, i)->client >= boot.image->package_count)
                abort();
        FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
