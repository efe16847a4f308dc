// SPDX-License-Identifier: Apache-2.0
//
// reg.h: device registers, whether they lie in memory or behind I/O ports.
//
// `request { registers "uart" compatible="ns16550a" }` gives a WINDOW capability where the machine
// has the registers in memory and a PORTS capability where it has them at ports; register n lies at
// n << spacing from the first one in both. A register outside the granted range reads as all ones
// and swallows writes, as an absent one does on a bus.
#ifndef NPL_REG_H
#define NPL_REG_H

#include <rumpk/base.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct npl_registers {
    uint64_t base;  // address or first port
    uint64_t size;  // bytes or ports
    uint32_t shift; // register n lies at n << shift
    bool is_ports;
};

// Finds the request by name and maps it. 0, RUMPK_E_SLOT when it was not granted, or the code of
// `map`.
int64_t npl_registers_open(struct npl_registers *registers, const char *name);

uint8_t npl_reg_read8(const struct npl_registers *registers, uint32_t index);
void npl_reg_write8(const struct npl_registers *registers, uint32_t index, uint8_t value);
uint32_t npl_reg_read32(const struct npl_registers *registers, uint32_t index);
void npl_reg_write32(const struct npl_registers *registers, uint32_t index, uint32_t value);

#ifdef __cplusplus
}
#endif

#endif
