// SPDX-License-Identifier: Apache-2.0
//
// Choosing registry, version and keys. Every package that comes out of here has been checked whole.

#include "resolve.h"

#include <ctype.h>
#include <string.h>

#include "consent.h"
#include "home.h"
#include "mode.h"
#include "project.h"
#include "settings.h"
#include "store.h"

enum nip_code decisions_load_in(struct decisions *decisions, const char *folder,
                                struct nip_error *err)
{
    memset(decisions, 0, sizeof *decisions);
    snprintf(decisions->folder, sizeof decisions->folder, "%s", folder);
    enum nip_code code = home_find(folder, decisions->home, err);
    if (code == NIP_OK)
        code = sdk_open(&decisions->sdk, err);
    if (code == NIP_OK)
        code = project_read_trust(folder, &decisions->trust, &decisions->trust_text, err);
    return code;
}

enum nip_code decisions_load(struct decisions *decisions, struct nip_error *err)
{
    return decisions_load_in(decisions, ".", err);
}

void decisions_free(struct decisions *decisions)
{
    nip_buffer_free(&decisions->trust_text);
}

// Parses what has just been appended, so that text and lists stay the same.
enum nip_code decisions_reread(struct decisions *decisions, struct nip_error *err)
{
    decisions->is_trust_changed = true;
    enum nip_code code = nip_buffer_check(&decisions->trust_text, NIP_TRUST_FILE, err);
    if (code == NIP_OK)
        code = nip_trust_parse(nip_buffer_text(&decisions->trust_text), decisions->trust_text.size,
                               NIP_TRUST_FILE, &decisions->trust, err);
    return code;
}

static void list_aliases(const struct decisions *decisions, struct nip_buffer *out)
{
    nip_buffer_append_text(out, NIP_TRUST_SDK_ALIAS);
    for (size_t i = 0; i < decisions->trust.registry_count; i++)
        nip_buffer_append_format(out, ", %s", decisions->trust.registries[i].alias);
    for (uint32_t i = 0; i < settings()->registry_count; i++)
        if (nip_trust_url(&decisions->trust, settings()->registries[i].alias) == NULL)
            nip_buffer_append_format(out, ", %s", settings()->registries[i].alias);
}

static enum nip_code unknown_alias(const struct decisions *decisions, const char *alias,
                                   struct nip_error *err)
{
    struct nip_buffer known = {0};
    list_aliases(decisions, &known);
    if (strchr(alias, '/') != NULL || alias[0] == '.') {
        nip_error_set(err, NIP_ERROR_USAGE, "'%s' is neither an alias nor an address", alias);
        nip_error_hint(err, "for a folder write --registry file:%s", alias);
    } else {
        nip_error_set(err, NIP_ERROR_MISSING, "there is no registry with the alias '%s'", alias);
        nip_error_hint(err, "known here: %s; or give an address, like file:../%s",
                       nip_buffer_text(&known), alias);
    }
    nip_buffer_free(&known);
    return strchr(alias, '/') != NULL || alias[0] == '.' ? NIP_ERROR_USAGE : NIP_ERROR_MISSING;
}

