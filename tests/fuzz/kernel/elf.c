// SPDX-License-Identifier: Apache-2.0
//
// A driver file: validated, then placed as the kernel would.
#include <kernel/load.h>

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct elf_image image;
    uint64_t detail;
    uint8_t *bytes = aligned_alloc(16, (size + 16) & ~(size_t)15);

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (elf_validate(bytes, size, RUMPK_ARCH_RISCV64, &image, &detail) == RUMPK_REFUSE_NONE) {
        uint8_t *memory = aligned_alloc(4096, image.image_size);
        if (memory == NULL)
            abort();
        elf_place(&image, memory, 0x81000000);
        free(memory);
        FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
