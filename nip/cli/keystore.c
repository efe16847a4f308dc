// SPDX-License-Identifier: Apache-2.0
//
// Finding, making and unlocking keys.

#include "keystore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "nip/fs.h"
#include "nip/name.h"
#include "password.h"

static enum nip_code store_path(char *out, const char *part, const char *name, const char *suffix,
                                struct nip_error *err)
{
    const char *base = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int length;
    if (base != NULL && base[0] == '/')
        length = snprintf(out, CLI_PATH_SIZE, "%s/rumpk%s%s%s", base, part, name, suffix);
    else if (home != NULL && home[0] == '/')
        length =
            snprintf(out, CLI_PATH_SIZE, "%s/.local/share/rumpk%s%s%s", home, part, name, suffix);
    else {
        nip_error_set(err, NIP_ERROR_MISSING,
                      "neither XDG_DATA_HOME nor HOME says where keys are kept");
        nip_error_hint(err, "set HOME to your home folder, or XDG_DATA_HOME to the folder above "
                            "rumpk/keys");
        return NIP_ERROR_MISSING;
    }
    if (length < 0 || length >= CLI_PATH_SIZE)
        return nip_error_set(err, NIP_ERROR_LIMIT, "the path of the key folder is too long");
    return NIP_OK;
}

static enum nip_code check_name(const char *name, struct nip_error *err)
{
    if (strlen(name) < KEYSTORE_NAME_SIZE && nip_name_part_is_valid(name, strlen(name)))
        return NIP_OK;
    nip_error_set(err, NIP_ERROR_NAME, "'%s' cannot be the name of a key", name);
    nip_error_hint(err, "use lower-case letters, digits and single hyphens");
    return NIP_ERROR_NAME;
}

static enum nip_code key_paths(const char *name, char *secret, char *public, struct nip_error *err)
{
    if (strchr(name, '/') != NULL) {
        size_t size = strlen(name);
        size_t stem = size > 4 && strcmp(name + size - 4, ".key") == 0 ? size - 4 : size;
        int length = snprintf(secret, CLI_PATH_SIZE, "%s", name);
        int other = snprintf(public, CLI_PATH_SIZE, "%.*s.pub", (int)stem, name);
        if (length >= CLI_PATH_SIZE || other >= CLI_PATH_SIZE)
            return nip_error_set(err, NIP_ERROR_LIMIT, "the path of the key is too long");
        return NIP_OK;
    }
    enum nip_code code = check_name(name, err);
    if (code == NIP_OK)
        code = store_path(secret, "/keys/", name, ".key", err);
    if (code == NIP_OK)
        code = store_path(public, "/keys/", name, ".pub", err);
    return code;
}

