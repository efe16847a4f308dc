// SPDX-License-Identifier: Apache-2.0
//
// cap.h: capabilities: what a fiber may touch. A slot number (0..63) names one in a fiber's own space.
//
// An empty slot, a missing right, a length of zero: denied. Slots are filled by the kernel from the boot
// manifest before the first instruction of a driver; the start block lists them with their names.
#ifndef RUMPK_CAP_H
#define RUMPK_CAP_H

#include <rumpk/base.h>

#define RUMPK_SLOT_COUNT 64u
#define RUMPK_SLOT_NONE 0xFFFFFFFFu

// X(name, value, sentence)
#define RUMPK_CAP_TYPES(X) \
    X(NONE, 0, "empty slot") \
    X(FIBER, 1, "a fiber") \
    X(RING, 2, "one end of a ring") \
    X(MEMORY, 3, "memory shared with others or private") \
    X(DMA, 4, "memory that a device queue may read and write") \
    X(QUEUE, 5, "one queue of a virtio device") \
    X(WINDOW, 6, "registers of a device in memory (MMIO)") \
    X(PORTS, 7, "range of I/O ports (x86_64 only)") \
    X(INTERRUPT, 8, "an interrupt line") \
    X(TIME, 9, "the right to arm deadlines in a spectrum") \
    X(SPAWN, 10, "the right to start a package") \
    X(SERVICE, 11, "the right to connect to a service") \
    X(DEVICE, 12, "a virtio device: features, configuration view, reset")

enum rumpk_cap_type {
#define RUMPK_CAP_ENUM(name, value, sentence) RUMPK_CAP_##name = (value),
    RUMPK_CAP_TYPES(RUMPK_CAP_ENUM)
#undef RUMPK_CAP_ENUM
};
#define RUMPK_CAP_TYPE_COUNT 13u

#define RUMPK_RIGHT_READ 0x01u     // read memory, registers, ports; consume a ring
#define RUMPK_RIGHT_WRITE 0x02u    // write memory, registers, ports; produce on a ring
#define RUMPK_RIGHT_DMA 0x04u      // name this memory in a queue request
#define RUMPK_RIGHT_CONTROL 0x08u  // negotiate and reset a device, start a package
#define RUMPK_RIGHT_GRANT 0x10u    // delegate to another fiber
#define RUMPK_RIGHTS_ALL 0x1Fu

// Derivation: a capability that `grant` made may be granted on, this many times in a row.
#define RUMPK_DERIVATION_DEPTH_MAX 8u
// Slots that one channel's grants may fill at the receiver until it empties some.
#define RUMPK_GRANTS_PER_RING_MAX 8u

// One entry of the capability list in the start block.
struct rumpk_cap_info {
    uint32_t slot;     // 0..RUMPK_SLOT_COUNT-1
    uint32_t type;     // enum rumpk_cap_type
    uint32_t rights;   // RUMPK_RIGHT_*
    uint32_t detail;   // QUEUE: queue index; WINDOW, PORTS: register spacing (1 << detail bytes)
    uint64_t base;     // WINDOW: first register; PORTS: first port; else 0 until mapped
    uint64_t size;     // bytes, ports, or queue entries
    char name[RUMPK_LABEL_SIZE];  // name of the request in npl.kdl; queues of a device share its name
};
RUMPK_ASSERT_SIZE(rumpk_cap_info, 64);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, base, 16);
RUMPK_ASSERT_OFFSET(rumpk_cap_info, name, 32);

#endif
