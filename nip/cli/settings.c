// SPDX-License-Identifier: Apache-2.0
//
// Finding and reading the user's settings.

#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "keystore.h"
#include "nip/fs.h"

static struct {
    struct nip_config config;
    char file[CLI_PATH_SIZE];
    size_t jobs;
} state;

// false: nothing says where the file is.
static bool find_file(void)
{
    const char *named = getenv("NIP_CONFIG"), *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int length = 0;
    if (named != NULL)
        length = snprintf(state.file, sizeof state.file, "%s", named);
    else if (base != NULL && base[0] == '/')
        length = snprintf(state.file, sizeof state.file, "%s/nip/%s", base, NIP_CONFIG_FILE);
    else if (home != NULL && home[0] == '/')
        length =
            snprintf(state.file, sizeof state.file, "%s/.config/nip/%s", home, NIP_CONFIG_FILE);
    if (length > 0 && length < CLI_PATH_SIZE)
        return true;
    state.file[0] = '\0';
    return false;
}

enum nip_code settings_load(struct nip_error *err)
{
    struct nip_buffer text = {0};
    bool is_named = getenv("NIP_CONFIG") != NULL;
    if (!find_file() || (!is_named && nip_fs_kind(state.file) == NIP_FS_NOTHING))
        return NIP_OK;
    enum nip_code code = nip_fs_read(state.file, NIP_CONFIG_SIZE_MAX, &text, err);
    if (code == NIP_OK)
        code = nip_config_parse(nip_buffer_text(&text), text.size, state.file, &state.config, err);
    else
        nip_error_hint(err, "these are your settings; 'nip help config' says what they may hold");
    nip_buffer_free(&text);
    if (code != NIP_OK)
        memset(&state.config, 0, sizeof state.config);
    return code;
}

const struct nip_config *settings(void)
{
    return &state.config;
}

const char *settings_file(void)
{
    return state.file;
}

void settings_forget_places(void)
{
    state.config.registry_count = 0;
    memset(state.config.registries, 0, sizeof state.config.registries);
    memset(state.config.key, 0, sizeof state.config.key);
    memset(state.config.cache, 0, sizeof state.config.cache);
    unsetenv("NIP_CACHE");
}

enum nip_code settings_set_jobs(const char *text, struct nip_error *err)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long jobs = digits > 0 && digits <= 3 ? strtoul(text, NULL, 10) : 0;
    if (text[digits] != '\0' || jobs == 0 || jobs > NIP_CONFIG_JOBS_MAX) {
        nip_error_set(err, NIP_ERROR_USAGE, "--jobs does not take '%s'", text);
        nip_error_hint(err, "a number from 1 to %d", NIP_CONFIG_JOBS_MAX);
        return NIP_ERROR_USAGE;
    }
    state.jobs = jobs;
    return NIP_OK;
}

size_t settings_jobs(void)
{
    return state.jobs != 0 ? state.jobs : state.config.jobs;
}

const char *settings_key_said(const struct cli *cli)
{
    const char *key = cli_option(cli, "key");
    if (key == NULL && state.config.key[0] != '\0')
        key = state.config.key;
    return key;
}

const char *settings_key(const struct cli *cli)
{
    const char *key = settings_key_said(cli);
    return key != NULL ? key : KEYSTORE_DEFAULT_NAME;
}

const char *settings_cache(void)
{
    const char *named = getenv("NIP_CACHE");
    if (named != NULL && named[0] == '/')
        return named;
    return state.config.cache[0] != '\0' ? state.config.cache : NULL;
}
