// SPDX-License-Identifier: Apache-2.0
//
// Comparing trust files and locks: whose signatures count, and which bytes.

#include <stdio.h>
#include <string.h>

#include "diff_parts.h"

void nip_diff_keys(const char *name, const struct nip_public_key *a, const struct nip_public_key *b,
                   struct nip_changes *changes)
{
    char from[20], to[20];
    if (nip_public_key_equals(a, b))
        return;
    diff_key_text(a->key, from);
    diff_key_text(b->key, to);
    nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_KEYS, name,
                    "signed with another key: %s -> %s", from, to);
}

// ---- trust files ----

static const struct nip_trust_publisher *find_line(const struct nip_trust *trust,
                                                   const char *pattern)
{
    for (size_t i = 0; i < trust->publisher_count; i++)
        if (strcmp(trust->publishers[i].pattern, pattern) == 0)
            return &trust->publishers[i];
    return NULL;
}

static bool is_listed(const struct nip_trust_publisher *line, const struct nip_public_key *key)
{
    for (size_t i = 0; line != NULL && i < line->key_count; i++)
        if (nip_public_key_equals(&line->keys[i], key))
            return true;
    return false;
}

// The keys of `b` that `a` lacks.
static void diff_line_keys(const struct nip_trust_publisher *a, const struct nip_trust_publisher *b,
                           bool is_new, struct nip_changes *changes)
{
    for (size_t i = 0; i < b->key_count; i++) {
        char key[20];
        if (is_listed(a, &b->keys[i]))
            continue;
        diff_key_text(b->keys[i].key, key);
        nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_KEYS,
                        b->pattern, "%s the key %s", is_new ? "now accepts" : "no longer accepts",
                        key);
    }
}

static void diff_line(const struct nip_trust_publisher *a, const struct nip_trust_publisher *b,
                      struct nip_changes *changes)
{
    diff_line_keys(b, a, false, changes);
    diff_line_keys(a, b, true, changes);
    // Fewer signatures are easier to get.
    if (a->threshold != b->threshold)
        nip_changes_add(changes, diff_kind_of(b->threshold, a->threshold), NIP_CHANGE_KEYS,
                        b->pattern, "keys that must sign: %u -> %u", (unsigned)a->threshold,
                        (unsigned)b->threshold);
    if (a->rotation != b->rotation)
        nip_changes_add(changes, b->rotation < a->rotation ? NIP_CHANGE_GREW : NIP_CHANGE_OTHER,
                        NIP_CHANGE_KEYS, b->pattern, "last rotation: %u -> %u",
                        (unsigned)a->rotation, (unsigned)b->rotation);
    if (strcmp(a->reason, b->reason) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_KEYS, b->pattern,
                        "reason: \"%s\" -> \"%s\"", a->reason, b->reason);
}

static const struct nip_trust_revoked *find_revoked(const struct nip_trust *trust,
                                                    const struct nip_trust_revoked *wanted)
{
    for (size_t i = 0; i < trust->revoked_count; i++)
        if (strcmp(trust->revoked[i].pattern, wanted->pattern) == 0 &&
            nip_public_key_equals(&trust->revoked[i].key, &wanted->key))
            return &trust->revoked[i];
    return NULL;
}

static bool is_kept(const struct nip_trust *trust, const struct nip_trust_revoked *revoked,
                    const uint8_t *id)
{
    for (size_t i = 0; i < revoked->keep_count; i++)
        if (memcmp(trust->keeps[revoked->keep_first + i], id, NIP_DIGEST_SIZE) == 0)
            return true;
    return false;
}

// The packages that stay valid by `b` and not by `a`.
static void diff_keeps(const struct nip_trust *a, const struct nip_trust_revoked *from,
                       const struct nip_trust *b, const struct nip_trust_revoked *to, bool is_new,
                       struct nip_changes *changes)
{
    for (size_t i = 0; i < to->keep_count; i++) {
        const uint8_t *id = b->keeps[to->keep_first + i];
        char text[20];
        if (is_kept(a, from, id))
            continue;
        diff_id_text(id, text);
        nip_changes_add(changes, is_new ? NIP_CHANGE_GREW : NIP_CHANGE_SHRANK, NIP_CHANGE_KEYS,
                        to->pattern, "under a revoked key, the package %s %s", text,
                        is_new ? "now stays valid" : "no longer stays valid");
    }
}

