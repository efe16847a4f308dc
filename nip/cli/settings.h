// SPDX-License-Identifier: Apache-2.0
//
// The user's settings (config.kdl, see nip/config.h), read once at the start, and the questions
// that several parts of the tool ask them. Whatever an option or the environment says comes first.
//
//   NIP_CONFIG          another file; empty: none
//   XDG_CONFIG_HOME     .../nip/config.kdl
//   HOME                .../.config/nip/config.kdl

#ifndef NIP_CLI_SETTINGS_H
#define NIP_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli.h"
#include "nip/config.h"
#include "nip/error.h"

// Reads the file; one that is not there says nothing. After a failure everything is unsaid.
enum nip_code settings_load(struct nip_error *err) NIP_MUST_CHECK;
const struct nip_config *settings(void);
// Where the file is or would be; "" when nothing says where.
const char *settings_file(void);

// Forgets all that names a folder, a registry or a key: as for a user with an empty home.
void settings_forget_places(void);

// --jobs of the command line. USAGE when it is no number from 1 to NIP_CONFIG_JOBS_MAX.
enum nip_code settings_set_jobs(const char *text, struct nip_error *err) NIP_MUST_CHECK;
// How many programs may run at once as an option or the settings say; 0: nobody says.
size_t settings_jobs(void);

// The key that signs, as --key or the settings say; NULL: nobody says.
const char *settings_key_said(const struct cli *cli);
// The same, and the key 'default' when nobody says.
const char *settings_key(const struct cli *cli);
// The folder of the cache as NIP_CACHE or the settings say, or NULL.
const char *settings_cache(void);

#endif
