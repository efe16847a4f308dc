// SPDX-License-Identifier: Apache-2.0
//
// manifest: an accepted npl.kdl packs, unpacks and compares equal; an accepted image.kdl prints
// packages that are accepted again.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/bkdl.h"
#include "nip/imagedef.h"

static void check_manifest(const uint8_t *data, size_t size)
{
    static struct nip_manifest text, packed;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer bytes = {.size = 0}, words = {.size = 0};
    if (nip_manifest_parse((const char *)data, size, "npl.kdl", &text, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    MUST(nip_bkdl_encode_package(&text, &bytes, &err) == NIP_OK);
    MUST(nip_bkdl_decode_package(bytes.data, bytes.size, "npl.bkdl", &packed, &err) == NIP_OK);
    MUST(nip_bkdl_compare(&text, &packed, &err) == NIP_OK);
    for (uint32_t i = 0; i < text.request_count; i++)
        nip_manifest_request_words(&text.requests[i], &words);
    nip_buffer_free(&words);
    nip_buffer_free(&bytes);
}

static void check_imagedef(const uint8_t *data, size_t size)
{
    struct nip_imagedef *imagedef, *again;
    struct nip_error err = {.code = NIP_OK};
    if (nip_imagedef_parse((const char *)data, size, "image.kdl", &imagedef, &err) != NIP_OK) {
        MUST(imagedef == NULL && err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    struct nip_buffer text = {.size = 0};
    nip_buffer_append_text(&text, "image \"a/b\" version=\"1.0.0\"\n");
    for (uint32_t i = 0; i < imagedef->package_count; i++)
        nip_imagedef_print_package(&imagedef->packages[i], &text);
    MUST(nip_imagedef_parse(nip_buffer_text(&text), text.size, "again", &again, &err) == NIP_OK);
    MUST(again->package_count == imagedef->package_count);
    for (uint32_t i = 0; i < again->package_count; i++) {
        again->packages[i].span = imagedef->packages[i].span;
        for (uint32_t k = 0; k < again->packages[i].grant_count; k++)
            again->packages[i].grants[k].span = imagedef->packages[i].grants[k].span;
        MUST(memcmp(&again->packages[i], &imagedef->packages[i], sizeof again->packages[i]) == 0);
    }
    nip_buffer_free(&text);
    nip_imagedef_free(again);
    nip_imagedef_free(imagedef);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_manifest(data, size);
    check_imagedef(data, size);
    return 0;
}
