// SPDX-License-Identifier: Apache-2.0
//
// record.h: the boot record: how far the machine came, and what ended it. Read from outside at the
// symbol rumpk_boot_record; the kernel prints nothing.
#ifndef KERNEL_RECORD_H
#define KERNEL_RECORD_H

#include <kernel/base.h>

extern struct rumpk_boot_record rumpk_boot_record;

// First thing in kernel_main: magic, architecture, time zero.
void record_begin(void);
// Ticks since kernel entry: every time in the ABI counts from there.
uint64_t record_ticks(void);
// Raw counter value at kernel entry.
uint64_t record_boot_ticks(void);
void record_stage(enum rumpk_boot_stage stage);
// The package that is being worked on, for whoever reads the record after an abnormal end.
void record_package(uint32_t package);
// Ends the machine: cause into the record, power off.
[[noreturn]] void record_fail(enum rumpk_boot_cause cause);
[[noreturn]] void record_fail_trap(uint64_t pc, uint64_t address, uint64_t detail);
// Goes on only if `cause` is none: for the results of the arch contract.
void record_require(uint32_t cause);

#endif
