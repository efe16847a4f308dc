// SPDX-License-Identifier: Apache-2.0
//
// Statements of publishers (nip/statement.h) as files, and following them in a project.

#ifndef NIP_CLI_STATEMENTS_H
#define NIP_CLI_STATEMENTS_H

#include "cli.h"
#include "nip/statement.h"

// Whether the content is a statement rather than a package.
bool statement_is_one(const struct nip_buffer *content);

// Changes nip.trust.kdl of the project in this folder as the statement says, if it may.
enum nip_code statement_follow(struct cli *cli, const char *file,
                               struct nip_error *err) NIP_MUST_CHECK;

// Appends to `text` (the new nip.trust.kdl) that the keys of `old` which are not in `line` count no
// longer, except for the packages that nip.lock holds. `reason` may be NULL.
enum nip_code statement_retire(const struct nip_trust *trust, const struct nip_trust_publisher *old,
                               const struct nip_trust_publisher *line, const char *reason,
                               struct nip_buffer *text, struct nip_error *err) NIP_MUST_CHECK;

// Appends the package ids that nip.lock holds for names under `pattern`.
enum nip_code statement_locked_ids(const char *pattern, struct nip_buffer *ids,
                                   struct nip_error *err) NIP_MUST_CHECK;
// Replaces `text` (a nip.trust.kdl) by itself with this revocation; `ids` are what stays valid.
enum nip_code statement_put_revoked(const struct nip_trust_revoked *revoked,
                                    const struct nip_buffer *ids, struct nip_buffer *text,
                                    struct nip_error *err) NIP_MUST_CHECK;

// Writes nip.trust.kdl, after it has been read again.
enum nip_code statement_write_trust(const struct nip_buffer *text,
                                    struct nip_error *err) NIP_MUST_CHECK;

#endif
