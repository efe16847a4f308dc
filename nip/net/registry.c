// SPDX-License-Identifier: Apache-2.0
//
// Registries by address: the scheme decides, and only file: exists so far.
//
//   ROOT/<namespace>/<name>/publishers/<fingerprint>.pub     keys that published here

#include "registry.h"

#include <stdlib.h>
#include <string.h>

#include "nip/fs.h"
#include "nip/name.h"

struct registry {
    struct nip_folder *folder;
    char *url;
    char *root;
};

bool registry_is_url(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+");
    return size != 0 && text[size] == ':';
}

static enum nip_code refuse_address(const char *url, struct nip_error *err)
{
    if (strchr(url, ':') == NULL || url[0] == '.' || url[0] == '/') {
        nip_error_set(err, NIP_ERROR_USAGE, "'%s' is no address of a registry", url);
        nip_error_hint(err, "for a folder write file:%s", url);
        return NIP_ERROR_USAGE;
    }
    nip_error_set(err, NIP_ERROR_NETWORK,
                  "this release of nip reaches registries that are folders "
                  "only, and '%s' is none",
                  url);
    nip_error_hint(err, "use an address like file:../reg");
    return NIP_ERROR_NETWORK;
}

// The path of a file: address: file:reg, file:../reg, file:/srv/reg, file:///srv/reg.
static char *path_of(const char *url, const char *folder)
{
    const char *path = url + 5;
    if (strncmp(path, "///", 3) == 0)
        path += 2;
    if (path[0] == '/' || folder == NULL || strcmp(folder, ".") == 0)
        return strdup(path);
    return nip_fs_join(folder, path);
}

enum nip_code registry_open(const char *url, const char *folder, bool may_create,
                            struct registry **registry, bool *is_new, struct nip_error *err)
{
    *registry = NULL;
    if (strncmp(url, "file:", 5) != 0)
        return refuse_address(url, err);
    if (url[5] == '\0' || (strncmp(url + 5, "//", 2) == 0 && url[7] != '/')) {
        nip_error_set(err, NIP_ERROR_USAGE, "'%s' names no folder", url);
        nip_error_hint(err, "write file:../reg or file:/srv/reg");
        return NIP_ERROR_USAGE;
    }
    bool created = false;
    struct registry *made = calloc(1, sizeof *made);
    if (made != NULL) {
        made->url = strdup(url);
        made->root = path_of(url, folder);
    }
    enum nip_code code = NIP_OK;
    if (made == NULL || made->url == NULL || made->root == NULL) {
        code = nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    } else if (!may_create && nip_fs_kind(made->root) == NIP_FS_NOTHING) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "there is no registry at %s", url);
        nip_error_hint(err, "check the path; 'nip publish --registry %s' creates the folder", url);
    } else {
        code = nip_folder_open(made->root, may_create, &made->folder, &created, err);
    }
    if (code != NIP_OK) {
        registry_close(made);
        return code;
    }
    if (is_new != NULL)
        *is_new = created;
    *registry = made;
    return NIP_OK;
}

void registry_close(struct registry *registry)
{
    if (registry == NULL)
        return;
    if (registry->folder != NULL)
        nip_folder_close(registry->folder);
    free(registry->url);
    free(registry->root);
    free(registry);
}

const char *registry_url(const struct registry *registry)
{
    return registry->url;
}

enum nip_code registry_newest(struct registry *registry, const char *name, char *out,
                              struct nip_error *err)
{
    struct nip_folder_versions versions = {0};
    enum nip_code code = nip_folder_list(registry->folder, name, &versions, err);
    if (code == NIP_OK && versions.count == 0)
        code =
            nip_error_set(err, NIP_ERROR_MISSING, "%s has no version of %s", registry->url, name);
    // A yanked version is not taken; a pre-release only if there is nothing else.
    size_t chosen = versions.count;
    bool has_release = false;
    for (size_t i = versions.count; code == NIP_OK && i-- > 0 && !has_release;) {
        struct nip_version version;
        const char *text = versions.items[i].text;
        if (versions.items[i].is_yanked || !nip_version_parse(text, strlen(text), &version))
            continue;
        has_release = version.prerelease[0] == '\0';
        if (has_release || chosen == versions.count)
            chosen = i;
    }
    if (code == NIP_OK && chosen == versions.count) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "every version of %s in %s is yanked", name,
                             registry->url);
        nip_error_hint(err, "name the version if you must have it: %s@%s", name,
                       versions.items[versions.count - 1].text);
    } else if (code == NIP_OK) {
        memcpy(out, versions.items[chosen].text, sizeof versions.items[chosen].text);
    }
    nip_folder_versions_free(&versions);
    return code;
}

enum nip_code registry_has(struct registry *registry, const char *name, const char *version,
                           struct nip_error *err)
{
    struct nip_folder_versions versions = {0};
    enum nip_code code = nip_folder_list(registry->folder, name, &versions, err);
    if (code != NIP_OK)
        return code;
    bool found = false;
    struct nip_buffer list = {0};
    for (size_t i = 0; i < versions.count; i++) {
        found = found || strcmp(versions.items[i].text, version) == 0;
        nip_buffer_append_format(&list, "%s%s", i != 0 ? ", " : "", versions.items[i].text);
    }
    if (!found) {
        code = nip_error_set(err, NIP_ERROR_MISSING, "%s has no version %s of %s", registry->url,
                             version, name);
        nip_error_hint(err, "it has: %s", nip_buffer_text(&list));
    }
    nip_buffer_free(&list);
    nip_folder_versions_free(&versions);
    return code;
}

