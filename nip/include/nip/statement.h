// SPDX-License-Identifier: Apache-2.0
//
// Statements by which publishers change what their keys mean: rotation and revocation.
//
//   rumpk-rotation 1                 rumpk-revocation 1
//   name acme/clock                  name acme/clock
//   serial 4                         key RWQ...          the key that no longer counts
//   threshold 2                      keep <64 hex>       package ids that stay valid, sorted
//   old RWQ...                       keep <64 hex>
//   old RWQ...   every key before
//   new RWQ...   every key after, sorted by their 32 bytes
//
// Text of the bytes 0x20-0x7e and LF, one spelling for one content. The signatures lie beside it,
// FILE.1.minisig and so on, in the form of a package's signature, with the trusted comment "npl
// rotation 1 NAME SERIAL" or "npl revocation 1 NAME KEY". A rotation is signed by the old threshold
// and by every new key, a revocation by the threshold. No date decides anything: statements are
// ordered by their serial alone.

#ifndef NIP_STATEMENT_H
#define NIP_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/minisign.h"
#include "nip/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_STATEMENT_SIZE_MAX = 32768,
    NIP_STATEMENT_KEEPS_MAX = 256,
};

enum nip_statement_kind { NIP_STATEMENT_ROTATION, NIP_STATEMENT_REVOCATION };

// Owns no memory. About 9 KiB.
struct nip_statement {
    enum nip_statement_kind kind;
    char pattern[NIP_NAME_MAX + 1]; // "namespace/name" or "namespace/*"
    uint32_t serial, threshold;     // of a rotation; the threshold is the new one
    size_t old_count, new_count;
    struct nip_public_key old_keys[NIP_TRUST_KEYS_MAX], new_keys[NIP_TRUST_KEYS_MAX];
    struct nip_public_key key; // of a revocation
    size_t keep_count;
    uint8_t keeps[NIP_STATEMENT_KEEPS_MAX][NIP_DIGEST_SIZE];
};

// Sorts keys and ids, prints, and parses the result again: what comes out is always acceptable.
enum nip_code nip_statement_print(const struct nip_statement *statement, struct nip_buffer *out,
                                  struct nip_error *err) NIP_MUST_CHECK;
// `file` is what errors call it.
enum nip_code nip_statement_parse(const char *text, size_t size, const char *file,
                                  struct nip_statement *statement,
                                  struct nip_error *err) NIP_MUST_CHECK;
// The trusted comment of its signatures.
void nip_statement_comment(const struct nip_statement *statement,
                           char out[NIP_TRUSTED_COMMENT_MAX + 1]);

// Whether a signature file was made over the statement's `text` by `key`.
bool nip_statement_is_signed_by(const struct nip_statement *statement, const char *text,
                                size_t size, const struct nip_signature_text *signature,
                                const struct nip_public_key *key);

// Whether the project may follow the statement: its old keys are the ones that `trust` accepts, its
// serial is higher than the last one, and whoever must sign has signed. Otherwise MISMATCH (old
// keys, serial), UNTRUSTED (signatures missing: says whose), MISSING (nothing is accepted for the
// name).
enum nip_code nip_statement_check(const struct nip_statement *statement, const char *text,
                                  size_t size, const struct nip_signature_text *signatures,
                                  size_t signature_count, const struct nip_trust *trust,
                                  struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
