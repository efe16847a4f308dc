// SPDX-License-Identifier: Apache-2.0
//
// Opening the known registries and reading their packages for people.

#include "catalog.h"

#include <stdlib.h>
#include <string.h>

#include "nip/escape.h"
#include "project.h"
#include "settings.h"

// ---- registries ----

static bool has_url(const struct catalog *catalog, const char *url)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (strcmp(registry_url(catalog->items[i].registry), url) == 0)
            return true;
    return false;
}

static enum nip_code add_registry(struct catalog *catalog, const char *where, struct nip_error *err)
{
    struct catalog_registry *item = &catalog->items[catalog->count];
    enum nip_code code = resolve_registry(&catalog->decisions, where, NULL, false, &item->registry,
                                          NULL, item->alias, err);
    catalog->count += code == NIP_OK;
    return code;
}

static void try_registry(const struct cli *cli, struct catalog *catalog, const char *alias)
{
    struct nip_error cause = {0};
    if (catalog->count < CATALOG_REGISTRIES_MAX && add_registry(catalog, alias, &cause) != NIP_OK)
        cli_warn(cli, "the registry '%s' is left out: %s", alias, cause.message);
}

enum nip_code catalog_open(const struct cli *cli, const char *where, struct catalog *catalog,
                           struct nip_error *err)
{
    memset(catalog, 0, sizeof *catalog);
    enum nip_code code = decisions_load(&catalog->decisions, err);
    struct nip_error cause = {0};
    // Without a home there are no own keys.
    if (code == NIP_OK && keystore_list(catalog->own, &catalog->own_count, &cause) != NIP_OK)
        catalog->own_count = 0;
    if (code == NIP_OK && where != NULL)
        return add_registry(catalog, where, err);
    if (code != NIP_OK)
        return code;
    try_registry(cli, catalog, NIP_TRUST_SDK_ALIAS);
    // Opening one may note its alias, so the list is taken first.
    size_t project_count = catalog->decisions.trust.registry_count;
    for (size_t i = 0; i < project_count; i++) {
        char alias[NIP_TRUST_ALIAS_SIZE];
        memcpy(alias, catalog->decisions.trust.registries[i].alias, sizeof alias);
        try_registry(cli, catalog, alias);
    }
    for (uint32_t i = 0; i < settings()->registry_count; i++) {
        const struct nip_config_registry *known = &settings()->registries[i];
        if (nip_trust_url(&catalog->decisions.trust, known->alias) == NULL &&
            !has_url(catalog, known->url))
            try_registry(cli, catalog, known->alias);
    }
    return NIP_OK;
}

void catalog_close(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++)
        registry_close(catalog->items[i].registry);
    decisions_free(&catalog->decisions);
    catalog->count = 0;
}

static enum nip_code refuse_unknown(const struct catalog *catalog, const char *name,
                                    struct nip_error *err)
{
    struct nip_buffer list = {0};
    for (size_t i = 0; i < catalog->count; i++)
        nip_buffer_append_format(&list, "%s%s", i != 0 ? ", " : "", catalog->items[i].alias);
    nip_error_set(err, NIP_ERROR_MISSING, "no registry that is known here has %s", name);
    nip_error_hint(err,
                   "known are: %.400s; name another with --registry file:FOLDER, or look around: "
                   "nip search %s",
                   nip_buffer_text(&list), project_short_name(name));
    nip_buffer_free(&list);
    return NIP_ERROR_MISSING;
}

enum nip_code catalog_find(const struct catalog *catalog, const char *name,
                           const struct catalog_registry **found, struct nip_error *err)
{
    struct nip_buffer list = {0};
    size_t count = 0;
    *found = NULL;
    for (size_t i = 0; i < catalog->count; i++) {
        struct nip_folder_versions versions = {0};
        struct nip_error cause = {0};
        if (registry_versions(catalog->items[i].registry, name, &versions, &cause) == NIP_OK &&
            versions.count != 0) {
            *found = &catalog->items[i];
            nip_buffer_append_format(&list, "%s--registry %s", count++ != 0 ? " or " : "",
                                     catalog->items[i].alias);
        }
        nip_folder_versions_free(&versions);
    }
    enum nip_code code = NIP_OK;
    if (count == 0) {
        code = refuse_unknown(catalog, name, err);
    } else if (count > 1) {
        code = nip_error_set(err, NIP_ERROR_CONFLICT, "%zu registries have %s", count, name);
        nip_error_hint(err, "say which is meant: %.600s", nip_buffer_text(&list));
    }
    nip_buffer_free(&list);
    return code;
}

