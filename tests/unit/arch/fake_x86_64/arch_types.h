// SPDX-License-Identifier: Apache-2.0
//
// arch_types.h for the tests of boot.c and intr.c: ports and registers are functions of the test,
// everything else of the processor is left out.
#ifndef FAKE_ARCH_TYPES_H
#define FAKE_ARCH_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct arch_frame {
    uint64_t unused;
};

struct arch_fp {
    uint64_t unused;
};

#define ARCH_PT_LEVELS     4u
#define ARCH_ADDRESS_LIMIT (UINT64_C(1) << 47)

void cpu_out8(uint16_t port, uint8_t value);
void cpu_out16(uint16_t port, uint16_t value);
void cpu_out32(uint16_t port, uint32_t value);
uint8_t cpu_in8(uint16_t port);
uint32_t cpu_in32(uint16_t port);
uint16_t cpu_bios_word(uint64_t address);
uint64_t cpu_msr_read(uint32_t msr);
void cpu_msr_write(uint32_t msr, uint64_t value);

struct cpu_id {
    uint32_t eax, ebx, ecx, edx;
};

struct cpu_id cpu_id_read(uint32_t leaf, uint32_t subleaf);

bool boot_is_microvm(void);

#endif
