// SPDX-License-Identifier: Apache-2.0
//
// vandal: a driver that turns against the kernel. It says so first, then stores to the kernel's
// code.
#include <npl/npl.h>

#if defined(__riscv)
#define KERNEL_TEXT UINT64_C(0x80200000)
#elif defined(__aarch64__)
#define KERNEL_TEXT UINT64_C(0x40100000)
#else
#define KERNEL_TEXT UINT64_C(0x00101000)
#endif

int npl_main(void)
{
    npl_print("vandal: writing to the kernel\n");
    *(volatile uint64_t *)KERNEL_TEXT = 0;
    npl_print("vandal: the kernel let me\n");
    return 0;
}
