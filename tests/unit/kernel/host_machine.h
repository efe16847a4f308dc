// SPDX-License-Identifier: Apache-2.0
//
// host_machine.h: a machine in one process for the kernel's core: RAM is memory mapped at fixed
// addresses, so that physical = virtual holds here too; the arch contract is a set of small fakes.
// A fiber "runs" when arch_user_return is reached: control goes back to the test.
//
//   MACHINE_RAM      16 MiB: firmware 64 KiB | free | kernel "image" | archive | free
//   SysTable page    its own mapping at RUMPK_SYSTABLE_ADDRESS, RAM only when the test says so
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include <arch/arch.h>
#include <kernel/base.h>
#include <setjmp.h>

#define MACHINE_RAM      UINT64_C(0x10000000)
#define MACHINE_RAM_SIZE UINT64_C(0x1000000)
#define MACHINE_FIRMWARE UINT64_C(0x10000)
#define MACHINE_KERNEL   UINT64_C(0x10200000) // also in CMakeLists.txt, where the link symbols are
#define MACHINE_ARCHIVE  UINT64_C(0x10240000)

// Maps the RAM. Once per process.
void machine_begin(void);

// What happened: the way control came back from the kernel.
enum machine_exit {
    MACHINE_RUNNING, // a fiber was entered: arch_current_frame is its frame
    MACHINE_POWER_OFF,
    MACHINE_ASSERT,
    MACHINE_HALT,
};
// Runs `function`, which does not return, until one of the above.
enum machine_exit machine_run(void (*function)(void));

extern uint64_t machine_ticks;  // what arch_timer_now answers
extern uint64_t machine_root;   // last root that was switched to
extern uint32_t machine_line;   // the line that the next claim finds pending
extern uint32_t machine_looks;  // at the interrupts, from the middle of kernel work
extern uint32_t machine_masked; // the last line that was masked

#endif
