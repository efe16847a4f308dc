// SPDX-License-Identifier: Apache-2.0
//
// offsets_check.c (x86_64): no code; the numbers of offsets.h against the structures of C.
#include "offsets.h"

#include <arch/arch.h>
#include <rumpk/ledger.h>
#include <rumpk/systable.h>

#define CHECK(condition) RUMPK_STATIC_ASSERT(condition, "offsets.h disagrees: " #condition)

CHECK(offsetof(struct arch_frame, rax) == FRAME_RAX);
CHECK(offsetof(struct arch_frame, rbx) == FRAME_RBX);
CHECK(offsetof(struct arch_frame, rcx) == FRAME_RCX);
CHECK(offsetof(struct arch_frame, rdx) == FRAME_RDX);
CHECK(offsetof(struct arch_frame, rsi) == FRAME_RSI);
CHECK(offsetof(struct arch_frame, rdi) == FRAME_RDI);
CHECK(offsetof(struct arch_frame, rbp) == FRAME_RBP);
CHECK(offsetof(struct arch_frame, rsp) == FRAME_RSP);
CHECK(offsetof(struct arch_frame, r8) == FRAME_R8);
CHECK(offsetof(struct arch_frame, r9) == FRAME_R9);
CHECK(offsetof(struct arch_frame, r10) == FRAME_R10);
CHECK(offsetof(struct arch_frame, r11) == FRAME_R11);
CHECK(offsetof(struct arch_frame, r12) == FRAME_R12);
CHECK(offsetof(struct arch_frame, r13) == FRAME_R13);
CHECK(offsetof(struct arch_frame, r14) == FRAME_R14);
CHECK(offsetof(struct arch_frame, r15) == FRAME_R15);
CHECK(offsetof(struct arch_frame, rip) == FRAME_RIP);
CHECK(offsetof(struct arch_frame, rflags) == FRAME_RFLAGS);
CHECK(sizeof(struct arch_frame) == FRAME_SIZE);

CHECK(sizeof(struct arch_fp) == 512);
CHECK(offsetof(struct arch_fp, mxcsr) == 24);

CHECK(offsetof(struct trap_info, kind) == TRAP_INFO_KIND);
CHECK(offsetof(struct trap_info, fault) == TRAP_INFO_FAULT);
CHECK(offsetof(struct trap_info, pc) == TRAP_INFO_PC);
CHECK(offsetof(struct trap_info, address) == TRAP_INFO_ADDRESS);
CHECK(offsetof(struct trap_info, cause) == TRAP_INFO_CAUSE);
CHECK(sizeof(struct trap_info) == TRAP_INFO_SIZE);
CHECK(TRAP_CALL == TRAP_KIND_CALL);

CHECK(offsetof(struct rumpk_boot_record, magic) == BOOT_RECORD_MAGIC);
CHECK(offsetof(struct rumpk_boot_record, stage) == BOOT_RECORD_STAGE);
CHECK(offsetof(struct rumpk_boot_record, cause) == BOOT_RECORD_CAUSE);
CHECK(offsetof(struct rumpk_boot_record, arch) == BOOT_RECORD_ARCH);
CHECK((RUMPK_BOOT_MAGIC & 0xFFFFFFFF) == BOOT_MAGIC_LOW);
CHECK(RUMPK_BOOT_MAGIC >> 32 == BOOT_MAGIC_HIGH);
CHECK((uint32_t)RUMPK_BOOT_ENTRY == BOOT_STAGE_ENTRY);
CHECK((uint32_t)RUMPK_BOOT_CAUSE_FIRMWARE == BOOT_CAUSE_FIRMWARE);
CHECK(RUMPK_ARCH_X86_64 == BOOT_ARCH);

CHECK(GATE_STUB_SIZE == RUMPK_GATE_STUB_SIZE);
CHECK(GATE_STUB_COUNT == RUMPK_CALL_COUNT + 1);
CHECK(ARCH_PAGE_SIZE == RUMPK_PAGE_SIZE);

// Numbers that arch_types.h repeats from arch.h.
CHECK(ARCH_PROT_READ == PROT_READ);
CHECK(ARCH_PROT_WRITE == PROT_WRITE);
CHECK(ARCH_PROT_EXECUTE == PROT_EXECUTE);
CHECK(ARCH_PROT_USER == PROT_USER);
CHECK(ARCH_PROT_DEVICE == PROT_DEVICE);

// SYSCALL and SYSRET (AMD APM volume 2, 6.1.1) make the other selectors from these by adding 8 and
// 16.
CHECK(SELECTOR_KERNEL_DATA == SELECTOR_KERNEL_CODE + 8);
CHECK(SELECTOR_USER_DATA == SELECTOR_SYSRET_BASE + 8);
CHECK(SELECTOR_USER_CODE == SELECTOR_SYSRET_BASE + 16);
