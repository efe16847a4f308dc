// SPDX-License-Identifier: Apache-2.0
//
// KDL: whatever is accepted prints to a text that parses to the same print; whatever is refused has
// a message and a place within the text; spans lie within the text. Laid out, it means the same
// (nip_kdl_format() compares by itself), and laid out again it stays as it is.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/kdl.h"

static void check_spans(const struct nip_kdl_node *node, size_t size)
{
    for (; node != NULL; node = node->next) {
        MUST(node->span.offset <= size && node->span.size <= size - node->span.offset);
        MUST(node->name_span.line >= 1 && node->name_span.column >= 1);
        for (const struct nip_kdl_entry *entry = node->entries; entry != NULL; entry = entry->next)
            MUST(entry->span.offset <= size && entry->span.size <= size - entry->span.offset);
        check_spans(node->children, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nip_kdl_document *document, *again;
    struct nip_error err = {0};
    struct nip_buffer first = {0}, second = {0};
    if (nip_kdl_parse((const char *)data, size, "input", NULL, &document, &err) != NIP_OK) {
        MUST(document == NULL && err.message[0] != '\0' && err.code != NIP_OK);
        return 0;
    }
    check_spans(nip_kdl_document_nodes(document), size);
    FUZZ_ACCEPTED();
    nip_kdl_print(document, &first);
    // Escapes can make the print larger than what the parser takes.
    struct nip_kdl_limits limits = {.size_max = NIP_BUFFER_SIZE_MAX};
    MUST(nip_kdl_parse(nip_buffer_text(&first), first.size, "print", &limits, &again, &err) ==
         NIP_OK);
    nip_kdl_print(again, &second);
    MUST(nip_buffer_equals(&second, first.data, first.size));
    struct nip_buffer layout = {0}, same_layout = {0};
    if (first.size < NIP_KDL_SIZE_MAX) {
        MUST(nip_kdl_format((const char *)data, size, "input", &layout, &err) == NIP_OK);
        MUST(nip_kdl_format(nip_buffer_text(&layout), layout.size, "layout", &same_layout, &err) ==
             NIP_OK);
        MUST(nip_buffer_equals(&same_layout, layout.data, layout.size));
    }
    nip_buffer_free(&layout);
    nip_buffer_free(&same_layout);
    nip_kdl_document_free(document);
    nip_kdl_document_free(again);
    nip_buffer_free(&first);
    nip_buffer_free(&second);
    return 0;
}
