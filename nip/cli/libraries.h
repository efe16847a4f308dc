// SPDX-License-Identifier: Apache-2.0
//
// The libraries of a project: chosen, locked, checked, and laid out for compiler and linker.
//
//   npl.kdl ──asks──> registries, nip.lock, nip.workspace.kdl ──minimal version selection──>
//   nip.lock
//                                                                           └──> build/deps/NAME/
//
// While the lock holds a complete answer to what npl.kdl asks for, it is the answer, and no
// registry is looked at (but for a warning about yanked versions). Otherwise everything is chosen
// again from the registries, and the lock is written if that changes it. The members of a workspace
// ask together, and share the lock: one class of one name is one version for all of them.

#ifndef NIP_CLI_LIBRARIES_H
#define NIP_CLI_LIBRARIES_H

#include "check.h"
#include "cli.h"
#include "nip/lock.h"
#include "nip/mvs.h"
#include "nip/pack.h"
#include "resolve.h"

#define LIBRARIES_FOLDER "build/deps" // build/deps/acme/ring/include/...

struct library {
    char name[NIP_NAME_MAX + 1], version[NIP_VERSION_MAX + 1];
    char alias[NIP_TRUST_ALIAS_SIZE]; // of its registry; "" for local work
    char path[CLI_PATH_SIZE];         // of local work, else ""
    size_t asker;                     // index of the library that asks for it, or NIP_MVS_PROJECT
    char at_least[NIP_VERSION_MAX + 1];
    bool is_yanked;
    struct checked_package package;
};

// All zero: no libraries.
struct libraries {
    struct library *items; // sorted by name
    size_t count;
    bool is_chosen_anew; // the lock alone was no answer
    struct nip_mvs *mvs;
    struct library_search *search; // what the choice points into
};

struct libraries_request {
    const char *folder; // of the project
    const struct nip_manifest *manifest;
    const char *fingerprint; // answers a first use
    bool may_decide;         // first use may be decided now (nip add, update, fetch)
    bool ignores_lock;       // choose anew although the lock is an answer
    bool builds;             // local work is built and packed; else only its manifest is read
    bool is_workspace;       // of library_search.c: for all members at once
};

// Chooses, and changes `lock` to what was chosen; writes nothing. In a member of a workspace the
// choice is made for all members, and `libraries` gets what this one links. The caller holds the
// project's lock and frees `libraries`, also after a failure.
enum nip_code libraries_choose(const struct cli *cli, struct decisions *decisions,
                               const struct libraries_request *request, struct nip_lock *lock,
                               struct libraries *libraries, struct nip_error *err) NIP_MUST_CHECK;
void libraries_free(struct libraries *libraries);

// All of it for a build: chooses under the project's lock, writes nip.lock, lays the files out.
// Does nothing for a project without dependencies.
enum nip_code libraries_prepare(const struct cli *cli, const char *folder,
                                const struct nip_manifest *manifest, struct libraries *libraries,
                                struct nip_error *err) NIP_MUST_CHECK;

// Names them in the bill of materials, and brings their licence texts along.
enum nip_code libraries_pack(const struct libraries *libraries, struct nip_pack *pack,
                             struct nip_error *err) NIP_MUST_CHECK;

#endif
