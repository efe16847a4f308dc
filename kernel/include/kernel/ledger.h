// SPDX-License-Identifier: Apache-2.0
//
// ledger.h: appending to the kernel's ledger (format: rumpk/ledger.h). Bounded, never rewritten.
#ifndef KERNEL_LEDGER_H
#define KERNEL_LEDGER_H

#include <kernel/base.h>

extern struct rumpk_ledger rumpk_ledger;

#define LEDGER_NO_FIBER 0xFFFFFFFFu

void ledger_init(void);
// A record with `kind`, `code`, and package and fiber "none"; the caller fills in what it knows.
struct rumpk_ledger_record ledger_record(enum rumpk_ledger_kind kind, uint32_t code);
// Completes sequence, time and hashes, and appends.
void ledger_append(struct rumpk_ledger_record *record);

#endif
