// SPDX-License-Identifier: Apache-2.0
//
// nip owner: which keys own a name, as three different parties say it, and they are kept apart:
// this project (nip.trust.kdl: it decides), nip.lock (what was accepted before), and registries
// (hints: they decide nothing).

#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "commands.h"
#include "project.h"
#include "report.h"

struct owner {
    struct cli *cli;
    struct catalog *catalog;
    struct nip_lock *lock;
    char name[NIP_NAME_MAX + 1];
    struct nip_json *json; // NULL: text
};

// Whose the key is, as far as it is this user's or the SDK's; "" for others.
static const char *own_words(const struct owner *owner, const struct nip_public_key *key,
                             char out[KEYSTORE_NAME_SIZE + 32])
{
    const struct sdk *sdk = &owner->catalog->decisions.sdk;
    out[0] = '\0';
    if (sdk->has_key && nip_public_key_equals(&sdk->key, key))
        snprintf(out, KEYSTORE_NAME_SIZE + 32, "the key of this SDK");
    for (size_t i = 0; i < owner->catalog->own_count; i++)
        if (nip_public_key_equals(&owner->catalog->own[i].key, key))
            snprintf(out, KEYSTORE_NAME_SIZE + 32, "your key %s", owner->catalog->own[i].name);
    return out;
}

// "accepted here", "revoked here", or that nothing is said.
static const char *standing_words(const struct owner *owner, const struct nip_public_key *key)
{
    switch (nip_trust_standing(&owner->catalog->decisions.trust, owner->name, key->key, NULL)) {
    case NIP_TRUST_ACCEPTED:
        return "accepted";
    case NIP_TRUST_REVOKED:
    case NIP_TRUST_KEPT:
        return "revoked";
    case NIP_TRUST_UNKNOWN:
        break;
    }
    return "unknown";
}

static struct nip_json *key_json(const struct owner *owner, const struct nip_public_key *key)
{
    char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
    char own[KEYSTORE_NAME_SIZE + 32];
    struct nip_json *item = nip_json_make_object();
    nip_public_key_text(key, text);
    nip_public_key_fingerprint(key, fingerprint);
    nip_json_put_text(item, "key", text);
    nip_json_put_text(item, "fingerprint", fingerprint);
    nip_json_put_text(item, "here", standing_words(owner, key));
    if (own_words(owner, key, own)[0] != '\0')
        nip_json_put(item, "own", report_text(own));
    return item;
}

static void print_key(const struct owner *owner, const struct nip_public_key *key,
                      const char *remark)
{
    char text[NIP_KEY_TEXT_SIZE], fingerprint[NIP_DIGEST_TEXT_SIZE];
    char own[KEYSTORE_NAME_SIZE + 32];
    nip_public_key_text(key, text);
    nip_public_key_fingerprint(key, fingerprint);
    own_words(owner, key, own);
    cli_print(owner->cli, "  %s%s%s%s%s", text, own[0] != '\0' ? "   " : "", own,
              remark[0] != '\0' ? "   " : "", remark);
    cli_print(owner->cli, "    fingerprint %s", fingerprint);
}

// ---- this project ----

