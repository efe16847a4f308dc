// SPDX-License-Identifier: Apache-2.0
//
// arch.h: the arch contract: all that portable kernel code may know of a processor or machine.
//
// Every folder kernel/arch/<arch> implements exactly these names, in files of the same names:
//
//   include/arch_types.h  frame, floating point state, page table entry codec (static inline)
//   entry.S    first instruction to kernel_main: stack, bss, firmware arguments saved
//   trap.S     vectors, save and restore of a frame, entry to user mode, emergency stack
//   gate.S     the gate page: 13 stubs of RUMPK_GATE_STUB_SIZE bytes
//   boot.c     what the firmware handed over: memory map, device tree, fixed devices
//   mmu.c      roots: switch, flush, first switch-on
//   trap.c     processor causes -> struct trap_info, then trap_from_user or trap_from_kernel
//   cpu.c      control registers, floating point save and restore, ports, protection features
//   timer.c    the counter, and the one timer of this core
//   intr.c     the interrupt controller: lines, and waiting for one
//   power.c    power-off
//   machine.h  registers of the machine, and what the files of the folder know of each other
//   offsets.h offsets_check.c   numbers shared with assembly, statically asserted
//
// The kernel is of the event kind: one stack per core, no kernel stack per fiber. A trap from user
// mode saves all registers in the fiber's frame, resets the kernel stack and calls trap_from_user,
// which never returns: it ends in arch_user_return of this or another fiber, or in arch_power_off.
// So ending a fiber in the middle of a call is simply not returning to it.
#ifndef RUMPK_ARCH_ARCH_H
#define RUMPK_ARCH_ARCH_H

#include <arch_types.h>
#include <stdbool.h>
#include <stdint.h>

// ---- arch_types.h provides ----
//
// struct arch_frame   all user registers of a fiber, program counter, stack pointer, status;
//                     16-byte aligned
// struct arch_fp      all floating point and control state; 16-byte aligned
// ARCH_PT_LEVELS      3 (Sv39, aarch64 with 39 bits) or 4 (x86_64); 512 entries of 8 bytes,
//                     4 KiB granule
// ARCH_ADDRESS_LIMIT  first address beyond what the tables map with VA = PA
//                     (riscv64 1 << 38, aarch64 1 << 39, x86_64 1 << 47)
//
// static inline uint64_t arch_pte_leaf(uint64_t pa, uint32_t prot, unsigned level);
//     level 0 = 4 KiB page, 1 = 2 MiB block, 2 = 1 GiB block. `prot` as below. Accessed/dirty bits
//     are preset.
// static inline uint64_t arch_pte_table(uint64_t pa);
// static inline bool     arch_pte_present(uint64_t pte);
// static inline bool     arch_pte_is_leaf(uint64_t pte, unsigned level);
// static inline uint64_t arch_pte_address(uint64_t pte);
// static inline uint32_t arch_pte_prot(uint64_t pte);
//     PROT_* of a leaf, exactly what its bits allow (a writable one is readable). Never
//     PROT_DEVICE.

// What a mapping allows. Without USER only the kernel has the access, with USER the driver has it
// (the kernel then reaches the page through its own root only, see kernel/include/kernel/memory.h).
// USER|EXECUTE without READ means execute-only where the processor can (riscv64, aarch64).
#define PROT_READ    0x01u
#define PROT_WRITE   0x02u
#define PROT_EXECUTE 0x04u
#define PROT_USER    0x08u
#define PROT_DEVICE  0x10u // strongly ordered, uncached

// ---- portable code provides, arch code calls ----

// Linker symbols that entry.S and trap.S use: __stack_top (kernel stack), __emergency_top (stack of
// trap_from_kernel), __bss_start, __bss_end. The stacks lie outside [__bss_start, __bss_end), each
// above an unmapped guard page. Input sections that the link script places: .text.entry (the first
// bytes of the image), .text.vectors (aligned 2048), .text.syscall (trap.S save, restore and return
// paths), .gate (the gate page), .note.boot (ELF notes for a boot loader), .bss.boot (not cleared:
// what entry.S saves before it clears .bss, own boot page tables).

// Called by entry.S on the boot core: stack set, bss zero, MMU as the firmware left it (x86_64: own
// identity tables of the first 4 GiB on), interrupts off. Never returns.
[[noreturn]] void kernel_main(void);

