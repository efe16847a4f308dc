// SPDX-License-Identifier: Apache-2.0
//
// virtio_pci.c: a virtio device behind PCI, modern interface only (virtio 1.2, section 4.1; a
// transitional device is used through the same). Where its structures lie is told by the device:
// each is believed only if it lies inside registers that have an address.
#include "virtio_pci.h"

#include "pci_config.h"

#include <kernel/memory.h>

#define INTERRUPT_READS_MAX 8u
#define CAPABILITIES_MAX    16u
#define VECTOR_NONE         0xFFFFu

// ---- registers ----------------------------------------------------------------------------------

static uint8_t read8(uint64_t address)
{
    return *(const volatile uint8_t *)(uintptr_t)address;
}

static uint16_t read16(uint64_t address)
{
    return *(const volatile uint16_t *)(uintptr_t)address;
}

static uint32_t read32(uint64_t address)
{
    return *(const volatile uint32_t *)(uintptr_t)address;
}

static void write8(uint64_t address, uint32_t value)
{
    *(volatile uint8_t *)(uintptr_t)address = (uint8_t)value;
}

static void write16(uint64_t address, uint32_t value)
{
    *(volatile uint16_t *)(uintptr_t)address = (uint16_t)value;
}

static void write32(uint64_t address, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)address = value;
}

static void write_address(uint64_t address, uint64_t value)
{
    write32(address, (uint32_t)value);
    write32(address + 4, (uint32_t)(value >> 32));
}

// ---- finding ------------------------------------------------------------------------------------

// A structure that a capability names. 0: it lies outside, or is shorter than `size_min`.
static uint64_t structure_find(const struct pci_function *function, uint32_t capability,
                               uint64_t size_min, uint64_t *size)
{
    uint32_t bar = pci_read(function, capability + VIRTIO_PCI_CAP_BAR, 1);
    uint64_t offset = pci_read(function, capability + VIRTIO_PCI_CAP_OFFSET, 4);

    *size = pci_read(function, capability + VIRTIO_PCI_CAP_SIZE, 4);
    if (bar >= PCI_BARS || function->bars[bar].base == 0 || *size < size_min || offset % 4 != 0 ||
        !range_contains(0, function->bars[bar].size, offset, *size))
        return 0;
    return function->bars[bar].base + offset;
}

static void capability_read(const struct pci_function *function, uint32_t capability,
                            struct virtio_registers *registers)
{
    uint32_t length = pci_read(function, capability + VIRTIO_PCI_CAP_LENGTH, 1);
    uint64_t size = 0;

    if (length < VIRTIO_PCI_CAP_END || capability > PCI_CONFIG_SIZE - VIRTIO_PCI_CAP_NOTIFY_END)
        return;
    // Of several of a kind, the first that can be used (section 4.1.4.1).
    switch (pci_read(function, capability + VIRTIO_PCI_CAP_KIND, 1)) {
    case VIRTIO_PCI_KIND_COMMON:
        if (registers->common == 0)
            registers->common = structure_find(function, capability, VIRTIO_PCI_COMMON_SIZE, &size);
        break;
    case VIRTIO_PCI_KIND_NOTIFY:
        if (registers->notify != 0 || length < VIRTIO_PCI_CAP_NOTIFY_END)
            break;
        registers->notify = structure_find(function, capability, 2, &size);
        registers->notify_size = (uint32_t)size;
        registers->notify_multiplier =
            pci_read(function, capability + VIRTIO_PCI_CAP_MULTIPLIER, 4);
        break;
    case VIRTIO_PCI_KIND_STATUS:
        if (registers->interrupt_status == 0)
            registers->interrupt_status = structure_find(function, capability, 1, &size);
        break;
    case VIRTIO_PCI_KIND_DEVICE:
        if (registers->config != 0)
            break;
        registers->config = structure_find(function, capability, 1, &size);
        registers->config_size = registers->config == 0 ? 0 : size;
        break;
    default:
        break;
    }
}

static bool registers_find(const struct pci_function *function, struct virtio_registers *registers)
{
    uint32_t at = 0;

    *registers = (struct virtio_registers){.line = ARCH_LINE_NONE};
    for (uint32_t count = 0; count < CAPABILITIES_MAX; count++) {
        uint32_t capability = pci_capability_next(function, PCI_CAPABILITY_VENDOR, &at);

        if (capability == 0)
            break;
        capability_read(function, capability, registers);
    }
    return registers->common != 0 && registers->notify != 0 && registers->interrupt_status != 0;
}

static uint32_t kind_of(const struct pci_function *function)
{
    if (function->vendor_id != VIRTIO_PCI_VENDOR || function->is_bridge || !function->is_usable ||
        function->device_id < VIRTIO_PCI_TRANSITIONAL_FIRST ||
        function->device_id > VIRTIO_PCI_LAST)
        return 0;
    if (function->device_id >= VIRTIO_PCI_MODERN_FIRST)
        return function->device_id - VIRTIO_PCI_MODERN_FIRST;
    return pci_read(function, PCI_SUBSYSTEM_ID, 2);
}

uint32_t virtio_pci_probe(const struct pci_function *function)
{
    struct virtio_registers registers;
    uint32_t kind = kind_of(function);

    return kind != 0 && registers_find(function, &registers) ? kind : 0;
}

// ---- the transport ------------------------------------------------------------------------------

static uint32_t status_read(const struct virtio_registers *registers)
{
    return read8(registers->common + VIRTIO_PCI_STATUS);
}

static void status_write(const struct virtio_registers *registers, uint32_t status)
{
    write8(registers->common + VIRTIO_PCI_STATUS, status);
}

