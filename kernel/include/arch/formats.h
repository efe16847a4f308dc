// SPDX-License-Identifier: Apache-2.0
//
// formats.h: how package formats call each architecture. The one place outside an arch folder that
// lists them: the loader judges files of every architecture (to say "for another processor"), also
// when it runs on the host.
#ifndef RUMPK_ARCH_FORMATS_H
#define RUMPK_ARCH_FORMATS_H

#include <rumpk/base.h>

// X(name in `digests` and paths, RUMPK_ARCH_*, ELF machine, ELF number of its relative relocation),
// sorted by name. Numbers: System V ABI supplements of the processors.
#define ARCH_FORMATS(X)                           \
    X("aarch64", RUMPK_ARCH_AARCH64, 183u, 1027u) \
    X("riscv64", RUMPK_ARCH_RISCV64, 243u, 3u)    \
    X("x86_64", RUMPK_ARCH_X86_64, 62u, 8u)

#endif
