// SPDX-License-Identifier: Apache-2.0
//
// bkdl.h: the packed encoding of the two manifests: npl.bkdl (signed by the publisher as a file of the
// package) and boot.bkdl (signed by the image owner). The kernel reads only these, never KDL text.
//
// A document is a 32-byte opening and a sequence of records; all integers little-endian:
//
//   opening   char title[16] ("rumpk-package 1\n" or "rumpk-boot 1\n", NUL padded), u32 size, u32 records,
//             u64 zero
//   record    u32 tag, u32 size (payload bytes), payload, zero padding to a multiple of 8
//
// Each tag has one fixed payload structure (except CONFIG: 1..RUMPK_CONFIG_MAX bytes). Records come in the order of
// the grammar below and nothing follows them. Text fields are printable ASCII, NUL-terminated, NUL-padded.
// A reader refuses unknown tags, wrong sizes, wrong order, non-zero padding or reserved fields, and counts
// above the limits.
//
//   package:  IDENTITY RUNTIME MATCH* REQUEST* PROVIDES* NEEDS*
//   boot:     IMAGE { PACKAGE KEY+ GRANT* CONFIG? }* WIRE*
#ifndef RUMPK_BKDL_H
#define RUMPK_BKDL_H

#include <rumpk/base.h>

#define RUMPK_BKDL_TITLE_SIZE 16u
#define RUMPK_BKDL_TITLE_PACKAGE "rumpk-package 1\n"  // 16 bytes, no NUL fits
#define RUMPK_BKDL_TITLE_BOOT "rumpk-boot 1\n"
#define RUMPK_BKDL_PACKAGE_SIZE_MAX 65536u
#define RUMPK_BKDL_BOOT_SIZE_MAX 262144u

struct rumpk_bkdl_opening {
    char title[RUMPK_BKDL_TITLE_SIZE];
    uint32_t size;     // bytes of the whole document
    uint32_t records;  // number of records
    uint64_t reserved;
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_opening, 32);

struct rumpk_bkdl_record {
    uint32_t tag;   // enum rumpk_bkdl_tag
    uint32_t size;  // payload bytes, padding not counted
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_record, 8);

enum rumpk_bkdl_tag {
    RUMPK_BKDL_IDENTITY = 1,
    RUMPK_BKDL_RUNTIME = 2,
    RUMPK_BKDL_MATCH = 3,
    RUMPK_BKDL_REQUEST = 4,
    RUMPK_BKDL_PROVIDES = 5,
    RUMPK_BKDL_NEEDS = 6,
    RUMPK_BKDL_IMAGE = 32,
    RUMPK_BKDL_PACKAGE = 33,
    RUMPK_BKDL_KEY = 34,
    RUMPK_BKDL_GRANT = 35,
    RUMPK_BKDL_CONFIG = 36,
    RUMPK_BKDL_WIRE = 37,
};

// Limits of this release. One more is refused by nip and by the kernel.
#define RUMPK_PACKAGES_MAX 64u   // packages of an image
#define RUMPK_REQUESTS_MAX 16u   // requests of a package
#define RUMPK_MATCHES_MAX 16u
#define RUMPK_SERVICES_MAX 8u    // services a package provides, and services it needs
#define RUMPK_KEYS_MAX 8u        // keys pinned for a package
#define RUMPK_WIRES_MAX 128u
#define RUMPK_CONFIG_MAX 4096u
#define RUMPK_STACK_MIN 16384u
#define RUMPK_STACK_MAX 1048576u
#define RUMPK_HEAP_MAX 16777216u
#define RUMPK_DMA_MAX 4194304u

#define RUMPK_KIND_DRIVER 1u
#define RUMPK_KIND_LIBRARY 2u
#define RUMPK_KIND_KERNEL 3u

struct rumpk_bkdl_identity {
    char name[RUMPK_NAME_SIZE];
    char version[RUMPK_VERSION_SIZE];
    uint32_t security_version;  // 1..65535
    uint32_t abi_version;       // lowest ABI version needed
    uint32_t kind;              // RUMPK_KIND_*
    uint32_t arch_mask;         // RUMPK_ARCH_BIT
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_identity, 160);

// When a package is started again after its driver has ended. A driver that faults more than `limit` times within
// `window` is parked instead.
#define RUMPK_RESTART_NEVER 0u
#define RUMPK_RESTART_ON_FAULT 1u
#define RUMPK_RESTART_ALWAYS 2u          // also after `exit`
#define RUMPK_RESTART_LIMIT_MAX 255u
#define RUMPK_RESTART_WINDOW_S_MAX 3600u
#define RUMPK_BUDGET_US_MAX 1000000u

