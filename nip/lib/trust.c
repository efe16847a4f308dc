// SPDX-License-Identifier: Apache-2.0
//
// Reading and extending nip.trust.kdl. Strict: whatever this release does not know is an error, for
// a line that is ignored here could be one that was meant to restrict.

#include "nip/trust.h"

#include <string.h>

#include "nip/kdl.h"

bool nip_trust_alias_is_valid(const char *alias)
{
    size_t size = strlen(alias);
    return size < NIP_TRUST_ALIAS_SIZE && nip_name_part_is_valid(alias, size);
}

bool nip_trust_pattern_is_valid(const char *pattern)
{
    size_t size = strlen(pattern);
    if (size > 2 && strcmp(pattern + size - 2, "/*") == 0)
        return nip_name_part_is_valid(pattern, size - 2);
    return nip_name_is_valid(pattern, size);
}

// Takes the only argument and the only property of a line; both must be strings.
static enum nip_code read_line(const struct nip_kdl_document *document,
                               const struct nip_kdl_node *node, const char *property,
                               const struct nip_kdl_value **argument,
                               const struct nip_kdl_value **value, struct nip_error *err)
{
    *argument = nip_kdl_argument(node, 0);
    *value = nip_kdl_property(node, property);
    for (const struct nip_kdl_entry *e = node->entries; e != NULL; e = e->next) {
        bool known = e->key.text == NULL ? &e->value == *argument : &e->value == *value;
        if (!known || e->value.kind != NIP_KDL_STRING || e->value.type.text != NULL) {
            nip_kdl_error_at(document, e->span, err, NIP_ERROR_SCHEMA,
                             "'%s' takes one name and %s=\"...\", nothing else", node->name.text,
                             property);
            return NIP_ERROR_SCHEMA;
        }
    }
    if (*argument == NULL || *value == NULL || node->children_span.size != 0) {
        nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                         "'%s' takes one name and %s=\"...\", nothing else", node->name.text,
                         property);
        return NIP_ERROR_SCHEMA;
    }
    return NIP_OK;
}

static bool copy_text(const struct nip_kdl_value *value, char *out, size_t out_size)
{
    if (value->text.size >= out_size || memchr(value->text.text, '\0', value->text.size) != NULL)
        return false;
    memcpy(out, value->text.text, value->text.size + 1);
    return true;
}

static enum nip_code read_registry(const struct nip_kdl_document *document,
                                   const struct nip_kdl_node *node, struct nip_trust *trust,
                                   struct nip_error *err)
{
    const struct nip_kdl_value *alias = NULL, *url = NULL;
    enum nip_code code = read_line(document, node, "url", &alias, &url, err);
    if (code != NIP_OK)
        return code;
    if (trust->registry_count == NIP_TRUST_REGISTRIES_MAX)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_LIMIT,
                                "more than %d registries", NIP_TRUST_REGISTRIES_MAX);
    struct nip_trust_registry *to = &trust->registries[trust->registry_count];
    if (!copy_text(alias, to->alias, sizeof to->alias) || !nip_trust_alias_is_valid(to->alias))
        return nip_kdl_error_at(document, alias->span, err, NIP_ERROR_NAME,
                                "an alias is lower-case letters, digits and single hyphens");
    if (strcmp(to->alias, NIP_TRUST_SDK_ALIAS) == 0)
        return nip_kdl_error_at(document, alias->span, err, NIP_ERROR_SCHEMA,
                                "the alias 'sdk' always means the SDK's own registry");
    if (nip_trust_url(trust, to->alias) != NULL)
        return nip_kdl_error_at(document, alias->span, err, NIP_ERROR_SCHEMA,
                                "the alias '%s' stands here twice", to->alias);
    if (!copy_text(url, to->url, sizeof to->url) || to->url[0] == '\0')
        return nip_kdl_error_at(document, url->span, err, NIP_ERROR_SCHEMA,
                                "an address has 1 to %d bytes", NIP_TRUST_URL_SIZE - 1);
    trust->registry_count++;
    return NIP_OK;
}

