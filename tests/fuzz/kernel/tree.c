// SPDX-License-Identifier: Apache-2.0
//
// The device tree, as the firmware hands it over: memory, reserved regions, devices, PCI hosts and
// how their pins are routed.
#include <kernel/pci.h>
#include <kernel/tree.h>

#include "fuzz.h"

#include <string.h>

static volatile uint64_t sink;

bool arch_interrupt_decode(int32_t controller, const uint32_t *cells, uint32_t count,
                           uint32_t *line)
{
    *line = cells[count - 1];
    return controller >= 0 && *line < ARCH_LINES_MAX;
}

static bool pci_read(const void *tree)
{
    static struct pci_host host;
    bool has_line = false;

    for (uint32_t index = 0; index < PCI_HOSTS_MAX; index++) {
        if (!pci_tree_host(tree, index, &host))
            continue;
        if (host.window_count > PCI_WINDOWS_MAX)
            abort();
        for (uint32_t pin = 1; pin <= PCI_PINS; pin++)
            has_line |= pci_tree_line(tree, host.node, pin, pin) != ARCH_LINE_NONE;
    }
    return has_line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info info;
    struct tree_device devices[64];
    uint8_t *bytes = aligned_alloc(8, (size + 8) & ~(size_t)7);
    uint32_t value;

    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    if (tree_check(bytes, size)) {
        memset(&info, 0, sizeof info);
        bool memory = tree_memory(bytes, &info, true);
        uint32_t count = tree_devices(bytes, devices, 64);
        for (uint32_t i = 0; i < count && i < 64; i++) {
            sink += devices[i].base + devices[i].size;
            sink += tree_is_compatible(bytes, devices[i].node, "virtio,mmio");
        }
        if (tree_u32(bytes, "/cpus", "timebase-frequency", &value))
            sink += value;
        const char *text = tree_text(bytes, "/psci", "method");
        if (text != NULL)
            sink += strlen(text);
        if (pci_read(bytes) && memory && info.ram_count != 0 && count != 0)
            FUZZ_ACCEPTED();
    }
    free(bytes);
    return 0;
}
