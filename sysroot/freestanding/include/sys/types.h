// SPDX-License-Identifier: Apache-2.0
//
// The two names that libsodium's headers take from <sys/types.h>. Serves the kernel and, installed
// beside LLVM libc (whose bare-metal configuration has no such header), drivers too.
#ifndef RUMPK_SYS_TYPES_H
#define RUMPK_SYS_TYPES_H

#include <stddef.h>

typedef __PTRDIFF_TYPE__ ssize_t;

#endif