#define TRAP_CALL      1u // the system call instruction; `pc` is the address of the instruction AFTER it
#define TRAP_FAULT     2u // an exception; `fault` says which
#define TRAP_INTERRUPT 3u // a line of the controller: arch_interrupt_claim says which (or none)
#define TRAP_TIMER     4u // the armed timer has expired; portable code arms or disarms it anew

struct trap_info {
    uint32_t kind;  // TRAP_*
    uint32_t fault; // enum rumpk_fault; READ, WRITE, EXECUTE for page faults
    uint64_t pc;
    uint64_t address; // address accessed, else 0
    uint64_t cause;   // processor's own number (scause, ESR_EL1, vector << 32 | error code)
};

// The frame of the running fiber has been saved. The call number is arch_frame_number(frame).
// Interrupts are taken in user mode only: the kernel itself runs with them off, and frames that
// arch_frame_init makes have them on. For TRAP_INTERRUPT and TRAP_TIMER the frame is complete and
// is resumed later without a result.
[[noreturn]] void trap_from_user(const struct trap_info *info);

// A trap while the kernel ran; on the emergency stack.
[[noreturn]] void trap_from_kernel(const struct trap_info *info);

// Where trap.S saves: set by portable code before each arch_user_return.
extern struct arch_frame *arch_current_frame;

// ---- boot.c ----

#define BOOT_REGIONS_MAX 32u

struct boot_region {
    uint64_t base;
    uint64_t size;
};

struct boot_info {
    struct boot_region ram[BOOT_REGIONS_MAX]; // usable RAM as the firmware tells it, any order
    uint32_t ram_count;
    struct boot_region reserved[BOOT_REGIONS_MAX]; // taken parts of it: firmware, tree, start info
    uint32_t reserved_count;
    const void *fdt; // device tree, validated header (FDT magic and total size), or null
    uint32_t fdt_size;
};

// Fills `info`. Returns enum rumpk_boot_cause: 0 or why the machine cannot be used. Reads only what
// the firmware handed over (riscv64: a1; aarch64: tree at the start of RAM for an ELF; x86_64: PVH
// start info, and the tree from fw_cfg "etc/fdt" where there is one). Memory and /reserved-memory
// nodes of a tree are read by portable code.
uint32_t arch_boot_info(struct boot_info *info);

// Devices that no tree names (x86_64: the serial port at 0x3f8). Calls `add` once for each.
struct fixed_device {
    const char *compatible;
    uint64_t base; // address, or first port
    uint64_t size;
    bool is_ports;
    uint32_t shift; // register spacing 1 << shift
    uint32_t line;  // its interrupt line, or ARCH_LINE_NONE
};
void arch_fixed_devices(void (*add)(const struct fixed_device *device));

// A PCI host that no tree names (x86_64: from the firmware's tables): fills *host and returns true.
// False: there is none, or hosts of this architecture stand in the tree. After arch_mmu_on.
struct pci_host;
bool arch_pci_host(struct pci_host *host);

// ---- cpu.c ----

// Control registers as the kernel wants them: user FP enabled, vectors beyond it trap,
// SMEP/SMAP/UMIP/PAN/WXN-like features where the processor has them. Returns enum rumpk_boot_cause.
uint32_t arch_cpu_init(void);

void arch_fp_clear(struct arch_fp *state); // initial state: registers zero, default control word
void arch_fp_save(struct arch_fp *state);
void arch_fp_restore(const struct arch_fp *state);

// I/O ports [first, first + count) open to the fiber about to run; count 0 closes all. No-op
// without ports.
void arch_ports_set(const struct boot_region *ranges, uint32_t range_count);
bool arch_has_ports(void);

// A fiber starts at `entry` with `argument` in the first argument register; everything else zero.
void arch_frame_init(struct arch_frame *frame, uint64_t entry, uint64_t stack_top,
                     uint64_t argument);
