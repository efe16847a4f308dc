// SPDX-License-Identifier: Apache-2.0
//
// libsodium's and libfdt's sources include <stdlib.h> for size_t and NULL; in the kernel there is
// no allocator, no environment and no exit behind it. abort() stands in functions that the kernel
// never calls (ristretto255).
#ifndef RUMPK_FREESTANDING_STDLIB_H
#define RUMPK_FREESTANDING_STDLIB_H

#include <stddef.h>

#define abort() __builtin_trap()

#endif
