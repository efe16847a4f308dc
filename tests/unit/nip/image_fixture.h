// SPDX-License-Identifier: Apache-2.0
//
// Small but complete inputs of an image, made in memory: a driver file that the kernel's rules
// accept, a kernel file with everything that nip looks for, and signed packages. Also used to make
// fuzz corpora.

#ifndef TESTS_NIP_IMAGE_FIXTURE_H
#define TESTS_NIP_IMAGE_FIXTURE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "nip/buffer.h"
#include "nip/crypto.h"
#include "nip/image.h"

// Where things lie in the driver file; tests change single fields there.
enum {
    FIXTURE_DRIVER_SEGMENTS = sizeof(Elf64_Ehdr),
    FIXTURE_DRIVER_SEGMENT_COUNT = 8, // R, RX, RW (RELRO), RW, DYNAMIC, NOTE, RELRO, STACK
    FIXTURE_DRIVER_NOTE = 0x240,
    FIXTURE_DRIVER_RELOCATIONS = 0x300,
    FIXTURE_DRIVER_RELOCATION_COUNT = 2,
    FIXTURE_DRIVER_TEXT = 0x1000,
    FIXTURE_DRIVER_RELRO = 0x2000, // begins with .dynamic
    FIXTURE_DRIVER_DATA = 0x3000,
};

// Appends to an empty buffer.
void fixture_driver(uint32_t arch, struct nip_buffer *out);
void fixture_kernel(uint32_t arch, struct nip_buffer *out);

// Key pair number `seed`: always the same.
void fixture_key(uint8_t seed, uint8_t secret[NIP_SECRET_KEY_BYTES],
                 uint8_t key[NIP_PUBLIC_KEY_BYTES]);

// A package whose manifest is `kdl` (everything behind the package node may be ""), for all three
// architectures with the driver above, signed by key number `seed`.
struct fixture_package {
    struct nip_buffer digests, bkdl, elf[RUMPK_ARCH_COUNT];
    struct nip_manifest manifest;
    struct nip_archive_part part; // for `arch`
};
void fixture_package_make(struct fixture_package *package, const char *name, const char *kdl,
                          uint32_t arch, uint8_t seed);
void fixture_package_free(struct fixture_package *package);

// Signing callback; the context is the seed as a uint8_t.
enum nip_code fixture_sign(void *context, const void *data, size_t size,
                           uint8_t signature[RUMPK_SIGNATURE_SIZE], struct nip_error *err);

// The image that most tests begin with: a console driver, a block driver and a client of both, for
// riscv64. Appends image.kdl and image to empty buffers.
#define FIXTURE_PACKAGE_COUNT 3
struct fixture_image {
    struct fixture_package packages[FIXTURE_PACKAGE_COUNT];
    struct nip_image_package resolved[FIXTURE_PACKAGE_COUNT];
    struct nip_buffer kernel;
    struct nip_imagedef *imagedef;
    uint8_t owner_seed;
    struct nip_image_input input;
};
extern const char fixture_image_kdl[];
void fixture_image_make(struct fixture_image *image, const char *image_kdl);
void fixture_image_free(struct fixture_image *image);

#endif
