// SPDX-License-Identifier: Apache-2.0
//
// The signatures of a file, inside it and beside it, and whether they are enough.
//
//   hello-0.1.0.npl              holds one signature, its publisher's
//   hello-0.1.0.npl.1.minisig    further ones, over the same list of digests
//   hello-0.1.0.npl.2.minisig
//
// Statements (rotation, revocation) hold none; all of theirs lie beside them in the same way.

#ifndef NIP_CLI_VOTES_H
#define NIP_CLI_VOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "check.h"
#include "cli.h"
#include "nip/json.h"
#include "nip/trust.h"
#include "registry.h"

struct votes {
    struct nip_buffer texts[NIP_BALLOT_VOTES_MAX]; // of a package, the first is the one inside
    unsigned numbers[NIP_BALLOT_VOTES_MAX];        // N of FILE.N.minisig; 0 inside
    size_t count;
};

// FILE.N.minisig; `out` has CLI_PATH_SIZE bytes.
void votes_path(char *out, const char *file, unsigned number);
// Appends those that lie beside `file`: N from 1 on, gaps allowed.
enum nip_code votes_read_beside(const char *file, struct votes *votes,
                                struct nip_error *err) NIP_MUST_CHECK;
// Appends those that a registry has attached to a version.
enum nip_code votes_read_registry(struct registry *registry, const char *name, const char *version,
                                  struct votes *votes, struct nip_error *err) NIP_MUST_CHECK;
// Appends the signature inside a package.
enum nip_code votes_add_inside(const struct checked_package *package, struct votes *votes,
                               struct nip_error *err) NIP_MUST_CHECK;
enum nip_code votes_add(struct votes *votes, const void *text, size_t size, unsigned number,
                        struct nip_error *err) NIP_MUST_CHECK;
// Appends signature files that stand one behind the other, four lines each.
enum nip_code votes_add_joined(struct votes *votes, const struct nip_buffer *texts,
                               struct nip_error *err) NIP_MUST_CHECK;
void votes_free(struct votes *votes);
// As the functions of libnip take them; they point into `votes`.
void votes_texts(const struct votes *votes, struct nip_signature_text *texts);

// Whether a signature file names this package: well formed, and the trusted comment fits. Who made
// it, and whether it is valid, is for those to judge who know keys.
bool votes_is_over(const struct checked_package *package, const struct nip_buffer *text);
// Judges all of them as signatures of this package.
enum nip_code votes_count(const struct nip_trust *trust, const struct checked_package *package,
                          const struct votes *votes, struct nip_ballot *ballot,
                          struct nip_error *err) NIP_MUST_CHECK;
// UNTRUSTED, saying which signatures count, which do not and why, when the threshold is not met.
enum nip_code votes_require(const struct nip_ballot *ballot, const struct votes *votes,
                            const char *what, struct nip_error *err) NIP_MUST_CHECK;

// One line per signature, and the sum.
void votes_print(const struct cli *cli, const struct nip_ballot *ballot, const struct votes *votes);
struct nip_json *votes_json(const struct nip_ballot *ballot, const struct votes *votes);

#endif
