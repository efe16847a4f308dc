// SPDX-License-Identifier: Apache-2.0
//
// Reading nip.trust.kdl, and what it says about a name. Strict: whatever this release does not know
// is an error, for a line that is ignored here could be one that was meant to restrict.

#include "nip/trust.h"

#include <string.h>

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

bool nip_trust_pattern_covers(const char *pattern, const char *name)
{
    size_t size = strlen(pattern);
    return strcmp(pattern, name) == 0 ||
           (size > 2 && pattern[size - 1] == '*' && strncmp(pattern, name, size - 1) == 0);
}

// ---- reading ----

// What a line may hold beside its one argument, all of it strings.
struct line_form {
    const char *properties[3]; // NULL ends the list
    bool may_have_children;
    const char *words; // what is expected, for the error
};

static enum nip_code fail_form(const struct nip_kdl_document *document, struct nip_kdl_span span,
                               const struct nip_kdl_node *node, const struct line_form *form,
                               struct nip_error *err)
{
    return nip_kdl_error_at(document, span, err, NIP_ERROR_SCHEMA, "'%s' takes %s, nothing else",
                            node->name.text, form->words);
}

static bool is_known_property(const struct nip_kdl_node *node, const struct nip_kdl_entry *entry,
                              const struct line_form *form)
{
    for (size_t i = 0; i < 3 && form->properties[i] != NULL; i++)
        if (nip_kdl_string_equals(entry->key, form->properties[i]))
            return &entry->value == nip_kdl_property(node, form->properties[i]);
    return false;
}

static enum nip_code check_form(const struct nip_kdl_document *document,
                                const struct nip_kdl_node *node, const struct line_form *form,
                                struct nip_error *err)
{
    const struct nip_kdl_value *argument = nip_kdl_argument(node, 0);
    for (const struct nip_kdl_entry *e = node->entries; e != NULL; e = e->next) {
        bool known = e->key.text == NULL ? &e->value == argument : is_known_property(node, e, form);
        if (!known || e->value.kind != NIP_KDL_STRING || e->value.type.text != NULL)
            return fail_form(document, e->span, node, form, err);
    }
    if (argument == NULL || node->type.text != NULL ||
        (node->children_span.size != 0 && !form->may_have_children))
        return fail_form(document, node->span, node, form, err);
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
    static const struct line_form form = {
        {"url", "root", NULL}, false, "one alias, url=\"...\" and perhaps root=\"...\""};
    enum nip_code code = check_form(document, node, &form, err);
    if (code != NIP_OK)
        return code;
    const struct nip_kdl_value *alias = nip_kdl_argument(node, 0);
    const struct nip_kdl_value *url = nip_kdl_property(node, "url");
    const struct nip_kdl_value *root = nip_kdl_property(node, "root");
    if (alias == NULL || url == NULL)
        return fail_form(document, node->span, node, &form, err);
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
    if (root != NULL &&
        !nip_hex_decode(root->text.text, root->text.size, to->root, sizeof to->root))
        return nip_kdl_error_at(document, root->span, err, NIP_ERROR_SCHEMA,
                                "expected the SHA-256 of the registry's root metadata: 64 "
                                "lower-case hexadecimal digits");
    to->has_root = root != NULL;
    trust->registry_count++;
    return NIP_OK;
}

static enum nip_code read_pattern(const struct nip_kdl_document *document,
                                  const struct nip_kdl_node *node, char out[NIP_NAME_MAX + 1],
                                  struct nip_error *err)
{
    const struct nip_kdl_value *pattern = nip_kdl_argument(node, 0);
    if (pattern == NULL)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA, "a name is missing");
    if (copy_text(pattern, out, NIP_NAME_MAX + 1) && nip_trust_pattern_is_valid(out))
        return NIP_OK;
    return nip_kdl_error_at(document, pattern->span, err, NIP_ERROR_NAME,
                            "expected \"namespace/name\" or \"namespace/*\"");
}

