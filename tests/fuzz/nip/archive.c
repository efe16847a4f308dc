// SPDX-License-Identifier: Apache-2.0
//
// The tar inside a package: the input is put into a right frame, so that mutations reach the
// archive. An accepted tar is exactly what the writer makes from its parts.

#include <string.h>

#include "any_key.h"
#include "fuzz.h"
#include "must.h"
#include "nip/package.h"
#include "zstd_frame.h"

static void check_rewrite(const struct nip_package *package, const uint8_t *data, size_t size)
{
    const struct nip_digests *digests = nip_package_digests(package);
    struct nip_package_input *files = calloc(digests->file_count + 1, sizeof *files);
    struct nip_buffer tar = {0};
    size_t signature_size, digests_size;
    const char *signature_text = nip_package_signature_text(package, &signature_size);
    const char *digests_text = nip_package_digests_text(package, &digests_size);
    MUST(files != NULL);
    for (size_t i = 0; i < digests->file_count; i++) {
        const uint8_t *content;
        files[i].path = digests->files[i].path;
        MUST(nip_package_file(package, files[i].path, &content, &files[i].size));
        files[i].data = content;
    }
    // The writer refuses a signature that names another package; the reader left that to the check
    // of the signature, which this build skips.
    if (nip_package_write_tar(signature_text, signature_size, digests_text, digests_size, files,
                              digests->file_count, &tar, NULL) == NIP_OK)
        MUST(nip_buffer_equals(&tar, data, size));
    nip_buffer_free(&tar);
    free(files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_buffer npl = {0};
    if (nip_zstd_compress(data, size, &npl, NULL) != NIP_OK)
        return 0;
    struct nip_package_source source = {.data = npl.data, .size = npl.size};
    struct nip_package_trust trust = {any_key, NULL};
    struct nip_package *package;
    struct nip_error err = {0};
    if (nip_package_load(&source, &trust, 1 << 20, &package, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        check_rewrite(package, data, size);
        nip_package_close(package);
    } else {
        MUST(err.message[0] != '\0');
    }
    nip_buffer_free(&npl);
    return 0;
}
