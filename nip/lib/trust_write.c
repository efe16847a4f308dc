// SPDX-License-Identifier: Apache-2.0
//
// Changing nip.trust.kdl as text: one line is appended, or exactly the bytes of one line are
// replaced, so that whatever else a person wrote there stays as it is.

#include <string.h>

#include "nip/trust.h"

static void begin_line(struct nip_buffer *text)
{
    if (text->size != 0 && text->data[text->size - 1] != '\n')
        nip_buffer_append_byte(text, '\n');
}

static void print_quoted(struct nip_buffer *out, const char *before, const char *text)
{
    nip_buffer_append_text(out, before);
    nip_kdl_print_quoted(text, strlen(text), out);
}

static void print_key(struct nip_buffer *out, const char *before, const struct nip_public_key *key)
{
    char text[NIP_KEY_TEXT_SIZE];
    nip_public_key_text(key, text);
    print_quoted(out, before, text);
}

void nip_trust_append_registry(struct nip_buffer *text, const char *alias, const char *url)
{
    begin_line(text);
    print_quoted(text, "registry ", alias);
    print_quoted(text, " url=", url);
    nip_buffer_append_byte(text, '\n');
}

void nip_trust_append_publisher(struct nip_buffer *text, const char *pattern,
                                const struct nip_public_key *key)
{
    begin_line(text);
    print_quoted(text, "publisher ", pattern);
    print_key(text, " key=", key);
    nip_buffer_append_byte(text, '\n');
}

// Without a line end.
static void print_publisher(const struct nip_trust_publisher *publisher, struct nip_buffer *out)
{
    print_quoted(out, "publisher ", publisher->pattern);
    if (publisher->key_count == 1 && publisher->rotation == 0 && publisher->reason[0] == '\0') {
        print_key(out, " key=", &publisher->keys[0]);
        return;
    }
    nip_buffer_append_text(out, " {\n");
    for (size_t i = 0; i < publisher->key_count; i++) {
        print_key(out, "    key ", &publisher->keys[i]);
        nip_buffer_append_byte(out, '\n');
    }
    nip_buffer_append_format(out, "    threshold %u\n", (unsigned)publisher->threshold);
    if (publisher->rotation != 0)
        nip_buffer_append_format(out, "    rotation %u\n", (unsigned)publisher->rotation);
    if (publisher->reason[0] != '\0') {
        print_quoted(out, "    reason ", publisher->reason);
        nip_buffer_append_byte(out, '\n');
    }
    nip_buffer_append_byte(out, '}');
}

static void print_revoked(const struct nip_trust_revoked *revoked, const uint8_t *keeps,
                          struct nip_buffer *out)
{
    print_quoted(out, "revoked ", revoked->pattern);
    print_key(out, " key=", &revoked->key);
    if (revoked->reason[0] != '\0')
        print_quoted(out, " reason=", revoked->reason);
    if (revoked->keep_count == 0)
        return;
    nip_buffer_append_text(out, " {\n");
    for (size_t i = 0; i < revoked->keep_count; i++) {
        char digest[NIP_DIGEST_TEXT_SIZE];
        nip_digest_text(keeps + i * NIP_DIGEST_SIZE, digest);
        nip_buffer_append_format(out, "    keep \"%s\"\n", digest);
    }
    nip_buffer_append_byte(out, '}');
}

// Puts `line` where `span` is in `text`, or behind it when the span is empty.
static void put_line(const char *text, size_t size, struct nip_kdl_span span,
                     const struct nip_buffer *line, struct nip_buffer *out)
{
    if (span.size == 0) {
        nip_buffer_append(out, text, size);
        begin_line(out);
        nip_buffer_append(out, line->data, line->size);
        nip_buffer_append_byte(out, '\n');
        return;
    }
    size_t end = (size_t)span.offset + span.size;
    nip_buffer_append(out, text, span.offset);
    nip_buffer_append(out, line->data, line->size);
    nip_buffer_append(out, text + end, size - end);
}

void nip_trust_put_publisher(const struct nip_trust *trust, const char *text, size_t size,
                             const struct nip_trust_publisher *publisher, struct nip_buffer *out)
{
    struct nip_buffer line = {0};
    struct nip_kdl_span span = {0};
    for (size_t i = 0; i < trust->publisher_count; i++)
        if (strcmp(trust->publishers[i].pattern, publisher->pattern) == 0)
            span = trust->publishers[i].span;
    print_publisher(publisher, &line);
    put_line(text, size, span, &line, out);
    nip_buffer_free(&line);
}

void nip_trust_put_revoked(const struct nip_trust *trust, const char *text, size_t size,
                           const struct nip_trust_revoked *revoked, const uint8_t *keeps,
                           struct nip_buffer *out)
{
    struct nip_buffer line = {0};
    struct nip_kdl_span span = {0};
    for (size_t i = 0; i < trust->revoked_count; i++)
        if (strcmp(trust->revoked[i].pattern, revoked->pattern) == 0 &&
            nip_public_key_equals(&trust->revoked[i].key, &revoked->key))
            span = trust->revoked[i].span;
    print_revoked(revoked, keeps, &line);
    put_line(text, size, span, &line, out);
    nip_buffer_free(&line);
}