static enum nip_code read_key(const struct nip_kdl_document *document,
                              const struct nip_kdl_value *value, struct nip_public_key *key,
                              struct nip_error *err)
{
    struct nip_error cause = {0};
    if (value->text.size != NIP_KEY_TEXT_SIZE - 1)
        return nip_kdl_error_at(document, value->span, err, NIP_ERROR_KEY,
                                "this is no public key: expected 56 characters, RW...");
    if (nip_public_key_parse(value->text.text, value->text.size, "this", key, &cause) != NIP_OK)
        return nip_kdl_error_at(document, value->span, err, NIP_ERROR_KEY, "%s", cause.message);
    return NIP_OK;
}

static enum nip_code read_reason(const struct nip_kdl_document *document,
                                 const struct nip_kdl_value *value, char out[NIP_TRUST_REASON_SIZE],
                                 struct nip_error *err)
{
    if (value == NULL || copy_text(value, out, NIP_TRUST_REASON_SIZE))
        return NIP_OK;
    return nip_kdl_error_at(document, value->span, err, NIP_ERROR_SCHEMA,
                            "a reason has at most %d bytes", NIP_TRUST_REASON_SIZE - 1);
}

// One key of a publisher. Threshold 2 must mean two keys, whatever their ids say.
static enum nip_code add_key(const struct nip_kdl_document *document,
                             const struct nip_kdl_value *value, struct nip_trust_publisher *to,
                             struct nip_error *err)
{
    struct nip_public_key key;
    enum nip_code code = read_key(document, value, &key, err);
    for (size_t i = 0; code == NIP_OK && i < to->key_count; i++)
        if (nip_public_key_equals(&to->keys[i], &key))
            return nip_kdl_error_at(document, value->span, err, NIP_ERROR_SCHEMA,
                                    "this key stands here twice%s",
                                    memcmp(to->keys[i].id, key.id, sizeof key.id) != 0
                                        ? ", under two key ids; ids do not count"
                                        : "");
    if (code == NIP_OK && to->key_count == NIP_TRUST_KEYS_MAX)
        return nip_kdl_error_at(document, value->span, err, NIP_ERROR_LIMIT,
                                "more than %d keys for one name", NIP_TRUST_KEYS_MAX);
    if (code == NIP_OK)
        to->keys[to->key_count++] = key;
    return code;
}

// `key`, `threshold`, `rotation` and `reason` each take one value.
static enum nip_code read_setting(const struct nip_kdl_document *document,
                                  const struct nip_kdl_node *child, struct nip_trust_publisher *to,
                                  struct nip_error *err)
{
    const struct nip_kdl_entry *entry = child->entries;
    bool is_single = entry != NULL && entry->next == NULL && entry->key.text == NULL &&
                     entry->value.type.text == NULL && child->children_span.size == 0;
    bool is_text = is_single && entry->value.kind == NIP_KDL_STRING;
    uint64_t number = 0;
    bool is_number = is_single && nip_kdl_value_u64(&entry->value, &number) && number != 0 &&
                     number <= UINT32_MAX;
    if (is_text && nip_kdl_string_equals(child->name, "key"))
        return add_key(document, &entry->value, to, err);
    if (is_text && to->reason[0] == '\0' && nip_kdl_string_equals(child->name, "reason"))
        return read_reason(document, &entry->value, to->reason, err);
    if (is_number && to->threshold == 0 && nip_kdl_string_equals(child->name, "threshold")) {
        to->threshold = (uint32_t)number;
    } else if (is_number && to->rotation == 0 && nip_kdl_string_equals(child->name, "rotation")) {
        to->rotation = (uint32_t)number;
    } else {
        return nip_kdl_error_at(document, child->span, err, NIP_ERROR_SCHEMA,
                                "expected key \"RW...\", and once each: threshold N, rotation N, "
                                "reason \"...\"");
    }
    return NIP_OK;
}

