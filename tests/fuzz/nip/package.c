// SPDX-License-Identifier: Apache-2.0
//
// A .npl as it comes: frame header, decoder, archive. Whatever is accepted has its files' digests.

#include <string.h>

#include "any_key.h"
#include "fuzz.h"
#include "must.h"
#include "nip/package.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_package_source source = {.data = data, .size = size};
    struct nip_package_trust trust = {any_key, NULL};
    struct nip_package *package;
    struct nip_package_claim claim;
    struct nip_error err = {0};
    if (size == 0) // an empty source without data would mean a descriptor
        return 0;
    if (nip_package_peek(&source, &claim, &err) == NIP_OK)
        MUST(nip_name_is_valid(claim.name, strlen(claim.name)));
    if (nip_package_load(&source, &trust, 1 << 20, &package, &err) != NIP_OK) {
        MUST(package == NULL && err.message[0] != '\0');
        return 0;
    }
    FUZZ_ACCEPTED();
    const struct nip_digests *digests = nip_package_digests(package);
    for (size_t i = 0; i < digests->file_count; i++) {
        const uint8_t *content;
        size_t content_size;
        uint8_t digest[NIP_DIGEST_SIZE];
        MUST(nip_package_file(package, digests->files[i].path, &content, &content_size));
        nip_hash_bytes(content, content_size, digest);
        MUST(memcmp(digest, digests->files[i].digest, sizeof digest) == 0);
    }
    nip_package_close(package);
    return 0;
}