static enum nip_code read_publisher(const struct nip_kdl_document *document,
                                    const struct nip_kdl_node *node, struct nip_trust *trust,
                                    struct nip_error *err)
{
    const struct nip_kdl_value *pattern = NULL, *key = NULL;
    enum nip_code code = read_line(document, node, "key", &pattern, &key, err);
    if (code != NIP_OK)
        return code;
    if (trust->publisher_count == NIP_TRUST_PUBLISHERS_MAX)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_LIMIT,
                                "more than %d publisher lines", NIP_TRUST_PUBLISHERS_MAX);
    struct nip_trust_publisher *to = &trust->publishers[trust->publisher_count];
    if (!copy_text(pattern, to->pattern, sizeof to->pattern) ||
        !nip_trust_pattern_is_valid(to->pattern))
        return nip_kdl_error_at(document, pattern->span, err, NIP_ERROR_NAME,
                                "expected \"namespace/name\" or \"namespace/*\"");
    struct nip_error cause = {0};
    if (key->text.size != NIP_KEY_TEXT_SIZE - 1 ||
        nip_public_key_parse(key->text.text, key->text.size, "key", &to->key, &cause) != NIP_OK)
        return nip_kdl_error_at(document, key->span, err, NIP_ERROR_KEY,
                                "this is no public key: expected 56 characters, RW...");
    trust->publisher_count++;
    return NIP_OK;
}

enum nip_code nip_trust_parse(const char *text, size_t size, const char *file,
                              struct nip_trust *trust, struct nip_error *err)
{
    memset(trust, 0, sizeof *trust);
    struct nip_kdl_limits limits = {.size_max = NIP_TRUST_SIZE_MAX};
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    const struct nip_kdl_node *node = code == NIP_OK ? nip_kdl_document_nodes(document) : NULL;
    for (; code == NIP_OK && node != NULL; node = node->next) {
        if (nip_kdl_string_equals(node->name, "registry"))
            code = read_registry(document, node, trust, err);
        else if (nip_kdl_string_equals(node->name, "publisher"))
            code = read_publisher(document, node, trust, err);
        else
            code = nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                                    "unknown word: expected 'registry' or 'publisher'");
    }
    nip_kdl_document_free(document);
    return code;
}

const char *nip_trust_url(const struct nip_trust *trust, const char *alias)
{
    for (size_t i = 0; i < trust->registry_count; i++)
        if (strcmp(trust->registries[i].alias, alias) == 0)
            return trust->registries[i].url;
    return NULL;
}

const char *nip_trust_alias(const struct nip_trust *trust, const char *url)
{
    for (size_t i = 0; i < trust->registry_count; i++)
        if (strcmp(trust->registries[i].url, url) == 0)
            return trust->registries[i].alias;
    return NULL;
}

static size_t collect_keys(const struct nip_trust *trust, const char *pattern,
                           struct nip_public_key *keys, size_t key_max)
{
    size_t count = 0;
    for (size_t i = 0; i < trust->publisher_count && count < key_max; i++)
        if (strcmp(trust->publishers[i].pattern, pattern) == 0)
            keys[count++] = trust->publishers[i].key;
    return count;
}

size_t nip_trust_keys(const struct nip_trust *trust, const char *name, struct nip_public_key *keys,
                      size_t key_max)
{
    size_t count = collect_keys(trust, name, keys, key_max);
    const char *slash = strchr(name, '/');
    if (count != 0 || slash == NULL || slash - name > NIP_NAME_PART_MAX)
        return count;
    char pattern[NIP_NAME_PART_MAX + 3];
    size_t size = (size_t)(slash - name) + 1;
    memcpy(pattern, name, size);
    memcpy(pattern + size, "*", 2);
    return collect_keys(trust, pattern, keys, key_max);
}

static void begin_line(struct nip_buffer *text)
{
    if (text->size != 0 && text->data[text->size - 1] != '\n')
        nip_buffer_append_byte(text, '\n');
}

void nip_trust_append_registry(struct nip_buffer *text, const char *alias, const char *url)
{
    begin_line(text);
    nip_buffer_append_text(text, "registry ");
    nip_kdl_print_quoted(alias, strlen(alias), text);
    nip_buffer_append_text(text, " url=");
    nip_kdl_print_quoted(url, strlen(url), text);
    nip_buffer_append_byte(text, '\n');
}

void nip_trust_append_publisher(struct nip_buffer *text, const char *pattern,
                                const struct nip_public_key *key)
{
    char key_text[NIP_KEY_TEXT_SIZE];
    nip_public_key_text(key, key_text);
    begin_line(text);
    nip_buffer_append_text(text, "publisher ");
    nip_kdl_print_quoted(pattern, strlen(pattern), text);
    nip_buffer_append_text(text, " key=");
    nip_kdl_print_quoted(key_text, strlen(key_text), text);
    nip_buffer_append_byte(text, '\n');
}