uint64_t arch_frame_number(const struct arch_frame *frame);                   // call number
uint64_t arch_frame_argument(const struct arch_frame *frame, unsigned index); // 0..5
// Stores the result and zeroes the other caller-saved registers.
void arch_frame_set_result(struct arch_frame *frame, int64_t result);
uint64_t arch_frame_pc(const struct arch_frame *frame);
uint64_t arch_frame_sp(const struct arch_frame *frame);
// Where the gate stub that a frame is in will return to: in a register, or (false) it stands at the
// stack pointer in the driver's memory.
bool arch_frame_caller(const struct arch_frame *frame, uint64_t *address);

// ---- trap.S, trap.c ----

void arch_traps_init(void);
// Enters user mode with all registers from the frame; the next trap starts the kernel stack anew.
[[noreturn]] void arch_user_return(struct arch_frame *frame);
// Resets the kernel stack to its top and calls `function`, which does not return.
[[noreturn]] void arch_stack_reset(void (*function)(void));

// ---- mmu.c ----

void arch_mmu_on(uint64_t root); // first switch to portable code's tables
// Every later switch; no stale translation survives (no ASID in this release).
void arch_root_switch(uint64_t root);
void arch_tlb_flush(void); // after entries of the active root were changed
void arch_code_sync(uint64_t address, uint64_t size); // make stores visible to instruction fetch
// Accesses to memory and to registers of devices before this come, for devices too, before those
// after it. A fence of the C language promises nothing about registers.
void arch_device_fence(void);

// ---- intr.c ----
//
// Lines are numbers below ARCH_LINES_MAX that only this contract gives a meaning (PLIC source, GIC
// interrupt id, global system interrupt). At most one core, which takes them all.

#define ARCH_LINES_MAX 1024u
#define ARCH_LINE_NONE 0xFFFFFFFFu

// Finds the controller and takes down its registers for arch_kernel_windows; touches none of them.
// Before arch_mmu_on. `fdt` may be null. Returns enum rumpk_boot_cause.
uint32_t arch_interrupts_find(const void *fdt);
// All lines masked, nothing pending, the core ready to take what will be unmasked. The timer is
// disarmed. After arch_mmu_on and arch_timer_init. Returns enum rumpk_boot_cause.
uint32_t arch_interrupts_init(void);

// One interrupt specifier of the tree: `cells` in the processor's byte order, `controller` the node
// that it is meant for. Notes the trigger where the controller wants to know. False: not ours, not
// understood, or no line that a device may have.
bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line);
void arch_interrupt_unmask(uint32_t line); // what is pending then is delivered
void arch_interrupt_mask(uint32_t line);
// The next pending line, or ARCH_LINE_NONE (none, or spurious). It does not come again before
// arch_interrupt_unmask, however long its device keeps asking. Level lines: nothing is lost when
// the device is quieted between claim and unmask.
uint32_t arch_interrupt_claim(void);

// A line of its own for one message-signalled interrupt: the device raises it by writing the 32
// bits `data` to `address`. Masked at first. An edge: what comes while it is masked comes once at
// unmask. False: none left, or this machine has none. Never given back.
bool arch_msi_allocate(uint32_t *line, uint64_t *address, uint32_t *data);

// Makes what is pending known to arch_interrupt_claim without sleeping; called with interrupts off,
// returns with them off.
void arch_interrupt_poll(void);

// Idle until a line is pending or the timer has expired; may return earlier. Called with
// interrupts off, returns with them off; claims nothing. Returns at once when something is pending
// already: no wake-up is lost between the last look and the sleep.
void arch_wait(void);

// ---- timer.c, power.c ----

// Finds the counter; returns ticks per second, or 0 when there is none. `fdt` may be null.
uint64_t arch_timer_init(const void *fdt);
// The raw counter; works before arch_timer_init, from the first instruction on.
uint64_t arch_timer_now(void);
// One shot when the counter reaches `raw`; at once when that is past. Replaces what was armed.
void arch_timer_arm(uint64_t raw);
void arch_timer_disarm(void); // no timer interrupt comes after this

void arch_power_init(const void *fdt);
[[noreturn]] void arch_power_off(void);
void arch_relax(void); // a short pause in a polling loop
// Stays for ever without using the processor; nothing is awaited any more.
[[noreturn]] void arch_halt(void);

// Registers of devices that the kernel itself drives: ranges to map (device, kernel only) before
// arch_mmu_on.
uint32_t arch_kernel_windows(struct boot_region *out, uint32_t max);

#endif
