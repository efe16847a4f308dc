// SPDX-License-Identifier: Apache-2.0
//
// The signed list of a package.
#include <kernel/load.h>

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digests digests;
    struct digests_file file;
    uint8_t *bytes = malloc(size + 1);

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (digests_validate(bytes, size, &digests) == RUMPK_REFUSE_NONE) {
        if (digests_find(&digests, "npl.bkdl", &file) &&
            digests_find(&digests, "riscv64/driver.elf", &file))
            FUZZ_ACCEPTED();
        if (digests_find(&digests, "", &file))
            abort();
    }
    free(bytes);
    return 0;
}
