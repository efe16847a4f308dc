// SPDX-License-Identifier: Apache-2.0
//
// systable.h: writing the SysTable (rumpk/systable.h).
#ifndef KERNEL_SYSTABLE_H
#define KERNEL_SYSTABLE_H

#include <kernel/base.h>

// Writes the table into its page.
void systable_init(void);
// Last words: the image is a development image or not. Seals the page.
void systable_finish(bool is_development);
// The feature bits as they stand in the table: what meta(FEATURES) answers.
uint64_t systable_features(void);

#endif
