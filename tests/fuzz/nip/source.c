// SPDX-License-Identifier: Apache-2.0
//
// A source archive: whatever is accepted is written again to exactly the bytes that were read.

#include "nip/source.h"

#include <string.h>

#include "fuzz.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_source source;
    struct nip_error err = {0};
    struct nip_buffer tar = {0};
    if (nip_source_read(data, size, &source, &err) != NIP_OK) {
        MUST(source.files == NULL && source.count == 0 && err.message[0] != '\0');
        return 0;
    }
    FUZZ_ACCEPTED();
    for (size_t i = 0; i < source.count; i++) {
        MUST(nip_path_is_valid(source.files[i].path, strlen(source.files[i].path)));
        MUST(source.files[i].data >= data && source.files[i].size <= size &&
             source.files[i].data + source.files[i].size <= data + size);
    }
    MUST(nip_source_write(source.files, source.count, &tar, &err) == NIP_OK);
    MUST(nip_buffer_equals(&tar, data, size));
    nip_source_free(&source);
    nip_buffer_free(&tar);
    return 0;
}
