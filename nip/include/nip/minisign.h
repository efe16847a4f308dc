// SPDX-License-Identifier: Apache-2.0
//
// Keys and signatures in minisign's formats.
//
//   public key file    untrusted comment: TEXT \n  base64( "Ed" id[8] key[32] ) \n
//   secret key file    untrusted comment: TEXT \n  base64( "Ed" kdf "B2" salt[32] ops[8] mem[8]
//                                                          id[8] secret[64] check[32] ) \n
//                      kdf "Sc": the last 104 bytes are xor-ed with scrypt(password, salt);
//                      kdf 0 0: not encrypted (minisign -W)
//   signature file     untrusted comment: npl signature \n
//   (digests.minisig)  base64( "ED" id[8] signature[64] ) \n
//                      trusted comment: npl 1 NAME VERSION \n
//                      base64( global[64] ) \n
//
// `signature` is Ed25519 of the BLAKE2b-512 of the signed file; `global` is Ed25519 of signature
// and trusted comment text. A key id is a label that anybody can choose: it selects nothing here.

#ifndef NIP_MINISIGN_H
#define NIP_MINISIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NIP_KEY_ID_SIZE = 8,
    NIP_KEY_FILE_SIZE_MAX = 4096,
    NIP_SIGNATURE_FILE_SIZE_MAX = 1024,
    NIP_TRUSTED_COMMENT_MAX = 160, // "npl 1 " name " " version is at most 136
    NIP_KEY_TEXT_SIZE = 57,        // base64 of a public key, 56 characters, and NUL
};

// What minisign uses for new keys: about 4 s and 1 GiB.
#define NIP_SCRYPT_OPERATIONS   UINT64_C(33554432)
#define NIP_SCRYPT_MEMORY_BYTES UINT64_C(1073741824)

struct nip_public_key {
    uint8_t id[NIP_KEY_ID_SIZE];
    uint8_t key[NIP_PUBLIC_KEY_BYTES];
};

// Wipe with nip_wipe() after use.
struct nip_secret_key {
    uint8_t id[NIP_KEY_ID_SIZE];
    uint8_t secret[NIP_SECRET_KEY_BYTES];
};

// A key file of one or two lines, or the 56 base64 characters alone. Refuses what
// nip_key_is_valid() refuses. `what` names it in errors (a file name).
enum nip_code nip_public_key_parse(const char *text, size_t size, const char *what,
                                   struct nip_public_key *key,
                                   struct nip_error *err) NIP_MUST_CHECK;
// The key file. `comment` may be NULL for minisign's own text.
void nip_public_key_print(const struct nip_public_key *key, const char *comment,
                          struct nip_buffer *out);
void nip_public_key_text(const struct nip_public_key *key, char out[NIP_KEY_TEXT_SIZE]);
// BLAKE2b-256 of the 32 key bytes, in hexadecimal: what a person compares at first use.
void nip_public_key_fingerprint(const struct nip_public_key *key, char out[NIP_DIGEST_TEXT_SIZE]);
// Compares the 32 key bytes. Ids do not count.
bool nip_public_key_equals(const struct nip_public_key *a, const struct nip_public_key *b);

enum nip_code nip_secret_key_make(struct nip_secret_key *key, struct nip_error *err) NIP_MUST_CHECK;
void nip_secret_key_public(const struct nip_secret_key *secret, struct nip_public_key *key);

// How to unlock a secret key file, read without unlocking it.
struct nip_secret_key_form {
    bool is_encrypted;
    uint64_t operations, memory_bytes; // of scrypt
};
enum nip_code nip_secret_key_inspect(const char *text, size_t size, const char *what,
                                     struct nip_secret_key_form *form,
                                     struct nip_error *err) NIP_MUST_CHECK;
// Reads and, if need be, unlocks a key. `password` may be NULL (PASSWORD if one is needed).
// `memory_bytes_max`: LIMIT if unlocking needs more. Wrong password or damaged key: PASSWORD.
enum nip_code nip_secret_key_parse(const char *text, size_t size, const char *what,
                                   const char *password, size_t password_size,
                                   uint64_t memory_bytes_max, struct nip_secret_key *key,
                                   struct nip_error *err) NIP_MUST_CHECK;
// The key file, encrypted unless `password` is NULL. `operations` and `memory_bytes` are the scrypt
// limits: NIP_SCRYPT_* for every key that a person keeps.
enum nip_code nip_secret_key_print(const struct nip_secret_key *key, const char *comment,
                                   const char *password, size_t password_size, uint64_t operations,
                                   uint64_t memory_bytes, struct nip_buffer *out,
                                   struct nip_error *err) NIP_MUST_CHECK;

struct nip_signature {
    uint8_t key_id[NIP_KEY_ID_SIZE];        // a claim: for display only
    uint8_t signature[NIP_SIGNATURE_BYTES]; // over `digests`, prehashed; what the kernel checks
    uint8_t global[NIP_SIGNATURE_BYTES];
    char trusted_comment[NIP_TRUSTED_COMMENT_MAX + 1]; // without "trusted comment: "
};

// Accepts exactly the four lines above. Says nothing about validity.
enum nip_code nip_signature_parse(const char *text, size_t size, struct nip_signature *signature,
                                  struct nip_error *err) NIP_MUST_CHECK;
// The same with any untrusted comment: for a signature that minisign made (`nip sign --import`).
enum nip_code nip_signature_parse_foreign(const char *text, size_t size,
                                          struct nip_signature *signature,
                                          struct nip_error *err) NIP_MUST_CHECK;
void nip_signature_print(const struct nip_signature *signature, struct nip_buffer *out);

// "npl 1 NAME VERSION"; false if it would be too long.
bool nip_signature_comment(char out[NIP_TRUSTED_COMMENT_MAX + 1], const char *name,
                           const char *version);

// Deterministic: same key and bytes, same signature.
enum nip_code nip_signature_make(const struct nip_secret_key *key, const void *digests, size_t size,
                                 const char *name, const char *version,
                                 struct nip_signature *signature,
                                 struct nip_error *err) NIP_MUST_CHECK;
// The same for other documents, with the trusted comment that names them.
enum nip_code nip_signature_make_over(const struct nip_secret_key *key, const void *data,
                                      size_t size, const char *comment,
                                      struct nip_signature *signature,
                                      struct nip_error *err) NIP_MUST_CHECK;
enum nip_code nip_signature_verify_over(const struct nip_signature *signature,
                                        const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *data,
                                        size_t size, const char *comment,
                                        struct nip_error *err) NIP_MUST_CHECK;
// Checks trusted comment (must be "npl 1 NAME VERSION"), signature and global signature under
// exactly this key.
enum nip_code nip_signature_verify(const struct nip_signature *signature,
                                   const uint8_t key[NIP_PUBLIC_KEY_BYTES], const void *digests,
                                   size_t size, const char *name, const char *version,
                                   struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
