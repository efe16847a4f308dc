// SPDX-License-Identifier: Apache-2.0
//
// spdx: an accepted licence expression names at least one licence, every name is a word of SPDX
// within its limit that stands in the text, in its order, and is accepted alone or as an exception.

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/spdx.h"

struct seen {
    const char *rest; // of the expression
    size_t count;
};

static enum nip_code see(void *context, const char *identifier, struct nip_error *err)
{
    struct seen *seen = context;
    struct nip_error cause = {.code = NIP_OK};
    char text[NIP_SPDX_IDENTIFIER_MAX + 9] = "MIT WITH ";
    size_t size = strlen(identifier);
    (void)err;
    MUST(size > 0 && size < NIP_SPDX_IDENTIFIER_MAX);
    MUST(strspn(identifier, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
         size);
    const char *at = strstr(seen->rest, identifier);
    MUST(at != NULL);
    seen->rest = at + size;
    seen->count++;
    memcpy(text + 9, identifier, size + 1);
    MUST(nip_spdx_check(identifier, &cause) == NIP_OK || nip_spdx_check(text, &cause) == NIP_OK);
    return NIP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_error err = {.code = NIP_OK};
    char *text = malloc(size + 1);
    MUST(text != NULL);
    if (size != 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct seen seen = {.rest = text};
    if (nip_spdx_check(text, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(nip_spdx_each(text, see, &seen, &err) == NIP_OK);
        MUST(seen.count > 0);
    } else {
        MUST(err.code == NIP_ERROR_SCHEMA && err.message[0] != '\0');
        MUST(nip_spdx_each(text, see, &seen, &err) == NIP_ERROR_SCHEMA && seen.count == 0);
    }
    free(text);
    return 0;
}
