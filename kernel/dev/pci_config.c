// SPDX-License-Identifier: Apache-2.0
//
// pci_config.c: the one place that touches configuration space. Tests put another in its place.
#include "pci_config.h"

static uint64_t address_of(const struct pci_host *host, uint32_t id, uint32_t offset)
{
    return host->config + ((uint64_t)(id - (host->bus_first << 8)) << 12) + offset;
}

uint32_t pci_config_read(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size)
{
    uintptr_t address = (uintptr_t)address_of(host, id, offset);

    switch (size) {
    case 1:
        return *(const volatile uint8_t *)address;
    case 2:
        return *(const volatile uint16_t *)address;
    default:
        return *(const volatile uint32_t *)address;
    }
}

void pci_config_write(const struct pci_host *host, uint32_t id, uint32_t offset, uint32_t size,
                      uint32_t value)
{
    uintptr_t address = (uintptr_t)address_of(host, id, offset);

    switch (size) {
    case 1:
        *(volatile uint8_t *)address = (uint8_t)value;
        break;
    case 2:
        *(volatile uint16_t *)address = (uint16_t)value;
        break;
    default:
        *(volatile uint32_t *)address = value;
        break;
    }
    arch_device_fence(); // what follows may rely on it: addresses before the registers behind them
}