// ---- keys ----

const char *catalog_whose(const struct catalog *catalog, const char *name, bool is_sdk,
                          const struct nip_public_key *key, const uint8_t *id, char out[160])
{
    const struct decisions *decisions = &catalog->decisions;
    if (is_sdk) {
        snprintf(out, 160, "the key of this SDK");
        return decisions->sdk.has_key && nip_public_key_equals(&decisions->sdk.key, key) ? out
                                                                                         : NULL;
    }
    enum nip_trust_standing standing = nip_trust_standing(&decisions->trust, name, key->key, id);
    if (standing == NIP_TRUST_ACCEPTED || standing == NIP_TRUST_KEPT) {
        snprintf(out, 160, "a key that %s accepts for it", NIP_TRUST_FILE);
        return out;
    }
    // What the project says about the name decides alone.
    if (standing == NIP_TRUST_REVOKED || nip_trust_find(&decisions->trust, name) != NULL)
        return NULL;
    for (size_t i = 0; i < catalog->own_count; i++)
        if (nip_public_key_equals(&catalog->own[i].key, key)) {
            snprintf(out, 160, "your own key %s", catalog->own[i].name);
            return out;
        }
    return NULL;
}

// Every key that could have signed: the known ones, and what the registry names.
struct candidates {
    struct nip_public_key keys[KEYSTORE_KEYS_MAX + NIP_TRUST_KEYS_MAX + NIP_TRUST_REVOKED_MAX +
                               REGISTRY_KEYS_MAX + 1];
    size_t count;
};

static enum nip_code collect(const struct catalog *catalog, const struct catalog_registry *from,
                             const char *name, struct candidates *all, struct nip_error *err)
{
    const struct decisions *decisions = &catalog->decisions;
    all->count = 0;
    if (decisions->sdk.has_key)
        all->keys[all->count++] = decisions->sdk.key;
    const struct nip_trust_publisher *line = nip_trust_find(&decisions->trust, name);
    for (size_t i = 0; line != NULL && i < line->key_count; i++)
        all->keys[all->count++] = line->keys[i];
    for (size_t i = 0; i < decisions->trust.revoked_count; i++)
        if (nip_trust_pattern_covers(decisions->trust.revoked[i].pattern, name))
            all->keys[all->count++] = decisions->trust.revoked[i].key;
    for (size_t i = 0; i < catalog->own_count; i++)
        all->keys[all->count++] = catalog->own[i].key;
    struct nip_public_key hints[REGISTRY_KEYS_MAX];
    size_t hint_count = 0;
    enum nip_code code = registry_keys(from->registry, name, hints, &hint_count, err);
    for (size_t i = 0; code == NIP_OK && i < hint_count; i++)
        all->keys[all->count++] = hints[i];
    return code;
}

// ---- one package ----

// Takes npl.kdl out of the stream and ends there: its digest was right, and the list of digests is
// signed.
struct manifest_sink {
    struct nip_buffer text;
    bool is_inside, is_done;
};

static enum nip_code sink_begin(void *context, const char *path, uint64_t size,
                                struct nip_error *err)
{
    struct manifest_sink *sink = context;
    sink->is_inside = strcmp(path, NIP_MANIFEST_FILE) == 0;
    if (sink->is_inside && size > NIP_MANIFEST_SIZE_MAX)
        return nip_error_set(err, NIP_ERROR_LIMIT, "its %s is too large", NIP_MANIFEST_FILE);
    return NIP_OK;
}

static enum nip_code sink_data(void *context, const uint8_t *data, size_t size,
                               struct nip_error *err)
{
    struct manifest_sink *sink = context;
    (void)err;
    if (sink->is_inside)
        nip_buffer_append(&sink->text, data, size);
    return NIP_OK;
}

static enum nip_code sink_end(void *context, struct nip_error *err)
{
    struct manifest_sink *sink = context;
    sink->is_done = sink->is_inside;
    return sink->is_done ? nip_error_set(err, NIP_ERROR_FAILED, "enough was read") : NIP_OK;
}

static enum nip_code read_manifest(struct nip_package *package, struct nip_manifest *manifest,
                                   struct nip_error *err)
{
    struct manifest_sink sink = {.is_inside = false};
    struct nip_package_sink calls = {sink_begin, sink_data, sink_end, &sink};
    enum nip_code code = nip_package_read(package, &calls, err);
    if (sink.is_done)
        code = nip_buffer_check(&sink.text, NIP_MANIFEST_FILE, err);
    else if (code == NIP_OK)
        code = nip_error_set(err, NIP_ERROR_SCHEMA, "it has no %s", NIP_MANIFEST_FILE);
    if (code == NIP_OK)
        code = nip_manifest_parse(nip_buffer_text(&sink.text), sink.text.size, NIP_MANIFEST_FILE,
                                  manifest, err);
    nip_buffer_free(&sink.text);
    return code;
}