struct rumpk_bkdl_runtime {
    uint32_t spectrum;          // RUMPK_SPECTRUM_*
    uint32_t flags;             // zero
    uint64_t stack_size;        // bytes, multiple of the page size, RUMPK_STACK_MIN..MAX
    uint64_t heap_size;         // bytes, multiple of the page size, 0..RUMPK_HEAP_MAX
    uint64_t pledge;            // classes of calls that it starts with, within RUMPK_PLEDGE_CLASSES
    uint32_t budget_us;         // processor time that it wants per window, 0..RUMPK_BUDGET_US_MAX; 0: its spectrum's
    uint32_t restart;           // RUMPK_RESTART_*
    uint32_t restart_limit;     // 1..RUMPK_RESTART_LIMIT_MAX
    uint32_t restart_window_s;  // 1..RUMPK_RESTART_WINDOW_S_MAX
    uint64_t reserved[2];
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_runtime, 64);

// How a device is recognised.
#define RUMPK_BUS_NONE 0u
#define RUMPK_BUS_VIRTIO 1u      // device_id is the virtio device id
#define RUMPK_BUS_COMPATIBLE 2u  // compatible is a device tree string; on x86_64 a fixed device's equivalent
#define RUMPK_BUS_PCI 3u         // vendor_id and device_id, or class_code, or all three

// Class code of PCI (PCI Local Bus Specification 3.0, 6.2.1): the first `count` of its three bytes (class, subclass,
// programming interface; the others zero) in the low 24 bits, `count` above them; 0: any.
#define RUMPK_PCI_CLASS(count, code) ((uint32_t)(count) << 24 | (uint32_t)(code))
#define RUMPK_PCI_CLASS_COUNT(class_code) ((class_code) >> 24)
#define RUMPK_PCI_VENDOR_MAX 0xFFFEu  // 0xFFFF is what an absent device reads as; 0: any vendor and any device
#define RUMPK_PCI_BARS 6u

struct rumpk_bkdl_match {
    uint32_t bus;
    uint32_t device_id;
    uint32_t vendor_id;   // PCI, else 0
    uint32_t class_code;  // PCI: RUMPK_PCI_CLASS, else 0
    char compatible[RUMPK_COMPATIBLE_SIZE];
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_match, 80);

// A capability that the package asks for. type DEVICE brings the device's queues with it; type WINDOW means
// "the registers" and becomes PORTS where the machine has them at ports, and brings, when `queues` is 1, the device's
// interrupt where it has one: an INTERRUPT and the RING of its messages, both of the same name; type DMA and MEMORY
// name a size.
struct rumpk_bkdl_request {
    char name[RUMPK_LABEL_SIZE];
    uint32_t type;       // RUMPK_CAP_DEVICE, WINDOW, DMA, MEMORY
    uint32_t rights;     // RUMPK_RIGHT_*
    uint32_t bus;        // DEVICE, WINDOW
    uint32_t device_id;
    uint32_t queues;     // DEVICE: queues wanted, 1..RUMPK_DEVICE_QUEUE_MAX; WINDOW: 1 with its interrupt, else 0
    uint32_t optional;   // 1: the driver can do without
    uint64_t size;       // DMA, MEMORY: bytes, multiple of the page size
    char compatible[RUMPK_COMPATIBLE_SIZE];
    uint32_t vendor_id;  // WINDOW of BUS_PCI: as in a match, else 0
    uint32_t class_code;
    uint32_t bar;        // WINDOW of BUS_PCI: base address register, 0..RUMPK_PCI_BARS - 1; else 0
    uint32_t reserved;
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_request, 144);

struct rumpk_bkdl_service {  // PROVIDES and NEEDS
    char name[RUMPK_LABEL_SIZE];
    uint32_t version;
    uint32_t style;     // RUMPK_STYLE_*
    uint32_t optional;  // NEEDS: 1 when the driver can do without; PROVIDES: 0
    uint32_t clients;   // PROVIDES: how many clients at most, 1..RUMPK_PACKAGES_MAX; NEEDS: 0
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_service, 48);

#define RUMPK_IMAGE_DEVELOPMENT 0x1u    // made with a development key
#define RUMPK_IMAGE_STAY_ON_IDLE 0x2u   // wait for ever instead of powering off when nothing can happen any more

