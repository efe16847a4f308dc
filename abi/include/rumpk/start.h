// SPDX-License-Identifier: Apache-2.0
//
// start.h: the start block: what is a driver's own, as the SysTable is everybody's.
//
// Read-only pages that the kernel fills before the first instruction. The address arrives in the first
// argument register (a0, x0, rdi) of the ELF entry point and is repeated by meta(START). At entry the
// stack pointer is at the top of the stack, aligned as the C calling convention wants at a function's
// entry; every other register is zero, floating point state included.
//
//   +0               struct rumpk_start
//   +caps_offset     struct rumpk_cap_info[cap_count]
//   +channels_offset struct rumpk_channel[channel_count]
//   +config_offset   config_size bytes, from image.kdl, opaque to the kernel
#ifndef RUMPK_START_H
#define RUMPK_START_H

#include <rumpk/base.h>

#define RUMPK_START_MAGIC 0x54525453u  // "STRT"

// Well-known channels. Others are numbered by nip from RUMPK_CHANNEL_FIRST_FREE.
#define RUMPK_CHANNEL_NET_RX 0x0500u
#define RUMPK_CHANNEL_NET_TX 0x0501u
#define RUMPK_CHANNEL_CONSOLE_IN 0x1000u
#define RUMPK_CHANNEL_CONSOLE_OUT 0x1001u
#define RUMPK_CHANNEL_VFS 0x2000u
#define RUMPK_CHANNEL_FIRST_FREE 0x4000u

// How a channel is spoken.
#define RUMPK_STYLE_STREAM 1u   // one ring of text or byte slots (struct rumpk_stream_slot), client to server
#define RUMPK_STYLE_SERVICE 2u  // a ring pair and an arena speaking 9P2000 (ninep.h)

#define RUMPK_ROLE_CLIENT 1u
#define RUMPK_ROLE_SERVER 2u

// One channel. The slots name capabilities that `map` makes accessible; RUMPK_SLOT_NONE where the style has none.
struct rumpk_channel {
    uint32_t id;            // RUMPK_CHANNEL_*; unique per client and service, repeated for several clients
    uint32_t style;         // RUMPK_STYLE_*
    uint32_t role;          // RUMPK_ROLE_* of this fiber
    uint32_t request_slot;  // ring client -> server (the only ring of a stream)
    uint32_t reply_slot;    // ring server -> client
    uint32_t arena_slot;    // memory both ends share
    uint32_t arena_count;   // buffers in the arena
    uint32_t arena_size;    // bytes of one buffer; the msize of 9P
    char service[RUMPK_LABEL_SIZE];  // "console", "block" ...
    char peer[RUMPK_NAME_SIZE];      // package name of the other end
    uint8_t reserved[24];
};
RUMPK_ASSERT_SIZE(rumpk_channel, 160);
RUMPK_ASSERT_OFFSET(rumpk_channel, service, 32);
RUMPK_ASSERT_OFFSET(rumpk_channel, peer, 64);

struct rumpk_start {
    uint32_t magic;    // RUMPK_START_MAGIC
    uint32_t size;     // bytes of this block in all, lists included
    uint64_t systable; // address of the SysTable
    uint32_t abi_version;
    uint32_t fiber;    // this fiber's number
    uint32_t spectrum;
    uint32_t instance;         // 0 for the first instance, counts restarts
    uint64_t image_base;       // address of the ELF header: load bias of the driver
    uint64_t image_size;
    uint64_t stack_base;       // lowest usable address
    uint64_t stack_size;
    uint64_t heap_base;        // zeroed memory for malloc; may have size 0
    uint64_t heap_size;
    uint64_t checkpoint_base;  // last checkpoint; 0 in a first instance
    uint32_t checkpoint_size;
    uint32_t cap_count;
    uint32_t caps_offset;      // bytes from the start of this block
    uint32_t channel_count;
    uint32_t channels_offset;
    uint32_t config_offset;
    uint32_t config_size;
    uint32_t core;             // number of the processor core that it is pinned to; 0 on one core
    uint64_t reserved1;
    uint64_t reserved2;
    char name[RUMPK_NAME_SIZE];        // own package name
    char version[RUMPK_VERSION_SIZE];  // own version
};
RUMPK_ASSERT_SIZE(rumpk_start, 280);
RUMPK_ASSERT_OFFSET(rumpk_start, image_base, 32);
RUMPK_ASSERT_OFFSET(rumpk_start, checkpoint_base, 80);
RUMPK_ASSERT_OFFSET(rumpk_start, caps_offset, 96);
RUMPK_ASSERT_OFFSET(rumpk_start, name, 136);

#endif