static enum nip_code read_public(const char *path, struct nip_public_key *key,
                                 struct nip_error *err)
{
    struct nip_buffer text = {0};
    enum nip_code code = nip_fs_read(path, NIP_KEY_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_public_key_parse(nip_buffer_text(&text), text.size, path, key, err);
    nip_buffer_free(&text);
    return code;
}

enum nip_code keystore_list(struct keystore_entry entries[KEYSTORE_KEYS_MAX], size_t *count,
                            struct nip_error *err)
{
    *count = 0;
    char folder[CLI_PATH_SIZE];
    enum nip_code code = store_path(folder, "/keys", "", "", err);
    if (code != NIP_OK || nip_fs_kind(folder) != NIP_FS_FOLDER)
        return code;
    struct nip_fs_names names = {0};
    code = nip_fs_list(folder, &names, err);
    for (size_t i = 0; code == NIP_OK && i < names.count && *count < KEYSTORE_KEYS_MAX; i++) {
        size_t size = strlen(names.names[i]);
        if (size < 5 || size - 4 >= KEYSTORE_NAME_SIZE ||
            strcmp(names.names[i] + size - 4, ".pub") != 0)
            continue;
        struct keystore_entry *entry = &entries[*count];
        char path[CLI_PATH_SIZE];
        snprintf(entry->name, sizeof entry->name, "%.*s", (int)(size - 4), names.names[i]);
        snprintf(path, sizeof path, "%.3800s/%.200s", folder, names.names[i]);
        code = read_public(path, &entry->key, err);
        *count += code == NIP_OK;
    }
    nip_fs_names_free(&names);
    return code;
}

static enum nip_code make_folder_of(const char *path, struct nip_error *err)
{
    char folder[CLI_PATH_SIZE];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return NIP_OK;
    *slash = '\0';
    bool made = false;
    enum nip_code code = nip_fs_make_folders(folder, &made, err);
    if (code == NIP_OK && made && chmod(folder, 0700) != 0)
        code = nip_error_set_errno(err, errno, "cannot make %s private", folder);
    return code;
}

static enum nip_code write_pair(const char *secret_path, const char *public_path,
                                const struct nip_secret_key *secret, const char *password,
                                const struct nip_public_key *key, struct nip_error *err)
{
    struct nip_buffer secret_text = {0}, public_text = {0};
    enum nip_code code = nip_secret_key_print(
        secret, password != NULL ? "nip encrypted secret key" : "nip secret key, NOT ENCRYPTED",
        password, password != NULL ? strlen(password) : 0, NIP_SCRYPT_OPERATIONS,
        NIP_SCRYPT_MEMORY_BYTES, &secret_text, err);
    if (code == NIP_ERROR_LIMIT || code == NIP_ERROR_MEMORY)
        nip_error_hint(err, "encrypting a key takes 1 GiB of memory: free some, raise the limit "
                            "(ulimit -v), or make the key on another computer");
    nip_public_key_print(key, NULL, &public_text);
    if (code == NIP_OK)
        code = nip_buffer_check(&public_text, "the public key", err);
    if (code == NIP_OK)
        code = make_folder_of(secret_path, err);
    if (code != NIP_OK)
        nip_error_hint(err, "keys are kept below HOME/.local/share/rumpk; name another folder with "
                            "XDG_DATA_HOME");
    cleanup_hold();
    if (code == NIP_OK)
        code = nip_fs_create(secret_path, secret_text.data, secret_text.size, 0600, err);
    if (code == NIP_OK && public_path != NULL)
        code = nip_fs_write(public_path, public_text.data, public_text.size, 0644, err);
    cleanup_release();
    nip_buffer_wipe(&secret_text);
    nip_buffer_free(&public_text);
    return code;
}

enum nip_code keystore_make(const char *name, bool has_password, struct nip_public_key *key,
                            struct nip_error *err)
{
    char secret_path[CLI_PATH_SIZE], public_path[CLI_PATH_SIZE], password[PASSWORD_SIZE] = "";
    enum nip_code code = key_paths(name, secret_path, public_path, err);
    if (code != NIP_OK)
        return code;
    if (nip_fs_kind(secret_path) != NIP_FS_NOTHING || nip_fs_kind(public_path) != NIP_FS_NOTHING) {
        nip_error_set(err, NIP_ERROR_EXISTS, "there is a key '%s' already: %s", name, secret_path);
        nip_error_hint(err, "keys are never replaced; choose another name: nip key new NAME");
        return NIP_ERROR_EXISTS;
    }
    if (has_password)
        code = password_get(name, true, password, err);
    struct nip_secret_key secret;
    if (code == NIP_OK)
        code = nip_secret_key_make(&secret, err);
    if (code == NIP_OK) {
        nip_secret_key_public(&secret, key);
        code =
            write_pair(secret_path, public_path, &secret, has_password ? password : NULL, key, err);
        nip_wipe(&secret, sizeof secret);
    }
    nip_wipe(password, sizeof password);
    return code;
}

// What unlocking may take: free memory, and what limits leave to this process.
static uint64_t memory_available(void)
{
    uint64_t available = UINT64_MAX;
    struct rlimit limit;
    FILE *info = fopen("/proc/meminfo", "re");
    if (info != NULL) {
        char line[160];
        static const char label[] = "MemAvailable:";
        while (fgets(line, sizeof line, info) != NULL)
            if (strncmp(line, label, sizeof label - 1) == 0)
                available = strtoull(line + sizeof label - 1, NULL, 10) * 1024;
        fclose(info);
    }
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < available)
        available = limit.rlim_cur;
    return available;
}

