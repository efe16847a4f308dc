// SPDX-License-Identifier: Apache-2.0
//
// Where the decisions of a project are kept: nip.lock, nip.trust.kdl, the pending changes and the
// lock that keeps other nips out. For a project that stands alone that is its own folder; all
// members of a workspace share those of the folder that holds nip.workspace.kdl, so that one name
// and class is one version for all of them, and one key is accepted once.

#ifndef NIP_CLI_HOME_H
#define NIP_CLI_HOME_H

#include <stdbool.h>

#include "cli.h"
#include "nip/error.h"

// The home of the project in `folder`: `folder` itself, or a way up from there ("../.."). Works for
// folders without a project too. CONFLICT when a member still has decisions of its own, with what
// to do about it. `home` has CLI_PATH_SIZE bytes.
enum nip_code home_find(const char *folder, char *home, struct nip_error *err) NIP_MUST_CHECK;
// "home/name" of the project in `folder`.
enum nip_code home_path(const char *folder, const char *name, char *out,
                        struct nip_error *err) NIP_MUST_CHECK;
// The folder as its home sees it: "drivers/ring"; "" when it is its own home.
enum nip_code home_inside(const char *folder, char *out, struct nip_error *err) NIP_MUST_CHECK;

// Whether the decisions of the project are those of a workspace.
enum nip_code home_is_shared(const char *folder, bool *is_shared,
                             struct nip_error *err) NIP_MUST_CHECK;
// Whether a project made in `folder`, which does not exist yet, will be a member of a workspace.
enum nip_code home_will_share(const char *folder, bool *shares,
                              struct nip_error *err) NIP_MUST_CHECK;

// "../ring": the way from one folder to another (both exist), the same on every computer. LIMIT
// when it is longer than `out_size` allows.
enum nip_code home_relative(const char *from, const char *to, char *out, size_t out_size,
                            struct nip_error *err) NIP_MUST_CHECK;

// A path that goes from `folder`, as nip.lock of its home writes it: as it is, when nothing is
// shared.
enum nip_code home_lock_path(const char *folder, const char *path, char *out, size_t out_size,
                             struct nip_error *err) NIP_MUST_CHECK;

// The address of a registry, given in `folder`, as its home writes it: relative paths of file: go
// from there. `out` has CLI_PATH_SIZE bytes.
enum nip_code home_registry_url(const char *folder, const char *url, char *out,
                                struct nip_error *err) NIP_MUST_CHECK;

#endif
