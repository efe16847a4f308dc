// SPDX-License-Identifier: Apache-2.0
//
// device.c: the device table. virtio transports are probed once, so that a grant names a device by
// what it is.
#include <kernel/device.h>
#include <kernel/memory.h>
#include <kernel/pci.h>
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

static uint64_t fixed_console;

static void fixed_console_note(const struct fixed_device *fixed)
{
    fixed_console = fixed_console == 0 ? fixed->base : fixed_console;
}

uint64_t device_console(const void *fdt)
{
    uint64_t base;

    if (tree_console(fdt, &base))
        return base;
    arch_fixed_devices(fixed_console_note);
    return fixed_console;
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

// The registers of one function: of a virtio device the kernel's, with its first ones standing for
// the device.
static void function_add(struct pci_function *function)
{
    uint32_t virtio_id = virtio_pci_probe(function);
    bool is_drivers = virtio_id == 0 && function->is_usable && !function->is_bridge;

    for (uint32_t bar = 0; bar < PCI_BARS; bar++) {
        struct device device = {
            .base = function->bars[bar].base,
            .size = function->bars[bar].size,
            .bar = (uint8_t)bar,
            .has_messages = pci_msix_is_in(function, bar),
            .virtio_id = (uint16_t)virtio_id,
            .is_window = is_drivers && function->bars[bar].size <= DEVICE_WINDOW_MAX,
            .node = -1,
            .holder = DEVICE_FREE,
            .line = function->line,
            .function = function,
        };

        if (device.size == 0 || device.base == 0)
            continue;
        device_insert(&device);
        virtio_id = 0;
    }
}

// Everything that the tree and the arch code name is somebody's before a function gets an address.
static void functions_add(void)
{
    pci_begin();
    for (uint32_t index = 0; index < device_count; index++) {
        if (!devices[index].is_ports)
            pci_take(devices[index].base, devices[index].size);
    }
    for (uint32_t index = 0; index < kernel_window_count; index++)
        pci_take(kernel_windows[index].base, kernel_windows[index].size);
    pci_init(tree);
    for (uint32_t number = 0; number < pci_function_count; number++)
        function_add(&pci_functions[number]);
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
    functions_add();
}

static bool device_is(const struct device *device, const struct device_name *name)
{
    if (name->bus == RUMPK_BUS_VIRTIO)
        return device->virtio_id != 0 && device->virtio_id == name->device_id;
    if (name->bus == RUMPK_BUS_PCI)
        return device->function != NULL && device->is_window && device->bar == name->bar &&
               pci_is(device->function, name->vendor_id, name->device_id, name->class_code);
    if (name->bus != RUMPK_BUS_COMPATIBLE || device->function != NULL)
        return false;
    if (device->node >= 0)
        return !tree_is_kernels(tree, device->node) &&
               tree_is_compatible(tree, device->node, name->compatible);
    return text_equal(device->compatible, name->compatible, RUMPK_COMPATIBLE_SIZE);
}

struct device *device_find(const struct device_name *name, uint32_t index)
{
    for (uint32_t number = 0; number < device_count; number++) {
        if (device_is(&devices[number], name) && index-- == 0)
            return &devices[number];
    }
    return NULL;
}

bool device_is_free(const struct device *device, uint32_t package)
{
    for (uint32_t index = 0; index < device_count && device->function != NULL; index++) {
        if (devices[index].function == device->function && devices[index].holder != DEVICE_FREE &&
            devices[index].holder != package)
            return false;
    }
    return device->holder == DEVICE_FREE;
}

void device_switch_on(const struct device *device)
{
    if (device->function != NULL)
        pci_decode(device->function, true);
}

void device_pin_on(const struct device *device)
{
    if (device->function != NULL)
        pci_pin(device->function, true);
}

void device_switch_off(const struct device *device)
{
    if (device->function == NULL)
        return;
    memory_use_kernel_root();
    pci_pin(device->function, false);
    if (device->is_window) // a virtio device is still asked with its line
        pci_decode(device->function, false);
}

bool device_shares_page(const struct device *device)
{
    uint64_t base = align_down(device->base, PAGE_SIZE);
    uint64_t size = page_up(device->base + device->size) - base;

    if (memory_is_ram(base, size) || device->has_messages)
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
