// SPDX-License-Identifier: Apache-2.0
//
// reg_access.h: the single access. In memory a volatile access of exactly the register's width, at
// a port the instruction of x86-64; in the host build the simulated machine answers both.
#ifndef NPL_REG_ACCESS_H
#define NPL_REG_ACCESS_H

#include <stdint.h>

#if defined(NPL_HOST)

uint8_t window_read8(uint64_t address);
void window_write8(uint64_t address, uint8_t value);
uint32_t window_read32(uint64_t address);
void window_write32(uint64_t address, uint32_t value);
uint8_t port_read8(uint16_t port);
void port_write8(uint16_t port, uint8_t value);
uint32_t port_read32(uint16_t port);
void port_write32(uint16_t port, uint32_t value);

#else

static inline uint8_t window_read8(uint64_t address)
{
    return *(const volatile uint8_t *)(uintptr_t)address;
}

static inline void window_write8(uint64_t address, uint8_t value)
{
    *(volatile uint8_t *)(uintptr_t)address = value;
}

static inline uint32_t window_read32(uint64_t address)
{
    return *(const volatile uint32_t *)(uintptr_t)address;
}

static inline void window_write32(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

#if defined(__x86_64__)

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

#else

// No machine of this architecture has ports, and its kernel gives out no PORTS capability.
static inline uint8_t port_read8(uint16_t port)
{
    (void)port;
    return 0xFF;
}

static inline void port_write8(uint16_t port, uint8_t value)
{
    (void)port;
    (void)value;
}

static inline uint32_t port_read32(uint16_t port)
{
    (void)port;
    return UINT32_MAX;
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    (void)port;
    (void)value;
}

#endif
#endif
#endif
