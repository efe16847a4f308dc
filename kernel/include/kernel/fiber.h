// SPDX-License-Identifier: Apache-2.0
//
// fiber.h: one running driver: registers, page-table root, capabilities, and what it waits for.
//
//        fiber_new            sched_ready           sched_run
//   FREE ---------> NEW ------------------> READY ------------> RUNNING
//                                             ^                  |   |
//                                             | wait_try         |   | fiber_end
//                                             +--- WAITING <-----+   v
//                                                     |   sched_block
//                                                     +-----------> ENDED
//
// A fiber is numbered by its package's place in the boot manifest; an ended one keeps its number
// and its memory. While a fiber ends (is_ending) it is READY or RUNNING and does nothing but that:
// its capabilities are dropped and its memory is cleared in steps (work.h). Restart (a later
// release) begins a new instance in the same structure from the package kept in the archive.
#ifndef KERNEL_FIBER_H
#define KERNEL_FIBER_H

#include <kernel/cap.h>
#include <kernel/pagetable.h>
#include <kernel/work.h>

enum fiber_state {
    FIBER_FREE,
    FIBER_NEW,
    FIBER_READY,
    FIBER_RUNNING,
    FIBER_WAITING,
    FIBER_ENDED,
};

#define FIBER_PORTS_MAX 8u
#define FIBER_SCRUB_MAX 20u // stack, heap, writable image, and each MEMORY and DMA of its own

enum wait_kind {
    WAIT_SLEEP, // only the deadline
    WAIT_RING,  // one ring: the result is what it offers
    WAIT_QUEUE, // one device queue: completions are stored at `out`
    WAIT_MANY,  // several: the result is an index
};

struct fiber_wait {
    uint8_t kind;  // enum wait_kind
    uint8_t count; // of slots
    uint8_t slots[RUMPK_WAIT_MAX];
    uint32_t out_count;
    uint64_t servers; // fibers for whose service it waits, one bit each (lend.h)
    uint64_t out; // address in the driver, checked when the call was made and again when it is used
    uint64_t deadline;
};

// State handed over by `checkpoint`: two copies in pages of the kernel; copy n & 1 holds number n.
// `sequence` names the one that counts.
struct fiber_checkpoint {
    uint64_t bases[2]; // 0: not taken yet
    uint64_t sequence;
    uint32_t size;
};

struct fiber {
    struct arch_frame frame;
    struct arch_fp fp;
    struct pagetable table;
    struct fiber *next; // in a run queue
    struct work work;   // a call that takes long, or the fiber's end
    bool is_ending;
    struct fiber *starter; // NEW: whose spawn is verifying it, or null
    uint32_t number;
    uint32_t state; // enum fiber_state
    uint32_t spectrum;
    uint32_t package_flags; // RUMPK_PACKAGE_*: what the image owner permits
    uint32_t port_count;
    struct boot_region ports[FIBER_PORTS_MAX]; // opened by `map`
    struct fiber_wait wait;
    uint64_t pledge; // RUMPK_PLEDGE_* still kept, and the spectrum
    struct fiber_checkpoint checkpoint;
    uint64_t calls;
    uint64_t switches;
    uint32_t spectrum_given; // by boot manifest and pledge; strikes may make `spectrum` looser
    uint32_t strikes;
    uint32_t slices;      // used up since it last called recv or wait
    uint64_t strike_last; // when
    uint64_t slice_used;  // ticks since it last waited, as far as no overrun was made of them
    uint64_t turn_used;   // ticks since it was last at the end of its queue
    uint64_t budget;      // ticks per window; 0: no limit
    uint32_t budget_us;   // at most, by both manifests; 0: what its spectrum gives
    uint64_t window_end;  // of the window that it last ran in
    uint64_t window_used; // in that window, loans that it gave included
    bool is_throttled;    // its budget is used up: it runs in Void until the window ends
    uint32_t throttled;   // windows, in all
    uint32_t exhausted;   // windows in a row
    struct fiber *lender; // null, or who lent it a spectrum in its nap number lender_nap (lend.h)
    uint64_t lender_nap;
    uint64_t naps;      // times it fell asleep, and what it lends changed
    uint32_t queued;    // READY: in which queue
    uint64_t woken;     // when it became ready and has not run since, plus 1; 0: it has
    uint64_t run_ticks; // in all
    uint64_t entered;   // when it got the processor
    uint64_t start_block;
    uint64_t stack_base;
    uint64_t stack_size;
    uint64_t image_base;
    uint64_t image_size;
    uint64_t heap_base;
    uint64_t heap_size;
    struct boot_region scrub[FIBER_SCRUB_MAX]; // cleared when the fiber ends
    uint32_t scrub_count;
    uint32_t cap_count;
    uint8_t package_id[RUMPK_DIGEST_SIZE];
    char name[RUMPK_NAME_SIZE];
    struct cap *caps; // its RUMPK_SLOT_COUNT nodes of cap_nodes
};

#define FIBER_COUNT RUMPK_PACKAGES_MAX
extern struct fiber fiber_table[FIBER_COUNT];

static inline bool fiber_is_alive(const struct fiber *fiber)
{
    return fiber->state != FIBER_FREE && fiber->state != FIBER_ENDED && !fiber->is_ending;
}

// The fiber whose call is being served, or null.
struct fiber *fiber_current(void);

// A ledger record about `fiber`.
struct rumpk_ledger_record fiber_record(const struct fiber *fiber, enum rumpk_ledger_kind kind,
                                        uint32_t code);

// Why a fiber ends: what goes into the ledger.
struct fiber_fault {
    enum rumpk_fault fault;
    uint64_t pc;
    uint64_t address;
    uint64_t cause;
};

// Ends `fiber`, the running one: one ledger record at once; then, in its spectrum and in steps,
// rings closed, peers woken, devices reset, memory scrubbed.
[[noreturn]] void fiber_end_fault(struct fiber *fiber, const struct fiber_fault *fault);
[[noreturn]] void fiber_end_exit(struct fiber *fiber, uint64_t code);
// The same for a fiber that is not the running one: it ends when it gets the processor.
void fiber_condemn(struct fiber *fiber, enum rumpk_fault fault);
// The same for one that has never run, with this record.
void fiber_abandon(struct fiber *fiber, struct rumpk_ledger_record *record);

// A misused call: the fault's pc is the place of the call in the driver.
[[noreturn]] void fiber_fault_call(struct fiber *fiber, enum rumpk_fault fault, uint64_t address);

#endif
