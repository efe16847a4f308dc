// SPDX-License-Identifier: Apache-2.0
//
// Where the versions and requirements of libraries come from: the source for version selection.
//
// A name belongs to one place, found in this order: local work (an override of nip.workspace.kdl or
// a member of the workspace); the registry that the project writes beside the name; the one of the
// lock; the one that the package asking for it came from. Two askers from two registries are
// refused until the project says which.

#ifndef NIP_CLI_LIBRARY_SEARCH_H
#define NIP_CLI_LIBRARY_SEARCH_H

#include "libraries.h"
#include "members.h"

struct library_search;

// `only_locked`: nothing but what the lock names, and no registry.
enum nip_code library_search_new(const struct cli *cli, struct decisions *decisions,
                                 const struct libraries_request *request,
                                 const struct nip_lock *lock, const struct members *members,
                                 bool only_locked, struct library_search **search,
                                 struct nip_error *err) NIP_MUST_CHECK;
// Nothing more is looked for: the bar goes. What was found stays.
void library_search_end(struct library_search *search);
void library_search_free(struct library_search *search);

const struct nip_mvs_source *library_search_source(const struct library_search *search);
// What the project asks for.
const struct nip_mvs_requirement *library_search_roots(const struct library_search *search,
                                                       size_t *count);
// Moves a package that was chosen out of the search.
enum nip_code library_search_take(struct library_search *search,
                                  const struct nip_mvs_choice *choice, struct library *library,
                                  struct nip_error *err) NIP_MUST_CHECK;

#endif
