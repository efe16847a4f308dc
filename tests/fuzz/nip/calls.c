// SPDX-License-Identifier: Apache-2.0
//
// calls: records of calls in a debug file. What is accepted names calls that exist, and operations
// only where MASK is among them; it is read the same from a copy that ends where the file ends.

#include <string.h>

#include <rumpk/call.h>
#include <rumpk/systable.h>

#include "fuzz.h"
#include "must.h"
#include "nip/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_elf_calls calls, again;
    struct nip_error err = {.code = NIP_OK};
    if (nip_elf_calls(data, size, "driver.debug", &calls, &err) != NIP_OK) {
        MUST(err.code == NIP_ERROR_FORMAT && strstr(err.message, "driver.debug") != NULL);
        return 0;
    }
    for (uint32_t call = 0; call < 32; call++)
        if ((calls.calls & 1u << call) != 0)
            MUST(call <= RUMPK_CALL_META && strcmp(nip_call_name(call), "?") != 0);
    MUST(calls.mask_operations == 0 || (calls.calls & 1u << RUMPK_CALL_MASK) != 0);
    // A file that names no call has no such section, or an empty one: that is not what is sought.
    if (calls.calls == 0)
        return 0;
    FUZZ_ACCEPTED();
    MUST(nip_elf_calls(data, size, "again", &again, &err) == NIP_OK);
    MUST(memcmp(&calls, &again, sizeof calls) == 0);
    return 0;
}
