// SPDX-License-Identifier: Apache-2.0
//
// A registry by its address. This release knows folders (file:); other schemes are refused by name.
//
// What comes from a registry is never trusted: packages are verified by their signature, and a
// publisher's key that a registry hands out is only something to show to a person at first use.

#ifndef NIP_NET_REGISTRY_H
#define NIP_NET_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/folder.h"
#include "nip/minisign.h"

struct registry;

enum { REGISTRY_KEYS_MAX = 16 };

// Whether `text` is an address at all ("scheme:..."), rather than an alias.
bool registry_is_url(const char *text);

// `url` is file:PATH, relative paths counting from `folder`. A missing folder is created if
// `may_create`; *is_new (may be NULL) says so.
enum nip_code registry_open(const char *url, const char *folder, bool may_create,
                            struct registry **registry, bool *is_new,
                            struct nip_error *err) NIP_MUST_CHECK;
void registry_close(struct registry *registry); // NULL is fine
const char *registry_url(const struct registry *registry);

// All versions of a package, lowest first, with their yanks. MISSING if there is no such package.
// Free with nip_folder_versions_free().
enum nip_code registry_versions(struct registry *registry, const char *name,
                                struct nip_folder_versions *versions,
                                struct nip_error *err) NIP_MUST_CHECK;
enum nip_code registry_yank(struct registry *registry, const char *name, const char *version,
                            const char *reason, bool is_undone, bool *changed,
                            struct nip_error *err) NIP_MUST_CHECK;
// The highest version of a package that is not yanked, or MISSING. `out` has NIP_VERSION_MAX + 1
// bytes.
enum nip_code registry_newest(struct registry *registry, const char *name, char *out,
                              struct nip_error *err) NIP_MUST_CHECK;
// NIP_OK, MISSING when it is not there.
enum nip_code registry_has(struct registry *registry, const char *name, const char *version,
                           struct nip_error *err) NIP_MUST_CHECK;
enum nip_code registry_names(struct registry *registry, struct nip_folder_names *names,
                             struct nip_error *err) NIP_MUST_CHECK;
enum nip_code registry_fetch(struct registry *registry, const char *name, const char *version,
                             struct nip_buffer *npl, struct nip_error *err) NIP_MUST_CHECK;
// Also leaves the publisher's public key there, for first use by others.
enum nip_code registry_publish(struct registry *registry, const char *name, const char *version,
                               const uint8_t id[NIP_DIGEST_SIZE], const void *npl, size_t size,
                               const struct nip_folder_file *files, size_t file_count,
                               const struct nip_public_key *key,
                               struct nip_error *err) NIP_MUST_CHECK;
// A file that the package's verified list names beside it: of exactly that size and digest.
enum nip_code registry_fetch_beside(struct registry *registry, const char *name,
                                    const char *version, const struct nip_digests_file *wanted,
                                    struct nip_buffer *out, struct nip_error *err) NIP_MUST_CHECK;
// Further signatures over a package: attaching one that is there changes nothing.
enum nip_code registry_attach(struct registry *registry, const char *name, const char *version,
                              const void *signature, size_t size,
                              struct nip_error *err) NIP_MUST_CHECK;
enum nip_code registry_attached(struct registry *registry, const char *name, const char *version,
                                nip_folder_each_fn each, void *context,
                                struct nip_error *err) NIP_MUST_CHECK;
// The publisher keys that the registry hands out for a package: candidates for first use.
enum nip_code registry_keys(struct registry *registry, const char *name,
                            struct nip_public_key keys[REGISTRY_KEYS_MAX], size_t *count,
                            struct nip_error *err) NIP_MUST_CHECK;
// Repairs every package; *repaired counts those whose index changed.
enum nip_code registry_repair(struct registry *registry, size_t *repaired, size_t *total,
                              struct nip_error *err) NIP_MUST_CHECK;

#endif