static void show_trust(const struct owner *owner)
{
    const struct nip_trust *trust = &owner->catalog->decisions.trust;
    const struct nip_trust_publisher *line = nip_trust_find(trust, owner->name);
    struct nip_json *object = nip_json_make_object(), *keys = nip_json_make_array();
    bool is_sdk = strncmp(owner->name, "rumpk/", 6) == 0;
    if (owner->json == NULL && line != NULL)
        cli_print(owner->cli,
                  "this project (%s, the line for %s): %u of these %zu must have signed",
                  NIP_TRUST_FILE, line->pattern, (unsigned)line->threshold, line->key_count);
    else if (owner->json == NULL)
        cli_print(owner->cli, "this project (%s): nothing is said about %s%s", NIP_TRUST_FILE,
                  owner->name, is_sdk ? "; from the SDK's registry, its key alone counts" : "");
    for (size_t i = 0; line != NULL && i < line->key_count; i++) {
        bool is_revoked = strcmp(standing_words(owner, &line->keys[i]), "revoked") == 0;
        if (owner->json != NULL)
            nip_json_append(keys, key_json(owner, &line->keys[i]));
        else
            print_key(owner, &line->keys[i], is_revoked ? "revoked below" : "");
    }
    if (line != NULL && owner->json == NULL && line->reason[0] != '\0')
        cli_print(owner->cli, "  reason: %s", line->reason);
    if (line != NULL) {
        nip_json_put(object, "pattern", report_text(line->pattern));
        nip_json_put_u64(object, "threshold", line->threshold);
        nip_json_put_u64(object, "rotation", line->rotation);
        nip_json_put(object, "reason", report_text(line->reason));
    }
    nip_json_put(object, "keys", keys);
    if (owner->json != NULL)
        nip_json_put(owner->json, "trust", object);
    else
        nip_json_free(object);
}

static void show_revoked(const struct owner *owner)
{
    const struct nip_trust *trust = &owner->catalog->decisions.trust;
    struct nip_json *list = owner->json != NULL ? nip_json_make_array() : NULL;
    for (size_t i = 0; i < trust->revoked_count; i++) {
        const struct nip_trust_revoked *revoked = &trust->revoked[i];
        if (!nip_trust_pattern_covers(revoked->pattern, owner->name))
            continue;
        if (list != NULL) {
            struct nip_json *item = key_json(owner, &revoked->key);
            nip_json_put(item, "reason", report_text(revoked->reason));
            nip_json_append(list, item);
            continue;
        }
        cli_print_verdict_whole(owner->cli, false, "revoked here, for %s%s%s", revoked->pattern,
                                revoked->reason[0] != '\0' ? ": " : "", revoked->reason);
        print_key(owner, &revoked->key, "");
    }
    if (list != NULL)
        nip_json_put(owner->json, "revoked", list);
}

// ---- what was accepted before ----

static void show_locked(const struct owner *owner)
{
    struct nip_json *list = owner->json != NULL ? nip_json_make_array() : NULL;
    for (size_t i = 0; i < owner->lock->package_count; i++) {
        const struct nip_lock_package *package = &owner->lock->packages[i];
        if (strcmp(package->name, owner->name) != 0 || package->path[0] != '\0')
            continue;
        struct nip_json *keys = list != NULL ? nip_json_make_array() : NULL;
        if (list == NULL)
            cli_print(owner->cli, "%s, version %s: accepted under", NIP_LOCK_FILE,
                      package->version);
        for (size_t k = 0; k < package->keys.count; k++) {
            const struct nip_public_key *key = &package->keys.items[k];
            if (keys != NULL)
                nip_json_append(keys, key_json(owner, key));
            else
                print_key(owner, key, "");
        }
        if (list != NULL) {
            struct nip_json *item = nip_json_make_object();
            nip_json_put(item, "version", report_text(package->version));
            nip_json_put(item, "keys", keys);
            nip_json_append(list, item);
        }
    }
    if (list != NULL)
        nip_json_put(owner->json, "locked", list);
}

// ---- hints ----