enum nip_code registry_versions(struct registry *registry, const char *name,
                                struct nip_folder_versions *versions, struct nip_error *err)
{
    return nip_folder_list(registry->folder, name, versions, err);
}

enum nip_code registry_yank(struct registry *registry, const char *name, const char *version,
                            const char *reason, bool is_undone, bool *changed,
                            struct nip_error *err)
{
    return nip_folder_yank(registry->folder, name, version, reason, is_undone, changed, err);
}

enum nip_code registry_names(struct registry *registry, struct nip_folder_names *names,
                             struct nip_error *err)
{
    return nip_folder_names(registry->folder, names, err);
}

enum nip_code registry_fetch(struct registry *registry, const char *name, const char *version,
                             struct nip_buffer *npl, struct nip_error *err)
{
    return nip_folder_fetch(registry->folder, name, version, NIP_BUFFER_SIZE_MAX, npl, err);
}

enum nip_code registry_fetch_beside(struct registry *registry, const char *name,
                                    const char *version, const struct nip_digests_file *wanted,
                                    struct nip_buffer *out, struct nip_error *err)
{
    return nip_folder_fetch_beside(registry->folder, name, version, wanted, out, err);
}

enum nip_code registry_attach(struct registry *registry, const char *name, const char *version,
                              const void *signature, size_t size, struct nip_error *err)
{
    return nip_folder_attach(registry->folder, name, version, signature, size, err);
}

enum nip_code registry_attached(struct registry *registry, const char *name, const char *version,
                                nip_folder_each_fn each, void *context, struct nip_error *err)
{
    return nip_folder_attached(registry->folder, name, version, each, context, err);
}

static char *publishers_folder(const struct registry *registry, const char *name)
{
    char *package = nip_fs_join(registry->root, name);
    char *folder = package != NULL ? nip_fs_join(package, "publishers") : NULL;
    free(package);
    return folder;
}

static enum nip_code leave_key(struct registry *registry, const char *name,
                               const struct nip_public_key *key, struct nip_error *err)
{
    char file[NIP_DIGEST_TEXT_SIZE + 4];
    nip_public_key_fingerprint(key, file);
    memcpy(file + NIP_DIGEST_TEXT_SIZE - 1, ".pub", 5);
    char *folder = publishers_folder(registry, name);
    char *path = folder != NULL ? nip_fs_join(folder, file) : NULL;
    struct nip_buffer text = {0};
    nip_public_key_print(key, NULL, &text);
    enum nip_code code = path == NULL ? nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory")
                                      : nip_buffer_check(&text, "the public key", err);
    if (code == NIP_OK)
        code = nip_fs_make_folders(folder, NULL, err);
    if (code == NIP_OK && nip_fs_kind(path) == NIP_FS_NOTHING) {
        struct nip_error cause = {0};
        code = nip_fs_create(path, text.data, text.size, 0644, &cause);
        // Somebody else with the same key was faster: the content is the same.
        if (code == NIP_ERROR_EXISTS)
            code = NIP_OK;
        else if (code != NIP_OK && err != NULL)
            *err = cause;
    }
    nip_buffer_free(&text);
    free(path);
    free(folder);
    return code;
}

enum nip_code registry_publish(struct registry *registry, const char *name, const char *version,
                               const uint8_t id[NIP_DIGEST_SIZE], const void *npl, size_t size,
                               const struct nip_folder_file *files, size_t file_count,
                               const struct nip_public_key *key, struct nip_error *err)
{
    // The key first: a version that is there must not lack it, whatever happens in between.
    enum nip_code code = leave_key(registry, name, key, err);
    return code == NIP_OK ? nip_folder_publish(registry->folder, name, version, id, npl, size,
                                               files, file_count, err)
                          : code;
}

enum nip_code registry_keys(struct registry *registry, const char *name,
                            struct nip_public_key keys[REGISTRY_KEYS_MAX], size_t *count,
                            struct nip_error *err)
{
    *count = 0;
    char *folder = publishers_folder(registry, name);
    if (folder == NULL)
        return nip_error_set(err, NIP_ERROR_MEMORY, "not enough memory");
    struct nip_fs_names names = {0};
    enum nip_code code = NIP_OK;
    if (nip_fs_kind(folder) == NIP_FS_FOLDER)
        code = nip_fs_list(folder, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count && *count < REGISTRY_KEYS_MAX; i++) {
        char *path = nip_fs_join(folder, names.names[i]);
        struct nip_buffer text = {0};
        struct nip_error cause = {0};
        // A file that is no key is no candidate; nothing else follows from it.
        if (path != NULL && nip_fs_read(path, NIP_KEY_FILE_SIZE_MAX, &text, &cause) == NIP_OK &&
            nip_public_key_parse(nip_buffer_text(&text), text.size, path, &keys[*count], &cause) ==
                NIP_OK)
            ++*count;
        nip_buffer_free(&text);
        free(path);
    }
    nip_fs_names_free(&names);
    free(folder);
    return code;
}

enum nip_code registry_repair(struct registry *registry, size_t *repaired, size_t *total,
                              struct nip_error *err)
{
    struct nip_folder_names names = {0};
    enum nip_code code = nip_folder_names(registry->folder, &names, err);
    *repaired = 0;
    *total = names.count;
    for (size_t i = 0; code == NIP_OK && i < names.count; i++) {
        bool changed = false;
        code = nip_folder_repair(registry->folder, names.items[i], &changed, err);
        *repaired += changed;
    }
    nip_folder_names_free(&names);
    return code;
}
