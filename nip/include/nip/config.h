// SPDX-License-Identifier: Apache-2.0
//
// The user's own settings, $XDG_CONFIG_HOME/nip/config.kdl: what one person wants on one computer.
//
//   registry "work" url="file:/srv/packages"     // an alias for every project
//   key "release"                                // what sign and publish sign with
//   color "never"
//   progress "never"
//   jobs 4
//   cache "/var/cache/nip"
//
// Nothing here decides whose signature counts, and nothing here changes what is built: two users
// with different settings get the same bytes. That is why keys that are accepted, versions and
// flags have no place in it; they stand in the project's files, where a reviewer sees them.

#ifndef NIP_CONFIG_H
#define NIP_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_CONFIG_FILE "config.kdl"

enum {
    NIP_CONFIG_SIZE_MAX = 65536,
    NIP_CONFIG_REGISTRIES_MAX = 32,
    NIP_CONFIG_ALIAS_SIZE = 64,
    NIP_CONFIG_URL_SIZE = 512,
    NIP_CONFIG_KEY_SIZE = 1024,
    NIP_CONFIG_PATH_SIZE = 1024,
    NIP_CONFIG_JOBS_MAX = 64,
};

// 0 in every field: the file does not say.
enum nip_config_when {
    NIP_CONFIG_UNSAID,
    NIP_CONFIG_AUTO,
    NIP_CONFIG_ALWAYS,
    NIP_CONFIG_NEVER,
};

struct nip_config_registry {
    char alias[NIP_CONFIG_ALIAS_SIZE];
    char url[NIP_CONFIG_URL_SIZE]; // the path of a file: address is absolute
};

// Owns no memory.
struct nip_config {
    uint32_t registry_count;
    struct nip_config_registry registries[NIP_CONFIG_REGISTRIES_MAX];
    char key[NIP_CONFIG_KEY_SIZE];
    uint32_t color, progress; // enum nip_config_when; progress is never ALWAYS
    uint32_t jobs;
    char cache[NIP_CONFIG_PATH_SIZE]; // absolute
};

// `file` is what errors call it. An empty text says nothing. Errors with line, column and caret.
enum nip_code nip_config_parse(const char *text, size_t size, const char *file,
                               struct nip_config *config, struct nip_error *err) NIP_MUST_CHECK;
// The address of an alias, or NULL.
const char *nip_config_url(const struct nip_config *config, const char *alias);

// docs/config.md: every setting with what it may hold, in Markdown.
void nip_config_document(struct nip_buffer *out);
// The example in it: settings that parse.
extern const char nip_config_example[];

#ifdef __cplusplus
}
#endif

#endif
