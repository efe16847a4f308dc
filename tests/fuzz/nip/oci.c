// SPDX-License-Identifier: Apache-2.0
//
// Manifests and indexes of a registry: what is accepted prints to a text that reads the same.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct nip_oci_manifest manifest, manifest_again;
    struct nip_oci_index index, index_again;
    struct nip_buffer out = {0};
    if (nip_oci_manifest_parse(text, size, "input", &manifest, NULL) == NIP_OK &&
        nip_oci_manifest_print(&manifest, &out, NULL) == NIP_OK) {
        MUST(nip_oci_manifest_parse(nip_buffer_text(&out), out.size, "print", &manifest_again,
                                    NULL) == NIP_OK);
        FUZZ_ACCEPTED();
        MUST(strcmp(manifest.version, manifest_again.version) == 0);
    }
    nip_buffer_clear(&out);
    if (nip_oci_index_parse(text, size, "input", &index, NULL) == NIP_OK) {
        if (nip_oci_index_print(&index, &out, NULL) == NIP_OK) {
            MUST(nip_oci_index_parse(nip_buffer_text(&out), out.size, "print", &index_again,
                                     NULL) == NIP_OK);
            MUST(index.count == index_again.count);
            nip_oci_index_free(&index_again);
        }
        nip_oci_index_free(&index);
    }
    nip_buffer_clear(&out);
    static struct nip_oci_beside beside, beside_again;
    if (nip_oci_beside_parse(text, size, "input", &beside, NULL) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(beside.count != 0 && beside.count <= NIP_OCI_BESIDE_MAX);
        for (size_t i = 0; i < beside.count; i++)
            MUST(nip_path_is_valid(beside.files[i].path, strlen(beside.files[i].path)));
        MUST(nip_oci_beside_print(&beside, &out, NULL) == NIP_OK);
        MUST(nip_oci_beside_parse(nip_buffer_text(&out), out.size, "print", &beside_again, NULL) ==
             NIP_OK);
        MUST(memcmp(&beside, &beside_again, sizeof beside) == 0);
    }
    nip_buffer_free(&out);
    return 0;
}