static void diff_revoked(const struct nip_trust *a, const struct nip_trust *b,
                         struct nip_changes *changes)
{
    char key[20];
    for (size_t i = 0; i < a->revoked_count; i++)
        if (find_revoked(b, &a->revoked[i]) == NULL) {
            diff_key_text(a->revoked[i].key.key, key);
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_KEYS, a->revoked[i].pattern,
                            "the key %s is no longer revoked", key);
        }
    for (size_t i = 0; i < b->revoked_count; i++) {
        const struct nip_trust_revoked *to = &b->revoked[i], *from = find_revoked(a, to);
        if (from == NULL) {
            diff_key_text(to->key.key, key);
            nip_changes_add(changes, NIP_CHANGE_SHRANK, NIP_CHANGE_KEYS, to->pattern,
                            "the key %s is revoked%s%s; %zu package(s) stay valid", key,
                            to->reason[0] != '\0' ? ": " : "", to->reason, to->keep_count);
            continue;
        }
        diff_keeps(b, to, a, from, false, changes);
        diff_keeps(a, from, b, to, true, changes);
    }
}

static void diff_registries(const struct nip_trust *a, const struct nip_trust *b,
                            struct nip_changes *changes)
{
    for (size_t i = 0; i < a->registry_count; i++)
        if (nip_trust_url(b, a->registries[i].alias) == NULL)
            nip_changes_add(changes, NIP_CHANGE_SHRANK, NIP_CHANGE_REGISTRIES, "",
                            "registry '%s' is gone (%s)", a->registries[i].alias,
                            a->registries[i].url);
    for (size_t i = 0; i < b->registry_count; i++) {
        const struct nip_trust_registry *to = &b->registries[i], *from = NULL;
        for (size_t k = 0; k < a->registry_count; k++)
            if (strcmp(a->registries[k].alias, to->alias) == 0)
                from = &a->registries[k];
        if (from == NULL)
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_REGISTRIES, "",
                            "new registry '%s' at %s", to->alias, to->url);
        else if (strcmp(from->url, to->url) != 0)
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_REGISTRIES, "",
                            "registry '%s': %s -> %s", to->alias, from->url, to->url);
        if (from != NULL &&
            (from->has_root != to->has_root || memcmp(from->root, to->root, sizeof to->root) != 0))
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_REGISTRIES, "",
                            "registry '%s' has another root", to->alias);
    }
}

void nip_diff_trust(const struct nip_trust *a, const struct nip_trust *b,
                    struct nip_changes *changes)
{
    diff_registries(a, b, changes);
    for (size_t i = 0; i < a->publisher_count; i++)
        if (find_line(b, a->publishers[i].pattern) == NULL)
            nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_KEYS, a->publishers[i].pattern,
                            "its line is gone: %zu key(s) less; a line for the namespace, or "
                            "first use, decides now",
                            a->publishers[i].key_count);
    for (size_t i = 0; i < b->publisher_count; i++) {
        const struct nip_trust_publisher *to = &b->publishers[i];
        const struct nip_trust_publisher *from = find_line(a, to->pattern);
        if (from != NULL) {
            diff_line(from, to, changes);
            continue;
        }
        diff_line_keys(NULL, to, true, changes);
        if (to->threshold > 1)
            nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_KEYS, to->pattern,
                            "keys that must sign: %u", (unsigned)to->threshold);
    }
    diff_revoked(a, b, changes);
}

// ---- locks ----

static const struct nip_lock_package *find_locked(const struct nip_lock *lock, const char *name,
                                                  const char *version)
{
    for (size_t i = 0; i < lock->package_count; i++)
        if (strcmp(lock->packages[i].name, name) == 0 &&
            (version == NULL || strcmp(lock->packages[i].version, version) == 0))
            return &lock->packages[i];
    return NULL;
}

// The entry of `a` that became `to`: of the same version, else of a version that `b` no longer has.
static const struct nip_lock_package *
find_before(const struct nip_lock *a, const struct nip_lock *b, const struct nip_lock_package *to)
{
    const struct nip_lock_package *same = find_locked(a, to->name, to->version);
    for (size_t i = 0; same == NULL && i < a->package_count; i++)
        if (strcmp(a->packages[i].name, to->name) == 0 &&
            find_locked(b, to->name, a->packages[i].version) == NULL)
            return &a->packages[i];
    return same;
}

static void diff_origin(const struct nip_lock_package *from, const struct nip_lock_package *to,
                        struct nip_changes *changes)
{
    if (strcmp(from->path, to->path) != 0)
        nip_changes_add(changes, to->path[0] != '\0' ? NIP_CHANGE_GREW : NIP_CHANGE_OTHER,
                        NIP_CHANGE_PACKAGES, to->name, "local work: \"%s\" -> \"%s\"", from->path,
                        to->path);
    if (strcmp(from->registry, to->registry) != 0 && to->path[0] == '\0')
        nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_REGISTRIES, to->name,
                        "comes from the registry '%s', before from '%s'", to->registry,
                        from->registry);
}

