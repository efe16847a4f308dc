// SPDX-License-Identifier: Apache-2.0
//
// bkdl: whatever is accepted, as a package's manifest or as a boot manifest, packs to exactly the
// bytes that were read.

#include "fuzz.h"
#include "must.h"
#include "nip/bkdl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct nip_manifest manifest;
    struct nip_boot *boot;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer bytes = {.size = 0};
    if (nip_bkdl_decode_package(data, size, "npl.bkdl", &manifest, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(nip_bkdl_encode_package(&manifest, &bytes, &err) == NIP_OK);
        MUST(nip_buffer_equals(&bytes, data, size));
    } else if (nip_bkdl_decode_boot(data, size, "boot.bkdl", &boot, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(nip_bkdl_encode_boot(boot, &bytes, &err) == NIP_OK);
        MUST(nip_buffer_equals(&bytes, data, size));
        nip_boot_free(boot);
    } else {
        MUST(boot == NULL && err.message[0] != '\0');
    }
    nip_buffer_free(&bytes);
    return 0;
}
