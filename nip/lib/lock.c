// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing nip.lock. A table of fields makes both directions, so what is written can be
// read and nothing is forgotten in one of them.

#include "nip/lock.h"

#include <string.h>

#include "nip/kdl.h"

enum field_kind { FIELD_TEXT, FIELD_DIGEST, FIELD_SIZE, FIELD_NUMBER, FIELD_KEYS };

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
    bool is_of_path; // belongs to local work; the others to what a registry has
};

#define LOCK_FIELD(name, kind, member, is_of_path)          \
    {name, kind, offsetof(struct nip_lock_package, member), \
     sizeof(((struct nip_lock_package *)0)->member), is_of_path}

static const struct field fields[] = {
    LOCK_FIELD("path", FIELD_TEXT, path, true),
    LOCK_FIELD("registry", FIELD_TEXT, registry, false),
    LOCK_FIELD("id", FIELD_DIGEST, id, false),
    LOCK_FIELD("size", FIELD_SIZE, size, false),
    LOCK_FIELD("sha256", FIELD_DIGEST, sha256, false),
    LOCK_FIELD("key", FIELD_KEYS, keys, false),
    LOCK_FIELD("security-floor", FIELD_NUMBER, security_floor, false),
    LOCK_FIELD("capabilities", FIELD_DIGEST, capabilities, false),
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

// ---- keys ----

static int compare_keys(const struct nip_public_key *a, const struct nip_public_key *b)
{
    return memcmp(a->key, b->key, sizeof a->key);
}

bool nip_lock_keys_has(const struct nip_lock_keys *keys, const struct nip_public_key *key)
{
    for (size_t i = 0; i < keys->count; i++)
        if (compare_keys(&keys->items[i], key) == 0)
            return true;
    return false;
}

bool nip_lock_keys_include(const struct nip_lock_keys *all, const struct nip_lock_keys *some)
{
    for (size_t i = 0; i < some->count; i++)
        if (!nip_lock_keys_has(all, &some->items[i]))
            return false;
    return true;
}

bool nip_lock_keys_add(struct nip_lock_keys *keys, const struct nip_public_key *key)
{
    if (nip_lock_keys_has(keys, key))
        return true;
    if (keys->count == NIP_LOCK_KEYS_MAX)
        return false;
    size_t at = keys->count++;
    for (; at > 0 && compare_keys(&keys->items[at - 1], key) > 0; at--)
        keys->items[at] = keys->items[at - 1];
    keys->items[at] = *key;
    return true;
}

// One more `key` line: there is one way to write a set.
static bool read_key(const struct nip_kdl_value *value, struct nip_lock_keys *keys)
{
    struct nip_public_key key;
    struct nip_error cause = {0};
    if (value->kind != NIP_KDL_STRING || value->text.size != NIP_KEY_TEXT_SIZE - 1 ||
        nip_public_key_parse(value->text.text, value->text.size, "key", &key, &cause) != NIP_OK ||
        (keys->count != 0 && compare_keys(&keys->items[keys->count - 1], &key) >= 0))
        return false;
    return nip_lock_keys_add(keys, &key);
}

// ---- reading ----

static bool read_value(const struct field *field, const struct nip_kdl_value *value,
                       struct nip_lock_package *package)
{
    void *to = (char *)package + field->offset;
    uint64_t number = 0;
    switch (field->kind) {
    case FIELD_TEXT:
        if (value->kind != NIP_KDL_STRING || value->text.size == 0 ||
            value->text.size >= field->size ||
            memchr(value->text.text, '\0', value->text.size) != NULL)
            return false;
        memcpy(to, value->text.text, value->text.size + 1);
        return true;
    case FIELD_DIGEST:
        return value->kind == NIP_KDL_STRING &&
               nip_hex_decode(value->text.text, value->text.size, to, NIP_DIGEST_SIZE);
    case FIELD_SIZE:
        if (!nip_kdl_value_u64(value, &number) || number == 0)
            return false;
        memcpy(to, &number, sizeof number);
        return true;
    case FIELD_NUMBER:
        if (!nip_kdl_value_u64(value, &number) || number == 0 || number > 65535)
            return false;
        *(uint32_t *)to = (uint32_t)number;
        return true;
    case FIELD_KEYS:
        return read_key(value, to);
    }
    return false;
}

static enum nip_code read_fields(const struct nip_kdl_document *document,
                                 const struct nip_kdl_node *node, struct nip_lock_package *package,
                                 struct nip_error *err)
{
    bool seen[FIELD_COUNT] = {false};
    for (const struct nip_kdl_node *child = node->children; child != NULL; child = child->next) {
        size_t i = 0;
        while (i < FIELD_COUNT && !nip_kdl_string_equals(child->name, fields[i].name))
            i++;
        if (i == FIELD_COUNT || (seen[i] && fields[i].kind != FIELD_KEYS))
            return nip_kdl_error_at(document, child->name_span, err, NIP_ERROR_SCHEMA,
                                    "unknown or repeated line in the lock file");
        seen[i] = true;
        const struct nip_kdl_entry *entry = child->entries;
        if (entry == NULL || entry->next != NULL || entry->key.text != NULL ||
            child->children_span.size != 0 || !read_value(&fields[i], &entry->value, package))
            return nip_kdl_error_at(document, child->span, err, NIP_ERROR_SCHEMA,
                                    fields[i].kind == FIELD_KEYS
                                        ? "expected: a public key, greater than the one before "
                                          "it, and at most %d"
                                        : "this line of the lock file is malformed",
                                    NIP_LOCK_KEYS_MAX);
    }
    bool is_path = seen[0];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (seen[i] != (fields[i].is_of_path == is_path))
            return nip_kdl_error_at(document, node->name_span, err, NIP_ERROR_SCHEMA,
                                    "'%s' must %s here", fields[i].name,
                                    seen[i] ? "not stand" : "stand");
    return NIP_OK;
}

static enum nip_code read_package(const struct nip_kdl_document *document,
                                  const struct nip_kdl_node *node, struct nip_lock *lock,
                                  struct nip_error *err)
{
    struct nip_lock_package package = {0};
    const struct nip_kdl_value *name = nip_kdl_argument(node, 0);
    const struct nip_kdl_value *version = nip_kdl_property(node, "version");
    struct nip_version parsed;
    if (name == NULL || version == NULL || name->kind != NIP_KDL_STRING ||
        version->kind != NIP_KDL_STRING || !nip_name_is_valid(name->text.text, name->text.size) ||
        !nip_version_parse(version->text.text, version->text.size, &parsed) ||
        node->entries->next == NULL || node->entries->next->next != NULL)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                "expected: package \"namespace/name\" version=\"1.2.3\" { ... }");
    memcpy(package.name, name->text.text, name->text.size);
    memcpy(package.version, version->text.text, version->text.size);
    if (nip_lock_find(lock, package.name, package.version) != NULL)
        return nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                "the package stands here twice");
    enum nip_code code = read_fields(document, node, &package, err);
    return code == NIP_OK ? nip_lock_put(lock, &package, err) : code;
}

