// SPDX-License-Identifier: Apache-2.0
//
// digests: whatever is accepted prints to exactly the bytes that were read.

#include "nip/digests.h"
#include "fuzz.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_digests digests;
    struct nip_error err = {0};
    struct nip_buffer text = {0};
    if (nip_digests_parse((const char *)data, size, &digests, &err) != NIP_OK) {
        MUST(digests.files == NULL && digests.besides == NULL && err.message[0] != '\0');
        return 0;
    }
    FUZZ_ACCEPTED();
    MUST(nip_digests_print(&digests, &text, &err) == NIP_OK);
    MUST(nip_buffer_equals(&text, data, size));
    nip_digests_free(&digests);
    nip_buffer_free(&text);
    return 0;
}
