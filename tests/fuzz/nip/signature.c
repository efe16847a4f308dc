// SPDX-License-Identifier: Apache-2.0
//
// Signature and key files: an accepted signature file prints to exactly the bytes that were read;
// key files of any form are read or refused.

#include "fuzz.h"
#include "must.h"
#include "nip/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct nip_signature signature;
    struct nip_public_key key;
    struct nip_secret_key secret;
    struct nip_buffer again = {0};
    if (nip_signature_parse(text, size, &signature, NULL) == NIP_OK) {
        FUZZ_ACCEPTED();
        nip_signature_print(&signature, &again);
        MUST(nip_buffer_equals(&again, data, size));
        MUST(nip_signature_parse_foreign(text, size, &signature, NULL) == NIP_OK);
    } else if (nip_signature_parse_foreign(text, size, &signature, NULL) == NIP_OK) {
        nip_signature_print(&signature, &again);
        MUST(nip_signature_parse(nip_buffer_text(&again), again.size, &signature, NULL) == NIP_OK);
    }
    if (nip_public_key_parse(text, size, "input", &key, NULL) == NIP_OK)
        MUST(nip_key_is_valid(key.key));
    // No memory is allowed for scrypt: unlocking is libsodium's, not this parser's.
    if (nip_secret_key_parse(text, size, "input", "", 0, 0, &secret, NULL) == NIP_OK)
        MUST(nip_secret_is_consistent(secret.secret));
    nip_buffer_free(&again);
    return 0;
}
