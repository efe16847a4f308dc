// SPDX-License-Identifier: Apache-2.0
//
// device.c: the device table. virtio-mmio transports are probed once, so that a grant names a
// device by what it is.
#include <kernel/device.h>
#include <kernel/memory.h>
#include <kernel/tree.h>
#include <kernel/virtio.h>

#define KERNEL_WINDOWS_MAX 8u

struct device devices[DEVICES_MAX];
static uint32_t device_count;
static const void *tree;
static struct tree_device found[DEVICES_MAX];
static struct boot_region kernel_windows[KERNEL_WINDOWS_MAX];
static uint32_t kernel_window_count;

// At its place by address; a full table keeps what it has.
static struct device *device_insert(const struct device *device)
{
    uint32_t index = device_count;

    if (device_count == DEVICES_MAX)
        return NULL;
    for (; index > 0 && devices[index - 1].base > device->base; index--)
        devices[index] = devices[index - 1];
    devices[index] = *device;
    device_count++;
    return &devices[index];
}

static void fixed_add(const struct fixed_device *fixed)
{
    struct device device = {
        .base = fixed->base,
        .size = fixed->size,
        .is_ports = fixed->is_ports,
        .shift = (uint8_t)fixed->shift,
        .node = -1,
        .compatible = fixed->compatible,
        .line = fixed->line,
        .holder = DEVICE_FREE,
    };

    device_insert(&device);
}

static uint32_t line_of(const struct tree_device *device)
{
    // Nearly all devices have one controller: it is looked up when another is named.
    static uint32_t known_phandle;
    static int32_t known_controller = -1;
    struct tree_interrupt interrupt;
    uint32_t line;

    if (device->controller == 0)
        return ARCH_LINE_NONE;
    if (device->controller != known_phandle) {
        known_phandle = device->controller;
        known_controller = tree_referenced(tree, known_phandle);
    }
    if (!tree_interrupt_of(tree, device->node, known_controller, 0, &interrupt) ||
        !arch_interrupt_decode(interrupt.controller, interrupt.cells, interrupt.count, &line))
        return ARCH_LINE_NONE;
    return line;
}

void device_init(const void *fdt)
{
    uint32_t count = tree_devices(fdt, found, DEVICES_MAX);

    tree = fdt;
    if (count > DEVICES_MAX)
        count = DEVICES_MAX;
    for (uint32_t index = 0; index < count; index++) {
        struct device device = {
            .base = found[index].base,
            .size = found[index].size,
            .shift = (uint8_t)found[index].shift,
            .node = found[index].node,
            .line = line_of(&found[index]),
            .holder = DEVICE_FREE,
        };

        // A tree can say anything: a device whose range is no address, or RAM, is none.
        if (!range_contains(0, ARCH_ADDRESS_LIMIT, device.base, device.size) ||
            memory_is_ram(device.base, device.size))
            continue;
        device_insert(&device);
    }
    arch_fixed_devices(fixed_add);
    kernel_window_count = arch_kernel_windows(kernel_windows, KERNEL_WINDOWS_MAX);
    for (uint32_t index = 0; index < device_count; index++) {
        struct device *device = &devices[index];

        if (device->node >= 0 && tree_is_compatible(tree, device->node, "virtio,mmio") &&
            memory_map_device(device->base, device->size))
            device->virtio_id = (uint16_t)virtio_mmio_probe(device->base);
    }
}

static bool device_is(const struct device *device, uint32_t bus, uint32_t device_id,
                      const char *compatible)
{
    if (bus == RUMPK_BUS_VIRTIO)
        return device->virtio_id != 0 && device->virtio_id == device_id;
    if (device->node >= 0)
        return !tree_is_kernels(tree, device->node) &&
               tree_is_compatible(tree, device->node, compatible);
    return text_equal(device->compatible, compatible, RUMPK_COMPATIBLE_SIZE);
}

struct device *device_find(uint32_t bus, uint32_t device_id, const char *compatible, uint32_t index)
{
    for (uint32_t number = 0; number < device_count; number++) {
        if (device_is(&devices[number], bus, device_id, compatible) && index-- == 0)
            return &devices[number];
    }
    return NULL;
}

bool device_shares_page(const struct device *device)
{
    uint64_t base = align_down(device->base, PAGE_SIZE);
    uint64_t size = page_up(device->base + device->size) - base;

    if (memory_is_ram(base, size))
        return true;
    for (uint32_t index = 0; index < device_count; index++) {
        const struct device *other = &devices[index];

        if (other != device && !other->is_ports &&
            range_overlaps(base, size, other->base, other->size))
            return true;
    }
    for (uint32_t index = 0; index < kernel_window_count; index++) {
        if (range_overlaps(base, size, kernel_windows[index].base, kernel_windows[index].size))
            return true;
    }
    return false;
}