static enum nip_code show_registry(struct owner *owner, const struct catalog_registry *from,
                                   struct nip_json *list, size_t *found, struct nip_error *err)
{
    struct nip_public_key keys[REGISTRY_KEYS_MAX];
    struct nip_folder_versions versions = {0};
    struct catalog_card card;
    struct nip_error cause = {0};
    size_t count = 0;
    if (registry_versions(from->registry, owner->name, &versions, &cause) != NIP_OK)
        return NIP_OK; // it does not have the package
    nip_folder_versions_free(&versions);
    ++*found;
    enum nip_code code = registry_keys(from->registry, owner->name, keys, &count, err);
    if (code == NIP_OK)
        code = catalog_read(owner->catalog, from, owner->name, &card, err);
    if (code != NIP_OK)
        return code;
    bool is_verified = card.standing != CATALOG_UNVERIFIED;
    struct nip_json *item = nip_json_make_object(), *array = nip_json_make_array();
    if (list == NULL)
        cli_print(owner->cli,
                  "the registry %s (%s) names; a hint, it decides nothing:", from->alias,
                  registry_url(from->registry));
    for (size_t i = 0; i < count; i++) {
        bool has_signed = is_verified && nip_public_key_equals(&card.key, &keys[i]);
        char remark[NIP_VERSION_MAX + 32] = "";
        if (has_signed)
            snprintf(remark, sizeof remark, "has signed %s", card.version);
        if (list == NULL)
            print_key(owner, &keys[i], remark);
        struct nip_json *key = key_json(owner, &keys[i]);
        nip_json_put_bool(key, "has_signed", has_signed);
        nip_json_append(array, key);
    }
    if (list == NULL && !is_verified)
        cli_print_verdict(owner->cli, false, "  not verified: ", "%s %s: %s", owner->name,
                          card.version, card.trouble);
    nip_json_put_text(item, "registry", from->alias);
    nip_json_put(item, "url", report_text(registry_url(from->registry)));
    nip_json_put_text(item, "version", card.version);
    nip_json_put_bool(item, "verified", is_verified);
    nip_json_put(item, "keys", array);
    if (list != NULL)
        nip_json_append(list, item);
    else
        nip_json_free(item);
    catalog_card_free(&card);
    return NIP_OK;
}

static enum nip_code show_all(struct owner *owner, struct nip_error *err)
{
    struct nip_json *list = owner->json != NULL ? nip_json_make_array() : NULL;
    size_t found = 0;
    enum nip_code code = NIP_OK;
    show_trust(owner);
    show_revoked(owner);
    show_locked(owner);
    for (size_t i = 0; code == NIP_OK && i < owner->catalog->count; i++)
        code = show_registry(owner, &owner->catalog->items[i], list, &found, err);
    if (owner->json != NULL)
        nip_json_put(owner->json, "registries", list);
    else if (code == NIP_OK && found == 0)
        cli_print(owner->cli, "no registry that is known here has %s", owner->name);
    return code;
}

enum nip_code command_owner(struct cli *cli, struct nip_error *err)
{
    struct owner owner = {.cli = cli,
                          .catalog = calloc(1, sizeof *owner.catalog),
                          .json = cli->is_json ? nip_json_make_object() : NULL};
    char version[NIP_VERSION_MAX + 1];
    enum nip_code code = owner.catalog == NULL
                             ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                             : resolve_split(cli_operand(cli, 0), owner.name, version, err);
    if (code == NIP_OK && version[0] != '\0') {
        code = nip_error_set(err, NIP_ERROR_USAGE, "a name has owners, a version has none");
        nip_error_hint(err, "nip owner %s", owner.name);
    }
    if (code == NIP_OK)
        code = catalog_open(cli, cli_option(cli, "registry"), owner.catalog, err);
    if (code == NIP_OK)
        code = project_read_lock(".", &owner.lock, NULL, err);
    if (code == NIP_OK && owner.json != NULL)
        nip_json_put(owner.json, "name", report_text(owner.name));
    if (code == NIP_OK)
        code = show_all(&owner, err);
    if (code == NIP_OK && owner.json != NULL) {
        code = report_json("nip-owner-1", "owner", owner.json, err);
        owner.json = NULL;
    } else if (code == NIP_OK) {
        cli_next(cli,
                 "nip key trust %s KEY   (accept a key here; publishers hand over with nip key "
                 "rotate %s)",
                 owner.name, owner.name);
    }
    nip_json_free(owner.json);
    if (owner.catalog != NULL)
        catalog_close(owner.catalog);
    free(owner.catalog);
    free(owner.lock);
    return code;
}
