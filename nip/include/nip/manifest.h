// SPDX-License-Identifier: Apache-2.0
//
// The manifest of a package, npl.kdl: what its author says about it.
//
// The parts that a kernel acts on are kept in the very structures of the packed form
// (rumpk/bkdl.h), so that nothing has to be translated between "what the text says" and "what the
// kernel reads", and the two can be compared byte by byte (nip/bkdl.h). The rest concerns builds
// and people only.
//
//   package "local/hello" version="0.1.0" {
//       kind "driver"; security-version 1; abi 1; license "Apache-2.0"
//       description "says hello"; arch "aarch64" "riscv64" "x86_64"
//   }
//   build { sources "src/*.c"; flags "-O2"; arch "riscv64" { sources "src/riscv64/*.S" } }
//   dependencies { library "acme/crc" "1.2" key="RWQ..." }
//   runtime { spectrum "gravity"; stack "64KiB"; heap "64KiB"; pledge "stdio" "map"; budget "500us"
//             restart "on-fault" limit=5 window="60s" }
//   match { virtio 2; compatible "ns16550a"; pci vendor=0x8086 device=0x10d3 }
//   request { device "disk" virtio=2 queues=1; registers "uart" compatible="ns16550a"
//             dma "buffers" size="128KiB"; memory "scratch" size="64KiB" }
//   provides { service "block" 1 style="service" clients=4 }
//   needs { service "console" 1 style="stream" }
//
// One table per node says which fields there are, of which type, within which limits, and whether
// they must be there. Whatever the tables do not name is an error with its place and the nearest
// name that would have been right. Nothing here touches the file system.

#ifndef NIP_MANIFEST_H
#define NIP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/buffer.h"
#include "nip/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_MANIFEST_FILE     "npl.kdl"
#define NIP_MANIFEST_SIZE_MAX ((size_t)65536)

enum {
    NIP_MANIFEST_TEXT_SIZE = 200, // licence, description, source pattern, flag; NUL included
    NIP_MANIFEST_LIST_MAX = 32,   // source patterns, flags
    NIP_MANIFEST_ARCH_LIST_MAX = 16,
    NIP_MANIFEST_ARCHS_MAX = 4, // `arch` blocks of `build`
    NIP_MANIFEST_AUTHORS_MAX = 16,
    NIP_MANIFEST_DEPENDENCIES_MAX = 32,
    NIP_MANIFEST_COMPONENTS_MAX = 16,
    NIP_MANIFEST_STACK_DEFAULT = 65536,
    NIP_MANIFEST_HEAP_DEFAULT = 65536,
    NIP_MANIFEST_RESTART_LIMIT_DEFAULT = 5,
    NIP_MANIFEST_RESTART_WINDOW_DEFAULT = 60, // s
};

// A library that is linked at build. `requirement` is a lower bound in one class of versions
// (nip_requirement_parse()). Equal names stand there once.
struct nip_manifest_dependency {
    char name[RUMPK_NAME_SIZE];
    char requirement[RUMPK_VERSION_SIZE];
    uint8_t key[RUMPK_KEY_SIZE];     // the publisher's, as the author knows it; zero: not given
    char registry[RUMPK_LABEL_SIZE]; // alias of nip.trust.kdl; empty: not given
};

// What builds a package: nip itself, or a program that it starts once for each architecture.
enum nip_build_system { NIP_BUILD_OWN, NIP_BUILD_CMAKE, NIP_BUILD_MESON, NIP_BUILD_MAKE };

// Foreign code that is compiled in: named in the bill of materials. Equal names stand there once.
struct nip_manifest_component {
    char name[RUMPK_LABEL_SIZE];
    char version[RUMPK_VERSION_SIZE];     // as its makers write it
    char license[NIP_MANIFEST_TEXT_SIZE]; // an SPDX expression
    char sha256[NIP_MANIFEST_TEXT_SIZE];  // of the archive that its source came in, 64 digits
    char origin[NIP_MANIFEST_TEXT_SIZE];  // where from, and what was changed; may be empty
};

// What is built in addition for some architectures.
struct nip_manifest_arch_build {
    uint32_t arch_mask;
    uint32_t source_count, flag_count;
    char sources[NIP_MANIFEST_ARCH_LIST_MAX][NIP_MANIFEST_TEXT_SIZE];
    char flags[NIP_MANIFEST_ARCH_LIST_MAX][NIP_MANIFEST_TEXT_SIZE];
};

