// SPDX-License-Identifier: Apache-2.0
//
// `.npl`: reading and writing packages.
//
//   zstd frame ( tar: digests.minisig | digests | files in the order of the `file` lines | 2 zero
//   blocks )
//
// A reader goes through one fixed order, and nothing is handed out before its turn:
//
//   frame header ─> signature file ─> digests text ─> signature under an accepted key
//        ─> per file: header as signed, content ─> digest as signed ─> ... ─> end of tar and frame
//
// Memory is bounded by the signed sizes: before the signature is checked at most
// NIP_SIGNATURE_FILE_SIZE_MAX + NIP_DIGESTS_SIZE_MAX bytes are kept, afterwards 1 MiB (the
// stream) or all files (a loaded package); and the window of the decompressor, 8 MiB.

#ifndef NIP_PACKAGE_H
#define NIP_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/digests.h"
#include "nip/error.h"
#include "nip/minisign.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_PACKAGE_SIGNATURE_PATH "digests.minisig"
#define NIP_PACKAGE_DIGESTS_PATH   "digests"
// Default for the size of the tar, and of a .npl file.
#define NIP_PACKAGE_SIZE_MAX (UINT64_C(1) << 30)

// Where the compressed bytes come from: memory, or a file descriptor at its current offset (which
// is read to the end and never reopened).
struct nip_package_source {
    const void *data; // NULL: use the descriptor
    size_t size;
    int descriptor;
};

// Which keys count for which name. The reader asks once, with the name the package claims. Keys are
// tried by their 32 bytes; the id of the one that fits must then be the id that the signature names
// (so keep whole minisign keys, id included).
struct nip_package_trust {
    // Sets *keys and *key_count to the keys accepted for `name`; they must live until the open
    // function returns. Any code but NIP_OK refuses the package with the error set.
    enum nip_code (*keys_for)(void *context, const char *name, const struct nip_public_key **keys,
                              size_t *key_count, struct nip_error *err);
    void *context;
};

// What a package claims about itself, nothing of it verified: for asking a person at first use, and
// for no other decision. It contains no content and no key.
struct nip_package_claim {
    char name[NIP_NAME_MAX + 1];
    char version[NIP_VERSION_MAX + 1];
    uint8_t id[NIP_DIGEST_SIZE];
    uint8_t key_id[NIP_KEY_ID_SIZE];
};
enum nip_code nip_package_peek(const struct nip_package_source *source,
                               struct nip_package_claim *claim,
                               struct nip_error *err) NIP_MUST_CHECK;

struct nip_package;

// Opens and verifies up to and including the signature. `size_max` bounds the tar (0 means
// NIP_PACKAGE_SIZE_MAX). The source must outlive the package.
enum nip_code nip_package_open(const struct nip_package_source *source,
                               const struct nip_package_trust *trust, uint64_t size_max,
                               struct nip_package **package, struct nip_error *err) NIP_MUST_CHECK;

// Takes the files of a package in their order: begin, data (at least once, perhaps with no bytes),
// end, all from one thread, which may be another than the caller's. data is given bytes that are
// not verified yet; end is called only after the file's digest was right; and only when
// nip_package_read() says NIP_OK is the package as a whole known to be good. A code other than
// NIP_OK, with the error set, ends the reading.
struct nip_package_sink {
    enum nip_code (*begin)(void *context, const char *path, uint64_t size, struct nip_error *err);
    enum nip_code (*data)(void *context, const uint8_t *data, size_t size, struct nip_error *err);
    enum nip_code (*end)(void *context, struct nip_error *err);
    void *context;
};
// Reads everything of a package that was just opened, in one pass. `sink` may be NULL: verify only.
enum nip_code nip_package_read(struct nip_package *package, const struct nip_package_sink *sink,
                               struct nip_error *err) NIP_MUST_CHECK;

// Opens, and reads and verifies everything into memory.
enum nip_code nip_package_load(const struct nip_package_source *source,
                               const struct nip_package_trust *trust, uint64_t size_max,
                               struct nip_package **package, struct nip_error *err) NIP_MUST_CHECK;
// The content of a file of a loaded package: false if there is none of that path.
bool nip_package_file(const struct nip_package *package, const char *path, const uint8_t **data,
                      size_t *size);

void nip_package_close(struct nip_package *package); // NULL is fine

// Known after opening; live as long as the package.
const struct nip_digests *nip_package_digests(const struct nip_package *package);
const char *nip_package_digests_text(const struct nip_package *package, size_t *size);
const char *nip_package_signature_text(const struct nip_package *package, size_t *size);
const struct nip_signature *nip_package_signature(const struct nip_package *package);
const struct nip_public_key *nip_package_key(const struct nip_package *package); // that verified it
const uint8_t *nip_package_id(const struct nip_package *package);

// Unpacks everything, digests and signature included, into a folder that must not exist: hashed
// while it is written, synced, and published by one rename after all of it was right. The package
// must be freshly opened, not loaded.
enum nip_code nip_package_extract(struct nip_package *package, const char *folder,
                                  struct nip_error *err) NIP_MUST_CHECK;

// ---- writing ----

struct nip_package_input {
    const char *path;
    const void *data;
    size_t size;
};

// Makes the canonical tar. `digests_text` must be acceptable, `files` must be exactly its `file`
// lines in their order with their digests, and `signature_text` must be well formed and carry its
// trusted comment; anything else is refused, so what is written can be read.
enum nip_code nip_package_write_tar(const char *signature_text, size_t signature_size,
                                    const char *digests_text, size_t digests_size,
                                    const struct nip_package_input *files, size_t file_count,
                                    struct nip_buffer *tar, struct nip_error *err) NIP_MUST_CHECK;
// The .npl: that tar in one frame.
enum nip_code nip_package_write(const char *signature_text, size_t signature_size,
                                const char *digests_text, size_t digests_size,
                                const struct nip_package_input *files, size_t file_count,
                                struct nip_buffer *npl, struct nip_error *err) NIP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
