// SPDX-License-Identifier: Apache-2.0
//
// sections.h: put before each source of the kernel's core by the build of fuzz_kernel_calls: all
// that the core keeps lies in two sections of its own, so that a run can begin where the one before
// began.
#ifndef SECTIONS_H
#define SECTIONS_H

#pragma clang section bss = "kernel_bss" data = "kernel_data"

#endif
