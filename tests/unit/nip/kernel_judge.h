// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own loader, asked from a test of nip: what would it say to these bytes?

#ifndef TESTS_NIP_KERNEL_JUDGE_H
#define TESTS_NIP_KERNEL_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rumpk/ledger.h>

// `bytes` aligned to 16.
enum rumpk_refusal kernel_judge_driver(const void *bytes, size_t size, uint32_t arch);

// The boot archive, aligned to a page. Marks every reason that the kernel would give, for the
// manifest or for a package. Whether there was none.
bool kernel_judge_archive(const void *bytes, size_t size, uint32_t arch,
                          const uint8_t owner_key[RUMPK_KEY_SIZE],
                          bool reasons[RUMPK_REFUSE_KERNEL_DIGEST + 1]);

#endif