struct rumpk_bkdl_image {
    char name[RUMPK_NAME_SIZE];
    char version[RUMPK_VERSION_SIZE];
    uint8_t kernel_digest[RUMPK_DIGEST_SIZE];  // BLAKE2b-256 of the kernel file as built (image header zero)
    // BLAKE2b-256 of what that file loads and nothing ever writes: code, constants and gate page, from the first byte
    // of its first segment up to the image header, which is the last thing read-only. The kernel checks it against
    // itself.
    uint8_t loaded_digest[RUMPK_DIGEST_SIZE];
    uint32_t arch;
    uint32_t flags;          // RUMPK_IMAGE_*
    uint32_t package_count;
    uint32_t wire_count;
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_image, 224);

#define RUMPK_PACKAGE_DMA 0x1u       // the owner lets this package hold DMA memory
#define RUMPK_PACKAGE_DELEGATE 0x2u  // ... grant its memory, registers and rings on: they carry RUMPK_RIGHT_GRANT
#define RUMPK_PACKAGE_OBSERVE 0x4u   // ... see the others by meta: statistics, ledger, boot record
#define RUMPK_PACKAGE_FLAGS 0x7u     // all of them

struct rumpk_bkdl_package {
    char name[RUMPK_NAME_SIZE];
    uint8_t package_id[RUMPK_DIGEST_SIZE];
    uint32_t security_floor;  // lowest security-version that starts
    uint32_t threshold;       // 1..RUMPK_KEYS_MAX: so many of the listed keys have signed, as the owner's tool judged
    uint32_t spectrum;        // RUMPK_SPECTRUM_*: never stricter than requested
    uint32_t flags;           // RUMPK_PACKAGE_*
    uint64_t stack_max;       // bytes; a request above it refuses the package
    uint64_t heap_max;
    uint32_t spawner;         // 0: started at boot; else 1 + number of the package that may start it by `spawn`
    uint32_t restart;         // RUMPK_RESTART_*: what holds, whatever the package asked for
    uint64_t pledge;          // classes of calls that the owner leaves it: it starts with those that both name
    uint32_t budget_us;       // processor time per window; 0: its spectrum's
    uint32_t restart_limit;   // 1..RUMPK_RESTART_LIMIT_MAX
    uint32_t restart_window_s;
    uint32_t reserved;
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_package, 168);

struct rumpk_bkdl_key {
    uint8_t key[RUMPK_KEY_SIZE];
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_key, 32);

// What the owner gives: answers the request of the same name and type. Rights and size never exceed the request.
// index selects among equal devices in the order of their addresses.
struct rumpk_bkdl_grant {
    char name[RUMPK_LABEL_SIZE];
    uint32_t type;
    uint32_t rights;
    uint32_t bus;
    uint32_t device_id;
    uint32_t index;
    uint32_t reserved;
    uint64_t size;
    char compatible[RUMPK_COMPATIBLE_SIZE];
    uint32_t vendor_id;
    uint32_t class_code;
    uint32_t bar;
    uint32_t reserved_2;
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_grant, 144);

// Connects the need of one package with the service of another. Package numbers count PACKAGE records from 0.
struct rumpk_bkdl_wire {
    char service[RUMPK_LABEL_SIZE];
    uint32_t channel;      // channel id; the same for client and server
    uint32_t style;        // RUMPK_STYLE_*
    uint32_t client;
    uint32_t server;
    uint32_t slots;        // slots of each ring, power of two, RUMPK_RING_SLOTS_MIN..MAX
    uint32_t arena_count;  // SERVICE: buffers, 1..64; STREAM: 0
    uint32_t arena_size;   // SERVICE: bytes of a buffer, multiple of 64, 256..65536; STREAM: 0
    uint32_t start;        // RUMPK_START_*
};
RUMPK_ASSERT_SIZE(rumpk_bkdl_wire, 64);
// When the client starts, and what becomes of it when the server fails. A server announces itself when it first
// waits (recv or wait, with any deadline) on the request ring; it has failed when it was refused or ended before
// that. A need that is optional holds its client back only until the server has announced itself or failed. None of
// this concerns a package that is started on demand: who starts it decides.
#define RUMPK_START_AFTER_OR_REFUSE 0u  // after the server announced itself; the client is refused when it fails
#define RUMPK_START_AFTER_OR_WAIT 1u    // after the server announced itself, however long that takes
#define RUMPK_START_AT_ONCE 2u          // with the server; requests lie in the ring, or E_PEER tells that it is gone
#define RUMPK_START_MODES 3u
#define RUMPK_ARENA_COUNT_MAX 64u
#define RUMPK_ARENA_SIZE_MAX 65536u

#endif