// Owns no memory; may be copied. About 70 KiB: not for small stacks.
struct nip_manifest {
    // What npl.bkdl carries too. Unused entries and unused bytes are zero.
    struct rumpk_bkdl_identity identity;
    struct rumpk_bkdl_runtime runtime;
    uint32_t match_count, request_count, provides_count, needs_count;
    struct rumpk_bkdl_match matches[RUMPK_MATCHES_MAX];
    struct rumpk_bkdl_request requests[RUMPK_REQUESTS_MAX];
    struct rumpk_bkdl_service provides[RUMPK_SERVICES_MAX];
    struct rumpk_bkdl_service needs[RUMPK_SERVICES_MAX];

    // For builds and for people only; zero in a manifest that was decoded from npl.bkdl.
    char license[NIP_MANIFEST_TEXT_SIZE];     // an SPDX expression
    char description[NIP_MANIFEST_TEXT_SIZE]; // one line, may be empty
    uint32_t author_count;
    char authors[NIP_MANIFEST_AUTHORS_MAX][NIP_MANIFEST_TEXT_SIZE];
    // http: or https: addresses, or empty
    char homepage[NIP_MANIFEST_TEXT_SIZE], repository[NIP_MANIFEST_TEXT_SIZE];
    char documentation[NIP_MANIFEST_TEXT_SIZE], issues[NIP_MANIFEST_TEXT_SIZE];
    uint32_t build_system; // enum nip_build_system
    uint32_t source_count, flag_count, arch_build_count, dependency_count, component_count;
    uint32_t build_option_count;
    char sources[NIP_MANIFEST_LIST_MAX][NIP_MANIFEST_TEXT_SIZE]; // patterns relative to the project
    char flags[NIP_MANIFEST_LIST_MAX][NIP_MANIFEST_TEXT_SIZE];   // for the compiler
    // for the build system
    char build_options[NIP_MANIFEST_LIST_MAX][NIP_MANIFEST_TEXT_SIZE];
    struct nip_manifest_arch_build arch_builds[NIP_MANIFEST_ARCHS_MAX];
    struct nip_manifest_dependency dependencies[NIP_MANIFEST_DEPENDENCIES_MAX];
    struct nip_manifest_component components[NIP_MANIFEST_COMPONENTS_MAX];
};

// Reads npl.kdl. `file` is what errors call it. Defaults are filled in (runtime, sources
// "src/*.c"), so that two manifests that mean the same are equal. Errors: SYNTAX (KDL), SCHEMA
// (everything that this format does not allow), NAME (package name or version), LIMIT; all with
// line, column and caret.
enum nip_code nip_manifest_parse(const char *text, size_t size, const char *file,
                                 struct nip_manifest *manifest,
                                 struct nip_error *err) NIP_MUST_CHECK;

// The request of that name, or NULL. Names of requests are unique in a package.
const struct rumpk_bkdl_request *nip_manifest_request(const struct nip_manifest *manifest,
                                                      const char *name);

// One request in words, for the question that `nip add` asks: "use the virtio device 2 (block) as
// "disk", 1 queue". No newline.
void nip_manifest_request_words(const struct rumpk_bkdl_request *request, struct nip_buffer *out);

// One match rule in words: "virtio 2", "PCI 8086:10d3 class 0x00000000", ""ns16550a"". No newline.
void nip_manifest_match_words(const struct rumpk_bkdl_match *match, struct nip_buffer *out);

// The digest of everything that the package asks for (requests, services, runtime limits), for
// nip.lock: equal digests mean that an update asks for nothing else. BLAKE2b-256 of the packed
// records.
void nip_manifest_capability_digest(const struct nip_manifest *manifest,
                                    uint8_t digest[RUMPK_DIGEST_SIZE]);

// docs/manifest.md: every node and field with what it may hold, in Markdown.
void nip_manifest_document(struct nip_buffer *out);
// The example in it: a manifest that parses.
extern const char nip_manifest_example[];

// Names and numbers, both directions. The text functions answer "?" for an unknown number, the
// number functions return false for an unknown name.
const char *nip_arch_name(uint32_t arch);                  // "riscv64"
bool nip_arch_from_name(const char *name, uint32_t *arch); // RUMPK_ARCH_*
const char *nip_spectrum_name(uint32_t spectrum);          // "gravity"
bool nip_spectrum_from_name(const char *name, uint32_t *spectrum);
const char *nip_build_system_name(uint32_t system);                  // "cmake"; "nip" for its own
bool nip_build_system_from_name(const char *name, uint32_t *system); // others than its own
const char *nip_restart_name(uint32_t restart);                      // "on-fault"
// Classes of calls: "all", "none", or "stdio map".
void nip_pledge_words(uint64_t pledge, struct nip_buffer *out);
const char *nip_kind_name(uint32_t kind);   // "driver"
const char *nip_style_name(uint32_t style); // "stream"

#ifdef __cplusplus
}
#endif

#endif
