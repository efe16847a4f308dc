// SPDX-License-Identifier: Apache-2.0
//
// reg.c: device registers in memory or at ports.
#include "reg_access.h"
#include <npl/call.h>
#include <npl/reg.h>
#include <npl/start.h>

int64_t npl_registers_open(struct npl_registers *registers, const char *name)
{
    const struct rumpk_cap_info *cap = npl_cap_find(name, RUMPK_CAP_WINDOW);
    bool is_ports = false;

    if (!cap) {
        cap = npl_cap_find(name, RUMPK_CAP_PORTS);
        is_ports = true;
    }
    if (!cap)
        return RUMPK_E_SLOT;
    if (cap->detail > 3)
        return RUMPK_E_UNSUPPORTED;
    int64_t base = npl_map(cap->slot);
    if (base < 0)
        return base;
    *registers = (struct npl_registers){
        .base = (uint64_t)base,
        .size = cap->size,
        .shift = cap->detail,
        .is_ports = is_ports,
    };
    return RUMPK_OK;
}

// Is a register of `width` bytes inside the granted range? Its place in *address.
static bool locate(const struct npl_registers *registers, uint32_t index, uint32_t width,
                   uint64_t *address)
{
    uint64_t offset = (uint64_t)index << registers->shift;

    if (width > registers->size || offset > registers->size - width)
        return false;
    *address = registers->base + offset;
    return true;
}

uint8_t npl_reg_read8(const struct npl_registers *registers, uint32_t index)
{
    uint64_t address;

    if (!locate(registers, index, 1, &address))
        return 0xFF;
    return registers->is_ports ? port_read8((uint16_t)address) : window_read8(address);
}

void npl_reg_write8(const struct npl_registers *registers, uint32_t index, uint8_t value)
{
    uint64_t address;

    if (!locate(registers, index, 1, &address))
        return;
    if (registers->is_ports)
        port_write8((uint16_t)address, value);
    else
        window_write8(address, value);
}

uint32_t npl_reg_read32(const struct npl_registers *registers, uint32_t index)
{
    uint64_t address;

    if (!locate(registers, index, 4, &address))
        return UINT32_MAX;
    return registers->is_ports ? port_read32((uint16_t)address) : window_read32(address);
}

void npl_reg_write32(const struct npl_registers *registers, uint32_t index, uint32_t value)
{
    uint64_t address;

    if (!locate(registers, index, 4, &address))
        return;
    if (registers->is_ports)
        port_write32((uint16_t)address, value);
    else
        window_write32(address, value);
}
