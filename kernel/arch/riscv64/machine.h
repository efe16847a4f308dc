// SPDX-License-Identifier: Apache-2.0
//
// machine.h (riscv64): calls to the firmware (RISC-V Supervisor Binary Interface 1.0, chapter
// "Binary Encoding").
#ifndef RISCV64_MACHINE_H
#define RISCV64_MACHINE_H

#include <stdint.h>

#define SBI_EXTENSION_BASE   0x10u
#define SBI_BASE_PROBE       3u
#define SBI_EXTENSION_TIME   0x54494D45u
#define SBI_EXTENSION_SRST   0x53525354u
#define SBI_LEGACY_SET_TIMER 0u
#define SBI_LEGACY_SHUTDOWN  8u

struct sbi_result {
    int64_t error;
    uint64_t value;
};

static inline struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t first,
                                         uint64_t second)
{
    register uint64_t a0 __asm__("a0") = first;
    register uint64_t a1 __asm__("a1") = second;
    register uint64_t a6 __asm__("a6") = function;
    register uint64_t a7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
    return (struct sbi_result){(int64_t)a0, a1};
}

#endif