enum nip_code keystore_refuse_missing(const char *name, const char *file, struct nip_error *err)
{
    struct keystore_entry entries[KEYSTORE_KEYS_MAX];
    struct nip_buffer list = {0};
    struct nip_error cause = {0};
    size_t count = 0;
    bool is_default = strcmp(name, KEYSTORE_DEFAULT_NAME) == 0;
    bool is_file = strchr(name, '/') != NULL;
    if (keystore_list(entries, &count, &cause) != NIP_OK)
        count = 0;
    for (size_t i = 0; i < count; i++)
        nip_buffer_append_format(&list, "%s%s", i != 0 ? ", " : "", entries[i].name);
    nip_error_set(err, NIP_ERROR_MISSING, "there is no secret key '%s'%s%s%s", name,
                  file != NULL ? " (" : "", file != NULL ? file : "", file != NULL ? ")" : "");
    if (is_file)
        nip_error_hint(err, "--key takes the path of a .key file or a name of 'nip key show'");
    else if (count == 0)
        nip_error_hint(err, "make one: nip key new%s%s", is_default ? "" : " ",
                       is_default ? "" : name);
    else
        nip_error_hint(err,
                       "sign with one of your keys: --key NAME (%.400s)\n"
                       "or make this one: nip key new%s%s",
                       nip_buffer_text(&list), is_default ? "" : " ", is_default ? "" : name);
    nip_buffer_free(&list);
    return NIP_ERROR_MISSING;
}

static enum nip_code check_secret_file(const char *path, const char *name, struct nip_error *err)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno != ENOENT)
            return nip_error_set_errno(err, errno, "cannot read the secret key %s", path);
        return keystore_refuse_missing(name, path, err);
    }
    if ((status.st_mode & 077) != 0) {
        nip_error_set(err, NIP_ERROR_KEY,
                      "the secret key %s may be read by others (mode %03o, expected 600)", path,
                      (unsigned)(status.st_mode & 0777));
        nip_error_hint(err, "chmod 600 '%s', and make a new key if somebody may have read it",
                       path);
        return NIP_ERROR_KEY;
    }
    return NIP_OK;
}

static enum nip_code unlock_text(const struct nip_buffer *text, const char *path, const char *name,
                                 struct nip_secret_key *key, struct nip_error *err)
{
    struct nip_secret_key_form form = {0};
    enum nip_code code =
        nip_secret_key_inspect(nip_buffer_text(text), text->size, path, &form, err);
    if (code != NIP_OK)
        return code;
    char password[PASSWORD_SIZE] = "";
    uint64_t available = memory_available();
    if (form.is_encrypted && form.memory_bytes > available) {
        nip_error_set(err, NIP_ERROR_MEMORY,
                      "unlocking the key '%s' needs %llu MiB of memory, and only %llu MiB are "
                      "available",
                      name, (unsigned long long)(form.memory_bytes >> 20),
                      (unsigned long long)(available >> 20));
        nip_error_hint(err, "free memory or raise the limit (ulimit -v), or sign on another "
                            "computer: nip sign --import");
        return NIP_ERROR_MEMORY;
    }
    if (form.is_encrypted)
        code = password_get(name, false, password, err);
    if (code == NIP_OK)
        code = nip_secret_key_parse(nip_buffer_text(text), text->size, path,
                                    form.is_encrypted ? password : NULL, strlen(password),
                                    UINT64_MAX, key, err);
    if (code == NIP_ERROR_LIMIT || code == NIP_ERROR_MEMORY)
        nip_error_hint(err, "free memory or raise the limit (ulimit -v), or sign on another "
                            "computer: nip sign --import");
    nip_wipe(password, sizeof password);
    return code;
}

static struct {
    char path[CLI_PATH_SIZE];
    struct nip_secret_key key;
} unlocked;

