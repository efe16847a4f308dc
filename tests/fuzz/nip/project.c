// SPDX-License-Identifier: Apache-2.0
//
// project: an accepted nip.lock prints to a text that is accepted again and is its own printing; an
// accepted nip.trust.kdl says the same and one line more when a line is appended. An accepted list
// of yanked versions is its own printing. Accepted settings are within their limits.

#include <string.h>

#include "fuzz.h"
#include "must.h"
#include "nip/config.h"
#include "nip/lock.h"
#include "nip/trust.h"
#include "nip/workspace.h"
#include "nip/yanked.h"

static void check_lock(const uint8_t *data, size_t size)
{
    static struct nip_lock lock, again;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0}, twice = {.size = 0};
    if (nip_lock_parse((const char *)data, size, "nip.lock", &lock, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    nip_lock_print(&lock, &text);
    MUST(nip_lock_parse(nip_buffer_text(&text), text.size, "again", &again, &err) == NIP_OK);
    nip_lock_print(&again, &twice);
    MUST(nip_buffer_equals(&twice, text.data, text.size));
    MUST(memcmp(&lock, &again, sizeof lock) == 0);
    nip_buffer_free(&text);
    nip_buffer_free(&twice);
}

static void check_trust(const uint8_t *data, size_t size)
{
    static struct nip_trust trust, more;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    if (nip_trust_parse((const char *)data, size, "nip.trust.kdl", &trust, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    // Whatever is accepted for a line is one of its keys, or a revoked one that keeps a package.
    for (size_t i = 0; i < trust.publisher_count; i++) {
        struct nip_public_key keys[NIP_TRUST_KEYS_MAX + NIP_TRUST_REVOKED_MAX];
        size_t count = nip_trust_keys(&trust, trust.publishers[i].pattern, NULL, keys,
                                      sizeof keys / sizeof keys[0]);
        MUST(count <= trust.publishers[i].key_count);
        MUST(trust.publishers[i].threshold >= 1 &&
             trust.publishers[i].threshold <= trust.publishers[i].key_count);
    }
    if (trust.publisher_count == 0 || trust.publisher_count == NIP_TRUST_PUBLISHERS_MAX)
        return;
    nip_buffer_append(&text, data, size);
    nip_trust_append_publisher(&text, "added/name", &trust.publishers[0].keys[0]);
    // A file that ends in a line continuation swallows the line: then it is refused, never misread.
    if (nip_trust_parse(nip_buffer_text(&text), text.size, "more", &more, &err) == NIP_OK) {
        MUST(more.publisher_count == trust.publisher_count + 1);
        MUST(memcmp(more.registries, trust.registries, sizeof more.registries) == 0);
    }
    nip_buffer_free(&text);
}

static void check_yanked(const uint8_t *data, size_t size)
{
    struct nip_yanked yanked;
    struct nip_error err = {.code = NIP_OK};
    struct nip_buffer text = {.size = 0};
    if (nip_yanked_parse((const char *)data, size, "yanked", &yanked, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    nip_yanked_print(&yanked, &text);
    MUST(nip_buffer_equals(&text, data, size));
    nip_buffer_free(&text);
    nip_yanked_free(&yanked);
}

static void check_workspace(const uint8_t *data, size_t size)
{
    static struct nip_workspace workspace;
    struct nip_error err = {.code = NIP_OK};
    if (nip_workspace_parse((const char *)data, size, "nip.workspace.kdl", &workspace, &err) !=
        NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    for (uint32_t i = 0; i < workspace.member_count; i++)
        MUST(workspace.members[i].path[0] != '/' &&
             strstr(workspace.members[i].path, "/../") == NULL);
}

static void check_config(const uint8_t *data, size_t size)
{
    static struct nip_config config;
    struct nip_error err = {.code = NIP_OK};
    if (nip_config_parse((const char *)data, size, "config.kdl", &config, &err) != NIP_OK) {
        MUST(err.message[0] != '\0');
        return;
    }
    FUZZ_ACCEPTED();
    MUST(config.jobs <= NIP_CONFIG_JOBS_MAX);
    MUST(config.cache[0] == '\0' || config.cache[0] == '/');
    for (uint32_t i = 0; i < config.registry_count; i++)
        MUST(nip_config_url(&config, config.registries[i].alias) == config.registries[i].url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_lock(data, size);
    check_trust(data, size);
    check_yanked(data, size);
    check_workspace(data, size);
    check_config(data, size);
    return 0;
}