// Fills what the package says of itself. Any error is about this package.
static enum nip_code examine(const struct catalog *catalog, const struct nip_buffer *npl,
                             struct candidates *all, struct catalog_card *card,
                             struct nip_error *err)
{
    struct key_list list = {all->keys, all->count};
    struct nip_package_trust trust = {key_list_keys_for, &list};
    struct nip_package_source source = {npl->data, npl->size, -1};
    struct nip_package *package = NULL;
    struct nip_manifest *manifest = calloc(1, sizeof *manifest);
    enum nip_code code = manifest == NULL
                             ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                             : nip_package_open(&source, &trust, 0, &package, err);
    if (code == NIP_OK)
        code = read_manifest(package, manifest, err);
    if (code == NIP_OK && (strcmp(manifest->identity.name, card->name) != 0 ||
                           strcmp(manifest->identity.version, card->version) != 0))
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "the registry gave %s %s instead",
                             manifest->identity.name, manifest->identity.version);
    if (code == NIP_OK) {
        bool is_sdk = strcmp(card->from->alias, NIP_TRUST_SDK_ALIAS) == 0;
        const uint8_t *id = nip_package_id(package);
        card->key = *nip_package_key(package);
        snprintf(card->kind, sizeof card->kind, "%s", nip_kind_name(manifest->identity.kind));
        memcpy(card->description, manifest->description, sizeof card->description);
        memcpy(card->license, manifest->license, sizeof card->license);
        if (catalog_whose(catalog, card->name, is_sdk, &card->key, id, card->whose) != NULL)
            card->standing = CATALOG_KNOWN;
        else if (!is_sdk && nip_trust_standing(&catalog->decisions.trust, card->name, card->key.key,
                                               id) == NIP_TRUST_REVOKED)
            card->standing = CATALOG_REVOKED;
        else
            card->standing = CATALOG_UNKNOWN;
        if (card->standing != CATALOG_KNOWN)
            card->whose[0] = '\0';
    }
    nip_package_close(package);
    free(manifest);
    return code;
}

// The highest that is not yanked and no pre-release, else the highest not yanked, else the highest.
static void choose_version(struct catalog_card *card)
{
    const struct nip_folder_version *chosen = NULL;
    bool is_release = false;
    for (size_t i = card->versions.count; i-- > 0;) {
        const struct nip_folder_version *item = &card->versions.items[i];
        card->yanked_count += item->is_yanked;
        bool is_better = chosen == NULL || (chosen->is_yanked && !item->is_yanked) ||
                         (!is_release && !item->is_yanked && strchr(item->text, '-') == NULL);
        if (!is_better)
            continue;
        chosen = item;
        is_release = !item->is_yanked && strchr(item->text, '-') == NULL;
    }
    if (chosen != NULL)
        memcpy(card->version, chosen->text, sizeof card->version);
}

enum nip_code catalog_read(struct catalog *catalog, const struct catalog_registry *from,
                           const char *name, struct catalog_card *card, struct nip_error *err)
{
    memset(card, 0, sizeof *card);
    card->from = from;
    snprintf(card->name, sizeof card->name, "%s", name);
    struct nip_buffer npl = {0};
    struct nip_error cause = {0};
    struct candidates *all = malloc(sizeof *all);
    if (all == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    enum nip_code code = registry_versions(from->registry, name, &card->versions, &cause);
    if (code == NIP_OK)
        choose_version(card);
    if (code == NIP_OK && card->version[0] == '\0')
        code = nip_error_set(&cause, NIP_ERROR_MISSING, "it has no version");
    if (code == NIP_OK)
        code = collect(catalog, from, name, all, &cause);
    if (code == NIP_OK)
        code = registry_fetch(from->registry, name, card->version, &npl, &cause);
    if (code == NIP_OK)
        code = examine(catalog, &npl, all, card, &cause);
    if (code != NIP_OK) {
        card->standing = CATALOG_UNVERIFIED;
        nip_escape(card->trouble, sizeof card->trouble, cause.message, strlen(cause.message));
    }
    nip_buffer_free(&npl);
    free(all);
    return NIP_OK;
}

void catalog_card_free(struct catalog_card *card)
{
    nip_folder_versions_free(&card->versions);
}
