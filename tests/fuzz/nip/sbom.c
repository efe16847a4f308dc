// SPDX-License-Identifier: Apache-2.0
//
// A bill of materials out of a package, merged into that of an image: what is accepted prints to
// JSON that is accepted again, merged with itself too.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/image_sbom.h"
#include "nip/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t id[NIP_DIGEST_SIZE];
    struct nip_image_sbom_package package = {"acme/a", "1.0.0", id, data, size};
    struct nip_image_sbom_package twice[2] = {package, package};
    struct nip_image_sbom_input input = {.name = "local/box",
                                         .version = "0.1.0",
                                         .file = "box.elf",
                                         .image = "image",
                                         .image_size = 5,
                                         .tool = "nip-0",
                                         .date = "1980-01-01T00:00:00Z",
                                         .packages = &package,
                                         .package_count = 1};
    struct nip_buffer out = {.size = 0}, both = {.size = 0};
    struct nip_error err = {.code = NIP_OK};
    struct nip_json *json = NULL;
    if (nip_image_sbom_write(&input, &out, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        MUST(out.size == 0);
        return 0;
    }
    FUZZ_ACCEPTED();
    MUST(nip_json_parse(nip_buffer_text(&out), out.size, "print", &json, &err) == NIP_OK);
    nip_json_free(json);
    input.packages = twice;
    input.package_count = 2;
    MUST(nip_image_sbom_write(&input, &both, &err) == NIP_OK);
    nip_buffer_free(&out);
    nip_buffer_free(&both);
    return 0;
}
