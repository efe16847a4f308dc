// SPDX-License-Identifier: Apache-2.0
//
// image.kdl: what the owner of an image puts into it, and what each package may do there.
//
//   image "local/box" version="0.1.0" { on-idle "power-off" }       // or "stay"
//   package "rumpk/uart-16550" version="0.1.0" registry="sdk" {
//       arch "riscv64" "x86_64"          // left out: every architecture of the package
//       grant "uart"                     // answers the request of that name in npl.kdl
//       grant "disk" index=1 size="64KiB"  // which of equal devices; less than asked for
//       dma #true                        // this package may hold DMA memory
//       delegate #true                   // it may grant what it holds to its peers
//       observe #true                    // it may see statistics and faults of the others
//       on-demand "local/boss"           // not started at boot: local/boss may, by spawn
//       spectrum "gravity"               // never stricter than requested
//       stack-max "64KiB"; heap-max "1MiB" // left out: what the package requests
//       pledge "stdio" "map"             // it starts with those classes of calls that it asks for
//       too budget "500us"                   // never more than requested restart "never" // or
//       "on-fault", "always", with limit=3 window="60s" key "RWQ..."                     //
//       accepted publisher keys: narrows nip.trust.kdl config "text handed to the driver"
//   }
//   package "local/hello" version="0.1.0" path="../hello"           // instead of registry=
//   wire "console" from="local/hello" to="rumpk/uart-16550" slots=32
//   wire "block" from="local/reader" to="rumpk/virtio-blk" slots=16 buffers=8 buffer-size="16KiB"
//   wire "clock" from="local/log" to="local/clock" start="after-or-wait"
//
// Only this file grants. Packages start in the order of this file, providers moved before those who
// need them. A need with exactly one possible provider is wired without a line of its own.

#ifndef NIP_IMAGEDEF_H
#define NIP_IMAGEDEF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/bkdl.h>

#include "nip/buffer.h"
#include "nip/error.h"
#include "nip/kdl.h"
#include "nip/manifest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NIP_IMAGEDEF_FILE                  "image.kdl"
#define NIP_IMAGEDEF_SPECTRUM_AS_REQUESTED UINT32_MAX
#define NIP_IMAGEDEF_INDEX_ANY             UINT32_MAX
#define NIP_IMAGEDEF_RESTART_AS_REQUESTED  UINT32_MAX

enum {
    NIP_IMAGEDEF_ALIAS_SIZE = 64, // a registry alias of nip.trust.kdl, NUL included
    NIP_IMAGEDEF_PATH_SIZE = 512,
};

struct nip_imagedef_grant {
    char name[RUMPK_LABEL_SIZE];
    uint32_t index; // which of several equal devices; INDEX_ANY when nothing was written (means 0)
    uint64_t size;  // 0: what was requested
    struct nip_kdl_span span;
};

struct nip_imagedef_package {
    char name[RUMPK_NAME_SIZE];
    char version[RUMPK_VERSION_SIZE];
    char registry[NIP_IMAGEDEF_ALIAS_SIZE]; // "" when path is set
    char path[NIP_IMAGEDEF_PATH_SIZE];      // "" when registry is set
    uint32_t arch_mask;                     // 0: every architecture of the package
    bool allows_dma;
    bool allows_delegate;          // may grant its memory, registers and rings to its peers
    bool allows_observe;           // may see other drivers by meta
    char spawner[RUMPK_NAME_SIZE]; // package that starts this one; "": it is started at boot
    uint32_t spectrum;             // or SPECTRUM_AS_REQUESTED
    uint64_t stack_max, heap_max;  // UINT64_MAX: what the package requests
    uint64_t pledge;               // classes of calls left to it; UINT64_MAX: what it requests
    uint32_t budget_us;            // processor time per 100 ms; 0: what it requests
    uint32_t restart;              // RUMPK_RESTART_*, or RESTART_AS_REQUESTED
    uint32_t restart_limit, restart_window_s; // 0: what it requests
    uint32_t grant_count, key_count;
    struct nip_imagedef_grant grants[RUMPK_REQUESTS_MAX];
    struct rumpk_bkdl_key keys[RUMPK_KEYS_MAX]; // none: the trust file alone decides
    uint32_t config_size;
    uint8_t config[RUMPK_CONFIG_MAX];
    struct nip_kdl_span span; // the whole node in the source text; size 0 when made by a program
};

struct nip_imagedef_wire {
    char service[RUMPK_LABEL_SIZE];
    char client[RUMPK_NAME_SIZE];
    char server[RUMPK_NAME_SIZE];
    uint32_t slots;                     // 0: default
    uint32_t buffer_count, buffer_size; // 0: default
    uint32_t start;                     // RUMPK_START_*
    struct nip_kdl_span span;
};

// Large: allocate with nip_imagedef_new(), which gives an empty one, or NULL.
struct nip_imagedef {
    char name[RUMPK_NAME_SIZE];
    char version[RUMPK_VERSION_SIZE];
    bool stays_on_idle;
    uint32_t package_count, wire_count;
    struct nip_imagedef_package packages[RUMPK_PACKAGES_MAX];
    struct nip_imagedef_wire wires[RUMPK_WIRES_MAX];
    // The source, so that errors found later still show the line. NULL when made by a program.
    struct nip_kdl_document *document;
};

struct nip_imagedef *nip_imagedef_new(void);
void nip_imagedef_free(struct nip_imagedef *imagedef); // NULL is fine

// Reads image.kdl. On success the caller frees *imagedef; on failure it is NULL. A package name
// stands at most once for one architecture.
enum nip_code nip_imagedef_parse(const char *text, size_t size, const char *file,
                                 struct nip_imagedef **imagedef,
                                 struct nip_error *err) NIP_MUST_CHECK;

// Adds a package with everything that its manifest requests granted (index 0, full size, DMA where
// it asks for it): what `nip add` proposes and what `nip run` uses for its throw-away image.
// `registry` or `path` is "". LIMIT when the image is full. The new one is packages[package_count -
// 1].
enum nip_code nip_imagedef_add(struct nip_imagedef *imagedef, const struct nip_manifest *manifest,
                               const char *registry, const char *path,
                               struct nip_error *err) NIP_MUST_CHECK;

// Prints one package node as image.kdl text, newline at the end. To put it into a file, append it,
// or replace the bytes of `span`.
void nip_imagedef_print_package(const struct nip_imagedef_package *package, struct nip_buffer *out);

#ifdef __cplusplus
}
#endif

#endif
