// SPDX-License-Identifier: Apache-2.0
//
// `digests`: the signed text that names a package and lists every file of it.
//
//   rumpk-digests 1
//   kind driver
//   name acme/virtio-blk
//   version 1.4.0
//   security-version 3
//   abi 1
//   arch aarch64 riscv64 x86_64
//   toolchain <id>
//   source none
//   file <64 hex> <size> <path>       one per file of the archive, sorted by bytes of path
//   beside <64 hex> <size> <path>     delivered separately, sorted too
//
// The text has one spelling: parsing it and printing the result gives the same bytes, and the
// parser refuses whatever would not. The package id is the BLAKE2b-256 of the text.

#ifndef NIP_DIGESTS_H
#define NIP_DIGESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/error.h"
#include "nip/name.h"

#ifdef __cplusplus
extern "C" {
#endif

// The format's version, in this one place. 0: later releases refuse it.
#define NIP_DIGESTS_FORMAT "rumpk-digests 1"

enum {
    NIP_DIGESTS_SIZE_MAX = 65536,
    NIP_TOOLCHAIN_MAX = 128,
    NIP_SOURCE_MAX = 192,
    NIP_SECURITY_VERSION_MAX = 65535,
};
// Of one file; also what ustar and every reader's memory can take.
#define NIP_FILE_SIZE_MAX (UINT64_C(1) << 30)

#define NIP_KINDS(X)      \
    X(DRIVER, "driver")   \
    X(LIBRARY, "library") \
    X(KERNEL, "kernel")

enum nip_kind {
#define NIP_KIND_ENUM(name, text) NIP_KIND_##name,
    NIP_KINDS(NIP_KIND_ENUM)
#undef NIP_KIND_ENUM
        NIP_KIND_COUNT
};

// In the order in which they stand in `digests` (by bytes). The ABI's number is the third column.
#define NIP_ARCHS(X)                          \
    X(AARCH64, "aarch64", RUMPK_ARCH_AARCH64) \
    X(RISCV64, "riscv64", RUMPK_ARCH_RISCV64) \
    X(X86_64, "x86_64", RUMPK_ARCH_X86_64)

enum nip_arch {
#define NIP_ARCH_ENUM(name, text, number) NIP_ARCH_##name,
    NIP_ARCHS(NIP_ARCH_ENUM)
#undef NIP_ARCH_ENUM
        NIP_ARCH_COUNT
};

const char *nip_kind_text(enum nip_kind kind);
bool nip_kind_from_text(const char *text, size_t size, enum nip_kind *kind);
const char *nip_arch_text(enum nip_arch arch);
bool nip_arch_from_text(const char *text, size_t size, enum nip_arch *arch);
uint32_t nip_arch_number(enum nip_arch arch); // RUMPK_ARCH_*
bool nip_arch_from_number(uint32_t number, enum nip_arch *arch);

struct nip_digests_file {
    uint8_t digest[NIP_DIGEST_SIZE];
    uint64_t size;
    char path[NIP_PATH_MAX + 1];
};

struct nip_digests {
    enum nip_kind kind;
    char name[NIP_NAME_MAX + 1];
    char version[NIP_VERSION_MAX + 1];
    uint32_t security_version; // 1..65535
    uint32_t abi;              // lowest ABI version it needs
    bool archs[NIP_ARCH_COUNT];
    char toolchain[NIP_TOOLCHAIN_MAX + 1]; // printable, no space
    char source[NIP_SOURCE_MAX + 1];       // "none" or scheme:digest
    struct nip_digests_file *files;        // sorted by path
    size_t file_count;
    struct nip_digests_file *besides; // sorted by path
    size_t beside_count;
};

// Parses and validates everything. On failure `digests` is empty (nothing to free) and `err` has
// the line.
enum nip_code nip_digests_parse(const char *text, size_t size, struct nip_digests *digests,
                                struct nip_error *err) NIP_MUST_CHECK;
void nip_digests_free(struct nip_digests *digests);

// Adds one file (or beside file) with the digest of its content, keeping the order. For whoever
// makes a package; start from a zeroed struct with the header fields filled in.
enum nip_code nip_digests_add(struct nip_digests *digests, bool is_beside, const char *path,
                              const void *data, size_t size, struct nip_error *err) NIP_MUST_CHECK;
// Prints, and parses the result again: what comes out is always acceptable.
enum nip_code nip_digests_print(const struct nip_digests *digests, struct nip_buffer *out,
                                struct nip_error *err) NIP_MUST_CHECK;

// The package id: the digest of the text.
void nip_digests_id(const void *text, size_t size, uint8_t id[NIP_DIGEST_SIZE]);

// The entry of a path among the files (not the beside files), or NULL.
const struct nip_digests_file *nip_digests_file(const struct nip_digests *digests,
                                                const char *path);
const struct nip_digests_file *nip_digests_beside(const struct nip_digests *digests,
                                                  const char *path);

#ifdef __cplusplus
}
#endif

#endif
