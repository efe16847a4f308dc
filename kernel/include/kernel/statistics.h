// SPDX-License-Identifier: Apache-2.0
//
// statistics.h: what the core has done since boot: counted where it happens, told by meta(CORE),
// and read by tests at this symbol.
#ifndef KERNEL_STATISTICS_H
#define KERNEL_STATISTICS_H

#include <kernel/fiber.h>

extern struct rumpk_meta_core core_statistics;
extern struct rumpk_meta_wake wake_statistics[FIBER_COUNT]; // told by meta(WAKE)

#endif