// The keys of `b` that `a` lacks.
static void diff_signers_one_way(enum nip_change_kind kind, const char *name,
                                 const struct nip_lock_keys *a, const struct nip_lock_keys *b,
                                 const char *words, struct nip_changes *changes)
{
    for (size_t i = 0; i < b->count; i++) {
        char key[20];
        if (nip_lock_keys_has(a, &b->items[i]))
            continue;
        diff_key_text(b->items[i].key, key);
        nip_changes_add(changes, kind, NIP_CHANGE_KEYS, name, "%s the key %s", words, key);
    }
}

static void diff_signers(const char *name, const struct nip_lock_keys *a,
                         const struct nip_lock_keys *b, struct nip_changes *changes)
{
    if (a->count == 1 && b->count == 1) {
        nip_diff_keys(name, &a->items[0], &b->items[0], changes);
        return;
    }
    // One signature more is no danger; one less, or another in its place, may be.
    bool is_more = nip_lock_keys_include(b, a);
    diff_signers_one_way(NIP_CHANGE_GREW, name, b, a, "no longer signed with", changes);
    diff_signers_one_way(is_more ? NIP_CHANGE_OTHER : NIP_CHANGE_GREW, name, a, b,
                         "now signed with", changes);
}

static void diff_entry(const struct nip_lock_package *from, const struct nip_lock_package *to,
                       struct nip_changes *changes)
{
    char before[20], after[20];
    bool is_same_version = strcmp(from->version, to->version) == 0;
    if (!is_same_version)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_PACKAGES, to->name,
                        "version: %s -> %s", from->version, to->version);
    diff_origin(from, to, changes);
    if (from->path[0] != '\0' || to->path[0] != '\0')
        return;
    diff_signers(to->name, &from->keys, &to->keys, changes);
    diff_id_text(from->id, before);
    diff_id_text(to->id, after);
    // One version must always be the same bytes.
    if (memcmp(from->id, to->id, sizeof to->id) != 0)
        nip_changes_add(changes, is_same_version ? NIP_CHANGE_GREW : NIP_CHANGE_OTHER,
                        NIP_CHANGE_PACKAGES, to->name, "package id: %s -> %s%s", before, after,
                        is_same_version ? ", of one and the same version" : "");
    if (memcmp(from->capabilities, to->capabilities, sizeof to->capabilities) != 0)
        nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_CAPABILITIES, to->name,
                        "asks for other capabilities than were accepted (nip diff of the two "
                        "packages names them)");
    if (from->security_floor != to->security_floor)
        nip_changes_add(changes, diff_kind_of(to->security_floor, from->security_floor),
                        NIP_CHANGE_IDENTITY, to->name, "security floor: %u -> %u",
                        (unsigned)from->security_floor, (unsigned)to->security_floor);
    diff_size(changes, NIP_CHANGE_SIZES, to->name, "package file", from->size, to->size);
}

static void add_new(const struct nip_lock_package *to, struct nip_changes *changes)
{
    char keys[NIP_LOCK_KEYS_MAX * 22] = "";
    size_t used = 0;
    for (size_t i = 0; i < to->keys.count; i++) {
        char key[20];
        diff_key_text(to->keys.items[i].key, key);
        used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", i != 0 ? ", " : "", key);
    }
    nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_PACKAGES, to->name,
                    "new: %s from '%s', signed with the key%s %s", to->version, to->registry,
                    to->keys.count > 1 ? "s" : "", keys);
}

void nip_diff_locks(const struct nip_lock *a, const struct nip_lock *b, struct nip_changes *changes)
{
    if (strcmp(a->sdk, b->sdk) != 0)
        nip_changes_add(changes, NIP_CHANGE_OTHER, NIP_CHANGE_IDENTITY, "", "SDK: %s -> %s", a->sdk,
                        b->sdk);
    for (size_t i = 0; i < b->package_count; i++) {
        const struct nip_lock_package *to = &b->packages[i], *from = find_before(a, b, to);
        if (from != NULL)
            diff_entry(from, to, changes);
        else if (to->path[0] != '\0')
            nip_changes_add(changes, NIP_CHANGE_GREW, NIP_CHANGE_PACKAGES, to->name,
                            "new: %s, local work in %s", to->version, to->path);
        else
            add_new(to, changes);
    }
    for (size_t i = 0; i < a->package_count; i++) {
        const struct nip_lock_package *from = &a->packages[i];
        bool is_there = find_locked(b, from->name, from->version) != NULL;
        for (size_t k = 0; !is_there && k < b->package_count; k++)
            is_there = find_before(a, b, &b->packages[k]) == from;
        if (!is_there)
            nip_changes_add(changes, NIP_CHANGE_SHRANK, NIP_CHANGE_PACKAGES, from->name, "gone: %s",
                            from->version);
    }
}
