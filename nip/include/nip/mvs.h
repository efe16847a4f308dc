// SPDX-License-Identifier: Apache-2.0
//
// Minimal version selection: which version of each library a build gets. Pure: it asks a source
// for versions and requirements and touches nothing else.
//
//   project ──asks for acme/ring 1.2──> lowest version of class 1 that is >= 1.2.0 ──asks──> ...
//
// The rule. Versions fall into classes: major; 0.minor below 1.0; the exact version below 0.1. A
// requirement is a lower bound in one class and leads to the lowest version there that is not below
// it. Everything that is reached so counts, also what a higher version then replaces; so the order
// of the input never matters. Of each name and class the highest version that was reached is
// chosen. What no chosen version asks for (directly or through others) is left out at the end.
//
// A yanked version is passed over, unless the lock names it. A pre-release is taken only by a
// requirement that is a pre-release itself. Nothing newer than what somebody asked for is ever
// taken, so the same inputs give the same answer for ever, with or without a lock.

#ifndef NIP_MVS_H
#define NIP_MVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_MVS_VISITS_MAX = 1000000, // versions that one resolution looks at
    NIP_MVS_NAMES_MAX = 200000,
};
#define NIP_MVS_PROJECT SIZE_MAX // the asker of what the project itself asks for

struct nip_mvs_version {
    struct nip_version version;
    bool is_yanked;
    bool is_locked; // named by the lock: taken although it is yanked
};
struct nip_mvs_requirement {
    const char *name;
    struct nip_version at_least;
};

// Where versions and requirements come from. What is handed out must stay as it is until
// nip_mvs_free().
struct nip_mvs_source {
    void *context;
    // All versions of a name, lowest first, each once. None is no error here.
    enum nip_code (*versions)(void *context, const char *name,
                              const struct nip_mvs_version **versions, size_t *count,
                              struct nip_error *err);
    // What one version asks for, in any order.
    enum nip_code (*requirements)(void *context, const char *name,
                                  const struct nip_version *version,
                                  const struct nip_mvs_requirement **requirements, size_t *count,
                                  struct nip_error *err);
    const char *root; // who asks at first, in words; NULL: "this project"
};

struct nip_mvs_choice {
    const char *name;
    const struct nip_version *version;
    const struct nip_version *at_least; // what `asker` asks for
    size_t asker;                       // another choice, or NIP_MVS_PROJECT
    const struct nip_version *skipped;  // yanked version that was passed over, or NULL
    bool is_yanked;                     // yanked, and kept because the lock names it
};

struct nip_mvs;

// Chooses for what the project asks for. MISSING when a requirement fits no version, with the chain
// that leads there; LIMIT. The caller frees *mvs, which is NULL after a failure.
enum nip_code nip_mvs_solve(const struct nip_mvs_source *source,
                            const struct nip_mvs_requirement *requirements, size_t count,
                            struct nip_mvs **mvs, struct nip_error *err) NIP_MUST_CHECK;
void nip_mvs_free(struct nip_mvs *mvs); // NULL is fine

// Sorted by name, then version.
const struct nip_mvs_choice *nip_mvs_choices(const struct nip_mvs *mvs, size_t *count);

// NIP_OK when every name was chosen in one class; else CONFLICT, with both chains and what would
// fit. That is the only way in which versions can contradict each other.
enum nip_code nip_mvs_check_link(const struct nip_mvs *mvs, struct nip_error *err) NIP_MUST_CHECK;

// Appends "this project asks for acme/queue 1.0.0, which asks for acme/ring 1.2.0".
void nip_mvs_chain(const struct nip_mvs *mvs, size_t choice, struct nip_buffer *out);

// nip_requirement_parse(), with a message.
enum nip_code nip_requirement_check(const char *text, struct nip_version *at_least,
                                    struct nip_error *err) NIP_MUST_CHECK;

// "1.2.3-rc.1"; and the class it is in: "1", "0.4", "0.0.7".
void nip_version_text(const struct nip_version *version, char out[NIP_VERSION_MAX + 1]);
void nip_version_class_text(const struct nip_version *version, char out[NIP_VERSION_MAX + 1]);

#ifdef __cplusplus
}
#endif

#endif
