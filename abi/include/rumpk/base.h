// SPDX-License-Identifier: Apache-2.0
//
// base.h: the words every other ABI header is written in.
//
// Fixed-width types only, little-endian only, 64-bit only. Compiles as C17 and C++17, for the host and
// for the three targets. Nothing here needs a library: <stdint.h> and <stddef.h> come from the compiler.
#ifndef RUMPK_BASE_H
#define RUMPK_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define RUMPK_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define RUMPK_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

// Every shared structure states its size and the offset of its fields; a wrong one does not compile.
#define RUMPK_ASSERT_SIZE(type, bytes) \
    RUMPK_STATIC_ASSERT(sizeof(struct type) == (bytes), "size of struct " #type)
#define RUMPK_ASSERT_OFFSET(type, field, bytes) \
    RUMPK_STATIC_ASSERT(offsetof(struct type, field) == (bytes), "offset of " #type "." #field)

// The version of this contract. What was built for version 1 loads on every later kernel.
#define RUMPK_ABI_VERSION 1u

// Architectures. The numbers appear in ELF notes, boot manifests and ledgers.
#define RUMPK_ARCH_RISCV64 1u
#define RUMPK_ARCH_AARCH64 2u
#define RUMPK_ARCH_X86_64 3u
#define RUMPK_ARCH_COUNT 3u

// Bit of an architecture in a mask of architectures.
#define RUMPK_ARCH_BIT(arch) (1u << ((arch) - 1u))

#define RUMPK_PAGE_SIZE 4096u

// Sizes of the text fields, terminating NUL included; unused bytes are NUL.
#define RUMPK_NAME_SIZE 72u      // "namespace/name": two parts of at most 32 bytes and the slash
#define RUMPK_VERSION_SIZE 72u   // SemVer 2 without build metadata, at most 64 bytes
#define RUMPK_LABEL_SIZE 32u     // name of a service, a request, a grant
#define RUMPK_COMPATIBLE_SIZE 64u  // a device tree "compatible" string
#define RUMPK_DIGEST_SIZE 32u    // BLAKE2b-256, unkeyed
#define RUMPK_KEY_SIZE 32u       // Ed25519 public key
#define RUMPK_SIGNATURE_SIZE 64u // Ed25519 signature over BLAKE2b-512 of the signed bytes (minisign "ED")

// Scheduling classes ("spectrums"), strictest first.
#define RUMPK_SPECTRUM_PHOTON 0u   // 2 ms: interrupt work
#define RUMPK_SPECTRUM_MATTER 1u   // 10 ms: network, input, storage
#define RUMPK_SPECTRUM_GRAVITY 2u  // 50 ms: background
#define RUMPK_SPECTRUM_VOID 3u     // unlimited: idle work
#define RUMPK_SPECTRUM_COUNT 4u

#endif