static uint64_t features_read(const struct virtio_registers *registers)
{
    uint64_t features;

    write32(registers->common + VIRTIO_PCI_FEATURES_SELECT, 0);
    features = read32(registers->common + VIRTIO_PCI_FEATURES);
    write32(registers->common + VIRTIO_PCI_FEATURES_SELECT, 1);
    return features | (uint64_t)read32(registers->common + VIRTIO_PCI_FEATURES) << 32;
}

static void features_write(const struct virtio_registers *registers, uint64_t features)
{
    write32(registers->common + VIRTIO_PCI_DRIVER_FEATURES_SELECT, 0);
    write32(registers->common + VIRTIO_PCI_DRIVER_FEATURES, (uint32_t)features);
    write32(registers->common + VIRTIO_PCI_DRIVER_FEATURES_SELECT, 1);
    write32(registers->common + VIRTIO_PCI_DRIVER_FEATURES, (uint32_t)(features >> 32));
}

static uint32_t generation_read(const struct virtio_registers *registers)
{
    return read8(registers->common + VIRTIO_PCI_GENERATION);
}

static uint32_t queue_limit(const struct virtio_registers *registers, uint32_t queue)
{
    if (queue >= read16(registers->common + VIRTIO_PCI_QUEUE_COUNT))
        return 0;
    write16(registers->common + VIRTIO_PCI_QUEUE_SELECT, queue);
    return read16(registers->common + VIRTIO_PCI_QUEUE_SIZE);
}

// A vector that the device has no room for reads back as none (section 4.1.5.1.2.1).
static bool vector_write(const struct virtio_registers *registers, uint32_t offset)
{
    uint32_t vector = registers->has_message ? 0 : VECTOR_NONE;

    write16(registers->common + offset, vector);
    return read16(registers->common + offset) == vector;
}

static bool queue_enable(struct virtio_registers *registers, uint32_t number,
                         const struct virtio_queue *queue)
{
    uint64_t base = registers->common;
    uint64_t notify;

    write16(base + VIRTIO_PCI_QUEUE_SELECT, number);
    if (!checked_mul(read16(base + VIRTIO_PCI_QUEUE_NOTIFY), registers->notify_multiplier,
                     &notify) ||
        !range_contains(0, registers->notify_size, notify, 2) || notify % 2 != 0)
        return false;
    registers->notify_queue[number] = registers->notify + notify;
    if (!vector_write(registers, VIRTIO_PCI_QUEUE_VECTOR) ||
        (number == 0 && !vector_write(registers, VIRTIO_PCI_CONFIG_VECTOR)))
        return false;
    write16(base + VIRTIO_PCI_QUEUE_SIZE, queue->entries);
    write_address(base + VIRTIO_PCI_QUEUE_DESCRIPTORS, queue->page);
    write_address(base + VIRTIO_PCI_QUEUE_DRIVER, queue->page + QUEUE_AVAILABLE_OFFSET);
    write_address(base + VIRTIO_PCI_QUEUE_DEVICE, queue->page + QUEUE_USED_OFFSET);
    arch_device_fence();
    write16(base + VIRTIO_PCI_QUEUE_ENABLE, 1);
    return true;
}

static void notify(const struct virtio_registers *registers, uint32_t queue)
{
    write16(registers->notify_queue[queue], queue);
}

// Reading the status takes the pin back (section 4.1.4.5); again until nothing is left, because an
// interrupt controller may know the pin as an edge. A message is taken back by having come.
static bool interrupt_take(const struct virtio_registers *registers)
{
    bool has_asked = registers->has_message;

    for (uint32_t reads = 0; reads < INTERRUPT_READS_MAX && !registers->has_message; reads++) {
        if (read8(registers->interrupt_status) == 0)
            break;
        has_asked = true;
    }
    return has_asked;
}

static void use(const struct virtio_registers *registers, bool is_used)
{
    pci_master(registers->function, is_used);
}

static void interrupt_hold(const struct virtio_registers *registers, bool is_held)
{
    if (registers->has_message)
        pci_msix_mask(registers->function, is_held);
}

static const struct virtio_transport transport = {
    .status_read = status_read,
    .status_write = status_write,
    .features_read = features_read,
    .features_write = features_write,
    .generation_read = generation_read,
    .queue_limit = queue_limit,
    .queue_enable = queue_enable,
    .notify = notify,
    .interrupt_take = interrupt_take,
    .use = use,
    .interrupt_hold = interrupt_hold,
};

// ---- granting -----------------------------------------------------------------------------------

// The pages that hold the structures. One that is mapped already stays so.
static bool registers_map(const struct virtio_registers *registers)
{
    return memory_map_device(registers->common, VIRTIO_PCI_COMMON_SIZE) &&
           memory_map_device(registers->notify, registers->notify_size) &&
           memory_map_device(registers->interrupt_status, 1) &&
           (registers->config_size == 0 ||
            memory_map_device(registers->config, registers->config_size));
}

bool virtio_pci_open(struct pci_function *function, struct virtio_registers *registers)
{
    if (!registers_find(function, registers))
        return false;
    if (registers->config_size > RUMPK_DEVICE_CONFIG_MAX)
        registers->config_size = RUMPK_DEVICE_CONFIG_MAX;
    registers->transport = &transport;
    registers->function = function;
    registers->device_id = kind_of(function);
    registers->vendor_id = pci_read(function, PCI_SUBVENDOR_ID, 2);
    if (!registers_map(registers))
        return false;
    pci_decode(function, true);
    registers->has_message = pci_msix_start(function, &registers->line);
    if (!registers->has_message) {
        registers->line = function->line;
        pci_pin(function, true);
    }
    return true;
}