static enum nip_code read_document(const struct nip_kdl_document *document, struct nip_lock *lock,
                                   struct nip_error *err)
{
    const struct nip_kdl_node *node = nip_kdl_document_nodes(document);
    uint64_t format = 0;
    const struct nip_kdl_value *value = node != NULL ? nip_kdl_argument(node, 0) : NULL;
    if (value == NULL || !nip_kdl_string_equals(node->name, "lock") ||
        !nip_kdl_value_u64(value, &format) || format != 0)
        return nip_error_set(err, NIP_ERROR_UNSUPPORTED,
                             "%s does not begin with 'lock 0': it is of another version of nip",
                             nip_kdl_document_file(document));
    enum nip_code code = NIP_OK;
    for (node = node->next; code == NIP_OK && node != NULL; node = node->next) {
        value = nip_kdl_argument(node, 0);
        if (nip_kdl_string_equals(node->name, "package")) {
            code = read_package(document, node, lock, err);
        } else if (nip_kdl_string_equals(node->name, "sdk") && value != NULL &&
                   value->kind == NIP_KDL_STRING && value->text.size < sizeof lock->sdk &&
                   lock->sdk[0] == '\0') {
            memcpy(lock->sdk, value->text.text, value->text.size);
        } else {
            code = nip_kdl_error_at(document, node->span, err, NIP_ERROR_SCHEMA,
                                    "unknown or repeated line in the lock file");
        }
    }
    return code;
}