// An alias for an address that has none: its last part, made to fit, and a number if it is taken.
static void invent_alias(const struct decisions *decisions, const char *url, char *alias)
{
    size_t size = strlen(url), end = size;
    while (end > 0 && url[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && url[start - 1] != '/' && url[start - 1] != ':')
        start--;
    char base[24];
    size_t used = 0;
    for (size_t i = start; i < end && used < sizeof base - 1; i++) {
        char c = (char)tolower((unsigned char)url[i]);
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (letter || (digit && used != 0))
            base[used++] = c;
    }
    base[used] = '\0';
    if (used == 0)
        snprintf(base, sizeof base, "reg");
    snprintf(alias, NIP_TRUST_ALIAS_SIZE, "%s", base);
    for (int i = 2;
         strcmp(alias, NIP_TRUST_SDK_ALIAS) == 0 || nip_trust_url(&decisions->trust, alias) != NULL;
         i++)
        snprintf(alias, NIP_TRUST_ALIAS_SIZE, "%s%d", base, i);
}

static enum nip_code choose_default(const struct decisions *decisions, const char *name,
                                    const char **where, struct nip_error *err)
{
    if (name != NULL && strncmp(name, "rumpk/", 6) == 0) {
        *where = NIP_TRUST_SDK_ALIAS;
        return NIP_OK;
    }
    if (decisions->trust.registry_count == 1) {
        *where = decisions->trust.registries[0].alias;
        return NIP_OK;
    }
    if (decisions->trust.registry_count == 0 && settings()->registry_count == 1) {
        *where = settings()->registries[0].alias;
        return NIP_OK;
    }
    struct nip_buffer known = {0};
    list_aliases(decisions, &known);
    nip_error_set(err, NIP_ERROR_USAGE, "which registry?");
    nip_error_hint(err, "name it: --registry file:../reg, or an alias (known here: %s)",
                   nip_buffer_text(&known));
    nip_buffer_free(&known);
    return NIP_ERROR_USAGE;
}

enum nip_code resolve_registry(struct decisions *decisions, const char *where, const char *name,
                               bool may_create, struct registry **registry, bool *is_new,
                               char *alias, struct nip_error *err)
{
    *registry = NULL;
    enum nip_code code = NIP_OK;
    if (where == NULL)
        code = choose_default(decisions, name, &where, err);
    if (code != NIP_OK)
        return code;
    const char *url = NULL, *from = decisions->home;
    char given[CLI_PATH_SIZE];
    bool is_sdk = strcmp(where, NIP_TRUST_SDK_ALIAS) == 0;
    if (is_sdk) {
        url = decisions->sdk.registry_url;
        snprintf(alias, NIP_TRUST_ALIAS_SIZE, "%s", where);
        may_create = false;
    } else if (registry_is_url(where)) {
        code = home_registry_url(decisions->folder, where, given, err);
        if (code != NIP_OK)
            return code;
        url = given; // as it is noted; opened and shown as it was given
        from = decisions->folder;
        const char *known = nip_trust_alias(&decisions->trust, url);
        if (known != NULL)
            snprintf(alias, NIP_TRUST_ALIAS_SIZE, "%s", known);
        else
            invent_alias(decisions, url, alias);
    } else {
        // What the project calls so comes before what the user calls so.
        url = nip_trust_url(&decisions->trust, where);
        if (url == NULL)
            url = nip_config_url(settings(), where);
        if (url == NULL)
            return unknown_alias(decisions, where, err);
        snprintf(alias, NIP_TRUST_ALIAS_SIZE, "%s", where);
    }
    if (!is_sdk && mode_is_offline()) {
        nip_error_set(err, NIP_ERROR_NETWORK,
                      "the registry '%s' is needed%s%s, and --offline forbids it", alias,
                      name != NULL ? " for " : "", name != NULL ? name : "");
        nip_error_hint(err,
                       "run 'nip fetch' once without --offline (and --frozen); then everything "
                       "that nip.lock names is in the cache");
        return NIP_ERROR_NETWORK;
    }
    code = registry_open(url == given ? where : url, from, may_create, registry, is_new, err);
    if (code != NIP_OK && is_sdk)
        nip_error_hint(err, "the SDK is not complete: install it again (script/setup in the source "
                            "tree)");
    if (code == NIP_OK && !is_sdk && nip_trust_url(&decisions->trust, alias) == NULL) {
        nip_trust_append_registry(&decisions->trust_text, alias, url);
        code = decisions_reread(decisions, err);
    }
    if (code != NIP_OK) {
        registry_close(*registry);
        *registry = NULL;
    }
    return code;
}

enum nip_code resolve_need_registry(struct decisions *decisions,
                                    const struct resolve_request *request, struct registry **opened,
                                    struct registry **registry, struct nip_error *err)
{
    char alias[NIP_TRUST_ALIAS_SIZE];
    enum nip_code code = NIP_OK;
    if (request->registry == NULL && *opened == NULL)
        code = resolve_registry(decisions, request->alias, request->name, false, opened, NULL,
                                alias, err);
    *registry = request->registry != NULL ? request->registry : *opened;
    return code;
}

// The bytes of the package, out of the cache if the lock says which, else from the registry.
static enum nip_code get_bytes(struct decisions *decisions, const struct resolve_request *request,
                               struct registry **opened, char version[NIP_VERSION_MAX + 1],
                               struct nip_buffer *npl, struct nip_error *err)
{
    const struct nip_lock_package *locked = request->locked;
    if (locked != NULL && locked->path[0] == '\0') {
        snprintf(version, NIP_VERSION_MAX + 1, "%s", locked->version);
        if (store_get(locked->sha256, locked->size, npl))
            return NIP_OK;
    }
    struct registry *registry = NULL;
    enum nip_code code = resolve_need_registry(decisions, request, opened, &registry, err);
    if (code == NIP_OK && request->version != NULL) {
        snprintf(version, NIP_VERSION_MAX + 1, "%s", request->version);
        code = registry_has(registry, request->name, version, err);
    } else if (code == NIP_OK && version[0] == '\0') {
        code = registry_newest(registry, request->name, version, err);
    }
    return code == NIP_OK ? registry_fetch(registry, request->name, version, npl, err) : code;
}

enum nip_code resolve_package(const struct cli *cli, struct decisions *decisions,
                              const struct resolve_request *request,
                              struct checked_package *package, struct nip_error *err)
{
    memset(package, 0, sizeof *package);
    char version[NIP_VERSION_MAX + 1] = "", what[NIP_NAME_MAX + NIP_VERSION_MAX + 2];
    struct consent consent;
    struct registry *opened = NULL;
    enum nip_code code = get_bytes(decisions, request, &opened, version, &package->npl, err);
    if (code == NIP_OK)
        code = consent_begin(decisions, request, &opened, &package->npl, &consent, err);
    if (code != NIP_OK) {
        registry_close(opened);
        checked_package_free(package);
        return code;
    }
    snprintf(what, sizeof what, "%s %s", request->name, version);
    struct key_list list = {consent.keys, consent.count};
    code = checked_package_open(package, &list, what, err);
    if (code == NIP_ERROR_UNTRUSTED || code == NIP_ERROR_SIGNATURE)
        consent_explain(decisions, request, &consent, version, err);
    // A registry may hand out a valid package under a name or version that is not its own.
    if (code == NIP_OK && (strcmp(package->manifest.identity.name, request->name) != 0 ||
                           strcmp(package->manifest.identity.version, version) != 0)) {
        code = nip_error_set(err, NIP_ERROR_MISMATCH, "%s: the registry gave %s %s instead", what,
                             package->manifest.identity.name, package->manifest.identity.version);
        nip_error_hint(err, "do not use this registry until its operator has explained it");
    }
    if (code == NIP_OK)
        code = consent_end(cli, decisions, request, &opened, &consent, package, err);
    registry_close(opened);
    if (code != NIP_OK)
        checked_package_free(package);
    else if (strcmp(request->alias, NIP_TRUST_SDK_ALIAS) != 0)
        store_put(package->sha256, &package->npl);
    return code;
}

enum nip_code resolve_split(const char *text, char name[NIP_NAME_MAX + 1],
                            char version[NIP_VERSION_MAX + 1], struct nip_error *err)
{
    const char *at = strchr(text, '@');
    size_t size = at != NULL ? (size_t)(at - text) : strlen(text);
    version[0] = '\0';
    if (!nip_name_is_valid(text, size)) {
        nip_error_set(err, NIP_ERROR_NAME, "'%s' is no package name", text);
        nip_error_hint(err, "a name is namespace/name in lower-case letters, digits and hyphens, "
                            "like local/hello; a version is appended with @: local/hello@0.1.0");
        return NIP_ERROR_NAME;
    }
    memcpy(name, text, size);
    name[size] = '\0';
    if (at == NULL)
        return NIP_OK;
    struct nip_version parsed;
    enum nip_code code = nip_version_check(at + 1, &parsed, err);
    if (code == NIP_OK)
        memcpy(version, at + 1, strlen(at + 1) + 1);
    return code;
}
