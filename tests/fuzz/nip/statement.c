// SPDX-License-Identifier: Apache-2.0
//
// statement: what is accepted prints to the same bytes, and following it never says yes without
// signatures; the list of further signatures in a registry is read back as it was.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/oci.h"
#include "nip/statement.h"

static void check_statement(const uint8_t *data, size_t size)
{
    static struct nip_statement statement;
    static struct nip_trust trust;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    if (nip_statement_parse((const char *)data, size, "statement", &statement, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    MUST(nip_statement_print(&statement, &text, &err) == NIP_OK);
    MUST(nip_buffer_equals(&text, data, size));
    // A project that is exactly where the statement starts, and has no signature of it.
    memset(&trust, 0, sizeof trust);
    trust.publisher_count = 1;
    memcpy(trust.publishers[0].pattern, statement.pattern, sizeof statement.pattern);
    trust.publishers[0].threshold = 1;
    trust.publishers[0].key_count = statement.old_count;
    memcpy(trust.publishers[0].keys, statement.old_keys, sizeof statement.old_keys);
    MUST(nip_statement_check(&statement, nip_buffer_text(&text), text.size, NULL, 0, &trust,
                             &err) != NIP_OK);
    nip_buffer_free(&text);
}

static void check_referrers(const uint8_t *data, size_t size)
{
    struct nip_oci_referrer manifests[NIP_OCI_REFERRERS_MAX], again[NIP_OCI_REFERRERS_MAX];
    struct nip_oci_attachment attachment;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    size_t count = 0, count_again = 0;
    if (nip_oci_referrers_parse((const char *)data, size, "x", manifests, &count, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(nip_oci_referrers_print(manifests, count, &text, &err) == NIP_OK);
        MUST(nip_oci_referrers_parse(nip_buffer_text(&text), text.size, "y", again, &count_again,
                                     &err) == NIP_OK);
        MUST(count == count_again);
    }
    nip_buffer_clear(&text);
    if (nip_oci_attachment_parse((const char *)data, size, "x", &attachment, &err) == NIP_OK) {
        FUZZ_ACCEPTED();
        MUST(nip_oci_attachment_print(&attachment, &text, &err) == NIP_OK);
    }
    nip_buffer_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_statement(data, size);
    check_referrers(data, size);
    return 0;
}