enum nip_code nip_lock_parse(const char *text, size_t size, const char *file, struct nip_lock *lock,
                             struct nip_error *err)
{
    memset(lock, 0, sizeof *lock);
    struct nip_kdl_limits limits = {.size_max = NIP_LOCK_SIZE_MAX};
    struct nip_kdl_document *document = NULL;
    enum nip_code code = nip_kdl_parse(text, size, file, &limits, &document, err);
    if (code == NIP_OK)
        code = read_document(document, lock, err);
    nip_kdl_document_free(document);
    return code;
}

// ---- writing ----

static void print_value(const struct field *field, const struct nip_lock_package *package,
                        struct nip_buffer *out)
{
    const void *from = (const char *)package + field->offset;
    char text[NIP_DIGEST_TEXT_SIZE];
    switch (field->kind) {
    case FIELD_TEXT:
        nip_kdl_print_quoted(from, strlen(from), out);
        break;
    case FIELD_DIGEST:
        nip_digest_text(from, text);
        nip_buffer_append_format(out, "\"%s\"", text);
        break;
    case FIELD_SIZE:
        nip_buffer_append_format(out, "%llu", (unsigned long long)package->size);
        break;
    case FIELD_NUMBER:
        nip_buffer_append_format(out, "%u", (unsigned)*(const uint32_t *)from);
        break;
    case FIELD_KEYS:
        break; // print_keys()
    }
}

static void print_keys(const char *name, const struct nip_lock_keys *keys, struct nip_buffer *out)
{
    for (size_t i = 0; i < keys->count; i++) {
        char text[NIP_KEY_TEXT_SIZE];
        nip_public_key_text(&keys->items[i], text);
        nip_buffer_append_format(out, "    %s \"%s\"\n", name, text);
    }
}

void nip_lock_print(const struct nip_lock *lock, struct nip_buffer *out)
{
    nip_buffer_append_text(out, "// Written by nip. Commit it; do not edit it.\nlock 0\n");
    if (lock->sdk[0] != '\0') {
        nip_buffer_append_text(out, "sdk ");
        nip_kdl_print_quoted(lock->sdk, strlen(lock->sdk), out);
        nip_buffer_append_byte(out, '\n');
    }
    for (size_t i = 0; i < lock->package_count; i++) {
        const struct nip_lock_package *package = &lock->packages[i];
        nip_buffer_append_format(out, "package \"%s\" version=\"%s\" {\n", package->name,
                                 package->version);
        bool is_path = package->path[0] != '\0';
        for (size_t f = 0; f < FIELD_COUNT; f++) {
            if (fields[f].is_of_path != is_path)
                continue;
            if (fields[f].kind == FIELD_KEYS) {
                print_keys(fields[f].name, &package->keys, out);
                continue;
            }
            nip_buffer_append_format(out, "    %s ", fields[f].name);
            print_value(&fields[f], package, out);
            nip_buffer_append_byte(out, '\n');
        }
        nip_buffer_append_text(out, "}\n");
    }
}

struct nip_lock_package *nip_lock_find(struct nip_lock *lock, const char *name, const char *version)
{
    for (size_t i = 0; i < lock->package_count; i++)
        if (strcmp(lock->packages[i].name, name) == 0 &&
            (version == NULL || strcmp(lock->packages[i].version, version) == 0))
            return &lock->packages[i];
    return NULL;
}

static int compare_packages(const struct nip_lock_package *a, const struct nip_lock_package *b)
{
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : strcmp(a->version, b->version);
}

enum nip_code nip_lock_put(struct nip_lock *lock, const struct nip_lock_package *package,
                           struct nip_error *err)
{
    size_t at = 0;
    while (at < lock->package_count && compare_packages(&lock->packages[at], package) < 0)
        at++;
    if (at < lock->package_count && compare_packages(&lock->packages[at], package) == 0) {
        lock->packages[at] = *package;
        return NIP_OK;
    }
    if (lock->package_count == NIP_LOCK_PACKAGES_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "more than %d packages in one image",
                             RUMPK_PACKAGES_MAX);
    memmove(&lock->packages[at + 1], &lock->packages[at],
            (lock->package_count - at) * sizeof lock->packages[0]);
    lock->packages[at] = *package;
    lock->package_count++;
    return NIP_OK;
}

void nip_lock_remove(struct nip_lock *lock, const char *name, const char *version)
{
    struct nip_lock_package *found = nip_lock_find(lock, name, version);
    if (found == NULL)
        return;
    size_t at = (size_t)(found - lock->packages);
    lock->package_count--;
    memmove(found, found + 1, (lock->package_count - at) * sizeof lock->packages[0]);
}
