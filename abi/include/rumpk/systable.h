// SPDX-License-Identifier: Apache-2.0
//
// systable.h: the SysTable, 240 bytes at a known address, the same for every driver.
//
// It is mapped read-only into every driver. The address is physical and virtual at once where RAM is
// free there, and a virtual alias otherwise, so that a machine with 8 MiB boots too. The twelve call
// entries and the meta entry are addresses of functions: in an isolated driver those of gate stubs in
// an execute-only page. The pointers are the ABI; how the stub enters the kernel is not.
//
//      0  magic, version, size
//      8  features
//     16  calls[12]
//    112  meta
//    120  constants
//    240  end
#ifndef RUMPK_SYSTABLE_H
#define RUMPK_SYSTABLE_H

#include <rumpk/base.h>

#define RUMPK_SYSTABLE_MAGIC 0x4E585553u  // "NXUS"
#define RUMPK_SYSTABLE_SIZE 240u

#define RUMPK_SYSTABLE_ADDRESS_RISCV64 UINT64_C(0x83000000)
#define RUMPK_SYSTABLE_ADDRESS_AARCH64 UINT64_C(0x50000000)
#define RUMPK_SYSTABLE_ADDRESS_X86_64 UINT64_C(0x03000000)

#if defined(__riscv) && __riscv_xlen == 64
#define RUMPK_ARCH RUMPK_ARCH_RISCV64
#define RUMPK_SYSTABLE_ADDRESS RUMPK_SYSTABLE_ADDRESS_RISCV64
#elif defined(__aarch64__)
#define RUMPK_ARCH RUMPK_ARCH_AARCH64
#define RUMPK_SYSTABLE_ADDRESS RUMPK_SYSTABLE_ADDRESS_AARCH64
#elif defined(__x86_64__)
#define RUMPK_ARCH RUMPK_ARCH_X86_64
#define RUMPK_SYSTABLE_ADDRESS RUMPK_SYSTABLE_ADDRESS_X86_64
#else
#error "Rumpk: riscv64, aarch64 and x86_64 only"
#endif

// Index of each call in `calls`; feature bit n says that call n is offered by this kernel.
// X(name, index, sentence)
#define RUMPK_CALLS(X) \
    X(SPAWN, 0, "start a fiber from a verified package") \
    X(SEND, 1, "wake the sleeping end of a ring; submit a batch to a device queue") \
    X(RECV, 2, "sleep until a ring or queue has something, or a deadline passes") \
    X(MAP, 3, "map a capability") \
    X(MASK, 4, "narrow an own capability; mask or unmask an interrupt") \
    X(TICK, 5, "read time, arm a deadline") \
    X(GRANT, 6, "delegate a capability, never with more rights") \
    X(REVOKE, 7, "take back a capability and everything derived from it") \
    X(PLEDGE, 8, "give up classes of calls, one way") \
    X(WAIT, 9, "yield; wait on several sources with a deadline") \
    X(CHECKPOINT, 10, "hand the kernel state to be given back after a restart") \
    X(EXIT, 11, "end this fiber")

enum rumpk_call {
#define RUMPK_CALL_ENUM(name, index, sentence) RUMPK_CALL_##name = (index),
    RUMPK_CALLS(RUMPK_CALL_ENUM)
#undef RUMPK_CALL_ENUM
    RUMPK_CALL_META = 12,
};
#define RUMPK_CALL_COUNT 12u

// Feature bits: 0..12 the calls above (12 is meta), then:
#define RUMPK_FEATURE_CALL(index) (UINT64_C(1) << (index))
#define RUMPK_FEATURE_ISOLATION (UINT64_C(1) << 16)        // drivers run unprivileged in own page tables
#define RUMPK_FEATURE_SYSTABLE_ALIAS (UINT64_C(1) << 17)   // SysTable address is virtual only here
#define RUMPK_FEATURE_DEVELOPMENT (UINT64_C(1) << 18)      // the image is marked development

struct rumpk_systable {
    uint32_t magic;           // RUMPK_SYSTABLE_MAGIC
    uint16_t abi_version;     // RUMPK_ABI_VERSION of the kernel
    uint16_t size;            // RUMPK_SYSTABLE_SIZE
    uint64_t features;        // RUMPK_FEATURE_*
    uint64_t calls[12];       // entry addresses, indexed by enum rumpk_call
    uint64_t meta;            // entry address of the meta call
    uint64_t timer_hz;        // ticks per second of every time in this ABI
    uint64_t boot_ticks;      // timer value at kernel entry; `tick` counts from here
    uint32_t arch;            // RUMPK_ARCH_*
    uint32_t page_size;       // RUMPK_PAGE_SIZE
    uint32_t core_count;      // cores that run fibers
    uint32_t slot_count;      // capability slots per fiber
    uint64_t gate_base;       // the gate page
    uint32_t gate_size;
    uint32_t ring_slot_size;  // bytes of a ring slot
    uint32_t checkpoint_max;  // bytes of state that `checkpoint` takes
    uint32_t reserved0;
    uint64_t reserved[8];     // zero
};
RUMPK_ASSERT_SIZE(rumpk_systable, RUMPK_SYSTABLE_SIZE);
RUMPK_ASSERT_OFFSET(rumpk_systable, features, 8);
RUMPK_ASSERT_OFFSET(rumpk_systable, calls, 16);
RUMPK_ASSERT_OFFSET(rumpk_systable, meta, 112);
RUMPK_ASSERT_OFFSET(rumpk_systable, timer_hz, 120);
RUMPK_ASSERT_OFFSET(rumpk_systable, arch, 136);
RUMPK_ASSERT_OFFSET(rumpk_systable, gate_base, 152);
RUMPK_ASSERT_OFFSET(rumpk_systable, checkpoint_max, 168);
RUMPK_ASSERT_OFFSET(rumpk_systable, reserved, 176);

// Layout of the gate page: stub n starts at n * RUMPK_GATE_STUB_SIZE. Informative; use the table.
#define RUMPK_GATE_STUB_SIZE 32u

#endif