enum nip_code keystore_unlock(const char *name, struct nip_secret_key *key, struct nip_error *err)
{
    char secret_path[CLI_PATH_SIZE], public_path[CLI_PATH_SIZE];
    enum nip_code code = key_paths(name, secret_path, public_path, err);
    if (code != NIP_OK)
        return code;
    if (strcmp(unlocked.path, secret_path) == 0) {
        *key = unlocked.key;
        return NIP_OK;
    }
    struct nip_buffer text = {0};
    code = check_secret_file(secret_path, name, err);
    if (code == NIP_OK)
        code = nip_fs_read(secret_path, NIP_KEY_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = unlock_text(&text, secret_path, name, key, err);
    nip_buffer_wipe(&text);
    if (code == NIP_OK) {
        memcpy(unlocked.path, secret_path, sizeof unlocked.path);
        unlocked.key = *key;
    }
    return code;
}

enum nip_code keystore_check(const char *name, struct nip_error *err)
{
    char secret_path[CLI_PATH_SIZE], public_path[CLI_PATH_SIZE];
    enum nip_code code = key_paths(name, secret_path, public_path, err);
    return code == NIP_OK ? check_secret_file(secret_path, name, err) : code;
}

bool keystore_has_secret(const char *name)
{
    char secret_path[CLI_PATH_SIZE], public_path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    size_t size = strlen(name);
    // A path may also be that of a public key.
    if (strchr(name, '/') != NULL && (size < 4 || strcmp(name + size - 4, ".key") != 0))
        return false;
    return key_paths(name, secret_path, public_path, &cause) == NIP_OK &&
           nip_fs_kind(secret_path) == NIP_FS_FILE;
}

enum nip_code keystore_public(const char *text, struct nip_public_key *key, struct nip_error *err)
{
    struct nip_error cause = {0};
    if (strlen(text) == NIP_KEY_TEXT_SIZE - 1 && strncmp(text, "RW", 2) == 0)
        return nip_public_key_parse(text, strlen(text), "the key", key, err);
    char secret_path[CLI_PATH_SIZE], public_path[CLI_PATH_SIZE];
    if (strchr(text, '/') == NULL && check_name(text, &cause) == NIP_OK &&
        key_paths(text, secret_path, public_path, &cause) == NIP_OK &&
        nip_fs_kind(public_path) == NIP_FS_FILE)
        return read_public(public_path, key, err);
    if (nip_fs_kind(text) == NIP_FS_FILE)
        return read_public(text, key, err);
    nip_error_set(err, NIP_ERROR_MISSING, "'%s' is no key, no key file, and none of your keys",
                  text);
    nip_error_hint(err, "'nip key show' lists your keys; others are given as a .pub file or RW...");
    return NIP_ERROR_MISSING;
}

enum nip_code keystore_development(struct nip_secret_key *key, struct nip_error *err)
{
    char path[CLI_PATH_SIZE];
    enum nip_code code = store_path(path, "/development", ".key", "", err);
    if (code != NIP_OK)
        return code;
    if (nip_fs_kind(path) == NIP_FS_NOTHING) {
        struct nip_public_key public;
        struct nip_error cause = {0};
        code = nip_secret_key_make(key, err);
        if (code != NIP_OK)
            return code;
        nip_secret_key_public(key, &public);
        code = write_pair(path, NULL, key, NULL, &public, &cause);
        // Another nip made it at the same moment: then that one counts.
        if (code != NIP_OK && code != NIP_ERROR_EXISTS) {
            *err = cause;
            return code;
        }
    }
    struct nip_buffer text = {0};
    code = check_secret_file(path, "development", err);
    if (code == NIP_OK)
        code = nip_fs_read(path, NIP_KEY_FILE_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_secret_key_parse(nip_buffer_text(&text), text.size, path, NULL, 0, 0, key, err);
    nip_buffer_wipe(&text);
    return code;
}

bool keystore_is_development(const uint8_t key[NIP_PUBLIC_KEY_BYTES])
{
    char path[CLI_PATH_SIZE];
    struct nip_error cause = {0};
    if (store_path(path, "/development", ".key", "", &cause) != NIP_OK ||
        nip_fs_kind(path) != NIP_FS_FILE)
        return false;
    struct nip_secret_key secret;
    struct nip_public_key public;
    if (keystore_development(&secret, &cause) != NIP_OK)
        return false;
    nip_secret_key_public(&secret, &public);
    nip_wipe(&secret, sizeof secret);
    return nip_equals(public.key, key, NIP_PUBLIC_KEY_BYTES);
}
