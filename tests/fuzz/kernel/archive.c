// SPDX-License-Identifier: Apache-2.0
//
// A whole boot archive: header, layout, manifests, digests, ELF, up to the placed image.
#include <kernel/load.h>

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct archive archive;
    static struct package package;
    const uint8_t key[RUMPK_KEY_SIZE] = {1};
    uint64_t detail;
    size_t whole = size & ~(size_t)4095;
    uint8_t *bytes = aligned_alloc(4096, whole != 0 ? whole : 4096);
    uint32_t good = 0;

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, whole);
    if (archive_validate(bytes, whole, RUMPK_ARCH_RISCV64, key, &archive, &detail) ==
        RUMPK_REFUSE_NONE) {
        for (uint32_t i = 0; i < archive.boot.image->package_count; i++) {
            archive_package_validate(&archive, i, &package);
            if (package.refusal != RUMPK_REFUSE_NONE)
                continue;
            uint8_t *image = aligned_alloc(4096, package.elf.image_size);
            if (image == NULL)
                abort();
            elf_place(&package.elf, image, 0x81000000);
            free(image);
            good++;
        }
        if (good != 0 && good == archive.boot.image->package_count)
            FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