static enum nip_code read_publisher(const struct nip_kdl_document *document,
                                    const struct nip_kdl_node *node, struct nip_trust *trust,
                                    struct nip_error *err)
{
    static const struct line_form form = {
        {"key", NULL}, true, "one name and key=\"...\" or a block { key \"...\" ... }"};
    enum nip_code code = check_form(document, node, &form, err);
    if (code != NIP_OK)
        return code;
    const struct nip_kdl_value *key = nip_kdl_property(node, "key");
    if ((key != NULL) == (node->children_span.size != 0))
        return fail_form(document, node->span, node, &form, err);
    if (trust->publisher_count == NIP_TRUST_PUBLISHERS_MAX)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_LIMIT,
                                "more than %d publisher lines", NIP_TRUST_PUBLISHERS_MAX);
    struct nip_trust_publisher *to = &trust->publishers[trust->publisher_count];
    code = read_pattern(document, node, to->pattern, err);
    for (size_t i = 0; code == NIP_OK && i < trust->publisher_count; i++)
        if (strcmp(trust->publishers[i].pattern, to->pattern) == 0)
            code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                    "'%s' stands here twice; put its keys into one block and "
                                    "decide on its threshold",
                                    to->pattern);
    if (code == NIP_OK && key != NULL)
        code = add_key(document, key, to, err);
    for (const struct nip_kdl_node *child = node->children; code == NIP_OK && child != NULL;
         child = child->next)
        code = read_setting(document, child, to, err);
    if (code != NIP_OK)
        return code;
    if (to->threshold == 0)
        to->threshold = 1;
    if (to->threshold > to->key_count)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                "the threshold of '%s' is %u, and it has %zu key(s)", to->pattern,
                                (unsigned)to->threshold, to->key_count);
    to->span = node->span;
    trust->publisher_count++;
    return NIP_OK;
}

static enum nip_code read_keep(const struct nip_kdl_document *document,
                               const struct nip_kdl_node *child, struct nip_trust *trust,
                               struct nip_error *err)
{
    const struct nip_kdl_entry *entry = child->entries;
    if (trust->keep_count == NIP_TRUST_KEEPS_MAX)
        return nip_kdl_error_at(document, child->span, err, NIP_ERROR_LIMIT,
                                "more than %d packages that stay valid", NIP_TRUST_KEEPS_MAX);
    if (!nip_kdl_string_equals(child->name, "keep") || entry == NULL || entry->next != NULL ||
        entry->key.text != NULL || entry->value.kind != NIP_KDL_STRING ||
        child->children_span.size != 0 ||
        !nip_hex_decode(entry->value.text.text, entry->value.text.size,
                        trust->keeps[trust->keep_count], NIP_DIGEST_SIZE))
        return nip_kdl_error_at(document, child->span, err, NIP_ERROR_SCHEMA,
                                "expected keep \"...\" with the 64 digits of a package id");
    trust->keep_count++;
    return NIP_OK;
}

static enum nip_code read_revoked(const struct nip_kdl_document *document,
                                  const struct nip_kdl_node *node, struct nip_trust *trust,
                                  struct nip_error *err)
{
    static const struct line_form form = {
        {"key", "reason", NULL}, true, "one name, key=\"...\" and perhaps reason=\"...\" { keep }"};
    enum nip_code code = check_form(document, node, &form, err);
    const struct nip_kdl_value *key = nip_kdl_property(node, "key");
    if (code == NIP_OK && key == NULL)
        code = fail_form(document, node->span, node, &form, err);
    if (code == NIP_OK && trust->revoked_count == NIP_TRUST_REVOKED_MAX)
        code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_LIMIT,
                                "more than %d revoked keys", NIP_TRUST_REVOKED_MAX);
    if (code != NIP_OK)
        return code;
    struct nip_trust_revoked *to = &trust->revoked[trust->revoked_count];
    code = read_pattern(document, node, to->pattern, err);
    if (code == NIP_OK)
        code = read_key(document, key, &to->key, err);
    if (code == NIP_OK)
        code = read_reason(document, nip_kdl_property(node, "reason"), to->reason, err);
    for (size_t i = 0; code == NIP_OK && i < trust->revoked_count; i++)
        if (strcmp(trust->revoked[i].pattern, to->pattern) == 0 &&
            nip_public_key_equals(&trust->revoked[i].key, &to->key))
            code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                    "this key is revoked for '%s' twice", to->pattern);
    to->keep_first = trust->keep_count;
    for (const struct nip_kdl_node *child = node->children; code == NIP_OK && child != NULL;
         child = child->next)
        code = read_keep(document, child, trust, err);
    to->keep_count = trust->keep_count - to->keep_first;
    to->span = node->span;
    trust->revoked_count += code == NIP_OK;
    return code;
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
        else if (nip_kdl_string_equals(node->name, "revoked"))
            code = read_revoked(document, node, trust, err);
        else
            code = nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                                    "unknown word: expected 'registry', 'publisher' or 'revoked'");
    }
    nip_kdl_document_free(document);
    return code;
}

// ---- asking ----

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

const struct nip_trust_publisher *nip_trust_find(const struct nip_trust *trust, const char *name)
{
    const struct nip_trust_publisher *found = NULL;
    for (size_t i = 0; i < trust->publisher_count; i++) {
        const struct nip_trust_publisher *publisher = &trust->publishers[i];
        if (strcmp(publisher->pattern, name) == 0)
            return publisher;
        if (nip_trust_pattern_covers(publisher->pattern, name))
            found = publisher;
    }
    return found;
}

static bool is_kept(const struct nip_trust *trust, const struct nip_trust_revoked *revoked,
                    const uint8_t *id)
{
    for (size_t i = 0; id != NULL && i < revoked->keep_count; i++)
        if (memcmp(trust->keeps[revoked->keep_first + i], id, NIP_DIGEST_SIZE) == 0)
            return true;
    return false;
}

enum nip_trust_standing nip_trust_standing(const struct nip_trust *trust, const char *name,
                                           const uint8_t key[NIP_PUBLIC_KEY_BYTES],
                                           const uint8_t *id)
{
    // A revocation holds for every line that it covers; of several, each must keep the package.
    enum nip_trust_standing standing = NIP_TRUST_UNKNOWN;
    for (size_t i = 0; i < trust->revoked_count; i++) {
        const struct nip_trust_revoked *revoked = &trust->revoked[i];
        if (memcmp(revoked->key.key, key, NIP_PUBLIC_KEY_BYTES) != 0 ||
            !nip_trust_pattern_covers(revoked->pattern, name))
            continue;
        if (!is_kept(trust, revoked, id))
            return NIP_TRUST_REVOKED;
        standing = NIP_TRUST_KEPT;
    }
    const struct nip_trust_publisher *publisher = nip_trust_find(trust, name);
    for (size_t i = 0;
         standing == NIP_TRUST_UNKNOWN && publisher != NULL && i < publisher->key_count; i++)
        if (memcmp(publisher->keys[i].key, key, NIP_PUBLIC_KEY_BYTES) == 0)
            standing = NIP_TRUST_ACCEPTED;
    return standing;
}

size_t nip_trust_keys(const struct nip_trust *trust, const char *name, const uint8_t *id,
                      struct nip_public_key *keys, size_t key_max)
{
    size_t count = 0;
    const struct nip_trust_publisher *publisher = nip_trust_find(trust, name);
    for (size_t i = 0; publisher != NULL && i < publisher->key_count && count < key_max; i++) {
        enum nip_trust_standing standing =
            nip_trust_standing(trust, name, publisher->keys[i].key, id);
        if (standing == NIP_TRUST_ACCEPTED)
            keys[count++] = publisher->keys[i];
    }
    for (size_t i = 0; i < trust->revoked_count && count < key_max; i++) {
        const struct nip_trust_revoked *revoked = &trust->revoked[i];
        bool is_listed = false;
        for (size_t k = 0; k < count; k++)
            is_listed = is_listed || nip_public_key_equals(&keys[k], &revoked->key);
        if (!is_listed && nip_trust_pattern_covers(revoked->pattern, name) &&
            nip_trust_standing(trust, name, revoked->key.key, id) == NIP_TRUST_KEPT)
            keys[count++] = revoked->key;
    }
    return count;
}
